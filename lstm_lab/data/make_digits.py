"""Make the extract of handwritten digits, from the package that brings them.

    pip download --no-deps scikit-learn==1.9.1
    unzip scikit_learn-1.9.1-*.whl -d sklearn
    python -m lstm_lab.data.make_digits sklearn digits.tsv.gz

The file's head, behind "# ", says whose the images are, and holds the package's licence. Then, on
each line, the digit, a tab, and its 8 × 8 grey values row by row, 0 to 16 as letters a to q.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from .extracts import make, text_of

HEADER = """\
Optical Recognition of Handwritten Digits, its 1,797 test images: E. Alpaydin and C. Kaynak, 1998,
UCI Machine Learning Repository, https://doi.org/10.24432/C50P49
Licensed under CC BY 4.0, https://creativecommons.org/licenses/by/4.0/
Changed: grey values are written as letters. Taken from scikit-learn, whose licence is:
"""

SHADES = "abcdefghijklmnopq"
"""The letter of each grey value, 0 to 16."""
PIXELS = 64


def as_text(rows: Iterable[str], licence: str) -> str:
    """The images as lines behind the licence.

    Parameters
    ----------
    rows : iterable of str
        64 grey values and the digit, with commas between.

    Raises
    ------
    ValueError
        If a row is not such a row.
    """
    lines = []
    for number, row in enumerate(rows):
        *grey, digit = (int(float(value)) for value in row.split(","))
        if len(grey) != PIXELS or not 0 <= digit <= 9 or not set(grey) <= set(range(len(SHADES))):
            raise ValueError(f"row {number} is no image of {PIXELS} pixels and its digit: {row!r}")
        lines.append(f"{digit}\t{''.join(SHADES[value] for value in grey)}")
    return text_of(HEADER, licence, lines)


def from_folder(folder: Path) -> str:
    """The extract's text, from the unpacked package."""
    packed = (folder / "sklearn" / "datasets" / "data" / "digits.csv.gz").read_bytes()
    (licence,) = folder.glob("*.dist-info/licenses/COPYING")
    rows = gzip.decompress(packed).decode("ascii").splitlines()
    return as_text(rows, licence.read_text(encoding="utf-8"))


def main(arguments: Sequence[str]) -> int:
    """Make the file; the exit status."""
    return make(__doc__, arguments, 1, from_folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
