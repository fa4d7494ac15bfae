"""How the model of English prose is made: trained on Python's help topics, and measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...data import ALPHABET, Corpus, load
from ..language import LanguageModel
from .python_source import bits_of, measure

__all__ = ["about", "corpus", "train"]

CELLS, EPOCHS = 96, 10
VOCABULARY = ALPHABET
NAME = "an LSTM of {cells} cells that has read Python's help topics"


def corpus() -> Corpus:
    """The topics, each paragraph once."""
    return load("topics")


def train(
    model: LanguageModel,
    corpus: Corpus,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    checkpoint: Path | None = None,
) -> dict[str, Any]:
    """Teach ``model`` the corpus with the state carried; the best epoch's weights are kept.

    Returns
    -------
    dict
        ``train_bits`` and ``validation_bits`` a character after each epoch.
    """
    history = model.fit(
        corpus.train,
        epochs=epochs,
        steps=50,
        batch_size=32,
        learning_rate=0.008,
        seed=seed,
        validation=corpus.validation,
        patience=epochs,
        checkpoint=checkpoint,
    )
    return bits_of(history)


def about(model: LanguageModel, untrained: LanguageModel, corpus: Corpus) -> dict[str, Any]:
    """What is measured of the trained model, as its file says it."""
    return measure(model, corpus)
