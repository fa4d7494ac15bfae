"""The LSTM: a cell state that gates protect.

Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, with the forget gate of Gers,
Schmidhuber & Cummins 2000, doi:10.1162/089976600300015015 (eqs. 2-8).
"""

from __future__ import annotations

import numpy as np

from .base import ALL, HALF, Cell, pointwise


def lstm_forward(gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell):
    """One step: c = f * c_before + i * g, then h = o * tanh(c)."""
    gates += recurrent
    np.tanh(gates, out=gates)
    sigmoids = gates[:, :3]
    sigmoids *= HALF
    sigmoids += HALF
    o, i, f, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]
    np.multiply(f, cell_before, out=cell)
    np.multiply(i, g, out=hidden)
    cell += hidden
    np.tanh(cell, out=tanh_cell)
    np.multiply(o, tanh_cell, out=hidden)


LSTM_FORWARD = """
const T o = T(0.5) * tanh(gates(0) + recurrent(0)) + T(0.5);
const T i = T(0.5) * tanh(gates(1) + recurrent(1)) + T(0.5);
const T f = T(0.5) * tanh(gates(2) + recurrent(2)) + T(0.5);
const T g = tanh(gates(3) + recurrent(3));
const T c = f * cell_before(0) + i * g;
gates(0) = o; gates(1) = i; gates(2) = f; gates(3) = g;
cell(0) = c;
tanh_cell(0) = tanh(c);
hidden(0) = o * tanh_cell(0);
"""


def lstm_derivatives(gates, hidden_before, cell_before, hidden, cell, tanh_cell, d, dcell):
    """What o feeds is h; what i, f and g feed is c; and c feeds h, with dcell."""
    o, i, f, g = (gates[..., k, :, :] for k in range(4))
    dh_do, dc_di, dc_df, dc_dg = (d[..., k, :, :] for k in range(4))
    np.subtract(1, gates[..., :3, :, :], out=d[..., :3, :, :])
    d[..., :3, :, :] *= gates[..., :3, :, :]
    dh_do *= tanh_cell
    dc_di *= g
    dc_df *= cell_before
    np.multiply(g, g, out=dc_dg)
    np.subtract(1, dc_dg, out=dc_dg)
    dc_dg *= i
    np.multiply(tanh_cell, tanh_cell, out=dcell)
    np.subtract(1, dcell, out=dcell)
    dcell *= o


LSTM_DERIVATIVES = """
const T o = gates(0), i = gates(1), f = gates(2), g = gates(3), t = tanh_cell(0);
d(0) = o * (1 - o) * t;
d(1) = i * (1 - i) * g;
d(2) = f * (1 - f) * cell_before(0);
d(3) = i * (1 - g * g);
dcell(0) = o * (1 - t * t);
"""


def lstm_backward(d, dcell, gates, dhidden, carry):
    """Turn d into the gradients of the pre-activations, and dcell into that of the cell state."""
    dcell *= dhidden
    dcell += carry
    d[:, 0] *= dhidden
    d[:, 1:] *= dcell[:, None]
    np.multiply(dcell, gates[:, 2], out=carry)


LSTM_BACKWARD = """
const T dc = carry(0) + dhidden(0) * dcell(0);
d(0) *= dhidden(0);
d(1) *= dc; d(2) *= dc; d(3) *= dc;
dcell(0) = dc;
carry(0) = dc * gates(2);
"""


# Blocks o, i, f, g: the three sigmoids side by side, and the three that feed the cell state.
LSTM_CELL = Cell(
    name="LSTM",
    blocks=4,
    input_blocks=ALL,
    recurrent_blocks=ALL,
    halved=(0, 1, 2),
    states=("hidden", "cell"),
    direct=False,
    gates={"output_gate": 0, "input_gate": 1, "forget_gate": 2, "candidate": 3},
    forward=pointwise(
        lstm_forward,
        LSTM_FORWARD,
        {"gates": 4, "recurrent": 4},
        before=(("hidden_before", "hidden"), ("cell_before", "cell")),
        saved=("tanh_cell",),
        shared=("recurrent",),
    ),
    derivatives=pointwise(
        lstm_derivatives, LSTM_DERIVATIVES, {"gates": 4, "d": 4}, saved=("dcell",)
    ),
    backward=pointwise(
        lstm_backward, LSTM_BACKWARD, {"gates": 4, "d": 4}, carried=("dhidden", "carry")
    ),
)
