"""What is shipped with each lab: its module, the answers, and the notebooks' cells."""

import importlib.util
import json
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from lstm_lab.labs import Exercise, Lab
from tools.labs import SOLUTION, Source, sources

LABS = Path(__file__).resolve().parents[2] / "labs"


@dataclass(frozen=True)
class Shipped:
    """One lab, as its page's name finds it."""

    source: Source

    @property
    def name(self) -> str:
        return self.source.path.stem

    @cached_property
    def module(self) -> ModuleType:
        return import_module(self.source.module)

    @property
    def lab(self) -> Lab:
        return self.module.LAB

    @cached_property
    def answers(self) -> ModuleType:
        path = self.source.answers
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @property
    def solution(self) -> list[str]:
        """The lines of the page that only the solved copy has."""
        source = self.source.path.read_text(encoding="utf-8")
        lines = [
            line.strip()
            for match in SOLUTION.finditer(source)
            for line in match["lines"].splitlines()
        ]
        given = getattr(self.answers, "GIVEN", ())
        return [line for line in lines if line and line not in given]


EVERY = [Shipped(source) for source in sources(LABS)]
EACH_LAB = pytest.mark.parametrize("shipped", EVERY, ids=lambda shipped: shipped.name)


def each_exercise() -> pytest.MarkDecorator:
    """Parametrise over the exercises of all labs, as ``shipped`` and ``exercise``."""
    every: list[tuple[Shipped, Exercise]] = [
        (shipped, exercise) for shipped in EVERY for exercise in shipped.lab.exercises.values()
    ]
    ids = [f"{shipped.name}-{exercise.name}" for shipped, exercise in every]
    return pytest.mark.parametrize(("shipped", "exercise"), every, ids=ids)


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
