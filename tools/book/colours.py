"""The colours of equations: those in which the pictures write, which are read on white."""

from __future__ import annotations

import re
from pathlib import Path

from lstm_lab.notebook.figures import GATE_COLORS, TEXT_SHARES, equation_sheet, ink

from ..labs import sources
from .pages import BOOK, ROOT, Page

COLOUR = re.compile(r"\b((?:text)?color(?:\{|[:=]\s*\"?))(#[0-9A-Fa-f]{6}|[A-Za-z]+)")
INKS = {quantity: ink(quantity) for quantity in TEXT_SHARES}
INK_OF = {GATE_COLORS[quantity]: name for quantity, name in INKS.items()}
#: A lab's source, and what is made of it: in step before, in step after.
LABS = [
    path
    for lab in sources(ROOT / "labs")
    for path in (lab.path, lab.student, lab.solved)
    if path.exists()
]
SHEET = ROOT / "lstm_lab/jupyter_data/labextensions/lstm-lab-start/static/equations.css"


def faint_colours(page: Page) -> list[str]:
    """Colours in text that are none of the inks, and so hard to read on white or in the dark."""
    return [
        f"cell {cell.number}: {match[2]} is no ink: `python -m tools.book` mends it"
        if match[2].upper() in INK_OF
        else f"cell {cell.number}: {match[2]} is no ink: use one of {', '.join(INKS.values())}"
        for cell in page.markdown
        for match in COLOUR.finditer(cell.prose)
        if match[2].upper() not in INKS.values()
    ]


def in_ink(text: str) -> str:
    """The text with the colours of lines made into those of text."""
    return COLOUR.sub(lambda match: match[1] + INK_OF.get(match[2].upper(), match[2]), text)


def mend() -> list[Path]:
    """Give the equations of the book and of the labs their inks, and JupyterLab its sheet."""
    files = {
        path: in_ink(path.read_text(encoding="utf-8"))
        for path in (*sorted(BOOK.glob("*.ipynb")), *LABS)
    }
    files[SHEET] = equation_sheet()
    changed = [path for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(files[path], encoding="utf-8")
    return changed
