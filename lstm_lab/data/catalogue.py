"""One door to every set of data."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, overload

from .._validation import checked_text
from .digits import Digits, digits
from .pairs import Pairs, dates, emoji
from .parts import Parts
from .series import Series, el_nino, sunspots
from .source_text import Corpus, python_source, topics
from .spoken import Spoken, spoken_numbers
from .tagged import Tagged, addresses, contacts, names

__all__ = ["catalogue", "load"]


@dataclass(frozen=True)
class _Entry:
    """A set: what makes it, and what a reader sees of it before."""

    make: Callable[[], Any]
    holds: str
    size: str
    licence: str
    comes: str


_UNICODE, _MIT, _PYTHON = "Unicode-3.0", "MIT", "PSF-2.0"
_HERE, _WITH_PYTHON = "with this book", "with Python"

_SETS = {
    "addresses": _Entry(
        addresses, "addresses, every word tagged by hand", "892 / 298 / 298 addresses", _MIT, _HERE
    ),
    "contacts": _Entry(
        contacts,
        "persons, companies, addresses in one line, BIO tags",
        "3,000 / 400 / 800 lines",
        _MIT,
        _HERE,
    ),
    "dates": _Entry(
        dates,
        "dates in words, English to French",
        "2,500 / 250 / 500 pairs",
        _UNICODE,
        "with Babel",
    ),
    "dates_medium": _Entry(
        lambda: dates("medium"),
        "the same dates, without the day of the week in English",
        "2,500 / 250 / 500 pairs",
        _UNICODE,
        "with Babel",
    ),
    "digits": _Entry(
        digits,
        "handwritten digits, 8 × 8 grey values",
        "1,197 / 200 / 400 images",
        "CC BY 4.0",
        _HERE,
    ),
    "el_nino": _Entry(
        el_nino,
        "temperature of the sea off Peru, monthly",
        "732 values in °C",
        "public domain",
        "with statsmodels",
    ),
    "emoji": _Entry(
        emoji,
        "names of emoji and symbols, English to French",
        "3,111 / 216 / 418 pairs",
        _UNICODE,
        _HERE,
    ),
    "names": _Entry(
        names,
        "names of persons and companies, every word tagged by hand",
        "2,176 / 241 / 601 names",
        _MIT,
        _HERE,
    ),
    "python_source": _Entry(
        python_source,
        "Python's own source text",
        "5 to 6 million characters, 1 file in 20 each held out",
        _PYTHON,
        _WITH_PYTHON,
    ),
    "spoken_numbers": _Entry(
        spoken_numbers,
        "synthetic speech: numbers, log-mel features and letters",
        "1,008 / 100 / 300 utterances",
        "free",
        _HERE,
    ),
    "sunspots": _Entry(
        sunspots,
        "spots on the sun, yearly",
        "309 values",
        "public domain",
        "with statsmodels",
    ),
    "topics": _Entry(
        topics,
        "English prose about Python, each paragraph once",
        "about 320,000 / 24,000 / 28,000 characters",
        _PYTHON,
        _WITH_PYTHON,
    ),
    "topics_repeated": _Entry(
        lambda: topics(repeated=True),
        "the same prose with what its topics repeat: a trap",
        "about 376,000 / 30,000 / 58,000 characters",
        _PYTHON,
        _WITH_PYTHON,
    ),
}


class _Table(str):
    """Lines for a terminal; a cell that ends in them shows a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


def catalogue() -> str:
    """All sets that `load` knows: what each holds, how much, its licence, where it comes from.

    Returns
    -------
    str
        A table in Markdown; a notebook shows it as one.
    """
    rows: list[tuple[str, ...]] = [
        ("name", "holds", "train / validation / test", "licence", "comes")
    ]
    rows += [(f"`{key}`", e.holds, e.size, e.licence, e.comes) for key, e in _SETS.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    lines = ("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows)
    return _Table("\n".join(lines))


_Tagged = Literal["addresses", "contacts", "names"]
_Pairs = Literal["dates", "dates_medium", "emoji"]
_Text = Literal["python_source", "topics", "topics_repeated"]


@overload
def load(name: _Tagged) -> Parts[Tagged]: ...
@overload
def load(name: _Pairs) -> Parts[Pairs]: ...
@overload
def load(name: _Text) -> Corpus: ...
@overload
def load(name: Literal["spoken_numbers"]) -> Parts[Spoken]: ...
@overload
def load(name: Literal["digits"]) -> Parts[Digits]: ...
@overload
def load(name: Literal["el_nino", "sunspots"]) -> Series: ...
@overload
def load(name: str) -> Parts[Any] | Series: ...
def load(name: str) -> Any:
    """One of the book's sets of data. None needs a network.

    ===============  =========================================================  =============
    name             holds                                                      licence
    ===============  =========================================================  =============
    addresses        addresses, every word tagged by hand                       MIT
    contacts         persons, companies, addresses in one line, BIO tags        MIT
    dates            dates in words, English to French                          Unicode-3.0
    dates_medium     the same dates, without the day of the week in English     Unicode-3.0
    digits           handwritten digits, 8 × 8 grey values                      CC BY 4.0
    el_nino          temperature of the sea off Peru, monthly                   public domain
    emoji            names of emoji and symbols, English to French              Unicode-3.0
    names            names of persons and companies, every word tagged by hand  MIT
    python_source    Python's own source text                                   PSF-2.0
    spoken_numbers   synthetic speech: numbers, log-mel features and letters    free
    sunspots         spots on the sun, yearly                                   public domain
    topics           English prose about Python, each paragraph once            PSF-2.0
    topics_repeated  the same prose with what its topics repeat: a trap         PSF-2.0
    ===============  =========================================================  =============

    Parameters
    ----------
    name : str
        `catalogue` shows the same table with sizes, and where each comes from.

    Returns
    -------
    Parts of Tagged, of Pairs, of Digits or of Spoken, Corpus or Series
        Each has ``name``, ``description``, ``source``, ``licence`` and ``checksum``. All but a
        `Series` have ``train``, ``validation`` and ``test``.

    Raises
    ------
    ValueError
        For a name that is not known, and for a file of the package that is damaged.
    FileNotFoundError, ModuleNotFoundError
        If a file of the package, or the package that brings the set, is missing; the message says
        what to do.
    """
    return _SETS[_known(name)].make()


def _known(name: str) -> str:
    if checked_text(name, "name") in _SETS:
        return name
    near = difflib.get_close_matches(name.lower().replace(" ", "_").replace("-", "_"), _SETS, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"name must be one of {', '.join(_SETS)}; got {name!r}{meant}")
