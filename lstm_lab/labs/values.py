"""Comparing what goes into a student's function, and what comes out, name by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

TOLERANCE = 1e-9
"""Largest difference, absolute and relative, from the reference in float64."""

Names = Sequence[str]
Parts = Mapping[str, Names]
"""What the parts of tuples are called, by the argument that is such a tuple or holds some."""


def leaves(values: Sequence, names: Names, parts: Parts) -> dict[str, Any]:
    """Every array and number inside the arguments, by a name that a student understands.

    Parameters
    ----------
    values, names : the arguments, and what they are called.
    parts : what the parts of their tuples are called. A tuple of another length, and a list, has
        its parts numbered, as in ``weights[3]``.
    """
    found: dict[str, Any] = {}
    for value, name in zip(values, names, strict=True):
        inner = _inner(value, name, parts.get(name, ()))
        if inner is None:
            found[name] = value
        else:
            of_each = dict.fromkeys(inner, parts.get(name, ()))
            found |= leaves([*inner.values()], [*inner], of_each)
    return found


def _inner(value: Any, name: str, parts: Names) -> dict[str, Any] | None:
    """What a dict, tuple or list called `name` holds, by name; None if it is neither."""
    if isinstance(value, dict):
        keys = (f'"{key}"' if isinstance(key, str) else repr(key) for key in value)
        return {f"{name}[{key}]": each for key, each in zip(keys, value.values(), strict=True)}
    if isinstance(value, tuple) and len(value) == len(parts):
        return {f"{part}` of `{name}": each for part, each in zip(parts, value, strict=True)}
    if isinstance(value, tuple | list):
        return {f"{name}[{k}]": each for k, each in enumerate(value)}
    return None


def changes(before: Any, after: Any, name: str, parts: Names) -> list[str]:
    """Name what a student's function has changed inside an argument, as far down as it can be.

    There may be anything now: only where a container is of the same make is it looked into.
    """
    ours, theirs = _inner(before, name, parts), _inner(after, name, parts)
    if type(before) is not type(after) or (ours or {}).keys() != (theirs or {}).keys():
        return [name]
    if ours is None:
        return [] if same(before, after) else [name]
    return [found for each in ours for found in changes(ours[each], theirs[each], each, parts)]


def replaced(values: Sequence, others: Sequence, names: Names, parts: Parts, leaf: str) -> tuple:
    """Return the arguments `values`, with the one thing called `leaf` taken from `others`."""

    def rebuilt(value: Any, other: Any, name: str, parts: Names) -> Any:
        ours, theirs = _inner(value, name, parts), _inner(other, name, parts)
        if ours is None:
            return other if name == leaf else value
        new = [rebuilt(ours[each], theirs[each], each, parts) for each in ours]
        return dict(zip(value, new, strict=True)) if isinstance(value, dict) else type(value)(new)

    return tuple(
        rebuilt(value, other, name, parts.get(name, ()))
        for value, other, name in zip(values, others, names, strict=True)
    )


def same(before: Any, after: Any) -> bool:
    """Say whether two arrays, or two numbers, are one to the last bit; NaN is NaN."""
    if not isinstance(before, np.ndarray | np.generic):
        return before is after or before == after
    shape_and_type = (before.shape, before.dtype)
    return shape_and_type == (after.shape, after.dtype) and before.tobytes() == after.tobytes()


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
