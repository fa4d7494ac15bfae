"""Random time steps of an LSTM, each with the library's own answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from .. import LSTM

GATES = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate"}
"""The book's letters, and the names in the library."""

Weights = tuple[np.ndarray, np.ndarray, np.ndarray]
"""One gate's W (H, D), U (H, H) and b (H,)."""

SIZES = (
    *((3, 4, 5), (3, 4, 5), (1, 3, 2), (2, 6, 1), (7, 1, 4)),
    *((4, 3, 3), (5, 2, 5), (2, 2, 6), (5, 5, 5), (1, 1, 1)),
)
"""(B, D, H): unequal ones first, then every two of them equal; every size is once equal to 1."""

LARGEST = 7.0
"""No ordinary case has a pre-activation beyond it: what goes wrong further out is a limit."""


@cache
def _lstm(D: int, H: int) -> tuple[LSTM, dict[str, Weights]]:
    """The library's LSTM of these sizes, and its gates' weights to write into: made once."""
    lstm = LSTM(D, H, backend="numpy", dtype="float64")
    parts = {letter: lstm.gate(name) for letter, name in GATES.items()}
    return lstm, {k: (g.weight_x, g.weight_h, g.bias) for k, g in parts.items()}


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
        lstm, gates = _lstm(self.x.shape[1], self.h.shape[1])
        for letter, views in gates.items():
            for view, given in zip(views, self.weights[letter], strict=True):
                if given.shape != view.shape:
                    raise ValueError(f"{GATES[letter]} has a part of the shape {given.shape}")
                view[...] = given
        return lstm.forward(self.x[None], state=(self.h[None], self.c[None]))[1].layer()

    @cached_property
    def o(self) -> np.ndarray:
        return self._trace.output_gate[0]

    @cached_property
    def i(self) -> np.ndarray:
        return self._trace.input_gate[0]

    @cached_property
    def f(self) -> np.ndarray:
        return self._trace.forget_gate[0]

    @cached_property
    def g(self) -> np.ndarray:
        return self._trace.candidate[0]

    @cached_property
    def c_new(self) -> np.ndarray:
        return self._trace.cell[0]

    @cached_property
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
    """Draw one time step; `scale` multiplies the weights' reach and the memory.

    The largest pre-activation of each gate is drawn, between 0.5 and `LARGEST`, and the weights
    follow: so a case never leaves these bounds by chance. (It is smaller where its terms all but
    cancel: digits would be lost.)
    """
    x, h = rng.normal(size=(B, D)), rng.uniform(-1, 1, size=(B, H))

    def weights() -> Weights:
        W, U, b = (rng.normal(size=shape) for shape in ((H, D), (H, H), H))
        terms = abs(x) @ abs(W.T) + abs(h) @ abs(U.T) + abs(b)
        reach = max(abs(x @ W.T + h @ U.T + b).max(), terms.max() / 10)
        factor = scale * rng.uniform(0.5, LARGEST) / reach
        return factor * W, factor * U, factor * b

    c = scale * rng.uniform(-4, 4, size=(B, H))
    return Step(x, h, c, {gate: weights() for gate in GATES})


def steps(rng: np.random.Generator) -> list[Step]:
    """Draw the ordinary cases: one for each of `SIZES`."""
    return [step(rng, *size) for size in SIZES]


def extreme_steps(rng: np.random.Generator) -> dict[str, Step]:
    """Draw cases at the limits, by what is special in them."""
    large, first, mixed = (step(rng, 3, 4, 5, scale) for scale in (1000.0, 1.0, 1.0))

    def of_all_sizes(array: np.ndarray, smallest: float, largest: float) -> np.ndarray:
        size = 10.0 ** rng.uniform(smallest, largest, size=array.shape)
        return np.sign(array) * size * (rng.uniform(size=array.shape) > 0.2)

    return {
        "h and c zero, as before the first step": first.but(h=0 * first.h, c=0 * first.c),
        "weights and memory around 1000": large,
        "zeros, small and large numbers side by side": mixed.but(
            x=of_all_sizes(mixed.x, -3, 3),
            h=of_all_sizes(mixed.h, -3, 0),
            c=of_all_sizes(mixed.c, -3, 3),
        ),
    }
