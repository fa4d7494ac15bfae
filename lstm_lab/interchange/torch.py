"""Torch's names and layout. Nothing here needs torch: a state_dict is a mapping to arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._validation import FLOATS, check_kind, check_mapping
from ..backends import Array, Backend
from ..layers import Layer, Recurrent, Sequential, write_params
from .blocks import BY_ROWS, check_known, host_values, reordered, to_host

# For every cell, the order in which torch stacks the gates, as blocks of ours.
# Ours are o, i, f, g; torch's are i, f, g, o. Ours are n, r, z(, q); torch's are r, z, n.
INPUT_ORDER = {"LSTM": (1, 2, 3, 0), "GRU": (1, 2, 0), "RNN": (0,)}
RECURRENT_ORDER = {"LSTM": (1, 2, 3, 0), "GRU": (0, 1, 2), "RNN": (0,)}


def to_torch(layer: Layer, values: Mapping[str, Array] | None = None) -> dict[str, np.ndarray]:
    """A layer's parameters, or their gradients, under torch's names and in its layout.

    Parameters
    ----------
    layer : Layer
        An LSTM, GRU or RNN: ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0``,
        ``weight_hr_l0`` with ``proj_size``; ``_reverse``. A Sequential: each of its layers' names
        after the layer's own. Any other layer: its own names, which are torch's.
    values : mapping or None
        None: ``layer.params``. Torch's second bias is then zero wherever ours is one bias.
        Given, gradients with the names of ``layer.params``: both of torch's biases then have the
        gradient of their sum.

    Returns
    -------
    dict of str to numpy.ndarray
        Copies, ready for ``torch.nn.LSTM.load_state_dict`` after ``torch.from_numpy``.

    Raises
    ------
    ValueError
        If ``values`` lacks one of the layer's parameters, or torch has no such cell.
    """
    check_kind(layer, "layer", Layer, "a layer")
    gradients = values is not None
    values = layer.params if values is None else values
    host = host_values(layer, values)
    if isinstance(layer, Sequential):
        out = {}
        for name, part in layer.layers.items():
            own = {key: values[f"{name}.{key}"] for key in part.params}
            converted = to_torch(part, own if gradients else None)
            out.update({f"{name}.{key}": array for key, array in converted.items()})
        return out
    if not isinstance(layer, Recurrent):
        return host
    check_known(layer, "torch", projection=True)
    kind, hidden, out = layer.cell.name, layer.hidden_size, {}
    for suffix in (name.removeprefix("bias") for name in host if name.startswith("bias")):
        bias = host["bias" + suffix].reshape(-1, hidden)
        first = bias[list(INPUT_ORDER[kind])].reshape(-1)
        second = first.copy() if gradients else np.zeros_like(first)
        if kind == "GRU":
            second[2 * hidden :] = bias[3]
        out["weight_ih" + suffix] = reordered(host["weight_x" + suffix], INPUT_ORDER[kind])
        out["weight_hh" + suffix] = reordered(host["weight_h" + suffix], RECURRENT_ORDER[kind])
        out["bias_ih" + suffix], out["bias_hh" + suffix] = first, second
        if layer.proj_size:
            out["weight_hr" + suffix] = host["projection" + suffix]
    return out


def from_torch(state_dict: Mapping[str, Any], backend: str | Backend | None = None) -> Recurrent:
    """The layer that a torch LSTM, GRU or RNN (tanh) with this state_dict is.

    Parameters
    ----------
    state_dict : mapping of str to tensor or array
        As from ``module.state_dict()``; with both biases of every layer and direction, or with
        none at all. float32 or float64 throughout; float16 and bfloat16 are read as float32.
    backend : {"numpy", "numba", "cupy"} or None

    Returns
    -------
    LSTM, GRU or RNN
        Which of them is read off the shapes. Dropout is no part of a state_dict.

    Raises
    ------
    ValueError
        If names or shapes are not those of such a module; the message names the entry.
    """
    check_mapping(state_dict, "state_dict")
    arrays = {name: to_host(value, f"state_dict[{name!r}]") for name, value in state_dict.items()}
    for name, array in arrays.items():
        if array.dtype.name not in FLOATS:
            raise ValueError(
                f"state_dict[{name!r}] must hold {' or '.join(FLOATS)}, got {array.dtype}"
            )
    if "weight_ih_l0" not in arrays or "weight_hh_l0" not in arrays:
        _check_prefix(arrays)
        raise ValueError(
            "state_dict needs weight_ih_l0 and weight_hh_l0, those of one torch.nn.LSTM, GRU or "
            f"RNN; it has {', '.join(sorted(arrays)) or 'nothing'}"
        )
    wide, tall = arrays["weight_ih_l0"], arrays["weight_hh_l0"]
    for name, array in arrays.items():
        if array.dtype != wide.dtype:
            raise ValueError(
                f"state_dict[{name!r}] is {array.dtype}, but weight_ih_l0 is {wide.dtype}"
            )
    if wide.ndim != 2 or tall.ndim != 2 or not tall.shape[1]:
        raise ValueError(
            f"weight_ih_l0 and weight_hh_l0 must be matrices, got {wide.shape} and {tall.shape}"
        )
    hidden, options = tall.shape[1], {}
    if "weight_hr_l0" in arrays:
        projection = arrays["weight_hr_l0"]
        if projection.ndim != 2 or not 0 < tall.shape[0] == 4 * projection.shape[1]:
            raise ValueError(
                f"weight_hr_l0 must be a matrix with a quarter as many columns as weight_hh_l0, "
                f"{tall.shape}, has rows, got {projection.shape}"
            )
        options["proj_size"], hidden = projection.shape
    kind = BY_ROWS.get(tall.shape[0] // hidden) if tall.shape[0] % hidden == 0 else None
    if kind is None:
        raise ValueError(
            f"weight_hh_l0 is {tall.shape}; its rows must be 4, 3 or 1 times its {hidden} columns"
        )
    layers = sum(name.startswith("weight_hh") and "_reverse" not in name for name in arrays)
    layer = kind(
        wide.shape[1],
        hidden,
        layers,
        bidirectional="weight_hh_l0_reverse" in arrays,
        backend=backend,
        dtype=wide.dtype,
        **options,
    )
    # The layer's own translation says which names and shapes there must be.
    wanted = {name: array.shape for name, array in to_torch(layer).items()}
    biases = [name for name in wanted if name.startswith("bias")]
    if not any(name.startswith("bias") for name in arrays):  # bias=False
        arrays |= {name: np.zeros(wanted[name], wide.dtype) for name in biases}
    for name in biases:
        if name not in arrays:
            raise ValueError(
                f"state_dict lacks {name!r}, but has other biases; torch has both biases of every "
                "layer and direction, or with bias=False none"
            )
    for name in sorted(wanted.keys() | arrays.keys()):
        if name not in arrays or name not in wanted or arrays[name].shape != wanted[name]:
            got = arrays[name].shape if name in arrays else "nothing"
            raise ValueError(
                f"state_dict[{name!r}]: expected {wanted.get(name, 'no such entry')}, got {got}"
            )
    values = {name: _ours(layer, name, arrays) for name in layer.params}
    write_params(layer.params, values, layer.backend)
    return layer


def _check_prefix(arrays: Mapping[str, np.ndarray]) -> None:
    """Say what to strip, where a module's names stand behind those of what it was part of."""
    ends = [name.removesuffix("weight_hh_l0") for name in arrays if name.endswith("weight_hh_l0")]
    if not ends or "" in ends:
        return
    prefix, found = ends[0], ", ".join(repr(end) for end in ends)
    raise ValueError(
        f"state_dict's names must begin with weight_ or bias_, but they have a prefix, {found}, "
        "that of a larger module, of DataParallel or of torch.compile; pass "
        f"{{name.removeprefix({prefix!r}): value for name, value in state_dict.items() "
        f"if name.startswith({prefix!r})}}"
    )


def _ours(layer: Recurrent, name: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    kind, hidden = layer.cell.name, layer.hidden_size
    part, _, rest = name.rpartition("_l")
    suffix = "_l" + rest
    if part == "weight_x":
        return reordered(arrays["weight_ih" + suffix], np.argsort(INPUT_ORDER[kind]))
    if part == "weight_h":
        return reordered(arrays["weight_hh" + suffix], np.argsort(RECURRENT_ORDER[kind]))
    if part == "projection":
        return arrays["weight_hr" + suffix]
    first, second = arrays["bias_ih" + suffix], arrays["bias_hh" + suffix].copy()
    inner = second[2 * hidden :].copy()
    if kind == "GRU":
        second[2 * hidden :] = 0
    bias = reordered(first + second, np.argsort(INPUT_ORDER[kind]))
    return np.concatenate([bias, inner]) if kind == "GRU" else bias
