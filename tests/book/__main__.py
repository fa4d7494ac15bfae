"""``python -m tests.book``: bring the made parts of the book up to date, and run the lint."""

from __future__ import annotations

import sys

import nbformat

from .lint import RULES
from .made import stale, with_made_parts
from .pages import pages


def main() -> int:
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
