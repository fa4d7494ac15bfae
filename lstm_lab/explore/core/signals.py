"""Inputs to feed a unit with; the same here and in the browser."""

from __future__ import annotations

import numpy as np


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
