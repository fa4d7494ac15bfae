"""The reader's own layer and input, checked before they are shown, and packed for the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._validation import checked_choice, plain_array
from .base import floats
from .lstm import BLOCKS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM, RNN

LONGEST = 500

# Multiplications that the browser can do between two frames of a drag.
WORK = 5_000_000


class UserLayer:
    """A layer's first layer, forward direction, and what goes into it.

    Parameters
    ----------
    layer : LSTM or None
    x : array_like or None
        (T,), (T, D) or (T, 1, D), T up to 500.
    unit : int
        Which of the layer's units is shown, from 1.

    Attributes
    ----------
    weights : tuple of arrays (4H, D), (4H, H), (4H,), or None
    x : array (T, D), or None
    features, hidden : int
    unit : int
        Where the unit stands in an array, from 0.
    biases : dict
        The unit's, by the names of the controls.
    arguments : dict
        What was given, as a setting keeps it.

    Raises
    ------
    TypeError, ValueError
        What cannot be shown, and why.
    """

    def __init__(self, layer: LSTM | None, x: ArrayLike | None, unit: int):
        self.x = None if x is None else checked_input(x)
        self.weights = None if layer is None else checked_weights(layer)
        self.features, self.hidden, self.biases = 1, 1, {}
        if self.weights is not None:
            self.features, self.hidden = self.weights[0].shape[1], self.weights[1].shape[1]
            unit = checked_unit(unit, self.hidden)
            self.biases = _unit_biases(self.weights[2], self.hidden, unit)
        else:
            unit = checked_unit(unit, None)
        steps = LONGEST if self.features == 1 else None
        check_fit(self.x, self.features, self.hidden, steps=steps)
        self.unit = unit - 1
        given = {"layer": layer, "x": x}
        self.arguments: dict[str, Any] = {k: None for k, v in given.items() if v is not None}
        if unit != 1:
            self.arguments["layer_unit"] = unit

    def traits(self) -> dict[str, Any]:
        """What the browser gets: ``_shape``, ``_net``, ``_input``."""
        return {
            "_shape": {"D": self.features, "H": self.hidden, "unit": self.unit},
            "_net": b"".join(map(floats, self.weights or ())),
            "_input": b"" if self.x is None else floats(self.x),
        }


def checked_input(x: ArrayLike, longest: int = LONGEST) -> np.ndarray:
    """x as (T, D) float64, T from 1 to ``longest``.

    Raises
    ------
    TypeError, ValueError
        If x is something else, or not finite.
    """
    array = plain_array(x, "x")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"x: expected numbers, got dtype {array.dtype}")
    if array.ndim == 1:
        array = array[:, None]
    elif array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 2 or 0 in array.shape or len(array) > longest:
        raise ValueError(
            f"x: expected shape (T,), (T, D) or (T, 1, D) with T from 1 to {longest}, "
            f"got {np.shape(x)}"
        )
    if not np.isfinite(array).all():
        raise ValueError("x: expected finite numbers, got NaN or infinity")
    return array.astype("float64")


def checked_weights(layer: LSTM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Copies of the layer's (4H, D), (4H, H) and (4H,) of its first layer, forward direction."""
    from ...layers import LSTM

    if not isinstance(layer, LSTM):
        raise TypeError(f"layer: expected an LSTM, got {type(layer).__name__}")
    names = ("weight_x_l0", "weight_h_l0", "bias_l0")
    first = {name for name in layer.params if name.endswith("_l0")}
    hidden, rows = layer.hidden_size, len(layer.params["bias_l0"])
    if first != set(names) or rows != 4 * hidden or layer.params[names[1]].shape[1] != hidden:
        raise ValueError(
            "layer: expected an LSTM of the standard equations, got a variant (peepholes, coupled, "
            "without a forget gate, with a projection or normalised layers)"
        )
    weights = tuple(np.array(layer.backend.to_numpy(layer.params[name])) for name in names)
    for name, array in zip(names, weights, strict=True):
        if not np.isfinite(array).all():
            raise ValueError(f"layer: {name} holds NaN or infinity")
    return weights


def _unit_biases(bias: np.ndarray, hidden: int, unit: int) -> dict[str, float]:
    return {f"b_{gate}": float(bias[k * hidden + unit - 1]) for k, gate in enumerate(BLOCKS)}


def checked_unit(unit: Any, hidden: int | None) -> int:
    """The number of a unit, from 1 on; of None hidden units there is no layer, and one unit.

    Raises
    ------
    ValueError
    """
    expected = f"a whole number from 1 to {hidden}" if hidden else "1, as there is no layer"
    try:
        return checked_choice(unit, "layer_unit", range(1, (hidden or 1) + 1))
    except ValueError:
        raise ValueError(f"layer_unit: expected {expected}, got {unit!r}") from None


def check_fit(
    x: np.ndarray | None,
    features: int,
    hidden: int,
    *,
    blocks: int = 4,
    steps: int | None = None,
) -> None:
    """Refuse an input that does not fit a layer, or more work than a drag allows.

    Parameters
    ----------
    x : array (T, D), or None
    features, hidden : int
        D and H of the layer.
    blocks : int
        Row blocks of H in its weights.
    steps : int, optional
        T, where it is not that of x.

    Raises
    ------
    ValueError
    """
    if x is None and features != 1:
        raise ValueError(f"x: the layer takes {features} features a step, so an input is needed")
    if x is not None and x.shape[1] != features:
        raise ValueError(f"x: expected {features} features a step, got {x.shape[1]}")
    steps = len(x) if steps is None else steps
    if (work := steps * blocks * hidden * (features + hidden)) > WORK:
        raise ValueError(
            f"layer: {steps} steps of {hidden} units take {work:,} multiplications; "
            f"expected at most {WORK:,}, so that the picture follows the hand"
        )


def first_layer(layer: LSTM | RNN, *, kinds: tuple[str, ...] = ("LSTM", "RNN")) -> LSTM | RNN:
    """A layer of the reader's: its first layer, forward direction, as `float64_copy` makes it.

    Raises
    ------
    TypeError, ValueError
        A layer that the browser's equations do not cover, or that holds NaN.
    """
    from ...cells import LSTM_CELL, RNN_CELL
    from ...layers import LSTM, RNN

    if not isinstance(layer, tuple({"LSTM": LSTM, "RNN": RNN}[kind] for kind in kinds)):
        raise TypeError(f"layer: expected an {' or '.join(kinds)}, got {type(layer).__name__}")
    if layer.cell not in (LSTM_CELL, RNN_CELL) or layer.truncated:
        raise ValueError(f"layer: expected the standard cell, trained in full; got {layer!r}")
    for name, array in layer.params.items():
        if not np.isfinite(layer.backend.to_numpy(array)).all():
            raise ValueError(f"layer: {name} holds NaN or infinity")
    return float64_copy(layer)


def float64_copy(layer: LSTM | RNN) -> LSTM | RNN:
    """The first layer's forward direction alone, its numbers rounded to float32, in float64.

    The browser gets float32: this is the network that it draws.
    """
    from ...layers import LSTM, RNN

    sizes = {"input_size": layer.input_size, "hidden_size": layer.hidden_size}
    where = {"backend": "numpy", "dtype": "float64"}
    kind = RNN if isinstance(layer, RNN) else LSTM
    names = kind.param_shapes(sizes)
    host = {name: layer.backend.to_numpy(layer.params[name]) for name in names}
    return kind.from_params({n: a.astype("float32") for n, a in host.items()}, **sizes, **where)
