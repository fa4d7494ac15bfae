"""Random time steps of an LSTM, each with the library's own answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .. import LSTM

GATES = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate"}
"""The book's letters, and the names in the library."""

Weights = tuple[np.ndarray, np.ndarray, np.ndarray]
"""One gate's W (H, D), U (H, H) and b (H,)."""

SIZES = (
    *((3, 4, 5), (3, 4, 5), (1, 3, 2), (2, 6, 1), (7, 1, 4)),
    *((4, 3, 3), (5, 5, 5), (2, 2, 2), (1, 1, 1)),
)
"""(B, D, H): unequal ones first, then square ones; every size is once equal to 1."""


@dataclass(frozen=True)
class Step:
    """One time step: what goes in, and on demand what the library's LSTM makes of it.

    Attributes
    ----------
    x : (B, D) the input.
    h, c : (B, H) hidden and cell state before the step.
    weights : for each of the letters i, f, o and g the triple W (H, D), U (H, H), b (H,).
    o, i, f, g : (B, H) gates and candidate after their activation.
    c_new, h_new : (B, H) the states after the step.
    """

    x: np.ndarray
    h: np.ndarray
    c: np.ndarray
    weights: dict[str, Weights]

    @property
    def batch_size(self) -> int:
        return len(self.x)

    @property
    def label(self) -> str:
        return f"B={self.batch_size}, D={self.x.shape[1]}, H={self.h.shape[1]}"

    @cached_property
    def _trace(self):
        lstm = LSTM(self.x.shape[1], self.h.shape[1], backend="numpy", dtype="float64")
        for letter, name in GATES.items():
            gate = lstm.gate(name)
            views = (gate.weight_x, gate.weight_h, gate.bias)
            for view, given in zip(views, self.weights[letter], strict=True):
                if given.shape != view.shape:
                    raise ValueError(f"{name} has a part of the shape {given.shape}")
                view[...] = given
        return lstm.forward(self.x[None], state=(self.h[None], self.c[None]))[1]

    @property
    def o(self) -> np.ndarray:
        return self._trace.output_gate[0]

    @property
    def i(self) -> np.ndarray:
        return self._trace.input_gate[0]

    @property
    def f(self) -> np.ndarray:
        return self._trace.forget_gate[0]

    @property
    def g(self) -> np.ndarray:
        return self._trace.candidate[0]

    @property
    def c_new(self) -> np.ndarray:
        return self._trace.cell[0]

    @property
    def h_new(self) -> np.ndarray:
        return self._trace.hidden[0]

    def but(self, **changes) -> Step:
        """The same step with other x, h, c or weights."""
        return replace(self, **changes)

    def with_weights(
        self, change: Callable[..., Iterable], gates: Iterable[str] = tuple(GATES)
    ) -> Step:
        """The same step, where `change(W, U, b)` gives these gates' weights."""
        changed = {gate: tuple(change(*self.weights[gate])) for gate in gates}
        return self.but(weights=self.weights | changed)

    def permuted(self, order: str) -> Step:
        """The same step, where i, f, o, g take the weights of the gates named in `order`."""
        pairs = zip(GATES, order, strict=True)
        return self.but(weights={gate: self.weights[other] for gate, other in pairs})


def step(rng: np.random.Generator, B: int, D: int, H: int, scale: float = 1.0) -> Step:
    """Draw one time step; `scale` multiplies the input and the weights' reach."""

    def normal(*shape: int) -> np.ndarray:
        return scale * rng.normal(size=shape)

    weights = {gate: (normal(H, D) / D**0.5, normal(H, H) / H**0.5, normal(H)) for gate in GATES}
    return Step(rng.normal(size=(B, D)), rng.normal(size=(B, H)), 1.5 * normal(B, H), weights)


def steps(rng: np.random.Generator) -> list[Step]:
    """Draw the ordinary cases: one for each of `SIZES`."""
    return [step(rng, *size) for size in SIZES]


def extreme_steps(rng: np.random.Generator) -> dict[str, Step]:
    """Draw a case whose weights and memory are around a thousand."""
    return {"weights and memory around 1000": step(rng, 3, 4, 5, scale=1000.0)}
