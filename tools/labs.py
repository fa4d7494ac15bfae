"""Make the labs' notebooks, for students and solved, from their one source.

``labs/source/NN-name.py`` is a Jupytext "percent" script and the only hand-written version. Two
pairs of marks, nbgrader's own, tell the copies apart:

- What stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` is in the solved copy. The
  student's has ``name = ...`` instead, for each name that the lines after it need.
- What stands between ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS`` is in the solved copy
  alone.

The same source gives the same bytes. A notebook remembers a digest of the cells that it was built
with; one whose cells are not those any more is somebody's work, and is never overwritten.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import posixpath
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from lstm_lab.files import write_whole

SOURCES = "[0-9][0-9]-*.py"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
SOLUTION = re.compile(
    r"(?P<indent>[ \t]*)### BEGIN SOLUTION\n(?P<lines>.*?)[ \t]*### END SOLUTION\n?", re.DOTALL
)
HIDDEN = re.compile(
    r"[ \t]*### BEGIN HIDDEN TESTS\n(?P<lines>.*?)[ \t]*### END HIDDEN TESTS\n?", re.DOTALL
)
HEADING = re.compile(r"^(# .*)$", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)[^)\s]+(?=\))")


class BuildError(Exception):
    """A lab that cannot be built; the message says what to do."""


def build(source: Path) -> dict[Path, str]:
    """Return what the student's and the solved notebook of one source should hold.

    Parameters
    ----------
    source : ``labs/source/NN-name.py``.

    Returns
    -------
    dict
        The text of each notebook by its path.

    Raises
    ------
    BuildError
        If jupytext is missing, or a mark has no partner.
    """
    cells = _cells(source)
    labs = source.parent.parent
    name = source.with_suffix(".ipynb").name
    student = [copied for cell in cells if (copied := _for_student(cell, source))]
    solved = [copied for cell in cells if (copied := _for_solved(cell, source))]
    solved[0] = solved[0] | {"source": HEADING.sub(r"\1 (solved)", solved[0]["source"], count=1)}
    return {
        labs / name: _notebook(student, source),
        labs / "solved" / name: _notebook(solved, source),
    }


def _cells(source: Path) -> list[dict]:
    try:
        import jupytext
    except ImportError as missing:
        raise BuildError(
            "jupytext is needed to build the labs, and it is not installed. It comes with the "
            "test extras: python -m pip install -e '.[test]'"
        ) from missing
    cells, seen = [], {}
    for cell in jupytext.read(source, fmt="py:percent").cells:
        # From the text, not from the place: a new cell leaves the ids of the others alone.
        text = f"{cell.cell_type}\n{cell.source}"
        seen[text] = seen.get(text, 0) + 1
        digest = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()
        cells.append({"id": digest[:12], "type": cell.cell_type, "source": cell.source})
    return cells


def _for_student(cell: dict, source: Path) -> dict | None:
    if cell["type"] != "code":
        return cell
    text = SOLUTION.sub(_stub, HIDDEN.sub("", cell["source"] + "\n"))
    return _checked(cell, text, source)


def _for_solved(cell: dict, source: Path) -> dict | None:
    if cell["type"] != "code":
        return cell | {"source": LINK.sub(_link_from_solved, cell["source"])}
    text = HIDDEN.sub(r"\g<lines>", SOLUTION.sub(r"\g<lines>", cell["source"] + "\n"))
    return _checked(cell, text, source)


def _checked(cell: dict, text: str, source: Path) -> dict | None:
    if re.search("### (BEGIN|END) ", text):
        raise BuildError(f"{source}: a BEGIN or END mark has no partner in this cell:\n{text}")
    text = text.strip("\n")
    return cell | {"source": text} if text else None


def _stub(match: re.Match) -> str:
    """What stands in the student's copy: a placeholder for each name that is needed later."""
    indent, rest = match["indent"], match.string[match.end() :]
    lines = "\n".join(line.removeprefix(indent) for line in match["lines"].splitlines())
    assigned = [
        node.id
        for node in ast.walk(ast.parse(lines))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    # In the order of their use, which gives nothing away.
    needed = [name for name in dict.fromkeys(re.findall(r"\w+", rest)) if name in assigned]
    placeholders = [f"{name} = ..." for name in needed] or ["..."]
    return "".join(f"{indent}{line}\n" for line in ["# Your lines here.", *placeholders])


def _link_from_solved(match: re.Match) -> str:
    target, hash, anchor = match[0].partition("#")
    return posixpath.relpath(target, "solved") + hash + anchor


def _notebook(cells: list[dict], source: Path) -> str:
    made = []
    for cell in cells:
        entry = {"cell_type": cell["type"], "id": cell["id"], "metadata": {}}
        if cell["type"] == "code":
            entry |= {"execution_count": None, "outputs": []}
        made.append(entry | {"source": cell["source"].splitlines(keepends=True)})
    notebook = {
        "cells": made,
        "metadata": {
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            "lstm_lab": {"built_from": f"labs/source/{source.name}", "digest": _digest(made)},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _digest(cells: list[dict]) -> str:
    """Of what is written in the cells; not of outputs, counts and ids, which are no one's work."""
    written = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    return hashlib.sha256(json.dumps(written).encode()).hexdigest()


def is_untouched(notebook: Path) -> bool:
    """Say whether a notebook's cells are still those that it was built with."""
    try:
        found = json.loads(notebook.read_text(encoding="utf-8"))
        return found["metadata"]["lstm_lab"]["digest"] == _digest(found["cells"])
    except (ValueError, KeyError, TypeError):
        return False


def _set_aside(path: Path) -> Path:
    """Rename a notebook to the first free name beside it."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.mine-{number}.ipynb")).exists():
        number += 1
    path.rename(aside)
    return aside


def find_labs(start: Path) -> Path:
    """Return the folder of labs: in `start`, above it, or beside this program.

    Raises
    ------
    BuildError
        If there is none.
    """
    for folder in (start, *start.parents, Path(__file__).resolve().parents[1]):
        if (folder / "labs" / "source").is_dir():
            return folder / "labs"
    raise BuildError(f"there is no labs/source in {start}, nor in a folder above it.")


def main(argv: Sequence[str]) -> int:
    """Build every lab, or with ``--check`` only say which notebooks are out of date.

    Returns
    -------
    int
        0 when all is well; 1 after a drift, a refusal or an error, which is printed.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tools.labs", description="Make the labs' notebooks from labs/source."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if a notebook is out of date"
    )
    parser.add_argument(
        "--force", action="store_true", help="set a changed notebook aside, and build it anew"
    )
    arguments = parser.parse_args(argv)
    try:
        labs = find_labs(Path.cwd())
        wanted: dict[Path, str] = {}
        for source in sorted((labs / "source").glob(SOURCES)):
            wanted |= build(source)
    except BuildError as error:
        print(f"python -m tools.labs: {error}", file=sys.stderr)
        return 1
    if arguments.check:
        return max([_compare(path, text, labs) for path, text in wanted.items()])
    return max([_make(path, text, labs, arguments.force) for path, text in wanted.items()])


def _compare(path: Path, text: str, labs: Path) -> int:
    name = path.relative_to(labs.parent)
    if not path.exists():
        print(f"{name} is missing: run `lstm-lab labs build`.")
        return 1
    if path.read_text(encoding="utf-8") != text:
        why = "is out of date" if is_untouched(path) else "was changed by hand"
        print(f"{name} {why}: it is not what labs/source gives.")
        return 1
    return 0


def _make(path: Path, text: str, labs: Path, force: bool) -> int:
    name = path.relative_to(labs.parent)
    if path.exists():
        if path.read_text(encoding="utf-8") == text:
            print(f"{name} is up to date")
            return 0
        if not is_untouched(path):
            if not force:
                print(
                    f"{name} holds work that no build made, and is left as it is. To build it "
                    "anew, rename it; or run `lstm-lab labs build --force`, which keeps it "
                    "beside, under another name.",
                    file=sys.stderr,
                )
                return 1
            print(f"{name} is kept as {_set_aside(path).name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode("utf-8"))
    print(f"{name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
