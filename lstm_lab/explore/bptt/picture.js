// The picture of an LSTM unrolled in time: columns of nodes, and what flows between them.

import { put, svg, unique } from "../frontend/dom.js";
import { BLOCKS } from "../frontend/equations/lstm.js";
import { fmt } from "../frontend/format.js";
import {
  gradientKnown,
  gradientOf,
  LISTED,
  NODES,
  slim,
  toneOf,
  valueKnown,
  valueOf,
} from "./story.js";

export const UNROLLED_HEIGHT = 462;
const COLUMN = 104,
  TALL = 40,
  MARGIN = 6,
  PIPE = 9;
const ROWS = { loss: 30, h: 94, tanh: 154, c: 214, f: 290, i: 290, o: 338, g: 338, x: 412 };

/** How many columns there is room for. */
export const columnsIn = (width, T) =>
  Math.max(1, Math.min(T, Math.floor((width - 2 * MARGIN) / COLUMN)));

/** The first step shown, so that the present one and its neighbours are in sight. */
export const firstShown = (t, n, T) => Math.max(0, Math.min(T - n, t - Math.floor((n - 1) / 2)));

/** What flows at a moment: pairs of an edge's name and the step that it belongs to. */
export function flowing({ t, back, phase }) {
  const there = [["x", "h+"], ["f", "i", "g", "c+"], ["o", "tanh", "h"], ["loss"]];
  const again = [
    ["loss", "h-"],
    ["tanh", "h", "c-"],
    ["f", "i", "g", "o"],
    ["x", "h+"],
  ];
  // "+" comes from the step before, "-" from the step after.
  return (back ? again : there)[phase].map((edge) => [
    edge.replace(/[+-]/, "") + (/[+-]/.test(edge) ? ">" : ""),
    edge.endsWith("+") ? t - 1 : t,
  ]);
}

/** The width of a lane that a gradient has passed: the larger, the thicker, over six decades. */
const thickness = (v) =>
  1.5 + 5 * Math.max(0, Math.min(1, 1 + Math.log10(Math.abs(v) || 1e-9) / 6));

const EDGES = ["x", "f", "i", "o", "g", "tanh", "h", "loss", "c>", "h>"];
const EDGE_TONES = { tanh: "c", loss: "h", "c>": "c", "h>": "h" };

/**
 * The SVG picture. pick(t, node), open(t) and point(t, node | null) are called when a node is
 * clicked, a step's head is clicked, a node is pointed at. Returns {node, show(model, now, chosen,
 * unit, width)}; chosen is {t, node}.
 */
export function unrolledPicture({ pick, open, point }) {
  const arrow = (id, path) =>
    svg(
      "marker",
      {
        id,
        viewBox: "0 0 8 8",
        refX: 6,
        refY: 4,
        markerWidth: 9,
        markerHeight: 9,
        markerUnits: "userSpaceOnUse",
        orient: "auto-start-reverse",
      },
      svg("path", { d: path, class: "ll-bptt-arrow" }),
    );
  const mark = unique("arrow");
  const node = svg(
    "svg",
    { role: "img", class: "ll-bptt-picture" },
    svg("defs", {}, arrow(mark, "M0 0L8 4L0 8z")),
  );
  const under = svg("g"),
    over = svg("g"),
    columns = [];
  node.append(under, over);

  const column = () => {
    const each = { edges: {}, nodes: {}, t: 0, last: {} };
    each.band = svg("rect", { class: "ll-bptt-band", y: 4, rx: 8 });
    each.head = svg("text", { class: "ll-caption ll-bptt-head", y: 20, "text-anchor": "middle" });
    each.head.addEventListener("click", () => open(each.t));
    for (const edge of EDGES)
      each.edges[edge] = svg("path", { class: "ll-bptt-edge", "data-q": EDGE_TONES[edge] ?? edge });
    for (const name of NODES) {
      const box = svg("rect", { height: TALL, rx: 7, class: "ll-bptt-box" }),
        bar = svg("rect", { height: 4, rx: 2, class: "ll-bptt-bar" });
      const letter = svg(
        "text",
        { class: "ll-bptt-letter" },
        name === "tanh" ? "tanh" : name === "loss" ? "L" : name,
      );
      const value = svg("text", { class: "ll-bptt-value", "text-anchor": "end" }),
        gradient = svg("text", { class: "ll-bptt-gradient", "text-anchor": "end" });
      if ("fiog".includes(name)) put(gradient, { class: "ll-bptt-gradient ll-bptt-small" });
      const g = svg(
        "g",
        { class: "ll-bptt-node", "data-q": toneOf(name), "data-node": name },
        box,
        bar,
        letter,
        value,
        gradient,
      );
      g.addEventListener("click", () => pick(each.t, name));
      g.addEventListener("pointerenter", () => point(each.t, name));
      g.addEventListener("pointerleave", () => point(each.t, null));
      each.nodes[name] = { g, box, bar, letter, value, gradient };
    }
    under.append(
      each.band,
      Object.values(each.edges).reduce((all, edge) => (all.append(edge), all), svg("g")),
    );
    over.append(each.head, ...Object.values(each.nodes).map(({ g }) => g));
    return each;
  };

  /** Where things stand in columns of this width; once for every width. */
  function arrange(each, k, wide) {
    const cx = MARGIN + (k + 0.5) * wide,
      w = Math.min(58, wide / 2 - 4),
      whole = Math.min(112, wide - 8),
      left = cx - wide / 2;
    const x = {
      loss: cx - whole / 2,
      h: cx - whole / 2,
      tanh: cx - whole / 2,
      c: cx - whole / 2 + PIPE,
      x: cx - whole / 2,
      f: cx - w - 2,
      i: cx + 2,
      o: cx - w - 2,
      g: cx + 2,
    };
    put(each.band, { x: left + 1, width: wide - 2, height: UNROLLED_HEIGHT - 8 });
    put(each.head, { x: cx });
    for (const name of NODES) {
      const { box, bar, letter, value, gradient } = each.nodes[name],
        own = "fiog".includes(name) ? w : name === "c" ? whole - 2 * PIPE : whole,
        y = ROWS[name];
      put(box, { x: x[name], y, width: own });
      put(bar, { x: x[name] + 3, y: y + TALL - 6 });
      each.nodes[name].room = own - 6;
      put(letter, { x: x[name] + 6, y: y + 15 });
      put(value, { x: x[name] + own - 5, y: y + 15 });
      put(gradient, { x: x[name] + own - 5, y: y + 30 });
    }
    const mid = (name) => (name === "f" || name === "o" ? cx - w / 2 - 2 : cx + w / 2 + 2),
      side = cx + whole / 2 - PIPE;
    const paths = {
      x: `M${cx} ${ROWS.x}V${ROWS.o + TALL + 1}`,
      f: `M${mid("f")} ${ROWS.f}V${ROWS.c + TALL + 1}`,
      i: `M${mid("i")} ${ROWS.i}V${ROWS.c + TALL + 1}`,
      g: `M${mid("g")} ${ROWS.g}V${ROWS.i + TALL}`,
      o: `M${cx - w - 2} ${ROWS.o + TALL / 2}H${left + 5}V${ROWS.h + TALL / 2}H${x.h - 1}`,
      tanh: `M${cx} ${ROWS.c}V${ROWS.tanh + TALL + 1}`,
      h: `M${cx} ${ROWS.tanh}V${ROWS.h + TALL + 1}`,
      loss: `M${cx} ${ROWS.h}V${ROWS.loss + TALL + 1}`,
      "c>": `M${side} ${ROWS.c + TALL / 2}H${side + wide - whole + 2 * PIPE - 1}`,
      "h>":
        `M${side + PIPE} ${ROWS.h + TALL / 2}H${left + wide - 2}V${ROWS.o + TALL + 14}` +
        `H${cx + wide - 2}V${ROWS.o + TALL + 2}`,
    };
    for (const edge of EDGES) put(each.edges[edge], { d: paths[edge] });
  }

  let arranged = "";
  const setOf = (each, key, value, apply) => {
    if (each.last[key] === value) return;
    each.last[key] = value;
    apply(value);
  };

  node.show = (model, now, chosen, unit, width) => {
    const { T } = model,
      n = columnsIn(width, T),
      wide = Math.min(150, (width - 2 * MARGIN) / n),
      first = firstShown(chosen.t, n, T);
    while (columns.length < n) columns.push(column());
    const sign = `${n} ${width}`;
    if (sign !== arranged) {
      arranged = sign;
      const whole = Math.round(2 * MARGIN + n * wide);
      put(node, {
        width: whole,
        height: UNROLLED_HEIGHT,
        viewBox: `0 0 ${whole} ${UNROLLED_HEIGHT}`,
      });
      columns.forEach((each, k) => {
        if (k < n) arrange(each, k, wide);
      });
    }
    const active = new Set(flowing(now).map(([edge, t]) => `${edge} ${t}`));
    columns.forEach((each, k) => {
      const shown = k < n,
        t = first + k;
      setOf(each, "shown", shown, () => {
        for (const g of [
          each.band,
          each.head,
          ...Object.values(each.edges),
          ...Object.values(each.nodes).map(({ g: group }) => group),
        ])
          put(g, { display: shown ? "inline" : "none" });
        // What leads on to no column is hidden anew.
        for (const edge of EDGES) delete each.last[edge];
      });
      if (!shown) return;
      each.t = t;
      setOf(each, "head", `step ${t + 1}`, (words) => {
        each.head.textContent = words;
      });
      setOf(each, "band", t === now.t, (on) => each.band.classList.toggle("ll-bptt-here", on));
      for (const edge of EDGES) {
        const passes = edge.endsWith(">"),
          on = active.has(`${edge} ${t}`);
        const gone =
          passes &&
          now.back &&
          (now.t < t || (now.t === t && now.phase >= (edge === "c>" ? 1 : 0)));
        const passed =
          gone && t + 1 < T
            ? thickness(
                edge === "c>"
                  ? model.run.trace.f[(t + 1) * model.net.H + unit] *
                      model.run.grad.c[(t + 1) * model.net.H + unit]
                  : gradientOf(model, "h", t, unit),
              )
            : 0;
        const kind = on ? (now.back ? "back" : "there") : gone ? "gone" : "";
        const ends = passes && (t + 1 >= T || k + 1 >= n);
        setOf(each, edge, `${kind} ${passed.toFixed(1)} ${ends}`, () =>
          put(each.edges[edge], {
            class: `ll-bptt-edge ${kind ? `ll-bptt-${kind}` : ""}`,
            style: passed ? `stroke-width: ${passed.toFixed(1)}` : "",
            "marker-end": kind === "there" ? `url(#${mark})` : "none",
            "marker-start": kind === "back" ? `url(#${mark})` : "none",
            display: ends ? "none" : "inline",
          }),
        );
      }
      for (const name of NODES) {
        const part = each.nodes[name],
          known = valueKnown(name, t, now),
          has = gradientKnown(name, t, now) && (name !== "loss" || model.lesson.mask[t] > 0);
        const v = known ? valueOf(model, name, t, unit) : 0,
          d = has ? gradientOf(model, name, t, unit) : 0;
        const value = known
          ? "fio".includes(name)
            ? gateInBox(v)
            : name === "loss" && !model.lesson.mask[t]
              ? "–"
              : fmt(v, name === "loss" ? 3 : 2)
          : "";
        setOf(each, `${name} value`, value, (words) => {
          part.value.textContent = words;
        });
        setOf(
          each,
          `${name} gradient`,
          has ? `∂${"fiog".includes(name) ? "" : " "}${slim(d)}` : "",
          (words) => {
            part.gradient.textContent = words;
          },
        );
        setOf(
          each,
          `${name} bar`,
          has && name !== "loss"
            ? Math.max(1, (part.room * (thickness(d) - 1.5)) / 5).toFixed(1)
            : "0",
          (long) => put(part.bar, { width: long }),
        );
        const picked = chosen.t === t && chosen.node === name;
        setOf(
          each,
          `${name} class`,
          `ll-bptt-node${known ? " ll-bptt-known" : ""}${picked ? " ll-bptt-picked" : ""}`,
          (words) => put(part.g, { class: words }),
        );
      }
    });
  };
  return node;
}

/** A gate's value as its small box has room for, and never as 0 or 1, which no gate is. */
export const gateInBox = (v) =>
  v > 0.9995
    ? ">.999"
    : v < 0.0005
      ? "<.001"
      : v > 0.995 || v < 0.005
        ? fmt(v, 3).slice(1)
        : fmt(v, 2);

const rowHeight = (H) => (H <= 4 ? 15 : Math.max(2, 60 / H));
export const gatheredHeight = (H) => 26 + rowHeight(H) * 4 * H;

/** The gradients of the weights {W, U, b} as far as gathered, beside those at the end, `whole`. */
export function paintGathered(pen, { D, H }, { W, U, b }, whole) {
  const rows = 4 * H,
    all = [...whole.W, ...whole.U, ...whole.b],
    most = Math.max(1e-12, ...all.map(Math.abs));
  const parts = [
      ["∂L/∂W", W, D],
      ["∂L/∂U", U, H],
      ["∂L/∂b", b, 1],
    ],
    columns = D + H + 1;
  const cell = Math.min(74, (pen.width - 70) / columns),
    tall = rowHeight(H);
  let x = 34;
  for (const [words, values, wide] of parts) {
    pen.formula(words, x + (wide * cell) / 2, 14, { align: "center", size: 12 });
    for (let r = 0; r < rows; r++) {
      const at = LISTED.indexOf(BLOCKS[Math.floor(r / H)]) * H + (r % H);
      for (let d = 0; d < wide; d++) {
        const v = values[r * wide + d],
          left = x + d * cell,
          top = 22 + at * tall;
        pen.ctx.globalAlpha = 0.85 * Math.min(1, Math.abs(v) / most);
        pen.ctx.fillStyle = v < 0 ? pen.colors.o : pen.colors.f;
        pen.ctx.fillRect(left, top, cell, tall);
        pen.ctx.globalAlpha = 1;
        if (v && cell >= 40 && tall > 12)
          pen.words(fmt(v, 3), left + cell / 2, top + tall / 2, {
            size: 11,
            align: "center",
            baseline: "middle",
          });
      }
    }
    for (let k = 0; k <= 4; k++) pen.rule(x, 22 + k * H * tall, x + wide * cell, 22 + k * H * tall);
    x += wide * cell + 14;
  }
  LISTED.forEach((q, k) =>
    pen.formula(q, 20, 22 + (k + 0.5) * H * tall + 5, { q, align: "center" }),
  );
}
