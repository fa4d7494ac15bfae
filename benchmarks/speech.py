"""Spoken numbers: what reads the sound, and what reads the network, side by side, for chapter 15.

``python -m benchmarks.speech [--seeds N] [--first SEED] [--to FILE]``

Each recogniser is trained for every seed, all at one rate and for as many epochs. A row says how
many letters of a part were wrong, how many there are, and how many numbers were right as a whole.
The BiLSTM is read three times: by its best path, by prefix beam search, and by the same with a
model of letters that has counted the texts of the training part. Rate, epochs and what the model
of letters counts for were chosen on the *validation* part. Rows that a file has already are not
computed again. It is synthetic speech.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import cache
from pathlib import Path
from typing import Any

from lstm_lab.data import load
from lstm_lab.models import NGram, Recogniser

from .rows import add, rows_of

FILE = Path(__file__).parents[1] / "book" / "15-speech.csv"
COLUMNS = ("seed", "method", "read", "part", "errors", "letters", "right", "numbers",
           "parameters", "seconds")  # fmt: skip

BODIES: dict[str, dict[str, Any]] = {
    "BiLSTM": {},
    "LSTM": {"body": "LSTM", "hidden_size": 70},
    "window": {"body": "window", "hidden_size": 96},
}
"""About as many parameters each."""

BEAM = {"width": 10}
FUSION = {**BEAM, "weight": 1.0, "bonus": 1.0}
ORDER = 5


@cache
def spoken() -> Any:
    return load("spoken_numbers")


def letter_model(letters: str, texts: tuple[str, ...], order: int = ORDER) -> NGram:
    """Counts of the letters of number names; a line break before and after each."""
    return NGram("\n" + letters, order=order).fit("\n" + "\n".join(texts) + "\n")


def trained(method: str, seed: int, **fit: Any) -> tuple[Recogniser, float]:
    """The recogniser after its training, and how long that took, in seconds of the processor."""
    train = spoken().train
    model = Recogniser.new(train.features, train.texts, seed=seed, **BODIES[method])
    start = time.process_time()
    model.fit(train.features, train.texts, seed=seed, progress=False, **fit)
    return model, time.process_time() - start


def readings(method: str, model: Recogniser) -> dict[str, dict[str, Any]]:
    """How a method is read."""
    if method != "BiLSTM":
        return {"best path": {}}
    language = letter_model(model.letters, spoken().train.texts)
    return {"best path": {}, "beam": BEAM, "beam, letters": {**FUSION, "language": language}}


def measure(file: Path, seeds: range) -> None:
    done = {(row["method"], row["seed"]) for row in rows_of(file, COLUMNS)}
    for seed in seeds:
        for method in BODIES:
            if (method, str(seed)) in done:
                continue
            model, seconds = trained(method, seed)
            rows = []
            for read, how in readings(method, model).items():
                for name in ("validation", "test"):
                    part = getattr(spoken(), name)
                    found = model.score(part.features, part.texts, **how)
                    rows.append((seed, method, read, name, found.errors, found.symbols,
                                 found.lines_right, found.lines, model.network.size,
                                 f"{seconds:.1f}"))  # fmt: skip
                    print(*rows[-1][:4], f"{found.rate:.3f}", f"{seconds:.1f}", flush=True)
            for row in rows:
                add(file, *row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--to", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("LSTM_LAB_BACKEND", "numpy")
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    measure(arguments.to or FILE, seeds)


if __name__ == "__main__":
    main()
