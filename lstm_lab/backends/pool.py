"""Host memory that is used again.

A large array that is freed goes back to the operating system, and the next one is given to the
program page by page, each at the price of a page fault. For the buffers of an LSTM that price was
measured at up to half of a forward and backward pass; a device's array library has a pool for the
same reason.
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

SMALLEST = 1 << 16
"""Below this many bytes the C library keeps the memory itself."""

MOST = 1 << 28
"""How many bytes are kept at the most while nobody uses them."""

ALIGNMENT = 64


class _Lease(weakref.ref):
    """A lent array, and what comes back at its end.

    `weakref.finalize` does the same, and lending took six times as long with it.
    """

    __slots__ = ("memory", "size")

    size: int
    memory: tuple[memoryview, int]


class Pool:
    """Arrays whose memory comes back here when the last view of them is gone."""

    def __init__(self) -> None:
        # Each piece of memory with its first aligned byte, by size.
        self._free: dict[int, list[tuple[memoryview, int]]] = {}
        self._lent: dict[int, _Lease] = {}
        self._most = MOST
        self.kept = 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Like ``numpy.empty``: an array of any content."""
        dtype = np.dtype(dtype)
        count = math.prod(shape)
        if count * dtype.itemsize < SMALLEST:
            return np.empty(shape, dtype)
        size = _rounded(count * dtype.itemsize)
        free = self._free.setdefault(size, [])
        try:
            memory = free.pop()
            self.kept -= size
        except IndexError:
            owner = np.empty(size + ALIGNMENT, np.uint8)
            memory = owner.data, -owner.ctypes.data % ALIGNMENT
        # Views refer to this array, which is not the memory's owner: its end is the last view's.
        whole = np.frombuffer(memory[0], dtype, count, memory[1])
        lease = _Lease(whole, self._take_back)
        lease.size, lease.memory = size, memory
        self._lent[id(lease)] = lease
        return whole.reshape(shape)

    def _take_back(self, lease: _Lease) -> None:
        del self._lent[id(lease)]
        if self.kept + lease.size <= self._most:
            self.kept += lease.size
            self._free[lease.size].append(lease.memory)


def _rounded(size: int) -> int:
    """Up to one of sixteen sizes in each octave, so that nearly equal arrays share memory."""
    unit = 1 << (size.bit_length() - 5)
    return -(-size // unit) * unit
