"""Real handwritten digits, small enough to be made to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .extracts import body
from .make_digits import SHADES
from .parts import Parts, checksum

__all__ = ["Digits", "digits"]

SIDE = 8
HELD_OUT = (200, 400)
"""How many images are for validation and for the test."""


@dataclass(frozen=True, repr=False, eq=False)
class Digits:
    """Images of digits.

    Attributes
    ----------
    images : numpy.ndarray (n, 8, 8), float32
        From 0, the paper, to 1, the ink; (row, column).
    labels : numpy.ndarray (n,), int
        Which digit each is.
    """

    images: np.ndarray
    labels: np.ndarray
    unit: ClassVar[str] = "images"

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"<Digits: {len(self)} images, {SIDE} × {SIDE}>"


def digits() -> Parts[Digits]:
    """Handwritten digits, 8 × 8, in three parts drawn at random.

    The 1,797 test images of "Optical Recognition of Handwritten Digits", by 13 writers. Which
    writer wrote which is not told, so that a writer's digits lie in all parts; an image lies in
    one. ``python -m lstm_lab.data.make_digits`` makes the extract.
    """
    rows = [line.split("\t") for line in body("digits.tsv.gz")]
    labels = np.array([int(label) for label, _ in rows])
    shades = np.array([[SHADES.index(letter) for letter in row] for _, row in rows])
    images = (shades / (len(SHADES) - 1)).reshape(-1, SIDE, SIDE).astype("float32")
    order = np.random.default_rng(0).permutation(len(rows))
    cut = np.split(order, [-sum(HELD_OUT), -HELD_OUT[1]])
    train, validation, test = made = [Digits(images[part], labels[part]) for part in cut]
    return Parts(
        train,
        validation,
        test,
        name="Digits",
        source="Alpaydin & Kaynak 1998, doi:10.24432/C50P49, as packed in scikit-learn 1.9.1",
        licence="CC BY 4.0",
        description=(
            "Handwritten digits, 8 × 8 grey values from 0 to 1, held out by image. Writers are not "
            "told, so a writer's digits lie in all parts."
        ),
        checksum=checksum(*(array for part in made for array in (part.images, part.labels))),
    )
