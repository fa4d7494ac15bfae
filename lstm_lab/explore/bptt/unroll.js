// A short LSTM unrolled in time: forward, back, and what moves when.

import { lstmBackward, lstmForward } from "../frontend/equations/lstm.js";
import { noise } from "../frontend/signals.js";

export const RATE = 0.5;
const TARGET = 0.7;

/** What a moment of the way there and back computes, in its order. */
export const THERE = ["gates", "cell", "hidden", "loss"];
export const BACK = ["hidden", "cell", "gates", "weights"];

/** The step t (from 0) and the phase of a moment: four to each step, there and then back. */
export function place(moment, T) {
  const back = moment >= 4 * T,
    k = back ? moment - 4 * T : moment;
  const t = back ? T - 1 - Math.floor(k / 4) : Math.floor(k / 4);
  return { t, back, phase: k % 4, name: (back ? BACK : THERE)[k % 4] };
}

/** The moment at which a step's phase is computed; the inverse of `place`. */
export const momentOf = (t, phase, back, T) => (back ? 4 * T + 4 * (T - 1 - t) : 4 * t) + phase;

/** Input x (T), target y (T) and mask (T), 1 where a step counts, of a task; -0 never occurs. */
export function lesson(task, T) {
  const x = new Float64Array(T),
    y = new Float64Array(T),
    mask = new Float64Array(T);
  if (task === "remember") {
    x[0] = 1;
    y[T - 1] = TARGET;
    mask[T - 1] = 1;
    return { x, y, mask };
  }
  x.set(noise(T).map((v) => Math.round(10 * v) / 10));
  let sum = 0;
  for (let t = 0; t < T; t++) {
    sum += x[t];
    if (task === "mean") y[t] = sum / (t + 1);
    else if (t) y[t] = x[t - 1];
    mask[t] = task === "mean" || t ? 1 : 0;
  }
  return { x, y, mask };
}

/** The small network of a size and seed, out of the float32 numbers that Python sends. */
export function smallNet(numbers, D, H, seed, forgetBias, seeds = 8) {
  const size = (h) => 4 * h * (D + h + 1);
  let at = seed * size(H);
  for (let h = 1; h < H; h++) at += seeds * size(h);
  const net = unpackNet(numbers.subarray(at, at + size(H)), D, H);
  net.b.fill(Math.fround(forgetBias), 2 * H, 3 * H);
  return net;
}

/** A network out of its float32 numbers: W (4H·D), U (4H·H), b (4H). */
export function unpackNet(numbers, D, H) {
  const all = Float64Array.from(numbers),
    w = 4 * H * D,
    u = 4 * H * H;
  return { D, H, W: all.slice(0, w), U: all.slice(w, w + u), b: all.slice(w + u, w + u + 4 * H) };
}

/** What the picture is of, as the widget's traits carry it. */
export const unpackUnroll = ({ D, H }, numbers, input, target) => ({
  D,
  H,
  numbers: Float32Array.from(numbers),
  x: Float64Array.from(input),
  target: Float64Array.from(target, (v) => v ?? NaN),
});

/** The reader's own input and target, cut to T steps; a step without a target does not count. */
function userLesson({ D, x, target }, T) {
  const mask = Float64Array.from({ length: T }, (_, t) => (Number.isNaN(target[t]) ? 0 : 1));
  const y = Float64Array.from({ length: T }, (_, t) => (mask[t] ? target[t] : 0));
  if (!mask.some(Boolean)) {
    y[T - 1] = TARGET;
    mask[T - 1] = 1;
  }
  return { x: x.slice(0, T * D), y, mask };
}

/** A function from the state to {T, net, lesson, run}, which learns anew only what has changed. */
export function unrolls(own) {
  let kept = { sign: "" };
  return (s) => {
    const isOwn = s.task === "own",
      T = isOwn ? Math.min(s.length, own.x.length / own.D) : s.length;
    const sign = [T, s.task, s.hidden, s.seed, s.b_f, s.updates].join(" ");
    if (kept.sign === sign) return kept;
    const now = isOwn ? userLesson(own, T) : lesson(s.task, T);
    const first = own.H
      ? unpackNet(own.numbers, own.D, own.H)
      : smallNet(own.numbers, own.D, s.hidden, s.seed, s.b_f);
    const net = learn(first, now, T, s.updates);
    kept = { sign, T, net, lesson: now, run: pass(net, now, T), fresh: pass(first, now, T).total };
    return kept;
  };
}

/** The numbers of a state, for a test. */
export function runUnroll(s, own) {
  const { net, lesson: now, run } = unrolls(unpackUnroll(...own))(s),
    { trace, grad } = run;
  const { i, f, o, g, c, h } = trace;
  return {
    x: now.x,
    i,
    f,
    o,
    g,
    c,
    h,
    loss: run.loss,
    total: run.total,
    dh: grad.h,
    dc: grad.c,
    da: grad.delta,
    dx: grad.x,
    dW: grad.W,
    dU: grad.U,
    db: grad.b,
    gathered: gathered(net, run, now, 1),
  };
}

/** One pass there and back: {trace, loss (T), total, dy (T·H), grad} for a net and a lesson. */
export function pass(net, { x, y, mask }, T) {
  const { H } = net,
    trace = lstmForward(net, x, T);
  const n = H * mask.reduce((a, b) => a + b, 0);
  const dy = new Float64Array(T * H),
    loss = new Float64Array(T);
  for (let t = 0; t < T; t++) {
    for (let j = 0; j < H; j++) {
      const miss = mask[t] * (trace.h[t * H + j] - y[t]);
      dy[t * H + j] = (2 * miss) / n;
      loss[t] += (miss * miss) / n;
    }
  }
  return {
    T,
    n,
    trace,
    dy,
    loss,
    total: loss.reduce((a, b) => a + b, 0),
    grad: lstmBackward(net, trace, dy),
  };
}

/** The net after so many steps of gradient descent on a lesson. */
export function learn(net, lesson, T, updates) {
  const now = {
    ...net,
    W: Float64Array.from(net.W),
    U: Float64Array.from(net.U),
    b: Float64Array.from(net.b),
  };
  for (let k = 0; k < updates; k++) {
    const { grad } = pass(now, lesson, T);
    for (const name of ["W", "U", "b"]) {
      for (let j = 0; j < now[name].length; j++) now[name][j] -= RATE * grad[name][j];
    }
  }
  return now;
}

/** What the way back has added up before and at step t: {W, U, b} from the last step to t. */
export function gathered(net, run, lesson, t) {
  const { D, H } = net,
    { trace, grad, T } = run,
    rows = 4 * H;
  const sum = {
    W: new Float64Array(rows * D),
    U: new Float64Array(rows * H),
    b: new Float64Array(rows),
  };
  for (let s = Math.max(t, 0); s < T; s++) {
    for (let r = 0; r < rows; r++) {
      const delta = grad.delta[s * rows + r];
      sum.b[r] += delta;
      for (let d = 0; d < D; d++) sum.W[r * D + d] += delta * lesson.x[s * D + d];
      for (let j = 0; j < H; j++)
        sum.U[r * H + j] += delta * (s ? trace.h[(s - 1) * H + j] : trace.h0[j]);
    }
  }
  return sum;
}
