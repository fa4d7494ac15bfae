// SurpriseExplorer: what each character of a text costs an LSTM, and what it costs counting.

import { button, group, slider } from "../frontend/controls.js";
import { floats, tag } from "../frontend/dom.js";
import { fmt, percent } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { charNet } from "../frontend/char_model.js";
import { plot } from "../frontend/plot.js";
import { tableFold } from "../frontend/table.js";
import { glyph, textCanvas } from "../frontend/text_canvas.js";
import { countText } from "./counting.js";
import { EVERYTHING, MODELS, ranked, runSurprise, sentence } from "./model.js";

const EXAMPLES = {
  Prose: "If the object has no such method, an exception is raised.",
  "The same, misspelt": "If the obejct has no such mehtod, an excpetion is rasied.",
  "A new word, again": "The zorgle is new. The zorgle is old. The zorgle is the zorgle.",
  "No English": "xq zvv kjw qpd xq zvv kjw qpd xq zvv kjw qpd",
};
const LISTED = 6,
  ROW = 23,
  TOP = 46,
  // Shares over which a bar is as long as it gets.
  FULL = 1;

function render({ model, el }) {
  const view = explorable(model, el, { title: "Two models read a text", update });
  view.root.classList.add("ll-surprise-explorer");
  const net = charNet(model.get("_alphabet"), model.get("_cells"), floats(model.get("_net")));
  const read = model.get("_read"),
    counts = countText(
      new Uint8Array(read.buffer, read.byteOffset, read.byteLength),
      net.V,
      model.get("_order"),
    );
  let run = null,
    pointed = null;

  // ---- both texts
  const heads = {},
    texts = {};
  const hovered = (place) => {
    const t = place === null || !run ? -1 : run.places.subarray(0, run.T).indexOf(place);
    const next = t >= 0 ? t : null;
    if (next === pointed) return;
    pointed = next;
    guesses.redraw();
    told();
  };
  for (const name in MODELS) {
    heads[name] = tag("h3", { class: "ll-heading" });
    texts[name] = textCanvas(view, {
      name: name === "lstm" ? "text" : null,
      words: "the text",
      typed: (text, at) => view.set({ text, at: Math.min(at, view.limits.at.max) }),
      moved: (at) => view.set({ at }),
      hovered,
    });
  }

  // ---- what both expected
  const guesses = plot(view, {
    height: TOP + (LISTED + 1) * ROW + 6,
    paint: (pen) => run && paint(pen),
  });
  function paint(pen) {
    const t = pointed ?? run.from,
      gap = 28,
      wide = (pen.width - gap) / 2;
    Object.keys(MODELS).forEach((name, column) => list(pen, name, t, column * (wide + gap), wide));
  }
  function list(pen, name, t, x, wide) {
    const { colors, ctx } = pen,
      p = run.said[name][t],
      order = ranked(p),
      came = t < run.T ? run.ids[t] : null,
      shown = order.slice(0, LISTED);
    if (came !== null && !shown.includes(came)) shown.push(came);
    const bits = came === null ? "" : `${fmt(run.bits[name][t])} bits`;
    pen.words(`${name === "lstm" ? "The LSTM" : "Counting"} expected`, x, 14, { weight: 600 });
    pen.words(
      pen.fitting(
        came === null
          ? ["The text ends here: what could come next"]
          : [`“${glyph(net.symbols[came])}” came: rank ${order.indexOf(came) + 1}, ${bits}`, bits],
        wide,
        { size: 12 },
      ),
      x,
      32,
      { color: colors.soft },
    );
    const from = x + 30,
      room = wide - 30 - 58;
    shown.forEach((id, k) => {
      const y = TOP + k * ROW + (k >= LISTED ? 4 : 0),
        here = id === came;
      pen.words(glyph(net.symbols[id]), x + 12, y + 14, {
        size: 13,
        weight: here ? 700 : 400,
        align: "center",
      });
      ctx.fillStyle = here ? colors.f : colors.line;
      ctx.fillRect(from, y + 3, Math.max(1.5, (room * p[id]) / FULL), ROW - 8);
      pen.words(
        `${percent(p[id])}${here ? " ◂" : ""}`,
        from + Math.max(1.5, room * p[id]) + 6,
        y + 14,
        {
          size: 12,
          weight: here ? 700 : 400,
        },
      );
    });
  }

  // ---- controls
  const scrub = slider(view, "at", {
    words: "ask about character",
    digits: 0,
    read: () => Math.min(view.get("at"), run ? run.characters.length : Infinity),
    show: (value) => String(Math.round(value) + 1),
  });
  const memory = slider(view, "context", {
    words: "each may know the last",
    show: (n) => (n === EVERYTHING ? "everything" : n === 1 ? "1 character" : `${n} characters`),
  });
  const examples = Object.entries(EXAMPLES).map(([words, text]) =>
    button(words, () => view.set({ text, at: Math.min(view.get("at"), text.length) })),
  );
  const values = tableFold(view, "The surprise of every character, in bits", () => [
    ["character", "LSTM", "counting"],
    Array.from(run.ids, (id, t) => [
      glyph(net.symbols[id]),
      ...Object.keys(MODELS).map((name) => fmt(run.bits[name][t])),
    ]),
  ]);
  layout(view, {
    controls: [
      group("Context", memory, scrub),
      group("A text", tag("div", { class: "ll-actions" }, examples)),
    ],
    picture: [
      ...Object.keys(MODELS).flatMap((name) => [heads[name], texts[name].node]),
      guesses.node,
    ],
    folds: [values],
  });

  function told() {
    const words = sentence(view.settings(), run, net);
    guesses.label(`What both models expected at one character. ${words}`);
    return words;
  }

  function update() {
    const s = view.settings();
    run = runSurprise(s, net, counts, run);
    pointed = pointed !== null && pointed < run.T ? pointed : null;
    scrub.input.max = run.characters.length;
    scrub.refresh();
    for (const name in MODELS) {
      const values = new Float64Array(run.characters.length).fill(NaN);
      for (let t = 0; t < run.T; t++) values[run.places[t]] = run.bits[name][t];
      texts[name].show({
        characters: run.characters,
        values,
        kind: "surprise",
        property: null,
        at: run.at,
      });
      const mean = run.T ? run.total[name] / run.T : 0;
      const more =
        name === "lstm" ? "write into it" : `Kneser–Ney, ${model.get("_order")} characters`;
      heads[name].textContent =
        `${name === "lstm" ? "LSTM" : "Counting"} (${more}): ` +
        `${fmt(run.total[name], 1)} bits, ${fmt(mean)} a character`;
      texts[name].label(
        `The text; the darker a character and the higher its bar, the more bits it cost ` +
          `${name === "lstm" ? "the LSTM" : "counting"}: ${fmt(run.total[name], 1)} in all.`,
      );
    }
    guesses.redraw();
    view.say(told());
    values.refresh();
  }

  view.redraw();
  return view.dispose;
}

export default { render };
