// A character model in the browser: the LSTM reads a text, predicts the next character, goes on.

import { addProduct, lstmStep, lstmTrace } from "./equations/lstm.js";
import { distribution, rankAt } from "./sampling.js";

/**
 * The model out of its numbers, one after another: w (V·4H), what each character adds to the
 * pre-activations; b (4H); u (4H·H); out (V·H); outBias (V).
 */
export function charNet(alphabet, H, numbers) {
  const symbols = Array.from(alphabet),
    V = symbols.length,
    all = Float64Array.from(numbers);
  let at = 0;
  const take = (size) => all.subarray(at, (at += size));
  return {
    V,
    H,
    symbols,
    ids: new Map(symbols.map((symbol, k) => [symbol, k])),
    w: take(V * 4 * H),
    b: take(4 * H),
    u: take(4 * H * H),
    out: take(V * H),
    outBias: take(V),
  };
}

/** A reading of nothing, with room for `capacity` characters. */
export function newReading(net, capacity) {
  return {
    ...lstmTrace(capacity, net.H),
    capacity,
    T: 0,
    ids: new Int32Array(capacity),
    places: new Int32Array(capacity),
    // Row t is what the model says before it reads character t, in nats.
    said: new Float64Array((capacity + 1) * net.V),
    a: new Float64Array(4 * net.H),
  };
}

/** Writes down what the model says of the character after the first t. */
function predict(net, reading, t) {
  const { V, H, out, outBias } = net,
    at = t * V,
    row = reading.said.subarray(at, at + V);
  row.set(outBias);
  addProduct(row, out, t ? reading.h : reading.h0, t ? (t - 1) * H : 0, H);
  let top = -Infinity,
    sum = 0;
  for (let k = 0; k < V; k++) if (row[k] > top) top = row[k];
  for (let k = 0; k < V; k++) sum += Math.exp(row[k] - top);
  const log = top + Math.log(sum);
  for (let k = 0; k < V; k++) row[k] -= log;
}

/** Reads one more character, by its id; place: where it stands in the text. */
export function readOne(net, reading, id, place) {
  const t = reading.T++,
    { a } = reading,
    rows = 4 * net.H;
  if (t === 0) predict(net, reading, 0);
  for (let r = 0; r < rows; r++) a[r] = net.b[r] + net.w[id * rows + r];
  lstmStep(reading, t, a, net.u, net.H);
  reading.ids[t] = id;
  reading.places[t] = place;
  predict(net, reading, t + 1);
}

/**
 * Reads a text from the zero state; what the model does not know it skips. A reading that is given
 * is gone on with from where the texts begin to differ.
 */
export function readText(net, text, reading) {
  const characters = Array.from(text);
  const kept =
    reading && reading.capacity >= characters.length
      ? reading
      : newReading(net, Math.max(64, 2 * characters.length));
  let t = 0,
    same = true;
  if (!kept.T) predict(net, kept, 0);
  characters.forEach((character, place) => {
    const id = net.ids.get(character);
    if (id === undefined) return;
    same = same && t < kept.T && kept.ids[t] === id;
    if (same) kept.places[t] = place;
    else {
      kept.T = t;
      readOne(net, kept, id, place);
    }
    t++;
  });
  kept.T = t;
  kept.characters = characters;
  return kept;
}

/** How many known characters stand before a place in the text. */
export function readBefore(reading, place) {
  let low = 0,
    high = reading.T;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reading.places[middle] < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** -log2 of the probability that the model gave character t, in bits. */
export const surprise = (net, reading, t) => -reading.said[t * net.V + reading.ids[t]] / Math.LN2;

/** Uniform numbers from 0 to 1 of 32 bits (mulberry32), as Python draws them. */
export function dice(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Goes on after the first `from` characters of a reading, `count` of them drawn as a setting
 * {temperature, top_k, top_p} says. Returns a reading whose first character is the first that was
 * drawn, with its text. What was returned before is gone on with, or written over, if it is given.
 */
export function goOn(net, reading, from, count, setting, seed, before) {
  const { H, V } = net,
    { temperature, top_k, top_p } = setting,
    key = `${seed} ${temperature} ${top_k} ${top_p} ${reading.ids.subarray(0, from)}`;
  const more = before?.capacity >= count ? before : newReading(net, Math.max(64, 2 * count));
  if (more.key !== key) {
    for (const q of ["h", "c"])
      more[`${q}0`].set(from ? reading[q].subarray((from - 1) * H, from * H) : reading[`${q}0`]);
    Object.assign(more, { key, draw: dice(seed), T: 0 });
    predict(net, more, 0);
  }
  while (more.T < count) {
    const t = more.T,
      next = distribution(more.said.subarray(t * V, (t + 1) * V), setting);
    readOne(net, more, next.order[rankAt(next, more.draw())], t);
  }
  more.text = Array.from(more.ids.subarray(0, count), (id) => net.symbols[id]).join("");
  return more;
}

/**
 * Pearson's correlation of a[at + k · stride] with b[k], k < n; 0 where one of them does not vary.
 */
export function correlation(a, at, stride, b, n) {
  let ma = 0,
    mb = 0,
    ab = 0,
    aa = 0,
    bb = 0;
  for (let k = 0; k < n; k++) {
    ma += a[at + k * stride] / n;
    mb += b[k] / n;
  }
  for (let k = 0; k < n; k++) {
    const da = a[at + k * stride] - ma,
      db = b[k] - mb;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
