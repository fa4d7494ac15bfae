"""How the tests try EnvelopeExplorer."""

import numpy as np

from lstm_lab.explore import EnvelopeExplorer
from lstm_lab.explore.envelope.envelopes import shipped
from tests.explore.cases import Case


def shown(explorer):
    values, envelope = explorer.values(), shipped()[explorer.envelope - 1]
    if not explorer.opened:
        return [f"{envelope['name']}", "The envelope is shut. Your forecast goes from"]
    error = f"{values['rmse_own']:.{envelope['digits'] + 1}f}"
    return [f"Your root mean squared error over twelve steps is {error}", "One envelope is one"]


def same(js, explorer):
    values = explorer.values()
    for name in ("seen", "own", "truth"):
        if name in values:
            np.testing.assert_allclose(js[name], values[name], rtol=1e-12, err_msg=name)
    errors = {f"rmse_{name}": value for name, value in js.get("errors", {}).items()}
    assert errors.keys() == {name for name in values if name.startswith("rmse")}
    for name, value in errors.items():
        np.testing.assert_allclose(value, values[name], rtol=1e-12, err_msg=name)


CASE = Case(
    EnvelopeExplorer,
    drag="envelope",
    way=40,
    shown=shown,
    lively={"envelope": 3, "drawn": "1:1 2:1.5 3:1", "opened": True},
    hidden=frozenset({"drawn", "opened"}),
    js=lambda explorer: ("envelope/model.js", "judge", [explorer.settings(), shipped()]),
    same=same,
)
