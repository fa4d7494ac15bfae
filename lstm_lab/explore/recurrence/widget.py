"""A plain recurrent unit, unrolled in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core.base import Explorable, choice, control
from ..core.bundle import module
from ..core.signals import input_signal

HERE = Path(__file__).parent

INPUTS = ("impulse", "two pulses", "step", "sine", "noise")
PERIOD = 8


class RecurrenceExplorer(Explorable):
    """One unit of a plain recurrent network, unrolled: h_t = tanh(w x_t + u h_{t-1} + b).

    Below the chain, how much each input still counts in the last hidden state: dh_T/dx_s.

    Parameters
    ----------
    preset : {"impulse", "two pulses", "step", "sine", "noise"}
        The input.
    length : int
        Steps T, 2 to 100.
    w, u, b : float
        Weight of the input, of the hidden state before, and the bias; -5 to 5, u -3 to 3.
    step : int
        The step that is read, counted from 1; past the end, the last one is read.

    Raises
    ------
    traitlets.TraitError
        A value out of its range.

    Notes
    -----
    Elman 1990, doi:10.1207/s15516709cog1402_1, with one unit.
    """

    title = "A recurrent unit, unrolled in time"
    levels = ("", "step", "step/input", "step/hidden")

    _esm = module(HERE / "widget.js")

    preset = choice(INPUTS)
    length = control(12, 2, 100, 1, whole=True)
    w = control(1.5, -5, 5)
    u = control(0.8, -3, 3)
    b = control(0.0, -5, 5)
    step = control(4, 1, 100, 1, whole=True, view=True)

    def values(self) -> dict[str, np.ndarray]:
        """The unit's numbers, by the library's own RNN in float64.

        Returns
        -------
        dict
            ``x``, ``h`` and ``influence``, which is dh_T/dx_s; each (T,).
        """
        from ...layers import RNN

        x = input_signal(self.preset, self.length, PERIOD)
        params = {"weight_x_l0": [[self.w]], "weight_h_l0": [[self.u]], "bias_l0": [self.b]}
        where = {"dtype": "float64", "backend": "numpy"}
        rnn = RNN.from_params(params, input_size=1, hidden_size=1, **where)
        y, trace = rnn.forward(x[:, None, None])
        last = np.zeros_like(y)
        last[-1] = 1
        return {"x": x, "h": y[:, 0, 0], "influence": rnn.backward(last, trace).x[:, 0, 0]}
