"""The trace: every gate and state of every step, as forward computed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .._validation import checked_choice
from ..backends import Array, Backend, get_backend
from ..cells import Cell
from .packing import Packing
from .steps import Block

DIRECTIONS = ("forward", "reverse")


@dataclass(frozen=True)
class LayerRecord:
    """What one layer of a stack left behind: its input, and its blocks."""

    x: Array  # (T, B, D), the caller's own array in the first layer
    blocks: list[Block]
    mask: Array | None  # (T, B, D), the dropout mask that x was multiplied by
    recurrent_mask: Array | None  # (S, P, B), batch in the packing's order: that of h


class DirectionTrace:
    """One layer in one direction, in real time: entry t is what happened at x[t].

    Attributes
    ----------
    hidden, cell : array (T, B, H)
        ``cell`` only where the network has one.
    input_gate, forget_gate, output_gate, candidate : array (T, B, H)
        Of an LSTM: the gates after the sigmoid, the candidate after tanh. A GRU has
        ``reset_gate``, ``update_gate`` and ``candidate``.

    All are copies, and zero after a sequence's end.
    """

    def __init__(
        self, cell: Cell, backend: Backend, packing: Packing, blocks: list[Block], direction: int
    ):
        self._cell, self._backend, self._packing = cell, backend, packing
        self._blocks, self._direction = blocks, direction

    def __dir__(self) -> list[str]:
        return [*self._cell.gates, *self._cell.states]

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._cell.gates:
            gate = self._cell.gates[name]
            return self._in_time(lambda block: block.gates[:, self._direction, gate])
        if name in self._cell.states:
            state = self._cell.states.index(name)
            return self._in_time(lambda block: block.states[state][1:, self._direction])
        raise AttributeError(
            f"a trace of {self._cell.name} has no {name!r}; it has {', '.join(dir(self))}"
        )

    def _in_time(self, pick: Callable[[Block], Array]) -> Array:
        packing, first = self._packing, pick(self._blocks[0])
        shape = (packing.steps, packing.batch, first.shape[1])
        out = self._backend.xp.zeros(shape, first.dtype)
        for block in self._blocks:
            index = packing.index(block.stretch, reverse=self._direction == 1)
            out[self._backend.index(index)] = pick(block).transpose(0, 2, 1)
        return out


class Trace:
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
    ):
        self.cell_type, self.backend, self.directions = cell, backend, directions
        self.packing, self.state, self.records = packing, state, records

    def layer(self, number: int = 0, direction: str = "forward") -> DirectionTrace:
        """The gates and states of one layer in one direction.

        Raises
        ------
        ValueError
            If there is no such layer or direction, or the trace was not kept.
        """
        self._need_records()
        direction = checked_choice(direction, "direction", DIRECTIONS[: self.directions])
        every = range(len(self.records))
        spelt = f"0 to {every[-1]}"
        number = checked_choice(number, "layer", every, spelt=spelt)
        blocks = self.records[number].blocks
        which = DIRECTIONS.index(direction)
        return DirectionTrace(self.cell_type, self.backend, self.packing, blocks, which)

    def to(self, backend: str | Backend) -> Trace:
        """The same trace with its arrays on another backend, for drawing."""
        target = get_backend(backend)

        def move(array: Array | None) -> Array | None:
            return None if array is None else target.asarray(self.backend.to_numpy(array))

        def move_block(block: Block) -> Block:
            return replace(
                block,
                gates=move(block.gates),
                states=tuple(map(move, block.states)),
                kept={name: move(array) for name, array in block.kept.items()},
            )

        state = self.state
        state = tuple(map(move, state)) if isinstance(state, tuple) else move(state)
        records = [
            LayerRecord(
                move(record.x),
                [move_block(block) for block in record.blocks],
                move(record.mask),
                move(record.recurrent_mask),
            )
            for record in self.records
        ]
        return Trace(self.cell_type, target, self.directions, self.packing, state, records)

    def _need_records(self) -> None:
        if not self.records:
            raise ValueError(
                "this trace holds only the final state: it came from forward(..., trace=False); "
                "call forward without trace=False to see the gates or to go backward"
            )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.cell_type.gates, *self.cell_type.states]

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_") or name in ("cell_type", "records"):
            raise AttributeError(name)
        if name not in self.cell_type.gates and name not in self.cell_type.states:
            known = ", ".join([*self.cell_type.gates, *self.cell_type.states])
            raise AttributeError(
                f"a trace of {self.cell_type.name} has no {name!r}; it has {known}"
            )
        self._need_records()
        last = len(self.records) - 1
        parts = [getattr(self.layer(last, d), name) for d in DIRECTIONS[: self.directions]]
        return parts[0] if len(parts) == 1 else self.backend.xp.concatenate(parts, axis=-1)

    def __repr__(self) -> str:
        size = f"{self.packing.steps} steps, {self.packing.batch} sequences"
        held = f"{len(self.records)} layers" if self.records else "the final state only"
        return f"<trace of {self.cell_type.name}: {size}, {held}>"
