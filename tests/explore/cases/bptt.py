"""How the tests try BPTTExplorer."""

import numpy as np

from lstm_lab.explore import BPTTExplorer
from tests.explore.cases import Case


def shown(widget):
    return [f"The loss of the whole sequence is {widget.values()['total']:.4f}"]


def same(js, widget):
    for name, value in widget.values().items():
        got = np.asarray(js[name], dtype=float)
        np.testing.assert_allclose(got, np.squeeze(np.ravel(value)), atol=1e-5, err_msg=name)


def js(widget):
    parts = [np.frombuffer(b, "<f4").tolist() for b in (widget._numbers, widget._input)]
    target = [None if np.isnan(v) else float(v) for v in np.frombuffer(widget._target, "<f4")]
    return "bptt/unroll.js", "runUnroll", [widget.settings(), [widget._shape, *parts, target]]


CASE = Case(
    BPTTExplorer,
    drag="b_f",
    shown=shown,
    hidden=frozenset({"step"}),
    js=js,
    same=same,
    large=lambda: BPTTExplorer(length=12, hidden=3, updates=100),
)
