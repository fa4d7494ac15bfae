"""Make the file that `lstm_lab.data.addresses` reads, from the source package of usaddress.

    pip download usaddress==0.5.16 --no-deps --no-binary usaddress
    tar xzf usaddress-0.5.16.tar.gz
    python -m lstm_lab.data.make_addresses usaddress-0.5.16 addresses.tsv.gz

The file's head, behind "# ", is the licence. Then one word and its tag on each line, a tab
between them, and an empty line before each address.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

HEADER = """\
usaddress 0.5.16, training/labeled.xml: addresses with every word labelled.
https://github.com/datamade/usaddress
"""


def as_text(xml: str, licence: str) -> str:
    """The labelled addresses as lines of words and tags, behind the licence.

    Raises
    ------
    ValueError
        If an element is not one single word, or text has no tag.
    """
    lines = [f"# {line}" for line in (HEADER + "\n" + licence).splitlines()]
    for number, address in enumerate(ElementTree.fromstring(xml)):
        lines.append("")
        for element in address:
            word = (element.text or "").strip()
            if word.split() != [word] or (element.tail or "").strip():
                raise ValueError(f"address {number} has {word!r} where one tagged word should be")
            lines.append(f"{word}\t{element.tag}")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Make the file; the exit status."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    if target.exists():
        print(f"{target} exists; remove it first", file=sys.stderr)
        return 1
    text = as_text(
        (source / "training" / "labeled.xml").read_text(encoding="utf-8"),
        (source / "LICENSE").read_text(encoding="utf-8"),
    )
    target.write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
