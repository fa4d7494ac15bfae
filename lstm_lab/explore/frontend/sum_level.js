// Inside a number: the products that are added up, the curve that squashes the sum, one product.

import { put, tag } from "./dom.js";
import { fmt } from "./format.js";
import { linear, plot, roundUp } from "./plot.js";

const ROW = 38,
  CURVE = 132,
  TOP = 26,
  FOOT = 34;

/**
 * Fills a level with a sum: bars that go on from each other, and above them the curve that squashes
 * the sum, over the same axis. content() returns
 *   {q, letter: "f_{t}", value, sum, sumLetter: "a", act: "σ" | "tanh" | "", terms, words}
 * with terms [{key, letter, factors: [[letter, value], …], value, q, words}]. A term of two factors
 * opens the level `<path>/<key>`, where that exists. Returns draw().
 */
export function sumLevel(view, nav, stage, path, contents, content) {
  const drawn = plot(view, {
    height: () => (content().act ? CURVE : 0) + TOP + ROW * (content().terms.length + 1) + FOOT,
    paint: (pen) => paintSum(pen, content()),
  });
  const holder = tag("div", { class: "ll-stage" }, drawn.node);
  stage.append(holder);
  const rows = new Map();
  return () => {
    const told = content();
    told.terms.forEach((term, k) => {
      const to = `${path}/${term.key}`;
      if (!contents[to]) return;
      if (!rows.has(term.key)) {
        const row = tag("button", { type: "button", class: "ll-hot ll-row", "data-q": term.q });
        nav.opener(row, to);
        rows.set(term.key, row);
        holder.append(row);
      }
      const row = rows.get(term.key);
      put(row, { "aria-label": `${term.words} ${fmt(term.value)}, open the product` });
      row.style.top = `${(told.act ? CURVE : 0) + TOP + k * ROW + 2}px`;
      row.style.height = `${ROW - 4}px`;
    });
    drawn.label(told.words);
    drawn.redraw();
  };
}

function paintSum(pen, { q, letter, value, sum, sumLetter, act, terms }) {
  const { width, colors } = pen,
    narrow = width < 520;
  const left = narrow ? 128 : 236,
    right = width - 24,
    top = (act ? CURVE : 0) + TOP;
  const running = terms.reduce((all, term) => [...all, all.at(-1) + term.value], [0]);
  const reach = Math.max(act ? 4 : 1, roundUp(Math.max(...running.map(Math.abs), Math.abs(sum))));
  const px = linear(-reach, reach, left, right),
    bottom = top + ROW * (terms.length + 1);
  const ticks = px.ticks(narrow ? 4 : 8);
  for (const tick of ticks) pen.rule(px(tick), act ? 12 : top - 8, px(tick), bottom);
  pen.rule(px(0), act ? 12 : top - 8, px(0), bottom, { color: colors.soft });
  pen.axisX(px, bottom, { ticks, show: (tick) => fmt(tick, Number.isInteger(tick) ? 0 : 1) });

  terms.forEach((term, k) => {
    const y = top + k * ROW,
      from = px(running[k]),
      to = px(running[k + 1]);
    bar(pen, from, to, y + 8, ROW - 16, term.q, term.value < 0);
    pen.rule(to, y + 8, to, y + ROW + 8, { color: colors.soft, dash: "2 3" });
    const name = pen.formula(term.letter, 8, y + ROW / 2 + 5, { q: term.q });
    const [[, a], second] = term.factors,
      value = fmt(term.value);
    const bracketed = (number) => (number < 0 ? `(${fmt(number)})` : fmt(number));
    const made = second ? `${bracketed(a)} · ${bracketed(second[1])} = ${value}` : value;
    const fits = 8 + name + 10 + made.length * 6.6 < left - 14;
    pen.words(fits ? made : value, left - 14, y + ROW / 2 + 5, {
      color: colors.soft,
      align: "right",
    });
  });
  const last = top + terms.length * ROW;
  bar(pen, px(0), px(sum), last + 5, ROW - 10, q, sum < 0);
  pen.formula(`${sumLetter} = ${fmt(sum)}`, 8, last + ROW / 2 + 5, { q, size: 14 });
  if (!act) return;

  const squash = act === "tanh" ? Math.tanh : (a) => 0.5 * Math.tanh(a / 2) + 0.5;
  const py = linear(act === "tanh" ? -1 : 0, 1, CURVE - 4, 18),
    at = Math.max(-reach, Math.min(reach, sum));
  pen.axisY(py, left, right, { ticks: act === "tanh" ? [-1, 0, 1] : [0, 0.5, 1] });
  const points = Float64Array.from({ length: 121 }, (_, k) => squash(reach * (k / 60 - 1)));
  pen.line(points, (k) => px(reach * (k / 60 - 1)), py, { color: colors.soft });
  pen.rule(px(at), py(value), px(at), last + 5, { color: colors[q], thick: 1.5, dash: "3 3" });
  pen.rule(left, py(value), px(at), py(value), { color: colors[q], thick: 1.5, dash: "3 3" });
  pen.dot(px(at), py(value), { color: colors[q], r: 6 });
  const digits = value > 0.995 || (value < 0.005 && value >= 0) ? 4 : 2;
  pen.formula(`${letter} = ${act}(${fmt(sum)}) = ${fmt(value, digits)}`, 8, 34, { q, size: 14 });
}

/** A bar; one that counts down is hatched. */
function bar(pen, from, to, y, tall, q, down) {
  const { ctx, colors } = pen,
    x = Math.min(from, to),
    wide = Math.max(1.5, Math.abs(to - from));
  ctx.save();
  ctx.fillStyle = ctx.strokeStyle = colors[q];
  ctx.beginPath();
  ctx.roundRect(x, y, wide, tall, Math.min(4, wide / 2));
  if (down) {
    ctx.lineWidth = 1.5;
    ctx.stroke();
    ctx.clip();
    ctx.beginPath();
    for (let k = -tall; k < wide; k += 6) {
      ctx.moveTo(x + k, y + tall);
      ctx.lineTo(x + k + tall, y);
    }
    ctx.lineWidth = 2.5;
    ctx.stroke();
  } else ctx.fill();
  ctx.restore();
}

const SIDE = 250;

/**
 * Fills a level with one product as the area of a rectangle. content() returns
 *   {letter, factors: [[letter, value, q], [letter, value, q]], value, q, words}.
 */
export function productLevel(view, stage, content) {
  const drawn = plot(view, { height: SIDE + 64, paint: (pen) => paintProduct(pen, content()) });
  stage.append(drawn.node);
  return () => {
    drawn.label(content().words);
    drawn.redraw();
  };
}

function paintProduct(pen, { letter, factors: [[aLetter, a, aq], [bLetter, b, bq]], value, q }) {
  const { ctx, colors, width } = pen,
    reach = roundUp(Math.max(1, Math.abs(a), Math.abs(b)) * 1.05);
  const half = Math.min(SIDE, width - 40) / 2,
    cx = Math.min(width / 2, 60 + half),
    cy = 22 + SIDE / 2;
  const px = linear(-reach, reach, cx - half, cx + half),
    py = linear(-reach, reach, cy + half, cy - half);
  const unit = reach > 4 ? roundUp(reach / 4) : reach > 1 ? 1 : 0.5;
  for (let k = -Math.floor(reach / unit); k <= reach / unit; k++) {
    pen.rule(px(k * unit), py(-reach), px(k * unit), py(reach));
    pen.rule(px(-reach), py(k * unit), px(reach), py(k * unit));
  }
  bar(
    pen,
    px(0),
    px(b),
    Math.min(py(0), py(a)),
    Math.max(1.5, Math.abs(py(a) - py(0))),
    q,
    value < 0,
  );
  pen.rule(px(-reach), py(0), px(reach), py(0), { color: colors.soft });
  pen.rule(px(0), py(-reach), px(0), py(reach), { color: colors.soft });
  ctx.beginPath();
  ctx.moveTo(px(0), py(0));
  ctx.lineTo(px(b), py(0));
  pen.stroke(colors[bq], 4);
  ctx.beginPath();
  ctx.moveTo(px(0), py(0));
  ctx.lineTo(px(0), py(a));
  pen.stroke(colors[aq], 4);
  const below = a >= 0 ? 18 : -9;
  pen.formula(`${bLetter} = ${fmt(b)}`, (px(0) + px(b)) / 2, py(0) + below, {
    q: bq,
    align: "center",
  });
  pen.formula(`${aLetter} = ${fmt(a)}`, px(0) + (b >= 0 ? -8 : 8), (py(0) + py(a)) / 2 + 4, {
    q: aq,
    align: b >= 0 ? "right" : "left",
  });
  const beside = cx + half + 24 + 150 < width;
  const x = beside ? cx + half + 28 : cx,
    y = beside ? cy - 6 : SIDE + 46;
  pen.formula(`${letter} = ${fmt(a)} · ${b < 0 ? `(${fmt(b)})` : fmt(b)} = ${fmt(value)}`, x, y, {
    q,
    size: 15,
    align: beside ? "left" : "center",
  });
  if (beside) {
    const side = fmt(unit, unit < 1 ? 1 : 0);
    pen.words("The area is the product.", x, y + 24, { color: colors.soft, size: 13 });
    pen.words(
      `A small square is ${side} × ${side}${value < 0 ? "; hatched: negative" : ""}.`,
      x,
      y + 44,
      { color: colors.soft, size: 13 },
    );
  }
}
