// AlignmentExplorer: the lattice of CTC, whose posteriors are dragged, and attention maps.

import { button, group, select, slider, textfield } from "../frontend/controls.js";
import { floats, put, tag, unique } from "../frontend/dom.js";
import { attend, soften } from "../frontend/equations/attention.js";
import { ctcLattice, greedy } from "../frontend/equations/ctc.js";
import { fmt, percent, scientific } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { readout } from "../frontend/readout.js";
import { tableFold } from "../frontend/table.js";
import { attentionMap, explainWeight, plane, queryLevel, weightLevel } from "./attention_view.js";
import {
  explainCell,
  explainNode,
  latticePicture,
  nodeLevel,
  posteriors,
  sumOfPaths,
} from "./lattice.js";

const LONGEST_EDITS = 3000,
  LEAST = 0.002;

/** What was dragged, as a map from frame and class (both from 0) to a score; and back. */
export const readEdits = (text) =>
  new Map(
    text
      .split(" ")
      .filter(Boolean)
      .map((edit) => {
        const [frame, symbol, score] = edit.split(":").map(Number);
        return [`${frame - 1}:${symbol}`, score];
      }),
  );
const writeEdits = (edits) => {
  const all = [...edits].map(([place, score]) => {
    const [t, k] = place.split(":").map(Number);
    return `${t + 1}:${k}:${Number(score.toFixed(2))}`;
  });
  while (all.join(" ").length > LONGEST_EDITS) all.shift();
  return all.join(" ");
};

/** The lattice of setting s. own: {T, K, symbols, scores: {preset: (T·K)}}. */
export function runCtc(s, own) {
  const T = Math.min(s.frames, own.T),
    { K } = own;
  const logits = Float64Array.from(own.scores[s.preset]).subarray(0, T * K);
  for (const [place, score] of readEdits(s.edits)) {
    const [t, k] = place.split(":").map(Number);
    if (t >= 0 && t < T && k < K) logits[t * K + k] = score;
  }
  const target = [...s.target].map((letter) => own.symbols.indexOf(letter)).filter((k) => k > 0);
  return { ...ctcLattice(logits, T, K, target), logits, target, greedy: greedy(logits, T, K) };
}

/** The attention of setting s. own: {lookup, weights (Tq·Tm) or null, queries}. */
export function runAttention(s, own) {
  if (own.weights) {
    const Tq = own.queries,
      Tm = own.weights.length / Tq,
      raw = own.weights.map(Math.log);
    return { Tq, Tm, raw, ...soften(raw, Tq, Tm, s.scale), layer: null };
  }
  const { memory, queries, ...parameters } = own.lookup;
  const layer = {
    ...parameters,
    score: s.score,
    scale: s.scale,
    Q: 2,
    M: 2,
    H: parameters.weight_score.length,
  };
  const query = Float64Array.from([...queries.flatMap(([, x, y]) => [x, y]), s.query_x, s.query_y]);
  const places = Float64Array.from(memory.flatMap(([, x, y]) => [x, y]));
  return { ...attend(layer, query, places), layer, query, memory: places };
}

/** Both, for a test. */
export const runPicture = (s, own) => (s.mode === "CTC" ? runCtc(s, own) : runAttention(s, own));

function unpack(model) {
  const { T, K, queries, words } = model.get("_shape"),
    all = Float64Array.from(floats(model.get("_scores")));
  const weights = floats(model.get("_attention"));
  return {
    T,
    K,
    queries,
    words,
    symbols: [...model.get("_symbols")],
    lookup: model.get("_lookup"),
    scores: Object.fromEntries(
      model
        .get("_specs")
        .preset.options.map((name, p) => [name, all.subarray(p * T * K, (p + 1) * T * K)]),
    ),
    weights: weights.length ? Float64Array.from(weights) : null,
  };
}

function render({ model, el }) {
  const own = unpack(model),
    view = explorable(model, el, { title: "Alignments", update });
  view.root.classList.add("ll-alignment-explorer");
  let run = runCtc(view.settings(), own),
    looked = runAttention(view.settings(), own),
    ghostRun = null,
    ghostOf = null;

  const app = {
    view,
    own,
    get run() {
      return run;
    },
    get looked() {
      return looked;
    },
    symbol: (k) => own.symbols[k],
    at: () => ({
      t: Math.min(view.get("frame"), run.T) - 1,
      k: Math.min(view.get("symbol"), run.K - 1),
      s: Math.min(view.get("state"), run.S) - 1,
    }),
    spot: () => ({
      t: Math.min(view.get("query"), looked.Tq) - 1,
      s: Math.min(view.get("memory"), looked.Tm) - 1,
    }),
    row: (t) =>
      own.weights ? (own.words?.[0][t] ?? String(t + 1)) : (own.lookup.queries[t]?.[0] ?? "yours"),
    column: (s) => (own.weights ? (own.words?.[1][s] ?? String(s + 1)) : own.lookup.memory[s][0]),
    place: (t, s) => `frame ${t + 1}, state ${s + 1} “${own.symbols[run.labels[s]]}”`,
    sentence: () => sentence(),
    /** What the read-out shows: a "cell" of the posteriors or a "node" of the lattice. */
    reading: "node",
    read(what) {
      if (what === app.reading) return;
      app.reading = what;
      view.redraw();
    },
    /** The lattice before the last change. */
    before() {
      if (view.ghost !== ghostOf) ghostRun = (ghostOf = view.ghost) && runCtc(view.ghost, own);
      return ghostRun;
    },
    edit(t, k, score) {
      const edits = readEdits(view.get("edits"));
      edits.delete(`${t}:${k}`);
      edits.set(`${t}:${k}`, Math.max(-30, Math.min(30, score)));
      view.set({ edits: writeEdits(edits) });
    },
    /** Makes class k as probable as that in frame t; the others keep their proportions. */
    say(t, k, part) {
      const p = Math.min(1 - LEAST, Math.max(LEAST, part));
      let others = -Infinity;
      for (let j = 0; j < run.K; j++)
        if (j !== k) others = Math.max(others, run.logits[t * run.K + j]);
      let sum = 0;
      for (let j = 0; j < run.K; j++)
        if (j !== k) sum += Math.exp(run.logits[t * run.K + j] - others);
      if (Number.isFinite(others)) app.edit(t, k, others + Math.log(sum) + Math.log(p / (1 - p)));
    },
    nudge: (t, k, by) => app.edit(t, k, Math.max(-12, run.logits[t * run.K + k]) + by),
    steer: (node) =>
      keys(
        node,
        {
          ArrowLeft: ["frame", -1],
          ArrowRight: ["frame", 1],
          ArrowUp: ["state", -1],
          ArrowDown: ["state", 1],
        },
        () => ({ frame: [app.at().t + 1, run.T], state: [app.at().s + 1, run.S] }),
      ),
    walk: (node) =>
      keys(
        node,
        {
          ArrowLeft: ["memory", -1],
          ArrowRight: ["memory", 1],
          ArrowUp: ["query", -1],
          ArrowDown: ["query", 1],
        },
        () => ({ query: [app.spot().t + 1, looked.Tq], memory: [app.spot().s + 1, looked.Tm] }),
      ),
  };
  function keys(node, moves, places) {
    node.addEventListener("keydown", (event) => {
      const [trait, by] = moves[event.key] ?? [];
      if (!trait) return;
      event.preventDefault();
      const [at, most] = places()[trait];
      view.set({ [trait]: Math.min(most, Math.max(1, at + by)) });
    });
    return node;
  }

  const text = (classes) => classes.map((k) => own.symbols[k]).join("");
  const bestPath = () => text(run.best.map((s) => run.labels[s]));
  const named = (word) => (word ? `“${word}”` : "nothing");
  const equals = () =>
    run.needed > run.target.length ? ", one for each label and one between two equal labels" : "";
  const impossible = () =>
    run.needed > run.T
      ? `Impossible: ${named(text(run.target))} needs at least ${run.needed} frames${equals()}; ` +
        `there are ${run.T}. p is 0 and the loss infinite.`
      : "Impossible: a label that is needed has a probability of 0 wherever it could stand. " +
        "p is 0 and the loss infinite.";

  function sentence() {
    if (view.get("mode") === "attention") {
      const { t, s } = app.spot(),
        row = looked.weights.subarray(t * looked.Tm, (t + 1) * looked.Tm),
        most = row.indexOf(Math.max(...row));
      const spread = row.reduce((sum, a) => sum - (a ? a * Math.log2(a) : 0), 0);
      return (
        `Query “${app.row(t)}” looks most at “${app.column(most)}”, with ${percent(row[most])}; ` +
        `its weight at “${app.column(s)}” is ${fmt(row[s], 3)}; ` +
        `its weights are spread as over ${fmt(2 ** spread, 1)} of ${looked.Tm} entries.`
      );
    }
    const { t, k } = app.at(),
      at = t * run.K + k;
    const upper = (words) => words[0].toUpperCase() + words.slice(1);
    return (
      (run.best.length
        ? `${upper(named(text(run.target)))} over ${run.T} frames: ` +
          `the loss is ${fmt(run.loss, 3)}, p is ${percent(Math.exp(run.logP), run.logP)}. `
        : `${impossible()} `) +
      `Greedy decoding reads ${named(text(run.greedy.labels))}. ` +
      (run.best.length ? `The most probable path to the target is ${bestPath()}. ` : "") +
      `In frame ${t + 1} the network says ${own.symbols[k]} with ${fmt(run.y[at], 3)}` +
      (run.best.length
        ? `, the alignments with ${fmt(run.occupancy[at], 3)}: ` +
          `the gradient is ${fmt(run.gradient[at], 3)}.`
        : ".")
    );
  }

  const facts = Object.fromEntries(
    ["loss", "p", "greedy", "path"].map((name) => [name, tag("strong", { "data-fact": name })]),
  );
  const factList = tag(
    "div",
    { class: "ll-facts" },
    [
      ["loss", "loss −ln p"],
      ["p", "p of the target"],
      ["greedy", "greedy decoding"],
      ["path", "most probable path"],
    ].map(([name, words]) => tag("div", {}, tag("span", {}, words), facts[name])),
  );
  function showFacts() {
    const before = app.before(),
      was =
        before && before.best.length && run.best.length && Math.abs(before.loss - run.loss) > 5e-4
          ? ` was ${fmt(before.loss)}`
          : "";
    facts.loss.replaceChildren(run.best.length ? fmt(run.loss, 3) : "∞", tag("small", {}, was));
    facts.p.textContent = run.best.length ? percent(Math.exp(run.logP), run.logP) : "0";
    const right = text(run.greedy.labels) === text(run.target);
    facts.greedy.replaceChildren(
      text(run.greedy.labels) || "nothing",
      tag("small", {}, right ? " ✓ the target" : " ✗"),
    );
    facts.path.textContent = bestPath() || "none";
  }

  const overview = (stage) => {
    const says = posteriors(app),
      lattice = latticePicture(app, () => nav),
      read = readout(view, {
        explain: (what) => (what === "cell" ? explainCell : explainNode)(app),
        chosen: () => app.reading,
      });
    const warning = tag("p", { class: "ll-warning", role: "status", "data-role": "warning" });
    const legend = tag(
      "p",
      { class: "ll-legend" },
      tag("span", { class: "ll-swatch", "data-tone": "says" }),
      "what the network says, drag it  ",
      tag("span", { class: "ll-swatch", "data-tone": "target" }),
      "what the alignments say; the arrow is minus the gradient  ",
      tag("span", { class: "ll-swatch", "data-tone": "greedy" }),
      "greedy",
    );
    const ctc = tag("div", {}, factList, legend, says.node, warning, lattice.node, read.node);
    const flat = own.weights ? null : plane(app),
      map = attentionMap(app, () => nav);
    const weight = readout(view, { explain: () => explainWeight(app), chosen: () => "weight" });
    const attention = tag(
      "div",
      {},
      tag("div", { class: flat ? "ll-plane-and-map" : "" }, flat?.node, map.node),
      weight.node,
    );
    nav.opener(lattice.opener, "node");
    nav.opener(map.opener, "query");
    stage.append(ctc, attention);
    return () => {
      const words = sentence(),
        here = view.get("mode") === "CTC";
      ctc.hidden = !here;
      attention.hidden = here;
      if (here) {
        showFacts();
        warning.textContent = run.best.length ? "" : impossible();
        says.draw(`What the network says in every frame, and what the alignments say. ${words}`);
        lattice.draw(`The lattice of states over frames. ${words}`);
        read.refresh();
      } else {
        flat?.label(`The plane of the memory's vectors. ${words}`);
        flat?.redraw();
        weight.refresh();
        map.draw(`The map of attention weights, queries down, memory across. ${words}`);
      }
    };
  };
  const nav = levels(view, {
    "": {
      title: () => (view.get("mode") === "CTC" ? "The alignments of CTC" : "Attention"),
      make: overview,
    },
    node: {
      title: () => app.place(app.at().t, app.at().s),
      make: (stage) => nodeLevel(app, () => nav)(stage),
    },
    "node/sum": { title: "the sum behind α", make: (stage) => sumOfPaths(app)(stage) },
    query: {
      title: () => `query ${app.row(app.spot().t)}`,
      make: (stage) => queryLevel(app, () => nav)(stage),
    },
    "query/weight": {
      title: () => `memory ${app.column(app.spot().s)}`,
      make: (stage) => weightLevel(app, () => nav)(stage),
    },
  });

  const values = tableFold(view, "All values", () =>
    view.get("mode") === "attention"
      ? [
          ["query", ...Array.from({ length: looked.Tm }, (_, s) => app.column(s))],
          Array.from({ length: looked.Tq }, (_, t) => [
            app.row(t),
            ...Array.from(looked.weights.subarray(t * looked.Tm, (t + 1) * looked.Tm), (a) =>
              fmt(a, 4),
            ),
          ]),
        ]
      : [
          ["frame", "state", "α", "β", "γ", "y", "gradient of the class"],
          Array.from({ length: run.T * run.S }, (_, at) => {
            const t = Math.floor(at / run.S),
              s = at % run.S,
              k = t * run.K + run.labels[s];
            return [
              String(t + 1),
              `${s + 1} ${own.symbols[run.labels[s]]}`,
              ...[run.logAlpha[at], run.logBeta[at]].map((log) =>
                scientific(Math.exp(log), 3, log),
              ),
              fmt(run.gamma[at], 4),
              fmt(run.y[k], 4),
              fmt(run.gradient[k], 4),
            ];
          }),
        ],
  );

  // The probability of the chosen cell, as a slider: it stands for an edit, not for a setting.
  const id = unique("probability"),
    share = tag("input", {
      type: "range",
      id,
      min: 0,
      max: 1,
      step: 0.01,
      "data-role": "probability",
    });
  const shareWords = tag("span", {}),
    shareValue = tag("output", { for: id, class: "ll-value" });
  share.addEventListener("input", () => app.say(app.at().t, app.at().k, share.valueAsNumber));
  const probability = tag(
    "div",
    { class: "ll-slider" },
    tag("label", { for: id }, shareWords),
    shareValue,
    share,
  );
  const whole = (name, words, most, read, show) =>
    slider(view, name, { words, digits: 0, reach: most, read, show });
  const limit = (n) => [1, Math.max(2, n)];
  const state = whole("state", "state", undefined, () => app.at().s + 1);
  const inCtc = [
    group(
      "Target and network",
      textfield(view, "target", { words: "target" }),
      select(view, "preset", { words: "posteriors" }),
      whole("frames", "frames", limit(own.T), () => run.T),
    ),
    group(
      "Change what it says",
      whole("frame", "frame", limit(own.T), () => app.at().t + 1),
      whole(
        "symbol",
        "class",
        [0, own.K - 1],
        () => app.at().k,
        (k) => own.symbols[k],
      ),
      probability,
      tag(
        "div",
        { class: "ll-actions" },
        button("Undo all dragging", () => view.set({ edits: "" })),
      ),
    ),
    group(
      "Read",
      select(view, "shows", {
        words: "nodes show",
        choices: [
          ["γ", "γ: all alignments"],
          ["α", "α: what arrives"],
          ["β", "β: what can still follow"],
        ],
      }),
      state,
    ),
  ];
  const inAttention = [
    group(
      "Score",
      own.weights ? null : select(view, "score", { words: "score" }),
      slider(view, "scale", { words: "scale, 1 ∕ temperature", digits: 1, log: true }),
    ),
    own.weights
      ? null
      : group(
          "Your query",
          slider(view, "query_x", { words: "across", letter: "q_{1}" }),
          slider(view, "query_y", { words: "up", letter: "q_{2}" }),
        ),
    group(
      "Read",
      whole(
        "query",
        "query",
        limit(looked.Tq),
        () => app.spot().t + 1,
        (t) => app.row(t - 1),
      ),
      whole(
        "memory",
        "memory",
        limit(looked.Tm),
        () => app.spot().s + 1,
        (s) => app.column(s - 1),
      ),
    ),
  ].filter(Boolean);
  const sliders = [...inCtc, ...inAttention]
    .flatMap((each) => [...each.children])
    .filter((each) => each.refresh);

  let mode = view.get("mode");
  function update() {
    const s = view.settings(),
      here = s.mode === "CTC";
    if (s.mode !== mode) {
      mode = s.mode;
      if (s.path) view.set({ path: "" });
    }
    run = runCtc(s, own);
    looked = runAttention(s, own);
    for (const each of inCtc) each.hidden = !here;
    for (const each of inAttention) each.hidden = here;
    const { t, k } = app.at(),
      v = run.y[t * run.K + k];
    shareWords.textContent = `probability of ${own.symbols[k]} in frame ${t + 1}`;
    shareValue.textContent = percent(v);
    share.value = v;
    put(share, { "aria-valuetext": percent(v) });
    share.style.setProperty("--ll-from", 0);
    share.style.setProperty("--ll-to", v);
    // As many states as the target has, whatever it may become.
    state.input.max = run.S;
    for (const each of sliders) each.refresh();
    state.input.style.setProperty("--ll-to", app.at().s / Math.max(1, run.S - 1));
    view.say(sentence());
    nav.draw();
    values.refresh();
  }

  layout(view, {
    controls: [
      group("Show", select(view, "mode", { words: "alignment by" })),
      ...inCtc,
      ...inAttention,
    ],
    picture: nav.node,
    folds: [values],
  });
  update();
  return view.dispose;
}

export default { render };
