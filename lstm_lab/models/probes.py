"""What single cells follow: properties of Python source, and how well a cell keeps track of them.

Karpathy, Johnson & Fei-Fei 2015 (arXiv:1506.02078) coloured text by the cells of character
models, and found some that follow the place in the line, quotes or the depth of nesting, and many
that follow nothing that has a name. Here the properties are computed exactly, by the standard
library's `tokenize`, and a number says how well a cell follows each.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._validation import checked_bool, checked_text, described, plain_array

if TYPE_CHECKING:
    from .language import LanguageModel

__all__ = ["PROPERTIES", "Scores", "properties", "score", "scores"]

#: Name of each property, and whether it is a yes or no (else it is a count).
PROPERTIES = {
    "column": False,
    "indentation": False,
    "brackets": False,
    "string": True,
    "triple": True,
    "comment": True,
}

_SHIFTS = 20
_STRETCH = 1000


def properties(source: str) -> dict[str, np.ndarray]:
    r"""What holds just after each character of a piece of Python source has been read.

    Parameters
    ----------
    source : str
        Valid Python, with ``\n`` for line breaks and no tabs or form feeds.

    Returns
    -------
    dict of numpy.ndarray (T,), int
        ``column``, characters since the line began; ``indentation``, the spaces that the line
        began with, so far; ``brackets``, how many round, square and curly ones are open, strings
        and comments aside; ``string``, whether a string is open; ``triple``, whether it is one
        in triple quotes; ``comment``, whether a comment is.

    Raises
    ------
    SyntaxError, tokenize.TokenError
        If it is not valid Python.
    """
    lines = checked_text(source, "source").split("\n")
    starts, size = np.cumsum([0, *(len(line) + 1 for line in lines)]), len(source)
    found = {name: np.zeros(size, "int64") for name in PROPERTIES}
    new_line = np.array([character == "\n" for character in source], bool)
    line = np.cumsum(new_line) - new_line
    found["column"] = np.where(new_line, 0, np.arange(size) - starts[line] + 1)
    indent = np.array([len(text) - len(text.lstrip(" ")) for text in lines])
    found["indentation"] = np.minimum(found["column"], indent[line])
    for name, begin, end in _spans(source, starts):
        found[name][begin:end] += 1
    return found


def _spans(source: str, starts: np.ndarray) -> Iterator[tuple[str, int, int]]:
    """(property, first character, one past the last) of everything that opens and closes."""
    opened, formatted = [], []
    begins = {getattr(tokenize, f"{kind}STRING_START", None) for kind in "FT"} - {None}
    ends = {getattr(tokenize, f"{kind}STRING_END", None) for kind in "FT"} - {None}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        begin, end = (int(starts[row - 1]) + column for row, column in (token.start, token.end))
        if token.type == tokenize.ERRORTOKEN and token.string.strip():
            raise SyntaxError(f"cannot read {token.string!r} in line {token.start[0]}")
        # From Python 3.12 on a formatted string is many tokens; it counts as the one it is.
        if token.type in begins:
            formatted.append(begin)
        elif token.type in ends:
            begin = formatted.pop()
            if not formatted:
                yield from _string(source[begin:end], begin, end)
        elif formatted:
            continue
        elif token.type == tokenize.STRING:
            yield from _string(token.string, begin, end)
        elif token.type == tokenize.COMMENT:
            yield "comment", begin, end
        elif token.type == tokenize.OP and token.string in "([{":
            opened.append(begin)
        elif token.type == tokenize.OP and token.string in ")]}" and opened:
            yield "brackets", opened.pop(), begin


def _string(text: str, begin: int, end: int) -> Iterator[tuple[str, int, int]]:
    """It is open from its first quotation mark on, and closed with its last."""
    prefix = min(text.index(mark) for mark in "'\"" if mark in text)
    triple = text[prefix : prefix + 3] in ("'''", '"""')
    yield "string", begin + prefix, end - 1
    if triple:
        yield "triple", begin + prefix + 2, end - 1


@dataclass(frozen=True)
class Scores:
    """How well cells follow a property; 0 is not at all, 1 exactly.

    Attributes
    ----------
    cells : numpy.ndarray (H,)
        Of each cell, on every other chunk of 1000 characters: by it the best one is chosen.
    held_out : numpy.ndarray (H,)
        The same on the chunks between: by it the chosen one is judged.
    chance : float
        The best of all cells on those after the property was shifted in time by a large part of
        the text: mean of 20 shifts. What follows nothing scores this.
    together : float
        All cells together: a linear readout fitted on the one half, scored on the other.
    """

    cells: np.ndarray
    held_out: np.ndarray
    chance: float
    together: float

    @property
    def best(self) -> int:
        """The cell that scores highest where cells are chosen."""
        return int(self.cells.argmax())


def score(activations: np.ndarray, prop: np.ndarray, yes_or_no: bool) -> Scores:
    """Hold all cells against one property.

    For a count the score is |r|, the correlation; for a yes or no it is |2 AUC - 1|, where AUC is
    the probability that the cell is higher at a place that has the property than at one that has
    not. The sign does not matter: a cell may well say yes with -1.

    Parameters
    ----------
    activations : numpy.ndarray (T, H)
    prop : numpy.ndarray (T,)
        From `properties`.
    yes_or_no : bool
        As `PROPERTIES` says.

    Raises
    ------
    ValueError
        If the property does not vary in one half of the chunks.
    """
    yes_or_no = checked_bool(yes_or_no, "yes_or_no")
    activations, prop = plain_array(activations, "activations"), plain_array(prop, "prop")
    if activations.ndim != 2 or activations.dtype.kind not in "iuf":
        raise ValueError(f"activations must be numbers (T, H), got {described(activations)}")
    if prop.shape != activations.shape[:1] or prop.dtype.kind not in "biuf":
        raise ValueError(f"prop must hold {len(activations)} numbers, got {described(prop)}")
    first = np.arange(len(prop)) // _STRETCH % 2 == 0
    second = ~first
    for part in (first, second):
        if len(set(prop[part].tolist())) < 2:
            raise ValueError("the property is the same all through one half of the chunks")
    measure = _separation if yes_or_no else _correlation
    fitted = _readout(activations[first], prop[first])
    rng = np.random.default_rng(0)
    later = activations[second]
    ranked = ranks(later) if yes_or_no else later
    shifts = rng.integers(len(later) // 4, 3 * len(later) // 4 + 1, _SHIFTS)
    by_chance = [measure(ranked, np.roll(prop[second], shift)).max() for shift in shifts]
    return Scores(
        cells=measure(ranks(activations[first]) if yes_or_no else activations[first], prop[first]),
        held_out=measure(ranked, prop[second]),
        chance=float(np.mean(by_chance)),
        together=float(measure(*_judged(fitted(later), prop[second], yes_or_no))[0]),
    )


def scores(model: LanguageModel, texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`score` of tanh c, for every property that varies in the texts, as JSON can hold it.

    Parameters
    ----------
    model : LanguageModel
    texts : sequence of str
        Valid Python, each read from the zero state.
    """
    cells, found = [], []
    for text in texts:
        reading = model.read(text)
        cells.append(np.tanh(reading.trace.to("numpy").cell[:, 0].astype("float64")))
        found.append({name: prop[reading.places] for name, prop in properties(text).items()})
    answers = {}
    for name, yes_or_no in PROPERTIES.items():
        try:
            prop = np.concatenate([each[name] for each in found])
            answer = score(np.concatenate(cells), prop, yes_or_no)
        except ValueError:
            continue
        answers[name] = {
            "cells": np.round(answer.cells, 4).tolist(),
            "held_out": np.round(answer.held_out, 4).tolist(),
            "chance": round(answer.chance, 4),
            "together": round(answer.together, 4),
        }
    return answers


def _judged(values: np.ndarray, prop: np.ndarray, yes_or_no: bool) -> tuple:
    column = values[:, None]
    return (ranks(column) if yes_or_no else column), prop


def _readout(activations: np.ndarray, prop: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Ridge regression from all cells to the property."""
    mean, target = activations.mean(axis=0), prop.mean()
    centred = activations - mean
    gram = centred.T @ centred + 1e-3 * len(prop) * np.eye(activations.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (prop - target))
    return lambda others: (others - mean) @ weights


def _correlation(activations: np.ndarray, prop: np.ndarray) -> np.ndarray:
    centred, target = activations - activations.mean(axis=0), prop - prop.mean()
    lengths = np.sqrt((centred**2).sum(axis=0) * (target**2).sum())
    return np.abs(centred.T @ target) / np.where(lengths > 0, lengths, np.inf)


def ranks(activations: np.ndarray) -> np.ndarray:
    """Rank of each value among its cell's, 1 to T, ties sharing their mean."""
    found = np.empty(activations.shape)
    for j, values in enumerate(activations.T):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        found[:, j] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return found


def _separation(ranked: np.ndarray, prop: np.ndarray) -> np.ndarray:
    """|2 AUC - 1| from ranks, by Mann and Whitney's U."""
    yes = prop > 0
    above, below = yes.sum(), (~yes).sum()
    u = ranked[yes].sum(axis=0) - above * (above + 1) / 2
    return np.abs(2 * u / (above * below) - 1)
