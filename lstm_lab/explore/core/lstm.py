"""An LSTM as the pictures show it: its quantities, its trace, what a cell opens into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...layers import Trace

#: The gates of the row blocks, in the library's order.
BLOCKS = "oifg"

#: The letters of the quantities, and their names in a trace.
QUANTITIES = {
    "i": "input_gate",
    "f": "forget_gate",
    "o": "output_gate",
    "g": "candidate",
    "c": "cell",
    "h": "hidden",
}

_PRODUCTS = {"c": ("kept", "new"), "h": ("shown",)}

#: What the picture of a cell opens into: a quantity, and in it one product.
CELL_LEVELS = tuple(
    path
    for q in "figoch"
    for path in (q, *(f"{q}/{key}" for key in _PRODUCTS.get(q, ("input", "hidden"))))
)

FLOPS_PER_UNIT = 19
"""Additions, multiplications and tanhs of `lstm_lab.cells.lstm_forward` for one unit."""


def lstm_trace(
    weight_x: np.ndarray,
    weight_h: np.ndarray,
    bias: np.ndarray,
    x: np.ndarray,
    h: float | np.ndarray = 0.0,
    c: float | np.ndarray = 0.0,
) -> Trace:
    """The trace of an LSTM with these weights over x.

    Parameters
    ----------
    weight_x : array (4H, D)
    weight_h : array (4H, H)
    bias : array (4H,)
    x : array (T, D)
    h, c : float or array (H,)
        Initial state of every unit, or of each.
    """
    from ...layers import LSTM

    hidden, features = weight_h.shape[1], weight_x.shape[1]
    params = {"weight_x_l0": weight_x, "weight_h_l0": weight_h, "bias_l0": bias}
    lstm = LSTM.from_params(
        params, input_size=features, hidden_size=hidden, backend="numpy", dtype="float64"
    )
    state = tuple(np.full((1, 1, hidden), start, "float64") for start in (h, c))
    return lstm.forward(np.ascontiguousarray(x, dtype="float64")[:, None, :], state)[1]
