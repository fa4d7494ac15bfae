"""How a whole sequence is laid out on a GPU, and whether it fits: plain arithmetic, no GPU needed.

A group of blocks, one direction and some of the sequences, walks through time together. Each of
its members owns some hidden units and keeps their weights in its own shared memory from the first
step to the last (Diamos et al. 2016, "Persistent RNNs", PMLR 48). Groups never wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SIDE = 4
"""A thread sums up a square of the product, 4 rows by 4 columns: 16 products for 8 loads."""

COLUMNS = (4, 8, 16, 32, 64)

# What a step costs, in cycles of a multiprocessor: products and bytes in one, by an H100's data
# sheet, and a meeting of a group's blocks. They order the layouts; no result depends on them.
PRODUCTS_A_CYCLE = 128
BYTES_A_CYCLE = 32
CYCLES_A_MEETING = 2500
SECTOR_BYTES = 32


@dataclass(frozen=True)
class Limits:
    """What one device allows.

    Attributes
    ----------
    processors : int
        Multiprocessors.
    shared_bytes : int
        Shared memory that a block may have at the most.
    cooperative : bool
        Whether blocks may wait for each other.
    threads : int
        Threads of a block, or a quarter more where that is needed; with 512, each has the 128
        registers that the product needs in float64.
    """

    processors: int
    shared_bytes: int
    cooperative: bool
    threads: int = 512


@dataclass(frozen=True)
class Loop:
    """What runs through time: in each step ``rows`` values a unit, sums of ``depth`` products.

    Attributes
    ----------
    hidden, directions : int
    rows, depth : int
        Forward: the recurrent blocks, and H. Backward: 1, and the recurrent blocks times H.
    itemsize : int
        Bytes of a number.
    """

    hidden: int
    directions: int
    rows: int
    depth: int
    itemsize: int


@dataclass(frozen=True)
class Tiling:
    """A layout.

    Attributes
    ----------
    units, columns : int
        A block's share of the hidden units and of the sequences; multiples of 4.
    members : int
        Blocks that meet in every step; with one there is nothing to wait for.
    slices : int
        Parts into which the sums are cut, so that there is work for all threads.
    chunk : int
        How many terms of the sums are brought into shared memory at a time.
    threads, shared_bytes : int
        Of a block.
    """

    units: int
    columns: int
    members: int
    slices: int
    chunk: int
    threads: int
    shared_bytes: int

    def groups(self, loop: Loop, n: int) -> int:
        """How many groups ``n`` sequences make."""
        return loop.directions * -(-n // self.columns)


def tile(limits: Limits, loop: Loop, n: int) -> Tiling | None:
    """The layout that should be the fastest for ``n`` sequences; None where none fits.

    Each layout is a kernel to be compiled, and the segments of a ragged batch have all kinds of
    widths: a layout serves up to the next power of 2.
    """
    return _fastest(limits, loop, 1 << (n - 1).bit_length()) or _fastest(limits, loop, n)


@lru_cache(maxsize=1024)
def _fastest(limits: Limits, loop: Loop, n: int) -> Tiling | None:
    found = []
    shares = {SIDE * -(-loop.hidden // (SIDE * members)) for members in range(1, loop.hidden + 1)}
    for units in sorted(shares):
        for columns in COLUMNS:
            tiling = _tiling(limits, loop, units, columns)
            if tiling is None:
                continue
            blocks = tiling.members * tiling.groups(loop, n)
            if tiling.members == 1:
                rounds = -(-blocks // limits.processors)
                found.append((rounds * _cycles(loop, tiling), tiling))
            elif limits.cooperative and blocks <= limits.processors:
                found.append((CYCLES_A_MEETING + _cycles(loop, tiling), tiling))
    # Of two that are as fast, the one in which fewer wait for each other.
    return min(found, key=lambda each: (each[0], each[1].members))[1] if found else None


def _tiling(limits: Limits, loop: Loop, units: int, columns: int) -> Tiling | None:
    squares = loop.rows * units * columns // SIDE**2
    # A thread has at most one unit of one sequence as its own.
    needed = -(-units * columns // squares)
    slices = max(needed, min(limits.threads // squares, loop.depth // SIDE))
    threads = squares * slices
    if threads > limits.threads * 5 // 4:
        return None
    weights = loop.depth * loop.rows * units * loop.itemsize
    room = limits.shared_bytes - weights
    chunk = min(loop.depth, room // (columns * loop.itemsize))
    if chunk < loop.depth:
        chunk -= chunk % slices
    # The partial sums take the place of the chunk.
    work = max(chunk * columns, threads * SIDE**2) * loop.itemsize
    if chunk < min(slices, loop.depth) or work > room:
        return None
    members = -(-loop.hidden // units)
    return Tiling(units, columns, members, slices, chunk, threads, weights + work)


def _cycles(loop: Loop, tiling: Tiling) -> float:
    products = loop.rows * tiling.units * tiling.columns / PRODUCTS_A_CYCLE
    read = max(tiling.columns * loop.itemsize, SECTOR_BYTES) / BYTES_A_CYCLE
    return loop.depth * (products + read)
