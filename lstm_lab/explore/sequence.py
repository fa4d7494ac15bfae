"""One LSTM unit over a whole sequence, and how long it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from .base import Explorable, choice, control, floats, text
from .bundle import bundle
from .cell import CELL_LEVELS
from .model import QUANTITIES, drawn_signal, input_signal, lstm_trace, memory, score, target

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..layers import LSTM

PRESETS = (
    "impulse", "two pulses", "step", "square", "sine", "spikes", "noise", "set and reset", "drawn",
)  # fmt: skip
BEHAVIOURS = ("latch", "counter", "integrator", "forgetting", "toggler")
LONGEST = 500

# Multiplications that the browser can do between two frames of a drag.
WORK = 5_000_000


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
    unit : int, default 0
        Which unit of ``layer``.
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
    levels = ("", "cell", *(f"cell/{path}" for path in CELL_LEVELS))
    _esm = bundle("sequence.js")

    preset = choice((*PRESETS, "own"), "two pulses")
    drawn = text(
        "",
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
        unit: int = 0,
        **settings: Any,
    ):
        own, biases = {}, {}
        self._x = None if x is None else _checked_input(x)
        self._weights = None if layer is None else _checked_weights(layer)
        if self._x is not None:
            own = {"preset": "own", "length": max(2, len(self._x))}
        features, hidden = 1, 1
        if self._weights is not None:
            features, hidden = self._weights[0].shape[1], self._weights[1].shape[1]
            biases = _unit_biases(self._weights[2], hidden, unit)
        _check_fit(self._x, features, hidden)
        self._unit = unit
        self._presets = list(PRESETS) if features == 1 else []
        self._presets += ["own"] * (self._x is not None)
        super().__init__(
            **settings,
            _own={**own, **biases},
            _arguments=[n for n, given in {"layer": layer, "x": x}.items() if given is not None],
            _shape={"D": features, "H": hidden, "unit": unit},
            _net=b"".join(map(floats, self._weights or ())),
            _input=b"" if self._x is None else floats(self._x),
        )

    def options(self, name: str) -> Sequence[str]:
        return self._presets if name == "preset" else super().options(name)

    def values(self) -> dict[str, Any]:
        """The sequence's numbers, computed by the library's own LSTM in float64.

        Returns
        -------
        dict
            ``x`` (T, D); ``i, f, o, g, c, h``, each (T,); ``first, mean, half_life, memory,
            left``, as `lstm_lab.explore.model.memory` describes them; where there is something
            to match, ``target`` (T,) and ``score``.
        """
        if self.preset == "own":
            x = self._x[: self.length]
        elif self.preset == "drawn":
            x = drawn_signal(self.drawn, self.length)[:, None]
        else:
            x = input_signal(self.preset, self.length, self.period)[:, None]
        if self._weights is None:
            weight_x, weight_h = self.gate_numbers("w")[:, None], self.gate_numbers("u")[:, None]
            bias = np.zeros(4)
        else:
            weight_x, weight_h, bias = (a.astype("float64") for a in self._weights)
        bias.reshape(4, -1)[:, self._unit] = self.gate_numbers("b")
        trace = lstm_trace(weight_x, weight_h, bias, x)
        values = {q: getattr(trace, name)[:, 0, self._unit] for q, name in QUANTITIES.items()}
        scored = {}
        if self.match != "nothing":
            wanted = target(self.match, x[:, 0], self.period)
            scored = {"target": wanted, "score": score(values["c"], wanted)}
        return {"x": x} | values | memory(x, values["f"]) | scored


def _checked_input(x: ArrayLike) -> np.ndarray:
    """x as (T, D) float64."""
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"x: expected numbers, got dtype {array.dtype}")
    if array.ndim == 1:
        array = array[:, None]
    elif array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 2 or 0 in array.shape or len(array) > LONGEST:
        raise ValueError(
            f"x: expected shape (T,), (T, D) or (T, 1, D) with T from 1 to {LONGEST}, "
            f"got {np.shape(x)}"
        )
    if not np.isfinite(array).all():
        raise ValueError("x: expected finite numbers, got NaN or infinity")
    return array.astype("float64")


def _checked_weights(layer: LSTM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Copies of the layer's (4H, D), (4H, H) and (4H,) of its first layer, forward direction."""
    from ..layers import LSTM

    if not isinstance(layer, LSTM):
        raise TypeError(f"layer: expected an LSTM, got {type(layer).__name__}")
    names = ("weight_x_l0", "weight_h_l0", "bias_l0")
    weights = tuple(np.array(layer.backend.to_numpy(layer.params[name])) for name in names)
    for name, array in zip(names, weights, strict=True):
        if not np.isfinite(array).all():
            raise ValueError(f"layer: {name} holds NaN or infinity")
    return weights


def _unit_biases(bias: np.ndarray, hidden: int, unit: int) -> dict[str, float]:
    if isinstance(unit, bool) or not isinstance(unit, int) or not 0 <= unit < hidden:
        raise ValueError(f"unit: expected a whole number from 0 to {hidden - 1}, got {unit!r}")
    return {f"b_{gate}": float(bias[k * hidden + unit]) for k, gate in enumerate("oifg")}


def _check_fit(x: np.ndarray | None, features: int, hidden: int) -> None:
    if x is None and features != 1:
        raise ValueError(f"x: the layer takes {features} features a step, so an input is needed")
    if x is not None and x.shape[1] != features:
        raise ValueError(f"x: expected {features} features a step, got {x.shape[1]}")
    steps = LONGEST if features == 1 else len(x)
    if (work := steps * 4 * hidden * (features + hidden)) > WORK:
        raise ValueError(
            f"layer: {steps} steps of {hidden} units take {work:,} multiplications; "
            f"expected at most {WORK:,}, so that the picture follows the hand"
        )
