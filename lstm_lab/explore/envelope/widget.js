// EnvelopeExplorer: a record up to a date, a forecast drawn by hand, and what came.

import { button, group, slider } from "../frontend/controls.js";
import { put, svg, tag } from "../frontend/dom.js";
import { fmt } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { linear, plot } from "../frontend/plot.js";
import { tableFold } from "../frontend/table.js";
import { dateOf, dateTicks, judge, METHODS, readDrawn, STEPS, writeDrawn } from "./model.js";

const HEIGHT = 300,
  LEFT = 44,
  RIGHT = 16,
  TOP = 40,
  BOTTOM = 30;
/** How far the axis of a record reaches, and what one press of a key draws. */
const SCALES = {
  12: { low: -3, high: 5, nudge: 0.1, leap: 1, ticks: [-2, 0, 2, 4] },
  1: { low: 0, high: 200, nudge: 2, leap: 20, ticks: [0, 50, 100, 150, 200] },
};

const inUnit = (run, value, more = 0) => {
  const { digits, unit } = run.shown;
  return `${fmt(value, digits + more)}${unit && `\u202f${unit}`}`;
};

/** The picture in words. */
export function envelopeSentence(run) {
  const { shown, seen, own } = run,
    what = `${shown.name}${shown.seasons === 12 ? " (anomaly)" : ""}`;
  const last = `${dateOf(shown, seen.length - 1)}, at ${inUnit(run, seen.at(-1))}`;
  if (!run.errors)
    return (
      `${what}, seen up to ${last}. The envelope is shut. Your forecast goes from ` +
      `${inUnit(run, own[0])} in ${dateOf(shown, seen.length)} to ${inUnit(run, own.at(-1))} in ` +
      `${dateOf(shown, seen.length + STEPS - 1)}.`
    );
  const errors = Object.entries(run.errors).sort(([, a], [, b]) => a - b);
  const place = errors.findIndex(([name]) => name === "own");
  const others = errors.filter(([name]) => name !== "own");
  const list = others.map(([name, e]) => `${METHODS[name].words} ${inUnit(run, e, 1)}`).join(", ");
  const told = place
    ? `${place} of the four ${place > 1 ? "were" : "was"} nearer to the truth`
    : "none of the four was nearer to the truth";
  return (
    `${what}, after ${dateOf(shown, seen.length - 1)}. Your root mean squared error over twelve ` +
    `steps is ${inUnit(run, run.errors.own, 1)}, and ${told}: ${list}. One envelope is one sample.`
  );
}

function render({ model, el }) {
  const view = explorable(model, el, { title: "The sealed envelope", update });
  view.root.classList.add("ll-envelope-explorer");
  const envelopes = model.get("_envelopes");
  let run = judge(view.settings(), envelopes),
    pulling = null;

  const scale = () => SCALES[run.shown.seasons];
  const steps = () => run.seen.length + STEPS;
  const across = (width) => linear(0, steps() - 1, LEFT, width - RIGHT);
  const upright = () => linear(scale().low, scale().high, HEIGHT - BOTTOM, TOP);

  /** Draws the value at step k (from 0), straight from where the pointer was. */
  function draw(k, value, from = [k, value]) {
    if (view.get("opened")) return;
    const drawn = readDrawn(view.get("drawn")),
      { low, high } = scale(),
      gap = Math.max(1, Math.abs(k - from[0]));
    for (let j = 0; j <= gap; j++) {
      const at = Math.round(from[0] + ((k - from[0]) * j) / gap),
        v = from[1] + ((value - from[1]) * j) / gap;
      drawn[at] = Math.min(high, Math.max(low, v));
    }
    view.set({ drawn: writeDrawn(drawn, run.shown.digits), step: k + 1 });
  }

  const picture = plot(view, {
    height: HEIGHT,
    paint,
    pointed,
    pull: (at) => (inFuture(at) && !view.get("opened") ? "xy" : "x"),
    cursor: "default",
  });

  function inFuture({ x }) {
    const px = across(picture.width);
    return x > px(run.seen.length - 0.5);
  }
  function pointed(at) {
    if (!at) {
      pulling = null;
      return;
    }
    const open = view.get("opened"),
      future = inFuture(at);
    picture.canvas.style.cursor = future && !open ? "cell" : "default";
    const k = Math.min(
      STEPS - 1,
      Math.max(0, Math.round(across(picture.width).invert(at.x)) - run.seen.length),
    );
    if (at.type === "pointerdown" && future) {
      picture.canvas.setPointerCapture?.(at.event.pointerId);
      pulling = [k, upright().invert(at.y)];
    }
    if (!pulling) return;
    const value = upright().invert(at.y);
    if (open) view.set({ step: k + 1 });
    else draw(k, value, pulling);
    pulling = at.type === "pointerup" ? null : [k, value];
  }

  const handle = tag("div", {
    class: "ll-hot",
    role: "slider",
    tabindex: 0,
    "aria-label": "your forecast: up and down draw, left and right go through time",
    onkeydown(event) {
      const step = view.get("step"),
        moves = { ArrowLeft: -1, ArrowRight: 1 }[event.key],
        { nudge, leap } = scale();
      const draws = { ArrowUp: nudge, ArrowDown: -nudge, PageUp: leap, PageDown: -leap }[event.key];
      if (moves) view.set({ step: step + moves });
      if (draws) draw(step - 1, run.own[step - 1] + draws);
      if (moves || draws) event.preventDefault();
    },
  });
  // The canvas beside it takes the pointer: the handle is for the keyboard.
  Object.assign(handle.style, {
    top: `${TOP - 6}px`,
    height: `${HEIGHT - TOP - BOTTOM + 12}px`,
    right: `${RIGHT - 8}px`,
    pointerEvents: "none",
  });
  picture.node.append(handle);

  function paint(pen) {
    const { width, colors } = pen,
      px = across(width),
      py = upright(),
      seen = run.seen.length,
      border = px(seen - 0.5),
      ahead = (k) => px(seen + k),
      at = view.get("step") - 1;
    pen.ctx.fillStyle = colors.faint;
    pen.ctx.fillRect(border, TOP, width - RIGHT - border + 6, HEIGHT - BOTTOM - TOP);
    pen.axisY(py, LEFT, width - RIGHT, { ticks: scale().ticks, show: (v) => fmt(v, 0) });
    const ticks = Object.fromEntries(dateTicks(run.shown, steps()));
    pen.axisX(px, HEIGHT - BOTTOM, {
      ticks: Object.keys(ticks).map(Number),
      show: (k) => ticks[k],
    });
    const { name, seasons, unit } = run.shown;
    const title = seasons === 12 ? `${name}: anomaly, ${unit}` : `${name}, a year's mean`;
    pen.words(title, LEFT, 14, { size: 12, weight: 600 });
    pen.words(run.errors ? "what came" : "sealed", width - RIGHT, TOP - 8, {
      size: 12,
      color: colors.soft,
      align: "right",
    });
    pen.rule(border, TOP, border, HEIGHT - BOTTOM, { color: colors.soft, dash: "2 3" });
    pen.line(run.seen, px, py, { color: colors.ink, width: 2 });
    if (run.errors) {
      for (const name_ of ["stay", "damped", "line", "lstm"]) {
        const { q, dash, width: thick } = METHODS[name_];
        pen.line(run.said[name_], ahead, py, { color: colors[q], dash, width: thick });
      }
      pen.line([run.seen.at(-1), ...run.truth], (k) => px(seen - 1 + k), py, {
        color: colors.ink,
        width: 3.5,
      });
    }
    pen.line(run.own, ahead, py, { color: colors.f, width: METHODS.own.width });
    const drawn = readDrawn(view.get("drawn"));
    run.own.forEach((value, k) =>
      pen.dot(ahead(k), py(value), {
        color: colors.f,
        r: k === at ? 6 : 3.5,
        hollow: drawn[k] === null,
      }),
    );
  }

  const line = ({ q, dash, width }) =>
    svg(
      "svg",
      { width: 34, height: 10, viewBox: "0 0 34 10", "aria-hidden": "true", "data-q": q },
      svg("path", {
        d: "M1 5H33",
        fill: "none",
        stroke: q ? "var(--ll-q)" : "var(--ll-ink)",
        "stroke-width": width,
        "stroke-dasharray": dash,
      }),
    );
  const body = tag("tbody");
  const legend = tag(
    "table",
    { class: "ll-errors" },
    tag("caption", { class: "ll-hidden" }, "The forecasts and their errors"),
    tag(
      "thead",
      {},
      tag(
        "tr",
        {},
        ["line", "forecast", "RMSE"].map((words) => tag("th", { scope: "col" }, words)),
      ),
    ),
    body,
  );
  const entry = (look, words, error, own) =>
    tag(
      "tr",
      { "data-own": own },
      tag("td", {}, line(look)),
      tag("th", { scope: "row" }, words),
      tag("td", {}, error),
    );
  function showErrors() {
    const own = entry(METHODS.own, METHODS.own.words, "sealed", true);
    if (!run.errors) return body.replaceChildren(own);
    const sorted = Object.entries(run.errors).sort(([, a], [, b]) => a - b);
    body.replaceChildren(
      entry({ dash: "", width: 3.5 }, "what came", ""),
      ...sorted.map(([name, e]) =>
        entry(METHODS[name], METHODS[name].words, inUnit(run, e, 1), name === "own"),
      ),
    );
  }

  const seal = button("Commit and open", () => view.set({ opened: true }), {
    class: "ll-button ll-primary",
    title: "Your forecast is locked, and what came is shown",
  });
  const next = button("Next envelope", () => {
    const at = view.get("envelope");
    view.set({
      envelope: at === envelopes.length ? 1 : at + 1,
      drawn: "",
      opened: false,
      step: 1,
    });
  });
  const scrub = slider(view, "step", { words: "step", digits: 0, q: "f" });
  scrub.classList.add("ll-scrub");
  const which = slider(view, "envelope", {
    words: "envelope",
    digits: 0,
    show: (k) => `${k} of ${envelopes.length}`,
  });
  // Another envelope is a new one: what was drawn for the last belongs to it.
  which.input.addEventListener("input", () => view.set({ drawn: "", opened: false }));

  const values = tableFold(view, "Values at every step", () => {
    const names = run.errors ? Object.keys(METHODS) : ["own"];
    return [
      ["when", ...(run.errors ? ["what came"] : []), ...names.map((name) => METHODS[name].words)],
      run.own.map((value, k) => [
        dateOf(run.shown, run.seen.length + k),
        ...(run.errors ? [inUnit(run, run.truth[k], 1)] : []),
        ...names.map((name) => inUnit(run, run.errors ? run.said[name][k] : value, 1)),
      ]),
    ];
  });

  function update() {
    const setting = view.settings();
    run = judge(setting, envelopes);
    const words = envelopeSentence(run),
      at = setting.step - 1;
    picture.redraw();
    picture.label(`A record, and a forecast that is drawn by hand. ${words}`);
    if (picture.width) {
      const px = across(picture.width);
      handle.style.left = `${px(run.seen.length) - 8}px`;
    }
    put(handle, {
      "aria-valuemin": scale().low,
      "aria-valuemax": scale().high,
      "aria-valuenow": Number(run.own[at].toFixed(run.shown.digits)),
      "aria-valuetext": `${inUnit(run, run.own[at])} in ${dateOf(run.shown, run.seen.length + at)}`,
      "aria-readonly": setting.opened,
    });
    seal.disabled = setting.opened;
    showErrors();
    view.say(words);
    values.refresh();
  }

  layout(view, {
    controls: [group("Envelope", which, tag("div", { class: "ll-actions" }, seal, next)), legend],
    picture: [picture.node, scrub],
    folds: values,
  });
  update();
  return view.dispose;
}

export default { render };
