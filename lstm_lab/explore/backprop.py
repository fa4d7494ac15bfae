"""The gradient at every step of one sequence, by the library's own equations.

`LSTM.backward` returns what reaches the parameters, the input and the first state. What passes on
the way is kept here: the same cell functions, in a loop over a single sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..layers import LSTM, RNN, Trace

# Beyond 2^±200 what is carried back is scaled to about 1: a thousand steps neither under- nor
# overflow, and a power of two changes no digit.
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
    sums : array (T, G·H)
        δ_t = dL/da_t, with respect to the pre-activations, in the layer's order of blocks.
    x : array (T, D)
    exponent : array of int (T,)
        All 0 unless the gradient left 2^±200.
    """

    hidden: np.ndarray
    cell: np.ndarray | None
    sums: np.ndarray
    x: np.ndarray
    exponent: np.ndarray


def step_gradients(layer: LSTM | RNN, x: np.ndarray, dy: np.ndarray) -> tuple[Trace, Steps]:
    """Go back through time one step at a time, and keep what passes.

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
    _, trace = layer.forward(np.ascontiguousarray(x, dtype="float64")[:, None, :])
    cell, (length, hidden) = layer.cell, dy.shape
    # As the cell's functions take them: time, one direction, blocks of gates, units, one sequence.
    after = [getattr(trace, name).transpose(0, 2, 1)[:, None] for name in cell.states]
    before = [np.concatenate([np.zeros_like(state[:1]), state[:-1]]) for state in after]
    gates = np.empty((length, 1, cell.blocks, hidden, 1))
    for name, block in cell.gates.items():
        gates[:, 0, block, :, 0] = getattr(trace, name)[:, 0]
    saved = [np.tanh(state) for state in after[1:]]
    d, local = np.empty_like(gates), [np.empty_like(state) for state in after[1:]]
    cell.derivatives.numpy(gates, *before, *after, *saved, d, *local)

    found, exponent, shift = np.empty((len(after), length, hidden)), np.zeros(length, int), 0
    carried = [np.zeros_like(state[0]) for state in after]
    weight = layer.params["weight_h_l0"]
    for t in reversed(range(length)):
        exponent[t] = shift
        carried[0][0, :, 0] += np.ldexp(dy[t], -shift)
        for place, array in zip(found, carried, strict=True):
            place[t] = array[0, :, 0]
        cell.backward.numpy(d[t], *[array[t] for array in local], gates[t], *carried)
        if len(after) > 1:
            found[1, t] = local[0][t, 0, :, 0]
        carried[0][0, :, 0] = weight.T @ d[t].ravel()
        largest = max(float(np.abs(array).max()) for array in carried)
        power = int(np.frexp(largest)[1])
        if largest > 0 and abs(power) > SCALED_BEYOND:
            carried = [np.ldexp(array, -power) for array in carried]
            shift += power
    sums = d.reshape(length, -1)
    return trace, Steps(
        hidden=found[0],
        cell=found[1] if len(after) > 1 else None,
        sums=sums,
        x=sums @ layer.params["weight_x_l0"],
        exponent=exponent,
    )


def log_norm(vectors: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """log10 of each row's Euclidean length times 2**exponent, (T,); -inf where it is 0."""
    with np.errstate(divide="ignore"):
        return np.log10(np.linalg.norm(vectors, axis=1)) + exponent * np.log10(2)
