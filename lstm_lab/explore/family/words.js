// The variants in words and formulas, with the numbers of a step put in.

import { fmt, percent, share } from "../frontend/format.js";
import { factorOf, partsOf, preActivationsOf, sizeOf } from "./variants.js";

const NAMES = {
  i: "input gate",
  f: "forget gate",
  o: "output gate",
  g: "candidate",
  c: "cell state",
  h: "hidden state",
  z: "update gate",
  r: "reset gate",
  n: "candidate",
};

/** The quantity whose colour and line a letter takes: z keeps as f does, r stands where o stood. */
export const TONE = { i: "i", f: "f", o: "o", g: "g", c: "c", h: "h", z: "f", r: "o", n: "g" };

/** The name of a quantity of a variant: the memory is told by name. */
export const nameOf = (variant, q) =>
  q === "h" && partsOf(variant).memory === "h" ? "memory and output" : NAMES[q];

const symbolOf = (name) => {
  const [word, low] = name.replace("-", "").split("_");
  return low ? `${word}_{${low}}` : word;
};

/**
 * What q of a single unit adds up at step t (from 0):
 * [{sign, letter, factors, value, key, words}].
 */
export function termsOf(s, run, q, t) {
  const { variant } = run,
    sum = preActivationsOf(variant)[q],
    before = (line) => (t ? line[t - 1] : 0);
  const seen = {
    x: ["x_{t}", run.x[t], "x", "input"],
    h: ["h_{t-1}", before(run.h), "h", "old output"],
    c:
      q === "o"
        ? ["c_{t}", run.c?.[t], "c", "new cell state"]
        : ["c_{t-1}", run.c && before(run.c), "c", "old cell state"],
  };
  const terms = [];
  for (const part of ["x", "h", "c", "b"]) {
    const name = sum[part];
    if (!name) continue;
    const factor = factorOf(s, name),
      sign = name[0] === "-" ? -1 : 1,
      symbol = symbolOf(name);
    if (part === "b") {
      terms.push({
        key: part,
        sign,
        letter: symbol,
        factors: [[symbol, factor, TONE[q]]],
        value: factor,
        q: TONE[q],
        words: "bias",
      });
      continue;
    }
    const [letter, value, tone, words] = seen[part],
      reset = q === "n" && part === "h" ? run.r[t] : 1;
    const hidden = reset === 1 ? "" : "r_{t} ";
    terms.push({
      key: part,
      sign,
      letter: `${hidden}${symbol} ${letter}`,
      factors: [
        [`${hidden}${symbol}`, factor * reset, TONE[q]],
        [letter, value, tone],
      ],
      value: factor * reset * value,
      q: tone,
      words: `weight times ${words}`,
    });
  }
  return terms;
}

const bracket = (value) => (value < 0 ? `(${fmt(value)})` : fmt(value));
const signed = (terms, write) =>
  terms
    .map((term, k) => `${term.sign < 0 ? (k ? " − " : "−") : k ? " + " : ""}${write(term)}`)
    .join("");

const STATES = {
  all: [
    "c_{t} = c_{t-1} + i_{t} g_{t}",
    "all of the old cell state stays, and what is let in is added",
  ],
  gate: ["c_{t} = f_{t} c_{t-1} + i_{t} g_{t}", "what was kept plus what was let in"],
  coupled: [
    "c_{t} = (1 − i_{t}) c_{t-1} + i_{t} g_{t}",
    "a weighted mean of old and new: it stays within ±1",
  ],
  GRU: [
    "h_{t} = z_{t} h_{t-1} + (1 − z_{t}) n_{t}",
    "a weighted mean of old and new, and the output as it is",
  ],
};

/** The formula of a variant's memory. */
export const memoryFormula = ({ type, keep }) =>
  type === "RNN" ? "h_{t} = tanh(w x_{t} + u h_{t-1} + b)" : STATES[keep ?? type][0];

const LINES = {
  i: "how much of the candidate gets in",
  f: "how much of the old cell state stays",
  o: "how much of the squashed cell state shows",
  z: "how much of the memory stays; the rest is replaced",
  r: "how much of the memory the candidate sees",
  g: "what the unit would write",
  n: "what the unit would write",
};

/**
 * The two products that a memory is made of at step t: [[letters], [values], [tones], words] each.
 */
function mixed(run, t) {
  const { variant } = run,
    old = t ? run.m[t - 1] : 0;
  if (variant.type === "GRU") {
    return [
      [["z_{t}", "h_{t-1}"], [run.z[t], old], ["f", "h"], "kept of the old memory"],
      [["(1 − z_{t})", "n_{t}"], [1 - run.z[t], run.n[t]], ["f", "g"], "let in of the candidate"],
    ];
  }
  const kept = {
    all: [
      ["1", "c_{t-1}"],
      [1, old],
      ["c", "c"],
    ],
    gate: [
      ["f_{t}", "c_{t-1}"],
      [run.f?.[t], old],
      ["f", "c"],
    ],
    coupled: [
      ["(1 − i_{t})", "c_{t-1}"],
      [run.f?.[t], old],
      ["i", "c"],
    ],
  };
  return [
    [...kept[variant.keep], "kept of the old cell state"],
    [["i_{t}", "g_{t}"], [run.i[t], run.g[t]], ["i", "g"], "let in of the candidate"],
  ];
}

/** What is inside q at step t, as `sumLevel` takes it. */
export function insideOf(s, run, q, t) {
  const value = run[q][t],
    tone = TONE[q],
    name = nameOf(run.variant, q);
  const listed = (terms) => terms.map((term) => `${term.words} ${fmt(term.value)}`).join(", ");
  const words = (terms, total) =>
    `${name[0].toUpperCase()}${name.slice(1)} at step ${t + 1}: ${listed(terms)}; ` +
    `together ${fmt(total)}`;
  const whole = (terms) => ({
    q: tone,
    letter: `${q}_{t}`,
    value,
    sum: value,
    sumLetter: `${q}_{t}`,
    act: "",
    terms,
    words: `${words(terms, value)}.`,
  });
  const products = () =>
    mixed(run, t).map(([letters, values, tones, said], k) => ({
      key: k ? "new" : "kept",
      letter: letters.join(" "),
      factors: letters.map((letter, j) => [letter, values[j], tones[j]]),
      value: values[0] * values[1],
      q: tones[1],
      words: said,
    }));
  if (q === "c" || (q === "h" && run.variant.type === "GRU")) return whole(products());
  if (q === "h" && run.c) {
    const tanh = Math.tanh(run.c[t]);
    return whole([
      {
        key: "shown",
        letter: "o_{t} tanh(c_{t})",
        factors: [
          ["o_{t}", run.o[t], "o"],
          ["tanh c_{t}", tanh, "c"],
        ],
        value: run.o[t] * tanh,
        q: "h",
        words: "shown of the squashed cell state",
      },
    ]);
  }
  const terms = termsOf(s, run, q, t),
    sum = terms.reduce((all, term) => all + term.value, 0),
    act = "hgn".includes(q) ? "tanh" : "σ";
  return {
    q: tone,
    letter: `${q}_{t}`,
    value,
    sum,
    sumLetter: "a",
    act,
    terms,
    words:
      `${words(terms, sum)}, which ${act === "σ" ? "the sigmoid" : "tanh"} makes ` +
      `${act === "σ" ? share(value) : fmt(value)}.`,
  };
}

/**
 * The formula of q at step t with its numbers, as `readout` takes it; s is null for a layer of many
 * units.
 */
export function explainOf(s, run, q, t) {
  const { variant } = run,
    value = run[q][t],
    tone = TONE[q],
    gate = "ifozr".includes(q),
    shown = gate ? share(value) : fmt(value);
  const told = { q: tone, head: `${nameOf(variant, q)} at step ${t + 1}`, from: [] };
  if (q === "c" || (q === "h" && variant.type === "GRU")) {
    const [kept, fresh] = mixed(run, t),
      put = ([, [a, b], [x, y]]) => `«${x}:${fmt(a)}» · «${y}:${bracket(b)}»`;
    const [symbols, meaning] = STATES[variant.keep ?? variant.type];
    const first = variant.keep === "all" ? `«c:${fmt(kept[1][1])}»` : put(kept);
    return {
      ...told,
      symbols,
      meaning,
      numbers: [`= ${first} + ${put(fresh)}`, `= «${tone}:${shown}»`],
    };
  }
  if (q === "h" && run.c) {
    return {
      ...told,
      symbols: "h_{t} = o_{t} tanh(c_{t})",
      meaning: "what the rest of the network sees",
      curve: ["tanh", run.c[t]],
      numbers: [`= «o:${share(run.o[t])}» · tanh(«c:${fmt(run.c[t])}») = «h:${shown}»`],
    };
  }
  const meaning = q === "h" ? "made anew at each step: nothing is kept as it is" : LINES[q];
  if (q === "f" && variant.keep === "coupled") {
    return {
      ...told,
      symbols: "f_{t} = 1 − i_{t}",
      meaning: "no gate of its own: what is not written is kept",
      numbers: [`= 1 − «i:${share(run.i[t])}» = «f:${shown}»`],
    };
  }
  const act = gate ? "σ" : "tanh";
  if (!s)
    return {
      ...told,
      meaning,
      symbols: `${q}_{t} = ${act}(W x_{t} + U h_{t-1} + ⋯)`,
      numbers: [`= «${tone}:${shown}»`],
    };
  const terms = termsOf(s, run, q, t),
    sum = terms.reduce((all, term) => all + term.value, 0);
  const numbers = terms
    .map(({ factors: [[, a], second] }) =>
      second ? `${bracket(a)} · «${second[2]}:${bracket(second[1])}»` : bracket(a),
    )
    .join(" + ");
  return {
    ...told,
    meaning,
    symbols: `${q}_{t} = ${act}(${signed(terms, ({ letter }) => letter)})`,
    curve: [act, sum],
    numbers: [`= ${act}(${numbers})`, `= ${act}(${fmt(sum)}) = «${tone}:${shown}»`],
  };
}

/**
 * A share of the largest difference; small ones are only said to be small, being differences of
 * large numbers.
 */
export const leftWords = (left) =>
  left > 0 && left < 1e-4
    ? "<\u202f0.01 %"
    : percent(left).replace("over", ">").replace("100.0", "100");

/** What is left of the first input, with its numbers, as `readout` takes it. */
export function explainKept(run, first, T) {
  const { memory, m, without, largest, left, half } = run;
  const last = `${memory}_{T}`,
    symbols = `(${last} with it − ${last} without it) ∕ the largest such difference`;
  const numbers =
    largest === 0
      ? ["nothing of it got in"]
      : [
          `= (${fmt(m[T - 1], 3)} − ${bracket(without[T - 1])}) ∕ ${fmt(largest, 3)}, ` +
            `which is ${leftWords(left)}`,
          half === T
            ? "; it never falls below half"
            : `; below half from ${half} ${half === 1 ? "step" : "steps"} after it on`,
        ];
  return {
    q: memory,
    head: "what is left of the first input",
    meaning: `at step ${first + 1} it came in`,
    symbols,
    numbers,
    from: [],
  };
}

/** How much a variant has to learn: "3 gates" and "4H(D+H+1)". */
export function sizeWords(variant) {
  const { gates, blocks, extra } = sizeOf(variant);
  return {
    gates: gates ? `${gates} gates` : "no gates",
    weights: `${blocks > 1 ? blocks : ""}H(D+H+1)${extra ? ` + ${extra > 1 ? extra : ""}H` : ""}`,
  };
}

/** What is left of the first input, in short: ["1.2 % left", "half-life 14 steps"]. */
export function keptWords({ half, left, largest }, first, T) {
  if (largest === 0) return ["nothing of the first input got in"];
  const count = half === T ? T - 1 - first : half;
  return [
    `${leftWords(left)} left`,
    `half-life ${half === T ? "> " : ""}${count} ${count === 1 ? "step" : "steps"}`,
  ];
}
