"""What one weight does: to the network's memory, to its loss, and what its gradient says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from ..._validation import plain_array
from ..core.base import Explorable, choice, control, floats
from ..core.bundle import module, styles
from ..core.lstm import BLOCKS, QUANTITIES
from ..core.user_layer import checked_input, checked_weights
from .flip_flop import SHIPPED, flip_flop

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM, Linear

HERE = Path(__file__).parent

STEPS = 60
LONGEST = 500
MOST_UNITS = 128
MOST_COLUMNS = 257

# Multiplications of one pass, and of one with each weight taken away.
WORK = 1_500_000
REMOVALS = 20_000_000


class WeightExplorer(Explorable):
    """The weights of an LSTM as a map, and one of them to be moved.

    With the weight moves what the network does, and a point along the network's loss as a
    function of that one weight; the line that touches the curve there has the slope that
    backpropagation through time gives.

    Parameters
    ----------
    layer : LSTM, optional
        A layer of the reader's: the first layer, forward direction, is shown. Without one, a
        network of two units that has learnt to remember the last pulse of two channels.
    x : array_like, optional
        Its input, (T,), (T, D) or (T, 1, D), T up to 500; without one, a pulse in each feature.
    head : Linear, optional
        What turns the layer's hidden states into outputs.
    target : array_like, optional
        What the outputs, of the head or of the layer itself, should be, (T, K) or (T, 1, K).
        Without one, what they are: the loss is how far a moved weight leads away from that.
    gate : {"f", "i", "g", "o"}
    row : int
        Row of the chosen weight: which unit's gate it goes to, from 1.
    source : int
        What the weight multiplies: the inputs first, from 1, then the hidden states, then the 1
        of the bias. Past the last, the last is taken; so it is with ``row`` and ``step``.
    delta : float
        How far the weight is moved from where it was, -5 to 5.
    shows : {"weights", "gradient", "removal"}
        What the map shows of each weight: its value, the gradient of the loss, or by how much the
        loss would rise if the weight were 0 (where there are few enough of them to try).
    step : int
        The step that is read, from 1.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a layer, an input or a target that cannot be shown, and why.
    """

    title = "What one weight does"
    renamed: ClassVar = {"unit": ("row", 1), "column": ("source", 1)}
    levels = ("", "gate", "gate/unit", "gate/unit/product")
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    gate = choice(("i", "f", "o", "g"), "g")
    row = control(1, 1, MOST_UNITS, 1, whole=True)
    source = control(3, 1, MOST_COLUMNS, 1, whole=True)
    delta = control(0.0, -5, 5, 0.05)
    shows = choice(("weights", "gradient", "removal"))
    step = control(20, 1, LONGEST, 1, whole=True, view=True)

    _shape = traitlets.Dict().tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        layer: LSTM | None = None,
        x: ArrayLike | None = None,
        head: Linear | None = None,
        target: ArrayLike | None = None,
        **settings: Any,
    ):
        given = {"layer": layer, "x": x, "head": head, "target": target}
        given = {name: value for name, value in given.items() if value is not None}
        if layer is None:
            if given:
                raise TypeError(f"{', '.join(given)}: expected a layer that it belongs to")
            layer, head, x, target = _flip_flop()
        weights = [array.astype("float64") for array in checked_weights(layer)]
        features, hidden = weights[0].shape[1], weights[1].shape[1]
        self._x = _pulses(features) if x is None else checked_input(x)
        if self._x.shape[1] != features:
            raise ValueError(f"x: expected {features} features a step, got {self._x.shape[1]}")
        steps, work = len(self._x), len(self._x) * 4 * hidden * (features + hidden)
        if hidden > MOST_UNITS or features + hidden + 1 > MOST_COLUMNS or work > WORK:
            raise ValueError(
                f"layer: {steps} steps of {hidden} units with {features} inputs take {work:,} "
                f"multiplications; expected at most {WORK:,}, {MOST_UNITS} units and "
                f"{MOST_COLUMNS - 1} inputs and units, so that the picture follows the hand"
            )
        self._weights, self._head = weights, _checked_head(head, hidden)
        self._removable = work * sum(array.size for array in weights) <= REMOVALS
        outputs = self._outputs(weights)[0]
        self._target = outputs if target is None else _checked_target(target, outputs.shape)
        shape = {"D": features, "H": hidden, "K": outputs.shape[1], "T": steps}
        shape |= {"head": head is not None, "task": "layer" not in given}
        shape |= {"hasTarget": target is not None}
        arrays = [*weights, *(self._head or ()), self._x, self._target]
        super().__init__(
            _arguments=list(given),
            _shape=shape,
            _net=floats(np.concatenate([array.ravel() for array in arrays])),
            **settings,
        )

    def options(self, name: str) -> Any:
        if name == "shows" and not self._removable:
            return ("weights", "gradient")
        return super().options(name)

    def _outputs(self, weights: list[np.ndarray]) -> tuple[np.ndarray, Any, Any]:
        """Outputs (T, K), trace and layer of an LSTM with these weights over the input."""
        from ...layers import LSTM

        lstm = LSTM(weights[0].shape[1], weights[1].shape[1], backend="numpy", dtype="float64")
        for array, values in zip(lstm.params.values(), weights, strict=True):
            array[...] = values
        hidden, trace = lstm.forward(self._x[:, None, :])
        outputs = hidden[:, 0]
        if self._head is not None:
            outputs = outputs @ self._head[0].T + self._head[1]
        return outputs, trace, lstm

    def values(self) -> dict[str, Any]:
        """The picture's numbers, computed by the library's own forward and backward in float64.

        Returns
        -------
        dict
            ``output`` (T, K); ``loss`` and ``before``, the mean squared errors with the weight
            moved and as it was; ``weight``, where it is now; ``slope``, the gradient of the loss
            there; ``mean`` and ``half_life``, of the unit's forget gate over the sequence; ``i, f,
            o, g, c, h``, each (T,), of the unit.
        """
        from ...losses import mse

        moved = [array.copy() for array in self._weights]
        features, hidden = moved[0].shape[1], moved[1].shape[1]
        unit, column = min(self.row, hidden) - 1, min(self.source, features + hidden + 1) - 1
        row = BLOCKS.index(self.gate) * hidden + unit
        if column < features:
            which, place = 0, (row, column)
        elif column < features + hidden:
            which, place = 1, (row, column - features)
        else:
            which, place = 2, (row,)
        before, _ = mse(self._outputs(moved)[0], self._target)
        moved[which][place] += self.delta
        output, trace, lstm = self._outputs(moved)
        loss, dy = mse(output, self._target)
        dhidden = dy if self._head is None else dy @ self._head[0]
        gradient = list(lstm.backward(dhidden[:, None, :], trace).params.values())[which][place]
        values = {q: getattr(trace, name)[:, 0, unit] for q, name in QUANTITIES.items()}
        mean = min(float(np.exp(np.log(np.maximum(values["f"], 1e-300)).mean())), 1 - 1e-12)
        return {
            "output": output,
            "loss": loss,
            "before": before,
            "weight": float(moved[which][place]),
            "slope": float(gradient),
            "mean": mean,
            "half_life": float(np.log(0.5) / np.log(mean)),
        } | values


def _flip_flop() -> tuple[LSTM, Linear, np.ndarray, np.ndarray]:
    from ...interchange import load

    network = load(SHIPPED, "numpy")
    x, target = flip_flop(STEPS, 1, np.random.default_rng(241), pulses=0.09)
    return network.layers["lstm"], network.layers["readout"], x[:, 0], target[:, 0]


def _pulses(features: int) -> np.ndarray:
    """One pulse in each feature, one after the other, (60, D)."""
    x = np.zeros((STEPS, features))
    x[(5 + 3 * np.arange(features)) % STEPS, np.arange(features)] = 1
    return x


def _checked_head(head: Linear | None, hidden: int) -> tuple[np.ndarray, np.ndarray] | None:
    from ...layers import Linear

    if head is None:
        return None
    if not isinstance(head, Linear):
        raise TypeError(f"head: expected a Linear, got {type(head).__name__}")
    if head.input_size != hidden:
        raise ValueError(f"head: expected one that takes {hidden} units, got {head!r}")
    params = (head.params["weight"], head.params["bias"])
    arrays = tuple(head.backend.to_numpy(array).astype("float64") for array in params)
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("head: holds NaN or infinity")
    return arrays


def _checked_target(target: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    array = plain_array(target, "target")
    if array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind not in "biuf" or array.shape != shape:
        raise ValueError(f"target: expected numbers of shape {shape}, got {np.shape(target)}")
    if not np.isfinite(array).all():
        raise ValueError("target: expected finite numbers, got NaN or infinity")
    return array.astype("float64")
