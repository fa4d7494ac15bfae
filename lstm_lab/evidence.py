"""Floor 5: the book's one rule of evidence, when a difference may be called one.

A result that chance has a hand in is given as an interval, with the number of results behind it.
Two independent sets of results differ where their intervals do not meet; two series of errors on
the same data differ where the interval of their mean difference leaves out zero. All else reads
"no difference seen". Chapter 7 derives the rule.

>>> updates = {"A": [3, 5, 4, 6, 5, 4, 7, 5, 6, 5], "B": [9, 8, 12, 9, 11, 8, 10, 9, 9, 30]}
>>> compared = Comparison(updates, verb="learns faster than", unit="updates")
>>> compared.separate("A", "B")
True
>>> print(compared.interval("A"))
5 (4 to 6, n = 10)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ._validation import (
    check_kind,
    checked_choice,
    checked_fraction,
    checked_generator,
    checked_number,
    checked_size,
    checked_text,
    plain_array,
)

__all__ = [
    "Comparison",
    "Interval",
    "difference_interval",
    "exact",
    "median_interval",
    "proportion_interval",
    "table",
]

COVERAGE = 0.95
"""What every interval of the book holds at least."""


@dataclass(frozen=True)
class Interval:
    """An estimate and the interval around it.

    Attributes
    ----------
    middle, low, high : float
        The estimate and the ends; the ends belong to the interval.
    n : int
        The number of results behind it.
    coverage : float
        How often such an interval holds the true value.
    """

    middle: float
    low: float
    high: float
    n: int
    coverage: float

    def meets(self, other: Interval) -> bool:
        """Whether the two have a point in common."""
        check_kind(other, "other", Interval, "an Interval")
        return self.low <= other.high and other.low <= self.high

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside."""
        return not self.low <= checked_number(value, "value") <= self.high

    def __str__(self) -> str:
        if self.low == math.inf:
            return f"never (n = {self.n})"
        if self.coverage == 1:
            return _short(self.middle)
        return f"{_short(self.middle)} ({_short(self.low)} to {_short(self.high)}, n = {self.n})"


def exact(value: float) -> Interval:
    """A result that chance has no hand in, such as a rule's or a count's, to compare with others.

    Parameters
    ----------
    value : float
        Its interval is this one number.
    """
    value = checked_number(value, "value")
    return Interval(value, value, value, 1, 1.0)


def median_interval(values: Any, coverage: float = COVERAGE) -> Interval:
    """The median of independent results, and an interval for the true one.

    From the k-th smallest to the k-th largest result, with the largest k that keeps the coverage.
    A new result is below the true median with probability ½, whatever the distribution, so that
    the coverage is 1 − 2 · P(fewer than k heads in n throws of a coin): for n = 10, from the
    second to the ninth, 97.9 %.

    Parameters
    ----------
    values : array_like (n,)
        One number a result, at least six of them. Infinity stands for one that never came, such
        as the time of a training that did not learn.

    Raises
    ------
    ValueError
        For NaN, and for so few results that even their whole range covers less than asked.

    Notes
    -----
    Thompson 1936, "On Confidence Ranges for the Median and Other Expectation Distributions for
    Populations of Unknown Distribution Form", Annals of Mathematical Statistics 7(3).
    """
    return _median(values, "values", coverage)


def _median(values: Any, label: str, coverage: float = COVERAGE) -> Interval:
    values, coverage = np.sort(_row(values, label)), checked_fraction(coverage, "coverage")
    n, heads, k = len(values), 0.0, 0
    while k < n // 2 and 2 * (heads + _heads(n, k)) <= 1 - coverage:
        heads += _heads(n, k)
        k += 1
    if k == 0:
        raise ValueError(
            f"{label} holds {n}: even their whole range covers the median with "
            f"{1 - 2 * _heads(n, 0):.1%} only, and {coverage:.0%} is asked; more results are needed"
        )
    middle = (values[(n - 1) // 2] + values[n // 2]) / 2
    return Interval(float(middle), float(values[k - 1]), float(values[n - k]), n, 1 - 2 * heads)


def _heads(n: int, k: int) -> float:
    """The probability of exactly k heads in n throws."""
    return math.comb(n, k) * 0.5**n


def proportion_interval(right: int, n: int, coverage: float = COVERAGE) -> Interval:
    """The fraction of right ones among n independent cases, and an interval for the true one.

    The ends are the fractions that would give so many, or so few, with half the probability that
    the coverage leaves (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404). It covers at least
    what is asked, for every n.

    Parameters
    ----------
    right, n : int
        Right ones, and all: 0 ≤ right ≤ n, n ≥ 1.
    """
    right, n = checked_size(right, "right", least=0), checked_size(n, "n", least=0)
    coverage = checked_fraction(coverage, "coverage")
    if n < 1 or right > n:
        raise ValueError(f"right must be at most n, and n at least 1; got right={right}, n={n}")
    tail = (1 - coverage) / 2
    low = 0.0 if right == 0 else _root(lambda p: 1 - _at_most(right - 1, n, p) - tail)
    high = 1.0 if right == n else _root(lambda p: tail - _at_most(right, n, p))
    return Interval(right / n, low, high, n, coverage)


def _at_most(k: int, n: int, p: float) -> float:
    """The probability of at most k right ones in n, 0 < p < 1."""
    logs = [
        math.lgamma(n + 1)
        - math.lgamma(j + 1)
        - math.lgamma(n - j + 1)
        + j * math.log(p)
        + (n - j) * math.log1p(-p)
        for j in range(k + 1)
    ]
    return math.fsum(map(math.exp, logs))


def _root(rising: Callable[[float], float]) -> float:
    """Where a function that rises on (0, 1) passes through zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def difference_interval(
    a: Any,
    b: Any,
    *,
    block: int,
    coverage: float = COVERAGE,
    resamples: int = 4000,
    seed: int = 0,
) -> Interval:
    """The mean of a − b for two series of errors on the same steps, and an interval for it.

    Neighbouring errors resemble one another, so that whole blocks of neighbours are drawn anew, in
    a ring (the circular block bootstrap, Politis & Romano 1992), and the interval lies between the
    outer quantiles of the means that come out.

    Parameters
    ----------
    a, b : array_like (n,)
        For each step, in order, the error of one method and of the other: squared, for a
        difference of mean squared errors.
    block : int
        Steps that stay together: no fewer than the forecast's horizon, and as many as errors
        resemble one another over. A quarter of the series at most: with few blocks the interval is
        too narrow: of a series without memory, four blocks cover some 80 % instead of 95 %, ten
        89 %, twenty 93 %.

    Raises
    ------
    ValueError
        For series of different lengths, NaN or infinity, or a block of more than n / 4.
    """
    a, b, block = _row(a, "a"), _row(b, "b"), checked_size(block, "block", least=0)
    coverage, n = checked_fraction(coverage, "coverage"), len(a)
    resamples = checked_size(resamples, "resamples")
    if len(b) != n:
        raise ValueError(f"a and b must be equally long; got {n} and {len(b)}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a and b must be finite")
    if not 1 <= block <= n // 4:
        raise ValueError(f"block must be 1 to {n // 4}, a quarter of the {n} steps; got {block}")
    difference, rng = a - b, checked_generator(seed)
    ring = np.concatenate([[0.0], np.cumsum(np.concatenate([difference, difference[:block]]))])
    whole, rest = divmod(n, block)
    starts = rng.integers(n, size=(resamples, whole + 1))
    sums = (ring[starts[:, :-1] + block] - ring[starts[:, :-1]]).sum(axis=1)
    means = (sums + ring[starts[:, -1] + rest] - ring[starts[:, -1]]) / n
    low, high = np.quantile(means, [(1 - coverage) / 2, (1 + coverage) / 2])
    return Interval(float(difference.mean()), float(low), float(high), n, coverage)


class Statements(str):
    """Sentences or a table for a page: a cell that ends in them shows them as Markdown."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


class Comparison:
    """Several methods on one scale, and what may be said of each pair.

    Parameters
    ----------
    results : mapping of str to (array_like or Interval)
        The results of each method, one number a training, of which the median is compared; or an
        interval that is there already, such as `proportion_interval`'s.
    better : {"lower", "higher"}
    verb : str
        What the better one does to the other in a sentence, such as "learns faster than".
    unit : str, optional
        Of the numbers.

    Raises
    ------
    ValueError
        For fewer than two methods, or a name with " < " or " > " in it.
    """

    def __init__(
        self,
        results: Mapping[str, Any],
        *,
        better: str = "lower",
        verb: str = "does better than",
        unit: str = "",
    ) -> None:
        spelt = '"lower" or "higher"'
        self.better = checked_choice(better, "better", ("lower", "higher"), spelt=spelt)
        self.verb, self.unit = checked_text(verb, "verb"), checked_text(unit, "unit")
        check_kind(results, "results", Mapping, "a mapping of methods to their results")
        if len(results) < 2:
            raise ValueError(f"results must hold at least two methods, got {list(results)}")
        for name in results:
            if re.search(r" [<>] ", checked_text(name, "results: a name")):
                raise ValueError(f"results: a name must not contain ' < ' or ' > ', got {name!r}")
        self._intervals = {
            name: value if isinstance(value, Interval) else _median(value, f"results[{name!r}]")
            for name, value in results.items()
        }

    def interval(self, name: str) -> Interval:
        """The interval of one method."""
        self._require(name, "name")
        return self._intervals[name]

    def _require(self, name: Any, label: str) -> None:
        spelt = f"one of {list(self._intervals)}"
        checked_choice(name, label, tuple(self._intervals), spelt=spelt)

    def separate(self, one: str, other: str) -> bool:
        """Whether the rule tells the two apart: their intervals do not meet."""
        self._require(one, "one")
        self._require(other, "other")
        return not self.interval(one).meets(self.interval(other))

    def pairs(
        self, among: Sequence[str] | None = None, *, against: str | None = None
    ) -> list[tuple[str, str]]:
        """All pairs that the rule tells apart, (better, worse), in the order of the results.

        Parameters
        ----------
        among : sequence of str, optional
            Only pairs of these; all methods by default.
        against : str, optional
            Only pairs with this one.
        """
        return [self._sorted(*pair) for pair in self._asked(among, against) if self.separate(*pair)]

    def _asked(self, among: Sequence[str] | None, against: str | None) -> list[tuple[str, str]]:
        names = list(self._intervals)
        if among is not None:
            if isinstance(among, str):
                raise TypeError(f"among must be a sequence of names, got the string {among!r}")
            check_kind(among, "among", Iterable, "a sequence of names")
            names = list(among)
        for name in names:
            self._require(name, "among")
        if against is not None:
            self._require(against, "against")
        if against is not None:
            return [(name, against) for name in names if name != against]
        return list(combinations(names, 2))

    def _sorted(self, one: str, other: str) -> tuple[str, str]:
        rises = self.interval(one).middle < self.interval(other).middle
        return (one, other) if rises == (self.better == "lower") else (other, one)

    def state(
        self, *claims: str, among: Sequence[str] | None = None, against: str | None = None
    ) -> Statements:
        """Say what the rule says of all pairs that are asked about, no more and no less.

        Parameters
        ----------
        *claims : str
            ``"A < B"`` or ``"A > B"``, of the numbers: what the page's text says.
        among, against
            The pairs that are asked about, as in `pairs`.

        Returns
        -------
        str
            The claims as Markdown sentences with medians, intervals and n, and how many pairs
            were not told apart. In a notebook it is shown as text.

        Raises
        ------
        AssertionError
            For a claim that the rule does not bear out, and for a pair that it tells apart and no
            claim names.
        ValueError
            For a claim that cannot be read.
        """
        asked = self._asked(among, against)
        found = {self._sorted(*pair) for pair in asked if self.separate(*pair)}
        stated = [self._read(claim) for claim in claims]
        wrong = [pair for pair in stated if pair not in found]
        silent = sorted(found.difference(stated))
        if wrong or silent:
            faults = [("not borne out", wrong), ("found, and not said", silent)]
            raise AssertionError(
                "; ".join(f"{kind}: {self._sentence(*pair)}" for kind, ps in faults for pair in ps)
            )
        lines = [f"- {self._sentence(a, b, marks='**')}." for a, b in stated]
        left = len(asked) - len(found)
        if left:
            pairs = "pair" if len(asked) == 1 else "pairs"
            lines.append(f"- {left} of {len(asked)} {pairs} compared: no difference seen.")
        return Statements("\n".join(lines))

    def _read(self, claim: str) -> tuple[str, str]:
        """(better, worse) of a claim about the numbers."""
        parts = re.split(r" ([<>]) ", checked_text(claim, "claims: a claim"))
        if len(parts) != 3:
            raise ValueError(f'a claim must read "A < B" or "A > B", got {claim!r}')
        one, sign, other = parts
        for name in (one, other):
            self.interval(name)
        return (one, other) if (sign == "<") == (self.better == "lower") else (other, one)

    def _sentence(self, better: str, worse: str, marks: str = "") -> str:
        one, other = self.interval(better), self.interval(worse)
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{marks}{better}{marks} {self.verb} {marks}{worse}{marks}: {one}{unit} against {other}"
        )


def table(results: Mapping[str, Mapping[str, Any]], *, corner: str = "") -> Statements:
    """What several methods reached on several measures: a row each, medians and intervals.

    Parameters
    ----------
    results : mapping of str to mapping of str to results
        For each row, for each column: the results of n trainings, of which the median is shown
        with its interval (`median_interval`); an `Interval`; one number, which chance has no hand
        in; or a text, shown as it is. A column that a row does not have stays empty.
    corner : str, optional
        What the rows are.

    Returns
    -------
    str
        The table in Markdown; a notebook shows it as one. Where all intervals are of as many
        results, the head says how many, once.

    Examples
    --------
    >>> print(table({"LSTM": {"F1": [.5, .52, .51, .53, .5, .49]}, "a rule": {"F1": .3, "s": 0}}))
    |  | F1, n = 6 | s |
    |---|---|---|
    | LSTM | 0.505 (0.49 to 0.53) |  |
    | a rule | 0.3 | 0 |
    """
    check_kind(results, "results", Mapping, "a mapping of rows to their columns")
    if not results:
        raise ValueError("results must hold one row at least")
    cells: dict[str, dict[str, Interval | str]] = {}
    for row, columns in results.items():
        checked_text(row, "results: a row")
        check_kind(columns, f"results[{row!r}]", Mapping, "a mapping of columns to results")
        cells[row] = {
            checked_text(column, f"results[{row!r}]: a column"): _cell(
                value, f"results[{row!r}][{column!r}]"
            )
            for column, value in columns.items()
        }
    names = list(dict.fromkeys(name for columns in cells.values() for name in columns))
    once = {name: _counts(columns.get(name) for columns in cells.values()) for name in names}
    heads = [f"{name}, n = {once[name]}" if once[name] else name for name in names]
    lines = [[checked_text(corner, "corner"), *heads], ["---"] * (len(names) + 1)]
    for row, columns in cells.items():
        lines.append([row, *(_shown(columns.get(name, ""), once[name]) for name in names)])
    bare = "|".join(lines.pop(1))
    head, *body = ("| " + " | ".join(line) + " |" for line in lines)
    return Statements("\n".join([head, f"|{bare}|", *body]))


def _cell(value: Any, name: str) -> Interval | str:
    if isinstance(value, (Interval, str)):
        return value
    return exact(checked_number(value, name)) if np.ndim(value) == 0 else _median(value, name)


def _counts(column: Iterable[Interval | str | None]) -> int:
    """How many results are behind each interval of a column, if behind all equally many."""
    found = {cell.n for cell in column if isinstance(cell, Interval) and cell.coverage < 1}
    return found.pop() if len(found) == 1 else 0


def _shown(cell: Interval | str, once: int) -> str:
    return str(cell).replace(f", n = {once})", ")").replace(f" (n = {once})", "")


def _short(value: float) -> str:
    """Three digits, as a person writes them."""
    if not math.isfinite(value):
        return "never" if value > 0 else str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _row(values: Any, name: str) -> np.ndarray:
    array = plain_array(values, name, "float64")
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} must be one row of numbers, got shape {array.shape}")
    if np.isnan(array).any():
        raise ValueError(f"{name} holds NaN")
    return array
