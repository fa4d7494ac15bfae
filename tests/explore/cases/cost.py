"""How the tests try CostExplorer."""

import pytest

from lstm_lab.explore import CostExplorer
from tests.explore.cases import Case


def shown(cost):
    return [f"{cost.length} steps of {cost.batch} sequences: the trace takes"]


def same(js, cost):
    assert js == pytest.approx(cost.values(), rel=1e-12)


CASE = Case(
    CostExplorer,
    drag="length",
    shown=shown,
    js=lambda cost: ("cost/widget.js", "sequenceCost", [cost.settings()]),
    same=same,
)
