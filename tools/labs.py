"""Find the labs, and make their notebooks, for students and solved, from their one source.

``lstm-lab labs build`` runs this in a checkout; with ``--check`` it only says what is out of date.

A lab is found by the name of its page, ``labs/source/NN-name.py``; `Source` says what goes with it.
The page is a Jupytext "percent" script and the only hand-written version. Two pairs of marks,
nbgrader's own, tell the copies apart:

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
from dataclasses import dataclass
from pathlib import Path

from lstm_lab.files import set_aside, write_whole

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


@dataclass(frozen=True)
class Source:
    """A lab's page, ``labs/source/NN-name.py``, and what belongs to it by its name."""

    path: Path

    @property
    def module(self) -> str:
        """What marks it: ``lstm_lab.labs.name``, with underscores for hyphens."""
        return f"lstm_lab.labs.{self.path.stem.partition('-')[2].replace('-', '_')}"

    @property
    def answers(self) -> Path:
        """Right and wrong answers: ``labs/source/NN-name_answers.py``."""
        return self.path.with_name(f"{self.path.stem}_answers.py")

    @property
    def student(self) -> Path:
        """The notebook that a student opens: ``labs/NN-name.ipynb``."""
        return self.path.parents[1] / f"{self.path.stem}.ipynb"

    @property
    def solved(self) -> Path:
        """The notebook with the solutions: ``labs/solved/NN-name.ipynb``."""
        return self.student.parent / "solved" / self.student.name

    @property
    def number(self) -> int:
        return int(self.path.stem.partition("-")[0])

    @property
    def title(self) -> str:
        """What the page's heading says after ``Lab N ·``."""
        return self._said(r"^# # Lab \d+ · (.+)$", "# # Lab 7 · What it is about")

    @property
    def minutes(self) -> int:
        """How long the lab takes, as its page says."""
        return int(self._said(r"\babout (\d+)\s+minutes\b", "Take about 45 minutes."))

    def _said(self, pattern: str, example: str) -> str:
        match = re.search(pattern, self.path.read_text(encoding="utf-8"), re.MULTILINE)
        if match is None:
            raise BuildError(f"{self.path}: the page has to say something like: {example}")
        return match[1]


def sources(labs: Path) -> list[Source]:
    """Every lab of the folder `labs`, in order."""
    paths = sorted((labs / "source").glob("[0-9][0-9]-*.py"))
    return [Source(path) for path in paths if not path.stem.endswith("_answers")]


def build(source: Source) -> dict[Path, str]:
    """Return what the student's and the solved notebook of one lab should hold.

    Returns
    -------
    dict
        The text of each notebook by its path.

    Raises
    ------
    BuildError
        If jupytext is missing, or a mark has no partner.
    """
    cells = _cells(source.path)
    student = [copied for cell in cells if (copied := _for_student(cell, source.path))]
    solved = [copied for cell in cells if (copied := _for_solved(cell, source.path))]
    solved[0] = solved[0] | {"source": HEADING.sub(r"\1 (solved)", solved[0]["source"], count=1)}
    return {
        source.student: _notebook(student, source.path),
        source.solved: _notebook(solved, source.path),
    }


def _cells(source: Path) -> list[dict]:
    try:
        import jupytext
    except ImportError as missing:
        raise BuildError(
            "jupytext is needed to build the labs, and it is not installed. It comes with the "
            'test extras: python -m pip install -e ".[test]"'
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
        prog="lstm-lab labs build", description="Make the labs' notebooks from labs/source."
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
        for source in sources(labs):
            wanted |= build(source)
    except BuildError as error:
        print(f"lstm-lab labs build: {error}", file=sys.stderr)
        return 1
    if arguments.check:
        return max([_compare(path, text, labs) for path, text in wanted.items()], default=0)
    made = [_make(path, text, labs, arguments.force) for path, text in wanted.items()]
    return max(made, default=0)


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
            print(f"{name} is kept as {set_aside(path).name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode("utf-8"))
    print(f"{name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
