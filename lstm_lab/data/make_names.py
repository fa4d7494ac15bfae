"""Make the extract of names of persons and companies, from the source package of probablepeople.

    tar xzf probablepeople-0.5.6.tar.gz
    python -m lstm_lab.data.make_names probablepeople-0.5.6 names.tsv.gz

The archive is at https://pypi.org/project/probablepeople/0.5.6/#files; ``pip download`` would first
build the package, which takes ten minutes. The file's head, behind "# ", is the licence. Then, for
each name, an empty line, "person" or "company", and one word and its tag on each line, a tab
between them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .extracts import make, text_of
from .make_addresses import tagged_lines

HEADER = """\
probablepeople 0.5.6, name_data/labeled/: names of persons and companies with every word labelled.
https://github.com/datamade/probablepeople
"""

KINDS = ("person", "company")


def as_text(files: dict[str, str], licence: str) -> str:
    """The labelled names as lines, behind the licence; ``files`` has the XML of each kind."""
    blocks = ((kind, block) for kind in files for block in tagged_lines(files[kind], kind))
    return text_of(HEADER, licence, (line for kind, block in blocks for line in ("", kind, *block)))


def from_folder(source: Path) -> str:
    """The extract's text, from the unpacked source package."""
    folder = source / "name_data" / "labeled"
    return as_text(
        {kind: (folder / f"{kind}_labeled.xml").read_text(encoding="utf-8") for kind in KINDS},
        (source / "LICENSE").read_text(encoding="utf-8"),
    )


def main(arguments: Sequence[str]) -> int:
    """Make the file; the exit status."""
    return make(__doc__, arguments, 1, from_folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
