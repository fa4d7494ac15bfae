"""How the tests try AlignmentExplorer."""

import numpy as np

from lstm_lab.explore import AlignmentExplorer
from lstm_lab.explore.alignment.widget import _LOOKUP
from tests.explore.cases import Case


def shown(explorer):
    values = explorer.values()
    greedy = "".join(explorer._own_symbols[k] for k in values["greedy"])
    return [f"the loss is {values['loss']:.3f}", f"Greedy decoding reads “{greedy}”"]


def own(explorer):
    """What the view makes of the synced buffers, for Node."""
    scores = {name: array.ravel().tolist() for name, array in explorer._logits.items()}
    steps, classes = next(iter(explorer._logits.values())).shape
    symbols = list(explorer._own_symbols)
    return {"T": steps, "K": classes, "symbols": symbols, "scores": scores, "lookup": _LOOKUP}


def logarithm(values):
    """JSON has no infinity: null is what it makes of one."""
    return np.array([-1e30 if v is None else v for v in values])


def same(js, explorer):
    values = explorer.values()
    if explorer.mode == "attention":
        for name in ("weights", "context"):
            np.testing.assert_allclose(js[name], np.ravel(values[name]), atol=1e-6)
        return
    for name in ("y", "gamma", "gradient"):
        np.testing.assert_allclose(js[name], np.ravel(values[name]), atol=1e-6, err_msg=name)
    for name, mine in (("logAlpha", "log_alpha"), ("logBeta", "log_beta")):
        expected = np.ravel(values[mine])
        dead = expected < -1e29
        got = logarithm(js[name])
        assert (got[dead] == -1e30).all(), name
        np.testing.assert_allclose(got[~dead], expected[~dead], atol=1e-6, err_msg=name)
    assert ("loss" in values) == (js["loss"] is not None)
    if "loss" in values:
        np.testing.assert_allclose(js["loss"], values["loss"], atol=1e-6)
        assert js["best"] == values["path"].tolist()
    assert js["greedy"]["labels"] == values["greedy"].tolist()


CASE = Case(
    AlignmentExplorer,
    drag="frames",
    shown=shown,
    lively={"frames": 11},
    hidden=frozenset({"edits", "score", "scale", "query_x", "query_y", "query", "memory"}),
    js=lambda explorer: ("alignment/widget.js", "runPicture", [explorer.settings(), own(explorer)]),
    same=same,
)
