// Controls: native, labelled, each bound to one of the explorable's settings.

import { put, tag, unique } from "./dom.js";
import { fmt, math, QUANTITIES } from "./format.js";
import { fault } from "./setting.js";

const symbol = (text) => tag("span", { class: "ll-symbol", html: math(text) });

/**
 * A labelled native range input bound to the number `name`. reach: how far the thumb goes, if not
 * over all that is allowed; log: equal ways multiply alike; read(name): what is shown, if not the
 * number itself; show(value): how it is written.
 */
export function slider(
  view,
  name,
  {
    words,
    letter,
    q,
    digits = 2,
    unit = "",
    reach,
    log = false,
    read = view.get,
    show = (value) => `${fmt(value, digits)}${unit}`,
  },
) {
  const { min, max, step, whole } = view.limits[name];
  const to = log ? Math.log10 : (value) => value,
    from = log ? (at) => 10 ** at : (at) => at;
  const [low, high] = (reach ?? [min, max]).map(to),
    id = unique(name);
  const input = tag("input", {
    type: "range",
    id,
    min: low,
    max: high,
    step: log ? (high - low) / 400 : step,
    "data-name": name,
  });
  const output = tag("output", { for: id, class: "ll-value" });
  const place = (at) => Math.min(1, Math.max(0, (at - low) / (high - low)));
  const refresh = () => {
    const value = read(name),
      at = to(value),
      zero = log ? 0 : place(Math.max(low, 0));
    if (input.valueAsNumber !== at) input.value = at;
    output.textContent = show(value);
    input.setAttribute("aria-valuetext", output.textContent);
    input.style.setProperty("--ll-from", Math.min(zero, place(at)));
    input.style.setProperty("--ll-to", Math.max(zero, place(at)));
  };
  input.addEventListener("input", () => {
    const before = view.get(name),
      at = input.valueAsNumber;
    let value = from(at);
    if (log) value = whole ? Math.round(value) : Number(value.toPrecision(3));
    // Where steps of the slider are finer than whole numbers, a key still moves by one.
    if (log && whole && value === before) value += Math.sign(at - to(before));
    view.set({ [name]: value });
  });
  view.on(name, refresh);
  refresh();
  const control = tag(
    "div",
    { class: "ll-slider", "data-q": q },
    tag("label", { for: id }, tag("span", {}, words), letter ? symbol(letter) : null),
    output,
    input,
  );
  control.refresh = refresh;
  control.input = input;
  return control;
}

/** A labelled field for a number that is typed; what cannot be is said, and not applied. */
export function number(view, name, { words, letter, q }) {
  const { min, max, step, whole } = view.limits[name],
    id = unique(name),
    wrong = unique("wrong");
  const input = tag("input", {
    type: "number",
    id,
    min,
    max,
    step: whole ? step : "any",
    "data-name": name,
    "aria-describedby": wrong,
  });
  return field(view, name, input, wrong, () => input.valueAsNumber, { words, letter, q });
}

/** A labelled field for the text `name`; rows: lines to write on. */
export function textfield(view, name, { words, letter, q, rows = 1 }) {
  const id = unique(name),
    wrong = unique("wrong");
  const more = { id, "data-name": name, spellcheck: "false", "aria-describedby": wrong };
  const input =
    rows > 1 ? tag("textarea", { rows, ...more }) : tag("input", { type: "text", ...more });
  return field(view, name, input, wrong, () => input.value, { words, letter, q });
}

function field(view, name, input, wrong, value, { words, letter, q }) {
  const error = tag("p", { class: "ll-error", id: wrong, role: "alert" });
  const refresh = () => {
    if (value() !== view.get(name)) input.value = view.get(name);
    error.textContent = "";
    put(input, { "aria-invalid": false });
  };
  input.addEventListener("input", () => {
    const now = value(),
      mistake = Number.isNaN(now)
        ? `${name}: expected a number`
        : fault(name, now, view.specs[name]);
    error.textContent = mistake ?? "";
    put(input, { "aria-invalid": Boolean(mistake) });
    if (!mistake) view.set({ [name]: now });
  });
  input.addEventListener("blur", refresh);
  view.on(name, refresh);
  refresh();
  return tag(
    "div",
    { class: "ll-field", "data-q": q },
    tag("label", { for: input.id }, tag("span", {}, words), letter ? symbol(letter) : null),
    input,
    error,
  );
}

/** A labelled checkbox bound to the flag `name`. */
export function checkbox(view, name, { words }) {
  const id = unique(name),
    input = tag("input", { type: "checkbox", id, "data-name": name });
  const refresh = () => {
    input.checked = view.get(name);
  };
  input.addEventListener("change", () => view.set({ [name]: input.checked }));
  view.on(name, refresh);
  refresh();
  return tag("div", { class: "ll-check" }, input, tag("label", { for: id }, words));
}

/** A labelled native select bound to the trait `name`; choices: [value, words] pairs, all
 *  options if absent. choose(value): what happens on a choice, if more than that. */
export function select(
  view,
  name,
  {
    words,
    letter,
    choices = view.specs[name].options.map((option) => [option]),
    choose = (value) => view.set({ [name]: value }),
  },
) {
  const id = unique(name);
  const input = tag(
    "select",
    { id, "data-name": name },
    choices.map(([value, text = value]) => tag("option", { value }, text)),
  );
  const refresh = () => {
    input.value = view.get(name);
  };
  input.addEventListener("change", () => choose(input.value));
  view.on(name, refresh);
  refresh();
  return tag(
    "div",
    { class: "ll-select" },
    tag("label", { for: id }, `${words} `, letter ? symbol(letter) : null),
    input,
  );
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
export const weights = (view) =>
  fold(
    "Weights",
    null,
    tag(
      "div",
      { class: "ll-weights" },
      ["i", "f", "o", "g"].map((q) =>
        group(
          QUANTITIES[q].name,
          slider(view, `w_${q}`, {
            words: "weight of the input",
            letter: `w_{${q}}`,
            q,
            digits: 1,
          }),
          slider(view, `u_${q}`, {
            words: "weight of the hidden state",
            letter: `u_{${q}}`,
            q,
            digits: 1,
          }),
        ),
      ),
    ),
  );

/**
 * Play, pause and step through time. step() goes one on and says whether there is more; back()
 * goes one back, if given. A second that is split (`rate` steps in it) or, where the reader wants
 * things to stand still, a step a second. Playing ends when the picture is left or out of sight.
 */
export function player(view, { step, back, rate = 8, words = "Play" }) {
  let timer = 0;
  const play = button(words, () => (timer ? pause() : start()), { class: "ll-button ll-primary" });
  const pause = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = words;
  };
  const go = () => {
    if (!step()) pause();
  };
  const start = () => {
    play.textContent = "Pause";
    timer = setInterval(
      () => {
        if (document.hidden) pause();
        else go();
      },
      view.calm ? 1000 : 1000 / rate,
    );
    go();
  };
  view.onDispose(pause);
  const node = tag(
    "div",
    { class: "ll-player", role: "group", "aria-label": "Time" },
    play,
    back
      ? button("Back", () => {
          pause();
          back();
        })
      : null,
    button("Step", () => {
      pause();
      step();
    }),
  );
  node.pause = pause;
  return node;
}
