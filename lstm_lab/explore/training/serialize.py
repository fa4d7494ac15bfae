"""What a training explorer sends to the page: everything that is drawn, in one buffer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..core.base import floats
from .trainer import BINS, Training

#: Points of a curve.
POINTS = 400

# Numbers of one sequence, and of one layer's weights, at most.
LARGEST = 60_000


def packed(run: Training, example: int) -> bytes:
    """The curves, the gates, one sequence of the probe, and the net that reads it, as float32.

    ``unpackRun`` of model.js takes it apart.

    Parameters
    ----------
    example : int
        Which sequence of the probe, from 1; past the last, the last.
    """
    seen = run.seen
    k = min(example, seen.x.shape[1]) - 1
    length, whole = int(seen.lengths[k]), seen.target.dtype.kind in "iu"
    axis = 1 if seen.prediction.ndim > 2 else 0
    answer = seen.prediction.take(k, axis).reshape(-1, seen.prediction.shape[-1])
    target = seen.target.take(k, axis).reshape(-1, 1 if whole else answer.shape[1])
    if axis:
        answer, target = answer[:length], target[:length]
    shown = seen.x[:length, k].reshape(length, -1)
    if shown.size > LARGEST:
        shown = shown[:, :1]
    fed, net, sizes = np.zeros(0), [], (0, 0)
    if opens(run, length):
        params, to_numpy = run.lstm.params, run.model.backend.to_numpy
        fed, sizes = seen.fed[:length, k], (run.lstm.input_size, run.lstm.hidden_size)
        net = [to_numpy(params[f"{name}_l0"]) for name in ("weight_x", "weight_h", "bias")]
    curves = [thinned(values, POINTS) for values in (run.losses, run.norms, run.clipped)]
    head = [
        run.updates, len(curves[0]), len(run.columns), run.stride, BINS, *shown.shape, *sizes,
        answer.shape[1], len(answer), len(target), target.shape[1], whole, run.task.baseline,
        seen.loss, seen.right, seen.x.shape[1], k + 1, run.lstm is not None,
    ]  # fmt: skip
    parts = (
        *curves, np.array(run.columns), seen.shut, seen.open, shown, fed, *net, answer, target,
    )  # fmt: skip
    tame = (np.nan_to_num(part, nan=0.0, posinf=3e38, neginf=-3e38) for part in parts)
    return b"".join(map(floats, (head, *tame)))


def opens(run: Training, length: int) -> bool:
    """Whether the page can compute the steps of this training's LSTM by itself."""
    if run.lstm is None:
        return False
    wide, hidden = run.lstm.input_size, run.lstm.hidden_size
    shapes = {n: array.shape for n, array in run.lstm.params.items() if n.endswith("_l0")}
    plain = {"weight_x_l0": (4 * hidden, wide), "weight_h_l0": (4 * hidden, hidden)}
    if shapes != plain | {"bias_l0": (4 * hidden,)}:
        return False
    return max(4 * hidden * (wide + hidden), length * wide) <= LARGEST


def thinned(values: Sequence[float], most: int) -> np.ndarray:
    """Means of as many neighbours as it takes to have at most ``most`` of them."""
    array = np.asarray(values, "float64")
    wide = max(1, math.ceil(len(array) / most))
    whole = len(array) // wide * wide
    means = array[:whole].reshape(-1, wide).mean(axis=1)
    return means if whole == len(array) else np.append(means, array[whole:].mean())
