"""Floor 1: files that are either written whole or left as they were."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["set_aside", "write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the place, make sure of it, and rename: a crash leaves the old file.

    Parameters
    ----------
    path : Path
        Replaced if it is there: whether it may be is the caller's to decide.
    data : bytes
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Rename a notebook to the first free name beside it, which git ignores.

    Parameters
    ----------
    path : Path
        ``NAME.ipynb``

    Returns
    -------
    Path
        ``NAME.mine-1.ipynb``, or the first number that is free.
    """
    number = 1
    while (aside := path.with_name(f"{path.stem}.mine-{number}.ipynb")).exists():
        number += 1
    path.rename(aside)
    return aside
