"""What settings and arguments were called once is still read."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM
from lstm_lab.explore import (
    EXPLORABLES,
    BPTTExplorer,
    CellExplorer,
    FamilyExplorer,
    SequenceExplorer,
    TextExplorer,
    WeightExplorer,
)
from lstm_lab.models import LanguageModel
from tests.explore.page import state

X = np.linspace(-1, 1, 12)
MODEL = LanguageModel.new("\nabc ()", 6, seed=0)
GIVEN = {"layer": LSTM(1, 4, seed=0), "x": X}

# A class; what it took once, and what it takes for the same now; settings beside; the old line.
RENAMED = [
    (
        BPTTExplorer,
        {"x": X, "wish": X},
        {"x": X, "target": X},
        {"updates": 3},
        "BPTTExplorer(x=x, wish=wish, updates=3)",
    ),
    (
        CellExplorer,
        {**GIVEN, "unit": 2},
        {**GIVEN, "layer_unit": 3},
        {"step": 5},
        "CellExplorer(layer=layer, x=x, unit=2, step=5)",
    ),
    (
        FamilyExplorer,
        {"layer": GRU(1, 4, seed=0), "unit": 1},
        {"layer": GRU(1, 4, seed=0), "layer_unit": 2},
        {"b_f": 1.0},
        "FamilyExplorer(layer=layer, unit=1, b_f=1)",
    ),
    (
        SequenceExplorer,
        {**GIVEN, "unit": 3},
        {**GIVEN, "layer_unit": 4},
        {"step": 5},
        "SequenceExplorer(layer=layer, x=x, unit=3, step=5)",
    ),
    (
        TextExplorer,
        {"model": MODEL, "cell": 3},
        {"model": MODEL, "unit": 4},
        {"text": "ab (c)", "at": 4},
        "TextExplorer(model=model, at=4, cell=3, text='ab (c)')",
    ),
    (
        WeightExplorer,
        {"unit": 1, "column": 4},
        {"row": 2, "source": 5},
        {"delta": 0.5},
        "WeightExplorer(unit=1, column=4, delta=0.5)",
    ),
]

each = pytest.mark.parametrize(
    ("kind", "once", "now", "settings", "line"), RENAMED, ids=lambda v: getattr(v, "__name__", "")
)


def test_every_class_with_old_names_is_tried():
    assert [kind for kind in EXPLORABLES if kind.renamed] == [kind for kind, *_ in RENAMED]


@each
def test_an_old_call_makes_the_same(kind, once, now, settings, line):
    old, new = kind(**once, **settings), kind(**now, **settings)
    assert old.setting == new.setting
    np.testing.assert_equal(old.values(), new.values())


@each
def test_an_old_line_is_read_here_and_in_the_browser(kind, once, now, settings, line, node):
    expected = kind(**now, **settings).settings()
    widget = kind(**{name: now[name] for name in now if name not in ("row", "source", "unit")})
    assert widget.settings() != expected
    widget.setting = line
    assert widget.settings() == expected
    arguments = [line, kind.__name__, dict(widget._arguments), widget._specs, widget._renamed]
    said, values = node("frontend/setting.js", [["faultOf", arguments], ["readSetting", arguments]])
    assert said == ""
    assert {**widget._defaults, **values} == expected


def test_an_old_line_of_another_unit_is_refused(node):
    widget = CellExplorer(**GIVEN, layer_unit=3)
    for line in ("CellExplorer(layer=layer, unit=3)", "CellExplorer(layer=layer, layer_unit=2)"):
        with pytest.raises(ValueError, match="expected layer_unit=3, which cannot be changed"):
            widget.setting = line
        arguments = [line, "CellExplorer", dict(widget._arguments), {}, widget._renamed]
        [said] = node("frontend/setting.js", [["faultOf", arguments]])
        assert said == "expected layer_unit=3, which cannot be changed"


def test_a_name_and_its_old_name_are_one_too_many():
    layer = LSTM(1, 4, seed=0)
    for kind in (CellExplorer, SequenceExplorer, FamilyExplorer):
        with pytest.raises(TypeError, match=f"{kind.__name__}: layer_unit is given twice"):
            kind(layer=layer, unit=2, layer_unit=1 + 1)
    with pytest.raises(TypeError, match="BPTTExplorer: target is given twice"):
        BPTTExplorer(x=X, wish=X, target=X)
    with pytest.raises(TypeError, match="row is given twice, once as unit"):
        WeightExplorer(row=1, unit=0)
    with pytest.raises(ValueError, match="expected every name once, got unit"):
        WeightExplorer().setting = "WeightExplorer(row=1, unit=0)"


def test_an_old_line_is_applied_in_the_page(show):
    page = show(WeightExplorer())
    page.get_by_role("button", name="Setting").press("Enter")
    field = page.get_by_role("textbox", name="Setting")
    field.fill('WeightExplorer(gate="f", unit=1, column=4)')
    field.press("Enter")
    now = state(page)
    assert (now["gate"], now["row"], now["source"]) == ("f", 2, 5)
