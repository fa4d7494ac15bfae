// What TextExplorer draws of a setting: the text read, its colours, what comes next, and it in
// words.

import { fmt, percent, QUANTITIES } from "../frontend/format.js";
import { distribution } from "../frontend/sampling.js";
import { glyph, quoted } from "../frontend/text_canvas.js";

import {
  charNet,
  correlation,
  goOn,
  readBefore,
  readText,
  surprise,
} from "../frontend/char_model.js";
import { PROPERTIES, scan } from "./scan.js";

export const BEST_CELLS = 6;
export const SHOWN = {
  c: "cell state, tanh c",
  h: "hidden state h",
  i: "input gate i",
  f: "forget gate f",
  o: "output gate o",
  g: "candidate g",
  surprise: "surprise, in bits",
};

export const valueOf = (reading, q, H, t, j) => (q === "c" ? reading.tanhc : reading[q])[t * H + j];

/**
 * Everything that is drawn of a setting s: reading, what the text is coloured by and its
 * correlation with the property, the bits, what comes next, and how it goes on. The last answer, if
 * given, is gone on with and is no longer good itself.
 */
export function runText(s, net, last) {
  const { H, V } = net,
    reading = readText(net, s.text, last?.reading),
    { T, characters } = reading;
  const cell = Math.min(s.unit, H) - 1,
    at = Math.min(s.at, characters.length),
    from = readBefore(reading, at),
    setting = { temperature: s.temperature };
  const colour = new Float64Array(T);
  let bits = 0;
  for (let t = 0; t < T; t++) {
    const cost = surprise(net, reading, t);
    bits += cost / T;
    colour[t] = s.shown === "surprise" ? cost : valueOf(reading, s.shown, H, t, cell);
  }
  // A character is one here, whatever it is made of there.
  const property = scan(characters)[s.follows],
    known = Float64Array.from({ length: T }, (_, t) => property[reading.places[t]]);
  return {
    reading,
    cell,
    at,
    from,
    colour,
    bits,
    property,
    known,
    r: correlation(colour, 0, 1, known, T),
    next: distribution(reading.said.subarray(from * V, (from + 1) * V), setting).p,
    more: goOn(net, reading, from, s.length, setting, s.seed, last?.more),
  };
}

/** What Node's tests compare: the numbers of a setting. */
export function numbersOf(s, alphabet, H, numbers) {
  const run = runText(s, charNet(alphabet, H, numbers));
  return {
    colour: [...run.colour],
    bits: run.bits,
    r: run.r,
    next: [...run.next],
    written: run.more.text,
  };
}

/**
 * The cells that follow a property best: on held-out files where that is known, else in this text.
 */
export function ranking(about, follows, run, net) {
  const known = about.probes?.properties?.[follows];
  const live = known
    ? null
    : Float64Array.from({ length: net.H }, (_, j) =>
        Math.abs(correlation(run.reading.tanhc, j, net.H, run.known, run.reading.T)),
      );
  const chosen = known ? known.cells : live;
  const order = Array.from(chosen, (_, j) => j)
    .sort((a, b) => chosen[b] - chosen[a])
    .slice(0, BEST_CELLS);
  return { known, cells: order.map((j) => ({ j, score: known ? known.held_out[j] : live[j] })) };
}

export function sentence(s, run, net) {
  const { characters } = run.reading,
    before = characters.slice(Math.max(0, run.at - 12), run.at).join("");
  const best = Array.from(run.next, (_, k) => k)
    .sort((a, b) => run.next[b] - run.next[a])
    .slice(0, 3);
  const seen = run.from ? `After ${quoted(before)} ` : "Before anything is read ";
  const what =
    s.shown === "surprise" || !run.from
      ? ""
      : `${QUANTITIES[s.shown].name} of cell ${run.cell + 1} is ${fmt(run.colour[run.from - 1])}; `;
  const next = best.map((k) => `${glyph(net.symbols[k])} ${percent(run.next[k])}`).join(", ");
  const all = run.reading.T
    ? ` The text costs ${fmt(run.bits)} bits a character; ` +
      `its colour and “${PROPERTIES[s.follows]}” correlate by ${fmt(run.r)}.`
    : " Write something: there is nothing to read yet.";
  return `${seen}${what}most likely next: ${next}.${all}`;
}
