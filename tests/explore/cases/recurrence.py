"""How the tests try RecurrenceExplorer."""

import numpy as np

from lstm_lab.explore import RecurrenceExplorer
from tests.explore.cases import Case


def shown(unit):
    last = f"{unit.values()['h'][-1]:.2f}".replace("-", "−")
    first = np.flatnonzero(unit.values()["x"])[0]
    return [
        f"After {unit.length} steps the hidden state is {last.replace('−0.00', '0.00')}.",
        f"A small change of the input at step {first + 1} would change it by ",
    ]


def same(js, unit):
    for name, value in unit.values().items():
        np.testing.assert_allclose(js[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


CASE = Case(
    RecurrenceExplorer,
    drag="u",
    way=-40,
    shown=shown,
    lively={"preset": "noise"},
    js=lambda unit: ("recurrence/widget.js", "runUnit", [unit.settings()]),
    same=same,
)
