"""Models of text by characters, as the browser runs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...models import LanguageModel
from .base import floats

MOST_CELLS = 192

# Multiplications that the browser can do for one character without being waited for.
WORK = 170_000


def checked_model(model: Any) -> LanguageModel:
    """A float64 copy of a model that the browser can follow.

    Raises
    ------
    TypeError, ValueError
        If it cannot, and why.
    """
    if not isinstance(model, LanguageModel):
        raise TypeError(f"model: expected a LanguageModel, got {type(model).__name__}")
    hidden, symbols = model.lstm.hidden_size, len(model.vocabulary)
    if model.vocabulary.unit != "characters" or model.vocabulary.unknown is not None:
        raise ValueError(f"model: expected one of characters, got {model!r}")
    if hidden > MOST_CELLS:
        raise ValueError(f"model: expected at most {MOST_CELLS} cells, got {hidden}")
    if (work := 4 * hidden * hidden + symbols * hidden) > WORK:
        raise ValueError(
            f"model: a character takes {work:,} multiplications; expected at most {WORK:,}, so "
            "that the picture follows the hand"
        )
    copy = model.astype("float64")
    copy.tables()  # refuses what the browser's loop cannot follow
    for name, array in copy.network.params.items():
        if not np.isfinite(array).all():
            raise ValueError(f"model: {name} holds NaN or infinity")
    return copy


def packed(model: LanguageModel) -> bytes:
    """The model's tables one after another, as `charNet` of char_model.js takes them apart."""
    return floats(np.concatenate([table.ravel() for table in model.tables().values()]))
