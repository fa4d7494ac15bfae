"""Ragged batches: which sequences are still running at which step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._validation import checked_lengths
from ..backends import Array, Backend


@dataclass(frozen=True)
class Segment:
    """Steps ``start`` to ``stop`` - 1 of the ``width`` longest sequences.

    All of them are running at the first step; some may end on the way, if `Packing` was told that
    it is cheaper to let them go on in vain than to cut.
    """

    start: int
    stop: int
    width: int


@dataclass(frozen=True)
class Place:
    """Where the entries of a segment (K, n, ·) stand in an array (T, B, ·).

    Attributes
    ----------
    steps : slice or None
        The segment's steps, of a batch without padding: nothing needs to be copied.
    read : array (K, n), or None
        Otherwise, where each entry stands in (T · B, ·). Past a sequence's end stands its last
        step once more, so that nothing of the padding is seen.
    target : array, or None
        The same of the entries that are no such repetition, (K, n) or (m,).
    real, repeated : tuple or None
        Steps and columns, in the segment, of those entries and of the repetitions; None where
        there are no repetitions.
    """

    steps: slice | None = None
    read: Array = None
    target: Array = None
    real: tuple | None = None
    repeated: tuple | None = None

    def get(self, array: Array) -> Array:
        """The entries, (K, n, ·)."""
        return array[self.steps] if self.steps is not None else _rows(array).take(self.read, axis=0)

    def set(self, array: Array, values: Array, part: slice = slice(None)) -> None:
        """Write values (K, n, ·) into some features of their places; repetitions have none."""
        if self.steps is not None:
            array[self.steps, :, part] = values
        else:
            own = values if self.real is None else values[self.real]
            _rows(array)[self.target, part] = own

    def clear(self, values: Array) -> None:
        """Let values (K, n, ·) be 0 where they are repetitions."""
        if self.repeated is not None:
            values[self.repeated] = 0


def _rows(array: Array) -> Array:
    """(T, B, ·) as (T · B, ·)."""
    return array.reshape(-1, array.shape[-1])


def inside(backend: Backend, shape: tuple[int, ...], lengths: Any) -> tuple | None:
    """An index of what is no padding in an array (T, B, ...); None where nothing is padded.

    Parameters
    ----------
    shape : tuple of int
        The leading axes. Where there is one only, time is over and ``lengths`` with it: a layer
        behind `LastStep`, say.
    lengths : sequence of B ints, or None

    Raises
    ------
    TypeError, ValueError
        If ``lengths`` do not fit.
    """
    if lengths is None or len(shape) < 2:
        return None
    packing = Packing(lengths, *shape[:2])
    return backend.index(packing.inside) if packing.ragged else None


class Packing:
    """A batch of sequences, longest first, cut into segments of constant width.

    With the sequences sorted by length the ones that still run are always the first columns, so
    that every segment is a dense block. A direction numbers the steps in the order in which it
    takes them: step 0 of the reverse direction is each sequence's own last element.

    Parameters
    ----------
    lengths : sequence of int or None
        Each sequence's length, in any order; None: all are ``steps`` long.
    steps, batch : int
        T and B of the padded array.
    spare : float
        How many steps of one sequence take as long as a segment takes beside its steps. So many
        are rather computed in vain, past a sequence's end, than a cut made; with 0 there is a cut
        wherever a sequence ends.

    Raises
    ------
    TypeError, ValueError
        If ``lengths`` are not B whole numbers from 1 to T.
    """

    def __init__(
        self,
        lengths: Sequence[int] | np.ndarray | None,
        steps: int,
        batch: int,
        spare: float = 0.0,
    ):
        self.steps, self.batch, self._spare = steps, batch, spare
        self._places: dict[tuple, Place] = {}
        self.lengths = checked_lengths(lengths, steps, batch)
        self.ragged = bool((self.lengths != steps).any())

    @cached_property
    def order(self) -> np.ndarray:
        """The sequences, longest first."""
        if self.ragged:
            return np.argsort(-self.lengths, kind="stable")
        return np.arange(self.batch)

    @cached_property
    def segments(self) -> list[Segment]:
        """The cuts that cost least together, first steps first."""
        if not self.ragged:
            return [Segment(0, self.steps, self.batch)]
        found, counts = np.unique(self.lengths, return_counts=True)
        ends, running = found.tolist(), self.batch
        # Where a segment may begin, how many sequences are running there, and the least that all
        # before it can cost, with the cut before that.
        begins = [(0, running, 0.0, -1)]
        for end, ending in zip(ends, counts.tolist(), strict=True):
            cost, cut = min(
                (least + self._spare + (end - start) * width, -k)
                for k, (start, width, least, _) in enumerate(begins)
            )
            running -= ending
            begins.append((end, running, cost, -cut))
        segments, k = [], len(ends)
        while k > 0:
            stop, _, _, before = begins[k]
            start, width, _, _ = begins[before]
            segments.append(Segment(start, stop, width))
            k = before
        return segments[::-1]

    def ends(self, segment: Segment) -> np.ndarray:
        """After how many of the segment's steps each of its sequences ends or the segment does."""
        lengths = self.lengths[self.order[: segment.width]]
        return np.clip(lengths, segment.start, segment.stop) - segment.start

    @property
    def inside(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and sequences of what is no padding: an index into (T, B, ...)."""
        steps, rows = np.nonzero(np.arange(self.steps)[:, None] < self.lengths)
        return steps, rows

    def place(self, backend: Backend, segment: Segment, reverse: bool) -> Place:
        """Where a segment lies in an array (T, B, ·) of a backend."""
        key = backend.name, segment, reverse
        if key not in self._places:
            self._places[key] = self._find(backend, segment, reverse)
        return self._places[key]

    def _find(self, backend: Backend, segment: Segment, reverse: bool) -> Place:
        start, stop = segment.start, segment.stop
        if not self.ragged:
            if not reverse:
                return Place(slice(start, stop))
            last = self.steps - 1
            return Place(slice(last - start, last - stop if stop <= last else None, -1))
        columns, steps = self.order[: segment.width], np.arange(start, stop)[:, None]
        lengths = self.lengths[columns]
        times = np.minimum(steps, lengths - 1)
        if reverse:
            times = lengths - 1 - times
        read = times * self.batch + columns
        if lengths[-1] >= stop:
            (every,) = backend.index((read,))
            return Place(read=every, target=every)
        running = steps < lengths
        real = np.nonzero(running)
        read, target = backend.index((read, read[running]))
        return Place(None, read, target, backend.index(real), backend.index(np.nonzero(~running)))
