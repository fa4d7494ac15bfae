"""One LSTM unit over a whole sequence, and how long it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from ..core.base import Explorable, choice, control, text
from ..core.bundle import module, styles
from ..core.lstm import CELL_LEVELS, QUANTITIES, lstm_trace
from ..core.signals import input_signal
from ..core.user_layer import LONGEST, UserLayer
from .model import drawn_signal, memory, score, target_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM

HERE = Path(__file__).parent

PRESETS = (
    "impulse", "two pulses", "step", "square", "sine", "spikes", "noise", "set and reset", "drawn",
)  # fmt: skip
BEHAVIOURS = ("latch", "counter", "integrator", "forgetting", "toggler")


class SequenceExplorer(Explorable):
    """An LSTM unit over a sequence: gates, candidate, cell and hidden state over time.

    Its gates mostly follow their biases, and input pulses get in. The memory's half-life is drawn
    where half of the first pulse is gone.

    Parameters
    ----------
    layer : LSTM, optional
        A layer of the reader's: the explorable shows one unit of its first layer, forward
        direction. The bias sliders move that unit's biases, the weights are the layer's.
    x : array_like, optional
        An input of the reader's, (T,), (T, D) or (T, 1, D), T up to 500.
    layer_unit : int, default 1
        Which unit of ``layer``, from 1.
    preset : {"impulse", "two pulses", "step", "square", "sine", "spikes", "noise", \
"set and reset", "drawn", "own"}
        The input; "drawn" is ``drawn``, "own" is ``x``.
    drawn : str
        An input drawn by hand, in runs of values from -1 to 1: ``"0*5 1 0.5*3"``; zeros follow.
    match : {"nothing", "latch", "counter", "integrator", "forgetting", "toggler"}
        A behaviour that the cell state is to follow, and is scored by: set by inputs above 0.5
        and reset by those below -0.5; one more for each above 0.5; the sum of a fifth of the
        input; 1 for ``period`` steps from an input above 0.5; flipped by each above 0.5.
    length : int
        Steps T, 2 to 500.
    period : int
        Steps from one to the next of the square wave, the sine and the spikes, 2 to 100.
    b_i, b_f, b_o, b_g : float
        Biases of input gate, forget gate, output gate and candidate, -20 to 20; the sliders
        reach from -8 to 8.
    w_i, w_f, w_o, w_g, u_i, u_f, u_o, u_g : float
        Weights from the input (w) and from the hidden state (u), -5 to 5, of the scalar unit.
    step : int
        The step that is read, counted from 1; past the end, the last one is read.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a layer or an input that cannot be shown, and why.

    Notes
    -----
    ``b_f = log(T - 1)`` makes the forget gate 1 - 1/T: a memory about T steps long
    (Tallec & Ollivier 2018, section 2).
    """

    title = "An LSTM unit over a sequence"
    renamed: ClassVar = {"unit": ("layer_unit", 1)}
    levels = ("", "cell", *(f"cell/{path}" for path in CELL_LEVELS))
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    preset = choice((*PRESETS, "own"), "two pulses")
    drawn = text(
        "",
        4000,
        empty=True,
        pattern=r"(-?(0(\.\d{1,2})?|1)(\*\d{1,3})?( |$))*",
        example="runs such as '0*5 1 0.5*3', values from -1 to 1,",
    )
    match = choice(("nothing", *BEHAVIOURS))
    length = control(100, 2, LONGEST, 1, whole=True)
    period = control(10, 2, 100, 1, whole=True)
    b_f = control(3.0, -20, 20)
    b_i = control(0.0, -20, 20)
    b_g = control(0.0, -20, 20)
    b_o = control(1.0, -20, 20)
    w_f = control(0.2, -5, 5)
    w_i = control(2.0, -5, 5)
    w_g = control(2.0, -5, 5)
    w_o = control(0.5, -5, 5)
    u_f = control(0.1, -5, 5)
    u_i = control(0.2, -5, 5)
    u_g = control(0.0, -5, 5)
    u_o = control(0.2, -5, 5)
    step = control(12, 1, LONGEST, 1, whole=True, view=True)

    _shape = traitlets.Dict({"D": 1, "H": 1, "unit": 0}).tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)
    _input = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        layer: LSTM | None = None,
        x: ArrayLike | None = None,
        *,
        layer_unit: int = 1,
        **settings: Any,
    ):
        settings = self.current(settings)
        unit = self.argument(settings, "layer_unit", layer_unit, 1)
        self._user = UserLayer(layer, x, unit)
        start = dict(self._user.biases)
        if self._user.x is not None:
            start |= {"preset": "own", "length": max(2, len(self._user.x))}
        self._presets = list(PRESETS) if self._user.features == 1 else []
        self._presets += ["own"] * (self._user.x is not None)
        super().__init__(
            **settings, _defaults=start, _arguments=self._user.arguments, **self._user.traits()
        )

    def options(self, name: str) -> Sequence[str]:
        return self._presets if name == "preset" else super().options(name)

    def values(self) -> dict[str, Any]:
        """The sequence's numbers, computed by the library's own LSTM in float64.

        Returns
        -------
        dict
            ``x`` (T, D); ``i, f, o, g, c, h``, each (T,); ``first, mean, half_life, memory,
            left``, as `lstm_lab.explore.sequence.model.memory` describes them; where there is
            something to match, ``target`` (T,) and ``score``.
        """
        if self.preset == "own":
            x = self._user.x[: self.length]
        elif self.preset == "drawn":
            x = drawn_signal(self.drawn, self.length)[:, None]
        else:
            x = input_signal(self.preset, self.length, self.period)[:, None]
        if self._user.weights is None:
            weight_x, weight_h = self.gate_numbers("w")[:, None], self.gate_numbers("u")[:, None]
            bias = np.zeros(4)
        else:
            weight_x, weight_h, bias = (a.astype("float64") for a in self._user.weights)
        bias.reshape(4, -1)[:, self._user.unit] = self.gate_numbers("b")
        trace = lstm_trace(weight_x, weight_h, bias, x)
        values = {q: getattr(trace, name)[:, 0, self._user.unit] for q, name in QUANTITIES.items()}
        scored = {}
        if self.match != "nothing":
            target = target_of(self.match, x[:, 0], self.period)
            scored = {"target": target, "score": score(values["c"], target)}
        return {"x": x} | values | memory(x, values["f"]) | scored
