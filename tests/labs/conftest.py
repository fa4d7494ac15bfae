"""What the tests of the labs share."""

import matplotlib
import pytest

from lstm_lab.checks import lab01


@pytest.fixture
def fresh_lab(monkeypatch):
    """Lab 01 as on the first day, with nothing checked and no hint given."""
    monkeypatch.setattr(lab01._LAB, "_results", {})
    monkeypatch.setattr(lab01._LAB, "_hints_given", {})
    return lab01


@pytest.fixture
def no_window(monkeypatch):
    """Figures are drawn, and nothing opens."""
    monkeypatch.setattr(matplotlib, "rcParams", matplotlib.rcParams.copy())
    matplotlib.use("agg")
