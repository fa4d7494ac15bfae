// What a gradient's way back is in words, numbers and terms.

import { fmt, scientific, steps } from "../frontend/format.js";

// What float32 can hold, as log10: below the first it is 0, above the second infinite.
export const LEAST = Math.log10(1.4e-45);
export const MOST = Math.log10(3.4e38);
export const HALF = Math.log10(0.5);
const LN10 = Math.log(10);
const LN2 = Math.log(2);
// How many terms of a sum are listed one by one.
const LISTED = 10;

/** The number that has this log10. */
export const power = (log, digits = 2) => scientific(10 ** log, digits, log * LN10);
/** The number v · 2^exponent. */
export const times = (v, exponent, digits = 3) =>
  scientific(v, digits, Math.log(Math.abs(v)) + exponent * LN2);
export const float32 = (log) =>
  log < LEAST ? ", which is 0 in float32" : log > MOST ? ", which is infinite in float32" : "";

/** [low, high] of the common axis, in powers of ten: whole tens where there are many. */
export function decades(networks) {
  let low = -1,
    high = 0;
  for (const { flow } of networks) {
    for (const logs of [flow.h, flow.c]) {
      for (const v of logs ?? []) {
        if (v > -Infinity && v < low) low = v;
        if (v > high) high = v;
      }
    }
  }
  low = Math.max(low, -60);
  high = Math.min(high, 60);
  const gap = high - low > 25 ? 10 : high - low > 8 ? 5 : 1;
  return [gap * Math.floor(low / gap), gap * Math.ceil(high / gap - 0.02)];
}

/** What has become of dL/dh at the first step: [a number, what it is]. */
export const headline = ({ left }) => [power(left), left > 0 ? " × as large" : " left"];

/** How the curve goes that a network keeps its gradient on; of an LSTM, from where: dL/dc_T. */
export function course({ half, main, read }) {
  const lstm = main === "c";
  if (half === 0) return lstm ? "the read-out lets nothing through" : "nothing to begin with";
  const gone =
    half === Infinity ? "never halved" : `halved in ${steps(half)} step${half === 1 ? "" : "s"}`;
  return lstm ? `read-out ${power(read)}; c ${gone}` : gone;
}

/** How a network's gradient ends, in words. */
export const ending = (network, T) =>
  `${headline(network).join("")} after ${T - 1} steps; ${course(network)}`;

/** The overview in words: the same number of every network. */
export const sentence = ({ networks, open, T }) =>
  `‖∂L/∂h‖ is 1 at the last of ${T} steps. At the first: ` +
  `${networks.map((each) => `${each.name}: ${power(each.left)}`).join("; ")}. ` +
  `${open.name}: ${course(open)}.`;

/** The sum behind a number of `parts`, as lines for a list; unit j from 0. */
export function gradientTerms(made, net, t, j) {
  const isLstm = net.kind !== "RNN",
    { H } = net,
    show = (v) => times(v, made.exponent);
  const what = isLstm ? "c" : "h";
  if (made.last) {
    return [
      {
        words: `∂L/∂${what}_{${t + 1}}: from the loss at the last step`,
        value: made.total[j],
        text: `«${what}:${show(made.total[j])}»`,
        q: what,
      },
    ];
  }
  const rows = isLstm
    ? [
        {
          words: `along the cell state: f_{${t + 2}} · ∂L/∂c_{${t + 2}}`,
          value: made.direct[j],
          text: `«c:${show(made.direct[j])}»`,
          q: "c",
        },
      ]
    : [];
  const products = [];
  for (const q of made.gates) {
    for (let k = 0; k < H; k++) {
      const value = made.terms[q][k * H + j] * made.through[j];
      const u = net.U[(made.gates.indexOf(q) * H + k) * H + j];
      const way = isLstm ? `by gate ${q} of unit ${k + 1}` : `by unit ${k + 1}`;
      products.push({
        words:
          `${way}: ${fmt(u)} · ${show(made.delta[q][k])}` +
          `${isLstm ? ` · ${fmt(made.through[j])}` : ""}`,
        value,
        text: `«${q}:${show(value)}»`,
        q,
      });
    }
  }
  products.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  rows.push(...products.slice(0, LISTED));
  const rest = products.slice(LISTED).reduce((sum, { value }) => sum + value, 0);
  if (products.length > LISTED)
    rows.push({ words: `the other ${products.length - LISTED}`, value: rest, text: show(rest) });
  rows.push({
    words: `together ∂L/∂${what}_{${t + 1}} of unit ${j + 1}`,
    value: made.total[j],
    text: `«${what}:${show(made.total[j])}»`,
    q: what,
    total: true,
  });
  return rows;
}
