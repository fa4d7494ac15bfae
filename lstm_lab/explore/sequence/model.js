// A unit over a sequence: its input, its run, how long it remembers, what it is to match.

import { BLOCKS, lstmForward } from "../frontend/equations/lstm.js";
import { inputSignal } from "../frontend/signals.js";

/** The values of a drawn input, which is written in runs: "0*5 1 0.5*3". */
export function readRuns(runs, T) {
  const values = new Float64Array(T);
  let t = 0;
  for (const run of runs.split(" ").filter(Boolean)) {
    const [value, count = 1] = run.split("*").map(Number);
    for (let k = 0; k < count && t < T; k++) values[t++] = value;
  }
  return values;
}

/** The runs of values, rounded to twentieths; zeros at the end are left out. */
export function writeRuns(values) {
  const runs = [];
  for (const exact of values) {
    const value = Math.round(exact * 20) / 20 + 0,
      last = runs.at(-1);
    if (last?.[0] === value) last[1] += 1;
    else runs.push([value, 1]);
  }
  if (runs.at(-1)?.[0] === 0) runs.pop();
  return runs.map(([value, count]) => (count > 1 ? `${value}*${count}` : `${value}`)).join(" ");
}

/** What the cell state is to be, over the input x; k: how many steps "forgetting" keeps. */
export function targetOf(match, x, k) {
  const target = new Float64Array(x.length);
  let state = 0,
    since = Infinity;
  for (let t = 0; t < x.length; t++) {
    const up = x[t] > 0.5,
      down = x[t] < -0.5;
    since = up ? 0 : since + 1;
    if (match === "latch") state = up ? 1 : down ? 0 : state;
    else if (match === "counter") state += up;
    else if (match === "integrator") state += 0.2 * x[t];
    else if (match === "forgetting") state = Number(since < k);
    else if (match === "toggler") state = up ? 1 - state : state;
    target[t] = state;
  }
  return target;
}

/**
 * How close c comes to the target, 0 to 1: the target's variance over itself and what is missed.
 */
export function scoreOf(c, target) {
  const mean = target.reduce((sum, v) => sum + v, 0) / target.length;
  let missed = 0,
    all = 0;
  for (let t = 0; t < target.length; t++) {
    missed += (c[t] - target[t]) ** 2;
    all += (target[t] - mean) ** 2;
  }
  return missed ? all / (all + missed) : 1;
}

const flat = Object.fromEntries(
  ["b", "w", "u"].flatMap((kind) => ["f", "i", "g", "o"].map((q) => [`${kind}_${q}`, 0])),
);

/** Behaviours to match: the input that shows each, and one setting that comes close. */
export const BEHAVIOURS = {
  latch: {
    words: "latch: set by +1, reset by −1",
    input: { preset: "set and reset" },
    way: {
      ...flat,
      b_f: 2,
      b_i: -1.5,
      b_o: -0.2,
      w_f: 4.7,
      w_i: 5,
      w_g: 5,
      w_o: 0.6,
      u_f: -5,
      u_i: 4.8,
      u_g: 3,
      u_o: 0.6,
    },
  },
  counter: {
    words: "counter: one more at each pulse",
    input: { preset: "spikes", period: 10 },
    way: { ...flat, b_f: 8, b_i: 8, w_g: 5 },
  },
  integrator: {
    words: "integrator: adds up a fifth of the input",
    input: { preset: "sine", period: 25 },
    way: { ...flat, b_f: 8, b_i: 8, w_g: 0.2 },
  },
  forgetting: {
    words: "forget after a period",
    input: { preset: "impulse", period: 20 },
    way: {
      ...flat,
      b_f: 4.2,
      b_i: -0.2,
      b_g: 0.2,
      b_o: 8,
      w_f: 5,
      w_i: 5,
      w_g: 5,
      w_o: 5,
      u_f: 5,
      u_i: -4.9,
      u_g: -5,
      u_o: 5,
    },
  },
  toggler: {
    words: "toggler: flips at each pulse",
    input: { preset: "spikes", period: 20 },
    way: {
      ...flat,
      b_f: 8,
      b_i: -4.4,
      b_g: 3.9,
      b_o: 7.2,
      w_f: -4.5,
      w_i: 5,
      w_g: -0.6,
      w_o: -5,
      u_f: -5,
      u_i: 5,
      u_g: -5,
      u_o: 5,
    },
  },
};

/** The input of state s, (T·D). */
export function inputOf(s, own) {
  if (s.preset === "own") return own.x.subarray(0, s.length * own.D);
  return s.preset === "drawn"
    ? readRuns(s.drawn, s.length)
    : inputSignal(s.preset, s.length, s.period);
}

/**
 * The unit of state s over its sequence. Returns per step x (T·D), i, f, o, g, c, h, all (T), and
 * rest, what is left of the first pulse; first, mean, halfLife, memory, left; trace and net, of the
 * whole layer; and, where there is something to match, target and score.
 */
export function runSequence(s, own = { D: 1, H: 1, unit: 0 }) {
  const T = s.length,
    { D, H, unit } = own;
  const x = inputOf(s, own);
  const net = own.net
    ? { ...own.net, b: Float64Array.from(own.net.b) }
    : {
        D,
        H,
        W: BLOCKS.map((k) => s[`w_${k}`]),
        U: BLOCKS.map((k) => s[`u_${k}`]),
        b: new Float64Array(4),
      };
  BLOCKS.forEach((k, row) => {
    net.b[row * H + unit] = s[`b_${k}`];
  });
  const trace = lstmForward(net, x, T);
  const run = { T, D, x, net, trace };
  for (const k of ["i", "f", "o", "g", "c", "h"]) {
    run[k] =
      H === 1 ? trace[k] : Float64Array.from({ length: T }, (_, t) => trace[k][t * H + unit]);
  }

  // The direct path from the first input on: the product of the forget gates after it.
  const nonzero = x.findIndex((v) => v !== 0);
  const first = nonzero < 0 ? 0 : Math.floor(nonzero / D);
  const rest = new Float64Array(T);
  rest[first] = run.i[first] * run.g[first];
  let logs = 0;
  for (let t = first + 1; t < T; t++) {
    rest[t] = rest[t - 1] * run.f[t];
    logs += Math.log(run.f[t]);
  }
  const mean = first + 1 < T ? Math.exp(logs / (T - 1 - first)) : run.f[first];
  if (s.match !== "nothing") {
    run.target = targetOf(s.match, D === 1 ? x : x.filter((_, k) => k % D === 0), s.period);
    run.score = scoreOf(run.c, run.target);
  }
  return Object.assign(run, {
    first,
    rest,
    mean,
    left: Math.exp(logs),
    logLeft: logs,
    halfLife: Math.log(0.5) / Math.log(mean),
    memory: 1 / (1 - mean),
  });
}
