"""What is special to CostExplorer: its formulas are those of the library's own arrays."""

from collections.abc import Mapping

import numpy as np
import pytest

from lstm_lab import LSTM
from lstm_lab.explore import CostExplorer
from tests.explore.page import picture, settled


def size(part):
    if hasattr(part, "nbytes"):
        return part.nbytes
    return sum(map(size, part.values() if isinstance(part, Mapping) else part))


@pytest.mark.parametrize("T, B, H, D", [(1, 1, 1, 1), (7, 3, 5, 2), (60, 4, 16, 9)])
def test_memory_is_what_a_layer_takes(T, B, H, D):
    layer = LSTM(D, H, backend="numpy", seed=0)
    x = np.zeros((T, B, D), "float32")
    y, trace = layer.forward(x)
    values = CostExplorer(length=T, batch=B, hidden=H, inputs=D).values()
    segments = [segment for record in trace.records for segment in record.segments]
    assert values["trace"] == sum(size((s.gates, s.states, s.saved)) for s in segments)
    assert values["state"] == size(layer.forward(x, trace=False)[1].state)
    assert values["weights"] == size(layer.params)
    assert values["ends"] == x.nbytes + y.nbytes


@pytest.mark.parametrize("wrong", [[1, 2], [[1, 1, 1, 1, 1]], [[1, 1, 1, 1, 0, 1]], [[np.nan] * 6]])
def test_measurements_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="measured: expected rows of six positive numbers"):
        CostExplorer(measured=wrong)


def test_measurements_are_dots_where_the_setting_is_theirs(show):
    own = CostExplorer(batch=2, hidden=4, inputs=3, measured=[(10, 2, 4, 3, 5.0, 9.0)])
    other = CostExplorer(batch=2, hidden=4, inputs=3, measured=[(10, 2, 5, 3, 5.0, 9.0)])
    pictures = []
    for widget in (own, other):
        canvas = show(widget).locator("canvas").nth(1)
        pictures.append(canvas.evaluate("(node) => node.toDataURL()"))
    assert pictures[0] != pictures[1]


def test_what_did_not_change_leaves_no_ghost(show):
    settings = {"length": 500, "batch": 4}
    fresh = show(CostExplorer(**settings))
    longer, wider = (show(CostExplorer(**settings | {name: 9})) for name in ("length", "batch"))
    for page, name in ((longer, "length"), (wider, "batch")):
        settled(page, "([name, value]) => models[0].set(name, value)", [name, settings[name]])
    assert picture(longer) == picture(fresh)
    assert picture(wider) != picture(fresh)
