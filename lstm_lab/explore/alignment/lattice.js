// The pictures of CTC: posteriors that can be dragged, the lattice, one node, the sum behind its α.

import { put, tag } from "../frontend/dom.js";
import { beginnings, passes, sources } from "../frontend/equations/ctc.js";
import { fmt, percent, scientific } from "../frontend/format.js";
import { plot } from "../frontend/plot.js";
import { readout } from "../frontend/readout.js";

const SAYS = "#56b4e9",
  BACK = "#d6b400";
const LEFT = 40,
  RIGHT = 10,
  CELL = 38,
  MOST_ROWS = 8;

const column = (width, T) => Math.min(72, (width - LEFT - RIGHT) / T);

/**
 * The classes that are drawn: all where they are few, else the blank's, the target's, the greedy
 * path's.
 */
function shownClasses({ K, target, greedy }) {
  if (K <= MOST_ROWS) return Array.from({ length: K }, (_, k) => k);
  return [...new Set([0, ...target, ...greedy.path])].slice(0, MOST_ROWS);
}

/** What the alignments send through each state in each frame, as shares of the frame: (T·S). */
function sharesOf(run, shows) {
  if (shows === "γ") return run.gamma;
  const logs = shows === "α" ? run.logAlpha : run.logBeta,
    out = new Float64Array(logs.length);
  for (let t = 0; t < run.T; t++) {
    const row = logs.subarray(t * run.S, (t + 1) * run.S),
      most = Math.max(...row);
    if (!(most > -Infinity)) continue;
    const total = row.reduce((sum, v) => sum + Math.exp(v - most), 0);
    row.forEach((v, s) => {
      out[t * run.S + s] = Math.exp(v - most) / total;
    });
  }
  return out;
}

function frameNumbers(pen, run, y, wide, chosen) {
  const every = Math.ceil(22 / wide);
  for (let t = 0; t < run.T; t++) {
    if (t % every && t !== chosen) continue;
    pen.words(String(t + 1), LEFT + (t + 0.5) * wide, y, {
      align: "center",
      size: 11,
      color: t === chosen ? pen.colors.ink : pen.colors.soft,
      weight: t === chosen ? 700 : 400,
    });
  }
}

/**
 * What the network says in every frame, to be dragged; and what the alignments say it should.
 * app: {view, run, before(), at() → {t, k, s}, say(t, k, share), symbol(k)}.
 */
export function posteriors(app) {
  const TOP_ROW = 20;
  let held = null;
  const picture = plot(app.view, {
    height: () => TOP_ROW + shownClasses(app.run).length * CELL + 4,
    paint(pen) {
      const { run } = app,
        { t: chosen, k: chosenClass } = app.at(),
        wide = column(pen.width, run.T),
        before = app.before();
      const gap = Math.min(3, wide / 8),
        inner = wide - 2 * gap;
      frameNumbers(pen, run, 12, wide, chosen);
      shownClasses(run).forEach((k, row) => {
        const top = TOP_ROW + row * CELL,
          base = top + CELL - 4,
          tall = CELL - 7,
          y = (v) => base - v * tall;
        pen.words(app.symbol(k), LEFT - 12, base - 8, {
          align: "right",
          size: 15,
          weight: k === chosenClass ? 700 : 500,
          color: k ? pen.colors.ink : pen.colors.soft,
        });
        for (let t = 0; t < run.T; t++) {
          const x = LEFT + t * wide + gap,
            v = run.y[t * run.K + k],
            target = run.occupancy[t * run.K + k];
          pen.ctx.fillStyle = pen.colors.faint;
          pen.ctx.fillRect(x, y(1), inner, tall);
          pen.ctx.fillStyle = SAYS;
          pen.ctx.fillRect(x, y(v), inner, base - y(v));
          if (before && t < before.T && before.K === run.K) {
            const old = before.y[t * run.K + k];
            if (Math.abs(old - v) > 0.004)
              pen.rule(x, y(old), x + inner, y(old), { color: pen.colors.soft, dash: "2 2" });
          }
          if (run.best.length) {
            if (target > 0.02)
              pen.rule(x, y(target), x + inner, y(target), { color: pen.colors.ink, thick: 2 });
            arrow(pen, x + inner / 2, y(v), y(target));
          }
          if (run.greedy.path[t] === k) pen.dot(x + inner / 2, base + 1, { r: 2.5 });
        }
      });
      const row = shownClasses(run).indexOf(chosenClass);
      if (row < 0) return;
      pen.ctx.beginPath();
      pen.ctx.rect(LEFT + chosen * wide + 1, TOP_ROW + row * CELL - 1, wide - 2, CELL);
      pen.stroke(pen.colors.ink, 2);
    },
    pointed(point) {
      if (!point) {
        held = null;
        return;
      }
      const { run } = app,
        wide = column(picture.width, run.T),
        classes = shownClasses(run);
      const t = Math.max(0, Math.min(run.T - 1, Math.floor((point.x - LEFT) / wide)));
      const row = Math.max(0, Math.min(classes.length - 1, Math.floor((point.y - TOP_ROW) / CELL)));
      if (point.type === "pointerdown") {
        held = row;
        point.event.target.setPointerCapture(point.event.pointerId);
      }
      if (point.type === "pointerup" || !point.event.buttons) held = null;
      app.read("cell");
      app.view.set({ frame: t + 1, symbol: classes[held ?? row] });
      if (held !== null)
        app.say(t, classes[held], (TOP_ROW + held * CELL + CELL - 4 - point.y) / (CELL - 7));
    },
    pull: "xy",
    cursor: "ns-resize",
  });
  // The same by keyboard, on the chosen cell.
  const cell = tag("div", {
    class: "ll-hot ll-cell-handle",
    tabindex: 0,
    role: "slider",
    "aria-orientation": "vertical",
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });
  cell.addEventListener("focus", () => app.read("cell"));
  cell.addEventListener("keydown", (event) => {
    const { run } = app,
      { t, k } = app.at(),
      classes = shownClasses(run),
      row = Math.max(0, classes.indexOf(k));
    const typed = Array.from({ length: run.K }, (_, j) => app.symbol(j)).indexOf(event.key);
    if (event.key === "ArrowUp" || event.key === "ArrowDown")
      app.nudge(t, k, event.key === "ArrowUp" ? 0.25 : -0.25);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight")
      app.view.set({
        frame: Math.max(1, Math.min(run.T, t + 1 + (event.key === "ArrowRight" ? 1 : -1))),
      });
    else if (event.key === "PageUp" || event.key === "PageDown")
      app.view.set({
        symbol:
          classes[(row + classes.length + (event.key === "PageDown" ? 1 : -1)) % classes.length],
      });
    else if (typed >= 0 && !event.ctrlKey && !event.metaKey) app.view.set({ symbol: typed });
    else return;
    event.preventDefault();
  });
  return {
    node: tag("div", { class: "ll-stage" }, picture.node, cell),
    draw(words) {
      const { run } = app,
        { t, k } = app.at(),
        wide = column(picture.width, run.T),
        row = shownClasses(run).indexOf(k);
      const v = run.y[t * run.K + k];
      cell.hidden = row < 0;
      Object.assign(cell.style, {
        left: `${LEFT + t * wide + 1}px`,
        top: `${TOP_ROW + row * CELL - 1}px`,
        width: `${wide - 2}px`,
        height: `${CELL}px`,
      });
      put(cell, {
        "aria-label":
          `Probability of ${app.symbol(k)} in frame ${t + 1}. Up and down change it, ` +
          "left and right go to another frame, page up and down to another class",
        "aria-valuenow": Math.round(100 * v),
        "aria-valuetext": percent(v),
      });
      picture.label(words);
      picture.redraw();
    },
  };
}

/** From what is said to what should be: minus the gradient. */
function arrow(pen, x, from, to) {
  const way = Math.sign(to - from);
  if (Math.abs(to - from) < 4) return;
  const { ctx } = pen;
  ctx.beginPath();
  ctx.moveTo(x, from);
  ctx.lineTo(x, to - way * 1.5);
  ctx.moveTo(x - 3, to - way * 5);
  ctx.lineTo(x, to - way * 1.5);
  ctx.lineTo(x + 3, to - way * 5);
  pen.stroke(pen.colors.ink, 1.25);
}

/** The lattice: states down, frames across. Its chosen node opens. */
export function latticePicture(app, levels) {
  const TOP_ROW = 6;
  const tall = (S) => Math.max(11, Math.min(27, 340 / S));
  const picture = plot(app.view, {
    height: () => TOP_ROW + app.run.S * tall(app.run.S) + 8,
    paint(pen) {
      const { run } = app,
        { t: chosen, s: state } = app.at(),
        wide = column(pen.width, run.T),
        high = tall(run.S);
      const shows = app.view.get("shows"),
        shares = sharesOf(run, shows);
      const px = (t) => LEFT + (t + 0.5) * wide,
        py = (s) => TOP_ROW + (s + 0.5) * high;
      pen.ctx.fillStyle = pen.colors.faint;
      pen.ctx.fillRect(px(chosen) - wide / 2, 0, wide, pen.height);
      // Where no path gets through, those that begin are drawn as far as they come.
      const possible = run.best.length > 0;
      const alive = (t, s) =>
        run.logAlpha[t * run.S + s] > -Infinity &&
        (!possible || run.logBeta[t * run.S + s] > -Infinity);
      for (let s = 0; s < run.S; s++) {
        const k = run.labels[s];
        pen.words(app.symbol(k), LEFT - 12, py(s), {
          align: "right",
          baseline: "middle",
          size: high < 16 ? 10 : 14,
          weight: s === state ? 700 : k ? 500 : 400,
          color: k ? pen.colors.ink : pen.colors.soft,
        });
        for (let t = 1; t < run.T; t++) {
          for (const r of sources(run.labels, s, run.blank)) {
            if (!alive(t - 1, r) || !alive(t, s)) continue;
            const share = passes(run, t, r, s);
            pen.ctx.beginPath();
            pen.ctx.moveTo(px(t - 1), py(r));
            pen.ctx.lineTo(px(t), py(s));
            pen.stroke(pen.colors.line, 1);
            if (shows === "γ" && share > 0.01) pen.stroke(pen.colors.soft, 1 + 5 * share, "", 0.55);
          }
        }
      }
      if (run.best.length) {
        pen.ctx.beginPath();
        run.best.forEach((s, t) =>
          t ? pen.ctx.lineTo(px(t), py(s)) : pen.ctx.moveTo(px(t), py(s)),
        );
        pen.stroke(pen.colors.ink, 1.5, "5 3");
      }
      const most = Math.min(wide, high * 1.15) * 0.48;
      for (let t = 0; t < run.T; t++) {
        for (let s = 0; s < run.S; s++) {
          const r = Math.max(alive(t, s) ? 1.6 : 1, most * Math.sqrt(shares[t * run.S + s]));
          pen.ctx.beginPath();
          pen.ctx.arc(px(t), py(s), r, 0, 2 * Math.PI);
          pen.ctx.fillStyle = !alive(t, s)
            ? pen.colors.line
            : shows === "γ"
              ? pen.colors.ink
              : shows === "α"
                ? SAYS
                : BACK;
          pen.ctx.fill();
          if (shows !== "γ" && r > 3) pen.stroke(pen.colors.soft, 1);
        }
      }
      pen.ctx.beginPath();
      pen.ctx.arc(px(chosen), py(state), most + 3, 0, 2 * Math.PI);
      pen.stroke(pen.colors.focus, 2);
    },
    pointed(point) {
      if (!point) return;
      const { run } = app,
        t = Math.floor((point.x - LEFT) / column(picture.width, run.T)),
        s = Math.floor((point.y - TOP_ROW) / tall(run.S));
      if (t < 0 || t >= run.T || s < 0 || s >= run.S) return;
      app.read("node");
      app.view.set({ frame: t + 1, state: s + 1 });
      if (point.tapped) levels().open("node", opener);
    },
    cursor: "pointer",
  });
  const opener = app.steer(tag("button", { type: "button", class: "ll-hot ll-node-opener" }));
  opener.addEventListener("focus", () => app.read("node"));
  return {
    node: tag("div", { class: "ll-stage" }, picture.node, opener),
    opener,
    draw(words) {
      const { run } = app,
        { t, s } = app.at(),
        wide = column(picture.width, run.T),
        high = tall(run.S),
        size = Math.max(24, high);
      Object.assign(opener.style, {
        left: `${LEFT + (t + 0.5) * wide - size / 2}px`,
        top: `${TOP_ROW + (s + 0.5) * high - size / 2}px`,
        width: `${size}px`,
        height: `${size}px`,
      });
      put(opener, {
        "aria-label":
          `${app.place(t, s)}: ${percent(run.gamma[t * run.S + s])} of all alignments. ` +
          "Arrow keys move, Enter opens it",
      });
      picture.label(words);
      picture.redraw();
    },
  };
}

/** One node: what comes in, the factor of its frame, what goes on. */
export const nodeLevel = (app, levels) => (stage) => {
  const HEIGHT = 250;
  const told = readout(app.view, { explain: () => explainNode(app), chosen: () => "node" });
  const picture = plot(app.view, {
    height: HEIGHT,
    paint(pen) {
      const { run } = app,
        { t, s } = app.at(),
        middle = HEIGHT / 2 - 6,
        narrow = pen.width < 560;
      const ways = t
        ? sources(run.labels, s, run.blank).map((r) => ({
            s: r,
            log: run.logAlpha[(t - 1) * run.S + r],
          }))
        : [];
      const on =
        t < run.T - 1
          ? Array.from({ length: run.S }, (_, r) => r)
              .filter((r) => sources(run.labels, r, run.blank).includes(s))
              .map((r) => ({
                s: r,
                log: run.logBeta[(t + 1) * run.S + r] + run.logY[(t + 1) * run.K + run.labels[r]],
              }))
          : [];
      const x = [0.2, 0.5, 0.8].map((part) => part * pen.width);
      const fan = (list, from, side, letter) => {
        const total = list.reduce((sum, { log }) => sum + Math.exp(log), 0);
        list.forEach(({ s: r, log }, j) => {
          const y = middle + (j - (list.length - 1) / 2) * 74,
            share = total ? Math.exp(log) / total : 0;
          pen.ctx.beginPath();
          pen.ctx.moveTo(from, y);
          pen.ctx.lineTo(x[1], middle);
          pen.stroke(
            side < 0 ? SAYS : BACK,
            1 + 11 * share,
            side < 0 ? "" : "6 2",
            share ? 1 : 0.3,
          );
          node(pen, from, y, 16, app.symbol(run.labels[r]));
          pen.words(scientific(Math.exp(log), 2, log), from, y + 31, {
            align: "center",
            weight: 600,
          });
          if (!narrow)
            pen.words(`${letter} of state ${r + 1}`, from + side * 26, y + 4, {
              align: side < 0 ? "right" : "left",
              color: pen.colors.soft,
              size: 11,
            });
        });
      };
      fan(ways, x[0], -1, "α");
      fan(on, x[2], 1, "y · β");
      if (!ways.length)
        pen.words(
          s < 2 ? "every path begins here or beside" : "no path begins here",
          x[0],
          middle,
          { align: "center", color: pen.colors.soft },
        );
      if (!on.length)
        pen.words(s >= run.S - 2 ? "the end" : "no path ends here", x[2], middle, {
          align: "center",
          color: pen.colors.soft,
        });
      node(pen, x[1], middle, 26, app.symbol(run.labels[s]), true);
      pen.words(`× y = ${fmt(run.y[t * run.K + run.labels[s]], 3)}`, x[1], middle - 40, {
        align: "center",
        weight: 600,
      });
      pen.words(`${percent(run.gamma[t * run.S + s])} of all alignments`, x[1], middle + 50, {
        align: "center",
        color: pen.colors.soft,
      });
      for (const [at, words] of [
        [x[0], `frame ${t}`],
        [x[1], `frame ${t + 1}`],
        [x[2], `frame ${t + 2}`],
      ]) {
        const number = Number(words.slice(6));
        if (number >= 1 && number <= run.T)
          pen.words(words, at, HEIGHT - 6, { align: "center", color: pen.colors.soft, size: 11 });
      }
    },
  });
  const opener = app.steer(tag("button", { type: "button", class: "ll-button" }));
  levels().opener(opener, "node/sum");
  stage.append(picture.node, told.node, tag("div", { class: "ll-actions" }, opener));
  return () => {
    const { run } = app,
      { t, s } = app.at(),
      { count } = beginnings(run, t, s, 1);
    opener.textContent =
      count === 1
        ? "The one path behind α"
        : `The ${count.toLocaleString("en").replace(/,/g, "\u202f")} paths behind α`;
    picture.label(`${app.place(t, s)}. ${app.sentence()}`);
    picture.redraw();
    told.refresh();
  };
};

function node(pen, x, y, r, text, thick = false) {
  pen.ctx.beginPath();
  pen.ctx.arc(x, y, r, 0, 2 * Math.PI);
  pen.ctx.fillStyle = pen.colors.ground;
  pen.ctx.fill();
  pen.stroke(pen.colors.ink, thick ? 3 : 1.75);
  pen.words(text, x, y + 1, { align: "center", baseline: "middle", size: r * 0.9, weight: 600 });
}

/** The formula of the chosen node, with its numbers. */
export function explainNode(app) {
  const { run } = app,
    { t, s } = app.at(),
    at = t * run.S + s;
  const number = (log, digits = 3) => scientific(Math.exp(log), digits, log),
    y = fmt(run.y[t * run.K + run.labels[s]], 3);
  const ways = t
    ? sources(run.labels, s, run.blank).map((r) => run.logAlpha[(t - 1) * run.S + r])
    : [];
  const terms = ways.map((log) => number(log, 2)).join(" + ");
  const sum = ["α_{t-1}(s)", "α_{t-1}(s−1)", "α_{t-1}(s−2)"].slice(0, ways.length).join(" + ");
  const begun = t === 0 && s < 2;
  return {
    head: app.place(t, s),
    meaning: "α adds up all beginnings of paths, β all ends, γ their share of p",
    q: "c",
    symbols: t ? `α_{t}(s) = (${sum}) y_{t}` : begun ? "α_{1}(s) = y_{1}" : "α_{1}(s) = 0",
    numbers: [
      t
        ? `= (${terms}) · ${y} = «c:${number(run.logAlpha[at])}»`
        : `= «c:${number(run.logAlpha[at])}»`,
      run.best.length
        ? `γ = α β / p = ${number(run.logAlpha[at], 2)} · ${number(run.logBeta[at], 2)} / ` +
          `${number(run.logP, 2)} = «c:${percent(run.gamma[at])}»`
        : "γ = 0, for no path becomes the target",
    ],
  };
}

/** The gradient of the chosen class in the chosen frame, with its numbers. */
export function explainCell(app) {
  const { run } = app,
    { t, k } = app.at(),
    at = t * run.K + k;
  const through = Array.from({ length: run.S }, (_, s) => s)
    .filter((s) => run.labels[s] === k)
    .map((s) => run.gamma[t * run.S + s]);
  const large = through.filter((v) => v >= 0.0005).sort((a, b) => b - a),
    shown = large.slice(0, 4).map((v) => fmt(v, 3));
  const sum = [...shown, ...(large.length > 4 ? ["…"] : [])].join(" + ") || "0";
  return {
    head: `“${app.symbol(k)}” in frame ${t + 1}`,
    meaning: "what the network says, less what the alignments say",
    q: "x",
    symbols: "∂L/∂u_{k} = y_{k} − Σ γ_{t}(s), over all states s of this class",
    numbers: run.best.length
      ? [`= ${fmt(run.y[at], 3)} − (${sum}) = «x:${fmt(run.gradient[at], 3)}»`]
      : ["does not exist, for no path becomes the target"],
  };
}

/** What α adds up: the beginnings of paths, each a product of what the frames say. */
export const sumOfPaths = (app) => (stage) => {
  const MOST = 8,
    LINE = 30;
  const head = tag("p", { class: "ll-sum" });
  const found = () => beginnings(app.run, app.at().t, app.at().s, MOST);
  const picture = plot(app.view, {
    height: () => 24 + MOST * LINE,
    paint(pen) {
      const { run } = app,
        { t, s } = app.at(),
        { paths } = found(),
        log = run.logAlpha[t * run.S + s];
      const end = pen.width < 520 ? 74 : 210,
        wide = Math.min(56, (pen.width - LEFT - end) / (t + 1));
      frameNumbers(pen, { T: t + 1 }, 12, wide, t);
      paths.forEach(({ states, logP }, row) => {
        const y = 22 + row * LINE,
          x = LEFT + (t + 1) * wide + 12;
        states.forEach((r, k) => {
          const v = run.y[k * run.K + run.labels[r]];
          pen.ctx.fillStyle = SAYS;
          pen.ctx.globalAlpha = 0.12 + 0.75 * v;
          pen.ctx.fillRect(LEFT + k * wide, y, wide - 1, LINE - 6);
          pen.ctx.globalAlpha = 1;
          pen.words(app.symbol(run.labels[r]), LEFT + (k + 0.5) * wide, y + (wide > 40 ? 11 : 16), {
            align: "center",
            size: wide < 14 ? 10 : 13,
            weight: run.labels[r] ? 600 : 400,
          });
          if (wide > 40)
            pen.words(fmt(v), LEFT + (k + 0.5) * wide, y + 22, {
              align: "center",
              size: 10,
              color: pen.colors.soft,
            });
        });
        const part = Math.exp(logP - log);
        pen.words(scientific(Math.exp(logP), 2, logP), x, y + 16, { weight: 600 });
        if (end < 100) return;
        pen.ctx.fillStyle = pen.colors.soft;
        pen.ctx.fillRect(x + 74, y + 4, Math.max(1, part * 68), LINE - 14);
        pen.words(percent(part), x + 74 + Math.max(1, part * 68) + 6, y + 16, {
          size: 11,
          color: pen.colors.soft,
        });
      });
      if (!paths.length)
        pen.words("No path comes here.", pen.width / 2, 60, {
          align: "center",
          size: 14,
          color: pen.colors.soft,
        });
    },
  });
  const told = readout(app.view, { explain: () => explainNode(app), chosen: () => "node" });
  stage.append(head, picture.node, told.node);
  return () => {
    const { run } = app,
      { t, s } = app.at(),
      { count, paths } = found(),
      log = run.logAlpha[t * run.S + s];
    const covered = paths.reduce((sum, { logP }) => sum + Math.exp(logP - log), 0);
    const counted = count.toLocaleString("en").replace(/,/g, "\u202f"),
      starts = count === 1 ? "one beginning of a path" : `${counted} beginnings of paths`;
    const most = `; the ${paths.length} most probable make ${percent(covered)} of it`;
    head.textContent = count
      ? `α adds up ${starts}, each the product of its frames' probabilities` +
        `${count > paths.length ? most : ""}.`
      : "No path comes here: α is 0.";
    picture.label(`${head.textContent} ${app.sentence()}`);
    picture.redraw();
    told.refresh();
  };
};
