"""Recurrent layers: `LSTM`, `BiLSTM`, `GRU`, `RNN`, stacked and in one direction or both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from ..backends import Array, Backend
from ..cell_variants import lstm_variant
from ..cells import GRU_CELL, LSTM_CELL, RNN_CELL, Cell
from . import initial, timeloop
from .base import Gradient, Layer, check_array, checked_rate, checked_size
from .dropout import dropout_mask
from .packing import Packing
from .timeloop import Weights
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
            weights = self._weights(layer)
            with self.backend.stepping(timeloop.step_operations(weights, batch)):
                y, blocks = timeloop.forward(
                    self.cell, self.backend, weights, inputs, packing, running, keep=trace
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
                self.cell,
                self.backend,
                self._weights(layer),
                record.x,
                packing,
                record.blocks,
                d,
                running,
                self.truncated,
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


class LSTM(Recurrent):
    """Long short-term memory.

    For each step t, with σ the logistic sigmoid and ⊙ the elementwise product::

        i_t = σ(W_i x_t + U_i h_{t-1} + b_i)        input gate
        f_t = σ(W_f x_t + U_f h_{t-1} + b_f)        forget gate
        o_t = σ(W_o x_t + U_o h_{t-1} + b_o)        output gate
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)     candidate (input modulation gate)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t             cell state
        h_t = o_t ⊙ tanh(c_t)                       hidden state

    Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, with the forget gate of Gers,
    Schmidhuber & Cummins 2000, doi:10.1162/089976600300015015.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    num_layers : int
        Layers stacked on each other.
    bidirectional : bool
        Whether a second set of weights reads each sequence from its end.
    dropout : float
        Probability with which an input of any layer but the first is dropped in training.
    init : {"uniform", "orthogonal", "chrono"}
        Uniform in ±1/√H; the same with orthogonal blocks in U; or uniform with the gate biases of
        Tallec & Ollivier 2018 for memories up to ``chrono_length`` steps.
    forget_bias : float
        First value of every forget-gate bias, unless ``init="chrono"``. A cell without a forget
        gate has none.
    chrono_length : int
        The longest dependency that "chrono" prepares for.
    peepholes : bool
        Whether the gates see the cell state too: p ⊙ c, one weight a unit and gate (Gers &
        Schmidhuber 2000, doi:10.1109/IJCNN.2000.861302).
    forget_gate : bool
        False is the cell of 1997: c_t = c_{t-1} + i_t ⊙ g_t.
    coupled : bool
        CIFG: the forget gate is 1 - i_t (Greff et al. 2017, doi:10.1109/TNNLS.2016.2582924).
    truncated : bool
        Train as in 1997: ``backward`` lets nothing pass from the gates to h_{t-1}. That is not
        the loss's gradient, and `gradcheck` says so.
    backend : {"numpy", "numba", "cupy"} or None
        None: the environment variable ``LSTM_LAB_BACKEND``, else NumPy.
    dtype : {"float32", "float64"}
    seed : int, numpy.random.Generator or None
        The same seed is the same network on every backend.

    Attributes
    ----------
    params : dict of str to array
        For each layer k, and with the suffix ``_reverse`` for the reverse direction:
        ``weight_x_l{k}`` (4H, D), ``weight_h_l{k}`` (4H, H), ``bias_l{k}`` (4H,), in blocks of H
        rows in the order o, i, f, g. One bias: `interchange.to_torch` makes two of it. Without a
        forget gate of its own a cell has three blocks, o, i, g. ``peephole_l{k}``, where there
        is one, holds H weights for each gate in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> lstm = LSTM(input_size=3, hidden_size=16, seed=0)
    >>> x = np.ones((5, 2, 3), dtype="float32")          # T=5 steps, B=2 sequences, D=3
    >>> y, trace = lstm.forward(x)
    >>> y.shape, trace.forget_gate.shape
    ((5, 2, 16), (5, 2, 16))
    >>> lstm.backward(y, trace).params["weight_h_l0"].shape
    (64, 16)
    """

    cell: Cell = LSTM_CELL

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        init: str = "uniform",
        forget_bias: float = 1.0,
        chrono_length: int = 100,
        peepholes: bool = False,
        forget_gate: bool = True,
        coupled: bool = False,
        truncated: bool = False,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        if coupled and not forget_gate:
            raise ValueError("coupled=True is a forget gate of 1 - i; it needs forget_gate=True")
        self.peepholes, self.forget_gate = bool(peepholes), bool(forget_gate)
        self.coupled, self.truncated = bool(coupled), bool(truncated)
        self.cell = self.cell_of(
            {"peepholes": peepholes, "forget_gate": forget_gate, "coupled": coupled}
        )
        self.forget_bias = float(forget_bias)
        self.chrono_length = checked_size(chrono_length, "chrono_length")
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            init=init,
            backend=backend,
            dtype=dtype,
            seed=seed,
        )

    @property
    def config(self) -> dict[str, Any]:
        return {
            **super().config,
            "forget_bias": self.forget_bias,
            "chrono_length": self.chrono_length,
            "peepholes": self.peepholes,
            "forget_gate": self.forget_gate,
            "coupled": self.coupled,
            "truncated": self.truncated,
        }

    @classmethod
    def cell_of(cls, config: dict[str, Any]) -> Cell:
        keep = "gate" if config.get("forget_gate", True) else "all"
        keep = "coupled" if config.get("coupled") else keep
        return lstm_variant(keep, bool(config.get("peepholes")))

    def _initialisations(self) -> tuple[str, ...]:
        return (*INITIALISATIONS, "chrono") if self.forget_gate else INITIALISATIONS

    def _draw(self, rng: np.random.Generator, width: int) -> dict[str, np.ndarray]:
        values = super()._draw(rng, width)
        gate = {
            name: values["bias"][k * self.hidden_size : (k + 1) * self.hidden_size]
            for name, k in self.cell.gates.items()
        }
        if self.init == "chrono":
            kept = initial.chrono(rng, self.hidden_size, self.chrono_length)
            gate["input_gate"][:] = -kept
            if "forget_gate" in gate:
                gate["forget_gate"][:] = kept
        elif "forget_gate" in gate:
            gate["forget_gate"][:] = self.forget_bias
        return values


class BiLSTM(LSTM):
    """An `LSTM` in both directions: ``LSTM(..., bidirectional=True)``.

    Output t is the forward network's h_t, which has read x_0 … x_t, beside the reverse network's,
    which has read each sequence's own end … x_t. Schuster & Paliwal 1997, doi:10.1109/78.650093;
    Graves & Schmidhuber 2005, doi:10.1016/j.neunet.2005.06.042.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any):
        options.setdefault("bidirectional", True)
        if not options["bidirectional"]:
            raise ValueError("a BiLSTM reads in both directions; use LSTM for one")
        super().__init__(input_size, hidden_size, num_layers, **options)


class GRU(Recurrent):
    """Gated recurrent unit, in the form of torch and cuDNN.

    For each step t::

        r_t = σ(W_r x_t + U_r h_{t-1} + b_r)               reset gate
        z_t = σ(W_z x_t + U_z h_{t-1} + b_z)               update gate
        n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1} + b_q))   candidate
        h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

    Cho et al. 2014, doi:10.3115/v1/D14-1179, apply the reset gate to h before the product.

    Parameters and methods are those of `LSTM` but for the biases of the forget gate; the state
    is a single array.

    Attributes
    ----------
    params : dict of str to array
        ``weight_x_l{k}`` (3H, D) in blocks n, r, z; ``weight_h_l{k}`` (3H, H) in blocks r, z, n;
        ``bias_l{k}`` (4H,) in blocks n, r, z, q, where q is the bias inside the reset product.
    """

    cell: Cell = GRU_CELL


class RNN(Recurrent):
    """The plain recurrent network: h_t = tanh(W x_t + U h_{t-1} + b).

    Elman 1990, doi:10.1207/s15516709cog1402_1. Parameters and methods are those of `LSTM` but
    for the biases of the forget gate; the state is a single array.
    """

    cell: Cell = RNN_CELL
