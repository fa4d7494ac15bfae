// SequenceExplorer: one LSTM unit over a whole sequence, and how long it remembers.

import { lstmForward, sigmoid } from "./lstm.js";
import { explorable, layout } from "./chrome.js";
import { button, group, select, slider, weights } from "./controls.js";
import { floats, put, svg, tag } from "./dom.js";
import { fmt, label, math, percent, QUANTITIES, share, steps } from "./format.js";
import { roundUp } from "./plot.js";
import { tableFold } from "./table.js";

const ORDER = ["o", "i", "f", "g"];
export const PRESETS = {
  impulse: "one impulse", "two pulses": "two pulses", step: "a step", square: "square wave",
  sine: "sine", spikes: "regular spikes", noise: "noise", own: "your own",
};
const PULSED = new Set(["impulse", "two pulses", "step", "square", "spikes"]);
const PERIODIC = new Set(["square", "sine", "spikes"]);

/** Whole-number arithmetic on 32 bits (mulberry32): the same noise here and in Python. */
function noise(T) {
  let a = 1;
  return Float64Array.from({ length: T }, () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

/** The input of a preset over T steps; pulses begin a twentieth of the way in. */
export function inputSignal(preset, T, period) {
  const first = Math.floor(T / 20), second = Math.floor(T / 2);
  const since = (k) => (k - first) % period;
  const at = {
    impulse: (k) => k === first,
    "two pulses": (k) => k === first || k === second,
    step: (k) => k >= first,
    square: (k) => k >= first && since(k) < period / 2,
    sine: (k) => Math.sin((2 * Math.PI * k) / period),
    spikes: (k) => k >= first && since(k) === 0,
  }[preset];
  return at ? Float64Array.from({ length: T }, (_, k) => Number(at(k))) : noise(T);
}

/** The reader's own layer and input, as the widget's traits carry them: float32 buffers. */
export function unpack(shape, net, input) {
  const own = { D: shape.D ?? 1, H: shape.H ?? 1, unit: shape.unit ?? 0 };
  if (input?.byteLength) own.x = Float64Array.from(floats(input));
  if (net?.byteLength) {
    const all = Float64Array.from(floats(net)), { D, H } = own, w = 4 * H * D, u = 4 * H * H;
    own.net = { D, H, W: all.slice(0, w), U: all.slice(w, w + u), b: all.slice(w + u) };
  }
  return own;
}

/**
 * The unit of state s over its sequence. Returns per step x (T·D), i, f, o, g, c, h, all (T), and
 * rest, what is left of the first pulse; and first, mean, halfLife, memory, left.
 */
export function runSequence(s, own = { D: 1, H: 1, unit: 0 }) {
  const T = s.length, { D, H, unit } = own;
  const x = s.preset === "own" ? own.x.subarray(0, T * D) : inputSignal(s.preset, T, s.period);
  const net = own.net
    ? { ...own.net, b: Float64Array.from(own.net.b) }
    : { D, H, W: ORDER.map((k) => s[`w_${k}`]), U: ORDER.map((k) => s[`u_${k}`]), b: new Float64Array(4) };
  ORDER.forEach((k, row) => { net.b[row * H + unit] = s[`b_${k}`]; });
  const trace = lstmForward(net, x, T);
  const run = { T, D, x };
  for (const k of ["i", "f", "o", "g", "c", "h"]) {
    run[k] = H === 1 ? trace[k] : Float64Array.from({ length: T }, (_, t) => trace[k][t * H + unit]);
  }

  // The direct path from the first input on: the product of the forget gates after it.
  const nonzero = x.findIndex((v) => v !== 0);
  const first = nonzero < 0 ? 0 : Math.floor(nonzero / D);
  const rest = new Float64Array(T);
  rest[first] = run.i[first] * run.g[first];
  let logs = 0;
  for (let t = first + 1; t < T; t++) {
    rest[t] = rest[t - 1] * run.f[t];
    logs += Math.log(run.f[t]);
  }
  const mean = first + 1 < T ? Math.exp(logs / (T - 1 - first)) : run.f[first];
  return Object.assign(run, {
    first, rest, mean, left: Math.exp(logs), logLeft: logs, halfLife: Math.log(0.5) / Math.log(mean), memory: 1 / (1 - mean),
  });
}

/** The run in words, with what the cursor reads. */
export function sentence(run, step) {
  const t = step - 1, what = run.pulsed ? "pulse" : "input";
  return `Over ${run.T} steps the forget gate averages ${share(run.mean, 3)}: half of the first ${what} is left after `
    + `${steps(run.halfLife)} steps, and ${percent(run.left, run.logLeft)} of it at the end. At step ${step} `
    + (run.D === 1 ? `the input is ${fmt(run.x[t])}, ` : "")
    + `the forget gate ${share(run.f[t])}, the input gate ${share(run.i[t])}, the output gate ${share(run.o[t])}, `
    + `the candidate ${fmt(run.g[t])}, the cell state ${fmt(run.c[t])}, the hidden state ${fmt(run.h[t])}.`;
}

const LANES = [
  { key: "x", title: "input", qs: ["x"], height: 36 },
  { key: "gates", title: "gates", qs: ["i", "f", "o"], height: 84 },
  { key: "g", title: "candidate", qs: ["g"], height: 44 },
  { key: "c", title: "cell state", qs: ["c"], height: 112 },
  { key: "h", title: "hidden state", qs: ["h"], height: 48 },
];
const CAPTION = 22, RULER = 58, AXIS = 22, LEFT = 26, RIGHT = 88;

function range(key, run) {
  if (key === "gates") return [0, 1];
  if (key === "g" || key === "h") return [-1, 1];
  const values = run[key], top = Math.max(1, roundUp(values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)));
  return [values.some((v) => v < -0.01 * top) ? -top : 0, top];
}

function picture() {
  const lanes = LANES.map((lane) => {
    const node = {
      ...lane,
      title: label(svg("text", { class: "ll-caption" }), lane.title),
      axis: svg("path", { class: "ll-axis" }), high: svg("text", { class: "ll-tick", "text-anchor": "end" }),
      low: svg("text", { class: "ll-tick", "text-anchor": "end" }),
      lines: {}, dots: {}, reads: {}, samples: {},
    };
    for (const q of lane.qs) {
      node.lines[q] = svg("path", {
        class: "ll-line", "data-q": q, "stroke-dasharray": QUANTITIES[q].dash,
        "stroke-width": q === "c" ? 3.5 : q === "x" ? 1.75 : 2.25,
      });
      node.dots[q] = svg("circle", { class: "ll-dot", "data-q": q, r: q === "c" ? 5 : 4 });
      node.samples[q] = svg("path", { class: "ll-line", "data-q": q, "stroke-dasharray": QUANTITIES[q].dash, "stroke-width": q === "c" ? 3.5 : 2.25 });
      node.reads[q] = svg("text", { class: "ll-read", "data-q": q });
    }
    return node;
  });
  const rest = svg("path", { class: "ll-rest" });
  const drop = svg("path", { class: "ll-drop-half" }), halfDot = svg("circle", { r: 5, class: "ll-half-dot" });
  const [half, ruler] = ["c", "f"].map((q) =>
    svg("g", { class: "ll-ruler", "data-q": q }, svg("path"), svg("text", { class: "ll-label" })));
  const ticks = svg("g", { class: "ll-ticks" }), cursor = svg("path", { class: "ll-cursor" });
  const node = svg("svg", { role: "img", class: "ll-sequence" },
    lanes.map((lane) => [lane.axis, lane.title, lane.high, lane.low]), rest, cursor,
    lanes.map((lane) => Object.values(lane.lines)), drop, halfDot, half, ruler, ticks,
    lanes.map((lane) => [Object.values(lane.dots), Object.values(lane.samples), Object.values(lane.reads)]));
  return { node, lanes, rest, drop, halfDot, half, ruler, ticks, cursor };
}

/** Positions of the ticks of a time axis: round numbers, five or so. */
export function timeTicks(T, room) {
  const rough = T / Math.max(2, room), ten = 10 ** Math.floor(Math.log10(rough));
  const gap = Math.max(1, [1, 2, 5, 10].find((m) => m * ten >= rough) * ten);
  const ticks = [1];
  for (let t = gap; t <= T; t += gap) if (t > 1) ticks.push(t);
  return ticks;
}

function draw(art, run, step, W) {
  const plot = W - LEFT - RIGHT, { T } = run, t = step - 1;
  const px = (k) => LEFT + (T > 1 ? (k / (T - 1)) * plot : plot / 2);
  let y = 0;
  for (const lane of art.lanes) {
    const [low, high] = range(lane.key, run), top = y + CAPTION, { height } = lane;
    const py = (v) => top + height - ((v - low) / (high - low)) * height;
    put(lane.title, { x: LEFT, y: y + 13 });
    put(lane.axis, { d: `M${LEFT} ${py(0)}H${LEFT + plot}` + (lane.key === "x" ? "" : `M${LEFT} ${py(high)}H${LEFT + plot}`) + (low < 0 && lane.key !== "x" ? `M${LEFT} ${py(low)}H${LEFT + plot}` : "") });
    lane.high.textContent = fmt(high, 0);
    lane.low.textContent = fmt(low, 0);
    put(lane.high, { x: LEFT - 6, y: py(high) + 4 });
    put(lane.low, { x: LEFT - 6, y: py(low) + 4 });
    let row = top + (height - 20 * (lane.qs.length - 1)) / 2 + 5;
    for (const q of lane.qs) {
      const values = run[q], D = q === "x" ? run.D : 1;
      lane.lines[q].setAttribute("d", q === "x" && D === 1 && run.pulsed ? stems(values, px, py) : trail(values, T, D, px, py));
      put(lane.dots[q], { cx: px(t), cy: py(values[t * D]), visibility: D > 1 ? "hidden" : "visible" });
      put(lane.samples[q], { d: `M${W - RIGHT + 8} ${row - 4}h16` });
      label(lane.reads[q], D > 1 ? q : `${q} ${lane.key === "gates" ? share(values[t]) : fmt(values[t])}`);
      put(lane.reads[q], { x: W - RIGHT + 29, y: row });
      row += 20;
    }
    if (lane.key === "c") {
      drawMemory(art, run, px, py, LEFT + plot, top + height + 20);
      y += RULER;
    }
    y = y + CAPTION + height;
  }
  put(art.cursor, { d: `M${px(t)} ${CAPTION - 4}V${y + 4}` });
  art.ticks.replaceChildren(...timeTicks(T, plot / 90).map((k) =>
    svg("text", { x: px(k - 1), y: y + 18, class: "ll-tick", "text-anchor": "middle" }, String(k))));
  put(art.node, { width: W, height: y + AXIS, viewBox: `0 0 ${W} ${y + AXIS}` });
}

function trail(values, T, D, px, py) {
  let d = "";
  for (let k = 0; k < D; k++) {
    for (let t = 0; t < T; t++) d += `${t ? "L" : "M"}${px(t).toFixed(1)} ${py(values[t * D + k]).toFixed(1)}`;
  }
  return d;
}

function stems(values, px, py) {
  let d = `M${px(0)} ${py(0)}H${px(values.length - 1)}`;
  values.forEach((v, t) => { if (v) d += `M${px(t).toFixed(1)} ${py(0)}V${py(v).toFixed(1)}`; });
  return d;
}

/** What is left of the first pulse, and below it how long the memory is, from that pulse on. */
function drawMemory(art, run, px, py, right, y) {
  const zero = py(0), from = px(run.first), dx = run.T > 1 ? px(1) - px(0) : 0;
  let d = `M${from} ${zero}`;
  for (let t = run.first; t < run.T; t++) d += `L${px(t).toFixed(1)} ${py(run.rest[t]).toFixed(1)}`;
  art.rest.setAttribute("d", `${d}V${zero}Z`);

  const bar = ({ children: [line, words] }, length, at, text) => {
    const to = from + length * dx, inside = to <= right + 0.5, end = inside ? to : right;
    put(line, { d: `M${from} ${at - 5}v10M${from} ${at}H${end}${inside ? `M${end} ${at - 5}v10` : "m-8 -5l8 5l-8 5"}` });
    label(words, text);
    const after = end + 170 < right;
    put(words, { x: after ? end + 8 : right, y: after ? at + 4.5 : at - 6, "text-anchor": after ? "start" : "end" });
    return inside ? to : null;
  };
  const halfAt = bar(art.half, run.halfLife, y, `half-life = ${steps(run.halfLife)} steps`);
  bar(art.ruler, run.memory, y + 24, `1/(1 − f) = ${steps(run.memory)} steps`);
  const middle = py(run.rest[run.first] / 2);
  put(art.drop, { d: halfAt === null ? "" : `M${from} ${middle}H${halfAt}V${y}` });
  put(art.halfDot, { cx: halfAt ?? 0, cy: middle, visibility: halfAt === null ? "hidden" : "visible" });
}

function tile(q, words, formula) {
  const value = tag("strong", { class: "ll-tile-value" });
  const node = tag("div", { class: "ll-tile", "data-q": q }, tag("span", { class: "ll-tile-name" }, words), value,
    tag("span", { class: "ll-tile-formula", html: math(formula) }));
  /** The number large, the words beside it ("steps", "under") small. */
  const show = (text) => value.replaceChildren(
    ...text.split(/([a-z]+)/).map((part, k) => (k % 2 ? tag("small", {}, part) : part)));
  return { node, show, name: node.firstChild, formula: node.lastChild };
}

function render({ model, el }) {
  let width = 0;
  const own = unpack(model.get("_shape"), model.get("_net"), model.get("_input"));
  const art = picture();
  const stage = tag("div", { class: "ll-stage ll-pointable" }, art.node);
  const tiles = {
    mean: tile("f", "forget gate", "σ(b_{f}) = 0.73"),
    halfLife: tile("c", "half-life", "ln ½ ∕ ln f"),
    memory: tile("f", "memory", "1/(1 − f)"),
    left: tile("c", "first pulse left", "product of f"),
  };
  const view = explorable(model, el, { title: "An LSTM unit over a sequence", update });
  // Times are whole and within the sequence, whatever has just changed.
  const now = () => {
    const s = view.settings();
    if (s.preset === "own") s.length = Math.min(s.length, own.x.length / own.D);
    return { s, step: Math.min(view.get("step"), s.length) };
  };

  const scrub = slider(view, "step", { words: "read at step", letter: "t", q: "c", digits: 0, read: () => now().step });
  scrub.classList.add("ll-scrub");
  const period = slider(view, "period", { words: "period in steps", digits: 0 });

  function update() {
    const { s, step } = now(), run = runSequence(s, own);
    run.pulsed = PULSED.has(s.preset);
    scrub.input.max = s.length;
    scrub.refresh();
    period.hidden = !PERIODIC.has(s.preset);
    const words = sentence(run, step), closed = sigmoid(s.b_f);
    tiles.mean.show(share(run.mean, 3));
    tiles.mean.formula.innerHTML = math(`σ(b_{f}) = ${share(closed, 3)}`);
    tiles.halfLife.show(`${steps(run.halfLife)} steps`);
    tiles.memory.show(`${steps(run.memory)} steps`);
    tiles.left.name.textContent = `first ${run.pulsed ? "pulse" : "input"} left`;
    tiles.left.show(percent(run.left, run.logLeft));
    tiles.left.formula.innerHTML = math(`f^{${s.length - 1 - run.first}}`);
    view.say(words);
    if (!width) return;
    draw(art, run, step, width);
    art.node.setAttribute("aria-label", `Gates, cell state and hidden state over time. ${words}`);
    values.refresh();
  }

  const values = tableFold(view, "Values at every step", () => {
    const run = runSequence(now().s, own), names = [...(run.D === 1 ? ["x"] : []), "i", "f", "o", "g", "c", "h"];
    return [["step", ...names.map((q) => math(q))],
      Array.from({ length: run.T }, (_, t) => [String(t + 1), ...names.map((q) => fmt(run[q][t], 4))])];
  });

  const point = (event) => {
    const { s } = now(), plot = width - LEFT - RIGHT;
    const at = (event.clientX - stage.getBoundingClientRect().left - LEFT) / plot;
    view.set({ step: Math.round(1 + Math.min(1, Math.max(0, at)) * (s.length - 1)) });
  };
  stage.addEventListener("pointermove", point);
  stage.addEventListener("pointerdown", point);

  const bias = (q) => slider(view, `b_${q}`, { words: `${QUANTITIES[q].name} bias`, letter: `b_{${q}}`, q, digits: 1, reach: [-8, 8] });
  view.root.classList.add("ll-sequence-explorer");
  layout(view, {
    controls: [
      group("Sequence",
        select(view, "preset", { words: "input", letter: "x_{t}", choices: view.specs.preset.options.map((p) => [p, PRESETS[p]]) }),
        slider(view, "length", { words: "length", letter: "T", digits: 0, unit: " steps" }), period),
      group("Gate biases", ["f", "i", "g", "o"].map(bias)),
      tag("div", { class: "ll-actions ll-wide" },
        button("Set f = 1 − 1/T", () => view.set({ b_f: Math.log(Math.max(1, now().s.length - 1)) }),
          { title: "A memory about as long as the sequence: the forget bias becomes ln(T − 1)" }))],
    picture: [tag("div", { class: "ll-tiles" }, Object.values(tiles).map((t) => t.node)), stage, scrub],
    folds: own.net ? values : [weights(view), values],
  });
  view.onWidth(stage, (w) => { width = w; update(); });
  update();
  return view.dispose;
}

export default { render };
