"""The book brought up to date: what a reader has written is never lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lstm_lab import cli
from lstm_lab.update import UpdateError, update

READ, WRITTEN, SAME = "book/00-start.ipynb", "labs/01-cell.ipynb", "book/02-same.ipynb"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def write(path: Path, source: str, outputs: list[dict] | None = None) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": [source],
            "outputs": outputs or [], "execution_count": 1 if outputs else None}  # fmt: skip
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def commit(folder: Path, said: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", said)


OUTPUT = [{"output_type": "stream", "name": "stdout", "text": ["1"]}]


@pytest.fixture
def published(tmp_path: Path, require) -> Path:
    """What others publish, at its first version."""
    require("git", "your system's package git")
    folder = tmp_path / "published"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("*.mine-*.ipynb\n")
    (folder / "README.md").write_text("one\n")
    for name in (READ, WRITTEN, SAME):
        write(folder / name, "one")
    commit(folder, "one")
    return folder


@pytest.fixture
def clone(published: Path, tmp_path: Path) -> Path:
    """A reader's clone, in which every notebook has been run and one has been worked in."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(published), str(folder))
    for name in (READ, SAME):
        write(folder / name, "one", OUTPUT)
    write(folder / WRITTEN, "my answer", OUTPUT)
    return folder


def publish(published: Path) -> None:
    for name in (READ, WRITTEN):
        write(published / name, "two")
    (published / "README.md").write_text("two\n")
    commit(published, "two")


def source(path: Path) -> str:
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])


def test_git_alone_refuses_what_update_does(published: Path, clone: Path):
    publish(published)
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "pull", "--quiet", "--ff-only")
    mine, same = (clone / WRITTEN).read_bytes(), (clone / SAME).read_bytes()
    (kept,) = update(clone / "book")
    assert kept.relative_to(clone) == Path("labs/01-cell.mine-1.ipynb")
    assert kept.read_bytes() == mine
    assert source(clone / READ) == source(clone / WRITTEN) == "two"
    assert (clone / "README.md").read_text() == "two\n"
    # What the update does not change stays, outputs and all.
    assert (clone / SAME).read_bytes() == same
    assert git(clone, "status", "--porcelain").split() == ["M", SAME]

    # A second update finds another name.
    write(clone / WRITTEN, "my second answer")
    write(published / WRITTEN, "three")
    commit(published, "three")
    (again,) = update(clone)
    assert again.name == "01-cell.mine-2.ipynb"
    assert source(again) == "my second answer"
    assert kept.read_bytes() == mine


def test_nothing_published_changes_nothing(clone: Path):
    before = {path: path.read_bytes() for path in clone.rglob("*.ipynb")}
    assert update(clone) == []
    assert {path: path.read_bytes() for path in clone.rglob("*.ipynb")} == before


def test_what_git_cannot_do_is_said_and_nothing_changes(published: Path, clone: Path):
    publish(published)
    (clone / "README.md").write_text("mine\n")
    before = {path: path.read_bytes() for path in clone.rglob("*.ipynb")}
    with pytest.raises(UpdateError, match=r"made or changed README\.md, which the update"):
        update(clone)
    git(clone, "checkout", "--", "README.md")
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "mine")
    with pytest.raises(UpdateError, match="has commits of its own"):
        update(clone)
    assert {path: path.read_bytes() for path in clone.rglob("*.ipynb")} == before
    git(clone, "branch", "--unset-upstream")
    with pytest.raises(UpdateError, match="no upstream"):
        update(clone)


def test_a_file_of_the_readers_own_in_the_way_stops_it_before_anything(published, clone):
    publish(published)
    write(published / "book/03-new.ipynb", "new")
    commit(published, "new")
    write(clone / "book/03-new.ipynb", "mine")
    before = {path: path.read_bytes() for path in clone.rglob("*.ipynb")}
    with pytest.raises(UpdateError, match=r"03-new\.ipynb"):
        update(clone)
    assert {path: path.read_bytes() for path in clone.rglob("*.ipynb")} == before


def test_a_notebook_that_cannot_be_read_is_kept(published: Path, clone: Path):
    publish(published)
    (clone / READ).write_text("{ half a file")
    assert [path.name for path in update(clone)] == [
        "00-start.mine-1.ipynb",
        "01-cell.mine-1.ipynb",
    ]


def test_the_command_says_where_the_readers_version_is(published, clone, monkeypatch, capsys):
    publish(published)
    monkeypatch.chdir(clone)
    assert cli.main(["update"]) == 0
    assert "01-cell.mine-1.ipynb" in capsys.readouterr().out


def test_a_folder_that_is_no_clone_is_said(tmp_path: Path, monkeypatch, capsys):
    write(tmp_path / READ, "one")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert cli.main(["update"]) == 1
    assert "not a git repository" in capsys.readouterr().err
