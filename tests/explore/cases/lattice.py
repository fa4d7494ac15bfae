"""How the tests try LatticeExplorer."""

import json

import numpy as np

from lstm_lab.explore import LatticeExplorer
from lstm_lab.explore.lattice.emissions import shipped
from tests.explore.cases import Case


def shown(explorer):
    values, tags, words = explorer.values(), shipped().tags, explorer.words()
    step = min(explorer.step, len(words))
    best = f"{values['best'][step - 1, tags.index(explorer.tag)]:.1f}".replace("-", "−")
    node = f"into {explorer.tag} at “{words[step - 1]}” has score {best}"
    if step < len(words):
        return [f"{len(words)} words, {step} computed", node, "is known when all are"]
    row = " ".join(tags[k] for k in values["path"])
    return [node, f"The best row of tags: {row};", f"It breaks {values['illegal']} rules"]


def arguments(explorer):
    """The setting, and what the view makes of the synced tagger, for Node."""
    tagger = json.loads(explorer._tagger)
    weights = shipped().weights.ravel().tolist()
    return [explorer.settings(), tagger, weights]


def same(js, explorer):
    values = explorer.values()
    np.testing.assert_allclose(js["emissions"], values["emissions"].ravel(), atol=1e-6)
    for name in ("edges", "best"):  # JSON has no infinity: null is what it makes of one
        mine = np.array([-1e30 if v is None else v for v in js[name]])
        np.testing.assert_allclose(mine, values[name].ravel(), atol=1e-6, err_msg=name)
    for name in ("path", "alone"):
        assert js[name] == values[name].tolist(), name
    np.testing.assert_allclose(js["score"], values["score"], atol=1e-6)
    np.testing.assert_allclose(js["probability"], values["probability"], rtol=1e-6)
    assert js["illegal"] == values["illegal"]


CASE = Case(
    LatticeExplorer,
    drag="step",
    shown=shown,
    hidden=frozenset({"edits"}),
    js=lambda explorer: ("lattice/widget.js", "runWith", arguments(explorer)),
    same=same,
)
