// A plain recurrent unit, unrolled: its chain of states, and what is left of each input.

import { group, select, slider } from "../frontend/controls.js";
import { tag } from "../frontend/dom.js";
import { rnnBackward, rnnForward } from "../frontend/equations/lstm.js";
import { fmt, math, scientific } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { linear, plot, roundUp } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { inputSignal, PRESETS } from "../frontend/signals.js";
import { productLevel, sumLevel } from "../frontend/sum_level.js";
import { tableFold } from "../frontend/table.js";
import { colormap, inkOn } from "../frontend/theme.js";

const UNIT_PERIOD = 8;

/** The unit over its sequence: {T, x, h, influence}, influence_s = dh_T/dx_s. */
export function runUnit({ preset, length, w, u, b }) {
  const x = inputSignal(preset, length, UNIT_PERIOD),
    net = { D: 1, H: 1, W: [w], U: [u], b: [b] };
  const trace = rnnForward(net, x, length),
    last = new Float64Array(length);
  last[length - 1] = 1;
  return { T: length, x, h: trace.h, influence: rnnBackward(net, trace, last).x };
}

/** Step k (from 0) as a sum: what sum_level.js draws. */
export function insideStep(s, run, k) {
  const before = k ? run.h[k - 1] : 0,
    sum = s.w * run.x[k] + s.u * before + s.b;
  const terms = [
    {
      key: "input",
      letter: "w · x_{t}",
      factors: [
        ["w", s.w, "x"],
        ["x_{t}", run.x[k], "x"],
      ],
      value: s.w * run.x[k],
      q: "x",
      words: "Weight times input",
    },
    {
      key: "hidden",
      letter: "u · h_{t-1}",
      factors: [
        ["u", s.u, "h"],
        ["h_{t-1}", before, "h"],
      ],
      value: s.u * before,
      q: "h",
      words: "Weight times old hidden state",
    },
    { key: "bias", letter: "b", factors: [["b", s.b, "c"]], value: s.b, q: "c", words: "Bias" },
  ];
  return {
    q: "h",
    letter: "h_{t}",
    value: run.h[k],
    sum,
    sumLetter: "a",
    act: "tanh",
    terms,
    words:
      `Step ${k + 1}: ${fmt(s.w * run.x[k])} from the input, ` +
      `${fmt(s.u * before)} from the state before, ${fmt(s.b)} of bias; ` +
      `tanh makes ${fmt(run.h[k])} of the sum ${fmt(sum)}.`,
  };
}

/** The picture in words. A long sequence's pulses begin later than at its first step. */
export function unitSentence(run) {
  const first = Math.max(
    0,
    run.x.findIndex((value) => value !== 0),
  );
  return (
    `After ${run.T} steps the hidden state is ${fmt(run.h[run.T - 1])}. ` +
    `A small change of the input at step ${first + 1} would change it by ` +
    `${scientific(run.influence[first], 2)} times as much.`
  );
}

const EDGE = 46,
  FAR = 26,
  CHAIN = 132,
  STATES = 96,
  COUNTS = 84,
  BETWEEN = 44;
const TALL = CHAIN + STATES + COUNTS + 2 * BETWEEN + 26;

function render({ model, el }) {
  const view = explorable(model, el, { title: "A recurrent unit, unrolled in time", update });
  view.root.classList.add("ll-recurrence-explorer");
  let setting = view.settings(),
    run = runUnit(setting),
    ghost = null,
    ghostOf = null;
  const at = () => Math.min(view.get("step"), run.T) - 1;
  const step = () => insideStep(setting, run, at());

  const read = readout(view, {
    chosen: () => "h",
    explain: () => {
      const k = at(),
        before = k ? run.h[k - 1] : 0;
      return {
        q: "h",
        head: `hidden state, step ${k + 1}`,
        meaning: "made of the input and of the state before, by the same weights at every step",
        symbols: "h_{t} = tanh(w x_{t} + u h_{t-1} + b)",
        from: [],
        numbers: [
          `= tanh(${fmt(setting.w)} · «x:${fmt(run.x[k])}» + ` +
            `${fmt(setting.u)} · «h:${fmt(before)}» + ${fmt(setting.b)}) ` +
            `= «h:${fmt(run.h[k], 3)}»`,
        ],
        curve: ["tanh", step().sum],
      };
    },
  });

  const contents = {
    "": {
      title: "A recurrent unit, unrolled in time",
      make: (stage) => {
        const picture = plot(view, { height: TALL, paint: (pen) => paintUnit(pen), pointed });
        const scrub = slider(view, "step", {
          words: "read at step",
          letter: "t",
          q: "h",
          digits: 0,
          read: () => at() + 1,
        });
        scrub.classList.add("ll-scrub");
        const opener = nav.opener(
          tag("button", { type: "button", class: "ll-button" }, "Open this step"),
          "step",
        );
        stage.append(picture.node, scrub, tag("div", { class: "ll-actions" }, opener), read.node);
        function pointed(event) {
          if (!event || (event.type === "pointermove" && !event.event.buttons)) return;
          const px = across(picture.width);
          view.set({ step: Math.round(Math.min(run.T, Math.max(1, px.invert(event.x) + 1))) });
        }
        return () => {
          scrub.input.max = run.T;
          scrub.refresh();
          picture.redraw();
          picture.label(
            `The unit at every step, and what is left of each input. ${unitSentence(run)}`,
          );
          read.refresh();
        };
      },
    },
    step: {
      title: () => `step ${at() + 1}`,
      make: (stage) => sumLevel(view, nav, stage, "step", contents, step),
      words: () => step().words,
    },
  };
  for (const key of ["input", "hidden"]) {
    const term = () => step().terms.find((each) => each.key === key);
    const words = () => {
      const {
        words: said,
        factors: [[, a], [, b]],
        value,
      } = term();
      return `${said}: ${fmt(a)} times ${fmt(b)} is ${fmt(value)}.`;
    };
    contents[`step/${key}`] = {
      title: () => term().words.toLowerCase(),
      words,
      make: (stage) => productLevel(view, stage, () => ({ ...term(), words: words() })),
    };
  }
  const nav = levels(view, contents);

  const across = (width) => linear(0, Math.max(1, run.T - 1), EDGE + 14, width - FAR - 14);

  function paintUnit(pen) {
    const { width, colors } = pen,
      px = across(width),
      k = at(),
      apart = run.T > 1 ? px(1) - px(0) : 60;
    const r = Math.min(17, Math.max(1.5, 0.32 * apart)),
      top = 28,
      low = 104,
      named = apart > 40,
      between = apart - 2 * r,
      room = Math.min(2, 0.1 * between);
    pen.rule(px(k), 6, px(k), TALL - 30, { color: colors.soft, dash: "2 3" });

    for (let t = 0; t < run.T; t++) {
      const x = px(t);
      arrow(pen, x, low - r - 2, x, top + r + 3, colors.x, Math.abs(setting.w));
      if (t)
        arrow(pen, px(t - 1) + r + room, top, x - r - room, top, colors.h, Math.abs(setting.u));
      ball(pen, x, top, r, run.h[t], 1, named);
      ball(pen, x, low, r, run.x[t], 1, named);
    }
    // Between two states, or above them where they lie too close.
    const over = between > 16 ? 9 : r + 5;
    pen.formula("u", (px(0) + px(1)) / 2, top - over, { q: "h", align: "center" });
    pen.formula("w", px(0) - 9, (top + low) / 2 + 4, { q: "x", align: "right" });
    pen.formula("h_{t}", 4, top + 5, { q: "h" });
    pen.formula("x_{t}", 4, low + 5, { q: "x" });

    const hTop = CHAIN + BETWEEN,
      hBottom = hTop + STATES,
      py = linear(-1, 1, hBottom, hTop);
    pen.axisY(py, EDGE, width - FAR, { ticks: [-1, 0, 1] });
    pen.words("hidden state", EDGE, hTop - 12, { size: 12, color: colors.soft, halo: true });
    if (ghost && ghost.T === run.T)
      pen.line(ghost.h, px, py, { color: colors.soft, width: 1.5, alpha: 0.45 });
    pen.line(run.h, px, py, pen.style("h"));
    pen.dot(px(k), py(run.h[k]), { color: colors.h, r: 5 });

    const bTop = hBottom + BETWEEN,
      bBottom = bTop + COUNTS;
    const largest = run.influence.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
      reach = roundUp(Math.max(largest, 1e-3));
    const signed = run.influence.some((v) => v < -1e-12),
      by = linear(signed ? -reach : 0, reach, bBottom, bTop);
    pen.axisY(by, EDGE, width - FAR, { ticks: signed ? [-reach, 0, reach] : [0, reach] });
    pen.words(
      pen.fitting(
        ["how much each input counts in the last hidden state", "how much each input counts"],
        width - EDGE,
      ),
      EDGE,
      bTop - 12,
      { size: 12, color: colors.soft, halo: true },
    );
    for (let t = 0; t < run.T; t++) {
      const wide = Math.max(1.5, Math.min(18, 0.6 * apart)),
        y = by(run.influence[t]);
      pen.ctx.fillStyle = t === k ? colors.ink : colors.x;
      pen.ctx.fillRect(
        px(t) - wide / 2,
        Math.min(y, by(0)),
        wide,
        Math.max(1, Math.abs(y - by(0))),
      );
    }
    pen.axisX(px, bBottom + 4, {
      ticks: ticksOf(run.T, width),
      show: (t) => String(t + 1),
      title: undefined,
    });
  }

  const values = tableFold(view, "Values at every step", () => [
    ["step", math("x_{t}"), math("h_{t}"), "counts in the last"],
    Array.from({ length: run.T }, (_, t) => [
      String(t + 1),
      fmt(run.x[t], 3),
      fmt(run.h[t], 4),
      scientific(run.influence[t], 3),
    ]),
  ]);

  function update() {
    setting = view.settings();
    run = runUnit(setting);
    if (view.ghost !== ghostOf) {
      ghostOf = view.ghost;
      ghost = ghostOf && runUnit(ghostOf);
    }
    nav.draw();
    view.say(contents[nav.path]?.words?.() ?? unitSentence(run));
    values.refresh();
  }

  layout(view, {
    controls: [
      group(
        "Sequence",
        select(view, "preset", {
          words: "input",
          letter: "x_{t}",
          choices: view.specs.preset.options.map((p) => [p, PRESETS[p]]),
        }),
        slider(view, "length", { words: "length", letter: "T", digits: 0, unit: " steps" }),
      ),
      group(
        "The same weights at every step",
        slider(view, "u", { words: "weight of the state", letter: "u", q: "h" }),
        slider(view, "w", { words: "weight of the input", letter: "w", q: "x" }),
        slider(view, "b", { words: "bias", letter: "b" }),
      ),
    ],
    picture: [nav.node],
    folds: values,
  });
  update();
  return view.dispose;
}

function ticksOf(T, width) {
  const gap = Math.max(1, roundUp((T * 46) / Math.max(200, width))),
    all = [0];
  for (let t = gap - 1; t < T; t += gap) if (t > 0) all.push(t);
  return all;
}

/** A number as a ball: its colour, and where there is room the number. */
function ball(pen, x, y, r, value, reach, named) {
  const share = 0.5 + 0.5 * Math.max(-1, Math.min(1, value / reach));
  const [red, green, blue] = colormap("signed").subarray(4 * Math.round(255 * share));
  pen.ctx.beginPath();
  pen.ctx.arc(x, y, r, 0, 2 * Math.PI);
  pen.ctx.fillStyle = `rgb(${red}, ${green}, ${blue})`;
  pen.ctx.fill();
  pen.stroke(pen.colors.soft, 1);
  if (named)
    pen.words(fmt(value, Math.abs(value) < 0.995 ? 2 : 1), x, y, {
      size: 10,
      align: "center",
      baseline: "middle",
      color: inkOn("signed", share),
    });
}

function arrow(pen, x0, y0, x1, y1, color, weight) {
  const long = Math.hypot(x1 - x0, y1 - y0),
    [ux, uy] = [(x1 - x0) / long, (y1 - y0) / long],
    head = Math.min(6, long / 2);
  pen.ctx.beginPath();
  pen.ctx.moveTo(x0, y0);
  pen.ctx.lineTo(x1, y1);
  pen.ctx.moveTo(x1 - head * (ux - 0.6 * uy), y1 - head * (uy + 0.6 * ux));
  pen.ctx.lineTo(x1, y1);
  pen.ctx.lineTo(x1 - head * (ux + 0.6 * uy), y1 - head * (uy - 0.6 * ux));
  pen.stroke(color, Math.min(4, 0.6 + 1.2 * weight));
}

export default { render };
