"""One network for many short series, beside lines for one and for all: chapter 10's last task.

``python -m benchmarks.across [--seeds N] [--to FOLDER]``

An LSTM learns from 10, 100 or 1000 noisy oscillations of unknown period and amplitude
(`lstm_lab.tasks.oscillations`); the last fifth of them says when to stop. It is judged on 400 new
ones: 24 values are seen, the next six are predicted, each from the ones before it.

`10-across.csv` has one row a training: mean squared error 1 to 6 steps ahead.
`10-across-errors.csv` has one row a test series: its squared error, in the mean over the seeds of
the networks that learnt from 1000. What has no seed (the lines, the sinusoid) the chapter computes.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab import LSTM, Linear, Sequential, losses, tasks
from lstm_lab.optim import Adam
from lstm_lab.training import fit, predict

FOLDER = Path(__file__).parents[1] / "book"
SEEN, HORIZON, TESTS, UNITS = 24, 6, 400, 32
COUNTS = (10, 100, 1000)
LEADS = tuple(f"lead_{k}" for k in range(1, HORIZON + 1))
TRAININGS = ("learnt_from", "seed", "epochs", "validation", *LEADS)


def examples(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Series to learn from, (T, N, 1), and the next value at each step."""
    return tasks.oscillations(count, SEEN + HORIZON - 1, seed)


def test() -> tuple[np.ndarray, np.ndarray]:
    """What is seen of new series, (24, N, 1), and the six values that follow, (N, 6)."""
    x, target = examples(TESTS, 1_000_000)
    values = np.concatenate([x, target[-1:]])
    return values[:SEEN], values[SEEN:, :, 0].T


def roll_out(one_step: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """(N, 6): each forecast is an input of the next."""
    forecasts = []
    for _ in range(HORIZON):
        forecasts.append(one_step(x))
        x = np.concatenate([x, forecasts[-1][None, :, None]])
    return np.stack(forecasts, axis=1)


def train(count: int, seed: int) -> tuple[Any, Any]:
    """A network that predicts the next value at every step, and the history of its training."""
    x, target = examples(count, seed)
    held = max(1, count // 5)
    model = Sequential(encoder=LSTM(1, UNITS, seed=seed), head=Linear(UNITS, 1, seed=seed))
    history = fit(
        model,
        x[:, :-held],
        target[:, :-held],
        loss=losses.mse,
        optimizer=Adam(0.005),
        validation=(x[:, -held:], target[:, -held:]),
        patience=10,
        epochs=100,
        batch_size=40,
        clip_norm=1.0,
        seed=seed,
        progress=False,
    )
    return model, history


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--to", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    os.environ["LSTM_LAB_BACKEND"] = "numpy"
    seen, truth = test()
    total = np.zeros(truth.shape)
    with (arguments.to / "10-across.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(TRAININGS)
        for count in COUNTS:
            for seed in range(arguments.seeds):
                model, history = train(count, seed)
                missed = roll_out(lambda x: predict(model, x)[-1, :, 0], seen) - truth  # noqa: B023
                total += missed**2 * (count == COUNTS[-1])
                found = (f"{e:.4g}" for e in (missed**2).mean(axis=0))
                told = f"{min(history.validation_loss):.4g}"
                rows.writerow((count, seed, len(history.loss), told, *found))
                file.flush()
    with (arguments.to / "10-across-errors.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(LEADS)
        rows.writerows([f"{e:.4g}" for e in row] for row in total / arguments.seeds)


if __name__ == "__main__":
    main()
