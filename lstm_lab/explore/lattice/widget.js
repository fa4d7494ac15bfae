// The lattice of a row of tags: forward maxima, column by column, and the way back.

import { button, group, select, slider, textfield } from "../frontend/controls.js";
import { floats, put, tag, unique } from "../frontend/dom.js";
import { fmt, percent } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { plot } from "../frontend/plot.js";
import { tableFold } from "../frontend/table.js";

const MOST_WORDS = 12,
  OUTSIDE = "|",
  TEMPLATES = [
    [0, 0],
    [0, 1],
    [0, 2],
    [0, 3],
    [-1, 2],
    [-1, 3],
    [1, 2],
    [1, 3],
  ];

/** The word, its beginning, its end and its shape: `word_features` of models/tagger.py. */
export function wordFeatures(given) {
  const digits = given.toLowerCase().replace(/\p{Nd}/gu, "0");
  const bare = digits.replace(/^[,.;:()"']+|[,.;:()"']+$/g, ""),
    plain = [...(bare || digits)];
  const shape = [...given]
    .map((c) => (/\p{Lu}/u.test(c) ? "X" : /\p{L}/u.test(c) ? "x" : /\p{Nd}/u.test(c) ? "0" : c))
    .join("")
    .replace(/(.)\1+/gsu, "$1");
  return [plain.join(""), plain.slice(0, 3).join(""), plain.slice(-3).join(""), shape];
}

/** The tagger as the view needs it: rows of weights by value. */
export function unpacked(tagger, weights) {
  let first = 1;
  const rows = tagger.vocabularies.map((values) => {
    const known = new Map(values.map((value, k) => [value, first + k]));
    first += values.length;
    return known;
  });
  return { ...tagger, K: tagger.tags.length, rows, weights };
}

const wordsOf = (line) => line.split(/\s+/u).filter(Boolean).slice(0, MOST_WORDS);

const mayFollow = (before, name) =>
  name[0] !== "I" || (before.slice(1) === name.slice(1) && before[0] !== "O");

/** Scores of edges (K, K), starts and ends (K,), as they were dragged. */
function chainOf({ edges, edits }, { tags, K, transition, start, end }) {
  const learnt = edges === "words and learnt edges",
    rules = edges === "words and rules";
  const legal = (before, name) => (!rules || mayFollow(before, name) ? 0 : -Infinity);
  const chain = {
    transition: learnt
      ? [...transition]
      : tags.flatMap((before) => tags.map((name) => legal(before, name))),
    start: learnt ? start : tags.map((name) => legal("O", name)),
    end: learnt ? end : tags.map(() => 0),
  };
  for (const [, j, k, score] of edits.matchAll(/(\d+)>(\d+):(-?\d+(?:\.\d+)?)/g))
    if (j < K && k < K) chain.transition[j * K + Number(k)] = Number(score);
  return chain;
}

const argmax = (values) => values.reduce((best, v, k) => (v > values[best] ? k : best), 0);
const logSum = (values) => {
  const most = Math.max(...values);
  return most === -Infinity
    ? most
    : most + Math.log(values.reduce((sum, v) => sum + Math.exp(v - most), 0));
};

/** All numbers of the picture; `values` of widget.py says which. came: the tag before, or -1. */
export function runLattice(s, own) {
  const words = wordsOf(s.line),
    T = words.length,
    { K, tags } = own;
  const read = words.map(wordFeatures),
    emissions = new Float64Array(T * K);
  for (let t = 0; t < T; t++)
    TEMPLATES.forEach(([offset, feature], n) => {
      const value = read[t + offset]?.[feature] ?? OUTSIDE,
        row = own.rows[n].get(value) ?? 0;
      for (let k = 0; k < K; k++) emissions[t * K + k] += own.weights[row * K + k];
    });
  const { transition, start, end } = chainOf(s, own),
    best = [],
    came = Array.from({ length: T * K }, () => -1);
  let total = [];
  for (let t = 0; t < T; t++) {
    const before = total;
    total = [];
    for (let k = 0; k < K; k++) {
      const e = emissions[t * K + k];
      if (!t) {
        best[k] = start[k] + e;
        total.push(start[k] + e);
        continue;
      }
      const ways = tags.map((_, j) => best[(t - 1) * K + j] + transition[j * K + k]);
      came[t * K + k] = argmax(ways);
      best[t * K + k] = ways[came[t * K + k]] + e;
      total.push(logSum(tags.map((_, j) => before[j] + transition[j * K + k])) + e);
    }
  }
  const last = tags.map((_, k) => best[(T - 1) * K + k] + end[k]),
    path = Array.from({ length: T });
  path[T - 1] = argmax(last);
  for (let t = T - 1; t > 0; t--) path[t - 1] = came[t * K + path[t]];
  const score = last[path[T - 1]];
  const names = path.map((k) => tags[k]);
  return {
    T,
    K,
    words,
    emissions: [...emissions],
    edges: transition,
    start,
    best,
    came,
    path,
    alone: words.map((_, t) => argmax([...emissions.subarray(t * K, (t + 1) * K)])),
    score,
    probability: Math.exp(score - logSum(total.map((v, k) => v + end[k]))),
    illegal: names.filter((name, t) => !mayFollow(t ? names[t - 1] : "O", name)).length,
  };
}

/** The same, of a tagger as it is synced. */
export const runWith = (s, tagger, weights) => runLattice(s, unpacked(tagger, weights));

/** Entities of a row of tags: [kind, start, stop]; a stray I- begins one. */
export function entitiesOf(names) {
  const found = [];
  names.forEach((name, t) => {
    const open = found.at(-1),
      goes = open && open[2] === t && name[0] === "I" && open[0] === name.slice(2);
    if (goes) open[2] = t + 1;
    else if (name !== "O") found.push([name.slice(2), t, t + 1]);
  });
  return found;
}

const score = (value) => (value === -Infinity ? "−∞" : fmt(value, 1));
const LEFT = 92,
  RIGHT = 30,
  TOP = 30,
  ROW = 38;

function render({ model, el }) {
  const view = explorable(model, el, { title: "The best row of tags", update });
  view.root.classList.add("ll-lattice-explorer");
  const own = unpacked(JSON.parse(model.get("_tagger")), floats(model.get("_weights"))),
    { tags, K } = own;
  let s = view.settings(),
    run = runLattice(s, own);
  const step = () => Math.min(s.step, run.T),
    done = () => step() === run.T;
  const chosen = () => tags.indexOf(s.tag),
    from = () => tags.indexOf(s.before);
  const height = TOP + K * ROW + 6;
  const place = (width) => ({
    x: (t) => LEFT + (t + 0.5) * ((width - LEFT - RIGHT) / run.T),
    y: (k) => TOP + (k + 0.5) * ROW,
  });

  const lattice = plot(view, {
    height,
    cursor: "pointer",
    paint,
    pointed(at) {
      if (!at?.tapped) return;
      const t = Math.floor(((at.x - LEFT) / (lattice.width - LEFT - RIGHT)) * run.T),
        k = Math.floor((at.y - TOP) / ROW);
      if (t < 0 || t >= run.T || k < 0 || k >= K) return;
      const came = run.came[t * K + k];
      view.set({ step: t + 1, tag: tags[k], ...(came < 0 ? {} : { before: tags[came] }) });
    },
  });

  function paint(pen) {
    const { colors, width } = pen,
      { x, y } = place(width),
      wide = (width - LEFT - RIGHT) / run.T,
      now = step() - 1;
    tags.forEach((name, k) => {
      pen.words(name, LEFT - 10, y(k), { size: 12, align: "right", baseline: "middle" });
      pen.rule(LEFT, y(k), width, y(k), { color: colors.faint });
    });
    run.words.forEach((word, t) => {
      let shown = word;
      while (shown.length > 2 && pen.measure(shown, { size: 12 }) > wide - 4)
        shown = `${shown.replace(/…$/, "").slice(0, -1)}…`;
      const look = { size: 12, align: "center", weight: t === now ? 700 : 400 };
      pen.words(shown, x(t), TOP - 12, look);
    });
    const edge = (t, j, k, look) => {
      pen.ctx.beginPath();
      pen.ctx.moveTo(x(t - 1), y(j));
      pen.ctx.lineTo(x(t), y(k));
      pen.stroke(look.color, look.width, look.dash ?? "", look.alpha ?? 1);
    };
    // Back-pointers of all that is computed; then all ways into the node that is read.
    for (let t = 1; t <= now; t++)
      for (let k = 0; k < K; k++)
        if (run.best[t * K + k] > -Infinity)
          edge(t, run.came[t * K + k], k, { color: colors.soft, width: 1.2, alpha: 0.55 });
    if (now > 0)
      for (let j = 0; j < K; j++)
        if (run.best[(now - 1) * K + j] + run.edges[j * K + chosen()] > -Infinity)
          edge(now, j, chosen(), { color: colors.o, width: j === from() ? 2.5 : 1.2, dash: "4 3" });
    if (done())
      for (let t = 1; t < run.T; t++)
        edge(t, run.path[t - 1], run.path[t], { color: colors.f, width: 4 });
    for (let t = 0; t < run.T; t++) {
      const column = run.emissions.slice(t * K, (t + 1) * K),
        most = Math.max(...column);
      for (let k = 0; k < K; k++) {
        // The larger, the more the word itself speaks for the tag.
        const r = 3 + 6 * Math.exp((column[k] - most) / 2),
          on = done() && run.path[t] === k;
        pen.dot(x(t), y(k), { color: on ? colors.f : colors.ink, r, hollow: !on && t > now });
        if (t === now && k === chosen()) {
          pen.ctx.beginPath();
          pen.ctx.arc(x(t), y(k), 13, 0, 2 * Math.PI);
          pen.stroke(colors.o, 2);
        }
        if (t <= now && wide > 50)
          pen.words(score(run.best[t * K + k]), x(t) + 11, y(k) + 15, {
            size: 10.5,
            color: colors.soft,
            halo: true,
          });
      }
    }
  }

  const entities = tag("p", { class: "ll-lattice-line", "data-role": "entities" });
  const facts = tag("p", { class: "ll-legend", "data-role": "facts" });
  const ways = tag("div", { class: "ll-ways", "data-role": "ways" });

  const nameOf = (path) => path.map((k) => tags[k]);
  const asEntities = (names) =>
    entitiesOf(names)
      .map(([kind, a, b]) => `${kind} “${run.words.slice(a, b).join(" ")}”`)
      .join(", ") || "no entity";

  function showLine() {
    const names = nameOf(run.path),
      parts = [];
    let t = 0;
    for (const [kind, a, b] of entitiesOf(names)) {
      if (a > t) parts.push(`${run.words.slice(t, a).join(" ")} `);
      parts.push(
        tag(
          "span",
          { class: "ll-entity" },
          run.words.slice(a, b).join(" "),
          tag("small", {}, kind),
        ),
        " ",
      );
      t = b;
    }
    if (t < run.T) parts.push(run.words.slice(t).join(" "));
    entities.replaceChildren(...parts);
    const broken = run.illegal === 1 ? "1 rule broken" : `${run.illegal} rules broken`;
    facts.textContent =
      `Best path: score ${score(run.score)}, ${percent(run.probability)} of the probability of ` +
      `all paths, ${broken}.`;
  }

  function showWays() {
    const t = step() - 1,
      k = chosen(),
      e = run.emissions[t * K + k],
      word = run.words[t];
    const head = (cells) =>
      tag(
        "tr",
        {},
        cells.map((words) => tag("th", { scope: "col" }, words)),
      );
    if (!t) {
      const cells = ["start", "0", score(run.start[k]), score(e), score(run.best[k])];
      ways.replaceChildren(
        tag(
          "table",
          {},
          tag("caption", { class: "ll-hidden" }, `The way into ${s.tag} at “${word}”`),
          head(["from", "best so far", "start", `“${word}”`, "sum"]),
          tag(
            "tr",
            { "data-best": true },
            cells.map((cell) => tag("td", {}, cell)),
          ),
        ),
      );
      return;
    }
    ways.replaceChildren(
      tag(
        "table",
        {},
        tag("caption", { class: "ll-hidden" }, `All ways into ${s.tag} at “${word}”`),
        head([`into ${s.tag} from`, "best so far", "edge", `“${word}”`, "sum"]),
        tags.map((name, j) => {
          const before = run.best[(t - 1) * K + j],
            edge = run.edges[j * K + k];
          const best = run.came[t * K + k] === j && run.best[t * K + k] > -Infinity;
          return tag(
            "tr",
            best ? { "data-best": true } : {},
            tag("th", { scope: "row" }, best ? `${name} ◂ the maximum` : name),
            [before, edge, e, before + edge + e].map((v) => tag("td", {}, score(v))),
          );
        }),
      ),
    );
  }

  function sentence() {
    const t = step() - 1,
      k = chosen(),
      came = run.came[t * K + k];
    const at = `${s.tag} at “${run.words[t]}”`;
    const best = run.best[t * K + k];
    const origin = came < 0 ? "" : ` and comes from ${tags[came]}`;
    const into =
      best === -Infinity
        ? `No path leads into ${at}.`
        : `The best path into ${at} has score ${score(best)}${origin}.`;
    const row = nameOf(run.path);
    return (
      `${run.T} words, ${step()} computed, ${s.edges}. ${into} ` +
      `The best row of tags: ${row.join(" ")}; that is ${asEntities(row)}. ` +
      `It breaks ${run.illegal} rules.`
    );
  }

  // The score of the chosen edge, as a slider: it stands for an edit, not for a setting.
  const id = unique("edge"),
    edge = tag("input", { type: "range", id, min: -8, max: 8, step: 0.1, "data-role": "edge" });
  const edgeWords = tag("span", {}),
    edgeValue = tag("output", { for: id, class: "ll-value" });
  edge.addEventListener("input", () => {
    const name = `${from()}>${chosen()}`,
      others = s.edits.split(" ").filter((part) => part && !part.startsWith(`${name}:`));
    view.set({ edits: [...others, `${name}:${edge.value}`].join(" ") });
  });

  const values = tableFold(view, "All scores", () => [
    ["word", ...tags],
    run.words.map((word, t) => [
      word,
      ...tags.map((_, k) => `${score(run.emissions[t * K + k])} → ${score(run.best[t * K + k])}`),
    ]),
  ]);
  const stepper = slider(view, "step", {
    words: "computed up to word",
    digits: 0,
    read: () => Math.min(view.get("step"), run.T),
  });

  function update() {
    s = view.settings();
    run = runLattice(s, own);
    stepper.input.max = run.T;
    stepper.refresh();
    stepper.input.style.setProperty("--ll-to", (step() - 1) / Math.max(1, run.T - 1));
    const value = run.edges[from() * K + chosen()];
    edgeWords.textContent = `from ${s.before} to ${s.tag}`;
    edgeValue.textContent = score(value);
    edge.value = Math.max(-8, value);
    put(edge, { "aria-valuetext": value === -Infinity ? "forbidden" : score(value) });
    edge.style.setProperty("--ll-from", Math.min(0.5, (Math.max(-8, value) + 8) / 16));
    edge.style.setProperty("--ll-to", Math.max(0.5, (Math.min(8, value) + 8) / 16));
    const words = sentence();
    showLine();
    showWays();
    lattice.redraw();
    lattice.label(`The lattice: tags down, words across. ${words}`);
    view.say(words);
    values.refresh();
  }

  layout(view, {
    controls: [
      group(
        "Line",
        textfield(view, "line", { words: "words", rows: 3 }),
        select(view, "edges", { words: "what counts" }),
      ),
      group("Step", stepper, select(view, "tag", { words: "read the node" })),
      group(
        "An edge",
        select(view, "before", { words: "from" }),
        tag("div", { class: "ll-slider" }, tag("label", { for: id }, edgeWords), edgeValue, edge),
        tag(
          "div",
          { class: "ll-actions" },
          button("Undo all dragging", () => view.set({ edits: "" })),
        ),
      ),
    ],
    picture: [entities, facts, lattice.node, ways],
    folds: [values],
  });
  update();
  return view.dispose;
}

export default { render };
