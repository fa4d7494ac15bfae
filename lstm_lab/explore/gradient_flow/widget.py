"""Gradients of an RNN and of LSTMs side by side, on their way back through time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from ..core.base import Explorable, choice, control, floats
from ..core.bundle import FRONTEND, module, styles
from ..core.signals import noise
from ..core.user_layer import check_fit, checked_input, first_layer
from .flow import (
    HIDDEN,
    LONGEST,
    SEEDS,
    flow,
    half_life,
    packed_seeds,
    scaled,
    small_lstm,
    small_rnn,
    spectral_radius,
    with_forget_bias,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM, RNN

HERE = Path(__file__).parent

NETWORKS = ("rnn", "bias0", "bias1", "bias5", "chrono", "own")
FORGET_BIASES = {"bias0": 0.0, "bias1": 1.0, "bias5": 5.0}
ZERO = -10_000.0  # stands for the logarithm of 0


class GradientFlowExplorer(Explorable):
    """How much of a gradient is left after its way back through time.

    The loss is read at the last step only: v·h_T, where v has length 1 and equal entries. Drawn
    are the norms of dL/dh_t and dL/dc_t at every lag T - t, on a logarithmic axis, and of what the
    forget gates alone would leave, for a tanh RNN and for LSTMs that differ in the biases of their
    gates only. The number of every network is the same quantity, the norm of dL/dh at the first
    step, where that at the last is 1.

    Parameters
    ----------
    layer : LSTM or RNN, optional
        A layer of the reader's, instead of the small networks: shown are its first layer,
        forward direction, and a copy whose forget bias (RNN: spectral radius) can be moved.
    x : array_like, optional
        An input of the reader's, (T,), (T, D) or (T, 1, D), T up to 1000, instead of noise.
    length : int
        Steps T, 2 to 1000; at most those of ``x``.
    radius : float
        Spectral radius of the RNN's U, 0 to 3.
    b_f : float
        Forget bias of the LSTM that is yours, -8 to 10.
    seed : int
        0 to 15: the small networks are ``LSTM(1, 8, seed=seed, forget_bias=…)``, the same with
        ``init="chrono", chrono_length=T``, and ``RNN(1, 8, seed=seed, init="orthogonal")``.
    network : {"rnn", "bias0", "bias1", "bias5", "chrono", "own"}, or {"layer", "own"}
        Which one is opened.
    lag : int
        How many steps before the last is read, 0 to 999; past the first step, that one is read.
    unit : int
        Which unit is opened, from 1.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a layer or an input that cannot be shown, and why.

    Notes
    -----
    Hochreiter 1991; Bengio, Simard & Frasconi 1994, doi:10.1109/72.279181; Pascanu, Mikolov &
    Bengio 2013, arXiv:1211.5063; chrono: Tallec & Ollivier 2018, arXiv:1804.11188.
    """

    title = "How far a gradient reaches back"
    levels = ("", "network", "network/step", "network/step/unit")
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(FRONTEND / "terms.css", HERE / "widget.css")

    length = control(100, 2, LONGEST, 1, whole=True)
    b_f = control(3.0, -8, 10)
    radius = control(0.9, 0, 3, 0.01)
    seed = control(6, 0, SEEDS - 1, 1, whole=True)
    network = choice((*NETWORKS, "layer"), "bias1", view=True)
    lag = control(20, 0, LONGEST - 1, 1, whole=True, view=True)
    unit = control(1, 1, 256, 1, whole=True, view=True)

    _shape = traitlets.Dict().tag(sync=True)
    _numbers = traitlets.Bytes(b"").tag(sync=True)
    _input = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self, layer: LSTM | RNN | None = None, x: ArrayLike | None = None, **settings: Any
    ):
        self._layer = None if layer is None else first_layer(layer)
        self._noise = x is None
        given = None if x is None else checked_input(x, LONGEST)
        # The browser gets float32.
        self._x = noise(LONGEST)[:, None] if x is None else given.astype("float32").astype(float)
        shape = {"D": self._x.shape[1], "H": HIDDEN, "kind": "", "radius": 1.0}
        own: dict[str, Any] = {}
        if self._layer is not None:
            sizes = (self._layer.input_size, self._layer.hidden_size)
            steps, blocks = LONGEST if given is None else None, self._layer.cell.blocks
            check_fit(given, *sizes, blocks=blocks, steps=steps)
            kind, radius = type(self._layer).__name__, spectral_radius(self._layer)
            shape |= {"H": self._layer.hidden_size, "kind": kind, "radius": radius}
            own = {"network": "layer"}
            if kind == "RNN":
                own["radius"] = float(np.clip(round(radius, 2), 0, 3))
        if x is not None:
            own |= {"length": max(2, len(self._x)), "lag": min(20, len(self._x) - 1)}
        self._networks = NETWORKS if layer is None else ("layer", "own")
        super().__init__(
            **settings,
            _defaults=own,
            _arguments=[n for n, given in {"layer": layer, "x": x}.items() if given is not None],
            _shape=shape,
            _numbers=packed_seeds(self._x.shape[1])
            if self._layer is None
            else b"".join(map(floats, self._layer.params.values())),
            _input=b"" if x is None else floats(self._x),
        )

    def options(self, name: str) -> Sequence[str]:
        return self._networks if name == "network" else super().options(name)

    def networks(self) -> dict[str, LSTM | RNN]:
        """The networks that are shown, as layers of the library in float64."""
        length, features = min(self.length, len(self._x)), self._x.shape[1]
        if self._layer is None:
            return {
                name: _small(name, features, self.seed, self._moved(name), length)
                for name in NETWORKS
            }
        if self._shape["kind"] == "LSTM":
            return {"layer": self._layer, "own": with_forget_bias(self._layer, self.b_f)}
        factor = self.radius / self._shape["radius"] if self._shape["radius"] else 0.0
        return {"layer": self._layer, "own": scaled(self._layer, factor)}

    def _moved(self, name: str) -> float:
        """What the slider of a network stands at, 0 for one without."""
        return {"rnn": self.radius, "own": self.b_f}.get(name, 0.0)

    def values(self) -> dict[str, Any]:
        """The gradients' norms, by the library's own backward in float64, a step at a time.

        Returns
        -------
        dict
            For each network, under its name and ``_h``, ``_c``, ``_direct``: the log10 of the
            norms (T,) of dL/dh_t, of dL/dc_t, and of dL/dc_T times the forget gates between (an
            RNN has the first alone); -10,000 for a gradient that is zero. ``_half``: how many
            steps back half of dL/dc_t (RNN: dL/dh_t) is left; T if it always is. ``_left``: the
            log10 of the norm of dL/dh_1, where that of dL/dh_T is 1. ``_read``: the log10 of where
            the curve of ``_half`` begins: of dL/dc_T, what an LSTM's read-out lets through.
        """
        x, found = self._x[: self.length], {}
        for name, layer in self.networks().items():
            if self._layer is None and self._noise:
                curves = _small_flow(name, self.seed, self._moved(name), len(x))
            else:
                curves = flow(layer, x)
            main = curves.get("c", curves["h"])
            logs = {curve: np.maximum(each, ZERO) for curve, each in curves.items()}
            found |= {f"{name}_{curve}": each for curve, each in logs.items()}
            found[f"{name}_half"] = min(half_life(main), float(len(x)))
            found[f"{name}_left"] = float(logs["h"][0])
            found[f"{name}_read"] = max(float(main[-1]), ZERO)
        return found

    def describe(self) -> str:
        values = self.values()
        left = ", ".join(f"{name} 10^{values[f'{name}_left']:.1f}" for name in self._networks)
        return f"{self.title}. {self.setting}: norm of dL/dh at the first step: {left}"


def _small(name: str, features: int, seed: int, moved: float, length: int) -> LSTM | RNN:
    if name == "rnn":
        return small_rnn(features, seed, moved)
    if name == "chrono":
        return small_lstm(features, seed, init="chrono", chrono_length=length)
    return small_lstm(features, seed, forget_bias=FORGET_BIASES.get(name, moved))


@lru_cache(maxsize=256)
def _small_flow(name: str, seed: int, moved: float, length: int) -> dict[str, np.ndarray]:
    """Kept, because whoever moves a cursor asks for the same numbers again."""
    return flow(_small(name, 1, seed, moved, length), noise(length)[:, None])
