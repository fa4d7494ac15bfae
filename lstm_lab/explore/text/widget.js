// TextExplorer: a character model reads a text; what its cells follow, and what it predicts.

import { button, group, player, select, slider } from "../frontend/controls.js";
import { floats, put, tag } from "../frontend/dom.js";
import { BLOCKS } from "../frontend/equations/lstm.js";
import { fmt, math, percent, QUANTITIES, share } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { sumLevel } from "../frontend/sum_level.js";
import { tableFold } from "../frontend/table.js";
import { glyph, quoted, textCanvas, tintOf } from "../frontend/text_canvas.js";
import { charNet, readBefore, surprise } from "../frontend/char_model.js";
import { bars, paintCell, tile, windowOf } from "./parts.js";
import { BEST_CELLS, ranking, runText, sentence, SHOWN, valueOf } from "./run.js";
import { PROPERTIES } from "./scan.js";

const NEXT = 8,
  TERMS = 7;

function render({ model, el }) {
  const net = charNet(model.get("_alphabet"), model.get("_cells"), floats(model.get("_net"))),
    { H, V } = net;
  const about = model.get("_about");
  let run = null;
  const view = explorable(model, el, { title: "A network reads a text", update });
  view.root.classList.add("ll-text-explorer");

  // ---- the numbers behind what is pointed at
  const letterOf = (t) => glyph(net.symbols[run.reading.ids[t]]);
  const before = (q, t) =>
    t ? run.reading[q][(t - 1) * H + run.cell] : run.reading[`${q}0`][run.cell];
  const cellStep = (t) => {
    const j = run.cell,
      at = (q) => run.reading[q][t * H + j];
    return {
      i: at("i"),
      f: at("f"),
      o: at("o"),
      g: at("g"),
      c: at("c"),
      h: at("h"),
      tanhc: at("tanhc"),
      cBefore: before("c", t),
    };
  };
  /** The sum of a gate of the chosen cell at step t: its terms, largest first. */
  function terms(q, t) {
    const row = BLOCKS.indexOf(q) * H + run.cell,
      all = [
        { letter: `w_{${q}} x_{t}`, product: net.w[run.reading.ids[t] * 4 * H + row] },
        { letter: `b_{${q}}`, product: net.b[row] },
      ];
    for (let k = 0; k < H; k++) {
      const u = net.u[row * H + k],
        h = t ? run.reading.h[(t - 1) * H + k] : run.reading.h0[k];
      all.push({ k, u, h, letter: `u h_{${k}}`, product: u * h });
    }
    return all.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  }

  function explainCell(q, t) {
    const r = cellStep(t),
      head = `${QUANTITIES[q].name} of cell ${run.cell + 1} after “${letterOf(t)}”`;
    if (q === "c") {
      return {
        q,
        head,
        symbols: "c_{t} = f_{t} c_{t-1} + i_{t} g_{t}",
        numbers: [
          `«c:${fmt(r.c)}» = «f:${share(r.f)}» · «c:${fmt(r.cBefore)}» + ` +
            `«i:${share(r.i)}» · «g:${fmt(r.g)}»,`,
          `tanh «c:${fmt(r.c)}» = «c:${fmt(r.tanhc)}»`,
        ],
        from: ["f", "i", "g"],
        curve: ["tanh", r.c],
      };
    }
    if (q === "h") {
      return {
        q,
        head,
        symbols: "h_{t} = o_{t} tanh c_{t}",
        numbers: [`«h:${fmt(r.h)}» = «o:${share(r.o)}» · «c:${fmt(r.tanhc)}»`],
        from: ["o", "c"],
        curve: ["tanh", r.c],
      };
    }
    const all = terms(q, t),
      preActivation = all.reduce((sum, term) => sum + term.product, 0),
      kind = q === "g" ? "tanh" : "σ";
    const [a, b, c] = all;
    const sign = (value) => `${value < 0 ? "−" : "+"} ${fmt(Math.abs(value))}`;
    const others = preActivation - a.product - b.product - c.product;
    return {
      q,
      head,
      meaning: `a sum of ${H + 2} terms`,
      symbols: `${q}_{t} = ${kind}(w_{${q}} x_{t} + u_{${q}} h_{t-1} + b_{${q}})`,
      numbers: [
        `${kind}(${fmt(a.product)} ${sign(b.product)} ${sign(c.product)} ` +
          `${sign(others)} of all others)`,
        `= ${kind}(${fmt(preActivation)}) = «${q}:${q === "g" ? fmt(r.g) : share(r[q])}»`,
      ],
      curve: [kind, preActivation],
    };
  }

  function explain(key) {
    const [what, number] = key.split(":"),
      k = Number(number),
      { shown, temperature } = view.settings();
    if (what === "next") {
      const id = nextIds[k] ?? 0,
        p = run.next[id];
      const score = run.reading.said[run.from * V + id] / Math.LN2;
      return {
        q: "x",
        head: `“${glyph(net.symbols[id])}” comes next with ${percent(p)}`,
        meaning:
          `at temperature 1 it is ${percent(2 ** score)}; ` +
          "every logarithm is divided by the temperature",
        symbols: "softmax(ln p ∕ temperature)",
        numbers: [
          `ln p = ${fmt(score * Math.LN2)}, divided by ${fmt(temperature)}: ` +
            `${fmt((score * Math.LN2) / temperature)}`,
        ],
      };
    }
    if (what === "q" && run.reading.T) return explainCell(number, last());
    const t = what === "char" ? k : run.from - 1;
    if (!(t >= 0 && t < run.reading.T)) {
      return {
        q: "x",
        head: "Nothing has been read",
        meaning: "the network begins with all states at 0",
        symbols: "h_{0} = 0, c_{0} = 0",
      };
    }
    if (shown !== "surprise") return explainCell(shown, t);
    const bits = surprise(net, run.reading, t);
    return {
      q: "x",
      head: `“${letterOf(t)}” cost ${fmt(bits)} bits`,
      meaning:
        bits < 1 ? "it was expected" : bits > 4 ? "it was a surprise" : "it was one of several",
      symbols: "−log2 p",
      numbers: [`−log2 ${scientificShare(2 ** -bits)} = ${fmt(bits)}`],
    };
  }
  const scientificShare = (p) =>
    p < 0.001 ? p.toExponential(1).replace("e-", "·10^{-").concat("}") : fmt(p, 3);
  const last = () => Math.max(0, Math.min(run.from, run.reading.T) - 1);
  let nextIds = [];

  // ---- the overview
  function overview(stage) {
    const tiles = {
      follows: tile("", ""),
      here: tile("this text costs", "bits a character"),
      model: tile("files it never saw", "bits a character"),
      counting: tile("counting, order 5", ""),
    };
    const reader = readout(view, { explain, chosen: () => "at" });
    const art = textCanvas(view, {
      name: "text",
      words: "the text",
      typed: (text, at) => view.set({ text, at }),
      moved: (at) => view.set({ at }),
      hovered: (place) => {
        const t = place === null || !run ? -1 : readBefore(run.reading, place);
        reader.hover(
          t >= 0 && t < run.reading.T && run.reading.places[t] === place ? `char:${t}` : null,
        );
      },
    });
    const scrub = slider(view, "at", {
      words: "read up to character",
      digits: 0,
      read: () => Math.min(view.get("at"), run ? run.reading.characters.length : Infinity),
    });
    const next = bars(NEXT);
    next.lines.forEach((line, k) => reader.watch(line.words, `next:${k}`));
    const goes = textCanvas(view, { name: null, words: "how it goes on" });
    const time = player(view, {
      rate: 12,
      words: "Generate",
      step: () => {
        const n = view.get("length");
        view.set({ length: n + 1 });
        return n + 1 < view.limits.length.max;
      },
      back: () => view.set({ length: view.get("length") - 1 }),
    });
    const opener = button("All cells at this character", null);
    nav.opener(opener, "char");
    const take = button(
      "Use this text",
      () => {
        const { characters } = run.reading,
          { text } = run.more;
        const longer = [...characters.slice(0, run.at), ...text, ...characters.slice(run.at)]
          .slice(0, view.specs.text.longest)
          .join("");
        view.set({ text: longer, at: Math.min(run.at + text.length, view.limits.at.max) });
      },
      { title: "Puts what was written into the text, at the mark" },
    );
    stage.append(
      tag(
        "div",
        { class: "ll-tiles" },
        Object.values(tiles).map((each) => each.node),
      ),
      art.node,
      scrub,
      reader.node,
      tag("div", { class: "ll-actions" }, opener),
      tag(
        "div",
        { class: "ll-text-next" },
        tag(
          "section",
          { "aria-label": "What comes next" },
          tag("h3", { class: "ll-heading" }, "What comes next"),
          next.node,
        ),
        tag(
          "section",
          { "aria-label": "Continuation" },
          tag("h3", { class: "ll-heading" }, "Continuation"),
          goes.node,
          tag(
            "div",
            { class: "ll-actions" },
            time,
            button("Another", () => view.set({ seed: (view.get("seed") + 1) % 10000 }), {
              title: "The same with other draws",
            }),
            take,
          ),
        ),
      ),
    );
    if (!about.test_bits) {
      tiles.model.node.hidden = true;
      tiles.counting.node.hidden = true;
    } else {
      tiles.model.value.textContent = fmt(about.test_bits);
      tiles.counting.value.textContent = fmt(about.ngram_bits[5]);
      tiles.counting.last.textContent = "bits a character";
    }
    return (s, words) => {
      const { reading, colour } = run,
        surprised = s.shown === "surprise";
      tiles.follows.name.textContent = surprised ? "surprise and" : `cell ${run.cell + 1} and`;
      tiles.follows.value.textContent = `r = ${fmt(run.r)}`;
      tiles.follows.last.textContent = PROPERTIES[s.follows];
      tiles.here.value.textContent = reading.T ? fmt(run.bits) : "–";
      scrub.input.max = reading.characters.length;
      scrub.refresh();
      const byPlace = new Float64Array(reading.characters.length).fill(NaN);
      for (let t = 0; t < reading.T; t++) byPlace[reading.places[t]] = colour[t];
      art.show({
        characters: reading.characters,
        values: byPlace,
        kind: s.shown,
        property: run.property,
        at: run.at,
      });
      const whose = surprised ? "" : ` of cell ${run.cell + 1}`;
      art.label(`The text, coloured by ${SHOWN[s.shown]}${whose}. ${words}`);
      const q = s.shown,
        more = Array.from(run.more.text);
      goes.show({
        characters: more,
        kind: q,
        at: null,
        property: null,
        values: Float64Array.from(more, (_, t) =>
          surprised ? surprise(net, run.more, t) : valueOf(run.more, q, H, t, run.cell),
        ),
      });
      goes.label(`Drawn at temperature ${fmt(s.temperature)}: ${quoted(run.more.text)}`);
      nextIds = Array.from(run.next, (_, k) => k)
        .sort((a, b) => run.next[b] - run.next[a])
        .slice(0, NEXT);
      next.show(
        nextIds.map((k) => ({
          words: glyph(net.symbols[k]),
          to: 100 * run.next[k],
          number: percent(run.next[k]),
          mark: 100 * Math.exp(run.reading.said[run.from * V + k]),
        })),
      );
      put(next.picture, {
        "aria-label":
          "Probabilities of the next character at temperature " +
          `${fmt(s.temperature)}; a mark shows temperature 1.`,
      });
      reader.refresh();
    };
  }

  // ---- all cells at one character
  function allCells(stage) {
    const reader = readout(view, { explain, chosen: () => `q:${quantity()}` });
    const grid = tag("div", {
      class: "ll-cells",
      role: "group",
      "aria-label": "All cells; arrow keys go from one to the next",
    });
    const cells = Array.from({ length: H }, (_, j) => {
      const value = tag("b"),
        node = tag(
          "button",
          { type: "button", class: "ll-cells-cell", tabindex: -1 },
          tag("small", {}, String(j + 1)),
          value,
        );
      node.addEventListener("click", () => view.set({ unit: j + 1 }));
      node.addEventListener("focus", () => view.set({ unit: j + 1 }));
      nav.opener(node, () => "char/cell");
      return { node, value };
    });
    grid.append(...cells.map((each) => each.node));
    grid.addEventListener("keydown", (event) => {
      const across = Math.max(1, Math.round(grid.clientWidth / cells[0].node.offsetWidth));
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
      if (!step) return;
      event.preventDefault();
      cells[Math.min(H - 1, Math.max(0, run.cell + step))].node.focus();
    });
    const title = tag("h3", { class: "ll-heading" }),
      where = textCanvas(view, { name: null, words: "the characters before" });
    stage.append(title, where.node, grid, reader.node);
    return (s, words) => {
      const q = quantity(),
        t = last(),
        some = run.reading.T > 0;
      title.textContent = `${SHOWN[q]} of every cell, after this character`;
      const first = Math.max(0, run.at - 30);
      where.show({
        characters: run.reading.characters.slice(first, run.at),
        kind: q,
        at: run.at - first,
        property: null,
        values: null,
      });
      where.label(words);
      cells.forEach(({ node, value }, j) => {
        const v = some ? valueOf(run.reading, q, H, t, j) : 0;
        value.textContent = Math.abs(v) >= 0.995 ? fmt(v, 0) : fmt(v).replace("0.", ".");
        node.style.background = tintOf(view.colors, q, v);
        put(node, {
          tabindex: j === run.cell ? 0 : -1,
          "aria-pressed": j === run.cell,
          "aria-label": `cell ${j + 1}, ${fmt(v)}, open it`,
        });
      });
      reader.refresh();
    };
  }
  const quantity = () => {
    const shown = view.get("shown");
    return shown === "surprise" ? "c" : shown;
  };

  // ---- one cell over the text
  function oneCell(stage) {
    const reader = readout(view, { explain, chosen: () => `q:${quantity()}` });
    const art = plot(view, {
      height: 306,
      paint: (pen) => run && paintCell(pen, run, H),
      pointed: (point) => {
        if (!run || !point?.event.buttons) return;
        const [first, count] = windowOf(run),
          t = first + Math.floor(((point.x - 34) / (art.width - 44)) * count);
        if (t >= first && t < first + count) view.set({ at: run.reading.places[t] + 1 });
      },
    });
    const openers = ["i", "f", "o", "g", "c", "h"].map((q) => {
      const node = button("", null, { "data-q": q });
      nav.opener(node, `char/cell/${q}`);
      reader.watch(node, `q:${q}`);
      return { q, node };
    });
    stage.append(
      art.node,
      tag(
        "div",
        { class: "ll-actions" },
        openers.map((each) => each.node),
      ),
      reader.node,
    );
    return (s, words) => {
      art.redraw();
      art.label(`Gates and states of cell ${run.cell + 1} over the text. ${words}`);
      for (const { q, node } of openers) {
        const v = run.reading.T ? run.reading[q][last() * H + run.cell] : 0,
          text = "ifo".includes(q) ? share(v) : fmt(v);
        node.innerHTML = `${QUANTITIES[q].name} ${math(`${q}_{t}`)} = ${text}`;
      }
      reader.refresh();
    };
  }

  // ---- the sum behind a gate or a state
  function behind(q) {
    const t = last(),
      r = run.reading.T
        ? cellStep(t)
        : { i: 0, f: 0, o: 0, g: 0, c: 0, h: 0, tanhc: 0, cBefore: 0 };
    const words =
      `${QUANTITIES[q].name} of cell ${run.cell + 1}. ` + sentence(view.settings(), run, net);
    if (q === "c") {
      return {
        q,
        letter: "tanh c_{t}",
        value: r.tanhc,
        sum: r.c,
        sumLetter: "c_{t}",
        act: "tanh",
        words,
        terms: [
          {
            key: "kept",
            q: "f",
            letter: "f_{t} c_{t-1}",
            factors: [
              ["f_{t}", r.f],
              ["c_{t-1}", r.cBefore],
            ],
            value: r.f * r.cBefore,
          },
          {
            key: "let",
            q: "i",
            letter: "i_{t} g_{t}",
            factors: [
              ["i_{t}", r.i],
              ["g_{t}", r.g],
            ],
            value: r.i * r.g,
          },
        ],
      };
    }
    if (q === "h") {
      return {
        q,
        letter: "h_{t}",
        value: r.h,
        sum: r.h,
        sumLetter: "h_{t}",
        act: "",
        words,
        terms: [
          {
            key: "out",
            q: "o",
            letter: "o_{t} tanh c_{t}",
            factors: [
              ["o_{t}", r.o],
              ["tanh c", r.tanhc],
            ],
            value: r.h,
          },
        ],
      };
    }
    const all = run.reading.T ? terms(q, t) : [],
      preActivation = all.reduce((sum, term) => sum + term.product, 0);
    const largest = all.slice(0, TERMS).map((term, k) => ({
      key: String(k),
      q: term.k === undefined ? q : "h",
      letter: term.letter,
      value: term.product,
      factors:
        term.k === undefined
          ? [["", term.product]]
          : [
              ["", term.u],
              ["", term.h],
            ],
    }));
    const others = all.slice(TERMS).reduce((sum, term) => sum + term.product, 0);
    return {
      q,
      letter: `${q}_{t}`,
      value: q === "g" ? Math.tanh(preActivation) : r[q],
      sum: preActivation,
      sumLetter: `a_{${q}}`,
      act: q === "g" ? "tanh" : "σ",
      words,
      terms: [
        ...largest,
        {
          key: "rest",
          q: "h",
          letter: `${Math.max(0, all.length - TERMS)} others`,
          factors: [["", others]],
          value: others,
        },
      ],
    };
  }
  const inside = (q) => (stage) => {
    const reader = readout(view, { explain, chosen: () => `q:${q}` });
    stage.append(reader.node);
    const draw = sumLevel(view, nav, stage, `char/cell/${q}`, {}, () => behind(q));
    return () => {
      draw();
      reader.refresh();
    };
  };

  const nav = levels(view, {
    "": { title: "A network reads a text", make: overview },
    char: {
      title: () => (run?.from ? `after “${letterOf(last())}”` : "one character"),
      make: allCells,
    },
    "char/cell": { title: () => `cell ${(run?.cell ?? 0) + 1}`, make: oneCell },
    ...Object.fromEntries(
      ["i", "f", "o", "g", "c", "h"].map((q) => [
        `char/cell/${q}`,
        { title: QUANTITIES[q].name, make: inside(q) },
      ]),
    ),
  });

  // ---- cells ranked
  const ranks = Array.from({ length: BEST_CELLS }, () => {
    const words = tag("span"),
      number = tag("b"),
      node = tag("button", { type: "button", class: "ll-rank" }, words, number);
    const rank = { node, words, number, j: 0 };
    node.addEventListener("click", () =>
      view.set({
        unit: rank.j + 1,
        shown: view.get("shown") === "surprise" ? "c" : view.get("shown"),
      }),
    );
    return rank;
  });
  const context = tag("dl", { class: "ll-rank-context" });

  function showRanks(s) {
    const { known, cells } = ranking(about, s.follows, run, net),
      whole = ["string", "triple", "comment"].includes(s.follows);
    const written = (score) => (known && whole ? fmt(0.5 + score / 2) : fmt(score));
    ranks.forEach((rank, k) => {
      const { j, score } = cells[k] ?? {};
      rank.node.hidden = j === undefined;
      if (j === undefined) return;
      rank.j = j;
      rank.words.textContent = `cell ${j + 1}`;
      rank.number.textContent = written(score);
      rank.node.style.setProperty("--ll-share", `${100 * score}%`);
      rank.node.style.setProperty("--ll-chance", known ? `${100 * known.chance}%` : "0%");
      put(rank.node, { "aria-pressed": j === run.cell });
    });
    const lines = known
      ? [
          [whole ? "AUC" : "|r|", "on files that it never saw, the cells chosen on others"],
          [written(known.together), "all cells together"],
          [written(known.untrained), "best of an untrained network"],
          [written(known.chance), "best by chance"],
        ]
      : [["|r|", "in this text"]];
    context.replaceChildren(
      ...lines.flatMap(([term, words]) => [tag("dt", {}, term), tag("dd", {}, words)]),
    );
  }

  const values = tableFold(view, "What the model made of every character", () => [
    [
      "character",
      "place",
      "bits",
      ...["i", "f", "o", "g", "c", "h"].map((q) => math(q)),
      PROPERTIES[view.get("follows")],
    ],
    Array.from({ length: run.reading.T }, (_, t) => [
      letterOf(t).replace(/[&<]/g, (c) => ({ "&": "&amp;", "<": "&lt;" })[c]),
      String(run.reading.places[t] + 1),
      fmt(surprise(net, run.reading, t)),
      ...["i", "f", "o", "g", "c", "h"].map((q) => fmt(run.reading[q][t * H + run.cell], 3)),
      String(run.known[t]),
    ]),
  ]);

  function update() {
    const s = view.settings();
    run = runText(s, net, run);
    const words = sentence(s, run, net);
    showRanks(s);
    cellSlider.refresh();
    nav.draw(s, words);
    view.say(words);
    values.refresh();
  }

  const property = select(view, "follows", {
    words: "property, drawn as a line",
    choices: Object.entries(PROPERTIES),
  });
  // With a property that one has just chosen comes the cell that follows it best.
  property.addEventListener("change", () =>
    view.set({ unit: ranking(about, view.get("follows"), run, net).cells[0].j + 1 }),
  );
  const cellSlider = slider(view, "unit", {
    words: "cell",
    digits: 0,
    reach: [1, H],
    read: () => Math.min(view.get("unit"), H),
  });
  layout(view, {
    controls: [
      group(
        "Colour of the text",
        select(view, "shown", { words: "shows", choices: Object.entries(SHOWN) }),
        cellSlider,
      ),
      group(
        "Cells that follow",
        property,
        tag(
          "div",
          { class: "ll-ranks" },
          ranks.map((rank) => rank.node),
        ),
        context,
      ),
      group(
        "Going on",
        slider(view, "temperature", { words: "temperature" }),
        slider(view, "length", { words: "characters", digits: 0 }),
        slider(view, "seed", { words: "seed of the draws", digits: 0 }),
      ),
    ],
    picture: [nav.node],
    folds: values,
  });
  update();
  return view.dispose;
}

export default { render };
