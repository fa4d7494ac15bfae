// What is behind a number: its formula, with the values put in, and what it is made of.

import { put, svg, tag } from "./dom.js";
import { math } from "./format.js";

/**
 * A panel that shows the formula behind a number. explain(key) returns
 * {head, meaning, symbols, numbers: [lines], from: [keys], curve: ["σ" | "tanh", a]}, all but
 * head and symbols optional; `math` (format.js) says how they are written. chosen() is the key
 * that is shown while nothing is pointed at; choose(key), if given, pins one on click or focus.
 *
 * watch(node, key) makes node (focusable) show its formula on hover and focus. Nodes watched with a
 * key of `from` get the class ll-made while the formula is shown. hover(key | null) does the same
 * for what has no node, as a point of a canvas.
 */
export function readout(view, { explain, chosen, choose }) {
  const head = tag("div", { class: "ll-explain-head" }),
    symbols = tag("div", { class: "ll-formula" });
  const numbers = tag("div", { class: "ll-formula ll-formula-numbers" });
  const curves = { σ: curve("σ"), tanh: curve("tanh") };
  const node = tag(
    "div",
    { class: "ll-inspector", "data-role": "readout" },
    tag("div", { class: "ll-inspector-words" }, head, symbols, numbers),
    curves.σ,
    curves.tanh,
  );
  const watched = new Map();
  let hovered = null,
    last = "";

  const refresh = () => {
    const key = hovered ?? chosen(),
      told = explain(key);
    const now = JSON.stringify([key, told]);
    if (now === last) return;
    last = now;
    node.dataset.q = told.q ?? key;
    head.replaceChildren(tag("strong", {}, told.head), told.meaning ? `: ${told.meaning}` : "");
    symbols.innerHTML = math(told.symbols);
    numbers.innerHTML = (told.numbers ?? []).map((line) => `<span>${math(line)}</span>`).join(" ");
    for (const kind of ["σ", "tanh"])
      curves[kind].classList.toggle("ll-off", told.curve?.[0] !== kind);
    if (told.curve) curves[told.curve[0]].show(told.curve[1]);
    for (const [other, k] of watched) {
      other.classList.toggle("ll-made", Boolean(told.from?.includes(k)));
      if (choose) put(other, { "aria-pressed": k === key });
    }
  };
  const hover = (key) => {
    if (key === hovered) return;
    hovered = key;
    view.redraw();
  };
  return {
    node,
    refresh,
    hover,
    /** The key that is shown. */
    get key() {
      return hovered ?? chosen();
    },
    watch(other, key) {
      watched.set(other, key);
      other.addEventListener("pointerenter", () => hover(key));
      other.addEventListener("pointerleave", () => hover(null));
      other.addEventListener("focus", () => (choose ? choose(key) : hover(key)));
      if (choose) other.addEventListener("click", () => choose(key));
      else other.addEventListener("blur", () => hover(null));
      return other;
    },
  };
}

/** The curve of σ or tanh with a dot where the unit stands. */
export function curve(kind) {
  const W = 128,
    H = 64,
    reach = 6,
    pad = 6;
  const value = kind === "tanh" ? Math.tanh : (a) => 0.5 * Math.tanh(a / 2) + 0.5;
  const low = kind === "tanh" ? -1 : 0;
  const px = (a) => pad + ((a + reach) / (2 * reach)) * (W - 2 * pad);
  const py = (y) => H - pad - ((y - low) / (1 - low)) * (H - 2 * pad);
  const points = Array.from({ length: 61 }, (_, k) => -reach + (k * reach) / 30);
  const dot = svg("circle", { r: 5, class: "ll-dot" }),
    drop = svg("path", { class: "ll-drop" });
  const node = svg(
    "svg",
    { class: "ll-curve", width: W, height: H, viewBox: `0 0 ${W} ${H}`, "aria-hidden": "true" },
    svg("path", { class: "ll-axis", d: `M${pad} ${py(0)}H${W - pad}M${px(0)} ${pad}V${H - pad}` }),
    svg("path", {
      class: "ll-bend",
      d: points.map((a, k) => `${k ? "L" : "M"}${px(a)} ${py(value(a))}`).join(""),
    }),
    drop,
    dot,
  );
  node.show = (a) => {
    const at = Math.max(-reach, Math.min(reach, a)),
      y = value(a);
    put(dot, { cx: px(at), cy: py(y) });
    put(drop, { d: `M${px(at)} ${py(0)}V${py(y)}` });
  };
  return node;
}
