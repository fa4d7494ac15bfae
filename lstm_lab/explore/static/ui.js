// What every explorable shares: its frame, labelled controls, formulas, tables, words.

const SVG = "http://www.w3.org/2000/svg";

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

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key === "html") node.innerHTML = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(key, value === true ? "" : value);
    }
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const FOCUSABLE = new Set(["input", "select", "button", "summary"]);

/** An HTML element; attributes named on… are listeners, html is its inner HTML. */
export function tag(name, attributes, ...children) {
  const node = fill(document.createElement(name), attributes, children);
  // JupyterLab would take arrow keys as "next cell" and D, D as "delete cell". It looks for this
  // attribute on the focused element itself before it looks further up.
  if (FOCUSABLE.has(name) || node.hasAttribute("tabindex")) put(node, { "data-lm-suppress-shortcuts": "true" });
  return node;
}

/** An SVG element. */
export const svg = (name, attributes, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

/** Sets attributes of an SVG or HTML element. */
export function put(node, attributes) {
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return node;
}

let count = 0;
/** A name that no other element of the page has. */
export const unique = (stem) => `ll-${stem}-${++count}-${Math.random().toString(36).slice(2, 8)}`;

/** A number as it is printed: fixed digits, a true minus sign, no negative zero. */
export function fmt(value, digits = 2) {
  const text = value.toFixed(digits);
  return text.startsWith("-") ? (Number(text) === 0 ? text.slice(1) : `−${text.slice(1)}`) : text;
}

/** A gate's value: more digits where two would say 0 or 1, which no gate ever is. */
export const share = (value, digits = 2) =>
  fmt(value, Math.max(digits, value > 0.9995 || value < 0.0005 ? 5 : value > 0.995 || value < 0.005 ? 4 : 2));

/** A share of one in words of per cent, never rounded to 0 % or 100 % when it is neither. */
export function percent(share) {
  const value = 100 * share;
  if (value > 0 && value < 0.01) return "under 0.01 %";
  if (share < 1 && value > 99.9) return "over 99.9 %";
  return `${value < 1 ? fmt(value, 2) : fmt(value, value < 10 || value > 99 ? 1 : 0)} %`;
}

/** A count of steps: one decimal when few, thousands apart when many. */
export const steps = (n) =>
  n === Infinity ? "∞" : n < 100 ? fmt(n, 1) : Math.round(n).toLocaleString("en").replace(/,/g, "\u202f");

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
    return `<span class="ll-sym"${TONES.has(tone) ? ` data-q="${tone}"` : ""}><i>${word}</i>`
      + `${low ? `<sub>${low}</sub>` : ""}</span>`;
  };
  return text
    .split(/(«[^»]*»)/)
    .map((part) => part.startsWith("«")
      ? `<span class="ll-num" data-q="${part[1]}">${part.slice(3, -1)}</span>`
      : part.replace(/([A-Za-z]+)(?:_\{([^}]*)\})?(?:\^\{([^}]*)\})?/g, (_, word, sub, power) =>
        letter(word, sub) + (power ? `<sup>${power}</sup>` : "")))
    .join("");
}

/** The same formula as SVG <tspan>s, for labels in a picture. */
export function label(node, text) {
  const spans = [];
  for (const [, word, sub, rest] of text.matchAll(/([A-Za-z]+)(?:_\{([^}]*)\})?|([^A-Za-z]+)/g)) {
    if (rest) { spans.push(svg("tspan", {}, rest.replace(" = ", "\u2009=\u2009"))); continue; }
    spans.push(svg("tspan", { class: word.length > 1 ? null : "ll-letter" }, word));
    if (sub) {
      spans.push(svg("tspan", { class: "ll-letter ll-low", dy: "0.28em" }, sub.replace("-", "−")));
      // A zero-width space carries the baseline back up: dy shifts all that follows it.
      spans.push(svg("tspan", { dy: "-0.21em" }, "\u200b"));
    }
  }
  node.replaceChildren(...spans);
  return node;
}

/**
 * The frame of an explorable inside the element that the host gives.
 *
 * model is the host's (get, set, on, off, save_changes); its trait `_limits` maps each number's
 * name to {min, max, step, whole}, and `_start` holds the setting that Reset goes back to. update(view)
 * is called once per burst of changes. Returns the view; view.dispose takes everything down.
 */
export function explorable(model, host, { title, update }) {
  const limits = model.get("_limits"), start = model.get("_start");
  const within = ({ min, max, whole }, value) =>
    Math.min(max, Math.max(min, whole ? Math.round(value) : value));
  const off = [];
  let waiting = false, alive = true, pending = 0;
  const view = {
    model,
    limits,
    root: tag("section", { class: "lstm-lab-explorer", "aria-label": title }),
    /** A trait's value; a number is finite and within its limits, whatever a link has put there. */
    get(name) {
      const value = model.get(name), limit = limits[name];
      if (!limit) return value;
      const number = typeof value === "number" && Number.isFinite(value) ? value : start[name];
      return within(limit, number);
    },
    set(values) {
      for (const [name, value] of Object.entries(values)) {
        model.set(name, limits[name] ? within(limits[name], value) : value);
      }
      model.save_changes();
    },
    reset: () => view.set(start),
    on(name, listener) {
      model.on(`change:${name}`, listener);
      off.push(() => model.off(`change:${name}`, listener));
    },
    /** Calls listener(width in px) now that node has a width, and whenever it changes. */
    onWidth(node, listener) {
      let last = 0;
      const watch = new ResizeObserver(([entry]) => {
        const width = Math.round(entry.contentRect.width);
        if (width && width !== last) listener((last = width));
      });
      watch.observe(node);
      off.push(() => watch.disconnect());
    },
    /** Draws after the current burst of changes, before the browser paints. */
    redraw() {
      if (waiting) return;
      waiting = true;
      queueMicrotask(() => {
        waiting = false;
        if (alive) update(view);
      });
    },
    summary: tag("p", { class: "ll-summary", "data-role": "summary", "aria-live": "polite" }),
    /** The text alternative. It waits for a pause, or a screen reader would stutter in a drag. */
    say(words) {
      clearTimeout(pending);
      pending = setTimeout(() => { view.summary.textContent = words; }, view.summary.textContent ? 150 : 0);
    },
    dispose() {
      alive = false;
      clearTimeout(pending);
      off.forEach((stop) => stop());
      view.root.remove();
    },
  };
  for (const name of Object.keys(start)) {
    view.on(name, () => {
      // What a link has put out of range is put right, so that kernel and picture agree.
      if (limits[name] && model.get(name) !== view.get(name)) view.set({ [name]: view.get(name) });
      view.redraw();
    });
  }
  host.append(view.root);
  return view;
}

const symbol = (text) => tag("span", { class: "ll-symbol", html: math(text) });

/**
 * A labelled native range input bound to the number `name`. reach: how far the thumb goes, if not
 * over all that is allowed; read(name): what is shown, if not the number itself.
 */
export function slider(view, name, { words, letter, q, digits = 2, unit = "", reach, read = view.get }) {
  const { min, max, step } = view.limits[name];
  const [low, high] = reach ?? [min, max], id = unique(name);
  const input = tag("input", { type: "range", id, min: low, max: high, step, "data-name": name });
  const output = tag("output", { for: id, class: "ll-value" });
  const place = (value) => 100 * Math.min(1, Math.max(0, (value - low) / (high - low)));
  const refresh = () => {
    const value = read(name), zero = place(Math.max(low, 0)), at = place(value);
    if (input.valueAsNumber !== value) input.value = value;
    output.textContent = `${fmt(value, digits)}${unit}`;
    input.setAttribute("aria-valuetext", output.textContent);
    input.style.setProperty("--ll-from", Math.min(zero, at) / 100);
    input.style.setProperty("--ll-to", Math.max(zero, at) / 100);
  };
  input.addEventListener("input", () => view.set({ [name]: input.valueAsNumber }));
  view.on(name, refresh);
  refresh();
  const control = tag("div", { class: "ll-slider", "data-q": q },
    tag("label", { for: id }, tag("span", {}, words), letter ? symbol(letter) : null),
    output, input);
  control.refresh = refresh;
  control.input = input;
  return control;
}

/** A labelled native select bound to the trait `name`; choices: [value, words] pairs. */
export function select(view, name, { words, letter, choices }) {
  const id = unique(name);
  const input = tag("select", { id, "data-name": name },
    choices.map(([value, text]) => tag("option", { value }, text)));
  const refresh = () => { input.value = view.get(name); };
  input.addEventListener("change", () => view.set({ [name]: input.value }));
  view.on(name, refresh);
  refresh();
  return tag("div", { class: "ll-select" }, tag("label", { for: id }, `${words} `, letter ? symbol(letter) : null), input);
}

export const button = (words, onclick, attributes = {}) =>
  tag("button", { type: "button", class: "ll-button", onclick, ...attributes }, words);

/** Controls under a heading. */
export const group = (heading, ...children) =>
  tag("fieldset", { class: "ll-group" }, tag("legend", {}, heading), ...children);

/** Something that is there on demand; opened() is called each time it is unfolded. */
export function fold(words, opened, ...children) {
  const node = tag("details", { class: "ll-fold" }, tag("summary", {}, words), ...children);
  node.addEventListener("toggle", () => node.open && opened?.());
  return node;
}

/** The weights of a scalar unit on demand, two to a gate. */
export const weights = (view) => fold("Weights", null, tag("div", { class: "ll-weights" },
  ["f", "i", "g", "o"].map((q) => group(QUANTITIES[q].name,
    slider(view, `w_${q}`, { words: "weight of the input", letter: `w_{${q}}`, q, digits: 1 }),
    slider(view, `u_${q}`, { words: "weight of the hidden state", letter: `u_{${q}}`, q, digits: 1 })))));

/** A table of values; show(columns, rows) fills it. */
export function table(caption) {
  const head = tag("tr"), body = tag("tbody");
  const node = tag("div", { class: "ll-table", tabindex: 0, role: "region", "aria-label": caption },
    tag("table", {}, tag("caption", { class: "ll-hidden" }, caption), tag("thead", {}, head), body));
  node.show = (columns, rows) => {
    head.replaceChildren(...columns.map((html) => tag("th", { scope: "col", html })));
    body.replaceChildren(...rows.map(([first, ...rest]) =>
      tag("tr", {}, tag("th", { scope: "row", html: first }), rest.map((cell) => tag("td", {}, cell)))));
  };
  return node;
}

/** The curve of σ or tanh with a dot where the unit stands. */
export function curve(kind) {
  const W = 128, H = 64, reach = 6, pad = 6;
  const value = kind === "tanh" ? Math.tanh : (z) => 0.5 * Math.tanh(z / 2) + 0.5;
  const low = kind === "tanh" ? -1 : 0;
  const px = (z) => pad + ((z + reach) / (2 * reach)) * (W - 2 * pad);
  const py = (y) => H - pad - ((y - low) / (1 - low)) * (H - 2 * pad);
  const points = Array.from({ length: 61 }, (_, k) => -reach + (k * reach) / 30);
  const dot = svg("circle", { r: 5, class: "ll-dot" }), drop = svg("path", { class: "ll-drop" });
  const node = svg("svg", { class: "ll-curve", width: W, height: H, viewBox: `0 0 ${W} ${H}`, "aria-hidden": "true" },
    svg("path", { class: "ll-axis", d: `M${pad} ${py(0)}H${W - pad}M${px(0)} ${pad}V${H - pad}` }),
    svg("path", { class: "ll-bend", d: points.map((z, k) => `${k ? "L" : "M"}${px(z)} ${py(value(z))}`).join("") }),
    drop, dot);
  node.show = (z) => {
    const at = Math.max(-reach, Math.min(reach, z)), y = value(z);
    put(dot, { cx: px(at), cy: py(y) });
    put(drop, { d: `M${px(at)} ${py(0)}V${py(y)}` });
  };
  return node;
}
