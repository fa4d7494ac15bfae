"""A window over time without recurrence: what recurrent layers are to be compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_call, check_kind, checked_array, checked_generator, checked_size
from ..backends import Array, Backend
from . import initial
from .base import Gradient, Layer
from .packing import Packing


@dataclass(frozen=True)
class DelayTrace:
    """What `TimeDelay.forward` leaves behind.

    Attributes
    ----------
    seen : array (T, B, (2r + 1) D)
        What each step has read, from the earliest step of its window to the latest.
    y : array (T, B, H)
    valid : array (T, B, 1), or None
        True before each sequence's end; None where nothing is padded.
    checksums : dict
        Of the parameters, by which a change shows.
    """

    seen: Array
    y: Array
    valid: Array
    checksums: dict[str, int | None]


class TimeDelay(Layer):
    """y_t = tanh(W [x_{t−r}; …; x_{t+r}] + b): each step sees r steps on both sides, and no more.

    Outside of the sequence there is 0. It is a convolution over time, the layer of the time-delay
    network of Waibel et al. 1989, doi:10.1109/29.21701, with a window centred on its step.

    Parameters
    ----------
    input_size, output_size : int
        D and H.
    reach : int
        r, steps that are seen on each side.
    backend, dtype, seed
        As in `LSTM`.

    Attributes
    ----------
    params : dict
        ``weight`` (H, (2r + 1) D) and ``bias`` (H,), first uniform in ±1/√((2r + 1) D).
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        reach: int = 4,
        *,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        super().__init__(backend, dtype)
        self.input_size = checked_size(input_size, "input_size")
        self.output_size = checked_size(output_size, "output_size")
        self.reach = checked_size(reach, "reach", least=0)
        rng = checked_generator(seed)
        shapes = self.param_shapes(self.config)
        fan_in = shapes["weight"][1]
        self._set_params({n: initial.uniform(rng, s, fan_in) for n, s in shapes.items()})

    @property
    def config(self) -> dict[str, Any]:
        return {
            "input_size": self.input_size,
            "output_size": self.output_size,
            "reach": self.reach,
        }

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        rows = config["output_size"]
        return {
            "weight": (rows, (2 * config.get("reach", 4) + 1) * config["input_size"]),
            "bias": (rows,),
        }

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, DelayTrace]:
        """x (T, B, D) to y (T, B, H); ``lengths`` as in `LSTM.forward`, y is 0 past them."""
        check_call(rng, trace)
        x = checked_array(self.backend, x, "x", ("T", "B", self.input_size), self.dtype)
        xp, (steps, batch, size) = self.backend.xp, x.shape
        valid = None
        if lengths is not None:
            own = Packing(lengths, steps, batch).lengths
            valid = self.backend.asarray((np.arange(steps)[:, None] < own)[:, :, None])
            x = xp.where(valid, x, 0)
        wide = xp.zeros((steps + 2 * self.reach, batch, size), self.dtype)
        wide[self.reach : self.reach + steps] = x
        seen = xp.concatenate([wide[k : k + steps] for k in range(2 * self.reach + 1)], axis=2)
        weight = self.params["weight"]
        with self.backend.multiplying(2 * seen.size * self.output_size):
            a = seen.reshape(-1, seen.shape[2]) @ weight.T
        y = xp.tanh(a + self.params["bias"]).reshape(steps, batch, self.output_size)
        if valid is not None:
            y = xp.where(valid, y, 0).astype(self.dtype)
        return y, DelayTrace(seen, y, valid, self.params.checksums() if trace else {})

    def backward(self, dy: Array, trace: DelayTrace) -> Gradient:
        """With δ = dy (1 − y²): dW = Σ δ seenᵀ, db = Σ δ; dx gathers from all that saw it.

        Raises
        ------
        TypeError, ValueError
            If ``dy`` does not fit, or the trace belongs to another layer, or a parameter was
            changed since (seen on the host alone).
        """
        check_kind(trace, "trace", DelayTrace, "what TimeDelay.forward returned")
        if trace.seen.shape[2] != self.params["weight"].shape[1]:
            raise ValueError(f"trace belongs to another layer than {self!r}")
        self.params.check_unchanged(trace.checksums)
        dy = checked_array(self.backend, dy, "dy", trace.y.shape, self.dtype)
        xp, (steps, batch, _) = self.backend.xp, trace.y.shape
        delta = dy * (1 - trace.y**2)
        if trace.valid is not None:
            delta = xp.where(trace.valid, delta, 0).astype(self.dtype)
        rows = delta.reshape(-1, self.output_size)
        weight, width = self.params["weight"], self.input_size
        with self.backend.multiplying(4 * trace.seen.size * self.output_size):
            params = {
                "weight": rows.T @ trace.seen.reshape(len(rows), -1),
                "bias": rows.sum(axis=0),
            }
            back = (rows @ weight).reshape(trace.seen.shape)
        wide = xp.zeros((steps + 2 * self.reach, batch, width), self.dtype)
        for k in range(2 * self.reach + 1):
            wide[k : k + steps] += back[:, :, k * width : (k + 1) * width]
        dx = wide[self.reach : self.reach + steps]
        if trace.valid is not None:
            dx = xp.where(trace.valid, dx, 0).astype(self.dtype)
        return Gradient(dx, params)
