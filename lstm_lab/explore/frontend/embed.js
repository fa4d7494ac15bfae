// Brings the explorables of an exported page to life, with no kernel and no network.
// nbconvert's HTML holds each widget's state and a mark where it is to stand.

(() => {
  class Model {
    constructor(state) {
      Object.assign(this, { state, listeners: {} });
    }
    get(name) {
      return this.state[name];
    }
    set(name, value) {
      if (Object.is(this.state[name], value)) return;
      this.state[name] = value;
      // A copy: a listener may add others, which wait for the next change.
      // oxlint-disable-next-line unicorn/no-useless-spread
      for (const listener of [...(this.listeners[`change:${name}`] ?? [])]) listener();
    }
    on(event, listener) {
      (this.listeners[event] ??= []).push(listener);
    }
    off(event, listener) {
      this.listeners[event] = (this.listeners[event] ?? []).filter((other) => other !== listener);
    }
    save_changes() {}
    send() {}
  }

  const json = (script) => JSON.parse(script.textContent);
  const bytesOf = (text) =>
    new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const widgetType = (kind) => `script[type="application/vnd.jupyter.widget-${kind}+json"]`;
  const saved = document.querySelector(widgetType("state"));
  const states = saved ? json(saved).state : {},
    styled = new Set(),
    models = {};

  async function show(mark) {
    const id = json(mark).model_id,
      entry = states[id],
      el = document.createElement("div");
    mark.replaceWith(el);
    if (!entry?.state._esm) {
      el.textContent = "This part of the page needs the notebook itself.";
      return;
    }
    const { _esm: esm, _css: css, ...state } = entry.state;
    for (const {
      path: [name],
      data,
    } of entry.buffers ?? [])
      state[name] = bytesOf(data);
    if (!styled.has(css)) {
      styled.add(css);
      document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
    }
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    // One widget that is shown twice is one widget.
    widget.render({ model: (models[id] ??= new Model(state)), el });
  }

  document.querySelectorAll(widgetType("view")).forEach(show);
})();
