"""Persons, companies and addresses in lines of contact: taggers beside each other, for chapter 14.

``python -m benchmarks.entities [--seeds N] [--first SEED] [--to FILE]``

Every method is trained for every seed, and its rows say what a part gave: entities right, found and
actual, words right, and how many transitions break the rules of BIO. *As given*: the tags as the
model gives them; *stray I dropped*: an I that goes on with nothing becomes O; *legal*: the best row
that keeps the rules. For a network with a CRF there is one row more, *mask for edges*: what its
words' scores give with the mask in place of all that its edges have learnt. The *validation* part
is measured beside the *test*: there the one rate and the number of epochs were chosen. Rows that a
file has already are not computed again.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab import CRF, FeatureEmbedding, Gradient, Layer, Sequential, losses
from lstm_lab.data import Tagged, load
from lstm_lab.decoding import legal_bio, legal_viterbi, viterbi
from lstm_lab.metrics import illegal_transitions
from lstm_lab.models import Tagger, tag_scores, word_features
from lstm_lab.optim import Adam, cosine
from lstm_lab.training import fit, predict

from .rows import add, rows_of

BOOK = Path(__file__).parents[1] / "book"
FILE = BOOK / "14-entities.csv"
COUNTS = ("right", "found", "actual", "words_right", "words", "illegal")
COLUMNS = ("seed", "method", "rows", "part", *COUNTS, "parameters", "seconds")
RATE, EPOCHS, BATCH, REACH = 0.006, 10, 32, 3

NETWORKS: dict[str, dict[str, Any]] = {
    "BiLSTM": {"head": "softmax"},
    "BiLSTM + CRF": {},
    "LSTM": {"bidirectional": False, "hidden_size": 64, "head": "softmax"},
    "LSTM + CRF": {"bidirectional": False, "hidden_size": 64},
    "BiLSTM, no word hidden": {"head": "softmax", "word_dropout": 0.0},
    "BiLSTM, rare words unknown": {"head": "softmax", "word_dropout": 0.0, "least": 2},
}
"""The CRF learns without being told the rules: how far it finds them by itself is a question."""

LEARNT = (*NETWORKS, "linear window", "linear window + CRF")
Rows = list[tuple[str, ...]]


@cache
def contacts() -> Any:
    return load("contacts")


class Added(Layer):
    """Vectors of several features, one beside the other, added up to one: (..., nK) to (..., K)."""

    def __init__(self, size: int):
        super().__init__("numpy", "float32")
        self.size_of_one = size

    @property
    def config(self) -> dict[str, Any]:
        return {"size": self.size_of_one}

    def forward(self, x: Any, **_: Any) -> tuple[Any, int]:
        parts = x.reshape(*x.shape[:-1], -1, self.size_of_one)
        return parts.sum(axis=-2), parts.shape[-2]

    def backward(self, dy: Any, trace: int) -> Gradient:
        return Gradient(np.tile(dy, trace))


class LinearWindow:
    """For each word of a window and each of its features a score for each tag; nothing hidden.

    With ``edges``, scores of edges too: the conditional random field of Lafferty et al. 2001.
    """

    def __init__(self, train: Tagged, edges: bool = False):
        self.tagger = Tagger.new(train.words, train.tags, head="softmax")  # for its vocabularies
        self.tags = self.tagger.tags
        known = [len(values) + 1 for values in self.tagger.vocabularies] * (2 * REACH + 1)
        table = FeatureEmbedding(known, [len(self.tags)] * len(known), backend="numpy", seed=0)
        for weights in table.params.values():
            weights[...] = 0
        self.network = Sequential(features=table, added=Added(len(self.tags)))
        if edges:
            self.network = Sequential(
                **self.network.layers, crf=CRF(len(self.tags), backend="numpy")
            )
        self.edges = edges

    def encode(self, words: Any) -> tuple[np.ndarray, np.ndarray]:
        """Ids (T, N, 4 · 7): of the words three before to three after; 0 outside of the line."""
        ids, lengths = self.tagger.encode(words)
        inside = np.arange(len(ids))[:, None] < lengths
        ids = np.pad(np.where(inside[..., None], ids + 1, 0), ((REACH, REACH), (0, 0), (0, 0)))
        steps = len(inside)
        return np.concatenate([ids[k : k + steps] for k in range(2 * REACH + 1)], -1), lengths

    def fit(self, words: Any, tags: Any, *, learning_rate: float, seed: int, **_: Any) -> None:
        x, lengths = self.encode(words)
        target = np.zeros(x.shape[:2], int)
        for n, line in enumerate(tags):
            target[: len(line), n] = [self.tags.index(tag) for tag in line]
        updates = EPOCHS * -(-x.shape[1] // BATCH)
        loss = losses.crf if self.edges else losses.cross_entropy
        fit(self.network, x, target, lengths=lengths, loss=loss, epochs=EPOCHS,
            optimizer=Adam(cosine(learning_rate, updates)), batch_size=BATCH, seed=seed,
            target_axis=1, progress=False)  # fmt: skip

    def tag(self, words: Any, legal: bool) -> Rows:
        x, lengths = self.encode(words)
        scores = predict(self.network, x, lengths=lengths)
        if legal:
            path = legal_viterbi(scores, legal_bio(self.tags), lengths)
        elif self.edges:
            path, _ = viterbi(scores, lengths)
        else:
            path = scores.argmax(axis=-1)
        return as_tags(self.tags, path, lengths)


class MostFrequent:
    """The tag that each word has most often in training; an unknown word gets the commonest."""

    def fit(self, words: Any, tags: Any, **_: Any) -> None:
        counts: dict[str, Counter] = defaultdict(Counter)
        for line, its in zip(words, tags, strict=True):
            for word, tag in zip(line, its, strict=True):
                counts[word_features(word)[0]][tag] += 1
        self.best = {word: count.most_common(1)[0][0] for word, count in counts.items()}
        ((self.common, _),) = sum(counts.values(), Counter()).most_common(1)

    def tag(self, words: Any, legal: bool) -> Rows:
        best = [[self.best.get(word_features(w)[0], self.common) for w in line] for line in words]
        return [tuple(line) for line in best]


def made(method: str, seed: int) -> Any:
    train = contacts().train
    if method == "most frequent tag":
        return MostFrequent()
    if method.startswith("linear window"):
        return LinearWindow(train, edges=method.endswith("CRF"))
    return Tagger.new(train.words, train.tags, legal=False, seed=seed, **NETWORKS[method])


def trained(method: str, seed: int) -> tuple[Any, float]:
    """The method after its training, and how long that took, in seconds of the processor."""
    train, model = contacts().train, made(method, seed)
    start = time.process_time()
    model.fit(train.words, train.tags, learning_rate=RATE, seed=seed, epochs=EPOCHS,
              batch_size=BATCH, progress=False)  # fmt: skip
    return model, time.process_time() - start


def as_tags(tags: list[str], path: np.ndarray, lengths: np.ndarray) -> Rows:
    return [tuple(tags[k] for k in path[:n, b]) for b, n in enumerate(lengths)]


def without_stray(rows: Rows) -> Rows:
    """Each I that goes on with nothing becomes O: what a strict count of entities does."""
    found = []
    for row in rows:
        kept: list[str] = []
        for tag in row:
            before = kept[-1] if kept else "O"
            stray = tag.startswith("I-") and before[2:] != tag[2:]
            kept.append("O" if stray else tag)
        found.append(tuple(kept))
    return found


def answers(model: Any, words: Any) -> Iterator[tuple[str, Rows]]:
    """What a trained method says, and the same under each treatment that fits it."""
    given = model.tag(words, legal=False)
    yield "as given", given
    if isinstance(model, MostFrequent):
        return
    yield "stray I dropped", without_stray(given)
    yield "legal", model.tag(words, legal=True)
    if isinstance(model, Tagger) and model.crf is not None:
        scores, lengths = model.emissions(words)
        path = legal_viterbi(scores, legal_bio(model.tags), lengths)
        yield "mask for edges", as_tags(model.tags, path, lengths)


def measured(rows: Rows, part: Tagged) -> list[int]:
    score = tag_scores(part.tags, rows)
    found = score.entities
    return [found.right, found.found, found.actual, score.words_right, score.words,
            illegal_transitions(rows)]  # fmt: skip


def measure(file: Path, seeds: range) -> None:
    done = {(row["method"], row["seed"]) for row in rows_of(file, COLUMNS)}
    for seed in seeds:
        for method in ("most frequent tag", *LEARNT):
            if (method, str(seed)) in done or (method == "most frequent tag" and seed):
                continue
            model, seconds = trained(method, seed)
            size = model.network.size if hasattr(model, "network") else len(model.best)
            for name in ("validation", "test"):
                part = getattr(contacts(), name)
                for rows, tags in answers(model, part.words):
                    found = measured(tags, part)
                    add(file, seed, method, rows, name, *found, size, f"{seconds:.1f}")
                    f1 = 2 * found[0] / (found[1] + found[2])
                    print(seed, method, rows, name, f"{f1:.3f}", found[-1], flush=True)


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
