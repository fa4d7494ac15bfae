"""The small tagger of the lattice: what each word by itself, and beside its neighbours, says.

It adds up a score for each tag from a few features of a word and of the words beside it: a
softmax without a hidden layer, that the browser computes too. The edges between tags were learnt
afterwards, by a CRF on top of scores that stayed as they were. ``python -m
lstm_lab.explore.lattice.emissions`` trains it again, on the contact lines, in about a minute, and
writes ``tagger.json`` beside this file.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...models import word_features

FILE = Path(__file__).with_name("tagger.json")

TEMPLATES = ((0, 0), (0, 1), (0, 2), (0, 3), (-1, 2), (-1, 3), (1, 2), (1, 3))
"""Which features are read: of the word so many places on, the one of this number."""

OUTSIDE = "|"
"""The value of every feature before the first word and after the last."""

LEAST = 5
"""How often a value must be there in training to have weights of its own."""


class Tagger:
    """Scores of tags for the words of a line; what `tagger.json` holds.

    Attributes
    ----------
    tags : list of K str
    vocabularies : list of list of str
        The known values of each template.
    weights : numpy.ndarray (n, K), float64
        Row 0 is for what is not known, of all templates; then the known values, in order.
    transition, start, end : numpy.ndarray (K, K), (K,), (K,)
    """

    def __init__(self, file: dict[str, Any]):
        self.tags, self.vocabularies = file["tags"], file["vocabularies"]
        self.packed = base64.b64decode(file["weights"])
        self.scale = file["scale"]
        whole = np.frombuffer(self.packed, np.int8).reshape(-1, len(self.tags))
        # In float32, as the browser gets it.
        self.weights = (whole * self.scale).astype("float32").astype("float64")
        self.transition, self.start, self.end = (
            np.array(file[name]) for name in ("transition", "start", "end")
        )
        self._rows = rows_of(self.vocabularies)

    def emissions(self, words: list[str]) -> np.ndarray:
        """(T, K)."""
        return self.weights[ids_of(words, self._rows)].sum(axis=1)


def rows_of(vocabularies: list[list[str]]) -> list[dict[str, int]]:
    """For each template, the row of the weights that belongs to a value."""
    rows, first = [], 1
    for values in vocabularies:
        rows.append({value: first + k for k, value in enumerate(values)})
        first += len(values)
    return rows


def values_of(words: list[str]) -> list[list[str]]:
    """For each word the values of all templates."""
    read = [word_features(word) for word in words]
    places = range(len(words))
    return [[read[t + k][f] if t + k in places else OUTSIDE for k, f in TEMPLATES] for t in places]


def ids_of(words: list[str], rows: list[dict[str, int]]) -> np.ndarray:
    """For each word the rows of its values' weights, (T, number of templates)."""
    return np.array(
        [
            [known.get(value, 0) for known, value in zip(rows, values, strict=True)]
            for values in values_of(words)
        ]
    )


@cache
def shipped() -> Tagger:
    """The one that comes with the book."""
    return Tagger(json.loads(FILE.read_text(encoding="utf-8")))


def train(seed: int = 0, epochs: int = 12) -> dict[str, Any]:
    """What `tagger.json` holds."""
    from ...data import load
    from ...layers import CRF
    from ...losses import crf, cross_entropy
    from ...optim import Adam, cosine
    from ...training import fit

    part = load("contacts").train
    tags = sorted({tag for line in part.tags for tag in line})
    read = [values_of(list(words)) for words in part.words]
    vocabularies = []
    for k in range(len(TEMPLATES)):
        count = Counter(values[k] for line in read for values in line)
        vocabularies.append(sorted(value for value, n in count.items() if n >= LEAST))
    rows = rows_of(vocabularies)
    ids = [ids_of(list(words), rows) for words in part.words]
    goal = [np.array([tags.index(tag) for tag in line]) for line in part.tags]

    # The words: rows of weights, added up; of a batch all words at once.
    weights = np.zeros((1 + sum(map(len, vocabularies)), len(tags)))
    rng, batch = np.random.default_rng(seed), 64
    updates = epochs * -(-len(ids) // batch)
    optimizer = Adam(cosine(0.02, updates))
    for _ in range(epochs):
        for some in np.array_split(rng.permutation(len(ids)), updates // epochs):
            which = np.concatenate([ids[n] for n in some])
            scores = weights[which].sum(axis=1)
            _, d = cross_entropy(scores, np.concatenate([goal[n] for n in some]))
            gradient = np.zeros_like(weights)
            np.add.at(gradient, which, d[:, None, :])
            optimizer.update({"weights": weights}, {"weights": gradient + 1e-6 * weights})
    scale = float(abs(weights).max() / 127)
    whole = np.round(weights / scale).astype(np.int8)

    # The edges, over what is kept of the words.
    lengths = np.array([len(line) for line in ids])
    x, target = np.zeros((lengths.max(), len(ids), len(tags))), np.zeros((lengths.max(), len(ids)))
    for n, (line, its) in enumerate(zip(ids, goal, strict=True)):
        x[: len(line), n], target[: len(line), n] = (whole * scale)[line].sum(axis=1), its
    layer = CRF(len(tags), backend="numpy", dtype="float64")
    fit(layer, x, target.astype(int), lengths=lengths, loss=crf, optimizer=Adam(0.05), epochs=6,
        batch_size=64, target_axis=1, progress=False)  # fmt: skip
    return {
        "tags": tags,
        "vocabularies": vocabularies,
        "scale": scale,
        "weights": base64.b64encode(whole.tobytes()).decode("ascii"),
        **{name: np.round(array, 2).tolist() for name, array in layer.params.items()},
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(train(), ensure_ascii=False), encoding="utf-8")
