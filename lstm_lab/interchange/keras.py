"""Keras' layout. Nothing here needs Keras: its weights are lists of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._validation import FLOATS, check_kind, checked_bool, checked_choice
from ..backends import Array, Backend
from ..cells import GRU_BEFORE_CELL, GRU_CELL
from ..layers import GRU, LSTM, RNN, Recurrent, write_params
from .blocks import BY_ROWS, check_known, host_values, reordered, to_host

# For every cell, the order in which Keras stacks the gates, as blocks of ours.
# Ours are o, i, f, g; Keras' are i, f, c, o. Ours are n, r, z(, q) and r, z, n; Keras' z, r, h.
INPUT_ORDER = {"LSTM": (1, 2, 3, 0), "GRU": (2, 1, 0), "RNN": (0,)}
RECURRENT_ORDER = {"LSTM": (1, 2, 3, 0), "GRU": (1, 0, 2), "RNN": (0,)}
KINDS = {"LSTM": LSTM, "GRU": GRU, "SimpleRNN": RNN}
NAMES = ("kernel", "recurrent_kernel", "bias")


def to_keras(layer: Recurrent, values: Mapping[str, Array] | None = None) -> list:
    """A layer's parameters, or their gradients, as Keras' ``get_weights()`` orders them.

    Parameters
    ----------
    layer : LSTM, GRU or RNN
        In Keras an ``LSTM``, a ``GRU`` with the same ``reset_after``, or a ``SimpleRNN``; with
        both directions, one of them in ``Bidirectional`` (``merge_mode="concat"``). Keras' layers
        take their input as (B, T, D).
    values : mapping or None
        None: ``layer.params``. Where Keras' GRU has two biases, with ``reset_after=True``, the
        second is then zero wherever ours is one. Given, gradients with the names of
        ``layer.params``: both biases then have the gradient of their sum.

    Returns
    -------
    list of numpy.ndarray, or list of such lists
        Copies, ready for ``keras_layer.set_weights``: kernel (D, 4H), recurrent_kernel (H, 4H) and
        bias (4H,), a GRU's (D, 3H), (H, 3H) and (2, 3H), or (3H,) with ``reset_after=False``; then
        the same of the reverse direction, if there is one. Of a stack, such a list for each of its
        layers.

    Raises
    ------
    TypeError
        If ``layer`` is none of these.
    ValueError
        If ``values`` lacks one of the layer's parameters, or Keras has no such cell.
    """
    check_kind(layer, "layer", Recurrent, "an LSTM, GRU or RNN")
    check_known(layer, "Keras", cells=(GRU_BEFORE_CELL,))
    host = host_values(layer, layer.params if values is None else values)
    stack = [
        [
            array
            for suffix in _suffixes(number, layer.bidirectional)
            for array in _theirs(layer, host, suffix, gradients=values is not None)
        ]
        for number in range(layer.num_layers)
    ]
    return stack if len(stack) > 1 else stack[0]


def from_keras(
    weights: Sequence,
    kind: str | None = None,
    backend: str | Backend | None = None,
    *,
    reset_after: bool | None = None,
) -> Recurrent:
    """The layer that a Keras LSTM, GRU or SimpleRNN (tanh) with these weights is.

    Parameters
    ----------
    weights : sequence of arrays, or sequence of such sequences
        ``keras_layer.get_weights()``, with or without biases, of the layer itself or of a
        ``Bidirectional`` around it. float32 or float64; half precision is read as float32. Of a
        stack, one for each of its layers: in one flat list two layers would look like two
        directions.
    kind : {"LSTM", "GRU", "SimpleRNN"} or None
        Keras' name of the layer; None: read off the shapes.
    backend : {"numpy", "numba", "cupy"} or None
    reset_after : bool or None
        Of a GRU, Keras' own option. None: read off the shape of its bias; without biases the
        weights do not tell, and True, Keras' default, is taken.

    Returns
    -------
    LSTM, GRU or RNN
        Dropout and other activations are no part of the weights.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or not of the first one's dtype.
    ValueError
        If there are too few or too many arrays, or their shapes are not those of such a layer. The
        message names the array.
    """
    if kind is not None:
        kind = checked_choice(kind, "kind", tuple(KINDS))
    if reset_after is not None:
        reset_after = checked_bool(reset_after, "reset_after")
    stack = _listed(weights)
    layer = _empty(stack, kind, reset_after, backend)
    arrays = {}
    for number, (own, label) in enumerate(stack):
        suffixes = _suffixes(number, layer.bidirectional)
        _check_layer(layer, number, own, label)
        share = len(own) // len(suffixes)
        for k, suffix in enumerate(suffixes):
            arrays.update(_ours(layer, suffix, own[k * share : (k + 1) * share]))
    write_params(layer.params, arrays, layer.backend)
    return layer


def _suffixes(number: int, bidirectional: bool) -> tuple[str, ...]:
    return (f"_l{number}", f"_l{number}_reverse")[: 2 if bidirectional else 1]


def _theirs(
    layer: Recurrent, host: Mapping[str, np.ndarray], suffix: str, gradients: bool
) -> list[np.ndarray]:
    kind = layer.cell.name
    bias = host["bias" + suffix].reshape(-1, layer.hidden_size)
    outer = bias[list(INPUT_ORDER[kind])].reshape(-1)
    if layer.cell is GRU_CELL:
        inner = outer.copy() if gradients else np.zeros_like(outer)
        inner[2 * layer.hidden_size :] = bias[3]
        outer = np.stack([outer, inner])
    return [
        np.ascontiguousarray(reordered(host["weight_x" + suffix], INPUT_ORDER[kind]).T),
        np.ascontiguousarray(reordered(host["weight_h" + suffix], RECURRENT_ORDER[kind]).T),
        outer,
    ]


def _ours(layer: Recurrent, suffix: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    kind, hidden = layer.cell.name, layer.hidden_size
    kernel, recurrent = arrays[:2]
    if len(arrays) < len(NAMES):
        bias = np.zeros(layer.cell.blocks * hidden, kernel.dtype)
    elif layer.cell is GRU_CELL:
        outer, inner = arrays[2]
        both = outer + np.concatenate([inner[: 2 * hidden], np.zeros_like(inner[2 * hidden :])])
        own = reordered(both, np.argsort(INPUT_ORDER[kind]))
        bias = np.concatenate([own, inner[2 * hidden :]])
    else:
        bias = reordered(arrays[2], np.argsort(INPUT_ORDER[kind]))
    return {
        "weight_x" + suffix: reordered(kernel.T, np.argsort(INPUT_ORDER[kind])),
        "weight_h" + suffix: reordered(recurrent.T, np.argsort(RECURRENT_ORDER[kind])),
        "bias" + suffix: bias,
    }


def _listed(weights: Any) -> list[tuple[list[np.ndarray], str]]:
    """For each layer of the stack its arrays, and what to call them in a message."""
    if not isinstance(weights, (list, tuple)) or not weights:
        raise ValueError(
            "weights must be a list of arrays, as of get_weights(), or a list of such lists, "
            f"got {'an empty list' if isinstance(weights, (list, tuple)) else type(weights)}"
        )
    nested = [isinstance(entry, (list, tuple)) for entry in weights]
    if all(nested):
        stack = [(list(own), f"weights[{k}]") for k, own in enumerate(weights)]
    elif any(nested):
        raise ValueError("weights must hold arrays or, of a stack, lists of arrays, not both")
    else:
        stack = [(list(weights), "weights")]
    counts = [len(own) for own, _ in stack]
    for (_, label), count in zip(stack, counts, strict=True):
        if count not in (2, 3, 4, 6):
            raise ValueError(
                f"{label} must hold kernel and recurrent_kernel, and bias if there is one, for "
                f"one direction or both: 2, 3, 4 or 6 arrays; it holds {count}"
            )
        if (count > 3) != (counts[0] > 3):
            raise ValueError(
                f"{label} holds {count} arrays, but {stack[0][1]} holds {counts[0]}: "
                "a stack has one direction throughout, or both"
            )
    return [
        ([to_host(array, f"{label}[{k}]") for k, array in enumerate(own)], label)
        for own, label in stack
    ]


def _empty(
    stack: list[tuple[list[np.ndarray], str]],
    kind: str | None,
    reset_after: bool | None,
    backend: str | Backend | None,
) -> Recurrent:
    """A layer of the size that the first two arrays tell."""
    own, label = stack[0]
    kernel, recurrent = own[:2]
    if kernel.ndim != 2 or recurrent.ndim != 2 or not recurrent.shape[0]:
        raise ValueError(
            f"{label}[0] and {label}[1], kernel and recurrent_kernel, must be matrices, "
            f"got {kernel.shape} and {recurrent.shape}"
        )
    hidden, columns = recurrent.shape
    found = BY_ROWS.get(columns // hidden) if columns % hidden == 0 else None
    if found is None:
        raise ValueError(
            f"{label}[1], recurrent_kernel, is {recurrent.shape}; its columns must be 4, 3 or 1 "
            f"times its {hidden} rows"
        )
    if kind is not None and found is not KINDS[kind]:
        theirs = next(name for name, layer in KINDS.items() if layer is found)
        raise ValueError(
            f"{label}[1], recurrent_kernel, is {recurrent.shape}, that of Keras' {theirs}, "
            f"but kind={kind!r}"
        )
    if kernel.dtype.name not in FLOATS:
        raise TypeError(f"{label}[0], kernel, must be float32 or float64, got {kernel.dtype}")
    options = {}
    if found is GRU:
        one_bias = len(own) % len(NAMES) == 0 and own[2].ndim == 1
        options["reset_after"] = not one_bias if reset_after is None else reset_after
    elif reset_after is not None:
        raise ValueError(f"reset_after={reset_after!r}, but {label} are not those of a GRU")
    return found(
        kernel.shape[0],
        hidden,
        len(stack),
        bidirectional=len(own) > 3,
        backend=backend,
        dtype=kernel.dtype,
        **options,
    )


def _check_layer(layer: Recurrent, number: int, own: list[np.ndarray], label: str) -> None:
    hidden, two_biases = layer.hidden_size, layer.cell is GRU_CELL
    width = layer.input_size if number == 0 else layer.output_size
    blocks = layer.cell.recurrent_rows
    bias = (2, blocks * hidden) if two_biases else (blocks * hidden,)
    wanted = ((width, blocks * hidden), (hidden, blocks * hidden), bias)
    share = len(own) // layer.directions
    for k, array in enumerate(own):
        name = f"{label}[{k}], {NAMES[k % share]}"
        if array.shape != wanted[k % share]:
            two = ", as with reset_after=True" if two_biases and k % share == 2 else ""
            raise ValueError(f"{name}, must have shape {wanted[k % share]}{two}, got {array.shape}")
        if array.dtype != layer.dtype:
            raise TypeError(f"{name}, is {array.dtype}, but the first array is {layer.dtype}")
