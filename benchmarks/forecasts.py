"""LSTMs as forecasters of sunspots and of the sea off Peru: what chapter 10 reports.

``python -m benchmarks.forecasts [--seeds N] [--to FOLDER]``

The record is judged in blocks, one after another (rolling origin). For each block a network is
trained on what lies before it, less the validation part; the validation part says when to stop,
and which of four sizes to take (seed 0). Then the chosen size is trained with the other seeds.

`10-forecasts.csv` has one row a training: validation error (standardised, one step ahead), and the
mean squared error over the block's windows, in the unit of the series, 1 to 12 steps ahead.
`10-errors.csv` has one row a window: its squared error 1 to 12 steps ahead, in the mean over the
seeds of the chosen size. Blocks that both files have already are not computed again.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab import LSTM, LastStep, Linear, Sequential, losses
from lstm_lab.data import Climatology, Series, Standardizer, load, split, windows
from lstm_lab.optim import Adam
from lstm_lab.training import fit, predict

FOLDER = Path(__file__).parents[1] / "book"
HORIZON, SIZES, RATE, PATIENCE = 12, (4, 8, 16, 32), 0.005, 20
LEADS = tuple(f"lead_{k}" for k in range(1, HORIZON + 1))
TRAININGS = ("series", "input", "block", "units", "seed", "chosen", "epochs", "validation", *LEADS)
ERRORS = ("series", "input", "block", "window", *LEADS)


@dataclass(frozen=True)
class Record:
    """How a record is cut: windows of ``length``, ``blocks`` test parts of ``test`` steps."""

    series: Series
    length: int
    validation: int
    test: int
    blocks: int
    period: int


@dataclass(frozen=True)
class Block:
    """One test part and what lies before it; standardised but for ``std``."""

    first: int
    learn: tuple[np.ndarray, np.ndarray]
    choose: tuple[np.ndarray, np.ndarray]
    x: np.ndarray
    truth: np.ndarray
    std: float


RECORDS = {
    "sunspots": lambda: Record(load("sunspots"), 22, 40, 40, 3, 1),
    "el_nino": lambda: Record(load("el_nino"), 24, 96, 120, 4, 12),
}
ASKED = (("sunspots", "values"), ("el_nino", "anomalies"), ("el_nino", "values"))


def blocks(record: Record, anomalies: bool) -> Iterator[Block]:
    """The blocks of a record, oldest first; nothing of a later one is read."""
    total = len(record.series)
    for end in range(total - (record.blocks - 1) * record.test, total + 1, record.test):
        values = record.series.values[:end]
        if anomalies:
            past = values[: end - record.test - record.validation]
            values = Climatology.fit(past, record.period)(values)
        parts = split(values, record.validation, record.test, context=record.length)
        scale = Standardizer.fit(parts[0])
        learn, choose = (windows(scale(part), record.length) for part in parts[:2])
        x, truth = windows(scale(parts[2]), record.length, HORIZON)
        first = int(record.series.times[end - record.test])
        yield Block(first, learn, choose, x, truth, scale.std)


def train(block: Block, units: int, seed: int) -> tuple[Any, Any]:
    """A network and the history of its training; the best epoch is kept."""
    model = Sequential(
        encoder=LSTM(1, units, seed=seed), last=LastStep(), head=Linear(units, 1, seed=seed)
    )
    history = fit(
        model,
        *block.learn,
        loss=losses.mse,
        optimizer=Adam(RATE),
        validation=block.choose,
        patience=PATIENCE,
        epochs=300,
        clip_norm=1.0,
        seed=seed,
        progress=False,
    )
    return model, history


def squared_errors(model: Any, block: Block) -> np.ndarray:
    """(N, K) in the unit of the series, each forecast made from the ones before it."""
    x, forecasts = block.x, []
    for _ in range(HORIZON):
        forecasts.append(predict(model, x)[:, 0])
        x = np.concatenate([x[1:], forecasts[-1][None, :, None]])
    return ((np.stack(forecasts, axis=1) - block.truth) * block.std) ** 2


def judge(block: Block, seeds: int) -> tuple[list[tuple], np.ndarray]:
    """Rows of `10-forecasts.csv` without their first three columns, and the mean errors (N, K)."""
    tried = {}
    for units in SIZES:
        model, history = train(block, units, 0)
        tried[units] = history, squared_errors(model, block)
    chosen = min(SIZES, key=lambda units: min(tried[units][0].validation_loss))
    runs = [(units, 0, *result) for units, result in tried.items()]
    for seed in range(1, seeds):
        model, history = train(block, chosen, seed)
        runs.append((chosen, seed, history, squared_errors(model, block)))
    rows = [
        (
            *(units, seed, int(units == chosen), len(history.loss)),
            f"{min(history.validation_loss):.4f}",
            *(f"{error:.4g}" for error in errors.mean(axis=0)),
        )
        for units, seed, history, errors in runs
    ]
    return rows, np.mean([errors for units, _, _, errors in runs if units == chosen], axis=0)


def append(path: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    if not path.exists():
        path.write_text(",".join(columns) + "\n", encoding="utf-8")
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def done(path: Path) -> set[tuple[str, str, int]]:
    if not path.exists():
        return set()
    with path.open(encoding="utf-8", newline="") as file:
        return {(r["series"], r["input"], int(r["block"])) for r in csv.DictReader(file)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--to", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    os.environ["LSTM_LAB_BACKEND"] = "numpy"
    trainings, errors = arguments.to / "10-forecasts.csv", arguments.to / "10-errors.csv"
    there = done(errors) & done(trainings)
    for name, asked in ASKED:
        for block in blocks(RECORDS[name](), asked == "anomalies"):
            key = name, asked, block.first
            if key in there:
                continue
            rows, mean = judge(block, arguments.seeds)
            append(trainings, TRAININGS, [(*key, *row) for row in rows])
            lines = [(*key, n, *(f"{e:.4g}" for e in row)) for n, row in enumerate(mean)]
            append(errors, ERRORS, lines)
            print(*key, *(f"{np.sqrt(e):.3g}" for e in mean.mean(axis=0)), flush=True)


if __name__ == "__main__":
    main()
