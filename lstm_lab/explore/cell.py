"""One step of one LSTM unit, with every number to hand."""

from __future__ import annotations

import numpy as np

from .base import Explorable, choice, control
from .bundle import bundle
from .model import QUANTITIES, lstm_trace

#: What the picture of a cell opens into: a gate, and in it one product.
CELL_LEVELS = tuple(
    path
    for q in "figoch"
    for path in (
        q,
        *(f"{q}/{key}" for key in {"c": ("kept", "new"), "h": ("shown",)}.get(q, ("input", "hidden"))),
    )
)


class CellExplorer(Explorable):
    """One step of a scalar LSTM unit as pipes and valves.

    The cell state flows from left to right; the forget gate is a valve on its pipe, the input
    gate a valve on the candidate's, the output gate one on the way to the hidden state.

    Parameters
    ----------
    x : float
        Input x_t, -3 to 3.
    h_prev : float
        Old hidden state h_{t-1}, -1 to 1.
    c_prev : float
        Old cell state c_{t-1}, -1000 to 1000; its slider reaches from -3 to 3.
    b_i, b_f, b_o, b_g : float
        Biases of input gate, forget gate, output gate and candidate, -8 to 8.
    w_i, w_f, w_o, w_g, u_i, u_f, u_o, u_g : float
        Weights from the input (w) and from the old hidden state (u), -5 to 5.
    selected : {"i", "f", "o", "g", "c", "h"}
        Whose formula is shown.
    step : int
        The number of the step, from 1; `advance` counts it up.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError
        A setting that does not exist.
    """

    title = "One step of an LSTM cell"
    levels = ("", *CELL_LEVELS)
    _esm = bundle("cell.js")

    x = control(1.0, -3, 3, 0.05)
    h_prev = control(0.0, -1, 1, 0.02)
    c_prev = control(1.0, -1000, 1000, 0.05)
    b_f = control(1.0, -8, 8)
    b_i = control(0.0, -8, 8)
    b_g = control(0.0, -8, 8)
    b_o = control(0.5, -8, 8)
    w_f = control(0.4, -5, 5)
    w_i = control(0.8, -5, 5)
    w_g = control(1.2, -5, 5)
    w_o = control(0.5, -5, 5)
    u_f = control(0.3, -5, 5)
    u_i = control(0.2, -5, 5)
    u_g = control(-0.4, -5, 5)
    u_o = control(0.3, -5, 5)
    selected = choice(tuple(QUANTITIES), "f", view=True)
    step = control(1, 1, 1_000_000, 1, whole=True)

    def values(self) -> dict[str, float]:
        """The step's numbers, computed by the library's own LSTM in float64.

        Returns
        -------
        dict of float
            ``i, f, o, g, c, h``, and ``z_i, z_f, z_o, z_g``, the sums before the activation.
        """
        w, u, b = (self.gate_numbers(letter) for letter in "wub")
        x = np.array([[self.x]])
        trace = lstm_trace(w[:, None], u[:, None], b, x, self.h_prev, self.c_prev)
        values = {q: getattr(trace, name).item() for q, name in QUANTITIES.items()}
        sums = w * self.x + u * self.h_prev + b
        return values | {f"z_{gate}": float(z) for gate, z in zip("oifg", sums, strict=True)}

    def advance(self) -> None:
        """One step on in time: the new cell state and hidden state become the old ones."""
        new = self.values()
        with self.hold_sync():
            self.c_prev = float(np.clip(new["c"], -1000, 1000))
            self.h_prev, self.step = new["h"], self.step + 1
