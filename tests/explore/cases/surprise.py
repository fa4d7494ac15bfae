"""How the tests try SurpriseExplorer."""

from functools import cache

import numpy as np

from lstm_lab.data import ALPHABET
from lstm_lab.explore import SurpriseExplorer
from lstm_lab.models import LanguageModel
from tests.explore.cases import Case

CORPUS = (
    "If the object is a class instance, its methods are found first. The object has a name, and "
    "the name is an attribute of the object. "
) * 3


@cache
def model():
    """A small network that is sure of itself."""
    made = LanguageModel.new(ALPHABET, 9, 5, seed=0, backend="numpy")
    for array in made.network.params.values():
        array[...] *= 3
    return made


def shown(explorer):
    values = explorer.values()
    return [
        f"LSTM {values['lstm_bits']:.1f} bits",
        f"counting {values['counting_bits']:.1f} bits",
    ]


def js(explorer):
    numbers = np.frombuffer(explorer._net, "<f4").tolist()
    net = [explorer._alphabet, explorer._cells, numbers]
    read = list(explorer._read)
    return "surprise/model.js", "numbersOf", [explorer.settings(), *net, read, explorer._order]


def same(answer, explorer):
    values = explorer.values()
    for name in ("lstm", "counting", "lstm_next", "counting_next"):
        np.testing.assert_allclose(answer[name], values[name], rtol=0, atol=1e-5, err_msg=name)


def make(**settings):
    return SurpriseExplorer(model(), CORPUS, **settings)


CASE = Case(
    SurpriseExplorer,
    drag="context",
    shown=shown,
    make=make,
    js=js,
    same=same,
)
