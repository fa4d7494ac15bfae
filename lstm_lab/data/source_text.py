"""Text that comes with Python, to model character by character: its source, and its help."""

from __future__ import annotations

import hashlib
import os
import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from .._validation import checked_bool, checked_path
from .parts import Parts

__all__ = ["ALPHABET", "Corpus", "python_source", "topics"]

#: What the corpus is written with: a line break and the 95 printable ASCII characters.
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
_SYMBOLS = frozenset(ALPHABET)

# Tables, prose and other people's packages; and what some systems install apart, or not at all.
_LEFT_OUT = {"encodings", "pydoc_data", "site-packages", "dist-packages", "test", "tests",
             "distutils", "ensurepip", "idlelib", "lib2to3", "tkinter", "turtledemo"}  # fmt: skip


# Typographic characters of the help's text, as a keyboard writes them.
_PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "–": "-", "—": "--", "\u00a0": " "}
)


@dataclass(frozen=True, repr=False)
class Corpus(Parts[tuple[str, ...]]):
    """Texts to learn from, and texts of other files to be measured on.

    Attributes
    ----------
    train, validation, test : tuple of str
        One string for each file.
    """

    def _sizes(self) -> tuple[list[int], str]:
        parts = (self.train, self.validation, self.test)
        return [sum(map(len, part)) for part in parts], "characters"


def python_source(folder: Path | str | None = None) -> Corpus:
    """The ``.py`` files of the standard library that are pure ASCII, without their tests.

    Whole files are held out, never parts of one: a file quotes itself. A file's part is drawn
    from its name, so that it is the same on every machine: 1 in 20 to validate, 1 in 20 to test.

    Parameters
    ----------
    folder : path, optional
        Another folder of Python files.

    Raises
    ------
    FileNotFoundError
        If the folder holds no such file, or not enough of them for all three parts.
    """
    own = folder is None
    folder = Path(sysconfig.get_path("stdlib")) if own else checked_path(folder, "folder")
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for name in _files(folder):
        packed = (folder / name).read_bytes()
        text = packed.replace(b"\r\n", b"\n").decode("latin-1").expandtabs(8)
        if text and text.isascii() and _SYMBOLS.issuperset(text):
            draw = hashlib.sha256(name.as_posix().encode()).digest()[0] % 20
            parts[{0: "validation", 1: "test"}.get(draw, "train")].append(text)
    if not all(parts.values()):
        raise FileNotFoundError(
            f"{folder} does not hold enough Python files in pure ASCII to learn from some and "
            f"hold out others: found {sum(map(len, parts.values()))}"
        )
    return Corpus.of(
        [tuple(texts) for texts in parts.values()],
        name="Python source",
        source=f"standard library of Python {platform.python_version()}" if own else str(folder),
        licence="Python Software Foundation License 2" if own else "the folder's own",
        description="The .py files in pure ASCII, without their tests; whole files are held out.",
    )


def _files(folder: Path) -> list[Path]:
    """The names of the Python files in it that are taken, sorted."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each not in _LEFT_OUT]
        found += [Path(place, file) for file in files if file.endswith(".py")]
    names = (path.relative_to(folder) for path in found)
    return sorted(name for name in names if not name.name.startswith("_sysconfigdata"))


def topics(repeated: bool = False) -> Corpus:
    """What Python's ``help("topics")`` explains: English prose about the language, with examples.

    Whole topics are held out. A topic's part is drawn from its name, so that it is the same in
    every version of Python; the texts themselves, and so all sizes, change a little from version
    to version. Topics quote one another at length: each paragraph is kept once, in the first of
    training, validation and test that holds it. Typographic marks become those of `ALPHABET`; a
    paragraph that still holds another character is left out.

    Parameters
    ----------
    repeated : bool
        Keep every paragraph wherever it stands. Much of the test (half of it in Python 3.11) then
        stands in the training texts: a trap to look at, not to be measured on.

    Raises
    ------
    ModuleNotFoundError
        If this Python came without its topics.
    """
    checked_bool(repeated, "repeated")
    try:
        from pydoc_data.topics import topics as table
    except ImportError as error:
        raise ModuleNotFoundError(
            "this Python came without pydoc_data.topics, the text of its help; install all of "
            "Python's standard library (on Debian: sudo apt install libpython3-stdlib)"
        ) from error
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    names: dict[str, list[str]] = {part: [] for part in parts}
    for name in sorted(table):
        # Salted so that the parts are of about the sizes that are wanted.
        draw = hashlib.sha256(f"8:{name}".encode()).digest()[0] % 20
        names[{0: "validation", 1: "test", 2: "test"}.get(draw, "train")].append(name)
    seen: set[str] = set()
    for part, texts in parts.items():
        for name in names[part]:
            kept = []
            for paragraph in table[name].translate(_PLAIN).expandtabs(8).split("\n\n"):
                plain = " ".join(paragraph.split())
                if plain and plain not in seen and _SYMBOLS.issuperset(paragraph):
                    kept.append(paragraph.strip("\n"))
                    if not repeated:
                        seen.add(plain)
            if kept:
                texts.append("\n\n".join(kept) + "\n")
    if not all(parts.values()):
        raise ValueError(
            f"pydoc_data.topics of Python {platform.python_version()} does not hold enough topics "
            f"to learn from some and hold out others: found {len(table)}"
        )
    return Corpus.of(
        [tuple(texts) for texts in parts.values()],
        name="Topics, with what they repeat" if repeated else "Topics",
        source=f"pydoc_data.topics of Python {platform.python_version()}",
        licence="Python Software Foundation License 2",
        description=(
            "English prose about Python; whole topics are held out"
            + (", but much of the test stands in the training texts." if repeated else "")
            + ("" if repeated else ", and each paragraph is kept once.")
        ),
    )
