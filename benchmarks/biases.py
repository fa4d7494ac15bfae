"""First biases of forget and input gates on temporal order: the map of chapter 6.

``python -m benchmarks.biases [--seeds N] [--to FILE]``

Experiment 6a of Hochreiter & Schmidhuber 1997, eight units, Adam at 0.02, batches of 32, at most
400 updates. Every start and seed is one training and one row of the CSV file. Starts of one seed
differ in the first biases alone, but for two ablations. With ``written`` other than 1 the cell is c
= f * c_before + written * i * g, in the training too: input gates open and cells as small as behind
nearly closed ones, or the other way round. With ``clip`` "none" the gradient is not clipped to a
norm of 1. Rows that the file has already are not computed again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab import LSTM, LastStep, Linear, Sequential, cells, losses, tasks
from lstm_lab.optim import Adam, clip_by_norm

from .rows import add, rows_of

FILE = Path(__file__).parents[1] / "book" / "06-biases.csv"
COLUMNS = (
    "forget",  # bias of the forget gates, or chrono: the logarithm of a draw from (1, 109)
    "input",  # bias of the input gates; -b_f: the forget gate's own, with the other sign
    "written",  # factor on what the input gates let into the cells
    "clip",  # longest gradient, over all weights together
    "seed",  # of the weights and of the examples
    "solved",  # 1: more than 95 % of 1000 new sequences right
    "updates",  # until 25 batches were more than 99 % right; at most 400
    "accuracy",  # on the 1000 new sequences
    "arrives",  # before training: norm of the loss's gradient at the step of the first mark
    "saturated",  # before training: mean of |tanh c| at the last step
    "rms",  # before training: root mean square of c at the last step
)
UNITS, LENGTH, BATCH, RATE, MOST = 8, 100, 32, 0.02, 400
FORGET = ("1", "5", "chrono")
INPUT = ("0", "-2", "-4", "-b_f")
STARTS = [
    *((f, i, "1", "1") for f in FORGET for i in INPUT),
    ("5", "0", "1/28", "1"),  # σ(0) / σ(-4) = 28
    ("5", "-4", "28", "1"),
    ("chrono", "-b_f", "1", "none"),
]


def writes(lstm: LSTM, factor: float) -> LSTM:
    """Let the layer's cells be c = f * c_before + factor * i * g."""

    def forward(gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell):
        cells.lstm_forward(gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell)
        cell += (factor - 1) * gates[:, 1] * gates[:, 3]
        np.tanh(cell, out=tanh_cell)
        np.multiply(gates[:, 0], tanh_cell, out=hidden)

    def derivatives(gates, hidden_before, cell_before, hidden, cell, tanh_cell, d, dcell):
        before = hidden_before, cell_before
        cells.lstm_derivatives(gates, *before, hidden, cell, tanh_cell, d, dcell)
        d[..., 1, :, :] *= factor
        d[..., 3, :, :] *= factor

    lstm.cell = replace(
        lstm.cell,
        forward=replace(lstm.cell.forward, numpy=forward, unit=""),
        derivatives=replace(lstm.cell.derivatives, numpy=derivatives, unit=""),
    )
    return lstm


def network(forget: str, start: str, written: str, seed: int, **options: Any) -> Sequential:
    """The network of a row before its training."""
    if written != "1":
        options["backend"] = "numpy"
    longest = LENGTH + LENGTH // 10
    lstm = LSTM(8, UNITS, init="chrono", chrono_length=longest, seed=seed, **options)
    b_f, b_i = (lstm.gate(name).bias for name in ("forget_gate", "input_gate"))
    if forget != "chrono":
        b_f[:] = float(forget)
    b_i[:] = -b_f if start == "-b_f" else float(start)
    if written != "1":
        writes(lstm, float(Fraction(written)))
    return Sequential(
        lstm=lstm, last=LastStep(**options), head=Linear(UNITS, 4, seed=seed, **options)
    )


def before(model: Sequential) -> tuple[float, float, float]:
    """What arrives at the first mark, and how full the cells are at the end."""
    x, target, lengths = tasks.temporal_order(100, 0, length=LENGTH)
    every = np.arange(100)
    scores, trace = model.forward(x, lengths=lengths)
    gradient = model.backward(losses.cross_entropy(scores, target)[1], trace).x
    first = x[:, :, 6:].any(axis=2).argmax(axis=0)
    arrives = np.linalg.norm(gradient[first, every], axis=1).mean()
    cell = model.layers["lstm"].forward(x, lengths=lengths)[1].cell[lengths - 1, every]
    return arrives, np.abs(np.tanh(cell)).mean(), np.sqrt(np.mean(cell**2))


def step(
    model: Sequential, x: np.ndarray, target: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Scores and gradient, as with ``lengths=``, in half the time.

    All sequences run to the longest one's end, and each is read at its own: what comes after it has
    no effect on that, and nothing is cut into segments.
    """
    lstm, head = model.layers["lstm"], model.layers["head"]
    last = lengths - 1, np.arange(len(lengths))
    hidden, trace = lstm.forward(x)
    scores, seen = head.forward(hidden[last])
    top = head.backward(losses.cross_entropy(scores, target)[1], seen)
    dy = np.zeros_like(hidden)
    dy[last] = top.x
    parts = {"lstm": lstm.backward(dy, trace), "head": top}
    return scores, {f"{k}.{n}": a for k, part in parts.items() for n, a in part.params.items()}


def train(
    forget: str, start: str, written: str, clip: str, seed: int
) -> tuple[int, int, float, float, float, float]:
    model = network(forget, start, written, seed)
    first = before(model)
    optimizer, draw, right = Adam(RATE), np.random.default_rng(seed), []
    while len(right) < MOST:
        x, target, lengths = tasks.temporal_order(BATCH, draw, length=LENGTH)
        scores, gradient = step(model, x, target, lengths)
        clip_by_norm(gradient, float("inf") if clip == "none" else float(clip))
        optimizer.update(model.params, gradient)
        right.append(np.mean(scores.argmax(axis=1) == target))
        if len(right) % 25 == 0 and np.mean(right[-25:]) > 0.99:
            break
    x, target, lengths = tasks.temporal_order(1000, 10_000, length=LENGTH)
    scores, _ = model.forward(x, lengths=lengths, trace=False)
    accuracy = float(np.mean(scores.argmax(axis=1) == target))
    return int(accuracy > 0.95), len(right), accuracy, *first


def missing(seeds: int, rows: list[dict[str, str]]) -> Iterator[tuple[str, str, str, str, int]]:
    """What is still to be trained: first every start with the first seed."""
    names = ("forget", "input", "written", "clip")
    done = {(*(row[name] for name in names), int(row["seed"])) for row in rows}
    for seed in range(seeds):
        for start in STARTS:
            if (*start, seed) not in done:
                yield *start, seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--to", type=Path, default=FILE)
    arguments = parser.parse_args()
    os.environ.setdefault("LSTM_LAB_BACKEND", "numpy")
    for start in missing(arguments.seeds, rows_of(arguments.to, COLUMNS)):
        solved, updates, accuracy, arrives, saturated, rms = train(*start)
        parts = solved, updates, f"{accuracy:.3f}", f"{arrives:.2e}", f"{saturated:.3f}"
        row = *start, *parts, f"{rms:.2f}"
        add(arguments.to, *row)
        print(*row, flush=True)


if __name__ == "__main__":
    main()
