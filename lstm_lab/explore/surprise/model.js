// What SurpriseExplorer draws of a setting: what each character costs both models, and why.

import { charNet, newReading, readBefore, readOne, readText } from "../frontend/char_model.js";
import { fmt, percent } from "../frontend/format.js";
import { glyph } from "../frontend/text_canvas.js";
import { countText, predictNext } from "./counting.js";

export const EVERYTHING = 20;
export const MODELS = { lstm: "LSTM", counting: "counting" };

/** What an LSTM says after at most `known` symbols before t, begun anew: probabilities (V). */
function lstmNext(net, reading, ids, t, known) {
  reading.T = 0;
  for (let j = Math.max(0, t - known); j < t; j++) readOne(net, reading, ids[j], j);
  return reading.said.slice(reading.T * net.V, (reading.T + 1) * net.V).map(Math.exp);
}

/**
 * Everything that is drawn of a setting: the ids that both models know and their places, what each
 * of them says before each symbol and after the last, and the bits. `last`, if given, is gone on
 * with: of contexts that were there nothing is computed again.
 */
export function runSurprise(s, net, counts, last) {
  const { V } = net,
    all = s.context === EVERYTHING,
    reading = readText(net, s.text, last?.reading),
    { T, characters } = reading,
    ids = reading.ids.slice(0, T),
    kept = last?.kept ?? new Map(),
    piece = last?.piece ?? newReading(net, EVERYTHING + 1);
  const row = (t) => reading.said.slice(t * V, (t + 1) * V).map(Math.exp);
  const shorter = (t) => {
    const key = ids.subarray(Math.max(0, t - s.context), t).join();
    if (!kept.has(key)) kept.set(key, lstmNext(net, piece, ids, t, s.context));
    return kept.get(key);
  };
  if (kept.size > 20000) kept.clear();
  const said = { lstm: [], counting: [] };
  for (let t = 0; t <= T; t++) {
    said.lstm.push(all || t === 0 ? row(t) : shorter(t));
    said.counting.push(predictNext(counts, ids, t, all ? Infinity : s.context));
  }
  const bits = {},
    total = {};
  for (const name in MODELS) {
    bits[name] = Float64Array.from(ids, (id, t) => -Math.log2(said[name][t][id]));
    total[name] = bits[name].reduce((sum, value) => sum + value, 0);
  }
  const at = Math.min(s.at, characters.length);
  const from = readBefore(reading, at);
  return {
    reading,
    characters,
    places: reading.places,
    ids,
    T,
    kept,
    piece,
    said,
    bits,
    total,
    at,
    from,
  };
}

/** The ids by their probability, the likeliest first. */
export const ranked = (p) => Array.from(p, (_, k) => k).sort((a, b) => p[b] - p[a] || a - b);

/** The picture in words. */
export function sentence(s, run, net) {
  if (!run.T) return "Nothing in the text is known to the models.";
  const each = (name) =>
    `${MODELS[name]} ${fmt(run.total[name], 1)} bits, ${fmt(run.total[name] / run.T)} a character`;
  const likeliest = (name) => {
    const p = run.said[name][run.from],
      [first] = ranked(p);
    return `${MODELS[name]} expects “${glyph(net.symbols[first])}” with ${percent(p[first])}`;
  };
  const came =
    run.from < run.T
      ? `“${glyph(net.symbols[run.ids[run.from]])}” came, which cost ` +
        `${fmt(run.bits.lstm[run.from])} and ${fmt(run.bits.counting[run.from])} bits`
      : "the text ends there";
  const known =
    s.context === EVERYTHING
      ? ""
      : ` Each knows no more than ${s.context} character${s.context === 1 ? "" : "s"}.`;
  return (
    `The whole text costs the ${each("lstm")}; ${each("counting")}.${known} ` +
    `At character ${run.at + 1}, ${likeliest("lstm")}, ${likeliest("counting")}; ${came}.`
  );
}

/** What Node's tests compare: the numbers of a setting. */
export function numbersOf(s, alphabet, H, numbers, text, order) {
  const net = charNet(alphabet, H, numbers),
    counts = countText(text, net.V, order),
    run = runSurprise(s, net, counts);
  return {
    lstm: [...run.bits.lstm],
    counting: [...run.bits.counting],
    lstm_next: [...run.said.lstm[run.from]],
    counting_next: [...run.said.counting[run.from]],
  };
}
