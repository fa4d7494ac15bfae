"""The CSV files of measurements: what a file has already, and one row more."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path


def rows_of(file: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """All rows of a file, which is begun with these columns if it is not there."""
    if not file.exists():
        file.write_text(",".join(columns) + "\n", encoding="utf-8")
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def add(file: Path, *row: object) -> None:
    """A row at the end, on the disk when this returns: a run that is ended loses no other."""
    with file.open("a", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerow(row)
