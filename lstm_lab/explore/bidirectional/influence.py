"""Which inputs an output has seen: Jacobian norms by the library's own backward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...layers import LSTM


def influence(layer: LSTM, x: np.ndarray, length: int, *, padded: bool = False) -> dict[str, Any]:
    """How much every output of one sequence depends on every input.

    Parameters
    ----------
    layer : LSTM
        In float64, with one layer, in one direction or both.
    x : array (T, D)
        The sequence and its padding.
    length : int
        Its own steps, n.
    padded : bool
        Leave the length unsaid: the reverse direction starts in the padding.

    Returns
    -------
    dict
        ``y`` (n, H) or (n, 2H), and for each direction ``forward``, ``reverse``: (T, T), the
        Frobenius norm of ∂h_t/∂x_s in row t, column s; rows past the end are zero.
    """
    steps, hidden, directions = len(x), layer.hidden_size, layer.directions
    units = hidden * directions
    # A copy of the sequence for every output and unit: each asks one backward pass its question.
    copies = length * units
    t, unit = np.divmod(np.arange(copies), units)
    lengths = None if padded else [length] * copies
    y, trace = layer.forward(np.repeat(x[:, None], copies, axis=1), lengths=lengths)
    dy = np.zeros_like(y)
    dy[t, np.arange(copies), unit] = 1
    dx = layer.backward(dy, trace).x.reshape(steps, length, directions, hidden, -1)
    norms = np.zeros((directions, steps, steps))
    norms[:, :length] = np.sqrt((dx**2).sum(axis=(3, 4))).transpose(2, 1, 0)
    return {
        "y": y[:length, 0],
        **dict(zip(("forward", "reverse"), norms, strict=False)),
    }
