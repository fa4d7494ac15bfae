"""From one long series to many short sequences, without a look into the future."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import checked_number, checked_size, plain_array

__all__ = ["Standardizer", "split", "windows"]


def finite_series(values: Any, name: str = "values") -> np.ndarray:
    """A finite series (N,) in floating point."""
    array = plain_array(values, name)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} must be one series of numbers (N,); got shape {array.shape}, {array.dtype}"
        )
    array = array.astype("float64")
    if not np.isfinite(array).all():
        first = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{name}[{first}] is {array[first]}; fill gaps before windows are cut")
    return array


def numbers(values: Any, name: str = "values") -> np.ndarray:
    """Numbers of any shape and size."""
    array = plain_array(values, name)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be an array of numbers, got {array.dtype}")
    return array


def windows(values: Any, length: int, horizon: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """All windows of a series, each with the values that follow it.

    Parameters
    ----------
    values : array (S,)
    length : int
        T, the steps that are seen.
    horizon : int
        K, the steps that are to be predicted.

    Returns
    -------
    x : numpy.ndarray (T, N, 1)
        ``x[:, n, 0]`` is ``values[n : n + T]``; N = S - T - K + 1.
    target : numpy.ndarray (N, K)
        ``values[n + T : n + T + K]``.

    Raises
    ------
    ValueError
        If the series is too short for a single window.
    """
    values = finite_series(values)
    length, horizon = checked_size(length, "length"), checked_size(horizon, "horizon")
    if len(values) < length + horizon:
        raise ValueError(
            f"values has {len(values)} steps; a window of {length} and a horizon of {horizon} "
            f"need at least {length + horizon}"
        )
    every = np.lib.stride_tricks.sliding_window_view(values, length + horizon)
    return every[:, :length].T[:, :, None].copy(), every[:, length:].copy()


def split(values: Any, *sizes: int, context: int = 0) -> tuple[np.ndarray, ...]:
    """Cut a series in time: the past to learn from, then a part for each of ``sizes``.

    Parameters
    ----------
    values : array (S,)
    *sizes : int
        Steps in each later part, in order; the last part ends with the series.
    context : int
        Each later part begins so many steps earlier. With ``context`` equal to a window's
        length, the first target that ``windows`` cuts from a part is that part's own first
        value: its past may be read, but no value is a target in two parts.

    Returns
    -------
    tuple of numpy.ndarray
        One more than ``sizes``; the first is everything before the later parts.

    Raises
    ------
    ValueError
        If nothing is left to learn from, or less than ``context``.
    """
    values = finite_series(values)
    sizes = tuple(checked_size(size, "sizes") for size in sizes)
    context = checked_size(context, "context", least=0)
    first = len(values) - sum(sizes)
    if not sizes or first < max(1, context):
        raise ValueError(
            f"values has {len(values)} steps: later parts of {sizes} leave {first} to learn from; "
            f"expected at least one part, and at least {max(1, context)} steps before it"
        )
    parts, start = [values[:first].copy()], first
    for size in sizes:
        parts.append(values[start - context : start + size].copy())
        start += size
    return tuple(parts)


@dataclass(frozen=True)
class Standardizer:
    """To mean 0 and standard deviation 1, and back.

    Attributes
    ----------
    mean, std : float
        Of the values that it was fitted to: give it the training part only.
    """

    mean: float
    std: float

    def __post_init__(self) -> None:
        checked_number(self.mean, "mean")
        checked_number(self.std, "std", low=0, above=True)

    @classmethod
    def fit(cls, values: Any) -> Standardizer:
        """Measure mean and standard deviation.

        Raises
        ------
        ValueError
            If the values are all the same.
        """
        values = finite_series(values)
        if not len(values) or not values.std() > 0:
            raise ValueError("values are all the same: there is no scale to divide by")
        return cls(float(values.mean()), float(values.std()))

    def __call__(self, values: Any) -> np.ndarray:
        """(values - mean) / std."""
        return (numbers(values) - self.mean) / self.std

    def undo(self, values: Any) -> np.ndarray:
        """Back to the unit of the series."""
        return numbers(values) * self.std + self.mean
