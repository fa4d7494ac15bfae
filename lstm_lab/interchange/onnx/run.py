"""One recurrent ONNX node, run by this library's layers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..._validation import check_kind, plain_array
from ...backends import Backend, get_backend
from ...layers import Recurrent, Reverse
from .cells import Part, check_shape, part_of, stacked
from .files import read_model, stored_array
from .nodes import OPERATORS, RecurrentNode, described, read_node

STATES = {"Y_h": "initial_h", "Y_c": "initial_c"}


def run_onnx(
    model: bytes | str | os.PathLike,
    inputs: Sequence[np.ndarray],
    backend: str | Backend | None = None,
) -> list[np.ndarray]:
    """Run a model of one LSTM, GRU or RNN node.

    Parameters
    ----------
    model : bytes or path
    inputs : sequence of arrays
        One for each of the graph's inputs that the file does not store, in its order. Beside X
        these may be the weights, lengths and initial states; float32 or float64 alike.
    backend : {"numpy", "numba", "cupy"} or None
        What computes.

    Returns
    -------
    list of numpy.ndarray
        The graph's outputs, in its order.

    Raises
    ------
    FileNotFoundError
        If ``model`` is a path and there is no such file.
    ModuleNotFoundError
        If the package ``onnx`` is not installed.
    TypeError, ValueError
        If the file is damaged or holds more than such a node, the node has an attribute that is
        not supported, or an input does not fit. The message names what it is about.
    """
    check_kind(inputs, "inputs", (list, tuple, np.ndarray), "a list of arrays")
    backend = get_backend(backend)
    graph = read_model(model, "model").graph
    if len(graph.node) != 1 or graph.node[0].op_type not in OPERATORS:
        held = ", ".join(map(described, graph.node)) or "none"
        raise ValueError(
            f"run_onnx runs one node, {', '.join(OPERATORS)}; the graph holds {held}. "
            "from_onnx reads several"
        )
    node = read_node(graph.node[0])
    arrays = {tensor.name: stored_array(tensor) for tensor in graph.initializer}
    names = [value.name for value in graph.input if value.name not in arrays]
    if len(inputs) != len(names):
        raise ValueError(f"inputs must be {len(names)} arrays, {names}; got {len(inputs)}")
    given = [plain_array(array, f"inputs[{k}]") for k, array in enumerate(inputs)]
    arrays.update(zip(names, given, strict=True))
    made = _run(node, {slot: arrays[name] for slot, name in node.inputs.items()}, backend)
    named = {name: made[slot] for slot, name in node.outputs.items()}
    for value in graph.output:
        if value.name not in named:
            raise ValueError(f"the graph's output {value.name!r} is not made by {node.label}")
    return [named[value.name] for value in graph.output]


def _run(
    node: RecurrentNode, given: Mapping[str, np.ndarray], backend: str | Backend | None
) -> dict[str, np.ndarray]:
    part = part_of(node, {slot: given[slot] for slot in ("W", "R", "B", "P") if slot in given})
    layer = stacked([part], backend)
    x = given["X"]
    if x.ndim != 3 or 0 in x.shape[:2] or x.shape[2] != part.input_size:
        axes = ("batch, time" if node.layout else "time, batch") + f", {part.input_size}"
        raise ValueError(f"{node.label}: X must have shape ({axes}), got {x.shape}")
    x = _swapped(node, x)
    lengths = given.get("sequence_lens")
    if lengths is not None:
        _check_lengths(node, lengths, *x.shape[:2])
    state = _state(node, given, part, layer, x.shape[1])
    given_x = layer.backend.asarray(_same_dtype(node, "X", x, part))
    turn = Reverse(backend=layer.backend, dtype=part.dtype) if part.reverse else None
    if turn:
        given_x, _ = turn.forward(given_x, lengths=lengths)
    y, trace = layer.forward(given_x, state, lengths, trace=False)
    if turn:
        y, _ = turn.forward(y, lengths=lengths)
    steps, batch, _ = x.shape
    y = layer.backend.to_numpy(y).reshape(steps, batch, node.directions, -1)
    y = y.swapaxes(0, 1) if node.layout else y.transpose(0, 2, 1, 3)
    final = trace.state if isinstance(trace.state, tuple) else (trace.state,)
    made = {"Y": y}
    for slot, array in zip(STATES, final, strict=False):
        made[slot] = _swapped(node, layer.backend.to_numpy(array))
    return {slot: np.ascontiguousarray(array) for slot, array in made.items()}


def _swapped(node: RecurrentNode, array: np.ndarray) -> np.ndarray:
    """From the node's layout to the layer's, and back."""
    return array.swapaxes(0, 1) if node.layout else array


def _check_lengths(node: RecurrentNode, lengths: np.ndarray, steps: int, batch: int) -> None:
    check_shape(lengths, f"{node.label}: sequence_lens", (batch,))
    if lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > steps:
        raise ValueError(
            f"{node.label}: sequence_lens must be whole numbers from 1 to {steps}, got "
            f"{lengths.tolist()} ({lengths.dtype})"
        )


def _state(
    node: RecurrentNode,
    given: Mapping[str, np.ndarray],
    part: Part,
    layer: Recurrent,
    batch: int,
) -> Any:
    """What the layer takes as its initial state; zero where the node has none."""
    shape = (node.directions, batch, part.hidden_size)
    arrays = []
    for slot in list(STATES.values())[: len(layer.cell.states)]:
        array = given.get(slot)
        if array is None:
            array = np.zeros(shape, part.dtype)
        else:
            wanted = (batch, node.directions, part.hidden_size) if node.layout else shape
            check_shape(array, f"{node.label}: {slot}", wanted)
            array = _swapped(node, _same_dtype(node, slot, array, part))
        arrays.append(layer.backend.asarray(np.ascontiguousarray(array)))
    return tuple(arrays) if len(arrays) > 1 else arrays[0]


def _same_dtype(node: RecurrentNode, slot: str, array: np.ndarray, part: Part) -> np.ndarray:
    if array.dtype != part.dtype:
        raise TypeError(f"{node.label}: {slot} is {array.dtype}, but W {part.dtype}")
    return array
