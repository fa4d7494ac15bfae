"""Edit distance, and the error rates of letters and words that are counted by it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .._validation import check_kind

__all__ = ["EditScore", "edit_distance", "edit_score"]


@dataclass(frozen=True)
class EditScore:
    """How far what was found is from what is right.

    Attributes
    ----------
    errors : int
        Substitutions, insertions and deletions, the fewest that make the one of the other.
    symbols : int
        Of all that is right.
    lines, lines_right : int
    """

    errors: int
    symbols: int
    lines: int
    lines_right: int

    @property
    def rate(self) -> float:
        """Errors for each symbol that is right: the letter (or word) error rate, may be above 1."""
        return self.errors / self.symbols

    @property
    def whole(self) -> float:
        """The fraction of lines without an error."""
        return self.lines_right / self.lines


def edit_distance(truth: Sequence[Hashable], found: Sequence[Hashable]) -> int:
    """The fewest substitutions, insertions and deletions that make the one of the other.

    Levenshtein 1966; row by row as Wagner & Fischer 1974, doi:10.1145/321796.321811.

    Parameters
    ----------
    truth, found : sequences, such as two strings

    Examples
    --------
    >>> edit_distance("five", "fine"), edit_distance("nine", "ninety")
    (1, 2)
    """
    for name, value in (("truth", truth), ("found", found)):
        check_kind(value, name, Sequence, "a string, or a list of symbols")
    row = list(range(len(found) + 1))
    for i, own in enumerate(truth, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (own != other))
    return row[-1]


def edit_score(truth: Iterable[Any], found: Iterable[Any]) -> EditScore:
    """Edit distances of many lines, added up: of strings the letter error rate.

    Parameters
    ----------
    truth, found : N sequences each
        Strings for letters; lists of words for the word error rate.

    Raises
    ------
    TypeError, ValueError
        If they are not equally many, or nothing is right that could be missed.

    Examples
    --------
    >>> score = edit_score(["nine", "ten"], ["nice", "ten"])
    >>> score.errors, round(score.rate, 3), score.whole
    (1, 0.143, 0.5)
    """
    sides = []
    for name, lines in (("truth", truth), ("found", found)):
        if isinstance(lines, str) or not isinstance(lines, Iterable):
            raise TypeError(f"{name} must be a list of strings or of lists, got {lines!r:.80}")
        sides.append(list(lines))
    own, other = sides
    if len(own) != len(other) or not own:
        raise ValueError(
            f"truth and found must be equally many, at least one, got {len(own)}, {len(other)}"
        )
    errors = [edit_distance(a, b) for a, b in zip(own, other, strict=True)]
    symbols = sum(map(len, own))
    if not symbols:
        raise ValueError("truth holds no symbol, so there is no rate")
    return EditScore(sum(errors), symbols, len(own), errors.count(0))
