// How quantities, numbers and formulas are written.

import { svg } from "./dom.js";

/** The quantities of a cell: letter, name, and how its line is drawn. Colours: explore.css. */
export const QUANTITIES = {
  x: { name: "input", dash: "" },
  i: { name: "input gate", dash: "" },
  f: { name: "forget gate", dash: "7 4" },
  o: { name: "output gate", dash: "2 3" },
  g: { name: "candidate", dash: "9 3 2 3" },
  c: { name: "cell state", dash: "" },
  h: { name: "hidden state", dash: "" },
};

/** A number as it is printed: fixed digits, a true minus sign, no negative zero. */
export function fmt(value, digits = 2) {
  const text = value.toFixed(digits);
  return text.startsWith("-") ? (Number(text) === 0 ? text.slice(1) : `−${text.slice(1)}`) : text;
}

/** A gate's value: more digits where two would say 0 or 1, which no gate ever is. */
export const share = (value, digits = 2) =>
  fmt(
    value,
    Math.max(digits, value > 0.9995 || value < 0.0005 ? 5 : value > 0.995 || value < 0.005 ? 4 : 2),
  );

const RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 10 to a whole power, as it is printed: 10⁻³. */
export const tenTo = (power) =>
  `10${String(power).replace(/./g, (c) => RAISED["-0123456789".indexOf(c)])}`;

/**
 * A number whose size is not known beforehand: 0.123, 12.3, 1.2·10⁻⁵. log: its natural logarithm,
 * for a positive number that is too small to be held.
 */
export function scientific(value, digits = 3, log = Math.log(Math.abs(value))) {
  if (Number.isNaN(value)) return "not a number";
  if (log === -Infinity) return "0";
  if (log === Infinity) return value < 0 ? "−∞" : "∞";
  const ten = log / Math.LN10;
  if (ten > -3 && ten < 5) return fmt(value, Math.max(0, digits - 1 - Math.floor(ten + 1e-9)));
  let power = Math.floor(ten + 1e-9),
    front = (10 ** (ten - power)).toFixed(Math.min(1, digits - 1));
  if (front === "10.0") [front, power] = ["1.0", power + 1];
  return `${value < 0 ? "−" : ""}${front}·${tenTo(power)}`;
}

/**
 * A share of one in per cent, never rounded to 0 % or 100 % when it is neither. log: the share's
 * natural logarithm, where the share itself is too small to be held.
 */
export function percent(part, log = Math.log(part)) {
  const value = 100 * part;
  if (log === -Infinity) return "0 %";
  if (value < 0.01) return `${scientific(value, 2, log + Math.log(100))} %`;
  if (part < 1 && value > 99.9) return "over 99.9 %";
  return `${value < 1 ? fmt(value, 2) : fmt(value, value < 10 || value > 99 ? 1 : 0)} %`;
}

/** A count of steps: one decimal when few, thousands apart when many. */
export const steps = (n) =>
  n === Infinity
    ? "∞"
    : n < 100
      ? fmt(n, 1)
      : Math.round(n).toLocaleString("en").replace(/,/g, "\u202f");

const TONES = new Set(Object.keys(QUANTITIES));

/**
 * HTML of a formula: single letters in italics, in the colour of their quantity, x_{t} with a
 * subscript, f^{9} with an exponent, «f:0.73» a number in the colour of its quantity.
 */
export function math(text) {
  const letter = (word, sub = "") => {
    if (word.length > 1) return word;
    const tone = "wub".includes(word) && TONES.has(sub[0]) ? sub[0] : word;
    const low = sub.replace(/([a-z])/g, "<i>$1</i>").replace(/-/g, "−");
    return (
      `<span class="ll-sym"${TONES.has(tone) ? ` data-q="${tone}"` : ""}><i>${word}</i>` +
      `${low ? `<sub>${low}</sub>` : ""}</span>`
    );
  };
  return text
    .split(/(«[^»]*»)/)
    .map((part) =>
      part.startsWith("«")
        ? `<span class="ll-num" data-q="${part[1]}">${part.slice(3, -1)}</span>`
        : part.replace(
            /([A-Za-z]+|[\u0391-\u03c9](?=_))(?:_\{([^}]*)\})?(?:\^\{([^}]*)\})?/g,
            (_, word, sub, power) => letter(word, sub) + (power ? `<sup>${power}</sup>` : ""),
          ),
    )
    .join("");
}

/** The letters of a formula, in order: {text, italic, low}, low for what stands below the line. */
export function letters(text) {
  const all = [];
  for (const [, word, sub, rest] of text.matchAll(
    /([A-Za-z]+|[\u0391-\u03c9](?=_))(?:_\{([^}]*)\})?|([^A-Za-z]+)/g,
  )) {
    if (rest) all.push({ text: rest.replace(" = ", "\u2009=\u2009") });
    else all.push({ text: word, italic: word.length === 1 });
    if (sub) all.push({ text: sub.replace("-", "−"), italic: true, low: true });
  }
  return all;
}

/** The same formula as SVG <tspan>s, for labels in a picture. */
export function label(node, text) {
  const spans = [];
  for (const part of letters(text)) {
    if (!part.low) spans.push(svg("tspan", { class: part.italic ? "ll-letter" : null }, part.text));
    else {
      spans.push(svg("tspan", { class: "ll-letter ll-low", dy: "0.28em" }, part.text));
      // A zero-width space carries the baseline back up: dy shifts all that follows it.
      spans.push(svg("tspan", { dy: "-0.21em" }, "\u200b"));
    }
  }
  node.replaceChildren(...spans);
  return node;
}
