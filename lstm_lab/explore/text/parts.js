// Parts of TextExplorer's picture: tiles, bars beside words, one cell over a part of the text.

import { put, svg, tag } from "../frontend/dom.js";
import { fmt } from "../frontend/format.js";
import { glyph } from "../frontend/text_canvas.js";
import { valueOf } from "./run.js";

const WINDOW = 60;

export function tile(words, below) {
  const name = tag("span", { class: "ll-tile-name" }, words),
    value = tag("strong", { class: "ll-tile-value" });
  const last = tag("span", { class: "ll-tile-name" }, below);
  return {
    node: tag("div", { class: "ll-tile", "data-q": "x" }, name, value, last),
    name,
    value,
    last,
  };
}

/** Bars beside words: rows of {words, share, number}, with a mark where `mark` is. */
export function bars(rows) {
  const H = 22,
    picture = svg("svg", {
      role: "img",
      class: "ll-bars-picture",
      height: rows * H,
      viewBox: `0 0 100 ${rows * H}`,
      preserveAspectRatio: "none",
    });
  const lines = Array.from({ length: rows }, (_, k) => {
    const bar = svg("rect", {
      x: 0,
      y: k * H + 5,
      height: H - 10,
      class: "ll-bars-bar",
      "data-q": "x",
    });
    const mark = svg("path", { class: "ll-bars-mark" });
    picture.append(bar, mark);
    return {
      bar,
      mark,
      words: tag("span", { class: "ll-bars-words", tabindex: 0 }),
      number: tag("span", { class: "ll-bars-number" }),
    };
  });
  const node = tag(
    "div",
    { class: "ll-bars" },
    tag(
      "div",
      { class: "ll-bars-column" },
      lines.map((line) => line.words),
    ),
    picture,
    tag(
      "div",
      { class: "ll-bars-column" },
      lines.map((line) => line.number),
    ),
  );
  return {
    node,
    picture,
    lines,
    /** Each row {words, to, mark, number}, places in per cent. */
    show(all) {
      lines.forEach(({ bar, mark, words, number }, k) => {
        const row = all[k];
        for (const each of [words, number]) each.hidden = !row;
        put(bar, { visibility: row ? "visible" : "hidden" });
        put(mark, { visibility: row?.mark === undefined ? "hidden" : "visible" });
        if (!row) return;
        words.textContent = row.words;
        number.textContent = row.number;
        put(bar, { width: Math.max(0.4, row.to) });
        if (row.mark !== undefined) put(mark, { d: `M${row.mark} ${k * H + 3}v${H - 6}` });
      });
    },
  };
}

/** The steps that one cell's picture shows: the first, and how many. */
export function windowOf(run) {
  const count = Math.min(WINDOW, run.reading.T),
    first = Math.min(run.reading.T - count, Math.max(0, run.from - 40));
  return [Math.max(0, first), Math.max(1, count)];
}

const LANES = [
  { title: "gates", qs: ["i", "f", "o"], low: 0, high: 1, height: 74 },
  { title: "candidate", qs: ["g"], low: -1, high: 1, height: 44 },
  { title: "tanh c and h", qs: ["c", "h"], low: -1, high: 1, height: 84 },
];

/** One cell over a part of the text: gates, candidate, states, and the property as an area. */
export function paintCell(pen, run, H) {
  const [first, count] = windowOf(run),
    left = 34,
    right = pen.width - 10,
    room = (right - left) / count;
  const px = (k) => left + (k + 0.5) * room,
    property = run.known.subarray(first, first + count);
  const top = property.reduce((m, v) => Math.max(m, v), 1),
    now = run.from - 1 - first;
  let y = 0;
  for (const lane of LANES) {
    const from = y + 22,
      to = from + lane.height,
      py = (v) => to - ((v - lane.low) / (lane.high - lane.low)) * lane.height;
    pen.words(lane.title, left, y + 14, { size: 12, color: pen.colors.soft });
    for (const v of [lane.low, lane.high]) {
      pen.rule(left, py(v), right, py(v));
      pen.words(fmt(v, 0), left - 6, py(v), {
        size: 11,
        color: pen.colors.soft,
        align: "right",
        baseline: "middle",
      });
    }
    if (lane.low < 0) pen.rule(left, py(0), right, py(0), { dash: "2 3" });
    if (lane === LANES[2] && run.reading.T) {
      pen.area(
        Float64Array.from(property, (v) => lane.low + ((lane.high - lane.low) * v) / top),
        px,
        py,
        to,
        { alpha: 0.12 },
      );
    }
    for (const q of lane.qs) {
      if (!run.reading.T) continue;
      const values = Float64Array.from({ length: count }, (_, k) =>
        valueOf(run.reading, q, H, first + k, run.cell),
      );
      const style = pen.style(q);
      pen.line(values, px, py, style);
      if (now >= 0) pen.dot(px(now), py(values[now]), { color: style.color });
      pen.formula(q, px(count - 1) - 2, py(values[count - 1]) - 6, { q, align: "right" });
    }
    y = to;
  }
  if (now >= 0) pen.crosshair(px(now), null, { top: 6, bottom: y + 8 });
  const { ctx, colors } = pen;
  for (let k = 0; k < Math.min(count, run.reading.T); k++) {
    if (k === now) {
      ctx.fillStyle = colors.line;
      ctx.fillRect(px(k) - room / 2, y + 9, room, 20);
    }
    const character = glyph(run.reading.characters[run.reading.places[first + k]]);
    if (room > 5 || k === now)
      pen.words(character, px(k), y + 24, {
        size: Math.min(13, room + 3),
        align: "center",
        weight: k === now ? 700 : 400,
      });
  }
}
