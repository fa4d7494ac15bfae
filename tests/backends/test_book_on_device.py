"""The book on another backend than NumPy, unchanged: LSTM_LAB_BACKEND decides.

A GPU is not at hand where this runs as a rule. The stand-in is: no chapter that leaves the choice
to the reader may hand an array of the host to a layer on the device, or take one from there for
granted. Chapters that choose NumPy themselves would compute here what they compute under nbval.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHOICE = 'os.environ[\\"LSTM_LAB_BACKEND\\"] ='  # as JSON writes it
EVERY = sorted((ROOT / "book").glob("*.ipynb")) + sorted((ROOT / "labs/solved").glob("*.ipynb"))
NOTEBOOKS = [path for path in EVERY if CHOICE not in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_a_device(path):
    command = [sys.executable, "-m", "tests.backends.run_on_device", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_a_notebook_that_chose_a_backend_has_not_run_on_the_device(tmp_path):
    assert ROOT / "book/10-forecasting.ipynb" in NOTEBOOKS and len(NOTEBOOKS) < len(EVERY)
    chooses = "import os\nos.environ['LSTM_LAB_BACKEND'] = 'numpy'"
    path = tmp_path / "chooses.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": [chooses]}]}))
    command = [sys.executable, "-m", "tests.backends.run_on_device", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "chose the backend 'numpy'" in done.stdout
