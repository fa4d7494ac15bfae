"""Floor 3: layers. See `Layer` for what all of them share."""

from .attention import Attention, AttentionGradient, AttentionTrace
from .base import Gradient, Layer
from .crf import CRF
from .delay import TimeDelay
from .dense import Embedding, Linear
from .dropout import Dropout
from .features import FeatureEmbedding, WordDropout
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
    "CRF",
    "GRU",
    "LSTM",
    "RNN",
    "Attention",
    "AttentionGradient",
    "AttentionTrace",
    "BiLSTM",
    "Dropout",
    "Embedding",
    "FeatureEmbedding",
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
    "TimeDelay",
    "Trace",
    "WordDropout",
    "write_params",
]
