"""Calling a student's function: on copies, with everything that it does written down."""

from __future__ import annotations

import contextlib
import copy
import io
import linecache
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TOLERANCE = 1e-9
"""Largest difference, absolute and relative, from the reference in float64."""


@dataclass
class Outcome:
    """What one call of the student's function came to."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    overflow: str | None = None
    printed: str = ""


def call(function: Callable, given: tuple, arguments: Sequence[str]) -> Outcome:
    """Call with copies of the arguments; keep what it returns, raises, prints and overflows."""
    outcome, copies, printed = Outcome(), copy.deepcopy(given), io.StringIO()

    def overflowed(kind: str, flag: int) -> None:
        if outcome.overflow is None:
            # NumPy calls this from within the ufunc: the caller's line is the guilty one.
            caller = sys._getframe(1)
            line = linecache.getline(caller.f_code.co_filename, caller.f_lineno)
            outcome.overflow = line.strip()

    with (
        np.errstate(over="call", invalid="call", divide="call", under="ignore", call=overflowed),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
    ):
        warnings.simplefilter("ignore")
        try:
            outcome.value = _kept(function(*copies))
        except (Exception, SystemExit) as error:
            outcome.error = error
    before, after = leaves(given, arguments), leaves(copies, arguments)
    outcome.changed = tuple(
        name for name in before if not np.array_equal(before[name], after.get(name))
    )
    outcome.printed = printed.getvalue()
    return outcome


def _kept(value: Any) -> Any:
    """Copy the arrays: the next call of the student's function may write into them."""
    if isinstance(value, list):
        return [_kept(part) for part in value]
    if isinstance(value, tuple):
        return tuple(_kept(part) for part in value)
    return value.copy() if isinstance(value, np.ndarray) else value


def leaves(values: Sequence, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Every array inside the arguments, by a name that a student understands.

    A student may have put anything in their place: only what is still there is found.
    """
    found: dict[str, np.ndarray] = {}
    for value, name in zip(values, names, strict=False):
        if isinstance(value, dict):
            inner = [f'{name}["{key}"]' for key in value]
            found |= leaves(list(value.values()), inner)
        elif isinstance(value, tuple):
            found |= leaves(value, [f"{letter}` of `{name}" for letter in "WUb"])
        else:
            found[name] = value
    return found


def replaced(value: Any, other: Any, names: Sequence[str], leaf: str) -> tuple:
    """Return the arguments `value`, with the one array called `leaf` taken from `other`."""
    ours, theirs = leaves(value, names), leaves(other, names)
    swapped = copy.deepcopy(value)
    position = list(ours).index(leaf)
    list(leaves(swapped, names).values())[position][...] = theirs[leaf]
    return swapped


def as_tuple(value: Any) -> tuple[np.ndarray, ...] | None:
    """What was returned as a tuple of float64 arrays; None if it is nothing of the kind."""
    parts = value if isinstance(value, tuple | list) else (value,)
    try:
        return tuple(np.asarray(part, dtype=np.float64) for part in parts)
    except (TypeError, ValueError, OverflowError):
        return None


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Say whether two arrays have one shape and the same numbers, within `TOLERANCE`."""
    return a.shape == b.shape and np.allclose(a, b, TOLERANCE, TOLERANCE, equal_nan=True)


def equal(value: Any, wanted: Any) -> bool:
    """Say whether two returned values, arrays or tuples of them, are the same."""
    ours, theirs = as_tuple(value), as_tuple(wanted)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return False
    return all(map(close, ours, theirs))
