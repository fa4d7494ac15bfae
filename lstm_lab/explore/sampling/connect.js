// What a prediction depends on: lstm_lab.models.connectivity in the browser.

import {
  addProduct,
  addTransposed,
  lstmStep,
  lstmStepBack,
  lstmTrace,
} from "../frontend/equations/lstm.js";

/** How many characters before a prediction are asked about. */
export const LAST = 40;

/**
 * What the last characters before step t of a reading are worth to the log-probability of `asked`
 * there. weightX: W (4H·D). Returns {first, n, logP} and product, norm, blanked, replaced (n), the
 * k-th of them for the character read at step first + k, with `others`, what was put in its place.
 */
export function connect(net, weightX, reading, t, asked) {
  const { V, H, out } = net,
    D = weightX.length / (4 * H),
    n = Math.min(LAST, t),
    first = t - n;
  const said = reading.said.subarray(t * V, (t + 1) * V),
    found = { first, n, logP: said[asked], others: new Int32Array(n) };
  for (const name of ["product", "norm", "blanked", "replaced"]) found[name] = new Float64Array(n);
  // d log p(asked) / d scores = one-hot − p, and from there back through the steps.
  const d = Float64Array.from(said, (value, id) => Number(id === asked) - Math.exp(value));
  const dh = new Float64Array(H),
    dc = new Float64Array(H),
    delta = new Float64Array(4 * H),
    dx = new Float64Array(D);
  addTransposed(dh, 0, out, d, H);
  for (let s = t - 1; s >= first; s--) {
    const k = s - first,
      row = reading.ids[s] * 4 * H;
    lstmStepBack(reading, s, dh, dc, delta);
    for (let r = 0; r < 4 * H; r++) found.product[k] += delta[r] * net.w[row + r];
    dx.fill(0);
    addTransposed(dx, 0, weightX, delta, D);
    found.norm[k] = Math.hypot(...dx);
    dh.fill(0);
    addTransposed(dh, 0, net.u, delta, H);
    for (let j = 0; j < H; j++) dc[j] *= reading.f[s * H + j];
  }
  for (let k = 0; k < n; k++) {
    const s = first + k;
    found.others[k] = likeliestOther(reading.said.subarray(s * V, (s + 1) * V), reading.ids[s]);
    found.blanked[k] = found.logP - without(net, reading, s, t, null, asked);
    found.replaced[k] = found.logP - without(net, reading, s, t, found.others[k], asked);
  }
  return found;
}

function likeliestOther(said, own) {
  let best = own ? 0 : 1;
  for (let id = 0; id < said.length; id++) if (id !== own && said[id] > said[best]) best = id;
  return best;
}

/** The log-probability of `asked` at step t, had another character stood at s, or none (null). */
function without(net, reading, s, t, other, asked) {
  const { V, H, out, outBias } = net,
    rows = 4 * H,
    a = new Float64Array(rows),
    state = s
      ? { h: reading.h.subarray((s - 1) * H, s * H), c: reading.c.subarray((s - 1) * H, s * H) }
      : { h: reading.h0, c: reading.c0 },
    trace = lstmTrace(t - s, H, state);
  for (let k = 0; k < t - s; k++) {
    const id = k ? reading.ids[s + k] : other;
    for (let r = 0; r < rows; r++) a[r] = net.b[r] + (id === null ? 0 : net.w[id * rows + r]);
    lstmStep(trace, k, a, net.u, H);
  }
  const scores = Float64Array.from(outBias);
  addProduct(scores, out, trace.h, (t - s - 1) * H, H);
  let top = -Infinity,
    sum = 0;
  for (let id = 0; id < V; id++) top = Math.max(top, scores[id]);
  for (let id = 0; id < V; id++) sum += Math.exp(scores[id] - top);
  return scores[asked] - top - Math.log(sum);
}

/** Ranks of values, 1 to n, equal ones sharing their mean. */
function ranks(values) {
  const order = Array.from(values, (_, k) => k).sort((a, b) => values[a] - values[b]),
    found = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let k = from; k < to; k++) found[order[k]] = (from + to + 1) / 2;
    from = to;
  }
  return found;
}

/** Spearman's rank correlation of how large two rows of numbers are; NaN where one is constant. */
export function agreement(a, b) {
  const [x, y] = [a, b].map((values) => ranks(values.map(Math.abs))),
    mean = (x.length + 1) / 2;
  let xy = 0,
    xx = 0,
    yy = 0;
  for (let k = 0; k < x.length; k++) {
    xy += (x[k] - mean) * (y[k] - mean);
    xx += (x[k] - mean) ** 2;
    yy += (y[k] - mean) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}
