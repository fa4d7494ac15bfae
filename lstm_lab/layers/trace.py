"""The trace: every gate and state of every step, as forward computed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._validation import checked_choice
from ..backends import Array, Backend, get_backend
from ..cells import Cell
from .packing import Packing, Segment

DIRECTIONS = ("forward", "reverse")


@dataclass(frozen=True)
class SegmentTrace:
    """What one segment left behind: all that backward needs of it."""

    segment: Segment
    gates: Array  # (K, S, G, H, n), after the activation
    states: tuple[Array, ...]  # each (K + 1, S, ·, n); entry 0 is the state before the segment
    saved: dict[str, Array]  # each (K, S, ..., n)

    @property
    def after(self) -> list[Array]:
        """The states after each step, (K, S, ·, n)."""
        return [running[1:] for running in self.states]

    def steps(self, chunk: slice) -> tuple[Array, list[Array], list[Array], dict[str, Array]]:
        """Of some steps: the gates, the states before and after, and what else was saved."""
        return (
            self.gates[chunk],
            [running[:-1][chunk] for running in self.states],
            [running[chunk] for running in self.after],
            {name: array[chunk] for name, array in self.saved.items()},
        )


@dataclass(frozen=True)
class SegmentGradient:
    """The gradients of one segment's steps."""

    segment: Segment
    gates: Array  # (K, S, G, H, n), of the pre-activations
    after: Sequence[Array]  # of the states, each (K, S, ·, n)


@dataclass(frozen=True)
class LayerRecord:
    """What one layer of a stack left behind: its input, and its segments."""

    x: Array  # (T, B, D), the caller's own array in the first layer
    segments: list[SegmentTrace]
    mask: Array | None  # (T, B, D), the dropout mask that x was multiplied by
    recurrent_mask: Array | None  # (S, P, B), batch in the packing's order: that of h


class DirectionTrace:
    """One layer in one direction, in real time: entry t is what happened at x[t].

    All arrays are copies, and zero after a sequence's end.

    Attributes
    ----------
    hidden, cell : array (T, B, H)
        ``cell`` only where the network has one.
    input_gate, forget_gate, output_gate, candidate : array (T, B, H)
        Of an LSTM: the gates after the sigmoid, the candidate after tanh. A GRU has
        ``reset_gate``, ``update_gate`` and ``candidate``.
    """

    def __init__(
        self,
        cell: Cell,
        backend: Backend,
        packing: Packing,
        segments: Sequence[SegmentTrace | SegmentGradient],
        direction: int,
        blocks: dict[str, int],
    ):
        self._cell, self._backend, self._packing = cell, backend, packing
        self._segments, self._direction, self._blocks = segments, direction, blocks

    def __dir__(self) -> list[str]:
        return [*self._blocks, *self._cell.states]

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._blocks:
            block = self._blocks[name]
            return self._in_time([s.gates[:, self._direction, block] for s in self._segments])
        if name in self._cell.states:
            state = self._cell.states.index(name)
            return self._in_time([s.after[state][:, self._direction] for s in self._segments])
        raise AttributeError(
            f"a trace of {self._cell.name} has no {name!r}; it has {', '.join(dir(self))}"
        )

    def _in_time(self, parts: list[Array]) -> Array:
        packing = self._packing
        shape = (packing.steps, packing.batch, parts[0].shape[1])
        out = self._backend.xp.zeros(shape, parts[0].dtype)
        for segment, part in zip(packing.segments, parts, strict=True):
            place = packing.place(self._backend, segment, reverse=self._direction == 1)
            place.set(out, part.transpose(0, 2, 1))
        return out


class StepTrace:
    """Arrays of every step under the names of a cell's gates and states, of a stack of layers.

    Those of the last layer are attributes, both directions side by side; ``layer(k, direction)``
    gives any layer and direction.
    """

    def __init__(
        self,
        cell: Cell,
        backend: Backend,
        directions: int,
        packing: Packing,
        layers: list[list[SegmentTrace]] | list[list[SegmentGradient]],
    ):
        self.cell_type, self.backend, self.directions = cell, backend, directions
        self.packing, self._layers = packing, layers

    def layer(self, number: int = 0, direction: str = "forward") -> DirectionTrace:
        """The gates and states of one layer in one direction.

        Raises
        ------
        ValueError
            If there is no such layer or direction, or the trace was not kept.
        """
        self._check_kept()
        check_part(number, direction, len(self._layers), self.directions)
        segments, which = self._layers[number], DIRECTIONS.index(direction)
        return DirectionTrace(
            self.cell_type, self.backend, self.packing, segments, which, self._blocks
        )

    @property
    def _blocks(self) -> dict[str, int]:
        """The blocks of gates that have a name."""
        return self.cell_type.gates

    def _check_kept(self) -> None:
        """Raise where there are no steps to show."""

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._blocks, *self.cell_type.states]

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_") or name == "cell_type":
            raise AttributeError(name)
        if name not in self._blocks and name not in self.cell_type.states:
            known = ", ".join([*self._blocks, *self.cell_type.states])
            raise AttributeError(
                f"a trace of {self.cell_type.name} has no {name!r}; it has {known}"
            )
        self._check_kept()
        last = len(self._layers) - 1
        parts = [getattr(self.layer(last, d), name) for d in DIRECTIONS[: self.directions]]
        return parts[0] if len(parts) == 1 else self.backend.xp.concatenate(parts, axis=-1)


class Trace(StepTrace):
    """What a recurrent layer's ``forward`` did, and what its ``backward`` reads.

    Attributes
    ----------
    state : tuple of arrays, or array
        The final state, each (layers · directions, B, H): ``(h, c)`` of an LSTM, ``h`` alone of
        an RNN or GRU. Each sequence's own last step.
    hidden, cell, input_gate, … : array (T, B, H), or (T, B, 2H) of a bidirectional layer
        Those of the last layer, both directions side by side as in the output: `DirectionTrace`.
        ``layer(k, direction)`` gives any layer and direction.
    """

    def __init__(
        self,
        cell: Cell,
        backend: Backend,
        directions: int,
        packing: Packing,
        state: Any,
        records: list[LayerRecord],
        checksums: Mapping[str, int | None],
    ):
        super().__init__(cell, backend, directions, packing, [r.segments for r in records])
        self.state, self.records, self.checksums = state, records, checksums

    def to(self, backend: str | Backend) -> Trace:
        """The same trace with its arrays on another backend, for drawing."""
        target = get_backend(backend)
        move = _mover(self.backend, target)

        def move_segment(trace: SegmentTrace) -> SegmentTrace:
            return replace(
                trace,
                gates=move(trace.gates),
                states=tuple(map(move, trace.states)),
                saved={name: move(array) for name, array in trace.saved.items()},
            )

        state = self.state
        state = tuple(map(move, state)) if isinstance(state, tuple) else move(state)
        records = [
            LayerRecord(
                move(record.x),
                [move_segment(trace) for trace in record.segments],
                move(record.mask),
                move(record.recurrent_mask),
            )
            for record in self.records
        ]
        return Trace(
            self.cell_type, target, self.directions, self.packing, state, records, self.checksums
        )

    def _check_kept(self) -> None:
        if not self.records:
            raise ValueError(
                "this trace holds only the final state: it came from forward(..., trace=False); "
                "call forward without trace=False to see the gates or to go backward"
            )

    def __repr__(self) -> str:
        size = f"{self.packing.steps} steps, {self.packing.batch} sequences"
        held = f"{len(self.records)} layers" if self.records else "the final state only"
        return f"<trace of {self.cell_type.name}: {size}, {held}>"


class GradientTrace(StepTrace):
    """The gradients of every step: what ``backward(..., keep=True)`` went through.

    The names, and ``layer(k, direction)``, are those of `Trace`. All are copies, and zero after a
    sequence's end.

    Attributes
    ----------
    hidden, cell : array (T, B, H), or (T, B, 2H) of a bidirectional layer
        ∂L/∂h_t and ∂L/∂c_t: all that the loss owes to the state after step t, by way of the
        output y_t and of all later steps. c_t counts what it sends through h_t.
    input_gate, forget_gate, output_gate, candidate, … : array, likewise
        δ_t = ∂L/∂a_t, of what enters the sigmoid or the tanh. An RNN, which has no gates, has
        ``pre_activation``.
    """

    @property
    def _blocks(self) -> dict[str, int]:
        return self.cell_type.gates or {"pre_activation": 0}

    def to(self, backend: str | Backend) -> GradientTrace:
        """The same gradients with their arrays on another backend, for drawing."""
        target = get_backend(backend)
        move = _mover(self.backend, target)
        held: Any = self._layers
        layers = [
            [
                replace(part, gates=move(part.gates), after=tuple(map(move, part.after)))
                for part in segments
            ]
            for segments in held
        ]
        return GradientTrace(self.cell_type, target, self.directions, self.packing, layers)

    def __repr__(self) -> str:
        size = f"{self.packing.steps} steps, {self.packing.batch} sequences"
        return f"<gradients along a trace of {self.cell_type.name}: {size}>"


def check_part(number: int, direction: str, layers: int, directions: int) -> None:
    """Refuse a layer or a direction that is not there.

    Raises
    ------
    ValueError
    """
    checked_choice(direction, "direction", DIRECTIONS[:directions])
    checked_choice(number, "layer", range(layers), spelt=f"0 to {layers - 1}")


def _mover(source: Backend, target: Backend) -> Callable[[Array | None], Array | None]:
    return lambda array: None if array is None else target.asarray(source.to_numpy(array))
