"""`make check`: what it finds fault with, and which tests it takes to be a change's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools import check


@pytest.mark.parametrize("name", ["ruff", "ruff format", "mypy", "oxlint", "oxfmt"])
def test_all_files_pass(name):
    answer = subprocess.run(
        check.steps()[name], cwd=check.ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_step_is_a_test():
    assert list(check.steps()) == ["ruff", "ruff format", "mypy", "oxlint", "oxfmt"]


def test_no_line_of_javascript_is_too_long():
    assert check.long_lines() == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "book/06-training.ipynb",
        "tests/data/test_windows.py",
        "tests/data/shared.py",
        "tests/layers/test_attention.py",
        "tests/test_optim.py",
        "tests/test_setup.py",
        "tests/test_validation.py",
        "tests/tools/test_check.py",
        "tests/explore/cell/test_model.py",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("lstm_lab/data/windows.py", ["tests/data/test_windows.py", "tests/data"]),
        ("lstm_lab/data/series.py", ["tests/data"]),
        ("lstm_lab/optim.py", ["tests/test_optim.py"]),
        ("lstm_lab/layers/attention.py", ["tests/layers/test_attention.py", "tests/layers"]),
        ("lstm_lab/layers/lstm.py", ["tests/layers"]),
        ("lstm_lab/__init__.py", ["tests/layers"]),
        ("lstm_lab/explore/cell/cell.js", ["tests/explore/cell", "tests/explore"]),
        ("tools/check.py", ["tests/tools/test_check.py", "tests/tools"]),
        ("tests/data/shared.py", ["tests/data"]),
        ("tests/test_optim.py", ["tests/test_optim.py"]),
        ("book/06-training.ipynb", ["book/06-training.ipynb"]),
        ("book/references.bib", []),
        ("README.md", []),
    ],
)
def test_the_tests_of_a_file_are_found_by_name(tree, file, found):
    assert check.related([file], tree) == [*found, *check.ALWAYS]


def test_what_is_near_comes_first(tree):
    found = check.related(["lstm_lab/data/series.py", "lstm_lab/optim.py"], tree)
    assert found == ["tests/test_optim.py", "tests/data", *check.ALWAYS]


def test_a_long_line_is_found(tmp_path):
    (tmp_path / "lstm_lab").mkdir()
    (tmp_path / "lstm_lab" / "a.js").write_text(f"{'a' * 100}\n// {'–' * 98}\n", encoding="utf-8")
    assert check.long_lines(tmp_path) == ["lstm_lab/a.js:2: 101 characters"]
