"""How the gradient fades, or does not, on its way back through time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.backprop import log_norm, step_gradients
from ..core.user_layer import float64_copy

if TYPE_CHECKING:
    from ...layers import LSTM, RNN

HIDDEN, SEEDS, LONGEST = 8, 16, 1000


def small_lstm(features: int, seed: int, **options: Any) -> LSTM:
    """An untrained LSTM of the picture's size."""
    from ...layers import LSTM

    return float64_copy(LSTM(features, HIDDEN, seed=seed, backend="numpy", **options))


def small_rnn(features: int, seed: int, radius: float = 1.0) -> RNN:
    """A tanh RNN whose U is orthogonal times ``radius``, which is its spectral radius."""
    from ...layers import RNN

    rnn = RNN(features, HIDDEN, init="orthogonal", seed=seed, backend="numpy")
    return scaled(float64_copy(rnn), radius)


def with_forget_bias(lstm: LSTM, bias: float) -> LSTM:
    """A copy of a float64 LSTM with one forget bias for all units."""
    copy = float64_copy(lstm)
    copy.gate("forget_gate").bias[:] = np.float32(bias)
    return copy


def scaled(rnn: RNN, factor: float) -> RNN:
    """A copy of a float64 RNN with U times a factor."""
    copy = float64_copy(rnn)
    weight = copy.params["weight_h_l0"]
    weight[...] = (weight * factor).astype("float32")
    return copy


def spectral_radius(layer: LSTM | RNN) -> float:
    """The largest absolute eigenvalue of U; of an LSTM, of the candidate's block of it."""
    weight = layer.params["weight_h_l0"][-layer.hidden_size :]
    return float(np.abs(np.linalg.eigvals(weight)).max())


def packed_seeds(features: int) -> bytes:
    """The small networks of every seed as float32: `seeded` in flow.js unpacks them."""
    parts = []
    for seed in range(SEEDS):
        longest = 1002
        chrono = small_lstm(features, seed, init="chrono", chrono_length=longest)
        kept = chrono.gate("forget_gate").bias
        for layer in (small_lstm(features, seed), small_rnn(features, seed)):
            parts += layer.params.values()
        parts.append((np.exp(kept) - 1) / (longest - 2))
    return b"".join(np.asarray(part).astype("<f4").tobytes() for part in parts)


def flow(layer: LSTM | RNN, x: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient of v·h_T at every step, where v has length 1 and equal entries.

    Parameters
    ----------
    layer : LSTM or RNN
        One layer, one direction, float64, on NumPy.
    x : array (T, D)

    Returns
    -------
    dict
        Per step (T,), the log10 of a Euclidean length: ``h`` of dL/dh_t; and of an LSTM ``c`` of
        dL/dc_t and ``direct`` as `direct_path` gives it.
    """
    dy = np.zeros((len(x), layer.hidden_size))
    dy[-1] = 1 / np.sqrt(layer.hidden_size)
    trace, steps = step_gradients(layer, x, dy)
    found = {"h": log_norm(steps.hidden, steps.exponent)}
    if steps.cell is not None:
        found["c"] = log_norm(steps.cell, steps.exponent)
        found["direct"] = direct_path(trace.forget_gate[:, 0], steps.cell[-1])
    return found


def direct_path(forget_gate: np.ndarray, last: np.ndarray) -> np.ndarray:
    """log10 of the length of dL/dc_T times the forget gates between, at every step.

    It is what `LSTM(truncated=True).backward` gives, where nothing passes through the gates
    (Hochreiter & Schmidhuber 1997, appendix A.1).

    Parameters
    ----------
    forget_gate : array (T, H)
    last : array (H,)
        dL/dc_T.
    """
    with np.errstate(divide="ignore"):
        # The gates after step t, so none at the last.
        logs = np.log(np.abs(last)) + np.vstack(
            [np.cumsum(np.log(forget_gate[:0:-1]), axis=0)[::-1], np.zeros_like(last)]
        )
        most = np.maximum(logs.max(axis=1), np.finfo(float).min)
        length = most + 0.5 * np.log(np.exp(2 * (logs - most[:, None])).sum(axis=1))
    return length / np.log(10)


def half_life(logs: np.ndarray) -> float:
    """Steps back until half of what is there at the last step is left; infinity if never.

    0 where nothing is there to begin with.
    """
    back = logs[::-1]
    if back[0] == -np.inf:
        return 0.0
    half = back[0] - np.log10(2)
    below = np.flatnonzero(back <= half)
    if not below.size:
        return float("inf")
    lag = int(below[0])
    share = (back[lag - 1] - half) / (back[lag - 1] - back[lag]) if back[lag] > -np.inf else 1.0
    return lag - 1 + float(share)
