"""A whole layer of the reader's, an LSTM or RNN, checked before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .user_layer import WORK

if TYPE_CHECKING:
    from ...layers import LSTM, RNN


def check_fit(layer: LSTM | RNN, x: np.ndarray | None, longest: int) -> None:
    """Refuse an input that does not fit the layer, or more work than a drag allows.

    Raises
    ------
    ValueError
    """
    features, hidden = layer.input_size, layer.hidden_size
    if x is None and features != 1:
        raise ValueError(f"x: the layer takes {features} features a step, so an input is needed")
    if x is not None and x.shape[1] != features:
        raise ValueError(f"x: expected {features} features a step, got {x.shape[1]}")
    steps = longest if x is None else len(x)
    if (work := steps * len(layer.params["bias_l0"]) * (features + hidden)) > WORK:
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
    copy = (RNN if isinstance(layer, RNN) else LSTM)(**sizes, **where)
    for name, array in copy.params.items():
        array[...] = layer.backend.to_numpy(layer.params[name]).astype("float32")
    return copy
