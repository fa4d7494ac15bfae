// Temperature, top-k, nucleus, and where a uniform number falls: lstm_lab.decoding in the browser.

/**
 * What is drawn from. said: log-probabilities or scores (V). Returns {order: ids from the likeliest
 * down; heated: probabilities (V) at the temperature, before anything is cut; kept: how many of the
 * order are left; keptByK: how many top-k alone leaves; p: probabilities (V) of what is left}.
 */
export function distribution(said, { temperature = 1, top_k: k = Infinity, top_p: share = 1 }) {
  const V = said.length;
  let top = -Infinity;
  for (const score of said) if (score > top) top = score;
  const weights = Float64Array.from(said, (score) =>
    temperature ? Math.exp((score - top) / temperature) : Number(score === top),
  );
  // Sorting keeps the order of equals, so that the lower id goes first.
  const order = Array.from(weights, (_, id) => id).sort((a, b) => weights[b] - weights[a]);
  const keptByK = Math.min(k, V);
  let kept = keptByK,
    all = 0,
    sum = 0;
  for (let rank = 0; rank < V; rank++) all += weights[order[rank]];
  for (let rank = 0; rank < kept; rank++) sum += weights[order[rank]];
  if (share < 1) {
    // A sum that misses the share by its rounding only has reached it.
    const enough = (share - V * Number.EPSILON) * sum;
    let reached = weights[order[0]];
    for (let rank = 1; rank < kept; rank++) {
      if (reached >= enough) kept = rank;
      else reached += weights[order[rank]];
    }
    sum = reached;
  }
  const p = new Float64Array(V);
  for (let rank = 0; rank < kept; rank++) p[order[rank]] = weights[order[rank]] / sum;
  return { order, kept, keptByK, p, heated: weights.map((weight) => weight / all) };
}

/** The rank in the order that a number in [0, 1) falls on, the likeliest laid first. */
export function rankAt({ order, kept, p }, number) {
  let sum = 0;
  for (let rank = 0; rank < kept; rank++) sum += p[order[rank]];
  let reached = 0;
  for (let rank = 0; rank < kept; rank++) {
    reached += p[order[rank]];
    if (reached > number * sum) return rank;
  }
  return kept - 1;
}

/** Entropy in nats; its exponential is the effective number of choices. */
export function entropy(p) {
  let sum = 0;
  for (const share of p) if (share > 0) sum -= share * Math.log(share);
  return sum;
}
