"""What models of texts and sounds share: how they are taught, and read from their files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

from .._validation import checked_number, checked_size, described
from ..interchange import weights
from ..optim import Adam, cosine
from ..training import History, fit


def teach(
    network: Any,
    arrays: Callable[[Any, Any], tuple[Any, Any, Any]],
    names: str,
    data: tuple[Any, Any],
    validation: Any,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    optimizer: Any = None,
    **settings: Any,
) -> History:
    """`fit` on pairs that ``arrays`` makes x, target and lengths of.

    The rate of Adam falls along half a cosine, from ``learning_rate`` to 0, if no other optimiser
    is given. ``names`` is what a pair is called in an error: "words, tags".
    """
    epochs, batch_size = checked_size(epochs, "epochs"), checked_size(batch_size, "batch_size")
    rate = checked_number(learning_rate, "learning_rate", low=0, above=True)
    x, target, lengths = arrays(*data)
    held_out = None
    if validation is not None:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise ValueError(f"validation must be ({names}), got {described(validation)}")
        held_out = dict(zip(("x", "target", "lengths"), arrays(*validation), strict=True))
    if optimizer is None:
        sequences = len(lengths[0] if isinstance(lengths, tuple) else lengths)
        optimizer = Adam(cosine(rate, epochs * math.ceil(sequences / batch_size)))
    return fit(
        network,
        x,
        target,
        lengths=lengths,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        validation=held_out,
        **settings,
    )


def read(
    path: str | os.PathLike,
    backend: str | None,
    key: str,
    kind: str,
    make: Callable[[Any, Any], Any],
) -> Any:
    """``make(network, note)`` of a file whose header has a note under ``key``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file, or a damaged one; ``kind`` says what it should hold, and who writes
        one: "tagger; Tagger".
    """
    network = weights.load(path, backend)
    what, _, writer = kind.partition("; ")
    try:
        return make(network, weights.read_notes(path)[key])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no {what}: {error}; {writer}.save writes one") from error
