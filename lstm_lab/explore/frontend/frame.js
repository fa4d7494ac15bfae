// The frame of every explorable: state, ghost, header with Reset and the setting, words.

import { put, tag, unique } from "./dom.js";
import { QUANTITIES } from "./format.js";
import { fault, faultOf, readSetting, writeSetting } from "./setting.js";
import { watchTheme } from "./theme.js";

// Changes that follow each other faster than this are one change: a key that is held, a drag.
const BURST = 700;

/**
 * The frame of an explorable inside the element that the host gives.
 *
 * model is the host's (get, set, on, off, save_changes). title names the picture; update(view) is
 * called once per burst of changes, and draws. Returns the view; view.dispose takes all down.
 */
export function explorable(model, host, { title, update }) {
  const specs = model.get("_specs"),
    start = model.get("_start"),
    defaults = model.get("_defaults");
  const kind = model.get("_kind"),
    kept = model.get("_arguments"),
    renamed = model.get("_renamed");
  const limits = Object.fromEntries(
    Object.entries(specs).filter(([, spec]) => spec.kind === "number"),
  );
  const within = ({ min, max, whole }, value) =>
    Math.min(max, Math.max(min, whole ? Math.round(value) : value));
  const off = [];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let waiting = false,
    alive = true,
    pending = 0,
    settle = 0,
    held = false;

  const view = {
    model,
    kind,
    kept,
    renamed,
    specs,
    limits,
    start,
    defaults,
    title,
    // A group and no landmark: a page may hold several of one name.
    root: tag("section", { class: "lstm-lab-explorer", role: "group", "aria-label": title }),
    /** The setting before the present change or drag; null before the first. */
    ghost: null,
    /** Does the reader want things to stand still? */
    get calm() {
      return calm.matches;
    },
    /** A control's value, always valid, whatever a link has put there. */
    get(name) {
      const value = model.get(name),
        spec = specs[name];
      if (!spec) return value;
      if (spec.kind === "number" && typeof value === "number" && Number.isFinite(value))
        return within(spec, value);
      return fault(name, value, spec) ? start[name] : value;
    },
    set(values) {
      for (const [name, value] of Object.entries(values)) {
        model.set(name, limits[name] ? within(limits[name], value) : value);
      }
      model.save_changes();
    },
    /** Every control's value. */
    settings: () => Object.fromEntries(Object.keys(specs).map((name) => [name, view.get(name)])),
    /** The setting as one line. */
    setting: () => writeSetting(kind, kept, view.settings(), defaults),
    /** Takes over a line; throws an Error that says what is wrong with it. */
    apply(line) {
      view.set({ ...defaults, ...readSetting(line, kind, kept, specs, renamed) });
    },
    reset: () => view.set(start),
    /** Back to the setting before the last change; again, and forth. */
    previous() {
      if (settle) {
        clearTimeout(settle);
        ends();
      }
      if (view.ghost) view.set(view.ghost);
    },
    on(name, listener) {
      model.on(`change:${name}`, listener);
      off.push(() => model.off(`change:${name}`, listener));
    },
    /** stop() is called when the view goes. */
    onDispose(stop) {
      off.push(stop);
    },
    /** Calls listener(width in px) now that node has a width, and whenever it changes. */
    onWidth(node, listener) {
      let last = 0;
      const watch = new ResizeObserver(([entry]) => {
        const width = Math.round(entry.contentRect.width);
        if (width && width !== last) listener((last = width));
      });
      watch.observe(node);
      off.push(() => watch.disconnect());
    },
    /** Calls listener() whenever the screen has another number of pixels to a px of the page. */
    onScreen(listener) {
      let screen = null;
      const changed = () => {
        watch();
        listener();
      };
      const leave = () => screen?.removeEventListener("change", changed);
      // It tells of leaving one number only, so that each needs a question of its own.
      const watch = () => {
        leave();
        screen = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
        screen.addEventListener("change", changed);
      };
      watch();
      off.push(leave);
    },
    /** Draws after the current burst of changes, before the browser paints. */
    redraw() {
      if (waiting) return;
      waiting = true;
      queueMicrotask(() => {
        waiting = false;
        if (!alive) return;
        update(view);
        view.root.dispatchEvent(new CustomEvent("ll-drawn"));
      });
    },
    summary: tag("p", { class: "ll-summary", "data-role": "summary", "aria-live": "polite" }),
    /** The text alternative. It waits for a pause, or a screen reader would stutter in a drag. */
    say(words) {
      clearTimeout(pending);
      pending = setTimeout(
        () => {
          view.summary.textContent = words;
        },
        view.summary.textContent ? 150 : 0,
      );
    },
    dispose() {
      alive = false;
      clearTimeout(pending);
      clearTimeout(settle);
      off.forEach((stop) => stop());
      view.root.remove();
    },
  };

  let calmed = view.settings();
  const ends = () => {
    settle = 0;
    calmed = view.settings();
  };
  const remember = (name) => {
    if (specs[name].view) {
      if (!settle) calmed[name] = view.get(name);
      return;
    }
    if (settle) clearTimeout(settle);
    else view.ghost = calmed;
    settle = setTimeout(function wait() {
      if (held) settle = setTimeout(wait, BURST);
      else ends();
    }, BURST);
  };
  for (const name of Object.keys(specs)) {
    view.on(name, () => {
      // What a link has put out of range is put right, so that kernel and picture agree.
      if (model.get(name) !== view.get(name)) view.set({ [name]: view.get(name) });
      remember(name);
      view.redraw();
    });
  }
  const grab = () => {
    // A new drag begins: what was there before it becomes the ghost, however soon it comes.
    if (settle) {
      clearTimeout(settle);
      ends();
    }
    held = true;
  };
  const release = () => {
    held = false;
  };
  view.root.addEventListener("pointerdown", grab, true);
  for (const event of ["pointerup", "pointercancel", "blur"]) {
    window.addEventListener(event, release);
    off.push(() => window.removeEventListener(event, release));
  }

  const theme = watchTheme(view.root, Object.keys(QUANTITIES), () => view.redraw());
  view.colors = theme.colors;
  off.push(theme.dispose);
  view.header = header(view);
  view.root.prepend(view.header.node);
  host.append(view.root);
  return view;
}

/** Title (or breadcrumb) to the left; to the right what every explorable can do. */
function header(view) {
  const title = tag("div", { class: "ll-title" }, tag("strong", {}, view.title));
  const id = unique("setting"),
    wrongId = unique("wrong");
  const line = tag("input", {
    type: "text",
    id,
    class: "ll-line-input",
    spellcheck: "false",
    autocomplete: "off",
    "data-role": "setting",
    "aria-describedby": wrongId,
  });
  const error = tag("p", { class: "ll-error", id: wrongId, role: "alert" });
  const told = tag("span", { class: "ll-told", role: "status" });
  const small = (words, onclick, attributes) =>
    tag("button", { type: "button", class: "ll-tool", onclick, ...attributes }, words);

  const refuse = (message) => {
    error.textContent = message;
    put(line, { "aria-invalid": Boolean(message) });
  };
  const show = () => {
    if (document.activeElement !== line) {
      line.value = view.setting();
      refuse("");
    }
  };
  const apply = (text) => {
    const wrong = faultOf(text, view.kind, view.kept, view.specs, view.renamed);
    refuse(wrong && `This setting cannot be shown: ${wrong}.`);
    if (wrong) return false;
    view.apply(text);
    line.value = view.setting();
    tell("applied");
    return true;
  };
  let telling = 0;
  const tell = (words) => {
    told.textContent = words;
    clearTimeout(telling);
    telling = setTimeout(() => {
      told.textContent = "";
    }, 2500);
  };
  view.onDispose(() => clearTimeout(telling));
  const copy = async () => {
    const text = view.setting();
    try {
      await navigator.clipboard.writeText(text);
      tell("copied");
    } catch {
      // A page that may not write to the clipboard: leave the line marked, to be copied by hand.
      line.value = text;
      line.select();
      tell(document.execCommand?.("copy") ? "copied" : "press Ctrl+C");
    }
  };

  const row = tag(
    "div",
    { class: "ll-setting", hidden: true },
    tag("label", { for: id }, "Setting"),
    line,
    small("Copy", copy),
    small("Apply", () => apply(line.value)),
    told,
    error,
  );
  const opener = small("Setting", () => toggle(), {
    "aria-expanded": "false",
    title: "This setting as one line, to copy, or to paste another",
  });
  const toggle = (open = row.hidden) => {
    row.hidden = !open;
    put(opener, { "aria-expanded": open });
    if (!open) return opener.focus();
    show();
    line.focus();
    line.select();
  };
  line.addEventListener("keydown", (event) => {
    if (event.key === "Enter") apply(line.value);
    if (event.key === "Escape") {
      event.stopPropagation();
      line.blur();
      toggle(false);
    }
  });
  // A setting that is pasted anywhere on the picture is meant for it.
  view.root.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain").trim() ?? "";
    if (event.target.matches?.("input[type=text], textarea") || !/^\w+\s*\(/.test(text)) return;
    event.preventDefault();
    if (apply(text)) return;
    toggle(true);
    line.value = text;
    apply(text);
  });

  const previous = small("Previous", view.previous, {
    title: "Back to the setting before the last change, and forth again",
    disabled: true,
  });
  const node = tag(
    "header",
    { class: "ll-header" },
    title,
    tag(
      "div",
      { class: "ll-tools" },
      previous,
      opener,
      small("Reset", view.reset, { title: "Back to where this picture began" }),
    ),
    row,
  );
  view.root.addEventListener("ll-drawn", () => {
    previous.disabled = !view.ghost;
    if (!row.hidden) show();
  });
  return { node, title };
}

/**
 * The usual layout: controls at the left (above each other when narrow), the picture and its words
 * at the right, what is there on demand below. after: what follows the picture, and where it is
 * narrow the controls too, so that they stay in sight of what they move; the words come last.
 */
export function layout(view, { controls, picture, after, folds = [] }) {
  const body = tag(
    "div",
    { class: "ll-body" },
    tag("div", { class: "ll-controls" }, controls),
    tag("div", { class: "ll-view" }, picture, after ? null : view.summary),
    after ? tag("div", { class: "ll-after" }, after, view.summary) : null,
  );
  view.root.append(body, tag("div", { class: "ll-folds" }, folds));
  return body;
}
