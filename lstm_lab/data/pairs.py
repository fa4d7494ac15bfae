"""Pairs to translate: the names of emoji and symbols in two languages, and dates in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, overload

import numpy as np

from .._validation import checked_choice
from .extracts import body
from .parts import Parts
from .tokens import tokenize

__all__ = ["Pairs", "dates", "emoji"]

KINDS = ("combination", "all words seen", "an unseen word")
DATES = (2500, 250, 500)
"""How many dates each part has."""
_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}


@dataclass(frozen=True, repr=False)
class Pairs:
    """Texts and their translations. Iterating gives (source, target), one after another.

    Attributes
    ----------
    sources, targets : tuple of str
        Equally many.
    keys : tuple of str
        What each pair is about: an emoji, a date as ISO 8601 writes it, a line of a file.
    kinds : tuple of str
        For each pair, the question that it asks of who has learnt; empty where all ask the same.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    keys: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    unit: ClassVar[str] = "pairs"

    def __len__(self) -> int:
        return len(self.sources)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self.sources, self.targets, strict=True)

    @overload
    def __getitem__(self, index: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> Pairs: ...
    def __getitem__(self, index: int | slice) -> tuple[str, str] | Pairs:
        if isinstance(index, slice):
            kinds = self.kinds[index]
            return Pairs(self.sources[index], self.targets[index], self.keys[index], kinds)
        return self.sources[index], self.targets[index]

    def of_kind(self, kind: str) -> Pairs:
        """The pairs of one kind, in their order.

        Raises
        ------
        ValueError
            If there are none; the message lists the kinds.
        """
        checked_choice(kind, "kind", tuple(dict.fromkeys(self.kinds)))
        rows = zip(self.sources, self.targets, self.keys, self.kinds, strict=True)
        return Pairs(*map(tuple, zip(*(row for row in rows if row[-1] == kind), strict=True)))

    def __repr__(self) -> str:
        counts = {kind: self.kinds.count(kind) for kind in dict.fromkeys(self.kinds)}
        kinds = "".join(f", {count} of them {kind}" for kind, count in counts.items())
        return f"<Pairs: {len(self)}{kinds}>"


def emoji() -> Parts[Pairs]:
    """Names of emoji and symbols, English and French, by the translators of Unicode's CLDR.

    Held out are, for the test, 12 % of the names without skin tone, with all forms that a skin
    tone gives them, and 10 % of the toned forms of the others; for validation 6 % and 5 %. The
    kind of a pair that is held out: *combination*, name and tone were seen, not together;
    *all words seen*, the name is new, none of its words in either language is; *an unseen word*.
    (Toned forms of names that are held out are left away: they would count the same name again.)

    The extract is of the npm packages cldr-annotations-full and cldr-annotations-derived-full
    48.2.0; ``python -m lstm_lab.data.make_emoji`` makes it. Flags are left out. In four French
    names a plain space stands before the colon; it is made narrow, as in all others.
    """
    table = [line.split("\t") for line in body("emoji.tsv.gz")]
    rows = [(key, english, french.replace(" :", "\u202f:")) for key, english, french in table]
    plain = [_without_tone(key, english) for key, english, _ in rows]
    names = list(dict.fromkeys(plain))
    rng = np.random.default_rng(0)
    order, n = rng.permutation(len(names)), len(names)
    test, validation, _ = np.split(order, [round(0.12 * n), round(0.18 * n)])
    held = {names[k]: part for part, ks in (("test", test), ("validation", validation)) for k in ks}
    parts: dict[str, list[tuple[str, str, str, str]]] = {"train": [], "validation": [], "test": []}
    for (key, english, french), name, draw in zip(rows, plain, rng.random(len(rows)), strict=True):
        toned = english != name
        if name not in held and toned and draw < 0.15:
            part = "test" if draw < 0.1 else "validation"
            parts[part].append((english, french, key, KINDS[0]))
        elif name not in held:
            parts["train"].append((english, french, key, ""))
        elif not toned:
            parts[held[name]].append((english, french, key, ""))
    seen = [{word for row in parts["train"] for word in tokenize(row[side])} for side in (0, 1)]

    def asked(row: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
        known = all(seen[side].issuperset(tokenize(row[side])) for side in (0, 1))
        return (*row[:3], row[3] or KINDS[1 if known else 2])

    whole = Pairs(*map(tuple, zip(*(row[:3] for row in parts["train"]), strict=True)))
    held_out = (map(asked, parts[part]) for part in ("validation", "test"))
    made = (whole, *(Pairs(*map(tuple, zip(*part, strict=True))) for part in held_out))
    return Parts.of(
        made,
        name="Emoji",
        source="Unicode CLDR 48.2.0, annotations and annotationsDerived",
        licence="Unicode-3.0",
        description=(
            "Names of emoji and symbols, English and French, by human translators. Held out by "
            "name and by skin tone; each pair held out is of a kind: combination (name and tone "
            "were seen, not together), all words seen (the name is new), an unseen word."
        ),
    )


def _without_tone(key: str, english: str) -> str:
    """The English name without its skin tones: what all toned forms of an emoji share."""
    if not _TONES & set(key) or key in _TONES:
        return english
    head, _, tail = english.partition(": ")
    rest = [each for each in tail.split(", ") if each and not each.endswith("skin tone")]
    # What is toned as "kiss: person, person" has the plain name "kiss".
    return ": ".join([head, *([", ".join(rest)] if rest else [])]).removesuffix(": person, person")


def dates(form: str = "full") -> Parts[Pairs]:
    """Dates from 1900 to 2099 in English and in French, as Unicode's CLDR writes them.

    Each date stands in one part. The French side is always full ("jeudi 1 juin 1950").

    Parameters
    ----------
    form : {"full", "medium"}
        Of the English side: "Thursday, June 1, 1950", or "Jun 1, 1950", in which the day of the
        week is not said, so that it must be computed.

    Raises
    ------
    ModuleNotFoundError
        If Babel is not installed.
    """
    checked_choice(form, "form", ("full", "medium"))
    try:
        from babel import Locale, __version__
        from babel.dates import format_date
    except ImportError as error:
        raise ModuleNotFoundError(
            "this data set is written by Babel, which is not installed; "
            'install it with: python -m pip install -e ".[book]"'
        ) from error
    english, french = Locale("en"), Locale("fr")
    first, last = date(1900, 1, 1), date(2099, 12, 31)
    days = (last - first).days + 1
    drawn = np.random.default_rng(0).choice(days, size=sum(DATES), replace=False)
    rows = []
    for day in (first + timedelta(int(k)) for k in drawn):
        written = format_date(day, form, english), format_date(day, "full", french)
        rows.append((*written, day.isoformat()))
    ends = np.cumsum(DATES)[:-1]
    cut = [rows[: ends[0]], rows[ends[0] : ends[1]], rows[ends[1] :]]
    made = [Pairs(*map(tuple, zip(*part, strict=True))) for part in cut]
    return Parts.of(
        made,
        name=f"Dates, {form} to full",
        source=f"formats of Unicode CLDR, by Babel {__version__}",
        licence="code BSD-3-Clause, formats Unicode-3.0",
        description=(
            "Dates from 1900 to 2099, English to French, held out by date."
            + (" The day of the week is on the French side alone." if form == "medium" else "")
        ),
    )
