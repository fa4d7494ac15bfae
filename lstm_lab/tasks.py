"""Floor 5: the classic tasks that a memory is tested with, made at random.

Each function draws fresh examples: ``x`` is (T, B, D) in float32, ``lengths`` (B,) where the
sequences are not equally long, and the target is what `lstm_lab.losses` takes. Symbols are
one-hot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._validation import (
    checked_choice,
    checked_generator,
    checked_number,
    checked_size,
    described,
)

__all__ = ["adding", "copying", "first_symbol", "oscillations", "temporal_order"]

ADDING_BASELINE = 1 / 24
"""Mean squared error of the constant 0.5 at the adding task: (1/3 + 1/3) / 16."""


def _one_hot(symbols: np.ndarray, count: int, lengths: np.ndarray | None = None) -> np.ndarray:
    """Symbols (T, B) as (T, B, count); nothing at all after each sequence's end."""
    x = np.eye(count, dtype="float32")[symbols]
    if lengths is not None:
        x[np.arange(len(symbols))[:, None] >= lengths] = 0
    return x


def first_symbol(
    batch: int, length: int, seed: Any, *, symbols: int = 2, noise: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Say at the end which symbol came first; all between is noise.

    The simplest task with a lag: the first of T symbols is one of ``symbols``, the others are
    drawn from ``noise`` further ones. In the manner of the two-sequence problem of Bengio, Simard
    & Frasconi 1994 (doi:10.1109/72.279181).

    Returns
    -------
    x : numpy.ndarray (T, B, symbols + noise)
    target : numpy.ndarray of int (B,)
        Which symbol it was. Chance is 1 / symbols.
    """
    rng = checked_generator(seed, optional=False)
    batch, noise = checked_size(batch, "batch"), checked_size(noise, "noise")
    length = checked_size(length, "length", least=2, why="a symbol and a step of noise")
    symbols = checked_size(symbols, "symbols", least=2, why="or there is nothing to say")
    drawn = symbols + rng.integers(noise, size=(length, batch))
    target = rng.integers(symbols, size=batch)
    drawn[0] = target
    return _one_hot(drawn, symbols + noise), target


def temporal_order(
    batch: int, seed: Any, *, length: int = 100, marks: int = 2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """In which order did the X and the Y come? Experiments 6a and 6b of 1997.

    Each sequence begins with E, ends with B, and between them are the distractors a, b, c, d, but
    for ``marks`` steps far apart, at which there is an X or a Y. At ``length=100`` the marks lie
    in steps 10–20 and 50–60 (6a), or 10–20, 33–43 and 66–76 (6b), and the sequences are 100 to
    110 steps long; other lengths stretch all of it. Hochreiter & Schmidhuber 1997,
    doi:10.1162/neco.1997.9.8.1735, section 5.6.

    Parameters
    ----------
    batch : int
    seed : int or numpy.random.Generator
    length : int
        The shortest length; the longest is a tenth longer.
    marks : {2, 3}

    Returns
    -------
    x : numpy.ndarray (T, B, 8)
        Symbols E, B, a, b, c, d, X, Y; T is ``length + length // 10``.
    target : numpy.ndarray of int (B,)
        The marks read as binary digits, X = 0, Y = 1, the first one highest. Chance is ¼ or ⅛.
    lengths : numpy.ndarray of int (B,)
    """
    rng = checked_generator(seed, optional=False)
    batch = checked_size(batch, "batch")
    length = checked_size(length, "length", least=20, why="or the marks have no room")
    places = {2: (10, 50), 3: (10, 33, 66)}
    marks = checked_choice(marks, "marks", tuple(places))
    longest = length + length // 10
    lengths = rng.integers(length, longest + 1, size=batch)
    symbols = rng.integers(2, 6, size=(longest, batch))
    every = np.arange(batch)
    drawn = rng.integers(2, size=(marks, batch))
    for place, mark in zip(places[marks], drawn, strict=True):
        low, width = place * length // 100, max(1, length // 10)
        symbols[rng.integers(low, low + width + 1, size=batch), every] = 6 + mark
    symbols[0] = 0
    symbols[lengths - 1, every] = 1
    target = (drawn * 2 ** np.arange(marks)[::-1, None]).sum(axis=0)
    return _one_hot(symbols, 8, lengths), target, lengths


def adding(batch: int, length: int, seed: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add the two marked numbers. Experiment 4 of 1997.

    Each step holds a number from [−1, 1] and a mark: 1 at two steps, one of the first ten and one
    of the first half; −1 at the first and the last step; else 0. If the first step itself is
    drawn, its number counts as 0. Hochreiter & Schmidhuber 1997, section 5.4.

    Parameters
    ----------
    batch : int
    length : int
        The shortest length; the longest is a tenth longer.
    seed : int or numpy.random.Generator

    Returns
    -------
    x : numpy.ndarray (T, B, 2)
    target : numpy.ndarray of float32 (B, 1)
        0.5 + (X₁ + X₂) / 4. A sequence counts as solved if the absolute error is below 0.04;
        always to say 0.5 has a mean squared error of 1/24 (`ADDING_BASELINE`).
    lengths : numpy.ndarray of int (B,)
    """
    rng = checked_generator(seed, optional=False)
    batch = checked_size(batch, "batch")
    length = checked_size(length, "length", least=24, why="so that the two marks have room")
    longest = length + length // 10
    lengths = rng.integers(length, longest + 1, size=batch)
    every = np.arange(batch)
    values = rng.uniform(-1, 1, size=(longest, batch))
    first = rng.integers(10, size=batch)
    second = rng.integers(length // 2 - 1, size=batch)
    second += second >= first
    values[0, first == 0] = values[0, second == 0] = 0
    marks = np.zeros((longest, batch))
    marks[first, every] = marks[second, every] = 1
    marks[0], marks[lengths - 1, every] = -1, -1
    target = 0.5 + (values[first, every] + values[second, every]) / 4
    x = np.stack([values, marks], axis=2).astype("float32")
    x[np.arange(longest)[:, None] >= lengths] = 0
    return x, target[:, None].astype("float32"), lengths


def copying(
    batch: int, delay: int, seed: Any, *, count: int = 10, symbols: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Repeat ten symbols after a pause. The copy problem of 1997, as Arjovsky et al. 2016 set it.

    ``count`` symbols, ``delay − 1`` blanks, a starting signal, and ``count`` blanks in which the
    symbols must be said again. arXiv:1511.06464, section 4.1.

    Returns
    -------
    x : numpy.ndarray (delay + 2 · count, B, symbols + 2)
        One-hot: the symbols, the blank, the starting signal.
    target : numpy.ndarray of int (delay + 2 · count, B)
        The blank everywhere but in the last ``count`` steps. Without a memory the cross-entropy
        is at best count · ln(symbols) / (delay + 2 · count).
    """
    rng = checked_generator(seed, optional=False)
    batch, count = checked_size(batch, "batch"), checked_size(count, "count")
    delay = checked_size(delay, "delay")
    symbols = checked_size(symbols, "symbols", least=2, why="or there is nothing to copy")
    blank, signal = symbols, symbols + 1
    steps = delay + 2 * count
    drawn = rng.integers(symbols, size=(count, batch))
    inputs = np.full((steps, batch), blank)
    inputs[:count] = drawn
    inputs[count + delay - 1] = signal
    target = np.full((steps, batch), blank)
    target[-count:] = drawn
    return _one_hot(inputs, symbols + 2), target


def oscillations(
    batch: int,
    length: int,
    seed: Any,
    *,
    noise: float = 0.2,
    periods: tuple[float, float] = (6, 20),
) -> tuple[np.ndarray, np.ndarray]:
    """Say what comes next in many short noisy oscillations, each of its own period and height.

    Each is A cos(2πt/P + φ) plus Gaussian noise: P is drawn evenly from ``periods``, A from ½ to
    1½, φ from the whole circle. For who knows A, P and φ the error that is left is ``noise``.

    Parameters
    ----------
    batch : int
    length : int
        T, at least 2.
    seed : int or numpy.random.Generator
    noise : float
        Its standard deviation, at least 0.
    periods : tuple of two float
        The shortest and the longest, in steps; more than 2 each.

    Returns
    -------
    x : numpy.ndarray (T, B, 1)
    target : numpy.ndarray (T, B, 1), float32
        The next value: ``target[t]`` is ``x[t + 1]``, and one more at the end.
    """
    rng = checked_generator(seed, optional=False)
    batch = checked_size(batch, "batch")
    length = checked_size(length, "length", least=2, why="one value says nothing of a period")
    noise = checked_number(noise, "noise", low=0)
    if not isinstance(periods, tuple | list) or len(periods) != 2:
        raise ValueError(
            f"periods must be two numbers, the shortest and the longest, not {described(periods)}"
        )
    shortest, longest = (checked_number(each, "periods", low=2, above=True) for each in periods)
    if shortest > longest:
        raise ValueError(f"periods must begin with the shorter one, got {shortest}, {longest}")
    period = rng.uniform(shortest, longest, batch)
    amplitude, phase = rng.uniform(0.5, 1.5, batch), rng.uniform(0, 2 * np.pi, batch)
    t = np.arange(length + 1)[:, None]
    values = amplitude * np.cos(2 * np.pi * t / period + phase)
    values = (values + noise * rng.normal(size=values.shape)).astype("float32")[:, :, None]
    return values[:-1], values[1:]
