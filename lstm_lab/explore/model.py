"""What the explorables compute, in Python: the library's own LSTM in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..layers import Trace

QUANTITIES = {
    "i": "input_gate",
    "f": "forget_gate",
    "o": "output_gate",
    "g": "candidate",
    "c": "cell",
    "h": "hidden",
}


def lstm_trace(
    weight_x: np.ndarray,
    weight_h: np.ndarray,
    bias: np.ndarray,
    x: np.ndarray,
    h: float = 0.0,
    c: float = 0.0,
) -> Trace:
    """The trace of an LSTM with these weights over x.

    Parameters
    ----------
    weight_x : array (4H, D)
    weight_h : array (4H, H)
    bias : array (4H,)
    x : array (T, D)
    h, c : float
        Initial state of every unit.
    """
    from ..layers import LSTM

    hidden, features = weight_h.shape[1], weight_x.shape[1]
    lstm = LSTM(features, hidden, backend="numpy", dtype="float64")
    lstm.params["weight_x_l0"][...] = weight_x
    lstm.params["weight_h_l0"][...] = weight_h
    lstm.params["bias_l0"][...] = bias
    state = (np.full((1, 1, hidden), float(h)), np.full((1, 1, hidden), float(c)))
    return lstm.forward(np.ascontiguousarray(x, dtype="float64")[:, None, :], state)[1]


def noise(length: int) -> np.ndarray:
    """Uniform noise in [-1, 1), (length,), drawn by mulberry32 as the browser draws it."""
    state, values, word = 1, np.empty(length), 0xFFFFFFFF
    for k in range(length):
        state = (state + 0x6D2B79F5) & word
        t = ((state ^ (state >> 15)) * (1 | state)) & word
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & word)) ^ t) & word
        values[k] = (t ^ (t >> 14)) / 2**31 - 1
    return values


def input_signal(preset: str, length: int, period: int) -> np.ndarray:
    """The input (length,) of a preset; pulses begin a twentieth of the way in."""
    k, first = np.arange(length), length // 20
    since = (k - first) % period
    match preset:
        case "impulse":
            signal = k == first
        case "two pulses":
            signal = (k == first) | (k == length // 2)
        case "step":
            signal = k >= first
        case "square":
            signal = (k >= first) & (since < period / 2)
        case "sine":
            signal = np.sin(2 * np.pi * k / period)
        case "spikes":
            signal = (k >= first) & (since == 0)
        case "noise":
            signal = noise(length)
        case _:
            raise ValueError(f"preset: there is no signal called {preset!r}")
    return signal.astype("float64")


def memory(x: np.ndarray, forget_gate: np.ndarray) -> dict[str, float]:
    """How long a unit remembers its first input.

    Parameters
    ----------
    x : array (T, D)
    forget_gate : array (T,)

    Returns
    -------
    dict
        ``first``, the index of the first step whose input is not zero; ``mean``, the geometric
        mean f̄ of the forget gate after it; ``half_life`` ln ½ / ln f̄ and ``memory`` 1/(1 - f̄),
        in steps; ``left``, the product of the forget gates after it: the share of the first
        input that is still there at the end on the direct path.
    """
    fed = np.flatnonzero(x.any(axis=1))
    first = int(fed[0]) if fed.size else 0
    after = forget_gate[first + 1 :]
    mean = float(np.exp(np.log(after).mean())) if after.size else float(forget_gate[first])
    return {
        "first": first,
        "mean": mean,
        "half_life": float(np.log(0.5) / np.log(mean)),
        "memory": 1 / (1 - mean),
        "left": float(np.exp(np.log(after).sum())),
    }
