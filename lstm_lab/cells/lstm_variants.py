r"""Relatives of the LSTM: with fewer gates, or with gates that look into the cell.

Shapes and the three functions of a cell are those of `lstm_lab.cells`. What changes is

what is kept of the old memory, :math:`k_t` in :math:`c_t = k_t c_{t-1} + i_t g_t`
    "gate": the forget gate :math:`f_t`, as in `lstm`. "all": 1, the cell of 1997, which never
    forgets (Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735). "coupled":
    :math:`1 - i_t`, CIFG: what is not written is kept (Greff et al. 2017,
    doi:10.1109/TNNLS.2016.2582924).
whether the gates see the cell
    Peepholes add :math:`p_i c_{t-1}`, :math:`p_f c_{t-1}` and :math:`p_o c_t` to the gates'
    pre-activations, one weight a unit and gate (Gers & Schmidhuber 2000,
    doi:10.1109/IJCNN.2000.861302). They are added before the activation, so what a gate feeds,
    and with it ``derivatives``, stays the same.

Blocks of gates are o, i, f, g, or o, i, g where there is no forget gate. The peepholes p_o, p_i
and p_f, halved like the gates' weights in ``forward``, are (S, gates, H, n): an equal column for
each sequence.
"""

from __future__ import annotations

import numpy as np

from .base import ALL, HALF, Cell, pointwise
from .lstm import LSTM_CELL


def squash(gates):
    """The sigmoid, of pre-activations that were halved."""
    np.tanh(gates, out=gates)
    gates *= HALF
    gates += HALF


# --- peepholes ---------------------------------------------------------------------------------


def peephole_forward(
    gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell, peepholes
):
    """One step: i and f see the old cell state, o sees the new one."""
    gates += recurrent
    o, i, f, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]
    np.multiply(peepholes[:, 1], cell_before, out=hidden)
    i += hidden
    np.multiply(peepholes[:, 2], cell_before, out=hidden)
    f += hidden
    squash(gates[:, 1:3])
    np.tanh(g, out=g)
    np.multiply(f, cell_before, out=cell)
    np.multiply(i, g, out=hidden)
    cell += hidden
    np.multiply(peepholes[:, 0], cell, out=hidden)
    o += hidden
    squash(o)
    np.tanh(cell, out=tanh_cell)
    np.multiply(o, tanh_cell, out=hidden)


PEEPHOLE_FORWARD = """
const T i = T(0.5) * tanh(gates(1) + recurrent(1) + peepholes(1) * cell_before(0)) + T(0.5);
const T f = T(0.5) * tanh(gates(2) + recurrent(2) + peepholes(2) * cell_before(0)) + T(0.5);
const T g = tanh(gates(3) + recurrent(3));
const T c = f * cell_before(0) + i * g;
const T o = T(0.5) * tanh(gates(0) + recurrent(0) + peepholes(0) * c) + T(0.5);
gates(0) = o; gates(1) = i; gates(2) = f; gates(3) = g;
cell(0) = c;
tanh_cell(0) = tanh(c);
hidden(0) = o * tanh_cell(0);
"""


def peephole_backward(d, dcell, gates, dhidden, carry, peepholes):
    """The gates' gradients reach the cell states that they saw."""
    dcell *= dhidden
    dcell += carry
    d[:, 0] *= dhidden
    dcell += d[:, 0] * peepholes[:, 0]
    d[:, 1:] *= dcell[:, None]
    np.multiply(dcell, gates[:, 2], out=carry)
    carry += d[:, 1] * peepholes[:, 1]
    carry += d[:, 2] * peepholes[:, 2]


PEEPHOLE_BACKWARD = """
d(0) *= dhidden(0);
const T dc = carry(0) + dhidden(0) * dcell(0) + d(0) * peepholes(0);
d(1) *= dc; d(2) *= dc; d(3) *= dc;
dcell(0) = dc;
carry(0) = dc * gates(2) + d(1) * peepholes(1) + d(2) * peepholes(2);
"""


# --- the cell of 1997 --------------------------------------------------------------------------


def cell_1997_forward(gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell):
    """One step: c = c_before + i * g, then h = o * tanh(c)."""
    gates += recurrent
    o, i, g = gates[:, 0], gates[:, 1], gates[:, 2]
    squash(gates[:, :2])
    np.tanh(g, out=g)
    np.multiply(i, g, out=hidden)
    np.add(cell_before, hidden, out=cell)
    np.tanh(cell, out=tanh_cell)
    np.multiply(o, tanh_cell, out=hidden)


CELL_1997_FORWARD = """
const T o = T(0.5) * tanh(gates(0) + recurrent(0)) + T(0.5);
const T i = T(0.5) * tanh(gates(1) + recurrent(1)) + T(0.5);
const T g = tanh(gates(2) + recurrent(2));
const T c = cell_before(0) + i * g;
gates(0) = o; gates(1) = i; gates(2) = g;
cell(0) = c;
tanh_cell(0) = tanh(c);
hidden(0) = o * tanh_cell(0);
"""


def cell_1997_derivatives(gates, hidden_before, cell_before, hidden, cell, tanh_cell, d, dcell):
    """What o feeds is h; what i and g feed is c; and c feeds h, with dcell."""
    o, i, g = (gates[..., k, :, :] for k in range(3))
    dh_do, dc_di, dc_dg = (d[..., k, :, :] for k in range(3))
    np.subtract(1, gates[..., :2, :, :], out=d[..., :2, :, :])
    d[..., :2, :, :] *= gates[..., :2, :, :]
    dh_do *= tanh_cell
    dc_di *= g
    np.multiply(g, g, out=dc_dg)
    np.subtract(1, dc_dg, out=dc_dg)
    dc_dg *= i
    np.multiply(tanh_cell, tanh_cell, out=dcell)
    np.subtract(1, dcell, out=dcell)
    dcell *= o


CELL_1997_DERIVATIVES = """
const T o = gates(0), i = gates(1), g = gates(2), t = tanh_cell(0);
d(0) = o * (1 - o) * t;
d(1) = i * (1 - i) * g;
d(2) = i * (1 - g * g);
dcell(0) = o * (1 - t * t);
"""


def cell_1997_backward(d, dcell, gates, dhidden, carry):
    """All of the cell state's gradient goes back to the step before."""
    dcell *= dhidden
    dcell += carry
    d[:, 0] *= dhidden
    d[:, 1:] *= dcell[:, None]
    carry[...] = dcell


CELL_1997_BACKWARD = """
const T dc = carry(0) + dhidden(0) * dcell(0);
d(0) *= dhidden(0);
d(1) *= dc; d(2) *= dc;
dcell(0) = dc;
carry(0) = dc;
"""


def cell_1997_peephole_forward(
    gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell, peepholes
):
    """The cell of 1997, in which i sees the old cell state, and o the new one."""
    gates += recurrent
    o, i, g = gates[:, 0], gates[:, 1], gates[:, 2]
    np.multiply(peepholes[:, 1], cell_before, out=hidden)
    i += hidden
    squash(i)
    np.tanh(g, out=g)
    np.multiply(i, g, out=hidden)
    np.add(cell_before, hidden, out=cell)
    np.multiply(peepholes[:, 0], cell, out=hidden)
    o += hidden
    squash(o)
    np.tanh(cell, out=tanh_cell)
    np.multiply(o, tanh_cell, out=hidden)


CELL_1997_PEEPHOLE_FORWARD = """
const T i = T(0.5) * tanh(gates(1) + recurrent(1) + peepholes(1) * cell_before(0)) + T(0.5);
const T g = tanh(gates(2) + recurrent(2));
const T c = cell_before(0) + i * g;
const T o = T(0.5) * tanh(gates(0) + recurrent(0) + peepholes(0) * c) + T(0.5);
gates(0) = o; gates(1) = i; gates(2) = g;
cell(0) = c;
tanh_cell(0) = tanh(c);
hidden(0) = o * tanh_cell(0);
"""


def cell_1997_peephole_backward(d, dcell, gates, dhidden, carry, peepholes):
    """The gates' gradients reach the cell states that they saw."""
    dcell *= dhidden
    dcell += carry
    d[:, 0] *= dhidden
    dcell += d[:, 0] * peepholes[:, 0]
    d[:, 1:] *= dcell[:, None]
    np.multiply(d[:, 1], peepholes[:, 1], out=carry)
    carry += dcell


CELL_1997_PEEPHOLE_BACKWARD = """
d(0) *= dhidden(0);
const T dc = carry(0) + dhidden(0) * dcell(0) + d(0) * peepholes(0);
d(1) *= dc; d(2) *= dc;
dcell(0) = dc;
carry(0) = dc + d(1) * peepholes(1);
"""


# --- CIFG: coupled input and forget gate -------------------------------------------------------


def coupled_forward(gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell):
    """One step: c = (1 - i) * c_before + i * g, then h = o * tanh(c)."""
    gates += recurrent
    o, i, g = gates[:, 0], gates[:, 1], gates[:, 2]
    squash(gates[:, :2])
    np.tanh(g, out=g)
    np.multiply(i, cell_before, out=cell)
    np.subtract(cell_before, cell, out=cell)
    np.multiply(i, g, out=hidden)
    cell += hidden
    np.tanh(cell, out=tanh_cell)
    np.multiply(o, tanh_cell, out=hidden)


COUPLED_FORWARD = """
const T o = T(0.5) * tanh(gates(0) + recurrent(0)) + T(0.5);
const T i = T(0.5) * tanh(gates(1) + recurrent(1)) + T(0.5);
const T g = tanh(gates(2) + recurrent(2));
const T c = (1 - i) * cell_before(0) + i * g;
gates(0) = o; gates(1) = i; gates(2) = g;
cell(0) = c;
tanh_cell(0) = tanh(c);
hidden(0) = o * tanh_cell(0);
"""


def coupled_derivatives(gates, hidden_before, cell_before, hidden, cell, tanh_cell, d, dcell):
    """As of the cell of 1997, but that i feeds c with g and without c_before."""
    cell_1997_derivatives(gates, hidden_before, cell_before, hidden, cell, tanh_cell, d, dcell)
    i, g, dc_di = gates[..., 1, :, :], gates[..., 2, :, :], d[..., 1, :, :]
    np.subtract(1, i, out=dc_di)
    dc_di *= i
    dc_di *= g - cell_before


COUPLED_DERIVATIVES = """
const T o = gates(0), i = gates(1), g = gates(2), t = tanh_cell(0);
d(0) = o * (1 - o) * t;
d(1) = i * (1 - i) * (g - cell_before(0));
d(2) = i * (1 - g * g);
dcell(0) = o * (1 - t * t);
"""


def coupled_backward(d, dcell, gates, dhidden, carry):
    """Of the cell state's gradient, the share 1 - i goes back to the step before."""
    dcell *= dhidden
    dcell += carry
    d[:, 0] *= dhidden
    d[:, 1:] *= dcell[:, None]
    np.multiply(dcell, gates[:, 1], out=carry)
    np.subtract(dcell, carry, out=carry)


COUPLED_BACKWARD = """
const T dc = carry(0) + dhidden(0) * dcell(0);
d(0) *= dhidden(0);
d(1) *= dc; d(2) *= dc;
dcell(0) = dc;
carry(0) = dc * (1 - gates(1));
"""


def coupled_peephole_forward(
    gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell, peepholes
):
    """CIFG, in which i sees the old cell state, and o the new one."""
    gates += recurrent
    o, i, g = gates[:, 0], gates[:, 1], gates[:, 2]
    np.multiply(peepholes[:, 1], cell_before, out=hidden)
    i += hidden
    squash(i)
    np.tanh(g, out=g)
    np.multiply(i, cell_before, out=cell)
    np.subtract(cell_before, cell, out=cell)
    np.multiply(i, g, out=hidden)
    cell += hidden
    np.multiply(peepholes[:, 0], cell, out=hidden)
    o += hidden
    squash(o)
    np.tanh(cell, out=tanh_cell)
    np.multiply(o, tanh_cell, out=hidden)


COUPLED_PEEPHOLE_FORWARD = """
const T i = T(0.5) * tanh(gates(1) + recurrent(1) + peepholes(1) * cell_before(0)) + T(0.5);
const T g = tanh(gates(2) + recurrent(2));
const T c = (1 - i) * cell_before(0) + i * g;
const T o = T(0.5) * tanh(gates(0) + recurrent(0) + peepholes(0) * c) + T(0.5);
gates(0) = o; gates(1) = i; gates(2) = g;
cell(0) = c;
tanh_cell(0) = tanh(c);
hidden(0) = o * tanh_cell(0);
"""


def coupled_peephole_backward(d, dcell, gates, dhidden, carry, peepholes):
    """The gates' gradients reach the cell states that they saw."""
    dcell *= dhidden
    dcell += carry
    d[:, 0] *= dhidden
    dcell += d[:, 0] * peepholes[:, 0]
    d[:, 1:] *= dcell[:, None]
    np.multiply(dcell, gates[:, 1], out=carry)
    np.subtract(dcell, carry, out=carry)
    carry += d[:, 1] * peepholes[:, 1]


COUPLED_PEEPHOLE_BACKWARD = """
d(0) *= dhidden(0);
const T dc = carry(0) + dhidden(0) * dcell(0) + d(0) * peepholes(0);
d(1) *= dc; d(2) *= dc;
dcell(0) = dc;
carry(0) = dc * (1 - gates(1)) + d(1) * peepholes(1);
"""


def _variant(forward, forward_text, derivatives, backward, backward_text, gates, peepholes=0):
    """An LSTM cell of these functions, with the roles of `LSTM_CELL`."""
    blocks, plain = len(gates), LSTM_CELL
    sizes, seen = {"gates": blocks}, ()
    if peepholes:
        sizes["peepholes"], seen = peepholes, ("peepholes",)
    return Cell(
        name="LSTM",
        blocks=blocks,
        input_blocks=ALL,
        recurrent_blocks=ALL,
        halved=tuple(range(blocks - 1)),
        states=plain.states,
        direct=False,
        gates=gates,
        forward=pointwise(
            forward,
            forward_text,
            sizes | {"recurrent": blocks},
            before=plain.forward.before,
            saved=plain.forward.saved,
            shared=(*plain.forward.shared, *seen),
        ),
        derivatives=derivatives,
        backward=pointwise(
            backward,
            backward_text,
            sizes | {"d": blocks},
            carried=plain.backward.carried,
            shared=seen,
        ),
        peepholes=peepholes,
    )


_THREE_GATES = {"output_gate": 0, "input_gate": 1, "candidate": 2}
_SIZES = {"gates": 3, "d": 3}
_1997 = pointwise(cell_1997_derivatives, CELL_1997_DERIVATIVES, _SIZES, saved=("dcell",))
_COUPLED = pointwise(coupled_derivatives, COUPLED_DERIVATIVES, _SIZES, saved=("dcell",))

LSTM_CELLS = {
    ("gate", False): LSTM_CELL,
    ("gate", True): _variant(
        peephole_forward, PEEPHOLE_FORWARD, LSTM_CELL.derivatives,
        peephole_backward, PEEPHOLE_BACKWARD, LSTM_CELL.gates, peepholes=3,
    ),
    ("all", False): _variant(
        cell_1997_forward, CELL_1997_FORWARD, _1997,
        cell_1997_backward, CELL_1997_BACKWARD, _THREE_GATES,
    ),
    ("all", True): _variant(
        cell_1997_peephole_forward, CELL_1997_PEEPHOLE_FORWARD, _1997,
        cell_1997_peephole_backward, CELL_1997_PEEPHOLE_BACKWARD, _THREE_GATES, peepholes=2,
    ),
    ("coupled", False): _variant(
        coupled_forward, COUPLED_FORWARD, _COUPLED,
        coupled_backward, COUPLED_BACKWARD, _THREE_GATES,
    ),
    ("coupled", True): _variant(
        coupled_peephole_forward, COUPLED_PEEPHOLE_FORWARD, _COUPLED,
        coupled_peephole_backward, COUPLED_PEEPHOLE_BACKWARD, _THREE_GATES, peepholes=2,
    ),
}  # fmt: skip
"""By what is kept of the old memory, and whether the gates see the cell state."""
