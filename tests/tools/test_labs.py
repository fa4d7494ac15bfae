"""The builder: the same source gives the same notebooks, and nobody's work is lost."""

import json
import sys

import nbformat
import pytest

from lstm_lab import files
from tests.labs.shipped import LABS
from tools import labs as build

SOURCE = '''# %% [markdown]
# # Lab 9 · Doubling
#
# See [chapter 1](../book/01.ipynb#top), [the web](https://example.org/a) and
# [the solved lab](solved/09-double.ipynb).

# %%
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    helper = 2
    y = helper * x
    z = y
    ### END SOLUTION
    return z, y


# %%
double(1)

# %%
double(1)

# %%
### BEGIN HIDDEN TESTS
assert double(1) == (2, 2)
### END HIDDEN TESTS
'''


@pytest.fixture
def labs(tmp_path, monkeypatch):
    """A small house of labs, in which we stand."""
    (tmp_path / "labs" / "source").mkdir(parents=True)
    (tmp_path / "labs" / "source" / "09-double.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "labs"


def _load(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def _cells(path):
    return ["".join(cell["source"]) for cell in _load(path)]


def test_committed_notebooks_are_what_the_source_gives(monkeypatch, capsys):
    monkeypatch.chdir(LABS.parent)
    assert build.main(["--check"]) == 0, capsys.readouterr().out


def test_student_and_solved_copies(labs):
    assert build.main([]) == 0
    student = _cells(labs / "09-double.ipynb")
    solved = _cells(labs / "solved" / "09-double.ipynb")
    head = 'def double(x):\n    """Twice x."""\n'
    assert student[1] == f"{head}    # Your lines here.\n    z = ...\n    y = ...\n    return z, y"
    assert solved[1] == (f"{head}    helper = 2\n    y = helper * x\n    z = y\n    return z, y")
    assert student[2:] == ["double(1)", "double(1)"]
    assert solved[-1] == "assert double(1) == (2, 2)"
    assert solved[0].startswith("# Lab 9 · Doubling (solved)\n")
    assert "](../book/01.ipynb#top)" in student[0] and "](../../book/01.ipynb#top)" in solved[0]
    assert "](https://example.org/a)" in solved[0] and "](09-double.ipynb)" in solved[0]


def test_notebooks_are_valid_and_the_same_each_time(labs):
    build.main([])
    paths = [labs / "09-double.ipynb", labs / "solved" / "09-double.ipynb"]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"
        path.unlink()
    build.main([])
    assert [path.read_bytes() for path in paths] == before


def test_a_new_cell_leaves_the_ids_of_the_others_alone(labs):
    build.main([])
    path = labs / "09-double.ipynb"
    before = {(cell["id"], *cell["source"]) for cell in _load(path)}
    assert len({cell["id"] for cell in _load(path)}) == len(_load(path))
    new = SOURCE.replace("# %%\ndef", "# %%\nimport math\n\n# %%\ndef", 1)
    (labs / "source" / "09-double.py").write_text(new, encoding="utf-8")
    assert build.main([]) == 0
    after = {(cell["id"], *cell["source"]) for cell in _load(path)}
    assert before < after and len(after) == len(before) + 1


def test_check_reports_drift_and_changes_nothing(labs, capsys):
    assert build.main(["--check"]) == 1
    assert "labs/09-double.ipynb is missing" in capsys.readouterr().out
    build.main([])
    assert build.main(["--check"]) == 0
    old = (labs / "09-double.ipynb").read_bytes()
    source = labs / "source" / "09-double.py"
    source.write_text(SOURCE.replace("Twice x", "Double x"), encoding="utf-8")
    capsys.readouterr()
    assert build.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "labs/09-double.ipynb is out of date" in said
    assert "labs/solved/09-double.ipynb is out of date" in said
    assert (labs / "09-double.ipynb").read_bytes() == old
    assert build.main([]) == 0 and build.main(["--check"]) == 0


def _work(path, text="z = y = 2 * x"):
    notebook = json.loads(path.read_text("utf-8"))
    cell = notebook["cells"][1]
    cell["source"] = ["".join(cell["source"]).replace("z = ...", text)]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path.read_bytes()


def test_a_students_work_is_never_overwritten(labs, capsys):
    build.main([])
    path = labs / "09-double.ipynb"
    mine = _work(path)
    capsys.readouterr()
    assert build.main([]) == 1
    said = capsys.readouterr().err
    assert "labs/09-double.ipynb holds work" in said and "--force" in said
    assert path.read_bytes() == mine
    assert build.main(["--check"]) == 1
    assert "was changed by hand" in capsys.readouterr().out


def test_work_in_a_notebook_without_a_digest_or_broken_is_kept_too(labs):
    path = labs / "09-double.ipynb"
    for text in ("", "not json", "[]", '{"cells": [], "metadata": {}}', '{"cells": 3}'):
        path.write_text(text, encoding="utf-8")
        assert build.main([]) == 1
        assert path.read_text("utf-8") == text


def test_force_keeps_the_old_one_beside_each_time(labs, capsys):
    build.main([])
    path = labs / "09-double.ipynb"
    first = _work(path)
    assert build.main(["--force"]) == 0
    second = _work(path, "z = y = x + x")
    assert build.main(["--force"]) == 0
    assert (labs / "09-double.mine-1.ipynb").read_bytes() == first
    assert (labs / "09-double.mine-2.ipynb").read_bytes() == second
    assert "09-double.mine-2.ipynb" in capsys.readouterr().out
    assert build.main(["--check"]) == 0


def test_outputs_and_counts_are_no_work(labs):
    build.main([])
    path = labs / "09-double.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    notebook["cells"][2] |= {"execution_count": 7, "outputs": [], "id": "abc"}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert build.is_untouched(path)
    assert build.main([]) == 0 and build.main(["--check"]) == 0


def test_a_write_that_fails_leaves_the_old_notebook_and_no_litter(labs, monkeypatch):
    build.main([])
    before = {path: path.read_bytes() for path in labs.rglob("*.ipynb")}
    (labs / "source" / "09-double.py").write_text(SOURCE.replace("Twice", "2 x"), "utf-8")

    def no_disk(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(files.os, "replace", no_disk)
    with pytest.raises(OSError, match="no space"):
        build.main([])
    assert {path: path.read_bytes() for path in labs.rglob("*.ipynb")} == before
    assert not list(labs.rglob("*.part"))


def test_a_mark_without_a_partner_is_refused(labs, capsys):
    source = labs / "source" / "09-double.py"
    source.write_text(SOURCE.replace("    ### END SOLUTION\n", ""), encoding="utf-8")
    assert build.main([]) == 1
    assert "mark has no partner" in capsys.readouterr().err
    assert not (labs / "09-double.ipynb").exists()


def test_without_jupytext_it_says_what_to_install(labs, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jupytext", None)
    assert build.main([]) == 1
    assert 'pip install -e ".[test]"' in capsys.readouterr().err


def test_from_any_folder_below_the_labs_are_found(labs, monkeypatch):
    (labs / "source" / "deep").mkdir()
    monkeypatch.chdir(labs / "source" / "deep")
    assert build.main([]) == 0
    assert (labs / "09-double.ipynb").exists()


def test_what_belongs_to_a_lab_is_found_by_the_name_of_its_page(labs):
    (labs / "source" / "10-back-in-time.py").write_text(SOURCE, encoding="utf-8")
    (labs / "source" / "10-back-in-time_answers.py").touch()
    double, back = build.sources(labs)
    assert (double.number, double.module) == (9, "lstm_lab.labs.double")
    assert (back.number, back.module) == (10, "lstm_lab.labs.back_in_time")
    assert back.answers == labs / "source" / "10-back-in-time_answers.py"
    assert back.student == labs / "10-back-in-time.ipynb"
    assert back.solved == labs / "solved" / "10-back-in-time.ipynb"
    assert build.main([]) == 0 and back.student.exists() and back.solved.exists()


def test_a_page_says_what_the_lab_is_called_and_how_long_it_takes(labs):
    (lab,) = build.sources(labs)
    assert lab.title == "Doubling"
    with pytest.raises(build.BuildError, match=r"09-double\.py: .* about 45 minutes"):
        assert lab.minutes
    lab.path.write_text(f"{SOURCE}\n# %% [markdown]\n# Take about 7 minutes.\n", encoding="utf-8")
    assert lab.minutes == 7
