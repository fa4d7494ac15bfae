"""A loss's value: a mean that knows how much it counts beside others."""

from __future__ import annotations

from .._validation import checked_number, described


class Mean(float):
    """A mean, and the weight that it has in a mean of such means.

    It is a float in every respect, so that a loss's value is printed, plotted and compared as
    one. Two batches make the mean of both as ``(a * a.weight + b * b.weight) / (a.weight +
    b.weight)``, which the plain mean ``(a + b) / 2`` is only if they count equally.

    Attributes
    ----------
    weight : float
        At least 0: the sum of the weights of what the mean was taken over, entries, targets or
        sequences.

    Examples
    --------
    >>> Mean(0.5, 3)
    0.5
    >>> Mean(0.5, 3).weight
    3.0
    """

    weight: float

    def __new__(cls, value: float, weight: float) -> Mean:
        try:
            mean = super().__new__(cls, value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"value must be a number, not {described(value)}") from error
        mean.weight = checked_number(weight, "weight", low=0)
        return mean

    def __reduce__(self) -> tuple:
        return Mean, (float(self), self.weight)


class NothingCounts(ValueError):
    """A loss was to be the mean of nothing: all that it was given has weight 0."""
