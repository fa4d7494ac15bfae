"""What a unit over a sequence is fed with, what it is to do, and how long it remembers."""

from __future__ import annotations

import numpy as np


def drawn_signal(runs: str, length: int) -> np.ndarray:
    """The input (length,) that is written in runs, ``"0*5 1 0.5*3"``; zeros follow."""
    values = np.zeros(length)
    at = 0
    for run in runs.split():
        value, _, count = run.partition("*")
        values[at : at + int(count or 1)] = float(value)
        at += int(count or 1)
    return values


def target_of(behaviour: str, x: np.ndarray, period: int) -> np.ndarray:
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


def score(c: np.ndarray, target: np.ndarray) -> float:
    """How close c (T,) comes to a target (T,), from 0 to 1.

    The target's sum of squares about its mean, over that and the squared errors: 1 where it is
    met, ½ for a constant that is right on average.
    """
    missed, whole = ((c - target) ** 2).sum(), ((target - target.mean()) ** 2).sum()
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
