"""From a layer to an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..._validation import checked_bool, checked_choice, checked_path
from ...files import write_whole
from ...layers import Dropout, Layer, Recurrent, Reverse, Sequential
from ..blocks import host_values
from .cells import check_exportable, node_arrays
from .files import onnx_package, read_model
from .nodes import OPERATORS

# As old as the nodes allow, so that old runtimes read them too.
OPSET, IR_VERSION = 14, 7
PRODUCER = "lstm_lab"


def to_onnx(
    layer: Recurrent | Sequential,
    path: str | os.PathLike | None = None,
    *,
    layout: int = 0,
    lengths: bool = False,
    state: bool = False,
) -> bytes:
    """A layer as an ONNX model: an LSTM, GRU or RNN node for each layer of a stack.

    The model takes ``x`` (T, B, D), with T and B left open. It makes ``y`` (T, B, H), or 2H in
    both directions, and the final states ``h`` and, of an LSTM, ``c`` (layers · directions, B, H).
    Dropout is for training and is left out.

    Parameters
    ----------
    layer : LSTM, GRU, RNN or Sequential
        In a Sequential, such layers one after another; each may stand between two `Reverse`, which
        is ONNX's reverse direction. Its model has no states.
    path : path or None
        Where to write the model too: whole or not at all.
    layout : {0, 1}
        1: ``x`` is (B, T, D), and ``y`` alike. It is written with transposes, for onnxruntime does
        not run nodes whose own ``layout`` is 1.
    lengths : bool
        Whether the model takes the sequences' ``lengths`` too, int32 (B,).
    state : bool
        Whether it takes the initial state ``h0`` and, of an LSTM, ``c0`` too, shaped like the
        final ones. Otherwise they are zero.

    Returns
    -------
    bytes
        The model, to be run by onnxruntime or read by `from_onnx`. (onnxruntime computes LSTM
        nodes in float32 alone.)

    Raises
    ------
    FileExistsError
        If ``path`` is there and is not a model that this library wrote: nothing else is replaced.
    ModuleNotFoundError
        If the package ``onnx`` is not installed.
    TypeError, ValueError
        If ONNX has no such layer, or a parameter holds NaN or infinity.
    """
    onnx = onnx_package()
    layout = checked_choice(layout, "layout", (0, 1))
    lengths, state = checked_bool(lengths, "lengths"), checked_bool(state, "state")
    if path is not None:
        path = checked_path(path, "path")
    chain = _chain(layer)
    if state and not isinstance(layer, Recurrent):
        raise ValueError("state=True needs one LSTM, GRU or RNN: a Sequential takes no state")
    writer = _Writer(onnx, layer.dtype)
    writer.network(chain, layout, lengths, state, finals=isinstance(layer, Recurrent))
    data = writer.serialised()
    if path is not None:
        _write(path, data)
    return data


def _chain(layer: Layer) -> list[tuple[Recurrent, bool]]:
    """The recurrent layers in order, each with whether it reads in the reverse direction alone.

    Raises
    ------
    TypeError
        If there is another layer among them.
    ValueError
        If ONNX has no such cell, or a `Reverse` has no counterpart.
    """
    parts = list(layer.layers.values()) if isinstance(layer, Sequential) else [layer]
    parts = [part for part in parts if not isinstance(part, Dropout)]
    chain = []
    while parts:
        reverse = isinstance(parts[0], Reverse)
        if reverse:
            kinds = [type(part).__name__ for part in parts[:3]]
            if (
                len(parts) < 3
                or not isinstance(parts[1], Recurrent)
                or parts[1].bidirectional
                or not isinstance(parts[2], Reverse)
            ):
                raise ValueError(
                    "in ONNX a Reverse stands before a recurrent layer of one direction, and "
                    f"another after it; got {', '.join(kinds)}"
                )
        part = parts[reverse]
        del parts[: 3 if reverse else 1]
        if not isinstance(part, Recurrent):
            raise TypeError(
                f"layer: ONNX export takes {', '.join(OPERATORS)}, alone or in a Sequential, not "
                f"{type(part).__name__}"
            )
        check_exportable(part)
        chain.append((part, reverse))
    if not chain:
        raise ValueError(f"the Sequential holds none of {', '.join(OPERATORS)}")
    return chain


def _nodes(
    chain: list[tuple[Recurrent, bool]],
) -> Iterator[tuple[str, dict[str, np.ndarray], dict[str, Any]]]:
    """For each layer of each stack its operator, and that node's stored arrays and attributes.

    Raises
    ------
    ValueError
        If a parameter is not finite.
    """
    for layer, reverse in chain:
        host = host_values(layer, layer.params)
        for name, array in host.items():
            if not np.isfinite(array).all():
                raise ValueError(f"{name} of {layer!r} holds NaN or infinity")
        for number in range(layer.num_layers):
            arrays, attributes = node_arrays(layer, host, number)
            if reverse:
                attributes["direction"] = "reverse"
            yield layer.cell.name, arrays, attributes


class _Writer:
    """A graph as it grows."""

    def __init__(self, onnx: Any, dtype: np.dtype):
        self.onnx, self.dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.stored: dict[str, np.ndarray] = {}
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def network(
        self,
        chain: list[tuple[Recurrent, bool]],
        layout: int,
        lengths: bool,
        state: bool,
        finals: bool,
    ) -> None:
        """All of it: the inputs, the nodes, the outputs."""
        nodes = list(_nodes(chain))
        first, last = chain[0][0], chain[-1][0]
        outer = ["B", "T"] if layout else ["T", "B"]
        self.inputs.append(self._described("x", [*outer, first.input_size]))
        x = "x"
        if layout:
            x = "x_time_major"
            self._add("Transpose", ["x"], [x], perm=[1, 0, 2])
        if lengths:
            self.inputs.append(self._described("lengths", ["B"], np.dtype("int32")))
        states = ("h", "c")[: len(first.cell.states)] if finals else ()
        before = {s: self._initial(f"{s}0", first) for s in states if state}
        for number, (op, arrays, attributes) in enumerate(nodes):
            inputs = {"X": x, "sequence_lens": "lengths" if lengths else ""}
            inputs |= {f"initial_{s}": names[number] for s, names in before.items()}
            y = f"y_{number}" if layout or number < len(nodes) - 1 else "y"
            after = [s if len(nodes) == 1 else f"{s}_{number}" for s in states]
            for slot, array in arrays.items():
                inputs[slot] = f"{slot}_{number}"
                self.stored[inputs[slot]] = array
            self._recurrent(op, number, inputs, [y, *after], attributes)
            x = y
        if layout:
            self._add("Transpose", [x], ["y"], perm=[1, 0, 2])
        self.outputs.append(self._described("y", [*outer, last.output_size]))
        for s in states:
            if len(nodes) > 1:
                self._add("Concat", [f"{s}_{k}" for k in range(len(nodes))], [s], axis=0)
            shape = [first.num_layers * first.directions, "B", first.hidden_size]
            self.outputs.append(self._described(s, shape))

    def serialised(self) -> bytes:
        """The model, checked."""
        helper, to_tensor = self.onnx.helper, self.onnx.numpy_helper.from_array
        graph = helper.make_graph(
            self.nodes,
            PRODUCER,
            self.inputs,
            self.outputs,
            [to_tensor(array, name) for name, array in self.stored.items()],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=PRODUCER,
        )
        self.onnx.checker.check_model(model)
        return model.SerializeToString()

    def _recurrent(
        self,
        op: str,
        number: int,
        inputs: Mapping[str, str],
        outputs: list[str],
        attributes: Mapping[str, Any],
    ) -> None:
        """One layer of a stack: its node, whose Y becomes (T, B, features)."""
        slots = [inputs.get(slot, "") for slot in OPERATORS[op].inputs]
        (y, *after), made = outputs, f"directions_{number}"
        self._add(op, slots, [made, *after], name=f"{op}_{number}", **attributes)
        if attributes.get("direction") == "bidirectional":
            self._add("Transpose", [made], [f"beside_{number}"], perm=[0, 2, 1, 3])
            self.stored["joined"] = np.array([0, 0, -1], "int64")
            self._add("Reshape", [f"beside_{number}", "joined"], [y])
        else:
            self.stored["directions"] = np.array([1], "int64")
            self._add("Squeeze", [made, "directions"], [y])

    def _initial(self, name: str, layer: Recurrent) -> list[str]:
        """The initial state as an input of the graph, and its part for each layer."""
        shape = [layer.num_layers * layer.directions, "B", layer.hidden_size]
        self.inputs.append(self._described(name, shape))
        if layer.num_layers == 1:
            return [name]
        parts = [f"{name}_{k}" for k in range(layer.num_layers)]
        self.stored["parts"] = np.full(layer.num_layers, layer.directions, "int64")
        self._add("Split", [name, "parts"], parts, axis=0)
        return parts

    def _add(self, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        while not inputs[-1]:
            inputs = inputs[:-1]
        self.nodes.append(self.onnx.helper.make_node(op, inputs, outputs, **attributes))

    def _described(self, name: str, shape: list[int | str], dtype: np.dtype | None = None) -> Any:
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(dtype or self.dtype)
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)


def _write(path: Path, data: bytes) -> None:
    """Write the model, unless what is there is none of ours."""
    if path.exists():
        try:
            ours = read_model(path).producer_name == PRODUCER
        except ValueError:
            ours = False
        if not ours:
            raise FileExistsError(
                f"{path} is there already and is not a model of lstm_lab; nothing was written"
            )
    write_whole(path, data)
