"""What every set of data knows of itself, and its three parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence, Sized
from dataclasses import dataclass, is_dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np

__all__ = ["Parts", "checksum"]

P = TypeVar("P", bound=Sized)


def checksum(*values: Any) -> str:
    """SHA-256 of texts and arrays, the same on every machine."""
    found = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            found.update(value.astype("<f8").tobytes())
        else:
            plain = vars(value) if is_dataclass(value) else value
            found.update(json.dumps(plain, ensure_ascii=False).encode("utf-8"))
    return found.hexdigest()


@dataclass(frozen=True, repr=False)
class Parts(Generic[P]):
    """A set in three parts, of which no example stands in two.

    Attributes
    ----------
    train, validation, test : Tagged, Pairs, Digits or tuple of str
        To learn from; to choose rates, sizes and epochs on; to be measured on once, at the end.
    name, source, licence : str
    description : str
        What it is, how it was parted, and what is particular about it.
    checksum : str
        SHA-256 of all three parts: who has the same one has the same data.
    """

    train: P
    validation: P
    test: P
    name: str
    source: str
    licence: str
    description: str
    checksum: str

    @classmethod
    def of(cls, parts: Sequence[P], **about: str) -> Self:
        """The three parts, with what is said about them, and their checksum."""
        train, validation, test = parts
        return cls(train, validation, test, checksum=checksum(*parts), **about)

    def _sizes(self) -> tuple[list[int], str]:
        """The sizes of the parts, and in what."""
        parts = (self.train, self.validation, self.test)
        return [len(part) for part in parts], getattr(self.train, "unit", "texts")

    def __repr__(self) -> str:
        sizes, unit = self._sizes()
        shown = " / ".join(f"{size:,}" for size in sizes)
        kind = type(self).__name__
        return f"<{kind} {self.name}: {shown} {unit} to learn/validate/test; {self.licence}>"
