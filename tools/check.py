"""``make check``: the style, the types, the book's lint, and the tests of what changed.

``python -m tools.check [--since COMMIT] [--seconds N] [--fix]``

What changed is what differs from the commit where this branch left ``main``, the working tree
included. The tests of a module are found by name: ``lstm_lab/data/windows.py`` has those of
``tests/data/`` and ``tests/test_data.py``, and every ``test_windows*.py``. Files of tests that take
minutes (`LONG` in tests/conftest.py) are left out unless they changed, and the others end after N
seconds; the last line says so. `make test` runs them all. ``--fix`` formats, and repairs what
repairs itself.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# CSS and JSON are left to the hand.
JAVASCRIPT = ("lstm_lab/**/*.{js,mjs}", "tests/**/*.{js,mjs}")
LONGEST = 100
SCREEN = 40
# What every change may break, in a few seconds.
ALWAYS = ("tests/test_setup.py", "tests/test_validation.py")
# What a module is tested with that no test is named after.
LAYERS = "tests/layers"


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def steps(fix: bool = False) -> dict[str, list[str]]:
    """Each check that looks at all files: its name and its command."""
    return {
        "ruff": python("-m", "ruff", "check", *(["--fix"] if fix else [])),
        "ruff format": python("-m", "ruff", "format", *([] if fix else ["--check"])),
        "mypy": python("-m", "mypy"),
        "oxlint": [str(BIN / "oxlint"), *(["--fix"] if fix else []), "lstm_lab", "tests"],
        "oxfmt": [str(BIN / "oxfmt"), "--write" if fix else "--list-different", *JAVASCRIPT],
    }


def long_lines(root: Path = ROOT) -> list[str]:
    """Lines of JavaScript that are longer than 100 characters: no formatter splits a text."""
    return [
        f"{path.relative_to(root)}:{number}: {len(line)} characters"
        for folder in ("lstm_lab", "tests")
        for path in sorted((root / folder).rglob("*js"))
        if path.suffix in (".js", ".mjs")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > LONGEST
    ]


def changed(since: str | None) -> list[str]:
    """Files that differ from a commit, or from where this branch left main; new ones too."""
    base = since or git("merge-base", "HEAD", "main")[0]
    new = git("ls-files", "--others", "--exclude-standard")
    return sorted({*git("diff", "--name-only", "--diff-filter=d", base), *new})


def git(*arguments: str) -> list[str]:
    answer = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return answer.stdout.splitlines()


def related(files: Iterable[str], root: Path = ROOT) -> list[str]:
    """The test files and folders of these files, the nearest first."""
    near: dict[str, None] = {}
    far: dict[str, None] = {}
    for file in files:
        path = Path(file)
        page = path.suffix == ".ipynb" and path.parts[0] in ("book", "labs")
        if page or (path.parts[0] == "tests" and path.name.startswith("test_")):
            near[file] = None
        elif path.parts[0] in ("tests", "tools", "benchmarks", "lstm_lab"):
            own, wider = _named_after(path, root)
            near |= dict.fromkeys(own)
            far |= dict.fromkeys(wider)
    found = [*near, *(name for name in far if name not in near), *ALWAYS]
    return [name for name in dict.fromkeys(found) if (root / name).exists()]


def _named_after(path: Path, root: Path) -> tuple[list[str], list[str]]:
    """Test files with a module's own name, and those of the packages that it lies in."""
    parts = path.with_suffix("").parts
    inside = parts if parts[0] in ("tools", "benchmarks") else parts[1:]
    if parts[0] == "tests":
        # What several tests share: all of its folder.
        return [], [path.parent.as_posix()] if len(parts) > 2 else []
    own = [
        found.relative_to(root).as_posix()
        for found in sorted((root / "tests").rglob(f"test_{inside[-1]}*.py"))
        if inside[-1] != "__init__"
    ]
    wider = []
    for depth in range(len(inside) - 1, 0, -1):
        stem = Path("tests", *inside[: depth - 1])
        places = (stem / inside[depth - 1], stem / f"test_{inside[depth - 1]}.py")
        wider += [place.as_posix() for place in places if (root / place).exists()]
    return own, wider if wider or own else [LAYERS]


def run(name: str, command: Sequence[str]) -> bool:
    start = time.perf_counter()
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    right = answer.returncode == 0
    print(f"{'ok    ' if right else 'FAILED'} {name} ({time.perf_counter() - start:.1f} s)")
    if not right:
        report(f"{answer.stdout}\n{answer.stderr}".strip().splitlines())
    return right


def report(lines: Sequence[str]) -> None:
    """What is wrong, but no more than fits a screen."""
    print(*lines[:SCREEN], sep="\n")
    if len(lines) > SCREEN:
        print(f"… and {len(lines) - SCREEN} lines more")


def run_tests(names: Sequence[str], files: Sequence[str], seconds: float) -> bool:
    """Run tests until they end or the time is up; long ones only where they are changed files."""
    from tests.conftest import LONG

    left_out = [name for name in LONG if name not in files]
    names = [name for name in names if name not in left_out]
    print("tests of what changed:", *names)
    command = python("-m", "pytest", "-q", "--no-header", "-m", "not browser", "-x")
    command += ["--numprocesses", "auto", "--dist", "loadfile"]
    command += [f"--ignore={name}" for name in left_out]
    process = subprocess.Popen([*command, *names], cwd=ROOT)
    try:
        return process.wait(timeout=seconds) in (0, 5)  # 5: there was none
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.wait()
        # The first failure would have ended it.
        print(f"after {seconds:.0f} s the rest was left out; `make test` runs all")
        return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every check; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m tools.check", description=__doc__)
    parser.add_argument("--since", help="compare with this commit, not with main's")
    parser.add_argument("--seconds", type=float, default=75, help="time for the tests")
    parser.add_argument("--fix", action="store_true", help="format, and repair")
    options = parser.parse_args(arguments)
    # In step with what pytest prints by itself.
    sys.stdout.reconfigure(line_buffering=True)
    right = [run(name, command) for name, command in steps(options.fix).items()]
    if found := long_lines():
        right.append(False)
        print(f"FAILED lines of JavaScript over {LONGEST} characters: {len(found)}")
        report(found)
    right.append(run("the book", python("-m", "tools.book")))
    files = changed(options.since)
    return 0 if run_tests(related(files), files, options.seconds) and all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
