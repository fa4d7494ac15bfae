"""What counting alone predicts: n-grams with interpolated Kneser-Ney smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._validation import checked_size
from .vocabulary import Vocabulary, checked_texts, checked_vocabulary, mean_surprise

__all__ = ["NGram"]


class NGram:
    """An n-gram model of text: counts, smoothed by Kneser and Ney's method.

    Parameters
    ----------
    vocabulary : Vocabulary or str
        A string is one of its characters.
    order : int
        How many symbols before it a prediction knows, so that n is one more: 0 counts single
        symbols.

    Raises
    ------
    ValueError
        If V to the power of the longest n-gram does not fit into 63 bits.

    Notes
    -----
    Interpolated Kneser-Ney: for a context u of k symbols and the count n,

        P_k(w | u) = (max(n(u w) - D, 0) + D · N(u ·) · P_{k-1}(w | u')) / n(u),

    where N(u ·) is how many different symbols follow u, u' is u without its first symbol,
    D = n_1 / (n_1 + 2 n_2) from how many n-grams were seen once and twice, and every order but
    the highest counts in how many different contexts an n-gram stands, not how often. Below the
    single symbols lies the uniform distribution. Chen & Goodman 1999, doi:10.1006/csla.1999.0128,
    equations 6 and 24 to 27.

    Where fewer symbols stand before one than ``order``, the model of that order answers: at the
    beginning of a text, and where a method is told to look at fewer.

    Examples
    --------
    >>> model = NGram("abr", order=2).fit("abra abra abra")
    >>> round(model.bits("abra abra"), 2)
    0.37
    """

    def __init__(self, vocabulary: Vocabulary | str, order: int = 5):
        self.vocabulary = checked_vocabulary(vocabulary)
        self.order = checked_size(order, "order", least=0)
        if len(self.vocabulary) ** (self.order + 1) >= 2**63:
            raise ValueError(
                f"order: {self.order} is too long for {len(self.vocabulary):,} symbols"
            )
        self._seen: list[_Counts] = []
        self._contexts: list[_Counts] = []

    def fit(self, text: str | Sequence[str]) -> NGram:
        """Count a text, or several as if they were one; what was counted before is forgotten.

        Raises
        ------
        ValueError
            If the vocabulary knows no more than ``order`` of its symbols.
        """
        ids = self._encode(text, "text")
        if len(ids) <= self.order:
            raise ValueError(
                f"text must hold more than {self.order} symbols that the vocabulary knows, "
                f"got {len(ids)}"
            )
        size = len(self.vocabulary)
        raw = [
            np.unique(_codes(ids, k + 1, size), return_counts=True) for k in range(self.order + 1)
        ]
        self._seen = [_Counts(grams, counts, size) for grams, counts in raw]
        # In how many contexts: the one-longer n-grams, each once, without their first symbol.
        shorter = [grams % size ** (k + 1) for k, (grams, _) in enumerate(raw[1:])]
        self._contexts = [_Counts(*np.unique(s, return_counts=True), size) for s in shorter]
        return self

    def surprise(self, text: str | Sequence[str], context: int | None = None) -> np.ndarray:
        """-log2 of the probability that the model gives each symbol, in bits, (T,).

        Parameters
        ----------
        text : str or sequence of str
            Several are read as if they were one.
        context : int, optional
            Symbols before each one that the model may know, if fewer than ``order``: the answer
            is that of the model of this order.
        """
        order = self._order(context)
        ids = self._encode(text, "text")
        size, steps = len(self.vocabulary), len(ids)
        found, lower = np.empty(steps), np.full(steps, 1 / size)
        for k in range(min(order, steps - 1) + 1):
            codes = _codes(ids, k + 1, size)
            last = slice(k, None if k == order else k + 1)
            asked = codes if k == order else codes[:1]
            found[last] = self._seen[k].smoothed(asked, lower[last])
            if k < order:
                lower[k:] = self._contexts[k].smoothed(codes, lower[k:])
        return -np.log2(found)

    def next_after(self, text: str, context: int | None = None) -> np.ndarray:
        """Log-probabilities (V,), in nats, of the symbol that comes after a text.

        Parameters
        ----------
        text : str
        context : int, optional
            As in `surprise`.
        """
        order, size = self._order(context), len(self.vocabulary)
        ids, _ = self.vocabulary.encode(text)
        order = min(order, len(ids))
        before = ids[len(ids) - order :]
        share = np.full(size, 1 / size)
        for k in range(order + 1):
            code = 0
            for each in before[order - k :]:
                code = code * size + int(each)
            counts = self._seen[k] if k == order else self._contexts[k]
            share = counts.smoothed(code * size + np.arange(size), share)
        return np.log(share)

    def bits(self, text: str | Sequence[str], context: int | None = None) -> float:
        """How many bits a symbol of the text costs: the mean of `surprise`.

        Raises
        ------
        ValueError
            If the vocabulary knows none of its symbols.
        """
        return mean_surprise(self.surprise(text, context))

    def perplexity(self, text: str | Sequence[str], context: int | None = None) -> float:
        """2 to the power of `bits`: of how many equally likely symbols that is the surprise."""
        return float(2 ** self.bits(text, context))

    @property
    def size(self) -> int:
        """How many counts the model holds."""
        return sum(len(counts.grams) for counts in [*self._seen[-1:], *self._contexts])

    def _order(self, context: int | None) -> int:
        if not self._seen:
            raise ValueError("the model has counted nothing yet: call fit(text) first")
        if context is None:
            return self.order
        return min(self.order, checked_size(context, "context", least=0))

    def _encode(self, text: Any, name: str) -> np.ndarray:
        texts = checked_texts(text, name)
        return np.concatenate(
            [np.zeros(0, "int64"), *(self.vocabulary.encode(t)[0] for t in texts)]
        )

    def __repr__(self) -> str:
        held = f"{self.size:,} counts" if self._seen else "has counted nothing yet"
        return f"<NGram: order {self.order}, {len(self.vocabulary):,} symbols, {held}>"


def _codes(ids: np.ndarray, n: int, symbols: int) -> np.ndarray:
    """The n-grams of a text as single numbers, (N - n + 1,)."""
    codes = np.zeros(len(ids) - n + 1, "int64")
    for k in range(n):
        codes = codes * symbols + ids[k : k + len(codes)]
    return codes


class _Counts:
    """The n-grams of one order, sorted by their code, and what the smoothing asks of them."""

    def __init__(self, grams: np.ndarray, counts: np.ndarray, symbols: int):
        self.symbols, self.grams, self.counts = symbols, grams, counts
        once, twice = (int((counts == n).sum()) for n in (1, 2))
        self.discount = once / (once + 2 * twice) if once else 0.5
        self.contexts, first = np.unique(grams // symbols, return_index=True)
        self.totals = np.add.reduceat(counts, first)
        self.followers = np.diff(np.append(first, len(grams)))

    def smoothed(self, asked: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """P_k of the n-grams ``asked``, given P_{k-1}."""
        count = _look_up(self.grams, self.counts, asked)
        context = asked // self.symbols
        total = _look_up(self.contexts, self.totals, context)
        different = _look_up(self.contexts, self.followers, context)
        kept = np.maximum(count - self.discount, 0) + self.discount * different * lower
        return np.where(total > 0, kept / np.maximum(total, 1), lower)


def _look_up(keys: np.ndarray, values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, values[place], 0)
