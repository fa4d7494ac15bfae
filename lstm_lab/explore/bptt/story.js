// What is computed at each node of an unrolled LSTM, there and back: formula, numbers, terms.

import { BLOCKS } from "../frontend/equations/lstm.js";
import { fmt, QUANTITIES, scientific, share } from "../frontend/format.js";
import { unpackUnroll, unrolls } from "./unroll.js";

/** The order in which the gates are listed. */
export const LISTED = ["i", "f", "o", "g"];
/** A step's nodes, from its input up to its loss. */
export const NODES = ["x", "i", "f", "o", "g", "c", "tanh", "h", "loss"];
/** The phase in which a node's value is known (forward pass), or its gradient (backward pass). */
const KNOWN = { x: 0, f: 0, i: 0, o: 0, g: 0, c: 1, tanh: 2, h: 2, loss: 3 };
const TOLD = { loss: 0, h: 0, tanh: 1, c: 1, f: 2, i: 2, o: 2, g: 2, x: 3 };
/** The node that a phase is about. */
export const ABOUT = { there: ["f", "c", "h", "loss"], back: ["h", "c", "f", "x"] };

export const toneOf = (node) => (node === "tanh" ? "c" : node === "loss" ? "" : node);
export const nameOf = (node) =>
  node === "tanh" ? "squashed cell state" : node === "loss" ? "loss" : QUANTITIES[node].name;

export const upper = (words) => words[0].toUpperCase() + words.slice(1);

/** A gradient as it is printed where room is scarce. */
export const slim = (v) => {
  const size = Math.abs(v);
  return size === 0
    ? "0"
    : size >= 0.095
      ? fmt(v, 2)
      : size >= 0.00095
        ? fmt(v, 3)
        : scientific(v, 1);
};
const long = (v) => scientific(v, 3);
const around = (v, write = long) => (v < 0 ? `(${write(v)})` : write(v));

/** Is the value of a node known at a moment {t, back, phase}, and is its gradient? */
export const valueKnown = (node, t, now) =>
  now.back || now.t > t || (now.t === t && now.phase >= KNOWN[node]);
export const gradientKnown = (node, t, now) =>
  now.back && (now.t < t || (now.t === t && now.phase >= TOLD[node]));

/** The value of a node of step t and unit j; of x, feature 0; of the loss, of the whole step. */
export function valueOf({ net, lesson, run }, node, t, j) {
  if (node === "x") return lesson.x[t * net.D];
  if (node === "loss") return run.loss[t];
  return run.trace[node === "tanh" ? "tanhc" : node][t * net.H + j];
}

/** δ of a gate of step t: dL/da. */
const deltaOf = ({ net, run }, q, t, k) => run.grad.delta[(4 * t + BLOCKS.indexOf(q)) * net.H + k];

/** The gradient of a node; of a gate, δ, with respect to its pre-activation. */
export function gradientOf(model, node, t, j) {
  const { net, run } = model,
    k = t * net.H + j;
  if (node === "loss") return 1;
  if (node === "x") return run.grad.x[t * net.D];
  if (node === "h") return run.grad.h[k];
  if (node === "c") return run.grad.c[k];
  if (node === "tanh") return run.grad.h[k] * run.trace.o[k];
  return deltaOf(model, node, t, j);
}

/** What is written for the derivative with respect to a node. */
export const byNode = (node, t) =>
  node === "loss"
    ? "∂L/∂L"
    : node === "tanh"
      ? `∂L/∂tanh c_{${t + 1}}`
      : "fiog".includes(node)
        ? `δ_{${t + 1}}^{${node}}`
        : `∂L/∂${node}_{${t + 1}}`;

/** How a node's value came about: {head, meaning, symbols, numbers, curve, terms, value, q}. */
export function forwardStory(model, node, t, j) {
  const { net, lesson, run } = model,
    { D, H } = net,
    { trace } = run,
    s = t + 1,
    k = t * H + j;
  const q = toneOf(node),
    value = valueOf(model, node, t, j),
    head = `${upper(nameOf(node))} at step ${s}`,
    meaning = "forward";
  const before = (name, m = j) => (t ? trace[name][(t - 1) * H + m] : trace[`${name}0`][m]);
  if (node === "x")
    return {
      head,
      meaning,
      q,
      value,
      symbols: `x_{${s}} is what comes in`,
      numbers: [`= «x:${fmt(value)}»`],
      terms: [{ words: `x_{${s}}, given`, value, text: fmt(value), q }],
    };
  if (node === "c") {
    const old = `«f:${share(trace.f[k])}» · «c:${around(before("c"), fmt)}»`,
      fresh = `«i:${share(trace.i[k])}» · «g:${around(trace.g[k], fmt)}»`;
    const terms = [
      {
        words: `kept: f_{${s}} · c_{${t}} = ${old}`,
        value: trace.f[k] * before("c"),
        q: "c",
      },
      {
        words: `let in: i_{${s}} · g_{${s}} = ${fresh}`,
        value: trace.i[k] * trace.g[k],
        q: "g",
      },
    ];
    return {
      head,
      meaning,
      q,
      value,
      symbols: `c_{${s}} = f_{${s}} · c_{${t}} + i_{${s}} · g_{${s}}`,
      terms,
      numbers: [`= ${old} + ${fresh}`, `= «c:${fmt(value, 3)}»`],
    };
  }
  if (node === "tanh") {
    const c = trace.c[k];
    return {
      head,
      meaning,
      q,
      value,
      symbols: `tanh c_{${s}}`,
      numbers: [`= tanh(«c:${fmt(c, 3)}»)`, `= «c:${fmt(value, 3)}»`],
      curve: ["tanh", c],
      terms: [{ words: `tanh(${fmt(c, 3)})`, value, q }],
    };
  }
  if (node === "h") {
    return {
      head,
      meaning,
      q,
      value,
      symbols: `h_{${s}} = o_{${s}} · tanh c_{${s}}`,
      numbers: [
        `= «o:${share(trace.o[k])}» · «c:${around(trace.tanhc[k], fmt)}»`,
        `= «h:${fmt(value, 3)}»`,
      ],
      terms: [
        {
          words:
            `o_{${s}} · tanh c_{${s}} = ` +
            `«o:${share(trace.o[k])}» · «c:${around(trace.tanhc[k], fmt)}»`,
          value,
          q,
        },
      ],
    };
  }
  if (node === "loss") {
    if (!lesson.mask[t])
      return {
        head,
        meaning,
        q,
        value,
        symbols: `L_{${s}}: this step does not count`,
        numbers: [],
        terms: [{ words: "does not count", value: 0, q }],
      };
    const y = lesson.y[t];
    return {
      head,
      meaning,
      q,
      value,
      symbols: `L_{${s}} = Σ (h_{${s}} − y_{${s}})^{2} / ${run.n}`,
      numbers: [
        `= ${H > 1 ? "Σ over the units" : `(«h:${fmt(trace.h[k], 3)}» − ${around(y, fmt)})^{2}`}` +
          `, target ${fmt(y)}`,
        `= ${fmt(value, 4)}`,
      ],
      terms: Array.from({ length: H }, (_, m) => ({
        words: `unit ${m + 1}: («h:${fmt(trace.h[t * H + m])}» − ${around(y, fmt)})^{2} / ${run.n}`,
        value: (trace.h[t * H + m] - y) ** 2 / run.n,
        q: "h",
      })),
    };
  }
  const row = BLOCKS.indexOf(node) * H + j,
    act = node === "g" ? "tanh" : "σ",
    terms = [];
  for (let d = 0; d < D; d++) {
    const w = net.W[row * D + d],
      x = lesson.x[t * D + d];
    terms.push({
      words: `input${D > 1 ? ` ${d + 1}` : ""}: ${fmt(w)} · «x:${around(x, fmt)}»`,
      value: w * x,
      q: "x",
    });
  }
  for (let m = 0; m < H; m++) {
    const u = net.U[row * H + m],
      h = before("h", m);
    terms.push({
      words: `h of unit ${m + 1} at step ${t}: ${fmt(u)} · «h:${around(h, fmt)}»`,
      value: u * h,
      q: "h",
    });
  }
  terms.push({ words: "bias", value: net.b[row], q: node });
  const a = terms.reduce((sum, term) => sum + term.value, 0);
  return {
    head,
    meaning,
    q,
    value,
    sum: a,
    terms,
    curve: [act, a],
    symbols: `${node}_{${s}} = ${act}(W_{${node}} x_{${s}} + U_{${node}} h_{${t}} + b_{${node}})`,
    numbers: [
      `= ${act}(${fmt(a, 3)})`,
      `= «${node}:${node === "g" ? fmt(value, 3) : share(value)}»`,
    ],
  };
}

/** How a node's gradient came about, in the same form. */
export function backwardStory(model, node, t, j) {
  const { net, lesson, run, T } = model,
    { D, H } = net,
    { trace, grad } = run,
    s = t + 1,
    k = t * H + j,
    last = s === T;
  const q = toneOf(node),
    value = gradientOf(model, node, t, j),
    left = byNode(node, t);
  const what = "ifog".includes(node) ? "δ, the gradient before the activation," : "Gradient";
  const head = `${what} of the ${nameOf(node)} at step ${s}`,
    meaning = "backward";
  const tell = (more) => ({ head, meaning, q, value, ...more });
  if (node === "loss")
    return tell({
      symbols: "∂L/∂L",
      numbers: ["= 1, where the backward pass begins"],
      terms: [{ words: "∂L/∂L", value: 1, q }],
    });
  if (node === "h") {
    const own = (2 * lesson.mask[t] * (trace.h[k] - lesson.y[t])) / run.n,
      terms = [];
    if (lesson.mask[t])
      terms.push({
        words:
          `from the loss: 2(h_{${s}} − y_{${s}})/n = ` +
          `2(«h:${fmt(trace.h[k])}» − ${around(lesson.y[t], fmt)})/${run.n}`,
        value: own,
        q: "",
      });
    if (!last) {
      for (const gate of LISTED) {
        for (let m = 0; m < H; m++) {
          const u = net.U[(BLOCKS.indexOf(gate) * H + m) * H + j],
            d = deltaOf(model, gate, t + 1, m);
          terms.push({
            words:
              `by ${gate}_{${s + 1}}${H > 1 ? ` of unit ${m + 1}` : ""}: ` +
              `${fmt(u)} · «${gate}:${around(d)}»`,
            value: u * d,
            q: gate,
          });
        }
      }
    }
    const later = value - own;
    if (!terms.length) terms.push({ words: "nothing depends on it", value: 0, q: "" });
    return tell({
      terms,
      symbols: `${left} = from the loss${last ? "" : ` + U^{T} δ_{${s + 1}}`}`,
      numbers: [`= ${long(own)}${last ? "" : ` + «h:${around(later)}»`}`, `= «h:${long(value)}»`],
    });
  }
  if (node === "tanh") {
    return tell({
      symbols: `${left} = ∂L/∂h_{${s}} · o_{${s}}`,
      numbers: [`= «h:${long(grad.h[k])}» · «o:${share(trace.o[k])}»`, `= «c:${long(value)}»`],
      terms: [
        {
          words: `∂L/∂h_{${s}} · o_{${s}} = «h:${long(grad.h[k])}» · «o:${share(trace.o[k])}»`,
          value,
          q,
        },
      ],
    });
  }
  if (node === "c") {
    const slope = 1 - trace.tanhc[k] ** 2,
      up = grad.h[k] * trace.o[k] * slope,
      terms = [
        {
          words:
            `by h_{${s}}: ∂L/∂h_{${s}} · o_{${s}} · (1 − tanh^{2} c_{${s}}) = ` +
            `«h:${long(grad.h[k])}» · «o:${share(trace.o[k])}» · ${fmt(slope, 3)}`,
          value: up,
          q: "h",
        },
      ];
    const later = last ? "" : `«f:${share(trace.f[k + H])}» · «c:${around(grad.c[k + H])}»`;
    if (!last)
      terms.push({
        words: `by c_{${s + 1}}: f_{${s + 1}} · ∂L/∂c_{${s + 1}} = ${later}`,
        value: trace.f[k + H] * grad.c[k + H],
        q: "c",
      });
    return tell({
      terms,
      symbols:
        `${left} = ∂L/∂h_{${s}} · o_{${s}} (1 − tanh^{2} c_{${s}})` +
        `${last ? "" : ` + f_{${s + 1}} · ∂L/∂c_{${s + 1}}`}`,
      numbers: [`= «h:${long(up)}»${last ? "" : ` + ${later}`}`, `= «c:${long(value)}»`],
    });
  }
  if (node === "x") {
    const terms = [];
    for (const gate of LISTED) {
      for (let m = 0; m < H; m++) {
        const w = net.W[(BLOCKS.indexOf(gate) * H + m) * D],
          d = deltaOf(model, gate, t, m);
        terms.push({
          words:
            `by ${gate}_{${s}}${H > 1 ? ` of unit ${m + 1}` : ""}: ` +
            `${fmt(w)} · «${gate}:${around(d)}»`,
          value: w * d,
          q: gate,
        });
      }
    }
    return tell({
      terms,
      symbols: `${left} = W^{T} δ_{${s}}`,
      numbers: [`the sum of ${terms.length} products`, `= ${long(value)}`],
    });
  }
  const [arriving, by, from] = {
    o: [grad.h[k], `∂L/∂h_{${s}}`, "h"],
    i: [grad.c[k], `∂L/∂c_{${s}}`, "c"],
    f: [grad.c[k], `∂L/∂c_{${s}}`, "c"],
    g: [grad.c[k], `∂L/∂c_{${s}}`, "c"],
  }[node];
  const [other, name, tone] = {
    o: [trace.tanhc[k], `tanh c_{${s}}`, "c"],
    i: [trace.g[k], `g_{${s}}`, "g"],
    f: [t ? trace.c[k - H] : trace.c0[j], `c_{${t}}`, "c"],
    g: [trace.i[k], `i_{${s}}`, "i"],
  }[node];
  const gate = trace[node][k],
    slope = node === "g" ? 1 - gate * gate : gate * (1 - gate);
  const sloped = node === "g" ? `(1 − g_{${s}}^{2})` : `${node}_{${s}}(1 − ${node}_{${s}})`;
  const numbers =
    `«${from}:${long(arriving)}» · «${tone}:${around(other, fmt)}» · ` +
    `«${node}:${fmt(slope, 3)}»`;
  return tell({
    symbols: `${left} = ${by} · ${name} · ${sloped}`,
    numbers: [`= ${numbers}`, `= «${node}:${long(value)}»`],
    terms: [{ words: `${by} · ${name} · ${sloped} = ${numbers}`, value, q: node }],
  });
}

/** Both stories of a node at a setting, for a test. */
export function told(settings, own, node, t, j) {
  const model = unrolls(unpackUnroll(...own))(settings);
  return { there: forwardStory(model, node, t, j), back: backwardStory(model, node, t, j) };
}
