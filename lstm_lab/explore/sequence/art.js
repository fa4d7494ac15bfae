// The picture of a sequence: one lane under the other, over one axis of time.

import { fmt, QUANTITIES, share, steps } from "../frontend/format.js";
import { linear, roundUp, timeTicks } from "../frontend/plot.js";

export const LEFT = 26;
export const RIGHT = 98;
const CAPTION = 22,
  RULER = 58,
  AXIS = 22;

const LANES = [
  { key: "x", title: "input", qs: ["x"], height: 44 },
  { key: "gates", title: "gates", qs: ["i", "f", "o"], height: 84 },
  { key: "g", title: "candidate", qs: ["g"], height: 44 },
  { key: "c", title: "cell state", qs: ["c"], height: 112 },
  { key: "h", title: "hidden state", qs: ["h"], height: 48 },
];

/** Where the input's lane lies, in px; from its top, +1, to its bottom, −1, one can draw. */
export const X_LANE = { top: CAPTION, bottom: CAPTION + LANES[0].height };

export const SEQUENCE_HEIGHT = LANES.reduce(
  (sum, { height }) => sum + CAPTION + height,
  RULER + AXIS,
);

/** Where the number of each quantity stands, to the right of its lane: the baseline, in px. */
export const READS = {};
LANES.reduce((y, { key, qs, height }) => {
  const first = y + CAPTION + (height - 20 * (qs.length - 1)) / 2 + 5;
  qs.forEach((q, k) => {
    READS[q] = first + 20 * k;
  });
  return y + CAPTION + height + (key === "c" ? RULER : 0);
}, 0);

/** The quantity whose lane is at this height; of the gates, the one whose line is nearest there. */
export function laneAt(y, run, t) {
  let top = 0;
  for (const { key, qs, height } of LANES) {
    const end = top + CAPTION + height;
    if (y < end) {
      const at = (end - y) / height;
      return qs.reduce((best, q) =>
        Math.abs(run[q][t] - at) < Math.abs(run[best][t] - at) ? q : best,
      );
    }
    top = end + (key === "c" ? RULER : 0);
  }
  return null;
}

/** The ends of a lane's axis. Of what a lane shows of the ghost too, nothing is cut off. */
function reachOf(key, run, ghost, drawable) {
  if (key === "gates") return [0, 1];
  if (key === "g" || key === "h" || (key === "x" && drawable)) return [-1, 1];
  const all = [run[key], ...(key === "c" ? [run.target, ghost?.c] : [])].filter(Boolean);
  let low = 0,
    high = 0;
  for (const values of all)
    for (const v of values) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  const top = Math.max(1, roundUp(Math.max(high, -low)));
  return [low < -0.01 * top ? -top : 0, top];
}

/** Draws a run, with that before the last change behind it; step, from 1, is read. */
export function paintSequence(pen, run, ghost, step, drawable) {
  const { width, colors } = pen,
    right = width - RIGHT,
    { T } = run,
    t = step - 1;
  const px = linear(0, Math.max(1, T - 1), LEFT, right);
  const middle = T > 1 ? px : () => (LEFT + right) / 2;
  // First of all: words that it would strike through have a halo.
  pen.rule(middle(t), CAPTION - 4, middle(t), SEQUENCE_HEIGHT - AXIS + 4, { color: colors.soft });
  let y = 0;
  const dots = [];
  for (const { key, title, qs, height } of LANES) {
    const [low, high] = reachOf(key, run, ghost, drawable && run.x.every((v) => Math.abs(v) <= 1)),
      top = y + CAPTION;
    const py = linear(low, high, top + height, top);
    pen.words(title, LEFT, y + 14, { color: colors.soft, halo: true });
    if (key === "x" && drawable)
      pen.words("✎ draw here", right, y + 14, { color: colors.soft, size: 11, align: "right" });
    for (const level of new Set([0, high, ...(low < 0 ? [low] : [])])) {
      pen.rule(LEFT, py(level), right, py(level));
      if (level || low === 0)
        pen.words(fmt(level, 0), LEFT - 6, py(level) + 4, {
          color: colors.soft,
          size: 11,
          align: "right",
        });
    }
    if (key === "c" && run.target) {
      pen.line(run.target, middle, py, { color: colors.soft, width: 9, alpha: 0.28 });
      pen.words("target", right, py(run.target[T - 1]) - 9, {
        color: colors.soft,
        size: 11,
        align: "right",
        halo: true,
      });
    }
    if (key === "c" && !run.target) {
      pen.area(run.rest, middle, py, py(0), { first: run.first });
    }
    if (ghost) {
      for (const q of qs) {
        if (q === "x" && run.D > 1) continue;
        if (q === "x" && ghost.pulsed)
          stems(pen, ghost.x.subarray(0, Math.min(ghost.T, T)), middle, py, {
            color: colors.line,
            width: 1.5,
          });
        else
          pen.line(ghost[q], middle, py, {
            color: colors.ink,
            width: q === "c" ? 2 : 1.25,
            dash: QUANTITIES[q].dash,
            alpha: 0.35,
            count: Math.min(ghost.T, T),
          });
      }
    }
    for (const q of qs) {
      const style = pen.style(q),
        values = run[q];
      if (q !== "x") pen.line(values, middle, py, style);
      else if (run.D === 1 && run.pulsed) stems(pen, values, middle, py, style);
      else
        for (let d = 0; d < run.D; d++)
          pen.line(values, middle, py, { ...style, offset: d, stride: run.D });
      if (q !== "x" || run.D === 1) dots.push([middle(t), py(values[t]), q]);
    }
    for (const q of qs) {
      const { ctx } = pen,
        values = run[q],
        row = READS[q];
      ctx.beginPath();
      ctx.moveTo(right + 8, row - 4);
      ctx.lineTo(right + 24, row - 4);
      const style = pen.style(q);
      pen.stroke(style.color, style.width, style.dash);
      pen.formula(
        q === "x" && run.D > 1
          ? "x"
          : `${q} ${key === "gates" ? share(values[t]) : fmt(values[t])}`,
        right + 29,
        row,
        { q },
      );
    }
    if (key === "c") {
      paintMemory(pen, run, middle, py, right, top + height + 20);
      y += RULER;
    }
    y += CAPTION + height;
  }
  for (const [x, at, q] of dots) pen.dot(x, at, { color: colors[q], r: q === "c" ? 5 : 4 });
  for (const tick of timeTicks(T, (right - LEFT) / 90)) {
    pen.words(String(tick), T > 1 ? px(tick - 1) : middle(0), y + 18, {
      color: colors.soft,
      size: 11,
      align: "center",
    });
  }
}

function stems(pen, values, px, py, { color, width }) {
  const { ctx } = pen;
  ctx.beginPath();
  ctx.moveTo(px(0), py(0));
  ctx.lineTo(px(values.length - 1), py(0));
  for (let t = 0; t < values.length; t++) {
    if (!values[t]) continue;
    ctx.moveTo(px(t), py(0));
    ctx.lineTo(px(t), py(values[t]));
  }
  pen.stroke(color, width);
}

/** Below the cell state: how long the memory is, from the first pulse on. */
function paintMemory(pen, run, px, py, right, y) {
  const { ctx, colors } = pen,
    from = px(run.first),
    dx = run.T > 1 ? px(1) - px(0) : 0;
  const bar = (length, at, text, q) => {
    const to = from + length * dx,
      fits = to <= right + 0.5,
      end = fits ? to : right;
    ctx.beginPath();
    ctx.moveTo(from, at - 5);
    ctx.lineTo(from, at + 5);
    ctx.moveTo(from, at);
    ctx.lineTo(end, at);
    if (fits) {
      ctx.moveTo(end, at - 5);
      ctx.lineTo(end, at + 5);
    } else {
      ctx.moveTo(end - 8, at - 5);
      ctx.lineTo(end, at);
      ctx.lineTo(end - 8, at + 5);
    }
    pen.stroke(colors[q], 2);
    const after = end + 170 < right;
    pen.formula(text, after ? end + 8 : right, after ? at + 4.5 : at - 6, {
      q,
      align: after ? "left" : "right",
    });
    return fits ? to : null;
  };
  const half = bar(run.halfLife, y, `half-life = ${steps(run.halfLife)} steps`, "c");
  bar(run.memory, y + 24, `τ = 1/(1 − f) = ${steps(run.memory)} steps`, "f");
  if (half === null || run.target) return;
  const middle = py(run.rest[run.first] / 2);
  ctx.beginPath();
  ctx.moveTo(from, middle);
  ctx.lineTo(half, middle);
  ctx.lineTo(half, y);
  pen.stroke(colors.ink, 1.25, "3 3");
  pen.dot(half, middle, { color: colors.ink, r: 5, hollow: true });
}
