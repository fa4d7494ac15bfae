"""Ragged batches: which sequences are still running at which step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import checked_lengths
from ..backends import Backend


@dataclass(frozen=True)
class Segment:
    """Steps ``start`` to ``stop`` - 1, at which the same ``width`` sequences are running."""

    start: int
    stop: int
    width: int


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
    that padding is never computed and every segment is a dense block. A direction numbers the
    steps in the order in which it takes them: step 0 of the reverse direction is each sequence's
    own last element.

    Parameters
    ----------
    lengths : sequence of int or None
        Each sequence's length, in any order; None: all are ``steps`` long.
    steps, batch : int
        T and B of the padded array.

    Raises
    ------
    TypeError, ValueError
        If ``lengths`` are not B whole numbers from 1 to T.
    """

    def __init__(self, lengths: Sequence[int] | np.ndarray | None, steps: int, batch: int):
        self.steps, self.batch = steps, batch
        self.lengths = checked_lengths(lengths, steps, batch)
        self.ragged = bool((self.lengths != steps).any())
        if self.ragged:
            self.order = np.argsort(-self.lengths, kind="stable")
            ends = np.unique(self.lengths)
            widths = np.searchsorted(-self.lengths[self.order], -ends, side="right")
            starts = np.concatenate([[0], ends[:-1]])
            self.segments = [
                Segment(int(start), int(stop), int(width))
                for start, stop, width in zip(starts, ends, widths, strict=True)
            ]
        else:
            self.order = np.arange(batch)
            self.segments = [Segment(0, steps, batch)]

    @property
    def inside(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and sequences of what is no padding: an index into (T, B, ...)."""
        steps, rows = np.nonzero(np.arange(self.steps)[:, None] < self.lengths)
        return steps, rows

    def index(self, segment: Segment, reverse: bool) -> tuple:
        """Where a segment lies in an array (T, B, ·): an index to read from or assign to."""
        start, stop = segment.start, segment.stop
        if not self.ragged:
            if not reverse:
                return slice(start, stop), slice(None)
            last = self.steps - 1
            return slice(last - start, last - stop if stop <= last else None, -1), slice(None)
        columns = self.order[: segment.width]
        times = np.arange(start, stop)[:, None]
        if reverse:
            times = self.lengths[columns] - 1 - times
        return times, columns[None]
