"""What counting alone predicts: n-grams with interpolated Kneser-Ney smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._validation import check_kind, checked_size, described, plain_array

__all__ = ["bits_per_character"]


def bits_per_character(
    train: np.ndarray, test: np.ndarray, symbols: int, orders: Sequence[int] = range(6)
) -> list[float]:
    """How many bits a character of ``test`` costs after counting ``train``.

    Parameters
    ----------
    train, test : array of int (N,), (M,)
        Ids from 0 to ``symbols`` - 1.
    symbols : int
        V.
    orders : sequence of int
        How many characters before it a prediction knows: 0 counts single characters.

    Returns
    -------
    list of float
        One value for each order. The first ``max(orders)`` characters of ``test`` are context.

    Raises
    ------
    ValueError
        If V to the power of the longest n-gram does not fit into 63 bits, or a text is too short.

    Notes
    -----
    Interpolated Kneser-Ney: for a context u of k characters and the count n,

        P_k(w | u) = (max(n(u w) - D, 0) + D · N(u ·) · P_{k-1}(w | u')) / n(u),

    where N(u ·) is how many different characters follow u, u' is u without its first character,
    D = n_1 / (n_1 + 2 n_2) from how many n-grams were seen once and twice, and every order but
    the highest counts in how many different contexts an n-gram stands, not how often. Below the
    single characters lies the uniform distribution. Chen & Goodman 1999,
    doi:10.1006/csla.1999.0128, equations 6 and 24 to 27.
    """
    symbols = checked_size(symbols, "symbols")
    check_kind(orders, "orders", Sequence, "a sequence of whole numbers")
    orders = [checked_size(order, "orders", least=0) for order in orders]
    if not orders:
        raise ValueError("orders must hold one number at least")
    longest = max(orders)
    train, test = _ids(train, "train", symbols), _ids(test, "test", symbols)
    if symbols ** (longest + 1) >= 2**63:
        raise ValueError(f"orders: {longest} is too long for {symbols} symbols")
    if min(len(train), len(test)) <= longest:
        raise ValueError(f"train and test must be longer than {longest} characters")
    grams = [_codes(train, k + 1, symbols) for k in range(longest + 1)]
    asked = [_codes(test, k + 1, symbols)[longest - k :] for k in range(longest + 1)]
    raw = [np.unique(codes, return_counts=True) for codes in grams]

    bits, lower = [], np.full(len(test) - longest, 1 / symbols)
    for k in range(longest + 1):
        if k in orders:
            bits.append(_mean_bits(_smoothed(*raw[k], asked[k], symbols, lower)))
        if k < longest:
            # In how many contexts: the one-longer n-grams, each once, without their first symbol.
            shorter = raw[k + 1][0] % symbols ** (k + 1)
            lower = _smoothed(*np.unique(shorter, return_counts=True), asked[k], symbols, lower)
    return bits


def _ids(text: Any, name: str, symbols: int) -> np.ndarray:
    ids = plain_array(text, name)
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise TypeError(f"{name} must be one row of ids, whole numbers; got {described(text)}")
    if ids.size and not 0 <= ids.min() <= ids.max() < symbols:
        raise ValueError(
            f"{name} must hold ids from 0 to {symbols - 1}, got {ids.min()} to {ids.max()}"
        )
    return ids


def _codes(ids: np.ndarray, n: int, symbols: int) -> np.ndarray:
    """The n-grams of a text as single numbers, (N - n + 1,)."""
    ids = np.asarray(ids, "int64")
    codes = np.zeros(len(ids) - n + 1, "int64")
    for k in range(n):
        codes = codes * symbols + ids[k : k + len(codes)]
    return codes


def _smoothed(
    grams: np.ndarray, counts: np.ndarray, asked: np.ndarray, symbols: int, lower: np.ndarray
) -> np.ndarray:
    """P_k of the n-grams ``asked``, given the counts of all and P_{k-1}."""
    once, twice = (int((counts == n).sum()) for n in (1, 2))
    discount = once / (once + 2 * twice) if once else 0.5
    contexts, first = np.unique(grams // symbols, return_index=True)
    total = np.add.reduceat(counts, first)
    followers = np.diff(np.append(first, len(grams)))

    count = _look_up(grams, counts, asked)
    all_of = _look_up(contexts, total, asked // symbols)
    different = _look_up(contexts, followers, asked // symbols)
    seen = all_of > 0
    share = (np.maximum(count - discount, 0) + discount * different * lower) / np.where(
        seen, all_of, 1
    )
    return np.where(seen, share, lower)


def _look_up(keys: np.ndarray, values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, values[place], 0)


def _mean_bits(probabilities: Any) -> float:
    return float(-np.log2(probabilities).mean())
