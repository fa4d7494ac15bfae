"""Forward and backward of a layer, ours beside torch's, taking turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lstm_lab import LSTM

# (T, B, D, H), and whether in both directions
SHAPES = [
    ((100, 32, 32, 64), False),
    ((64, 32, 128, 128), False),
    ((100, 64, 128, 256), False),
    ((128, 1, 64, 64), False),
    ((100, 1, 8, 32), False),
    ((100, 32, 32, 64), True),
]
ROUNDS = 15


def run(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """One row for each shape: medians in ms, and the median of the rounds' ratios ours/torch.

    Torch's columns are missing where torch is.
    """
    return [_row(shape, bidirectional, rounds) for shape, bidirectional in SHAPES]


def _row(shape: tuple[int, int, int, int], bidirectional: bool, rounds: int) -> dict[str, Any]:
    steps, batch, inputs, hidden = shape
    x = np.random.default_rng(0).normal(size=(steps, batch, inputs)).astype("float32")
    contestants = {"ours": _ours(x, hidden, bidirectional)}
    if (theirs := _torch(x, hidden, bidirectional)) is not None:
        contestants["torch"] = theirs
    seconds = {name: [] for name in contestants}
    for round_ in range(rounds + 2):
        for name, call in contestants.items():
            start = time.perf_counter()
            call()
            if round_ >= 2:  # the first rounds warm up
                seconds[name].append(time.perf_counter() - start)
    row = {"shape": shape, "layer": "BiLSTM" if bidirectional else "LSTM"}
    row |= {f"{name}_ms": 1e3 * statistics.median(times) for name, times in seconds.items()}
    if "torch" in seconds:
        pairs = zip(seconds["ours"], seconds["torch"], strict=True)
        row["ratio"] = statistics.median(a / b for a, b in pairs)
    return row


def _ours(x: np.ndarray, hidden: int, bidirectional: bool) -> Callable[[], None]:
    layer = LSTM(x.shape[2], hidden, bidirectional=bidirectional, backend="numpy", seed=0)
    dy = np.ones((*x.shape[:2], layer.output_size), dtype="float32")

    def call() -> None:
        _, trace = layer.forward(x)
        layer.backward(dy, trace)

    return call


def _torch(x: np.ndarray, hidden: int, bidirectional: bool) -> Callable[[], None] | None:
    try:
        import torch
    except ImportError:
        return None
    layer = torch.nn.LSTM(x.shape[2], hidden, bidirectional=bidirectional)
    inputs = torch.tensor(x, requires_grad=True)
    dy = torch.ones(*x.shape[:2], hidden * (1 + bidirectional))

    def call() -> None:
        layer.zero_grad()
        inputs.grad = None
        layer(inputs)[0].backward(dy)

    return call
