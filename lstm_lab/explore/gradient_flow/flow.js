// How a gradient fades on its way back: norms at every step, for the RNN and the LSTM.

import {
  BLOCKS,
  addTransposed,
  lstmForward,
  lstmStepBack,
  rnnForward,
  rnnStepBack,
} from "../frontend/equations/lstm.js";
import { noise } from "../frontend/signals.js";

// Beyond 2^±200 what is carried back is scaled to about 1: a thousand steps neither under- nor
// overflow, and a power of two changes no digit.
const BIG = 2 ** 400;
const LOG2 = Math.log10(2);

/** The sum of squares. */
function squares(values) {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += values[j] * values[j];
  return sum;
}

/** log10 of the norm of a vector with this sum of squares, times 2^exponent. */
const logLength = (sum, exponent) => (0.5 * Math.log(sum)) / Math.LN10 + exponent * LOG2;

/** The power of two to take out of a vector, 0 while it is of an ordinary length. */
const excess = (sum) =>
  sum > BIG || (sum > 0 && sum < 1 / BIG) ? Math.round(0.5 * Math.log2(sum)) : 0;

function shrink(values, power) {
  const factor = 2 ** -power;
  for (let j = 0; j < values.length; j++) values[j] *= factor;
}

/** A network {kind: "LSTM" or "RNN", D, H, W, U, b} over x (T·D): the forward pass's trace. */
export const run = (net, x, T) =>
  net.kind === "RNN" ? rnnForward(net, x, T) : lstmForward(net, x, T);

/**
 * The gradient of v·h_T at every step t of a sequence of T steps, where v has length 1 and equal
 * entries. The trace may be of more steps: a network that has read on remembers the same.
 *
 * Returns, per step (T), the log10 of a length: h of dL/dh_t, and of an LSTM c of dL/dc_t and
 * direct of dL/dc_T times the forget gates between; and dh, dc (T·H), which are to be multiplied
 * by 2^exponent (T).
 */
export function flow(net, trace, T) {
  const { H } = net,
    isLstm = net.kind !== "RNN",
    rows = isLstm ? 4 * H : H;
  const found = {
    T,
    h: new Float64Array(T),
    dh: new Float64Array(T * H),
    exponent: new Int32Array(T),
  };
  const dh = new Float64Array(H).fill(1 / Math.sqrt(H)),
    delta = new Float64Array(rows);
  const dc = new Float64Array(isLstm ? H : 0),
    direct = new Float64Array(dc.length);
  if (isLstm)
    Object.assign(found, {
      c: new Float64Array(T),
      direct: new Float64Array(T),
      dc: new Float64Array(T * H),
    });
  let shift = 0,
    directShift = 0;
  for (let t = T - 1; t >= 0; t--) {
    const now = t * H;
    found.exponent[t] = shift;
    const h2 = squares(dh);
    found.h[t] = logLength(h2, shift);
    found.dh.set(dh, now);
    stepBack(net, trace, t, dh, dc, delta);
    const c2 = squares(dc);
    if (isLstm) {
      found.c[t] = logLength(c2, shift);
      found.dc.set(dc, now);
      if (t === T - 1) direct.set(dc);
      const alone = squares(direct);
      found.direct[t] = logLength(alone, directShift);
      for (let j = 0; j < H; j++) {
        dc[j] *= trace.f[now + j];
        direct[j] *= trace.f[now + j];
      }
      const far = excess(alone);
      if (far) {
        shrink(direct, far);
        directShift += far;
      }
    }
    dh.fill(0);
    addTransposed(dh, 0, net.U, delta, H);
    const power = excess(Math.max(h2, c2));
    if (power) {
      shrink(dh, power);
      shrink(dc, power);
      shift += power;
    }
  }
  return found;
}

/** One step back, whichever the network: see lstm.js. */
export function stepBack(net, trace, t, dh, dc, delta) {
  if (net.kind === "RNN") rnnStepBack(trace, t, dh, delta);
  else lstmStepBack(trace, t, dh, dc, delta);
}

/**
 * Steps back until half of what is there at the last step is left, between two steps where the
 * line from one to the next crosses the half; Infinity if that is never so, 0 if nothing is there.
 */
export function halfLife(logs, T) {
  const half = logs[T - 1] - LOG2;
  if (half === -Infinity) return 0;
  for (let lag = 1; lag < T; lag++) {
    const now = logs[T - 1 - lag],
      before = logs[T - lag];
    if (now <= half) return lag - 1 + (now > -Infinity ? (before - half) / (before - now) : 1);
  }
  return Infinity;
}

/**
 * The small networks of one seed, out of the float32 numbers that Python sends: of every seed
 * W, U, b of an LSTM, W, U, b of an RNN, and the chrono initialisation's u, uniform in [0, 1).
 */
export function seeded(floats, D, H, seed) {
  const sizes = [4 * H * D, 4 * H * H, 4 * H, H * D, H * H, H, H];
  let at = seed * sizes.reduce((a, b) => a + b);
  const [W, U, b, rnnW, rnnU, rnnB, u] = sizes.map((size) =>
    Float64Array.from(floats.subarray(at, (at += size))),
  );
  return {
    LSTM: { kind: "LSTM", D, H, W, U, b },
    RNN: { kind: "RNN", D, H, W: rnnW, U: rnnU, b: rnnB },
    u,
  };
}

const ramp = (H, value) => Float64Array.from({ length: H }, (_, j) => value(j));

/** The network with the forget gate's biases (H) given, and the input gate's if given. */
function withBias(net, forget, input) {
  const b = Float64Array.from(net.b);
  b.set(forget, 2 * net.H);
  if (input) b.set(input, net.H);
  return { ...net, b };
}

/** The LSTM with one forget bias for all its units. */
export const withForgetBias = (net, value) =>
  withBias(
    net,
    ramp(net.H, () => Math.fround(value)),
  );

/**
 * Forget biases log(1 + u (T − 2)), input biases their negatives: Tallec & Ollivier 2018,
 * equation (16).
 */
export function chrono(net, u, T) {
  const kept = ramp(net.H, (j) => Math.fround(Math.log(1 + u[j] * Math.max(T - 2, 1e-9))));
  return withBias(
    net,
    kept,
    kept.map((b) => -b),
  );
}

/** The network with U times a factor, in float32 as the library's layers hold it. */
export const scaled = (net, factor) => ({
  ...net,
  U: Float64Array.from(net.U, (v) => Math.fround(factor * v)),
});

export const LONGEST = 1000;

/** What the picture is of, as the widget's traits carry it: shape, float32 numbers, x (T·D). */
export function unpackFlow({ D, H, kind = "", radius = 1 }, numbers, input) {
  const own = { D, H, kind, radius, numbers: Float32Array.from(numbers) };
  own.x = input?.length ? Float64Array.from(input) : noise(LONGEST);
  own.longest = own.x.length / D;
  if (kind) {
    const rows = kind === "RNN" ? H : 4 * H,
      w = rows * D,
      u = rows * H,
      all = Float64Array.from(numbers);
    own.net = { kind, D, H, W: all.slice(0, w), U: all.slice(w, w + u), b: all.slice(w + u) };
  }
  return own;
}

/** The networks of state s, side by side: {key, name, net, sign}, where sign tells nets apart. */
export function networks(s, own, T) {
  const bias = (key, net, value, name) => ({
    key,
    name,
    net: withForgetBias(net, value),
    sign: `${s.seed} ${value}`,
  });
  if (own.kind === "RNN") {
    const factor = own.radius > 0 ? s.radius / own.radius : 0;
    return [
      { key: "layer", name: `As given, radius ${own.radius.toFixed(2)}`, net: own.net, sign: "" },
      {
        key: "own",
        name: `Yours: radius ${s.radius.toFixed(2)}`,
        net: scaled(own.net, factor),
        sign: `${s.radius}`,
      },
    ];
  }
  const forget = `Forget bias ${s.b_f.toFixed(1).replace("-", "−")}`;
  if (own.kind)
    return [
      { key: "layer", name: "Your LSTM", net: own.net, sign: "" },
      bias("own", own.net, s.b_f, forget),
    ];
  const { LSTM, RNN, u } = seeded(own.numbers, own.D, own.H, s.seed);
  return [
    {
      key: "rnn",
      name: `RNN, radius ${s.radius.toFixed(2)}`,
      net: scaled(RNN, s.radius),
      sign: `${s.seed} ${s.radius}`,
    },
    bias("bias0", LSTM, 0, "Forget bias 0"),
    bias("bias1", LSTM, 1, "Forget bias 1"),
    bias("bias5", LSTM, 5, "Forget bias 5"),
    {
      key: "chrono",
      name: `Chrono, T = ${T}`,
      net: chrono(LSTM, u, T),
      sign: `${s.seed} chrono ${T}`,
    },
    bias("own", LSTM, s.b_f, `Yours: ${forget.toLowerCase()}`),
  ];
}

/**
 * A function from the state to all networks with their gradients, which works out anew only what
 * has changed: {key, name, net, trace, flow, main, half, left, read}. left is the log10 of the norm
 * of dL/dh at the first step, of any network, where dL/dh at the last has the norm 1. main is the
 * curve along which the network keeps its gradient, "c" or "h", and half that curve's half-life;
 * read is the log10 of where it begins: what an LSTM's read-out lets through, 0 of an RNN.
 */
export function flows(own) {
  const kept = new Map();
  return (s) => {
    const T = Math.min(s.length, own.longest);
    return networks(s, own, T).map(({ key, name, net, sign }) => {
      let now = kept.get(key);
      if (now?.sign !== sign || now.trace.T < T) {
        // Read on a little further than asked: a longer sequence then needs no new forward pass.
        const more = now?.sign === sign ? Math.min(own.longest, 2 * T) : T;
        now = { key, sign, net, trace: run(net, own.x, more) };
        kept.set(key, now);
      }
      now.name = name;
      if (now.flow?.T !== T) {
        now.flow = flow(now.net, now.trace, T);
        now.main = net.kind === "RNN" ? "h" : "c";
        const logs = now.flow[now.main];
        now.half = halfLife(logs, T);
        now.left = now.flow.h[0];
        now.read = logs[T - 1];
      }
      return now;
    });
  };
}

/** The numbers of a state, for a test: every network's curves. */
export const runFlow = (s, [shape, numbers, input]) =>
  flows(unpackFlow(shape, numbers, input))(s).map(
    ({ key, flow: { h, c, direct }, half, left, read }) => ({
      key,
      h,
      c,
      direct,
      half,
      left,
      read,
    }),
  );

/**
 * What the gradient at step t (from 0) is made of, unit by unit, as numbers that are to be
 * multiplied by 2^exponent. Of an LSTM, for each unit of H: total = direct + i + f + o + g, where
 * direct came along the cell state, f_{t+1} dL/dc_{t+1}, and i … g through that gate's sums and
 * h_t; at the last step only loss. terms[q] (H·H): U_q[k, j] dL/dz_q[k] at row k, column j.
 */
export function parts(net, trace, found, t) {
  const { H } = net,
    isLstm = net.kind !== "RNN",
    last = t === found.T - 1,
    now = t * H;
  const zero = () => new Float64Array(H),
    exponent = found.exponent[last ? t : t + 1];
  const gates = isLstm ? BLOCKS : ["h"];
  const made = {
    exponent,
    gates,
    last,
    total: zero(),
    loss: zero(),
    direct: zero(),
    dh: zero(),
    through: zero(),
    terms: {},
    delta: {},
    dcNext: zero(),
  };
  for (const q of gates) {
    made[q] = zero();
    made.terms[q] = new Float64Array(H * H);
    made.delta[q] = zero();
  }
  for (let j = 0; j < H; j++) {
    made.through[j] = isLstm ? trace.o[now + j] * (1 - trace.tanhc[now + j] ** 2) : 1;
    if (last) made.loss[j] = found.dh[now + j] * made.through[j];
  }
  if (!last) {
    const next = now + H,
      dh = found.dh.slice(next, next + H),
      delta = new Float64Array(gates.length * H);
    // stepBack adds what c gets through h; found.dc has it already.
    const dc = isLstm ? zero() : null;
    if (isLstm) {
      for (let j = 0; j < H; j++) {
        const through = trace.o[next + j] * (1 - trace.tanhc[next + j] ** 2);
        dc[j] = found.dc[next + j] - dh[j] * through;
      }
    }
    stepBack(net, trace, t + 1, dh, dc, delta);
    gates.forEach((q, row) => {
      for (let k = 0; k < H; k++) {
        made.delta[q][k] = delta[row * H + k];
        for (let j = 0; j < H; j++) {
          const term = net.U[(row * H + k) * H + j] * delta[row * H + k];
          made.terms[q][k * H + j] = term;
          made[q][j] += term * made.through[j];
          made.dh[j] += term;
        }
      }
    });
    if (isLstm) {
      for (let j = 0; j < H; j++) {
        made.dcNext[j] = found.dc[next + j];
        made.direct[j] = trace.f[next + j] * found.dc[next + j];
      }
    }
  } else for (let j = 0; j < H; j++) made.dh[j] = found.dh[now + j];
  for (let j = 0; j < H; j++) {
    made.total[j] = made.loss[j] + made.direct[j];
    for (const q of gates) made.total[j] += made[q][j];
  }
  return made;
}
