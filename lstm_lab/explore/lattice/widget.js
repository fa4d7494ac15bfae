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

/** A text that fits(text), or as much of its beginning as does. */
function shortened(text, fits) {
  const letters = [...text];
  let shown = text;
  while (!fits(shown) && letters.pop()) shown = `${letters.join("")}…`;
  return shown;
}

const score = (value) => (value === -Infinity ? "−∞" : fmt(value, 1));

// The picture in px. A number stands below its dot, in a strip of its own: edges are level within
// it, and slant only between the strips.
const ROW = 36,
  LEVEL = 30,
  UP = 90,
  SLANT = Math.PI / 4,
  RIGHT = 12,
  BELOW = 18,
  RING = 11,
  // The least that an edge has to slant in.
  GAP = 16;
const WORD = { size: 12, weight: 700 },
  NUMBER = { size: 10.5 };

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

  /** Where everything stands, in a picture so wide. port(t): half the strip of a column. */
  function place(width, measure) {
    const { T, K, words, best } = run,
      now = step() - 1,
      left = Math.max(...tags.map((name) => measure(name, { size: 12 }))) + 14,
      wide = (width - left - RIGHT) / T,
      long = words.map((word) => measure(word, WORD)),
      // They stand level while no two meet, and the last has room.
      slanted = long.some((px, t) => (px + (long[t + 1] ?? px)) / 2 > wide - 8),
      top = slanted ? Math.min(UP, Math.max(...long) * Math.sin(SLANT)) + 20 : LEVEL;
    const half = (t) =>
      Math.max(...tags.map((_, k) => measure(score(best[t * K + k]), NUMBER))) / 2 + 3;
    const halves = words.map((_, t) => half(t)),
      roomy = wide - 2 * Math.max(...halves) >= GAP,
      some = wide - halves[now] >= GAP;
    return {
      left,
      wide,
      slanted,
      top,
      x: (t) => left + (t + 0.5) * wide,
      y: (k) => top + (k + 0.5) * ROW,
      port: (t) => (t <= now && (roomy || (some && t === now)) ? halves[t] : 0),
      height: top + K * ROW + 6,
    };
  }

  const lattice = plot(view, {
    height: (width, measure) => place(width, measure).height,
    cursor: "pointer",
    paint,
    pointed(at) {
      const t = at ? Math.floor((at.x - drawn.left) / drawn.wide) : -1,
        k = at ? Math.floor((at.y - drawn.top) / ROW) : -1;
      const there = t >= 0 && t < run.T && k < K;
      lattice.canvas.title = there ? run.words[t] + (k < 0 ? "" : `: ${tags[k]}${told(t, k)}`) : "";
      if (!there || k < 0 || !at.tapped) return;
      const came = run.came[t * K + k];
      view.set({ step: t + 1, tag: tags[k], ...(came < 0 ? {} : { before: tags[came] }) });
    },
  });
  const told = (t, k) => (t < step() ? ` ${score(run.best[t * K + k])}` : "");
  let drawn = null;

  function paint(pen) {
    const { colors, width } = pen,
      now = step() - 1;
    drawn = place(width, pen.measure);
    const { left, wide, slanted, top, x, y, port } = drawn;
    tags.forEach((name, k) => {
      pen.words(name, left - 10, y(k), { size: 12, align: "right", baseline: "middle" });
      pen.rule(left, y(k), width, y(k), { color: colors.faint });
    });
    run.words.forEach((word, t) => {
      const look = { size: 12, weight: t === now ? 700 : 400 };
      if (!slanted) return pen.words(word, x(t), top - 12, { ...look, align: "center" });
      pen.ctx.save();
      pen.ctx.translate(x(t) + 3, top - 8);
      pen.ctx.rotate(SLANT);
      const whole = shortened(word, (text) => pen.measure(text, WORD) <= UP / Math.sin(SLANT));
      pen.words(whole, 0, 0, { ...look, align: "right" });
      pen.ctx.restore();
    });
    const edge = (t, j, k, look) => {
      pen.ctx.beginPath();
      pen.ctx.moveTo(x(t - 1), y(j));
      pen.ctx.lineTo(x(t - 1) + port(t - 1), y(j));
      pen.ctx.lineTo(x(t) - port(t), y(k));
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
        const r = Math.min(3 + 6 * Math.exp((column[k] - most) / 2), wide / 3),
          on = done() && run.path[t] === k;
        pen.dot(x(t), y(k), { color: on ? colors.f : colors.ink, r, hollow: !on && t > now });
        if (t === now && k === chosen()) {
          pen.ctx.beginPath();
          pen.ctx.arc(x(t), y(k), RING, 0, 2 * Math.PI);
          pen.stroke(colors.o, 2);
        }
        if (port(t))
          pen.words(score(run.best[t * K + k]), x(t), y(k) + BELOW, {
            ...NUMBER,
            align: "center",
            baseline: "middle",
            color: colors.soft,
          });
      }
    }
  }

  const entities = tag("p", { class: "ll-lattice-line", "data-role": "entities" });
  const facts = tag("p", { "data-role": "facts" }),
    later = tag("p", { "data-role": "later" });
  const result = tag("div", {}, entities, facts),
    above = tag("div", { class: "ll-lattice-above" }, result, later);
  const ways = tag("div", { class: "ll-ways", "data-role": "ways" });
  const key = (kind, ...words) =>
    tag("span", {}, tag("span", { class: "ll-lattice-key", "data-kind": kind }), ...words);
  const legend = tag(
    "p",
    { class: "ll-lattice-legend ll-wide", "data-role": "legend" },
    key("dot", "computed, "),
    key("open", "not yet; "),
    "the larger, the more the word speaks for the tag. ",
    key("back", "best way into a node, "),
    key("ways", "all ways into the ringed one, "),
    key("path", "best path. "),
    "The number at a node is ",
    tag("i", {}, "v"),
    ", the score of the best path up to it.",
  );

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
      `Best path of the whole line: score ${score(run.score)}, ${percent(run.probability)} of ` +
      `the probability of all paths, ${broken}.`;
    later.textContent =
      `${step()} of ${run.T} words are computed. The best path is read backwards from the last: ` +
      "it stands here when all are.";
    // Both keep their room, so that nothing below moves while the slider is dragged.
    result.classList.toggle("ll-off", !done());
    later.classList.toggle("ll-off", done());
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
    const end = done()
      ? `The best row of tags: ${row.join(" ")}; that is ${asEntities(row)}. ` +
        `It breaks ${run.illegal} rules.`
      : "The best row of tags is known when all are.";
    return `${run.T} words, ${step()} computed, ${s.edges}. ${into} ${end}`;
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
    read: () => Math.min(view.get("step"), run.T),
    show: (words) => `${words} of ${run.T}`,
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
        "Step",
        stepper,
        tag(
          "div",
          { class: "ll-lattice-pair" },
          select(view, "tag", { words: "read the node" }),
          select(view, "before", { words: "edge from" }),
        ),
        tag(
          "div",
          { class: "ll-lattice-edge" },
          tag("div", { class: "ll-slider" }, tag("label", { for: id }, edgeWords), edgeValue, edge),
          button("Undo all", () => view.set({ edits: "" }), { title: "Undo all dragging" }),
        ),
      ),
      group(
        "Line",
        select(view, "edges", { words: "what counts" }),
        textfield(view, "line", { words: "words", rows: 2 }),
      ),
      legend,
    ],
    picture: [above, lattice.node],
    after: ways,
    folds: [values],
  });
  update();
  return view.dispose;
}

export default { render };
