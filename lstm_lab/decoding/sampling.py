"""Draw the next symbol: temperature, top-k, nucleus, greedy.

Everything here is a plain function of numbers, in float64, along the last axis: the same scores,
settings and uniform numbers give the same symbols. The order of the three is fixed: first the
temperature, then top-k, then the nucleus of what top-k has left; after each cut the rest is divided
by its sum. Of symbols that are exactly as likely, the one with the lower id goes first, so that
every cut keeps the beginning of one ranking and has one answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._validation import checked_number, checked_size, described, plain_array

__all__ = [
    "distribution",
    "draw",
    "entropy",
    "generate",
    "greedy",
    "keep_nucleus",
    "keep_top_k",
    "sample",
]

# Probabilities that a float32 softmax gave add up to 1 so well.
SUMS_TO_ONE = 1e-4
EPS = float(np.finfo("float64").eps)


def distribution(
    scores: Any, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> np.ndarray:
    r"""The probabilities that the next symbol is drawn with.

    Parameters
    ----------
    scores : array_like (…, V)
        Of each symbol: scores (logits), or log-probabilities, which differ from them by a constant
        that changes nothing here. −inf stands for what is impossible, and stays so.
    temperature : float
        T in softmax(scores / T). 1 leaves the model's own distribution; 0 is the limit: all
        goes to the highest score, in equal parts where several are the highest.
    top_k : int, optional
        Only the k likeliest may be drawn; None: all.
    top_p : float, optional
        Only the nucleus may be drawn, the fewest likeliest symbols that have the probability p
        together, 0 < p ≤ 1; None, like 1: all.

    Returns
    -------
    numpy.ndarray (…, V), float64
        Each row sums to 1.

    Raises
    ------
    TypeError, ValueError
        If a score is NaN or +inf, a row has no possible symbol, or a setting is out of range.

    Notes
    -----
    Top-k: Fan, Lewis & Dauphin 2018, doi:10.18653/v1/P18-1082. Nucleus: Holtzman, Buys, Du, Forbes
    & Choi 2020, arXiv:1904.09751.

    Examples
    --------
    >>> import numpy as np
    >>> distribution(np.log([0.5, 0.25, 0.15, 0.1]), top_p=0.75).round(3)
    array([0.667, 0.333, 0.   , 0.   ])
    """
    settings = _settings(temperature, top_k, top_p)
    with np.errstate(over="ignore"):
        order, ranked = _ranked(*_scores(scores), settings)
    weights = np.empty_like(ranked)
    np.put_along_axis(weights, order, ranked, -1)
    return weights / weights.sum(axis=-1, keepdims=True)


def keep_top_k(probabilities: Any, k: int) -> np.ndarray:
    """The k likeliest symbols, and nothing else.

    Parameters
    ----------
    probabilities : array_like (…, V)
        Each row sums to 1.
    k : int
        At least 1; with V or more, nothing is cut.

    Returns
    -------
    numpy.ndarray (…, V), float64
        Exactly k of each row are left (those that were 0 before stay 0), divided by their sum.
    """
    return _kept(probabilities, checked_size(k, "k"), 1.0)


def keep_nucleus(probabilities: Any, p: float) -> np.ndarray:
    """The fewest likeliest symbols that have the probability p together, and nothing else.

    Going down from the likeliest, a symbol is kept as long as those before it have less than p
    together. So the one that reaches p is the last that is kept, and one is kept always. A sum
    that misses p by no more than its own rounding, V · 2⁻⁵², has reached it.

    Parameters
    ----------
    probabilities : array_like (…, V)
        Each row sums to 1.
    p : float
        0 < p ≤ 1; with 1, nothing is cut.

    Returns
    -------
    numpy.ndarray (…, V), float64
        What is left, divided by its sum.
    """
    return _kept(probabilities, None, _checked_p(p, "p"))


def draw(probabilities: Any, uniform: Any) -> np.ndarray:
    """The symbols that uniform numbers fall on.

    The probabilities are laid end to end from 0 to 1, **the likeliest first**, and a number says
    where to look. With one number for two distributions of which the second is the more pointed
    (a lower temperature, a smaller k or p), the second's symbol is never further down the ranking.

    Parameters
    ----------
    probabilities : array_like (…, V)
        Each row sums to 1.
    uniform : array_like (…)
        A number in [0, 1) for each row, as ``rng.random(n)`` gives them.

    Returns
    -------
    numpy.ndarray (…), int64
        Ids; never one of probability 0.

    Raises
    ------
    ValueError
        If rows do not sum to 1, a number lies outside [0, 1), or there is not one a row.
    """
    probabilities = _probabilities(probabilities)
    order = _ranking(probabilities)
    uniform = _uniform(uniform, probabilities.shape[:-1])
    return np.asarray(_drawn(order, _along(probabilities, order), uniform))


def sample(
    scores: Any,
    uniform: Any,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> np.ndarray:
    """`draw` from the `distribution` of scores, ranked only once.

    Parameters
    ----------
    scores : array_like (…, V)
    uniform : array_like (…)
    temperature, top_k, top_p
        As `distribution` takes them.

    Returns
    -------
    numpy.ndarray (…), int64
        Ids.
    """
    settings, (scores, top) = _settings(temperature, top_k, top_p), _scores(scores)
    uniform = _uniform(uniform, scores.shape[:-1])
    with np.errstate(over="ignore"):
        return np.asarray(_drawn(*_ranked(scores, top, settings), uniform))


def generate(
    scores: Any,
    advance: Callable[[np.ndarray], Any],
    uniform: Any,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> np.ndarray:
    """Draw symbols one after another, each fed back before the next.

    Parameters
    ----------
    scores : array_like (…, V)
        Of the first symbol.
    advance : callable
        Takes the ids (…) that were drawn, and returns the scores (…, V) of what comes next. It is
        not called after the last symbol.
    uniform : array_like (n, …)
        A number in [0, 1) for each symbol.
    temperature, top_k, top_p
        As `distribution` takes them.

    Returns
    -------
    numpy.ndarray (n, …), int64
        Ids, those of `sample` called n times.

    Raises
    ------
    TypeError, ValueError
        As `sample`; and if ``advance`` returns scores of another shape.
    """
    if not callable(advance):
        raise TypeError(f"advance must be a function from ids to scores, not {described(advance)}")
    settings, (scores, top) = _settings(temperature, top_k, top_p), _scores(scores)
    shape = scores.shape
    uniform = plain_array(uniform, "uniform", "float64")
    uniform = _uniform(uniform, (len(uniform) if uniform.ndim else 1, *shape[:-1]))
    ids = np.empty(uniform.shape, "int64")
    # Once, not a symbol: checking it all each time would take longer than the drawing.
    with np.errstate(over="ignore"):
        for k, numbers in enumerate(uniform):
            if k:
                scores, top = _scores(advance(ids[k - 1]), "advance: the scores")
                if scores.shape != shape:
                    raise ValueError(
                        f"advance must return scores {shape}, as the first were, got {scores.shape}"
                    )
            ids[k] = _drawn(*_ranked(scores, top, settings), numbers)
    return ids


def greedy(scores: Any) -> np.ndarray:
    """The likeliest symbols; of several that are exactly as likely, the lowest id.

    Parameters
    ----------
    scores : array_like (…, V)
        Scores, probabilities or their logarithms.

    Returns
    -------
    numpy.ndarray (…), int64
        Ids.

    Raises
    ------
    TypeError, ValueError
        If a score is NaN or +inf, or a row has no possible symbol.
    """
    return np.asarray(_scores(scores)[0].argmax(axis=-1))


def entropy(probabilities: Any) -> np.ndarray:
    """−Σ p ln p in nats; its exponential is the effective number of choices.

    That number is V where all are as likely, 1 where one is certain.

    Parameters
    ----------
    probabilities : array_like (…, V)
        Each row sums to 1.

    Returns
    -------
    numpy.ndarray (…), float64
    """
    p = _probabilities(probabilities)
    with np.errstate(divide="ignore"):
        surprise = -np.log(p)
    return np.asarray((p * np.where(p > 0, surprise, 0)).sum(axis=-1))


# What they share. Weights are probabilities that need not sum to 1: times a number of the row's.


def _settings(temperature: Any, top_k: Any, top_p: Any) -> tuple[float, int | None, float]:
    return (
        checked_number(temperature, "temperature", low=0),
        None if top_k is None else checked_size(top_k, "top_k"),
        1.0 if top_p is None else _checked_p(top_p, "top_p"),
    )


def _checked_p(p: Any, name: str) -> float:
    number = checked_number(p, name, low=0, above=True)
    if number > 1:
        raise ValueError(f"{name} must be at most 1, not {described(p)}")
    return number


def _scores(scores: Any, name: str = "scores") -> tuple[np.ndarray, np.ndarray]:
    """Scores (…, V) in float64 and the highest of each row, (…, 1)."""
    array = plain_array(scores, name, "float64")
    if not array.ndim or not array.shape[-1]:
        raise ValueError(f"{name} must have shape (..., V), got {described(scores)}")
    top = array.max(axis=-1, keepdims=True)
    # The highest is NaN where one is, and -inf where all are.
    if not np.isfinite(top).all():
        raise ValueError(
            f"{name} must be finite or -inf, and one of each row finite; got NaN, +inf or a row "
            "of -inf alone"
        )
    return array, top


def _probabilities(probabilities: Any) -> np.ndarray:
    array = plain_array(probabilities, "probabilities", "float64")
    if not array.ndim or not array.shape[-1]:
        raise ValueError(f"probabilities must have shape (..., V), got {described(probabilities)}")
    sums = array.sum(axis=-1)
    # Written so that NaN is refused too.
    if not ((array >= 0).all() and (abs(sums - 1) <= SUMS_TO_ONE).all()):
        raise ValueError(
            f"probabilities must be at least 0 and add up to 1 in each row; the lowest is "
            f"{array.min():g}, the sums go from {sums.min():g} to {sums.max():g}"
        )
    return array


def _uniform(uniform: Any, rows: tuple[int, ...]) -> np.ndarray:
    array = plain_array(uniform, "uniform", "float64")
    if array.shape != rows:
        raise ValueError(f"uniform must hold one number for each row, {rows}, got {array.shape}")
    if not ((array >= 0) & (array < 1)).all():
        raise ValueError(f"uniform must hold numbers in [0, 1), got {described(uniform)}")
    return array


def _ranking(weights: np.ndarray) -> np.ndarray:
    """Ids (…, V) from the likeliest down; equal ones by their ids."""
    return (-weights).argsort(axis=-1, kind="stable")


def _along(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Each row's values at its own places; of a single row without the price of many."""
    return values[index] if values.ndim == 1 else np.take_along_axis(values, index, -1)


def _ranked(
    scores: np.ndarray, top: np.ndarray, settings: tuple[float, int | None, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Ids and weights (…, V) from the likeliest down, with 0 for what is cut."""
    temperature, top_k, top_p = settings
    # A score so far below the highest that the quotient overflows has no probability left.
    weights = np.exp((scores - top) / temperature) if temperature else 1.0 * (scores == top)
    order = _ranking(weights)
    return order, _cut(_along(weights, order), top_k, top_p)


def _cut(ranked: np.ndarray, top_k: int | None, top_p: float) -> np.ndarray:
    """Ranked weights, an array of the caller's own, of which top-k and then top-p make some 0."""
    if top_k is not None:
        ranked[..., top_k:] = 0
    if top_p < 1:
        reached = ranked.cumsum(axis=-1)
        enough = (top_p - ranked.shape[-1] * EPS) * reached[..., -1:]
        ranked[..., 1:][reached[..., :-1] >= enough] = 0
    return ranked


def _kept(probabilities: Any, top_k: int | None, top_p: float) -> np.ndarray:
    probabilities = _probabilities(probabilities)
    order, kept = _ranking(probabilities), np.empty_like(probabilities)
    np.put_along_axis(kept, order, _cut(_along(probabilities, order), top_k, top_p), -1)
    return kept / kept.sum(axis=-1, keepdims=True)


def _drawn(order: np.ndarray, ranked: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Ids (…) where numbers fall on ranked weights."""
    reached = ranked.cumsum(axis=-1)
    # The product is below the sum of all, whatever its rounding: there is always a place.
    place = (reached <= uniform[..., None] * reached[..., -1:]).sum(axis=-1, keepdims=True)
    return _along(order, place)[..., 0]
