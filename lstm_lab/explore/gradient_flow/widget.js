// GradientFlowExplorer: how much of a gradient is left after its way back, network beside network.

import { button, group, slider } from "../frontend/controls.js";
import { floats, put, tag } from "../frontend/dom.js";
import { fmt, math, share } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { levels } from "../frontend/levels.js";
import { linear, plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";
import { tableFold } from "../frontend/table.js";
import { termList } from "../frontend/terms.js";
import { flowAxes, flowCurves, flowFactors } from "./draw.js";
import { flows, parts, unpackFlow } from "./flow.js";
import {
  course,
  decades,
  ending,
  float32,
  gradientTerms,
  HALF,
  headline,
  power,
  sentence,
  times,
} from "./words.js";

function render({ model, el }) {
  const own = unpackFlow(
    model.get("_shape"),
    floats(model.get("_numbers")),
    floats(model.get("_input")),
  );
  const compute = flows(own),
    before = flows(own);
  const view = explorable(model, el, { title: "How far a gradient reaches back", update });
  const isRnn = own.kind === "RNN";
  let now = null;

  /** All that is drawn: the state made consistent, and every network's gradients. */
  function state() {
    const s = view.settings(),
      T = Math.min(s.length, own.longest);
    const networks = compute(s),
      ghosts = view.ghost ? before({ ...view.ghost }) : [];
    const lag = Math.min(s.lag, T - 1),
      t = T - 1 - lag;
    const at = Math.max(
      0,
      networks.findIndex(({ key }) => key === s.network),
    );
    const open = networks[at],
      unit = Math.min(s.unit, open.net.H) - 1;
    return {
      s,
      T,
      lag,
      t,
      networks,
      ghosts,
      open,
      openGhost: ghosts[at],
      unit,
      range: decades([...networks, ...ghosts]),
    };
  }

  const frame = { left: 40, right: 8, top: 10, bottom: 20, labels: 60 };
  const pointing = (canvas, margins, more) => (at) => {
    if (!at || at.type === "pointerup") return;
    const x = linear(0, now.T - 1, margins.left, canvas().width - margins.right);
    view.set({ lag: Math.min(now.T - 1, Math.max(0, Math.round(x.invert(at.x)))), ...more });
  };

  // ---- the overview: a card for each network

  function overview(stage) {
    const cards = new Map(),
      grid = tag("div", { class: "ll-flow-cards" });
    const keys = view.specs.network.options;
    for (const key of keys) {
      const name = tag("span", { class: "ll-flow-name" }),
        left = tag("strong", { class: "ll-flow-left" }),
        half = tag("span", { class: "ll-flow-half" });
      const picture = plot(view, {
        height: (w) => Math.round(Math.min(170, Math.max(110, 0.55 * w))),
        paint: (pen) => {
          const network = now.networks.find((each) => each.key === key);
          flowCurves(
            pen,
            now,
            network,
            now.ghosts.find((each) => each.key === key),
            flowAxes(pen, now, frame),
          );
        },
        pointed: (at) =>
          pointing(() => picture, frame, { network: key })(at?.type === "pointermove" ? at : null),
        cursor: "pointer",
      });
      const card = tag(
        "button",
        { type: "button", class: "ll-flow-card", "data-network": key },
        tag("span", { class: "ll-flow-head" }, name, left, half),
        picture.node,
      );
      card.addEventListener("click", () => view.set({ network: key }));
      nav.opener(card, () => "network");
      cards.set(key, { card, name, left, half, picture });
      grid.append(card);
    }
    stage.append(legend().node, grid);
    return () => {
      const words = sentence(now);
      for (const network of now.networks) {
        const { card, name, left, half, picture } = cards.get(network.key);
        name.textContent = network.name;
        const [number, what] = headline(network);
        left.replaceChildren(number, tag("small", {}, what));
        half.textContent = course(network).replace("; ", "\n");
        card.classList.toggle("ll-chosen", network === now.open);
        put(card, { "aria-label": `Open ${network.name}: ${ending(network, now.T)}` });
        picture.label(`${network.name} among all. ${words}`);
        // A card whose curves are as they were is left as it is: mostly all but one.
        const ghost = now.ghosts.find((each) => each.key === network.key);
        const seen = [
          network.flow,
          ghost?.flow,
          now.lag,
          ...now.range,
          view.colors.ink,
          view.colors.ground,
        ];
        if (seen.every((each, k) => each === card.seen?.[k])) continue;
        card.seen = seen;
        picture.redraw();
      }
    };
  }

  /** What the lines are; once(kind) leaves out what a network of this kind has not. */
  function legend() {
    const items = [
      ["h", "‖∂L/∂h_{t}‖, large number: at the first step", "solid"],
      ["c", "‖∂L/∂c_{t}‖, from the read-out", "thick"],
      ["f", "forget gates alone", "dashed"],
      ["x", "½ each step", "dotted"],
    ].map(([q, words, line]) =>
      tag(
        "span",
        { "data-q": q, class: "ll-legend-item" },
        tag("span", { class: `ll-legend-line ll-${line}`, "aria-hidden": "true" }),
        tag("span", { html: math(words) }),
      ),
    );
    const of = (kind) => {
      items[1].hidden = items[2].hidden = kind === "RNN";
    };
    of(own.kind);
    return { node: tag("p", { class: "ll-legend" }, items), of };
  }

  // ---- one network: its curves, and the factor of each step

  function network(stage) {
    const large = { left: 48, right: 14, top: 14, bottom: 24, labels: 80 };
    const picture = plot(view, {
      height: (w) => Math.round(Math.min(300, Math.max(190, 0.4 * w))),
      paint: (pen) => flowCurves(pen, now, now.open, now.openGhost, flowAxes(pen, now, large)),
      pointed: (at) => pointing(() => picture, large)(at),
    });
    const ratio = plot(view, {
      height: 120,
      paint: (pen) => flowFactors(pen, now, large),
      pointed: (at) => pointing(() => ratio, large)(at),
    });
    const next = nav.opener(
      button("", () => {}),
      () => "network/step",
    );
    const lines = legend(),
      caption = tag("p", { class: "ll-caption-line" });
    stage.append(
      lines.node,
      picture.node,
      caption,
      ratio.node,
      tag("div", { class: "ll-actions" }, next),
    );
    return () => {
      const { open, t, lag, T } = now;
      lines.of(open.net.kind);
      caption.innerHTML = math(
        `What one step back multiplies ‖∂L/∂${open.main}_{t}‖ by` +
          (open.main === "c" ? "; thin: each unit's forget gate f_{t+1}" : ""),
      );
      next.textContent = `What made the gradient at step ${t + 1}`;
      picture.label(`${open.name}: ${ending(open, T)}. ${reading(now)}`);
      const logs = open.flow[open.main];
      ratio.label(
        lag
          ? `From lag ${lag - 1} to lag ${lag} the norm is multiplied by ` +
              `${fmt(10 ** (logs[t] - logs[t + 1]), 3)}.`
          : "At lag 0 nothing has been multiplied yet.",
      );
      picture.redraw();
      ratio.redraw();
    };
  }

  // ---- one step: what each unit's gradient is made of

  function step(stage) {
    const sum = tag("p", { class: "ll-caption-line" }),
      list = tag("div", { class: "ll-flow-units" });
    const rows = [];
    const row = () => {
      const name = tag("span", { class: "ll-flow-unit-name" }),
        track = tag("span", { class: "ll-flow-track", "aria-hidden": "true" });
      const value = tag("span", { class: "ll-term-value" }),
        node = tag("button", { type: "button", class: "ll-flow-unit" }, name, track, value);
      const each = { node, name, track, value, unit: 0 };
      node.addEventListener("click", () => view.set({ unit: each.unit + 1 }));
      nav.opener(node, () => "network/step/unit");
      return each;
    };
    const neighbours = moves();
    const keys = tag("p", { class: "ll-legend" });
    const tell = (isLstm) =>
      keys.replaceChildren(
        ...(isLstm
          ? [
              ["c", "along c"],
              ["i", "by gate i"],
              ["f", "by gate f"],
              ["o", "by gate o"],
              ["g", "by candidate g"],
            ]
          : [["h", "by U from the units of the next step"]]
        ).map(([q, words]) =>
          tag(
            "span",
            { "data-q": q, class: "ll-legend-item" },
            tag("span", { class: "ll-legend-box", "aria-hidden": "true" }, q),
            words,
          ),
        ),
      );
    stage.append(sum, keys, list, neighbours.node);
    return () => {
      const { open, t, T, lag } = now,
        { net } = open,
        isLstm = net.kind !== "RNN",
        what = isLstm ? "c" : "h";
      const made = parts(net, open.trace, open.flow, t),
        kinds = made.last ? ["loss"] : [...(isLstm ? ["direct"] : []), ...made.gates];
      const order = Array.from({ length: net.H }, (_, j) => j);
      if (net.H > 12)
        order.sort((a, b) => Math.abs(made.total[b]) - Math.abs(made.total[a])).splice(12);
      const span = Math.max(
        1e-300,
        ...order.map((j) =>
          Math.max(
            ...[1, -1].map((sign) => kinds.reduce((s, k) => s + Math.max(0, sign * made[k][j]), 0)),
          ),
        ),
      );
      const logs = open.flow[open.main];
      tell(isLstm);
      sum.innerHTML = math(
        lag
          ? `From step ${t + 2} back to step ${t + 1} the norm is multiplied by ` +
              `«${what}:${fmt(10 ** (logs[t] - logs[t + 1]), 3)}»` +
              (isLstm
                ? "; along the cell state alone by " +
                  `«f:${fmt(length(made.direct) / length(made.dcNext), 3)}»`
                : "")
          : `At the last step the gradient comes from the loss alone.`,
      );
      while (rows.length < order.length) rows.push(row());
      order.forEach((j, k) => {
        const each = rows[k],
          ends = { 1: 50, "-1": 50 };
        each.unit = j;
        each.name.textContent = `unit ${j + 1}`;
        each.track.replaceChildren(
          ...kinds
            .filter((kind) => made[kind][j])
            .map((kind) => {
              const v = made[kind][j],
                wide = (50 * Math.abs(v)) / span,
                q = kind === "direct" || kind === "loss" ? what : kind;
              const from = v > 0 ? ends[1] : ends[-1] - wide;
              if (v > 0) ends[1] += wide;
              else ends[-1] -= wide;
              return tag(
                "span",
                { class: "ll-flow-part", "data-q": q, style: `left: ${from}%; width: ${wide}%` },
                wide > 4 ? q : "",
              );
            }),
        );
        each.value.textContent = times(made.total[j], made.exponent);
        const shares = kinds.map((kind) => {
          const way = kind === "direct" ? "along c" : kind;
          return `${way} ${times(made[kind][j], made.exponent)}`;
        });
        put(each.node, {
          "aria-label": `Unit ${j + 1}: ${each.value.textContent}. ${shares.join(", ")}`,
        });
      });
      // Only when their number changes: whoever has the focus would lose it.
      if (list.childElementCount !== order.length)
        list.replaceChildren(...rows.slice(0, order.length).map((each) => each.node));
      neighbours.refresh(T);
    };
  }

  const length = (values) => Math.hypot(...values);

  // ---- one unit: the products and the sum behind its number

  function unit(stage) {
    const head = tag("p", { class: "ll-formula ll-flow-formula" }),
      list = termList("The terms of the sum"),
      neighbours = moves();
    stage.append(head, list, neighbours.node);
    return () => {
      const { open, t, unit: j, T } = now,
        { net } = open,
        made = parts(net, open.trace, open.flow, t);
      const isLstm = net.kind !== "RNN",
        show = (v) => times(v, made.exponent);
      head.innerHTML = math(
        made.last
          ? `v·h_{${T}} is the loss: ∂L/∂h_{${T}} = 1/√H` +
              (isLstm ? `, and ∂L/∂c_{${T}} = o_{${T}} (1 − tanh^{2} c_{${T}}) · ∂L/∂h_{${T}}` : "")
          : isLstm
            ? `∂L/∂c_{${t + 1}} = f_{${t + 2}} · ∂L/∂c_{${t + 2}} + ` +
              `o_{${t + 1}}(1 − tanh^{2} c_{${t + 1}}) · ∂L/∂h_{${t + 1}}` +
              ` = «f:${share(open.trace.f[(t + 1) * net.H + j])}» · «c:${show(made.dcNext[j])}»` +
              ` + «o:${fmt(made.through[j], 3)}» · «h:${show(made.dh[j])}»` +
              ` = «c:${show(made.total[j])}»`
            : `∂L/∂h_{${t + 1}} = U^{T} ((1 − h_{${t + 2}}^{2}) · ∂L/∂h_{${t + 2}}) = ` +
              `«h:${show(made.total[j])}»`,
      );
      list.show(gradientTerms(made, net, t, j));
      neighbours.refresh(T);
    };
  }

  /** Buttons to the step before and after, at the levels that show one step. */
  function moves() {
    const back = button("One step further back", () =>
      view.set({ lag: Math.min(now.T - 1, now.lag + 1) }),
    );
    const forth = button("One step later", () => view.set({ lag: Math.max(0, now.lag - 1) }));
    return {
      node: tag("div", { class: "ll-actions" }, back, forth),
      refresh(T) {
        back.disabled = now.lag >= T - 1;
        forth.disabled = now.lag <= 0;
      },
    };
  }

  // ---- words, numbers, the page

  /** What is read at the cursor. */
  const reading = ({ open, t, lag }) => {
    const { flow } = open,
      at = `${lag} step${lag === 1 ? "" : "s"} back`;
    return (
      `${at}, ‖∂L/∂h‖ is ${power(flow.h[t])}` +
      (flow.c
        ? `, ‖∂L/∂c‖ ${power(flow.c[t])}, ` +
          `and the forget gates alone would leave ${power(flow.direct[t])}`
        : "") +
      `${float32(flow[open.main][t])}.`
    );
  };

  const told = readout(view, {
    chosen: () => now.open.main,
    explain: (q) => {
      const { open, t, lag, T } = now,
        logs = open.flow[q] ?? open.flow.h;
      return {
        head: `${open.name}, ${lag} step${lag === 1 ? "" : "s"} back`,
        meaning: `at step ${t + 1} of ${T}`,
        q,
        symbols:
          q === "h"
            ? "‖∂L/∂h_{t}‖, everything included"
            : "∂L/∂c_{t} = f_{t+1} · ∂L/∂c_{t+1} + o_{t}(1 − tanh^{2} c_{t}) · ∂L/∂h_{t}",
        numbers: [
          `‖∂L/∂h_{${t + 1}}‖ = «h:${power(open.flow.h[t])}»,`,
          ...(open.flow.c
            ? [
                `‖∂L/∂c_{${t + 1}}‖ = «c:${power(open.flow.c[t])}»;`,
                `forget gates alone would leave «f:${power(open.flow.direct[t])}»,`,
              ]
            : []),
          `half each step would leave ${power(logs[T - 1] + HALF * lag)}`,
        ],
      };
    },
  });

  const nav = levels(view, {
    "": { title: "Gradients side by side", make: overview },
    network: { title: () => now.open.name, make: network },
    "network/step": { title: () => `step ${now.t + 1}`, make: step },
    "network/step/unit": { title: () => `unit ${now.unit + 1}`, make: unit },
  });

  const scrub = slider(view, "lag", {
    words: "read steps back",
    letter: "T − t",
    q: "c",
    digits: 0,
    read: () => now?.lag ?? 0,
  });
  scrub.classList.add("ll-flow-scrub");
  const values = tableFold(view, "Norms of the gradients at every step", () => {
    const { networks, T } = state();
    return [
      [
        "steps back",
        ...networks.flatMap(({ name, flow }) => [
          `${name}: ${math("‖∂L/∂h_{t}‖")}`,
          ...(flow.c ? [`${name}: ${math("‖∂L/∂c_{t}‖")}`] : []),
        ]),
      ],
      Array.from({ length: T }, (_, lag) => [
        String(lag),
        ...networks.flatMap(({ flow }) => [
          power(flow.h[T - 1 - lag]),
          ...(flow.c ? [power(flow.c[T - 1 - lag])] : []),
        ]),
      ]),
    ];
  });

  function update() {
    now = state();
    scrub.input.max = now.T - 1;
    scrub.refresh();
    nav.draw();
    told.refresh();
    view.say(
      view.get("path")
        ? `${now.open.name}: ${ending(now.open, now.T)}. ${reading(now)}`
        : sentence(now),
    );
    values.refresh();
  }

  const length_ = slider(view, "length", {
    words: "length",
    letter: "T",
    digits: 0,
    unit: " steps",
    log: true,
    read: () => Math.min(view.get("length"), own.longest),
  });
  const forget = slider(view, "b_f", {
    words: "your forget bias",
    letter: "b_{f}",
    q: "f",
    digits: 1,
  });
  const radius = slider(view, "radius", { words: "RNN's spectral radius", letter: "ρ", q: "h" });
  const seed = slider(view, "seed", { words: "seed", digits: 0 });
  view.root.classList.add("ll-gradient-flow-explorer");
  layout(view, {
    controls: [
      group("Sequence", length_, own.kind ? null : seed),
      group("Networks", isRnn ? null : forget, own.kind === "LSTM" ? null : radius),
    ],
    picture: [nav.node, scrub, told.node],
    folds: values,
  });
  update();
  return view.dispose;
}

export default { render };
