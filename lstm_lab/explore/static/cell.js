// CellExplorer: one step of one LSTM unit as pipes and valves.

import { lstmForward } from "./lstm.js";
import { CELL_HEIGHT, cellPicture, drawCell, NARROWEST, spots } from "./cellart.js";
import { explorable, layout } from "./chrome.js";
import { button, group, slider, weights } from "./controls.js";
import { put, svg, tag, unique } from "./dom.js";
import { fmt, label, math, percent, QUANTITIES, share } from "./format.js";
import { levels } from "./levels.js";
import { readout } from "./readout.js";
import { productLevel, sumLevel } from "./sums.js";
import { tableFold } from "./table.js";

/** One step of the unit whose state is s: gates, sums before the activation, new states. */
export function cellStep(s) {
  const order = ["o", "i", "f", "g"];
  const net = {
    D: 1, H: 1,
    W: order.map((k) => s[`w_${k}`]), U: order.map((k) => s[`u_${k}`]), b: order.map((k) => s[`b_${k}`]),
  };
  const trace = lstmForward(net, [s.x], 1, { h: [s.h_prev], c: [s.c_prev] });
  const step = Object.fromEntries(["o", "i", "f", "g", "c", "tanhc", "h"].map((k) => [k, trace[k][0]]));
  for (const k of order) step[`z_${k}`] = s[`w_${k}`] * s.x + s[`u_${k}`] * s.h_prev + s[`b_${k}`];
  return step;
}

const MEANING = {
  f: "the share of the old cell state that stays",
  i: "the share of the candidate that gets in",
  g: "what the unit would write",
  o: "the share of the squashed cell state that shows",
  c: "what was kept plus what was let in",
  h: "what the rest of the network sees",
};

/** The formula of a quantity: its name and meaning, symbols, and the same with the numbers. */
export function explain(q, s, r) {
  const n = (value) => (value < 0 ? `(${fmt(value)})` : fmt(value));
  const head = `${QUANTITIES[q].name} ${q}`;
  if (q === "c") {
    return {
      head: "new cell state", meaning: MEANING.c,
      symbols: "c_{t} = f_{t} c_{t-1} + i_{t} g_{t}",
      numbers: [`= «f:${share(r.f)}» · «c:${n(s.c_prev)}» + «i:${share(r.i)}» · «g:${n(r.g)}»`,
        `= ${fmt(r.f * s.c_prev)} ${r.i * r.g < 0 ? "−" : "+"} ${fmt(Math.abs(r.i * r.g))} = «c:${fmt(r.c)}»`],
    };
  }
  if (q === "h") {
    return {
      head: "new hidden state", meaning: MEANING.h,
      symbols: "h_{t} = o_{t} tanh(c_{t})",
      numbers: [`= «o:${share(r.o)}» · tanh(«c:${fmt(r.c)}»)`,
        `= «o:${share(r.o)}» · ${n(r.tanhc)} = «h:${fmt(r.h)}»`],
      curve: ["tanh", r.c],
    };
  }
  const act = q === "g" ? "tanh" : "σ";
  return {
    head, meaning: MEANING[q],
    symbols: `${q}_{t} = ${act}(w_{${q}} x_{t} + u_{${q}} h_{t-1} + b_{${q}})`,
    numbers: [
      `= ${act}(${n(s[`w_${q}`])} · ${n(s.x)} + ${n(s[`u_${q}`])} · «h:${n(s.h_prev)}» + ${n(s[`b_${q}`])})`,
      `= ${act}(${fmt(r[`z_${q}`])}) = «${q}:${q === "g" ? fmt(r.g) : share(r[q])}»`],
    curve: [q === "g" ? "tanh" : "σ", r[`z_${q}`]],
  };
}

/** What is added up inside a quantity, as `sumLevel` takes it. */
export function inside(q, s, r) {
  const name = QUANTITIES[q].name;
  const times = (key, [a, va, qa], [b, vb, qb], tone, words) =>
    ({ key, letter: `${a} ${b}`, factors: [[a, va, qa], [b, vb, qb]], value: va * vb, q: tone, words });
  const wordsOf = (terms, sum) => `${terms.map((term) => `${term.words} ${fmt(term.value)}`).join(", ")}; together ${fmt(sum)}`;
  if (q === "c") {
    const terms = [
      times("kept", ["f_{t}", r.f, "f"], ["c_{t-1}", s.c_prev, "c"], "c", "kept of the old cell state"),
      times("new", ["i_{t}", r.i, "i"], ["g_{t}", r.g, "g"], "g", "let in of the candidate")];
    return { q, letter: "c_{t}", value: r.c, sum: r.c, sumLetter: "c_{t}", act: "", terms, words: `New cell state: ${wordsOf(terms, r.c)}.` };
  }
  if (q === "h") {
    const terms = [times("shown", ["o_{t}", r.o, "o"], ["tanh c_{t}", r.tanhc, "c"], "h", "shown of the squashed cell state")];
    return { q, letter: "h_{t}", value: r.h, sum: r.h, sumLetter: "h_{t}", act: "", terms, words: `New hidden state: ${wordsOf(terms, r.h)}.` };
  }
  const act = q === "g" ? "tanh" : "σ", z = r[`z_${q}`];
  const terms = [
    times("input", [`w_{${q}}`, s[`w_${q}`], q], ["x_{t}", s.x, "x"], "x", "weight times input"),
    times("hidden", [`u_{${q}}`, s[`u_${q}`], q], ["h_{t-1}", s.h_prev, "h"], "h", "weight times old hidden state"),
    { key: "bias", letter: `b_{${q}}`, factors: [[`b_{${q}}`, s[`b_${q}`], q]], value: s[`b_${q}`], q, words: "bias" }];
  return { q, letter: `${q}_{t}`, value: r[q], sum: z, sumLetter: "z", act, terms,
    words: `${name[0].toUpperCase()}${name.slice(1)}: ${wordsOf(terms, z)}, which ${act === "σ" ? "the sigmoid" : "tanh"} makes ${act === "σ" ? share(r[q]) : fmt(r[q])}.` };
}

const PRODUCTS = { c: ["kept", "new"], h: ["shown"] };

/** The levels inside the picture of a cell, as `levels` takes them. now() is the present step. */
export function cellRooms(view, place, prefix, now) {
  const rooms = {};
  for (const q of ["f", "i", "g", "o", "c", "h"]) {
    const path = `${prefix}${q}`, content = () => { const { s, r } = now(); return inside(q, s, r); };
    rooms[path] = {
      title: q === "c" || q === "h" ? `new ${QUANTITIES[q].name}` : QUANTITIES[q].name,
      make: (stage) => sumLevel(view, place(), stage, path, rooms, content),
      words: () => content().words,
    };
    for (const key of PRODUCTS[q] ?? ["input", "hidden"]) {
      const term = () => {
        const found = content().terms.find((each) => each.key === key);
        return { ...found, words: `${found.words}: ${fmt(found.factors[0][1])} times ${fmt(found.factors[1][1])} is ${fmt(found.value)}.` };
      };
      rooms[`${path}/${key}`] = { title: () => term().words.split(":")[0], make: (stage) => productLevel(view, stage, term), words: () => term().words };
    }
  }
  return rooms;
}

/** The step in words, for those who do not see the picture. */
export function sentence(s, r) {
  return `Forget gate ${share(r.f)} keeps ${fmt(r.f * s.c_prev)} of the old cell state ${fmt(s.c_prev)}; `
    + `input gate ${share(r.i)} lets in ${fmt(r.i * r.g)} of the candidate ${fmt(r.g)}; `
    + `the new cell state is ${fmt(r.c)}, and the output gate, open ${percent(r.o)}, shows a hidden state of ${fmt(r.h)}.`;
}

/** The cell's past: c (thick) and h over the steps that were taken. */
function pastStrip() {
  const W = 250, H = 46, reach = 40;
  const c = svg("path", { class: "ll-line", "data-q": "c", "stroke-width": 3 });
  const h = svg("path", { class: "ll-line", "data-q": "h", "stroke-width": 2 });
  const zero = svg("path", { class: "ll-axis" });
  const node = svg("svg", { class: "ll-past", viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", "aria-hidden": "true" }, zero, h, c);
  node.show = (past) => {
    const shown = past.slice(-reach), top = Math.max(1, ...shown.map((p) => Math.abs(p.c)));
    const dx = W / Math.max(12, shown.length - 1), py = (v) => H / 2 - (v / top) * (H / 2 - 4);
    const line = (key) => shown.map((p, k) => `${k ? "L" : "M"}${(k * dx).toFixed(1)} ${py(p[key]).toFixed(1)}`).join("");
    put(zero, { d: `M0 ${H / 2}H${W}` });
    put(c, { d: line("c") });
    put(h, { d: line("h") });
  };
  return node;
}

function render({ model, el }) {
  let width = 0, past = [];
  const art = cellPicture();
  const stage = tag("div", { class: "ll-stage" }, art.node);
  const strip = pastStrip(), time = tag("span", { class: "ll-time" });
  const hot = {};

  const view = explorable(model, el, { title: "One step of an LSTM cell", update });
  let s = view.settings(), r = cellStep(s);
  const read = readout(view, {
    explain: (q) => explain(q, s, r),
    chosen: () => view.get("selected"),
    choose: (q) => view.set({ selected: q }),
  });
  for (const q of ["f", "i", "g", "o", "c", "h"]) {
    hot[q] = read.watch(tag("button", { type: "button", class: "ll-hot", "data-q": q }), q);
    stage.append(hot[q]);
  }
  const rooms = { "": { title: view.title, make: (level) => { level.append(stage, read.node); return drawOverview; } },
    ...cellRooms(view, () => place, "", () => ({ s, r })) };
  const place = levels(view, rooms);
  for (const q in hot) place.door(hot[q], q);

  const remember = () => {
    const now = { c: view.get("c_prev"), h: view.get("h_prev") };
    if (view.get("step") === 1) past = [now];
    else past.push(now);
  };
  view.on("step", remember);
  remember();

  let settle = 0;
  const glide = (change) => () => {
    view.root.classList.add("ll-moving");
    clearTimeout(settle);
    settle = setTimeout(() => view.root.classList.remove("ll-moving"), 400);
    change();
  };
  view.onDispose(() => clearTimeout(settle));
  function advance() {
    view.set({ c_prev: r.c, h_prev: r.h, step: view.get("step") + 1 });
  }

  function update() {
    s = view.settings();
    r = cellStep(s);
    place.draw();
    view.say(rooms[place.path].words?.() ?? sentence(s, r));
    time.textContent = `step ${view.get("step")}`;
    strip.show([...past, { c: r.c, h: r.h }]);
    values.refresh();
  }

  function drawOverview() {
    if (!width) return;
    read.refresh();
    drawCell(art, width, s, r, read.key);
    art.node.setAttribute("aria-label", `Flow diagram of an LSTM cell. ${sentence(s, r)}`);
    for (const q of Object.keys(hot)) {
      put(hot[q], { "aria-label": `${q === "c" || q === "h" ? "new " : ""}${QUANTITIES[q].name} ${"fio".includes(q) ? share(r[q]) : fmt(r[q])}, open it` });
    }
  }

  const values = tableFold(view, "All values of this step", () => [
    ["quantity", "before the activation", "value"],
    [["x", "input", s.x], ["h_{t-1}", "old hidden state", s.h_prev], ["c_{t-1}", "old cell state", s.c_prev],
      ["i_{t}", "input gate", r.i, r.z_i], ["f_{t}", "forget gate", r.f, r.z_f], ["o_{t}", "output gate", r.o, r.z_o],
      ["g_{t}", "candidate", r.g, r.z_g], ["c_{t}", "new cell state", r.c], ["h_{t}", "new hidden state", r.h]]
      .map(([letter, words, value, z]) => [`${math(letter)} ${words}`, z === undefined ? "" : fmt(z, 4), fmt(value, 4)])]);
  const bias = (q) => slider(view, `b_${q}`, { words: `${QUANTITIES[q].name} bias`, letter: `b_{${q}}`, q, digits: 1 });

  view.root.classList.add("ll-cell-explorer");
  layout(view, {
    controls: [
      group("What comes in",
        slider(view, "x", { words: "input", letter: "x_{t}", q: "x" }),
        slider(view, "h_prev", { words: "old hidden state", letter: "h_{t-1}", q: "h" }),
        slider(view, "c_prev", { words: "old cell state", letter: "c_{t-1}", q: "c", reach: [-3, 3] })),
      group("Gate biases", ["f", "i", "g", "o"].map(bias)),
      tag("div", { class: "ll-actions ll-wide" }, button("Advance", glide(advance), { class: "ll-button ll-primary" }), time),
      tag("div", { class: "ll-past-box ll-wide" }, tag("span", { class: "ll-past-words", html: `${math("c")} and ${math("h")} so far` }), strip)],
    picture: place.node,
    folds: [weights(view), values],
  });
  view.onWidth(stage, (shown) => {
    // Below the narrowest layout the picture is scaled as a whole.
    width = Math.max(shown, NARROWEST);
    const scale = shown / width;
    put(art.node, { width: shown, height: CELL_HEIGHT * scale });
    for (const [q, box] of Object.entries(spots(width))) {
      for (const side in box) hot[q].style[side] = `${box[side] * scale}px`;
    }
    view.redraw();
  });
  update();
  return view.dispose;
}

export default { render };
