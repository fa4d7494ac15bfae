"""How the tests try GradientFlowExplorer."""

import numpy as np

from lstm_lab.explore import GradientFlowExplorer
from lstm_lab.explore.gradient_flow import ZERO
from tests.explore.cases import Case

# Rounding errors of the states grow as the gradient does: beyond 10^CHAOS two computers part. And
# where a cell state is beyond SATURATED, 1 - tanh² c is nothing but the rounding error of tanh c.
CHAOS, SATURATED = 5, 10


def shown(widget):
    half = widget.values()["own_half"]
    name = f"Yours: forget bias {widget.b_f:.1f}".replace("-", "−")
    return [f"{name}: half of it is gone after {half:.1f} step", f"Over {widget.length} steps"]


def same(js, widget):
    values, networks = widget.values(), widget.networks()
    x = widget._x[: widget.length, None]
    for network in js:
        key = network["key"]
        _, trace = networks[key].forward(x)
        largest = np.abs(trace.cell).max() if f"{key}_c" in values else 0
        if values[f"{key}_h"].max() > CHAOS or largest > SATURATED:
            continue
        for name in ("h", "c", "direct"):
            if f"{key}_{name}" in values:
                got = [ZERO if v is None else max(v, ZERO) for v in network[name]]
                expected = values[f"{key}_{name}"]
                np.testing.assert_allclose(got, expected, atol=1e-4, err_msg=f"{key}_{name}")
        steps = len(values[f"{key}_h"])
        half = steps if network["half"] is None else min(network["half"], steps)
        np.testing.assert_allclose(half, values[f"{key}_half"], rtol=1e-4, err_msg=key)


def js(widget):
    numbers = np.frombuffer(widget._numbers, "<f4").tolist()
    given = np.frombuffer(widget._input, "<f4").tolist()
    return "flow.js", "runFlow", [widget.settings(), [widget._shape, numbers, given]]


CASE = Case(
    GradientFlowExplorer,
    drag="b_f",
    shown=shown,
    hidden=frozenset({"network", "unit"}),
    js=js,
    same=same,
    large=lambda: GradientFlowExplorer(length=1000),
)
