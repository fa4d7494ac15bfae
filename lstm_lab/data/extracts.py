"""The extracts of other people's data that lie in the package: packed once, read and checked.

An extract is text: the licence at its head, each line of it behind "# ", then the data. It is
packed with gzip. Its checksum is that of the text, for the packed bytes depend on zlib's version.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from pathlib import Path

__all__ = ["CHECKSUMS", "body", "make", "text_of"]

CHECKSUMS = {
    "addresses.tsv.gz": "b241054c3f8625800eb51f464364982d665ef32ce51aea48745a8edc4395912e",
    "digits.tsv.gz": "efaea3e9021ce16a038117d1ab956e5628081e700921e14719c3300c48f3d68f",
    "emoji.tsv.gz": "ea5cb42369e93845f071918743db0bace63659158273effc49406d597c518e51",
    "names.tsv.gz": "a4ab6ef4b322201f953368c7193c58bce9eb8fabd9fb836590f6aa1c038d7abd",
}
"""SHA-256 of each extract's text, before it is packed."""

AGAIN = (
    "get it back with: git checkout lstm_lab/data, or install lstm_lab again with: "
    "python -m pip install --force-reinstall --no-deps -e ."
)


def text_of(head: str, licence: str, lines: Iterable[str]) -> str:
    """An extract's text: what it is and its licence, then its lines."""
    top = (f"# {line}" for line in (head + "\n" + licence).splitlines())
    return "\n".join([*top, *lines]) + "\n"


def make(usage: str | None, arguments: Sequence[str], count: int, text: Callable[..., str]) -> int:
    """What every ``make_…`` does with its command line: sources, then the target.

    Parameters
    ----------
    usage : str
        Shown where there are not ``count`` sources and a target.
    text : callable
        Makes the extract's text of the sources' paths.

    Returns
    -------
    int
        The exit status.
    """
    if len(arguments) != count + 1:
        print(usage, file=sys.stderr)
        return 2
    *sources, target = map(Path, arguments)
    if target.exists():
        print(f"{target} exists; remove it first", file=sys.stderr)
        return 1
    made = text(*sources).encode("utf-8")
    target.write_bytes(gzip.compress(made, 9, mtime=0))
    print(f"{target}: SHA-256 of its text is {hashlib.sha256(made).hexdigest()}")
    return 0


def body(file: str) -> list[str]:
    """An extract's lines below the licence.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    ValueError
        If it is not the file that belongs to this version of lstm_lab.
    """
    try:
        packed = resources.files(__package__).joinpath(file).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"lstm_lab/data/{file} is missing; {AGAIN}") from None
    try:
        text = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        text = b""
    if hashlib.sha256(text).hexdigest() != CHECKSUMS[file]:
        raise ValueError(
            f"lstm_lab/data/{file} is damaged, or of another version of lstm_lab; {AGAIN}"
        )
    lines = text.decode("utf-8").splitlines()
    return [line for line in lines if not line.startswith("# ")]
