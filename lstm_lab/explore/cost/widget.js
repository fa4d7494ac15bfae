// Memory and time of an LSTM layer, against the length of the sequence.

import { group, slider } from "../frontend/controls.js";
import { floats } from "../frontend/dom.js";
import { fmt } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { logarithmic, plot, powerOfTen } from "../frontend/plot.js";
import { tableFold } from "../frontend/table.js";

const FORWARD_FLOPS = 23,
  BACKWARD_FLOPS = 27;

/** What a sequence costs; `values` of cost.py says the units. */
export function sequenceCost({ length: t, batch: b, hidden: h, inputs: d, rate, overhead }) {
  const forwardFlops = t * b * h * (8 * (d + h) + FORWARD_FLOPS);
  const backwardFlops = t * b * h * (16 * (d + h) + BACKWARD_FLOPS);
  return {
    weights: 16 * h * (d + h + 1),
    trace: 4 * (7 * t + 2) * b * h,
    state: 8 * b * h,
    ends: 4 * t * b * (d + h),
    forward_flops: forwardFlops,
    backward_flops: backwardFlops,
    forward: forwardFlops / rate / 1e6 + (t * overhead) / 1e3,
    both: (forwardFlops + backwardFlops) / rate / 1e6 + (2 * t * overhead) / 1e3,
  };
}

/** A number in the unit that keeps it between 1 and 1000. */
const scaled = (value, units) => {
  const k = value >= 1 ? Math.min(units.length - 1, Math.floor(Math.log10(value) / 3 + 1e-9)) : 0,
    part = value / 1000 ** k;
  return `${fmt(part, part < 10 ? 2 : part < 100 ? 1 : 0)}\u202f${units[k]}`;
};
const bytes = (n) => scaled(n, ["B", "kB", "MB", "GB", "TB"]);
const flop = (n) => scaled(n, ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"]);
const duration = (ms) =>
  ms >= 60000 ? `${fmt(ms / 60000, 1)}\u202fmin` : scaled(ms * 1000, ["µs", "ms", "s"]);

/** The picture in words. */
export const costSentence = (s, cost) =>
  `${s.length} steps of ${s.batch} sequences: the trace takes ${bytes(cost.trace)}, ` +
  `the weights ${bytes(cost.weights)}. ` +
  `Forward takes ${duration(cost.forward)}, with backward ${duration(cost.both)}.`;

const LONGEST = 10000,
  AT = Array.from({ length: 81 }, (_, k) => LONGEST ** (k / 80));
const LEFT = 56,
  RIGHT = 128,
  TOP = 30,
  BOTTOM = 42;

/** One cost at every length AT. */
const costCurve = (s, key) => AT.map((length) => sequenceCost({ ...s, length })[key]);

function render({ model, el }) {
  const view = explorable(model, el, { title: "What a sequence costs", update });
  view.root.classList.add("ll-cost-explorer");
  let setting = view.settings(),
    cost = sequenceCost(setting);
  const flat = floats(model.get("_measured")),
    measured = [];
  for (let k = 0; k + 5 < flat.length; k += 6) {
    const [length, batch, hidden, inputs, forward, both] = flat.subarray(k, k + 6);
    measured.push({ length, batch, hidden, inputs, forward: 1000 * forward, both: 1000 * both });
  }
  const belongs = (row) =>
    ["batch", "hidden", "inputs"].every((name) => row[name] === setting[name]);

  const memory = plot(view, {
    height: 290,
    paint: (pen) =>
      paintCurves(pen, {
        title: "memory",
        low: 5,
        high: 5e12,
        show: bytes,
        dots: [],
        ticks: { 1e3: "1 kB", 1e6: "1 MB", 1e9: "1 GB", 1e12: "1 TB" },
        lines: [
          { key: "trace", words: "trace", look: { color: pen.colors.ink, width: 3 } },
          {
            key: "ends",
            words: "input, output",
            look: { color: pen.colors.x, width: 2, dash: "7 3" },
          },
          {
            key: "weights",
            words: "weights",
            look: { color: pen.colors.f, width: 2, dash: "2 3" },
          },
          {
            key: "state",
            words: "trace=False",
            look: { color: pen.colors.i, width: 2, dash: "9 3 2 3" },
          },
        ],
      }),
  });
  const time = plot(view, {
    height: 290,
    paint: (pen) =>
      paintCurves(pen, {
        title: "time",
        low: 2e-4,
        high: 5e9,
        show: duration,
        dots: measured.filter(belongs),
        ticks: {
          1e-3: "1 µs",
          1: "1 ms",
          1e3: "1 s",
          6e4: "1 min",
          3.6e6: "1 h",
          6.048e8: "1 week",
        },
        lines: [
          { key: "both", words: "with backward", look: { color: pen.colors.ink, width: 3 } },
          {
            key: "forward",
            words: "forward",
            look: { color: pen.colors.o, width: 2, dash: "7 3" },
          },
        ],
      }),
  });

  function paintCurves(pen, { title, low, high, show, dots, lines, ticks }) {
    const { width, height, colors } = pen,
      right = width - RIGHT;
    const px = logarithmic(1, LONGEST, LEFT, right),
      py = logarithmic(low, high, height - BOTTOM, TOP);
    pen.axisY(py, LEFT, right, { ticks: Object.keys(ticks).map(Number), show: (v) => ticks[v] });
    pen.axisX(px, height - BOTTOM, {
      grid: TOP,
      ticks: [1, 10, 100, 1000, 10000],
      show: right - LEFT < 250 ? powerOfTen : (v) => fmt(v, 0),
      title: "steps T",
    });
    pen.words(title, LEFT, TOP - 12, { size: 13, weight: 600 });
    pen.rule(px(setting.length), TOP, px(setting.length), height - BOTTOM, {
      color: colors.soft,
      dash: "2 3",
    });
    const ends = [];
    for (const { key, words, look } of lines) {
      const now = costCurve(setting, key),
        before = view.ghost && costCurve(view.ghost, key);
      // The same curve behind a dashed one would fill its gaps.
      if (before?.some((value, k) => value !== now[k]))
        pen.line(before, (k) => px(AT[k]), py, { color: colors.soft, width: 1.5, alpha: 0.45 });
      pen.line(now, (k) => px(AT[k]), py, look);
      pen.dot(px(setting.length), py(cost[key]), { color: look.color, r: 5 });
      ends.push({
        words,
        number: show(cost[key]),
        y: py(sequenceCost({ ...setting, length: LONGEST })[key]),
      });
      for (const row of dots)
        pen.dot(px(row.length), py(row[key]), { color: look.color, r: 4.5, hollow: true });
    }
    // Labels that would lie on each other move apart.
    ends
      .sort((a, b) => a.y - b.y)
      .forEach((end, k) => {
        if (k) end.y = Math.max(end.y, ends[k - 1].y + 32);
      });
    const over = Math.max(0, ends[ends.length - 1].y - (height - BOTTOM));
    for (const { words, number, y } of ends) {
      pen.words(words, right + 10, y - over, { size: 12, weight: 600 });
      pen.words(number, right + 10, y - over + 14, { size: 12, color: colors.soft });
    }
  }

  const numbers = tableFold(view, "The formulas and their numbers", () => [
    ["what", "formula", "at this length"],
    [
      ["weights", "4 bytes · 4 H (D + H + 1)", bytes(cost.weights)],
      ["trace", "4 bytes · (7 T + 2) B H", bytes(cost.trace)],
      ["without a trace", "4 bytes · 2 B H", bytes(cost.state)],
      ["input and output", "4 bytes · T B (D + H)", bytes(cost.ends)],
      ["operations forward", "T B H (8 (D + H) + 23)", flop(cost.forward_flops)],
      ["operations backward", "T B H (16 (D + H) + 27)", flop(cost.backward_flops)],
      ["time forward", "operations ∕ rate + T · overhead", duration(cost.forward)],
      ["time of both", "operations ∕ rate + 2 T · overhead", duration(cost.both)],
    ],
  ]);

  function update() {
    setting = view.settings();
    cost = sequenceCost(setting);
    const words = costSentence(setting, cost);
    memory.redraw();
    time.redraw();
    memory.label(`Memory against the length, both logarithmic. ${words}`);
    time.label(`Time against the length, both logarithmic. ${words}`);
    view.say(words);
    numbers.refresh();
  }

  const whole = { digits: 0, log: true };
  layout(view, {
    controls: [
      group(
        "Batch",
        slider(view, "length", { words: "steps", letter: "T", ...whole }),
        slider(view, "batch", { words: "sequences", letter: "B", ...whole }),
      ),
      group(
        "Layer",
        slider(view, "hidden", { words: "units", letter: "H", ...whole }),
        slider(view, "inputs", { words: "inputs", letter: "D", ...whole }),
      ),
      group(
        "Machine",
        slider(view, "rate", {
          words: "arithmetic",
          log: true,
          show: (g) => `${fmt(g, 0)}\u202fGFLOP/s`,
        }),
        slider(view, "overhead", {
          words: "each step",
          show: (us) => `${fmt(us, us < 10 ? 1 : 0)}\u202fµs`,
        }),
      ),
    ],
    picture: [memory.node, time.node],
    folds: numbers,
  });
  update();
  return view.dispose;
}

export default { render };
