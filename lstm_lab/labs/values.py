"""Comparing what goes into a student's function, and what comes out, name by name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    if alike(before, after):  # nearly always, and names take longer than numbers
        return []
    if type(before) is not type(after):
        return [name]
    ours, theirs = _inner(before, name, parts), _inner(after, name, parts)
    if (ours or {}).keys() != (theirs or {}).keys():
        return [name]
    if ours is None:
        return [name]
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


def magnified(value: Any, factor: float) -> Any:
    """Return the same arguments with every real number so many times as large."""
    if isinstance(value, dict):
        return {key: magnified(each, factor) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(magnified(each, factor) for each in value)
    real = isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")
    return value * factor if real else value


def reordered(value: Any, order: Callable[[list], Iterable]) -> Any:
    """Return the same arguments, the keys of every dict in another order."""
    if isinstance(value, dict):
        return {key: reordered(value[key], order) for key in order(list(value))}
    if isinstance(value, tuple | list):
        return type(value)(reordered(part, order) for part in value)
    return value


def transposed_in_memory(value: Any) -> Any:
    """Return the same arguments, every array laid out in memory column by column."""
    if isinstance(value, dict):
        return {key: transposed_in_memory(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(transposed_in_memory(part) for part in value)
    return value.copy(order="F") if isinstance(value, np.ndarray) else value


def alike(before: Any, after: Any) -> bool:
    """Say whether two arguments are the same, down to the last array and number."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(alike(before[k], after[k]) for k in before)
    if isinstance(before, tuple | list):
        return len(before) == len(after) and all(map(alike, before, after))
    return same(before, after)


def copied(value: Any) -> Any:
    """Copy an argument: its arrays, and every dict, tuple and list that holds them."""
    if type(value) is np.ndarray:
        return value.copy(order="K")
    if type(value) is dict:
        return {key: copied(part) for key, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(map(copied, value))
    return copy.deepcopy(value)


def same(before: Any, after: Any) -> bool:
    """Say whether two arrays, or two numbers, are one to the last bit; NaN is NaN."""
    if not isinstance(before, np.ndarray | np.generic):
        return before is after or before == after
    shape_and_type = (before.shape, before.dtype)
    return shape_and_type == (after.shape, after.dtype) and before.tobytes() == after.tobytes()


def as_tuple(value: Any) -> tuple[np.ndarray, ...] | None:
    """What was returned as a tuple of float64 arrays; None if it is nothing of the kind."""
    parts = value if isinstance(value, tuple | list) else (value,)
    if not all(
        type(part) is np.ndarray or isinstance(part, np.generic | int | float) for part in parts
    ):
        return None  # a masked array, or a matrix, calculates by rules of its own
    arrays = [np.asarray(part) for part in parts]
    if not all(array.dtype.kind in "biuf" for array in arrays):
        return None
    return tuple(array.astype(np.float64, copy=False) for array in arrays)


def close(a: np.ndarray, b: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Say whether two arrays have one shape and the same numbers, within `tolerance`."""
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        if np.isfinite(a).all() and np.isfinite(b).all():
            return bool((abs(a - b) <= tolerance + tolerance * abs(b)).all())
        # NumPy's own comparison takes five times as long: it is for infinity and NaN.
        return np.allclose(a, b, tolerance, tolerance, equal_nan=True)


def equal(value: Any, wanted: Any, tolerance: float = TOLERANCE) -> bool:
    """Say whether two returned values, arrays or tuples of them, are the same."""
    ours, theirs = as_tuple(value), as_tuple(wanted)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return False
    return all(close(a, b, tolerance) for a, b in zip(ours, theirs, strict=True))
