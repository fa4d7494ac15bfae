// Beam search: its tree grows step by step, and what it drops stays in sight.

import { group, player, select, slider } from "../frontend/controls.js";
import { put, tag } from "../frontend/dom.js";
import { fmt, percent } from "../frontend/format.js";
import { explorable, layout } from "../frontend/frame.js";
import { plot } from "../frontend/plot.js";
import { tableFold } from "../frontend/table.js";

const END = "</s>",
  SHOWN = 3,
  WIDEST = 5,
  MOST_TOLD = 11;
// The picture in px. Of a step so many branches are drawn as have room, the rest is counted.
const TALL = 330,
  LESS = 250,
  NARROW = 480,
  TOP = 22,
  FOOT = 24,
  ROW = 25,
  LEFT = 14,
  // A column; of it edges have bendAt(wide) to bend in.
  COLUMN = 70,
  WIDE = 170;
const bendAt = (wide) => (wide < 90 ? 15 : 24);
const tallAt = (width) => (width < NARROW ? LESS : TALL);

// A French mark is written with its narrow space: only plain blanks part symbols.
const joined = (text, symbol) => (text ? `${text} ${symbol}` : symbol);

/** ((5 + length) / 6) ** alpha; Wu et al. 2016, equation (14). */
export const lengthPenalty = (length, alpha) => ((5 + length) / 6) ** alpha;

/**
 * The search over a table: {levels, unseen, best}. A branch is {parent, symbol, text, logp, fate},
 * its parent one of those that live on from the step before; a hypothesis {text, logp, score,
 * complete}; unseen, of each step, what a beam of this width does not even look at. The same
 * algorithm as lstm_lab.decoding.beam_search, which a test holds it to.
 */
export function beamSearch(table, { width, alpha }) {
  const symbols = [...new Set([END, ...Object.values(table).flatMap(Object.keys)])],
    number = new Map(symbols.map((symbol, k) => [symbol, k]));
  const depth = (place) => (place ? place.split(" ").length : 0),
    longest = 1 + Math.max(...Object.keys(table).map(depth));
  const levels = [],
    unseen = [],
    complete = [],
    cut = [];
  const ranked = (list) => list.sort((a, b) => b.score - a.score);
  let alive = [{ text: "", logp: 0 }];
  for (let length = 1; alive.length && length <= longest; length++) {
    const ways = alive.map(({ text, logp }, parent) =>
      Object.entries(table[text] ?? {})
        .map(([symbol, p]) => ({
          parent,
          symbol,
          text: joined(text, symbol),
          logp: logp + Math.log(p),
          fate: "pruned",
        }))
        .sort((a, b) => b.logp - a.logp || number.get(a.symbol) - number.get(b.symbol)),
    );
    const branches = ways.flatMap((own) => own.slice(0, width));
    unseen.push(ways.flatMap((own) => own.slice(width)).sort((a, b) => b.logp - a.logp));
    branches.sort(
      (a, b) =>
        b.logp - a.logp || a.parent - b.parent || number.get(a.symbol) - number.get(b.symbol),
    );
    const found = ({ text, logp }, done) => ({
      text,
      logp,
      score: logp / lengthPenalty(length, alpha),
      complete: done,
    });
    branches.forEach((branch, place) => {
      const before = alive[branch.parent].text;
      if (place < width) branch.fate = branch.symbol === END ? "ends" : "lives";
      if (branch.fate === "ends") complete.push(found({ ...branch, text: before }, true));
    });
    levels.push(branches);
    ranked(complete);
    alive = branches.filter(({ fate }) => fate === "lives");
    if (length === longest) cut.push(...ranked(alive.map((branch) => found(branch, false))));
    const hope = alive.length && alive[0].logp / lengthPenalty(longest, alpha);
    if (complete.length >= SHOWN && hope <= complete[SHOWN - 1].score) alive = [];
  }
  return { levels, unseen, best: [...complete, ...cut].slice(0, SHOWN) };
}

/** The search at a setting, and the best that any width finds. */
export function runBeam(s, tables) {
  const table = tables[s.source],
    run = beamSearch(table, s);
  let likeliest = null;
  for (let width = 1; width <= WIDEST; width++) {
    const [found] = beamSearch(table, { width, alpha: s.alpha }).best;
    const better =
      !likeliest ||
      found.complete > likeliest.complete ||
      (found.complete === likeliest.complete && found.score > likeliest.score);
    if (better) likeliest = { ...found, width };
  }
  return { ...run, likeliest };
}

const chance = (logp) => percent(Math.exp(logp));
const spoken = (text) => (text ? `“${text}”` : "nothing");
const lastWord = (text) => text.split(" ").at(-1);
const FATES = { lives: "kept", ends: "ended", pruned: "dropped" };

/** The picture in words, after so many steps, when the widest beam of all so far was this wide. */
export function beamSentence(run, s, shown, widest) {
  const name = s.width === 1 ? "Greedy search" : `A beam of ${s.width}`,
    taken = run.levels.length;
  if (shown < taken) {
    const level = shown ? run.levels[shown - 1] : [],
      kept = level.filter(({ fate }) => fate !== "pruned");
    const said = kept.map(({ text, logp }) => `${spoken(text)} ${chance(logp)}`).join(", ");
    const dropped = shown && level.length - kept.length + run.unseen[shown - 1].length;
    return shown
      ? `${name}, step ${shown} of ${taken}: ${said} kept, ${dropped} dropped.`
      : `${name} has not begun; it takes ${taken} steps.`;
  }
  const [best] = run.best,
    missed = run.likeliest.score > best.score + 1e-12 || run.likeliest.complete > best.complete;
  const verdict = missed
    ? `It missed ${spoken(run.likeliest.text)}, ${chance(run.likeliest.logp)}, ` +
      `which a beam of ${run.likeliest.width} finds.`
    : "No width up to 5 finds a better one.";
  // The question before its answer: only greedy search has been seen.
  const after = widest > 1 ? verdict : "Does a wider beam find a better one?";
  return `${name} finds ${spoken(best.text)}, ${chance(best.logp)}. ${after}`;
}

function render({ model, el }) {
  const tables = model.get("_tables"),
    view = explorable(model, el, { title: "Beam search", update });
  view.root.classList.add("ll-beam-explorer");
  let s = view.settings(),
    run = runBeam(s, tables),
    widest = s.width;
  const shown = () => Math.min(view.get("steps"), run.levels.length);

  const picture = plot(view, { height: tallAt, paint, pointed });
  const best = tag("ol", { class: "ll-best" });
  const to = (steps) => view.set({ steps: Math.max(0, Math.min(run.levels.length, steps)) });
  const time = player(view, {
    rate: 1,
    words: "Grow",
    step() {
      to(shown() >= run.levels.length ? 0 : shown() + 1);
      return shown() < run.levels.length;
    },
    back: () => to(shown() - 1),
  });
  const scrub = slider(view, "steps", { words: "steps shown", digits: 0, read: shown });
  scrub.classList.add("ll-scrub");

  // Of many steps the last ones.
  const columns = (width) => Math.max(2, Math.floor((width - LEFT) / COLUMN));
  const first = (width) => Math.max(0, shown() - columns(width));
  const across = (width) => Math.min(WIDE, (width - LEFT) / Math.min(columns(width), longest()));
  const longest = () => Math.max(2, run.levels.length);

  /** Every step's branches that are drawn, top to bottom: no two lines cross. */
  function places(tall) {
    const all = [],
      room = tall - TOP - FOOT,
      most = Math.floor(room / ROW);
    let above = [0];
    for (const [step, level] of run.levels.slice(0, shown()).entries()) {
      const kept = level.filter(({ fate }) => fate !== "pruned"),
        dropped = [...level.filter(({ fate }) => fate === "pruned"), ...run.unseen[step]];
      const drawn = [...kept, ...dropped.slice(0, Math.max(0, most - kept.length))];
      const order = [...drawn].sort((a, b) => above[a.parent] - above[b.parent] || b.logp - a.logp);
      const high = Math.min(52, room / order.length),
        start = TOP + (room - high * order.length) / 2;
      const nodes = order.map((branch, k) => ({
        branch,
        y: start + (k + 0.5) * high,
        high,
        from: above[branch.parent],
      }));
      all.push({ nodes, more: kept.length + dropped.length - drawn.length });
      above = level
        .filter(({ fate }) => fate === "lives")
        .map((branch) => nodes.find((node) => node.branch === branch).y);
    }
    return all;
  }

  function paint(pen) {
    const { width, colors } = pen,
      wide = across(width),
      from = first(width),
      bend = bendAt(wide),
      room = wide - bend - 4,
      tall = tallAt(width);
    const found = shown() === run.levels.length ? run.best[0] : null;
    const onBest = ({ text, fate }) =>
      found &&
      fate !== "pruned" &&
      (joined(found.text, END) === text || `${found.text} `.startsWith(`${text} `));
    const middle = TOP + (tall - TOP - FOOT) / 2;
    if (!from) pen.dot(8, middle, { r: 5 });
    else pen.words("…", 2, 12, { size: 11, color: colors.soft });
    // Where the words of a row end, by its y; and where the longest of the column does.
    let ends = new Map(),
      edge = from ? 0 : LEFT;
    places(tall).forEach(({ nodes, more }, k) => {
      if (k < from) return;
      const x = LEFT + (k - from) * wide + bend,
        now = new Map();
      pen.words(`step ${k + 1}`, x, 12, { size: 11, color: colors.soft });
      const labels = nodes.map(({ branch, high }) =>
        branchWords(pen, branch, k, high, room, s.alpha),
      );
      // A low row takes both on one line, if all of its column do.
      const oneLine = labels.every((each) => each.oneLine);
      nodes.forEach(({ branch, y, from: above }, n) => {
        const parentY = k ? above : middle,
          strong = onBest(branch),
          gone = branch.fate === "pruned",
          half = (x - 4 - edge) / 2;
        pen.ctx.beginPath();
        pen.ctx.moveTo(ends.get(parentY) ?? edge, parentY);
        // Level as far as the longest words of the column go: a line bends between columns only.
        pen.ctx.lineTo(edge, parentY);
        pen.ctx.bezierCurveTo(edge + half, parentY, x - 4 - half, y, x - 4, y);
        pen.stroke(
          strong ? colors.o : gone ? colors.soft : colors.ink,
          strong ? 4 : gone ? 1 : 1.75,
          gone ? "3 3" : "",
          gone ? 0.55 : 1,
        );
        const color = gone ? colors.soft : colors.ink,
          { told, look, share, small } = labels[n];
        let long;
        if (oneLine) {
          long = pen.words(`${told} `, x, y, { ...look, color, baseline: "middle" });
          long += pen.words(share, x + long, y, { ...small, color, baseline: "middle" });
        } else {
          long = pen.words(told, x, y - 2, { ...look, color });
          long = Math.max(long, pen.words(share, x, y + 9, { ...small, color }));
        }
        now.set(y, x + long + 4);
      });
      if (more) pen.words(`and ${more} more`, x, tall - 8, { size: 11, color: colors.soft });
      ends = now;
      edge = Math.max(...now.values());
    });
  }

  function pointed(event) {
    if (!event || (event.type === "pointermove" && !event.event.buttons)) return;
    const { width } = picture;
    to(first(width) + Math.ceil((event.x - LEFT) / across(width)));
    time.pause();
  }

  const values = tableFold(view, "Every branch of every step", () => [
    ["step", "written so far", "probability", "log", "what becomes of it"],
    run.levels
      .slice(0, shown())
      .flatMap((level, k) =>
        level.map(({ text, logp, fate }) => [
          String(k + 1),
          text.replace(END, "(end)"),
          chance(logp),
          fmt(logp, 3),
          FATES[fate],
        ]),
      ),
  ]);

  function update() {
    s = view.settings();
    run = runBeam(s, tables);
    put(scrub.input, { max: run.levels.length });
    scrub.refresh();
    const done = shown() === run.levels.length;
    best.replaceChildren(
      ...(done
        ? run.best.map(({ text, logp, score, complete }, k) =>
            tag(
              "li",
              {},
              tag("span", {}, `${k + 1}. ${text || "(nothing)"}${complete ? "" : " … cut off"}`),
              tag(
                "span",
                { class: "ll-score" },
                `${chance(logp)} · log ${fmt(logp)}` + (s.alpha ? ` · score ${fmt(score)}` : ""),
              ),
            ),
          )
        : [tag("li", {}, tag("span", { class: "ll-score" }, "The search is not over."))]),
    );
    picture.redraw();
    widest = Math.max(widest, s.width);
    const words = beamSentence(run, s, shown(), widest);
    picture.label(`The tree of the search, from left to right. ${words} ${told()}`);
    view.say(words);
    values.refresh();
  }

  /** The last step that is shown, branch by branch. */
  function told() {
    const level = run.levels[shown() - 1] ?? [];
    return level
      .slice(0, MOST_TOLD)
      .map(({ text, logp, fate }) => `${text.replace(END, "end")} ${chance(logp)} ${FATES[fate]}`)
      .join("; ");
  }

  layout(view, {
    controls: [
      group(
        "Search",
        slider(view, "width", { words: "width of the beam", digits: 0 }),
        slider(view, "alpha", { words: "length normalisation", letter: "α" }),
      ),
      group(
        "Translate",
        select(view, "source", {
          words: "source",
          choices: view.specs.source.options.map((name) => [
            name,
            name === "own" ? "your own" : name,
          ]),
        }),
      ),
    ],
    picture: [picture.node, tag("div", { class: "ll-beam-time" }, time, scrub)],
    after: best,
    folds: values,
  });
  update();
  return view.dispose;
}

/** What stands at a branch of step k + 1: its word, and below or beside it its probability. */
function branchWords(pen, { symbol, text, logp, fate }, k, high, room, alpha) {
  const low = high < 31,
    gone = fate === "pruned",
    word = symbol === END ? `${gone ? "" : "■ "}end` : lastWord(text),
    weight = gone ? 400 : 650,
    sizes = low ? [11.5, 10.5, 10] : [13, 12, 11, 10],
    size = sizes.find((px) => pen.measure(word, { size: px, weight }) <= room) ?? sizes.at(-1);
  const look = { size, weight },
    small = { size: low ? 10 : 11 },
    score = `${chance(logp)} · ${fmt(logp / lengthPenalty(k + 1, alpha))}`,
    wordings = [...(alpha && fate === "ends" ? [score] : []), chance(logp)],
    told = fit(pen, word, room, look),
    share = pen.fitting(wordings, room, small);
  const both = pen.measure(`${word} `, look) + pen.measure(wordings[0], small);
  return { told, look, share, small, oneLine: low && both <= room };
}

/** As much of a word as there is room for. */
function fit(pen, word, room, look) {
  const letters = [...word],
    cut = (_, n) => `${letters.slice(0, letters.length - 1 - n).join("")}…`;
  return pen.fitting([word, ...letters.map(cut)], room, look);
}

export default { render };
