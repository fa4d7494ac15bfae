"""How the shipped model is made: trained on the standard library, measured, and asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Corpus
from ..losses import cross_entropy
from ..optim import Adam, cosine, warm_up
from ..training import fit
from . import ngram, probes
from .model import CharModel

__all__ = ["measure", "probe", "train"]

# Characters of held-out files that cells are held against properties on.
PROBED = 120_000
WARM_UP = 200


def train(
    model: CharModel,
    corpus: Corpus,
    *,
    epochs: int = 20,
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
    x, target = windows(model, corpus.train, steps)
    updates = epochs * math.ceil(x.shape[1] / batch_size)
    rate = warm_up(cosine(learning_rate, max(1, updates - WARM_UP)), WARM_UP)
    history = fit(
        model.network,
        x,
        target,
        loss=cross_entropy,
        optimizer=Adam(rate),
        epochs=epochs,
        batch_size=batch_size,
        clip_norm=1.0,
        seed=seed,
        target_axis=1,
        validation=windows(model, corpus.validation, steps),
        checkpoint=checkpoint,
    )
    return {
        "train_bits": [round(loss / math.log(2), 4) for loss in history.loss],
        "validation_bits": [round(loss / math.log(2), 4) for loss in history.validation_loss],
    }


def windows(model: CharModel, texts: Sequence[str], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids (T, N) of chunks that follow each other, and of what comes one character later."""
    ids = model.encode("".join(texts))[0]
    count = (len(ids) - 1) // steps
    if not count:
        raise ValueError(f"the texts hold {len(ids)} characters; expected more than {steps}")
    here, next_ = (ids[k : k + count * steps].reshape(count, steps) for k in (0, 1))
    return here.T.copy(), next_.T.copy()


def measure(model: CharModel, corpus: Corpus) -> dict[str, Any]:
    """Bits a character on the held-out files, read one after another, beside n-grams'."""
    reading = model.read("".join(corpus.test))
    train, test = (model.encode("".join(part))[0] for part in (corpus.train, corpus.test))
    baselines = ngram.bits_per_character(train, test, len(model.alphabet))
    return {
        "test_bits": round(float(reading.surprise.mean()), 4),
        "ngram_bits": [round(bits, 4) for bits in baselines],
        "characters": {"train": len(train), "test": len(test)},
    }


def probe(model: CharModel, untrained: CharModel, corpus: Corpus) -> dict[str, Any]:
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
