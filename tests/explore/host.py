"""A plain HTML page that shows explorables with no kernel behind them."""

from __future__ import annotations

import base64
import json

_HIDDEN = {"_esm", "_css", "layout"}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Explorables</title><style>
%(theme)s
body { margin: 0; padding: 16px; background: %(ground)s; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 24px; }
%(css)s</style></head>
<body data-jp-theme-light="%(light)s"><main></main>
<script type="module">
class Model {
  constructor(state) { this.state = state; this.listeners = {}; this.saved = 0; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (Object.is(this.state[name], value)) return;
    this.state[name] = value;
    for (const listener of [...(this.listeners[`change:${name}`] ?? [])]) listener();
  }
  on(event, listener) { (this.listeners[event] ??= []).push(listener); }
  off(event, listener) {
    this.listeners[event] = (this.listeners[event] ?? []).filter((other) => other !== listener);
  }
  save_changes() { this.saved += 1; }
}
window.models = [];
window.cleanups = [];
for (const { esm, state } of %(widgets)s) {
  for (const name in state) {
    const bytes = state[name]?.base64;
    if (bytes === undefined) continue;
    state[name] = new DataView(Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)).buffer);
  }
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const el = document.createElement("div"), model = new Model(state);
  document.querySelector("main").append(el);
  window.models.push(model);
  window.cleanups.push(widget.render({ model, el }));
}
window.ready = true;
</script></body></html>
"""

# What JupyterLab's two themes set, of the variables that the explorables read.
_THEMES = {
    "light": ":root { --jp-ui-font-color0: #000; --jp-layout-color0: #fff; }",
    "dark": ":root { --jp-ui-font-color0: #fff; --jp-layout-color0: #111; }",
    "plain": "",
}


def _plain(value):
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    return value


def page_html(widgets, theme="plain"):
    """The page's HTML; ``window.models`` holds a stand-in for each widget's model."""
    content = [
        {
            "esm": widget._esm,
            "state": {k: _plain(v) for k, v in widget.get_state().items() if k not in _HIDDEN},
        }
        for widget in widgets
    ]
    return _PAGE % {
        "theme": _THEMES[theme],
        "light": "false" if theme == "dark" else "true",
        "ground": "#111" if theme == "dark" else "#fff",
        "css": widgets[0]._css,
        "widgets": json.dumps(content).replace("</", "<\\/"),
    }
