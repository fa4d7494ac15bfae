// One step of an LSTM unit: its numbers, formulas, words, and what is inside each of them.

import { BLOCKS, lstmForward } from "../equations/lstm.js";
import { fmt, percent, QUANTITIES, share } from "../format.js";
import { productLevel, sumLevel } from "../sum_level.js";

const cap = (words) => words[0].toUpperCase() + words.slice(1);

const ZEROS = [0, 0, 0, 0];

/** Gates and new states of a unit whose pre-activations are a (by letter). */
function stepOf(a, c_prev) {
  // A unit that sees nothing and whose biases are the pre-activations takes the same step.
  const blind = { D: 1, H: 1, W: ZEROS, U: ZEROS, b: BLOCKS.map((q) => a[q]) };
  const trace = lstmForward(blind, [0], 1, { h: [0], c: [c_prev] });
  return Object.fromEntries([...BLOCKS, "c", "tanhc", "h"].map((q) => [q, trace[q][0]]));
}

const total = ({ weight, value, rest }) => weight * value + rest;

/**
 * A step from what its pre-activations are made of, parts: by letter, {input, hidden, bias}. Adds
 * the gates, the new states, and the pre-activations a_.
 */
function stepFrom(parts, c_prev) {
  const a = Object.fromEntries(
    BLOCKS.map((q) => [q, total(parts[q].input) + total(parts[q].hidden) + parts[q].bias]),
  );
  return {
    parts,
    ...stepOf(a, c_prev),
    ...Object.fromEntries(BLOCKS.map((q) => [`a_${q}`, a[q]])),
  };
}

/** One step of the scalar unit at setting s: x, h_prev, c_prev, biases b_, weights w_ and u_. */
export function cellStep(s) {
  const single = (weight, value) => ({ weight, value, rest: 0, others: 0 });
  const parts = Object.fromEntries(
    BLOCKS.map((q) => [
      q,
      { input: single(s[`w_${q}`], s.x), hidden: single(s[`u_${q}`], s.h_prev), bias: s[`b_${q}`] },
    ]),
  );
  return stepFrom(parts, s.c_prev);
}

/**
 * Step t (from 0) of unit `unit` of a layer, after the trace of all its units (T·H) over x (T·D);
 * biases, by letter, stand in for the unit's own. Of each kind of product the largest is told by
 * itself, the others together.
 */
export function unitStep(net, x, trace, t, unit, biases = {}) {
  const { D, H, W, U, b } = net;
  const largest = (weights, row, values, at, n) => {
    let best = 0,
      sum = 0;
    for (let j = 0; j < n; j++) {
      const product = weights[row * n + j] * values[at + j];
      sum += product;
      if (Math.abs(product) > Math.abs(weights[row * n + best] * values[at + best])) best = j;
    }
    const weight = weights[row * n + best],
      value = values[at + best];
    return {
      weight,
      value,
      index: n > 1 ? best + 1 : undefined,
      rest: sum - weight * value,
      others: n - 1,
    };
  };
  const [h, at] = t ? [trace.h, (t - 1) * H] : [trace.h0, 0];
  const parts = Object.fromEntries(
    BLOCKS.map((q, block) => {
      const row = block * H + unit;
      return [
        q,
        {
          input: largest(W, row, x, t * D, D),
          hidden: largest(U, row, h, at, H),
          bias: biases[q] ?? b[row],
        },
      ];
    }),
  );
  return stepFrom(parts, t ? trace.c[at + unit] : trace.c0[unit]);
}

const MEANING = {
  f: "the fraction of the old cell state that stays",
  i: "the fraction of the candidate that gets in",
  g: "what the unit would write",
  o: "the fraction of the squashed cell state that shows",
  c: "what was kept plus what was let in",
  h: "what the rest of the network sees",
};

/**
 * The formula of a quantity: its name and meaning, symbols, and the same with the numbers.
 * s.clamped, if given, names gates that are held at a value, whatever their pre-activations say.
 */
export function explain(q, s, r) {
  const n = (value) => (value < 0 ? `(${fmt(value)})` : fmt(value));
  const head = `${QUANTITIES[q].name} ${q}`;
  if (q === "c") {
    return {
      head: "new cell state",
      meaning: MEANING.c,
      from: ["f", "i", "g"],
      symbols: "c_{t} = f_{t} c_{t-1} + i_{t} g_{t}",
      numbers: [
        `= «f:${share(r.f)}» · «c:${n(s.c_prev)}» + «i:${share(r.i)}» · «g:${n(r.g)}»`,
        `= ${fmt(r.f * s.c_prev)} ${r.i * r.g < 0 ? "−" : "+"} ${fmt(Math.abs(r.i * r.g))} ` +
          `= «c:${fmt(r.c)}»`,
      ],
    };
  }
  if (q === "h") {
    return {
      head: "new hidden state",
      meaning: MEANING.h,
      from: ["o", "c"],
      symbols: "h_{t} = o_{t} tanh(c_{t})",
      numbers: [
        `= «o:${share(r.o)}» · tanh(«c:${fmt(r.c)}»)`,
        `= «o:${share(r.o)}» · ${n(r.tanhc)} = «h:${fmt(r.h)}»`,
      ],
      curve: ["tanh", r.c],
    };
  }
  const act = q === "g" ? "tanh" : "σ",
    { input, hidden, bias } = r.parts[q];
  if (s.clamped?.[q] !== undefined) {
    return {
      head,
      meaning: `clamped to ${fmt(s.clamped[q], 0)}, whatever its sum says`,
      symbols: `${q}_{t} = ${fmt(s.clamped[q], 0)}`,
      numbers: [`instead of ${act}(${fmt(r[`a_${q}`])})`],
    };
  }
  const many = input.others || hidden.others;
  const sum = (part) => n(total(part));
  return {
    head,
    meaning: MEANING[q],
    symbols: many
      ? `${q}_{t} = ${act}(w_{${q}}·x_{t} + u_{${q}}·h_{t-1} + b_{${q}})`
      : `${q}_{t} = ${act}(w_{${q}} x_{t} + u_{${q}} h_{t-1} + b_{${q}})`,
    numbers: [
      many
        ? `= ${act}(${sum(input)} + «h:${sum(hidden)}» + ${n(bias)})`
        : `= ${act}(${n(input.weight)} · ${n(input.value)} + ` +
          `${n(hidden.weight)} · «h:${n(hidden.value)}» + ${n(bias)})`,
      `= ${act}(${fmt(r[`a_${q}`])}) = «${q}:${q === "g" ? fmt(r.g) : share(r[q])}»`,
    ],
    curve: [act, r[`a_${q}`]],
  };
}

/** The step in words, for those who do not see the picture. */
export function stepWords(s, r) {
  return (
    `Forget gate ${share(r.f)} keeps ${fmt(r.f * s.c_prev)} ` +
    `of the old cell state ${fmt(s.c_prev)}; ` +
    `input gate ${share(r.i)} lets in ${fmt(r.i * r.g)} of the candidate ${fmt(r.g)}; ` +
    `the new cell state is ${fmt(r.c)}, and the output gate, open ${percent(r.o)}, ` +
    `shows a hidden state of ${fmt(r.h)}.`
  );
}

/** What is added up inside a quantity, as `sumLevel` takes it. */
export function inside(q, s, r) {
  const times = (key, [a, va, qa], [b, vb, qb], tone, words) => ({
    key,
    letter: `${a} ${b}`,
    factors: [
      [a, va, qa],
      [b, vb, qb],
    ],
    value: va * vb,
    q: tone,
    words,
  });
  const wordsOf = (terms, sum) =>
    `${terms.map((term) => `${term.words} ${fmt(term.value)}`).join(", ")}; together ${fmt(sum)}`;
  const whole = (name, letter, terms) => ({
    q,
    letter,
    value: r[q],
    sum: r[q],
    sumLetter: letter,
    act: "",
    terms,
    words: `New ${name}: ${wordsOf(terms, r[q])}.`,
  });
  if (q === "c") {
    return whole("cell state", "c_{t}", [
      times(
        "kept",
        ["f_{t}", r.f, "f"],
        ["c_{t-1}", s.c_prev, "c"],
        "c",
        "kept of the old cell state",
      ),
      times("new", ["i_{t}", r.i, "i"], ["g_{t}", r.g, "g"], "g", "let in of the candidate"),
    ]);
  }
  if (q === "h") {
    return whole("hidden state", "h_{t}", [
      times(
        "shown",
        ["o_{t}", r.o, "o"],
        ["tanh c_{t}", r.tanhc, "c"],
        "h",
        "shown of the squashed cell state",
      ),
    ]);
  }
  const act = q === "g" ? "tanh" : "σ",
    a = r[`a_${q}`],
    { input, hidden, bias } = r.parts[q];
  const side = (part, key, weight, letter, tone, words) => {
    const low = part.index === undefined ? "" : `${part.index}`;
    const terms = [
      times(
        key,
        [`${weight}_{${q}${low}}`, part.weight, q],
        [low ? letter.replace("}", `,${low}}`) : letter, part.value, tone],
        tone,
        low ? `largest ${words}, number ${low},` : words,
      ),
    ];
    if (part.others)
      terms.push({
        key: `${key}-others`,
        letter: `${part.others} others`,
        factors: [["", part.rest, tone]],
        value: part.rest,
        q: tone,
        words: `the other ${part.others} together`,
      });
    return terms;
  };
  const terms = [
    ...side(input, "input", "w", "x_{t}", "x", "weight times input"),
    ...side(hidden, "hidden", "u", "h_{t-1}", "h", "weight times old hidden state"),
    {
      key: "bias",
      letter: `b_{${q}}`,
      factors: [[`b_{${q}}`, bias, q]],
      value: bias,
      q,
      words: "bias",
    },
  ];
  return {
    q,
    letter: `${q}_{t}`,
    value: r[q],
    sum: a,
    sumLetter: "a",
    act,
    terms,
    words:
      `${cap(QUANTITIES[q].name)}: ${wordsOf(terms, a)}, ` +
      `which ${act === "σ" ? "the sigmoid" : "tanh"} makes ` +
      `${act === "σ" ? share(r[q]) : fmt(r[q])}.`,
  };
}

const PRODUCTS = { c: ["kept", "new"], h: ["shown"] };

/**
 * The levels inside the picture of a cell, as `levels` takes them: each gate, and in it the
 * products. now() returns {s, r}, the present step; nav() the levels they go into.
 */
export function cellLevels(view, nav, prefix, now) {
  const contents = {};
  for (const q of ["f", "i", "g", "o", "c", "h"]) {
    const path = `${prefix}${q}`,
      content = () => {
        const { s, r } = now();
        return inside(q, s, r);
      };
    contents[path] = {
      title: q === "c" || q === "h" ? `new ${QUANTITIES[q].name}` : QUANTITIES[q].name,
      make: (stage) => sumLevel(view, nav(), stage, path, contents, content),
      words: () => content().words,
    };
    for (const key of PRODUCTS[q] ?? ["input", "hidden"]) {
      const term = () => {
        const found = content().terms.find((each) => each.key === key),
          [[, a], [, b]] = found.factors;
        return {
          ...found,
          words: `${cap(found.words)}: ${fmt(a)} times ${fmt(b)} is ${fmt(found.value)}.`,
        };
      };
      contents[`${path}/${key}`] = {
        title: () =>
          content()
            .terms.find((each) => each.key === key)
            .words.replace(/,.*/, ""),
        make: (stage) => productLevel(view, stage, term),
        words: () => term().words,
      };
    }
  }
  return contents;
}
