// An explorable's setting as one line, read and written as Python does
// (lstm_lab/explore/setting.py).

const LONGEST_LINE = 10_000;

/** A value as it stands in a setting: six digits of a number, Python's words for the rest. */
export function written(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") {
    const marked = value.replace(/["\\]/g, "\\$&");
    return `"${marked.replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t")}"`;
  }
  return String(Number(value.toPrecision(6)));
}

/** `CellExplorer(b_f=2.5, w_i=1)`: what differs from the defaults. */
export function writeSetting(kind, kept, values, defaults) {
  const changed = Object.keys(values)
    .filter((name) => !(name in kept) && written(values[name]) !== written(defaults[name]))
    .map((name) => `${name}=${written(values[name])}`);
  const own = Object.entries(kept).map(
    ([name, value]) => `${name}=${value === null ? name : written(value)}`,
  );
  return `${kind}(${[...own, ...changed].join(", ")})`;
}

const TOKEN_KINDS = {
  word: /([A-Za-z_]\w*)/,
  number: /([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/,
  text: /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/,
  mark: /([(),=])/,
};
const TOKEN_SOURCE = Object.values(TOKEN_KINDS).map(({ source }) => source);
const TOKEN = new RegExp(`\\s*(?:${TOKEN_SOURCE.join("|")})`, "y");
const ESCAPED = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^]))/g;
const unescaped = (_, two, four, one) =>
  one === undefined
    ? String.fromCharCode(parseInt(two ?? four, 16))
    : ({ n: "\n", t: "\t", r: "\r" }[one] ?? one);

function tokens(text) {
  const all = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim()) {
    const at = TOKEN.lastIndex,
      found = TOKEN.exec(text);
    if (!found) throw new Error(`cannot read “${text.slice(at, at + 20).trim()}”`);
    const [, word, number, quoted, sign] = found;
    if (word !== undefined) all.push({ word });
    else if (number !== undefined) all.push({ value: Number(number) });
    else if (quoted !== undefined)
      all.push({ value: quoted.slice(1, -1).replace(ESCAPED, unescaped) });
    else all.push({ sign });
  }
  return all;
}

/** What is wrong with a value for a control, in words; null if nothing is. */
export function fault(name, value, spec) {
  const got = value === null || value === undefined ? "nothing" : written(value);
  if (spec.kind === "number") {
    const right =
      typeof value === "number" &&
      value >= spec.min &&
      value <= spec.max &&
      (!spec.whole || Number.isInteger(value));
    return right
      ? null
      : `${name}: expected ${spec.whole ? "a whole number" : "a number"} ` +
          `from ${spec.min} to ${spec.max}, got ${got}`;
  }
  if (spec.kind === "choice") {
    return spec.options.includes(value)
      ? null
      : `${name}: expected one of ${spec.options.map(written).join(", ")}, got ${got}`;
  }
  if (spec.kind === "flag")
    return typeof value === "boolean" ? null : `${name}: expected True or False, got ${got}`;
  const right =
    typeof value === "string" &&
    value.length <= spec.longest &&
    (spec.empty || value.trim()) &&
    (!value || !spec.pattern || new RegExp(`^(?:${spec.pattern})$`, "s").test(value));
  return right
    ? null
    : `${name}: expected ${spec.example} of ${spec.empty ? "at most" : "1 to"} ` +
        `${spec.longest} characters, got ${got.slice(0, 80)}`;
}

/**
 * The values that a line names. specs: what each control may be; kept: the arguments that belong
 * to the picture, as {layer: null, layer_unit: 3}; renamed: of names that were, the name that is
 * and what is added to the value. Throws an Error that says what is wrong.
 */
export function readSetting(text, kind, kept, specs, renamed) {
  const expected = `expected ${kind}(name=value, …)`;
  if (!text.trim()) throw new Error(expected);
  if (text.length > LONGEST_LINE)
    throw new Error(`expected at most ${LONGEST_LINE} characters, got ${text.length}`);
  const all = tokens(text),
    values = {};
  let at = 0;
  const next = () => all[at++] ?? {};
  const sign = (wanted) => {
    if (next().sign !== wanted) throw new Error(`${expected}: “${wanted}” is missing`);
  };
  const first = next().word;
  if (!first) throw new Error(expected);
  if (first !== kind) throw new Error(`expected a setting of ${kind}, got one of ${first}`);
  sign("(");
  while (all[at] && all[at].sign !== ")") {
    const old = next().word;
    if (!old) throw new Error(expected);
    const [name, more] = Object.hasOwn(renamed, old) ? renamed[old] : [old, 0];
    sign("=");
    const { value: given, word } = next(),
      value = more && typeof given === "number" ? given + more : given;
    if (word === "True" || word === "False") values[name] = word === "True";
    else if (word) {
      if (!(name in kept))
        throw new Error(
          `${name}=${word} belongs to a picture that was made with a ${name} of its own; ` +
            "this one was not",
        );
    } else if (value === undefined) throw new Error(`${name}: a value is missing`);
    else if (name in kept) {
      if (value !== kept[name])
        throw new Error(`expected ${name}=${kept[name]}, which cannot be changed`);
    } else if (name in values) throw new Error(`${name} is there twice`);
    else values[name] = value;
    if (all[at]?.sign !== ")") sign(",");
  }
  sign(")");
  if (at < all.length) throw new Error(`${expected}, and nothing after it`);
  for (const [name, value] of Object.entries(values)) {
    if (!specs[name])
      throw new Error(`there is no ${name}; expected some of ${Object.keys(specs).join(", ")}`);
    const wrong = fault(name, value, specs[name]);
    if (wrong) throw new Error(wrong);
  }
  return values;
}

/** What is wrong with a line, in words; "" if nothing is. */
export function faultOf(text, kind, kept, specs, renamed) {
  try {
    readSetting(text, kind, kept, specs, renamed);
    return "";
  } catch (mistake) {
    return mistake.message;
  }
}
