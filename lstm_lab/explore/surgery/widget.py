"""A trained network whose gates are held open or shut, and what becomes of its memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from ..core.base import Explorable, choice, control, floats, text
from ..core.bundle import module, styles
from ..core.lstm import BLOCKS, CELL_LEVELS, QUANTITIES, lstm_trace
from ..core.user_layer import UserLayer
from .nets import NETS, stored_network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM, Linear

HERE = Path(__file__).parent

LONGEST = 60
MOST_UNITS = 12

#: What the reader may expect: of the output while the clamps hold, and afterwards.
GUESSES = ("none", "same", "during", "after", "both")

LEVELS = ("", "cell", *(f"cell/{path}" for path in CELL_LEVELS))


class GateSurgery(Explorable):
    """Clamp gates of a trained network for some steps, say what will happen, and see.

    Parameters
    ----------
    layer : LSTM, optional
        The reader's own: one layer, one direction, up to 12 units.
    x : array_like, optional
        Its input, (T,), (T, D) or (T, 1, D), T from 1 to 60.
    head : Linear, optional
        What reads ``layer``'s hidden state; its first output is shown. Without one, the hidden
        state of ``unit`` is shown.
    net : {"latch", "counter", "toggler"}
        A network that comes with the book: says whether the last pulse was +1; counts pulses, a
        tenth each; flips at every pulse. ``python -m lstm_lab.explore.surgery.nets`` trains them
        again.
    clamp_f, clamp_i, clamp_o : {"free", "0", "1"}
        Forget, input and output gate.
    clamp_g : {"free", "-1", "0", "1"}
        The candidate.
    cells : str
        Which units: ``"all"``, ``"none"``, or their numbers, ``"1 3"``.
    begin, end : int
        The first and the last step of the operation, from 1; in either order.
    guess : {"none", "same", "during", "after", "both"}
        The reader's prediction: whether the output changes while the clamps hold, and afterwards.
        What happens is shown once there is one.
    length, gap : int
        Steps of the sequence, and from one pulse to the next.
    unit, step : int
        What is read.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range.
    TypeError, ValueError
        A layer, a head or an input that cannot be shown, and why.

    Notes
    -----
    A clamp is a gate without weights and with a bias of plus or minus infinity, so that the same
    forward pass computes it: f = 1 and i = 0 make c constant, f = 0 leaves c = i g, o = 0 makes
    h = 0.
    """

    title = "Gate surgery"
    levels = LEVELS
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    net = choice((*NETS, "own"))
    clamp_f = choice(("free", "0", "1"), "1")
    clamp_i = choice(("free", "0", "1"), "0")
    clamp_o = choice(("free", "0", "1"))
    clamp_g = choice(("free", "-1", "0", "1"))
    cells = text("all", 40, pattern=r"all|none|\d{1,2}( \d{1,2})*", example="'all' or '1 3'")
    begin = control(14, 1, LONGEST, 1, whole=True)
    end = control(24, 1, LONGEST, 1, whole=True)
    guess = choice(GUESSES)
    length = control(40, 2, LONGEST, 1, whole=True)
    gap = control(9, 2, 30, 1, whole=True)
    unit = control(1, 1, MOST_UNITS, 1, whole=True, view=True)
    step = control(18, 1, LONGEST, 1, whole=True, view=True)

    _shapes = traitlets.Dict().tag(sync=True)
    _nets = traitlets.Bytes(b"").tag(sync=True)
    _input = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        layer: LSTM | None = None,
        x: ArrayLike | None = None,
        head: Linear | None = None,
        **settings: Any,
    ):
        given = {"layer": layer, "x": x, "head": head}
        self._arrays = {kind: stored_network(kind) for kind in NETS}
        self._x, own = None, {}
        if any(value is not None for value in given.values()):
            net, self._x = _checked(layer, x, head)
            self._arrays = {"own": net}
            own = {"net": "own", "length": max(2, len(self._x))}
            own |= {"begin": len(self._x) // 3 + 1, "end": max(1, 2 * len(self._x) // 3)}
        names = ("weight_x", "weight_h", "bias", "weight", "bias_out")
        super().__init__(
            **settings,
            _defaults=own,
            _arguments=[name for name, value in given.items() if value is not None],
            _shapes={
                kind: [*net["weight_x"].shape[1:], net["weight_h"].shape[1], "weight" in net]
                for kind, net in self._arrays.items()
            },
            _nets=b"".join(
                floats(net[name]) for net in self._arrays.values() for name in names if name in net
            ),
            _input=b"" if self._x is None else floats(self._x),
        )

    def options(self, name: str) -> Sequence[str]:
        return list(self._arrays) if name == "net" else super().options(name)

    @property
    def input(self) -> np.ndarray:
        """The sequence (T, D): pulses a gap apart, the latch's with changing sign, or ``x``."""
        if self._x is not None:
            return self._x[: self.length]
        pulses = np.arange(self.length) % self.gap == min(2, self.gap - 1)
        signs = np.where(np.cumsum(pulses) % 2, 1.0, -1.0) if self.net == "latch" else 1.0
        return (pulses * signs)[:, None]

    def values(self) -> dict[str, Any]:
        """What the network does with and without the operation, by the library in float64.

        Returns
        -------
        dict
            ``x`` (T, D); ``y`` and ``y_free`` (T,), the output; ``i, f, o, g, c, h`` (T, H) with
            the operation, ``c_free`` and ``h_free`` without; ``during`` and ``later``, the
            output's largest difference while the clamps hold and afterwards; ``limit``, what
            counts as one: a tenth of the range of the untouched output.
        """
        net, x = self._arrays[self.net], self.input
        hidden, steps = net["weight_h"].shape[1], len(x)
        first, last = sorted((min(self.begin, steps), min(self.end, steps)))
        named = self.cells.split()
        units = [k for k in range(hidden) if self.cells == "all" or str(k + 1) in named]
        clamps = {gate: getattr(self, f"clamp_{gate}") for gate in BLOCKS}
        free = _run(net, x)
        done = _operated(net, x, slice(first - 1, last), clamps, units)
        outputs = [_output(net, trace["h"], min(self.unit, hidden) - 1) for trace in (done, free)]
        away = np.abs(outputs[0] - outputs[1])
        return {
            "x": x, "y": outputs[0], "y_free": outputs[1],
            **done, "c_free": free["c"], "h_free": free["h"],
            "during": float(away[first - 1 : last].max()),
            "later": float(away[last:].max(initial=0.0)),
            "limit": float(max(0.1 * np.ptp(outputs[1]), 1e-6)),
        }  # fmt: skip

    def truth(self) -> str:
        """Which of `GUESSES` is right: "same", "during", "after" or "both"."""
        values = self.values()
        during, later = (values[name] > values["limit"] for name in ("during", "later"))
        return {(0, 0): "same", (1, 0): "during", (0, 1): "after", (1, 1): "both"}[during, later]


def clamped(
    net: dict[str, np.ndarray], clamps: dict[str, str], units: Sequence[int]
) -> dict[str, np.ndarray]:
    """A copy in which these gates of these units have no weights and a bias that holds them."""
    net = {name: array.copy() for name, array in net.items()}
    hidden = net["weight_h"].shape[1]
    for block, gate in enumerate(BLOCKS):
        if clamps[gate] == "free":
            continue
        value = float(clamps[gate])
        low = -1.0 if gate == "g" else 0.0
        bias = np.inf if value == 1 else -np.inf if value == low else 0.0
        for unit in units:
            row = block * hidden + unit
            net["weight_x"][row] = net["weight_h"][row] = 0
            net["bias"][row] = bias
    return net


def _run(net: dict[str, np.ndarray], x: np.ndarray, h: Any = 0.0, c: Any = 0.0) -> dict[str, Any]:
    trace = lstm_trace(net["weight_x"], net["weight_h"], net["bias"], x, h, c)
    return {q: getattr(trace, name)[:, 0] for q, name in QUANTITIES.items()}


def _operated(
    net: dict[str, np.ndarray], x: np.ndarray, when: slice, clamps: dict, units: Sequence[int]
) -> dict[str, np.ndarray]:
    """Before, during and after, each going on from the state that the one before left."""
    state, parts = {}, []
    stages = ((net, x[: when.start]), (clamped(net, clamps, units), x[when]), (net, x[when.stop :]))
    for part, inputs in stages:
        if len(inputs):
            parts.append(_run(part, inputs, **state))
            state = {q: parts[-1][q][-1] for q in "hc"}
    return {q: np.concatenate([part[q] for part in parts]) for q in QUANTITIES}


def _output(net: dict[str, np.ndarray], h: np.ndarray, unit: int) -> np.ndarray:
    if "weight" not in net:
        return h[:, unit]
    return h @ net["weight"][0] + net["bias_out"][0]


def _checked(layer: Any, x: Any, head: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The arrays of the reader's layer and head, in float64, and the input (T, D)."""
    from ...layers import Linear

    if layer is None:
        raise ValueError("layer: x and head come with a layer, and it is missing")
    if x is None:
        raise ValueError("x: a layer needs an input of its own, and it is missing")
    user = UserLayer(layer, x, 1)
    if layer.num_layers > 1 or layer.bidirectional:
        raise ValueError("layer: expected one layer in one direction")
    if user.hidden > MOST_UNITS:
        raise ValueError(f"layer: expected at most {MOST_UNITS} units, got {user.hidden}")
    if len(user.x) > LONGEST:
        raise ValueError(f"x: expected at most {LONGEST} steps, got {len(user.x)}")
    net = dict(zip(("weight_x", "weight_h", "bias"), user.weights, strict=True))
    if head is not None:
        if not isinstance(head, Linear):
            raise TypeError(f"head: expected a Linear, got {type(head).__name__}")
        if head.input_size != user.hidden:
            raise ValueError(f"head: expected {user.hidden} inputs, got {head.input_size}")
        net["weight"] = head.backend.to_numpy(head.params["weight"])[:1]
        net["bias_out"] = head.backend.to_numpy(head.params["bias"])[:1]
        if not all(np.isfinite(net[name]).all() for name in ("weight", "bias_out")):
            raise ValueError("head: its parameters hold NaN or infinity")
    return {name: array.astype("float64") for name, array in net.items()}, user.x
