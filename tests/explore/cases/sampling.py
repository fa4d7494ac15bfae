"""How the tests try SamplingExplorer."""

import re

import numpy as np

from lstm_lab.explore import SamplingExplorer
from lstm_lab.models import LanguageModel
from tests.explore.cases import Case

ROWS = ("p", "heated", "replaced", "blanked", "product", "norm")


def shown(explorer):
    values = explorer.values()
    if explorer.path:
        asked = {" ": "␣", "\n": "↵"}.get(values["asked"], values["asked"])
        return [f"“{asked}” is predicted with "]
    written = values["written"]
    told = written[:60] + "…" * (len(written) > 60)
    return [
        f"there are {values['choices']:.1f} effective choices",
        # One blank stands for several.
        "It goes on with “" + re.sub(" +", " ", told.replace("\n", "↵")) + "”",
    ]


def same(answer, explorer):
    values = explorer.values()
    for name in ("written", "beside", "asked"):
        assert answer[name] == values[name], name
    for name in (*ROWS, "cut", "choices"):
        np.testing.assert_allclose(answer[name], values[name], rtol=0, atol=1e-5, err_msg=name)


def js(explorer):
    net, weight = (
        np.frombuffer(numbers, "<f4").tolist() for numbers in (explorer._net, explorer._weight_x)
    )
    given = [explorer.settings(), explorer._alphabet, explorer._cells, net, weight]
    return "sampling/run.js", "numbersOf", given


def large():
    alphabet = "\n" + "".join(map(chr, range(32, 127)))
    return SamplingExplorer(LanguageModel.new(alphabet, 192, seed=0))


CASE = Case(
    SamplingExplorer,
    drag="temperature",
    shown=shown,
    way=70,
    js=js,
    same=same,
    large=large,
    # Where one character more or less, or a little less of the nucleus, is to be seen.
    lively={"top_k": 12, "top_p": 1.0},
    # They are inside, at "connectivity".
    hidden=frozenset({"at", "measure"}),
    still=frozenset({"at", "measure"}),
)
