// The variants over time: a small panel for each, and one of them large.

import { fmt, share } from "../frontend/format.js";
import { linear, roundUp } from "../frontend/plot.js";
import { partsOf, unbounded } from "./variants.js";
import { TONE } from "./words.js";

// A panel from top to bottom: its name (HTML), memory and output, gates, input, what is told
// (HTML).
const MEMORY = 80,
  SHARES = 34,
  STRIP = 12,
  LINE = 22,
  SECOND = 19,
  APART = 14,
  BETWEEN = 26,
  GAP = 14,
  SMALL_GAP = 7;
const EDGE = 30,
  ENDS = 20,
  // From which width on three panels stand side by side; each its name in one line; what is told.
  COLUMN = 292,
  WIDE = 306,
  LONG = 320;

/**
 * Where the panels stand in a picture of this width: {x, y, w, h, head, told, narrow}, head and
 * told being the heights of the HTML above and below; in a narrow panel it has two lines.
 */
export function panelBoxes(count, width) {
  const columns = Math.min(count, width >= 3 * COLUMN + 2 * BETWEEN ? 3 : width >= 400 ? 2 : 1),
    w = (width - BETWEEN * (columns - 1)) / columns;
  const narrow = w < WIDE,
    head = LINE + (narrow ? SECOND : 0),
    told = LINE + (w < LONG ? SECOND : 0);
  const h = head + MEMORY + GAP + SHARES + SMALL_GAP + STRIP + told;
  return Array.from({ length: count }, (_, k) => ({
    x: (k % columns) * (w + BETWEEN),
    y: Math.floor(k / columns) * (h + APART),
    w,
    h,
    head,
    told,
    narrow,
  }));
}
export const familyHeight = (count, width) => {
  const { y, h } = panelBoxes(count, width).at(-1);
  return y + h;
};

/** Time across a panel or the large picture. */
export const timeIn = (box, T) => linear(0, Math.max(1, T - 1), box.x + EDGE, box.x + box.w - ENDS);

/** The memory's axis: ±1 for what cannot leave it, else round numbers that hold all of it. */
function reachOf(run) {
  if (!unbounded(run.variant)) return [-1, 1];
  let low = -1,
    high = 1;
  for (const m of run.m) {
    if (m < low) low = m;
    if (m > high) high = m;
  }
  return [-roundUp(-low), roundUp(high)];
}

/** Its ticks: the ends and zero, but for an end so near zero that the numbers would touch. */
const ticksWithin = ([low, high]) =>
  [low, 0, high].filter((v) => v === 0 || Math.abs(v) > 0.2 * (high - low));
const short = (v) => (Math.abs(v) < 1000 ? String(v).replace("-", "−") : `${fmt(v / 1000, 0)}k`);

/** Letters at the ends of lines, moved apart where they would lie on each other. */
function endLetters(pen, ends, x, top, bottom, size) {
  const gap = size + 1,
    [first, last] = [top - 5, bottom + 5];
  ends.sort((a, b) => a.y - b.y);
  ends.forEach((end, k) => {
    end.y = Math.max(end.y, k ? ends[k - 1].y + gap : first);
  });
  for (let k = ends.length - 1, most = last; k >= 0; k--, most -= gap)
    ends[k].y = Math.min(ends[k].y, most);
  for (const { q, y } of ends) pen.formula(q, x, y + size * 0.3, { q: TONE[q], size });
}

/** Does a line go up and down so fast that a thick one would be a blot? */
function restless(m, px, py) {
  let way = 0;
  for (let t = 1; t < m.length; t++) way += Math.abs(py(m[t]) - py(m[t - 1]));
  return way > 8 * Math.abs(px.to - px.from);
}

/** The memory over time, and the output or, dashed, the memory without the first input. The band is
 *  ±1, within which every output lies. */
function paintMemory(pen, run, ghost, px, top, bottom, { thick, without = false }) {
  const { colors } = pen,
    reach = reachOf(run),
    py = linear(...reach, bottom, top),
    last = run.m.length - 1;
  pen.ctx.fillStyle = colors.faint;
  pen.ctx.fillRect(px.from, py(1), px.to - px.from, py(-1) - py(1));
  pen.axisY(py, px.from, px.to, { ticks: ticksWithin(reach), show: short });
  pen.ctx.save();
  pen.ctx.beginPath();
  pen.ctx.rect(px.from - 4, top - 3, px.to - px.from + 8, bottom - top + 6);
  pen.ctx.clip();
  if (ghost) pen.line(ghost.m, px, py, { color: colors.soft, width: 1.5, alpha: 0.45 });
  if (without) pen.line(run.without, px, py, { color: colors.soft, width: 1.75, dash: "4 3" });
  else if (run.memory === "c") pen.line(run.h, px, py, { color: colors.h, width: 2 });
  const fine = restless(run.m, px, py) ? Math.min(1, (px(1) - px(0)) / 1.5) : 0;
  if (!fine || run.memory === "c")
    pen.line(run.m, px, py, {
      color: colors.c,
      width: fine ? 1 + 2 * fine : run.memory === "c" ? thick : thick + 1.5,
    });
  // Where the memory is the output, one line is both; a restless one has no room for two.
  if (run.memory === "h") pen.line(run.h, px, py, { color: colors.h, width: fine ? 1 + fine : 2 });
  pen.ctx.restore();
  return {
    py,
    ends: [
      ...(run.memory === "c" ? [{ q: "c", y: py(run.m[last]) }] : []),
      { q: "h", y: py(run.h[last]) },
    ],
  };
}

function paintGates(pen, run, letters, px, top, bottom, width) {
  const py = linear(0, 1, bottom, top),
    last = run.m.length - 1;
  for (const q of letters) {
    const { color, dash } = pen.style(TONE[q]);
    pen.line(run[q], px, py, { color, dash, width });
  }
  return letters.map((q) => ({ q, y: py(run[q][last]) }));
}

/** The input as a strip: up from the middle, or down. */
function paintInput(pen, x, px, top, bottom) {
  const py = linear(-1, 1, bottom, top);
  pen.rule(px.from, py(0), px.to, py(0));
  pen.line(x, px, py, { color: pen.colors.x, width: 1 });
}

/** All panels at once; step from 0. */
export function paintFamily(pen, { T, x, variants }, ghost, step) {
  const keys = Object.keys(variants),
    boxes = panelBoxes(keys.length, pen.width);
  keys.forEach((key, k) => {
    const run = variants[key],
      box = boxes[k],
      px = timeIn(box, T),
      { gates } = partsOf(run.variant);
    const top = box.y + box.head + 3,
      bottom = box.y + box.head + MEMORY,
      gateTop = bottom + GAP,
      gateBottom = gateTop + SHARES;
    const right = box.x + box.w - ENDS + 6,
      stripTop = gateBottom + SMALL_GAP,
      stripBottom = stripTop + STRIP;
    const past = ghost?.T === T ? ghost.variants[key] : null;
    const { py, ends } = paintMemory(pen, run, past, px, top, bottom, { thick: 3 });
    endLetters(pen, ends, right, top, bottom, 12);
    pen.axisY(linear(0, 1, gateBottom, gateTop), px.from, px.to, {
      ticks: gates.length ? [0, 1] : [],
      show: short,
    });
    endLetters(
      pen,
      paintGates(pen, run, gates, px, gateTop, gateBottom, 1.75),
      right,
      gateTop,
      gateBottom,
      11,
    );
    if (!gates.length)
      pen.words("no gates", px.from, (gateTop + gateBottom) / 2, {
        size: 11,
        color: pen.colors.soft,
        baseline: "middle",
      });
    paintInput(pen, x, px, stripTop, stripBottom);
    pen.rule(px(step), top - 3, px(step), stripBottom, { color: pen.colors.soft, dash: "2 3" });
    pen.dot(px(step), py(run.m[step]), {
      color: run.memory === "c" ? pen.colors.c : pen.colors.h,
      r: 3.5,
    });
  });
}

// One variant, large: its lanes from top to bottom.
export const MEMBER_SIDE = 86;
const LANES = { x: 34, memory: 150, h: 66, gates: 92, candidate: 62 },
  CAPTION = 22;
export const MEMBER_EDGE = 34;

/** The lanes of a variant: [{name, top, bottom, letters}]. */
export function memberLanes(variant) {
  const { memory, gates, candidate } = partsOf(variant),
    lanes = [];
  let y = 0;
  const add = (name, letters, caption) => {
    lanes.push({ name, letters, caption, top: y + CAPTION, bottom: y + CAPTION + LANES[name] });
    y += CAPTION + LANES[name];
  };
  add("x", ["x"], "input");
  add(
    "memory",
    [memory],
    memory === "c" ? "cell state, the memory" : "hidden state: memory and output in one",
  );
  if (memory === "c") add("h", ["h"], "hidden state, the output");
  if (gates.length)
    add(
      "gates",
      gates,
      gates.includes("f") && variant.keep === "coupled"
        ? "one gate for two, and the output gate"
        : "gates",
    );
  if (candidate) add("candidate", [candidate], "candidate");
  return lanes;
}
export const memberHeight = (variant) => memberLanes(variant).at(-1).bottom + 34;

/** Where each letter's number stands at the right, by letter: y. */
export function memberReads(run, step) {
  const at = {};
  for (const { name, letters, top, bottom } of memberLanes(run.variant)) {
    if (name === "x") continue;
    const rows = letters.map((q, k) => ({
      q,
      y: (top + bottom) / 2 + (k - (letters.length - 1) / 2) * 22,
    }));
    for (const { q, y } of rows)
      at[q] = {
        y,
        value: run[q][step],
        text: name === "gates" ? share(run[q][step]) : fmt(run[q][step]),
      };
  }
  return at;
}

export const memberTime = (width, T) =>
  linear(0, Math.max(1, T - 1), MEMBER_EDGE, width - MEMBER_SIDE);

/** One variant, large; dashed, its memory had the first input not been there. */
export function paintMember(pen, run, x, ghost, step, chosen) {
  const px = memberTime(pen.width, x.length),
    lanes = memberLanes(run.variant),
    { colors } = pen;
  for (const { name, letters, caption, top, bottom } of lanes) {
    pen.words(caption, px.from, top - 7, { size: 12, color: colors.soft });
    if (name === "x") {
      pen.axisY(linear(-1, 1, bottom, top), px.from, px.to, { ticks: [-1, 0, 1], show: short });
      pen.line(x, px, linear(-1, 1, bottom, top), pen.style("x"));
    } else if (name === "memory") {
      const { py } = paintMemory(pen, run, ghost, px, top, bottom, { thick: 3.5, without: true });
      pen.dot(px(step), py(run.m[step]), {
        color: run.memory === "c" ? colors.c : colors.h,
        r: 4.5,
      });
    } else if (name === "gates") {
      pen.axisY(linear(0, 1, bottom, top), px.from, px.to, { ticks: [0, 0.5, 1], show: short });
      paintGates(pen, run, letters, px, top, bottom, 2.25);
    } else {
      const py = linear(-1, 1, bottom, top);
      pen.axisY(py, px.from, px.to, { ticks: [-1, 0, 1], show: short });
      pen.line(run[letters[0]], px, py, pen.style(TONE[letters[0]]));
    }
  }
  const bottom = lanes.at(-1).bottom;
  pen.rule(px(step), lanes[0].top, px(step), bottom, { color: colors.soft, dash: "2 3" });
  const ticks = px.ticks(Math.max(2, (px.to - px.from) / 90)).filter(Number.isInteger);
  pen.axisX(linear(1, x.length, px.from, px.to), bottom + 4, {
    ticks: ticks.map((t) => t || 1).filter((t) => t <= x.length),
    show: String,
  });
  for (const [q, { y, text }] of Object.entries(memberReads(run, step))) {
    pen.formula(`${q} = ${text}`, pen.width - MEMBER_SIDE + 12, y + 4, {
      q: TONE[q],
      size: 13,
      weight: q === chosen ? 700 : 600,
    });
  }
}
