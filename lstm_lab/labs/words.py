"""Names and values of a student's, as part of a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def listed(names: Iterable[str]) -> str:
    """Names of code as part of a sentence: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def described(value: Any) -> str:
    """Say in words what a value is."""
    if isinstance(value, np.ndarray):
        return f"an array of the shape {value.shape}"
    if isinstance(value, tuple):
        return f"{_article(type(value).__name__)} of length {len(value)}"
    return _article(type(value).__name__)


def _article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
