"""What a model of text reads: characters or words, each with its number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .._validation import (
    check_kind,
    checked_choice,
    checked_size,
    checked_text,
    described,
)

__all__ = ["Vocabulary", "checked_texts"]

UNKNOWN = "<unk>"

# A word is letters, digits and apostrophes inside; every other character but blanks is one by
# itself, the line break too.
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]|\n")


class Vocabulary:
    """The symbols of a model of text, characters or words, in the order of their ids.

    Parameters
    ----------
    symbols : str or sequence of str
        Each once. A string is one of characters.
    unit : {"characters", "words"}
    unknown : str or None
        The symbol, one of ``symbols``, that stands for all that are not there. Without one they
        are skipped.

    Raises
    ------
    TypeError, ValueError
        If symbols are missing, come twice or are no characters.

    Examples
    --------
    >>> words = Vocabulary.words("a rose is a rose", size=3)
    >>> words.symbols
    ('<unk>', 'a', 'rose')
    >>> words.encode("a red rose")[0]
    array([1, 0, 2])
    """

    def __init__(
        self, symbols: str | Sequence[str], unit: str = "characters", unknown: str | None = None
    ):
        unit = checked_choice(unit, "unit", ("characters", "words"))
        if not isinstance(symbols, (str, Sequence)) or not all(
            isinstance(symbol, str) for symbol in symbols
        ):
            raise TypeError(f"symbols must be a string or strings, got {described(symbols)}")
        self.symbols = tuple(symbols)
        self.unit = unit
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise ValueError(f"symbols: expected each of them once, got {described(symbols)}")
        long = [s for s in self.symbols if len(s) != 1 and s != unknown]
        if unit == "characters" and long:
            raise ValueError(f"symbols: {long[0]!r} is no character; unit='words' takes words")
        if unknown is not None and unknown not in self.symbols:
            raise ValueError(f"unknown must be one of the symbols, got {described(unknown)}")
        self.unknown = unknown
        self._ids = {symbol: k for k, symbol in enumerate(self.symbols)}

    @classmethod
    def characters(cls, text: str | Sequence[str]) -> Vocabulary:
        """Every character of a text, in the order of their code points."""
        found = sorted(set().union(*map(set, checked_texts(text, "text"))))
        if not found:
            raise ValueError("text must hold one character at least")
        return cls(found)

    @classmethod
    def words(cls, text: str | Sequence[str], size: int | None = None) -> Vocabulary:
        """The ``size`` - 1 most frequent words of a text, and one for all others, ``<unk>``.

        A word is letters and digits with apostrophes between them; each other character but
        blanks is a word, and the line break too. Of words that are as frequent the first in the
        alphabet is taken.

        Parameters
        ----------
        text : str or sequence of str
        size : int, optional
            Without it all words.
        """
        counts = Counter(
            word for each in checked_texts(text, "text") for word, _ in cls._split_words(each)
        )
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        if size is not None:
            ranked = ranked[: checked_size(size, "size", least=2) - 1]
        return cls([UNKNOWN, *ranked], "words", UNKNOWN)

    def encode(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The ids (T,) of a text's symbols, and where each begins in the text, (T,)."""
        found = []
        for symbol, place in self.split(text):
            number = self._ids.get(symbol, self._ids.get(self.unknown) if self.unknown else None)
            if number is not None:
                found.append((number, place))
        pairs = np.array(found, dtype="int64").reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def split(self, text: str) -> Iterator[tuple[str, int]]:
        """The symbols of a text, and where each begins, whether they are known or not."""
        checked_text(text, "text")
        if self.unit == "characters":
            return ((character, place) for place, character in enumerate(text))
        return self._split_words(text)

    @staticmethod
    def _split_words(text: str) -> Iterator[tuple[str, int]]:
        return ((match.group(), match.start()) for match in _WORD.finditer(text))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids; words with blanks between them, but none around a line break."""
        symbols = [self.symbols[k] for k in ids]
        if self.unit == "characters":
            return "".join(symbols)
        return " ".join(symbols).replace(" \n ", "\n").replace("\n ", "\n").replace(" \n", "\n")

    @property
    def config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        return {"symbols": list(self.symbols), "unit": self.unit, "unknown": self.unknown}

    def __len__(self) -> int:
        return len(self.symbols)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.config == other.config

    def __hash__(self) -> int:
        return hash((self.symbols, self.unit, self.unknown))

    def __repr__(self) -> str:
        return f"<Vocabulary: {len(self):,} {self.unit}>"


def checked_vocabulary(vocabulary: Any, name: str = "vocabulary") -> Vocabulary:
    """A vocabulary; a string is one of its characters, a mapping is its ``config``."""
    if isinstance(vocabulary, (str, Mapping)):
        arguments = {"symbols": vocabulary} if isinstance(vocabulary, str) else vocabulary
        try:
            return Vocabulary(**arguments)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from error
    check_kind(vocabulary, name, Vocabulary, "a Vocabulary, or a string of characters")
    return vocabulary


def checked_texts(text: Any, name: str) -> list[str]:
    """A text, or several, as a list.

    Raises
    ------
    TypeError
        If there is anything but strings.
    """
    if isinstance(text, str):
        return [text]
    if not isinstance(text, Sequence) or not all(isinstance(each, str) for each in text):
        raise TypeError(f"{name} must be a string, or a sequence of them, got {described(text)}")
    return list(text)


def mean_surprise(surprise: np.ndarray) -> float:
    """The mean over a text's symbols, in bits.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not surprise.size:
        raise ValueError("text: the vocabulary knows none of its symbols")
    return float(surprise.mean())
