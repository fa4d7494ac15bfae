"""How the tests try GradientFlowExplorer."""

import math

import numpy as np

from lstm_lab.explore import GradientFlowExplorer
from lstm_lab.explore.gradient_flow.widget import ZERO
from tests.explore.cases import Case

# Rounding errors of the states grow as the gradient does: beyond 10^CHAOS two computers part. And
# where a cell state is beyond SATURATED, 1 - tanh² c is nothing but the rounding error of tanh c.
CHAOS, SATURATED = 5, 10


def power(log):
    """A number as the picture writes it, two digits, from its log10."""
    if log <= ZERO:
        return "0"
    if -3 < log < 5:
        return f"{10**log:.{max(0, 1 - math.floor(log + 1e-9))}f}"
    ten = math.floor(log + 1e-9)
    front = f"{10 ** (log - ten):.1f}"
    if front == "10.0":
        front, ten = "1.0", ten + 1
    return f"{front}·10{str(ten).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def shown(widget):
    name = f"Yours: forget bias {widget.b_f:.1f}".replace("-", "−")
    return [
        f"{name}: {power(widget.values()['own_left'])}",
        f"‖∂L/∂h‖ is 1 at the last of {widget.length} steps",
    ]


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
        for name in ("left", "read"):
            got = ZERO if network[name] is None else max(network[name], ZERO)
            np.testing.assert_allclose(got, values[f"{key}_{name}"], atol=1e-4, err_msg=key)


def js(widget):
    numbers = np.frombuffer(widget._numbers, "<f4").tolist()
    given = np.frombuffer(widget._input, "<f4").tolist()
    return "gradient_flow/flow.js", "runFlow", [widget.settings(), [widget._shape, numbers, given]]


CASE = Case(
    GradientFlowExplorer,
    drag="b_f",
    shown=shown,
    hidden=frozenset({"network", "unit"}),
    js=js,
    same=same,
    large=lambda: GradientFlowExplorer(length=1000),
)
