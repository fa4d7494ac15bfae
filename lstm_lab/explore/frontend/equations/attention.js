// Attention in the browser, as lstm_lab.Attention computes it, for one sequence; a test keeps the
// two equal within 1e-5. query (Tq·Q) and memory (Tm·M), row by row.

const dot = (a, at, b, from, n) => {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += a[at + k] * b[from + k];
  return sum;
};

/**
 * layer {score, scale, Q, M, H, weight (Q·M), weight_query (H·Q), weight_memory (H·M),
 * weight_score (H)}. Returns {Tq, Tm, raw, scores, weights (Tq·Tm), context (Tq·M)}: raw before the
 * scale, and for the additive score hidden (Tq·Tm·H), for the general one projected (Tq·M).
 */
export function attend(layer, query, memory) {
  const { score, scale, Q, M, H } = layer,
    Tq = query.length / Q,
    Tm = memory.length / M;
  const raw = new Float64Array(Tq * Tm),
    found = { Tq, Tm, raw };
  if (score === "additive") found.hidden = new Float64Array(Tq * Tm * H);
  if (score === "general") found.projected = new Float64Array(Tq * M);
  for (let t = 0; t < Tq; t++) {
    for (let m = 0; score === "general" && m < M; m++) {
      for (let k = 0; k < Q; k++)
        found.projected[t * M + m] += query[t * Q + k] * layer.weight[k * M + m];
    }
    for (let s = 0; s < Tm; s++) {
      if (score === "dot") raw[t * Tm + s] = dot(query, t * Q, memory, s * M, Q);
      else if (score === "general") raw[t * Tm + s] = dot(found.projected, t * M, memory, s * M, M);
      else {
        const at = (t * Tm + s) * H;
        for (let j = 0; j < H; j++) {
          found.hidden[at + j] = Math.tanh(
            dot(layer.weight_query, j * Q, query, t * Q, Q) +
              dot(layer.weight_memory, j * M, memory, s * M, M),
          );
        }
        raw[t * Tm + s] = dot(found.hidden, at, layer.weight_score, 0, H);
      }
    }
  }
  Object.assign(found, soften(raw, Tq, Tm, scale), { context: new Float64Array(Tq * M) });
  for (let t = 0; t < Tq; t++) {
    for (let s = 0; s < Tm; s++) {
      for (let m = 0; m < M; m++)
        found.context[t * M + m] += found.weights[t * Tm + s] * memory[s * M + m];
    }
  }
  return found;
}

/** The softmax of scale · raw over each row: {scores, weights}. */
export function soften(raw, Tq, Tm, scale) {
  const scores = raw.map((e) => scale * e),
    weights = new Float64Array(Tq * Tm);
  for (let t = 0; t < Tq; t++) {
    const row = scores.subarray(t * Tm, (t + 1) * Tm),
      most = Math.max(...row);
    let total = 0;
    for (let s = 0; s < Tm; s++) total += weights[t * Tm + s] = Math.exp(row[s] - most);
    for (let s = 0; s < Tm; s++) weights[t * Tm + s] /= total;
  }
  return { scores, weights };
}
