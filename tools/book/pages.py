"""The pages of the book as the lint sees them: cells, headings, order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
MATHS = re.compile(r"(?<!\\)\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$]+?)(?<![\s\\])\$", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """One cell, and where it stands."""

    number: int
    kind: str
    source: str
    folded: bool

    @cached_property
    def prose(self) -> str:
        """The text of a markdown cell without its code blocks and code spans."""
        return re.sub(r"`[^`\n]+`", "", FENCE.sub("", self.source))

    @cached_property
    def maths(self) -> list[str]:
        """The formulas of a markdown cell."""
        return [display or inline for display, inline in MATHS.findall(self.prose)]

    @cached_property
    def headings(self) -> list[str]:
        return re.findall(r"^#{1,6}\s+(.+?)\s*$", FENCE.sub("", self.source), re.MULTILINE)


class Page:
    """A notebook of the book or of the labs."""

    def __init__(self, path: Path, notebook: nbformat.NotebookNode | None = None):
        self.path = path
        self.notebook = notebook or nbformat.read(path, as_version=4)

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def chapter(self) -> int | None:
        """The chapter's number; None for a page without one."""
        number = self.path.stem.partition("-")[0]
        return int(number) if number.isdigit() else None

    @property
    def minutes(self) -> int | None:
        """How long it takes to read, as its metadata say; None where they do not."""
        return self.notebook.metadata.get("lstm_lab", {}).get("minutes")

    @property
    def cells(self) -> list[Cell]:
        return [
            Cell(
                number,
                cell.cell_type,
                cell.source,
                bool(cell.metadata.get("jupyter", {}).get("source_hidden")),
            )
            for number, cell in enumerate(self.notebook.cells)
        ]

    @property
    def markdown(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == "markdown"]

    @property
    def code(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == "code"]

    @property
    def title(self) -> str:
        return self.markdown[0].headings[0]

    @property
    def anchors(self) -> set[str]:
        """What a link into this page may name: JupyterLab's own ids of headings."""
        return {
            re.sub(r"[*`]", "", heading).replace(" ", "-")
            for cell in self.markdown
            for heading in cell.headings
        }


def pages() -> list[Page]:
    """Every page of the book, in reading order: numbered chapters, then the others."""
    return [Page(path) for path in sorted(BOOK.glob("*.ipynb"))]


def chapters() -> list[Page]:
    """The numbered pages, the start page included."""
    return [page for page in pages() if page.chapter is not None]
