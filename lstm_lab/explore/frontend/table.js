// All numbers of a picture, on demand.

import { fold } from "./controls.js";
import { tag } from "./dom.js";

/** A table of values; show(columns, rows) fills it. */
export function table(caption) {
  const head = tag("tr"),
    body = tag("tbody");
  const node = tag(
    "div",
    { class: "ll-table", tabindex: 0, role: "region", "aria-label": caption },
    tag("table", {}, tag("caption", { class: "ll-hidden" }, caption), tag("thead", {}, head), body),
  );
  node.show = (columns, rows) => {
    head.replaceChildren(...columns.map((html) => tag("th", { scope: "col", html })));
    body.replaceChildren(
      ...rows.map(([first, ...rest]) =>
        tag(
          "tr",
          {},
          tag("th", { scope: "row", html: first }),
          rest.map((cell) => tag("td", {}, cell)),
        ),
      ),
    );
  };
  return node;
}

/**
 * A fold with a table in it. content() returns [columns, rows] as show() takes them; refresh()
 * fills it anew if it is open, when the hand has come to rest.
 */
export function tableFold(view, caption, content, words = "All values") {
  const all = table(caption);
  let later = 0;
  const now = () => all.show(...content());
  const node = fold(words, now, all);
  view.onDispose(() => clearTimeout(later));
  node.refresh = () => {
    clearTimeout(later);
    if (node.open) later = setTimeout(now, 150);
  };
  return node;
}
