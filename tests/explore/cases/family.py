"""How the tests try FamilyExplorer."""

import numpy as np

from lstm_lab import LSTM
from lstm_lab.explore import FamilyExplorer
from tests.explore.cases import Case


def shown(family):
    last = family.values()["cell1997_c"][-1]
    return [f"cell of 1997 {last:.2f}".replace("-", "−"), f"At the end of {family.length} steps"]


def same(js, family):
    values = family.values()
    np.testing.assert_allclose(js["x"], values.pop("x"), atol=1e-12)
    for name, value in values.items():
        key, _, q = name.partition("_")
        # A share of the largest difference, which may be as small as 10⁹ rounding errors.
        atol = 1e-6 if q == "left" else 1e-9
        got = js["variants"][key][q]
        np.testing.assert_allclose(got, value, rtol=1e-6, atol=atol, err_msg=name)


def js(family):
    numbers = np.frombuffer(family._net, "<f4").tolist()
    return "family/variants.js", "familyNumbers", [family.settings(), family._shape, numbers]


CASE = Case(
    FamilyExplorer,
    drag="b_f",
    way=40,
    shown=shown,
    lively={"preset": "spikes", "b_i": -1.0, "p": 0.1},
    js=js,
    same=same,
    large=lambda: FamilyExplorer(LSTM(1, 34, seed=0), layer_unit=4, length=500),
)
