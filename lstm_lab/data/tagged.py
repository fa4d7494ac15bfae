"""Real strings in which a hand has labelled every word, and lines of contact joined from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, overload

import numpy as np

from .._validation import checked_choice
from .extracts import body
from .parts import Parts

__all__ = ["Tagged", "addresses", "contacts", "names"]

Row = tuple[tuple[str, ...], tuple[str, ...]]

LINES = (3000, 400, 800)
"""How many lines of contact each part has."""
MARKS = ("", "", "", ",", ",", "-", "|", "/", ";")
"""What stands between two strings, each as likely as the next; a third of them is nothing."""


@dataclass(frozen=True, repr=False)
class Tagged:
    """Sequences of words, each word with its tag. Iterating gives (words, tags), one by one.

    Attributes
    ----------
    words, tags : tuple of tuples of str
        One inner tuple for each sequence; a sequence's words and tags are equally many.
    kinds : tuple of str
        For each sequence what it is as a whole; empty where all are the same.
    """

    words: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...] = ()
    unit: ClassVar[str] = "sequences"

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Row]:
        return zip(self.words, self.tags, strict=True)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Tagged: ...
    def __getitem__(self, index: int | slice) -> Row | Tagged:
        if isinstance(index, slice):
            return Tagged(self.words[index], self.tags[index], self.kinds[index])
        return self.words[index], self.tags[index]

    def of_kind(self, kind: str) -> Tagged:
        """The sequences of one kind, in their order.

        Raises
        ------
        ValueError
            If there are none; the message lists the kinds.
        """
        checked_choice(kind, "kind", tuple(dict.fromkeys(self.kinds)))
        return _tagged(
            [row for row, its in zip(self, self.kinds, strict=True) if its == kind], kind
        )

    def __repr__(self) -> str:
        count = sum(map(len, self.words))
        tags = len({tag for tags in self.tags for tag in tags})
        return f"<Tagged: {len(self):,} sequences, {count:,} words, {tags} tags>"


def _tagged(rows: list[Row], kind: str = "") -> Tagged:
    words, tags = zip(*rows, strict=True)
    return Tagged(words, tags, (kind,) * len(rows) if kind else ())


def _blocks(file: str) -> Iterator[tuple[str, Row]]:
    """What an extract holds: the kind of each sequence ("" where none is said) and the sequence."""
    for block in "\n".join(body(file)).strip("\n").split("\n\n"):
        lines = block.split("\n")
        kind = "" if "\t" in lines[0] else lines.pop(0)
        words, tags = zip(*(line.split("\t") for line in lines), strict=True)
        yield kind, (words, tags)


def addresses() -> Parts[Tagged]:
    """Addresses of the United States, every word labelled by hand with what it is.

    The training data ``training/labeled.xml`` of usaddress 0.5.16, each address once: 1,488 of
    1,513, with 29 tags such as AddressNumber, StreetName and ZipCode. A comma belongs to the word
    before it. Shuffled; a fifth is the test, a fifth for validation.
    ``python -m lstm_lab.data.make_addresses`` makes the extract.

    Source: https://github.com/datamade/usaddress
    """
    rows = list(dict.fromkeys(row for _, row in _blocks("addresses.tsv.gz")))
    order = np.random.default_rng(0).permutation(len(rows))
    test, validation, *rest = np.array_split(order, 5)
    made = [_tagged([rows[k] for k in part]) for part in (np.concatenate(rest), validation, test)]
    return Parts.of(
        made,
        name="Addresses",
        source="usaddress 0.5.16, training/labeled.xml; The Atlanta Journal Constitution, 2014",
        licence="MIT",
        description=(
            "Addresses of the United States, every word labelled by hand, each address once."
        ),
    )


def _pools() -> dict[str, tuple[list[Row], ...]]:
    """Persons and companies, each (words, tags) once, in three parts.

    A name that was labelled in two ways (JAMES as a first and as a last name) is in one part.
    """
    rng, pools = np.random.default_rng(0), {}
    same: dict[str, dict[tuple[str, ...], list[Row]]] = {}
    for kind, row in dict.fromkeys(_blocks("names.tsv.gz")):
        same.setdefault(kind, {}).setdefault(_lower(row[0]), []).append(row)
    for kind, found in same.items():
        groups = list(found.values())
        parts = _cut([groups[k] for k in rng.permutation(len(groups))])
        pools[kind] = tuple([row for group in part for row in group] for part in parts)
    return pools


def _cut(items: list) -> tuple[list, list, list]:
    """A fifth is the test; of what is left, a tenth is for validation."""
    test, validation = round(0.2 * len(items)), round(0.28 * len(items))
    return items[validation:], items[test:validation], items[:test]


def _lower(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.lower() for word in words)


def names() -> Parts[Tagged]:
    """Names of persons and of companies, every word labelled by hand with what it is.

    The training data ``name_data/labeled`` of probablepeople 0.5.6: 2,252 persons with 12 tags such
    as GivenName and Surname, 766 companies with 11, each name and labelling once. ``kinds`` says
    which is which. A fifth of the names is the test, a tenth of the others for validation.
    ``python -m lstm_lab.data.make_names`` makes the extract.

    Source: https://github.com/datamade/probablepeople
    """
    pools, made = _pools(), []
    for k in range(3):
        kinds = [kind for kind, parts in pools.items() for _ in parts[k]]
        part = _tagged([row for parts in pools.values() for row in parts[k]])
        made.append(Tagged(part.words, part.tags, tuple(kinds)))
    return Parts.of(
        made,
        name="Names",
        source="probablepeople 0.5.6, name_data/labeled; The Atlanta Journal Constitution, 2014",
        licence="MIT",
        description=(
            "Names of persons and companies, every word labelled by hand; kinds says which is "
            "which."
        ),
    )


def contacts() -> Parts[Tagged]:
    """Lines of contact: one to four real persons, companies and addresses, joined by a program.

    The strings are those of `names` and `addresses`, in lower case, for case gives them away. They
    are parted *before* they are joined: no string stands in two parts. Each line has one to four
    of them, of kinds drawn anew; a third of all gaps has no separator, the others a comma or one
    of ``- | / ;``. Tags are BIO: B-person begins a person, I-person goes on, O is a
    separator.
    """
    pools = _pools()
    found = list(dict.fromkeys(_lower(row[0]) for _, row in _blocks("addresses.tsv.gz")))
    rng = np.random.default_rng(1)
    pools["address"] = _cut([(found[k], ()) for k in rng.permutation(len(found))])
    kinds, made = sorted(pools), []
    for k, lines in enumerate(LINES):
        strings = {
            kind: list(dict.fromkeys(_lower(words) for words, _ in parts[k]))
            for kind, parts in pools.items()
        }
        rows: dict[tuple[str, ...], tuple[str, ...]] = {}
        while len(rows) < lines:  # the same line twice counts once
            words: list[str] = []
            tags: list[str] = []
            for place, (gap, its, which) in enumerate(rng.random((rng.integers(1, 5), 3))):
                mark = MARKS[int(gap * len(MARKS))] if place else ""
                if mark == ",":
                    words[-1] = words[-1].rstrip(",") + ","
                elif mark:
                    words.append(mark)
                    tags.append("O")
                kind = kinds[int(its * len(kinds))]
                string = strings[kind][int(which * len(strings[kind]))]
                words += string
                tags += [f"B-{kind}", *[f"I-{kind}"] * (len(string) - 1)]
            rows[tuple(words)] = tuple(tags)
        made.append(_tagged(list(rows.items())))
    return Parts.of(
        made,
        name="Contact lines",
        source="probablepeople 0.5.6 and usaddress 0.5.16; The Atlanta Journal Constitution, 2014",
        licence="MIT",
        description=(
            "Lines of one to four persons, companies and addresses in lower case, BIO tags. Real "
            "strings, joined by a program; no string stands in two parts."
        ),
    )
