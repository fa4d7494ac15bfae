"""Floor 3: layers. See `Layer` for what all of them share."""

from .attention import Attention, AttentionGradient, AttentionTrace
from .base import Gradient, Layer
from .dense import Embedding, Linear
from .dropout import Dropout
from .gru import GRU
from .lstm import LSTM, BiLSTM
from .parameters import GateParameters, Parameters, write_params
from .recurrent import Recurrent
from .reverse import Reverse
from .rnn import RNN
from .sequential import LastStep, Sequential
from .stepper import Stepper
from .trace import GradientTrace, Trace

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Attention",
    "AttentionGradient",
    "AttentionTrace",
    "BiLSTM",
    "Dropout",
    "Embedding",
    "GateParameters",
    "Gradient",
    "GradientTrace",
    "LastStep",
    "Layer",
    "Linear",
    "Parameters",
    "Recurrent",
    "Reverse",
    "Sequential",
    "Stepper",
    "Trace",
    "write_params",
]
