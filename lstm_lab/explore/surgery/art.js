// The picture of a surgery: input, output, memory and gates over one axis of time.

import { fmt, QUANTITIES } from "../frontend/format.js";
import { linear, timeTicks } from "../frontend/plot.js";

export const CUT_LEFT = 40;
export const CUT_RIGHT = 84;
const CUT_TOP = 24;
const CUT_LANES = [
  { key: "x", title: "input", height: 40 },
  { key: "y", title: "output: a weighted sum of the hidden states", height: 120 },
  { key: "c", title: "memory: the cell states", height: 104 },
  { key: "f", title: "forget gate", height: 34 },
  { key: "i", title: "input gate", height: 34 },
  { key: "o", title: "output gate", height: 34 },
  { key: "g", title: "candidate", height: 34 },
];
const CUT_GAP = 25;

export const surgeryHeight = CUT_LANES.reduce(
  (sum, { height }) => sum + height + CUT_GAP,
  CUT_TOP + 24,
);

/** Where the number of each quantity stands, to the right of its lane: the baseline, in px. */
export const CUT_READS = {};
CUT_LANES.reduce((y, { key, height }) => {
  if (key !== "x") CUT_READS[key] = y + 14 + (height - 4) / 2 + 5;
  return y + height + CUT_GAP;
}, CUT_TOP);

/** The scale of time of a picture so wide: from the middle of the first step to the last one's. */
export const cutScale = (width, T) =>
  linear(0, Math.max(1, T - 1), CUT_LEFT + 8, width - CUT_RIGHT - 8);

/** The edges, in px, of the steps that are operated on. */
export function cutEdges(px, run) {
  const half = run.T > 1 ? (px(1) - px(0)) / 2 : 8;
  return [px(run.first) - half, px(run.last) + half];
}

/** Draws a run; shown: whether its result may be seen; past: an earlier run or null. */
export function paintSurgery(pen, run, s, shown, past) {
  const { width, colors, ctx } = pen,
    right = width - CUT_RIGHT,
    { T, H } = run;
  const px = cutScale(width, T),
    [from, to] = cutEdges(px, run),
    bottom = surgeryHeight - 26;
  const unit = Math.min(s.unit, H) - 1,
    t = Math.min(s.step, T) - 1,
    live = Object.keys(run.clamps).length > 0 && run.units.length > 0;
  ctx.save();
  ctx.fillStyle = colors.ink;
  ctx.globalAlpha = live ? 0.08 : 0.035;
  ctx.fillRect(from, CUT_TOP - 6, to - from, bottom - CUT_TOP + 6);
  ctx.restore();
  for (const x of [from, to]) {
    pen.rule(x, CUT_TOP - 6, x, bottom, {
      color: colors.soft,
      thick: 1.5,
      dash: live ? "" : "3 3",
    });
    ctx.fillStyle = colors.soft;
    ctx.beginPath();
    ctx.roundRect(x - 4, CUT_TOP - 14, 8, 18, 3);
    ctx.fill();
  }
  const open = shown ? T : run.first;
  let y = CUT_TOP;
  for (const { key, title, height } of CUT_LANES) {
    const top = y + 14,
      base = top + height - 4;
    const wordings =
      key === "y" && !run.net.V ? ["hidden state of the unit"] : [title, title.split(":")[0]];
    const taken = pen.words(pen.fitting(wordings, pen.width - CUT_LEFT), CUT_LEFT, y + 8, {
      color: colors.soft,
      size: 12,
    });
    const py = laneScale(key, run, top, base);
    if (key === "x") paintInput(pen, run, px, py, right, t);
    else if (key === "y") paintOutput(pen, run, px, py, right, { open, shown, past, t, taken });
    else if (key === "c") paintMemories(pen, run, px, py, right, { open, unit, t, past });
    else paintGate(pen, run, key, px, py, right, { open, unit, t, from, to });
    y += height + CUT_GAP;
  }
  pen.rule(px(t), CUT_TOP + 4, px(t), bottom, { color: colors.line });
  for (const tick of timeTicks(T, (right - CUT_LEFT) / 90))
    pen.words(String(tick), px(tick - 1), bottom + 17, {
      color: colors.soft,
      size: 11,
      align: "center",
    });
}

function laneScale(key, run, top, base) {
  if (key === "f" || key === "i" || key === "o") return linear(0, 1, base, top);
  if (key === "g") return linear(-1, 1, base, top);
  const all = { x: [run.x], y: [run.y, run.yFree], c: [run.done.c, run.free.c] }[key];
  let low = 0,
    high = 0.1;
  for (const values of all)
    for (const v of values) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  const room = 0.07 * (high - low);
  return linear(key === "y" || low < -room ? low - room : low, high + room, base, top);
}

/** Round numbers of the scale, as rules. */
function frame(pen, py, right) {
  for (const level of py.ticks(3)) {
    pen.rule(CUT_LEFT, py(level), right, py(level));
    pen.words(
      fmt(level, Number.isInteger(level) ? 0 : (level * 10) % 1 ? 2 : 1),
      CUT_LEFT - 6,
      py(level) + 4,
      { color: pen.colors.soft, size: 11, align: "right" },
    );
  }
}

function paintInput(pen, run, px, py, right, t) {
  const { colors } = pen;
  frame(pen, py, right);
  if (run.D > 1) {
    for (let d = 0; d < Math.min(8, run.D); d++)
      pen.line(run.x, px, py, {
        color: colors.soft,
        width: 1.25,
        offset: d,
        stride: run.D,
        count: run.T,
        dash: d ? "4 3" : "",
      });
    return;
  }
  for (let k = 0; k < run.T; k++) {
    if (!run.x[k]) continue;
    pen.rule(px(k), py(0), px(k), py(run.x[k]), { color: colors.ink, thick: 2 });
    pen.dot(px(k), py(run.x[k]), { r: 3.5 });
  }
  pen.formula(`x ${fmt(run.x[t])}`, right + 10, py(0) - 6, { q: "x" });
}

function paintOutput(pen, run, px, py, right, { open, shown, past, t, taken }) {
  const { colors } = pen;
  frame(pen, py, right);
  pen.line(run.yFree, px, py, { color: colors.soft, width: 9, alpha: 0.28 });
  if (past)
    pen.line(past.y, px, py, {
      color: colors.soft,
      width: 1.5,
      alpha: 0.5,
      count: Math.min(past.T, run.T),
    });
  pen.line(run.y, px, py, { color: colors.h, width: 3.25, count: open });
  if (!shown) {
    const [from, to] = [px(run.first), px(run.T - 1)];
    pen.words(
      "?",
      Math.min(to - 8, (from + Math.max(from + 40, px(run.last))) / 2),
      (py(0) + py(py.high)) / 2 + 14,
      { size: 42, weight: 700, align: "center", color: colors.ink, halo: true },
    );
    const look = { size: 11, align: "right", color: colors.soft, halo: true };
    pen.words(
      pen.fitting(["grey: without the operation", ""], to - CUT_LEFT - taken - 12, look),
      to,
      py(py.high) - 4,
      look,
    );
  } else {
    pen.dot(px(t), py(run.y[t]), { color: colors.h, r: 5 });
    pen.words(fmt(run.y[t]), right + 10, CUT_READS.y, { size: 14, weight: 700 });
  }
  pen.words(`${shown ? "was " : ""}${fmt(run.yFree[t])}`, right + 10, CUT_READS.y + 18, {
    size: 11,
    color: colors.soft,
  });
}

function paintMemories(pen, run, px, py, right, { open, unit, t, past }) {
  const { colors } = pen,
    { H, T } = run;
  frame(pen, py, right);
  for (let k = 0; k < H; k++)
    pen.line(run.free.c, px, py, {
      color: colors.soft,
      width: k === unit ? 7 : 4,
      alpha: k === unit ? 0.28 : 0.13,
      offset: k,
      stride: H,
      count: run.T,
    });
  if (past && past.H === H)
    pen.line(past.done.c, px, py, {
      color: colors.soft,
      width: 1.5,
      alpha: 0.5,
      offset: unit,
      stride: H,
      count: Math.min(past.T, T),
    });
  for (let k = 0; k < H; k++)
    if (k !== unit)
      pen.line(run.done.c, px, py, {
        color: colors.c,
        width: 1,
        alpha: 0.6,
        dash: "4 2",
        offset: k,
        stride: H,
        count: open,
      });
  pen.line(run.done.c, px, py, { ...pen.style("c"), offset: unit, stride: H, count: open });
  const value = run[t < open ? "done" : "free"].c[t * H + unit];
  pen.dot(px(t), py(value), { color: t < open ? colors.c : colors.soft, r: 4.5 });
  pen.formula(`c ${fmt(value)}`, right + 10, CUT_READS.c, { q: "c" });
  pen.words(H > 1 ? `unit ${unit + 1}` : "", right + 10, CUT_READS.c + 17, {
    size: 11,
    color: colors.soft,
  });
}

function paintGate(pen, run, q, px, py, right, { open, unit, t, from, to }) {
  const { colors, ctx } = pen,
    { H } = run,
    held = run.clamps[q],
    hit = held !== undefined && run.units.includes(unit);
  pen.rule(CUT_LEFT, py(0), right, py(0));
  pen.rule(CUT_LEFT, py(1), right, py(1));
  pen.formula(q, CUT_LEFT - 22, (py(0) + py(1)) / 2 + 5, { q, size: 15 });
  pen.line(run.free[q], px, py, {
    color: colors.soft,
    width: 6,
    alpha: 0.25,
    offset: unit,
    stride: H,
    count: run.T,
  });
  if (hit) {
    // What is clamped is clamped whether or not its result is shown yet: hatched, with its value.
    const a = Math.min(py(py.low), py(1)),
      b = py(py.low);
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, a, to - from, b - a);
    ctx.clip();
    ctx.beginPath();
    for (let x = from - 40; x < to; x += 8) {
      ctx.moveTo(x, b);
      ctx.lineTo(x + (b - a), a);
    }
    pen.stroke(colors[q], 2, "", 0.55);
    ctx.restore();
    ctx.beginPath();
    ctx.moveTo(from, py(held));
    ctx.lineTo(to, py(held));
    pen.stroke(colors[q], 4);
    pen.formula(`${q} = ${fmt(held, 0)}`, (from + to) / 2, (a + b) / 2 + 5, { q, align: "center" });
  }
  const style = { ...pen.style(q), offset: unit, stride: H };
  pen.line(run.done[q], px, py, { ...style, count: hit ? Math.min(open, run.first) : open });
  if (hit && open > run.last + 1)
    pen.line(run.done[q], px, py, { ...style, first: run.last + 1, count: run.T });
  const value = run[t < open ? "done" : "free"][q][t * H + unit];
  pen.formula(
    `${q} ${fmt(hit && t >= run.first && t <= run.last ? held : value)}`,
    right + 10,
    CUT_READS[q],
    { q },
  );
}

const CUT_GATES = ["i", "f", "o", "g"].map((q) => QUANTITIES[q].name).join(", ");

/** The names of the lanes' quantities, for the text alternative. */
export const LANE_WORDS = `Input, output, cell states, and the ${CUT_GATES} of one unit over time.`;
