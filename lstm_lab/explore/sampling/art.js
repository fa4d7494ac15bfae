// The bars of the next character, and two distributions laid end to end.

import { fmt, percent } from "../frontend/format.js";
import { glyph } from "../frontend/text_canvas.js";

export const tallBars = (width) => (width < 420 ? 122 : 150);

const SLOT = 40,
  LEFT = 4,
  TOP = 18,
  BOTTOM = 24;

/** How many characters have a bar; the rest is told in words. */
const columns = (width, V) => Math.max(3, Math.min(V, Math.floor((width - 2 * LEFT - 74) / SLOT)));

/** The rank of the character whose bar stands at x, or null. */
export function rankOf(x, width, run) {
  const rank = Math.floor((x - LEFT) / SLOT);
  return rank >= 0 && rank < columns(width, run.own.order.length) ? rank : null;
}

export function paintBars(pen, run, net) {
  const { ctx, colors, width, height } = pen,
    { order, heated, p, kept, rank: drawn } = run.own,
    count = columns(width, net.V),
    floor = height - BOTTOM;
  const model = (id) => Math.exp(run.said[id]);
  const top = Math.max(p[order[0]], model(order[0]), 1e-9),
    tall = (share) => (share / top) * (floor - TOP);
  for (let rank = 0; rank < count; rank++) {
    const id = order[rank],
      x = LEFT + rank * SLOT,
      out = rank >= kept,
      share = out ? heated[id] : p[id],
      high = tall(share),
      wide = SLOT - 12;
    if (out) {
      // What is cut: an empty bar of what it had, hatched, and its letter struck through.
      ctx.save();
      ctx.beginPath();
      ctx.rect(x + 6, floor - high, wide, high);
      ctx.clip();
      ctx.beginPath();
      for (let d = -floor; d < wide + floor; d += 6) {
        ctx.moveTo(x + 6 + d, floor);
        ctx.lineTo(x + 6 + d + floor, 0);
      }
      pen.stroke(colors.line, 1.5);
      ctx.restore();
      ctx.beginPath();
      ctx.rect(x + 6, floor - high, wide, high);
      pen.stroke(colors.line, 1);
    } else {
      ctx.fillStyle = rank === drawn ? colors.ink : colors.soft;
      ctx.fillRect(x + 6, floor - high, wide, Math.max(1, high));
    }
    const mark = floor - tall(model(id));
    pen.rule(x + 2, mark, x + SLOT - 2, mark, { color: colors.ink, thick: 1.5 });
    const over = Math.min(floor - high, mark) - 4;
    const look = { size: 10.5, weight: rank === drawn ? 700 : 400 },
      told = [percent(share).replace(" %", "\u202f%"), "<\u202f0.01"];
    pen.words(pen.fitting(told, SLOT - 3, look), x + SLOT / 2, over, {
      ...look,
      align: "center",
      color: out ? colors.soft : colors.ink,
    });
    const sign = glyph(net.symbols[id]);
    pen.words(sign, x + SLOT / 2, floor + 17, {
      size: 15,
      align: "center",
      color: out ? colors.soft : colors.ink,
      weight: rank === drawn ? 700 : 400,
    });
    if (out) {
      const half = pen.measure(sign, { size: 15 }) / 2 + 3;
      pen.rule(x + SLOT / 2 - half, floor + 12, x + SLOT / 2 + half, floor + 12, {
        color: colors.soft,
        thick: 1.5,
      });
    }
  }
  pen.rule(LEFT, floor, LEFT + count * SLOT, floor, { color: colors.soft });
  const others = net.V - count,
    at = LEFT + count * SLOT + 8;
  if (others > 0) {
    let rest = 0;
    for (let rank = count; rank < net.V; rank++) rest += p[order[rank]];
    pen.words(`${others} others`, at, floor - 16, { size: 11, color: colors.soft });
    pen.words(rest ? percent(rest) : "cut", at, floor - 2, { size: 11, color: colors.soft });
  }
  pen.rule(at, TOP + 2, at + 14, TOP + 2, { color: colors.ink, thick: 1.5 });
  pen.words("T = 1", at + 18, TOP + 6, { size: 11, color: colors.soft });
}

/** Two rows from 0 to 1, the likeliest first, and the number that falls on both. */
export function paintStrips(pen, run, net, name) {
  const { ctx, colors, width } = pen,
    left = LEFT,
    right = width - LEFT,
    px = (share) => left + share * (right - left);
  [
    ["your setting", run.own, 14],
    [name, run.beside, 56],
  ].forEach(([words, { order, kept, p, rank: drawn }, y]) => {
    pen.words(words, left, y - 3, { size: 11, color: colors.soft });
    let from = 0;
    for (let rank = 0; rank < kept; rank++) {
      const id = order[rank],
        to = from + p[id],
        wide = px(to) - px(from),
        chosen = rank === drawn;
      ctx.fillStyle = chosen ? colors.ink : rank % 2 ? colors.faint : colors.line;
      ctx.fillRect(px(from), y, Math.max(wide, chosen ? 1.5 : 0), 22);
      if (wide > 12)
        pen.words(glyph(net.symbols[id]), px(from) + wide / 2, y + 16, {
          size: 13,
          align: "center",
          color: chosen ? colors.ground : colors.ink,
        });
      from = to;
    }
    ctx.beginPath();
    ctx.rect(left, y, right - left, 22);
    pen.stroke(colors.soft, 1);
  });
  const x = px(run.number);
  pen.rule(x, 10, x, 82, { color: colors.ground, thick: 4 });
  pen.rule(x, 10, x, 82, { color: colors.ink, thick: 2 });
  const words = `number ${fmt(run.number)}`,
    room = pen.measure(words, { size: 11, weight: 600 }),
    at = Math.min(right - room, Math.max(left + 150, x + 5));
  pen.words(words, at, 50, { size: 11, weight: 600, halo: true });
}
