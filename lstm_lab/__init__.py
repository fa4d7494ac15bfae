"""LSTM and bidirectional LSTM networks, to understand and to use.

A layer's ``forward`` returns its output and a trace: every gate and state of every step. Its
``backward`` reads that trace, and so do the pictures in the book.

>>> import numpy as np
>>> from lstm_lab import LSTM
>>> lstm = LSTM(input_size=3, hidden_size=16, seed=0)
>>> y, trace = lstm.forward(np.ones((5, 2, 3), dtype="float32"))
>>> trace.forget_gate.shape
(5, 2, 16)

What is not here lies in modules that are loaded when they are first named, as in
``lstm_lab.losses.mse``: `losses`, `optim`, `training`, `gradcheck`, `interchange`, `data`, `tasks`,
`metrics`, `evidence`, `decoding` and `models`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .layers import (
    CRF,
    GRU,
    LSTM,
    RNN,
    Attention,
    BiLSTM,
    Dropout,
    Embedding,
    FeatureEmbedding,
    Gradient,
    LastStep,
    Layer,
    Linear,
    Reverse,
    Sequential,
    TimeDelay,
    Trace,
    WordDropout,
)

if TYPE_CHECKING:
    from . import data as data
    from . import decoding as decoding
    from . import evidence as evidence
    from . import gradcheck as gradcheck
    from . import interchange as interchange
    from . import losses as losses
    from . import metrics as metrics
    from . import models as models
    from . import optim as optim
    from . import tasks as tasks
    from . import training as training

__version__ = "0.1.0"

__all__ = [
    "CRF",
    "GRU",
    "LSTM",
    "RNN",
    "Attention",
    "BiLSTM",
    "Dropout",
    "Embedding",
    "FeatureEmbedding",
    "Gradient",
    "LastStep",
    "Layer",
    "Linear",
    "Reverse",
    "Sequential",
    "TimeDelay",
    "Trace",
    "WordDropout",
]

_MODULES = frozenset(
    "data decoding evidence gradcheck interchange losses metrics models optim tasks "
    "training".split()
)


if not TYPE_CHECKING:  # a checker sees the imports above, and that nothing else is here

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
