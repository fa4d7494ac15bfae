"""Variants of the LSTM on three small tasks: what chapter 7 reports.

``python -m benchmarks.family [--seeds N] [--units H] [--only VARIANT] [--to FILE]``

Every variant, task and seed is one training from scratch on fresh sequences, until
the last 25 batches are right, and one row of the CSV file: how many updates that took, the error on
sequences that no training has seen, and the error on their first 50 steps alone, where every step
is asked. Rows that the file has already are not computed again.

``python -m benchmarks.family --biases [--seeds N] [--to FILE]``

The cell of 1997 and the LSTM on the adding task, with several initial biases of their gates: one
row for each pair of biases and seed, with the error after 300 updates, as a fraction of a
constant's, and the largest ``abs(c)`` on sequences that no training has seen.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab import GRU, LSTM, RNN, LastStep, Linear, Sequential, losses, tasks
from lstm_lab.layers import Recurrent
from lstm_lab.optim import Adam, clip_by_norm

from .rows import add, rows_of

FILE = Path(__file__).parents[1] / "book" / "07-family.csv"
COLUMNS = ("relative", "task", "seed", "updates", "error", "first")
BIASES_FILE = FILE.with_name("07-biases.csv")
BIASES_COLUMNS = ("forget_bias", "input_bias", "seed", "error", "largest")
#: Forget bias and input bias; a forget bias of None is the cell of 1997, which has no forget gate.
BIASES = ((None, 0.0), (None, -2.0), (None, -4.0), (None, -6.0),
          (1.0, 0.0), (1.0, -4.0), (5.0, 0.0), (5.0, -4.0))  # fmt: skip
UNITS, BATCH, RATE = 8, 32, 0.01
KEPT = 3.0  # all begin with the same memory: σ(3) = 0.95 of it is kept at each step
OPEN = 30.0  # in float32 σ(30) is exactly 1 and its derivative exactly 0

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
Make = Callable[[int, int, int], Recurrent]  # (inputs, units, seed) -> layer


def set_bias(layer: Recurrent, gate: str, value: float) -> Recurrent:
    layer.gate(gate).bias[:] = value
    return layer


def lstm(*, start: tuple[str, float] | None = None, **options: Any) -> Make:
    """A maker of LSTMs with options; ``start`` gives one more gate its first bias."""

    def make(inputs: int, units: int, seed: int) -> Recurrent:
        layer = LSTM(inputs, units, forget_bias=KEPT, seed=seed, **options)
        return set_bias(layer, *start) if start else layer

    return make


def gru(**options: Any) -> Make:
    def make(inputs: int, units: int, seed: int) -> Recurrent:
        return set_bias(GRU(inputs, units, seed=seed, **options), "update_gate", KEPT)

    return make


VARIANTS: dict[str, Make] = {
    "LSTM": lstm(),
    "peepholes": lstm(peepholes=True),
    "layer norm": lstm(layer_norm=True),
    "CIFG": lstm(coupled=True, start=("input_gate", -KEPT)),
    "GRU, reset after": gru(),
    "GRU, reset before": gru(reset_after=False),
    "no input gate": lstm(start=("input_gate", OPEN)),
    "no output gate": lstm(start=("output_gate", OPEN)),
    "no forget gate": lstm(forget_gate=False),
    "plain RNN": lambda inputs, units, seed: RNN(inputs, units, seed=seed),
    # As far shut at first as a CIFG's: is the CIFG's lead its coupling, or its first bias?
    "LSTM, input bias -3": lstm(start=("input_gate", -KEPT)),
}


@dataclass(frozen=True)
class Task:
    """A task, and when it counts as learnt.

    Attributes
    ----------
    draw : callable
        ``draw(rng, count)`` gives fresh examples: x (T, B, D), target, lengths (B,).
    test : callable
        The same, for the test.
    outputs : int
    each_step : bool
        Whether every step is asked, or the last one only.
    learnt : float
        An error below it, in the mean of 25 batches, ends the training.
    most : int
        Updates after which it ends anyway.
    """

    draw: Callable[[np.random.Generator, int], Batch]
    test: Callable[[np.random.Generator, int], Batch]
    outputs: int
    each_step: bool
    learnt: float
    most: int


def adding(rng: np.random.Generator, count: int) -> Batch:
    return tasks.adding(count, 24, rng)


def order(rng: np.random.Generator, count: int) -> Batch:
    return tasks.temporal_order(count, rng, length=60)


def latest(steps: int) -> Callable[[np.random.Generator, int], Batch]:
    """Which of X and Y came last? Asked at every step of a stream.

    One step in five is a mark, the others are one of two distractors. The first step is a mark.
    """

    def draw(rng: np.random.Generator, count: int) -> Batch:
        symbols = rng.choice(4, size=(steps, count), p=(0.1, 0.1, 0.4, 0.4))
        symbols[0] = rng.integers(2, size=count)
        marks = np.where(symbols < 2, np.arange(steps)[:, None], 0)
        target = np.take_along_axis(symbols, np.maximum.accumulate(marks, axis=0), axis=0)
        return np.eye(4, dtype="float32")[symbols], target, np.full(count, steps)

    return draw


TASKS = {
    "adding": Task(adding, adding, 1, False, learnt=0.1, most=1500),
    "order": Task(order, order, 4, False, learnt=0.01, most=1000),
    "latest": Task(latest(50), latest(2000), 2, True, learnt=0.01, most=500),
}


def error_of(prediction: np.ndarray, target: np.ndarray) -> float:
    """Share of wrong answers; of numbers, the mean square over that of a constant."""
    if target.dtype.kind == "f":
        return float(np.mean((prediction - target) ** 2)) / tasks.ADDING_BASELINE
    return float(np.mean(prediction.argmax(axis=-1) != target))


def train(
    variant: str, task: str, seed: int, units: int = UNITS
) -> tuple[int, float, float | None]:
    """Updates until the task was learnt, and then the error on unseen sequences.

    The last number is the error on their first 50 steps, None where only the last step is asked.
    """
    asked, rng = TASKS[task], np.random.default_rng(seed)
    inputs = asked.draw(rng, 1)[0].shape[2]
    layers = {"cell": VARIANTS[variant](inputs, units, seed)}
    if not asked.each_step:
        layers["last"] = LastStep()
    model = Sequential(**layers, head=Linear(units, asked.outputs, seed=seed))
    loss = losses.mse if asked.outputs == 1 else losses.cross_entropy
    optimizer, errors = Adam(learning_rate=RATE), []
    while len(errors) < asked.most and (len(errors) < 25 or np.mean(errors[-25:]) > asked.learnt):
        x, target, lengths = asked.draw(rng, BATCH)
        prediction, trace = model.forward(x, lengths=lengths)
        errors.append(error_of(prediction, target))
        gradients = model.backward(loss(prediction, target)[1], trace).params
        clip_by_norm(gradients, 1.0)
        optimizer.update(model.params, gradients)
    x, target, lengths = asked.test(np.random.default_rng(10_000), 100)
    prediction, _ = model.forward(x, lengths=lengths, trace=False)
    first = error_of(prediction[:50], target[:50]) if asked.each_step else None
    return len(errors), error_of(prediction, target), first


def adds(forget_bias: float | None, input_bias: float, seed: int) -> tuple[float, float]:
    """Error after 300 updates of adding over 50 steps, over a constant's; the largest abs(c)."""
    options = {"forget_gate": False} if forget_bias is None else {"forget_bias": forget_bias}
    lstm = set_bias(LSTM(2, UNITS, seed=seed, **options), "input_gate", input_bias)
    head = Linear(UNITS, 1, seed=seed)
    model = Sequential(lstm=lstm, last=LastStep(), head=head)
    optimizer, draw = Adam(learning_rate=0.02), np.random.default_rng(seed)
    for _ in range(300):
        x, target, lengths = tasks.adding(BATCH, 50, draw)
        y, trace = model.forward(x, lengths=lengths)
        gradient = model.backward(losses.mse(y, target)[1], trace).params
        clip_by_norm(gradient, 1.0)
        optimizer.update(model.params, gradient)
    x, target, lengths = tasks.adding(500, 50, 10_000)
    y, trace = model.forward(x, lengths=lengths)
    return error_of(y, target), float(abs(trace["lstm"].cell).max())


def missing(
    seeds: int, variants: list[str], rows: list[dict[str, str]]
) -> Iterator[tuple[str, str, int]]:
    """What is still to be trained: first everything with the first seed."""
    done = {(row["relative"], row["task"], int(row["seed"])) for row in rows}
    for seed in range(seeds):
        for task in TASKS:
            for variant in variants:
                if (variant, task, seed) not in done:
                    yield variant, task, seed


def missing_biases(
    seeds: int, rows: list[dict[str, str]]
) -> Iterator[tuple[float | None, float, int]]:
    """The same for the table of biases."""
    done = {tuple(row[column] for column in BIASES_COLUMNS[:3]) for row in rows}
    for seed in range(seeds):
        for forget_bias, input_bias in BIASES:
            if (written(forget_bias), f"{input_bias}", f"{seed}") not in done:
                yield forget_bias, input_bias, seed


def written(number: float | None, digits: str = "") -> str:
    return "" if number is None else f"{number:{digits}}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--only", choices=VARIANTS, help="this variant alone")
    parser.add_argument("--biases", action="store_true", help="the table of initial biases instead")
    parser.add_argument("--to", type=Path)
    arguments = parser.parse_args()
    if arguments.units != UNITS and arguments.to is None:
        parser.error(f"--units {arguments.units} needs --to: {FILE.name} is for {UNITS} units")
    if arguments.biases and (arguments.only or arguments.units != UNITS):
        parser.error("--biases: neither --only nor --units can be combined with it")
    os.environ["LSTM_LAB_BACKEND"] = "numpy"
    to = arguments.to or (BIASES_FILE if arguments.biases else FILE)
    rows = rows_of(to, BIASES_COLUMNS if arguments.biases else COLUMNS)
    for row in (biases_table if arguments.biases else family_table)(arguments, rows):
        add(to, *row)
        print(*row, flush=True)


def family_table(
    arguments: argparse.Namespace, rows: list[dict[str, str]]
) -> Iterator[tuple[Any, ...]]:
    variants = [arguments.only] if arguments.only else list(VARIANTS)
    for variant, task, seed in missing(arguments.seeds, variants, rows):
        updates, error, first = train(variant, task, seed, arguments.units)
        yield variant, task, seed, updates, written(error, ".5f"), written(first, ".5f")


def biases_table(
    arguments: argparse.Namespace, rows: list[dict[str, str]]
) -> Iterator[tuple[Any, ...]]:
    for forget_bias, input_bias, seed in missing_biases(arguments.seeds, rows):
        error, largest = adds(forget_bias, input_bias, seed)
        yield (written(forget_bias), input_bias, seed,
               written(error, ".5f"), written(largest, ".3f"))  # fmt: skip


if __name__ == "__main__":
    main()
