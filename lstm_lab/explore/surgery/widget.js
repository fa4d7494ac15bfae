// GateSurgery: clamp gates of a trained network, predict, see.

import { button, group, select, slider } from "../frontend/controls.js";
import { floats, put, tag } from "../frontend/dom.js";
import { BLOCKS } from "../frontend/equations/lstm.js";
import { fmt, math, QUANTITIES } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { cellLevels, explain, stepWords } from "../frontend/stage/model.js";
import { cellStage } from "../frontend/stage/stage.js";
import { layerStep } from "../frontend/stage/user_layer.js";
import { tableFold } from "../frontend/table.js";
import {
  CUT_LEFT,
  CUT_READS,
  CUT_RIGHT,
  cutEdges,
  cutScale,
  LANE_WORDS,
  paintSurgery,
  surgeryHeight,
} from "./art.js";
import {
  closedForm,
  LEARNT,
  operate,
  operationWords,
  OPERATIONS,
  PREDICTIONS,
  surgeryWords,
  unitsOf,
  unitWords,
  unpackNets,
} from "./model.js";

const GRIP = 9;
const FREE = { clamp_f: "free", clamp_i: "free", clamp_o: "free", clamp_g: "free" };

function render({ model, el }) {
  const view = explorable(model, el, { title: "Gate surgery", update });
  const nets = unpackNets(model.get("_shapes"), model.get("_nets")),
    own = model.get("_input")?.byteLength ? floats(model.get("_input")) : null;
  let run = null,
    ghost = null,
    past = null,
    chosen = "f",
    told = "c",
    grip = null;
  const shown = () => view.get("guess") !== "none";

  const picture = plot(view, {
    height: surgeryHeight,
    pointed,
    paint: (pen) => paintSurgery(pen, run, view.settings(), shown(), past),
  });

  /** Drag an edge, or a new interval; a click without a drag opens the step. */
  function pointed(at) {
    if (!at) {
      grip = null;
      return read.hover(null);
    }
    const px = cutScale(picture.width, run.T),
      edges = cutEdges(px, run);
    const k = Math.min(run.T, Math.max(1, Math.round(px.invert(at.x)) + 1));
    const near = [0, 1].find((n) => Math.abs(at.x - edges[n]) < GRIP);
    picture.canvas.style.cursor = near !== undefined || grip ? "ew-resize" : "crosshair";
    if (
      at.type === "pointerdown" &&
      at.event.button === 0 &&
      at.x > CUT_LEFT - 6 &&
      at.x < picture.width - CUT_RIGHT + 6
    ) {
      picture.canvas.setPointerCapture?.(at.event.pointerId);
      grip = {
        x: at.x,
        moved: false,
        fixed: near === 0 ? run.last + 1 : near === 1 ? run.first + 1 : k,
      };
    }
    if (grip) {
      grip.moved ||= Math.abs(at.x - grip.x) > 4;
      if (grip.moved) view.set({ begin: Math.min(grip.fixed, k), end: Math.max(grip.fixed, k) });
      if (at.type === "pointerup") {
        const clicked = !grip.moved;
        grip = null;
        if (clicked) nav.open("cell", opener);
      }
      return;
    }
    view.set({ step: k });
  }

  /** What is seen of the network: with the operation once it is shown, before that without. */
  const seen = () => ({ net: run.net, x: run.x, trace: shown() ? run.done : run.free });
  const place_ = () => ({
    t: Math.min(view.get("step"), run.T) - 1,
    unit: Math.min(view.get("unit"), run.H) - 1,
  });

  /** Inside a gate: its sum and what that would make of it, even where it is clamped. */
  function unclamped() {
    const { t, unit } = place_();
    return layerStep(seen(), t, unit);
  }
  /** The step that is read, its gates as they are. */
  function atStep() {
    const { t, unit } = place_(),
      { s, r } = unclamped(),
      k = t * run.H + unit;
    if (!shown() || t < run.first || t > run.last || !run.units.includes(unit))
      return { s: { ...s, clamped: {} }, r };
    const real = Object.fromEntries([...BLOCKS, "c", "tanhc", "h"].map((q) => [q, run.done[q][k]]));
    return { s: { ...s, clamped: run.clamps }, r: { ...r, ...real } };
  }

  /** The formula behind a number of the right margin. */
  function explainHere(key) {
    const { t, unit } = place_(),
      { net, H } = run,
      { trace } = seen();
    if (key !== "y") {
      const { s, r } = atStep();
      return explain(key, s, r);
    }
    const y = (shown() ? run.y : run.yFree)[t],
      h = Array.from({ length: H }, (_, k) => trace.h[t * H + k]);
    const n = (value) => (value < 0 ? `(${fmt(value)})` : fmt(value));
    if (!net.V)
      return {
        q: "h",
        head: "hidden state",
        meaning: `of unit ${unit + 1}, what the rest of the network sees`,
        symbols: "h_{t}",
        numbers: [`= «h:${fmt(y)}»`],
        from: ["o", "c"],
      };
    return {
      q: "h",
      head: "output",
      meaning: "a weighted sum of the hidden states",
      symbols: "y_{t} = Σ v_{k} h_{k} + b",
      numbers: [
        `= ${h
          .slice(0, 4)
          .map((v, k) => `${n(net.V[k])} · «h:${n(v)}»`)
          .join(" + ")}${H > 4 ? " + …" : ""} + ${n(net.c)}`,
        `= ${fmt(y)}`,
      ],
      from: ["o", "c"],
    };
  }
  const read = readout(view, {
    explain: explainHere,
    chosen: () => told,
    choose: (key) => {
      told = key;
      view.redraw();
    },
  });
  const stage = tag("div", { class: "ll-stage" }, picture.node),
    reads = {};
  for (const [key, y] of Object.entries(CUT_READS)) {
    reads[key] = read.watch(
      tag("button", { type: "button", class: "ll-hot", "data-q": key === "y" ? "h" : key }),
      key,
    );
    Object.assign(reads[key].style, {
      right: 0,
      width: `${CUT_RIGHT - 4}px`,
      top: `${y - 16}px`,
      height: "22px",
    });
    stage.append(reads[key]);
  }

  const gates = cellLevels(view, () => nav, "cell/", unclamped),
    states = cellLevels(view, () => nav, "cell/", atStep);
  const contents = {
    "": {
      title: view.title,
      make: (level) => {
        level.append(stage, read.node);
        return () => {
          read.refresh();
          picture.redraw();
        };
      },
    },
    cell: {
      title: () =>
        `unit ${Math.min(view.get("unit"), run.H)}, step ${Math.min(view.get("step"), run.T)}`,
      make: (level) =>
        cellStage(view, nav, level, {
          now: atStep,
          past: () => null,
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
  };
  for (const path of Object.keys(gates)) {
    const q = path.split("/")[1];
    const entry = "ch".includes(q) ? states[path] : gates[path];
    const held = () => atStep().s.clamped[q];
    contents[path] = {
      ...entry,
      words: () =>
        entry.words() +
        (held() === undefined ? "" : ` The clamp overrides it: ${q} is ${fmt(held(), 0)}.`),
    };
  }
  const nav = levels(view, contents);
  const opener = nav.opener(button("Open this step", null), "cell");

  // A new operation is a new question.
  const asks = (values) => view.set({ ...values, guess: "none" });
  const named = Object.entries(OPERATIONS).map(([, { words, clamps }]) => {
    const values = {
      ...FREE,
      ...Object.fromEntries(Object.entries(clamps).map(([q, v]) => [`clamp_${q}`, v])),
    };
    const what = Object.entries(clamps)
      .map(([q, v]) => `${q} = ${v}`)
      .join(", ");
    const node = button(words, () => asks(values), {
      class: "ll-button ll-operation",
      title: what,
      "aria-label": `${words}: ${what}`,
    });
    return { node, values };
  });
  const clampOf = (q) =>
    select(view, `clamp_${q}`, {
      words: QUANTITIES[q].name,
      letter: q,
      choose: (value) => asks({ [`clamp_${q}`]: value }),
      choices: view.specs[`clamp_${q}`].options.map((v) => [
        v,
        v === "free" ? "free" : v.replace("-", "−"),
      ]),
    });

  const cells = tag("div", {
    class: "ll-cells",
    role: "group",
    "aria-label": "units that are operated on",
  });
  let cellCount = 0;
  function refreshCells() {
    const { H } = run,
      on = new Set(unitsOf(view.settings(), H));
    if (cellCount !== H) {
      cellCount = H;
      cells.replaceChildren(
        tag("span", {}, "units"),
        ...Array.from({ length: H }, (_, k) =>
          button(
            String(k + 1),
            () => {
              const now = new Set(unitsOf(view.settings(), run.H));
              if (!now.delete(k)) now.add(k);
              const list = [...now]
                .sort((a, b) => a - b)
                .map((each) => each + 1)
                .join(" ");
              asks({ cells: now.size === run.H ? "all" : list || "none", unit: k + 1 });
            },
            { class: "ll-button ll-cell", "aria-label": `operate on unit ${k + 1}` },
          ),
        ),
      );
    }
    cells.querySelectorAll("button").forEach((each, k) => put(each, { "aria-pressed": on.has(k) }));
  }

  const predictions = Object.entries(PREDICTIONS).map(([key, words]) => {
    const mark = tag("span", { class: "ll-mark", "aria-hidden": "true" });
    const node = tag(
      "button",
      { type: "button", class: "ll-button ll-guess", onclick: () => view.set({ guess: key }) },
      mark,
      words,
    );
    return { key, node, mark };
  });
  const guess = select(view, "guess", {
    words: "predict",
    choices: [["none", "not yet"], ...Object.entries(PREDICTIONS)],
  });
  guess.classList.add("ll-guess-select");
  const question = tag("p", { class: "ll-question" }),
    verdict = tag("p", { class: "ll-verdict", role: "status" });
  const retry = button("Hide it again", () => view.set({ guess: "none" }));
  const law = tag("p", { class: "ll-law" });
  const panel = tag(
    "div",
    { class: "ll-bet" },
    tag(
      "div",
      { class: "ll-operations", role: "group", "aria-label": "operation" },
      named.map((n) => n.node),
      cells,
    ),
    question,
    law,
    tag(
      "div",
      { class: "ll-guesses", role: "group", "aria-label": "your prediction" },
      predictions.map((p) => p.node),
    ),
    verdict,
  );

  function update() {
    const s = view.settings();
    run = operate(s, nets, own);
    if (view.ghost !== ghost) {
      ghost = view.ghost;
      past =
        ghost && ghost.net === s.net && ghost.guess !== "none" ? operate(ghost, nets, own) : null;
    }
    if (!shown()) past = null;
    for (const [name, max] of [
      ["begin", run.T],
      ["end", run.T],
      ["step", run.T],
      ["unit", run.H],
    ]) {
      bounded[name].input.max = max;
      bounded[name].refresh();
    }
    refreshCells();
    for (const { node, values } of named)
      put(node, { "aria-pressed": Object.entries(values).every(([name, v]) => s[name] === v) });
    const idle = !Object.keys(run.clamps).length || !run.units.length;
    question.replaceChildren(
      tag("strong", {}, operationWords(run)),
      shown() ? "." : `. ${idle ? "Choose an operation." : "What will the output do?"}`,
    );
    for (const { key, node, mark } of predictions) {
      put(node, { "aria-pressed": s.guess === key });
      node.classList.toggle("ll-right", shown() && key === run.truth);
      node.classList.toggle("ll-wrong", shown() && key === s.guess && key !== run.truth);
      mark.textContent =
        shown() && key === run.truth ? "✓ " : shown() && key === s.guess ? "✗ " : "";
    }
    verdict.textContent = !shown()
      ? "Commit to one, and it is shown."
      : `${s.guess === run.truth ? "Right" : "Not so"}: ${PREDICTIONS[run.truth]}`;
    retry.hidden = !shown();
    const form = closedForm(run.units.length ? run.clamps : {});
    const lines = form.symbols.map((line) => `<span class="ll-formula">${math(line)}</span>`);
    law.innerHTML = `${lines.join(" ")} ${idle ? "" : form.meaning}`;
    const words = surgeryWords(run, s);
    const { t, unit } = place_();
    picture.label(
      `${LANE_WORDS} ${words} Unit ${unit + 1} at step ${t + 1}: ` +
        `${unitWords(run, shown() ? run.done : run.free, unit, t)}.`,
    );
    for (const key in reads) {
      const value = key === "y" ? (shown() ? run.y : run.yFree)[t] : atStep().r[key],
        name = key === "y" ? "output" : QUANTITIES[key].name;
      put(reads[key], {
        "aria-label": `${name} ${fmt(value)} at step ${t + 1}, show its formula`,
      });
    }
    opener.hidden = s.path !== "";
    nav.draw();
    view.say(contents[nav.path].words?.() ?? words);
    values.refresh();
  }

  const values = tableFold(view, "Output and cell states at every step", () => {
    const { T, H, y, yFree, done, free } = run,
      seen = shown(),
      units = Array.from({ length: H }, (_, k) => k);
    return [
      ["step", "input", "output untouched", "output", ...units.map((k) => math(`c_{${k + 1}}`))],
      Array.from({ length: T }, (_, t) => [
        String(t + 1),
        run.D === 1 ? fmt(run.x[t]) : "",
        fmt(yFree[t], 3),
        seen || t < run.first ? fmt(y[t], 3) : "?",
        ...units.map((k) => fmt((seen ? done : free).c[t * H + k], 3)),
      ]),
    ];
  });

  const whole = (name, words, more = {}) =>
    slider(view, name, {
      words,
      digits: 0,
      read: () => Math.min(view.get(name), name === "unit" ? (run?.H ?? 1) : (run?.T ?? 1)),
      ...more,
    });
  const bounded = {
    begin: whole("begin", "from step"),
    end: whole("end", "to step"),
    step: whole("step", "read at step", { letter: "t" }),
    unit: whole("unit", "unit"),
  };
  const about = tag("p", { class: "ll-learnt" });
  view.on("net", () => {
    about.textContent = LEARNT[view.get("net")];
  });
  about.textContent = LEARNT[view.get("net")];
  const pulses = slider(view, "gap", { words: "a pulse every", digits: 0, unit: " steps" });
  pulses.hidden = Boolean(own);
  view.root.classList.add("ll-gate-surgery");
  layout(view, {
    controls: [
      group(
        "The operation",
        bounded.begin,
        bounded.end,
        tag("div", { class: "ll-clamps" }, ["i", "f", "o", "g"].map(clampOf)),
      ),
      group(
        "The network",
        select(view, "net", {
          words: "has learnt to be a",
          choices: view.specs.net.options.map((n) => [n, n === "own" ? "your own" : n]),
          choose: (net) => asks({ net }),
        }),
        about,
        slider(view, "length", { words: "length", letter: "T", digits: 0, unit: " steps" }),
        pulses,
      ),
      group("What is read", bounded.unit, bounded.step, guess),
      tag("div", { class: "ll-actions ll-wide" }, opener, retry),
    ],
    picture: [panel, nav.node],
    folds: [values],
  });
  update();
  return view.dispose;
}

export default { render };
