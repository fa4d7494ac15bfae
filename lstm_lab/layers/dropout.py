"""Dropout. Srivastava et al. 2014, JMLR 15:1929-1958."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation import check_array, check_call, checked_rate
from ..backends import Array, Backend
from .base import Gradient, Layer


def dropout_mask(
    backend: Backend, rng: np.random.Generator, rate: float, shape: tuple[int, ...], dtype: Any
) -> Array:
    """0 with probability ``rate``, else 1/(1 - rate), so that the mean stays what it was.

    Drawn on the host, so that a seed drops the same units on every backend.
    """
    kept = rng.random(shape, dtype=np.float32) >= rate
    return backend.asarray(kept.astype(dtype) / dtype.type(1 - rate))


class Dropout(Layer):
    """Drops each value with probability ``rate`` in training; passes all on otherwise.

    A call is a training call if it is given ``rng``.

    Parameters
    ----------
    rate : float in [0, 1)
    backend, dtype
        As in `LSTM`.
    """

    def __init__(
        self, rate: float, *, backend: str | Backend | None = None, dtype: Any = "float32"
    ):
        super().__init__(backend, dtype)
        self.rate = checked_rate(rate, "rate")

    @property
    def config(self) -> dict[str, Any]:
        return {"rate": self.rate}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, Array | None]:
        """x (...) to y of the same shape; the trace is the mask, or None."""
        check_call(rng, trace)
        check_array(self.backend, x, "x", ("...",), self.dtype)
        if rng is None or not self.rate:
            return x, None
        mask = dropout_mask(self.backend, rng, self.rate, x.shape, self.dtype)
        return x * mask, mask

    def backward(self, dy: Array, trace: Array | None) -> Gradient:
        """The gradient passes where the value passed."""
        check_array(self.backend, dy, "dy", ("...",), self.dtype)
        if trace is not None:
            check_array(self.backend, trace, "trace", dy.shape, self.dtype)
        return Gradient(dy if trace is None else dy * trace)
