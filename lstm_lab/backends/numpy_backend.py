"""NumPy on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .base import Backend, Pointwise
from .pool import Pool


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

    def pointwise(self, function: Pointwise, dtype: np.dtype) -> Callable[..., None]:
        return function.numpy
