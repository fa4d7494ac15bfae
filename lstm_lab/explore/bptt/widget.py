"""A time machine: a short LSTM, forward through time and back again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from ..._validation import plain_array
from ..core.base import Explorable, choice, control, floats
from ..core.bundle import FRONTEND, module, styles
from ..core.user_layer import checked_input, first_layer
from .unroll import (
    HIDDEN,
    LONGEST,
    SEEDS,
    TARGET,
    learn,
    lesson,
    packed_nets,
    small_net,
    there_and_back,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM

HERE = Path(__file__).parent

TASKS = ("remember", "echo", "mean")
NODES = ("x", "i", "f", "o", "g", "c", "tanh", "h", "loss")
MOST_UNITS, MOST_FEATURES = 32, 32


class BPTTExplorer(Explorable):
    """Backpropagation through time, moment by moment.

    A short LSTM is unrolled. Its moments run forward, four to a step (gates, cell state, hidden
    state, loss), and back again (hidden state, cell state, gates, weights). Every node shows its
    value, and in the backward pass its gradient.

    Parameters
    ----------
    layer : LSTM, optional
        A layer of the reader's, up to 32 units: its first layer, forward direction.
    x : array_like, optional
        An input of the reader's, (T,), (T, D) or (T, 1, D), T up to 12, D up to 32.
    target : array_like, optional
        With ``x``: what h should be at each step, (T,), NaN where a step does not count. Where
        none of the steps shown counts, the last h should be 0.7.
    task : {"remember", "echo", "mean"}, or "own" with ``x``
        Remember: a 1 comes in at the first step, and the last h should be 0.7. Echo: h should be
        the input of the step before. Mean: h should be the mean of all inputs so far.
    length, hidden, seed : int
        Steps T, 2 to 12; units H, 1 to 3; the network is ``LSTM(1, H, seed=seed)``, seed 0 to 7.
    b_f : float
        Forget bias before learning, -6 to 8.
    updates : int
        Steps of gradient descent that the network has learnt already, 0 to 100, at a learning
        rate of 0.5.
    moment : int
        From 0; four to a step there and four back. Past the end, the last.
    step : int
        Which step is opened, from 1.
    node : {"follow", "x", "i", "f", "o", "g", "c", "tanh", "h", "loss"}
        Whose formula is shown; "follow": what the moment computes.
    unit : int
        Which unit is shown, from 1.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a layer or an input that cannot be shown, and why.

    Notes
    -----
    Werbos 1990, doi:10.1109/5.58337. The loss is the mean squared error over the units and the
    steps that count.
    """

    title = "Backpropagation through time"
    renamed: ClassVar = {"wish": ("target", 0)}
    levels = ("", "step", "step/node")
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(FRONTEND / "terms.css", HERE / "widget.css")

    moment = control(45, 0, 8 * LONGEST - 1, 1, whole=True, view=True)
    task = choice((*TASKS, "own"))
    length = control(8, 2, LONGEST, 1, whole=True)
    hidden = control(2, HIDDEN[0], HIDDEN[-1], 1, whole=True)
    b_f = control(1.0, -6, 8)
    seed = control(0, 0, SEEDS - 1, 1, whole=True)
    updates = control(0, 0, 100, 1, whole=True)
    step = control(1, 1, LONGEST, 1, whole=True, view=True)
    node = choice(("follow", *NODES), view=True)
    unit = control(1, 1, MOST_UNITS, 1, whole=True, view=True)

    _shape = traitlets.Dict().tag(sync=True)
    _numbers = traitlets.Bytes(b"").tag(sync=True)
    _input = traitlets.Bytes(b"").tag(sync=True)
    _target = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        layer: LSTM | None = None,
        x: ArrayLike | None = None,
        target: ArrayLike | None = None,
        **settings: Any,
    ):
        settings = self.current(settings)
        target = self.argument(settings, "target", target, None)
        given = {"layer": layer, "x": x, "target": target}
        self._layer = None if layer is None else _checked_layer(layer)
        self._x = None if x is None else checked_input(x, LONGEST).astype("f4").astype(float)
        features = 1 if self._x is None else self._x.shape[1]
        if features > MOST_FEATURES:
            raise ValueError(f"x: expected at most {MOST_FEATURES} features, got {features}")
        if self._layer is not None and self._layer.input_size != features:
            wanted = self._layer.input_size
            raise ValueError(f"x: the layer takes {wanted} features a step, got {features}")
        self._targets = _checked_target(target, self._x)
        own = {}
        if self._x is not None:
            own = {"task": "own", "length": max(2, len(self._x))}
        hidden = 0 if self._layer is None else self._layer.hidden_size
        super().__init__(
            **settings,
            _defaults=own,
            _arguments=[name for name, value in given.items() if value is not None],
            _shape={"D": features, "H": hidden},
            _numbers=packed_nets(features)
            if self._layer is None
            else b"".join(map(floats, self._layer.params.values())),
            _input=b"" if x is None else floats(self._x),
            _target=b"" if x is None else floats(self._targets),
        )

    def options(self, name: str) -> Sequence[str]:
        if name != "task":
            return super().options(name)
        return TASKS if self._x is None else ("own",)

    def lesson(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Input (T, D), target (T,), and mask (T,), 1 where a step counts."""
        if self.task != "own":
            return lesson(self.task, self.length)
        length = min(self.length, len(self._x))
        mask = ~np.isnan(self._targets[:length])
        target = np.where(mask, self._targets[:length], 0.0)
        if not mask.any():
            target[-1], mask[-1] = TARGET, True
        return self._x[:length], target, mask.astype("float64")

    def network(self) -> LSTM:
        """The network that is shown, after its updates."""
        first = self._layer
        if first is None:
            features = 1 if self._x is None else self._x.shape[1]
            first = small_net(features, self.hidden, self.seed, self.b_f)
        return learn(first, *self.lesson(), self.updates)

    def values(self) -> dict[str, Any]:
        """All that is computed there and back, by the library's own passes in float64.

        Returns
        -------
        dict
            As `lstm_lab.explore.bptt.unroll.there_and_back` describes it.
        """
        return there_and_back(self.network(), *self.lesson())


def _checked_layer(layer: Any) -> LSTM:
    checked = first_layer(layer, kinds=("LSTM",))
    if checked.hidden_size > MOST_UNITS:
        raise ValueError(f"layer: expected at most {MOST_UNITS} units, got {checked.hidden_size}")
    return checked


def _checked_target(target: ArrayLike | None, x: np.ndarray | None) -> np.ndarray | None:
    """target as (T,) float64, as float32 holds it; all NaN where there is none."""
    if x is None:
        if target is not None:
            raise ValueError("target: expected an x that it belongs to")
        return None
    if target is None:
        return np.full(len(x), np.nan)
    array = plain_array(target, "target")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"target: expected numbers, got dtype {array.dtype}")
    if array.shape != (len(x),) or np.isinf(array).any():
        raise ValueError(f"target: expected {len(x)} finite numbers or NaN, got {target!r}")
    return array.astype("f4").astype(float)
