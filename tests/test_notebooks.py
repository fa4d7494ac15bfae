"""Every notebook is run, and none is committed with what a run left in it.

nbval runs the notebooks themselves, as pyproject.toml tells pytest to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PASSED_BY = {".git", ".venv", ".ipynb_checkpoints", "node_modules", "test-artifacts"}


def git(*arguments: str) -> bytes | None:
    """What git answers in this project; None where it is not a checkout, or git is missing."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout


def committed() -> list[str]:
    """The notebooks that git knows of."""
    return names(git("ls-files", "-z", "--cached", "--", "*.ipynb"))


def names(listing: bytes | None) -> list[str]:
    return sorted(filter(None, (listing or b"").decode().split("\0")))


def in_the_tree() -> set[str]:
    """The notebooks of the working tree that git would not ignore."""
    new = git("ls-files", "-z", "--others", "--exclude-standard", "--", "*.ipynb")
    if new is not None:
        return {name for name in (*committed(), *names(new)) if (ROOT / name).exists()}
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*.ipynb"))
    return {path.as_posix() for path in paths if not PASSED_BY & set(path.parts)}


def has_code(name: str) -> bool:
    cells = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
    return any(cell["cell_type"] == "code" for cell in cells)


def make_test(inherited: dict[str, str]) -> list[str]:
    """The arguments that `make test` gives to pytest; none where there is no make."""
    try:
        plan = subprocess.run(
            ["make", "--dry-run", "test"], cwd=ROOT, env=inherited, capture_output=True, text=True
        )
    except FileNotFoundError:
        return []
    return plan.stdout.splitlines()[-1].partition("-m pytest")[2].split()


def test_every_notebook_is_run():
    inherited = {
        name: value
        for name, value in os.environ.items()
        if "PYTEST" not in name and not name.startswith(("MAKE", "MFLAGS", "ARGS"))
    }
    # The tests in Python are left aside to save their import, and the workers to save theirs.
    collect = ["-n0", "--collect-only", "-qq", "-r", "", "--ignore-glob=*.py"]
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", *make_test(inherited), *collect],
        cwd=ROOT,
        env=inherited,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    run = {line.rpartition(": ")[0] for line in answer.stdout.splitlines() if ".ipynb" in line}
    unrun = {name for name in in_the_tree() if has_code(name)} - run
    assert not unrun, f"these notebooks are not run by `make test`: {sorted(unrun)}"


@pytest.mark.parametrize("name", committed() or ["."])
def test_committed_notebook_holds_no_trace_of_a_run(name: str):
    # A reader who has run the book has outputs in the working tree: what git holds counts.
    content = git("show", f":{name}") if name != "." else None
    if content is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no notebook is committed, or git is missing")
        pytest.skip("no notebook is committed here: this test needs a git checkout")
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
        assert "execution" not in cell["metadata"]
    assert "widgets" not in notebook["metadata"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
