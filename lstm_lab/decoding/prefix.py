"""Prefix beam search: the likeliest labelling of a network that was trained with CTC.

Many paths become one labelling (`lstm_lab.losses.ctc`). The best path is only the likeliest of
them; a search over *prefixes*, in which all paths with the same beginning are added up, comes
nearer to the likeliest labelling. Graves 2012, doi:10.1007/978-3-642-24797-2, section 7.5; in the
form of a beam, with a language model, Hannun, Maas, Jurafsky & Ng 2014, arXiv:1408.2873.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import (
    check_kind,
    checked_choice,
    checked_lengths,
    checked_number,
    checked_size,
    plain_array,
)
from ..backends import backend_of

__all__ = ["Labelling", "prefix_beam_search"]

NEVER = -math.inf
Prefix = tuple[int, ...]


@dataclass(frozen=True)
class Labelling:
    """What a search found.

    Attributes
    ----------
    labels : tuple of int
        Without blanks.
    log_probability : float
        Of all its paths that the search has followed, in nats: with a beam that is wide enough, the
        logarithm of its probability.
    score : float
        With what the language model and the bonus add: what labellings are ranked by.
    """

    labels: tuple[int, ...]
    log_probability: float
    score: float


def prefix_beam_search(
    logits: Any,
    lengths: Sequence[int] | None = None,
    *,
    width: int = 10,
    blank: int = 0,
    language: Callable[[Prefix], Any] | None = None,
    weight: float = 1.0,
    bonus: float = 0.0,
    n_best: int = 1,
) -> list[list[Labelling]]:
    """The likeliest labellings of each sequence, by a search over their prefixes.

    For each prefix two probabilities are kept: of all paths so far that become it and end in a
    blank, and of those that end in its last label. A label that comes again right after itself
    makes the prefix longer only from the first of them; that is what the blank is for. After each
    frame the ``width`` best prefixes live on.

    Where a language model is given, prefixes are ranked by::

        ln p(prefix | sound) + weight · Σ ln p(label | labels before) + bonus · labels

    and whole labellings by the same, with the model's probability that the line ends here.

    Parameters
    ----------
    logits : array (T, B, K)
        Scores of the K classes before the softmax, or log-probabilities.
    lengths : sequence of B ints, or None
        Frames of each sequence.
    width : int
        Prefixes that live on.
    blank : int
        The class that stands for no label.
    language : callable, optional
        ``language(labels)`` takes a tuple of labels and returns K log-probabilities: for each
        class, that it comes next, and in the blank's place, that the line ends. It is called once
        for each prefix.
    weight : float
        How much the language model counts, at least 0.
    bonus : float
        Added for each label: a language model makes every label cost something, so that with it
        alone short labellings win.
    n_best : int
        How many to return, at most ``width``.

    Returns
    -------
    list of B lists of Labelling
        The best first.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, a score NaN, or ``language`` returns something else than K
        log-probabilities.

    Examples
    --------
    Two frames: the best path is blank, blank; but three paths become "a":

    >>> frame = np.log([[0.6, 0.4]])
    >>> logits = np.array([frame, frame])
    >>> (best,), = prefix_beam_search(logits)
    >>> best.labels, round(float(np.exp(best.log_probability)), 2)
    ((1,), 0.64)
    """
    scores = _checked_scores(logits)
    steps, batch, classes = scores.shape
    frames = checked_lengths(lengths, steps, batch)
    width, n_best = checked_size(width, "width"), checked_size(n_best, "n_best")
    checked_choice(blank, "blank", range(classes), spelt=f"a class from 0 to {classes - 1}")
    weight = checked_number(weight, "weight", low=0)
    bonus = checked_number(bonus, "bonus")
    if language is not None:
        check_kind(language, "language", Callable, "a function from labels to log-probabilities")  # type: ignore[arg-type]
    told = _Language(language, weight, bonus, blank, classes)
    searches = (_log_softmax(scores[:n, b], b) for b, n in enumerate(frames))
    return [_search(log_y, blank, width, told)[:n_best] for log_y in searches]


class _Language:
    """What a prefix gets beside the sound: remembered, since many paths lead to it."""

    def __init__(
        self,
        model: Callable[[Prefix], Any] | None,
        weight: float,
        bonus: float,
        blank: int,
        classes: int,
    ):
        self.model, self.weight, self.bonus = model, weight, bonus
        self.blank, self.classes = blank, classes
        self._next: dict[Prefix, np.ndarray] = {}
        self._sum: dict[Prefix, float] = {(): 0.0}

    def _row(self, prefix: Prefix) -> np.ndarray:
        if prefix not in self._next:
            assert self.model is not None
            row = plain_array(self.model(prefix), "language's log-probabilities", "float64")
            if row.shape != (self.classes,):
                raise ValueError(
                    f"language must return {self.classes} log-probabilities, one for each class, "
                    f"got shape {row.shape}"
                )
            if not (row <= 1e-6).all():  # written so that NaN is refused too
                raise ValueError(
                    "language must return log-probabilities, none above 0 and none NaN; got "
                    f"{row.max():.4g} after {prefix}"
                )
            self._next[prefix] = row
        return self._next[prefix]

    def added(self, prefix: Prefix) -> float:
        """For the labels of a prefix."""
        if self.model is None or not self.weight:
            return self.bonus * len(prefix)
        if prefix not in self._sum:
            own = self.weight * float(self._row(prefix[:-1])[prefix[-1]]) + self.bonus
            self._sum[prefix] = self.added(prefix[:-1]) + own
        return self._sum[prefix]

    def end(self, prefix: Prefix) -> float:
        """For ending here."""
        if self.model is None or not self.weight:
            return 0.0
        return self.weight * float(self._row(prefix)[self.blank])


def _search(log_y: np.ndarray, blank: int, width: int, told: _Language) -> list[Labelling]:
    """The labellings of one sequence (T, K) that are alive at its end, the best first."""
    # Of each prefix: ln p of its paths that end in a blank, and of those in its last label.
    alive: dict[Prefix, tuple[float, float]] = {(): (0.0, NEVER)}
    labels = [k for k in range(log_y.shape[1]) if k != blank]
    for frame in log_y.tolist():
        found: dict[Prefix, tuple[float, float]] = {}
        for prefix, (in_blank, in_label) in alive.items():
            whole = _log_add(in_blank, in_label)
            _add(found, prefix, whole + frame[blank], NEVER)
            if prefix:
                _add(found, prefix, NEVER, in_label + frame[prefix[-1]])
            for k in labels:
                before = in_blank if prefix and k == prefix[-1] else whole
                _add(found, (*prefix, k), NEVER, before + frame[k])
        ranked = sorted(
            found, key=lambda prefix: (-(_log_add(*found[prefix]) + told.added(prefix)), prefix)
        )
        alive = {prefix: found[prefix] for prefix in ranked[:width]}
    best = []
    for prefix, parts in alive.items():
        probability = _log_add(*parts)
        score = probability + told.added(prefix) + told.end(prefix)
        best.append(Labelling(prefix, probability, score))
    return sorted(best, key=lambda one: (-one.score, one.labels))


def _add(
    found: dict[Prefix, tuple[float, float]], prefix: Prefix, blank: float, label: float
) -> None:
    if blank == NEVER and label == NEVER:
        return
    old = found.get(prefix)
    if old is not None:
        blank, label = _log_add(old[0], blank), _log_add(old[1], label)
    found[prefix] = (blank, label)


def _log_add(a: float, b: float) -> float:
    """ln(eᵃ + eᵇ)."""
    if a < b:
        a, b = b, a
    return a if b == NEVER else a + math.log1p(math.exp(b - a))


def _log_softmax(scores: np.ndarray, b: int) -> np.ndarray:
    """Of the scores (T, K) of sequence b, which are refused where there is none."""
    most = scores.max(axis=1, keepdims=True)
    wrong = np.argwhere(np.isnan(scores) | (scores == np.inf))
    if len(wrong):
        t, k = wrong[0]
        raise ValueError(f"logits[{t}, {b}, {k}] is {scores[t, k]}; expected numbers, or -inf")
    if (most == NEVER).any():
        raise ValueError(
            f"logits: in frame {int((most == NEVER).argmax())} of sequence {b} every class has "
            "probability 0"
        )
    log_y = scores - most
    return log_y - np.log(np.exp(log_y).sum(axis=1, keepdims=True))


def _checked_scores(logits: Any) -> np.ndarray:
    """(T, B, K) in float64, on the host."""
    scores = backend_of(logits, "logits").to_numpy(logits).astype("float64")
    if scores.ndim != 3 or 0 in scores.shape or scores.shape[2] < 2:
        raise ValueError(
            "logits must have shape (T, B, K), frames, sequences and at least two classes; got "
            f"{scores.shape}"
        )
    return scores
