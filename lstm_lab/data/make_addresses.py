"""Make the extract of addresses, from the source package of usaddress.

    pip download usaddress==0.5.16 --no-deps --no-binary usaddress
    tar xzf usaddress-0.5.16.tar.gz
    python -m lstm_lab.data.make_addresses usaddress-0.5.16 addresses.tsv.gz

The file's head, behind "# ", is the licence. Then one word and its tag on each line, a tab
between them, and an empty line before each address.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from .extracts import make, text_of

HEADER = """\
usaddress 0.5.16, training/labeled.xml: addresses with every word labelled.
https://github.com/datamade/usaddress
"""


def tagged_lines(xml: str, what: str) -> Iterator[list[str]]:
    """The lines, a word and its tag, of each labelled string in such a file.

    Raises
    ------
    ValueError
        If an element is not one single word, or text has no tag.
    """
    for number, string in enumerate(ElementTree.fromstring(xml)):
        lines = []
        for element in string:
            word = (element.text or "").strip()
            if word.split() != [word] or (element.tail or "").strip():
                raise ValueError(f"{what} {number} has {word!r} where one tagged word should be")
            lines.append(f"{word}\t{element.tag}")
        yield lines


def as_text(xml: str, licence: str) -> str:
    """The labelled addresses as lines of words and tags, behind the licence."""
    blocks = tagged_lines(xml, "address")
    return text_of(HEADER, licence, (line for block in blocks for line in ("", *block)))


def from_folder(source: Path) -> str:
    """The extract's text, from the unpacked source package."""
    return as_text(
        (source / "training" / "labeled.xml").read_text(encoding="utf-8"),
        (source / "LICENSE").read_text(encoding="utf-8"),
    )


def main(arguments: Sequence[str]) -> int:
    """Make the file; the exit status."""
    return make(__doc__, arguments, 1, from_folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
