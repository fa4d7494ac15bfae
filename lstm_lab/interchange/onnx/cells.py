"""A recurrent node's arrays W, R, B and P as a layer's parameters, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._validation import FLOATS
from ...backends import Backend
from ...cells import GRU_BEFORE_CELL, LSTM_CELLS
from ...layers import GRU, LSTM, RNN, Recurrent, write_params
from ..blocks import check_known, reordered
from .nodes import RecurrentNode

# For every cell, the order in which ONNX stacks the gates, as blocks of ours.
# Ours are o, i, f, g; ONNX's are i, o, f, c. Ours are n, r, z(, q) and r, z, n; ONNX's z, r, h.
INPUT_ORDER = {"LSTM": (1, 0, 2, 3), "GRU": (2, 1, 0), "RNN": (0,)}
RECURRENT_ORDER = {"LSTM": (1, 0, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}
PEEPHOLE_ORDER = (1, 0, 2)  # ours are o, i, f; ONNX's are i, o, f
FORGET = 2  # the block of ours that a coupled LSTM does not have

KINDS = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}


@dataclass(frozen=True)
class Part:
    """What one recurrent node is: one layer of a stack.

    Attributes
    ----------
    kind : type
        LSTM, GRU or RNN.
    options : dict
        The constructor's arguments but for the sizes, the backend and the dtype.
    input_size, hidden_size : int
    dtype : numpy.dtype
    reverse : bool
        Whether its only direction is the reverse one.
    params : dict of str to numpy.ndarray
        The layer's parameters; the names lack the layer's number.
    """

    kind: type[Recurrent]
    options: dict[str, Any]
    input_size: int
    hidden_size: int
    dtype: np.dtype
    reverse: bool
    params: dict[str, np.ndarray]

    @property
    def output_size(self) -> int:
        """H, or 2H in both directions."""
        return self.hidden_size * (2 if self.options["bidirectional"] else 1)

    def continues(self, other: Part) -> bool:
        """Whether this is a further layer of the stack that ``other`` is in."""
        same = (self.kind, self.options, self.hidden_size, self.dtype)
        return same == (other.kind, other.options, other.hidden_size, other.dtype) and not (
            self.reverse or other.reverse
        )


def part_of(node: RecurrentNode, arrays: Mapping[str, np.ndarray]) -> Part:
    """The layer that a node with these arrays is.

    Parameters
    ----------
    node : RecurrentNode
    arrays : mapping
        ``W`` (S, GH, D), ``R`` (S, GH, H) and, where there are any, ``B`` (S, 2GH) and ``P``
        (S, 3H), for S directions and G gates.

    Raises
    ------
    TypeError, ValueError
        If an array has the wrong dtype or shape.
    """
    gates = len(INPUT_ORDER[node.op])
    hidden, width = _sizes(node, arrays["W"], arrays["R"], gates)
    wanted = {
        "W": (node.directions, gates * hidden, width),
        "R": (node.directions, gates * hidden, hidden),
        "B": (node.directions, 2 * gates * hidden),
        "P": (node.directions, 3 * hidden),
    }
    for slot, array in arrays.items():
        if array.dtype.name not in FLOATS:
            raise TypeError(
                f"{node.label}: {slot} is {array.dtype}, not supported; supported: "
                f"{', '.join(FLOATS)}"
            )
        check_shape(array, f"{node.label}: {slot}", wanted[slot])
        if array.dtype != arrays["W"].dtype:
            raise TypeError(f"{node.label}: {slot} is {array.dtype}, but W {arrays['W'].dtype}")
    options = {"bidirectional": node.directions == 2}
    if node.op == "LSTM":
        options |= {"peepholes": "P" in arrays, "coupled": node.input_forget}
    elif node.op == "GRU":
        options["reset_after"] = node.linear_before_reset
    params: dict[str, np.ndarray] = {}
    for s, suffix in enumerate(("", "_reverse")[: node.directions]):
        own = {slot: array[s] for slot, array in arrays.items()}
        params.update({name + suffix: array for name, array in _ours(node, own, hidden).items()})
    return Part(
        KINDS[node.op], options, width, hidden, arrays["W"].dtype, node.direction == "reverse",
        params,
    )  # fmt: skip


def stacked(parts: Sequence[Part], backend: str | Backend | None) -> Recurrent:
    """The layer of as many layers as there are parts, which all continue the first."""
    first = parts[0]
    layer = first.kind(
        first.input_size,
        first.hidden_size,
        len(parts),
        backend=backend,
        dtype=first.dtype,
        **first.options,
    )
    arrays = {}
    for number, part in enumerate(parts):
        for name, values in part.params.items():
            base, reverse, _ = name.partition("_reverse")
            arrays[f"{base}_l{number}{reverse}"] = values
    write_params(layer.params, arrays, layer.backend)
    return layer


def check_exportable(layer: Recurrent) -> None:
    """Refuse a layer whose cell ONNX does not have.

    Raises
    ------
    ValueError
    """
    if layer.cell.name == "LSTM" and not layer.forget_gate:
        raise ValueError(f"ONNX has no LSTM without a forget gate: {layer!r}")
    lstms = [LSTM_CELLS[keep, seen] for keep in ("gate", "coupled") for seen in (False, True)]
    check_known(layer, "ONNX", cells=(*lstms, GRU_BEFORE_CELL))


def node_arrays(
    layer: Recurrent, host: Mapping[str, np.ndarray], number: int
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """W, R, B and, where there are peepholes, P of one layer of a stack; and its attributes.

    The second half of B, the recurrent biases, is zero wherever ours is one bias.
    """
    suffixes = (f"_l{number}", f"_l{number}_reverse")[: layer.directions]
    own = [_theirs(layer, host, suffix) for suffix in suffixes]
    arrays = {slot: np.stack([each[slot] for each in own]) for slot in own[0]}
    attributes: dict[str, Any] = {"hidden_size": layer.hidden_size}
    if layer.bidirectional:
        attributes["direction"] = "bidirectional"
    if layer.cell.name == "GRU":
        attributes["linear_before_reset"] = int(layer.reset_after)
    elif layer.cell.name == "LSTM" and layer.coupled:
        attributes["input_forget"] = 1
    return arrays, attributes


def check_shape(array: np.ndarray, label: str, wanted: tuple[int, ...]) -> None:
    """Refuse an array of another shape.

    Raises
    ------
    ValueError
    """
    if array.shape != wanted:
        raise ValueError(f"{label} must have shape {wanted}, got {array.shape}")


def _sizes(node: RecurrentNode, w: np.ndarray, r: np.ndarray, gates: int) -> tuple[int, int]:
    if w.ndim != 3 or r.ndim != 3 or 0 in w.shape or 0 in r.shape:
        raise ValueError(
            f"{node.label}: W and R must have shapes (directions, {gates} hidden_size, input_size) "
            f"and (directions, {gates} hidden_size, hidden_size), got {w.shape} and {r.shape}"
        )
    hidden = r.shape[2]
    if node.hidden_size not in (None, hidden):
        raise ValueError(
            f"{node.label}: hidden_size={node.hidden_size}, but R {r.shape} is that of {hidden}"
        )
    return hidden, w.shape[2]


def _ours(node: RecurrentNode, own: dict[str, np.ndarray], hidden: int) -> dict[str, np.ndarray]:
    """One direction's parameters."""
    input_back = np.argsort(INPUT_ORDER[node.op])
    bias = own.get("B", np.zeros(2 * own["W"].shape[0], own["W"].dtype))
    outer, inner = np.split(bias, 2)
    after = inner[-hidden:] if node.op == "GRU" and node.linear_before_reset else inner[:0]
    if after.size:
        inner = np.concatenate([inner[:-hidden], np.zeros_like(after)])
    values = {
        "weight_x": reordered(own["W"], input_back),
        "weight_h": reordered(own["R"], np.argsort(RECURRENT_ORDER[node.op])),
        "bias": reordered(outer + inner, input_back),
    }
    if "P" in own:
        values["peephole"] = reordered(own["P"], np.argsort(PEEPHOLE_ORDER))
    if node.input_forget:
        # What stands at the forget gate has no influence: it is 1 - i.
        rows = slice(FORGET * hidden, (FORGET + 1) * hidden)
        values = {name: np.delete(array, rows, axis=0) for name, array in values.items()}
    values["bias"] = np.concatenate([values["bias"], after])
    return values


def _theirs(layer: Recurrent, host: Mapping[str, np.ndarray], suffix: str) -> dict[str, np.ndarray]:
    """One direction's arrays."""
    kind, hidden = layer.cell.name, layer.hidden_size

    def own(name: str) -> np.ndarray:
        array = host[name + suffix]
        if kind == "LSTM" and layer.coupled:
            return np.insert(array, [FORGET * hidden] * hidden, 0, axis=0)
        return array

    bias = own("bias")
    gates = len(INPUT_ORDER[kind]) * hidden
    outer, after = bias[:gates], bias[gates:]
    inner = np.zeros_like(outer)
    inner[gates - after.size :] = after
    arrays = {
        "W": reordered(own("weight_x"), INPUT_ORDER[kind]),
        "R": reordered(own("weight_h"), RECURRENT_ORDER[kind]),
        "B": np.concatenate([reordered(outer, INPUT_ORDER[kind]), inner]),
    }
    if layer.cell.peepholes:
        arrays["P"] = reordered(own("peephole"), PEEPHOLE_ORDER)
    return arrays
