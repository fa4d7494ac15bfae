// SequenceExplorer: one LSTM unit over a whole sequence, and how long it remembers.

import { button, group, select, slider, weights } from "../frontend/controls.js";
import { put, tag } from "../frontend/dom.js";
import { sigmoid } from "../frontend/equations/lstm.js";
import { fmt, math, percent, QUANTITIES, scientific, share, steps } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { PERIODIC, PRESETS, PULSED } from "../frontend/signals.js";
import { cellLevels, explain, stepWords } from "../frontend/stage/model.js";
import { cellStage } from "../frontend/stage/stage.js";
import { layerStep, unpackUserLayer } from "../frontend/stage/user_layer.js";
import { tableFold } from "../frontend/table.js";
import { laneAt, LEFT, paintSequence, READS, RIGHT, SEQUENCE_HEIGHT, X_LANE } from "./art.js";
import { BEHAVIOURS, inputOf, runSequence, writeRuns } from "./model.js";

/** The run in words, with what the cursor reads. */
function sentence(run, step, match) {
  const t = step - 1,
    what = run.pulsed ? "pulse" : "input";
  return (
    (run.target ? `The cell state matches the ${match} to ${percent(run.score)}. ` : "") +
    `Over ${run.T} steps the forget gate averages ${share(run.mean, 3)}: ` +
    `half of the first ${what} is left after ${steps(run.halfLife)} steps, ` +
    `and ${percent(run.left, run.logLeft)} of it at the end. At step ${step} ` +
    (run.D === 1 ? `the input is ${fmt(run.x[t])}, ` : "") +
    `the forget gate ${share(run.f[t])}, the input gate ${share(run.i[t])}, ` +
    `the output gate ${share(run.o[t])}, the candidate ${fmt(run.g[t])}, ` +
    `the cell state ${fmt(run.c[t])}, the hidden state ${fmt(run.h[t])}.`
  );
}

function tile(q, words, formula) {
  const value = tag("strong", { class: "ll-tile-value" });
  const node = tag(
    "button",
    { type: "button", class: "ll-tile", "data-q": q },
    tag("span", { class: "ll-tile-name" }, words),
    value,
    tag("span", { class: "ll-tile-formula", html: math(formula) }),
  );
  /** The number large, the words beside it ("steps", "over") small. */
  const show = (text) => {
    value.classList.toggle("ll-long", text.length > 11);
    value.replaceChildren(
      ...text.split(/([a-z]+)/).map((part, k) => (k % 2 ? tag("small", {}, part) : part)),
    );
  };
  return { node, show, name: node.firstChild, formula: node.lastChild };
}

/** Drawing the input: by pointer in its lane, by keyboard on a handle that lies over it. */
function hand(view, now) {
  const values = () => Array.from(inputOf(now().s, { D: 1 }));
  const put_ = (drawn) =>
    view.set({ preset: "drawn", drawn: writeRuns(drawn.map((v) => Math.min(1, Math.max(-1, v)))) });
  let canvas = null,
    last = null;
  return {
    get drawing() {
      return canvas !== null;
    },
    begin() {
      canvas = values();
      last = null;
    },
    /** Draws to step index k the value v, straight from where the pointer was. */
    to(k, v) {
      const from = last ?? [k, v],
        gap = Math.max(1, Math.abs(k - from[0]));
      for (let j = 0; j <= gap; j++)
        canvas[Math.round(from[0] + ((k - from[0]) * j) / gap)] =
          from[1] + ((v - from[1]) * j) / gap;
      last = [k, v];
      put_(canvas);
    },
    end() {
      canvas = null;
    },
    nudge(k, by) {
      const drawn = values();
      drawn[k] += by;
      put_(drawn);
    },
    clear: () => put_([0]),
  };
}

function render({ model, el }) {
  const own = unpackUserLayer(model.get("_shape"), model.get("_net"), model.get("_input"));
  const view = explorable(model, el, { title: "An LSTM unit over a sequence", update });
  const drawable = own.D === 1;
  let run = null,
    ghost = null,
    ghostRun = null,
    chosen = "f",
    told = "f";
  // Times are whole and within the sequence, whatever has just changed.
  const within = (s) => {
    const T = s.preset === "own" ? Math.min(s.length, own.x.length / own.D) : s.length;
    return { s: { ...s, length: T }, step: Math.min(s.step, T) };
  };
  const now = () => within(view.settings());
  const pencil = hand(view, now);

  const picture = plot(view, {
    height: SEQUENCE_HEIGHT,
    pointed,
    pull: (at) => (inLane(at) ? "xy" : "x"),
    paint: (pen) => paintSequence(pen, run, ghostRun, now().step, drawable),
  });
  const stage = tag("div", { class: "ll-stage" }, picture.node);

  /** Is this where one draws? */
  function inLane({ x, y }) {
    const right = picture.width - RIGHT;
    return drawable && y < X_LANE.bottom + 8 && x > LEFT - 8 && x < right + 8;
  }
  function pointed(at) {
    if (!at) {
      pencil.end();
      return read.hover(null);
    }
    const { s } = now(),
      plotWidth = picture.width - LEFT - RIGHT;
    const part = Math.min(1, Math.max(0, (at.x - LEFT) / plotWidth)),
      k = Math.round(part * (s.length - 1));
    const drawing = inLane(at);
    picture.canvas.style.cursor = drawing || pencil.drawing ? "cell" : "zoom-in";
    if (at.type === "pointerdown" && drawing) {
      picture.canvas.setPointerCapture?.(at.event.pointerId);
      pencil.begin();
    }
    if (pencil.drawing) {
      pencil.to(k, 1 - (2 * (at.y - X_LANE.top)) / (X_LANE.bottom - X_LANE.top));
      if (at.type === "pointerup") pencil.end();
    }
    const lane = laneAt(at.y, run, Math.min(k, run.T - 1));
    read.hover(lane === "x" ? null : lane);
    view.set({ step: k + 1 });
    if (at.tapped && !drawing) nav.open("cell", opener);
  }

  const handle = tag("div", {
    class: "ll-hot ll-lane",
    role: "slider",
    tabindex: drawable ? 0 : null,
    hidden: !drawable,
    "aria-valuemin": -1,
    "aria-valuemax": 1,
    "aria-label": "input drawn by hand: up and down draw, left and right go through time",
    onkeydown(event) {
      const { step } = now(),
        moves = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const draws = { ArrowUp: 0.25, ArrowDown: -0.25, PageUp: 1, PageDown: -1 }[event.key];
      if (moves) view.set({ step: step + moves });
      if (draws) pencil.nudge(step - 1, draws);
      if (moves || draws) event.preventDefault();
    },
  });
  stage.append(handle);

  const contents = {
    "": {
      title: view.title,
      make: (level) => {
        level.append(stage);
        return () => picture.redraw();
      },
    },
    cell: {
      title: () => `step ${now().step}`,
      make: (level) =>
        cellStage(view, nav, level, {
          now: atStep,
          past: () => (ghostRun ? stepOfRun(ghostRun) : null),
          prefix: "cell/",
          chosen: () => chosen,
          choose: (q) => {
            chosen = q;
            view.redraw();
          },
        }),
      words: () => {
        const { s, r } = atStep();
        return stepWords(s, r);
      },
    },
    ...cellLevels(view, () => nav, "cell/", atStep),
  };
  const tiles = {
    mean: tile("f", "forget gate", "σ(b_{f}) = 0.73"),
    halfLife: tile("c", "half-life", "ln ½ ∕ ln f"),
    memory: tile("f", "time constant", "τ = 1/(1 − f)"),
    left: tile("c", "first pulse left", "product of f"),
  };
  const read = readout(view, {
    explain: explainRun,
    chosen: () => told,
    choose: (key) => {
      told = key;
      view.redraw();
    },
  });
  for (const [key, { node }] of Object.entries(tiles)) read.watch(node, key);
  const reads = Object.fromEntries(
    ["i", "f", "o", "g", "c", "h"].map((q) => {
      const node = read.watch(tag("button", { type: "button", class: "ll-hot", "data-q": q }), q);
      Object.assign(node.style, {
        right: 0,
        width: `${RIGHT - 5}px`,
        top: `${READS[q] - 15}px`,
        height: "21px",
      });
      stage.append(node);
      return [q, node];
    }),
  );

  /** The formula of a quantity at the step that is read, or of a number over the whole sequence. */
  function explainRun(key) {
    if (!tiles[key]) {
      const { s, r } = atStep();
      return explain(key, s, r);
    }
    const { mean, T, first } = run,
      f = `«f:${share(mean, 3)}»`,
      n = T - 1 - first;
    return {
      mean: {
        q: "f",
        head: "forget gate, on average",
        meaning: `the geometric mean of the ${n} after the first input`,
        symbols: "f = (f_{2} f_{3} ⋯ f_{n})<sup>1/n</sup>",
        numbers: [
          `= ${f}, where the bias alone makes ` +
            `σ(${fmt(view.get("b_f"))}) = ${share(sigmoid(view.get("b_f")), 3)}`,
        ],
        from: ["f"],
      },
      halfLife: {
        q: "c",
        head: "half-life",
        meaning: "steps after which half of it is left",
        symbols: "ln ½ ∕ ln f",
        numbers: [
          `= ${fmt(Math.log(0.5), 3)} ∕ ln ${f} ` +
            `= ${fmt(Math.log(0.5), 3)} ∕ ${scientific(Math.log(mean))} ` +
            `= «c:${steps(run.halfLife)}» steps`,
        ],
        from: ["mean"],
      },
      memory: {
        q: "f",
        head: "time constant",
        meaning: "steps after which 1/e = 37 % of it is left, nearly",
        symbols: "τ = 1 ∕ (1 − f)",
        numbers: [
          `= 1 ∕ (1 − ${f}) = 1 ∕ ${scientific(1 - mean)} = «f:${steps(run.memory)}» steps`,
        ],
        from: ["mean"],
      },
      left: {
        q: "c",
        head: "left at the end",
        meaning: `the product of all ${n} forget gates after the first input`,
        symbols: `f^{${n}}`,
        numbers: [`= ${f}<sup>${n}</sup> = «c:${percent(run.left, run.logLeft)}»`],
        from: ["mean"],
      },
    }[key];
  }

  const nav = levels(view, contents);
  const opener = nav.opener(button("Open this step", null), "cell");

  /** The step that is read, as the picture of a cell takes it. */
  const stepOfRun = (of) => layerStep(of, Math.min(now().step, of.T) - 1, own.unit);
  function atStep() {
    return stepOfRun(run);
  }

  const scrub = slider(view, "step", {
    words: "read at step",
    letter: "t",
    q: "c",
    digits: 0,
    read: () => now().step,
  });
  scrub.classList.add("ll-scrub");
  const period = slider(view, "period", { words: "period in steps", digits: 0 });
  const meter = tag("meter", {
    min: 0,
    max: 1,
    low: 0.5,
    high: 0.9,
    optimum: 1,
    "aria-label": "how close the cell state comes",
  });
  const close = tag("strong"),
    way = button("Show one way", () => view.set(BEHAVIOURS[view.get("match")].way));
  const contest = tag(
    "div",
    { class: "ll-contest", hidden: true },
    tag("span", {}, "Match the grey band: "),
    meter,
    close,
    own.net ? null : way,
  );
  const erase = button("Clear", pencil.clear, { hidden: true });

  function update() {
    const { s, step } = now();
    run = runSequence(s, own);
    run.pulsed = PULSED.has(s.preset);
    if (view.ghost !== ghost) {
      ghost = view.ghost;
      ghostRun =
        ghost &&
        Object.assign(runSequence(within(ghost).s, own), { pulsed: PULSED.has(ghost.preset) });
    }
    scrub.input.max = s.length;
    scrub.refresh();
    period.hidden = !PERIODIC.has(s.preset) && s.match !== "forgetting";
    opener.hidden = s.path !== "";
    erase.hidden = s.preset !== "drawn";
    contest.hidden = !run.target;
    if (run.target) {
      meter.value = run.score;
      close.textContent = `${percent(run.score)}${run.score >= 0.9 ? ": that is it" : ""}`;
    }
    tiles.mean.show(share(run.mean, 3));
    tiles.mean.formula.innerHTML = math(`σ(b_{f}) = ${share(sigmoid(s.b_f), 3)}`);
    tiles.halfLife.show(`${steps(run.halfLife)} steps`);
    tiles.memory.show(`${steps(run.memory)} steps`);
    tiles.left.name.textContent = `first ${run.pulsed ? "pulse" : "input"} left`;
    tiles.left.show(percent(run.left, run.logLeft));
    tiles.left.formula.innerHTML = math(`f^{${s.length - 1 - run.first}}`);
    const words = sentence(run, step, s.match);
    put(handle, {
      "aria-valuenow": fmt(run.x[step - 1]).replace("−", "-"),
      "aria-valuetext": `${fmt(run.x[step - 1])} at step ${step}`,
    });
    picture.label(`Input, gates, cell state and hidden state over time. ${words}`);
    read.node.hidden = s.path !== "";
    read.refresh();
    for (const q in reads) {
      const value = run[q][step - 1],
        shown = "fio".includes(q) ? share(value) : fmt(value);
      put(reads[q], {
        "aria-label": `${QUANTITIES[q].name} ${shown} at step ${step}, show its formula`,
      });
    }
    nav.draw();
    view.say(contents[nav.path].words?.() ?? words);
    values.refresh();
  }

  const values = tableFold(view, "Values at every step", () => {
    const names = [...(run.D === 1 ? ["x"] : []), "i", "f", "o", "g", "c", "h"];
    return [
      ["step", ...names.map((q) => math(q))],
      Array.from({ length: run.T }, (_, t) => [
        String(t + 1),
        ...names.map((q) => fmt(run[q][t], 4)),
      ]),
    ];
  });

  const choose = (match) => view.set({ match, ...(own.net ? {} : BEHAVIOURS[match]?.input) });
  const behaviour = select(view, "match", {
    words: "match a behaviour",
    choose,
    choices: [
      ["nothing", "nothing"],
      ...Object.entries(BEHAVIOURS).map(([name, { words }]) => [name, words]),
    ],
  });
  const bias = (q) =>
    slider(view, `b_${q}`, {
      words: `${QUANTITIES[q].name} bias`,
      letter: `b_{${q}}`,
      q,
      digits: 1,
      reach: [-8, 8],
    });
  view.root.classList.add("ll-sequence-explorer");
  layout(view, {
    controls: [
      group(
        "Sequence",
        select(view, "preset", {
          words: "input",
          letter: "x_{t}",
          choices: view.specs.preset.options.map((p) => [p, PRESETS[p]]),
        }),
        erase,
        slider(view, "length", { words: "length", letter: "T", digits: 0, unit: " steps" }),
        period,
        behaviour,
      ),
      group("Gate biases", ["i", "f", "o", "g"].map(bias)),
      tag(
        "div",
        { class: "ll-actions ll-wide" },
        button(
          "Set f = 1 − 1/T",
          () => view.set({ b_f: Math.log(Math.max(1, now().s.length - 1)) }),
          { title: "A memory about as long as the sequence: the forget bias becomes ln(T − 1)" },
        ),
        opener,
      ),
    ],
    picture: [
      tag(
        "div",
        { class: "ll-tiles" },
        Object.values(tiles).map((t) => t.node),
      ),
      contest,
      nav.node,
      scrub,
      read.node,
    ],
    folds: own.net ? values : [weights(view), values],
  });
  const { top, bottom } = X_LANE;
  Object.assign(handle.style, {
    top: `${top - 4}px`,
    height: `${bottom - top + 8}px`,
    left: `${LEFT - 6}px`,
    right: `${RIGHT - 6}px`,
  });
  update();
  return view.dispose;
}

export default { render };
