"""Losses that compare entry by entry.

All are means over what counts: ``mask`` says what does. Where the mask is 0 anything may stand in
the prediction and the target, NaN included; the gradient there is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation import described, plain_array
from ..backends import Array, Backend, backend_of
from .mean import Mean, NothingCounts


def mse(prediction: Array, target: Array, mask: Array | None = None) -> tuple[Mean, Array]:
    """Mean squared error.

    Parameters
    ----------
    prediction, target : array (...)
        Of one shape and dtype.
    mask : array or None
        Weights of at least 0, or booleans, over the leading axes: (T, B) for a prediction
        (T, B, K). None: everything counts.

    Returns
    -------
    loss : Mean
        Σ m (p - y)² / Σ m, over all entries; its weight is Σ m.
    gradient : array (...)

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit each other.
    NothingCounts
        A ValueError, if the mask leaves nothing.
    """
    backend, prediction, target = _compared(prediction, target)
    xp = backend.xp
    difference = prediction - target
    if mask is None:
        value = Mean(xp.mean(difference * difference), difference.size)
        difference *= 2 / difference.size
        return value, difference
    weights = _weights(backend, mask, prediction.shape, prediction.dtype, rank=prediction.ndim)
    difference = xp.where(weights > 0, difference, 0)
    total = _total(weights) * (difference.size // weights.size)
    gradient = weights / total * difference
    return Mean(xp.sum(gradient * difference), total), 2 * gradient


def quantile(
    prediction: Array, target: Array, mask: Array | None = None, *, level: Any = 0.5
) -> tuple[Mean, Array]:
    """The pinball loss: the least it can be on average is at a quantile of the target.

    With d = y - p, an entry costs q d where the target lies above the prediction, and (1 - q) |d|
    where it lies below. Level ½ is half the mean absolute error. Levels 0.05 and 0.95 of the same
    target make an interval of 90 %: repeat the target on the last axis. Fix the level for a
    training with ``functools.partial(losses.quantile, level=[0.05, 0.95])``.

    Parameters
    ----------
    prediction, target : array (..., K)
        Of one shape and dtype.
    mask : array or None
        As in `mse`.
    level : float or sequence of K floats
        The quantile q, above 0 and below 1, of all entries or of each of the last axis.

    Returns
    -------
    loss : Mean
        Σ m max(q d, (q - 1) d) / Σ m, over all entries; its weight is Σ m.
    gradient : array (..., K)
        -q where the target lies above, 1 - q where it lies below, 0 where it is met (there the
        loss has a corner), each times its share of Σ m.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit each other, or a level is none.
    NothingCounts
        A ValueError, if the mask leaves nothing.

    Notes
    -----
    Koenker & Bassett 1978, doi:10.2307/1913643.

    Examples
    --------
    >>> import numpy as np
    >>> loss, gradient = quantile(np.zeros((1, 2)), np.array([[1.0, -1.0]]), level=0.75)
    >>> float(loss), gradient.tolist()  # (0.75 + 0.25) / 2
    (0.5, [[-0.375, 0.125]])
    """
    backend, prediction, target = _compared(prediction, target)
    xp = backend.xp
    levels = backend.asarray(_levels(level, prediction.shape[-1]), dtype=prediction.dtype)
    difference = target - prediction
    if mask is None:
        share = xp.full((1,) * prediction.ndim, 1 / prediction.size, prediction.dtype)
        total: float = prediction.size
    else:
        weights = _weights(backend, mask, prediction.shape, prediction.dtype, prediction.ndim)
        difference = xp.where(weights > 0, difference, 0)
        total = _total(weights) * (difference.size // weights.size)
        share = weights / total
    slope = share * xp.where(difference > 0, levels, xp.where(difference < 0, levels - 1, 0))
    return Mean(xp.sum(slope * difference), total), -slope


def cross_entropy(
    logits: Array,
    target: Array,
    mask: Array | None = None,
    class_weights: Array | None = None,
) -> tuple[Mean, Array]:
    """Softmax cross-entropy, in nats.

    Parameters
    ----------
    logits : array (..., K)
        Scores of the K classes; any finite size.
    target : array of int (...)
        The right class, 0 to K - 1.
    mask : array (...) or None
        Weights of at least 0, or booleans, over the leading axes of ``target``.
    class_weights : array (K,) or None
        A weight for each class, as in torch.

    Returns
    -------
    loss : Mean
        Σ w (log Σ exp z - z_target) / Σ w, where w is the class's weight times the mask's; its
        weight is Σ w.
    gradient : array (..., K)

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit each other, or a target that counts is no class.
    NothingCounts
        A ValueError, if mask and class weights leave nothing.
    """
    backend, logits = checked_prediction(logits, "logits")
    target = backend.require(target, "target")
    xp, classes = backend.xp, logits.shape[-1]
    if target.dtype.kind not in "iu":
        raise TypeError(f"target must hold whole numbers, the classes, not {target.dtype}")
    if target.shape != logits.shape[:-1]:
        raise ValueError(f"target must have shape {logits.shape[:-1]}, got {target.shape}")
    weights = xp.ones(target.shape, logits.dtype)
    if mask is not None:
        weights = weights * _weights(backend, mask, target.shape, logits.dtype, target.ndim)
        target = xp.where(weights > 0, target, 0)
    if target.size and not 0 <= int(target.min()) <= int(target.max()) < classes:
        raise ValueError(
            f"target must hold classes from 0 to {classes - 1}, "
            f"got {int(target.min())} to {int(target.max())}"
        )
    if class_weights is not None:
        class_weights = backend.require(class_weights, "class_weights")
        if class_weights.shape != (classes,):
            raise ValueError(
                f"class_weights must have shape ({classes},), got {class_weights.shape}"
            )
        weighted = _counted(backend, class_weights, "class_weights", logits.dtype)
        weights = weights * weighted[target]
    count = _total(weights)
    weights = weights / count
    if mask is not None or class_weights is not None:
        # Whatever stands where nothing counts: its softmax is to be one.
        logits = xp.where(weights[..., None] > 0, logits, 0)
    gradient = backend.empty(logits.shape, logits.dtype)
    loss = _softmax_cross_entropy(
        backend,
        logits.reshape(-1, classes),
        target.reshape(-1),
        weights.reshape(-1),
        gradient.reshape(-1, classes),
    )
    return Mean(loss, count), gradient


def _softmax_cross_entropy(
    backend: Backend, logits: Array, target: Array, weights: Array, gradient: Array
) -> Array:
    """Σ w (log Σ exp z - z_target) of rows (N, K), whose gradient is written.

    A few rows at a time go through all of it, in the gradient's own memory and while they are in
    the cache.
    """
    xp, (rows, classes) = backend.xp, logits.shape
    losses = xp.empty(rows, logits.dtype)
    size = max(1, backend.chunk_bytes // (classes * logits.dtype.itemsize))
    for first in range(0, rows, size):
        part = slice(first, first + size)
        z, w = gradient[part], weights[part]
        right = xp.arange(len(z)), target[part]
        # The largest score is taken off first, so that no exponential overflows.
        xp.subtract(logits[part], logits[part].max(axis=-1, keepdims=True), out=z)
        score = z[right]
        xp.exp(z, out=z)
        total = z.sum(axis=-1)
        losses[part] = w * (xp.log(total) - score)
        z *= (w / total)[:, None]
        z[right] -= w
    return xp.sum(losses)


def _compared(prediction: Any, target: Any) -> tuple[Backend, Array, Array]:
    """The backend of two arrays of one shape and dtype, and the arrays."""
    backend, prediction = checked_prediction(prediction, "prediction")
    target = backend.require(target, "target")
    if target.shape != prediction.shape:
        raise ValueError(f"target must have shape {prediction.shape}, got {target.shape}")
    if target.dtype != prediction.dtype:
        raise TypeError(f"target is {target.dtype}, but prediction is {prediction.dtype}")
    return backend, prediction, target


def _levels(level: Any, entries: int) -> np.ndarray:
    """Levels (1,) or (K,), in float64."""
    levels = np.atleast_1d(plain_array(level, "level"))
    if levels.dtype.kind != "f" or levels.ndim != 1 or len(levels) not in (1, entries):
        raise ValueError(
            f"level must be a number between 0 and 1, or one for each of the {entries} entries of "
            f"the last axis, not {described(level)}"
        )
    if not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"level must lie between 0 and 1, not {described(level)}")
    return levels


def checked_prediction(array: Any, name: str) -> tuple[Backend, Array]:
    """The backend of a floating-point array that holds something, and the array.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    backend = backend_of(array, name)
    array = backend.require(array, name)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} must hold floating-point numbers, not {array.dtype}")
    if array.ndim < 1 or array.size < 1:
        raise ValueError(f"{name} must hold at least one value, got shape {array.shape}")
    return backend, array


def _weights(backend: Backend, mask: Any, shape: tuple, dtype: Any, rank: int) -> Array:
    """The mask in ``dtype``, with axes of size 1 added up to ``rank``."""
    mask = backend.require(mask, "mask")
    if mask.ndim < 1 or mask.shape != shape[: mask.ndim]:
        raise ValueError(f"mask must have the leading axes of {shape}, got shape {mask.shape}")
    weights = _counted(backend, mask, "mask", dtype)
    return weights.reshape(mask.shape + (1,) * (rank - mask.ndim))


def _counted(backend: Backend, array: Array, name: str, dtype: Any) -> Array:
    """Weights or booleans in ``dtype``."""
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers or booleans, not {array.dtype}")
    weights = array.astype(dtype)
    if bool((weights < 0).any()) or not bool(backend.xp.isfinite(weights).all()):
        raise ValueError(f"{name} must hold finite weights of at least 0")
    return weights


def _total(weights: Array) -> float:
    """The sum of the weights, in double precision: float32 can count to 2²⁴ only."""
    total = float(weights.sum(dtype="float64"))
    if not total > 0:
        raise NothingCounts(
            "the mask leaves nothing that counts, or the class weights do: all weights are 0"
        )
    return total
