"""How the tests try WeightExplorer."""

import numpy as np

from lstm_lab import LSTM
from lstm_lab.explore import WeightExplorer
from tests.explore.cases import Case


def shown(explorer):
    values = explorer.values()
    weight = f"{values['weight']:.2f}".replace("-", "−")
    return [f"is {weight}, moved by", f"averages {values['mean']:.3f}."]


def same(answer, explorer):
    for name, value in explorer.values().items():
        np.testing.assert_allclose(
            answer[name], np.ravel(value), rtol=1e-5, atol=1e-5, err_msg=name
        )


def js(explorer):
    net = [explorer._shape, np.frombuffer(explorer._net, "<f4").tolist()]
    return "weights/net.js", "weightNumbers", [explorer.settings(), *net]


def large():
    return WeightExplorer(layer=LSTM(2, 78, seed=0))


CASE = Case(WeightExplorer, drag="delta", shown=shown, js=js, same=same, large=large)
