"""LSTM and bidirectional LSTM networks, to understand and to use.

A layer's ``forward`` returns its output and a trace: every gate and state of every step. Its
``backward`` reads that trace, and so do the pictures in the book.

>>> import numpy as np
>>> from lstm_lab import LSTM
>>> lstm = LSTM(input_size=3, hidden_size=16, seed=0)
>>> y, trace = lstm.forward(np.ones((5, 2, 3), dtype="float32"))
>>> trace.forget_gate.shape
(5, 2, 16)
"""

from .layers import (
    GRU,
    LSTM,
    RNN,
    Attention,
    BiLSTM,
    Dropout,
    Embedding,
    Gradient,
    LastStep,
    Layer,
    Linear,
    Reverse,
    Sequential,
    Trace,
)

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Attention",
    "BiLSTM",
    "Dropout",
    "Embedding",
    "Gradient",
    "LastStep",
    "Layer",
    "Linear",
    "Reverse",
    "Sequential",
    "Trace",
]
