"""NumPy on the host."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from . import blas
from .base import Backend, Pointwise
from .pool import Pool

SAMPLED = 4096
"""Entries of an array whose order a checksum sees."""


class NumpyBackend(Backend):
    """Arrays are ``numpy.ndarray``; pointwise functions are the NumPy lines themselves."""

    name = "numpy"
    xp = np

    @staticmethod
    def owns(array: Any) -> bool:
        return isinstance(array, np.ndarray)

    def __init__(self) -> None:
        self._pool = Pool()

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self._pool.empty(shape, dtype)

    def asarray(self, values: Any, dtype: Any = None) -> np.ndarray:
        return np.asarray(values, dtype=dtype)

    def to_numpy(self, array: np.ndarray) -> np.ndarray:
        return array

    def checksum(self, array: np.ndarray) -> int:
        # A CRC of all of a large matrix would take half of the time of a single time step: there
        # a sum of the bits stands for the rest, which misses only what cancels.
        flat = array.reshape(-1)
        beginning = zlib.crc32(flat[:SAMPLED])
        if flat.size <= SAMPLED:
            return beginning
        bits = flat.view("uint64" if flat.nbytes % 8 == 0 else "uint32")
        return hash((beginning, int(np.add.reduce(bits))))

    def pointwise(self, function: Pointwise, dtype: np.dtype) -> Callable[..., None]:
        return function.numpy

    def stepping(self, flops: float) -> AbstractContextManager[Any]:
        return blas.single_threaded() if flops < blas.ONE_THREAD_BELOW else nullcontext()

    def multiplying(self, flops: float) -> AbstractContextManager[Any]:
        return blas.single_threaded() if flops < blas.ONE_THREAD_ALONE_BELOW else nullcontext()

    def product(self, weights: np.ndarray, n: int) -> Callable[[np.ndarray, np.ndarray], None]:
        directions, rows, inner = weights.shape
        if directions == 1 and n == 1:
            # A matrix and a vector: a call of `dot` takes two thirds of the time of `matmul`'s.
            matrix = weights[0]
            return lambda right, out: matrix.dot(right.reshape(inner), out.reshape(rows))
        blocks = blas.row_blocks(rows, inner, n)
        if blocks == 1:
            return super().product(weights, n)
        parts = (directions, blocks, -1, n)
        cut = np.ascontiguousarray(weights).reshape(directions, blocks, -1, inner)
        return lambda right, out: np.matmul(cut, right[:, None], out=out.reshape(parts))
