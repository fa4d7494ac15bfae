// The picture of one step of a unit: pipes as wide as what flows in them, gates as valves.

import { put, svg, unique } from "../dom.js";
import { fmt, label, QUANTITIES, share } from "../format.js";

const GATES = ["f", "i", "g", "o"];

// One unit of value is as thick everywhere, so that what flows together adds up.
const UNIT = 18,
  CELL_PIPE = 58,
  SIDE_PIPE = 26,
  BIG = 29,
  SMALL = 23,
  PLUS = 16;
export const CELL_HEIGHT = 320;
export const NARROWEST = 416;

const thickness = (value, pipe) => {
  const width = UNIT * Math.abs(value);
  return width < 0.1 ? 0 : Math.min(pipe - 4, Math.max(0.75, width));
};

/** Where everything stands in a picture of this width; a narrow one leaves less to the left. */
function places(W) {
  const wide = Math.min(1, (W - NARROWEST) / 300);
  const x = {
    f: (0.22 + 0.025 * wide) * W,
    i: (0.325 + 0.06 * wide) * W,
    g: (0.43 + 0.07 * wide) * W,
    tap: 0.665 * W,
    o: (0.795 + 0.02 * wide) * W,
  };
  return { x, y: { pipe: 76, side: 165, low: 237, x: 289, h: 310 } };
}

/** The picture's elements: {node, parts, hatch}. */
export function cellPicture() {
  const id = unique("cell"),
    hatch = (q) => `${id}-${q}`;
  const defs = svg(
    "defs",
    {},
    ["c", "g", "h"].map((q) =>
      svg(
        "pattern",
        {
          id: hatch(q),
          width: 6,
          height: 6,
          patternUnits: "userSpaceOnUse",
          patternTransform: "rotate(45)",
        },
        svg("rect", { width: 6, height: 6, class: "ll-hatch-ground" }),
        svg("rect", { width: 3.2, height: 6, class: "ll-ink", "data-q": q }),
      ),
    ),
    ["left", "right"].map((side) =>
      svg(
        "linearGradient",
        { id: hatch(side), x1: side === "left" ? 0 : 1, x2: side === "left" ? 1 : 0 },
        svg("stop", { offset: 0, class: "ll-fade-full" }),
        svg("stop", { offset: 1, class: "ll-fade-none" }),
      ),
    ),
  );
  const parts = {};
  const make = (key, name, attributes) => (parts[key] = svg(name, attributes));
  const text = (key, attributes = {}) => make(key, "text", { class: "ll-label", ...attributes });
  const valve = (q) =>
    svg(
      "g",
      { class: "ll-valve", "data-q": q },
      make(`${q}Ground`, "circle", { class: "ll-valve-ground" }),
      make(`${q}Taper`, "path", { class: "ll-flow" }),
      make(`${q}Jaws`, "path", { class: "ll-jaws" }),
      make(`${q}Ring`, "circle", { class: "ll-ring" }),
    );
  const box = (key, q) =>
    svg(
      "g",
      { class: "ll-box", "data-q": q },
      make(`${key}Box`, "rect", { rx: 6 }),
      make(`${key}Text`, "text", { "text-anchor": "middle" }),
    );
  const node = svg(
    "svg",
    { role: "img", class: "ll-cell" },
    defs,
    make("wires", "path", { class: "ll-wire", "data-q": "x" }),
    make("wiresH", "path", { class: "ll-wire", "data-q": "h" }),
    GATES.map((q) =>
      make(`stem${q}`, "path", {
        class: "ll-stem",
        "data-q": q,
        "stroke-dasharray": QUANTITIES[q].dash,
      }),
    ),
    make("dots", "g", { class: "ll-taps" }),
    make("casing", "path", { class: "ll-casing" }),
    make("casingFill", "path", { class: "ll-casing-fill" }),
    make("sideCasing", "path", { class: "ll-casing" }),
    make("sideFill", "path", { class: "ll-casing-fill" }),
    ["old", "kept", "new"].map((key) => make(key, "path", { class: "ll-flow" })),
    ["cand", "let", "squash", "out"].map((key) => make(key, "path", { class: "ll-flow" })),
    ["keptGhost", "newGhost", "letGhost", "candGhost", "outGhost"].map((key) =>
      make(key, "path", { class: "ll-outline" }),
    ),
    make("fadeLeft", "rect", { fill: `url(#${hatch("left")})` }),
    make("fadeRight", "rect", { fill: `url(#${hatch("right")})` }),
    valve("f"),
    valve("i"),
    valve("o"),
    svg("g", { class: "ll-plus" }, make("plus", "circle", { r: PLUS }), make("cross", "path", {})),
    box("candidate", "g"),
    box("tap", "c"),
    ["sf", "si", "so"].map((key) =>
      svg(
        "g",
        { class: "ll-sigma", "data-q": key[1] },
        make(key, "circle", { r: 11 }),
        make(`${key}T`, "text", { "text-anchor": "middle" }),
      ),
    ),
    ["cOld", "cNew", "f", "i", "g", "o", "kept", "let", "squash", "h", "xIn", "hIn"].map((key) =>
      text(`${key}Label`),
    ),
  );
  for (const key of ["sf", "si", "so"]) parts[`${key}T`].textContent = "σ";
  for (const key of ["candidate", "tap"]) parts[`${key}Text`].textContent = "tanh";
  return { node, parts, hatch };
}

/** The two jaws of a valve that is open to `share`, across a flow that runs along the x axis. */
function jaws(cx, cy, r, share, upright) {
  const a = Math.asin(Math.min(1, Math.max(0, share))),
    dx = r * Math.cos(a),
    dy = r * Math.sin(a);
  const curve = `A${r} ${r} 0 0`;
  const arc = (sign) =>
    upright
      ? `M${cx + sign * dy} ${cy - dx}${curve} ${sign > 0 ? 1 : 0} ${cx + sign * dy} ${cy + dx}Z`
      : `M${cx - dx} ${cy + sign * dy}${curve} ${sign > 0 ? 0 : 1} ${cx + dx} ${cy + sign * dy}Z`;
  return arc(1) + arc(-1);
}

/** Draws step r of the unit at setting s (x, h_prev, c_prev), `chosen` marked, W px wide. */
export function drawCell({ node, parts: p, hatch }, W, s, r, chosen, ghost = null) {
  const { x, y } = places(W),
    half = CELL_PIPE / 2,
    narrow = W < 560;
  put(node, { viewBox: `0 0 ${W} ${CELL_HEIGHT}` });
  const flow = (key, d, value, pipe, q) => {
    const width = thickness(value, pipe);
    put(p[key], { d, "stroke-width": width, "data-q": q });
    p[key].style.stroke = value < 0 ? `url(#${hatch(q)})` : "";
  };
  const taper = (q, value, after, pipe, cx, cy, radius, upright, tone) => {
    const a = thickness(value, pipe) / 2,
      b = thickness(after, pipe) / 2;
    const d = upright
      ? `M${cx - a} ${cy + radius}L${cx - b} ${cy - radius}H${cx + b}L${cx + a} ${cy + radius}Z`
      : `M${cx - radius} ${cy - a}L${cx + radius} ${cy - b}V${cy + b}L${cx - radius} ${cy + a}Z`;
    put(p[`${q}Taper`], { d, "data-q": tone });
    p[`${q}Taper`].style.fill = value < 0 ? `url(#${hatch(tone)})` : "";
  };
  const setValve = (q, cx, cy, radius, upright) => {
    put(p[`${q}Ground`], { cx, cy, r: radius });
    put(p[`${q}Ring`], { cx, cy, r: radius });
    put(p[`${q}Jaws`], { d: jaws(cx, cy, radius, r[q], upright) });
  };
  const say = (key, words, px, py, anchor, q) => {
    label(p[`${key}Label`], words);
    put(p[`${key}Label`], { x: px, y: py, "text-anchor": anchor, "data-q": q });
  };

  put(p.casing, { d: `M-2 ${y.pipe}H${W + 2}`, "stroke-width": CELL_PIPE });
  put(p.casingFill, { d: `M-2 ${y.pipe}H${W + 2}`, "stroke-width": CELL_PIPE - 2.5 });
  const up = `M${x.g} ${y.low}V${y.pipe + half - 1}`;
  const out =
    `M${x.tap} ${y.pipe + half + 12}V${y.low - 12}` +
    `Q${x.tap} ${y.low} ${x.tap + 12} ${y.low}H${W + 2}`;
  put(p.sideCasing, { d: up + out, "stroke-width": SIDE_PIPE });
  put(p.sideFill, { d: up + out, "stroke-width": SIDE_PIPE - 2.5 });

  const kept = r.f * s.c_prev,
    letIn = r.i * r.g;
  flow("old", `M0 ${y.pipe}H${x.f - BIG + 1}`, s.c_prev, CELL_PIPE, "c");
  taper("f", s.c_prev, kept, CELL_PIPE, x.f, y.pipe, BIG, false, "c");
  flow("kept", `M${x.f + BIG - 1} ${y.pipe}H${x.g}`, kept, CELL_PIPE, "c");
  flow("new", `M${x.g} ${y.pipe}H${W}`, r.c, CELL_PIPE, "c");
  flow("cand", `M${x.g} ${y.low}V${y.side + SMALL - 1}`, r.g, SIDE_PIPE, "g");
  taper("i", r.g, letIn, SIDE_PIPE, x.g, y.side, SMALL, true, "g");
  flow("let", `M${x.g} ${y.side - SMALL + 1}V${y.pipe}`, letIn, SIDE_PIPE, "g");
  flow("squash", out.replace(`H${W + 2}`, `H${x.o - SMALL + 1}`), r.tanhc, SIDE_PIPE, "c");
  taper("o", r.tanhc, r.h, SIDE_PIPE, x.o, y.low, SMALL, false, "h");
  flow("out", `M${x.o + SMALL - 1} ${y.low}H${W}`, r.h, SIDE_PIPE, "h");

  // The walls of what flowed before the last change.
  const walls = (key, x0, y0, x1, y1, value, pipe) => {
    const half = ghost && value !== undefined ? thickness(value, pipe) / 2 : 0;
    const [dx, dy] = x0 === x1 ? [half, 0] : [0, half];
    put(p[`${key}Ghost`], {
      d: half
        ? `M${x0 - dx} ${y0 - dy}L${x1 - dx} ${y1 - dy}M${x0 + dx} ${y0 + dy}L${x1 + dx} ${y1 + dy}`
        : "",
    });
  };
  const old = ghost?.r;
  walls("kept", x.f + BIG, y.pipe, x.g - PLUS, y.pipe, old && old.f * ghost.s.c_prev, CELL_PIPE);
  walls("new", x.g + PLUS, y.pipe, W, y.pipe, old?.c, CELL_PIPE);
  walls("let", x.g, y.side - SMALL, x.g, y.pipe + PLUS, old && old.i * old.g, SIDE_PIPE);
  walls("cand", x.g, y.low, x.g, y.side + SMALL, old?.g, SIDE_PIPE);
  walls("out", x.o + SMALL, y.low, W, y.low, old?.h, SIDE_PIPE);

  setValve("f", x.f, y.pipe, BIG, false);
  setValve("i", x.g, y.side, SMALL, true);
  setValve("o", x.o, y.low, SMALL, false);
  put(p.plus, { cx: x.g, cy: y.pipe });
  put(p.cross, { d: `M${x.g - 7} ${y.pipe}H${x.g + 7}M${x.g} ${y.pipe - 7}V${y.pipe + 7}` });
  put(p.candidateBox, { x: x.g - 25, y: y.low - 3, width: 50, height: 26 });
  put(p.candidateText, { x: x.g, y: y.low + 14 });
  put(p.tapBox, { x: x.tap - 25, y: y.pipe + half - 6, width: 50, height: 26 });
  put(p.tapText, { x: x.tap, y: y.pipe + half + 11 });
  put(p.fadeLeft, { x: 0, y: y.pipe - half - 2, width: 26, height: CELL_PIPE + 4 });
  put(p.fadeRight, {
    x: W - 26,
    y: y.pipe - half - 2,
    width: 26,
    height: y.low - y.pipe + half + SIDE_PIPE,
  });

  put(p.wires, { d: `M90 ${y.x}H${x.o}` });
  put(p.wiresH, { d: `M90 ${y.h}H${x.o}` });
  put(p.stemf, { d: `M${x.f} ${y.h}V${y.pipe + BIG}` });
  put(p.stemi, {
    d: `M${x.i} ${y.h}V${y.side + 10}Q${x.i} ${y.side} ${x.i + 10} ${y.side}H${x.g - SMALL}`,
  });
  put(p.stemg, { d: `M${x.g} ${y.h}V${y.low + 23}` });
  put(p.stemo, { d: `M${x.o} ${y.h}V${y.low + SMALL}` });
  p.dots.replaceChildren(
    ...[x.f, x.i, x.g, x.o].flatMap((at) => [
      svg("circle", { cx: at, cy: y.x, r: 3.5, "data-q": "x" }),
      svg("circle", { cx: at, cy: y.h, r: 3.5, "data-q": "h" }),
    ]),
  );
  const sigma = (key, cx, cy) => {
    put(p[key], { cx, cy });
    put(p[`${key}T`], { x: cx, y: cy + 4.5 });
  };
  sigma("sf", x.f, y.pipe + BIG + 28);
  sigma("si", x.i, y.side + 32);
  sigma("so", x.o, y.low + SMALL + 15);

  const top = y.pipe - half - 12;
  say("cOld", `c_{t-1} = ${fmt(s.c_prev)}`, 0, narrow ? top - 21 : top, "start", "c");
  say("f", `f_{t} = ${share(r.f)}`, x.f, top, "middle", "f");
  say("cNew", `c_{t} = ${fmt(r.c)}`, W, top, "end", "c");
  say(
    "kept",
    `${narrow ? "f c" : "f_{t} c_{t-1}"} = ${fmt(kept)}`,
    (x.f + x.g) / 2 + 4,
    y.pipe + half + 20,
    "middle",
    "c",
  );
  say(
    "let",
    `${narrow ? "i g" : "i_{t} g_{t}"} = ${fmt(letIn)}`,
    x.g + SIDE_PIPE / 2 + 8,
    y.pipe + half + 36,
    "start",
    "g",
  );
  say("i", `i_{t} = ${share(r.i)}`, x.g + SMALL + 8, y.side + 5, "start", "i");
  say("g", `g_{t} = ${fmt(r.g)}`, x.g + 33, y.low + 15, "start", "g");
  say(
    "squash",
    `tanh ${narrow ? "c" : "c_{t}"} = ${fmt(r.tanhc)}`,
    x.tap + SIDE_PIPE / 2 + 8,
    y.side + 5,
    "start",
    "c",
  );
  say("o", `o_{t} = ${share(r.o)}`, x.o, y.low - SMALL - 12, "middle", "o");
  say("h", `h_{t} = ${fmt(r.h)}`, W, y.low + SIDE_PIPE / 2 + 20, "end", "h");
  say("xIn", s.xWords ?? `x_{t} = ${fmt(s.x)}`, 0, y.x + 5, "start", "x");
  say("hIn", s.hWords ?? `h_{t-1} = ${fmt(s.h_prev)}`, 0, y.h + 5, "start", "h");
  node.dataset.chosen = chosen;
}

/** Rectangles, in px, of what can be pointed at or focused. */
export function spots(W) {
  const { x, y } = places(W),
    around = (cx, cy, w, h) => ({ left: cx - w / 2, top: cy - h / 2, width: w, height: h });
  return {
    f: around(x.f, y.pipe - 8, 84, 90),
    i: around(x.g, y.side, 64, 54),
    g: around(x.g, y.low + 10, 64, 46),
    c: { left: x.tap - 40, top: 8, width: W - x.tap + 40, height: 92 },
    o: around(x.o, y.low - 10, 72, 74),
    h: { left: x.o + 38, top: y.low - 22, width: W - x.o - 38, height: 62 },
  };
}
