"""Python source text to model character by character: the standard library's own files."""

from __future__ import annotations

import hashlib
import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from .._validation import checked_path

__all__ = ["ALPHABET", "Corpus", "python_source"]

#: What the corpus is written with: a line break and the 95 printable ASCII characters.
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))

# Tables, prose and other people's packages; and what some systems install apart, or not at all.
_LEFT_OUT = {"encodings", "pydoc_data", "site-packages", "dist-packages", "test", "tests",
             "distutils", "ensurepip", "idlelib", "lib2to3", "tkinter", "turtledemo"}  # fmt: skip


@dataclass(frozen=True)
class Corpus:
    """Texts to learn from, and texts of other files to be measured on.

    Attributes
    ----------
    train, validation, test : tuple of str
        One string for each file.
    name, source, licence : str
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    name: str
    source: str
    licence: str

    def __repr__(self) -> str:
        sizes = (sum(map(len, part)) for part in (self.train, self.validation, self.test))
        shown = " / ".join(f"{size:,}" for size in sizes)
        return f"<Corpus {self.name}: {shown} characters to learn/validate/test; {self.licence}>"


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
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if _LEFT_OUT & set(name.parts) or name.name.startswith("_sysconfigdata"):
            continue
        text = path.read_bytes().replace(b"\r\n", b"\n").decode("latin-1").expandtabs(8)
        if text and set(text) <= set(ALPHABET):
            draw = hashlib.sha256(name.as_posix().encode()).digest()[0] % 20
            parts[{0: "validation", 1: "test"}.get(draw, "train")].append(text)
    if not all(parts.values()):
        raise FileNotFoundError(
            f"{folder} does not hold enough Python files in pure ASCII to learn from some and "
            f"hold out others: found {sum(map(len, parts.values()))}"
        )
    return Corpus(
        **{name: tuple(texts) for name, texts in parts.items()},
        name="Python source",
        source=f"standard library of Python {platform.python_version()}" if own else str(folder),
        licence="Python Software Foundation License 2" if own else "the folder's own",
    )
