"""Names of emoji and dates from English to French, as chapter 13 reports them.

``python -m benchmarks.translation [--seeds N] [--tasks TASK ...] [--methods NAME ...] [--to FILE]``

Every method is trained for every seed, in rounds: all methods with the first seed, then with the
next. A row says how many translations of one kind of the *test* are exactly right, and of how many;
rows with ``words`` count those whose source has so many words, and add up to the one without, which
has chrF, too. Of dates the kind "without its weekday" forgives a wrong first word.

The 30 epochs of dates were chosen with the validation part, for the model with attention. All else,
the sizes, the rates, the batch and the 15 epochs of emoji names, was taken over from experience
with other data: it was not tuned here, for no method.

Rows that a file has already are not computed again. The book's file has ten seeds of the methods
that chapter 13 compares, all of `TASKS` but "LSTM, attention"; the chapter's cells say how many
stand behind each number. About half a minute a training on one core. The same seed gives other
numbers on another processor.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lstm_lab.data import Pairs, Parts, load, tokenize
from lstm_lab.metrics import chrf, edit_distance
from lstm_lab.models import Seq2Seq

FILE = Path(__file__).parents[1] / "book" / "13-translation.csv"
COLUMNS = (
    "task",  # emoji; dates; dates_medium, whose source has no weekday
    "method",
    "seed",  # of weights and order; empty for baselines, which have none
    "kind",  # of the pairs that are counted
    "words",  # of the source; empty: of any number
    "right",  # exact matches
    "n",
    "chrf",  # 0 to 100, of all pairs of this kind together
    "parameters",
    "seconds",  # of processor time for the training
)
SETTINGS: dict[str, dict[str, Any]] = {
    "emoji": {"embedding_size": 32, "epochs": 15, "learning_rate": 0.005, "unit": "words"},
    "dates": {"embedding_size": 16, "epochs": 30, "learning_rate": 0.006, "unit": "characters"},
}
HIDDEN, BATCH = 64, 32
METHODS: dict[str, dict[str, Any]] = {
    "BiLSTM, attention": {},
    "BiLSTM": {"attention": None},
    "LSTM, attention": {"bidirectional": False},
    "LSTM": {"bidirectional": False, "attention": None},
    "LSTM, source reversed": {"bidirectional": False, "attention": None, "reverse": True},
    # The same network, but every word gets the same weight.
    "BiLSTM, uniform weights": {"uniform": True},
    # The same again, but the mean of the memory is 0: what is left of attention is a layer more.
    "BiLSTM, layer only": {"blind": True},
}
TASKS = {
    "emoji": tuple(METHODS),
    "dates": ("BiLSTM, attention", "BiLSTM", "BiLSTM, uniform weights"),
    "dates_medium": ("BiLSTM, attention",),
}
# Of the tones a rule knows both names.
TONES = {
    "light": "claire",
    "medium-light": "moyennement claire",
    "medium": "légèrement mate",
    "medium-dark": "mate",
    "dark": "foncée",
}
_ENGLISH_TONE = re.compile(rf"\b({'|'.join(sorted(TONES, key=len, reverse=True))}) skin tone")
_FRENCH_TONE = re.compile(rf"\bpeau ({'|'.join(sorted(TONES.values(), key=len, reverse=True))})")

Texts = list[str]


@cache
def parts(task: str) -> Parts[Pairs]:
    return load(task)


# Baselines


def swap_tone(train: Pairs, sources: Texts) -> Texts:
    """The French name of a sibling that differs in nothing but tones, with the tones put right.

    Where training has none, nothing is said.
    """
    siblings = {_ENGLISH_TONE.sub("*", source): target for source, target in train}
    found = []
    for source in sources:
        tones = [f"peau {TONES[tone]}" for tone in _ENGLISH_TONE.findall(source)]
        sibling = siblings.get(_ENGLISH_TONE.sub("*", source), "")
        between = _FRENCH_TONE.sub("*", sibling).split("*")
        fits = tones and len(between) == len(tones) + 1
        found.append("".join(map(str.__add__, between, [*tones, ""])) if fits else "")
    return found


def copy_nearest(train: Pairs, sources: Texts) -> Texts:
    """The translation of the training source that fewest words must be changed in."""
    known = [(tokenize(source), target) for source, target in train]
    found = []
    for source in sources:
        words = tokenize(source)
        found.append(min(known, key=lambda pair: edit_distance(words, pair[0]))[1])
    return found


BASELINES: dict[str, Callable[[Pairs, Texts], Texts]] = {
    "swap the tone": swap_tone,
    "copy the nearest": copy_nearest,
}

# Networks


def new(task: str, method: str, seed: int) -> Seq2Seq:
    """The model of a row before its training."""
    options = dict(METHODS[method])
    options.pop("reverse", None)
    uniform, blind = options.pop("uniform", False), options.pop("blind", False)
    train, own = parts(task).train, SETTINGS[task.partition("_")[0]]
    model = Seq2Seq.new(
        train.sources,
        train.targets,
        HIDDEN,
        own["embedding_size"],
        unit=own["unit"],
        seed=seed,
        **options,
    )
    if uniform:
        model.network.layers["attention"].scale = 1e-12  # type: ignore[attr-defined]
    if blind:
        _blind(model)
    return model


def _blind(model: Seq2Seq) -> None:
    """Let the context be 0, and its gradient be lost, for as long as this object lives."""
    attention: Any = model.network.layers["attention"]
    forward, backward = attention.forward, attention.backward

    def forward_to_nothing(*arguments: Any, **options: Any) -> Any:
        y, trace = forward(*arguments, **options)
        return y * 0, trace

    def backward_from_nothing(dy: Any, trace: Any, **options: Any) -> Any:
        return backward(dy * 0, trace, **options)

    attention.forward, attention.backward = forward_to_nothing, backward_from_nothing


def read(method: str, sources: tuple[str, ...]) -> list[Any]:
    """The sources as a method reads them: as they are, or their words in reverse order."""
    if not METHODS[method].get("reverse"):
        return list(sources)
    return [tokenize(source)[::-1] for source in sources]


def train(task: str, method: str, seed: int) -> tuple[Seq2Seq, float]:
    """A trained model, and the processor's seconds."""
    model, pairs = new(task, method, seed), parts(task).train
    own = SETTINGS[task.partition("_")[0]]
    start = time.process_time()
    model.fit(
        read(method, pairs.sources),
        pairs.targets,
        epochs=own["epochs"],
        learning_rate=own["learning_rate"],
        batch_size=BATCH,
        seed=seed,
        progress=False,
    )
    return model, time.process_time() - start


# Rows


def counted(task: str, said: Texts) -> Iterator[dict[str, Any]]:
    """For every kind, and every number of words in it: how many are right, and of how many."""
    test = parts(task).test
    wanted, answers = list(test.targets), list(said)
    if task == "emoji":
        groups = {
            kind: [k for k, own in enumerate(test.kinds) if own == kind] for kind in test.kinds
        }
        for kind in dict.fromkeys(test.kinds):
            yield from _of_kind(kind, groups[kind], test.sources, answers, wanted)
        return
    every = list(range(len(test)))
    yield _row("whole", "", every, answers, wanted)
    later = [[text.partition(" ")[2] for text in texts] for texts in (answers, wanted)]
    yield _row("without its weekday", "", every, *later)


def _of_kind(
    kind: str, chosen: list[int], sources: tuple[str, ...], said: Texts, wanted: Texts
) -> Iterator[dict[str, Any]]:
    yield _row(kind, "", chosen, said, wanted)
    lengths = {k: len(tokenize(sources[k])) for k in chosen}
    for words in sorted(set(lengths.values())):
        yield _row(kind, words, [k for k in chosen if lengths[k] == words], said, wanted)


def _row(kind: str, words: Any, chosen: list[int], said: Texts, wanted: Texts) -> dict[str, Any]:
    row = {"kind": kind, "words": words, "n": len(chosen)}
    row["right"] = sum(said[k] == wanted[k] for k in chosen)
    if words == "":
        row["chrf"] = f"{chrf([said[k] for k in chosen], [wanted[k] for k in chosen]):.1f}"
    return row


def runs(
    tasks: list[str], seeds: int, methods: list[str] | None = None
) -> Iterator[tuple[str, str, int | str]]:
    """What is to be done, (task, method, seed), in order."""
    if "emoji" in tasks:
        for name in BASELINES:
            yield "emoji", name, ""
    for seed in range(seeds):
        for task in tasks:
            for method in TASKS[task]:
                if methods is None or method in methods:
                    yield task, method, seed


def run(task: str, method: str, seed: int | str) -> Iterator[dict[str, Any]]:
    """The rows of one run."""
    about: dict[str, Any] = {"task": task, "method": method, "seed": seed}
    test = parts(task).test
    if method in BASELINES:
        said = BASELINES[method](parts(task).train, list(test.sources))
    else:
        model, seconds = train(task, method, int(seed))
        said = model.translate(read(method, test.sources))
        about |= {"parameters": model.network.size, "seconds": f"{seconds:.0f}"}
    for row in counted(task, said):
        yield about | row


def main() -> None:
    """Compute the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="trainings of each method")
    parser.add_argument("--tasks", nargs="+", choices=tuple(TASKS), default=list(TASKS))
    parser.add_argument("--methods", nargs="+", choices=tuple(METHODS), help="all by default")
    parser.add_argument("--to", type=Path, default=FILE, help="the CSV file")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    done, there = set(), options.to.exists()
    if there:
        with options.to.open(encoding="utf-8", newline="") as file:
            done = {(row["task"], row["method"], row["seed"]) for row in csv.DictReader(file)}
    with options.to.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if not there:
            writer.writeheader()
        for task, method, seed in runs(options.tasks, options.seeds, options.methods):
            if (task, method, str(seed)) in done:
                continue
            rows = list(run(task, method, seed))
            writer.writerows(rows)
            file.flush()
            print(task, method, seed, *(f"{row['right']}/{row['n']}" for row in rows[:1]))


if __name__ == "__main__":
    main()
