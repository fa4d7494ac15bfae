// The picture of a training: loss, gradient and gates over the updates, and one sequence.

import { fmt, percent, scientific } from "../frontend/format.js";
import { linear, logarithmic, roundUp, timeTicks } from "../frontend/plot.js";
import { part, smoothed, softmax } from "./model.js";

export const TRAIN_LEFT = 44;
export const TRAIN_RIGHT = 92;
const LOSS = { top: 24, height: 150 },
  NORM = { top: 208, height: 84 },
  HEAT = { top: 352, height: 40, gap: 6 };
/** Where the sequence begins, and how tall its parts are. */
export const SEQUENCE = { top: 530, strip: 40, lane: 74, answer: 92 };
const GATES_SHOWN = ["f", "i", "o"];
const SYMBOLS = {
  "temporal order": ["E", "B", "a", "b", "c", "d", "X", "Y"],
  "first symbol": ["A", "B"],
};
const LOUD = { "temporal order": (k) => k > 5, "first symbol": (k) => k < 2 };

export const trainHeight = () =>
  SEQUENCE.top + SEQUENCE.strip + SEQUENCE.lane + SEQUENCE.answer + 60;

/** Draws a run; s: the setting, told: how it stands, past: an earlier run or null. */
export function paintTraining(pen, run, { s, told, past }) {
  const { width, colors } = pen,
    right = width - TRAIN_RIGHT;
  const last = Math.max(50, roundUp(Math.max(run.updates, past?.updates ?? 0)));
  const px = linear(0, last, TRAIN_LEFT, right);
  const per = run.points ? run.updates / run.points : 1,
    at = (k) => px((k + 0.5) * per + 0.5);
  paintLoss(pen, run, past, told, px, at, right);
  paintNorm(pen, run, s, at, right);
  pen.axisX(px, NORM.top + NORM.height, { title: "updates" });
  if (run.gated) paintGates(pen, run, px, right);
  else
    pen.words("no LSTM in this model: no gates to show", TRAIN_LEFT, HEAT.top + 30, {
      color: colors.soft,
    });
  paintExample(pen, run, s, told, right);
}

function paintLoss(pen, run, past, told, px, at, right) {
  const { colors } = pen,
    { top, height } = LOSS;
  let high = Number.isFinite(run.baseline) ? 1.25 * run.baseline : 0;
  const soft = smoothed(run.losses);
  for (const v of soft) if (v > high) high = v;
  if (!(high > 0)) high = run.loss || 1;
  const py = linear(0, roundUp(high), top + height, top),
    clipped = (v) => py(Math.min(v, py.high));
  pen.words(
    run.whole ? "loss: cross-entropy in nats" : "loss: mean squared error",
    TRAIN_LEFT,
    top - 8,
    { color: colors.soft },
  );
  pen.axisY(py, TRAIN_LEFT, right, { show: (v) => scientific(v, 2) });
  if (past) {
    const each = past.updates / past.losses.length;
    const end = smoothed(past.losses);
    pen.line(end, (k) => px((k + 0.5) * each + 0.5), clipped, {
      color: colors.soft,
      width: 3,
      alpha: 0.45,
    });
    const fits = px(past.updates) + 8 < right - 150;
    pen.words(
      `before: ${told.before}`,
      fits ? px(past.updates) + 8 : right - 4,
      clipped(end.at(-1)) - 7,
      { color: colors.soft, size: 11, align: fits ? "left" : "right", halo: true },
    );
  }
  if (Number.isFinite(run.baseline)) {
    const y = py(run.baseline);
    pen.rule(TRAIN_LEFT, y, right, y, { color: colors.ink, dash: "6 4" });
    pen.words(run.whole ? "chance" : "constant", right + 8, y - 2, {
      size: 11,
      color: colors.soft,
    });
    pen.words(scientific(run.baseline, 3), right + 8, y + 12, { size: 12, weight: 600 });
  }
  if (!run.points) {
    pen.words(
      told.status === "diverged" ? "diverged at once" : "the loss will be drawn here",
      (TRAIN_LEFT + right) / 2,
      top + height / 2 + 26,
      { align: "center", color: colors.soft, size: 13 },
    );
    return;
  }
  pen.line(run.losses, at, clipped, { color: colors.ink, width: 1, alpha: 0.35 });
  pen.line(soft, at, clipped, { color: colors.ink, width: 2.75 });
  const x = at(run.points - 1),
    y = clipped(soft.at(-1));
  if (told.status === "diverged")
    pen.words("✕ diverged", x, y - 10, {
      color: colors.text.f,
      size: 14,
      weight: 700,
      align: x > right - 90 ? "right" : "center",
      halo: true,
    });
  pen.dot(x, y, { color: colors.ink, r: 4.5 });
  const clear = Math.abs(y + 4 - py(run.baseline)) > 22 || !Number.isFinite(run.baseline);
  if (clear)
    pen.words(scientific(soft.at(-1)), right + 8, Math.min(y + 4, top + height), {
      size: 13,
      weight: 600,
    });
}

function paintNorm(pen, run, s, at, right) {
  const { colors } = pen,
    { top, height } = NORM;
  let low = 0.05,
    high = 2;
  for (const v of run.norms) {
    if (v > 0 && v < low) low = v;
    if (v > high) high = v;
  }
  if (s.clipping) {
    low = Math.min(low, s.clip);
    high = Math.max(high, s.clip);
  }
  const ten = (v, round) => 10 ** round(Math.log10(Math.min(1e30, Math.max(1e-12, v))));
  const py = logarithmic(ten(low, Math.floor), ten(high, Math.ceil), top + height, top);
  pen.words("norm of the gradient", TRAIN_LEFT, top - 8, { color: colors.soft });
  pen.axisY(py, TRAIN_LEFT, right, { ticks: py.ticks(3) });
  if (s.clipping) {
    const y = py(s.clip);
    pen.rule(TRAIN_LEFT, y, right, y, { color: colors.f, thick: 1.5, dash: "6 4" });
    pen.words(`clip ${scientific(s.clip)}`, right + 8, y + 4, {
      size: 12,
      color: colors.text.f,
      weight: 600,
    });
  }
  if (!run.points) return;
  const { ctx } = pen;
  ctx.save();
  ctx.beginPath();
  for (let k = 0; k < run.points; k++) ctx.lineTo(at(k), py(Math.min(py.high, run.norms[k])));
  for (let k = run.points - 1; k >= 0; k--) ctx.lineTo(at(k), py(run.clipped[k]));
  ctx.fillStyle = colors.f;
  ctx.globalAlpha = 0.25;
  ctx.fill();
  ctx.restore();
  pen.line(run.norms, at, (v) => py(Math.min(py.high, v)), {
    color: colors.soft,
    width: 1.25,
    dash: "3 2",
  });
  pen.line(run.clipped, at, py, { color: colors.ink, width: 2 });
}

function paintGates(pen, run, px, right) {
  const { colors } = pen,
    { top, height, gap } = HEAT,
    { columns, bins, stride } = run;
  pen.words("values of the gates, 0 below to 1 above", TRAIN_LEFT, top - 8, {
    color: colors.soft,
  });
  const map = new Float32Array(bins * columns);
  GATES_SHOWN.forEach((q, k) => {
    const y = top + k * (height + gap);
    for (let c = 0; c < columns; c++) {
      for (let b = 0; b < bins; b++)
        map[(bins - 1 - b) * columns + c] = Math.sqrt(run.histogram[(c * 3 + k) * bins + b]);
    }
    const x = px(0),
      w = Math.max(4, Math.min(px(columns * stride), right) - x);
    pen.rule(x, y + height, right, y + height);
    pen.heat(map, bins, columns, { x, y, w, h: height }, { low: 0, high: 0.9 });
    pen.formula(q, TRAIN_LEFT - 18, y + height / 2 + 5, { q, size: 15 });
    pen.words(`${part(run.open[k])} > 0.9`, right + 8, y + 14, { size: 11.5, weight: 600 });
    pen.words(`${part(run.shut[k])} < 0.1`, right + 8, y + 30, { size: 11.5, color: colors.soft });
  });
}

function paintExample(pen, run, s, told, right) {
  const { colors, ctx } = pen,
    { T, features } = run,
    { top, strip, lane } = SEQUENCE;
  const px = linear(0, Math.max(1, T - 1), TRAIN_LEFT + 4, right - 4),
    base = top + strip;
  const name = `sequence ${run.example}`;
  pen.words(
    pen.fitting([`${name}, and what the model makes of it now`, name], pen.width - TRAIN_LEFT),
    TRAIN_LEFT,
    top - 14,
    { color: colors.soft },
  );
  const symbols = SYMBOLS[s.task];
  if (symbols) {
    for (let t = 0; t < T; t++) {
      const k = run.x.subarray(t * features, (t + 1) * features).indexOf(1),
        loud = LOUD[s.task](k);
      if (!loud) pen.rule(px(t), base, px(t), base - 5 - 3 * (k % 4), { color: colors.soft });
      else {
        pen.rule(px(t), base, px(t), base - 20, { color: colors.ink, thick: 2 });
        pen.words(symbols[k], px(t), base - 24, { size: 15, weight: 700, align: "center" });
      }
    }
    pen.rule(TRAIN_LEFT, base, right, base);
  } else {
    const adding = s.task === "adding",
      shown = adding ? 1 : Math.min(8, features);
    let reach = 1e-9;
    for (const v of run.x) reach = Math.max(reach, Math.abs(v));
    const py = linear(-reach, reach, base, top);
    pen.rule(TRAIN_LEFT, py(0), right, py(0));
    for (let d = 0; d < shown; d++)
      pen.line(run.x, px, py, {
        color: colors.soft,
        width: 1.25,
        offset: d,
        stride: features,
        count: T,
        dash: d ? "4 3" : "",
      });
    for (let t = 0; adding && t < T; t++) {
      if (run.x[2 * t + 1] !== 1) continue;
      pen.dot(px(t), py(run.x[2 * t]), { r: 5 });
      pen.words(fmt(run.x[2 * t]), px(t), top - 2, {
        size: 12,
        weight: 600,
        align: "center",
        halo: true,
      });
    }
  }
  const bottom = base + lane + 14;
  if (run.trace) paintInside(pen, run, s, px, base + 14, right);
  for (const tick of timeTicks(T, (right - TRAIN_LEFT) / 90))
    pen.words(String(tick), px(tick - 1), bottom + 15, {
      color: colors.soft,
      size: 11,
      align: "center",
    });
  const y = bottom + 32;
  if (run.rows > 1) return paintPerStep(pen, run, px, y, right);
  if (!run.whole) return paintNumber(pen, run, y, right);
  const shares = softmax(run.answer, 0, run.answers),
    many = Math.min(8, shares.length),
    tall = Math.min(20, SEQUENCE.answer / many);
  const label = 58,
    reach = right - TRAIN_LEFT - label;
  for (let k = 0; k < many; k++) {
    const name = told.answers[k] ?? `class ${k}`,
      at = y + k * tall,
      wanted = k === run.wanted[0];
    pen.words(`${wanted ? "✓ " : ""}${name}`, TRAIN_LEFT + label - 10, at + tall * 0.7, {
      align: "right",
      size: 12,
      weight: wanted ? 700 : 400,
    });
    ctx.fillStyle = wanted ? colors.ink : colors.soft;
    ctx.globalAlpha = wanted ? 1 : 0.55;
    ctx.fillRect(TRAIN_LEFT + label, at + 2, Math.max(1.5, shares[k] * reach), tall - 4);
    ctx.globalAlpha = 1;
    pen.words(percent(shares[k]), right + 8, at + tall * 0.7, {
      size: 12,
      weight: wanted ? 700 : 400,
    });
  }
}

/** The memory of one unit, and its forget gate, over the sequence. */
function paintInside(pen, run, s, px, top, right) {
  const { colors } = pen,
    { T, trace, H } = run,
    unit = Math.min(s.unit, H) - 1,
    t = Math.min(s.step, T) - 1;
  let reach = 1;
  for (let k = 0; k < T * H; k++) reach = Math.max(reach, Math.abs(trace.c[k]));
  const bottom = top + SEQUENCE.lane,
    gate = linear(0, 1, bottom, top),
    cell = linear(-roundUp(reach), roundUp(reach), bottom, top);
  pen.rule(TRAIN_LEFT, gate(0.5), right, gate(0.5));
  const { color, dash, width } = pen.style("f");
  pen.line(trace.f, px, gate, { color, dash, width, offset: unit, stride: H, count: T });
  for (let k = 0; k < H; k++)
    pen.line(trace.c, px, cell, {
      color: colors.c,
      width: 1,
      alpha: 0.4,
      offset: k,
      stride: H,
      count: T,
    });
  pen.line(trace.c, px, cell, { ...pen.style("c"), offset: unit, stride: H, count: T });
  pen.rule(px(t), top - 8, px(t), bottom + 2, { color: colors.soft });
  const k = t * H + unit;
  pen.dot(px(t), cell(trace.c[k]), { color: colors.c, r: 5 });
  pen.dot(px(t), gate(trace.f[k]), { color: colors.f });
  pen.formula(`c = ${fmt(trace.c[k])}`, right + 8, top + 14, { q: "c" });
  pen.formula(`f = ${fmt(trace.f[k])}`, right + 8, top + 34, { q: "f" });
  pen.words(`unit ${unit + 1}, step ${t + 1}`, right + 8, top + 54, {
    size: 11,
    color: colors.soft,
  });
}

function paintNumber(pen, run, y, right) {
  const { colors } = pen,
    values = [...run.answer, ...run.wanted];
  const low = Math.min(0, ...values),
    high = Math.max(1, ...values),
    px = linear(low, high, TRAIN_LEFT + 4, right - 4),
    at = y + 34;
  pen.axisX(px, at, { ticks: px.ticks(5), show: (v) => scientific(v, 2) });
  for (let k = 0; k < Math.min(8, run.wanted.length); k++) {
    pen.rule(px(run.answer[k]), at, px(run.wanted[k]), at, { color: colors.f, thick: 4 });
    pen.dot(px(run.wanted[k]), at, { r: 7, hollow: true });
    pen.dot(px(run.answer[k]), at, { r: 4.5 });
  }
  pen.words("answer", px(run.answer[0]), at - 14, { size: 11, align: "center", halo: true });
  pen.words(fmt(run.answer[0], 3), right + 8, at - 2, { size: 13, weight: 600 });
  pen.words(`right ${fmt(run.wanted[0], 3)}`, right + 8, at + 15, {
    size: 11.5,
    color: colors.soft,
  });
}

/** An answer at every step: the first number, or the share that the right class gets. */
function paintPerStep(pen, run, px, y, right) {
  const { colors } = pen,
    n = run.answers,
    values = new Float64Array(run.rows),
    wanted = new Float64Array(run.rows);
  for (let t = 0; t < run.rows; t++) {
    values[t] = run.whole ? (softmax(run.answer, t, n)[run.wanted[t]] ?? 0) : run.answer[t * n];
    wanted[t] = run.whole ? 1 : run.wanted[t * n];
  }
  const low = Math.min(0, ...values, ...wanted),
    high = Math.max(run.whole ? 1 : 1e-9, ...values, ...wanted),
    py = linear(low, high, y + 70, y + 6);
  pen.axisY(py, TRAIN_LEFT, right, { ticks: [low, high], show: (v) => scientific(v, 2) });
  pen.line(wanted, px, py, { color: colors.soft, width: 8, alpha: 0.3 });
  pen.line(values, px, py, { color: colors.ink, width: 2 });
  pen.words(run.whole ? "right class" : "answer", right + 8, y + 16, { size: 11.5, weight: 600 });
}
