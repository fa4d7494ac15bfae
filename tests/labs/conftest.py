"""What the tests of the labs share."""

import matplotlib
import pytest

from lstm_lab.labs import gates


@pytest.fixture
def fresh_lab(monkeypatch):
    """Lab 01 as on the first day, with nothing checked and no hint given."""
    monkeypatch.setattr(gates.LAB, "_results", {})
    monkeypatch.setattr(gates.LAB, "_hints_given", {})
    return gates


@pytest.fixture
def no_window(monkeypatch):
    """Figures are drawn, and nothing opens."""
    monkeypatch.setattr(matplotlib, "rcParams", matplotlib.rcParams.copy())
    matplotlib.use("agg")
