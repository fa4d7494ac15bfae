// One LSTM step under a machine's roofline: arithmetic, memory, and the call itself.

import { button, checkbox, group, slider } from "../frontend/controls.js";
import { tag } from "../frontend/dom.js";
import { fmt, percent, scientific } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { linear, logarithmic, plot, roundUp } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { tableFold } from "../frontend/table.js";

const FLOPS_PER_UNIT = 19,
  BYTES_PER_UNIT = 4 * 13;

/** What one step costs on a machine; `values` of roofline.py says the units. */
export function stepCost({ hidden: h, batch: b, length: t, peak, bandwidth, overhead, resident }) {
  const flops = 8 * h * h * b + FLOPS_PER_UNIT * h * b;
  const weights = resident ? 0 : 16 * h * h,
    states = BYTES_PER_UNIT * h * b;
  const compute = flops / peak / 1e3,
    memory = (weights + states) / bandwidth / 1e3;
  const step = Math.max(compute, memory) + overhead;
  const inputFlops = 8 * h * h * b * t,
    inputBytes = 16 * h * h + 20 * h * b * t;
  const whole = Math.max(inputFlops / peak, inputBytes / bandwidth) / 1e3;
  return {
    flops,
    weights,
    states,
    compute,
    memory,
    step,
    intensity: flops / (weights + states),
    input_intensity: inputFlops / inputBytes,
    ridge: peak / bandwidth,
    rate: flops / step / 1e3,
    share: flops / step / 1e3 / peak,
    sequence: (t * step + whole) / 1e3,
  };
}

const PREFIXES = ["", "k", "M", "G", "T"];
/** A number with the prefix that keeps it between 1 and 1000. */
const prefixed = (value, unit) => {
  const k = value >= 1 ? Math.min(4, Math.floor(Math.log10(value) / 3 + 1e-9)) : 0,
    scaled = value / 1000 ** k;
  return `${fmt(scaled, scaled < 10 ? 2 : scaled < 100 ? 1 : 0)}\u202f${PREFIXES[k]}${unit}`;
};
const micro = (us) =>
  us >= 1000
    ? `${fmt(us / 1000, us < 1e4 ? 2 : 0)}\u202fms`
    : us >= 0.01
      ? `${fmt(us, us < 10 ? 2 : us < 100 ? 1 : 0)}\u202fµs`
      : `${scientific(us, 2)}\u202fµs`;
const told = (us) => `«c:${micro(us)}»`;
const rate = (g) => prefixed(g * 1e9, "FLOP/s");

/** What holds one step back most. */
export const bound = (s, c) =>
  s.overhead > Math.max(c.compute, c.memory)
    ? "the call itself"
    : c.memory > c.compute
      ? "memory"
      : "arithmetic";

/** The picture in words. */
export const sentence = (s, c) =>
  `One step of ${s.hidden} units and ${s.batch} ${s.batch === 1 ? "sequence" : "sequences"} ` +
  `takes ${micro(c.step)} and reaches ${percent(c.share)} of the peak. ` +
  `It does ${fmt(c.intensity, c.intensity < 10 ? 2 : 0)} operations for each byte; ` +
  `what holds it back most is ${bound(s, c)}.`;

/** Machines in round numbers of their data sheets; overhead as this book's library meets it. */
const MACHINES = {
  "One core": { peak: 100, bandwidth: 15, overhead: 5 },
  "16 cores": { peak: 1500, bandwidth: 150, overhead: 8 },
  "Data-centre GPU": { peak: 60000, bandwidth: 4000, overhead: 10 },
};

const X = [0.1, 10000],
  Y = [0.1, 1000000],
  LEFT = 44,
  RIGHT = 22,
  TOP = 26,
  BOTTOM = 44;

function render({ model, el }) {
  const view = explorable(model, el, { title: "One LSTM step under the roofline", update });
  view.root.classList.add("ll-roofline-explorer");
  let setting = view.settings(),
    cost = stepCost(setting);

  const parts = {
    step: {
      head: "one step",
      from: [],
      meaning: "the product U h and the gates, for all sequences",
      symbols: "t = max(FLOP ∕ peak, bytes ∕ bandwidth) + overhead",
      numbers: () => [
        `max(${told(cost.compute)}, ${told(cost.memory)}) + ${told(setting.overhead)} ` +
          `= ${told(cost.step)}`,
      ],
    },
    input: {
      head: "W x of all steps",
      from: [],
      meaning: "no step waits for another, so T · B columns are one product",
      symbols: "FLOP ∕ byte = 8 H^{2} B T ∕ (16 H^{2} + 20 H B T)",
      numbers: () => [`= ${fmt(cost.input_intensity, 1)}`],
    },
    roof: {
      head: "the roof",
      from: [],
      meaning: "left of the ridge memory is the limit, right of it arithmetic",
      symbols: "ridge = peak ∕ bandwidth",
      numbers: () => [
        `${fmt(setting.peak, 0)} ∕ ${fmt(setting.bandwidth, 0)} ` +
          `= ${fmt(cost.ridge, 1)} FLOP ∕ byte`,
      ],
    },
  };
  let chosen = "step";
  const read = readout(view, {
    explain: (key) => ({ ...parts[key], numbers: parts[key].numbers(), q: "c" }),
    chosen: () => chosen,
    choose: (key) => {
      chosen = key;
      view.redraw();
    },
  });

  const nav = levels(view, {
    "": {
      title: "One LSTM step under the roofline",
      make: (stage) => {
        const roof = plot(view, {
          height: (w) => Math.min(400, Math.max(280, 0.5 * w)),
          paint: paintRoof,
        });
        const marks = tag(
          "div",
          { class: "ll-actions" },
          read.watch(button("One step", null), "step"),
          read.watch(button("W x of all steps", null), "input"),
          read.watch(button("The roof", null), "roof"),
          nav.opener(button("Open the step's bill", null, { class: "ll-button" }), "step"),
        );
        stage.append(roof.node, marks, read.node);
        return () => {
          roof.redraw();
          roof.label(`Roofline, both axes logarithmic. ${sentence(setting, cost)}`);
          read.refresh();
        };
      },
    },
    step: {
      title: "the bill of one step",
      make: (stage) => {
        const bill = plot(view, { height: 250, paint: paintBill });
        stage.append(bill.node);
        return () => {
          bill.redraw();
          bill.label(`What one step costs. ${sentence(setting, cost)}`);
        };
      },
    },
  });

  function roofLine(pen, px, py, s, look) {
    const ridge = Math.min(X[1], s.peak / s.bandwidth),
      from = Math.max(X[0], Y[0] / s.bandwidth);
    pen.ctx.beginPath();
    pen.ctx.moveTo(px(from), py(from * s.bandwidth));
    pen.ctx.lineTo(px(ridge), py(ridge * s.bandwidth));
    pen.ctx.lineTo(px(X[1]), py(Math.min(s.peak, X[1] * s.bandwidth)));
    pen.stroke(look.color, look.width, look.dash ?? "", look.alpha ?? 1);
  }

  function paintRoof(pen) {
    const { width, height, colors } = pen;
    const px = logarithmic(...X, LEFT, width - RIGHT),
      py = logarithmic(...Y, height - BOTTOM, TOP);
    pen.axisY(py, LEFT, width - RIGHT, { title: "GFLOP/s" });
    pen.axisX(px, height - BOTTOM, { grid: TOP, title: "floating-point operations for each byte" });
    if (view.ghost) {
      const before = stepCost(view.ghost);
      roofLine(pen, px, py, view.ghost, { color: colors.soft, width: 1.5, alpha: 0.45 });
      pen.dot(px(before.intensity), py(before.rate), { color: colors.line, r: 6 });
    }
    roofLine(pen, px, py, setting, { color: colors.ink, width: 3 });
    const { peak, bandwidth } = setting,
      flat = Math.max(cost.ridge, X[0]);
    const at = Math.min(X[1], cost.intensity),
      allowed = Math.min(peak, cost.intensity * bandwidth);
    const x = px(at),
      top = py(allowed),
      real = py(cost.rate);
    pen.rule(x, top, x, real, { color: colors.f, dash: "4 3", thick: 2 });
    pen.dot(x, top, { color: colors.f, r: 5, hollow: true });
    pen.dot(x, real, { color: colors.f, r: 7 });
    const ix = px(Math.min(X[1], cost.input_intensity)),
      iy = py(Math.min(peak, cost.input_intensity * bandwidth));
    pen.ctx.fillStyle = colors.i;
    pen.ctx.fillRect(ix - 6, iy - 6, 12, 12);

    // Words come after what they name, the most important first; each next one makes way.
    const taken = [];
    const say = (text, from, y, way, look) => {
      const wide = pen.measure(text, look),
        left = look.align === "right" ? from - wide : from;
      const meets = (other) =>
        left < other.right + 4 && other.left < left + wide + 4 && Math.abs(other.y - y) < 14;
      while (taken.some(meets)) y += way;
      taken.push({ left, right: left + wide, y });
      pen.words(text, from, y, { halo: true, ...look });
    };
    // Below the roof there is room for the step, above it for the other product.
    const side = (at, room) =>
      at > width - room ? { dx: -11, align: "right" } : { dx: 11, align: "left" };
    const low = Math.min(real + 18, height - BOTTOM - 24),
      one = side(x, 130);
    say("one step", x + one.dx, low, 14, {
      weight: 600,
      size: 13,
      align: one.align,
      color: colors.text.f,
    });
    say(rate(cost.rate), x + one.dx, low + 15, 14, {
      size: 11,
      align: one.align,
      color: colors.text.f,
    });
    const other = side(ix, 150);
    say("W x of all steps", ix + (other.dx < 0 ? 6 : -6), Math.max(iy - 14, TOP + 12), -15, {
      size: 12,
      weight: 600,
      align: other.align,
      color: colors.text.i,
    });
    say(`arithmetic: ${rate(peak)}`, width - RIGHT, py(Math.min(peak, X[1] * bandwidth)) + 17, 15, {
      size: 11,
      align: "right",
    });
    // Above the slope also where the words end, to the right of their middle.
    const middle = Math.sqrt(Math.max(X[0], Y[0] / bandwidth) * Math.min(flat, X[1]));
    const end = Math.max(px(middle) - 10, LEFT + 112),
      upTo = px.invert(end);
    const above = py(Math.min(peak, Math.max(middle, upTo) * bandwidth)) - 14;
    say(`memory: ${fmt(bandwidth, 0)} GB/s`, end, above, -15, { size: 11, align: "right" });
  }

  function paintBill(pen) {
    const { width, colors } = pen,
      left = Math.min(200, width * 0.4),
      right = width - 90;
    const rows = [
      ["arithmetic", cost.compute, colors.i, `${prefixed(cost.flops, "FLOP")}`],
      [
        "weights U from memory",
        cost.weights / setting.bandwidth / 1e3,
        colors.f,
        prefixed(cost.weights, "B"),
      ],
      [
        "states and gates",
        cost.states / setting.bandwidth / 1e3,
        colors.o,
        prefixed(cost.states, "B"),
      ],
      ["the call itself", setting.overhead, colors.g, ""],
    ];
    const px = linear(0, roundUp(Math.max(...rows.map((row) => row[1]), 1e-6)), left, right);
    rows.forEach(([name, time, color, amount], k) => {
      const y = 30 + 46 * k;
      pen.words(name, left - 12, y + 16, { align: "right", size: 13 });
      if (amount)
        pen.words(amount, left - 12, y + 31, { align: "right", size: 11, color: colors.soft });
      pen.ctx.fillStyle = color;
      pen.ctx.fillRect(left, y + 3, Math.max(1, px(time) - left), 20);
      pen.words(micro(time), px(time) + 8, y + 18, { size: 12, weight: 600 });
    });
    pen.rule(left, 20, left, 210, { color: colors.soft });
    pen.words(
      `together ${micro(cost.step)}: arithmetic and memory go on at the same time, ` +
        "the longer one counts",
      8,
      236,
      { size: 12, color: colors.soft },
    );
  }

  const table = tableFold(view, "One step in numbers", () => [
    ["what", "how much"],
    [
      ["operations", prefixed(cost.flops, "FLOP")],
      ["weights moved", prefixed(cost.weights, "B")],
      ["states and gates moved", prefixed(cost.states, "B")],
      ["operations for each byte", fmt(cost.intensity, 2)],
      ["ridge", fmt(cost.ridge, 2)],
      ["time of arithmetic", micro(cost.compute)],
      ["time of memory", micro(cost.memory)],
      ["time of the step", micro(cost.step)],
      ["share of the peak", percent(cost.share)],
      ["time of the sequence", micro(1000 * cost.sequence)],
    ],
  ]);

  function update() {
    setting = view.settings();
    cost = stepCost(setting);
    nav.draw();
    view.say(sentence(setting, cost));
    table.refresh();
  }

  const whole = { digits: 0, log: true };
  layout(view, {
    controls: [
      group(
        "Network",
        slider(view, "hidden", { words: "hidden units", letter: "H", ...whole }),
        slider(view, "batch", { words: "sequences", letter: "B", ...whole }),
        slider(view, "length", { words: "steps", letter: "T", ...whole }),
        checkbox(view, "resident", { words: "weights stay on the chip" }),
      ),
      group(
        "Machine",
        slider(view, "peak", { words: "arithmetic", log: true, show: rate }),
        slider(view, "bandwidth", {
          words: "memory",
          log: true,
          show: (g) => `${fmt(g, 0)}\u202fGB/s`,
        }),
        slider(view, "overhead", { words: "each call", show: micro }),
        tag(
          "div",
          { class: "ll-actions" },
          Object.entries(MACHINES).map(([name, machine]) => button(name, () => view.set(machine))),
        ),
      ),
    ],
    picture: [nav.node],
    folds: table,
  });
  update();
  return view.dispose;
}

export default { render };
