"""What each word of an address is: taggers beside each other, as chapter 8 reports them.

``python -m benchmarks.tagging [--seeds N] [--choose] [--to FILE]``

The addresses are shuffled once and cut into five parts. In split k, part k is the test, the next
one the validation part, and the other three are for training. With ``--choose``, every method is
trained at every rate of `RATES` on split 0, and how many words of the *validation* part are right
after 2, 4, 8 and 16 epochs goes to the CSV file, a row each. Without, the best rate and number
of epochs are read from that file, every method is trained with them for every split and seed, and a
row says what the *test* gave: words and whole addresses that are right, and of how many; for the
first seed also each tag's words.

Rows that a file has already are not computed again.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np

from lstm_lab import LSTM, BiLSTM, Embedding, Linear, Sequential, losses
from lstm_lab.data import load
from lstm_lab.optim import Adam
from lstm_lab.training import fit, predict

from .rows import add, rows_of

BOOK = Path(__file__).parents[1] / "book"
FILE, CHOICE = BOOK / "08-tagging.csv", BOOK / "08-tagging-choice.csv"
COLUMNS = ("split", "seed", "method", "tag", "right", "words", "whole", "addresses")
CHOICE_COLUMNS = ("method", "rate", "epochs", "seed", "right", "words")
METHODS = ("window of 1", "window of 3", "LSTM", "BiLSTM")
RATES = {"window": (0.005, 0.02, 0.08), "network": (0.003, 0.01, 0.03)}
EPOCHS = (2, 4, 8, 16)
SPLITS, CHOOSING_SEEDS, BATCH = 5, 1, 32

Example = tuple[tuple[str, ...], tuple[str, ...]]
Tagger = Iterator[tuple[int, np.ndarray]]  # (epochs, tags of all other parts) at each checkpoint


def plain(word: str) -> str:
    return re.sub("[0-9]", "0", word.lower().strip(",.()"))


@cache
def fifths() -> list[list[Example]]:
    """The chapter's test, its validation part, and its training part in three."""
    addresses = load("addresses")
    thirds = np.array_split(np.arange(len(addresses.train)), SPLITS - 2)
    train = [[addresses.train[int(n)] for n in third] for third in thirds]
    return [list(addresses.test), list(addresses.validation), *train]


class Split:
    """One part to train on, one to choose on, one to test on, as arrays (T, B)."""

    def __init__(self, k: int):
        parts = [fifths()[(k + j) % SPLITS] for j in range(SPLITS)]
        pairs = [pair for part in parts for pair in part]
        train = [pair for part in parts[2:] for pair in part]
        self.examples = {"train": train, "validation": parts[1], "test": parts[0]}
        seen = Counter(plain(word) for words, _ in self.examples["train"] for word in words)
        known = [word for word, count in seen.items() if count > 1]
        self.number = {word: n for n, word in enumerate(known, start=1)}
        self.tags = sorted({tag for _, tags in pairs for tag in tags})
        self.longest = max(len(words) for words, _ in pairs)
        self.arrays = {part: self._arrays(found) for part, found in self.examples.items()}

    def _arrays(self, examples: list[Example]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = np.full((self.longest, len(examples)), len(self.number) + 1)  # the end mark
        target = np.zeros_like(x)
        for b, (words, labels) in enumerate(examples):
            x[: len(words), b] = [self.number.get(plain(word), 0) for word in words]
            target[: len(words), b] = [self.tags.index(label) for label in labels]
        return x, target, np.array([len(words) for words, _ in examples])

    def real(self, part: str) -> np.ndarray:
        """Where a part has a word, and not the padding after it."""
        return np.arange(self.longest)[:, None] < self.arrays[part][2]

    def shifted(self, x: np.ndarray, k: int) -> np.ndarray:
        """At each place, the word k places further on."""
        moved = np.full_like(x, len(self.number) + 1)
        moved[max(-k, 0) : self.longest - max(k, 0)] = x[max(k, 0) : self.longest + min(k, 0)]
        return moved


def most_frequent(split: Split, part: str) -> np.ndarray:
    """The tag that each word has most often in training; unknown words get the commonest one."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for words, labels in split.examples["train"]:
        for word, label in zip(words, labels, strict=True):
            counts[plain(word)][label] += 1
    x, target, _ = split.arrays["train"]
    ((common, _),) = Counter(target[split.real("train")]).most_common(1)
    found = np.full(split.arrays[part][0].shape, common)
    for b, (words, _) in enumerate(split.examples[part]):
        for t, word in enumerate(words):
            if plain(word) in counts:
                found[t, b] = split.tags.index(counts[plain(word)].most_common(1)[0][0])
    return found


def window(split: Split, k: int, seed: int, rate: float, part: str, epochs: list[int]) -> Tagger:
    """A linear model: for each place of the window, each word's scores for each tag."""
    rng, places = np.random.default_rng(seed), range(-k, k + 1)
    x, target, lengths = split.arrays["train"]
    shape = len(split.number) + 2, len(split.tags)
    scores = {p: {"weight": np.zeros(shape, "float32")} for p in places}
    optimizers = {p: Adam(learning_rate=rate) for p in places}
    seen = {p: split.shifted(x, p) for p in places}
    mask = np.arange(split.longest)[:, None] < lengths
    for epoch in range(1, max(epochs) + 1):
        order = rng.permutation(x.shape[1])
        for some in np.array_split(order, -(-len(order) // BATCH)):
            total = sum(scores[p]["weight"][seen[p][:, some]] for p in places)
            d = losses.cross_entropy(total, target[:, some], mask[:, some])[1]
            for p in places:
                gradient = rows_added(shape, seen[p][:, some], d)
                optimizers[p].update(scores[p], {"weight": gradient})
        if epoch in epochs:
            asked = split.arrays[part][0]
            total = sum(scores[p]["weight"][split.shifted(asked, p)] for p in places)
            yield epoch, total.argmax(-1)


def rows_added(shape: tuple[int, int], rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Zeros, with each of the values added to its row; as `numpy.add.at` does, but fast."""
    flat, values = rows.ravel(), values.reshape(rows.size, -1)
    order = np.argsort(flat, kind="stable")
    starts = np.flatnonzero(np.diff(flat[order], prepend=-1))
    total = np.zeros(shape, values.dtype)
    total[flat[order][starts]] = np.add.reduceat(values[order], starts)
    return total


def network(
    split: Split,
    make: Callable[[int], LSTM],
    seed: int,
    rate: float,
    part: str,
    epochs: list[int],
) -> Tagger:
    """24 numbers for each word, one recurrent layer, one linear layer."""
    x, target, lengths = split.arrays["train"]
    layer = make(seed)
    net = Sequential(
        words=Embedding(len(split.number) + 2, 24, seed=seed),
        layer=layer,
        head=Linear(layer.output_size, len(split.tags), seed=seed),
    )
    optimizer, done = Adam(learning_rate=rate), 0
    for epoch in sorted(epochs):
        fit(net, x, target, lengths=lengths, loss=losses.cross_entropy, epochs=epoch - done,
            optimizer=optimizer, clip_norm=1.0, seed=seed + 1000 * done, target_axis=1,
            batch_size=BATCH, progress=False)  # fmt: skip
        done = epoch
        asked, _, ends = split.arrays[part]
        yield epoch, predict(net, asked, lengths=ends).argmax(-1)


def trained(
    method: str, split: Split, seed: int, rate: float, part: str, epochs: list[int]
) -> Tagger:
    if method.startswith("window"):
        return window(split, int(method.split()[-1]), seed, rate, part, epochs)
    make = {
        "LSTM": lambda seed: LSTM(24, 54, seed=seed),
        "BiLSTM": lambda seed: BiLSTM(24, 32, seed=seed),
    }[method]
    return network(split, make, seed, rate, part, epochs)


def choose(file: Path) -> None:
    done = {(row["method"], row["rate"], row["seed"]) for row in rows_of(file, CHOICE_COLUMNS)}
    split = Split(0)
    target, real = split.arrays["validation"][1], split.real("validation")
    for seed in range(CHOOSING_SEEDS):
        for method in METHODS:
            for rate in RATES["window" if method.startswith("window") else "network"]:
                if (method, str(rate), str(seed)) in done:
                    continue
                for epochs, found in trained(method, split, seed, rate, "validation", [*EPOCHS]):
                    right = int((found == target)[real].sum())
                    add(file, method, rate, epochs, seed, right, int(real.sum()))
                    print(method, rate, epochs, seed, f"{right / real.sum():.3f}", flush=True)


def chosen(file: Path = CHOICE) -> dict[str, tuple[float, int]]:
    """For each method the rate and the epochs with most words right in the validation part."""
    total: Counter = Counter()
    for row in rows_of(file, CHOICE_COLUMNS):
        total[row["method"], float(row["rate"]), int(row["epochs"])] += int(row["right"])
    best = {}
    for (method, rate, epochs), _ in total.most_common():
        best.setdefault(method, (rate, epochs))
    return best


def measure(file: Path, seeds: int) -> None:
    done = {(row["split"], row["seed"], row["method"]) for row in rows_of(file, COLUMNS)}
    settings = chosen()
    splits = {k: Split(k) for k in range(SPLITS)}
    order = [(0, seed) for seed in range(seeds)]
    order += [(k, seed) for seed in range(seeds) for k in range(1, SPLITS)]
    for k, seed in order:
        split = splits[k]
        for method in ("most frequent", *METHODS):
            if (str(k), str(seed), method) in done or (seed and method == "most frequent"):
                continue
            if method == "most frequent":
                found = most_frequent(split, "test")
            else:
                rate, epochs = settings[method]
                ((_, found),) = trained(method, split, seed, rate, "test", [epochs])
            target, real = split.arrays["test"][1], split.real("test")
            hit = found == target
            right, words = int(hit[real].sum()), int(real.sum())
            whole = int((hit | ~real).all(axis=0).sum())
            add(file, k, seed, method, "", right, words, whole, hit.shape[1])
            if seed == 0:
                for n, tag in enumerate(split.tags):
                    here = real & (target == n)
                    if here.any():
                        add(file, k, seed, method, tag, int(hit[here].sum()), int(here.sum()),
                            "", "")  # fmt: skip
            print(k, seed, method, f"{right / words:.3f} {whole / hit.shape[1]:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--choose", action="store_true", help="rates and epochs, on validation")
    parser.add_argument("--to", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("LSTM_LAB_BACKEND", "numpy")
    if arguments.choose:
        choose(arguments.to or CHOICE)
    else:
        measure(arguments.to or FILE, arguments.seeds)


if __name__ == "__main__":
    main()
