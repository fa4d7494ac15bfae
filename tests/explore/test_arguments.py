"""What an explorable takes beside its settings: nonsense is refused by name."""

from __future__ import annotations

import inspect
import json
import re

import numpy as np
import pytest
import traitlets

from lstm_lab import LSTM, Linear, losses
from lstm_lab.explore import EXPLORABLES, Question, Quiz

THING = object()
OBJECT = (3, "a", THING)
ARRAY = ("a", THING, [[1], [1, 2]], np.zeros((0, 1)), np.full((4, 1), np.nan))
REFUSED = {
    "layer": (*OBJECT, LSTM, Linear(1, 2), LSTM(1, 2, peepholes=True)),
    "model": OBJECT,
    "head": (*OBJECT, LSTM(1, 2)),
    "loss": (3, "a"),
    "layer_unit": (0, 3, -1, 0.5, "a", None, True, [1], THING),
    "lengths": (3.5, "a", [0], [99], THING),
    "labels": (3, THING),
    "x": ARRAY,
    "target": ARRAY,
    "attention": ARRAY,
    "words": (3, "a", THING, ("a",), ("ab", "abc"), (["a", 3], ["b"])),
    "table": (3, "a", THING, {"": 3}, {"a": {"b": 1.0}}, {"": {}}),
    "log_probs": ARRAY,
    "measured": (3, *ARRAY),
}
# Some take what others do not.
TAKEN = {
    ("AlignmentExplorer", "target"): ("a",),
    ("FamilyExplorer", "layer"): (REFUSED["layer"][-1],),
}
# What an argument needs beside it.
LAYER = {"layer": LSTM(1, 2), "x": np.zeros((4, 1))}
BESIDE = {
    "AlignmentExplorer": {"log_probs": np.full((4, 1, 3), np.log(1 / 3)), "target": [1]},
    "BPTTExplorer": {"x": np.zeros((4, 1))},
    "BidirectionalExplorer": LAYER,
    "CellExplorer": LAYER,
    "FamilyExplorer": {"layer": LSTM(1, 2)},
    "GateSurgery": LAYER | {"head": Linear(2, 1)},
    "GradientFlowExplorer": LAYER,
    "SequenceExplorer": LAYER,
    "TrainingExplorer": {
        "model": Linear(1, 2),
        "x": np.zeros((4, 5, 1)),
        "target": np.zeros((4, 5, 2)),
        "loss": losses.mse,
    },
    "WeightExplorer": LAYER | {"head": Linear(2, 1)},
}


def own(kind):
    """The constructor's arguments that are no settings."""
    return [
        name
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and not name.startswith("_")
    ]


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        pytest.param(kind, argument, id=f"{kind.__name__}-{argument}")
        for kind in EXPLORABLES
        for argument in own(kind)
    ],
)
def test_nonsense_is_refused_by_name(kind, argument):
    beside = BESIDE.get(kind.__name__, {})
    taken = TAKEN.get((kind.__name__, argument), ())
    for value in REFUSED.get(argument, OBJECT):
        if any(value is each for each in taken):
            continue
        with pytest.raises((TypeError, ValueError, traitlets.TraitError)) as caught:
            kind(**{**beside, argument: value}).close()
        said = str(caught.value)
        assert re.search(rf"\b{argument}\b", said), f"{argument}={value!r}: {said}"


@pytest.mark.parametrize("kind", EXPLORABLES)
def test_what_is_right_is_taken(kind):
    kind(**BESIDE.get(kind.__name__, {})).close()


@pytest.mark.parametrize("kind", [kind for kind in EXPLORABLES if "layer_unit" in own(kind)])
def test_a_unit_may_be_numpys(kind):
    widget = kind(**{**BESIDE[kind.__name__], "layer_unit": np.int64(2)})
    assert "layer_unit=2)" in widget.setting
    json.dumps(widget._shape)
    widget.close()


@pytest.mark.parametrize("questions", [(), (3,), ("a",), (Question,)])
def test_a_quiz_is_made_of_questions(questions):
    with pytest.raises(TypeError, match="questions"):
        Quiz(*questions)
