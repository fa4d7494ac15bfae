"""Sequences read from their end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_call, check_kind, checked_array
from ..backends import Array, Backend
from .base import Gradient, Layer
from .packing import Packing


@dataclass(frozen=True)
class Reversal:
    """What `Reverse.forward` leaves behind."""

    shape: tuple[int, ...]
    packing: Packing


class Reverse(Layer):
    """Each sequence backwards, within its own length: y[t] = x[length - 1 - t].

    Before and after a recurrent layer it makes a network that reads each sequence from its end,
    ``Sequential(back=Reverse(), encoder=LSTM(3, 16), forth=Reverse())``: one half of a `BiLSTM`.
    Before an encoder alone it is the reversed source of Sutskever, Vinyals & Le 2014,
    arXiv:1409.3215.
    """

    def __init__(self, *, backend: str | Backend | None = None, dtype: Any = "float32"):
        super().__init__(backend, dtype)

    @property
    def config(self) -> dict[str, Any]:
        return {}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, Reversal]:
        """x (T, B, D) to y (T, B, D), zero after each sequence's end."""
        check_call(rng, trace)
        x = checked_array(self.backend, x, "x", ("T", "B", "D"), self.dtype)
        packing = Packing(lengths, *x.shape[:2])
        return self._reversed(x, packing), Reversal(x.shape, packing)

    def backward(self, dy: Array, trace: Reversal) -> Gradient:
        """The gradient, backwards; what it holds in the padding is ignored."""
        check_kind(trace, "trace", Reversal, "what Reverse.forward returned")
        dy = checked_array(self.backend, dy, "dy", trace.shape, self.dtype)
        return Gradient(self._reversed(dy, trace.packing))

    def _reversed(self, x: Array, packing: Packing) -> Array:
        y = self.backend.xp.zeros_like(x)
        for segment in packing.segments:
            there, back = (
                packing.place(self.backend, segment, reverse) for reverse in (False, True)
            )
            there.set(y, back.get(x))
        return y
