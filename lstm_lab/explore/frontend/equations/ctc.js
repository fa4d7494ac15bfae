// Connectionist temporal classification in the browser: the lattice of lstm_lab.losses, for one
// sequence; a test keeps the two equal within 1e-5. logits (T·K), row by row; class `blank` is
// none.

/** The logarithm of the sum of exponentials. */
function logSum(values) {
  const most = Math.max(...values);
  if (!(most > -Infinity)) return most;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - most);
  return most + Math.log(sum);
}

/** log softmax of every row of logits (T·K). */
export function logSoftmax(logits, T, K) {
  const out = new Float64Array(T * K);
  for (let t = 0; t < T; t++) {
    const row = Array.from(logits.slice(t * K, (t + 1) * K)),
      total = logSum(row);
    for (let k = 0; k < K; k++) out[t * K + k] = row[k] - total;
  }
  return out;
}

/** The labelling that a path becomes: repeats merged, then blanks dropped. */
export function collapse(path, blank = 0) {
  return Array.from(path).filter((k, t) => k !== blank && (t === 0 || k !== path[t - 1]));
}

/** Best path decoding: {path, labels}. */
export function greedy(logits, T, K, blank = 0) {
  const path = Array.from({ length: T }, (_, t) => {
    let best = 0;
    for (let k = 1; k < K; k++) if (logits[t * K + k] > logits[t * K + best]) best = k;
    return best;
  });
  return { path, labels: collapse(path, blank) };
}

/** May a path leap from state s − 2 to s? Over a blank, between different labels. */
const leaps = (labels, s, blank) => s > 1 && labels[s] !== blank && labels[s] !== labels[s - 2];

/** The states from which a path may come to state s. */
export function sources(labels, s, blank = 0) {
  const all = [s];
  if (s > 0) all.push(s - 1);
  if (leaps(labels, s, blank)) all.push(s - 2);
  return all;
}

/**
 * All alignments of the target with the frames. Returns {T, K, S, blank, labels (S), needed, logY,
 * y (T·K), logAlpha, logBeta, gamma (T·S), logP, loss, occupancy, gradient (T·K), best (T)}: β
 * leaves its own frame out; best is the most probable path's state in every frame, empty if there
 * is none.
 */
export function ctcLattice(logits, T, K, target, blank = 0) {
  const labels = [blank, ...target.flatMap((k) => [k, blank])],
    S = labels.length;
  const repeats = target.filter((k, s) => s && k === target[s - 1]).length;
  const logY = logSoftmax(logits, T, K),
    y = logY.map(Math.exp);
  const at = (t, s) => t * S + s,
    says = (t, s) => logY[t * K + labels[s]];
  const logAlpha = new Float64Array(T * S).fill(-Infinity),
    logBeta = new Float64Array(T * S).fill(-Infinity);
  const score = new Float64Array(T * S).fill(-Infinity),
    came = new Int32Array(T * S);
  for (let s = 0; s < Math.min(2, S); s++) score[s] = logAlpha[s] = says(0, s);
  for (let t = 1; t < T; t++) {
    for (let s = 0; s < S; s++) {
      const from = sources(labels, s, blank);
      logAlpha[at(t, s)] = logSum(from.map((r) => logAlpha[at(t - 1, r)])) + says(t, s);
      let best = s;
      for (const r of from) if (score[at(t - 1, r)] > score[at(t - 1, best)]) best = r;
      came[at(t, s)] = best;
      score[at(t, s)] = score[at(t - 1, best)] + says(t, s);
    }
  }
  for (let s = Math.max(0, S - 2); s < S; s++) logBeta[at(T - 1, s)] = 0;
  for (let t = T - 2; t >= 0; t--) {
    const ways = Array.from({ length: S }, () => []);
    for (let s = 0; s < S; s++) {
      for (const r of sources(labels, s, blank))
        ways[r].push(logBeta[at(t + 1, s)] + says(t + 1, s));
    }
    for (let s = 0; s < S; s++) logBeta[at(t, s)] = logSum(ways[s]);
  }
  const logP = logSum(Array.from({ length: S }, (_, s) => logAlpha[s] + logBeta[s]));
  const possible = logP > -Infinity;
  const gamma = logAlpha.map((a, k) =>
    possible ? Math.exp(Math.min(0, a + logBeta[k] - logP)) : 0,
  );
  const occupancy = new Float64Array(T * K);
  for (let t = 0; t < T; t++)
    for (let s = 0; s < S; s++) occupancy[t * K + labels[s]] += gamma[at(t, s)];
  const best = [];
  if (possible) {
    let s = S > 1 && score[at(T - 1, S - 2)] > score[at(T - 1, S - 1)] ? S - 2 : S - 1;
    for (let t = T - 1; t >= 0; t--) {
      best.unshift(s);
      s = came[at(t, s)];
    }
  }
  return {
    T,
    K,
    S,
    blank,
    labels,
    needed: target.length + repeats,
    logY,
    y,
    logAlpha,
    logBeta,
    gamma,
    logP,
    loss: possible ? -logP : Infinity,
    occupancy,
    gradient: y.map((v, k) => (possible ? v - occupancy[k] : 0)),
    best,
  };
}

/** The share of the target's probability that goes from state r in frame t − 1 to s in frame t. */
export const passes = (lattice, t, r, s) => {
  const { S, K, labels, logAlpha, logBeta, logY, logP } = lattice;
  return logP > -Infinity
    ? Math.exp(logAlpha[(t - 1) * S + r] + logY[t * K + labels[s]] + logBeta[t * S + s] - logP)
    : 0;
};

/**
 * What α_t(s) adds up: every beginning of a path that is in state s at frame t. Returns {count,
 * paths: the `most` most probable ones, each {states (t + 1), logP}}.
 */
export function beginnings(lattice, t, s, most = 8) {
  const { S, K, labels, logY, blank } = lattice;
  let now = Array.from({ length: S }, (_, r) =>
    r < 2 ? { count: 1, paths: [{ states: [r], logP: logY[labels[r]] }] } : { count: 0, paths: [] },
  );
  for (let k = 1; k <= t; k++) {
    now = now.map((_, r) => {
      const from = sources(labels, r, blank).map((q) => now[q]);
      const paths = from
        .flatMap((each) => each.paths)
        .map(({ states, logP }) => ({
          states: [...states, r],
          logP: logP + logY[k * K + labels[r]],
        }))
        .sort((a, b) => b.logP - a.logP)
        .slice(0, most);
      return { count: from.reduce((sum, each) => sum + each.count, 0), paths };
    });
  }
  return now[s];
}
