// BPTTExplorer: a short LSTM, forward through time and back again, a moment at a time.

import { button, group, player, select, slider } from "../frontend/controls.js";
import { floats, put, tag } from "../frontend/dom.js";
import { fmt, math, scientific } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { tableFold } from "../frontend/table.js";
import { termList } from "../frontend/terms.js";
import { gatheredHeight, paintGathered, unrolledPicture } from "./picture.js";
import {
  ABOUT,
  backwardStory,
  byNode,
  forwardStory,
  gradientKnown,
  gradientOf,
  nameOf,
  NODES,
  toneOf,
  upper,
  valueKnown,
  valueOf,
} from "./story.js";
import { gathered, place, RATE, unpackUnroll, unrolls } from "./unroll.js";

const TASKS = {
  remember: "answer a first 1 at the end",
  echo: "say the input of the step before",
  mean: "say the mean so far",
  own: "your own",
};
const DOES = {
  there: [
    "the gates open",
    "the cell state is renewed",
    "the hidden state comes out",
    "it is compared with the target",
  ],
  back: [
    "what reaches the hidden state is added up",
    "what reaches the cell state is added up",
    "it passes the gates",
    "the weights gather their share",
  ],
};

function render({ model, el }) {
  const bytes = (name) => floats(model.get(name));
  const own = unpackUnroll(
    model.get("_shape"),
    bytes("_numbers"),
    bytes("_input"),
    bytes("_target"),
  );
  const compute = unrolls(own);
  const view = explorable(model, el, { title: "Backpropagation through time", update });
  let now = null,
    width = 0,
    pointed = null;

  /** The state made consistent: the network, the moment, and the node that is shown. */
  function state() {
    const s = view.settings(),
      run = compute(s),
      { T } = run,
      moment = Math.min(s.moment, 8 * T - 1),
      at = place(moment, T);
    const follows = s.node === "follow",
      unit = Math.min(s.unit, run.net.H) - 1;
    const shown = follows
      ? { t: at.t, node: ABOUT[at.back ? "back" : "there"][at.phase] }
      : { t: Math.min(s.step, T) - 1, node: s.node };
    return { s, ...run, model: run, moment, at, shown, unit, end: 8 * T - 1 };
  }

  /** The story of a node, back if its gradient is known at this moment. */
  const story = ({ t, node }) =>
    (gradientKnown(node, t, now.at) ? backwardStory : forwardStory)(now.model, node, t, now.unit);
  const unknown = ({ t, node }) => !valueKnown(node, t, now.at);

  /** To a moment; what is shown follows. */
  const go = (moment) =>
    view.set({ moment: Math.max(0, Math.min(now.end, moment)), node: "follow" });
  const pick = (t, node) => view.set({ step: t + 1, node });

  // ---- levels

  const art = unrolledPicture({
    pick,
    open: (t) => {
      pick(t, now.shown.node);
      nav.open("step");
    },
    point: (t, node) => {
      pointed = node && { t, node };
      read.hover(node && `${node} ${t}`);
    },
  });

  function overview(stage) {
    const machine = tag(
      "div",
      {
        class: "ll-bptt-machine",
        tabindex: 0,
        role: "group",
        "aria-label":
          "Time machine: left and right arrow move through time, up and down choose a node, " +
          "Enter opens it",
      },
      art,
    );
    machine.addEventListener("keydown", (event) => {
      const { moment, shown, T } = now,
        k = NODES.indexOf(shown.node);
      const moves = {
        ArrowLeft: () => go(moment - 1),
        ArrowRight: () => go(moment + 1),
        PageDown: () => go(moment + 4),
        PageUp: () => go(moment - 4),
        Home: () => go(0),
        End: () => go(8 * T - 1),
        ArrowUp: () => pick(shown.t, NODES[Math.min(NODES.length - 1, k + 1)]),
        ArrowDown: () => pick(shown.t, NODES[Math.max(0, k - 1)]),
        Enter: () => nav.open("step/node"),
      };
      if (!moves[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      moves[event.key]();
    });
    const weights = plot(view, {
      height: () => gatheredHeight(now.net.H),
      paint: (pen) => paintGathered(pen, now.net, sums(), now.run.grad),
    });
    const openers = tag("div", { class: "ll-actions" }),
      step = nav.opener(
        button("", () => {}),
        () => "step",
      ),
      sum = nav.opener(
        button("Open the sum", () => {}),
        () => "step/node",
      );
    openers.append(step, sum);
    stage.append(
      machine,
      read.node,
      openers,
      tag(
        "div",
        { class: "ll-bptt-weights" },
        weights.node,
        tag(
          "p",
          { class: "ll-caption-line" },
          "What the backward pass has gathered so far for each weight, summed over the steps. " +
            "Blue, below zero: learning makes the weight larger; red: smaller.",
        ),
      ),
    );
    view.onWidth(machine, (w) => {
      width = w;
      update();
    });
    return () => {
      read.refresh();
      step.textContent = `Open step ${now.shown.t + 1}`;
      if (width) art.show(now.model, now.at, now.shown, now.unit, width);
      put(art, { "aria-label": `An LSTM unrolled over ${now.T} steps. ${sentence()}` });
      weights.label(`What the backward pass has gathered for the weights: ${gatheredWords()}.`);
      weights.redraw();
    };
  }

  /** What the backward pass has gathered so far. */
  const sums = () => {
    const { at, T, net, run, lesson } = now;
    return gathered(net, run, lesson, !at.back ? T : at.phase === 3 ? at.t : at.t + 1);
  };
  const gatheredWords = () => {
    const { W, U, b } = sums();
    return `of length ${scientific(Math.hypot(...W, ...U, ...b), 3)}`;
  };

  /** One step: every node with how it came about, down the page as time goes, and up again. */
  function ledger(stage) {
    const head = tag("p", { class: "ll-caption-line" }),
      list = tag("div", { class: "ll-bptt-ledger" }),
      rows = new Map();
    for (const node of [...NODES].reverse()) {
      const name = tag("strong", { "data-q": toneOf(node) }),
        there = tag("span", { class: "ll-bptt-there-cell" }),
        back = tag("span", { class: "ll-bptt-back-cell" });
      const row = tag(
        "button",
        { type: "button", class: "ll-bptt-row", "data-q": toneOf(node) },
        name,
        there,
        back,
      );
      row.addEventListener("click", () => pick(now.shown.t, node));
      nav.opener(row, () => "step/node");
      rows.set(node, { row, name, there, back });
      list.append(row);
    }
    stage.append(head, list, neighbours().node);
    return () => {
      const { t } = now.shown;
      head.innerHTML = math(
        `Forward it is computed from below upwards, backward from above downwards.`,
      );
      for (const [node, { row, name, there, back }] of rows) {
        const f = forwardStory(now.model, node, t, now.unit),
          g = backwardStory(now.model, node, t, now.unit);
        const write = (v) => (node === "loss" ? fmt(v, 4) : fmt(v, 3));
        name.innerHTML = math(
          node === "loss"
            ? `L_{${t + 1}}`
            : node === "tanh"
              ? `tanh c_{${t + 1}}`
              : `${node}_{${t + 1}}`,
        );
        there.innerHTML = valueKnown(node, t, now.at)
          ? math([f.symbols, f.numbers.at(-1)].join(" "))
          : "not yet";
        back.innerHTML = gradientKnown(node, t, now.at)
          ? math([g.symbols, g.numbers.at(-1)].join(" "))
          : "not yet";
        row.classList.toggle("ll-chosen", now.shown.node === node);
        const value = valueKnown(node, t, now.at) ? `, value ${write(f.value)}` : "",
          gradient = gradientKnown(node, t, now.at) ? `, gradient ${scientific(g.value, 3)}` : "";
        put(row, {
          "aria-label": `${nameOf(node)}${value}${gradient}, open it`,
        });
      }
    };
  }

  /** One node: the terms that make its value, and those that make its gradient. */
  function inside(stage) {
    const parts = [
      ["there", "Its value"],
      ["back", "Its gradient"],
    ].map(([way, words]) => {
      const formula = tag("p", { class: "ll-formula" }),
        list = termList(words),
        heading = tag("h4", { class: "ll-bptt-heading" }, words);
      stage.append(heading, formula, list);
      return { way, formula, list };
    });
    stage.append(neighbours().node);
    return () => {
      const { t, node } = now.shown;
      for (const { way, formula, list } of parts) {
        const known = (way === "there" ? valueKnown : gradientKnown)(node, t, now.at);
        const told = (way === "there" ? forwardStory : backwardStory)(now.model, node, t, now.unit);
        formula.innerHTML = known
          ? math(told.symbols)
          : "Not computed yet at this moment: move on in time.";
        list.hidden = !known;
        if (!known) continue;
        const total = told.sum ?? told.value;
        list.show([
          ...told.terms.map((term) => ({ ...term, text: scientific(term.value, 3) })),
          {
            words:
              told.sum === undefined
                ? way === "there"
                  ? "together"
                  : `together ${byNode(node, t)}`
                : "together, the pre-activation",
            value: total,
            text: scientific(total, 4),
            q: told.q,
            total: true,
          },
        ]);
      }
    };
  }

  /** Buttons to the step before and after. */
  function neighbours() {
    const to = (by) => () =>
      pick(Math.max(0, Math.min(now.T - 1, now.shown.t + by)), now.shown.node);
    return {
      node: tag(
        "div",
        { class: "ll-actions" },
        button("The step before", to(-1)),
        button("The step after", to(1)),
      ),
    };
  }

  // ---- words, numbers, the page

  const read = readout(view, {
    chosen: () => `${now.shown.node} ${now.shown.t}`,
    explain: (key) => {
      const [node, t] = key.split(" "),
        what = pointed && `${pointed.node} ${pointed.t}` === key ? pointed : { t: Number(t), node };
      if (unknown(what))
        return {
          head: `${nameOf(node)} at step ${what.t + 1}`,
          meaning: "not computed yet",
          symbols: "",
          q: toneOf(node),
        };
      const told = story(what);
      return { ...told, q: told.q };
    },
  });

  const sentence = () => {
    const { at, T, run, shown, moment, end } = now,
      way = at.back ? "back" : "there";
    const told = unknown(shown)
      ? ""
      : ` ${upper(nameOf(shown.node))} at step ${shown.t + 1}: ` +
        `value ${fmt(valueOf(now.model, shown.node, shown.t, now.unit), 4)}` +
        (gradientKnown(shown.node, shown.t, at)
          ? `, gradient ${scientific(gradientOf(now.model, shown.node, shown.t, now.unit), 3)}`
          : "") +
        ".";
    return (
      `Moment ${moment} of ${end}, ${at.back ? "in the backward pass" : "in the forward pass"} ` +
      `at step ${at.t + 1} of ${T}: ${DOES[way][at.phase]}.${told}` +
      ` The loss of the whole sequence is ${fmt(run.total, 4)}.`
    );
  };

  const nav = levels(view, {
    "": { title: view.title, make: overview },
    step: { title: () => `step ${now.shown.t + 1}`, make: ledger },
    "step/node": { title: () => nameOf(now.shown.node), make: inside },
  });

  const scrub = slider(view, "moment", {
    words: "moment in time",
    digits: 0,
    q: "c",
    read: () => now?.moment ?? 0,
    show: (m) =>
      now ? `${now.at.back ? "◂ backward" : "▸ forward"}, step ${now.at.t + 1}` : String(m),
  });
  scrub.classList.add("ll-bptt-scrub");
  scrub.input.addEventListener("input", () => view.set({ node: "follow" }));
  const play = player(view, {
    rate: 6,
    step: () => {
      const next = now.moment < now.end ? now.moment + 1 : 0;
      go(next);
      return next < now.end;
    },
    back: () => go(now.moment - 1),
  });
  const values = tableFold(view, "Values and gradients of this unit at every step", () => {
    const { T, unit, model: all } = state();
    return [
      [
        "step",
        ...NODES.flatMap((node) => [
          math(node === "tanh" ? "tanh c" : node === "loss" ? "L" : node),
          math(byNode(node, 0).replace(/,?1\}/g, (m) => (m.startsWith(",") ? "}" : "t}"))),
        ]),
      ],
      Array.from({ length: T }, (_, t) => [
        String(t + 1),
        ...NODES.flatMap((node) => [
          fmt(valueOf(all, node, t, unit), 4),
          scientific(gradientOf(all, node, t, unit), 3),
        ]),
      ]),
    ];
  });

  const unit = slider(view, "unit", {
    words: "unit shown",
    digits: 0,
    read: () => (now?.unit ?? 0) + 1,
  });
  const learnt = tag("p", { class: "ll-bptt-learnt" });
  const learning = group(
    "Learning",
    slider(view, "updates", { words: "steps of learning made", digits: 0 }),
    tag(
      "div",
      { class: "ll-actions" },
      button("Learn one step", () => view.set({ updates: view.get("updates") + 1 })),
    ),
    learnt,
  );

  function update() {
    now = state();
    const { T, net, run, fresh, s } = now;
    put(scrub.input, { max: 8 * T - 1 });
    scrub.refresh();
    put(unit.input, { max: net.H });
    unit.refresh();
    unit.hidden = net.H === 1;
    learnt.innerHTML =
      `Loss ${fmt(run.total, 4)}${s.updates ? `; it was ${fmt(fresh, 4)}` : ""}. ` +
      `Each step moves every weight by −${RATE} times its gradient.`;
    nav.draw();
    view.say(sentence());
    values.refresh();
  }

  view.root.classList.add("ll-bptt-explorer");
  const small = own.H
    ? []
    : [
        slider(view, "hidden", { words: "units", letter: "H", digits: 0 }),
        slider(view, "b_f", { words: "forget bias", letter: "b_{f}", q: "f", digits: 1 }),
        slider(view, "seed", { words: "seed", digits: 0 }),
      ];
  layout(view, {
    controls: [
      group(
        "Sequence",
        select(view, "task", {
          words: "task",
          choices: view.specs.task.options.map((task) => [task, TASKS[task]]),
        }),
        slider(view, "length", { words: "length", letter: "T", digits: 0, unit: " steps" }),
      ),
      group("Network", ...small, unit),
      learning,
      group(
        "Formula",
        select(view, "node", {
          words: "show",
          choices: view.specs.node.options.map((node) => [
            node,
            node === "follow" ? "what the moment computes" : nameOf(node),
          ]),
        }),
      ),
    ],
    picture: [tag("div", { class: "ll-bptt-bar-row" }, play, scrub), nav.node],
    folds: values,
  });
  update();
  return view.dispose;
}

export default { render };
