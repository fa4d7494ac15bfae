// Runs the first code cell of a page of the book that asks for it, when the page is opened:
// committed notebooks hold no outputs, and the start page shall open with a live explorer.
// And brings equations.css, in which coloured symbols are read in a dark theme too.
//
// A prebuilt JupyterLab extension, written by hand: the container that webpack's module
// federation would make. It needs nothing of the shared modules, so `init` has nothing to do.
"use strict";

(() => {
  const sheet = new URL("equations.css", document.currentScript.src).href;

  /** A notebook from elsewhere must not run by being opened, whatever its metadata says. */
  const asksForIt = (context, model) =>
    context.localPath.startsWith("book/") && model.getMetadata("lstm_lab")?.run_on_open === true;

  const isUntouched = (model) =>
    [...model.cells].every(
      (cell) =>
        cell.type !== "code" ||
        (!cell.outputs.length && !cell.executionCount && cell.executionState !== "running"),
    );

  async function runFirstCell({ content, context, sessionContext }) {
    await context.ready;
    const { model } = content;
    if (!asksForIt(context, model)) return;
    const sources = () => JSON.stringify(model.sharedModel.cells.map((cell) => cell.source));
    const opened = sources();

    const cell = content.widgets.find((widget) => widget.model.type === "code");
    await sessionContext.ready;
    await cell.ready;
    // Without a kernel, `execute` would clear the cell and do no more.
    if (!(await sessionContext.session.kernel.info) || !isUntouched(model)) return;
    // CodeCell.execute; the notebook's own commands would select and scroll.
    await cell.constructor.execute(cell, sessionContext);
    // Else autosave would write the outputs into the reader's clone of the book.
    if (sources() === opened) model.dirty = false;
  }

  const plugin = {
    id: "lstm-lab-start:plugin",
    description:
      "Runs the first cell of a page of the book that asks for it; colours of equations.",
    autoStart: true,
    activate: (app) => {
      document.head.append(
        Object.assign(document.createElement("link"), { rel: "stylesheet", href: sheet }),
      );
      app.docRegistry?.addWidgetExtension?.("Notebook", {
        // What fails leaves the page as it would be without us: the reader runs the cell.
        createNew: (panel) => {
          runFirstCell(panel).catch(() => {});
        },
      });
    },
  };

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB["lstm-lab-start"] = {
    init: () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
