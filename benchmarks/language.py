"""Counting, compressors and LSTMs on the same text, as chapter 11 reports them.

``python -m benchmarks.language [--seeds N] [--only EXPERIMENT …] [--to FILE]``

All models predict the characters of ``data.load("topics")``, and a row of the CSV file says in bits
a character what one of them needs for the test texts:

- ``baseline``: n-grams with Kneser-Ney smoothing by the number of characters that they know, and
  compressors, alone or after they have read the training texts; each on ``topics`` and on
  ``topics_repeated``, whose test repeats the training texts;
- ``short``: the chapter's own training, with the state carried and without, each read with the
  state carried ("all") and reset every `RESET` characters ("reset");
- ``context``: what those models, and counting, need if they know only the last n characters;
- ``amount``: what each needs after the first part of the training texts, in characters;
- ``longer``: the shipped model of the same texts;
- ``source``: n-grams and compressors on Python source, to stand beside the shipped model of it.

Rows that a file has already are not computed again.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab.data import ALPHABET, load
from lstm_lab.models import LanguageModel, NGram, compressed_bits, shipped

from .rows import add, rows_of

FILE = Path(__file__).parents[1] / "book" / "11-language.csv"
COLUMNS = ("experiment", "model", "setting", "seed", "bits", "seconds")
ORDER, RESET = 7, 64
CONTEXTS = (1, 2, 3, 4, 5, 6, 7, 10, 15, 20, 30, 50, 100, 200)
PARTS = (1 / 16, 1 / 4)
ASKED = 2000  # characters of the test on which contexts are tried: each begins anew for each

SHORT = {"hidden_size": 64, "embedding_size": 24}
SHORT_FIT: dict[str, Any] = {"steps": 32, "batch_size": 32, "learning_rate": 0.01, "epochs": 4}

Row = tuple[str, str, str, object]  # experiment, model, setting, seed


@cache
def text(part: str, name: str = "topics") -> str:
    return "".join(getattr(load(name), part))


@cache
def grams(name: str = "topics") -> NGram:
    return NGram(ALPHABET, ORDER).fit(text("train", name))


def reset_bits(model: LanguageModel, test: str, every: int) -> float:
    """Bits a character where the state begins at zero again and again."""
    pieces = [test[k : k + every] for k in range(0, len(test), every)]
    return float(np.concatenate([model.surprise(piece) for piece in pieces]).mean())


def learnt(seed: int, new: dict, fit: dict, train: str, **options: Any) -> LanguageModel:
    model = LanguageModel.new(ALPHABET, **new, seed=seed)
    model.fit(train, **fit, seed=seed, progress=False, **options)
    return model


def baselines() -> Iterator[tuple[Row, float]]:
    for name in ("topics", "topics_repeated"):
        test = text("test", name)
        for order in range(ORDER + 1):
            yield ("baseline", name, f"order {order}", ""), grams(name).bits(test, order)
        yield from compressed("baseline", name, text("train", name), test)


def compressed(experiment: str, model: str, train: str, test: str) -> Iterator[tuple[Row, float]]:
    for given in ("", train):
        for program, bits in compressed_bits(test, given).items():
            yield (experiment, model, f"{program}{', trained' if given else ''}", ""), bits


def short(seed: int, carry: bool) -> Iterator[tuple[Row, float]]:
    test = text("test")
    model = learnt(seed, SHORT, SHORT_FIT, text("train"), carry=carry)
    name = "carried" if carry else "not carried"
    yield ("short", name, "all", seed), model.bits(test)
    yield ("short", name, "reset", seed), reset_bits(model, test, RESET)
    if carry:
        asked = test[:ASKED]
        for context in CONTEXTS:
            yield ("context", "LSTM", str(context), seed), model.bits(asked, context)
        yield ("context", "LSTM", "all", seed), model.bits(asked)


def contexts() -> Iterator[tuple[Row, float]]:
    for context in range(ORDER + 1):
        yield ("context", "counting", str(context), ""), grams().bits(text("test")[:ASKED], context)


def amounts(seed: int) -> Iterator[tuple[Row, float]]:
    """As many updates for each amount of text as for all of it."""
    for part in PARTS:
        some = text("train")[: round(part * len(text("train")))]
        if not seed:
            counted = NGram(ALPHABET, 5).fit(some).bits(text("test"))
            yield ("amount", "counting", str(len(some)), ""), counted
        epochs = round(SHORT_FIT["epochs"] / part)
        best = learnt(
            seed, SHORT, SHORT_FIT | {"epochs": epochs}, some,
            validation=text("validation")[:8000], patience=max(1, epochs),
        )  # fmt: skip
        yield ("amount", "LSTM", str(len(some)), seed), best.bits(text("test"))


def longer() -> Iterator[tuple[Row, float]]:
    yield ("longer", "LSTM", "shipped", 0), shipped("topics").bits(text("test"))


def source() -> Iterator[tuple[Row, float]]:
    corpus = load("python_source")
    counted = NGram(ALPHABET, ORDER).fit(corpus.train)
    for order in (3, 5, ORDER):
        yield ("source", "counting", f"order {order}", ""), counted.bits(corpus.test, order)
    train, test = (text(part, "python_source") for part in ("train", "test"))
    yield from compressed("source", "compressor", train, test)


def measure(file: Path, seeds: int, only: list[str]) -> None:
    """Each group of rows at once: its first row says whether it is there already."""
    done = {tuple(row[name] for name in COLUMNS[:4]) for row in rows_of(file, COLUMNS)}
    groups: list[tuple[tuple[str, ...], Iterator[tuple[Row, float]]]] = [
        (("baseline", "topics", "order 0", ""), baselines()),
        (("context", "counting", "0", ""), contexts()),
    ]
    for seed in range(seeds):
        groups.append((("short", "carried", "all", str(seed)), short(seed, True)))
    for seed in range(seeds):
        groups.append((("short", "not carried", "all", str(seed)), short(seed, False)))
    first_part = str(round(PARTS[0] * len(text("train"))))
    for seed in range(seeds):
        groups.append((("amount", "LSTM", first_part, str(seed)), amounts(seed)))
    groups.append((("longer", "LSTM", "shipped", "0"), longer()))
    groups.append((("source", "counting", "order 3", ""), source()))
    groups = [(first, group) for first, group in groups if not only or first[0] in only]
    for first, group in groups:
        if first in done:
            continue
        begin = time.process_time()
        for row, bits in group:
            seconds = time.process_time() - begin
            add(file, *row, f"{bits:.4f}", f"{seconds:.1f}")
            print(*row, f"{bits:.3f} {seconds:.1f} s", flush=True)
            begin = time.process_time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="+", default=[], help="some of the experiments")
    parser.add_argument("--to", type=Path, default=FILE)
    arguments = parser.parse_args()
    os.environ.setdefault("LSTM_LAB_BACKEND", "numpy")
    measure(arguments.to, arguments.seeds, arguments.only)


if __name__ == "__main__":
    main()
