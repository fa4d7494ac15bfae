"""The book's references: read from BibTeX, found in the text, rendered in one way.

A citation is a link whose address is the work's: ``[Elman 1990](https://doi.org/...)``.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from dataclasses import dataclass
from functools import cache

from pybtex.backends.plaintext import Backend
from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

from .pages import BOOK, Page

SOURCE = BOOK / "references.bib"
HEADING = "## References"


@dataclass(frozen=True)
class Work:
    """One entry of the bibliography."""

    key: str
    entry: Entry

    def field(self, name: str) -> str:
        """A field as plain text; empty if the entry has none."""
        return _plain(self.entry.fields.get(name, ""))

    @property
    def address(self) -> str:
        """Where the work is: its DOI first of all; empty if the entry has no address."""
        fields = self.entry.fields
        if "doi" in fields:
            return f"https://doi.org/{fields['doi']}"
        if "eprint" in fields:
            return f"https://arxiv.org/abs/{fields['eprint']}"
        return fields.get("url", "")

    @property
    def label(self) -> str:
        """What the link to the work is called at the end of its entry."""
        fields = self.entry.fields
        if "doi" in fields:
            return f"doi:{fields['doi']}"
        return f"arXiv:{fields['eprint']}" if "eprint" in fields else fields["url"]

    @property
    def authors(self) -> list[tuple[str, str]]:
        """Family name and initials of each author."""
        people = []
        for person in self.entry.persons["author"]:
            family = " ".join([*person.prelast_names, *person.last_names])
            given = " ".join([*person.first_names, *person.middle_names])
            initials = re.sub(r"(\w)[^\s-]*", r"\1.", _plain(given))
            people.append((_plain(family), initials))
        return people

    @property
    def cited_as(self) -> str:
        """Author and year, as the text cites the work."""
        names = [family for family, _ in self.authors]
        if len(names) > 2:
            names = [f"{names[0]} et al."]
        return f"{' & '.join(names)} {self.field('year')}"

    @property
    def reference(self) -> str:
        """The whole entry in markdown, on one line."""
        people = [f"{family}, {initials}" for family, initials in self.authors]
        who = people[0] if len(people) == 1 else f"{', '.join(people[:-1])} & {people[-1]}"
        if self.authors[-1][0] == "others":  # BibTeX's way to leave the rest out
            who = f"{', '.join(people[:-1])} et al."
        where = self.field("journal") or self.field("booktitle")
        parts = [f"*{where}*" if where else ""]
        if volume := self.field("volume"):
            number = self.field("number")
            parts[0] += f" {volume}" + (f"({number})" if number else "")
        parts.append(self.field("pages"))
        published = ", ".join(filter(None, parts))
        title = self.field("title")
        text = f"{who} ({self.field('year')}). {title}" + ("" if title[-1] in "?!" else ".")
        text += f" {published}." if published else ""
        return f"{text} [{self.label}]({self.address})"


PLAIN = Backend()
"""Made once: ``render_as`` looks through all installed packages for it, at every call."""


def _plain(latex: str) -> str:
    return Text.from_latex(latex).render(PLAIN)


@cache
def works() -> dict[str, Work]:
    """Every entry by its key."""
    entries = parse_file(str(SOURCE), bib_format="bibtex").entries
    return {key: Work(key, entry) for key, entry in entries.items()}


def cited(page: Page) -> list[Work]:
    """The works that a page cites, by author and year; its list of references is not asked."""
    text = "\n".join(c.source for c in page.markdown if not c.source.startswith(HEADING))
    found = [work for work in works().values() if f"]({work.address})" in text]
    return sorted(found, key=lambda work: (folded(work.cited_as), work.key))


def folded(word: str) -> str:
    """As it is looked up: without accents, small."""
    plain = unicodedata.normalize("NFKD", word.translate(NOT_DECOMPOSED))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


NOT_DECOMPOSED = str.maketrans({"Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "Đ": "D", "đ": "d"})


def by_author(work: Work) -> tuple[list[tuple[str, str]], str, str]:
    """What the bibliography is sorted by."""
    people = [(folded(family), folded(initials)) for family, initials in work.authors]
    return people, work.field("year"), folded(work.field("title"))


def listed(found: list[Work], after: str = "") -> str:
    """A list of references in markdown, with something said after each."""
    lines = [
        "\n".join(
            textwrap.wrap(
                f"- {work.reference}{after}",
                width=80,
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        for work in found
    ]
    return "\n".join(lines)
