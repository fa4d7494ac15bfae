"""The gradient at every step of one sequence: the library's own, however small it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...layers import LSTM, RNN, Trace

# The sequence goes back in windows. What is carried from one to the next is scaled to about 1
# where it is beyond 2^±200: a thousand steps neither under- nor overflow, and a power of two
# changes no digit.
WINDOW = 8
SCALED_BEYOND = 200


@dataclass(frozen=True)
class Steps:
    """Gradients at every step of one sequence. True values are these times ``2**exponent[t]``.

    Attributes
    ----------
    hidden : array (T, H)
        dL/dh_t, everything included.
    cell : array (T, H), or None for an RNN
        dL/dc_t, with what c_t does through h_t.
    delta : array (T, G·H)
        δ_t = dL/da_t, with respect to the pre-activations, in the layer's order of blocks.
    x : array (T, D)
    exponent : array of int (T,)
        All 0 unless the gradient left 2^±200.
    """

    hidden: np.ndarray
    cell: np.ndarray | None
    delta: np.ndarray
    x: np.ndarray
    exponent: np.ndarray


def step_gradients(layer: LSTM | RNN, x: np.ndarray, dy: np.ndarray) -> tuple[Trace, Steps]:
    """Go back through time, and keep what passes.

    Parameters
    ----------
    layer : LSTM or RNN
        Of one layer and one direction, in float64 on NumPy.
    x : array (T, D)
    dy : array (T, H)
        The loss's gradient with respect to the output of each step.

    Returns
    -------
    trace : Trace
    steps : Steps
    """
    x, dy = (np.ascontiguousarray(array, dtype="float64")[:, None] for array in (x, dy))
    _, trace = layer.forward(x)
    length, names = len(x), layer.cell.states
    found: dict[str, list[np.ndarray]] = {}
    exponent, shift, dstate = np.zeros(length, int), 0, None
    for start in reversed(range(0, length, WINDOW)):
        window = slice(start, start + WINDOW)
        state = tuple(getattr(trace, name)[start - 1][None] for name in names) if start else None
        state = state[0] if state and len(names) == 1 else state
        _, part = layer.forward(x[window], state)
        gradient = layer.backward(np.ldexp(dy[window], -shift), part, dstate, keep=True)
        exponent[window] = shift
        for name in (*_deltas(layer), *names):
            found.setdefault(name, []).insert(0, getattr(gradient.trace, name)[:, 0])
        found.setdefault("x", []).insert(0, gradient.x[:, 0])
        carried = gradient.state if len(names) > 1 else (gradient.state,)
        power = int(np.frexp(max(float(np.abs(array).max()) for array in carried))[1])
        if abs(power) > SCALED_BEYOND:
            carried = tuple(np.ldexp(array, -power) for array in carried)
            shift += power
        dstate = carried if len(names) > 1 else carried[0]
    whole = {name: np.concatenate(parts) for name, parts in found.items()}
    return trace, Steps(
        hidden=whole["hidden"],
        cell=whole.get("cell"),
        delta=np.hstack([whole[name] for name in _deltas(layer)]),
        x=whole["x"],
        exponent=exponent,
    )


def _deltas(layer: LSTM | RNN) -> list[str]:
    """The names of δ in a gradient's trace, in the layer's order of blocks."""
    return list(layer.cell.gates) or ["pre_activation"]


def log_norm(vectors: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """log10 of each row's Euclidean length times 2**exponent, (T,); -inf where it is 0."""
    with np.errstate(divide="ignore"):
        return np.log10(np.linalg.norm(vectors, axis=1)) + exponent * np.log10(2)
