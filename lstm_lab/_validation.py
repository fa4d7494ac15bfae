"""Floor 1: checks of arguments. Each names the argument, what came and what was expected.

A ``checked_…`` function returns the value in its plain type, a ``check_…`` function returns
nothing. NumPy's scalars and arrays without axes are taken for what they hold; a boolean is no
number, and a number is no boolean.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .backends import Backend

FLOATS = ("float32", "float64")
LONGEST = 80
"""Characters of a refused value that a message shows at most."""


def described(value: Any) -> str:
    """A refused value in a message: short, and of an array its shape alone."""
    shape = getattr(value, "shape", None)
    if shape:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _scalar(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _is_number(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


# Single values


def checked_size(value: Any, name: str, *, least: int = 1, why: str = "") -> int:
    """A whole number of at least ``least``; ``why`` says in the message what for.

    Raises
    ------
    ValueError
        If it is not.
    """
    number = _scalar(value)
    if not _is_number(number, (int, np.integer)) or number < least:
        because = f" ({why})" if why else ""
        raise ValueError(
            f"{name} must be a whole number of at least {least}{because}, not {described(value)}"
        )
    return int(number)


def checked_number(
    value: Any, name: str, *, low: float = -math.inf, high: float = math.inf, above: bool = False
) -> float:
    """A finite number in [low, high), or in (low, high) if it must lie ``above`` low.

    Raises
    ------
    ValueError
        If it is not.
    """
    number, plain = _scalar(value), math.nan
    if _is_number(number, (int, float, np.integer, np.floating)):
        with contextlib.suppress(OverflowError):  # a whole number of more than 308 digits
            plain = float(number)
    if not (math.isfinite(plain) and low <= plain < high) or (above and plain == low):
        kind = "a finite number" if low == -math.inf else f"a number of at least {low:g}"
        if above:
            kind = f"a number above {low:g}" if low else "a positive number"
        below = "" if high == math.inf else f" and below {high:g}"
        raise ValueError(f"{name} must be {kind}{below}, not {described(value)}")
    return plain


def checked_rate(value: Any, name: str) -> float:
    """A probability in [0, 1).

    Raises
    ------
    ValueError
        If it is not.
    """
    try:
        return checked_number(value, name, low=0, high=1)
    except ValueError:
        raise ValueError(f"{name} must lie in [0, 1), not {described(value)}") from None


def checked_fraction(value: Any, name: str) -> float:
    """A number between 0 and 1, neither of them included.

    Raises
    ------
    ValueError
        If it is not.
    """
    try:
        return checked_number(value, name, low=0, high=1, above=True)
    except ValueError:
        raise ValueError(f"{name} must lie between 0 and 1, got {described(value)}") from None


def checked_bool(value: Any, name: str) -> bool:
    """True or False.

    Raises
    ------
    TypeError
        If it is neither.
    """
    flag = _scalar(value)
    if not isinstance(flag, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {described(value)}")
    return bool(flag)


def checked_choice(value: Any, name: str, options: Sequence[Any], *, spelt: str = "") -> Any:
    """One of several words or whole numbers; ``spelt`` is how the message writes them.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    chosen = _scalar(value)
    if not (isinstance(chosen, str) or _is_number(chosen, (int, np.integer))) or (
        chosen not in options
    ):
        words = [repr(option) for option in options]
        known = " or ".join(words) if len(words) < 3 else f"one of {', '.join(words)}"
        raise ValueError(f"{name} must be {spelt or known}, not {described(value)}")
    return options[list(options).index(chosen)]


def checked_text(value: Any, name: str) -> str:
    """A string.

    Raises
    ------
    TypeError
        If it is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {described(value)}")
    return str(value)


def checked_path(value: Any, name: str) -> Path:
    """The path of a file.

    Raises
    ------
    TypeError
        If it is neither a string nor a path.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be the path of a file, not {described(value)}")
    return Path(value)


def check_kind(value: Any, name: str, kind: type | tuple[type, ...], expected: str) -> None:
    """Refuse an object of another type; ``expected`` says in words what there should be.

    Raises
    ------
    TypeError
        If it is no ``kind``.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {expected}, got a {type(value).__name__}")


def check_mapping(value: Any, name: str) -> None:
    """Refuse what is no mapping from names to arrays.

    Raises
    ------
    TypeError
        If it is none.
    """
    check_kind(value, name, Mapping, "a mapping of names to arrays")


# Random numbers


def checked_seed(value: Any, name: str = "seed") -> int:
    """A whole number of at least 0, for what is drawn in streams of its own.

    Raises
    ------
    ValueError
        If it is not.
    """
    return checked_size(value, name, least=0)


def checked_generator(
    value: Any, name: str = "seed", *, optional: bool = True
) -> np.random.Generator:
    """A generator from a seed, or the generator itself.

    Parameters
    ----------
    optional : bool
        Whether None, a seed of the operating system's, is one.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, (np.random.SeedSequence, np.random.BitGenerator)):
        return np.random.default_rng(value)
    if value is None and optional:
        return np.random.default_rng()
    try:
        return np.random.default_rng(checked_seed(value, name))
    except ValueError:
        or_none = ", a numpy Generator or None" if optional else " or a numpy Generator"
        raise TypeError(
            f"{name} must be a whole number ≥ 0{or_none}, got {described(value)}"
        ) from None


def check_rng(value: Any, name: str = "rng") -> None:
    """Refuse what is neither a generator nor None.

    Raises
    ------
    TypeError
        If it is neither; the message says how a seed becomes one.
    """
    if value is not None and not isinstance(value, np.random.Generator):
        raise TypeError(
            f"{name} must be a numpy.random.Generator or None, got {described(value)}; "
            "numpy.random.default_rng(seed) makes one"
        )


def check_call(rng: Any, trace: Any) -> None:
    """Refuse what no layer's ``forward`` takes as ``rng`` or ``trace``.

    Raises
    ------
    TypeError
    """
    check_rng(rng)
    checked_bool(trace, "trace")


# Arrays


def checked_dtype(dtype: Any) -> np.dtype:
    """float32 or float64, however it was spelt.

    Raises
    ------
    ValueError
        If it is neither.
    """
    try:
        checked = None if dtype is None else np.dtype(dtype)
    except TypeError:
        checked = None
    if checked is None or checked.name not in FLOATS:
        raise ValueError(f"dtype must be 'float32' or 'float64', not {described(dtype)}")
    return checked


def plain_array(values: Any, name: str, dtype: Any = None) -> np.ndarray:
    """A NumPy array of what NumPy takes for one, in this machine's byte order.

    Parameters
    ----------
    dtype : data type or None
        None leaves the array's own; else what came must be numbers or booleans.

    Raises
    ------
    TypeError
        If it lies on a device, its parts do not fit each other or ``dtype``, or it has a unit.
    ValueError
        If some of its values are masked.
    """
    check_nothing_lost(values, name)
    try:
        array = np.asanyarray(values)
    except Exception as error:  # each kind of array refuses in its own way
        raise TypeError(
            f"{name} must be an array of numbers on the host, got {described(values)}: {error}"
        ) from error
    check_nothing_lost(array, name)
    array = native(array)
    if dtype is None:
        return array
    if array.size and array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of numbers, got one of {array.dtype}")
    return array.astype(dtype, copy=False)


def native(array: Any) -> Any:
    """The same array, a plain one in this machine's byte order: itself where it is that already.

    Of NumPy's subclasses only the values are kept; `check_nothing_lost` refuses those that mean
    more.
    """
    if isinstance(array, np.ndarray):
        if type(array) is not np.ndarray:
            array = np.asarray(array)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
    return array


def check_nothing_lost(values: Any, name: str) -> None:
    """Refuse what means more than its plain numbers say: masked values, and units.

    Raises
    ------
    ValueError
        If some values are masked: without the mask they would be taken for measured ones.
    TypeError
        If the values have a unit.
    """
    if type(values) is np.ndarray:
        return
    if isinstance(values, (list, tuple)):
        for k, value in enumerate(values):
            if not isinstance(value, (int, float)):
                check_nothing_lost(value, f"{name}[{k}]")
    elif isinstance(values, np.ma.MaskedArray):
        masked = int(np.ma.count_masked(values))
        if masked:
            raise ValueError(
                f"{name} holds {masked} masked values, which would be read as if they were "
                f"measured: put others in their place with .filled(value), leave them out with "
                ".compressed(), or fill them and give fit or the loss a mask= of what counts"
            )
    elif hasattr(values, "__array__") or isinstance(values, np.ndarray):
        for unit, plain in (("unit", ".value"), ("units", ".magnitude")):
            if hasattr(values, plain[1:]) and getattr(values, unit, None) is not None:
                raise TypeError(
                    f"{name} is in {getattr(values, unit)}, which would be lost: pass plain "
                    f"numbers, such as {plain}"
                )


def checked_lengths(lengths: Any, steps: int, batch: int, name: str = "lengths") -> np.ndarray:
    """Each sequence's length, int64 (B,); None: all are ``steps`` long.

    Raises
    ------
    TypeError, ValueError
        If they are not B whole numbers from 1 to T.
    """
    if lengths is None:
        return np.full(batch, steps)
    try:
        values = plain_array(lengths, name)
    except TypeError as error:  # an array on a device refuses to come over by itself
        raise TypeError(f"{name} lie on the host: pass a list or a NumPy array") from error
    if values.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers, got {values.dtype}")
    if values.shape != (batch,):
        raise ValueError(
            f"{name} must have shape ({batch},), one for each sequence in the batch, "
            f"got {values.shape}"
        )
    if not steps:
        raise ValueError(f"{name} need an x of at least one step, got one of T = 0")
    wrong = np.flatnonzero((values < 1) | (values > steps))
    if wrong.size:
        k = wrong[0]
        raise ValueError(f"{name}[{k}] is {values[k]}; a length lies between 1 and T = {steps}")
    return values.astype(np.int64)


def checked_rows(rows: Any, batch: int, name: str = "rows") -> np.ndarray:
    """Places in a batch, at least one, in any order, repeated or not: int64 (n,).

    Raises
    ------
    TypeError, ValueError
        If they are not whole numbers from 0 to B - 1.
    """
    try:
        values = plain_array(rows, name)
    except TypeError as error:  # an array on a device refuses to come over by itself
        raise TypeError(f"{name} lie on the host: pass a list or a NumPy array") from error
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name} must be a list of at least one number, got {described(rows)}")
    if values.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers, got {values.dtype}")
    wrong = np.flatnonzero((values < 0) | (values >= batch))
    if wrong.size:
        k = wrong[0]
        raise ValueError(f"{name}[{k}] is {values[k]}; a row lies between 0 and {batch - 1}")
    return values.astype(np.int64)


def checked_array(
    backend: Backend, array: Any, name: str, shape: Sequence[int | str], dtype: np.dtype
) -> Any:
    """An array that fits, plain and in this machine's byte order.

    Parameters
    ----------
    shape : sequence of int or str
        A number must match; a name, such as "T", stands for any size of at least 1. A first
        entry "..." stands for any number of axes.

    Raises
    ------
    TypeError
        If it is no array of ``backend``, or of another dtype than ``dtype``.
    ValueError
        If the rank or a size is wrong.
    """
    if (
        type(array) is np.ndarray
        and backend.xp is np
        and array.dtype == dtype
        and array.shape == shape
    ):
        return array  # as nearly always, and a single step is not long
    array = backend.require(array, name)
    any_rank = bool(shape) and shape[0] == "..."
    wanted = list(shape[1:] if any_rank else shape)
    written = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    rank_fits = array.ndim >= len(wanted) if any_rank else array.ndim == len(wanted)
    if not rank_fits:
        raise ValueError(
            f"{name} must have shape {written}, got {tuple(array.shape)}, "
            f"an array with {array.ndim} axes"
        )
    for size, want in zip(array.shape[array.ndim - len(wanted) :], wanted, strict=True):
        if (isinstance(want, str) and size < 1) or (not isinstance(want, str) and size != want):
            raise ValueError(f"{name} must have shape {written}, got {tuple(array.shape)}")
    if array.dtype != dtype:
        raise TypeError(
            f"{name} is {array.dtype}, but this layer computes in {dtype}; "
            f"pass {name}.astype({dtype.name!r}), or make the layer with another dtype"
        )
    return array
