"""What LSTM, GRU and RNN share: stacks, directions, states, ragged batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from ..backends import Array, Backend
from ..cells import Cell
from . import initial, timeloop
from .base import Gradient, Layer, check_array, checked_rate, checked_size
from .chain import Chain
from .dropout import dropout_mask
from .packing import Packing
from .steps import Steps, Weights
from .trace import LayerRecord, Trace

INITIALISATIONS = ("uniform", "orthogonal")
PARTS = ("weight_x", "weight_h", "bias", "peephole")  # in the order of `Weights`


class Recurrent(Layer):
    """What LSTM, GRU and RNN share: everything but the cell."""

    cell: Cell
    truncated = False

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        init: str = "uniform",
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        super().__init__(backend, dtype)
        self.input_size = checked_size(input_size, "input_size")
        self.hidden_size = checked_size(hidden_size, "hidden_size")
        self.num_layers = checked_size(num_layers, "num_layers")
        self.bidirectional = bool(bidirectional)
        self.dropout = checked_rate(dropout, "dropout")
        if init not in self._initialisations():
            known = ", ".join(map(repr, self._initialisations()))
            raise ValueError(f"init must be one of {known}, not {init!r}")
        self.init = init
        rng = initial.generator(seed)
        for layer, _, suffix in self._parts():
            width = self.input_size if layer == 0 else self.hidden_size * self.directions
            for name, values in self._draw(rng, width).items():
                self.params[name + suffix] = self.backend.asarray(values, dtype=self.dtype)

    @property
    def directions(self) -> int:
        """2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Features of the output: H, or 2H in both directions."""
        return self.hidden_size * self.directions

    @property
    def config(self) -> dict[str, Any]:
        return {
            "input_size": self.input_size,
            "hidden_size": self.hidden_size,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "dropout": self.dropout,
            "init": self.init,
        }

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        hidden, directions = config["hidden_size"], 2 if config.get("bidirectional") else 1
        cell, shapes = cls.cell_of(config), {}
        for layer in range(config.get("num_layers", 1)):
            width = config["input_size"] if layer == 0 else hidden * directions
            for suffix in (f"_l{layer}", f"_l{layer}_reverse")[:directions]:
                shapes["weight_x" + suffix] = (cell.input_rows * hidden, width)
                shapes["weight_h" + suffix] = (cell.recurrent_rows * hidden, hidden)
                shapes["bias" + suffix] = (cell.blocks * hidden,)
                if cell.peepholes:
                    shapes["peephole" + suffix] = (cell.peepholes * hidden,)
        return shapes

    @classmethod
    def cell_of(cls, config: dict[str, Any]) -> Cell:
        """The cell of a layer of this configuration."""
        return cls.cell

    def _initialisations(self) -> tuple[str, ...]:
        return INITIALISATIONS

    def _parts(self) -> Iterator[tuple[int, int, str]]:
        for layer in range(self.num_layers):
            yield layer, 0, f"_l{layer}"
            if self.bidirectional:
                yield layer, 1, f"_l{layer}_reverse"

    def _draw(self, rng: np.random.Generator, width: int) -> dict[str, np.ndarray]:
        hidden, cell = self.hidden_size, self.cell
        values = {
            "weight_x": initial.uniform(rng, (cell.input_rows * hidden, width), hidden),
            "weight_h": initial.uniform(rng, (cell.recurrent_rows * hidden, hidden), hidden),
            "bias": initial.uniform(rng, (cell.blocks * hidden,), hidden),
        }
        if cell.peepholes:
            values["peephole"] = initial.uniform(rng, (cell.peepholes * hidden,), hidden)
        if self.init == "orthogonal":
            for block in range(cell.recurrent_rows):
                rows = slice(block * hidden, (block + 1) * hidden)
                values["weight_h"][rows] = initial.orthogonal(rng, hidden, hidden)
        return values

    def _weights(self, layer: int) -> Weights:
        suffixes = [suffix for number, _, suffix in self._parts() if number == layer]
        return Weights(
            *(
                [self.params[name + suffix] for suffix in suffixes if name + suffix in self.params]
                for name in PARTS
            )
        )

    def _steps(self, layer: int) -> Steps:
        """The way that a layer of the stack takes its steps."""
        kind = Chain if self.cell.reset else Steps
        return kind(self.cell, self.backend, self._weights(layer), self.truncated)

    def forward(
        self,
        x: Array,
        state: Any = None,
        lengths: Any = None,
        *,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, Trace]:
        """Run over a batch of sequences.

        Parameters
        ----------
        x : array (T, B, D)
            The input. The trace refers to it: leave it as it is until after ``backward``.
        state : tuple of arrays, array or None
            Initial state, each (layers · directions, B, H): ``(h, c)`` for an LSTM, ``h`` for an
            RNN or GRU; None is zero.
        lengths : sequence of B ints, or None
            Each sequence's length, in any order. What stands in the padding has no influence.
        rng : numpy.random.Generator or None
            Given in training: draws the dropout between layers. None: no dropout.
        trace : bool
            False keeps only the final state, and memory beyond the output is O(B·H).

        Returns
        -------
        y : array (T, B, H), or (T, B, 2H) in both directions
            Zero after each sequence's end.
        trace : Trace

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type, shape, dtype or backend.
        """
        check_array(self.backend, x, "x", ("T", "B", self.input_size), self.dtype)
        steps, batch = x.shape[:2]
        packing = Packing(lengths, steps, batch)
        states = self._unpack(state, "state", batch)
        final = [self.backend.xp.empty_like(array) for array in states]
        records, y = [], x
        for layer in range(self.num_layers):
            mask = None
            if layer > 0 and self.dropout and rng is not None:
                mask = dropout_mask(self.backend, rng, self.dropout, y.shape, self.dtype)
                y = y * mask
            part = slice(layer * self.directions, (layer + 1) * self.directions)
            running = [self._columns(array[part], packing) for array in states]
            inputs = y
            y, blocks = timeloop.forward(
                self._steps(layer), inputs, packing, running, keep=trace
            )
            for array, last in zip(final, running, strict=True):
                array[part] = self._rows(last, packing)
            if trace:
                records.append(LayerRecord(inputs, blocks, mask))
        return y, Trace(
            self.cell, self.backend, self.directions, packing, self._pack(final), records
        )

    def backward(self, dy: Array, trace: Trace, dstate: Any = None) -> Gradient:
        """Back through time, along the trace that ``forward`` left.

        Parameters
        ----------
        dy : array, like the output
            Gradient of the loss with respect to the output; ignored in the padding.
        trace : Trace
        dstate : like ``trace.state``, or None
            Gradient with respect to the final state; None is zero.

        Returns
        -------
        Gradient
            ``x`` (T, B, D), ``params``, ``state`` (the initial state's).

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type, shape, dtype or backend, or the trace holds only
            the final state or belongs to another layer.
        """
        self._check_trace(trace)
        packing = trace.packing
        shape = (packing.steps, packing.batch, self.output_size)
        check_array(self.backend, dy, "dy", shape, self.dtype)
        dstates = self._unpack(dstate, "dstate", packing.batch)
        initial_d = [self.backend.xp.empty_like(array) for array in dstates]
        params: dict[str, Array] = {}
        d = dy
        for layer in reversed(range(self.num_layers)):
            record = trace.records[layer]
            part = slice(layer * self.directions, (layer + 1) * self.directions)
            running = [self._columns(array[part], packing) for array in dstates]
            d, gradients = timeloop.backward(
                self._steps(layer), record.x, packing, record.blocks, d, running
            )
            if record.mask is not None:
                d *= record.mask
            for array, first in zip(initial_d, running, strict=True):
                array[part] = self._rows(first, packing)
            for number, direction, suffix in self._parts():
                if number == layer:
                    for name, field in zip(PARTS, fields(Weights), strict=True):
                        if name + suffix in self.params:
                            params[name + suffix] = getattr(gradients, field.name)[direction]
        ordered = {name: params[name] for name in self.params}
        return Gradient(d, ordered, self._pack(initial_d))

    def _columns(self, state: Array, packing: Packing) -> Array:
        """(S, B, H) in the caller's order to (S, H, B) in the packing's; a copy."""
        key = self.backend.index((slice(None), packing.order))
        rows = state[key] if packing.ragged else state
        return rows.transpose(0, 2, 1).copy()

    def _rows(self, columns: Array, packing: Packing) -> Array:
        rows = columns.transpose(0, 2, 1)
        key = self.backend.index((slice(None), np.argsort(packing.order)))
        return rows[key] if packing.ragged else rows

    def _pack(self, arrays: list[Array]) -> Any:
        return tuple(arrays) if len(self.cell.states) > 1 else arrays[0]

    def _unpack(self, state: Any, name: str, batch: int) -> list[Array]:
        shape = (self.num_layers * self.directions, batch, self.hidden_size)
        count = len(self.cell.states)
        if state is None:
            return [self.backend.xp.zeros(shape, self.dtype) for _ in range(count)]
        if count == 1:
            arrays, names = [state], [name]
        elif isinstance(state, (tuple, list)) and len(state) == count:
            arrays, names = list(state), [f"{name}[{k}]" for k in range(count)]
        else:
            raise TypeError(f"{name} must be a pair (h, c) of arrays, got {_described(state)}")
        for array, label in zip(arrays, names, strict=True):
            check_array(self.backend, array, label, shape, self.dtype)
        return arrays

    def _check_trace(self, trace: Any) -> None:
        if not isinstance(trace, Trace):
            raise TypeError(
                f"trace must be what {type(self).__name__}.forward returned, "
                f"got {_described(trace)}"
            )
        trace._need_records()
        widths = [record.x.shape[-1] for record in trace.records]
        own = [self.input_size, *[self.output_size] * (self.num_layers - 1)]
        hidden = trace.records[0].blocks[0].gates.shape[3]
        same = (
            trace.cell_type is self.cell
            and trace.directions == self.directions
            and widths == own
            and hidden == self.hidden_size
        )
        if not same:
            raise ValueError(
                f"trace belongs to another layer ({trace!r} with inputs of sizes {widths}, "
                f"{hidden} hidden units), not to {self!r}"
            )


def _described(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")
