// WallExplorer: a digit passes behind a wall, and a small LSTM predicts every next frame.

import { checkbox, group, player, slider } from "../frontend/controls.js";
import { floats, tag } from "../frontend/dom.js";
import { fmt } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { linear, plot, roundUp } from "../frontend/plot.js";
import { tableFold } from "../frontend/table.js";
import { filmNet, FRAMES, HEIGHT, runFilm, WIDE, WIDTH } from "./model.js";

// Room for the numbers at the left of what lies over time.
const LEFT = 42,
  RIGHT = 8,
  BESIDE = 560,
  GAP = 18,
  HEAD = 22,
  MAP = 96,
  CURVE = 56,
  ERRORS = 74;

const columns = (n) => (n === 1 ? "1 column" : `${n} columns`);

/** The picture in words. */
export function sentence(s, run) {
  const film =
    `The digit ${s.digit} moves ${columns(s.speed)} a frame; ` +
    `the wall hides ${columns(s.width)}.`;
  if (run.cut === FRAMES) return `${film} It never hides all of the digit.`;
  if (!run.out) return `${film} The film ends before the digit is out again.`;
  const k = run.out - 1;
  return (
    `${film} In frame ${run.out} the digit comes out: the error is ${fmt(run.kept[k], 1)} with ` +
    `the memory, ${fmt(run.gone[k], 1)} with the memory erased, ` +
    `${fmt(run.copy[k], 1)} for the frame before.`
  );
}

function render({ model, el }) {
  const view = explorable(model, el, { title: "A digit behind a wall", update });
  view.root.classList.add("ll-wall-explorer");
  const bytes = model.get("_matrices");
  const net = filmNet(
    floats(model.get("_images")),
    new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    floats(model.get("_rest")),
  );
  let s = view.settings(),
    run = runFilm(s, net);
  const at = () => s.frame - 1;

  // ---- the frame, and its prediction
  const size = (width) => {
    const wide = width >= BESIDE ? (width - GAP) / 2 : width;
    return Math.min(14, wide / WIDTH);
  };
  const screens = plot(view, {
    height: (width) => (HEAD + HEIGHT * size(width)) * (width >= BESIDE ? 1 : 2) + 6,
    paint(pen) {
      const wide = WIDTH * size(pen.width),
        beside = pen.width >= BESIDE;
      screen(pen, 0, 0, `frame ${s.frame}: what is seen`, run.seen);
      screen(
        pen,
        beside ? wide + GAP : 0,
        beside ? 0 : HEAD + HEIGHT * size(pen.width) + 4,
        at() ? "predicted before it came" : "nothing is predicted yet",
        run.prediction,
      );
    },
    cursor: "default",
  });

  function screen(pen, x, y, words, values) {
    const { ctx, colors } = pen,
      a = size(pen.width),
      top = y + HEAD,
      start = at() * HEIGHT * WIDTH;
    pen.words(words, x, y + 14, { size: 12, weight: 600 });
    ctx.fillStyle = colors.faint;
    ctx.fillRect(x, top, WIDTH * a, HEIGHT * a);
    ctx.save();
    ctx.fillStyle = colors.ink;
    for (let k = 0; k < HEIGHT * WIDTH; k++) {
      const value = Math.min(1, values[start + k]);
      if (!(value > 0.02)) continue;
      ctx.globalAlpha = value;
      // A hair wider, so that no seam shows between two pixels.
      ctx.fillRect(x + (k % WIDTH) * a, top + Math.floor(k / WIDTH) * a, a + 0.3, a + 0.3);
    }
    ctx.restore();
    hatched(pen, x + s.wall * a, top, s.width * a, HEIGHT * a);
    const place = run.places[at()];
    if (place < WIDTH) {
      const wide = Math.min(WIDE, WIDTH - place) * a;
      ctx.beginPath();
      ctx.rect(x + place * a + 0.5, top + 0.5, wide - 1, HEIGHT * a - 1);
      pen.stroke(colors.focus, 1.5, "3 3");
    }
  }

  // ---- over time: cells, one of them, errors
  const tops = { map: HEAD, curve: HEAD + MAP + 30, errors: HEAD + MAP + 30 + CURVE + 36 };
  const across = (width) => linear(0, FRAMES, LEFT, width - RIGHT);
  const time = plot(view, {
    height: tops.errors + ERRORS + 40,
    paint: paintTime,
    pull: "x",
    pointed(event) {
      if (!event || (event.type === "pointermove" && !event.event.buttons)) return;
      const t = Math.floor(across(time.width).invert(event.x));
      const now = { frame: Math.max(1, Math.min(FRAMES, t + 1)) },
        row = Math.floor(((event.y - tops.map) / MAP) * run.H);
      if (event.type === "pointerdown" && row >= 0 && row < run.H) now.cell = row + 1;
      playing.pause();
      view.set(now);
    },
  });

  function paintTime(pen) {
    const { ctx, colors, width } = pen,
      px = across(width),
      wide = px(1) - px(0),
      middle = (t) => px(t + 0.5);
    // The frames in which nothing of the digit is seen.
    const some = run.hidden.filter(Boolean).length * wide;
    for (const [top, tall] of [
      [tops.curve, CURVE],
      [tops.errors, ERRORS],
    ])
      hatched(pen, px(run.cut), top, some, tall);
    pen.words("cell states, one row a cell", LEFT, tops.map - 8, { size: 12, halo: true });
    const byRow = new Float64Array(FRAMES * run.H);
    for (let t = 0; t < FRAMES; t++)
      for (let j = 0; j < run.H; j++) byRow[j * FRAMES + t] = Math.tanh(run.cells[t * run.H + j]);
    const box = { x: px(0), y: tops.map, w: px(FRAMES) - px(0), h: MAP };
    pen.heat(byRow, run.H, FRAMES, box, { low: -1, high: 1, map: "signed" });
    const high = MAP / run.H,
      row = s.cell - 1;
    ctx.beginPath();
    ctx.rect(px(0) - 1, tops.map + row * high - 1, box.w + 2, high + 2);
    pen.stroke(colors.ink, 1.5);
    pen.words(String(s.cell), LEFT - 6, tops.map + (row + 0.5) * high, {
      size: 11,
      align: "right",
      baseline: "middle",
    });

    const cy = linear(-1, 1, tops.curve + CURVE, tops.curve);
    pen.words(`cell ${s.cell}: tanh of its state`, LEFT, tops.curve - 8, { size: 12, halo: true });
    pen.axisY(cy, LEFT, width - RIGHT, { ticks: [-1, 0, 1] });
    pen.line(byRow, middle, cy, {
      ...pen.style("c"),
      offset: row * FRAMES,
      count: FRAMES,
    });

    const most = roundUp(Math.max(1, ...run.kept, ...run.gone, ...run.copy)),
      ey = linear(0, most, tops.errors + ERRORS, tops.errors);
    pen.words(
      pen.fitting(
        [
          "error · 1000: ── memory kept  ··· memory erased  – – the frame before",
          "error · 1000: ── kept  ··· erased  – – frame before",
          "error · 1000",
        ],
        width - LEFT - RIGHT,
        { size: 12 },
      ),
      LEFT,
      tops.errors - 8,
      { size: 12, halo: true },
    );
    pen.axisY(ey, LEFT, width - RIGHT, { ticks: [0, most / 2, most] });
    pen.line(run.copy, middle, ey, { color: colors.soft, dash: "7 5", width: 1.5, first: 1 });
    pen.line(run.gone, middle, ey, { color: colors.f, dash: "2 4", width: 3, first: 1 });
    pen.line(run.kept, middle, ey, { color: colors.o, width: 2.25, first: 1 });
    if (run.out) pen.dot(middle(run.out - 1), ey(run.kept[run.out - 1]), { color: colors.o, r: 4 });
    const gap = width < 480 ? 3 : 1,
      ticks = Array.from({ length: FRAMES }, (_, t) => t).filter((t) => t % gap === 0);
    pen.axisX(
      Object.assign((t) => middle(t), { from: px(0), to: px(FRAMES) }),
      tops.errors + ERRORS,
      { ticks, show: (t) => String(t + 1), title: "frame" },
    );
    pen.rule(middle(at()), tops.map - 4, middle(at()), tops.errors + ERRORS, {
      color: colors.ink,
      thick: 1.5,
    });
  }

  const to = (frame) => view.set({ frame: Math.max(1, Math.min(FRAMES, frame)) });
  const playing = player(view, {
    rate: 6,
    step() {
      to(s.frame >= FRAMES ? 1 : s.frame + 1);
      return view.get("frame") < FRAMES;
    },
    back: () => to(s.frame - 1),
  });
  const scrub = slider(view, "frame", { words: "frame", letter: "t", digits: 0 });
  scrub.classList.add("ll-scrub");
  const facts = tag("p", { class: "ll-wall-facts", "data-role": "facts" });

  const values = tableFold(view, "The errors of every frame, times 1000", () => [
    ["frame", "digit at column", "memory kept", "memory erased", "the frame before"],
    Array.from({ length: FRAMES - 1 }, (_, k) => k + 1).map((t) => [
      String(t + 1),
      run.hidden[t] ? "hidden" : run.places[t] >= WIDTH ? "gone" : String(run.places[t] + 1),
      fmt(run.kept[t], 2),
      fmt(run.gone[t], 2),
      fmt(run.copy[t], 2),
    ]),
  ]);

  function update() {
    s = view.settings();
    run = runFilm(s, net);
    const words = sentence(s, run),
      k = run.out - 1;
    facts.textContent =
      run.out && run.cut < FRAMES
        ? `First frame out: ${run.out}. Error · 1000 there: memory kept ${fmt(run.kept[k], 1)}, ` +
          `memory erased ${fmt(run.gone[k], 1)}, the frame before ${fmt(run.copy[k], 1)}.`
        : run.cut === FRAMES
          ? "The wall never hides all of the digit."
          : "The film ends before the digit is out again.";
    screens.redraw();
    time.redraw();
    const drawn = s.erased ? "the memory erased" : "the memory kept";
    screens.label(
      `Frame ${s.frame} of ${FRAMES} as it is seen, and as it was predicted with ${drawn}: ` +
        `error ${at() ? fmt(run[s.erased ? "gone" : "kept"][at()], 1) : "none yet"}.`,
    );
    time.label(
      `The ${run.H} cell states over the frames; cell ${s.cell} is ` +
        `${fmt(Math.tanh(run.cells[at() * run.H + s.cell - 1]))} in frame ${s.frame}. ${words}`,
    );
    view.say(words);
    values.refresh();
  }

  layout(view, {
    controls: [
      group(
        "Film",
        slider(view, "digit", { words: "digit", digits: 0 }),
        slider(view, "speed", { words: "speed", digits: 0, show: (n) => `${columns(n)} a frame` }),
      ),
      group(
        "Wall",
        slider(view, "width", { words: "it hides", digits: 0, show: columns }),
        slider(view, "wall", { words: "before it", digits: 0, show: columns }),
      ),
      group(
        "Network",
        checkbox(view, "erased", { words: "erase the memory behind the wall" }),
        slider(view, "cell", { words: "cell", digits: 0 }),
      ),
    ],
    picture: [
      facts,
      screens.node,
      tag("div", { class: "ll-wall-time" }, playing, scrub),
      time.node,
    ],
    folds: [values],
  });
  update();
  return view.dispose;
}

/** The wall: a surface with slanted lines, so that it is not told by its colour alone. */
function hatched(pen, x, y, w, h) {
  if (w <= 0) return;
  const { ctx, colors } = pen;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.fillStyle = colors.line;
  ctx.fillRect(x, y, w, h);
  ctx.beginPath();
  for (let k = x - h; k < x + w; k += 8) {
    ctx.moveTo(k, y + h);
    ctx.lineTo(k + h, y);
  }
  pen.stroke(colors.soft, 1, "", 0.45);
  ctx.restore();
}

export default { render };
