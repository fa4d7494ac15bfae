// What lies behind the map of influences: one output, one entry; and the brushes that all share.

import { put, tag } from "../frontend/dom.js";
import { fmt } from "../frontend/format.js";
import { linear, plot, roundUp } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { journey } from "./influence.js";

// Of Okabe & Ito's palette, what no gate is drawn in; the reverse half is striped as well.
const TONE = { forward: "#56b4e9", reverse: "#d6b400" };

export const toneOf = (direction) => TONE[direction];

let stripes = null;
function striped(ctx) {
  if (stripes) return stripes;
  const patch = Object.assign(document.createElement("canvas"), { width: 6, height: 6 }),
    small = patch.getContext("2d");
  small.strokeStyle = "rgba(0, 0, 0, .28)";
  small.lineWidth = 1.5;
  for (const shift of [-6, 0, 6]) {
    small.beginPath();
    small.moveTo(shift, 6);
    small.lineTo(shift + 6, 0);
    small.stroke();
  }
  return (stripes = ctx.createPattern(patch, "repeat"));
}

/** Fills a path in a direction's colour, the reverse one with stripes. */
export function fillHalf({ ctx }, direction, alpha, path) {
  ctx.save();
  ctx.beginPath();
  path(ctx);
  ctx.globalAlpha = alpha;
  ctx.fillStyle = TONE[direction];
  ctx.fill();
  if (direction === "reverse") {
    ctx.fillStyle = striped(ctx);
    ctx.fill();
  }
  ctx.restore();
}

/** The pattern of padding. */
export function hatch(pen, x, y, w, h) {
  const { ctx } = pen;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.beginPath();
  for (let k = x - h; k < x + w; k += 7) {
    ctx.moveTo(k, y + h);
    ctx.lineTo(k + h, y);
  }
  pen.stroke(pen.colors.line, 1);
  ctx.restore();
}

/** A rectangle's outline. */
export function outline(pen, x, y, w, h, { thick = 1.5, color = pen.colors.ink, dash } = {}) {
  pen.ctx.beginPath();
  pen.ctx.rect(x, y, w, h);
  pen.stroke(color, thick, dash);
}

/** A text cut to the room there is. */
export function shortened({ ctx }, text, room) {
  ctx.font = '400 12px system-ui, -apple-system, "Segoe UI", sans-serif';
  if (ctx.measureText(text).width <= room) return text;
  let cut = text;
  while (cut.length > 1 && ctx.measureText(`${cut}…`).width > room) cut = cut.slice(0, -1);
  return room < 14 ? "" : `${cut}…`;
}

/**
 * One output: what it has seen of every input. app is what the explorable shares: {view, own, run,
 * ghost(), at(), top(), name(t), quoted(t), explain, steer, levels}.
 */
export const outputLevel = (app) => (stage) => {
  const HEIGHT = 260,
    pad = { left: 40, right: 8, top: 22, bottom: 58 };
  const told = readout(app.view, { explain: app.explain, chosen: () => "pair" });
  const slot = (s, width) => {
    const w = (width - pad.left - pad.right) / app.run.T;
    return { x: pad.left + s * w, w };
  };
  const bars = plot(app.view, {
    height: HEIGHT,
    paint(pen) {
      const { run } = app,
        { t, s: chosen } = app.at(),
        base = HEIGHT - pad.bottom,
        before = app.ghost();
      const row = (of) =>
        of.both.subarray(Math.min(t, of.n - 1) * of.T, (Math.min(t, of.n - 1) + 1) * of.T);
      const py = linear(0, axisEnd([...row(run), ...(before ? row(before) : [])]), base, pad.top);
      pen.axisY(py, pad.left, pen.width - pad.right);
      for (let s = 0; s < run.T; s++) {
        const { x, w } = slot(s, pen.width),
          gap = Math.min(4, w / 6),
          inner = w - 2 * gap;
        if (s >= run.n) hatch(pen, x, pad.top, w, base - pad.top);
        run.ways.forEach((way, k) => {
          const v = way.dh[t * run.T + s],
            shared = s === t && run.ways.length > 1;
          if (!v) return;
          const from = x + gap + (shared && k ? inner / 2 : 0),
            wide = inner / (shared ? 2 : 1);
          fillHalf(pen, way.name, 1, (ctx) => ctx.rect(from, py(v), wide, base - py(v)));
          if (s === chosen || (w > 36 && !shared)) {
            pen.words(fmt(v), from + wide / 2, py(v) - 4, {
              align: "center",
              size: 11,
              weight: s === chosen ? 700 : 400,
            });
          }
        });
        if (before) {
          const v = row(before)[s];
          if (v)
            outline(pen, x + gap, py(v), inner, base - py(v), {
              color: pen.colors.soft,
              dash: "3 3",
            });
        }
        label(pen, s, x + w / 2, w, base, s === chosen);
        if (s === t)
          pen.words("its own", x + w / 2, HEIGHT - 4, {
            align: "center",
            size: 11,
            color: pen.colors.soft,
          });
      }
      const { x, w } = slot(chosen, pen.width);
      outline(pen, x + 1, pad.top - 14, w - 2, base - pad.top + 14);
    },
    pointed(point) {
      if (!point) return;
      const s = Math.floor((point.x - pad.left) / slot(0, bars.width).w);
      if (s < 0 || s >= app.run.T) return;
      app.view.set({ input: s + 1 });
      if (point.tapped) app.levels.open("output/entry", opener);
    },
    cursor: "pointer",
  });
  function label(pen, s, x, w, base, bold) {
    const text = s < app.run.n ? app.name(s) : "pad";
    if (w < 16 && !bold && s % Math.ceil(22 / w)) return;
    const slanted = text.length * 7 > w;
    pen.ctx.save();
    pen.ctx.translate(x, base + (slanted ? 12 : 16));
    if (slanted) pen.ctx.rotate(0.6);
    pen.words(text, slanted ? -4 : 0, 0, {
      align: slanted ? "left" : "center",
      weight: bold ? 700 : 400,
      color: s < app.run.n ? pen.colors.ink : pen.colors.soft,
    });
    pen.ctx.restore();
  }
  const opener = app.steer(tag("button", { type: "button", class: "ll-hot ll-row-opener" }));
  app.levels.opener(opener, "output/entry");
  stage.append(tag("div", { class: "ll-stage" }, bars.node, opener), told.node);
  return () => {
    const { t, s } = app.at(),
      { x, w } = slot(s, bars.width);
    Object.assign(opener.style, {
      left: `${x}px`,
      width: `${w}px`,
      top: `${pad.top - 14}px`,
      height: `${HEIGHT - pad.bottom - pad.top + 14}px`,
    });
    put(opener, {
      "aria-label":
        `Input ${s + 1}${app.quoted(s)}: ${fmt(app.run.both[t * app.run.T + s], 3)}. ` +
        "Left and right move, Enter opens",
    });
    told.refresh();
    bars.label(`What output ${t + 1}${app.quoted(t)} has seen of every input. ${app.sentence()}`);
    bars.redraw();
  };
};

/** The end of an axis for these numbers: a few steps above, so that it seldom jumps. */
function axisEnd(values) {
  const most = Math.max(0.01, ...values),
    unit = roundUp(most) / 4;
  return Math.ceil(most / unit - 1e-9) * unit;
}

/** One entry: how the influence travels, and the numbers that its norm is made of. */
export const entryLevel = (app) => (stage) => {
  const HEIGHT = 230,
    SHOWN = 16,
    pad = { left: 40, right: 128, top: 16, bottom: 44 };
  const told = readout(app.view, { explain: () => explainWay(app), chosen: () => "way" });
  const head = tag("p", { class: "ll-way" });
  const road = plot(app.view, {
    height: HEIGHT,
    paint(pen) {
      const { t, s } = app.at(),
        way = journey(app.run, t, s),
        base = HEIGHT - pad.bottom;
      if (!way) {
        pen.words("Nothing travels from here to there.", pen.width / 2, HEIGHT / 2, {
          align: "center",
          size: 14,
          color: pen.colors.soft,
        });
        return;
      }
      const count = way.h.length,
        px = linear(0, Math.max(1, count - 1), pad.left + 14, pen.width - pad.right);
      const py = linear(0, axisEnd([1, ...way.h, ...way.c]), base, pad.top);
      pen.axisY(py, pad.left, pen.width - pad.right + 8);
      const every = Math.ceil(count / Math.max(2, (pen.width - pad.right) / 48));
      way.times.forEach((time, k) => {
        if (k % every) return;
        pen.words(time < app.run.n ? app.name(time) : "pad", px(k), base + 16, { align: "center" });
      });
      const reading = way.way.name === "forward" ? "left to right" : "from the end backwards";
      pen.words(`in the order of reading, ${reading} →`, pad.left, HEIGHT - 8, {
        color: pen.colors.soft,
        size: 11,
      });
      const rows = [
        ["c", way.c, "cell"],
        ["h", way.h, "hidden"],
        ["f", way.f, "forget gate"],
      ];
      const ends = rows.map(([, values]) => py(values[count - 1])),
        y = [];
      const order = [0, 1, 2].sort((a, b) => ends[a] - ends[b]);
      order.forEach((k, rank) => {
        y[k] = Math.max(ends[k], rank ? y[order[rank - 1]] + 16 : 0);
      });
      rows.forEach(([q, values, words], k) => {
        const style = pen.style(q);
        pen.line(values, px, py, style);
        if (count < 20)
          values.forEach((v, j) =>
            pen.dot(px(j), py(v), { color: style.color, r: q === "f" ? 3 : 4 }),
          );
        pen.words(`${words} ${fmt(values[count - 1])}`, px(count - 1) + 10, y[k] + 4, {
          color: pen.colors.text[q],
          weight: 600,
        });
      });
    },
  });
  const words = tag("p", {}),
    cells = tag("div", { class: "ll-matrix-cells" });
  stage.append(head, road.node, told.node, tag("div", { class: "ll-matrix" }, words, cells));
  return () => {
    const { t, s } = app.at(),
      way = journey(app.run, t, s),
      { D, H } = app.own;
    const steps = way
      ? `${way.h.length - 1} steps on in the ${way.way.name} direction`
      : "no direction goes there";
    const from = `input ${s + 1}${app.quoted(s)}`,
      to = `output ${t + 1}${app.quoted(t)}`;
    head.textContent = `From ${from} to ${to}: ${steps}.`;
    const left = way
      ? `What is left of it in the hidden state: ${way.h.map((v) => fmt(v, 3)).join(", ")}. `
      : "";
    road.label(`${head.textContent} ${left}${app.sentence()}`);
    road.redraw();
    told.refresh();
    words.hidden = cells.hidden = !way;
    if (!way) return;
    const block = way.way.block(t, s),
      most = Math.max(1e-12, ...block.map(Math.abs)),
      units = Math.min(H, SHOWN);
    words.textContent =
      `The norm is √Σ(·)² of these ${H} · ${D} derivatives, ` +
      "a unit of the hidden state a row, a feature of the input a column" +
      `${H > units ? `; the first ${units} units` : ""}:`;
    cells.style.setProperty("--ll-columns", D);
    cells.replaceChildren(
      ...Array.from(block.subarray(0, units * D), (v) =>
        tag(
          "span",
          {
            style: `--ll-strength: ${Math.round((100 * Math.abs(v)) / most)}%`,
            "data-sign": v < 0 ? "minus" : "plus",
          },
          fmt(v, 3),
        ),
      ),
    );
  };
};

function explainWay(app) {
  const { t, s } = app.at(),
    way = journey(app.run, t, s);
  if (!way)
    return {
      head: "no way",
      meaning: "this input can have no influence on this output",
      q: "x",
      symbols: "∂y_{t}/∂x_{s} = 0",
    };
  const factors = way.h.slice(1).map((v, k) => fmt(way.h[k] ? v / way.h[k] : 0));
  const few = factors.length > 8 ? [...factors.slice(0, 4), "…", ...factors.slice(-3)] : factors;
  return {
    head: `the way in the ${way.way.name} direction`,
    q: "h",
    meaning: factors.length
      ? "the first step writes it in, every further one multiplies what is left"
      : "a single step",
    symbols: factors.length
      ? "‖∂h_{t}/∂x_{s}‖ = ‖∂h_{s}/∂x_{s}‖ · the factor of every step"
      : "‖∂h_{t}/∂x_{t}‖",
    numbers: [`= ${[fmt(way.h[0], 3), ...few].join(" · ")}`, `= «h:${fmt(way.h.at(-1), 3)}»`],
  };
}
