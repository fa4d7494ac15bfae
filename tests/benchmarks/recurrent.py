"""Forward and backward of a layer, our CPU backends beside torch, taking turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lstm_lab import LSTM
from lstm_lab.backends import BackendUnavailable

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
BACKENDS = ("numpy", "numba")


def run(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """One row for each shape: medians in ms, and the medians of the rounds' ratios to torch.

    What numba and torch would fill is missing where they are.
    """
    return [_row(shape, bidirectional, rounds) for shape, bidirectional in SHAPES]


def _row(shape: tuple[int, int, int, int], bidirectional: bool, rounds: int) -> dict[str, Any]:
    steps, batch, inputs, hidden = shape
    x = np.random.default_rng(0).normal(size=(steps, batch, inputs)).astype("float32")
    contestants = {name: _ours(x, hidden, bidirectional, name) for name in BACKENDS}
    contestants["torch"] = _torch(x, hidden, bidirectional)
    contestants = {name: call for name, call in contestants.items() if call is not None}
    seconds = {name: [] for name in contestants}
    for round_ in range(rounds + 2):
        for name, call in contestants.items():
            start = time.perf_counter()
            call()
            if round_ >= 2:  # the first rounds warm up
                seconds[name].append(time.perf_counter() - start)
    row = {"shape": shape, "layer": "BiLSTM" if bidirectional else "LSTM"}
    row |= {f"{name}_ms": 1e3 * statistics.median(times) for name, times in seconds.items()}
    theirs = seconds.pop("torch", None)
    if theirs is not None:
        for name, ours in seconds.items():
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            row[f"{name}_ratio"] = statistics.median(ratios)
    return row


def _ours(
    x: np.ndarray, hidden: int, bidirectional: bool, backend: str
) -> Callable[[], None] | None:
    try:
        layer = LSTM(x.shape[2], hidden, bidirectional=bidirectional, backend=backend, seed=0)
    except BackendUnavailable:
        return None
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
