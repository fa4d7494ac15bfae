"""One step of one LSTM unit, with every number to hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from ..core.base import Explorable, choice, control
from ..core.bundle import module, styles
from ..core.lstm import BLOCKS, CELL_LEVELS, QUANTITIES, lstm_trace
from ..core.signals import input_signal
from ..core.user_layer import UserLayer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM

HERE = Path(__file__).parent


class CellExplorer(Explorable):
    """One step of a scalar LSTM unit as pipes and valves.

    The cell state flows from left to right; the forget gate is a valve on its pipe, the input
    gate a valve on the candidate's, the output gate one on the way to the hidden state.

    With a layer, it is one step of one of the layer's units: `step` goes through the input, what
    was before comes from the layer, and the bias sliders ask what if, at this step alone.

    Parameters
    ----------
    layer : LSTM, optional
        A layer of the reader's: its first layer, forward direction.
    x : float, or array_like if there is a layer
        Input x_t, -3 to 3. What goes into the layer: (T,), (T, D) or (T, 1, D), T up to 500;
        needed if D is not 1, else two pulses over 100 steps.
    layer_unit : int, default 1
        Which unit of ``layer``, from 1.
    h_prev : float
        Old hidden state h_{t-1}, -1 to 1.
    c_prev : float
        Old cell state c_{t-1}, -1000 to 1000; its slider reaches from -3 to 3.
    b_i, b_f, b_o, b_g : float
        Biases of input gate, forget gate, output gate and candidate, -20 to 20; the sliders
        reach from -8 to 8.
    w_i, w_f, w_o, w_g, u_i, u_f, u_o, u_g : float
        Weights from the input (w) and from the old hidden state (u), -5 to 5.
    selected : {"i", "f", "o", "g", "c", "h"}
        Whose formula is shown.
    step : int
        The number of the step, from 1; `advance` counts it up. Of a layer, the last step is
        shown for all that come after it.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a layer or an input that cannot be shown, and why.
    """

    title = "One step of an LSTM cell"
    levels = ("", *CELL_LEVELS)
    renamed: ClassVar = {"unit": ("layer_unit", 1)}
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    x = control(1.0, -3, 3, 0.05)
    h_prev = control(0.0, -1, 1, 0.02)
    c_prev = control(1.0, -1000, 1000, 0.05)
    b_f = control(1.0, -20, 20)
    b_i = control(0.0, -20, 20)
    b_g = control(0.0, -20, 20)
    b_o = control(0.5, -20, 20)
    w_f = control(0.4, -5, 5)
    w_i = control(0.8, -5, 5)
    w_g = control(1.2, -5, 5)
    w_o = control(0.5, -5, 5)
    u_f = control(0.3, -5, 5)
    u_i = control(0.2, -5, 5)
    u_g = control(-0.4, -5, 5)
    u_o = control(0.3, -5, 5)
    selected = choice(tuple(QUANTITIES), "f", view=True)
    step = control(1, 1, 1_000_000, 1, whole=True, view=True)

    _shape = traitlets.Dict({"D": 1, "H": 1, "unit": 0}).tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)
    _input = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        layer: LSTM | None = None,
        x: float | ArrayLike | None = None,
        *,
        layer_unit: int = 1,
        **settings: Any,
    ):
        settings = self.current(settings)
        unit = self.argument(settings, "layer_unit", layer_unit, 1)
        if layer is None:
            self._user = UserLayer(None, None, unit)
            settings |= {} if x is None else {"x": x}
        elif x is None and getattr(layer, "input_size", 0) == 1:
            self._user = UserLayer(layer, input_signal("two pulses", 100, 10), unit)
            del self._user.arguments["x"]
        else:
            self._user = UserLayer(layer, x, unit)
        super().__init__(
            **settings,
            _defaults=self._user.biases,
            _arguments=self._user.arguments,
            **self._user.traits(),
        )

    def _now(self) -> tuple[np.ndarray, float]:
        """The pre-activations without biases, (4,), and the old cell state."""
        user = self._user
        if user.weights is None:
            a = self.gate_numbers("w") * self.x + self.gate_numbers("u") * self.h_prev
            return a, self.c_prev
        weight_x, weight_h, bias = (a.astype("float64") for a in user.weights)
        t, rows = min(self.step, len(user.x)) - 1, user.unit + user.hidden * np.arange(4)
        trace = lstm_trace(weight_x, weight_h, bias, user.x[: t + 1])
        h = trace.hidden[t - 1, 0] if t else np.zeros(user.hidden)
        c = trace.cell[t - 1, 0, user.unit] if t else 0.0
        return weight_x[rows] @ user.x[t] + weight_h[rows] @ h, float(c)

    def values(self) -> dict[str, float]:
        """The step's numbers, computed by the library's own LSTM in float64.

        Returns
        -------
        dict of float
            ``i, f, o, g, c, h``, and the pre-activations ``a_i, a_f, a_o, a_g``.
        """
        before, c_prev = self._now()
        a = before + self.gate_numbers("b")
        # A unit that sees nothing and whose biases are the pre-activations takes the same step.
        trace = lstm_trace(np.zeros((4, 1)), np.zeros((4, 1)), a, np.zeros((1, 1)), 0.0, c_prev)
        values = {q: getattr(trace, name).item() for q, name in QUANTITIES.items()}
        return values | {f"a_{q}": float(each) for q, each in zip(BLOCKS, a, strict=True)}

    def advance(self) -> None:
        """One step on in time: the new cell state and hidden state become the old ones."""
        if self._user.weights is not None:
            self.step = min(self.step + 1, len(self._user.x))
            return
        new = self.values()
        with self.hold_sync():
            self.c_prev = float(np.clip(new["c"], -1000, 1000))
            self.h_prev, self.step = new["h"], self.step + 1
