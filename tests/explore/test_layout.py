"""One folder a picture: what it alone uses lies in it, and no picture reaches into another's."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from lstm_lab import explore
from lstm_lab.explore import EXPLORABLES, Explorable
from lstm_lab.explore.core.bundle import FRONTEND, imports

EXPLORE = FRONTEND.parent
CORE = EXPLORE / "core"
PICTURES = sorted(path.parent for path in EXPLORE.glob("*/widget.py"))
EACH = pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)


def imported(path: Path) -> Iterator[Path]:
    """The files of `explore` that a module imports, Python's or JavaScript's."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        yield from ((path.parent / other).resolve() for other, _ in imports(source))
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1]
            module = folder.joinpath(*(node.module or "").split("."))
            names = [module / alias.name for alias in node.names]
            for found in (each.with_suffix(".py") for each in [module, *names]):
                if found.is_relative_to(EXPLORE) and found.is_file():
                    yield found


def reached(*paths: Path) -> set[Path]:
    """These files, and all that they import, however far."""
    found, left = set(), list(paths)
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += imported(path)
    return found


@EACH
@pytest.mark.parametrize("suffix", [".py", ".js"])
def test_a_picture_reaches_into_no_other(picture, suffix):
    shared = CORE if suffix == ".py" else FRONTEND
    for path in picture.rglob(f"*{suffix}"):
        for other in imported(path):
            near = other.is_relative_to(picture) or other.is_relative_to(shared)
            assert near, f"{path.relative_to(EXPLORE)} imports {other.relative_to(EXPLORE)}"


@pytest.mark.parametrize(("folder", "suffix"), [(CORE, ".py"), (FRONTEND, ".js")])
def test_what_is_shared_knows_no_picture(folder, suffix):
    for path in folder.rglob(f"*{suffix}"):
        for other in imported(path):
            assert other.is_relative_to(folder), f"{path.name} imports {other.name}"


@EACH
def test_every_module_of_the_browser_is_used(picture):
    used = reached(picture / "widget.js")
    assert {*picture.rglob("*.js")} <= used


@pytest.mark.parametrize(
    ("folder", "entry"), [(FRONTEND, "widget.js"), (CORE, "__init__.py")], ids=["js", "py"]
)
def test_what_is_shared_is_used_by_more_than_one_picture(folder, entry):
    users = Counter(path for picture in PICTURES for path in reached(picture / entry))
    suffix = Path(entry).suffix
    alone = {path for path in folder.rglob(f"*{suffix}") if users[path] < 2}
    # The equations stand together, whoever draws with them; embed.js stands in an exported page.
    alone -= {*folder.glob("equations/*"), folder / "embed.js", folder / "__init__.py"}
    assert not alone


def test_a_style_sheet_stands_beside_its_module():
    for path in FRONTEND.glob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert sum(text in widget_css for widget_css in map(css_of, PICTURES)) > 1, path.name
    for picture in PICTURES:
        own = picture / "widget.css"
        assert not own.exists() or own.read_text(encoding="utf-8") in css_of(picture)


def test_a_shared_rule_is_for_more_than_one_picture():
    sources = [
        (p.relative_to(EXPLORE).parts[0], p.read_text("utf-8")) for p in EXPLORE.rglob("*.js")
    ]
    for sheet in FRONTEND.glob("*.css"):
        for name in set(re.findall(r"\.(ll-[\w-]+)", sheet.read_text(encoding="utf-8"))):
            word = re.compile(rf"(?<![\w-]){name}(?![\w-])")
            users = {folder for folder, source in sources if word.search(source)}
            assert "frontend" in users or len(users) > 1, (sheet.name, name, users)


def css_of(picture: Path) -> str:
    module = import_module(f"lstm_lab.explore.{picture.name}.widget")
    return "".join(str(getattr(each, "_css", "")) for each in vars(module).values())


def test_every_folder_is_found():
    assert [kind.__name__ for kind in EXPLORABLES] == sorted(k.__name__ for k in EXPLORABLES)
    folders = {kind.__module__.split(".")[-2] for kind in EXPLORABLES}
    assert folders == {path.name for path in PICTURES} - {"quiz"}
    for kind in EXPLORABLES:
        assert getattr(explore, kind.__name__) is kind
        assert kind.__name__ in explore.__all__
        assert issubclass(kind, Explorable)


def test_what_is_not_there_is_said():
    with pytest.raises(ImportError, match="cannot import name 'CellExplored'"):
        from lstm_lab.explore import CellExplored  # noqa: F401


def test_only_the_picture_that_is_asked_for_is_imported():
    program = (
        "import sys; from lstm_lab import explore; from lstm_lab.explore import Question, Quiz; "
        "assert {'CellExplorer', 'EXPLORABLES'} <= {*dir(explore)}; "
        "print(*[m for m in sys.modules if m.startswith('lstm_lab.') and m.endswith('.widget')])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=EXPLORE.parents[1])
    assert done.stdout.split() == ["lstm_lab.explore.quiz.widget"], done.stderr
