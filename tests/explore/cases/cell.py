"""How the tests try CellExplorer."""

import numpy as np

from lstm_lab.explore import CellExplorer
from tests.explore.cases import Case


def shown(cell):
    values = cell.values()
    return [f"Forget gate {values['f']:.2f} keeps", f"the new cell state is {values['c']:.2f}"]


def same(js, cell):
    for name, value in cell.values().items():
        np.testing.assert_allclose(js[name], value, rtol=1e-6, atol=1e-9, err_msg=name)


CASE = Case(
    CellExplorer,
    drag="b_f",
    shown=shown,
    lively={"h_prev": 0.4},
    hidden=frozenset({"step", "selected"}),
    js=lambda cell: ("frontend/stage/model.js", "cellStep", [cell.settings()]),
    same=same,
)
