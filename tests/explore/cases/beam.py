"""How the tests try BeamExplorer."""

import numpy as np

from lstm_lab.explore import BeamExplorer
from tests.explore.cases import Case


def percent(share):
    """As format.js writes a share between a hundredth and all."""
    value = 100 * share
    if value == 100:
        return "100.0 %"
    digits = 2 if value < 1 else 1 if value < 10 or value > 99 else 0
    return f"{value:.{digits}f} %"


def shown(explorer):
    values = explorer.values()
    name = "Greedy search" if explorer.width == 1 else f"A beam of {explorer.width}"
    taken = len(values["levels"])
    if explorer.steps == 0:
        return [f"{name} has not begun; it takes {taken} steps."]
    if explorer.steps < taken:
        level = values["levels"][explorer.steps - 1]
        return [
            f"{name}, step {explorer.steps} of {taken}",
            f"{level[0][0]}” {percent(level[0][1])}",
        ]
    return [f"{name} finds “{values['best'][0][0]}”, {percent(values['probability'])}."]


def same(js, explorer):
    values = explorer.values()
    assert [one["text"] for one in js["best"]] == [one[0] for one in values["best"]]
    for one, (_, probability, score, complete) in zip(js["best"], values["best"], strict=True):
        np.testing.assert_allclose(np.exp(one["logp"]), probability, rtol=1e-12)
        np.testing.assert_allclose(one["score"], score, rtol=1e-12, atol=1e-12)
        assert one["complete"] == complete
    np.testing.assert_allclose(np.exp(js["likeliest"]["logp"]), values["likeliest"], rtol=1e-12)
    assert len(js["levels"]) == len(values["levels"])
    for level, wanted in zip(js["levels"], values["levels"], strict=True):
        found = [(one["text"], one["fate"]) for one in level]
        assert found == [(text, fate) for text, _, fate in wanted]
        np.testing.assert_allclose(
            np.exp([one["logp"] for one in level]), [p for _, p, _ in wanted], rtol=1e-12
        )


CASE = Case(
    BeamExplorer,
    drag="width",
    way=70,
    shown=shown,
    lively={"source": "thank you very much", "width": 2, "steps": 2},
    js=lambda explorer: (
        "beam/widget.js",
        "runBeam",
        [explorer.settings(), dict(explorer._own_tables)],
    ),
    same=same,
)
