"""What is made and not written by hand: references, links, the map, the bibliography page."""

from __future__ import annotations

import copy
import re

from nbformat import NotebookNode

from ..labs import sources
from . import bibliography
from .notation import without_constant_column
from .pages import ROOT, Page, chapters, pages

NAVIGATION = re.compile(r"^(?:\[←|\[Contents\]).*(?:\n(?!\n).*)*", re.MULTILINE)
START = "00-start.ipynb"


def navigation(page: Page) -> str:
    """Links to the chapter before, the contents and the chapter after."""
    order = chapters()
    at = next(k for k, other in enumerate(order) if other.path == page.path)
    links = [f"[Contents]({START})"]
    if at > 1:
        before = order[at - 1]
        links.insert(0, f"[← {_short(before)}]({before.path.name})")
    if at + 1 < len(order):
        after = order[at + 1]
        links.append(f"[{_short(after)} →]({after.path.name})")
    return " ·\n".join(links)


def _short(page: Page) -> str:
    return re.sub(r"^\d+\s*·\s*", "", page.title)


def with_map(source: str) -> str:
    """The start page's map, with a row for every chapter and every lab that is here.

    A row with another sign than ✓, for what is planned, is left as it is.
    """
    chapters_ = [(c.chapter, _short(c), c.path.name, c.minutes) for c in chapters() if c.chapter]
    labs = [
        (lab.number, lab.title, f"../labs/{lab.student.name}", lab.minutes)
        for lab in sources(ROOT / "labs")
    ]
    return _with_rows(_with_rows(source, "chapter", chapters_), "lab", labs)


def _with_rows(source: str, kind: str, entries: list[tuple[int, str, str, int]]) -> str:
    rows = [
        f"| ✓ | [**{number:02d} {title}**]({address}) | {minutes} min |\n"
        for number, title, address, minutes in entries
    ]
    table = rf"(^\| here \| {kind} \|.*\n\|[-|]+\|\n)(?:\| ✓ .*\n)*"
    return re.sub(table, lambda head: head[1] + "".join(rows), source, flags=re.MULTILINE)


def with_made_parts(page: Page) -> NotebookNode:
    """The notebook as it should be: links and references in step with the book."""
    notebook = copy.deepcopy(page.notebook)
    numbered = page.chapter is not None and page.chapter > 0
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        if cell.source.startswith(bibliography.HEADING):
            data = re.search(r"^\*\*Data\.\*\*.*", cell.source, re.MULTILINE | re.DOTALL)
            parts = [bibliography.HEADING, bibliography.listed(bibliography.cited(page))]
            parts += [data[0]] if data else []
            cell.source = "\n\n".join(filter(None, parts))
        elif numbered and (number == 0 or _is_last(notebook, number)):
            cell.source = NAVIGATION.sub(lambda _: navigation(page), cell.source, count=1)
        elif page.path.name == START:
            cell.source = with_map(cell.source)
        elif page.path.name == "notation.ipynb":
            cell.source = without_constant_column(cell.source)
    if page.path.name == "bibliography.ipynb":
        notebook.cells[-1].source = whole_bibliography()
    return notebook


def _is_last(notebook: NotebookNode, number: int) -> bool:
    return number == len(notebook.cells) - 1


def whole_bibliography() -> str:
    """Every work that a page cites, and where; those that none cites apart, to go on reading."""
    citing: dict[str, list[Page]] = {}
    for page in pages():
        if page.path.name != "bibliography.ipynb":
            for work in bibliography.cited(page):
                citing.setdefault(work.key, []).append(page)
    cited, further = [], []
    for work in sorted(bibliography.works().values(), key=bibliography.by_author):
        if work.key in citing:
            cited.append(bibliography.listed([work], f" · cited in {_places(citing[work.key])}"))
        else:
            further.append(bibliography.listed([work]))
    parts = [FIRST_OF_BIBLIOGRAPHY, "\n".join(cited)]
    if further:
        parts += [FURTHER, "\n".join(further)]
    return "\n\n".join(parts)


FIRST_OF_BIBLIOGRAPHY = "## Cited in the book"
FURTHER = """\
## Further reading

Works that no page of the book cites, for those who want to read on."""


def _places(citing: list[Page]) -> str:
    """``chapters [5](...) and [9](...), [For instructors](...)``."""
    chapters_ = [f"[{page.chapter}]({page.path.name})" for page in citing if page.chapter]
    others = [f"[{page.title}]({page.path.name})" for page in citing if not page.chapter]
    places = [f"chapter{'s'[: len(chapters_) > 1]} {_and(chapters_)}"] if chapters_ else []
    return ", ".join([*places, *others])


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def stale() -> list[Page]:
    """The pages whose made parts are out of step."""
    return [page for page in pages() if with_made_parts(page) != page.notebook]
