"""How the tests try SequenceExplorer."""

import numpy as np

from lstm_lab import LSTM
from lstm_lab.explore import SequenceExplorer
from tests.explore.cases import Case


def shown(sequence):
    values = sequence.values()
    return [
        f"averages {values['mean']:.3f}: half of",
        f"left after {values['half_life']:.1f} steps",
    ]


def same(js, sequence):
    for name, value in sequence.values().items():
        got = js["halfLife" if name == "half_life" else name]
        np.testing.assert_allclose(got, np.ravel(value), rtol=1e-6, atol=1e-9, err_msg=name)


def large():
    """A reader's own layer of 40 units, over 500 steps."""
    layer = LSTM(1, 40, seed=0)
    return SequenceExplorer(layer, layer_unit=4, preset="noise", length=500)


CASE = Case(
    SequenceExplorer,
    drag="b_f",
    shown=shown,
    lively={"preset": "spikes", "match": "counter"},
    hidden=frozenset({"drawn"}),
    js=lambda sequence: ("sequence/model.js", "runSequence", [sequence.settings()]),
    same=same,
    large=large,
)
