"""How the tests try TextExplorer."""

import numpy as np

from lstm_lab.explore import TextExplorer
from lstm_lab.models import LanguageModel
from tests.explore.cases import Case


def shown(explorer):
    values = explorer.values()
    first = explorer._model.vocabulary.symbols[int(values["next"].argmax())]
    return [
        f"most likely next: {'␣' if first == ' ' else first} ",
        f"The text costs {values['bits']:.2f} bits a character",
    ]


def same(answer, explorer):
    values = explorer.values()
    assert answer["written"] == values["written"]
    for name in ("colour", "bits", "next"):
        np.testing.assert_allclose(answer[name], values[name], rtol=0, atol=1e-5, err_msg=name)
    if values["r"]:
        np.testing.assert_allclose(answer["r"], values["r"], rtol=0, atol=1e-5)


def js(explorer):
    numbers = np.frombuffer(explorer._net, "<f4").tolist()
    net = [explorer._alphabet, explorer._cells, numbers]
    return "text/run.js", "numbersOf", [explorer.settings(), *net]


def large():
    return TextExplorer(LanguageModel.new("\n" + "".join(map(chr, range(32, 127))), 192, seed=0))


CASE = Case(
    TextExplorer,
    drag="temperature",
    shown=shown,
    way=70,
    js=js,
    same=same,
    large=large,
)
