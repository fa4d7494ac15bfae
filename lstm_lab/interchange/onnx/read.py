"""From an ONNX file to the layer that it is."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any

import numpy as np

from ...backends import Backend
from ...layers import LastStep, Layer, Recurrent, Reverse, Sequential
from .axes import OPERATIONS, ZERO, Axis, Final, Flow, Unfollowed
from .cells import Part, part_of, stacked
from .files import read_model, stored_array
from .nodes import OPERATORS, RecurrentNode, attributes_of, described, read_node

WEIGHTS = ("W", "R", "B", "P")
STATES = ("initial_h", "initial_c")


def from_onnx(
    source: str | os.PathLike | bytes, backend: str | Backend | None = None
) -> Recurrent | Sequential:
    """The layer that an ONNX file of LSTM, GRU or RNN nodes is.

    The nodes stand one after another, with nothing between them but what moves their axes: as
    `to_onnx` writes them, and PyTorch's exporters. Where the file takes sequence lengths or
    initial states, the layer takes them in ``forward``.

    Parameters
    ----------
    source : path or bytes
        The weights are stored in the file, or beside it in its folder, and are float32 or float64.
    backend : {"numpy", "numba", "cupy"} or None

    Returns
    -------
    LSTM, GRU or RNN
        Time-major, (T, B, D), whatever the file's layout. Its biases are the sums of ONNX's two
        wherever ours is one.
    Sequential
        Where there is no such single layer: nodes that differ in more than their input, and those
        that read in the reverse direction alone, each between two `Reverse`. It starts from zero
        states; its layers take them one by one. Its last layer is a `LastStep` where the file's
        only output is the last step, ``y[-1]``, or the last layer's final hidden state.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If the package ``onnx`` is not installed.
    TypeError, ValueError
        If the file is damaged, or holds another network: the message names the node, and the
        attribute and its value where it is one.
    """
    graph = _Graph(read_model(source, "source"))
    if not graph.parts:
        raise ValueError("the graph holds no LSTM, GRU or RNN node")
    groups: list[list[Part]] = [graph.parts[:1]]
    for before, part in pairwise(graph.parts):
        if part.continues(before):
            groups[-1].append(part)
        else:
            groups.append([part])
    if len(groups) == 1 and not groups[0][0].reverse and not graph.last:
        return stacked(groups[0], backend)
    layers: dict[str, Layer] = {}
    for k, parts in enumerate(groups):
        inner = {f"recurrent_{k}": stacked(parts, backend)}
        if parts[0].reverse:
            options = {"backend": backend, "dtype": parts[0].dtype}
            ends = [{f"{name}_{k}": Reverse(**options)} for name in ("reverse", "restore")]
            inner = ends[0] | inner | ends[1]
        layers |= inner
    if graph.last:
        layers["last"] = LastStep(backend=backend, dtype=graph.parts[-1].dtype)
    return Sequential(**layers)


class _Graph:
    """A graph followed from its inputs to its outputs.

    Attributes
    ----------
    parts : list of Part
        Its recurrent nodes, in order.
    last : bool
        Whether all that comes out is the last step.
    """

    def __init__(self, model: Any):
        self.parts: list[Part] = []
        self._nodes: list[RecurrentNode] = []
        self._lengths: str | None = None
        self._time_and_batch: tuple[Axis, Axis] | None = None
        self._directions = 0  # of all nodes so far, as states count them
        graph = model.graph
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._values: dict[str, Any] = {
            value.name: Flow(value.name, _axes(value))
            for value in graph.input
            if value.name not in self._stored
        }
        for proto in graph.node:
            if proto.op_type in OPERATORS and proto.domain in ("", "ai.onnx"):
                self._recurrent(read_node(proto))
            else:
                self._other(proto)
        for value in graph.output:
            self._check_output(value.name)
        made = [self._value(value.name) for value in graph.output]
        self.last = all(isinstance(value, Flow) and value.last is not None for value in made)

    def _value(self, name: str) -> Any:
        if name in self._stored and name not in self._values:
            self._values[name] = stored_array(self._stored[name])
        return self._values.get(name)

    def _other(self, proto: Any) -> None:
        operation = OPERATIONS.get(proto.op_type)
        if operation is None or proto.domain not in ("", "ai.onnx"):
            raise ValueError(
                f"{described(proto)} is not supported; supported: {', '.join(OPERATORS)}, and "
                f"what moves axes between them: {', '.join(OPERATIONS)}"
            )
        inputs = [self._value(name) for name in proto.input]
        try:
            made = operation(inputs, attributes_of(proto))
        except (Unfollowed, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"{described(proto)} is not supported: {error}") from error
        made = made if isinstance(made, list) else [made]
        if len(made) != len(proto.output):
            raise ValueError(f"{described(proto)} has {len(proto.output)} outputs, not {len(made)}")
        self._values.update(zip(proto.output, made, strict=True))

    def _recurrent(self, node: RecurrentNode) -> None:
        arrays = {}
        for slot in WEIGHTS:
            if slot in node.inputs:
                arrays[slot] = self._value(node.inputs[slot])
                if not isinstance(arrays[slot], np.ndarray):
                    raise ValueError(
                        f"{node.label}: {slot} ({node.inputs[slot]!r}) must be stored in the file"
                    )
        part = part_of(node, arrays)
        for slot, array in arrays.items():
            if not np.isfinite(array).all():
                raise ValueError(f"{node.label}: {slot} holds NaN or infinity")
        source, time, batch = self._check_input(node, part)
        self._check_lengths(node)
        for slot in STATES:
            self._check_state(node, slot)
        self.parts.append(part)
        self._nodes.append(node)
        self._directions += node.directions
        directions, units = Axis("directions", node.directions), Axis("units", part.hidden_size)
        axes = (time, directions, batch, units)
        if node.layout == 1:
            axes = (batch, time, directions, units)
        final = Final()
        if node.direction == "forward" and node.layout == 0:
            depth = len(self.parts)
            final = Final(Flow(source, (batch, units), depth, last=time.name, own=True), True)
        made = {"Y": Flow(source, axes, len(self.parts)), "Y_h": final, "Y_c": Final()}
        self._values.update({name: made[slot] for slot, name in node.outputs.items()})

    def _check_input(self, node: RecurrentNode, part: Part) -> tuple[str, Axis, Axis]:
        """The graph's input that X comes from, and the axes of time and batch."""
        x = self._value(node.inputs["X"])
        label = f"{node.label}: X ({node.inputs['X']!r})"
        if not isinstance(x, Flow) or x.rows or x.depth != len(self.parts):
            source = f"the output of {self._nodes[-1].label}" if self._nodes else "a graph input"
            raise ValueError(f"{label} must be {source}; other networks are not supported")
        if len(x.axes) != 3:
            raise ValueError(f"{label} must have three axes, not {len(x.axes)}")
        time, batch = x.axes[:2] if node.layout == 0 else x.axes[1::-1]
        if not self._nodes:
            self._time_and_batch = (time, batch)
        if (time, batch) != self._time_and_batch or (x.depth and x.axes[2].name != "units"):
            raise ValueError(f"{label} must have the axes time, batch and units that Y had before")
        width = x.axes[2].size
        if isinstance(width, int) and width != part.input_size:
            raise ValueError(f"{label} has {width} units, but W those for {part.input_size}")
        return x.source, time, batch

    def _check_lengths(self, node: RecurrentNode) -> None:
        name = node.inputs.get("sequence_lens")
        if name is not None and not isinstance(self._value(name), Flow):
            raise ValueError(f"{node.label}: sequence_lens ({name!r}) must be a graph input")
        source = None if name is None else self._value(name).source
        if self._nodes and source != self._lengths:
            raise ValueError(
                f"{node.label}: sequence_lens is {source!r}, but that of {self._nodes[-1].label} "
                f"is {self._lengths!r}; one layer has one"
            )
        self._lengths = source

    def _check_state(self, node: RecurrentNode, slot: str) -> None:
        name = node.inputs.get(slot)
        value = ZERO if name is None else self._value(name)
        if isinstance(value, np.ndarray) and not value.any():
            value = ZERO
        own = (self._directions, self._directions + node.directions)
        if value is not ZERO and (not isinstance(value, Flow) or value.depth):
            raise ValueError(
                f"{node.label}: {slot} ({name!r}) must be zero or a graph input: "
                "a layer takes its initial state in forward"
            )
        if isinstance(value, Flow) and value.rows not in (None, own):
            raise ValueError(
                f"{node.label}: {slot} ({name!r}) is the part {value.rows} of {value.source!r}; "
                f"that of this node is {own}"
            )

    def _check_output(self, name: str) -> None:
        value = self._value(name)
        if isinstance(value, Final):
            return
        if not isinstance(value, Flow) or value.depth != len(self.parts):
            last = f"what {self._nodes[-1].label} makes" if self._nodes else "made by a node"
            raise ValueError(f"the graph's output {name!r} must be {last}, or final states")
        if value.last is None:
            return
        time, batch = self._time_and_batch
        if value.last != time.name or [a.name for a in value.axes] != [batch.name, "units"]:
            raise ValueError(
                f"the graph's output {name!r} is the last entry of the axis {value.last}, with "
                f"{[axis.name for axis in value.axes]} left; supported: the last step, with the "
                "axes batch and units"
            )
        if self._lengths is not None and not value.own:
            raise ValueError(
                f"the graph's output {name!r} is the last step of the padded batch, which for "
                "shorter sequences is padding; supported: final states"
            )


def _axes(value: Any) -> tuple[Axis, ...]:
    """A graph input's axes; where the file does not know a size, it is the axis' own name."""
    dims = value.type.tensor_type.shape.dim
    return tuple(
        Axis(f"{value.name}[{k}]", dim.dim_value or f"{value.name}[{k}]")
        for k, dim in enumerate(dims)
    )
