// CellExplorer: one step of one LSTM unit as pipes and valves.

import { button, group, slider, weights } from "../frontend/controls.js";
import { put, svg, tag } from "../frontend/dom.js";
import { BLOCKS, lstmForward } from "../frontend/equations/lstm.js";
import { fmt, math, QUANTITIES } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { cellLevels, cellStep, stepWords } from "../frontend/stage/model.js";
import { cellStage } from "../frontend/stage/stage.js";
import { layerStep, unpackUserLayer } from "../frontend/stage/user_layer.js";
import { tableFold } from "../frontend/table.js";

// How many steps of the past are shown.
const REACH = 40;

/** The cell's past: c (thick) and h over the steps that were taken. */
function pastStrip() {
  const W = 250,
    H = 46;
  const c = svg("path", { class: "ll-line", "data-q": "c", "stroke-width": 3 });
  const h = svg("path", { class: "ll-line", "data-q": "h", "stroke-width": 2 });
  const zero = svg("path", { class: "ll-axis" });
  const node = svg(
    "svg",
    {
      class: "ll-past",
      viewBox: `0 0 ${W} ${H}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    zero,
    h,
    c,
  );
  node.show = (past) => {
    const shown = past.slice(-REACH),
      top = Math.max(1, ...shown.map((p) => Math.abs(p.c)));
    const dx = W / Math.max(12, shown.length - 1),
      py = (v) => H / 2 - (v / top) * (H / 2 - 4);
    const line = (key) =>
      shown
        .map((p, k) => `${k ? "L" : "M"}${(k * dx).toFixed(1)} ${py(p[key]).toFixed(1)}`)
        .join("");
    put(zero, { d: `M0 ${H / 2}H${W}` });
    put(c, { d: line("c") });
    put(h, { d: line("h") });
  };
  return node;
}

function render({ model, el }) {
  let past = [],
    ghost = null,
    ghostStep = null;
  const strip = pastStrip(),
    time = tag("span", { class: "ll-time" });
  const view = explorable(model, el, { title: "One step of an LSTM cell", update });
  const own = unpackUserLayer(model.get("_shape"), model.get("_net"), model.get("_input"));
  const T = own.net ? own.x.length / own.D : view.limits.step.max;
  const run = own.net && { net: own.net, x: own.x, trace: lstmForward(own.net, own.x, T) };
  const at = (setting) => Math.min(setting.step, T);
  const stepAt = (setting) =>
    run
      ? layerStep(
          run,
          at(setting) - 1,
          own.unit,
          Object.fromEntries(BLOCKS.map((q) => [q, setting[`b_${q}`]])),
        )
      : { s: setting, r: cellStep(setting) };
  let { s, r } = stepAt(view.settings());
  const contents = {
    "": {
      title: view.title,
      make: (level) =>
        cellStage(view, nav, level, {
          now: () => ({ s, r }),
          past: () => ghostStep,
          prefix: "",
          chosen: () => view.get("selected"),
          choose: (selected) => view.set({ selected }),
        }),
    },
    ...cellLevels(
      view,
      () => nav,
      "",
      () => ({ s, r }),
    ),
  };
  const nav = levels(view, contents);

  const remember = () => {
    if (run) {
      past = Array.from({ length: at(view.settings()) }, (_, t) => ({
        c: t ? run.trace.c[(t - 1) * own.H + own.unit] : 0,
        h: t ? run.trace.h[(t - 1) * own.H + own.unit] : 0,
      }));
      return;
    }
    const now = { c: view.get("c_prev"), h: view.get("h_prev") };
    if (view.get("step") === 1) past = [now];
    else past = [...past, now].slice(-REACH);
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
  const advance = glide(() => {
    const step = Math.min(T, at(view.settings()) + 1);
    view.set(run ? { step } : { c_prev: r.c, h_prev: r.h, step });
  });

  function update() {
    ({ s, r } = stepAt(view.settings()));
    if (view.ghost !== ghost) {
      ghost = view.ghost;
      ghostStep = ghost && stepAt({ ...ghost, step: view.get("step") });
    }
    nav.draw();
    view.say(contents[nav.path].words?.() ?? stepWords(s, r));
    time.textContent = `step ${at(view.settings())}${run ? ` of ${T}` : ""}`;
    scrub?.refresh();
    strip.show([...past, { c: r.c, h: r.h }]);
    values.refresh();
  }

  const values = tableFold(view, "All values of this step", () => [
    ["quantity", "pre-activation", "value"],
    [
      ...(s.xWords ? [] : [["x_{t}", "input", s.x]]),
      ["h_{t-1}", "old hidden state", s.h_prev],
      ["c_{t-1}", "old cell state", s.c_prev],
      ["i_{t}", "input gate", r.i, r.a_i],
      ["f_{t}", "forget gate", r.f, r.a_f],
      ["o_{t}", "output gate", r.o, r.a_o],
      ["g_{t}", "candidate", r.g, r.a_g],
      ["c_{t}", "new cell state", r.c],
      ["h_{t}", "new hidden state", r.h],
    ].map(([letter, words, value, a]) => [
      `${math(letter)} ${words}`,
      a === undefined ? "" : fmt(a, 4),
      fmt(value, 4),
    ]),
  ]);
  const bias = (q) =>
    slider(view, `b_${q}`, {
      words: `${QUANTITIES[q].name} bias`,
      letter: `b_{${q}}`,
      q,
      digits: 1,
      reach: [-8, 8],
    });
  const scrub =
    run &&
    slider(view, "step", {
      words: "step",
      letter: "t",
      digits: 0,
      reach: [1, Math.max(2, T)],
      read: () => at(view.settings()),
    });

  view.root.classList.add("ll-cell-explorer");
  layout(view, {
    controls: [
      run
        ? group("Time", scrub)
        : group(
            "What comes in",
            slider(view, "x", { words: "input", letter: "x_{t}", q: "x" }),
            slider(view, "h_prev", { words: "old hidden state", letter: "h_{t-1}", q: "h" }),
            slider(view, "c_prev", {
              words: "old cell state",
              letter: "c_{t-1}",
              q: "c",
              reach: [-3, 3],
            }),
          ),
      group("Gate biases", ["i", "f", "o", "g"].map(bias)),
      tag(
        "div",
        { class: "ll-actions ll-wide" },
        button("Advance", advance, { class: "ll-button ll-primary" }),
        time,
      ),
      tag(
        "div",
        { class: "ll-past-box ll-wide" },
        tag("span", { class: "ll-past-words", html: `${math("c")} and ${math("h")} so far` }),
        strip,
      ),
    ],
    picture: nav.node,
    folds: run ? values : [weights(view), values],
  });
  update();
  return view.dispose;
}

export default { render };
