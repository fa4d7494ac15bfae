"""Dropout. Srivastava et al. 2014, JMLR 15:1929-1958."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation import check_call, checked_array, checked_rate
from ..backends import Array, Backend
from .base import Gradient, Layer
from .packing import inside


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
        """x (...) to y of the same shape; the trace is the mask, or None.

        With ``lengths``, of x (T, B, ...), the padding is dropped: y is 0 there, whatever x is.
        """
        check_call(rng, trace)
        x = checked_array(self.backend, x, "x", ("...",), self.dtype)
        index = inside(self.backend, x.shape[:-1], lengths)
        mask = None
        if rng is not None and self.rate:
            mask = dropout_mask(self.backend, rng, self.rate, x.shape, self.dtype)
        if index is None:
            return (x, None) if mask is None else (x * mask, mask)
        kept = self.backend.xp.zeros(x.shape, self.dtype)
        kept[index] = 1 if mask is None else mask[index]
        return self.backend.xp.where(kept > 0, x, 0) * kept, kept

    def backward(self, dy: Array, trace: Array | None) -> Gradient:
        """The gradient passes where the value passed."""
        dy = checked_array(self.backend, dy, "dy", ("...",), self.dtype)
        if trace is not None:
            trace = checked_array(self.backend, trace, "trace", dy.shape, self.dtype)
        if trace is None:
            return Gradient(dy)
        # Nothing comes back through a 0, not even of what is not finite there.
        return Gradient(self.backend.xp.where(trace > 0, dy, 0) * trace)
