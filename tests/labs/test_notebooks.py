"""The notebooks of every lab: untouched, solved, and with nothing given away."""

import json
import re

import pytest

from lstm_lab.labs.report import UNDONE

from .shipped import EACH_LAB, EVERY, code_cells, run_cells

NOTEBOOKS = [path for each in EVERY for path in (each.source.student, each.source.solved)]


@EACH_LAB
def test_the_untouched_copy_runs_to_its_end_and_nothing_is_done(shipped, first_day, no_window):
    lab = first_day(shipped.module)
    run_cells(code_cells(shipped.source.student))
    results = lab.progress().results
    assert [(r.status, r.id) for r in results] == [(UNDONE, "untouched")] * len(results)


@EACH_LAB
def test_the_solved_copy_is_all_done(shipped, first_day, no_window):
    lab = first_day(shipped.module)
    run_cells(code_cells(shipped.source.solved))
    assert lab.progress().complete
    assert "assert progress().complete" in code_cells(shipped.source.solved)[-1]


@EACH_LAB
def test_the_students_copy_holds_no_line_of_the_solution(shipped):
    assert len(shipped.solution) >= len(shipped.lab.exercises)
    student = "\n".join(code_cells(shipped.source.student))
    assert not [line for line in shipped.solution if line in student]
    assert "HIDDEN" not in student and "SOLUTION" not in student


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
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
