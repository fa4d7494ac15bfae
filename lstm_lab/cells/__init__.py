r"""Floor 2: the equations. One time step of each cell, and its adjoint.

Everything here is pointwise: the matrix products stand in the loop over time, one floor up. Each
function is written twice side by side: as NumPy lines, and as text for a single unit, which is
compiled for GPUs (CUDA) and for CPUs (numba).

Shapes
------
H hidden units, n sequences in the batch, G blocks of gates. Arrays are feature-major: a step's
gates are (..., G, H, n) and its states (..., H, n), so that every gate of every step lies in one
piece of memory. Leading axes are directions, and time steps where a function takes many at once.

The three functions of a cell
-----------------------------
``forward``
    one step: pre-activations become gates, gates and the state before become the state after.
``derivatives``
    many steps at once: the local derivatives, of *what each pre-activation feeds* with respect to
    it, and of h with respect to c. They need no recurrence.
``backward``
    one step: the local derivatives times the gradient that arrives from the future. ``d`` enters
    with the former and leaves with :math:`\partial L/\partial a`; where there is a cell state,
    ``dcell`` enters with :math:`\partial h/\partial c` and leaves with
    :math:`\partial L/\partial c`, and ``carry`` brings what the step after sends to c, and leaves
    with what c sends to the step before.

The logistic sigmoid is :math:`\sigma(a) = \tfrac12 \tanh(a/2) + \tfrac12`. The factor in the
argument is folded into the weights before the loop (`Cell.fold`), so that one tanh serves
sigmoid gates and candidate alike.
"""

from .base import Cell, Reset
from .gru import GRU_CELL, gru_backward, gru_derivatives, gru_forward
from .gru_variants import GRU_BEFORE_CELL
from .lstm import LSTM_CELL, lstm_backward, lstm_derivatives, lstm_forward
from .lstm_variants import LSTM_CELLS
from .rnn import RNN_CELL, rnn_backward, rnn_derivatives, rnn_forward

CELLS = {
    cell.forward.name: cell for cell in (*LSTM_CELLS.values(), GRU_CELL, GRU_BEFORE_CELL, RNN_CELL)
}
"""By the name of what a step computes."""


def cell_named(name: str) -> Cell:
    """The cell of that name; what a pickle holds in its place."""
    return CELLS[name]


__all__ = [
    "GRU_BEFORE_CELL",
    "GRU_CELL",
    "LSTM_CELL",
    "LSTM_CELLS",
    "RNN_CELL",
    "Cell",
    "Reset",
    "gru_backward",
    "gru_derivatives",
    "gru_forward",
    "lstm_backward",
    "lstm_derivatives",
    "lstm_forward",
    "rnn_backward",
    "rnn_derivatives",
    "rnn_forward",
]
