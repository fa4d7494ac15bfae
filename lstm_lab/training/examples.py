"""What a training works on: sequences and their targets, checked once, on the host.

A model may read several inputs, such as a source and what was written of its translation so far:
they are a tuple of arrays, and their lengths a tuple too. What is said here of an array goes then
for each of them, and the last one sets the output's axis of time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import checked_choice, described, plain_array
from ..backends import Backend

__all__ = ["Batch", "Examples", "each", "leading"]


def leading(inputs: Any) -> Any:
    """Of several inputs, or of their lengths, the last, which sets the output's axis of time."""
    return inputs[-1] if isinstance(inputs, tuple) else inputs


def each(function: Callable[[Any], Any], inputs: Any) -> Any:
    """A function of the only input, or a tuple of it for each of several; None stays None."""
    if isinstance(inputs, tuple):
        return tuple(each(function, one) for one in inputs)
    return None if inputs is None else function(inputs)


EVERY_STEP = slice(None)


@dataclass(frozen=True)
class Batch:
    """Some of the examples, on the model's backend.

    Attributes
    ----------
    x : array, or tuple of arrays
    target : array
    lengths : numpy.ndarray or None, or tuple of them
        As many as there are inputs; they stay on the host.
    mask : array or None
    rows : numpy.ndarray
        Which of the examples these are.
    weight : float
        How much the batch counts in a mean over all examples, if its loss does not say: its
        unmasked target entries, or its sequences where there is no mask.
    """

    x: Any
    target: Any
    lengths: Any
    mask: Any
    rows: np.ndarray
    weight: float


@dataclass(frozen=True)
class Examples:
    """N sequences and what is to be learnt from them.

    Attributes
    ----------
    x : numpy.ndarray (T, N, ...), or tuple of such
    target : numpy.ndarray (N, ...) or (T, N, ...)
    target_axis : int
        Where N stands in ``target`` and ``mask``: 0 or 1.
    lengths : numpy.ndarray (N,) or None, or tuple of such
    mask : numpy.ndarray or None
        Shaped like the first axes of ``target``. Where the target has a time axis, ``lengths``
        are worked into it.
    masked : bool
        Whether it holds more than ``lengths`` say.
    rows : numpy.ndarray
        The sequences that count: those of which the mask leaves something.
    """

    x: Any
    target: np.ndarray
    target_axis: int
    lengths: Any
    mask: np.ndarray | None
    masked: bool
    rows: np.ndarray

    @classmethod
    def check(
        cls,
        model: Any,
        x: Any,
        target: Any,
        *,
        lengths: Any = None,
        mask: Any = None,
        target_axis: int | None = None,
        prefix: str = "",
    ) -> Examples:
        """Bring everything into form, or say what is wrong with it.

        Floating-point values are cast to the model's dtype. What lies beyond ``lengths`` or under
        the mask may be anything. Lists of labels of different lengths are filled up with -1.
        """
        x, lengths = cls.check_input(model, x, lengths, prefix)
        timed = leading(x)
        target = _array(f"{prefix}target", _filled_up(target), model.dtype)
        name = f"x[{len(x) - 1}]" if isinstance(x, tuple) else "x"
        axis = _target_axis(f"{prefix}target", target, name, timed, target_axis)
        valid = _valid(timed, leading(lengths)) if axis == 1 else None
        masked = mask is not None
        mask = _mask(f"{prefix}mask", mask, target, axis, valid)
        _finite(f"{prefix}target", target, None if mask is None else mask != 0)
        rows = np.arange(timed.shape[1])
        if mask is not None:
            rows = rows[np.moveaxis(mask, axis, 0).reshape(len(rows), -1).any(axis=1)]
        return cls(x, target, axis, lengths, mask, masked, rows)

    @staticmethod
    def check_input(model: Any, x: Any, lengths: Any, prefix: str = "") -> tuple[Any, Any]:
        """``x`` and ``lengths`` alone."""
        if not isinstance(x, tuple):
            return _input(f"{prefix}x", x, f"{prefix}lengths", lengths, model.dtype)
        if not x:
            raise ValueError(f"{prefix}x is an empty tuple; expected one array for each input")
        if lengths is None:
            lengths = (None,) * len(x)
        if not isinstance(lengths, tuple) or len(lengths) != len(x):
            raise TypeError(
                f"{prefix}lengths must be a tuple with one entry for each of the {len(x)} inputs "
                f"in {prefix}x, None where nothing is padded; got {described(lengths)}. A tuple "
                f"holds the inputs of a model with several; one input is an array or a list"
            )
        checked = [
            _input(f"{prefix}x[{k}]", one, f"{prefix}lengths[{k}]", own, model.dtype)
            for k, (one, own) in enumerate(zip(x, lengths, strict=True))
        ]
        sequences = checked[0][0].shape[1]
        for k, (one, _) in enumerate(checked):
            if one.shape[1] != sequences:
                raise ValueError(
                    f"{prefix}x[{k}] has shape {one.shape}, (T, N, ...), but {prefix}x[0] holds "
                    f"{sequences} sequences; every input needs as many"
                )
        arrays, own_lengths = zip(*checked, strict=True)
        return arrays, own_lengths

    def batches(
        self, size: int, backend: Backend, truncate: int | None = None
    ) -> Iterator[tuple[Batch, bool]]:
        """All examples in order, ``size`` at a time; the last batch may be smaller.

        With ``truncate`` each of them in pieces of so many steps. The second value says whether
        a batch goes on where the one before it ended.
        """
        for start in range(0, len(self.rows), size):
            rows = self.rows[start : start + size]
            for piece in range(self.pieces(truncate)):
                yield self.batch(rows, backend, self.steps(piece, truncate)), piece > 0

    def pieces(self, truncate: int | None) -> int:
        """In how many pieces of ``truncate`` steps a batch is read."""
        return 1 if truncate is None else math.ceil(len(leading(self.x)) / truncate)

    @staticmethod
    def steps(piece: int, truncate: int | None) -> slice:
        """The steps of one such piece."""
        return EVERY_STEP if truncate is None else slice(piece * truncate, (piece + 1) * truncate)

    def batch_sizes(self, size: int) -> set[int]:
        """How many examples the batches hold: ``size``, and the last one what is left."""
        count = len(self.rows)
        return {min(size, count), count % size or size}

    def trial(self, backend: Backend) -> Batch:
        """One example, or two if there is but one step: another number than that of the steps."""
        return self.batch(self.rows[: 1 if len(leading(self.x)) > 1 else 2], backend)

    def batch(self, rows: np.ndarray, backend: Backend, steps: slice = EVERY_STEP) -> Batch:
        """These examples, or some of their steps alone, moved to ``backend``."""
        target, mask = self.target, self.mask
        if steps != EVERY_STEP:
            target, mask = target[steps], None if mask is None else mask[steps]
        mask = None if mask is None else mask.take(rows, self.target_axis)
        return Batch(
            x=each(lambda x: backend.asarray(x[steps].take(rows, 1)), self.x),
            target=backend.asarray(target.take(rows, self.target_axis)),
            lengths=each(lambda lengths: lengths[rows], self.lengths),
            mask=None if mask is None else backend.asarray(mask),
            rows=rows,
            weight=float(len(rows) if mask is None else mask.sum(dtype="float64")),
        )

    def fingerprint(self) -> dict[str, str]:
        """Shape, dtype and a hash of the values, by name."""
        arrays = {"x": self.x, "target": self.target, "lengths": self.lengths, "mask": self.mask}
        return {name: _describe(array) for name, array in arrays.items()}


def _describe(array: Any) -> str:
    if isinstance(array, tuple):
        return "; ".join(map(_describe, array))
    if array is None:
        return "none"
    digest = hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()[:16]
    return f"shape {array.shape}, {array.dtype}, values {digest}"


def _filled_up(target: Any) -> Any:
    """A list of lists of whole numbers as one array, -1 past the end of each; else as it is."""
    rows = target
    if isinstance(target, np.ndarray) and target.dtype == object and target.ndim == 1:
        rows = list(target)
    if not isinstance(rows, (list, tuple)) or len({_count(row) for row in rows} - {None}) < 2:
        return target
    rows = [plain_array(row, f"target[{n}]") for n, row in enumerate(rows)]
    if any(row.ndim != 1 or (row.size and row.dtype.kind not in "iu") for row in rows):
        return target
    array = np.full((len(rows), max(map(len, rows))), -1)
    for filled, row in zip(array, rows, strict=True):
        filled[: len(row)] = row
    return array


def _count(row: Any) -> int | None:
    return len(row) if isinstance(row, (list, tuple)) or np.ndim(row) else None


def _array(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    array = plain_array(values, name)
    if array.dtype.kind == "f":
        # Too large for the model's dtype becomes inf, which is then refused.
        with np.errstate(over="ignore"):
            return array.astype(dtype, copy=False)
    if array.dtype.kind in "iu":
        return array
    raise TypeError(f"{name} has dtype {array.dtype}; expected floating-point numbers or integers")


def _input(
    name: str, x: Any, lengths_name: str, lengths: Any, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray | None]:
    """One input and its lengths."""
    x = _array(name, x, dtype)
    if x.ndim < 2 or 0 in x.shape[:2]:
        raise ValueError(
            f"{name} has shape {x.shape}; expected (T, N, ...): steps first, then sequences"
        )
    lengths = _lengths(lengths_name, lengths, name, x)
    _finite(name, x, _valid(x, lengths))
    return x, lengths


def _lengths(name: str, lengths: Any, of: str, x: np.ndarray) -> np.ndarray | None:
    if lengths is None:
        return None
    steps, sequences = x.shape[:2]
    lengths = plain_array(lengths, name)
    if lengths.shape != (sequences,) or lengths.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be {sequences} whole numbers, one for each sequence in {of}, which has "
            f"shape {x.shape}, (T, N, ...); got shape {lengths.shape} and dtype {lengths.dtype}"
        )
    wrong = (lengths < 1) | (lengths > steps)
    if wrong.any():
        n = int(wrong.argmax())
        raise ValueError(f"{name}[{n}] is {lengths[n]}; expected 1 to {steps}, the steps in {of}")
    return lengths


def _valid(x: np.ndarray, lengths: np.ndarray | None) -> np.ndarray | None:
    """(T, N), True before each sequence's end."""
    return None if lengths is None else np.arange(len(x))[:, None] < lengths


def _target_axis(name: str, target: np.ndarray, of: str, x: np.ndarray, given: int | None) -> int:
    steps, sequences = x.shape[:2]
    fits = {
        0: target.ndim >= 1 and target.shape[0] == sequences,
        1: target.ndim >= 2 and target.shape[:2] == (steps, sequences),
    }
    if given is not None:
        given = checked_choice(given, "target_axis", (0, 1))
    if given is None and fits[0] and fits[1]:
        raise ValueError(
            f"{name} has shape {target.shape}, and {of} has as many steps as sequences ({steps}): "
            "say where the sequences are, target_axis=0 for (N, ...) or target_axis=1 for "
            "(T, N, ...)"
        )
    axis = given if given is not None else (1 if fits[1] else 0)
    if not fits[axis]:
        forms = {0: f"({sequences}, ...)", 1: f"({steps}, {sequences}, ...)"}
        wanted = forms[given] if given is not None else f"{forms[0]} or {forms[1]}"
        raise ValueError(
            f"{name} has shape {target.shape}; expected {wanted} for {of} of shape {x.shape}"
        )
    return axis


def _mask(
    name: str, mask: Any, target: np.ndarray, axis: int, valid: np.ndarray | None
) -> np.ndarray | None:
    if mask is None:
        return valid
    mask = plain_array(mask, name)
    fits = mask.ndim > axis and mask.shape == target.shape[: mask.ndim]
    if not fits or mask.dtype.kind not in "biuf":
        leading = "(T, N)" if axis else "(N,)"
        raise ValueError(
            f"{name} has shape {mask.shape} and dtype {mask.dtype}; expected numbers or booleans "
            f"in the shape of the target's first axes, {leading} or more of {target.shape}"
        )
    if valid is not None:
        valid = valid.reshape(valid.shape + (1,) * (mask.ndim - 2))
        mask = np.where(valid, mask, mask.dtype.type(0))
    if not ((mask >= 0) & (mask < np.inf)).all() or not mask.any():
        raise ValueError(f"{name} must hold finite weights of at least 0, and one above 0")
    return mask


def _finite(name: str, array: np.ndarray, valid: np.ndarray | None) -> None:
    if array.dtype.kind != "f":
        return
    bad = ~np.isfinite(array)
    if valid is not None and bad.any():
        bad &= valid.reshape(valid.shape + (1,) * (array.ndim - valid.ndim))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        count = np.count_nonzero(bad)
        value = array[index]
        # Perhaps it is finite, and too large for the model's precision.
        shown = value if np.isnan(value) else f"{value} in {array.dtype}"
        raise ValueError(
            f"{name}[{', '.join(map(str, index))}] is {shown}, the first of {count} values "
            "that are not finite; remove them or fill them in before training"
        )


def named(validation: Any) -> Mapping[str, Any]:
    """The arguments of ``Examples.check`` out of what ``fit`` takes as ``validation``."""
    if isinstance(validation, Mapping):
        if {"x", "target"} <= set(validation) <= {"x", "target", "lengths", "mask"}:
            return validation
    elif isinstance(validation, (tuple, list)) and len(validation) == 2:
        return {"x": validation[0], "target": validation[1]}
    raise ValueError(
        "validation must be (x, target), or a dict with 'x', 'target' and, if need be, 'lengths' "
        f"and 'mask'; got {type(validation).__name__}"
    )
