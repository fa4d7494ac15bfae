r"""Floor 2: the equations. One time step of each cell, and its adjoint.

Everything here is pointwise: the matrix products stand in the time loop, one floor up. Each
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
    many steps at once: for every pre-activation, the derivative of *what it feeds*, which needs
    no recurrence.
``backward``
    one step: those derivatives times the gradient that arrives from the future.

The logistic sigmoid is :math:`\sigma(a) = \tfrac12 \tanh(a/2) + \tfrac12`. The factor in the
argument is folded into the weights before the loop (`Cell.fold`), so that one tanh serves
sigmoid gates and candidate alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from .backends import Pointwise

# A Python number would be converted anew in every call; this one suits either precision.
HALF = np.array(0.5, "float32")

# --- RNN: h = tanh(a)     Elman 1990, doi:10.1207/s15516709cog1402_1 ---------------------------


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


# --- LSTM     Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, with the forget ---
# --- gate of Gers, Schmidhuber & Cummins 2000, doi:10.1162/089976600300015015 (eqs. 2-8) -------


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


def lstm_derivatives(gates, hidden_before, cell_before, hidden, cell, tanh_cell, d, dh_dc):
    """What o feeds is h; what i, f and g feed is c; and c feeds h."""
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
    np.multiply(tanh_cell, tanh_cell, out=dh_dc)
    np.subtract(1, dh_dc, out=dh_dc)
    dh_dc *= o


LSTM_DERIVATIVES = """
const T o = gates(0), i = gates(1), f = gates(2), g = gates(3), t = tanh_cell(0);
d(0) = o * (1 - o) * t;
d(1) = i * (1 - i) * g;
d(2) = f * (1 - f) * cell_before(0);
d(3) = i * (1 - g * g);
dh_dc(0) = o * (1 - t * t);
"""


def lstm_backward(d, dh_dc, gates, dhidden, dcell):
    """Turn d into the gradients of the pre-activations, and carry dcell one step back."""
    dh_dc *= dhidden
    dcell += dh_dc
    d[:, 0] *= dhidden
    d[:, 1:] *= dcell[:, None]
    dcell *= gates[:, 2]


LSTM_BACKWARD = """
const T dc = dcell(0) + dhidden(0) * dh_dc(0);
d(0) *= dhidden(0);
d(1) *= dc; d(2) *= dc; d(3) *= dc;
dcell(0) = dc * gates(2);
"""


# --- GRU     Cho et al. 2014, doi:10.3115/v1/D14-1179, with the reset gate applied after the ---
# --- recurrent product (torch's and cuDNN's form), so q = U_n h + b is a block of its own ------


def gru_forward(gates, recurrent, hidden_before, hidden):
    """One step: n = tanh(a + r * q), then h = n + z * (h_before - n)."""
    gates[:, 1:] += recurrent
    sigmoids = gates[:, 1:3]
    np.tanh(sigmoids, out=sigmoids)
    sigmoids *= HALF
    sigmoids += HALF
    n, r, z, q = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]
    np.multiply(r, q, out=hidden)
    n += hidden
    np.tanh(n, out=n)
    np.subtract(hidden_before, n, out=hidden)
    hidden *= z
    hidden += n


GRU_FORWARD = """
const T r = T(0.5) * tanh(gates(1) + recurrent(0)) + T(0.5);
const T z = T(0.5) * tanh(gates(2) + recurrent(1)) + T(0.5);
const T q = gates(3) + recurrent(2);
const T n = tanh(gates(0) + r * q);
gates(0) = n; gates(1) = r; gates(2) = z; gates(3) = q;
hidden(0) = n + z * (hidden_before(0) - n);
"""


def gru_derivatives(gates, hidden_before, hidden, d):
    """All four blocks feed h, the reset gate and q by way of n."""
    n, r, z, q = (gates[..., k, :, :] for k in range(4))
    dh_dn, dh_dr, dh_dz, dh_dq = (d[..., k, :, :] for k in range(4))
    np.subtract(1, z, out=dh_dq)
    np.subtract(hidden, n, out=dh_dz)  # = z * (h_before - n)
    dh_dz *= dh_dq
    np.multiply(n, n, out=dh_dn)
    np.subtract(1, dh_dn, out=dh_dn)
    dh_dn *= dh_dq
    np.multiply(dh_dn, r, out=dh_dq)
    np.subtract(1, r, out=dh_dr)
    dh_dr *= dh_dq
    dh_dr *= q


GRU_DERIVATIVES = """
const T n = gates(0), r = gates(1), z = gates(2), q = gates(3);
const T dn = (1 - z) * (1 - n * n);
d(0) = dn;
d(1) = dn * q * r * (1 - r);
d(2) = (hidden(0) - n) * (1 - z);
d(3) = dn * r;
"""


def gru_backward(d, gates, dhidden):
    """Turn d into gradients; leave in dhidden what reaches h_before past the products."""
    d *= dhidden[:, None]
    dhidden *= gates[:, 2]


GRU_BACKWARD = """
d(0) *= dhidden(0); d(1) *= dhidden(0); d(2) *= dhidden(0); d(3) *= dhidden(0);
dhidden(0) *= gates(2);
"""


@dataclass(frozen=True)
class Reset:
    """A gate that acts on the hidden state before part of U does.

    Attributes
    ----------
    blocks : slice
        The blocks that the product with the reset state is added to.
    gate : int
        The gate's own block.
    forward, backward : Pointwise
        What comes before that product, and its adjoint.
    """

    blocks: slice
    gate: int
    forward: Pointwise
    backward: Pointwise


@dataclass(frozen=True)
class Cell:
    """A recurrent cell, as the time loop sees it.

    Attributes
    ----------
    name : str
    blocks : int
        Blocks of H rows in a step's gate buffer.
    input_blocks, recurrent_blocks : slice
        The blocks that W x and U h are added to.
    reset : Reset or None
        Where a gate acts on h first, for the remaining rows of U.
    halved : tuple of int
        The blocks that pass through a sigmoid.
    states : tuple of str
        What is carried from step to step; the first is the output.
    kept : int
        Further (H, n) arrays that a step's ``forward`` leaves for ``derivatives``.
    factors : int
        (H, n) arrays that ``derivatives`` leaves for ``backward`` beside ``d``.
    direct : bool
        Whether ``backward`` leaves in ``dhidden`` a part that reaches the state before without
        passing through U.
    gates : dict of str to int
        The names of the blocks that a trace shows.
    peepholes : int
        How many gates, the first blocks, see the cell state through a weight of their own.
    """

    name: str
    blocks: int
    input_blocks: slice
    recurrent_blocks: slice
    halved: tuple[int, ...]
    states: tuple[str, ...]
    kept: int
    factors: int
    direct: bool
    gates: dict[str, int]
    forward: Pointwise
    derivatives: Pointwise
    backward: Pointwise
    peepholes: int = 0
    reset: Reset | None = None

    @property
    def input_rows(self) -> int:
        """Blocks in W."""
        return len(range(self.blocks)[self.input_blocks])

    @property
    def recurrent_rows(self) -> int:
        """Blocks in U."""
        return sum(len(range(self.blocks)[blocks]) for blocks in self.blocks_of_u)

    @property
    def blocks_of_u(self) -> list[slice]:
        """The blocks that the rows of U feed, in the order of the rows."""
        return [self.recurrent_blocks, *([self.reset.blocks] if self.reset else [])]

    @property
    def kept_names(self) -> list[str]:
        """What ``forward`` calls the further arrays that it leaves."""
        names = [name for name, _ in self.forward.arrays if name != "peepholes"]
        return names[len(names) - self.kept :]

    @property
    def factor_names(self) -> list[str]:
        """What ``derivatives`` calls the arrays that it leaves beside d."""
        names = [name for name, _ in self.derivatives.arrays]
        return names[len(names) - self.factors :]

    def fold(self, weights, hidden_size: int, *blocks: slice):
        """A copy of ``weights`` (rows, ...) with the rows that feed a sigmoid halved.

        ``blocks`` are those that the rows feed, in their order.
        """
        folded = weights.copy()
        for row, block in enumerate(chain(*(range(self.blocks)[part] for part in blocks))):
            if block in self.halved:
                folded[row * hidden_size : (row + 1) * hidden_size] *= 0.5
        return folded


def pointwise(function, unit: str, **blocks: int) -> Pointwise:
    """Both writings of a function; ``blocks`` says which arguments hold several blocks.

    An argument with a default is there only if ``blocks`` names it.
    """
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    optional = names[len(names) - len(function.__defaults__ or ()) :]
    names = [name for name in names if name not in optional or name in blocks]
    return Pointwise(function, tuple((name, blocks.get(name, 1)) for name in names), unit)


_ALL = slice(None)

RNN_CELL = Cell(
    name="RNN", blocks=1, input_blocks=_ALL, recurrent_blocks=_ALL, halved=(),
    states=("hidden",), kept=0, factors=0, direct=False, gates={},
    forward=pointwise(rnn_forward, RNN_FORWARD),
    derivatives=pointwise(rnn_derivatives, RNN_DERIVATIVES),
    backward=pointwise(rnn_backward, RNN_BACKWARD),
)  # fmt: skip

# Blocks o, i, f, g: the three sigmoids side by side, and the three that feed the cell state.
LSTM_CELL = Cell(
    name="LSTM", blocks=4, input_blocks=_ALL, recurrent_blocks=_ALL, halved=(0, 1, 2),
    states=("hidden", "cell"), kept=1, factors=1, direct=False,
    gates={"output_gate": 0, "input_gate": 1, "forget_gate": 2, "candidate": 3},
    forward=pointwise(lstm_forward, LSTM_FORWARD, gates=4, recurrent=4),
    derivatives=pointwise(lstm_derivatives, LSTM_DERIVATIVES, gates=4, d=4),
    backward=pointwise(lstm_backward, LSTM_BACKWARD, gates=4, d=4),
)  # fmt: skip

# Blocks n, r, z, q: W feeds the first three, U the last three, each in one piece.
GRU_CELL = Cell(
    name="GRU", blocks=4, input_blocks=slice(0, 3), recurrent_blocks=slice(1, 4), halved=(1, 2),
    states=("hidden",), kept=0, factors=0, direct=True,
    gates={"candidate": 0, "reset_gate": 1, "update_gate": 2},
    forward=pointwise(gru_forward, GRU_FORWARD, gates=4, recurrent=3),
    derivatives=pointwise(gru_derivatives, GRU_DERIVATIVES, gates=4, d=4),
    backward=pointwise(gru_backward, GRU_BACKWARD, gates=4, d=4),
)  # fmt: skip
