"""The book as its reader sees it: the real server, the real JupyterLab, a real Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from lstm_lab.cli import WORKSPACE
from tests.conftest import slow_down
from tests.explore.page import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).resolve().parent.parent
START, CHAPTER = "00-start.ipynb", "03-memory-cell.ipynb"
SILENT = "explorables.ipynb"  # has pictures, and does not ask to be run
LIVE = ("01-sequences.ipynb", "02-vanishing-gradients.ipynb", CHAPTER, "06-training.ipynb")
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SECOND = 1000
# Two cores may be running every other test meanwhile.
PATIENCE = 90 * SECOND

# The notebook asked for is in front, its kernel waits, and what was asked of it is done.
READY = """name => {
    const front = window.jupyterapp?.shell?.currentWidget;
    return front?.context?.path?.endsWith(name) && window.running !== true
        && front.sessionContext?.session?.kernel?.status === 'idle';
}"""
RUN_ALL = """() => {
    window.running = true;
    const done = jupyterapp.commands.execute('notebook:run-all-cells');
    done.finally(() => { window.running = false; });
}"""
ERRORS = """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .flatMap(cell => cell.outputs || []).filter(output => output.output_type === 'error')
    .map(error => `${error.ename}: ${error.evalue}`)"""
RUN_CELLS = """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .flatMap((cell, k) => cell.execution_count || cell.outputs?.length ? [k] : [])"""
DIRTY = "() => jupyterapp.shell.currentWidget.context.model.dirty"
TO_THEME = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
IN_VIEW = """node => {
    const {top, bottom} = node.getBoundingClientRect();
    const middle = (top + bottom) / 2;
    return 0 < middle && middle < innerHeight;
}"""
ON_TOP = """node => {
    const {left, width, top, height} = node.getBoundingClientRect();
    return document.elementFromPoint(left + width / 2, top + height / 2) === node;
}"""
ENVIRONMENT = """async () => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({code: '', silent: true,
        user_expressions: {prefix: "__import__('sys').prefix"}});
    return (await future.done).content.user_expressions.prefix.data['text/plain'];
}"""
# Each coloured symbol of the equations in front, its colour and what stands behind it.
SYMBOLS = """() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const ground = node => {
        const colour = getComputedStyle(node).backgroundColor, [, , , alpha = 1] = numbers(colour);
        return alpha === 1 ? colour : ground(node.parentElement);
    };
    const panel = jupyterapp.shell.currentWidget.node;
    return [...panel.querySelectorAll('mjx-container mjx-c')].flatMap(symbol => {
        const {color} = getComputedStyle(symbol);
        const plain = getComputedStyle(symbol.closest('mjx-container')).color;
        return color === plain ? [] : [[numbers(color), numbers(ground(symbol))]];
    });
}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's new home folder, but for a kernel "python3" that they once registered there."""
    folder = tmp_path_factory.mktemp("home")
    kernel = folder / ".local/share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    specification = {"argv": ["false"], "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy of the book."""
    return tmp_path_factory.mktemp("book")


@pytest.fixture(scope="module")
def door(home: Path, copy: Path) -> Iterator[str]:
    """The address that `lstm-lab book` prints, served from a copy of the book."""
    with _served(home, copy) as address:
        yield address


@contextmanager
def _served(home: Path, copy: Path) -> Iterator[str]:
    for folder in ("book", "labs"):
        shutil.copytree(ROOT / folder, copy / folder)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "IPYTHON", "XDG_", "PYTEST"))
    }
    log = copy / "server.log"
    with socket.socket() as free, log.open("w") as output:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        command = [Path(sys.executable).with_name("lstm-lab"), "book", "--no-browser"]
        # Exposed for the tests alone: they call JupyterLab's commands by name.
        command += ["--port", str(port), "--LabApp.expose_app_in_browser=True"]
        free.close()
        server = subprocess.Popen(
            command,
            cwd=copy,
            # The hardest setting for the kernel: the reader's own kernels come first.
            env=inherited | {"HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "0"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _address(server, log)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _address(server: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + PATIENCE / SECOND
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\S+\?token=\w+", log.read_text())
        if found:
            return found[0]
        time.sleep(0.1)
    pytest.fail(f"the book was not served:\n{log.read_text()[-3000:]}")


@pytest.fixture
def page(chromium: Browser, artifacts: Path) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    slow_down(page)
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.screenshot(path=artifacts / "last.png")
    page.close()
    assert not errors


def test_start_page_is_live_and_nothing_else_runs(
    door: str, copy: Path, chromium: Browser, artifacts: Path
):
    """A newcomer's first minute: nothing pressed, and the explorer's sliders are on the screen."""
    screen = {"width": 1280, "height": 800}
    notebook = copy / "book" / START
    with chromium.new_context(viewport=screen) as context:
        committed = notebook.read_bytes()
        context.set_default_timeout(PATIENCE)
        errors: list[str] = []
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)

        page = context.new_page()
        slow_down(page)
        page.goto(door)
        explorer = page.locator(".lstm-lab-explorer")
        explorer.wait_for()
        page.wait_for_function(READY, arg=START)
        page.wait_for_timeout(4 * SECOND)  # prompts come late
        page.screenshot(path=artifacts / "start.png")
        assert page.locator(".jp-Dialog").count() == 0
        assert page.locator(".Toastify__toast").all_inner_texts() == []
        current = page.locator("#jp-main-dock-panel .lm-TabBar-tab.jp-mod-current")
        assert current.inner_text() == START
        files = page.locator(".jp-DirListing-itemName:visible").all_inner_texts()
        assert sorted(path.name for path in (ROOT / "book").glob("*.ipynb")) == [
            name for name in sorted(files) if name.endswith(".ipynb")
        ]
        # The kernel is the Python that serves the book.
        assert page.evaluate(ENVIRONMENT) == repr(sys.prefix)
        assert explorer.bounding_box()["y"] > 0
        sliders = explorer.locator("input[type=range]:visible").all()
        assert len(sliders) >= 5
        for slider in sliders:
            box = slider.bounding_box()
            assert box["y"] + box["height"] < screen["height"]
            assert slider.evaluate(ON_TOP)
        assert page.evaluate(RUN_CELLS) == [1]
        assert page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex") == 0
        eventually(page, lambda: not page.evaluate(DIRTY))

        # Neither a page that does not ask for it runs, nor one that is not of the book.
        shutil.copy(notebook, copy / "elsewhere.ipynb")
        for other in (f"book/{SILENT}", "elsewhere.ipynb"):
            page.goto(door.replace(f"book/{START}", other))
            page.wait_for_function(READY, arg=other)
            # The kernel answers in turn: what had been asked of it by then has been done.
            page.evaluate(ENVIRONMENT)
            page.wait_for_timeout(SECOND)
            page.evaluate(ENVIRONMENT)
            page.screenshot(path=artifacts / f"{Path(other).stem}.png")
            assert page.evaluate(RUN_CELLS) == []
            assert page.locator(".jp-Dialog").count() == 0

        # Opening it again, in the kernel that it has by now, shows the explorer again.
        page.goto(door)
        page.wait_for_function(READY, arg=START)
        eventually(page, lambda: page.evaluate(RUN_CELLS) == [1])
        explorer.wait_for()
        assert errors == []
        assert notebook.read_bytes() == committed


def _alone(door: str, name: str) -> str:
    """A page in a workspace of its own: JupyterLab opens again what other tests left open."""
    assert f"/workspaces/{WORKSPACE}/" in door
    address = door.replace(f"/workspaces/{WORKSPACE}/", f"/workspaces/{Path(name).stem}/")
    return address.replace(START, name)


@pytest.mark.parametrize("chapter", LIVE)
def test_a_chapter_opens_with_its_picture(chapter: str, door: str, page: Page, artifacts: Path):
    page.goto(_alone(door, chapter))
    page.wait_for_function(READY, arg=chapter)
    eventually(page, lambda: page.evaluate(RUN_CELLS) == [1])
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .lstm-lab-explorer").wait_for()
    page.wait_for_function(READY, arg=chapter)
    page.screenshot(path=artifacts / f"{chapter}.png")
    assert page.evaluate(ERRORS) == []
    eventually(page, lambda: not page.evaluate(DIRTY))


def test_dragging_a_slider_changes_picture_and_text(door: str, page: Page, artifacts: Path):
    """In either theme; from the first to the second it changes in place."""
    page.goto(_alone(door, CHAPTER))
    page.wait_for_function(READY, arg=CHAPTER)
    page.evaluate(TO_THEME, THEMES["dark"])
    page.evaluate(RUN_ALL)
    page.wait_for_function(READY, arg=CHAPTER)
    assert page.evaluate(ERRORS) == []
    explorers = page.locator(
        ".jp-NotebookPanel:not(.lm-mod-hidden) .lstm-lab-explorer:not(.ll-quiz)"
    )
    explorers.first.wait_for(state="attached")
    for theme in ("dark", "light"):
        _to_theme(page, theme)
        for k in range(explorers.count()):
            explorer = explorers.nth(k)
            _show(explorer)
            picture, before = _settled_picture(page, explorer)
            summary = explorer.locator('[data-role="summary"]')
            text = summary.inner_text()
            assert text
            explorer.screenshot(path=artifacts / f"{theme}-{k}-before.png")

            _drag(page, explorer.locator("input[type=range]").first)
            eventually(page, lambda: summary.inner_text() != text)  # noqa: B023
            eventually(page, lambda: picture.screenshot() != before)  # noqa: B023
            explorer.screenshot(path=artifacts / f"{theme}-{k}-after.png")
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")


LIVING = """() => [...document.querySelectorAll(
    '.jp-NotebookPanel:not(.lm-mod-hidden) .lstm-lab-explorer [role=img][aria-label]')].length"""
SAVE = "() => jupyterapp.commands.execute('docmanager:save')"
SHUT_DOWN = "() => jupyterapp.shell.currentWidget.sessionContext.shutdown()"
SAVED = [
    "from lstm_lab.explore import CellExplorer, SequenceExplorer\nCellExplorer(b_f=0.5)",
    "CellExplorer(b_f=-0.5)",
    "SequenceExplorer()",
]


def test_a_saved_notebook_lives_on_the_second_visit(
    door: str, copy: Path, page: Page, artifacts: Path
):
    """With another kernel, and before anything is run in it."""
    path = copy / "book" / "saved.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in SAVED]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    unrun = path.stat().st_size
    page.goto(_alone(door, path.name))
    page.wait_for_function(READY, arg=path.name)
    page.evaluate(RUN_ALL)
    page.wait_for_function(READY, arg=path.name)
    assert page.evaluate(ERRORS) == []
    eventually(page, lambda: page.evaluate(LIVING) >= len(SAVED))
    page.evaluate(SAVE)
    eventually(page, lambda: not page.evaluate(DIRTY))
    page.evaluate(SHUT_DOWN)
    # A picture is kept in some 60 kB.
    assert unrun < path.stat().st_size < unrun + 75_000 * len(SAVED)
    (kept,) = nbformat.read(path, 4).metadata.widgets.values()
    assert sum(model.model_module == "anywidget" for model in kept.state.values()) == len(SAVED)

    saved = path.read_bytes()
    page.goto("about:blank")
    page.goto(_alone(door, path.name))
    page.wait_for_function(READY, arg=path.name)
    try:
        eventually(page, lambda: page.evaluate(LIVING) >= len(SAVED), PATIENCE / SECOND)
    except AssertionError:
        page.screenshot(path=artifacts / "dead.png")
        outputs = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea")
        pytest.fail(f"not all pictures live: {outputs.all_inner_texts()}")
    page.screenshot(path=artifacts / "again.png")
    explorers = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .lstm-lab-explorer")
    for k in range(len(SAVED)):
        explorer = explorers.nth(k)
        _show(explorer)
        summary = explorer.locator('[data-role="summary"]')
        text = summary.inner_text()
        assert text
        _drag(page, explorer.locator("input[type=range]").first)
        eventually(page, lambda: summary.inner_text() != text)  # noqa: B023
    assert path.read_bytes() == saved
    page.evaluate(SHUT_DOWN)


def test_coloured_symbols_are_read_in_both_themes(
    door: str, copy: Path, page: Page, artifacts: Path
):
    """Every coloured equation of the book and the labs on one page that runs no cell."""
    formulas = sorted({formula for page_ in _with_equations() for formula in page_})
    text = "\n\n".join(f"$${f}$$" for f in formulas)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(text)], metadata={"kernelspec": kernel}
    )
    nbformat.write(notebook, copy / "book" / "equations.ipynb")
    page.goto(_alone(door, "equations.ipynb"))
    page.wait_for_function(READY, arg="equations.ipynb")
    for theme, ground in (("light", 255), ("dark", 17)):
        _to_theme(page, theme)
        eventually(page, lambda: len(page.evaluate(SYMBOLS)) > 2 * len(formulas) > 20)
        eventually(page, lambda: _grounds(page) == {(ground,) * 3})  # noqa: B023
        page.screenshot(path=artifacts / f"{theme}.png")
        symbols = page.evaluate(SYMBOLS)
        assert len({tuple(colour) for colour, _ in symbols}) == 5
        faint = [each for each in symbols if _contrast(*each) < 4.5]
        assert faint == []


def _to_theme(page: Page, theme: str) -> None:
    page.evaluate(TO_THEME, THEMES[theme])
    page.locator(f"body[data-jp-theme-name='{THEMES[theme]}']").wait_for(state="attached")


def _grounds(page: Page) -> set[tuple[float, ...]]:
    return {tuple(behind[:3]) for _, behind in page.evaluate(SYMBOLS)}


def _with_equations() -> Iterator[list[str]]:
    for path in sorted([*ROOT.glob("book/*.ipynb"), *ROOT.glob("labs/*.ipynb")]):
        text = "\n".join(
            cell.source
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "markdown"
        )
        maths = re.findall(r"\$\$(.+?)\$\$|(?<!\$)\$([^$]+)\$", text, re.DOTALL)
        yield [display or inline for display, inline in maths if r"color{" in display + inline]


def _contrast(one: list[float], other: list[float]) -> float:
    def luminance(colour: list[float]) -> float:
        linear = [
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
            for part in (value / 255 for value in colour[:3])
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _show(node: Locator) -> None:
    """Scroll there. JupyterLab does not lay out what is far away, so this may take two steps."""
    for _ in range(10):
        node.evaluate("node => node.scrollIntoView({block: 'center'})")
        node.page.wait_for_timeout(SECOND / 4)
        if node.is_visible() and node.evaluate(IN_VIEW):
            return
    pytest.fail("the explorer cannot be scrolled into view")


def _settled_picture(page: Page, explorer: Locator) -> tuple[Locator, bytes]:
    """The explorer's largest drawing, and its look once it has stopped moving."""
    drawings = explorer.locator("canvas, svg")
    drawings.first.wait_for(state="attached")
    areas = drawings.evaluate_all("all => all.map(n => n.clientWidth * n.clientHeight)")
    picture = drawings.nth(areas.index(max(areas)))
    look = None
    for _ in range(20):
        last, look = look, picture.screenshot()
        if look == last:
            return picture, look
        page.wait_for_timeout(SECOND / 4)
    pytest.fail("the picture keeps moving by itself")


def _drag(page: Page, slider: Locator) -> None:
    """Press the slider's thumb and pull it a quarter of its way towards the further end."""
    _show(slider)
    share = slider.evaluate("s => (s.valueAsNumber - (+s.min)) / ((+s.max || 100) - (+s.min))")
    box, thumb = slider.bounding_box(), 8
    y = box["y"] + box["height"] / 2
    x = box["x"] + thumb + share * (box["width"] - 2 * thumb)
    way = box["width"] / 4 * (1 if share < 0.5 else -1)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + way, y, steps=20)
    page.mouse.up()
