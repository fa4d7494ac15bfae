"""The book on another backend than NumPy, unchanged: LSTM_LAB_BACKEND decides.

A GPU is not at hand where this runs as a rule. The stand-in is: no chapter may hand an array of
the host to a layer on the device, or take one from there for granted.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb")) + sorted((ROOT / "labs/solved").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_a_device(path):
    command = [sys.executable, "-m", "tests.engine.run_on_device", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
