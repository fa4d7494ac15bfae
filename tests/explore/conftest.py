"""Running the explorables' own JavaScript modules in Node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lstm_lab.explore.bundle import STATIC

RUN = Path(__file__).with_name("run.mjs")


@pytest.fixture
def node(require):
    """``node("lstm.js", [["lstmForward", [arguments]], …])``: what each call returns."""
    program = require("node", "your system's package nodejs")

    def run(module, calls):
        done = subprocess.run(
            [program, RUN, (STATIC / module).as_uri()],
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
