// The equations of the RNN and the LSTM, forward and backward, for one sequence (batch of one).
// Third home of what lstm_lab.cells holds; a test keeps the two equal within 1e-5.
//
// Layout, as in the library: row blocks of H in the order o, i, f, g;
// W (4H, D), U (4H, H), b (4H), all row-major and flat; x (T, D), h and c (T, H).

/** The gates of the row blocks, in their order. */
export const BLOCKS = ["o", "i", "f", "g"];

export const sigmoid = (a) => 0.5 * Math.tanh(0.5 * a) + 0.5;

/** a (rows, n) times v[at : at + n], added onto out (rows). */
export function addProduct(out, a, v, at, n) {
  const whole = n - (n % 4);
  for (let r = 0, k = 0; r < out.length; r++) {
    // Four sums that do not wait for each other.
    let s0 = 0,
      s1 = 0,
      s2 = 0,
      s3 = 0,
      j = 0;
    for (; j < whole; j += 4, k += 4) {
      s0 += a[k] * v[at + j];
      s1 += a[k + 1] * v[at + j + 1];
      s2 += a[k + 2] * v[at + j + 2];
      s3 += a[k + 3] * v[at + j + 3];
    }
    for (; j < n; j++) s0 += a[k++] * v[at + j];
    out[r] += s0 + s1 + (s2 + s3);
  }
}

/** The transpose of a (rows, n) times d (rows), added onto out[at : at + n]. */
export function addTransposed(out, at, a, d, n) {
  for (let r = 0, k = 0; r < d.length; r++) {
    for (let j = 0; j < n; j++) out[at + j] += a[k++] * d[r];
  }
}

/** The outer product of d (rows) and v[at : at + n], added onto out (rows, n). */
function addOuter(out, d, v, at, n) {
  for (let r = 0, k = 0; r < d.length; r++) {
    for (let j = 0; j < n; j++) out[k++] += d[r] * v[at + j];
  }
}

/** A trace {T, h0, c0, o, i, f, g, c, tanhc, h} of T steps of H units, to be filled. */
export function lstmTrace(T, H, state = {}) {
  const trace = {
    T,
    h0: Float64Array.from(state.h ?? new Float64Array(H)),
    c0: Float64Array.from(state.c ?? new Float64Array(H)),
  };
  for (const name of [...BLOCKS, "c", "tanhc", "h"]) trace[name] = new Float64Array(T * H);
  return trace;
}

/**
 * Step t of a trace, whose steps before are there: a (4H) holds W x_t + b, and U h is added to it.
 * P (3H), if given, are the peepholes of o, i and f.
 */
export function lstmStep(trace, t, a, U, H, P) {
  const { o: os, i: is, f: fs, g: gs, c: cs, tanhc: tanhcs, h: hs, h0, c0 } = trace;
  const now = t * H,
    before = now - H;
  addProduct(a, U, t ? hs : h0, t ? before : 0, H);
  for (let j = 0, k = now; j < H; j++, k++) {
    const old = t ? cs[before + j] : c0[j];
    if (P) {
      a[H + j] += P[H + j] * old;
      a[2 * H + j] += P[2 * H + j] * old;
    }
    const i = sigmoid(a[H + j]),
      f = sigmoid(a[2 * H + j]),
      g = Math.tanh(a[3 * H + j]);
    const c = f * old + i * g;
    // The output gate acts last, and sees the new cell.
    if (P) a[j] += P[j] * c;
    const o = sigmoid(a[j]),
      tanhc = Math.tanh(c);
    os[k] = o;
    is[k] = i;
    fs[k] = f;
    gs[k] = g;
    cs[k] = c;
    tanhcs[k] = tanhc;
    hs[k] = o * tanhc;
  }
}

/**
 * Forward pass of an LSTM over T steps.
 * net {D, H, W, U, b}, and P (3H) for one with peepholes, which lstmBackward does not know;
 * x (T·D); state {h, c} of H each, zeros if absent.
 * Returns the trace {T, x, h0, c0, o, i, f, g, c, tanhc, h}, each gate (T·H), after its activation.
 */
export function lstmForward(net, x, T, state = {}) {
  const { D, H, W, U, b, P } = net;
  const trace = Object.assign(lstmTrace(T, H, state), { x });
  const a = new Float64Array(4 * H);
  for (let t = 0; t < T; t++) {
    a.set(b);
    addProduct(a, W, x, t * D, D);
    lstmStep(trace, t, a, U, H, P);
  }
  return trace;
}

/**
 * One step back at step t: dh (H) is dL/dh_t, dc (H) what reaches c_t from the steps after it.
 * dc becomes dL/dc_t, and delta (4H) dL/da_t, of the pre-activations.
 */
export function lstmStepBack(trace, t, dh, dc, delta) {
  const { o: os, i: is, f: fs, g: gs, tanhc } = trace,
    H = dh.length,
    now = t * H;
  const cs = t ? trace.c : trace.c0,
    before = t ? now - H : 0;
  for (let j = 0, k = now; j < H; j++, k++) {
    const o = os[k],
      i = is[k],
      f = fs[k],
      g = gs[k],
      tc = tanhc[k];
    dc[j] += dh[j] * o * (1 - tc * tc);
    delta[j] = dh[j] * tc * o * (1 - o);
    delta[H + j] = dc[j] * g * i * (1 - i);
    delta[2 * H + j] = dc[j] * cs[before + j] * f * (1 - f);
    delta[3 * H + j] = dc[j] * i * (1 - g * g);
  }
}

/**
 * Backward pass: dy (T·H) is the loss's gradient with respect to h at every step,
 * dstate {h, c} what reaches the last state from elsewhere.
 * Returns {x, W, U, b, h0, c0} and, for drawing, h, c and delta: the total dL/dh_t and dL/dc_t
 * (T·H), and δ_t = dL/da_t of the pre-activations (T·4H).
 */
export function lstmBackward(net, trace, dy, dstate = {}) {
  const { D, H, W, U } = net,
    { T } = trace;
  const grad = {
    x: new Float64Array(T * D),
    W: new Float64Array(4 * H * D),
    U: new Float64Array(4 * H * H),
    b: new Float64Array(4 * H),
    h: new Float64Array(T * H),
    c: new Float64Array(T * H),
    delta: new Float64Array(T * 4 * H),
  };
  const dh = Float64Array.from(dstate.h ?? new Float64Array(H));
  const dc = Float64Array.from(dstate.c ?? new Float64Array(H));
  const delta = new Float64Array(4 * H);
  for (let t = T - 1; t >= 0; t--) {
    const now = t * H;
    for (let j = 0; j < H; j++) dh[j] += dy[now + j];
    lstmStepBack(trace, t, dh, dc, delta);
    grad.h.set(dh, now);
    grad.c.set(dc, now);
    grad.delta.set(delta, 4 * now);
    addTransposed(grad.x, t * D, W, delta, D);
    addOuter(grad.W, delta, trace.x, t * D, D);
    addOuter(grad.U, delta, t ? trace.h : trace.h0, t ? now - H : 0, H);
    for (let r = 0; r < 4 * H; r++) grad.b[r] += delta[r];
    dh.fill(0);
    addTransposed(dh, 0, U, delta, H);
    for (let j = 0; j < H; j++) dc[j] *= trace.f[now + j];
  }
  return { ...grad, h0: dh, c0: dc };
}

/** Forward pass of a tanh RNN: net {D, H, W (H·D), U (H·H), b (H)}; returns {T, x, h0, h}. */
export function rnnForward(net, x, T, state = {}) {
  const { D, H, W, U, b } = net;
  const h0 = Float64Array.from(state.h ?? new Float64Array(H));
  const h = new Float64Array(T * H),
    a = new Float64Array(H);
  for (let t = 0; t < T; t++) {
    a.set(b);
    addProduct(a, W, x, t * D, D);
    addProduct(a, U, t ? h : h0, t ? (t - 1) * H : 0, H);
    for (let j = 0; j < H; j++) h[t * H + j] = Math.tanh(a[j]);
  }
  return { T, x, h0, h };
}

/** One step back at step t of a tanh RNN: delta (H) becomes dL/da_t, dh being dL/dh_t. */
export function rnnStepBack(trace, t, dh, delta) {
  const H = dh.length;
  for (let j = 0, k = t * H; j < H; j++, k++) delta[j] = dh[j] * (1 - trace.h[k] * trace.h[k]);
}

/** Backward pass of a tanh RNN: returns {x, W, U, b, h0} and h, the total dL/dh_t (T·H). */
export function rnnBackward(net, trace, dy, dstate = {}) {
  const { D, H, W, U } = net,
    { T } = trace;
  const grad = {
    x: new Float64Array(T * D),
    W: new Float64Array(H * D),
    U: new Float64Array(H * H),
    b: new Float64Array(H),
    h: new Float64Array(T * H),
  };
  const dh = Float64Array.from(dstate.h ?? new Float64Array(H)),
    delta = new Float64Array(H);
  for (let t = T - 1; t >= 0; t--) {
    for (let j = 0; j < H; j++) dh[j] += dy[t * H + j];
    rnnStepBack(trace, t, dh, delta);
    grad.h.set(dh, t * H);
    for (let j = 0; j < H; j++) grad.b[j] += delta[j];
    addTransposed(grad.x, t * D, W, delta, D);
    addOuter(grad.W, delta, trace.x, t * D, D);
    addOuter(grad.U, delta, t ? trace.h : trace.h0, t ? (t - 1) * H : 0, H);
    dh.fill(0);
    addTransposed(dh, 0, U, delta, H);
  }
  return { ...grad, h0: dh };
}
