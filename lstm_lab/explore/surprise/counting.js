// n-grams with interpolated Kneser-Ney smoothing in the browser: lstm_lab.models.NGram's equations.

/** Sorted codes as {grams, counts}: each once, and how often it is there. */
function tally(codes) {
  let n = 0;
  const grams = new Float64Array(codes.length),
    counts = new Int32Array(codes.length);
  for (let k = 0; k < codes.length; k++) {
    if (k && codes[k] === grams[n - 1]) counts[n - 1]++;
    else {
      grams[n] = codes[k];
      counts[n++] = 1;
    }
  }
  return { grams: grams.slice(0, n), counts: counts.slice(0, n) };
}

/** The same with what smoothing asks of it: the discount, and where each context's grams lie. */
function discounted(codes, V) {
  const { grams, counts } = tally(codes.sort());
  let once = 0,
    twice = 0;
  for (const n of counts) {
    if (n === 1) once++;
    else if (n === 2) twice++;
  }
  return { grams, counts, V, discount: once ? once / (once + 2 * twice) : 0.5 };
}

/**
 * Counts of a text, ids (N) of V symbols, for contexts of up to `order` symbols. seen[k]: how often
 * each (k + 1)-gram is there; contexts[k]: after how many different symbols it stands.
 */
export function countText(ids, V, order) {
  const seen = [],
    contexts = [];
  let codes = Float64Array.from(ids);
  for (let k = 0; k <= order; k++) {
    if (k) codes = codes.subarray(0, -1).map((code, n) => code * V + ids[n + k]);
    seen.push(discounted(codes.slice(), V));
    if (k)
      contexts.push(
        discounted(
          seen[k].grams.map((gram) => gram % V ** k),
          V,
        ),
      );
  }
  return { V, order, seen, contexts };
}

/** The first place in sorted `grams` that is not below `code`. */
function firstFrom(grams, code) {
  let low = 0,
    high = grams.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (grams[middle] < code) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** P_k out of P_{k-1}, in place: the context's symbols, discounted, and the rest to share. */
function smooth({ grams, counts, V, discount }, context, p) {
  const from = firstFrom(grams, context * V),
    to = firstFrom(grams, (context + 1) * V);
  if (to === from) return;
  let total = 0;
  for (let k = from; k < to; k++) total += counts[k];
  const rest = (discount * (to - from)) / total;
  for (let s = 0; s < V; s++) p[s] *= rest;
  for (let k = from; k < to; k++)
    p[grams[k] - context * V] += Math.max(counts[k] - discount, 0) / total;
}

/** The probabilities (V) of what comes after ids[0 : t], if at most `known` symbols are known. */
export function predictNext({ V, order, seen, contexts }, ids, t, known) {
  const last = Math.min(order, known, t),
    p = new Float64Array(V).fill(1 / V);
  for (let k = 0; k <= last; k++) {
    let context = 0;
    for (let j = t - k; j < t; j++) context = context * V + ids[j];
    smooth((k === last ? seen : contexts)[k], context, p);
  }
  return p;
}
