"""What LSTM, GRU and RNN share: stacks, directions, states, ragged batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from .._validation import (
    check_call,
    checked_array,
    checked_bool,
    checked_choice,
    checked_generator,
    checked_rate,
    checked_size,
)
from ..backends import Array, Backend
from ..cells import Cell
from . import initial, sequence
from .base import Gradient, Layer
from .dropout import dropout_mask
from .packing import Packing
from .parameters import GateParameters
from .stepper import Stepper
from .steps import Steps, Weights
from .steps_with_options import StepsWithOptions
from .trace import GradientTrace, LayerRecord, Trace, check_part

INITIALISATIONS = ("uniform", "orthogonal")
# In the order of `Weights`.
PARTS = (
    "weight_x", "weight_h", "bias", "peephole", "projection", "gain_x", "gain_h", "gain_c", "bias_c"
)  # fmt: skip


class Recurrent(Layer):
    """What LSTM, GRU and RNN share: everything but the cell."""

    cell: Cell
    truncated = False
    proj_size = 0
    layer_norm = False

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        init: str = "uniform",
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        super().__init__(backend, dtype)
        self.input_size = checked_size(input_size, "input_size")
        self.hidden_size = checked_size(hidden_size, "hidden_size")
        self.num_layers = checked_size(num_layers, "num_layers")
        self.bidirectional = checked_bool(bidirectional, "bidirectional")
        self.dropout = checked_rate(dropout, "dropout")
        self.recurrent_dropout = checked_rate(recurrent_dropout, "recurrent_dropout")
        known = self._initialisations()
        spelt = f"one of {', '.join(map(repr, known))}"
        self.init = checked_choice(init, "init", known, spelt=spelt)
        rng = checked_generator(seed)
        shapes = self.param_shapes(self.config)
        values: dict[str, np.ndarray] = {}
        for _, _, suffix in self._parts():
            part = {name: shapes[name + suffix] for name in PARTS if name + suffix in shapes}
            values |= {name + suffix: drawn for name, drawn in self._draw(rng, part).items()}
        self._set_params(values)

    @property
    def directions(self) -> int:
        """2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Features of the output: those of the hidden state, in both directions twice as many."""
        return self.state_sizes[0] * self.directions

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Features of the hidden state, and of the cell state if there is one."""
        sizes = [self.hidden_size] * len(self.cell.states)
        sizes[0] = self.proj_size or self.hidden_size
        return tuple(sizes)

    @property
    def config(self) -> dict[str, Any]:
        return {
            "input_size": self.input_size,
            "hidden_size": self.hidden_size,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "init": self.init,
        }

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        hidden, directions = config["hidden_size"], 2 if config.get("bidirectional") else 1
        cell = cls.cell_of(config)
        shapes: dict[str, tuple[int, ...]] = {}
        projected = config.get("proj_size") or hidden
        for layer in range(config.get("num_layers", 1)):
            width = config["input_size"] if layer == 0 else projected * directions
            own = {
                "weight_x": (cell.input_rows * hidden, width),
                "weight_h": (cell.recurrent_rows * hidden, projected),
                "bias": (cell.blocks * hidden,),
            }
            if cell.peepholes:
                own["peephole"] = (cell.peepholes * hidden,)
            if config.get("proj_size"):
                own["projection"] = (projected, hidden)
            if config.get("layer_norm"):
                own |= dict.fromkeys(("gain_x", "gain_h"), (cell.blocks * hidden,))
                own |= dict.fromkeys(("gain_c", "bias_c"), (hidden,))
            for suffix in (f"_l{layer}", f"_l{layer}_reverse")[:directions]:
                shapes |= {name + suffix: shape for name, shape in own.items()}
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

    def _draw(
        self, rng: np.random.Generator, shapes: dict[str, tuple[int, ...]]
    ) -> dict[str, np.ndarray]:
        """First values of one layer's parameters in one direction."""
        hidden, values = self.hidden_size, {}
        for name, shape in shapes.items():
            if name.startswith("gain"):
                values[name] = np.ones(shape)
            elif name == "bias_c":
                values[name] = np.zeros(shape)
            else:
                values[name] = initial.uniform(rng, shape, hidden)
        if self.init == "orthogonal":
            for block in np.split(values["weight_h"], self.cell.recurrent_rows):
                block[...] = initial.orthogonal(rng, *block.shape)
        return values

    def gate(self, name: str, layer: int = 0, direction: str = "forward") -> GateParameters:
        """One gate's own parameters, as views that can be written to.

        Parameters
        ----------
        name : str
            As in the trace: ``"forget_gate"``, ``"candidate"``, …
        layer : int
        direction : {"forward", "reverse"}

        Returns
        -------
        GateParameters
            ``weight_x`` (H, D), ``weight_h`` (H, H), ``bias`` (H,), and what an option adds.

        Raises
        ------
        ValueError
            If there is no such gate, layer or direction.

        Examples
        --------
        >>> from lstm_lab import LSTM
        >>> lstm = LSTM(3, 16, seed=0)
        >>> lstm.gate("forget_gate").bias[:] = 3  # remember, to begin with
        """
        cell, hidden = self.cell, self.hidden_size
        if not cell.gates:
            raise ValueError(f"name: a cell of {cell.name} has no gates, got {name!r}")
        checked_choice(name, "name", tuple(cell.gates))
        check_part(layer, direction, self.num_layers, self.directions)
        suffix = f"_l{layer}" + "_reverse" * (direction == "reverse")
        block, product = cell.gates[name], cell.products.get(name, cell.gates[name])
        fed_by_x = list(range(cell.blocks)[cell.input_blocks])
        fed_by_h = [b for part in cell.blocks_of_u for b in range(cell.blocks)[part]]

        def rows(parameter: str, place: int) -> Array:
            return self.params[parameter + suffix][place * hidden : (place + 1) * hidden]

        more = {}
        if product != block:
            more["bias_h"] = rows("bias", product)
        if block < cell.peepholes:
            more["peephole"] = rows("peephole", block)
        if self.layer_norm:
            more |= {gain: rows(gain, block) for gain in ("gain_x", "gain_h")}
        return GateParameters(
            weight_x=rows("weight_x", fed_by_x.index(block)),
            weight_h=rows("weight_h", fed_by_h.index(product)),
            bias=rows("bias", block),
            **more,
        )

    def _weights(self, layer: int) -> Weights:
        suffixes = [suffix for number, _, suffix in self._parts() if number == layer]
        return Weights(
            *(
                [self.params[name + suffix] for suffix in suffixes if name + suffix in self.params]
                for name in PARTS
            )
        )

    def _steps(self, weights: Weights, mask: Array | None) -> Steps:
        """The way in which a layer of the stack, of these weights, takes its steps."""
        given = (self.cell, self.backend, weights, self.truncated)
        if self.cell.reset or self.proj_size or self.layer_norm or mask is not None:
            return StepsWithOptions(*given, mask)
        return Steps(*given)

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
            RNN or GRU; None is zero. With ``proj_size``, ``h`` has that size.
        lengths : sequence of B ints, or None
            Each sequence's length, in any order. What stands in the padding has no influence.
        rng : numpy.random.Generator or None
            Given in training: draws the dropout, between layers and recurrent. None: no dropout.
        trace : bool
            False keeps only the final state, and memory beyond the output is O(B·H).

        Returns
        -------
        y : array (T, B, H), or (T, B, 2H) in both directions
            Zero after each sequence's end. With ``proj_size``, that stands for H.
        trace : Trace

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type, shape, dtype or backend.
        """
        check_call(rng, trace)
        x = checked_array(self.backend, x, "x", ("T", "B", self.input_size), self.dtype)
        batch = x.shape[1]
        packing = Packing(lengths, x.shape[0], batch, self._spare_steps())
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
            recurrent_mask = None
            if self.recurrent_dropout and rng is not None:
                recurrent_mask = self._recurrent_mask(rng, packing)
            inputs, steps = y, self._steps(self._weights(layer), recurrent_mask)
            with self.backend.stepping(steps.operations(batch)):
                y, segments = sequence.forward(steps, inputs, packing, running, keep=trace)
            for array, last in zip(final, running, strict=True):
                array[part] = self._rows(last, packing)
            if trace:
                records.append(LayerRecord(inputs, segments, mask, recurrent_mask))
        checksums = self.params.checksums() if trace else {}
        state = self._pack(final)
        return y, Trace(
            self.cell, self.backend, self.directions, packing, state, records, checksums
        )

    def stepper(self, state: Any = None, batch: int | None = None) -> Stepper:
        """The layer step by step, for generation, beam search and streams.

        Its weights are prepared once, here, and are the layer's of this moment. No dropout.

        Parameters
        ----------
        state : tuple of arrays, array or None
            Initial state, as in ``forward``; a copy is carried. None is zero.
        batch : int or None
            How many sequences step together. None: as many as ``state`` has, or one.

        Returns
        -------
        Stepper
            ``y = step(x)``, x (B, D) to y (B, P); ``step.state``; ``step.keep(rows)``.

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type, shape, dtype or backend, or the layer is
            bidirectional.

        Examples
        --------
        >>> import numpy as np
        >>> from lstm_lab import LSTM
        >>> lstm, x = LSTM(3, 16, seed=0), np.ones((5, 2, 3), dtype="float32")
        >>> step = lstm.stepper(lstm.forward(x)[1].state)  # goes on after x
        >>> step(x[0]).shape
        (2, 16)
        """
        if self.bidirectional:
            raise ValueError(
                f"a bidirectional {type(self).__name__.removeprefix('Bi')} has no stepper: its "
                "reverse direction begins at the end of the sequence, so no output is known "
                "before the last step"
            )
        if batch is None:
            batch = self._batch_of(state)
        states = self._unpack(state, "state", checked_size(batch, "batch"))
        layers = []
        for layer in range(self.num_layers):
            weights = self._weights(layer)
            own = ([w.copy() for w in getattr(weights, f.name)] for f in fields(weights))
            layers.append(self._steps(Weights(*own), None))
        return Stepper(layers, states)

    def _batch_of(self, state: Any) -> int:
        """The batch of a state that is not checked yet; 1 where there is none to be seen."""
        first = state[0] if isinstance(state, (tuple, list)) and state else state
        shape: tuple[int, ...] = getattr(first, "shape", ())
        return shape[1] if len(shape) == 3 and shape[1] else 1

    def backward(
        self, dy: Array, trace: Trace, dstate: Any = None, *, keep: bool = False
    ) -> Gradient:
        """Back through time, along the trace that ``forward`` left.

        Parameters
        ----------
        dy : array, like the output
            Gradient of the loss with respect to the output; ignored in the padding.
        trace : Trace
        dstate : like ``trace.state``, or None
            Gradient with respect to the final state; None is zero.
        keep : bool
            Keep the gradients of every step as well, in ``trace``: T times the memory of the
            states and gates, and the loop over time step by step on every backend.

        Returns
        -------
        Gradient
            ``x`` (T, B, D), ``params``, ``state`` (the initial state's), ``trace``.

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type, shape, dtype or backend, or the trace holds only
            the final state, belongs to another layer, or a parameter was changed since. (That is
            seen on the host; on a GPU the check would wait for the device.)
        """
        checked_bool(keep, "keep")
        self._check_trace(trace)
        packing = trace.packing
        shape = (packing.steps, packing.batch, self.output_size)
        dy = checked_array(self.backend, dy, "dy", shape, self.dtype)
        dstates = self._unpack(dstate, "dstate", packing.batch)
        initial_d = [self.backend.xp.empty_like(array) for array in dstates]
        params: dict[str, Array] = {}
        kept: list[Any] = []
        d = dy
        for layer in reversed(range(self.num_layers)):
            record = trace.records[layer]
            part = slice(layer * self.directions, (layer + 1) * self.directions)
            running = [self._columns(array[part], packing) for array in dstates]
            steps = self._steps(self._weights(layer), record.recurrent_mask)
            d, gradients, segments = sequence.backward(
                steps, record.x, packing, record.segments, d, running, keep, dstate is not None
            )
            kept.insert(0, segments)
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
        along = None
        if keep:
            along = GradientTrace(self.cell, self.backend, self.directions, packing, kept)
        return Gradient(d, ordered, self._pack(initial_d), along)

    def _spare_steps(self) -> float:
        """How many steps of one sequence take as long as one more segment; see `Packing`."""
        # Each weight is multiplied and added once forward and twice in going back.
        step = 6 * self.size / (self.num_layers * self.directions)
        return self.backend.segment_flops / step

    def _recurrent_mask(self, rng: np.random.Generator, packing: Packing) -> Array:
        """For each direction and sequence one mask, which all its steps share."""
        shape = (self.directions, packing.batch, self.state_sizes[0])
        mask = dropout_mask(self.backend, rng, self.recurrent_dropout, shape, self.dtype)
        return self._columns(mask, packing)

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
        shapes = [(self.num_layers * self.directions, batch, size) for size in self.state_sizes]
        count = len(shapes)
        if state is None:
            return [self.backend.xp.zeros(shape, self.dtype) for shape in shapes]
        if count == 1:
            arrays, names = [state], [name]
        elif isinstance(state, (tuple, list)) and len(state) == count:
            arrays, names = list(state), [f"{name}[{k}]" for k in range(count)]
        else:
            raise TypeError(f"{name} must be a pair (h, c) of arrays, got {_described(state)}")
        return [
            checked_array(self.backend, array, label, shape, self.dtype)
            for array, label, shape in zip(arrays, names, shapes, strict=True)
        ]

    def _check_trace(self, trace: Any) -> None:
        if not isinstance(trace, Trace):
            raise TypeError(
                f"trace must be what {type(self).__name__}.forward returned, "
                f"got {_described(trace)}"
            )
        trace._check_kept()
        widths = [record.x.shape[-1] for record in trace.records]
        own = [self.input_size, *[self.output_size] * (self.num_layers - 1)]
        first = trace.records[0].segments[0]
        hidden, sizes = first.gates.shape[3], tuple(state.shape[2] for state in first.states)
        same = (
            trace.cell_type == self.cell
            and trace.directions == self.directions
            and widths == own
            and (hidden, *sizes) == (self.hidden_size, *self.state_sizes)
            and ("normal_x" in first.saved) == self.layer_norm
        )
        if not same:
            raise ValueError(
                f"trace belongs to another layer ({trace!r} with inputs of sizes {widths}, "
                f"{hidden} hidden units), not to {self!r}"
            )
        self.params.check_unchanged(trace.checksums)


def _described(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")
