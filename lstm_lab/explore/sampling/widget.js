// SamplingExplorer: the next character's distribution, what is cut of it, and what is drawn.

import { charNet } from "../frontend/char_model.js";
import { button, group, select, slider } from "../frontend/controls.js";
import { floats, tag } from "../frontend/dom.js";
import { fmt, percent } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot } from "../frontend/plot.js";
import { tableFold } from "../frontend/table.js";
import { glyph, quoted, textCanvas } from "../frontend/text_canvas.js";
import { paintBars, paintStrips, rankOf, tallBars } from "./art.js";
import { agreement, connect } from "./connect.js";
import { askedAt, MEASURES, runSampling, sentence, sentenceInside } from "./run.js";

// So many lines of the text are in sight at once; with bars below them fewer.
const LINES = 4,
  HIGH_LINES = 5;

function render({ model, el }) {
  const net = charNet(model.get("_alphabet"), model.get("_cells"), floats(model.get("_net"))),
    weightX = Float64Array.from(floats(model.get("_weight_x"))),
    { V } = net;
  let run = null,
    inside = null;
  const view = explorable(model, el, { title: "The next character", update });
  view.root.classList.add("ll-sampling-explorer");

  const tile = (words, below) => {
    const name = tag("span", { class: "ll-tile-name" }, words),
      value = tag("strong", { class: "ll-tile-value" }),
      last = tag("span", { class: "ll-tile-name" }, below);
    return {
      node: tag("div", { class: "ll-tile", "data-q": "x" }, name, value, last),
      name,
      value,
      last,
    };
  };
  const inRow = (tiles) =>
    tag(
      "div",
      { class: "ll-tiles" },
      Object.values(tiles).map((each) => each.node),
    );
  const letter = (id) => `“${glyph(net.symbols[id])}”`;
  const append = (more) => {
    const { text } = view.settings(),
      characters = [...Array.from(text), ...more].slice(0, view.specs.text.longest);
    view.set({ text: characters.join(""), at: view.limits.at.max });
  };

  // What is drawn with both settings; it belongs to the overview, and follows the controls.
  const drawn = tag("div", {});

  // ---- what comes next
  function overview(stage) {
    const tiles = {
      choices: tile("effective choices", ""),
      cut: tile("cut away", ""),
      next: tile("drawn", ""),
      parts: tile("both alike for", "characters"),
    };
    const field = textCanvas(view, {
      name: "text",
      words: "the text",
      lane: false,
      most: LINES,
      typed: (text) => view.set({ text, at: view.limits.at.max }),
      moved: () => {},
      hovered: () => {},
    });
    const said = tag("p", { class: "ll-sampling-said" });
    const tell = (rank) => {
      if (!run) return;
      const id = run.own.order[rank ?? run.own.rank],
        { heated, p } = run.own,
        out = p[id] ? `drawn with ${percent(p[id])}` : "cut";
      said.textContent =
        `${letter(id)}: the model says ${percent(Math.exp(run.said[id]))}, ` +
        `at this temperature ${percent(heated[id])}, ${out}`;
    };
    const bars = plot(view, {
      height: tallBars,
      paint: (pen) => run && paintBars(pen, run, net),
      cursor: "pointer",
      pointed: (point) => {
        if (!run) return;
        const rank = point && rankOf(point.x, bars.width, run);
        tell(rank);
        if (point?.tapped && rank !== null) append([net.symbols[run.own.order[rank]]]);
      },
    });
    const strips = plot(view, {
      height: 88,
      paint: (pen) => run && paintStrips(pen, run, net, view.get("beside")),
    });
    const texts = ["own", "beside"].map((name) => ({
      name,
      words: tag("h3", { class: "ll-heading" }),
      box: textCanvas(view, { name: null, lane: false }),
    }));
    const opener = button("What it depends on", null);
    nav.opener(opener, "connectivity");
    const renew = { seed: () => (view.get("seed") + 1) % 10000 };
    stage.append(
      inRow(tiles),
      field.node,
      bars.node,
      said,
      strips.node,
      tag(
        "div",
        { class: "ll-actions" },
        button(
          "Draw one",
          () => {
            append([net.symbols[run.own.drawn]]);
            view.set({ seed: renew.seed() });
          },
          { class: "ll-button ll-primary", title: "Puts the drawn character at the end" },
        ),
        button(
          "Draw all below",
          () => {
            append(Array.from(run.own.more.text));
            view.set({ seed: renew.seed() });
          },
          { title: "Puts the first of the texts below at the end" },
        ),
        button("Other numbers", () => view.set({ seed: renew.seed() }), {
          title: "The same with other uniform numbers",
        }),
        opener,
      ),
    );
    drawn.append(...texts.flatMap(({ words, box }) => [words, box.node]));
    return (s, words) => {
      const { own, beside, cut, parts, number } = run,
        all = own.kept === V;
      tiles.choices.value.textContent = fmt(own.choices, 1);
      tiles.choices.last.textContent = `of ${V}; beside ${fmt(beside.choices, 1)}`;
      tiles.cut.value.textContent = all ? "nothing" : percent(cut);
      tiles.cut.last.textContent = all ? "" : `${V - own.kept} characters`;
      tiles.next.value.textContent = letter(own.drawn);
      tiles.next.name.textContent = `drawn at ${fmt(number)}`;
      tiles.next.last.textContent = `beside ${letter(beside.drawn)}`;
      tiles.parts.value.textContent = parts >= s.length ? `all ${parts}` : String(parts);
      field.show({
        characters: run.reading.characters,
        values: Float64Array.from(run.reading.characters, (c) => (net.ids.has(c) ? 0 : NaN)),
        kind: "surprise",
        property: null,
        at: null,
      });
      field.label(`The text. ${words}`);
      bars.redraw();
      bars.label(`Probabilities of the next character, the likeliest first. ${words}`);
      tell(null);
      strips.redraw();
      strips.label(
        `Both distributions laid end to end from 0 to 1; the number ${fmt(number)} falls on ` +
          `${letter(own.drawn)}, beside it on ${letter(beside.drawn)}.`,
      );
      for (const { name, words: title, box } of texts) {
        const { text } = run[name].more,
          // A line break is a sign here: two texts stand below each other, character by character.
          characters = Array.from(text, glyph),
          who = name === "own" ? "Drawn with your setting" : `Drawn with ${s.beside}`;
        title.textContent = `${who}, same numbers`;
        box.show({
          characters,
          values: Float64Array.from(characters, (_, k) => (k === parts ? 6 : 0)),
          kind: "surprise",
          property: null,
          at: null,
        });
        box.label(`${who}: ${quoted(text)}`);
      }
    };
  }

  // ---- what it depends on
  function connections(stage) {
    const tiles = {
      asked: tile("predicted", ""),
      norm: tile("norm of the gradient", "as “replaced” has it"),
      product: tile("gradient · vector", "as “replaced” has it"),
      near: tile("nearness alone", "as “replaced” has it"),
    };
    const field = textCanvas(view, {
      name: "text",
      words: "the text; click a character to ask about it",
      most: HIGH_LINES,
      typed: (text, at) => view.set({ text, at }),
      moved: (at) => view.set({ at }),
      hovered: (place) => tell(place),
    });
    const said = tag("p", { class: "ll-sampling-said" });
    const step = (t) => (inside && t >= inside.first && t < inside.first + inside.n ? t : null);
    const tell = (place) => {
      if (!inside?.n) {
        said.textContent = "Nothing has been read before it.";
        return;
      }
      const values = Array.from(inside[view.get("measure")], Math.abs),
        most = inside.first + values.indexOf(Math.max(...values)),
        { places } = run.reading,
        t = step(place === null ? most : places.indexOf(place)) ?? most,
        k = t - inside.first;
      said.textContent =
        `${letter(run.reading.ids[t])}, ${inside.t - t} before: ` +
        `${fmt(inside.replaced[k])} nats lost with ${letter(inside.others[k])} in its place, ` +
        `${fmt(inside.blanked[k])} with its vector 0; gradient · vector ` +
        `${fmt(inside.product[k])}, norm ${fmt(inside.norm[k])}`;
    };
    const scrub = slider(view, "at", {
      words: "ask about the character after",
      digits: 0,
      reach: [0, view.limits.at.max],
      read: () => Math.min(view.get("at"), run ? run.reading.characters.length : Infinity),
    });
    stage.append(
      inRow(tiles),
      field.node,
      said,
      scrub,
      select(view, "measure", { words: "light up by", choices: Object.entries(MEASURES) }),
    );
    return (s) => {
      const { characters, places } = run.reading,
        shown = inside[s.measure],
        most = Math.max(1e-12, ...Array.from(shown, Math.abs)),
        scale = s.measure === "norm" ? 12 / most : 1 / most;
      const values = new Float64Array(characters.length);
      shown.forEach((value, k) => {
        values[places[inside.first + k]] = value * scale;
      });
      characters.forEach((character, place) => {
        if (!net.ids.has(character)) values[place] = NaN;
      });
      const agrees = (other) => {
        const r = agreement(other, inside.replaced);
        return Number.isNaN(r) ? "–" : `ρ = ${fmt(r)}`;
      };
      tiles.asked.value.textContent = letter(inside.asked);
      tiles.asked.last.textContent = `with ${percent(Math.exp(inside.logP))}`;
      tiles.norm.value.textContent = agrees(inside.norm);
      tiles.product.value.textContent = agrees(inside.product);
      tiles.near.value.textContent = agrees(Float64Array.from(inside.norm, (_, k) => k + 1));
      const words = sentenceInside(s, inside, inside.asked, run, net);
      field.show({
        characters,
        values,
        kind: s.measure === "norm" ? "surprise" : "c",
        property: null,
        at: Math.min(s.at, characters.length),
      });
      field.label(`The text, lit up by “${MEASURES[s.measure]}”. ${words}`);
      scrub.input.max = characters.length;
      scrub.refresh();
      tell(null);
    };
  }

  const nav = levels(view, {
    "": { title: "The next character", make: overview },
    connectivity: { title: "what it depends on", make: connections },
  });

  const table = tableFold(view, "All characters", () => [
    ["character", "the model", "at this temperature", "drawn with", `${view.get("beside")}`],
    run.own.order.map((id) => [
      glyph(net.symbols[id]).replace(/[&<]/g, (c) => ({ "&": "&amp;", "<": "&lt;" })[c]),
      percent(Math.exp(run.said[id])),
      percent(run.own.heated[id]),
      run.own.p[id] ? percent(run.own.p[id]) : "cut",
      run.beside.p[id] ? percent(run.beside.p[id]) : "cut",
    ]),
  ]);

  function update() {
    const s = view.settings();
    run = runSampling(s, net, run);
    let words = sentence(s, run, net);
    if (view.get("path")) {
      const { t, asked } = askedAt(s, net, run.reading),
        key = `${asked} ${run.reading.ids.subarray(0, t)}`;
      // It takes a while: a thousand steps of the network and more.
      if (inside?.key !== key)
        inside = { ...connect(net, weightX, run.reading, t, asked), t, asked, key };
      words = sentenceInside(s, inside, asked, run, net);
    }
    drawn.hidden = view.get("path") !== "";
    nav.draw(s, words);
    view.say(words);
    table.refresh();
  }

  layout(view, {
    controls: [
      group(
        "What is drawn from",
        slider(view, "temperature", { words: "temperature", letter: "T" }),
        slider(view, "top_k", {
          words: "top-k",
          letter: "k",
          reach: [1, V],
          log: true,
          read: () => Math.min(view.get("top_k"), V),
          show: (k) => (k >= V ? "all" : fmt(k, 0)),
        }),
        slider(view, "top_p", {
          words: "nucleus",
          letter: "p",
          show: (p) => (p === 1 ? "all" : fmt(p)),
        }),
      ),
      group("Beside it", select(view, "beside", { words: "the same numbers, with" })),
      group(
        "Numbers",
        slider(view, "length", { words: "characters", digits: 0 }),
        slider(view, "seed", { words: "seed", digits: 0 }),
      ),
    ],
    picture: [nav.node],
    after: drawn,
    folds: table,
  });
  update();
  return view.dispose;
}

export default { render };
