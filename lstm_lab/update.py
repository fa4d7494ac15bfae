"""Floor 6: a clone of the book brought up to date, with what its reader has written kept.

A notebook that has been run and saved differs from the committed one, and ``git pull`` refuses to
touch it. Here one that was only run gives way; one in which something was written is set aside
first, as ``NAME.mine-1.ipynb``.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from .files import set_aside

UPSTREAM = "@{upstream}"


class UpdateError(Exception):
    """Why the clone stays as it is; its text says what to do."""


def update(folder: Path) -> list[Path]:
    """Take over what has been published since, as ``git pull`` does.

    Only notebooks that the update changes are touched. Nothing happens unless all of it can.

    Parameters
    ----------
    folder : Path
        In the clone.

    Returns
    -------
    list of Path
        Where the reader's own versions of notebooks are now.

    Raises
    ------
    UpdateError
        If it is no clone, follows no branch, has commits of its own, or has changes in other
        files that the update changes too.
    """
    root = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    _git(root, "rev-parse", UPSTREAM)
    _git(root, "fetch", "--quiet")
    if _git(root, "rev-list", f"{UPSTREAM}..HEAD"):
        raise UpdateError(
            "this clone has commits of its own. Join them with the published ones by hand, "
            "for example with: git pull --rebase"
        )
    published = _names(root, "diff", "--name-only", "--no-renames", "HEAD", UPSTREAM)
    known = _names(root, "ls-tree", "-r", "--name-only", "--full-tree", "HEAD")
    changed = published & known & _names(root, "diff", "--name-only", "--no-renames", "HEAD")
    made = {name for name in published - known if (root / name).exists()}
    if others := sorted(made | {name for name in changed if not name.endswith(".ipynb")}):
        raise UpdateError(
            f"you have made or changed {', '.join(others)}, which the update brings too. Move "
            "your version elsewhere or commit it, and call this again"
        )
    kept = []
    for name in sorted(changed):
        path = root / name
        if path.is_file() and not _only_run(path, _git(root, "show", f"HEAD:{name}")):
            kept.append(set_aside(path))
        _git(root, "checkout", "--quiet", "HEAD", "--", name)
    _git(root, "merge", "--quiet", "--ff-only", UPSTREAM)
    return kept


def _names(root: Path, command: str, *arguments: str) -> set[str]:
    """The files that git lists."""
    return {*_git(root, command, "-z", *arguments).split("\0")} - {""}


def _only_run(path: Path, committed: str) -> bool:
    """Say whether what is written in a notebook is what was committed."""
    try:
        return _written(path.read_text(encoding="utf-8")) == _written(committed)
    except (ValueError, KeyError, TypeError):
        return False


def _written(notebook: str) -> list[tuple[str, str, object]]:
    return [
        (cell["cell_type"], "".join(cell["source"]), cell.get("attachments"))
        for cell in json.loads(notebook)["cells"]
    ]


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, encoding="utf-8"
        )
    except FileNotFoundError:
        raise UpdateError("git is not installed, or not in the PATH") from None
    if done.returncode:
        raise UpdateError(f"git {arguments[0]} says: {done.stderr.strip()}")
    return done.stdout
