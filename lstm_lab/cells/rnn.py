"""The plain recurrent network: h = tanh(a). Elman 1990, doi:10.1207/s15516709cog1402_1."""

from __future__ import annotations

import numpy as np

from .base import ALL, Cell, pointwise


def rnn_forward(gates, recurrent, hidden_before, hidden):
    """One step of the plain recurrent network."""
    np.add(gates[:, 0], recurrent[:, 0], out=hidden)
    np.tanh(hidden, out=hidden)


RNN_FORWARD = """
hidden(0) = tanh(gates(0) + recurrent(0));
"""


def rnn_derivatives(gates, hidden_before, hidden, d):
    """d = dh/da, the derivative of tanh."""
    np.multiply(hidden, hidden, out=d[..., 0, :, :])
    np.subtract(1, d, out=d)


RNN_DERIVATIVES = """
d(0) = 1 - hidden(0) * hidden(0);
"""


def rnn_backward(d, gates, dhidden):
    """Turn d into the gradient of the pre-activation."""
    d[:, 0] *= dhidden


RNN_BACKWARD = """
d(0) *= dhidden(0);
"""


RNN_CELL = Cell(
    name="RNN",
    blocks=1,
    input_blocks=ALL,
    recurrent_blocks=ALL,
    halved=(),
    states=("hidden",),
    direct=False,
    gates={},
    forward=pointwise(
        rnn_forward, RNN_FORWARD, shared=("recurrent",), before=(("hidden_before", "hidden"),)
    ),
    derivatives=pointwise(rnn_derivatives, RNN_DERIVATIVES),
    backward=pointwise(rnn_backward, RNN_BACKWARD, carried=("dhidden",)),
)
