"""Floor 5: the classic tasks that a memory is tested with, made at random.

Each function draws fresh examples: ``x`` is (T, B, D) in float32, ``lengths`` (B,) where the
sequences are not equally long, and the target is what `lstm_lab.losses` takes. Symbols are
one-hot. `behind_a_wall` makes clips of images, whose target is their own next frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._validation import (
    checked_choice,
    checked_generator,
    checked_number,
    checked_rate,
    checked_size,
    described,
    plain_array,
)

__all__ = [
    "Clips",
    "adding",
    "behind_a_wall",
    "copying",
    "drawn",
    "first_symbol",
    "oscillations",
    "temporal_order",
    "turns",
]

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


@dataclass(frozen=True, eq=False)
class Clips:
    """Short films of an image that crosses a wall: what `behind_a_wall` makes.

    Attributes
    ----------
    frames : numpy.ndarray (T, N, height · width), float32
        What is seen, row by row; the wall's columns are 0.
    places : numpy.ndarray (T, N), int
        The column of the image's left edge, seen or not; past ``width`` it has left.
    which : numpy.ndarray (N,), int
        The image of each clip.
    speeds : numpy.ndarray (N,), int
        Columns a frame.
    out : numpy.ndarray (N,), int
        The first frame in which a column of the image is seen to the right of the wall.
    wall : slice
        The hidden columns.
    shape : tuple of int
        (height, width) of a frame.
    """

    frames: np.ndarray
    places: np.ndarray
    which: np.ndarray
    speeds: np.ndarray
    out: np.ndarray
    wall: slice
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.which)

    def __repr__(self) -> str:
        (height, width), (start, stop) = self.shape, (self.wall.start, self.wall.stop)
        return (
            f"<Clips: {len(self)} of {len(self.frames)} frames, {height} × {width} pixels, wall "
            f"before columns {start} to {stop - 1}>"
        )


def drawn(images: Any, places: Any, width: int) -> np.ndarray:
    """Images at their places: each clip's image, in each frame with its left edge in that column.

    Parameters
    ----------
    images : array_like (N, height, w)
    places : array_like of int (T, N)
        What lies left of column 0 or right of the last is cut off.
    width : int
        Columns of a frame.

    Returns
    -------
    numpy.ndarray (T, N, height, width), float32
    """
    images = _images(images)
    places, width = plain_array(places, "places"), checked_size(width, "width")
    if places.ndim != 2 or places.dtype.kind not in "iu" or places.shape[1] != len(images):
        raise ValueError(
            f"places must be whole numbers (T, {len(images)}), one column for each image, got "
            f"{places.dtype} {places.shape}"
        )
    wide = images.shape[2]
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1)))
    # The image's own column that each column of the frame shows; the padding where there is none.
    column = np.clip(np.arange(width) - places[:, :, None], -1, wide) + 1
    every = np.arange(len(images))[None, :, None]
    return np.ascontiguousarray(padded[every, :, column].transpose(0, 1, 3, 2))


def _images(images: Any) -> np.ndarray:
    images = plain_array(images, "images")
    if images.ndim != 3 or not images.size or images.dtype.kind not in "biuf":
        raise ValueError(
            f"images must be numbers (N, height, width), got {images.dtype} {images.shape}"
        )
    if not np.isfinite(images).all():
        raise ValueError("images holds NaN or infinity")
    return images.astype("float32")


def behind_a_wall(
    images: Any,
    batch: int,
    seed: Any,
    *,
    steps: int = 16,
    width: int = 30,
    hidden: int = 11,
    speeds: Sequence[int] = (2, 3),
) -> Clips:
    """An image crosses the frame from left to right, and a wall in the middle hides it for a while.

    What is to be predicted is the next frame. In the first frame the whole image is seen. While
    it is behind the wall the frames are empty, whatever the image: only who remembers can know
    what comes out.

    Parameters
    ----------
    images : array_like (n, height, w)
        Each clip draws one of them. Keep those of the test apart.
    batch : int
        How many clips.
    seed : int or numpy.random.Generator
    steps : int
        Frames of a clip, T.
    width, hidden : int
        Columns of a frame, and those in its middle that the wall hides: at least w, so that the
        image disappears.
    speeds : sequence of int
        Columns a frame; each clip draws one of them, and its place in the first frame.

    Raises
    ------
    ValueError
        If the image does not fit beside the wall or behind it, or a clip ends before the slowest
        one is out.
    """
    rng = checked_generator(seed, optional=False)
    images, batch = _images(images), checked_size(batch, "batch")
    (count, height, wide), steps = images.shape, checked_size(steps, "steps")
    hidden = checked_size(hidden, "hidden", least=wide, why="or the image is never hidden")
    width = checked_size(
        width, "width", least=hidden + 2 * wide, why="so that the image fits on both sides"
    )
    if not isinstance(speeds, list | tuple | np.ndarray) or not len(speeds):
        raise ValueError(f"speeds must hold one speed at least, got {described(speeds)}")
    ways = np.array([checked_size(speed, "speeds") for speed in speeds])
    start = (width - hidden) // 2
    wall = slice(start, start + hidden)
    needed = -(-(wall.stop - wide + 1) // int(ways.min())) + 1
    if steps < needed:
        raise ValueError(
            f"steps must be at least {needed}, or the slowest image is not out before the end; "
            f"got {steps}"
        )
    which, drawn_speeds = rng.integers(count, size=batch), rng.choice(ways, size=batch)
    begin = rng.integers(start - wide + 1, size=batch)
    places = begin + drawn_speeds * np.arange(steps)[:, None]
    frames = drawn(images[which], np.minimum(places, width), width)
    frames[..., wall] = 0
    return Clips(
        frames=frames.reshape(steps, batch, height * width),
        places=places,
        which=which,
        speeds=drawn_speeds,
        out=(places + wide > wall.stop).argmax(axis=0),
        wall=wall,
        shape=(height, width),
    )


def turns(
    batch: int,
    seed: Any,
    *,
    steps: int = 16,
    ring: int = 12,
    most: int = 3,
    missing: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """How many times has a light turned that runs round a ring of places? Counted so far.

    Each frame it goes one place on. Where it starts is drawn uniformly and which way by a coin, so
    that one frame, and any two neighbouring frames, are equally likely whatever the number of
    turns: who sees no more can only guess. How many turns a clip has is drawn uniformly from 0 to
    ``most``, and then where they are.

    Parameters
    ----------
    batch : int
    seed : int or numpy.random.Generator
    steps : int
        Frames of a clip, T.
    ring : int
        Places of the ring; at least 3, or the two ways round are one.
    most : int
        The largest number of turns.
    missing : float
        The probability that a frame is lost: it is all 0.

    Returns
    -------
    x : numpy.ndarray (T, B, ring)
        One-hot where the light is.
    target : numpy.ndarray of int (T, B)
        Turns so far: frame t counts those that show in frames 0 to t. In the last frame each
        number is as likely as the others.
    """
    rng = checked_generator(seed, optional=False)
    batch, most = checked_size(batch, "batch"), checked_size(most, "most")
    steps = checked_size(steps, "steps", least=most + 2, why="so that the turns have room")
    ring = checked_size(ring, "ring", least=3, why="or both ways round are one")
    missing = checked_rate(missing, "missing")
    count = rng.integers(most + 1, size=batch)
    # Of the frames in which a turn can show, the `count` first of a shuffled row.
    rank = rng.permuted(np.tile(np.arange(steps - 2), (batch, 1)), axis=1).T
    turned = np.zeros((steps, batch), int)
    turned[2:] = rank < count
    so_far = turned.cumsum(axis=0)
    way = rng.choice((-1, 1), size=batch) * (-1) ** so_far
    way[0] = rng.integers(ring, size=batch)
    x = _one_hot(way.cumsum(axis=0) % ring, ring)
    x[rng.random(x.shape[:2]) < missing] = 0
    return x, so_far


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
