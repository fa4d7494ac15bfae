"""The calendar's part of a seasonal series, and what is left without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import checked_size, plain_array
from .windows import finite_series

__all__ = ["Climatology"]


@dataclass(frozen=True)
class Climatology:
    """The mean of each season; a value minus the mean of its season is an anomaly.

    Attributes
    ----------
    means : numpy.ndarray (P,)
        One mean a season, such as the twelve months; measured on the values it was fitted to:
        give it the training part only.
    """

    means: np.ndarray

    def __post_init__(self) -> None:
        if not len(finite_series(self.means, "means")):
            raise ValueError("means must hold the mean of one season at least")

    @classmethod
    def fit(cls, values: Any, period: int) -> Climatology:
        """Measure the mean of each season.

        Parameters
        ----------
        values : array (S,)
            The first value is of season 0.
        period : int
            P, the seasons in a cycle: 12 for months.

        Raises
        ------
        ValueError
            If the values do not hold one whole cycle.
        """
        values, period = finite_series(values), checked_size(period, "period")
        if len(values) < period:
            raise ValueError(
                f"values has {len(values)} steps, less than one cycle of {period} seasons"
            )
        return cls(np.array([values[season::period].mean() for season in range(period)]))

    def at(self, steps: Any) -> np.ndarray:
        """The mean of the season of each step, counted from the first value of the fit."""
        steps = plain_array(steps, "steps")
        if steps.dtype.kind not in "iu":
            raise TypeError(f"steps must be whole numbers, got {steps.dtype}")
        return self.means[steps % len(self.means)]

    def __call__(self, values: Any, start: int = 0) -> np.ndarray:
        """Anomalies of a series (S,) whose first value is that of step ``start``."""
        values, start = finite_series(values), checked_size(start, "start", least=0)
        return values - self.at(start + np.arange(len(values)))
