"""Lists that nobody meant: running text that wraps before a number with a dot, or a dash."""

from __future__ import annotations

import re

from .pages import FENCE, Page

ITEM = re.compile(r"(?:(\d+)[.)]|[-+*])\s+\S")
DISPLAY = re.compile(r"\$\$.+?\$\$", re.DOTALL)
#: No list goes on from the cell above, or begins, with a number above this.
LONGEST = 20


def accidental_lists(page: Page) -> list[str]:
    """Lines of text that begin like an item of a list by accident of wrapping."""
    return [
        f"cell {cell.number}: an item of a list by accident: {line[:40]}…"
        for cell in page.markdown
        for line in accidental_items(cell.source)
    ]


def accidental_items(markdown: str) -> list[str]:
    """The same of a text: ``101. Find …`` within a paragraph is shown as a list of its own.

    An item goes on in an open list, and counts on there; or it begins one: after an empty line, a
    heading or a colon, or right below the first line of the item that it lies in.
    """
    found: list[str] = []
    open_lists: dict[int, int] = {}  # The last number at each indent; 0 after a dash.
    before = ""
    for line in DISPLAY.sub("$", FENCE.sub("", markdown)).splitlines():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if item := ITEM.match(text):
            number, last = int(item[1] or 0), open_lists.get(indent)
            goes_on = last is not None and number == last + bool(item[1])
            apart = not before or before.startswith("#")
            nested = bool(ITEM.match(before)) and max(open_lists, default=indent) < indent
            told = nested or before.endswith(":")
            if not (goes_on or (apart and number <= LONGEST) or (told and number <= 1)):
                found.append(text)
            else:
                open_lists = {at: n for at, n in open_lists.items() if at < indent}
                open_lists[indent] = number
        elif text and not before:
            open_lists = {at: n for at, n in open_lists.items() if at < indent}
        before = text
    return found
