// BidirectionalExplorer: which inputs each output has seen, ‖∂y_t/∂x_s‖, in one direction and both.

import { influences } from "./influence.js";
import { explorable, layout } from "./chrome.js";
import { group, select, slider } from "./controls.js";
import { floats, put, tag } from "./dom.js";
import { fmt, percent } from "./format.js";
import { levels } from "./levels.js";
import { linear, plot, roundUp } from "./plot.js";
import { readout } from "./readout.js";
import { tableFold } from "./table.js";

const PADDED = "the end of the padding", ONE_WAY = "forward only";
// Of Okabe & Ito's palette, what no gate is drawn in; the reverse half is striped as well.
const TONE = { forward: "#56b4e9", reverse: "#d6b400" };
const ARROW = { forward: "→", reverse: "←" };

/** The networks, one or two, and the sequences, out of the synced buffers. */
export function unpackNetwork(shape, net, x, words) {
  const { T, B, D, H, directions } = shape, all = Float64Array.from(floats(net)), size = 4 * H * (D + H + 1);
  const nets = Array.from({ length: directions }, (_, k) => {
    const own = all.subarray(k * size, (k + 1) * size), w = 4 * H * D, u = w + 4 * H * H;
    return { D, H, W: own.subarray(0, w), U: own.subarray(w, u), b: own.subarray(u) };
  });
  const values = Float64Array.from(floats(x));
  return {
    T, B, D, H, nets,
    sequence: (b) => Float64Array.from({ length: T * D }, (_, k) => values[(Math.floor(k / D) * B + b) * D + (k % D)]),
    word: (b, t) => words[b]?.[t] ?? null,
  };
}

/** The picture's numbers at setting s. */
export function runBatch(s, own) {
  const { T, B, D } = own, b = Math.min(s.sequence, B) - 1;
  const lengths = Array.from({ length: B }, (_, k) => Math.min(s[`length_${k + 1}`], T)), n = lengths[b];
  const nets = s.direction === ONE_WAY ? own.nets.slice(0, 1) : own.nets;
  const padded = nets.length > 1 && s.reverse_starts === PADDED;
  const x = own.sequence(b).fill(s.padding, n * D);
  const ways = influences(nets, x, T, n, padded);
  const both = ways[0].dh.map((v, k) => Math.hypot(v, ways[1]?.dh[k] ?? 0));
  let gap = 0;
  if (padded) {
    const right = influences(nets.slice(1), backTo(x, n, D), n, n)[0];
    for (let t = 0; t < n; t++) right.h(n - 1 - t).forEach((v, j) => { gap = Math.max(gap, Math.abs(v - ways[1].h(t)[j])); });
  }
  return { T, b, n, lengths, padded, ways, both, gap, words: (t) => own.word(b, t) };
}

const backTo = (x, n, D) => Float64Array.from({ length: n * D }, (_, k) => x[(n - 1 - Math.floor(k / D)) * D + (k % D)]);

/** What output t has seen of the past, of its own step and of the future, as shares of the whole. */
export function seen(run, t) {
  const row = run.both.subarray(t * run.T, (t + 1) * run.T), total = row.reduce((sum, v) => sum + v, 0);
  const part = (from, to) => (total ? row.slice(from, to).reduce((sum, v) => sum + v, 0) / total : 0);
  return { past: part(0, t), own: part(t, t + 1), future: part(t + 1, run.T), padding: part(Math.max(run.n, t + 1), run.T) };
}

/** The way from input s to output t: {way, h, c, f: per step, from input to output}; null if there is none. */
export function journey(run, t, s) {
  const way = run.ways.find(({ name, steps }) => (name === "forward" ? s <= t : s >= t && s < steps));
  if (!way || t >= run.n) return null;
  const from = way.place(s), to = way.place(t), { own, steps } = way, { H, trace } = way.run;
  const along = (pick) => Array.from({ length: to - from + 1 }, (_, k) => pick(from + k));
  return {
    way,
    h: along((k) => own.h[k * steps + from]),
    c: along((k) => own.c[k * steps + from]),
    f: along((k) => trace.f.subarray(k * H, (k + 1) * H).reduce((sum, v) => sum + v, 0) / H),
    times: along((k) => (way.name === "forward" ? k : steps - 1 - k)),
  };
}

const quoted = (run, t) => (run.words(t) && t < run.n ? ` “${run.words(t)}”` : t >= run.n ? " (padding)" : "");

function render({ model, el }) {
  const own = unpackNetwork(model.get("_shape"), model.get("_net"), model.get("_x"), model.get("_words"));
  const view = explorable(model, el, { title: "What each output has seen", update });
  view.root.classList.add("ll-bidirectional");
  let run = null, last = "", stripes = null;

  const compute = (s) => runBatch(s, own);
  const key = (s) => JSON.stringify([s.sequence, s.direction, s.reverse_starts, s.padding, ...Array.from({ length: own.B }, (_, b) => s[`length_${b + 1}`])]);
  const at = () => ({ t: Math.min(view.get("output"), run.n) - 1, s: Math.min(view.get("input"), run.T) - 1 });
  const name = (t) => run.words(t) ?? String(t + 1);

  /** The reverse half's stripes, in the theme's ground. */
  const striped = (ctx) => {
    if (stripes) return stripes;
    const patch = Object.assign(document.createElement("canvas"), { width: 6, height: 6 }), small = patch.getContext("2d");
    small.strokeStyle = "rgba(0, 0, 0, .28)";
    small.lineWidth = 1.5;
    for (const shift of [-6, 0, 6]) {
      small.beginPath();
      small.moveTo(shift, 6);
      small.lineTo(shift + 6, 0);
      small.stroke();
    }
    return (stripes = ctx.createPattern(patch, "repeat"));
  };
  const fill = (pen, direction, alpha, path) => {
    const { ctx } = pen;
    ctx.save();
    ctx.beginPath();
    path(ctx);
    ctx.globalAlpha = alpha;
    ctx.fillStyle = TONE[direction];
    ctx.fill();
    if (direction === "reverse") { ctx.fillStyle = striped(ctx); ctx.fill(); }
    ctx.restore();
  };
  const hatch = (pen, x, y, w, h) => {
    const { ctx } = pen;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, w, h);
    ctx.clip();
    ctx.beginPath();
    for (let k = x - h; k < x + w; k += 7) { ctx.moveTo(k, y + h); ctx.lineTo(k + h, y); }
    pen.stroke(pen.colors.line, 1);
    ctx.restore();
  };
  const short = (pen, text, room) => {
    pen.ctx.font = "400 12px system-ui";
    if (pen.ctx.measureText(text).width <= room) return text;
    let cut = text;
    while (cut.length > 1 && pen.ctx.measureText(`${cut}…`).width > room) cut = cut.slice(0, -1);
    return room < 14 ? "" : `${cut}…`;
  };

  // ---- the batch: where each sequence ends, and where each direction starts
  const ROW = 34;
  const batch = plot(view, {
    height: () => own.B * ROW + 6,
    paint(pen) {
      const cell = pen.width / own.T;
      run.lengths.forEach((n, b) => {
        const y = b * ROW + 3, chosen = b === run.b;
        pen.ctx.fillStyle = pen.colors.faint;
        pen.ctx.fillRect(0, y, n * cell, 22);
        hatch(pen, n * cell, y, pen.width - n * cell, 22);
        for (let t = 0; t < own.T; t++) {
          if (t) pen.rule(t * cell, y, t * cell, y + 22);
          const text = t < n ? own.word(b, t) ?? String(t + 1) : fmt(view.get("padding"), 1);
          pen.words(short(pen, text, cell - 4), (t + 0.5) * cell, y + 15, { align: "center", color: t < n ? pen.colors.ink : pen.colors.soft });
        }
        if (chosen) { pen.ctx.strokeStyle = pen.colors.ink; pen.ctx.lineWidth = 2; pen.ctx.strokeRect(1, y, pen.width - 2, 22); }
        // The end is a handle.
        pen.rule(n * cell - 1, y - 2, n * cell - 1, y + 24, { color: pen.colors.ink, thick: 3 });
        const arrow = (direction, from, to, level) => {
          const { ctx } = pen, way = Math.sign(to - from) * 5;
          ctx.beginPath();
          ctx.moveTo(from, level);
          ctx.lineTo(to, level);
          ctx.moveTo(to - way, level - 3);
          ctx.lineTo(to, level);
          ctx.lineTo(to - way, level + 3);
          pen.stroke(TONE[direction], chosen ? 2 : 1.25, direction === "reverse" ? "4 2" : "");
        };
        arrow("forward", 2, n * cell - 4, y + 25);
        if (run.ways.length > 1) arrow("reverse", (run.padded ? own.T : n) * cell - 2, 3, y + 29);
      });
    },
    pointed(point) {
      if (!point || (point.type !== "pointerdown" && !point.event.buttons)) return;
      if (point.type === "pointerdown") point.event.target.setPointerCapture(point.event.pointerId);
      const b = point.type === "pointerdown" ? Math.min(own.B - 1, Math.max(0, Math.floor(point.y / ROW))) : run.b;
      const edge = (point.x / batch.width) * own.T;
      const grabbed = point.type === "pointermove" || Math.abs(edge - run.lengths[b]) < 0.6;
      view.set({ sequence: b + 1, ...(grabbed ? { [`length_${b + 1}`]: Math.max(1, Math.min(own.T, Math.round(edge))) } : {}) });
    },
    cursor: "ew-resize",
  });

  // ---- the map
  const box = { left: 0, top: 0, cell: 0 };
  const measure = (width) => {
    const wordy = own.word(0, 0) !== null;
    box.left = wordy ? 66 : 34;
    box.top = wordy ? 52 : 24;
    box.cell = Math.max(4, Math.min(52, (width - box.left - 6) / own.T));
    return box.top + own.T * box.cell + 6;
  };
  const top = () => roundUp(run.both.reduce((most, v) => Math.max(most, v), 0));
  const cells = plot(view, {
    height: measure,
    paint(pen) {
      const { left, top: up, cell } = box, { T, n } = run, { t: row, s: column } = at(), high = top();
      const steps = Math.max(...run.ways.map((way) => way.steps));
      for (let s = 0; s < T; s++) {
        const x = left + (s + 0.5) * cell, bold = s === column;
        if (cell < 18 && !bold && s % Math.ceil(24 / cell)) continue;
        const style = { color: s < n ? pen.colors.ink : pen.colors.soft, weight: bold ? 700 : 400, size: 12 };
        if (own.word(0, 0) === null) pen.words(String(s + 1), x, up - 7, { ...style, align: "center" });
        else {
          pen.ctx.save();
          pen.ctx.translate(x - 2, up - 6);
          pen.ctx.rotate(-0.75);
          pen.words(s < n ? name(s) : "padding", 0, 0, style);
          pen.ctx.restore();
        }
      }
      for (let t = 0; t < T; t++) {
        const y = up + t * cell, bold = t === row;
        if (cell >= 14 || bold || t % Math.ceil(18 / cell) === 0) {
          pen.words(short(pen, t < n ? name(t) : "padding", left - 10), left - 8, y + cell / 2, { align: "right", baseline: "middle", weight: bold ? 700 : 400, color: t < n ? pen.colors.ink : pen.colors.soft });
        }
        for (let s = 0; s < T; s++) {
          const x = left + s * cell, edge = cell > 9 ? 1 : 0, w = cell - edge;
          if (t >= n || s >= steps) { hatch(pen, x, y, w, w); continue; }
          const [f, r] = [0, 1].map((k) => Math.sqrt((run.ways[k]?.dh[t * T + s] ?? 0) / high));
          pen.ctx.fillStyle = pen.colors.faint;
          pen.ctx.fillRect(x, y, w, w);
          const half = s === t && run.ways.length > 1;
          if (f) fill(pen, "forward", f, (ctx) => { ctx.moveTo(x, y); if (!half) ctx.lineTo(x + w, y); ctx.lineTo(x + w, y + w); ctx.lineTo(x, y + w); ctx.closePath(); });
          if (r) fill(pen, "reverse", r, (ctx) => { ctx.moveTo(x, y); ctx.lineTo(x + w, y); ctx.lineTo(x + w, y + w); if (!half) ctx.lineTo(x, y + w); ctx.closePath(); });
          if (cell >= 30) {
            const v = run.both[t * T + s];
            pen.words(v ? fmt(v) : "0", x + w / 2, y + w / 2 + 0.5, { align: "center", baseline: "middle", size: 11, color: v ? pen.colors.ink : pen.colors.soft, weight: t === row && s === column ? 700 : 400 });
          }
        }
      }
      const frame = (x, y, w, h, thick) => { pen.ctx.strokeStyle = pen.colors.ink; pen.ctx.lineWidth = thick; pen.ctx.strokeRect(x, y, w, h); };
      frame(left - 0.5, up + row * cell - 0.5, T * cell, cell, 1.5);
      frame(left + column * cell - 0.5, up + row * cell - 0.5, cell, cell, 3);
      if (n < T) frame(left - 1, up - 1, n * cell + 1, n * cell + 1, 1);
    },
    pointed(point) {
      if (!point) return;
      const s = Math.floor((point.x - box.left) / box.cell), t = Math.floor((point.y - box.top) / box.cell);
      if (t < 0 || t >= run.n || s >= run.T) return;
      view.set({ output: t + 1, ...(s >= 0 ? { input: s + 1 } : {}) });
      if (point.type === "pointerdown") rooms.open("output", rowDoor);
    },
    cursor: "pointer",
  });

  const steer = (node, keys) => {
    node.addEventListener("keydown", (event) => {
      const [trait, by] = keys[event.key] ?? [];
      if (!trait) return;
      event.preventDefault();
      const { t, s } = at();
      view.set({ [trait]: Math.min(trait === "output" ? run.n : run.T, Math.max(1, (trait === "output" ? t : s) + 1 + by)) });
    });
    return node;
  };
  const sideways = { ArrowLeft: ["input", -1], ArrowRight: ["input", 1] };
  const rowDoor = steer(tag("button", { type: "button", class: "ll-hot ll-row-door" }), { ...sideways, ArrowUp: ["output", -1], ArrowDown: ["output", 1] });

  const explain = () => {
    const { t, s } = at(), v = run.both[t * run.T + s], [f, r] = run.ways.map((way) => way.dh[t * run.T + s]);
    const pair = `output ${t + 1}${quoted(run, t)}, input ${s + 1}${quoted(run, s)}`;
    const why = v ? (s < t ? "in the past: the forward half has read it" : s > t ? "in the future: the reverse half has read it" : "its own step: both halves have read it".replace("both halves have", run.ways.length > 1 ? "both halves have" : "it has just been"))
      : s > t && run.ways.length < 2 ? "in the future: an LSTM that reads forward has not come there"
        : "in the padding: no direction reads it";
    return {
      head: pair, meaning: why.replace("it has just been read it", "it has just been read"), q: "h",
      symbols: run.ways.length > 1 ? "‖∂y_{t}/∂x_{s}‖ = √(‖∂h→_{t}/∂x_{s}‖² + ‖∂h←_{t}/∂x_{s}‖²)" : "‖∂y_{t}/∂x_{s}‖ = ‖∂h_{t}/∂x_{s}‖",
      numbers: [run.ways.length > 1 ? `= √(${fmt(f, 3)}² + ${fmt(r, 3)}²) = «h:${fmt(v, 3)}»` : `= «h:${fmt(v, 3)}»`],
    };
  };
  const told = readout(view, { explain, chosen: () => "pair" });
  const shares = tag("p", { class: "ll-shares", "data-role": "shares" });
  const legend = tag("p", { class: "ll-legend" });
  const warning = tag("p", { class: "ll-warning", role: "status", "data-role": "warning" });

  // ---- one output: what it has seen of every input
  function outputRoom(stage) {
    const readoutHere = readout(view, { explain, chosen: () => "pair" }), words = tag("p", { class: "ll-shares" });
    const pad = { left: 40, right: 8, top: 14, bottom: 54 };
    const barAt = (s, width) => { const w = (width - pad.left - pad.right) / run.T; return { x: pad.left + s * w, w }; };
    const bars = plot(view, {
      height: 250,
      paint(pen) {
        const { t, s: chosen } = at(), py = linear(0, top(), pen.height - pad.bottom, pad.top), base = pen.height - pad.bottom;
        pen.axisY(py, pad.left, pen.width - pad.right, { title: "" });
        for (let s = 0; s < run.T; s++) {
          const { x, w } = barAt(s, pen.width), gap = Math.min(4, w / 6);
          if (s >= run.n) hatch(pen, x, pad.top, w, base - pad.top);
          run.ways.forEach((way, k) => {
            const v = way.dh[t * run.T + s], shared = s === t && run.ways.length > 1;
            if (!v) return;
            const from = x + gap + (shared && k ? (w - 2 * gap) / 2 : 0), wide = (w - 2 * gap) / (shared ? 2 : 1);
            fill(pen, way.name, 1, (ctx) => ctx.rect(from, py(v), wide, base - py(v)));
            if (s === chosen || w > 44) pen.words(fmt(v), from + wide / 2, py(v) - 4, { align: "center", size: 11, weight: s === chosen ? 700 : 400 });
          });
          if (ghost) {
            const v = Math.hypot(...ghost.ways.map((way) => way.dh[Math.min(t, ghost.n - 1) * run.T + s]));
            pen.ctx.strokeStyle = pen.colors.soft;
            pen.ctx.setLineDash([3, 3]);
            pen.ctx.strokeRect(x + gap, py(v), w - 2 * gap, base - py(v));
            pen.ctx.setLineDash([]);
          }
          const text = s < run.n ? name(s) : "pad";
          if (w >= 16 || s === chosen || s % Math.ceil(22 / w) === 0) {
            pen.ctx.save();
            pen.ctx.translate(x + w / 2 + 3, base + 12);
            if (text.length > 3) pen.ctx.rotate(0.7);
            pen.words(text, text.length > 3 ? -3 : -3, 0, { align: text.length > 3 ? "left" : "center", weight: s === chosen ? 700 : 400, color: s < run.n ? pen.colors.ink : pen.colors.soft });
            pen.ctx.restore();
          }
          if (s === t) pen.words("▲", x + w / 2, base + 48, { align: "center", size: 11 });
        }
        const { x, w } = barAt(chosen, pen.width);
        pen.ctx.strokeStyle = pen.colors.ink;
        pen.ctx.lineWidth = 1.5;
        pen.ctx.strokeRect(x + 1, pad.top - 8, w - 2, base - pad.top + 8);
      },
      pointed(point) {
        if (!point) return;
        const { w } = barAt(0, bars.width), s = Math.floor((point.x - pad.left) / w);
        if (s < 0 || s >= run.T) return;
        view.set({ input: s + 1 });
        if (point.type === "pointerdown") rooms.open("output/entry", barDoor);
      },
      cursor: "pointer",
    });
    let ghost = null, ghostKey = "";
    const barDoor = steer(tag("button", { type: "button", class: "ll-hot" }), { ...sideways, ArrowUp: ["output", -1], ArrowDown: ["output", 1] });
    rooms.door(barDoor, "output/entry");
    stage.append(tag("div", { class: "ll-stage" }, bars.node, barDoor), words, readoutHere.node);
    return () => {
      const before = view.ghost && key(view.ghost) !== key(view.settings()) ? key(view.ghost) : "";
      if (before !== ghostKey) { ghost = before ? compute(view.ghost) : null; ghostKey = before; }
      const { t, s } = at(), { x, w } = barAt(s, bars.width);
      Object.assign(barDoor.style, { left: `${x}px`, width: `${w}px`, top: "6px", height: `${250 - pad.bottom - 6}px` });
      put(barDoor, { "aria-label": `Input ${s + 1}${quoted(run, s)}: ${fmt(run.both[t * run.T + s], 3)}. Left and right move, Enter opens` });
      words.textContent = sharesOf(t);
      readoutHere.refresh();
      bars.label(`What output ${t + 1}${quoted(run, t)} has seen of every input. ${sharesOf(t)}`);
      bars.redraw();
    };
  }

  // ---- one entry: how the influence travels, and the numbers that its norm is made of
  function entryRoom(stage) {
    const head = tag("p", { class: "ll-shares" });
    const travel = readout(view, { explain: explainTravel, chosen: () => "way" });
    const pad = { left: 40, right: 118, top: 16, bottom: 42 };
    const road = plot(view, {
      height: 220,
      paint(pen) {
        const { t, s } = at(), way = journey(run, t, s);
        if (!way) { pen.words("Nothing travels here.", pen.width / 2, 100, { align: "center", size: 14, color: pen.colors.soft }); return; }
        const count = way.h.length, most = roundUp(Math.max(1, ...way.h, ...way.c));
        const px = linear(0, Math.max(1, count - 1), pad.left + 14, pen.width - pad.right), py = linear(0, most, pen.height - pad.bottom, pad.top);
        const place = count === 1 ? () => pad.left + 14 : px;
        pen.axisY(py, pad.left, pen.width - pad.right + 8);
        way.times.forEach((time, k) => {
          if (count > 14 && k % Math.ceil(count / 10)) return;
          pen.words(short(pen, time < run.n ? name(time) : "pad", 60), place(k), pen.height - pad.bottom + 16, { align: "center" });
        });
        pen.words(way.way.name === "forward" ? "read from left to right →" : "read from right to left, drawn in the order of reading →", pad.left, pen.height - 8, { color: pen.colors.soft, size: 11 });
        const rows = [["c", way.c, "cell ‖∂c∕∂x‖"], ["h", way.h, "hidden ‖∂h∕∂x‖"], ["f", way.f, "forget gate"]];
        const ends = rows.map(([, values]) => py(values[count - 1])), order = [0, 1, 2].sort((a, b) => ends[a] - ends[b]), y = [];
        order.forEach((k, rank) => { y[k] = Math.max(ends[k], rank ? y[order[rank - 1]] + 16 : 0); });
        rows.forEach(([q, values, words], k) => {
          const style = pen.style(q);
          pen.line(values, place, py, style);
          values.forEach((v, at) => count < 20 && pen.dot(place(at), py(v), { color: style.color, r: q === "f" ? 3 : 4 }));
          pen.words(`${words} ${fmt(values[count - 1])}`, place(count - 1) + 10, y[k] + 4, { color: pen.colors.text[q], size: 11, weight: 600 });
        });
      },
    });
    const matrix = tag("div", { class: "ll-matrix", role: "group", "aria-label": "The entries of the Jacobian" });
    stage.append(head, road.node, travel.node, matrix);
    return () => {
      const { t, s } = at(), way = journey(run, t, s);
      head.textContent = `From input ${s + 1}${quoted(run, s)} to output ${t + 1}${quoted(run, t)}: ${way ? `${way.h.length - 1} steps in the ${way.way.name} direction` : "no direction goes there"}.`;
      road.label(`${head.textContent} ${travelWords(way)}`);
      road.redraw();
      travel.refresh();
      if (!way) { matrix.replaceChildren(); return; }
      const { D, H } = own, block = way.way.block(t, s), most = Math.max(1e-12, ...block.map(Math.abs));
      matrix.style.setProperty("--ll-columns", D);
      const shown = Math.min(H, 16);
      matrix.replaceChildren(
        tag("p", {}, `Its norm is made of the ${H} · ${D} derivatives of every unit by every feature, ‖·‖ = √Σ(·)²${H > shown ? `; the first ${shown} units` : ""}:`),
        tag("div", { class: "ll-matrix-cells" }, Array.from({ length: shown * D }, (_, k) => {
          const v = block[k], cell = tag("span", { style: `--ll-strength: ${Math.round(70 * Math.abs(v) / most)}%`, "data-sign": v < 0 ? "minus" : "plus" }, fmt(v, 3));
          return cell;
        })));
    };
  }
  const travelWords = (way) => (way ? `The hidden state's influence is ${way.h.map((v) => fmt(v, 3)).join(", ")}.` : "");
  function explainTravel() {
    const { t, s } = at(), way = journey(run, t, s);
    if (!way) return { head: "no way", meaning: "this input cannot have any influence on this output", q: "x", symbols: "∂y_{t}/∂x_{s} = 0" };
    const factors = way.h.slice(1).map((v, k) => (way.h[k] ? v / way.h[k] : 0));
    const few = factors.length > 8 ? [...factors.slice(0, 4).map((v) => fmt(v)), "…", ...factors.slice(-3).map((v) => fmt(v))] : factors.map((v) => fmt(v));
    return {
      head: `the way in the ${way.way.name} direction`, q: "h",
      meaning: factors.length ? "the first step writes it in; every further step multiplies what is left" : "a single step",
      symbols: "‖∂h_{t}/∂x_{s}‖ = ‖∂h_{s}/∂x_{s}‖ · product of the steps' factors",
      numbers: [`= ${[fmt(way.h[0], 3), ...few].join(" · ")}`, `= «h:${fmt(way.h.at(-1), 3)}»`],
    };
  }

  const sharesOf = (t) => {
    const part = seen(run, t), future = run.ways.length > 1 ? `${percent(part.future)} from the future` : "nothing from the future";
    return `Of what output ${t + 1}${quoted(run, t)} has seen, ${percent(part.past)} is from the past, ${percent(part.own)} from its own step, ${future}`
      + `${part.padding ? `, of which ${percent(part.padding)} is padding` : ""}.`;
  };

  const rooms = levels(view, {
    "": {
      title: view.title,
      make(stage) {
        stage.append(legend, batch.node, warning, tag("div", { class: "ll-stage" }, cells.node, rowDoor), shares, told.node);
        rooms.door(rowDoor, "output");
        return () => {
          const { t, s } = at(), two = run.ways.length > 1;
          legend.replaceChildren(...run.ways.flatMap(({ name: direction }) => [
            tag("span", { class: "ll-swatch", "data-direction": direction }), `${ARROW[direction]} ${direction} half${two ? "" : ": all there is"}  `]),
          tag("span", { class: "ll-swatch", "data-direction": "padding" }), "padding (drag a sequence's end)");
          warning.textContent = run.padded
            ? `The mistake: the reverse direction starts in the padding. Outputs are off by up to ${fmt(run.gap, 3)}.` : "";
          batch.redraw();
          batch.label(`The batch: ${run.lengths.map((n, b) => `sequence ${b + 1} has ${n} of ${run.T} steps`).join(", ")}.`);
          cells.redraw();
          cells.label(`The influence of every input, across, on every output, down. ${sentence()}`);
          Object.assign(rowDoor.style, { left: "0px", top: `${box.top + t * box.cell}px`, width: `${box.left - 3}px`, height: `${box.cell}px` });
          put(rowDoor, { "aria-label": `Output ${t + 1}${quoted(run, t)}, input ${s + 1}${quoted(run, s)}: ${fmt(run.both[t * run.T + s], 3)}. Arrow keys move, Enter opens the output` });
          shares.textContent = sharesOf(t);
          told.refresh();
        };
      },
    },
    output: { title: () => `output ${at().t + 1}${quoted(run, at().t)}`, make: outputRoom },
    "output/entry": { title: () => `input ${at().s + 1}${quoted(run, at().s)}`, make: entryRoom },
  });

  const sentence = () => {
    const { t, s } = at();
    return `Sequence ${run.b + 1} has ${run.n} of ${run.T} steps, read ${run.ways.length > 1 ? "in both directions" : "forward only"}. `
      + `Output ${t + 1}${quoted(run, t)} has seen input ${s + 1}${quoted(run, s)} with an influence of ${fmt(run.both[t * run.T + s], 3)}. ${sharesOf(t)}`
      + (run.padded ? ` The reverse direction starts in the padding: the outputs are off by up to ${fmt(run.gap, 3)}.` : "");
  };

  const values = tableFold(view, "Influence of every input on every output", () => [
    ["output", ...Array.from({ length: run.T }, (_, s) => `x ${s + 1}`)],
    Array.from({ length: run.n }, (_, t) => [`${t + 1}${run.words(t) ? ` ${run.words(t)}` : ""}`, ...Array.from(run.both.subarray(t * run.T, (t + 1) * run.T), (v) => fmt(v, 4))]),
  ], "All influences");

  const lengths = Array.from({ length: own.B }, (_, b) => {
    const control = slider(view, `length_${b + 1}`, { words: `length of sequence ${b + 1}`, digits: 0, unit: ` of ${own.T}`, reach: [1, Math.max(2, own.T)], read: (name) => Math.min(view.get(name), own.T) });
    control.input.max = Math.max(2, own.T);
    return control;
  });
  const reads = ["output", "input"].map((trait) => slider(view, trait, { words: trait, letter: trait === "output" ? "y_{t}" : "x_{s}", q: trait === "output" ? "h" : "x", digits: 0, reach: [1, Math.max(2, own.T)], read: (name) => (run ? at()[name === "output" ? "t" : "s"] + 1 : view.get(name)) }));
  const which = own.B > 1 ? slider(view, "sequence", { words: "sequence shown", digits: 0, reach: [1, own.B], read: () => Math.min(view.get("sequence"), own.B) }) : null;
  const starts = select(view, "reverse_starts", { words: "the reverse direction starts at" });

  function update() {
    const s = view.settings(), now = key(s);
    if (now !== last) { run = compute(s); last = now; }
    starts.hidden = run.ways.length < 2;
    for (const read of reads) read.refresh();
    view.say(sentence());
    rooms.draw();
    values.refresh();
  }

  layout(view, {
    controls: [
      group("Network", select(view, "direction", { words: "reads in" }), starts),
      group("Batch", which, lengths, slider(view, "padding", { words: "what stands in the padding", q: "x", digits: 1 })),
      group("Read", reads),
    ],
    picture: rooms.node,
    folds: [values],
  });
  update();
  return view.dispose;
}

export default { render };
