"""Beam search: the likeliest sequences that a model can write, symbol by symbol.

Of all hypotheses of one length the k likeliest live on. With k = 1 it is greedy search; with k as
large as there are hypotheses nothing is ever dropped, and what is found is the likeliest of all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_kind, checked_bool, checked_number, checked_size, plain_array
from ..backends import backend_of

# What float32 makes of probabilities that add up to 1.
SUMS_TO_ONE = 1e-4

__all__ = ["Beam", "Branch", "Hypothesis", "beam_search", "length_penalty"]


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that a search found.

    Attributes
    ----------
    ids : tuple of int
        Without the end symbol.
    log_probability : float
        Of the whole sequence in nats, that of the end included.
    score : float
        The log-probability over the length penalty: what hypotheses are ranked by.
    complete : bool
        Whether it ends in the end symbol; False where it was cut off at the greatest length.
    """

    ids: tuple[int, ...]
    log_probability: float
    score: float
    complete: bool


@dataclass(frozen=True)
class Branch:
    """A continuation that a search looked at: one node of its tree.

    Attributes
    ----------
    parent : int
        Which of the branches that live on from the step before it continues, in their order.
    symbol : int
    log_probability : float
        Of the sequence from the start to here, in nats.
    fate : {"lives", "ends", "pruned"}
        Whether the search goes on from here, is complete here, or drops it.
    """

    parent: int
    symbol: int
    log_probability: float
    fate: str


@dataclass(frozen=True)
class Beam:
    """What the search of one sequence found.

    Attributes
    ----------
    best : tuple of Hypothesis
        At most ``n_best``, the best one first; those that were cut off come after all that are
        complete.
    tree : tuple of tuple of Branch, or None
        For every step the branches that were looked at: the ``width`` likeliest continuations of
        each hypothesis that was alive, the likeliest branch first. None unless asked for.
    """

    best: tuple[Hypothesis, ...]
    tree: tuple[tuple[Branch, ...], ...] | None = None


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6) to the power of α, by which a log-probability is divided.

    Every symbol makes a sequence less likely, so that without it (α = 0, a penalty of 1) short
    sequences win. Wu et al. 2016, arXiv:1609.08144, equation (14).

    Parameters
    ----------
    length : int
        Symbols, the end symbol included.
    alpha : float
        0 to 1; they found 0.6 to 0.7 to be the best for translations, by the BLEU score.
    """
    length, alpha = checked_size(length, "length"), checked_number(alpha, "alpha", low=0)
    return float(((5 + length) / 6) ** alpha)


def beam_search(
    step: Any,
    first: Any,
    end: int,
    *,
    width: int = 5,
    max_length: int = 50,
    alpha: float = 0.0,
    n_best: int = 1,
    tree: bool = False,
) -> list[Beam]:
    """The likeliest sequences for every start of a batch.

    At each step every hypothesis that is alive is continued by every symbol, and the ``width``
    likeliest of all continuations stay. Those of them that end are put aside, the others live on
    (Sutskever, Vinyals & Le 2014, arXiv:1409.3215, section 3.2). The search is over when none is
    alive, or none of them can come before the ``n_best`` that are complete: continued, a
    sequence only loses probability.

    Parameters
    ----------
    step : callable with ``keep``
        ``step(ids)`` takes the symbols (n,) that were written last in n rows, and returns the
        log-probabilities (n, V) of the next ones; -inf for one that is not to be written. It
        carries its state; ``step.keep(rows)`` says which of the rows go on, in which order, some
        of them several times.
    first : sequence of B ints
        What the model reads before it writes: the start symbol, for each sequence of the batch.
    end : int
        The symbol that ends a sequence.
    width : int
        k, the hypotheses that stay. 1 is greedy search.
    max_length : int
        Symbols of the longest sequence, with the end symbol.
    alpha : float
        α of `length_penalty`. All that compete within a step are of one length; it ranks what is
        complete.
    n_best : int
        How many to return.
    tree : bool
        Keep the branches that were looked at.

    Returns
    -------
    list of B Beam

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or ``step`` returns something else than a row of
        log-probabilities, one of them finite, for every symbol written.

    Examples
    --------
    A model that looks at the last symbol alone; 0 ends, 1 starts. Greedy search begins with the
    likelier 2, behind which nothing is likely:

    >>> import numpy as np
    >>> class Step:
    ...     probabilities = np.array(
    ...         [[1, 0, 0, 0], [0.01, 0.01, 0.54, 0.44], [0.3, 0.3, 0.2, 0.2], [0.9, 0, 0, 0.1]]
    ...     )
    ...     def __call__(self, ids):
    ...         with np.errstate(divide="ignore"):
    ...             return np.log(self.probabilities[ids])
    ...     def keep(self, rows):
    ...         pass  # there is no state
    >>> for width in (1, 2):
    ...     best = beam_search(Step(), [1], 0, width=width)[0].best[0]
    ...     print(best.ids, round(np.exp(best.log_probability), 3))
    (2,) 0.162
    (3,) 0.396
    """
    check_kind(step, "step", Callable, "a function from symbols to log-probabilities")  # type: ignore[arg-type]
    check_kind(getattr(step, "keep", None), "step.keep", Callable, "a function of rows")  # type: ignore[arg-type]
    ids = plain_array(first, "first")
    if ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu":
        raise ValueError("first must be a row of whole numbers, one for each sequence")
    end, width = checked_size(end, "end", least=0), checked_size(width, "width")
    max_length, n_best = checked_size(max_length, "max_length"), checked_size(n_best, "n_best")
    alpha = checked_number(alpha, "alpha", low=0)
    keep_tree = checked_bool(tree, "tree")

    searches = [_Search(end, width, max_length, alpha, n_best, keep_tree) for _ in ids]
    alive = searches
    for _ in range(max_length):
        said = _checked(step(ids), len(ids))
        if end >= said.shape[1]:
            raise ValueError(f"end is {end}, but step knows only {said.shape[1]} symbols")
        rows, written, start = [], [], 0
        for search in alive:
            stop = start + len(search.alive)
            parents, symbols = search.advance(said[start:stop])
            rows += [start + parent for parent in parents]
            written += symbols
            start = stop
        alive = [search for search in alive if search.alive]
        if not alive:
            break
        step.keep(rows)
        ids = np.array(written)
    return [search.result() for search in searches]


class _Search:
    """The search for one sequence of the batch, between two steps."""

    def __init__(
        self, end: int, width: int, max_length: int, alpha: float, n_best: int, tree: bool
    ):
        self.end, self.width, self.max_length = end, width, max_length
        self.alpha, self.n_best = alpha, n_best
        self.alive: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
        self.complete: list[Hypothesis] = []
        self.cut: list[Hypothesis] = []
        self.tree: list[tuple[Branch, ...]] | None = [] if tree else None
        self.length = 0

    def advance(self, said: np.ndarray) -> tuple[list[int], list[int]]:
        """One symbol further, by the log-probabilities (n, V) of the next.

        Returns
        -------
        parents, symbols : lists of int
            Of the hypotheses that are alive now: which of the former ones each continues, and by
            what.
        """
        self.length += 1
        before, branches = self.alive, self._branches(said)
        self.alive, parents, symbols, levels = [], [], [], []
        for place, (total, parent, symbol) in enumerate(branches):
            fate = "pruned"
            if place < self.width:
                fate = "ends" if symbol == self.end else "lives"
            if fate == "ends":
                self.complete.append(self._hypothesis(before[parent][0], total, True))
            elif fate == "lives":
                self.alive.append(((*before[parent][0], symbol), total))
                parents.append(parent)
                symbols.append(symbol)
            levels.append(Branch(parent, symbol, total, fate))
        if self.tree is not None:
            self.tree.append(tuple(levels))
        self.complete.sort(key=lambda one: -one.score)
        if self.length == self.max_length:
            self.cut = [self._hypothesis(ids, total, False) for ids, total in self.alive]
            self.cut.sort(key=lambda one: -one.score)
        if self.length == self.max_length or self._decided():
            self.alive = []
        return (parents, symbols) if self.alive else ([], [])

    def _branches(self, said: np.ndarray) -> list[tuple[float, int, int]]:
        """The likeliest continuations of each hypothesis: (log-probability, parent, symbol).

        The likeliest first; of equal ones that of the better parent, then of the smaller symbol.
        """
        found = []
        for parent, (_, total) in enumerate(self.alive):
            row = said[parent]
            for symbol in np.argsort(-row, kind="stable")[: self.width]:
                if row[symbol] > -np.inf:
                    found.append((total + float(row[symbol]), parent, int(symbol)))
        return sorted(found, key=lambda branch: (-branch[0], *branch[1:]))

    def _hypothesis(self, ids: tuple[int, ...], total: float, complete: bool) -> Hypothesis:
        return Hypothesis(ids, total, total / length_penalty(self.length, self.alpha), complete)

    def _decided(self) -> bool:
        """Whether none that is alive can still come before the ``n_best`` that are complete."""
        if len(self.complete) < self.n_best or not self.alive:
            return False
        # The best that can be hoped for: no more probability lost, and the greatest penalty.
        hope = self.alive[0][1] / length_penalty(self.max_length, self.alpha)
        return hope <= self.complete[self.n_best - 1].score

    def result(self) -> Beam:
        """What was found."""
        best = (self.complete + self.cut)[: self.n_best]
        return Beam(tuple(best), None if self.tree is None else tuple(self.tree))


def _checked(said: Any, rows: int) -> np.ndarray:
    """Log-probabilities (rows, V) in float64, on the host."""
    said = backend_of(said, "step's log-probabilities").to_numpy(said).astype("float64")
    if said.ndim != 2 or len(said) != rows:
        raise ValueError(f"step must return log-probabilities ({rows}, V), got shape {said.shape}")
    # Written so that NaN is refused too.
    if not (said.max(axis=1) > -np.inf).all():
        raise ValueError("step must return a log-probability above -inf in each row, got none")
    total = np.exp(said.clip(max=700)).sum(axis=1).max()
    if not total <= 1 + SUMS_TO_ONE:
        raise ValueError(
            f"step must return log-probabilities: those of a row add up to {total:.4g}, which a "
            "log-softmax makes 1"
        )
    return said
