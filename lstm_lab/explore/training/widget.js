// TrainingExplorer: a training that runs in the kernel.

import { button, checkbox, group, select, slider } from "../frontend/controls.js";
import { put, tag } from "../frontend/dom.js";
import { scientific } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { cellLevels, stepWords } from "../frontend/stage/model.js";
import { cellStage } from "../frontend/stage/stage.js";
import { layerStep } from "../frontend/stage/user_layer.js";
import { tableFold } from "../frontend/table.js";
import { paintTraining, SEQUENCE, TRAIN_LEFT, TRAIN_RIGHT, trainHeight } from "./art.js";
import {
  answerWords,
  explainRun,
  part,
  runWords,
  standing,
  unpackPast,
  unpackRun,
} from "./model.js";

// A sign of life so often, in ms; the training rests without any for ten seconds.
const PULSE = 3000;

function render({ model, el }) {
  const view = explorable(model, el, { title: "A training, live", update });
  const own = "model" in view.kept;
  let run = unpackRun(model.get("_run")),
    past = unpackPast(model.get("_past")),
    chosen = "f",
    waiting = 0;
  const told = () => ({
    status: "ready",
    said: "",
    words: "",
    before: "",
    answers: [],
    ...model.get("_told"),
  });
  const steps = () => (own ? 0 : view.get("length"));

  const picture = plot(view, {
    height: trainHeight,
    pointed,
    paint: (pen) => paintTraining(pen, run, { s: view.settings(), told: told(), past }),
  });
  function pointed(at) {
    if (!at || !run.trace) return;
    const inside =
      at.y > SEQUENCE.top - 10 && at.y < SEQUENCE.top + SEQUENCE.strip + SEQUENCE.lane + 20;
    picture.canvas.style.cursor = inside ? "zoom-in" : "default";
    if (!inside) return;
    const part = (at.x - TRAIN_LEFT) / (picture.width - TRAIN_LEFT - TRAIN_RIGHT);
    view.set({ step: Math.min(run.T, Math.max(1, Math.round(part * (run.T - 1)) + 1)) });
    if (at.tapped) nav.open("cell", opener);
  }

  function atStep() {
    const t = Math.min(view.get("step"), run.T) - 1,
      unit = Math.min(view.get("unit"), run.H) - 1;
    return run.trace && layerStep({ net: run.net, x: run.fed, trace: run.trace }, t, unit);
  }
  const closed = (make) => (stage) => {
    // A model that the page cannot compute has nothing to open.
    if (run.trace) return make(stage);
    stage.append(
      tag("p", {}, "This model's first layer is no plain LSTM, or too large to be opened here."),
    );
    return () => {};
  };
  const contents = {
    "": {
      title: view.title,
      make: (level) => {
        level.append(picture.node);
        return () => picture.redraw();
      },
    },
  };
  const inner = {
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
    ...cellLevels(view, () => nav, "cell/", atStep),
  };
  for (const [path, entry] of Object.entries(inner)) {
    contents[path] = {
      ...entry,
      make: closed(entry.make),
      title: () =>
        run.trace ? (typeof entry.title === "function" ? entry.title() : entry.title) : "the cell",
      words: () => (run.trace ? entry.words() : "There is nothing to open in this model."),
    };
  }
  const nav = levels(view, contents);
  const opener = nav.opener(button("Open this step", null), "cell");

  const ask = (what) => {
    model.send({ alive: 1, do: what });
    clearTimeout(waiting);
    const before = JSON.stringify(told()) + run.updates;
    waiting = setTimeout(() => {
      if (JSON.stringify(told()) + run.updates === before && what !== "pause")
        note.textContent = "Nothing answers: a training runs in Python, and needs its kernel.";
    }, 4000);
  };
  view.onDispose(() => {
    clearTimeout(waiting);
    model.send({ alive: 1, do: "pause" });
  });
  const pulse = setInterval(() => {
    if (!document.hidden) model.send({ alive: 1 });
  }, PULSE);
  view.onDispose(() => clearInterval(pulse));

  const train = button("Train", () => ask(told().status === "running" ? "pause" : "start"), {
    class: "ll-button ll-primary",
  });
  const step = button("Step", () => ask("step"), { title: "One update" });
  const again = button("Restart", () => ask("again"), {
    title: "New weights from the same seed; the curve so far stays as a ghost",
  });
  const note = tag("p", { class: "ll-train-note", role: "status" });

  const tile = (words, q = "c") => {
    const value = tag("strong", { class: "ll-tile-value" }),
      below = tag("span", { class: "ll-tile-formula" });
    return {
      node: tag(
        "button",
        { type: "button", class: "ll-tile", "data-q": q },
        tag("span", { class: "ll-tile-name" }, words),
        value,
        below,
      ),
      value,
      below,
    };
  };
  const tiles = {
    loss: tile("loss"),
    right: tile("accuracy"),
    norm: tile("gradient", "f"),
    gates: tile("f above 0.9", "f"),
  };
  let chosenTile = "loss";
  const read = readout(view, {
    explain: (key) => explainRun(key, run, view.settings()),
    chosen: () => chosenTile,
    choose: (key) => {
      chosenTile = key;
      view.redraw();
    },
  });
  for (const [key, { node }] of Object.entries(tiles)) read.watch(node, key);

  for (const name of ["_run", "_past", "_told"]) {
    view.on(name, () => {
      if (name === "_run") run = unpackRun(model.get("_run"));
      if (name === "_past") past = unpackPast(model.get("_past"));
      view.redraw();
    });
  }

  function update() {
    const now = told(),
      { status } = now,
      last = run.points - 1;
    train.textContent = status === "running" ? "Pause" : run.updates ? "Train on" : "Train";
    put(train, { "aria-pressed": status === "running" });
    train.disabled = step.disabled = status === "diverged" || status === "finished";
    note.textContent = standing(now);
    note.classList.toggle("ll-bad", status === "diverged");
    tiles.loss.value.textContent = scientific(run.loss);
    tiles.loss.below.textContent = Number.isFinite(run.baseline)
      ? `${run.whole ? "chance" : "constant"} ${scientific(run.baseline, 4)}`
      : `update ${run.updates}`;
    tiles.right.value.textContent = `${Math.round(run.right * run.examples)} of ${run.examples}`;
    tiles.right.below.textContent = own ? "of your sequences" : "unseen sequences";
    tiles.norm.value.textContent = run.points ? scientific(run.norms[last]) : "–";
    tiles.norm.below.textContent =
      run.points && run.clipped[last] < run.norms[last]
        ? `clipped to ${scientific(run.clipped[last])}`
        : "not clipped";
    tiles.gates.value.textContent = run.gated ? part(run.open[0]) : "–";
    tiles.gates.below.textContent = run.gated ? `${part(run.shut[0])} below 0.1` : "no gates";
    // Chrono draws its own.
    for (const each of Object.values(biases)) each.hidden = own || view.get("init") === "chrono";
    opener.hidden = !run.trace || view.get("path") !== "";
    read.node.hidden = view.get("path") !== "";
    read.refresh();
    for (const [name, max] of [
      ["example", run.examples],
      ["unit", run.H || 1],
      ["step", run.T],
    ]) {
      bounded[name].input.max = max;
      bounded[name].refresh();
    }
    const words = runWords(run, now, steps());
    picture.label(
      "Loss, norm of the gradient and values of the gates over the updates, and one sequence. " +
        `${words} ${answerWords(run, now.answers)}`,
    );
    nav.draw();
    view.say(contents[nav.path].words?.() ?? words);
    values.refresh();
  }

  const values = tableFold(view, "Loss and gradient of the updates", () => {
    const per = run.points ? run.updates / run.points : 1;
    const rows = Array.from(run.losses, (loss, k) => [
      String(Math.round((k + 1) * per)),
      scientific(loss),
      scientific(run.norms[k]),
      scientific(run.clipped[k]),
    ]);
    return [
      ["update", "loss", "gradient", "after clipping"],
      rows.length ? rows : [["0", scientific(run.loss), "–", "–"]],
    ];
  });

  view.root.classList.add("ll-training-explorer");
  const hide = (node) => {
    node.hidden = own;
    return node;
  };
  const rate = slider(view, "learning_rate", {
    words: "learning rate",
    log: true,
    reach: [0.0005, 100],
    show: (v) => scientific(v, 2),
  });
  const within = (name, words, most, more) =>
    slider(view, name, { words, digits: 0, read: () => Math.min(view.get(name), most()), ...more });
  const bounded = {
    example: within("example", "sequence", () => run.examples),
    unit: within("unit", "unit", () => run.H || 1),
    step: within("step", "read at step", () => run.T, { letter: "t" }),
  };
  const biases = {
    forget: slider(view, "forget_bias", {
      words: "forget bias",
      letter: "b_{f}",
      q: "f",
      digits: 1,
    }),
    input: slider(view, "input_bias", { words: "input bias", letter: "b_{i}", q: "i", digits: 1 }),
  };
  layout(view, {
    controls: [
      group(
        "While it trains",
        rate,
        checkbox(view, "clipping", { words: "clip the gradient" }),
        slider(view, "clip", {
          words: "clip to norm",
          log: true,
          reach: [0.001, 100],
          q: "f",
          show: (v) => scientific(v),
        }),
        hide(
          slider(view, "length", {
            words: "sequence length",
            letter: "T",
            digits: 0,
            unit: " steps",
          }),
        ),
      ),
      group(
        "Restarts it",
        select(view, "task", {
          words: "task",
          choices: view.specs.task.options.map((t) => [t, t === "own" ? "your own" : t]),
        }),
        hide(
          select(view, "init", {
            words: "biases",
            choices: [
              ["forget bias", "the same in all units"],
              ["chrono", "chrono: as long as the sequence"],
            ],
          }),
        ),
        ...Object.values(biases),
        hide(slider(view, "hidden", { words: "units", letter: "H", digits: 0 })),
        select(view, "optimizer", { words: "optimiser" }),
        slider(view, "seed", { words: "seed", digits: 0 }),
      ),
      group("The sequence shown", Object.values(bounded), opener),
    ],
    picture: [
      tag("div", { class: "ll-actions ll-train-actions" }, train, step, again, note),
      tag(
        "div",
        { class: "ll-tiles" },
        Object.values(tiles).map((t) => t.node),
      ),
      nav.node,
      read.node,
    ],
    folds: [values],
  });
  update();
  return view.dispose;
}

export default { render };
