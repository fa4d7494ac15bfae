// FamilyExplorer: the same input through the variants of the LSTM.

import { button, fold, group, select, slider } from "../frontend/controls.js";
import { floats, put, tag } from "../frontend/dom.js";
import { fmt, math } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { PERIODIC, PRESETS } from "../frontend/signals.js";
import { sumLevel } from "../frontend/sum_level.js";
import { tableFold } from "../frontend/table.js";
import {
  familyHeight,
  memberHeight,
  memberReads,
  memberTime,
  MEMBER_SIDE,
  paintFamily,
  paintMember,
  panelBoxes,
  timeIn,
} from "./art.js";
import {
  partsOf,
  preActivationsOf,
  runFamily,
  STORIES,
  unpackLayer,
  VARIANTS,
} from "./variants.js";
import {
  explainKept,
  explainOf,
  insideOf,
  keptWords,
  leftWords,
  memoryFormula,
  nameOf,
  sizeWords,
  TONE,
} from "./words.js";

/** What can be opened in a variant: its gates, its candidate, its memory, its output. */
const insides = (variant) => [
  ...new Set([...Object.keys(preActivationsOf(variant)), partsOf(variant).memory, "h"]),
];

const OWN_SETTING = "Your own setting. Thin and grey is what was there before the last change.";
const MAPPED =
  `${math("b_{f}")} is the bias of ${math("f")} and of the GRU’s ${math("z")}, ` +
  `and ${math("−b_{f}")} of the CIFG’s ${math("i")}; ` +
  `${math("b_{o}")} is that of ${math("o")} and ${math("r")}.`;
const TYPES = { all: "cell of 1997", gate: "LSTM", coupled: "CIFG", GRU: "GRU", RNN: "plain RNN" };
const ownName = ({ type, keep, peepholes, after, unit }) => {
  const how = peepholes ? " with peepholes" : after === false ? ", reset before" : "";
  return `yours: ${TYPES[keep ?? type]}${how}, unit ${unit + 1}`;
};

function render({ model, el }) {
  const view = explorable(model, el, { title: "The family on one input", update });
  view.root.classList.add("ll-family-explorer");
  const shape = model.get("_shape"),
    own = unpackLayer(shape, floats(model.get("_net")));
  const names = Object.fromEntries(Object.entries(VARIANTS).map(([key, { name }]) => [key, name]));
  if (own) names.own = ownName(shape);
  const keys = Object.keys(names);
  let run = runFamily(view.settings(), own),
    ghost = null,
    ghostRun = null,
    told = "lstm";
  const at = () => Math.min(view.get("step"), run.T) - 1;
  const unitOf = (key) => ({ ...run.variants[key], x: run.x });
  // A layer of many units has no short sums.
  const numbersOf = (key) => (key === "own" ? null : view.settings());

  /** A variant in words. */
  const memberWords = (key) => {
    const { memory, m } = run.variants[key];
    const kept = keptWords(run.variants[key], run.first, run.T).join(", ");
    return `${names[key]}: ${memory} is ${fmt(m[run.T - 1])} at the end, ${kept}`;
  };
  const familyWords = () => {
    const each = (write) =>
      keys
        .map((key) => `${key === "own" ? "yours" : names[key]} ${write(run.variants[key])}`)
        .join(", ");
    const kept = each(({ largest, left }) => (largest ? leftWords(left) : "nothing"));
    return (
      `At the end of ${run.T} steps: ${each(({ m }) => fmt(m[run.T - 1]))}. ` +
      `Of the first input is left: ${kept}.`
    );
  };

  const read = readout(view, {
    chosen: () => told,
    choose: (key) => {
      told = key;
      view.redraw();
    },
    explain: (key) => {
      const [name, what] = key.split(":");
      const found = what
        ? explainKept(run.variants[name], run.first, run.T)
        : explainOf(numbersOf(name), unitOf(name), run.variants[name].memory, at());
      return { ...found, head: `${names[name]}, ${found.head}` };
    },
  });

  const contents = {
    "": { title: view.title, make: overview },
    ...Object.fromEntries(
      keys.map((key) => [
        key,
        {
          title: names[key],
          make: (stage) => member(stage, key),
          words: () => `${memberWords(key)}.`,
        },
      ]),
    ),
  };
  for (const [key, variant] of Object.entries(VARIANTS)) {
    for (const q of insides(variant)) {
      const path = `${key}/${q}`,
        content = () => insideOf(view.settings(), unitOf(key), q, at());
      contents[path] = {
        title: nameOf(variant, q),
        make: (stage) => sumLevel(view, nav, stage, path, contents, content),
        words: () => content().words,
      };
    }
  }
  const nav = levels(view, contents);

  /** All variants at once, each opens itself. */
  function overview(stage) {
    const picture = plot(view, {
      height: (width) => familyHeight(keys.length, width),
      paint: (pen) => paintFamily(pen, run, ghostRun, at()),
      pointed,
      cursor: "zoom-in",
    });
    const holder = tag("div", { class: "ll-stage" }, picture.node),
      heads = {},
      facts = {};
    for (const key of keys) {
      const { gates, weights } = sizeWords(run.variants[key].variant);
      const opener = nav.opener(
        tag("button", { type: "button", class: "ll-kin-name" }, names[key]),
        key,
      );
      const size = tag(
        "span",
        { class: "ll-kin-size" },
        tag("span", {}, gates),
        " · ",
        tag("span", { html: math(weights) }),
      );
      heads[key] = tag("div", { class: "ll-kin-head" }, opener, size);
      facts[key] = read.watch(
        tag("button", { type: "button", class: "ll-kin-told" }),
        `${key}:left`,
      );
      put(opener, { "aria-label": `${names[key]}, open it` });
      heads[key].opener = opener;
      holder.append(heads[key], facts[key]);
    }
    stage.append(holder);
    function panelAt({ x, y }) {
      return panelBoxes(keys.length, picture.width).findIndex(
        (box) => x >= box.x && x <= box.x + box.w && y >= box.y && y <= box.y + box.h,
      );
    }
    function pointed(event) {
      const k = event ? panelAt(event) : -1;
      if (k < 0) return read.hover(null);
      const px = timeIn(panelBoxes(keys.length, picture.width)[k], run.T);
      read.hover(keys[k]);
      view.set({ step: Math.round(Math.min(run.T - 1, Math.max(0, px.invert(event.x)))) + 1 });
      if (event.tapped) nav.open(keys[k], heads[keys[k]].opener);
    }
    let laid = 0;
    const lay = () =>
      panelBoxes(keys.length, (laid = picture.width)).forEach(
        ({ x, y, w, h, head, told: low, narrow }, k) => {
          const move = (node, top, tall) =>
            Object.assign(node.style, {
              left: `${x}px`,
              top: `${top}px`,
              width: `${w}px`,
              height: `${tall}px`,
            });
          move(heads[keys[k]], y, head);
          move(facts[keys[k]], y + h - low, low);
          heads[keys[k]].classList.toggle("ll-kin-narrow", narrow);
        },
      );
    return () => {
      if (laid !== picture.width) lay();
      for (const key of keys) {
        const { memory, m } = run.variants[key],
          last = m[run.T - 1],
          fact = facts[key],
          words = memberWords(key);
        if (fact.ariaLabel?.startsWith(`${words};`)) continue;
        put(fact, { "aria-label": `${words}; show its formula` });
        const parts = [
          `<b>${math(memory)} = ${fmt(last, Math.abs(last) < 100 ? 2 : 1)}</b>`,
          ...keptWords(run.variants[key], run.first, run.T),
        ].map((part) => `<span class="ll-kin-part">${part}</span>`);
        fact.innerHTML = `<span class="ll-kin-parts">${parts.join("")}</span>`;
      }
      picture.redraw();
      picture.label(
        "Memory, output and gates of each variant over time, all of them on the same input. " +
          familyWords(),
      );
    };
  }

  /** One variant, large. */
  function member(stage, key) {
    const { variant, memory } = run.variants[key];
    let chosen = memory;
    const picture = plot(view, {
      height: memberHeight(variant),
      cursor: "crosshair",
      paint: (pen) =>
        paintMember(
          pen,
          run.variants[key],
          run.x,
          ghostRun?.T === run.T ? ghostRun.variants[key] : null,
          at(),
          inner.key,
        ),
      pointed: (event) => {
        if (event)
          view.set({
            step:
              Math.round(
                Math.min(run.T - 1, Math.max(0, memberTime(picture.width, run.T).invert(event.x))),
              ) + 1,
          });
      },
    });
    const holder = tag("div", { class: "ll-stage" }, picture.node),
      reads = {};
    const inner = readout(view, {
      chosen: () => chosen,
      choose: (q) => {
        chosen = q;
        view.redraw();
      },
      explain: (q) => explainOf(numbersOf(key), unitOf(key), q, at()),
    });
    for (const q of Object.keys(memberReads(run.variants[key], at()))) {
      reads[q] = inner.watch(
        tag("button", { type: "button", class: "ll-hot", "data-q": TONE[q] }),
        q,
      );
      Object.assign(reads[q].style, { right: 0, width: `${MEMBER_SIDE - 4}px`, height: "22px" });
      if (contents[`${key}/${q}`]) nav.opener(reads[q], `${key}/${q}`);
      holder.append(reads[q]);
    }
    stage.append(
      tag(
        "p",
        { class: "ll-kin-formula" },
        tag("span", { html: math(memoryFormula(variant)) }),
        tag("span", { class: "ll-kin-size" }, "dashed: the same without the first input"),
      ),
      holder,
      inner.node,
    );
    return () => {
      for (const [q, { y, text }] of Object.entries(memberReads(run.variants[key], at()))) {
        reads[q].style.top = `${y - 11}px`;
        const does = contents[`${key}/${q}`] ? "open it" : "show its formula";
        put(reads[q], {
          "aria-label": `${nameOf(variant, q)} ${text} at step ${at() + 1}, ${does}`,
        });
      }
      inner.refresh();
      picture.redraw();
      picture.label(
        `${names[key]}: input, memory, output and gates over time. ${memberWords(key)}.`,
      );
    };
  }

  const stories = Object.values(STORIES).map(({ words, set, see }) =>
    button(words, () => view.set(set), {
      title: see,
      "aria-pressed": "false",
      class: "ll-button ll-kin-story",
    }),
  );
  const see = tag("p", { class: "ll-kin-see", "aria-live": "polite" });
  const scrub = slider(view, "step", {
    words: "read at step",
    letter: "t",
    q: "c",
    digits: 0,
    read: () => at() + 1,
  });
  scrub.classList.add("ll-kin-scrub");
  const period = slider(view, "period", { words: "period in steps", digits: 0 });

  function update() {
    const s = view.settings();
    run = runFamily(s, own);
    if (view.ghost !== ghost) {
      ghost = view.ghost;
      // The reader's layer keeps its run of the present input.
      ghostRun = ghost && runFamily(ghost);
    }
    scrub.input.max = run.T;
    scrub.refresh();
    period.hidden = !PERIODIC.has(s.preset);
    const fits = Object.values(STORIES).map(({ set }) =>
      Object.entries(set).every(([name, value]) => s[name] === value),
    );
    fits.forEach((it, k) => put(stories[k], { "aria-pressed": it }));
    see.textContent = Object.values(STORIES)[fits.indexOf(true)]?.see ?? OWN_SETTING;
    read.node.hidden = s.path !== "";
    if (!read.node.hidden) read.refresh();
    nav.draw();
    view.say(contents[nav.path].words?.() ?? familyWords());
    values.refresh();
    sides.refresh();
  }

  const values = tableFold(view, "Values at every step", () => {
    const columns = keys.flatMap((key) =>
      (run.variants[key].memory === "c" ? ["c", "h"] : ["h"]).map((q) => [key, q]),
    );
    return [
      ["step", math("x_{t}"), ...columns.map(([key, q]) => `${names[key]} ${math(q)}`)],
      Array.from({ length: run.T }, (_, t) => [
        String(t + 1),
        fmt(run.x[t], 3),
        ...columns.map(([key, q]) => fmt(run.variants[key][q][t], 4)),
      ]),
    ];
  });
  const sides = tableFold(
    view,
    "The variants side by side",
    () => [
      [
        "variant",
        "memory at the end",
        "half-life",
        "left of the first input",
        "gates",
        "weights of H units",
      ],
      keys.map((key) => {
        const { variant, m } = run.variants[key],
          [left, half = "none"] = keptWords(run.variants[key], run.first, run.T),
          { gates, weights } = sizeWords(variant);
        return [
          names[key],
          fmt(m[run.T - 1], 4),
          half.replace("half-life ", ""),
          left.replace(" left", ""),
          gates.replace(/ gates$/, ""),
          weights,
        ];
      }),
    ],
    "Side by side",
  );

  const bias = (q, words, letter = `b_{${q}}`) =>
    slider(view, `b_${q}`, { words, letter, q, digits: 1, reach: [-8, 8] });
  layout(view, {
    controls: [
      group(
        "Sequence",
        select(view, "preset", {
          words: "input",
          letter: "x_{t}",
          choices: view.specs.preset.options.map((p) => [p, PRESETS[p]]),
        }),
        slider(view, "length", { words: "length", letter: "T", digits: 0, unit: " steps" }),
        period,
      ),
      group(
        "Gate biases",
        bias("f", "keep"),
        bias("i", "write"),
        bias("o", "show"),
        tag("p", { class: "ll-kin-note", html: MAPPED }),
      ),
      group(
        "Weights",
        slider(view, "u", { words: "old output", letter: "u", q: "h" }),
        slider(view, "p", { words: "peepholes", letter: "p", q: "c" }),
      ),
    ],
    picture: [
      tag(
        "div",
        {
          class: "ll-actions ll-kin-stories",
          role: "group",
          "aria-label": "Settings that show something",
        },
        stories,
      ),
      see,
      nav.node,
      scrub,
      read.node,
    ],
    folds: [
      fold(
        "More weights",
        null,
        tag(
          "div",
          { class: "ll-weights" },
          slider(view, "w", { words: "input to candidate", letter: "w", q: "g" }),
          slider(view, "w_i", {
            words: "input to the gate that writes",
            letter: "w_{i}",
            q: "i",
            digits: 1,
            reach: [-15, 15],
          }),
          bias("g", "bias of the candidate"),
        ),
      ),
      sides,
      values,
    ],
  });
  update();
  return view.dispose;
}

export default { render };
