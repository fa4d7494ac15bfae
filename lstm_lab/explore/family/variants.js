// The variants of the LSTM over one input: their numbers, and what is left of the first pulse.

import { gruForward } from "../frontend/equations/gru.js";
import { lstmForward, rnnForward } from "../frontend/equations/lstm.js";
import { inputSignal } from "../frontend/signals.js";

/**
 * Each variant: its name; how it computes: type, of an LSTM what it keeps of the old cell (its
 * "gate"'s share, "all", or, "coupled", what is not written) and whether its gates have peepholes,
 * of a GRU whether the reset gate acts `after` the product.
 */
export const VARIANTS = {
  rnn: { name: "plain RNN", type: "RNN" },
  cell1997: { name: "cell of 1997", type: "LSTM", keep: "all" },
  lstm: { name: "LSTM", type: "LSTM", keep: "gate" },
  peepholes: { name: "peephole LSTM", type: "LSTM", keep: "gate", peepholes: true },
  cifg: { name: "CIFG", type: "LSTM", keep: "coupled" },
  gru: { name: "GRU", type: "GRU", after: true },
};

const GATES = { gate: ["i", "f", "o"], all: ["i", "o"], coupled: ["i", "f", "o"] };

/** What a variant has: its memory's letter, the gates that are drawn, the candidate's letter. */
export function partsOf({ type, keep }) {
  if (type === "RNN") return { memory: "h", gates: [] };
  if (type === "GRU") return { memory: "h", gates: ["z", "r"], candidate: "n" };
  return { memory: "c", gates: GATES[keep], candidate: "g" };
}

/** Can its memory grow beyond ±1? */
export const unbounded = ({ type, keep }) => type === "LSTM" && keep !== "coupled";

/**
 * How many gates it has, and its weights: {gates, blocks, extra}, blocks of H(D + H + 1) and extra
 * of H.
 */
export function sizeOf({ type, keep, peepholes, after }) {
  if (type === "RNN") return { gates: 0, blocks: 1, extra: 0 };
  if (type === "GRU") return { gates: 2, blocks: 3, extra: after ? 1 : 0 };
  const gates = keep === "gate" ? 3 : 2;
  return { gates, blocks: gates + 1, extra: peepholes ? gates : 0 };
}

const CANDIDATE = { x: "w", h: "u", b: "b_g" },
  SEES_STATE = { h: "u", b: "b_o" };
// The one gate of CIFG and GRU writes as the input gate does, and keeps as the forget gate does.
const LSTM_TERMS = {
  i: { x: "w_i", h: "u", b: "b_i" },
  f: { h: "u", b: "b_f" },
  o: SEES_STATE,
  g: CANDIDATE,
};
const CIFG_TERMS = { i: { x: "w_i", h: "u", b: "-b_f" }, o: SEES_STATE, g: CANDIDATE };
const GRU_TERMS = { z: { x: "-w_i", h: "-u", b: "b_f" }, r: SEES_STATE, n: CANDIDATE };

/** What a single unit's gates and candidate add up: by letter, the setting's names of the factors
 *  of x, of h, of c where there are peepholes, and of the bias; a minus turns the sign. */
export function preActivationsOf({ type, keep, peepholes }) {
  if (type === "RNN") return { h: CANDIDATE };
  if (type === "GRU") return GRU_TERMS;
  const { f, ...others } = keep === "coupled" ? CIFG_TERMS : LSTM_TERMS;
  const made = keep === "gate" ? { ...others, f } : others;
  return peepholes
    ? Object.fromEntries(
        Object.entries(made).map(([q, terms]) => [q, q === "g" ? terms : { ...terms, c: "p" }]),
      )
    : made;
}

/** The factor that a name stands for at setting s; 0 where there is none. */
export const factorOf = (s, name) => (!name ? 0 : name[0] === "-" ? -s[name.slice(1)] : s[name]);

/** The net of a single unit at setting s, its rows in the library's order. */
function unitNet(variant, s) {
  const made = preActivationsOf(variant),
    column = (letters, part) => [...letters].map((q) => factorOf(s, made[q][part]));
  const net = (w, u, b) => ({
    D: 1,
    H: 1,
    W: column(w, "x"),
    U: column(u, "h"),
    b: b ?? column(w, "b"),
  });
  if (variant.type === "RNN") return net("h", "h");
  if (variant.type === "GRU")
    return { ...net("nrz", "rzn", [...column("nrz", "b"), 0]), after: variant.after };
  const order = variant.keep === "gate" ? "oifg" : "oig";
  return {
    ...net(order, order),
    P: variant.peepholes ? column(order.slice(0, -1), "c") : undefined,
  };
}

/**
 * An LSTM whose forget gate does what a cell without one of its own does, from rows o, i, g: open
 * for good, or 1 - i = σ(-a) where i = σ(a).
 */
function withForgetGate({ D, H, W, U, b, P }, keep) {
  const widen = (rows, wide, fill) => {
    const at = 2 * H * wide,
      made = Float64Array.from({ length: rows.length + H * wide });
    made.set(rows.slice(0, at));
    made.set(rows.slice(at), at + H * wide);
    for (let k = 0; k < H * wide; k++)
      made[at + k] = keep === "coupled" ? -rows[H * wide + k] : fill;
    return made;
  };
  return {
    D,
    H,
    W: widen(W, D, 0),
    U: widen(U, H, 0),
    b: widen(b, 1, Infinity),
    P: P && widen(P, 1, 0),
  };
}

/** The trace of a variant with this net over x (T·D): of an LSTM {i, f, o, g, c, h}, of a GRU
 *  {z, r, n, h}, of an RNN {h}, each (T·H). */
export function variantForward({ type, keep }, net, x, T) {
  if (type === "RNN") return rnnForward(net, x, T);
  if (type === "GRU") return gruForward(net, x, T);
  return lstmForward(keep === "gate" ? net : withForgetGate(net, keep), x, T);
}

// What gets in below this share of the memory is lost among rounding errors.
const NOTHING = 1e-9;

/**
 * What is left of the input at step `first` (from 0), from the memory (T) with it and without it:
 * left, the difference at the end as a share of the largest; half, after how many steps it is below
 * half of the largest for good, T if never. Both 0 where nothing got in.
 */
export function keptOf(memory, without, first) {
  const T = memory.length,
    gap = memory.map((m, t) => Math.abs(m - without[t]));
  const largest = Math.max(...gap);
  if (largest < NOTHING * Math.max(1, ...memory.map(Math.abs)))
    return { largest: 0, left: 0, half: 0 };
  let last = T - 1;
  while (gap[last] <= (largest / 2) * (1 + 1e-9)) last--;
  return { largest, left: gap[T - 1] / largest, half: last === T - 1 ? T : last + 1 - first };
}

/** A variant's run over x, and over x without its first input: unit `unit` of its net. */
function runOf(variant, net, x, first, unit) {
  const T = x.length,
    { H } = net,
    { memory, gates, candidate } = partsOf(variant);
  const one = (values) =>
    H === 1 ? values : Float64Array.from({ length: T }, (_, t) => values[t * H + unit]);
  const trace = variantForward(variant, net, x, T),
    run = { variant, memory };
  for (const q of new Set([...gates, candidate, memory, "h"])) if (q) run[q] = one(trace[q]);
  const blank = x.slice();
  blank[first] = 0;
  run.m = run[memory];
  run.without = one(variantForward(variant, net, blank, T)[memory]);
  return Object.assign(run, keptOf(run.m, run.without, first));
}

/** The reader's own layer: its shape, and its numbers (float32, in the library's order). */
export function unpackLayer(shape, numbers) {
  if (!shape.H) return null;
  const { H, type, peepholes, after } = shape,
    { blocks, extra } = sizeOf(shape),
    all = Float64Array.from(numbers);
  let at = 0;
  const next = (count) => all.slice(at, (at += count));
  const net = {
    D: 1,
    H,
    after,
    W: next(blocks * H),
    U: next(blocks * H * H),
    b: next((blocks + (type === "GRU" ? extra : 0)) * H),
    P: peepholes ? next(extra * H) : undefined,
  };
  return { shape, net, key: "", run: null };
}

/**
 * All variants at setting s: {T, x, first, variants}, variants by name the runs
 * {m, without, h, gates by letter, largest, left, half}; own as `unpackLayer` gives it.
 */
export function runFamily(s, own = null) {
  const T = s.length,
    x = inputSignal(s.preset, T, s.period),
    first = Math.max(
      0,
      x.findIndex((v) => v !== 0),
    );
  const variants = {};
  for (const [key, variant] of Object.entries(VARIANTS))
    variants[key] = runOf(variant, unitNet(variant, s), x, first, 0);
  if (own) {
    // The sliders move the variants only: the reader's layer is run anew for another input.
    const key = `${s.preset} ${T} ${s.period}`;
    if (own.key !== key)
      Object.assign(own, { key, run: runOf(own.shape, own.net, x, first, own.shape.unit) });
    variants.own = own.run;
  }
  return { T, x, first, variants };
}

/** The same from what a test can send. */
export const familyNumbers = (s, shape, numbers) => runFamily(s, unpackLayer(shape, numbers));

/** Settings that show something, each with what to look at. */
const QUIET = { period: 20, w: 2, w_i: 0, u: 0, p: 0, b_f: 2, b_i: 0, b_o: 1, b_g: 0 };
const NOISY = { ...QUIET, preset: "noise", length: 300, u: 0.2, p: 0.5 },
  COUNTED = { ...QUIET, preset: "spikes", length: 200 };
export const STORIES = {
  drift: {
    words: "drift",
    set: NOISY,
    see:
      "The input is noise. The cell of 1997 adds up all of it, and its memory drifts away. " +
      "Those that forget stay near zero.",
  },
  remedy: {
    words: "the remedy of 1997",
    set: { ...NOISY, b_i: -4 },
    see:
      "A negative bias of the input gate: little gets in, so the drift is slow. " +
      "It only takes longer.",
  },
  counting: {
    words: "counting",
    set: { ...COUNTED, b_f: 8, b_i: 8 },
    see:
      "Keep all, and add all of each pulse: three of them count. " +
      "CIFG and GRU must choose, and at this bias they keep.",
  },
  replacing: {
    words: "CIFG cannot count",
    set: { ...COUNTED, w_i: 14, b_f: 7, b_i: -7 },
    see:
      "Now each pulse opens the gate that writes. The LSTM adds it to what is there; " +
      "CIFG and GRU put it in the place of what is there, and stay at 1.",
  },
  shut: {
    words: "shut output",
    set: { ...COUNTED, b_f: 8, b_i: 8, b_o: -8, p: 1.5 },
    see:
      "The output gates are shut: h is 0, whatever the count. " +
      "With peepholes the gate sees the cell itself, and opens when the count is high enough.",
  },
};

/** The setting of a story, for a test. */
export const storySetting = (name) => STORIES[name].set;
