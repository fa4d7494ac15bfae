// Levels: what a picture opens into, and the way back.

import { put, tag } from "./dom.js";

/**
 * The levels of an explorable: one picture at a time, addressed by the trait `path` ("" is the
 * overview, "cell" lies in it, "cell/f" in that).
 *
 * contents maps each path to {title: words or () => words, make(stage)}; make is called when the
 * level is first entered, fills its stage, and returns draw(), which update() is to reach through
 * levels.draw(). Several paths may share one maker. A node that opens a level is made with
 * opener().
 *
 * Returns {node, draw, open, opener, path}; the breadcrumb takes the title's place in the header.
 */
export function levels(view, contents) {
  const node = tag("div", { class: "ll-levels" });
  const crumbs = tag("div", { class: "ll-crumbs", role: "group", "aria-label": "Levels" });
  const made = new Map(),
    openers = new Map();
  let shown = null,
    origin = null,
    moved = false;

  const title = (path) => {
    const { title: words } = contents[path];
    return typeof words === "function" ? words() : words;
  };
  const chain = (path) => {
    const all = [""];
    path
      .split("/")
      .filter(Boolean)
      .forEach((_, k, parts) => all.push(parts.slice(0, k + 1).join("/")));
    return all.filter((each) => contents[each]);
  };
  const stageOf = (path) => {
    if (!made.has(path)) {
      const stage = tag("div", { class: "ll-level", "data-path": path, tabindex: -1 });
      node.append(stage);
      made.set(path, { stage, draw: contents[path].make(stage) });
    }
    return made.get(path);
  };

  function crumb(path, last) {
    const words = title(path);
    return last
      ? tag("strong", { "aria-current": "location" }, words)
      : tag("button", { type: "button", class: "ll-crumb", onclick: () => open(path) }, words);
  }

  /** The new picture grows out of the place that opened it, or the old one shrinks back into it. */
  function glide(stage, box, inward) {
    if (view.calm || !box || !stage.animate) return;
    const whole = node.getBoundingClientRect();
    if (!whole.width || !whole.height) return;
    const dx = box.left + box.width / 2 - (whole.left + whole.width / 2);
    const dy = box.top + box.height / 2 - (whole.top + whole.height / 2);
    const scale = Math.max(0.08, Math.min(1, box.width / whole.width));
    const far = inward
      ? { transform: `translate(${dx}px, ${dy}px) scale(${scale})`, opacity: 0.2 }
      : { transform: `translate(${-dx / 2}px, ${-dy / 2}px) scale(1.25)`, opacity: 0.2 };
    stage.animate([far, { transform: "none", opacity: 1 }], {
      duration: 260,
      easing: "cubic-bezier(.2, .7, .2, 1)",
    });
  }

  function enter(path) {
    const before = shown,
      inward = before !== null && path.startsWith(before) && path !== before;
    const focused =
      node.contains(document.activeElement) || crumbs.contains(document.activeElement);
    shown = path;
    const { stage } = stageOf(path);
    for (const [other, { stage: each }] of made) each.hidden = other !== path;
    const all = chain(path);
    crumbs.replaceChildren(
      ...all
        .flatMap((each, k) => [
          k ? tag("span", { class: "ll-crumb-mark", "aria-hidden": "true" }, "›") : null,
          crumb(each, k === all.length - 1),
        ])
        .filter(Boolean),
    );
    view.root.dataset.path = path;
    if (before === null) return;
    const opener = openers.get(inward ? path : before);
    glide(stage, inward ? origin : opener?.getBoundingClientRect(), inward);
    origin = null;
    if (!focused && !moved) return;
    moved = false;
    // Going in, the first thing to operate there; coming back, the place that one went in by.
    const target = inward
      ? (stage.querySelector("button:not([hidden]), [tabindex='0'], input, select") ??
        crumbs.querySelector("button"))
      : opener?.getClientRects().length
        ? opener
        : stage;
    (target ?? stage).focus({ preventScroll: true });
  }

  function open(path, from) {
    if (!contents[path] || path === view.get("path")) return;
    moved = true;
    origin = (from ?? openers.get(path))?.getBoundingClientRect() ?? null;
    if (from) openers.set(path, from);
    view.set({ path });
  }

  view.root.addEventListener("keydown", (event) => {
    const path = view.get("path");
    if (event.key !== "Escape" || !path) return;
    event.preventDefault();
    event.stopPropagation();
    open(chain(path).at(-2) ?? "");
  });
  view.header.title.replaceChildren(crumbs);

  return {
    node,
    open,
    /** The level that is shown. */
    get path() {
      return shown;
    },
    /** Makes node open a level on click and on Enter; path: words or () => words. */
    opener(other, path) {
      const to = typeof path === "function" ? path : () => path;
      if (typeof path === "string") openers.set(path, other);
      other.classList.add("ll-opener");
      const go = () => open(to(), other);
      other.addEventListener("click", go);
      if (other.tagName.toLowerCase() !== "button") {
        put(other, { tabindex: 0, role: "button", "data-lm-suppress-shortcuts": "true" });
        other.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          go();
        });
      }
      return other;
    },
    /** Shows the level that `path` says, and draws it. */
    draw(...model) {
      const path = contents[view.get("path")] ? view.get("path") : "";
      if (path !== shown) enter(path);
      else
        for (const each of crumbs.querySelectorAll("[aria-current]"))
          each.textContent = title(path);
      made.get(path).draw(...model);
    },
  };
}
