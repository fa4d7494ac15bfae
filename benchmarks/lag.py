"""Which symbol came first? What the bias of each gate is worth: what chapter 2 reports.

``python -m benchmarks.lag [--seeds N] [--only KIND] [--steps T …] [--to FILE]``

Every kind of network, length T and seed is one training from scratch, 300 batches of 32 fresh
sequences, and one row of the CSV file: the fraction of right answers on 500 unseen sequences.
Kinds of LSTM differ in nothing but the biases that they start from. Rows that the file has already
are not computed again.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lstm_lab import LSTM, RNN, LastStep, Linear, Sequential, losses, tasks
from lstm_lab.layers import Recurrent
from lstm_lab.optim import Adam, clip_by_norm

FILE = Path(__file__).parents[1] / "book" / "02-lag.csv"
COLUMNS = ("kind", "steps", "seed", "right")
STEPS = (5, 20, 40)
INPUTS, UNITS, BATCH, UPDATES, RATE = 6, 8, 32, 300, 0.01


def biased(seed: int, forget: float = 1.0, write: float = 0.0) -> LSTM:
    """An LSTM whose forget gates and input gates start from these biases."""
    layer = LSTM(INPUTS, UNITS, seed=seed, forget_bias=forget)
    layer.gate("input_gate").bias += write
    return layer


KINDS: dict[str, Callable[[int, int], Recurrent]] = {
    "vanilla RNN": lambda T, seed: RNN(INPUTS, UNITS, seed=seed),
    "RNN, orthogonal U": lambda T, seed: RNN(INPUTS, UNITS, init="orthogonal", seed=seed),
    "LSTM, b_f = 1": lambda T, seed: biased(seed),
    "LSTM, b_f = 1, b_i = -ln(T-1)": lambda T, seed: biased(seed, 1.0, -np.log(T - 1)),
    "LSTM, b_f = ln(T-1)": lambda T, seed: biased(seed, np.log(T - 1)),
    "LSTM, b_f = ln(T-1), b_i = -ln(T-1)": lambda T, seed: biased(
        seed, np.log(T - 1), -np.log(T - 1)
    ),
    "LSTM, chrono": lambda T, seed: LSTM(INPUTS, UNITS, init="chrono", chrono_length=T, seed=seed),
}


def train(kind: str, steps: int, seed: int) -> float:
    """The fraction of right answers after the training."""
    rng, optimizer = np.random.default_rng(seed), Adam(learning_rate=RATE)
    layer, head = KINDS[kind](steps, seed), Linear(UNITS, 2, seed=seed)
    net = Sequential(layer=layer, last=LastStep(), head=head)
    for _ in range(UPDATES):
        x, target = tasks.first_symbol(BATCH, steps, rng)
        scores, trace = net.forward(x)
        gradient = net.backward(losses.cross_entropy(scores, target)[1], trace)
        clip_by_norm(gradient.params, 1.0)
        optimizer.update(net.params, gradient.params)
    x, target = tasks.first_symbol(500, steps, 99)
    scores, _ = net.forward(x, trace=False)
    return float(np.mean(scores.argmax(1) == target))


def read(file: Path) -> dict[tuple[str, int, int], float]:
    """Rows that a file has: (kind, steps, seed) -> fraction of right answers."""
    if not file.exists():
        return {}
    with file.open(newline="", encoding="utf-8") as lines:
        return {
            (row["kind"], int(row["steps"]), int(row["seed"])): float(row["right"])
            for row in csv.DictReader(lines)
        }


def write(file: Path, rows: dict[tuple[str, int, int], float]) -> None:
    """The whole file, written beside and then renamed."""
    beside = file.with_suffix(".part")
    order = {kind: k for k, kind in enumerate(KINDS)}
    with beside.open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(COLUMNS)
        for key in sorted(rows, key=lambda key: (order[key[0]], key[1], key[2])):
            table.writerow([*key, f"{rows[key]:.3f}"])
    os.replace(beside, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=KINDS, help="one kind alone")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    parser.add_argument("--to", type=Path, default=FILE)
    options = parser.parse_args()
    rows = read(options.to)
    for kind in [options.only] if options.only else KINDS:
        for steps in options.steps:
            for seed in range(options.seeds):
                if (kind, steps, seed) not in rows:
                    rows[kind, steps, seed] = train(kind, steps, seed)
            write(options.to, rows)
            right = [rows[kind, steps, seed] for seed in range(options.seeds)]
            print(f"{kind:36s} T = {steps:3d}  {sum(r > 0.95 for r in right)} of {len(right)}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
