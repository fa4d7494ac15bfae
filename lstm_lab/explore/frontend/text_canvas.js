// Text on a canvas, each character in the colour of a number, with that number as a bar below it.

import { put, tag } from "./dom.js";
import { fault } from "./setting.js";

const FONT = 'ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace';
const SIZE = 13,
  TEXT = 19,
  LANE = 13;

const SIGNS = { "\n": "↵", " ": "␣", "\t": "→" };
/** A character as it can be seen. */
export const glyph = (character) => SIGNS[character] ?? character;
/** A text in words. */
export const quoted = (text) => `“${text.replace(/\n/g, "↵")}”`;

const QUANTITY = { i: "i", f: "f", o: "o" };
const withAlpha = (color, alpha) =>
  color
    .replace(/^(?:rgb|color)\(/, (m) => m)
    .replace(/^rgb\(([^)]*)\)$/, `rgba($1, ${alpha.toFixed(3)})`);

/** The tint of a value: gates in their own colour, else blue below zero and vermillion above. */
export function tintOf(colors, kind, value) {
  if (kind === "surprise") return withAlpha(colors.ink, Math.min(0.5, value / 16));
  const own = QUANTITY[kind],
    strong = 0.72 * Math.min(1, Math.abs(value)) ** 0.8;
  return withAlpha(own ? colors[own] : value < 0 ? colors.o : colors.f, strong);
}

/** How far up or down the bar of a value goes, as a share of its lane. */
const reach = (kind, value) => (kind === "surprise" ? Math.min(1, value / 12) : value);

/** Where each character stands, when lines are at most `width` px long: {x, row} and the rows. */
function arrange(characters, width, wide) {
  const x = new Float64Array(characters.length),
    row = new Int32Array(characters.length);
  let at = 0,
    line = 0;
  characters.forEach((character, k) => {
    const w = character === "\n" ? 0 : wide(character);
    if (at && at + w > width) {
      at = 0;
      line++;
    }
    x[k] = at;
    row[k] = line;
    if (character === "\n") {
      at = 0;
      line++;
    } else at += w;
  });
  return { x, row, rows: line + 1, endX: at, endRow: line };
}

/**
 * A box of coloured text. With a name, the text is that control's and can be written in place:
 * typed(text, place) and moved(place) tell of it, hovered(place or null) of the pointer. Places
 * count characters, not the units of JavaScript's strings. Without a lane for bars below each line
 * the lines stand closer. most: of more lines than these a text that can be written in shows a
 * part and scrolls; a button below opens all of them.
 *
 * show({characters, values, kind, property, at}): values (T) are NaN where the model knows nothing,
 * or null for plain text; property (T), if any, is drawn as a line; at: the mark, or null.
 */
export function textCanvas(
  view,
  { name, words, typed, moved, hovered, lane = true, most = Infinity },
) {
  const LINE = lane ? 36 : 22;
  const canvas = tag("canvas", { role: "img", class: "ll-canvas" }),
    ctx = canvas.getContext("2d");
  const error = tag("p", { class: "ll-error", role: "alert" });
  const field =
    name &&
    tag("textarea", {
      class: "ll-text-field",
      "data-name": name,
      "aria-label": words,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      wrap: "soft",
      style: `line-height: ${LINE}px; top: ${lane ? -6 : 1}px`,
    });
  const box = tag("div", { class: "ll-text-box" }, canvas, field);
  const more = tag("button", {
    type: "button",
    class: "ll-tool ll-text-more",
    "aria-expanded": "false",
    hidden: true,
    onclick: () => {
      put(more, { "aria-expanded": more.getAttribute("aria-expanded") === "false" });
      seen = "";
      paint();
    },
  });
  const node = tag(
    "div",
    { class: "ll-text-canvas" },
    box,
    most < Infinity ? more : null,
    name ? error : null,
  );
  let width = 0,
    shown = null,
    places = null,
    seen = "",
    cw = 8;

  /** As much of a long text as there is room for; in sight are the caret, the mark or the end. */
  function clip() {
    const { rows, row, endRow } = places,
      open = more.getAttribute("aria-expanded") === "true",
      long = rows > most;
    more.hidden = !long;
    more.textContent = open
      ? `Show only ${most} lines`
      : `${most} of ${rows} lines in view. Show all`;
    box.style.maxHeight = long && !open ? `${most * LINE + 4}px` : "";
    box.classList.toggle("ll-text-clipped", long && !open);
    const mark = document.activeElement === field ? caret() : (shown.at ?? Infinity),
      line = mark >= row.length ? endRow : row[mark],
      now = `${line} ${rows} ${open}`;
    if (now === seen) return;
    seen = now;
    const low = (line + 1) * LINE + 4 - box.clientHeight;
    box.scrollTop = Math.min(Math.max(box.scrollTop, low), line * LINE);
  }

  const font = `${SIZE}px ${FONT}`;
  const wide = (character) => {
    if (character >= " " && character <= "~") return cw;
    ctx.font = font;
    return character === "\t" ? cw : ctx.measureText(character).width;
  };
  const caret = () => Array.from(field.value.slice(0, field.selectionStart)).length;
  const unit = (characters, place) => characters.slice(0, place).join("").length;

  function paint() {
    if (!width || !shown) return;
    const { characters, values, kind, property, at } = shown,
      { colors } = view,
      ratio = window.devicePixelRatio || 1;
    ctx.font = font;
    cw = ctx.measureText("0".repeat(64)).width / 64;
    const columns = Math.max(4, Math.floor((width - cw) / cw)),
      inner = columns * cw + 0.01;
    places = arrange(characters, inner, wide);
    const height = Math.max(1, places.rows) * LINE;
    if (
      canvas.width !== Math.round(width * ratio) ||
      canvas.height !== Math.round(height * ratio)
    ) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = `${height}px`;
    }
    if (field)
      Object.assign(field.style, { width: `${columns * cw + cw / 2}px`, height: `${height}px` });
    if (most < Infinity) clip();
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.font = font;
    ctx.textBaseline = "alphabetic";
    const top = property ? property.reduce((m, v) => Math.max(m, v), 1) : 1;
    const gates = kind in QUANTITY || kind === "surprise";
    for (let k = 0; k < characters.length; k++) {
      const character = characters[k],
        x = places.x[k],
        y = places.row[k] * LINE,
        w = character === "\n" ? cw : wide(character);
      const value = values ? values[k] : 0,
        unknown = values && Number.isNaN(value);
      if (unknown) {
        // Not in the alphabet: struck out, since the network never sees it.
        ctx.fillStyle = colors.line;
        for (let d = 0; d < TEXT; d += 4) ctx.fillRect(x, y + d, w, 1.5);
      } else if (values) {
        ctx.fillStyle = tintOf(colors, kind, value);
        ctx.fillRect(x, y, w + 0.4, TEXT);
        const tall = reach(kind, value) * (gates ? LANE - 2 : (LANE - 2) / 2),
          zero = y + TEXT + (gates ? LANE - 1 : LANE / 2);
        ctx.fillStyle =
          gates && kind !== "surprise"
            ? colors[kind]
            : kind === "surprise"
              ? colors.soft
              : value < 0
                ? colors.o
                : colors.f;
        ctx.fillRect(x + 1, Math.min(zero, zero - tall), Math.max(1, w - 2), Math.abs(tall));
      }
      ctx.fillStyle = character === "\n" || character === "\t" ? colors.soft : colors.ink;
      if (character !== " ") ctx.fillText(glyph(character), x, y + 14);
    }
    if (property) {
      ctx.beginPath();
      let before = null;
      for (let k = 0; k < characters.length; k++) {
        const y = places.row[k] * LINE + TEXT + LANE - 1 - (property[k] / top) * (LANE - 2),
          x = places.x[k];
        if (before !== null && places.row[k] === places.row[k - 1]) ctx.lineTo(x, y);
        else ctx.moveTo(x, y);
        ctx.lineTo(x + (characters[k] === "\n" ? cw : wide(characters[k])), y);
        before = y;
      }
      ctx.strokeStyle = colors.ground;
      ctx.lineWidth = 3.5;
      ctx.stroke();
      ctx.strokeStyle = colors.ink;
      ctx.lineWidth = 1.5;
      ctx.stroke();
    }
    if (at !== null) {
      const end = at >= characters.length,
        x = end ? places.endX : places.x[at],
        y = (end ? places.endRow : places.row[at]) * LINE;
      ctx.fillStyle = colors.ink;
      ctx.fillRect(x - 1, y - 1, 2.5, LINE - 2);
      ctx.beginPath();
      ctx.moveTo(x - 4, y - 1);
      ctx.lineTo(x + 4.5, y - 1);
      ctx.lineTo(x + 0.25, y + 4);
      ctx.fill();
    }
  }
  // Of the box, since a bar to scroll with takes of its width.
  view.onWidth(box, (w) => {
    width = w;
    paint();
  });
  view.onScreen(() => canvas.isConnected && paint());

  if (field) {
    field.addEventListener("input", () => {
      const wrong = fault(name, field.value, view.specs[name]);
      error.textContent = wrong ?? "";
      put(field, { "aria-invalid": Boolean(wrong) });
      if (!wrong) typed(field.value, caret());
    });
    const follow = () => {
      if (document.activeElement === field && !field.matches("[aria-invalid=true]")) moved(caret());
    };
    document.addEventListener("selectionchange", follow);
    view.onDispose(() => document.removeEventListener("selectionchange", follow));
    field.addEventListener("pointermove", (event) => {
      if (!places) return;
      const area = canvas.getBoundingClientRect(),
        row = Math.floor((event.clientY - area.top) / LINE),
        x = event.clientX - area.left;
      let found = null;
      for (let k = 0; k < places.x.length; k++)
        if (places.row[k] === row && places.x[k] <= x && x < places.x[k] + 1.5 * cw) found = k;
      hovered(found);
    });
    field.addEventListener("pointerleave", () => hovered(null));
    field.addEventListener("blur", () => {
      if (field.getAttribute("aria-invalid") !== "true") return;
      put(field, { "aria-invalid": false });
      error.textContent = "";
      field.value = shown.characters.join("");
    });
  }
  return {
    node,
    label: (said) => put(canvas, { "aria-label": said }),
    show(what) {
      shown = what;
      if (field) {
        const text = what.characters.join("");
        if (field.getAttribute("aria-invalid") !== "true" && field.value !== text)
          field.value = text;
        if (document.activeElement !== field && what.at !== null) {
          const at = unit(what.characters, what.at);
          if (field.selectionStart !== at) field.setSelectionRange(at, at);
        }
      }
      paint();
    },
  };
}
