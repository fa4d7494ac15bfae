"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_kind, checked_choice, checked_size, described

__all__ = ["ConfusionMatrix", "confusion_matrix"]


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """How often each class was taken for each.

    Attributes
    ----------
    labels : tuple
        K classes, in the order of the rows and of the columns.
    counts : numpy.ndarray (K, K), int64
        ``counts[i, j]``: how many of class ``labels[i]`` were predicted as ``labels[j]``.
    """

    labels: tuple[Any, ...]
    counts: np.ndarray

    @property
    def accuracy(self) -> float:
        """The share on the diagonal."""
        return float(np.trace(self.counts) / self.counts.sum())

    def normalized(self, by: str) -> np.ndarray:
        """Shares instead of counts, float64 (K, K).

        Parameters
        ----------
        by : {"truth", "predicted", "all"}
            What sums to 1: each row (the diagonal is recall), each column (the diagonal is
            precision), or everything. A row or column without any stays 0.
        """
        axis = {"truth": 1, "predicted": 0, "all": None}[
            checked_choice(by, "by", ("truth", "predicted", "all"))
        ]
        sums = self.counts.sum(axis=axis, keepdims=True)
        return self.counts / np.maximum(sums, 1)

    def most_confused(self, n: int = 10) -> list[tuple[Any, Any, int]]:
        """The mistakes that are most frequent: (class, taken for, how often)."""
        n = checked_size(n, "n")
        off = self.counts * (1 - np.eye(len(self.labels), dtype=np.int64))
        order = np.argsort(-off, axis=None, kind="stable")[:n]
        rows, columns = np.unravel_index(order, off.shape)
        return [
            (self.labels[i], self.labels[j], int(off[i, j]))
            for i, j in zip(rows, columns, strict=True)
            if off[i, j]
        ]

    def __str__(self) -> str:
        names = [str(label) for label in self.labels]
        cells = [[str(count) for count in row] for row in self.counts]
        wide = max(map(len, [*names, "truth"]))
        widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
        rows = [("truth", names), *zip(names, cells, strict=True)]
        return "\n".join(
            f"{name:{wide}}  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True))
            for name, row in rows
        )


def confusion_matrix(
    truth: Iterable[Any], predicted: Iterable[Any], labels: Sequence[Any] | None = None
) -> ConfusionMatrix:
    """Count how often each class was taken for each.

    Parameters
    ----------
    truth, predicted : sequences of str or int
        One class for each case, equally many.
    labels : sequence, optional
        The classes in their order; by default all that occur, sorted.

    Raises
    ------
    ValueError
        For a class that ``labels`` does not hold.
    """
    sides = []
    for name, side in (("truth", truth), ("predicted", predicted)):
        if isinstance(side, str):
            raise TypeError(f"{name} must be a sequence of classes, got the string {side!r}")
        check_kind(side, name, Iterable, "a sequence of classes")
        sides.append(_classes(side, name))
    if not sides[0] or len(sides[0]) != len(sides[1]):
        raise ValueError(
            "truth and predicted must be equally many, and one at least; got "
            f"{len(sides[0])} and {len(sides[1])}"
        )
    if labels is None:
        names = sorted({*sides[0], *sides[1]}, key=lambda label: (isinstance(label, str), label))
    else:
        if isinstance(labels, str):
            raise TypeError(f"labels must be a sequence of classes, got the string {labels!r}")
        check_kind(labels, "labels", Iterable, "a sequence of classes")
        names = _classes(labels, "labels")
        if len(set(names)) < len(names):
            raise ValueError(f"labels must hold each class once, got {described(names)}")
    place = {label: k for k, label in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    for name, side in zip(("truth", "predicted"), sides, strict=True):
        for k, label in enumerate(side):
            if label not in place:
                raise ValueError(f"{name}[{k}] is {label!r}, which labels does not hold")
    np.add.at(counts, tuple([place[label] for label in side] for side in sides), 1)
    return ConfusionMatrix(tuple(names), counts)


def _classes(values: Iterable[Any], name: str) -> list[Any]:
    found = [each.item() if isinstance(each, np.generic) else each for each in values]
    for k, label in enumerate(found):
        if not isinstance(label, (str, int)):
            raise TypeError(f"{name}[{k}] must be a string or a whole number, got {label!r}")
    return found
