"""What is shipped with the labs: the answers, and the notebooks' cells."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

LABS = Path(__file__).resolve().parents[2] / "labs"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ANSWERS = _load(LABS / "source" / "01_gates_answers.py")


def code_cells(notebook: Path) -> list[str]:
    """The code of a notebook, cell by cell."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run_cells(cells: list[str]) -> dict:
    """Run cells as a kernel would, one after the other, and return what they define."""
    names = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        exec(compile(cell, f"cell {number}", "exec"), names)
    return names
