"""Floor 3: layers. See `Layer` for what all of them share."""

from .base import Gradient, Layer
from .dense import Embedding, Linear
from .dropout import Dropout
from .recurrent import GRU, LSTM, RNN, BiLSTM, Recurrent
from .sequential import LastStep, Sequential
from .trace import Trace

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "BiLSTM",
    "Dropout",
    "Embedding",
    "Gradient",
    "LastStep",
    "Layer",
    "Linear",
    "Recurrent",
    "Sequential",
    "Trace",
]
