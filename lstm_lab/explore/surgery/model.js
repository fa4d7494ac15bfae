// Gates of a network that are held at a value for some steps, and what comes of it.

import { floats } from "../frontend/dom.js";
import { BLOCKS, lstmForward } from "../frontend/equations/lstm.js";
import { fmt, QUANTITIES } from "../frontend/format.js";

/** The networks that the widget's traits carry: name to {D, H, W, U, b, V (H), c}; V null: none. */
export function unpackNets(shapes, bytes) {
  const all = Float64Array.from(floats(bytes)),
    nets = {};
  let at = 0;
  const take = (n) => all.slice(at, (at += n));
  for (const [name, [D, H, head]] of Object.entries(shapes)) {
    nets[name] = {
      D,
      H,
      W: take(4 * H * D),
      U: take(4 * H * H),
      b: take(4 * H),
      V: head ? take(H) : null,
      c: head ? take(1)[0] : 0,
    };
  }
  return nets;
}

/** The input (T · D) of state s: pulses a gap apart, the latch's with changing sign, or own x. */
export function surgeryInput(s, own, D) {
  if (own) return Float64Array.from(own).slice(0, s.length * D);
  let count = 0;
  return Float64Array.from({ length: s.length }, (_, t) => {
    if (t % s.gap !== Math.min(2, s.gap - 1)) return 0;
    count += 1;
    return s.net === "latch" && count % 2 === 0 ? -1 : 1;
  });
}

/** The gates that state s holds: {f: 1, …}. */
export const clampsOf = (s) =>
  Object.fromEntries(
    BLOCKS.filter((q) => s[`clamp_${q}`] !== "free").map((q) => [q, Number(s[`clamp_${q}`])]),
  );

/** The units, from 0, that state s operates on, of H. */
export const unitsOf = (s, H) =>
  Array.from({ length: H }, (_, k) => k).filter(
    (k) => s.cells === "all" || s.cells.split(" ").includes(String(k + 1)),
  );

/** A gate that is held has no weights, and a bias of plus or minus infinity. */
function clampedNet(net, clamps, units) {
  const { D, H } = net,
    W = Float64Array.from(net.W),
    U = Float64Array.from(net.U),
    b = Float64Array.from(net.b);
  BLOCKS.forEach((q, block) => {
    if (clamps[q] === undefined) return;
    for (const unit of units) {
      const row = block * H + unit;
      W.fill(0, row * D, (row + 1) * D);
      U.fill(0, row * H, (row + 1) * H);
      b[row] = clamps[q] === 1 ? Infinity : clamps[q] === (q === "g" ? -1 : 0) ? -Infinity : 0;
    }
  });
  return { ...net, W, U, b };
}

const STATES = [...BLOCKS, "c", "tanhc", "h"];

/**
 * The network of state s with and without its operation. nets as unpackNets returns them; own:
 * the reader's input or null. Returns {T, D, H, x, net, done, free (traces, T · H), y, yFree (T),
 * first, last (steps, from 0), units, clamps, during, later, limit, truth}.
 */
export function operate(s, nets, own = null) {
  const net = nets[s.net],
    { D, H } = net,
    x = surgeryInput(s, own, D),
    T = x.length / D;
  const ends = [Math.min(s.begin, T), Math.min(s.end, T)].sort((a, b) => a - b),
    first = ends[0] - 1,
    last = ends[1] - 1;
  const clamps = clampsOf(s),
    units = unitsOf(s, H);
  const free = lstmForward(net, x, T),
    done = { T, x, h0: free.h0, c0: free.c0 };
  for (const q of STATES) done[q] = new Float64Array(T * H);
  let state = {};
  for (const [part, from, to] of [
    [net, 0, first],
    [clampedNet(net, clamps, units), first, last + 1],
    [net, last + 1, T],
  ]) {
    if (to <= from) continue;
    const trace = lstmForward(part, x.slice(from * D, to * D), to - from, state),
      end = (to - from - 1) * H;
    for (const q of STATES) done[q].set(trace[q], from * H);
    state = { h: trace.h.slice(end, end + H), c: trace.c.slice(end, end + H) };
  }
  const unit = Math.min(s.unit, H) - 1;
  const output = (h) =>
    Float64Array.from({ length: T }, (_, t) => {
      if (!net.V) return h[t * H + unit];
      let sum = net.c;
      for (let k = 0; k < H; k++) sum += net.V[k] * h[t * H + k];
      return sum;
    });
  const y = output(done.h),
    yFree = output(free.h);
  let during = 0,
    later = 0;
  for (let t = first; t < T; t++) {
    const away = Math.abs(y[t] - yFree[t]);
    if (t <= last) during = Math.max(during, away);
    else later = Math.max(later, away);
  }
  const limit = Math.max(0.1 * (Math.max(...yFree) - Math.min(...yFree)), 1e-6);
  const truth =
    during > limit ? (later > limit ? "both" : "during") : later > limit ? "after" : "same";
  return {
    T,
    D,
    H,
    x,
    net,
    done,
    free,
    y,
    yFree,
    first,
    last,
    units,
    clamps,
    during,
    later,
    limit,
    truth,
  };
}

/** What each network has learnt. */
export const LEARNT = {
  latch: "It says 1 after a pulse of +1, and 0 after one of −1.",
  counter: "It counts the pulses, a tenth for each.",
  toggler: "It flips between 0 and 1 at every pulse.",
  own: "Your own network.",
};

/** Named operations: what each clamps. */
export const OPERATIONS = {
  hold: { words: "Freeze", clamps: { f: "1", i: "0" } },
  erase: { words: "Erase", clamps: { f: "0" } },
  deafen: { words: "Deafen", clamps: { i: "0" } },
  mute: { words: "Mute", clamps: { o: "0" } },
};

export const PREDICTIONS = {
  same: "Nothing changes.",
  during: "Different while the clamps hold, right again after.",
  after: "Different only after they are off.",
  both: "Different during and after.",
};

/** The operation in words: "f = 1 and i = 0 in all 3 units, steps 14 to 24". */
export function operationWords(run) {
  const held = ["i", "f", "o", "g"]
    .filter((q) => run.clamps[q] !== undefined)
    .map((q) => `${q} = ${fmt(run.clamps[q], 0)}`);
  if (!held.length || !run.units.length) return "No gate is clamped";
  const which =
    run.units.length === run.H
      ? run.H === 1
        ? "the unit"
        : `all ${run.H} units`
      : `unit${run.units.length > 1 ? "s" : ""} ${run.units.map((k) => k + 1).join(", ")}`;
  return `${held.join(" and ")} in ${which}, steps ${run.first + 1} to ${run.last + 1}`;
}

/** What the clamps make of the cell's two equations, as `math` writes it, and what it means. */
export function closedForm(clamps) {
  const { f, i, o, g } = clamps,
    n = (value) => `${fmt(value, 0)}`;
  const kept = f === undefined ? "f_{t} c_{t-1}" : f ? "c_{t-1}" : "";
  const between = i === undefined && g === undefined ? " " : "",
    written = g === undefined ? "g_{t}" : i === undefined ? ` · ${n(g)}` : n(g);
  const write = i === 0 || g === 0 ? "" : `${i === undefined ? "i_{t}" : ""}${between}${written}`;
  const c = [kept, write].filter(Boolean).join(" + ") || "0";
  const h = o === undefined ? "o_{t} tanh(c_{t})" : o ? "tanh(c_{t})" : "0";
  const meaning =
    f === 1 && write === ""
      ? "the memory stands still, deaf to what comes in"
      : f === 0 && write === ""
        ? "the memory is empty"
        : f === 0
          ? "nothing is kept: only what comes in right now"
          : f === 1
            ? "nothing is forgotten any more"
            : write === ""
              ? "nothing new gets in; what is there fades as before"
              : o === 0
                ? "the memory works on, but says nothing"
                : o === 1
                  ? "all of the memory shows"
                  : i === 1
                    ? "everything gets in"
                    : "the cell works as it has learnt";
  return { symbols: [`c_{t} = ${c}`, `h_{t} = ${h}`], meaning };
}

/** The operation and, once there is a prediction, its result in words. */
export function surgeryWords(run, s) {
  const what = operationWords(run);
  if (s.guess === "none")
    return `${LEARNT[s.net]} ${what}. What will the output do? Predict, and it is shown.`;
  const change = (value) =>
    value > run.limit ? `differs by up to ${fmt(value)}` : "stays as it was";
  const said = (prediction) => PREDICTIONS[prediction].toLowerCase().slice(0, -1);
  const later = run.last === run.T - 1 ? "has no time to change" : change(run.later);
  return (
    `${what}: while they hold, the output ${change(run.during)}; afterwards it ${later}. ` +
    `You predicted: ${said(s.guess)}; ` +
    `${s.guess === run.truth ? "right" : `in truth: ${said(run.truth)}`}.`
  );
}

/** What is read at a step of a trace, in words. */
export function unitWords(run, trace, unit, t) {
  const k = t * run.H + unit;
  return ["i", "f", "o", "c", "h"]
    .map((q) => `${QUANTITIES[q].name} ${fmt(trace[q][k])}`)
    .join(", ");
}
