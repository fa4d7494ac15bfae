// WeightExplorer: the weights of an LSTM as a map, one of them to be moved, and what that does.

import { button, group, select, slider } from "../frontend/controls.js";
import { floats, tag } from "../frontend/dom.js";
import { BLOCKS } from "../frontend/equations/lstm.js";
import { fmt, math, QUANTITIES, scientific, share, steps } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { linear, plot, roundUp } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { productLevel, sumLevel } from "../frontend/sum_level.js";
import { tableFold } from "../frontend/table.js";
import { chosenOf, lossCurve, placeOf, removals, weightNet, weightRun } from "./net.js";

const LISTED = ["i", "f", "o", "g"],
  REACH = 5,
  MOST_TERMS = 8;
const SHOWS = {
  weights: "the weights",
  gradient: "the gradient of the loss",
  removal: "the loss without each weight",
};
const SCALE = {
  weights: "weight",
  gradient: "∂L ∕ ∂weight",
  removal: "rise of the loss at weight = 0",
};

function render({ model, el }) {
  const net = weightNet(model.get("_shape"), floats(model.get("_net"))),
    { D, H, K, T } = net,
    columns = D + H + 1;
  let run = null,
    trained = null,
    removed = null,
    curveKey = "",
    curve = null;
  const view = explorable(model, el, { title: "What one weight does", update });
  view.root.classList.add("ll-weight-explorer");

  const kindOf = (column) => (column < D ? "w" : column < D + H ? "u" : "b");
  const columnName = (column) =>
    column < D ? `x_{${column + 1}}` : column < D + H ? `h_{${column - D + 1}}` : "1";
  const columnWords = (column) =>
    column < D ? `input ${column + 1}` : column < D + H ? `unit ${column - D + 1}` : "the bias";
  const numberOf = (row, column, arrays = net) => {
    const [name, k] = placeOf(net, row, column);
    return arrays[name][k];
  };
  const stepNow = () => Math.min(view.get("step"), T) - 1;
  const valueAt = (column, t) =>
    column < D
      ? net.x[t * D + column]
      : column < D + H
        ? t
          ? run.trace.h[(t - 1) * H + column - D]
          : 0
        : 1;
  /** A weight as it is now: moved, if it is the chosen one. */
  const weightNow = (row, column) =>
    numberOf(row, column) + (row === run.row && column === run.column ? run.delta : 0);
  const lossName = net.hasTarget ? "mean squared error" : "distance from what it did";

  function sentence(s) {
    const gate = `${QUANTITIES[s.gate].name} of unit ${run.unit + 1}`,
      name = `weight from ${columnWords(run.column)} to the ${gate}`;
    const moved = s.delta ? `, moved by ${fmt(s.delta)}` : ", as it was learnt",
      before = s.delta ? `, before ${scientific(trained.loss)}` : "";
    return (
      `The ${name} is ${fmt(run.weight)}${moved}. ` +
      `The ${lossName} is ${scientific(run.loss)}${before}; ` +
      `its slope in this weight is ${scientific(run.slope)}. ` +
      `The forget gate of unit ${run.unit + 1} averages ${share(run.mean, 3)}.`
    );
  }

  function explain(key) {
    const [, row, column] = key.split(":").map(Number),
      gate = BLOCKS[Math.floor(row / H)],
      unit = row % H;
    const w = weightNow(row, column),
      t = stepNow(),
      v = valueAt(column, t),
      slope = numberOf(row, column, run.grad),
      kind = kindOf(column);
    const letter = `${kind}_{${gate}}`,
      what = kind === "b" ? "" : ` ${kind === "w" ? `x_{t}` : `h_{t-1}`}`;
    const rest = gate === "g" ? fmt(Math.tanh(w)) : share(0.5 * Math.tanh(w / 2) + 0.5);
    return {
      q: gate,
      head: `from ${columnWords(column)} to the ${QUANTITIES[gate].name} of unit ${unit + 1}`,
      meaning: kind === "b" ? `at rest the gate is ${rest}` : "",
      symbols: `${letter}${what}, ∂L ∕ ∂${letter}`,
      numbers: [
        kind === "b"
          ? `«${gate}:${fmt(w)}»`
          : `«${gate}:${fmt(w)}» · «${kind === "w" ? "x" : "h"}:${fmt(v)}» ` +
            `= ${fmt(w * v)} at step ${t + 1},`,
        `∂L ∕ ∂${letter} = ${scientific(slope)}`,
      ],
    };
  }
  const chosenKey = () => `w:${run.row}:${run.column}`;

  // ---- the map of all weights
  /** count: how many gates it shows; which(): which they are. */
  function mapOf(stage, count, which, reader) {
    let hovered = null,
      boxes = null,
      drag = null;
    const small = 4 * H <= 32 && columns <= 14;
    const tall = small
      ? Math.max(20, Math.min(30, 220 / (count * H)))
      : Math.max(1, Math.min(6, 280 / (count * H)));
    const GAP = 12,
      LEFT = 62,
      TOP = 22;
    const art = plot(view, {
      height: TOP + count * (H * tall + GAP) + 34,
      pull: (at) => (spot(at.x, at.y) ? "xy" : "x"),
      cursor: "ns-resize",
      paint: (pen) => run && paintMap(pen),
      pointed: (point) => {
        const { type, event, y } = point ?? {},
          at = point && spot(point.x, point.y);
        hovered = at ?? null;
        reader.hover(at ? `w:${at.row}:${at.column}` : null);
        if (type === "pointerdown" && at) {
          const same = at.row === run.row && at.column === run.column;
          if (!same)
            view.set({ gate: at.gate, row: (at.row % H) + 1, source: at.column + 1, delta: 0 });
          drag = { y, from: same ? run.delta : 0 };
          event.target.setPointerCapture?.(event.pointerId);
        } else if (type === "pointermove" && drag && event.buttons) {
          view.set({ delta: Math.round((drag.from + (drag.y - y) / 30) * 20) / 20 });
        } else drag = type === "pointermove" ? drag : null;
      },
    });
    stage.append(art.node);

    function spot(x, y) {
      if (!boxes || x < boxes.left || x >= boxes.right) return null;
      const column = Math.floor((x - boxes.left) / boxes.wide);
      for (const [k, gate] of which().entries()) {
        const top = TOP + k * (H * tall + GAP),
          unit = Math.floor((y - top) / tall);
        if (y >= top && unit < H) return { gate, row: BLOCKS.indexOf(gate) * H + unit, column };
      }
      return null;
    }

    function paintMap(pen) {
      const { ctx, colors, width } = pen,
        { shows } = view.settings(),
        right = width - 4,
        wide = (right - LEFT) / columns;
      boxes = { left: LEFT, right, wide };
      const source =
        shows === "gradient" ? run.grad : shows === "removal" ? (removed ??= removals(net)) : net;
      let top = 0;
      for (const name of ["W", "U", "b"])
        for (const v of source[name]) top = Math.max(top, Math.abs(v));
      top = shows === "weights" ? Math.max(top, Math.abs(run.weight)) : top || 1;
      const value = (row, column) =>
        shows === "weights" ? weightNow(row, column) : numberOf(row, column, source);
      for (let column = 0; column < columns; column++) {
        if (small)
          pen.formula(
            column === D + H ? "b" : columnName(column),
            LEFT + (column + 0.5) * wide,
            14,
            { align: "center", color: colors.soft },
          );
      }
      if (!small) {
        for (const [from, to, name] of [
          [0, D, "inputs"],
          [D, D + H, "hidden states"],
          [D + H, columns, "b"],
        ]) {
          if ((to - from) * wide > 20 || name === "b")
            pen.words(name, LEFT + ((from + to) / 2) * wide, 14, {
              align: "center",
              size: 11,
              color: colors.soft,
            });
        }
      }
      const gates = which();
      gates.forEach((gate, k) => {
        const y0 = TOP + k * (H * tall + GAP);
        pen.formula(gate, 20, y0 + (H * tall) / 2 + 5, { q: gate, size: 17, align: "center" });
        ctx.fillStyle = colors[gate];
        ctx.fillRect(34, y0, 3, H * tall - 1);
        if (!small) {
          const block = new Float64Array(H * columns);
          for (let unit = 0; unit < H; unit++)
            for (let column = 0; column < columns; column++)
              block[unit * columns + column] = value(BLOCKS.indexOf(gate) * H + unit, column);
          pen.heat(
            block,
            H,
            columns,
            { x: LEFT, y: y0, w: right - LEFT, h: H * tall },
            { low: -top, high: top, map: "signed" },
          );
          return;
        }
        for (let unit = 0; unit < H; unit++) {
          pen.words(String(unit + 1), 50, y0 + (unit + 0.5) * tall, {
            size: 11,
            color: colors.soft,
            align: "center",
            baseline: "middle",
          });
          for (let column = 0; column < columns; column++) {
            const v = value(BLOCKS.indexOf(gate) * H + unit, column),
              x = LEFT + column * wide,
              y = y0 + unit * tall;
            ctx.globalAlpha = 0.75 * Math.min(1, Math.abs(v) / top) ** 0.8;
            ctx.fillStyle = v < 0 ? colors.o : colors.f;
            ctx.fillRect(x + 1, y, wide - 2, tall - 2);
            ctx.globalAlpha = 1;
            pen.rule(x + 1, y + tall - 2, x + wide - 1, y + tall - 2);
            const text =
              shows === "weights"
                ? fmt(v, wide < 44 ? 1 : 2)
                : Math.abs(v) >= 0.01
                  ? fmt(v)
                  : Math.abs(v) < 5e-5
                    ? "0"
                    : wide < 60
                      ? "~0"
                      : scientific(v, 2);
            pen.words(text, x + wide / 2, y + tall / 2, {
              size: 12,
              align: "center",
              baseline: "middle",
            });
          }
        }
      });
      const mark = (at, thick) => {
        const gate = BLOCKS[Math.floor(at.row / H)],
          k = gates.indexOf(gate);
        if (k < 0) return;
        const x = LEFT + at.column * wide,
          y = TOP + k * (H * tall + GAP) + (at.row % H) * tall;
        ctx.strokeStyle = colors.ink;
        ctx.lineWidth = thick;
        ctx.strokeRect(x + 0.5, y - 0.5, Math.max(5, wide - 1), Math.max(5, tall - 1));
      };
      if (hovered) mark(hovered, 1);
      mark(run, 2.5);
      const foot = TOP + count * (H * tall + GAP) + 8,
        bar = Math.min(180, width - LEFT - 90);
      pen.heat(
        Float64Array.from({ length: 64 }, (_, k) => k / 63),
        1,
        64,
        { x: LEFT, y: foot, w: bar, h: 8 },
        { low: 0, high: 1, map: "signed" },
      );
      for (const [share, text] of [
        [0, `−${scientific(top, 2)}`],
        [0.5, "0"],
        [1, scientific(top, 2)],
      ]) {
        pen.words(text, LEFT + share * bar, foot + 20, {
          size: 11,
          color: colors.soft,
          align: "center",
        });
      }
      pen.words(SCALE[shows], LEFT + bar + 12, foot + 8, { size: 11, color: colors.soft });
    }
    return art;
  }

  // ---- the loss as a function of the chosen weight
  function paintCurve(pen) {
    const { width, height, colors } = pen,
      left = 46,
      right = width - 12,
      bottom = height - 38;
    const from = run.weight - run.delta,
      top = roundUp(Math.max(...curve.losses) || 1e-6);
    const px = linear(-REACH, REACH, left, right),
      py = linear(0, top, bottom, 26);
    pen.axisY(py, left, right, {
      ticks: py.ticks(4),
      show: (v) => (v ? scientific(v, 2) : "0"),
      title: lossName,
    });
    pen.axisX(px, bottom, {
      ticks: px.ticks(width < 380 ? 4 : 8),
      show: (v) => fmt(v + from, 1),
      title: "value of the chosen weight",
    });
    const { deltas, losses } = curve;
    pen.line(losses, (k) => px(deltas[k]), py, { width: 2.5 });
    const x = px(run.delta),
      y = py(run.loss);
    // The tangent, as long as a hand, whatever its slope on this screen.
    const dx = px(1) - px(0),
      dy = py(run.slope) - py(0),
      long = 70 / Math.hypot(dx, dy);
    pen.ctx.beginPath();
    pen.ctx.moveTo(x - dx * long, y - dy * long);
    pen.ctx.lineTo(x + dx * long, y + dy * long);
    pen.stroke(colors.f, 3);
    pen.rule(px(0), py(trained.loss), px(0), bottom, { color: colors.soft, dash: "3 3" });
    pen.dot(px(0), py(trained.loss), { color: colors.soft, r: 5, hollow: true });
    pen.dot(x, y, { r: 7 });
    const text = `slope ${scientific(run.slope, 2)}`;
    pen.words(text, x > (left + right) / 2 ? x - 12 : x + 12, Math.max(40, y - 14), {
      size: 12,
      weight: 600,
      align: x > (left + right) / 2 ? "right" : "left",
      halo: true,
      color: colors.text.f,
    });
  }

  // ---- what the network does over its sequence
  const shownOutputs = net.V ? Math.min(3, K) : 0;
  const lanes = [
    ...Array.from({ length: shownOutputs }, (_, k) => ({ output: k, height: 62 })),
    { title: (unit) => `unit ${unit + 1}: gates`, qs: ["i", "f", "o"], height: 52 },
    {
      title: (unit) => `unit ${unit + 1}: cell state and hidden state`,
      qs: ["c", "h"],
      height: 62,
    },
  ];
  const TRACE = lanes.reduce((sum, lane) => sum + lane.height + 24, 26);

  function paintTrace(pen) {
    const { width, colors, ctx } = pen,
      left = 34,
      right = width - 30,
      px = linear(0, Math.max(1, T - 1), left, right),
      t = stepNow();
    let y = 0;
    for (const lane of lanes) {
      const top = y + 20,
        bottom = top + lane.height,
        k = lane.output,
        series = [];
      if (k !== undefined) {
        pen.words(
          K === D ? `output ${k + 1}: what is remembered of input ${k + 1}` : `output ${k + 1}`,
          left,
          y + 13,
          { size: 12, color: colors.soft },
        );
        let high = 1;
        for (let s = 0; s < T; s++)
          high = Math.max(high, Math.abs(run.output[s * K + k]), Math.abs(net.target[s * K + k]));
        const py = linear(-1.15 * high, 1.15 * high, bottom, top),
          round = roundUp(high) > 1.15 * high ? roundUp(high) / 2 : roundUp(high);
        for (const v of [-round, 0, round]) {
          pen.rule(left, py(v), right, py(v));
          pen.words(fmt(v, Number.isInteger(v) ? 0 : 1), left - 6, py(v), {
            size: 11,
            color: colors.soft,
            align: "right",
            baseline: "middle",
          });
        }
        if (net.hasTarget) {
          ctx.save();
          ctx.globalAlpha = 0.16;
          ctx.fillStyle = colors.ink;
          const half = (px(1) - px(0)) / 2;
          for (let s = 0, from = 0; s < T; s++) {
            const v = net.target[s * K + k];
            if (s + 1 < T && net.target[(s + 1) * K + k] === v) continue;
            ctx.fillRect(
              px(from) - half,
              Math.min(py(0), py(v)),
              px(s) - px(from) + 2 * half,
              Math.abs(py(v) - py(0)),
            );
            from = s + 1;
          }
          ctx.restore();
        }
        if (K === D) {
          for (let s = 0; s < T; s++) {
            const v = net.x[s * D + k];
            if (!v) continue;
            pen.rule(px(s), py(0), px(s), py(v), { color: colors.soft, thick: 2 });
            pen.dot(px(s), py(v), { color: colors.soft, r: 3.5 });
          }
        }
        if (run.delta)
          pen.line(trained.output, px, py, {
            offset: k,
            stride: K,
            count: T,
            color: colors.soft,
            width: 1.5,
            dash: "4 3",
          });
        pen.line(run.output, px, py, { offset: k, stride: K, count: T, width: 3, color: colors.h });
        pen.formula(`y_{${k + 1}}`, right + 6, py(run.output[(T - 1) * K + k]) + 4, { q: "h" });
        series.push([run.output[t * K + k], py, colors.h]);
      } else {
        pen.words(lane.title(run.unit), left, y + 13, { size: 12, color: colors.soft });
        const states = lane.qs[0] === "c";
        let high = 1;
        if (states)
          for (let s = 0; s < T; s++)
            high = Math.max(
              high,
              Math.abs(run.trace.c[s * H + run.unit]),
              Math.abs(trained.trace.c[s * H + run.unit]),
            );
        const py = states
          ? linear(-1.15 * high, 1.15 * high, bottom, top)
          : linear(0, 1, bottom, top);
        const round =
          states && roundUp(high) > 1.15 * high ? roundUp(high) / 2 : states ? roundUp(high) : 1;
        for (const v of states ? [-round, 0, round] : [0, 1]) {
          pen.rule(left, py(v), right, py(v));
          pen.words(fmt(v, Number.isInteger(v) ? 0 : 1), left - 6, py(v), {
            size: 11,
            color: colors.soft,
            align: "right",
            baseline: "middle",
          });
        }
        lane.qs.forEach((q, n) => {
          const style = pen.style(q);
          if (run.delta && states)
            pen.line(trained.trace[q], px, py, {
              offset: run.unit,
              stride: H,
              count: T,
              color: colors.soft,
              width: 1.5,
              dash: "4 3",
            });
          pen.line(run.trace[q], px, py, { offset: run.unit, stride: H, count: T, ...style });
          pen.formula(q, right + 8 + 10 * (n % 2), py(run.trace[q][(T - 1) * H + run.unit]) + 4, {
            q,
          });
          series.push([run.trace[q][t * H + run.unit], py, style.color]);
        });
      }
      pen.crosshair(px(t), null, { top, bottom });
      for (const [v, py, color] of series) pen.dot(px(t), py(v), { color });
      y = bottom + 4;
    }
    const ticks = linear(1, T, left, right)
      .ticks(Math.max(2, width / 110))
      .filter((tick) => tick >= 1);
    for (const tick of ticks)
      pen.words(String(tick), px(tick - 1), y + 14, {
        size: 11,
        color: colors.soft,
        align: "center",
      });
  }

  function tile(words) {
    const value = tag("strong", { class: "ll-tile-value" }),
      below = tag("span", { class: "ll-tile-name" });
    return {
      value,
      below,
      node: tag(
        "div",
        { class: "ll-tile", "data-q": "x" },
        tag("span", { class: "ll-tile-name" }, words),
        value,
        below,
      ),
    };
  }

  function overview(stage) {
    const reader = readout(view, { explain, chosen: chosenKey });
    const tiles = {
      loss: tile(lossName),
      slope: tile("slope in this weight"),
      half: tile("half-life of the unit"),
    };
    const left = tag("div", {}),
      right = tag("div", {}),
      map = mapOf(left, LISTED.length, () => LISTED, reader);
    const loss = plot(view, {
      height: 250,
      paint: (pen) => run && paintCurve(pen),
      cursor: "ew-resize",
      pointed: (point) => {
        if (point?.event.buttons)
          view.set({
            delta: Math.round(linear(-REACH, REACH, 46, loss.width - 12).invert(point.x) * 20) / 20,
          });
      },
    });
    const opener = button("", null);
    nav.opener(opener, "gate");
    right.append(
      loss.node,
      tag(
        "div",
        { class: "ll-actions" },
        button("Set to zero", () => view.set({ delta: run.delta - run.weight })),
        button("As it was", () => view.set({ delta: 0 })),
        opener,
      ),
    );
    const trace = plot(view, {
      height: TRACE,
      paint: (pen) => run && paintTrace(pen),
      pointed: (point) => {
        if (point?.event.buttons)
          view.set({ step: Math.round(linear(1, T, 34, trace.width - 30).invert(point.x)) });
      },
    });
    const scrub = slider(view, "step", {
      words: "read at step",
      letter: "t",
      q: "c",
      digits: 0,
      read: () => stepNow() + 1,
    });
    scrub.input.max = T;
    scrub.refresh();
    stage.append(
      tag(
        "div",
        { class: "ll-tiles" },
        Object.values(tiles).map((each) => each.node),
      ),
      tag("div", { class: "ll-weight-pair" }, left, right),
      reader.node,
      trace.node,
      scrub,
    );
    return (s, words) => {
      for (const each of [map, loss, trace]) each.redraw();
      map.label(`Map of ${SHOWS[s.shows]}. ${words}`);
      loss.label(`The ${lossName} as a function of the chosen weight, with its tangent. ${words}`);
      trace.label(`What the network does over ${T} steps. ${words}`);
      tiles.loss.value.textContent = scientific(run.loss);
      tiles.loss.below.textContent = `with the weight as it was ${scientific(trained.loss)}`;
      tiles.slope.value.textContent = scientific(run.slope);
      tiles.slope.below.textContent =
        Math.abs(run.slope) < 0.005
          ? "level: moving it a little changes little"
          : run.slope > 0
            ? "up: a smaller weight would be better"
            : "down: a larger weight would be better";
      tiles.half.value.textContent = `${steps(run.halfLife)} steps`;
      tiles.half.below.textContent = `forget gate ${share(run.mean, 3)} on average`;
      opener.textContent = `Open the ${QUANTITIES[s.gate].name}`;
      reader.refresh();
    };
  }

  // ---- one gate: its rows, and what they make of this step
  function oneGate(stage) {
    const reader = readout(view, { explain, chosen: chosenKey }),
      map = mapOf(stage, 1, () => [view.get("gate")], reader);
    const openers = tag("div", { class: "ll-actions" }),
      made = new Map();
    stage.append(
      reader.node,
      tag("h3", { class: "ll-heading" }, "Its units at this step"),
      openers,
    );
    return (s, words) => {
      map.redraw();
      map.label(`Weights of the ${QUANTITIES[s.gate].name}. ${words}`);
      const first = Math.max(0, Math.min(H - 6, run.unit - 3));
      for (let k = 0; k < Math.min(6, H); k++) {
        if (!made.has(k)) {
          const node = button("", null),
            entry = { node, unit: 0 };
          node.addEventListener("click", () => view.set({ row: entry.unit + 1 }));
          nav.opener(node, () => "gate/unit");
          made.set(k, entry);
          openers.append(node);
        }
        const entry = made.get(k);
        entry.unit = first + k;
        const v = run.trace[s.gate][stepNow() * H + entry.unit],
          name = `unit ${entry.unit + 1}: ${math(`${s.gate}_{t}`)}`;
        entry.node.innerHTML = `${name} = ${s.gate === "g" ? fmt(v) : share(v)}`;
      }
      reader.refresh();
    };
  }

  const contents = {
    "": { title: "What one weight does", make: overview },
    gate: { title: () => QUANTITIES[view.get("gate")].name, make: oneGate },
    "gate/unit": {
      title: () => `unit ${(run?.unit ?? 0) + 1}`,
      make: (stage) => {
        const draw = sumLevel(view, nav, stage, "gate/unit", { "gate/unit/product": true }, () =>
          sumOf(view.settings()),
        );
        return () => draw();
      },
    },
    "gate/unit/product": {
      title: "the product",
      make: (stage) => productLevel(view, stage, () => productOf(view.settings())),
    },
  };
  const nav = levels(view, contents);

  /** The sum of the chosen unit's gate at this step; the chosen weight's product can be opened. */
  function sumOf(s) {
    const t = stepNow(),
      terms = [];
    let a = 0;
    for (let column = 0; column < columns; column++) {
      const w = weightNow(run.row, column),
        v = valueAt(column, t),
        chosen = column === run.column;
      a += w * v;
      const kind = kindOf(column);
      terms.push({
        key: chosen ? "product" : `of${column}`,
        letter: kind === "b" ? `b_{${s.gate}}` : `${kind}_{${s.gate}} ${columnName(column)}`,
        q: kind === "b" ? s.gate : kind === "w" ? "x" : "h",
        factors:
          kind === "b"
            ? [["", w]]
            : [
                ["", w],
                ["", v],
              ],
        value: w * v,
        words: `product of the weight from ${columnWords(column)}`,
        chosen,
      });
    }
    let shown = terms;
    if (terms.length > MOST_TERMS + 1) {
      const order = [...terms].sort(
        (a, b) => b.chosen - a.chosen || Math.abs(b.value) - Math.abs(a.value),
      );
      const others = order.slice(MOST_TERMS).reduce((sum, term) => sum + term.value, 0);
      shown = [
        ...order.slice(0, MOST_TERMS),
        {
          key: "others",
          letter: `${terms.length - MOST_TERMS} others`,
          q: "h",
          factors: [["", others]],
          value: others,
          words: "the other terms",
        },
      ];
    }
    const tanh = s.gate === "g";
    return {
      q: s.gate,
      letter: `${s.gate}_{t}`,
      value: run.trace[s.gate][t * H + run.unit],
      sum: a,
      sumLetter: `a_{${s.gate}}`,
      act: tanh ? "tanh" : "σ",
      terms: shown,
      words: `The sum of the ${QUANTITIES[s.gate].name} at step ${t + 1}. ${sentence(s)}`,
    };
  }

  function productOf(s) {
    const t = stepNow(),
      v = valueAt(run.column, t),
      kind = kindOf(run.column),
      letter = `${kind}_{${s.gate}}`;
    const other = kind === "b" ? "1" : columnName(run.column);
    return {
      letter: kind === "b" ? letter : `${letter} ${other}`,
      q: s.gate,
      value: run.weight * v,
      factors: [
        [letter, run.weight, s.gate],
        [other, v, kind === "w" ? "x" : "h"],
      ],
      words: `The product of the chosen weight at step ${t + 1}. ${sentence(s)}`,
    };
  }

  const values = tableFold(view, "All weights, and the gradient of the loss in each", () => [
    ["weight", "value", "gradient"],
    LISTED.flatMap((gate) =>
      Array.from({ length: Math.min(H, 8) }, (_, unit) =>
        Array.from({ length: Math.min(columns, 40) }, (_, column) => {
          const row = BLOCKS.indexOf(gate) * H + unit,
            letter = math(`${kindOf(column)}_{${gate}}`);
          return [
            `${letter} of unit ${unit + 1} from ${columnWords(column)}`,
            fmt(weightNow(row, column), 4),
            scientific(numberOf(row, column, run.grad)),
          ];
        }),
      ).flat(),
    ),
  ]);

  function update() {
    const s = view.settings();
    trained ??= weightRun({ ...s, delta: 0 }, net);
    run = weightRun(s, net);
    const key = `${run.row} ${run.column}`;
    if (key !== curveKey) {
      curve = lossCurve(s, net, -REACH, REACH);
      curveKey = key;
    }
    for (const each of [row, source]) each.refresh();
    const words = sentence(s);
    nav.draw(s, words);
    view.say(words);
    values.refresh();
  }

  const row = slider(view, "row", {
    words: "to unit",
    digits: 0,
    reach: [1, H],
    read: () => chosenOf(view.settings(), net).unit + 1,
  });
  const source = slider(view, "source", {
    words: "from",
    reach: [1, D + H + 1],
    read: () => chosenOf(view.settings(), net).column + 1,
    show: (v) => columnWords(v - 1),
  });
  layout(view, {
    controls: [
      group(
        "The chosen weight",
        select(view, "gate", {
          words: "of the",
          choices: view.specs.gate.options.map((q) => [q, QUANTITIES[q].name]),
        }),
        row,
        source,
        slider(view, "delta", { words: "moved by", letter: "Δ" }),
      ),
      group(
        "The map",
        select(view, "shows", {
          words: "shows",
          choices: view.specs.shows.options.map((each) => [each, SHOWS[each]]),
        }),
      ),
      net.task
        ? tag(
            "p",
            { class: "ll-note" },
            "Two units have learnt to remember, of each of two inputs, its last pulse: " +
              "the grey background is the target, the orange line what the network gives. " +
              "The forget gate of unit 1 lets two thirds go at every step: " +
              "the unit keeps its bit by a loop through its own candidate. " +
              "Drag that weight, 0.96, and the bit is lost.",
          )
        : null,
    ].filter(Boolean),
    picture: [nav.node],
    folds: values,
  });
  update();
  return view.dispose;
}

export default { render };
