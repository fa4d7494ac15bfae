"""``python -m tools.book``: bring the made parts of the book up to date, and run the lint.

The colours of equations are among what it mends: see `tools.book.colours`.
"""

from __future__ import annotations

import sys

import nbformat

from .colours import mend
from .lint import RULES
from .made import stale, with_made_parts
from .pages import ROOT, pages


def main() -> int:
    for path in mend():
        print(f"in ink: {path.relative_to(ROOT).as_posix()}")
    for page in stale():
        nbformat.write(with_made_parts(page), page.path)
        print(f"made again: {page.name}")
    complaints = [
        f"{page.name}, {complaint}"
        for page in pages()
        for rule in RULES
        for complaint in rule(page)
    ]
    print("\n".join(complaints) or "nothing to complain of")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
