"""What the layouts share: gates as blocks of rows, and arrays on the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._validation import check_mapping, plain_array
from ..backends import Array
from ..cells import GRU_CELL, LSTM_CELL, RNN_CELL, Cell
from ..layers import GRU, LSTM, RNN, Layer, Recurrent

HALVES = ("float16", "bfloat16")

BY_ROWS = {4: LSTM, 3: GRU, 1: RNN}
"""The recurrent layer whose recurrent matrix has so many times H rows."""


def reordered(stacked: np.ndarray, order: Sequence[int] | np.ndarray) -> np.ndarray:
    """The same rows, whose k-th of ``len(order)`` equal blocks is now block ``order[k]``."""
    blocks = stacked.reshape(len(order), -1, *stacked.shape[1:])
    return blocks[np.asarray(order)].reshape(stacked.shape)


def check_known(
    layer: Recurrent, peer: str, cells: tuple[Cell, ...] = (), projection: bool = False
) -> None:
    """Refuse a layer of a kind that ``peer`` does not have.

    Parameters
    ----------
    cells : tuple of Cell
        Those that it has beside the plain LSTM, GRU and RNN.
    projection : bool
        Whether it has an LSTM with ``proj_size``.

    Raises
    ------
    ValueError
    """
    lacking = None
    if layer.cell not in (LSTM_CELL, GRU_CELL, RNN_CELL, *cells):
        lacking = {
            "LSTM": "LSTM with peepholes or with other gates",
            "GRU": "GRU with its reset gate before the product",
        }[layer.cell.name]
    elif layer.layer_norm:
        lacking = "LSTM with layer normalisation inside the cell"
    elif layer.proj_size and not projection:
        lacking = "LSTM with a projection"
    if lacking:
        raise ValueError(f"{peer} has no {lacking}: {layer!r}")


def host_values(layer: Layer, values: Mapping[str, Array]) -> dict[str, np.ndarray]:
    """Copies on the host of the values that go with the layer's parameters.

    Raises
    ------
    ValueError
        If one of the parameters has none.
    """
    check_mapping(values, "values")
    missing = [name for name in layer.params if name not in values]
    if missing:
        raise ValueError(f"values lack {missing[0]!r}; they must have the names of layer.params")
    copies = {}
    for name, parameter in layer.params.items():
        label = f"values[{name!r}]"
        array = layer.backend.require(values[name], label)
        if array.shape != parameter.shape:
            raise ValueError(f"{label} must have shape {parameter.shape}, got {array.shape}")
        copies[name] = np.array(layer.backend.to_numpy(array))
    return copies


def to_host(value: Any, name: str) -> np.ndarray:
    """A NumPy array of a tensor or of anything else that NumPy takes.

    Half precision becomes float32, which holds all its values.

    Raises
    ------
    TypeError, ValueError
        If some of it would be lost, such as a mask; the message speaks of ``name``.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":  # NumPy has no such numbers
            value = value.float()
    array = plain_array(value, name)
    return array.astype("float32") if array.dtype.name in HALVES else array
