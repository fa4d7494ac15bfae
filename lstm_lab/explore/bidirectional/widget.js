// BidirectionalExplorer: which inputs each output has seen, ‖∂y_t/∂x_s‖, in one direction and both.

import { group, select, slider } from "../frontend/controls.js";
import { floats, put, tag } from "../frontend/dom.js";
import { fmt, percent } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot, roundUp } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { tableFold } from "../frontend/table.js";
import { runSetting, seen } from "./influence.js";
import {
  entryLevel,
  fillHalf,
  hatch,
  outline,
  outputLevel,
  shortened,
  toneOf,
} from "./influence_levels.js";

const ARROW = { forward: "→", reverse: "←" };
const SLANT = 0.75; // of the words above the map, in rad

/** The networks, one or two, and the sequences, out of the synced buffers. */
function unpack(model) {
  const shape = model.get("_shape"),
    { D, H, directions } = shape,
    size = 4 * H * (D + H + 1);
  const all = Float64Array.from(floats(model.get("_net"))),
    words = model.get("_words");
  const nets = Array.from({ length: directions }, (_, k) => {
    const own = all.subarray(k * size, (k + 1) * size),
      w = 4 * H * D,
      u = w + 4 * H * H;
    return { D, H, W: own.subarray(0, w), U: own.subarray(w, u), b: own.subarray(u) };
  });
  return {
    ...shape,
    nets,
    x: Float64Array.from(floats(model.get("_x"))),
    word: (b, t) => words[b]?.[t] ?? null,
  };
}

function render({ model, el }) {
  const own = unpack(model),
    word = (t) => own.word(run.b, t);
  const view = explorable(model, el, { title: "What each output has seen", update });
  view.root.classList.add("ll-bidirectional-explorer");
  let run = null,
    last = "",
    ghostRun = null,
    ghostKey = "";

  const key = (s) =>
    JSON.stringify([
      s.sequence,
      s.direction,
      s.reverse_starts,
      s.padding,
      ...Array.from({ length: own.B }, (_, b) => s[`length_${b + 1}`]),
    ]);
  const at = () => ({
    t: Math.min(view.get("output"), run.n) - 1,
    s: Math.min(view.get("input"), run.T) - 1,
  });
  const name = (t) => word(t) ?? String(t + 1);
  const quoted = (t) => (t >= run.n ? " (padding)" : word(t) ? ` “${word(t)}”` : "");

  // ---- the batch: where each sequence ends, and where each direction starts
  const ROW = 34;
  let held = false;
  const batch = plot(view, {
    height: () => own.B * ROW + 6,
    paint(pen) {
      const cell = pen.width / own.T;
      run.lengths.forEach((n, b) => {
        const y = b * ROW + 3,
          chosen = b === run.b;
        pen.ctx.fillStyle = pen.colors.faint;
        pen.ctx.fillRect(0, y, n * cell, 22);
        hatch(pen, n * cell, y, pen.width - n * cell, 22);
        for (let t = 0; t < own.T; t++) {
          if (t) pen.rule(t * cell, y, t * cell, y + 22);
          const text = t < n ? (own.word(b, t) ?? String(t + 1)) : fmt(view.get("padding"), 1);
          pen.words(shortened(pen, text, cell - 4), (t + 0.5) * cell, y + 15, {
            align: "center",
            color: t < n ? pen.colors.ink : pen.colors.soft,
          });
        }
        if (chosen) outline(pen, 1, y, pen.width - 2, 22, { thick: 2 });
        // The end is a handle.
        pen.rule(n * cell - 1, y - 2, n * cell - 1, y + 24, { color: pen.colors.ink, thick: 3 });
        const arrow = (direction, from, to, level) => {
          const { ctx } = pen,
            way = Math.sign(to - from) * 5;
          ctx.beginPath();
          ctx.moveTo(from, level);
          ctx.lineTo(to, level);
          ctx.moveTo(to - way, level - 3);
          ctx.lineTo(to, level);
          ctx.lineTo(to - way, level + 3);
          pen.stroke(toneOf(direction), chosen ? 2 : 1.25, direction === "reverse" ? "4 2" : "");
        };
        arrow("forward", 2, n * cell - 4, y + 25);
        if (run.ways.length > 1) arrow("reverse", (run.padded ? own.T : n) * cell - 2, 3, y + 29);
      });
    },
    pointed(point) {
      if (!point || (point.type !== "pointerdown" && !point.event.buttons)) {
        held = false;
        return;
      }
      const press = point.type === "pointerdown",
        edge = (point.x / batch.width) * own.T;
      const b = press ? Math.min(own.B - 1, Math.max(0, Math.floor(point.y / ROW))) : run.b;
      if (press) {
        point.event.target.setPointerCapture(point.event.pointerId);
        held = Math.abs(edge - run.lengths[b]) < 0.6;
      }
      view.set({
        sequence: b + 1,
        ...(held ? { [`length_${b + 1}`]: Math.max(1, Math.min(own.T, Math.round(edge))) } : {}),
      });
    },
    cursor: "ew-resize",
  });

  // ---- the map
  const box = { left: 0, top: 0, cell: 0 };
  const measure = (width) => {
    const wordy = own.word(0, 0) !== null;
    box.left = wordy ? 66 : 34;
    box.top = wordy ? 52 : 24;
    // To the right, room for the last slanted word.
    box.cell = Math.max(4, Math.min(52, (width - box.left - (wordy ? 32 : 6)) / own.T));
    return box.top + own.T * box.cell + 6;
  };
  const top = () => roundUp(run.both.reduce((most, v) => Math.max(most, v), 0));
  const cells = plot(view, {
    height: measure,
    paint(pen) {
      const { left, top: up, cell } = box,
        { T, n } = run,
        { t: row, s: column } = at(),
        high = top();
      const steps = Math.max(...run.ways.map((way) => way.steps));
      for (let s = 0; s < T; s++) {
        const x = left + (s + 0.5) * cell,
          bold = s === column;
        if (cell < 18 && !bold && s % Math.ceil(24 / cell)) continue;
        const style = {
          color: s < n ? pen.colors.ink : pen.colors.soft,
          weight: bold ? 700 : 400,
          size: 12,
        };
        if (own.word(0, 0) === null)
          pen.words(String(s + 1), x, up - 7, { ...style, align: "center" });
        else {
          pen.ctx.save();
          pen.ctx.translate(x - 2, up - 6);
          pen.ctx.rotate(-SLANT);
          const room = Math.min((up - 10) / Math.sin(SLANT), (pen.width - x - 8) / Math.cos(SLANT));
          pen.words(shortened(pen, s < n ? name(s) : "padding", room), 0, 0, style);
          pen.ctx.restore();
        }
      }
      for (let t = 0; t < T; t++) {
        const y = up + t * cell,
          bold = t === row;
        if (cell >= 14 || bold || t % Math.ceil(18 / cell) === 0) {
          pen.words(
            shortened(pen, t < n ? name(t) : "padding", left - 10),
            left - 8,
            y + cell / 2,
            {
              align: "right",
              baseline: "middle",
              weight: bold ? 700 : 400,
              color: t < n ? pen.colors.ink : pen.colors.soft,
            },
          );
        }
        for (let s = 0; s < T; s++) {
          const x = left + s * cell,
            edge = cell > 9 ? 1 : 0,
            w = cell - edge;
          if (t >= n || s >= steps) {
            hatch(pen, x, y, w, w);
            continue;
          }
          const [f, r] = [0, 1].map((k) => Math.sqrt((run.ways[k]?.dh[t * T + s] ?? 0) / high));
          pen.ctx.fillStyle = pen.colors.faint;
          pen.ctx.fillRect(x, y, w, w);
          const half = s === t && run.ways.length > 1;
          if (f)
            fillHalf(pen, "forward", f, (ctx) => {
              ctx.moveTo(x, y);
              if (!half) ctx.lineTo(x + w, y);
              ctx.lineTo(x + w, y + w);
              ctx.lineTo(x, y + w);
              ctx.closePath();
            });
          if (r)
            fillHalf(pen, "reverse", r, (ctx) => {
              ctx.moveTo(x, y);
              ctx.lineTo(x + w, y);
              ctx.lineTo(x + w, y + w);
              if (!half) ctx.lineTo(x, y + w);
              ctx.closePath();
            });
          if (cell >= 30) {
            const v = run.both[t * T + s];
            pen.words(v ? fmt(v) : "0", x + w / 2, y + w / 2 + 0.5, {
              align: "center",
              baseline: "middle",
              size: 11,
              color: v ? pen.colors.ink : pen.colors.soft,
              weight: t === row && s === column ? 700 : 400,
            });
          }
        }
      }
      outline(pen, left - 0.5, up + row * cell - 0.5, T * cell, cell);
      outline(pen, left + column * cell - 0.5, up + row * cell - 0.5, cell, cell, { thick: 3 });
      if (n < T) outline(pen, left - 1, up - 1, n * cell + 1, n * cell + 1, { thick: 1 });
      const before = app.ghost();
      if (before?.b === run.b && before.n !== n) {
        outline(pen, left - 1, up - 1, before.n * cell + 1, before.n * cell + 1, {
          color: pen.colors.soft,
          dash: "4 4",
        });
      }
    },
    pointed(point) {
      if (!point) return;
      const s = Math.floor((point.x - box.left) / box.cell),
        t = Math.floor((point.y - box.top) / box.cell);
      if (t < 0 || t >= run.n || s >= run.T) return;
      view.set({ output: t + 1, ...(s >= 0 ? { input: s + 1 } : {}) });
      if (point.tapped) nav.open("output", rowOpener);
    },
    cursor: "pointer",
  });

  const KEYS = {
    ArrowLeft: ["input", -1],
    ArrowRight: ["input", 1],
    ArrowUp: ["output", -1],
    ArrowDown: ["output", 1],
  };
  const steer = (node) => {
    node.addEventListener("keydown", (event) => {
      const [trait, by] = KEYS[event.key] ?? [];
      if (!trait) return;
      event.preventDefault();
      const { t, s } = at();
      view.set({
        [trait]: Math.min(
          trait === "output" ? run.n : run.T,
          Math.max(1, (trait === "output" ? t : s) + 1 + by),
        ),
      });
    });
    return node;
  };
  const rowOpener = steer(tag("button", { type: "button", class: "ll-hot ll-row-opener" }));

  const explain = () => {
    const { t, s } = at(),
      v = run.both[t * run.T + s],
      [f, r] = run.ways.map((way) => way.dh[t * run.T + s]);
    const pair = `output ${t + 1}${quoted(t)}, input ${s + 1}${quoted(s)}`;
    const why =
      s >= run.n && !v
        ? "in the padding: no direction reads it"
        : s === t
          ? "its own step"
          : s < t
            ? "in the past: the forward half has read it"
            : r
              ? "in the future: the reverse half has read it"
              : "in the future: who only reads forward has not come there";
    return {
      head: pair,
      meaning: why,
      q: "h",
      symbols:
        run.ways.length > 1
          ? "‖∂y_{t}/∂x_{s}‖ = √(‖∂h_{t}^{→}/∂x_{s}‖² + ‖∂h_{t}^{←}/∂x_{s}‖²)"
          : "‖∂y_{t}/∂x_{s}‖ = ‖∂h_{t}/∂x_{s}‖",
      numbers: [
        run.ways.length > 1
          ? `= √(${fmt(f, 3)}² + ${fmt(r, 3)}²) = «h:${fmt(v, 3)}»`
          : `= «h:${fmt(v, 3)}»`,
      ],
    };
  };
  const told = readout(view, { explain, chosen: () => "pair" });
  const app = {
    view,
    own,
    at,
    top,
    name,
    quoted,
    explain,
    steer,
    get run() {
      return run;
    },
    get levels() {
      return nav;
    },
    sentence: () => sentence(),
    /** The run before the last change, if it was another. */
    ghost() {
      const now = view.ghost ? key(view.ghost) : "";
      if (now !== ghostKey) ghostRun = now && now !== last ? runSetting(view.ghost, own) : null;
      ghostKey = now;
      return ghostRun;
    },
  };
  const parts = ["past", "own", "future"].map((part) => tag("span", { "data-part": part }));
  const shares = tag("div", { class: "ll-share-bar", "aria-hidden": "true" }, parts);
  const legend = tag("p", { class: "ll-legend" });
  const warning = tag("p", { class: "ll-warning", role: "status", "data-role": "warning" });

  const sharesOf = (t) => {
    const part = seen(run, t),
      future =
        run.ways.length > 1 ? `${percent(part.future)} from the future` : "nothing from the future";
    return (
      `Of what output ${t + 1}${quoted(t)} has seen, ${percent(part.past)} is from the past, ` +
      `${percent(part.own)} from its own step, ${future}` +
      `${part.padding ? `, of which ${percent(part.padding)} is padding` : ""}.`
    );
  };

  const nav = levels(view, {
    "": {
      title: view.title,
      make(stage) {
        stage.append(
          legend,
          batch.node,
          warning,
          tag(
            "div",
            { class: "ll-map-and-words" },
            tag("div", { class: "ll-stage" }, cells.node, rowOpener),
            tag("div", {}, shares, told.node),
          ),
        );
        nav.opener(rowOpener, "output");
        return () => {
          const { t, s } = at(),
            two = run.ways.length > 1;
          legend.replaceChildren(
            ...run.ways.flatMap(({ name: direction }) => [
              tag("span", { class: "ll-swatch", "data-direction": direction }),
              `${ARROW[direction]} ${direction} half${two ? "" : ": all there is"}  `,
            ]),
            tag("span", { class: "ll-swatch", "data-direction": "padding" }),
            "padding (drag a sequence's end)",
          );
          warning.textContent = run.padded
            ? `The mistake: the reverse direction starts in the padding. ${harm()}`
            : "";
          batch.redraw();
          const lengths = run.lengths.map((n, b) => `sequence ${b + 1} has ${n} of ${run.T} steps`);
          batch.label(`The batch: ${lengths.join(", ")}.`);
          cells.redraw();
          cells.label(`The influence of every input, across, on every output, down. ${sentence()}`);
          Object.assign(rowOpener.style, {
            left: "0px",
            top: `${box.top + t * box.cell}px`,
            width: `${box.left - 3}px`,
            height: `${box.cell}px`,
          });
          put(rowOpener, {
            "aria-label":
              `Output ${t + 1}${quoted(t)}, input ${s + 1}${quoted(s)}: ` +
              `${fmt(run.both[t * run.T + s], 3)}. Arrow keys move, Enter opens the output`,
          });
          const part = seen(run, t),
            room = shares.clientWidth;
          for (const each of parts) {
            const share = part[each.dataset.part];
            each.style.flexGrow = share;
            each.textContent = share * room > 72 ? `${each.dataset.part} ${percent(share)}` : "";
          }
          told.refresh();
        };
      },
    },
    output: {
      title: () => `output ${at().t + 1}${quoted(at().t)}`,
      make: (stage) => outputLevel(app)(stage),
    },
    "output/entry": {
      title: () => `input ${at().s + 1}${quoted(at().s)}`,
      make: (stage) => entryLevel(app)(stage),
    },
  });

  const harm = () =>
    run.n < run.T
      ? `The outputs are off by up to ${fmt(run.gap, 3)}.`
      : "This sequence has no padding after it, so its outputs are right: choose a shorter one.";
  const sentence = () => {
    const { t, s } = at();
    const ways = run.ways.length > 1 ? "in both directions" : "forward only";
    return (
      `Sequence ${run.b + 1} has ${run.n} of ${run.T} steps, read ${ways}. ` +
      `Output ${t + 1}${quoted(t)} has seen input ${s + 1}${quoted(s)} ` +
      `with an influence of ${fmt(run.both[t * run.T + s], 3)}. ${sharesOf(t)}` +
      (run.padded ? ` The reverse direction starts in the padding. ${harm()}` : "")
    );
  };

  const values = tableFold(
    view,
    "Influence of every input on every output",
    () => [
      ["output", ...Array.from({ length: run.T }, (_, s) => `x ${s + 1}`)],
      Array.from({ length: run.n }, (_, t) => [
        `${t + 1}${word(t) ? ` ${word(t)}` : ""}`,
        ...Array.from(run.both.subarray(t * run.T, (t + 1) * run.T), (v) => fmt(v, 4)),
      ]),
    ],
    "All influences",
  );

  const lengths = Array.from({ length: own.B }, (_, b) => {
    const control = slider(view, `length_${b + 1}`, {
      words: `length of sequence ${b + 1}`,
      digits: 0,
      unit: ` of ${own.T}`,
      reach: [1, Math.max(2, own.T)],
      read: (name) => Math.min(view.get(name), own.T),
    });
    control.input.max = Math.max(2, own.T);
    return control;
  });
  const reads = ["output", "input"].map((trait) =>
    slider(view, trait, {
      words: trait,
      letter: trait === "output" ? "y_{t}" : "x_{s}",
      q: trait === "output" ? "h" : "x",
      digits: 0,
      reach: [1, Math.max(2, own.T)],
      read: (name) => (run ? at()[name === "output" ? "t" : "s"] + 1 : view.get(name)),
    }),
  );
  const which =
    own.B > 1
      ? slider(view, "sequence", {
          words: "sequence shown",
          digits: 0,
          reach: [1, own.B],
          read: () => Math.min(view.get("sequence"), own.B),
        })
      : null;
  const starts = select(view, "reverse_starts", { words: "the reverse direction starts at" });

  function update() {
    const s = view.settings(),
      now = key(s);
    if (now !== last) {
      run = runSetting(s, own);
      last = now;
    }
    starts.hidden = run.ways.length < 2;
    for (const read of reads) read.refresh();
    view.say(sentence());
    nav.draw();
    values.refresh();
  }

  layout(view, {
    controls: [
      group("Network", select(view, "direction", { words: "reads in" }), starts),
      group(
        "Batch",
        which,
        lengths,
        slider(view, "padding", { words: "what stands in the padding", q: "x", digits: 1 }),
      ),
      group("Read", reads),
    ],
    picture: nav.node,
    folds: [values],
  });
  update();
  return view.dispose;
}

export default { render };
