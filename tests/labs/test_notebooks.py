"""The notebooks themselves: untouched, solved, and wrong in every way that we ship."""

import json
import re

import pytest

from lstm_lab.labs.report import UNDONE
from tools.labs import SOLUTION

from .shipped import LABS, code_cells, run_cells

STUDENT = LABS / "01-gates.ipynb"
SOLVED = LABS / "solved" / "01-gates.ipynb"


def test_the_untouched_copy_runs_to_its_end_and_nothing_is_done(fresh_lab, no_window, capsys):
    run_cells(code_cells(STUDENT))
    results = fresh_lab.progress().results
    assert [(r.status, r.id) for r in results] == [(UNDONE, "untouched")] * 6
    assert capsys.readouterr().out.count("Not done yet") == 2


def test_the_solved_copy_is_all_done(fresh_lab, no_window, capsys):
    run_cells(code_cells(SOLVED))
    assert fresh_lab.progress().complete
    assert "assert progress().complete" in code_cells(SOLVED)[-1]
    said = capsys.readouterr().out
    assert "the same function" in said and "Steps until half of it is left" in said
    assert "Not done yet" not in said


def test_the_students_copy_holds_no_line_of_the_solution():
    source = (LABS / "source" / "01-gates.py").read_text(encoding="utf-8")
    solution = [
        line.strip()
        for match in SOLUTION.finditer(source)
        for line in match["lines"].splitlines()
        if line.strip() and line.strip() != "W, U, b = weights"
    ]
    assert len(solution) > 10
    student = "\n".join(code_cells(STUDENT))
    assert not [line for line in solution if line in student]
    assert "HIDDEN" not in student and "SOLUTION" not in student


@pytest.mark.parametrize("notebook", [STUDENT, SOLVED], ids=["student", "solved"])
def test_notebook_is_clean_and_its_links_lead_somewhere(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            assert all(len(line) <= 80 for line in text.splitlines())
        else:
            for target in re.findall(r"\]\((?![a-z]+:)([^)#]+)", text):
                assert (notebook.parent / target).exists(), target
