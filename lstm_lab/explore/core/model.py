"""What the explorables compute, in Python: the library's own LSTM in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...layers import Trace

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
    h: float | np.ndarray = 0.0,
    c: float | np.ndarray = 0.0,
) -> Trace:
    """The trace of an LSTM with these weights over x.

    Parameters
    ----------
    weight_x : array (4H, D)
    weight_h : array (4H, H)
    bias : array (4H,)
    x : array (T, D)
    h, c : float or array (H,)
        Initial state of every unit, or of each.
    """
    from ...layers import LSTM

    hidden, features = weight_h.shape[1], weight_x.shape[1]
    lstm = LSTM(features, hidden, backend="numpy", dtype="float64")
    lstm.params["weight_x_l0"][...] = weight_x
    lstm.params["weight_h_l0"][...] = weight_h
    lstm.params["bias_l0"][...] = bias
    state = tuple(np.full((1, 1, hidden), start, "float64") for start in (h, c))
    return lstm.forward(np.ascontiguousarray(x, dtype="float64")[:, None, :], state)[1]


def uniform(seed: int, length: int) -> np.ndarray:
    """Uniform numbers in [0, 1), (length,), drawn by mulberry32 as the browser draws them."""
    state, values, word = seed, np.empty(length), 0xFFFFFFFF
    for k in range(length):
        state = (state + 0x6D2B79F5) & word
        t = ((state ^ (state >> 15)) * (1 | state)) & word
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & word)) ^ t) & word
        values[k] = (t ^ (t >> 14)) / 2**32
    return values


def noise(length: int) -> np.ndarray:
    """Uniform noise in [-1, 1), (length,)."""
    return 2 * uniform(1, length) - 1


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
        case "set and reset":
            ups = (k == first) | (k == length // 2)
            downs = (k == 3 * length // 10) | (k == 4 * length // 5)
            signal = np.where(ups, 1, np.where(downs, -1, 0))
        case _:
            raise ValueError(f"preset: there is no signal called {preset!r}")
    return signal.astype("float64")


def drawn_signal(runs: str, length: int) -> np.ndarray:
    """The input (length,) that is written in runs, ``"0*5 1 0.5*3"``; zeros follow."""
    values = np.zeros(length)
    at = 0
    for run in runs.split():
        value, _, count = run.partition("*")
        values[at : at + int(count or 1)] = float(value)
        at += int(count or 1)
    return values


def target(behaviour: str, x: np.ndarray, period: int) -> np.ndarray:
    """What the cell state (T,) is to be for a behaviour, over the input x (T,).

    See `lstm_lab.explore.SequenceExplorer` for the behaviours.
    """
    up, k = x > 0.5, np.arange(len(x))
    match behaviour:
        case "latch":
            last = np.maximum.accumulate(np.where(up | (x < -0.5), k, -1))
            return np.where(last >= 0, up[last], False).astype("float64")
        case "counter":
            return np.cumsum(up).astype("float64")
        case "integrator":
            return np.cumsum(0.2 * x)
        case "forgetting":
            last = np.maximum.accumulate(np.where(up, k, -len(x) - period))
            return (k - last < period).astype("float64")
        case "toggler":
            return (np.cumsum(up) % 2).astype("float64")
    raise ValueError(f"behaviour: there is none called {behaviour!r}")


def score(c: np.ndarray, wanted: np.ndarray) -> float:
    """How close c (T,) comes to a target (T,), from 0 to 1.

    The target's sum of squares about its mean, over that and the squared errors: 1 where it is
    met, ½ for a constant that is right on average.
    """
    missed, whole = ((c - wanted) ** 2).sum(), ((wanted - wanted.mean()) ** 2).sum()
    return float(whole / (whole + missed)) if missed else 1.0


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
