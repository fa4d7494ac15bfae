// A training as the kernel sends it, taken apart; and what is said of it.

import { floats } from "../frontend/dom.js";
import { lstmForward } from "../frontend/equations/lstm.js";
import { fmt, percent, scientific } from "../frontend/format.js";

const HEAD = [
  "updates",
  "points",
  "columns",
  "stride",
  "bins",
  "T",
  "features",
  "D",
  "H",
  "answers",
  "rows",
  "wantedRows",
  "wantedWide",
  "whole",
  "baseline",
  "loss",
  "right",
  "examples",
  "example",
  "gated",
];

/**
 * One buffer of `packed` (serialize.py): the numbers of HEAD; loss, norm and clipped norm of every
 * update, or means of neighbours, (points); histograms (columns · 3 · bins); shut and open (3) of
 * forget, input and output gate; of one sequence x (T · features), what the LSTM reads (T · D), its
 * net, the answer (rows · answers) and what is wanted; trace: the LSTM's first layer over it.
 */
export function unpackRun(bytes) {
  const all = floats(bytes),
    run = {};
  HEAD.forEach((name, k) => {
    run[name] = all[k];
  });
  const { points, columns, bins, T, features, D, H, answers, rows, wantedRows, wantedWide } = run;
  let at = HEAD.length;
  const take = (n) => all.subarray(at, (at += n));
  for (const name of ["losses", "norms", "clipped"]) run[name] = take(points);
  run.histogram = take(columns * 3 * bins);
  run.shut = take(3);
  run.open = take(3);
  run.x = take(T * features);
  run.fed = Float64Array.from(take(T * D));
  run.net = H ? { D, H, W: take(4 * H * D), U: take(4 * H * H), b: take(4 * H) } : null;
  run.answer = take(rows * answers);
  run.wanted = take(wantedRows * wantedWide);
  run.trace = run.net && lstmForward(run.net, run.fed, T);
  return run;
}

/** The curve of an earlier training: {updates, losses}, or null. */
export function unpackPast(bytes) {
  const all = floats(bytes);
  return all.length ? { updates: all[0], losses: all.subarray(1) } : null;
}

/** The mean over the last ones, weighted so that half of it is younger than `half` points. */
export function smoothed(values, half = 6) {
  const keep = 0.5 ** (1 / half),
    out = new Float64Array(values.length);
  let sum = 0,
    weight = 0;
  for (let k = 0; k < values.length; k++) {
    sum = keep * sum + values[k];
    weight = keep * weight + 1;
    out[k] = sum / weight;
  }
  return out;
}

/** The shares of the classes that row `row` of scores gives. */
export function softmax(scores, row, n) {
  const logits = Array.from(scores.subarray(row * n, row * n + n)),
    top = Math.max(...logits);
  const e = logits.map((v) => Math.exp(v - top)),
    sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}

/** A counted share in per cent: none at all is 0 %. */
export const part = (share) => (share === 0 ? "0 %" : share === 1 ? "100 %" : percent(share));

const STATUS = {
  ready: "Not started. Press Train.",
  running: "It trains.",
  paused: "It pauses.",
  diverged: "Diverged: ",
  resting: "It rests, since no page showed it; it goes on by itself.",
  finished: "",
};

/** How the training stands, and why. */
export const standing = ({ status, said }) => `${STATUS[status] ?? ""}${said}`;

/** The training in words. */
export function runWords(run, told, steps) {
  const chance = Number.isFinite(run.baseline)
    ? `; ${run.whole ? "chance is" : "the best constant answer has"} ${scientific(run.baseline, 4)}`
    : "";
  const count = Math.round(run.right * run.examples);
  const gates = run.gated
    ? ` Of the forget gates ${part(run.open[0])} are above 0.9, ${part(run.shut[0])} below 0.1.`
    : "";
  const last = run.points - 1;
  const cut =
    run.clipped[last] < run.norms[last] ? `, clipped to ${scientific(run.clipped[last])}` : "";
  return (
    `After ${run.updates} update${run.updates === 1 ? "" : "s"} ` +
    `the loss is ${scientific(run.loss)}${chance}. ` +
    `${count} of ${run.examples} ${steps ? `unseen sequences of ${steps} steps` : "sequences"} ` +
    `are answered right.${gates}` +
    (run.updates ? ` The last gradient has the norm ${scientific(run.norms[last])}${cut}.` : "") +
    (told.status === "diverged" ? ` ${standing(told)}` : "")
  );
}

/** The answer to the sequence that is shown, in words; names are the classes' own. */
export function answerWords(run, names) {
  if (run.rows > 1) return `The model answers at each of ${run.T} steps.`;
  if (!run.whole)
    return `The model answers ${fmt(run.answer[0], 3)}; right is ${fmt(run.wanted[0], 3)}.`;
  const shares = softmax(run.answer, 0, run.answers),
    best = shares.indexOf(Math.max(...shares));
  const name = (k) => names[k] ?? `class ${k}`;
  const said = `The model says ${name(best)} with ${percent(shares[best])}`;
  return `${said}; right is ${name(run.wanted[0])}.`;
}

/** The formula behind one of the four numbers above the picture, as `readout` takes it. */
export function explainRun(key, run, s) {
  const last = run.points - 1,
    norm = run.norms[last],
    cut = run.clipped[last],
    n = run.examples;
  if (key === "loss" && run.whole) {
    const of = run.rows === 1 ? softmax(run.answer, 0, run.answers)[run.wanted[0]] : NaN;
    return {
      q: "c",
      head: "loss",
      meaning:
        `the mean of −ln p over the ${n} sequences that are looked at, ` +
        "p what the right class gets",
      symbols: "L = −(1/N) Σ ln p",
      numbers: [
        ...(of > 0 ? [`this sequence: −ln ${scientific(of)} = ${scientific(-Math.log(of))};`] : []),
        ...(Number.isFinite(run.baseline)
          ? [`without looking at the input: ${scientific(run.baseline, 4)}`]
          : []),
      ],
    };
  }
  if (key === "loss") {
    return {
      q: "c",
      head: "loss",
      meaning: `the mean squared error over the ${n} sequences that are looked at`,
      symbols: "L = (1/N) Σ (y − target)<sup>2</sup>",
      numbers: [
        ...(run.rows === 1
          ? [
              `this sequence: (${fmt(run.answer[0], 3)} − ${fmt(run.wanted[0], 3)})<sup>2</sup> ` +
                `= ${scientific((run.answer[0] - run.wanted[0]) ** 2)};`,
            ]
          : []),
        ...(Number.isFinite(run.baseline)
          ? [`best constant answer: ${scientific(run.baseline, 4)}`]
          : []),
      ],
    };
  }
  if (key === "right") {
    const count = Math.round(run.right * n);
    return {
      q: "c",
      head: "accuracy",
      meaning: run.whole
        ? "the right class is the likeliest"
        : "less than 0.04 away (Hochreiter & Schmidhuber 1997)",
      symbols: "right ∕ all",
      numbers: [`= ${count} ∕ ${n} = ${part(count / n)}`],
    };
  }
  if (key === "norm") {
    const clips = s.clipping
      ? `above ${scientific(s.clip, 2)} it is shortened, its direction kept`
      : "it is not clipped";
    return {
      q: "f",
      head: "gradient",
      meaning: `its norm over all parameters together; ${clips}`,
      symbols: "‖∇‖ = √(Σ ∂<sup>2</sup>)",
      numbers:
        last < 0
          ? ["no update yet"]
          : cut < norm
            ? [
                `= ${scientific(norm)}, times ${scientific(cut)} ∕ ${scientific(norm)} ` +
                  `= ${scientific(cut)}`,
              ]
            : [`= ${scientific(norm)}`],
    };
  }
  return {
    q: "f",
    head: "saturated forget gates",
    meaning:
      "of all units at all steps; what is above 0.9 keeps its memory, what is below 0.1 drops it",
    symbols: "f > 0.9",
    numbers: run.gated
      ? [
          `${part(run.open[0])}; input gates ${part(run.open[1])}, ` +
            `output gates ${part(run.open[2])}`,
        ]
      : ["this model has none"],
  };
}
