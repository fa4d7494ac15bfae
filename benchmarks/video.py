"""An image behind a wall, and the turns of a light, for chapter 16.

``python -m benchmarks.video [--seeds N] [--first SEED] [--to FILE]``

Every method is trained for every seed, on clips of that seed, and measured on clips of digits that
it has not seen: on the validation part, where rates, sizes and epochs were chosen, and on the test.
Rows that a file has already are not computed again.

*wall*: mean squared error · 1000 of the first frame in which something is seen again, ``first``,
and of all frames, ``all``; of the LSTM also what `cells` finds. *turns*: the fraction of clips
whose number of turns is right in the last frame, ``last``; *lost*: the same task with frames
missing, the fraction of frames whose number so far is right, ``all``, and of the missing ones,
``missing``.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab import GRU, LSTM, RNN, BiLSTM, Linear, Sequential, losses, tasks
from lstm_lab.data import load
from lstm_lab.optim import Adam, cosine
from lstm_lab.training import fit, predict

from .rows import rows_of

BOOK = Path(__file__).parents[1] / "book"
FILE = BOOK / "16-video.csv"
COLUMNS = ("seed", "task", "method", "part", "measure", "value", "parameters", "seconds")
CLIPS, HELD_OUT, BATCH = 2000, 1000, 32
INK = slice(1, 7)
PARTS = ("validation", "test")


def window(x: np.ndarray, k: int) -> np.ndarray:
    """Each frame beside the k - 1 before it, the oldest first; before the first there is nothing.

    (T, N, D) to (T, N, kD).
    """
    padded = np.pad(x, ((k - 1, 0), (0, 0), (0, 0)))
    return np.concatenate([padded[j : j + len(x)] for j in range(k)], axis=2)


def layered(inputs: int, hidden: int, outputs: int, seed: int) -> Sequential:
    """tanh between two linear layers: an RNN that reads sequences of one step is just that."""
    return recurrent(RNN, inputs, hidden, outputs, seed)


def recurrent(kind: Callable, inputs: int, hidden: int, outputs: int, seed: int) -> Sequential:
    layer = kind(inputs, hidden, seed=seed)
    width = hidden * (2 if kind is BiLSTM else 1)
    return Sequential(recurrent=layer, out=Linear(width, outputs, seed=seed + 1))


def alone(x: np.ndarray) -> np.ndarray:
    """Every frame of every clip as a sequence of its own: (T, N, D) to (1, TN, D)."""
    return x.reshape(1, -1, *x.shape[2:])


def trained(
    network: Sequential,
    x: np.ndarray,
    target: np.ndarray,
    loss: Callable,
    epochs: int,
    rate: float,
    seed: int,
    batch: int = BATCH,
    **more: Any,
) -> float:
    """Train it; how long that took, in seconds of the processor."""
    start = time.process_time()
    fit(network, x, target, loss=loss, epochs=epochs, batch_size=batch, clip_norm=1.0, seed=seed,
        optimizer=Adam(cosine(rate, epochs * -(-x.shape[1] // batch))), target_axis=1,
        progress=False, **more)  # fmt: skip
    return time.process_time() - start


# ---- an image behind a wall


HIDDEN, EPOCHS, MUTED = 96, 14, 12
RATES = {"LSTM": 0.008, "RNN": 0.005, "MLP, 8 frames": 0.005}


@cache
def digits() -> Any:
    return load("digits")


def clips(part: str, count: int, seed: int) -> tasks.Clips:
    return tasks.behind_a_wall(getattr(digits(), part).images[:, :, INK], count, seed)


def wall_errors(prediction: np.ndarray, held: tasks.Clips) -> dict[str, float]:
    """Mean squared errors · 1000 of frames 1 to T - 1."""
    squared = (prediction - held.frames[1:]) ** 2
    return {
        "first": 1000 * float(squared[held.out - 1, np.arange(len(held))].mean()),
        "all": 1000 * float(squared.mean()),
    }


def linear(x: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Least squares, with a little ridge, from each frame's vector to the next frame."""

    def with_one(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.ones((*values.shape[:2], 1), "float32")], axis=2)

    rows = with_one(x).reshape(-1, x.shape[2] + 1)
    gram = rows.T @ rows + np.eye(rows.shape[1], dtype="float32")
    weights = np.linalg.solve(gram, rows.T @ target.reshape(len(rows), -1))
    return lambda values: with_one(values) @ weights


def told_all_but_the_digit(held: tasks.Clips) -> np.ndarray:
    """The mean image of the training part, where the image truly is."""
    mean = digits().train.images[:, :, INK].mean(axis=0)
    width = held.shape[1]
    frames = tasks.drawn(np.repeat(mean[None], len(held), 0), np.minimum(held.places, width), width)
    frames[..., held.wall] = 0
    return frames.reshape(held.frames.shape)[1:]


def wall(seed: int, done: set[str]) -> Iterator[Any]:
    """Of every method that is not done: its name, results, parameters, seconds."""
    train = clips("train", CLIPS, 100 * seed)
    held = {part: clips(part, HELD_OUT, 100 * seed + k) for k, part in enumerate(PARTS, 1)}
    x, target = train.frames[:-1], train.frames[1:]

    def each(predicted: Callable[[tasks.Clips], np.ndarray]) -> dict[str, dict[str, float]]:
        return {part: wall_errors(predicted(its), its) for part, its in held.items()}

    if "copy" not in done:
        yield "copy", each(lambda its: its.frames[:-1]), 0, 0.0
    if "told all but the digit" not in done:
        yield "told all but the digit", each(told_all_but_the_digit), 0, 0.0
    if "linear, 2 frames" not in done:
        start = time.process_time()
        answer = linear(window(x, 2), target)
        spent = time.process_time() - start
        size = (2 * x.shape[2] + 1) * x.shape[2]
        yield "linear, 2 frames", each(lambda its: answer(window(its.frames[:-1], 2))), size, spent
    frames = 8
    name = f"MLP, {frames} frames"
    if name not in done:
        network = layered(frames * x.shape[2], HIDDEN, x.shape[2], seed)
        spent = trained(network, alone(window(x, frames)), alone(target), losses.mse,
                        EPOCHS // 2, RATES[name], seed, BATCH * len(x))  # fmt: skip

        def seen(its: tasks.Clips) -> np.ndarray:
            found = predict(network, alone(window(its.frames[:-1], frames)))
            return found.reshape(len(its.frames) - 1, len(its), -1)

        yield name, each(seen), network.size, spent
    for kind in (RNN, LSTM):
        if kind.__name__ in done:
            continue
        network = recurrent(kind, x.shape[2], HIDDEN, x.shape[2], seed)
        spent = trained(network, x, target, losses.mse, EPOCHS, RATES[kind.__name__], seed)
        found = each(lambda its, n=network: predict(n, its.frames[:-1]))
        if kind is LSTM:
            untrained = recurrent(kind, x.shape[2], HIDDEN, x.shape[2], seed)
            for part, more in cells(network, untrained, train, held).items():
                found[part] |= more
        yield kind.__name__, found, network.size, spent


def states(network: Sequential, its: tasks.Clips) -> tuple[Any, np.ndarray, np.ndarray]:
    """The trace; the frame in which each image first is wholly hidden; tanh c in the last such."""
    _, trace = network.layers["recurrent"].forward(its.frames[:-1])
    wide = INK.stop - INK.start
    hidden = (its.places >= its.wall.start) & (its.places + wide <= its.wall.stop)
    return trace, hidden.argmax(axis=0), np.tanh(trace.cell[its.out - 1, np.arange(len(its))])


def explained(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Of each column's variance, the fraction that lies between the groups."""
    whole, between = ((values - values.mean(axis=0)) ** 2).sum(axis=0), 0.0
    for group in np.unique(groups):
        some = values[groups == group]
        between = between + len(some) * (some.mean(axis=0) - values.mean(axis=0)) ** 2
    return between / np.maximum(whole, 1e-12)


def without(network: Sequential, its: tasks.Clips, trace: Any, entry: Any, cells: Any) -> float:
    """The error of the first frame out if these cells are set to 0 in the first hidden frame."""
    lstm, out = network.layers.values()
    predicted, blank = np.zeros((len(its), its.frames.shape[2]), "float32"), its.out - entry
    for n in np.unique(blank):
        rows = np.flatnonzero(blank == n)
        h, c = (array[entry[rows], rows].copy() for array in (trace.hidden, trace.cell))
        h[:, cells] = c[:, cells] = 0
        if n > 1:
            y, _ = lstm.forward(np.zeros((n - 1, *predicted[rows].shape), "float32"),
                                (h[None], c[None]))  # fmt: skip
            h = y[-1]
        predicted[rows] = out.forward(h[None])[0][0]
    true = its.frames[its.out, np.arange(len(its))]
    return 1000 * float(((predicted - true) ** 2).mean())


def probe(x: np.ndarray, labels: np.ndarray, others: np.ndarray, theirs: np.ndarray) -> float:
    """The fraction of labels that a linear readout, fitted on the first, finds of the second."""
    classes = int(labels.max()) + 1
    x, others = (np.c_[values, np.ones(len(values))] for values in (x, others))
    gram = x.T @ x + 1e-4 * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ np.eye(classes)[labels])
    return float(((others @ weights).argmax(axis=1) == theirs).mean())


def cells(
    network: Sequential, untrained: Sequential, train: tasks.Clips, held: dict[str, tasks.Clips]
) -> dict[str, dict[str, float]]:
    """What the cells hold in the last hidden frame, with controls; cells chosen on validation."""
    found: dict[str, dict[str, float]] = {part: {} for part in held}
    labels = {part: getattr(digits(), part).labels[its.which] for part, its in held.items()}
    own = digits().train.labels[train.which]
    rng = np.random.default_rng(0)
    for name, net in (("trained", network), ("untrained", untrained)):
        learnt = states(net, train)[2]
        for part, its in held.items():
            read = states(net, its)[2]
            for what, mine, theirs in (
                ("digit", own, labels[part]),
                ("speed", train.speeds, its.speeds),
                ("shuffled", rng.permutation(own), labels[part]),
            ):
                found[part][f"probe {what}, {name}"] = probe(learnt, mine, read, theirs)
    chosen = states(network, held["validation"])[2]
    groups = {"digit": labels["validation"], "speed": held["validation"].speeds}
    best = {what: np.argsort(-explained(chosen, group))[:MUTED] for what, group in groups.items()}
    for part, its in held.items():
        trace, entry, read = states(network, its)
        for what, group in (("digit", labels[part]), ("speed", its.speeds)):
            found[part][f"best cell, {what}"] = float(explained(read, group)[best[what][0]])
            found[part][f"without {what} cells"] = without(network, its, trace, entry, best[what])
        some = [rng.choice(HIDDEN, MUTED, replace=False) for _ in range(10)]
        errors = [without(network, its, trace, entry, each) for each in some]
        found[part]["without random cells"] = float(np.median(errors))
    return found


# ---- turns of a light


TURN_HIDDEN, TURN_EPOCHS, TURN_RATE, LOST, LATER = 48, 20, 0.02, 0.25, 1


def later(x: np.ndarray) -> np.ndarray:
    """With as many empty frames behind as the answer may come late."""
    return np.concatenate([x, np.zeros((LATER, *x.shape[1:]), x.dtype)])


def turns(seed: int, done: set[str], lost: float = 0.0) -> Iterator[Any]:
    x, target = tasks.turns(CLIPS, 100 * seed, missing=lost)
    held = {part: tasks.turns(HELD_OUT, 100 * seed + k, missing=lost)
            for k, part in enumerate(PARTS, 1)}  # fmt: skip
    steps, _, ring = x.shape
    most = int(target.max()) + 1

    def each(predicted: Callable[[np.ndarray], np.ndarray]) -> dict[str, dict[str, float]]:
        found = {}
        for part, (frames, count) in held.items():
            right = predicted(frames).argmax(axis=2) == count
            found[part] = {"last": float(right[-1].mean()), "all": float(right.mean())}
            if lost:
                found[part]["missing"] = float(right[~frames.any(axis=2)].mean())
        return found

    frames = 3
    name = f"MLP, {frames} frames"
    if name not in done and not lost:
        network = layered(frames * ring, TURN_HIDDEN, most, seed)
        spent = trained(network, alone(window(x, frames)), alone(target), losses.cross_entropy,
                        TURN_EPOCHS, TURN_RATE, seed, BATCH * steps)  # fmt: skip

        def seen(values: np.ndarray) -> np.ndarray:
            return predict(network, alone(window(values, frames))).reshape(*values.shape[:2], -1)

        yield name, each(seen), network.size, spent
    if "MLP, all frames" not in done and not lost:
        network = layered(steps * ring, 256, steps * most, seed)

        def flat(values: np.ndarray) -> np.ndarray:
            return values.transpose(1, 0, 2).reshape(1, values.shape[1], -1)

        # It answers all frames at once; the loss sees them one by one.
        def loss(logits: Any, labels: Any) -> Any:
            each_frame = logits.reshape(*labels.shape, most)
            value, gradient = losses.cross_entropy(each_frame, labels)
            return value, gradient.reshape(logits.shape)

        spent = trained(network, flat(x), target.T[None], loss, TURN_EPOCHS, 0.003, seed)

        def answer(values: np.ndarray) -> np.ndarray:
            found = predict(network, flat(values)).reshape(values.shape[1], steps, most)
            return found.transpose(1, 0, 2)

        yield "MLP, all frames", each(answer), network.size, spent
    name = "LSTM, a frame later"
    if lost and name not in done:
        network = recurrent(LSTM, ring, TURN_HIDDEN, most, seed)
        # Empty frames behind the end, and no answer to the first ones.
        none = np.zeros((LATER, *target.shape[1:]), int)
        mask = np.concatenate([none, np.ones_like(target)]).astype("float32")
        spent = trained(network, later(x), np.concatenate([none, target]), losses.cross_entropy,
                        TURN_EPOCHS, TURN_RATE, seed, mask=mask)  # fmt: skip
        yield name, each(lambda v: predict(network, later(v))[LATER:]), network.size, spent
    for kind in (LSTM, BiLSTM) if lost else (RNN, GRU, LSTM):
        if kind.__name__ in done:
            continue
        network = recurrent(kind, ring, TURN_HIDDEN, most, seed)
        spent = trained(network, x, target, losses.cross_entropy, TURN_EPOCHS,
                        TURN_RATE / 4 if kind is RNN else TURN_RATE, seed)  # fmt: skip
        yield kind.__name__, each(lambda v, n=network: predict(n, v)), network.size, spent


TASKS: dict[str, Callable[[int, set[str]], Iterator[Any]]] = {
    "wall": wall,
    "turns": turns,
    "lost": lambda seed, done: turns(seed, done, LOST),
}


def measure(file: Path, seeds: range) -> None:
    rows = [(row["seed"], row["task"], row["method"]) for row in rows_of(file, COLUMNS)]
    for seed in seeds:
        for task, methods in TASKS.items():
            done = {method for its, of, method in rows if (its, of) == (str(seed), task)}
            for method, found, size, spent in methods(seed, done):
                # A method's rows at once: a run that is ended leaves none half done.
                with file.open("a", encoding="utf-8", newline="") as lines:
                    csv.writer(lines, lineterminator="\n").writerows(
                        (seed, task, method, part, name, f"{value:.4f}", size, f"{spent:.1f}")
                        for part, values in found.items()
                        for name, value in values.items()
                    )
                print(seed, task, method, found["test"], f"{spent:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--to", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("LSTM_LAB_BACKEND", "numpy")
    measure(arguments.to or FILE, range(arguments.first, arguments.first + arguments.seeds))


if __name__ == "__main__":
    main()
