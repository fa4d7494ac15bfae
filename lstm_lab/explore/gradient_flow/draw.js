// The curves of a gradient on its way back, on a canvas.

import { tenTo } from "../frontend/format.js";
import { linear, roundTicks } from "../frontend/plot.js";
import { HALF, LEAST, MOST } from "./words.js";

/** Scales of lag and of log10, with their ticks, and notes on what float32 cannot hold. */
export function flowAxes(pen, { T, range }, { left, right, top, bottom, labels }) {
  const [low, high] = range;
  const x = linear(0, Math.max(1, T - 1), left, pen.width - right),
    y = linear(low, high, pen.height - bottom, top);
  const { ctx, colors } = pen;
  const bands = [
    [low, LEAST, "0 in float32"],
    [MOST, high, "∞ in float32"],
  ].filter(([from, to]) => to > from);
  for (const [from, to] of bands) {
    ctx.fillStyle = colors.faint;
    ctx.fillRect(left, y(to), x.to - left, y(from) - y(to));
  }
  const ticks = roundTicks(low, high, Math.max(2, (y.from - y.to) / 34)).filter(Number.isInteger);
  // A little to the left: a marker at lag 0 or 1 keeps clear of the numbers.
  pen.axisY(y, left - 4, x.to, { ticks, show: (k) => (k === 0 ? "1" : tenTo(k)) });
  const notes = bands
    .map(([from, to, words]) => ({ words, at: clear(y(to), y(from), ticks.map(y)) }))
    .filter(({ at }) => at !== null);
  const base = pen.height - bottom,
    look = { size: 11, color: colors.soft },
    title = "steps back";
  const end = x.to - pen.measure(title, look) - 16;
  const round = roundTicks(0, T - 1, Math.max(2, (x.to - left) / labels)).filter(
    (k) => Number.isInteger(k) && x(k) < end,
  );
  if (round.length > 1 || T === 1) {
    pen.words(title, x.to, base + 15, { ...look, align: "right" });
    pen.axisX(x, base, { ticks: round });
  } else {
    // No room for a second number before the title: it stands between the first and the last.
    const last = String(T - 1),
      wide = pen.measure(last, look),
      to = Math.min(x.to, pen.width - wide / 2) - wide / 2,
      from = left + pen.measure("0", look) / 2;
    pen.axisX(x, base, { ticks: [0] });
    pen.words(last, to, base + 15, look);
    const between = pen.fitting([title, "back"], to - from - 8, look);
    pen.words(between, (from + to) / 2, base + 15, { ...look, align: "center" });
  }
  return { x, y, notes };
}

/** The middle of the widest gap between lines from top to bottom, if a line of words fits there. */
export function clear(top, bottom, lines) {
  const edges = [
    top,
    ...lines.filter((at) => at > top && at < bottom).sort((a, b) => a - b),
    bottom,
  ];
  let best = 13,
    middle = null;
  for (let k = 1; k < edges.length; k++) {
    if (edges[k] - edges[k - 1] <= best) continue;
    best = edges[k] - edges[k - 1];
    middle = (edges[k] + edges[k - 1]) / 2;
  }
  return middle;
}

/** The curves of one network; x and y are scales of lag and log10. */
export function flowCurves(pen, { T, lag }, network, ghost, { x, y, notes }) {
  const { ctx, colors } = pen,
    { flow, main, half } = network;
  const px = (t) => x(T - 1 - t),
    start = flow[main][T - 1];
  ctx.save();
  ctx.beginPath();
  ctx.rect(x.from - 2, y.to - 4, x.to - x.from + 4, y.from - y.to + 4);
  ctx.clip();
  ctx.beginPath();
  ctx.moveTo(x(0), y(start));
  ctx.lineTo(x(T - 1), y(start + HALF * (T - 1)));
  pen.stroke(colors.soft, 1.5, "1.5 4");
  if (ghost) {
    const gx = (t) => x(ghost.flow.T - 1 - t);
    pen.line(ghost.flow[ghost.main], gx, y, { ...pen.style(ghost.main), dash: "", alpha: 0.22 });
  }
  if (flow.c) {
    pen.line(flow.c, px, y, pen.style("c"));
    pen.line(flow.direct, px, y, pen.style("f"));
  }
  pen.line(flow.h, px, y, pen.style("h"));
  ctx.restore();
  for (const { words, at } of notes)
    pen.words(words, x.to - 4, at, {
      size: 11,
      color: colors.soft,
      align: "right",
      baseline: "middle",
      halo: true,
    });
  if (half > 0 && half < T - 1)
    pen.dot(x(half), y(Math.max(y.low, start + HALF)), { r: 4, hollow: true });
  pen.crosshair(x(lag), null, { top: y.to, bottom: y.from });
  for (const [q, logs] of [
    ["h", flow.h],
    ["c", flow.c],
  ]) {
    if (logs && logs[T - 1 - lag] >= y.low && logs[T - 1 - lag] <= y.high)
      pen.dot(x(lag), y(logs[T - 1 - lag]), { color: colors[q] });
  }
}

/** What each step back multiplies the length by, and each unit's forget gate. */
export function flowFactors(pen, { T, lag, open }, margins) {
  const { flow, main, net, trace } = open,
    logs = flow[main],
    { H } = net;
  const x = linear(0, Math.max(1, T - 1), margins.left, pen.width - margins.right),
    y = linear(0, 1.5, pen.height - 8, 8);
  pen.axisY(y, margins.left, x.to, { ticks: [0, 0.5, 1, 1.5] });
  pen.rule(x.from, y(1), x.to, y(1), { color: pen.colors.soft, dash: "4 3" });
  const step = Float64Array.from({ length: T }, (_, t) =>
    t + 1 < T ? Math.min(1.6, 10 ** (logs[t] - logs[t + 1])) : NaN,
  );
  const px = (t) => x(T - 1 - t);
  if (trace.f) {
    for (let j = 0; j < Math.min(H, 32); j++) {
      pen.line(trace.f, (k) => x(T - 1 - (k - 1)), y, {
        color: pen.colors.f,
        width: 1,
        alpha: 0.5,
        offset: j,
        stride: H,
        count: T,
        first: 1,
      });
    }
  }
  pen.line(step, px, y, { ...pen.style(main), width: 2.5 });
  pen.crosshair(x(lag), null, { top: 8, bottom: y.from });
  if (lag && step[T - 1 - lag] <= 1.5)
    pen.dot(x(lag), y(step[T - 1 - lag]), { color: pen.colors[main] });
}
