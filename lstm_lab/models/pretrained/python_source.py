"""How the model of Python source is made: trained on the standard library, measured, and asked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ...data import ALPHABET, Corpus, python_source
from ...training import History
from .. import probes
from ..language import LanguageModel
from ..ngram import NGram

__all__ = ["about", "corpus", "measure", "probe", "train"]

# Characters of held-out files that cells are held against properties on.
PROBED = 120_000

CELLS, EPOCHS = 128, 20
VOCABULARY = ALPHABET
NAME = "an LSTM of {cells} cells that has read Python source"
corpus = python_source


def train(
    model: LanguageModel,
    corpus: Corpus,
    *,
    epochs: int = EPOCHS,
    steps: int = 200,
    batch_size: int = 32,
    learning_rate: float = 0.004,
    seed: int = 0,
    checkpoint: Path | None = None,
) -> dict[str, Any]:
    """Teach ``model`` the corpus in windows of ``steps`` characters, each from the zero state.

    Returns
    -------
    dict
        ``train_bits`` and ``validation_bits`` a character after each epoch.
    """
    history = model.fit(
        corpus.train,
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        carry=False,
        learning_rate=learning_rate,
        seed=seed,
        validation=corpus.validation,
        checkpoint=checkpoint,
    )
    return bits_of(history)


def bits_of(history: History) -> dict[str, Any]:
    """A training's losses in bits, as a model's ``about`` has them."""
    return {
        "train_bits": [round(loss / math.log(2), 4) for loss in history.loss],
        "validation_bits": [round(loss / math.log(2), 4) for loss in history.validation_loss],
    }


def measure(model: LanguageModel, corpus: Corpus) -> dict[str, Any]:
    """Bits a character on the held-out files, read one after another, beside n-grams'."""
    grams = NGram(model.vocabulary, order=5).fit(corpus.train)
    sizes = {
        name: sum(len(model.vocabulary.encode(text)[0]) for text in getattr(corpus, name))
        for name in ("train", "test")
    }
    return {
        "test_bits": round(model.bits(corpus.test), 4),
        "ngram_bits": [round(grams.bits(corpus.test, k), 4) for k in range(6)],
        "characters": sizes,
    }


def about(model: LanguageModel, untrained: LanguageModel, corpus: Corpus) -> dict[str, Any]:
    """What is measured of the trained model, as its file says it."""
    return measure(model, corpus) | {"probes": probe(model, untrained, corpus)}


def probe(model: LanguageModel, untrained: LanguageModel, corpus: Corpus) -> dict[str, Any]:
    """What the cells follow in whole held-out files, and what those of an untrained model do."""
    texts, size = [], 0
    for text in corpus.test:
        if len(text) <= PROBED // 8 and size < PROBED:
            texts.append(text)
            size += len(text)
    answers = probes.scores(model, texts)
    for name, scores in probes.scores(untrained, texts).items():
        chosen = int(np.argmax(scores["cells"]))
        answers[name]["untrained"] = scores["held_out"][chosen]
    return {"characters": size, "properties": answers}
