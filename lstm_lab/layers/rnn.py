"""`RNN`, which has no gates."""

from __future__ import annotations

from ..cells import RNN_CELL, Cell
from .recurrent import Recurrent


class RNN(Recurrent):
    """The plain recurrent network: h_t = tanh(W x_t + U h_{t-1} + b).

    Elman 1990, doi:10.1207/s15516709cog1402_1. Methods are those of `LSTM`, and so are the
    parameters ``input_size``, ``hidden_size``, ``num_layers``, ``bidirectional``, ``dropout``,
    ``recurrent_dropout``, ``init`` ("uniform" or "orthogonal"), ``backend``, ``dtype`` and
    ``seed``. The state is a single array.
    """

    cell: Cell = RNN_CELL
