// Which inputs an output has seen: the derivatives ∂h_t/∂x_s of an LSTM, forward in time, for every
// pair of steps. A test holds them to the library's backward pass within 1e-5.

import { lstmForward } from "../frontend/equations/lstm.js";

/**
 * The Jacobians of an LSTM over T steps. net {D, H, W, U, b} as in lstm.js; x (T·D).
 * Returns {T, D, H, trace, dh, dc}: dh[((t·T + s)·H + j)·D + d] = ∂h_tj/∂x_sd, dc the same of the
 * cell state; zero where s > t.
 */
export function jacobians(net, x, T) {
  const { D, H, W, U } = net,
    block = H * D;
  const trace = lstmForward(net, x, T);
  const dh = new Float64Array(T * T * block),
    dc = new Float64Array(T * T * block);
  const delta = new Float64Array(4 * block);
  for (let s = 0; s < T; s++) {
    for (let t = s; t < T; t++) {
      const now = (t * T + s) * block,
        before = now - T * block;
      // What reaches the gates: of x_s itself, or of the hidden state before.
      if (t === s) for (let k = 0; k < 4 * block; k++) delta[k] = W[k];
      else {
        for (let r = 0; r < 4 * H; r++) {
          for (let d = 0; d < D; d++) {
            let sum = 0;
            for (let j = 0; j < H; j++) sum += U[r * H + j] * dh[before + j * D + d];
            delta[r * D + d] = sum;
          }
        }
      }
      for (let j = 0; j < H; j++) {
        const k = t * H + j,
          o = trace.o[k],
          i = trace.i[k],
          f = trace.f[k],
          g = trace.g[k],
          tc = trace.tanhc[k];
        const c = t ? trace.c[k - H] : trace.c0[j];
        for (let d = 0; d < D; d++) {
          const e = j * D + d;
          let slope =
            g * i * (1 - i) * delta[block + e] +
            c * f * (1 - f) * delta[2 * block + e] +
            i * (1 - g * g) * delta[3 * block + e];
          if (t > s) slope += f * dc[before + e];
          dc[now + e] = slope;
          dh[now + e] = tc * o * (1 - o) * delta[e] + o * (1 - tc * tc) * slope;
        }
      }
    }
  }
  return { T, D, H, trace, dh, dc };
}

/** The Frobenius norm of every block of jacobians: (T·T), row t, column s. */
export function norms(blocks, T, size) {
  const out = new Float64Array(T * T);
  for (let k = 0; k < T * T; k++) {
    let sum = 0;
    for (let e = k * size; e < (k + 1) * size; e++) sum += blocks[e] * blocks[e];
    out[k] = Math.sqrt(sum);
  }
  return out;
}

const backwards = (x, T, D) =>
  Float64Array.from({ length: T * D }, (_, k) => x[(T - 1 - Math.floor(k / D)) * D + (k % D)]);

/**
 * One sequence through an LSTM in one direction or both. nets: one net or two, forward and
 * reverse; x (T·D) with its padding; n its length; padded: the reverse direction starts in the
 * padding, as it does where nobody tells it the length.
 *
 * Returns for each direction {name, run, steps, place, dh, own, h, block}: place(t) is the run's
 * own number of time t, steps how many it takes; dh the norms by time, (T·T) with row t and column
 * s, zero in rows past the end; own the norms of h and c by the run's numbers, (steps·steps); h(t)
 * the hidden state (H), block(t, s) the Jacobian ∂h_t/∂x_s (H·D).
 */
export function influences(nets, x, T, n, padded = false) {
  const { D, H } = nets[0],
    size = H * D;
  return nets.map((net, direction) => {
    const reverse = direction === 1,
      steps = reverse && padded ? T : n;
    const read = x.slice(0, steps * D);
    const { dc, ...run } = jacobians(net, reverse ? backwards(read, steps, D) : read, steps);
    const place = (t) => (reverse ? steps - 1 - t : t);
    const own = { h: norms(run.dh, steps, size), c: norms(dc, steps, size) };
    const dh = new Float64Array(T * T);
    for (let t = 0; t < n; t++) {
      for (let s = 0; s < steps; s++) dh[t * T + s] = own.h[place(t) * steps + place(s)];
    }
    return {
      name: reverse ? "reverse" : "forward",
      run,
      steps,
      place,
      dh,
      own,
      h: (t) => run.trace.h.subarray(place(t) * H, (place(t) + 1) * H),
      block: (t, s) =>
        run.dh.subarray(
          (place(t) * steps + place(s)) * size,
          (place(t) * steps + place(s) + 1) * size,
        ),
    };
  });
}

const PADDED = "the end of the padding",
  ONE_WAY = "forward only";

/**
 * The picture's numbers at setting s. own: {T, B, D, nets, x (T·B·D)}. Returns the lengths, the
 * sequence b that is shown with its length n, ways as influences gives them, both halves together,
 * and gap: how far a reverse direction that starts in the padding takes the outputs off.
 */
export function runSetting(s, own) {
  const { T, B, D } = own,
    b = Math.min(s.sequence, B) - 1;
  const lengths = Array.from({ length: B }, (_, k) => Math.min(s[`length_${k + 1}`], T)),
    n = lengths[b];
  const nets = s.direction === ONE_WAY ? own.nets.slice(0, 1) : own.nets;
  const padded = nets.length > 1 && s.reverse_starts === PADDED;
  const x = Float64Array.from(
    { length: T * D },
    (_, k) => own.x[(Math.floor(k / D) * B + b) * D + (k % D)],
  ).fill(s.padding, n * D);
  const ways = influences(nets, x, T, n, padded);
  const both = ways[0].dh.map((v, k) => Math.hypot(v, ways[1]?.dh[k] ?? 0));
  let gap = 0;
  if (padded) {
    const right = influences(nets, x, T, n)[1];
    for (let t = 0; t < n; t++)
      right.h(t).forEach((v, j) => {
        gap = Math.max(gap, Math.abs(v - ways[1].h(t)[j]));
      });
  }
  return { T, b, n, lengths, padded, ways, both, gap };
}

/** What output t has seen of the past, its own step and the future, as shares of the whole. */
export function seen(run, t) {
  const row = run.both.subarray(t * run.T, (t + 1) * run.T),
    total = row.reduce((sum, v) => sum + v, 0);
  const part = (from, to) =>
    total ? row.slice(from, to).reduce((sum, v) => sum + v, 0) / total : 0;
  return {
    past: part(0, t),
    own: part(t, t + 1),
    future: part(t + 1, run.T),
    padding: part(Math.max(run.n, t + 1), run.T),
  };
}

/**
 * The way from input s to output t: {way, h, c, f: per step, from input to output}; null if there
 * is none.
 */
export function journey(run, t, s) {
  const way = run.ways.find(({ name, steps }) =>
    name === "forward" ? s <= t : s >= t && s < steps,
  );
  if (!way || t >= run.n) return null;
  const from = way.place(s),
    to = way.place(t),
    { own, steps } = way,
    { H, trace } = way.run;
  const along = (pick) => Array.from({ length: to - from + 1 }, (_, k) => pick(from + k));
  return {
    way,
    h: along((k) => own.h[k * steps + from]),
    c: along((k) => own.c[k * steps + from]),
    f: along((k) => trace.f.subarray(k * H, (k + 1) * H).reduce((sum, v) => sum + v, 0) / H),
    times: along((k) => (way.name === "forward" ? k : steps - 1 - k)),
  };
}
