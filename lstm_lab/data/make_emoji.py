"""Make the extract of names of emoji and symbols, from two packages of Unicode's CLDR.

    npm pack cldr-annotations-full@48.2.0 cldr-annotations-derived-full@48.2.0
    mkdir plain derived
    tar xzf cldr-annotations-full-48.2.0.tgz -C plain
    tar xzf cldr-annotations-derived-full-48.2.0.tgz -C derived
    python -m lstm_lab.data.make_emoji plain derived emoji.tsv.gz

The file's head, behind "# ", is the licence. Then, on each line, the emoji, its English and its
French name, with tabs between them: all that have a name in both languages but the flags, whose
names are those of countries.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .extracts import make, text_of

HEADER = """\
Unicode CLDR 48.2.0, annotations and annotationsDerived: names of emoji and symbols, English and
French. https://github.com/unicode-org/cldr-json
"""

LANGUAGES = ("en", "fr")
_ENGLAND = "\N{WAVING BLACK FLAG}\N{TAG LATIN SMALL LETTER G}"  # flags of parts of Britain


def is_flag(emoji: str) -> bool:
    """Whether it is the flag of a country or of a part of one."""
    return "\U0001f1e6" <= emoji[0] <= "\U0001f1ff" or emoji.startswith(_ENGLAND)


def as_text(names: Mapping[str, Mapping[str, str]], licence: str) -> str:
    """The names in each language, as lines behind the licence.

    Raises
    ------
    ValueError
        If a name holds a tab or a line break.
    """
    english, french = (names[language] for language in LANGUAGES)
    rows = [(key, english[key], french[key]) for key in english if key in french]
    for row in rows:
        if any(mark in field for field in row for mark in "\t\n\r"):
            raise ValueError(f"{row} holds a tab or a line break")
    return text_of(HEADER, licence, ("\t".join(row) for row in rows if not is_flag(row[0])))


def from_folders(annotations: Path, derived: Path) -> str:
    """The extract's text, from the two unpacked packages."""
    names: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for folder, kind in ((annotations, "annotations"), (derived, "annotationsDerived")):
        for language, found in names.items():
            file = folder / "package" / kind / language / "annotations.json"
            table = json.loads(file.read_text(encoding="utf-8"))[kind]["annotations"]
            found |= {key: entry["tts"][0] for key, entry in table.items() if "tts" in entry}
    return as_text(names, (annotations / "package" / "LICENSE").read_text(encoding="utf-8"))


def main(arguments: Sequence[str]) -> int:
    """Make the file; the exit status."""
    return make(__doc__, arguments, 2, from_folders)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
