"""`RNN`, which has no gates."""

from __future__ import annotations

from ..cells import RNN_CELL, Cell
from .recurrent import Recurrent


class RNN(Recurrent):
    """The plain recurrent network: h_t = tanh(W x_t + U h_{t-1} + b).

    Elman 1990, doi:10.1207/s15516709cog1402_1. Parameters and methods are those of `LSTM` but
    for the biases of the forget gate; the state is a single array.
    """

    cell: Cell = RNN_CELL
