// The picture of a cell with all that can be pointed at and opened in it.

import { put, tag } from "../dom.js";
import { fmt, QUANTITIES, share } from "../format.js";
import { readout } from "../readout.js";
import { CELL_HEIGHT, cellPicture, drawCell, NARROWEST, spots } from "./art.js";
import { explain, stepWords } from "./model.js";

/**
 * Fills a level with the picture of a cell, its formulas below. now() returns {s, r}: the step's
 * setting (c_prev, and x and h_prev, or xWords and hWords where they are many) and numbers; past()
 * {s, r} of the ghost or null; prefix goes before the paths of what it opens; chosen() and
 * choose(q) keep the quantity whose formula is shown. Returns draw().
 */
export function cellStage(view, nav, level, { now, past, prefix, chosen, choose }) {
  const art = cellPicture(),
    stage = tag("div", { class: "ll-stage" }, art.node),
    hot = {};
  let width = 0;
  const read = readout(view, {
    explain: (q) => {
      const { s, r } = now();
      return explain(q, s, r);
    },
    chosen,
    choose,
  });
  for (const q of ["f", "i", "g", "o", "c", "h"]) {
    hot[q] = read.watch(tag("button", { type: "button", class: "ll-hot", "data-q": q }), q);
    nav.opener(hot[q], `${prefix}${q}`);
    stage.append(hot[q]);
  }
  level.append(stage, read.node);
  view.onWidth(stage, (shown) => {
    // Below the narrowest layout the picture is scaled as a whole.
    width = Math.max(shown, NARROWEST);
    const scale = shown / width;
    put(art.node, { width: shown, height: CELL_HEIGHT * scale });
    for (const [q, box] of Object.entries(spots(width))) {
      for (const side in box) hot[q].style[side] = `${box[side] * scale}px`;
    }
    view.redraw();
  });
  return () => {
    if (!width) return;
    const { s, r } = now();
    read.refresh();
    drawCell(art, width, s, r, read.key, past());
    put(art.node, { "aria-label": `Flow diagram of an LSTM cell. ${stepWords(s, r)}` });
    for (const q in hot) {
      const name = `${q === "c" || q === "h" ? "new " : ""}${QUANTITIES[q].name}`;
      put(hot[q], {
        "aria-label": `${name} ${"fio".includes(q) ? share(r[q]) : fmt(r[q])}, open it`,
      });
    }
  };
}
