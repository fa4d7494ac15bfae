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
    taken = values["step"].max()
    if explorer.steps == 0:
        return [f"{name} has not begun; it takes {taken} steps."]
    if explorer.steps < taken:
        first = int((values["step"] == explorer.steps).argmax())
        kept = f"“{values['text'][first]}” {percent(values['probability'][first])}"
        return [f"{name}, step {explorer.steps} of {taken}", kept]
    return [f"{name} finds “{values['best_text'][0]}”, {percent(values['found'])}."]


def same(js, explorer):
    values = explorer.values()
    best = js["best"]
    assert [one["text"] for one in best] == values["best_text"].tolist()
    assert [one["complete"] for one in best] == values["complete"].tolist()
    close = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(
        np.exp([one["logp"] for one in best]), values["best_probability"], **close
    )
    np.testing.assert_allclose([one["score"] for one in best], values["best_score"], **close)
    np.testing.assert_allclose(np.exp(js["likeliest"]["logp"]), values["likeliest"], **close)
    branches = [(k, one) for k, level in enumerate(js["levels"], 1) for one in level]
    assert [k for k, _ in branches] == values["step"].tolist()
    assert [one["text"] for _, one in branches] == values["text"].tolist()
    assert [one["fate"] for _, one in branches] == values["fate"].tolist()
    found = np.exp([one["logp"] for _, one in branches])
    np.testing.assert_allclose(found, values["probability"], **close)


CASE = Case(
    BeamExplorer,
    drag="width",
    way=70,
    shown=shown,
    lively={"source": "thank you very much", "width": 2},
    js=lambda explorer: (
        "beam/widget.js",
        "runBeam",
        [explorer.settings(), dict(explorer._own_tables)],
    ),
    same=same,
)
