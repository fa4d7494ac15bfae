"""Running the explorables' own JavaScript modules in Node, and their pages in a browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lstm_lab.explore.core.bundle import FRONTEND
from tests.conftest import slow_down
from tests.explore.host import Kernel, page_html
from tests.explore.page import PATIENCE

RUN = Path(__file__).with_name("run.mjs")


@pytest.fixture
def node(require):
    """``node("frontend/format.js", [["share", [arguments]], …])``: what each call returns."""
    program = require("node", "your system's package nodejs")

    def run(module, calls):
        done = subprocess.run(
            [program, RUN, (FRONTEND.parent / module).as_uri()],
            input=json.dumps(calls),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def send():
    """``send(widget, x=1.0)``: a change as the browser sends it."""

    def update(widget, **state):
        content = {"data": {"method": "update", "state": state, "buffer_paths": []}}
        widget._handle_msg({"content": content, "buffers": []})

    return update


@pytest.fixture
def show(chromium, tmp_path, artifacts):
    """``show(widget, theme=…, width=…, kernel=…)``: a page with it; the console stays empty."""
    errors, pages = [], []

    def open_page(*widgets, theme="light", width=1200, height=800, kernel=False, **options):
        page = chromium.new_page(viewport={"width": width, "height": height}, **options)
        page.set_default_timeout(1000 * PATIENCE)
        slow_down(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.kernel = Kernel(page, widgets) if kernel else None
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(page_html(widgets, theme), encoding="utf-8")
        page.goto(path.as_uri())
        page.wait_for_function(
            "window.ready && [...document.querySelectorAll('.lstm-lab-explorer:not(.ll-quiz)')]"
            ".every((node) => node.querySelector('[role=img][aria-label]'))"
        )
        page.evaluate("settled()")
        pages.append(page)
        return page

    yield open_page
    for number, page in enumerate(pages):
        page.screenshot(path=artifacts / f"{number}.png", full_page=True)
        page.close()
    assert errors == []
