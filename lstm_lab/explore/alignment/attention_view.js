// The pictures of attention: a query that is dragged over a plane, the map, one query, one weight.

import { put, tag } from "../frontend/dom.js";
import { fmt, percent } from "../frontend/format.js";
import { linear, plot, roundUp } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { sumLevel } from "../frontend/sum_level.js";
import { inkOn } from "../frontend/theme.js";

const FOUND = "#d6b400";
/** As much of a word as there is room for. */
function shortened(pen, word, room, look) {
  const letters = [...word],
    cut = (_, n) => `${letters.slice(0, letters.length - 1 - n).join("")}…`;
  return pen.fitting([word, ...letters.map(cut)], room, look);
}
const scoreText = (e, digits = 2) => (Number.isFinite(e) ? fmt(e, digits) : "−∞");

/** The plane of the memory's vectors, with the query that the hand moves and what it gets. */
export function plane(app) {
  const picture = plot(app.view, {
    height: (width) => Math.min(width, 380),
    paint(pen) {
      const run = app.looked,
        { t } = app.spot(),
        { px, py } = scales(pen.width, pen.height);
      for (const tick of [-2, 0, 2]) {
        pen.rule(px(tick), 0, px(tick), pen.height, {
          color: tick ? pen.colors.line : pen.colors.soft,
        });
        pen.rule(0, py(tick), pen.width, py(tick), {
          color: tick ? pen.colors.line : pen.colors.soft,
        });
      }
      const at = (values, k) => [px(values[2 * k]), py(values[2 * k + 1])];
      const [qx, qy] = at(run.query, t),
        [cx, cy] = at(run.context, t);
      for (let s = 0; s < run.Tm; s++) {
        const [x, y] = at(run.memory, s);
        pen.ctx.beginPath();
        pen.ctx.moveTo(qx, qy);
        pen.ctx.lineTo(x, y);
        pen.stroke(pen.colors.soft, 0.75 + 11 * run.weights[t * run.Tm + s], "", 0.5);
      }
      for (let s = 0; s < run.Tm; s++) {
        const [x, y] = at(run.memory, s),
          weight = run.weights[t * run.Tm + s];
        pen.dot(x, y, { r: 3 + 9 * Math.sqrt(weight) });
        pen.words(app.column(s), x + 8 + 7 * Math.sqrt(weight), y - 6, {
          size: 14,
          weight: 600,
          halo: true,
        });
      }
      for (let k = 0; k < run.Tq; k++) {
        if (k === t) continue;
        const [x, y] = at(run.query, k);
        pen.dot(x, y, { r: 4, hollow: true, color: pen.colors.soft });
        pen.words(app.row(k), x + 8, y + 12, { size: 11, color: pen.colors.soft, halo: true });
      }
      pen.ctx.save();
      pen.ctx.translate(cx, cy);
      pen.ctx.rotate(Math.PI / 4);
      pen.ctx.fillStyle = FOUND;
      pen.ctx.fillRect(-7, -7, 14, 14);
      pen.ctx.beginPath();
      pen.ctx.rect(-7, -7, 14, 14);
      pen.stroke(pen.colors.ink, 1.5);
      pen.ctx.restore();
      pen.words("context", cx, cy + 25, { align: "center", weight: 600, halo: true });
      const { query_x: x, query_y: y } = app.view.ghost ?? {};
      if (x !== undefined && (x !== app.view.get("query_x") || y !== app.view.get("query_y"))) {
        pen.ctx.beginPath();
        pen.ctx.arc(px(x), py(y), 8, 0, 2 * Math.PI);
        pen.stroke(pen.colors.soft, 1.5, "3 3");
      }
      pen.dot(qx, qy, { r: 8, hollow: true });
      pen.words(app.row(t), qx, qy - 14, { align: "center", weight: 700, size: 13, halo: true });
    },
    pointed(point) {
      if (!point || (point.type !== "pointerdown" && !point.event.buttons)) return;
      if (point.type === "pointerdown") point.event.target.setPointerCapture(point.event.pointerId);
      const { px, py } = scales(picture.width, Math.min(picture.width, 380)),
        run = app.looked;
      app.view.set({
        query_x: Number(px.invert(point.x).toFixed(2)),
        query_y: Number(py.invert(point.y).toFixed(2)),
        query: run.Tq,
      });
    },
    pull: "xy",
    cursor: "move",
  });
  const scales = (width, height) => {
    const half = Math.min(width, height) / 2 - 6;
    return {
      px: linear(-3, 3, width / 2 - half, width / 2 + half),
      py: linear(-3, 3, height / 2 + half, height / 2 - half),
    };
  };
  return picture;
}

/** The map of all weights: queries down, memory across. Its chosen row opens. */
export function attentionMap(app, levels) {
  const TOP_ROW = 26,
    side = { left: 84 };
  const cellOf = (width) =>
    Math.min(app.own.words ? 90 : 64, (width - side.left - 4) / app.looked.Tm);
  const tall = () => Math.max(9, Math.min(44, 380 / app.looked.Tq));
  const picture = plot(app.view, {
    height: () => TOP_ROW + app.looked.Tq * tall() + 6,
    paint(pen) {
      const run = app.looked,
        { t, s } = app.spot(),
        wide = cellOf(pen.width),
        high = tall();
      pen.heat(
        run.weights,
        run.Tq,
        run.Tm,
        { x: side.left, y: TOP_ROW, w: run.Tm * wide, h: run.Tq * high },
        { map: "cividis" },
      );
      for (let k = 0; k < run.Tm; k++) {
        const step = app.own.words ? 1 : Math.ceil(22 / wide);
        if (wide < 20 && k !== s && k % step) continue;
        const look = { weight: k === s ? 700 : 400, size: wide < 30 ? 11 : 13 };
        pen.words(
          shortened(pen, app.column(k), Math.max(wide - 4, 9), look),
          side.left + (k + 0.5) * wide,
          16,
          { align: "center", ...look },
        );
      }
      for (let k = 0; k < run.Tq; k++) {
        if (high >= 13 || k === t || k % Math.ceil(15 / high) === 0) {
          const look = { weight: k === t ? 700 : 400 };
          pen.words(
            shortened(pen, app.row(k), side.left - 12, look),
            side.left - 8,
            TOP_ROW + (k + 0.5) * high,
            { align: "right", baseline: "middle", ...look },
          );
        }
        for (let j = 0; j < run.Tm && wide > 33 && high > 15; j++) {
          const a = run.weights[k * run.Tm + j];
          pen.words(fmt(a), side.left + (j + 0.5) * wide, TOP_ROW + (k + 0.5) * high, {
            align: "center",
            baseline: "middle",
            size: 12,
            color: inkOn("cividis", a),
          });
        }
      }
      for (const [x, y, w, h, thick] of [
        [0, t, run.Tm, 1, 1.5],
        [s, t, 1, 1, 3],
      ]) {
        pen.ctx.beginPath();
        pen.ctx.rect(side.left + x * wide, TOP_ROW + y * high, w * wide, h * high);
        pen.stroke(pen.colors.ink, thick);
      }
    },
    pointed(point) {
      if (!point) return;
      const run = app.looked,
        s = Math.floor((point.x - side.left) / cellOf(picture.width)),
        t = Math.floor((point.y - TOP_ROW) / tall());
      if (t < 0 || t >= run.Tq || s >= run.Tm) return;
      app.view.set({ query: t + 1, ...(s >= 0 ? { memory: s + 1 } : {}) });
      if (point.tapped) levels().open("query", opener);
    },
    cursor: "pointer",
  });
  const opener = app.walk(tag("button", { type: "button", class: "ll-hot ll-row-opener" }));
  return {
    node: tag("div", { class: "ll-stage" }, picture.node, opener),
    opener,
    draw(words) {
      const { t, s } = app.spot();
      Object.assign(opener.style, {
        left: "0px",
        width: `${side.left - 2}px`,
        top: `${TOP_ROW + t * tall()}px`,
        height: `${tall()}px`,
      });
      put(opener, {
        "aria-label":
          `Query “${app.row(t)}”, memory “${app.column(s)}”: ` +
          `${percent(app.looked.weights[t * app.looked.Tm + s])}. ` +
          "Arrow keys move, Enter opens the query",
      });
      picture.label(words);
      picture.redraw();
    },
  };
}

/** One query: its scores, and the weights that the softmax makes of them. */
export const queryLevel = (app, levels) => (stage) => {
  const HEIGHT = 290,
    pad = { left: 44, right: 8 };
  const told = readout(app.view, { explain: () => explainWeight(app), chosen: () => "weight" });
  const slot = (s, width) => {
    const w = Math.min(110, (width - pad.left - pad.right) / app.looked.Tm);
    return { x: pad.left + s * w, w };
  };
  const picture = plot(app.view, {
    height: HEIGHT,
    paint(pen) {
      const run = app.looked,
        { t, s: chosen } = app.spot(),
        row = run.scores.subarray(t * run.Tm, (t + 1) * run.Tm),
        right = slot(run.Tm, pen.width).x;
      const finite = row.filter(Number.isFinite),
        most = roundUp(Math.max(...finite.map(Math.abs), 0.01));
      const low = finite.some((e) => e < 0) ? -most : 0,
        ey = linear(low, most, 118, 24),
        ay = linear(0, 1, HEIGHT - 34, 152);
      pen.axisY(ey, pad.left, right, {
        ticks: low ? [-most, 0, most] : [0, most],
        title: "score · scale",
      });
      pen.axisY(ay, pad.left, right, { ticks: [0, 0.5, 1], title: "weight" });
      for (let s = 0; s < run.Tm; s++) {
        const { x, w } = slot(s, pen.width),
          gap = Math.min(8, w / 6),
          a = run.weights[t * run.Tm + s],
          e = row[s],
          strong = s === chosen ? 700 : 400;
        if (Number.isFinite(e)) {
          pen.ctx.fillStyle = pen.colors.soft;
          pen.ctx.fillRect(
            x + gap,
            Math.min(ey(0), ey(e)),
            w - 2 * gap,
            Math.max(1, Math.abs(ey(e) - ey(0))),
          );
        }
        pen.ctx.fillStyle = FOUND;
        pen.ctx.fillRect(x + gap, ay(a), w - 2 * gap, ay(0) - ay(a));
        if (w > 30 || s === chosen) {
          pen.words(scoreText(e), x + w / 2, (e > 0 ? ey(e) : ey(0)) - 4, {
            align: "center",
            size: 11,
            weight: strong,
            halo: true,
          });
          pen.words(fmt(a), x + w / 2, ay(a) - 4, {
            align: "center",
            size: 11,
            weight: strong,
            halo: true,
          });
        }
        if (w > 16 || s === chosen || s % Math.ceil(20 / w) === 0)
          pen.words(
            shortened(pen, app.column(s), Math.max(w - 4, 9), { weight: strong }),
            x + w / 2,
            HEIGHT - 16,
            { align: "center", weight: strong },
          );
      }
      const { x, w } = slot(chosen, pen.width);
      pen.ctx.beginPath();
      pen.ctx.rect(x + 1, 4, w - 2, HEIGHT - 6);
      pen.stroke(pen.colors.ink, 1.5);
    },
    pointed(point) {
      if (!point) return;
      const s = Math.floor((point.x - pad.left) / slot(0, picture.width).w);
      if (s < 0 || s >= app.looked.Tm) return;
      app.view.set({ memory: s + 1 });
      if (point.tapped) levels().open("query/weight", opener);
    },
    cursor: "pointer",
  });
  const opener = app.walk(tag("button", { type: "button", class: "ll-hot ll-row-opener" }));
  levels().opener(opener, "query/weight");
  stage.append(tag("div", { class: "ll-stage" }, picture.node, opener), told.node);
  return () => {
    const { t, s } = app.spot(),
      { x, w } = slot(s, picture.width);
    Object.assign(opener.style, {
      left: `${x}px`,
      width: `${w}px`,
      top: "4px",
      height: `${HEIGHT - 6}px`,
    });
    put(opener, {
      "aria-label":
        `Memory ${app.column(s)}: ${percent(app.looked.weights[t * app.looked.Tm + s])}. ` +
        "Left and right move, Enter opens its score",
    });
    picture.label(`Scores and weights of query “${app.row(t)}”. ${app.sentence()}`);
    picture.redraw();
    told.refresh();
  };
};

/** One weight: the sum of products that its score is. */
export const weightLevel = (app, levels) => (stage) => {
  const draw = sumLevel(app.view, levels(), stage, "query/weight", {}, () => scoreOf(app));
  const told = readout(app.view, { explain: () => explainWeight(app), chosen: () => "weight" });
  stage.append(told.node);
  return () => {
    draw();
    told.refresh();
  };
};

/** The score of the chosen pair as `sumLevel` takes it. */
function scoreOf(app) {
  const run = app.looked,
    { t, s } = app.spot(),
    raw = run.raw[t * run.Tm + s],
    value = Number.isFinite(raw) ? raw : -99;
  const term = (k, a, va, b, vb) => ({
    key: `term${k}`,
    letter: `${a} ${b}`,
    factors: [
      [a, va],
      [b, vb],
    ],
    value: va * vb,
    q: "h",
    words: `part ${k + 1}`,
  });
  const { Q, M, H } = run.layer ?? {};
  let terms = [
    {
      key: "given",
      letter: "ln a",
      factors: [["ln a", value]],
      value,
      q: "h",
      words: "the given weight's logarithm",
    },
  ];
  if (run.layer?.score === "dot")
    terms = Array.from({ length: Q }, (_, k) =>
      term(k, `q_{${k + 1}}`, run.query[t * Q + k], `m_{${k + 1}}`, run.memory[s * M + k]),
    );
  if (run.layer?.score === "general")
    terms = Array.from({ length: M }, (_, k) =>
      term(k, `p_{${k + 1}}`, run.projected[t * M + k], `m_{${k + 1}}`, run.memory[s * M + k]),
    );
  if (run.layer?.score === "additive")
    terms = Array.from({ length: H }, (_, k) =>
      term(
        k,
        `v_{${k + 1}}`,
        run.layer.weight_score[k],
        `u_{${k + 1}}`,
        run.hidden[(t * run.Tm + s) * H + k],
      ),
    );
  return {
    q: "h",
    letter: "e",
    value,
    sum: value,
    sumLetter: "e",
    act: "",
    terms,
    words:
      `The score is ${terms.map(({ words, value: v }) => `${words} ${fmt(v)}`).join(", ")}; ` +
      `together ${scoreText(raw)}. ${app.sentence()}`,
  };
}

const SYMBOLS = {
  dot: "e = q m = q_{1} m_{1} + q_{2} m_{2}",
  general: "e = p m, where p = q W has been taken into the memory's space",
  additive: "e = v u, where u = tanh(W q + U m)",
};

/** The softmax of the chosen weight with its numbers. */
export function explainWeight(app) {
  const run = app.looked,
    { t, s } = app.spot(),
    at = t * run.Tm + s,
    scale = fmt(app.view.get("scale"), 1),
    row = run.scores.subarray(t * run.Tm, (t + 1) * run.Tm),
    most = Math.max(...row);
  const total = row.reduce((sum, e) => sum + Math.exp(e - most), 0),
    e = row[s];
  return {
    head: `query “${app.row(t)}”, memory “${app.column(s)}”`,
    q: "h",
    meaning: run.layer
      ? `${run.layer.score} score`
      : "the given weights, to the power of the scale",
    symbols:
      (run.layer ? SYMBOLS[run.layer.score] : "e = ln a") + ";  a = exp(scale · e) ∕ sum of all",
    numbers: [
      `scale · e = ${scale} · ${scoreText(run.raw[at])} = ${scoreText(e)}`,
      `a = exp(${scoreText(e)}) ∕ ${fmt(total * Math.exp(most))} ` +
        `= «h:${fmt(run.weights[at], 3)}»`,
    ],
  };
}
