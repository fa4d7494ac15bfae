"""A plain HTML page that shows explorables: with no kernel behind them, or with one.

Its ``settled()`` is fulfilled when all that has happened there is drawn and said.
"""

from __future__ import annotations

import base64
import json

_HIDDEN = {"_esm", "_css", "layout"}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Explorables</title><style id="theme">
%(theme)s</style><style>
body { margin: 0; padding: 16px; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 24px; }
%(css)s</style></head>
<body data-jp-theme-light="%(light)s"><main><h1 hidden>Explorables</h1></main>
<script type="module">
// What is due within SOON ms, and what the kernel has been asked and has not answered yet.
const SOON = 200, due = new Set(), later = window.setTimeout, never = window.clearTimeout;
let asked = 0;
window.setTimeout = (act, ms = 0, ...rest) => {
  const id = later(() => { due.delete(id); act(...rest); }, ms);
  if (ms <= SOON) due.add(id);
  return id;
};
window.clearTimeout = (id) => {
  due.delete(id);
  never(id);
};
/** When all that has happened is drawn and said: nothing was due in two frames on end. */
window.settled = async () => {
  const begin = performance.now();
  for (let calm = 0; calm < 2; calm = due.size || asked ? 0 : calm + 1) {
    if (performance.now() - begin > 60_000) throw new Error("the page does not come to rest");
    await new Promise((go) => requestAnimationFrame(() => later(go)));
  }
};
const bytesOf = (text) =>
  new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const revive = (state) => {
  for (const name in state) {
    if (state[name]?.base64 !== undefined) state[name] = bytesOf(state[name].base64);
  }
  return state;
};
class Model {
  constructor(number, state) {
    Object.assign(this, { number, state, listeners: {}, saved: 0, unsent: {} });
  }
  get(name) { return this.state[name]; }
  tell(event, ...rest) {
    for (const listener of [...(this.listeners[event] ?? [])]) listener(...rest);
  }
  set(name, value) {
    if (Object.is(this.state[name], value)) return;
    this.state[name] = value;
    this.unsent[name] = value;
    this.tell(`change:${name}`);
  }
  on(event, listener) { (this.listeners[event] ??= []).push(listener); }
  off(event, listener) {
    this.listeners[event] = (this.listeners[event] ?? []).filter((other) => other !== listener);
  }
  save_changes() {
    this.saved += 1;
    const unsent = this.unsent;
    this.unsent = {};
    if (Object.keys(unsent).length) this.ask({ update: unsent });
  }
  send(content) { this.ask({ custom: content }); }
  /** To the kernel, if there is one, and what it answers. */
  async ask(message) {
    if (!window.toKernel) return;
    asked += 1;
    try {
      this.hear(await window.toKernel(this.number, JSON.stringify(message)));
    } finally {
      asked -= 1;
    }
  }
  hear(answer) {
    const { state, custom } = JSON.parse(answer);
    revive(state);
    Object.assign(this.state, state);
    for (const name in state) this.tell(`change:${name}`);
    for (const content of custom) this.tell("msg:custom", content, []);
    // After what the changes have queued to be drawn.
    queueMicrotask(() => queueMicrotask(() => window.heard?.()));
  }
}
const begin = performance.now();
window.models = [];
window.cleanups = [];
for (const [number, { esm, state }] of %(widgets)s.entries()) {
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const el = document.createElement("div"), model = new Model(number, revive(state));
  document.querySelector("main").append(el);
  window.models.push(model);
  window.cleanups.push(widget.render({ model, el }));
}
window.ready = true;
requestAnimationFrame(() => setTimeout(() => { window.firstPicture = performance.now() - begin; }));
</script></body></html>
"""

# What JupyterLab's two themes set, of the variables that the explorables read.
_PLAIN = "body { background: #fff; }"
THEMES = {
    "light": ":root { --jp-ui-font-color0: #000; --jp-layout-color0: #fff; } " + _PLAIN,
    "dark": """:root { --jp-ui-font-color0: #fff; --jp-layout-color0: #111; }
        body { background: #111; }""",
    "plain": _PLAIN,
}


def _plain(value):
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    return value


def _state(widget):
    return {k: _plain(v) for k, v in widget.get_state().items() if k not in _HIDDEN}


def page_html(widgets, theme="plain"):
    """The page's HTML; ``window.models`` holds a stand-in for each widget's model."""
    content = [{"esm": widget._esm, "state": _state(widget)} for widget in widgets]
    return _PAGE % {
        "theme": THEMES[theme],
        "light": "false" if theme == "dark" else "true",
        "css": "\n".join(dict.fromkeys(str(widget._css) for widget in widgets)),
        "widgets": json.dumps(content).replace("</", "<\\/"),
    }


class Kernel:
    """Widgets behind a page: what the page sends reaches them, and what changed goes back.

    Parameters
    ----------
    page : playwright.sync_api.Page
        Not yet opened.
    widgets : sequence of Explorable
    """

    def __init__(self, page, widgets):
        self.page, self.widgets = page, widgets
        self.known = [_state(widget) for widget in widgets]
        page.expose_function("toKernel", self.hear)

    def hear(self, number, message):
        widget, message = self.widgets[number], json.loads(message)
        if "update" in message:
            self.known[number].update(message["update"])
            data = {"method": "update", "state": message["update"], "buffer_paths": []}
        else:
            data = {"method": "custom", "content": message["custom"]}
        widget._handle_msg({"content": {"data": data}, "buffers": []})
        return self.news(number)

    def news(self, number):
        now, known = _state(self.widgets[number]), self.known[number]
        changed = {name: value for name, value in now.items() if known.get(name) != value}
        known.update(changed)
        return json.dumps({"state": changed, "custom": []})

    def push(self):
        """What the widgets have changed by themselves, to the page."""
        for number in range(len(self.widgets)):
            self.page.evaluate(
                "([number, news]) => models[number].hear(news)", [number, self.news(number)]
            )
