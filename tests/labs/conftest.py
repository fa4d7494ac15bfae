"""What the tests of the labs share."""

from collections.abc import Callable
from types import ModuleType

import matplotlib
import pytest

from lstm_lab.labs import gates


@pytest.fixture
def first_day(monkeypatch) -> Callable[[ModuleType], ModuleType]:
    """``first_day(module)``: that lab with nothing checked and no hint given."""

    def with_nothing_done(module: ModuleType) -> ModuleType:
        monkeypatch.setattr(module.LAB, "_results", {})
        monkeypatch.setattr(module.LAB, "_hints_given", {})
        return module

    return with_nothing_done


@pytest.fixture
def fresh_lab(first_day) -> ModuleType:
    """Lab 1 as on the first day."""
    return first_day(gates)


@pytest.fixture
def no_window(monkeypatch):
    """Figures are drawn, and nothing opens."""
    monkeypatch.setattr(matplotlib, "rcParams", matplotlib.rcParams.copy())
    matplotlib.use("agg")
