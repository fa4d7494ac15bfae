"""The GRU as in its paper: the reset gate is applied to h before the recurrent product.

Cho et al. 2014, doi:10.3115/v1/D14-1179 (eqs. 5-8). A step has two products: the gates', and the
candidate's, which is taken with what the reset gate leaves of h.
"""

from __future__ import annotations

import numpy as np

from .base import ALL, Cell, Reset, pointwise
from .gru import GRU_CELL


def gru_reset_forward(gates, recurrent, hidden_before, reset_hidden):
    """First half of a step: both gates, and r * h_before, which U_n is multiplied by."""
    sigmoids = gates[:, 1:]
    sigmoids += recurrent
    np.tanh(sigmoids, out=sigmoids)
    sigmoids *= 0.5
    sigmoids += 0.5
    np.multiply(gates[:, 1], hidden_before, out=reset_hidden)


GRU_RESET_FORWARD = """
const T r = T(0.5) * tanh(gates(1) + recurrent(0)) + T(0.5);
gates(1) = r;
gates(2) = T(0.5) * tanh(gates(2) + recurrent(1)) + T(0.5);
reset_hidden(0) = r * hidden_before(0);
"""


def gru_before_forward(gates, inner, hidden_before, hidden):
    """Second half: n = tanh(a + inner), then h = n + z * (h_before - n)."""
    n, z = gates[:, 0], gates[:, 2]
    n += inner
    np.tanh(n, out=n)
    np.subtract(hidden_before, n, out=hidden)
    hidden *= z
    hidden += n


GRU_BEFORE_FORWARD = """
const T n = tanh(gates(0) + inner(0));
gates(0) = n;
hidden(0) = n + gates(2) * (hidden_before(0) - n);
"""


def gru_before_derivatives(gates, hidden_before, hidden, d):
    """n and z feed h; what r feeds is r * h_before."""
    n, r, z = (gates[..., k, :, :] for k in range(3))
    dh_dn, ds_dr, dh_dz = (d[..., k, :, :] for k in range(3))
    np.subtract(1, z, out=ds_dr)
    np.subtract(hidden, n, out=dh_dz)  # = z * (h_before - n)
    dh_dz *= ds_dr
    np.multiply(n, n, out=dh_dn)
    np.subtract(1, dh_dn, out=dh_dn)
    dh_dn *= ds_dr
    np.subtract(1, r, out=ds_dr)
    ds_dr *= r
    ds_dr *= hidden_before


GRU_BEFORE_DERIVATIVES = """
const T n = gates(0), r = gates(1), z = gates(2);
d(0) = (1 - z) * (1 - n * n);
d(1) = hidden_before(0) * r * (1 - r);
d(2) = (hidden(0) - n) * (1 - z);
"""


def gru_before_backward(d, gates, dhidden):
    """Gradients of n and z; leave in dhidden what reaches h_before past the products."""
    d[:, 0] *= dhidden
    d[:, 2] *= dhidden
    dhidden *= gates[:, 2]


GRU_BEFORE_BACKWARD = """
d(0) *= dhidden(0); d(2) *= dhidden(0);
dhidden(0) *= gates(2);
"""


def gru_reset_backward(d, gates, dreset):
    """Gradient of r from that of r * h_before; leave in dreset what reaches h_before."""
    d[:, 1] *= dreset
    dreset *= gates[:, 1]


GRU_RESET_BACKWARD = """
d(1) *= dreset(0);
dreset(0) *= gates(1);
"""


# Blocks n, r, z. U has its rows in the order r, z, n, as in `GRU_CELL`.
GRU_BEFORE_CELL = Cell(
    name="GRU",
    blocks=3,
    input_blocks=ALL,
    recurrent_blocks=slice(1, 3),
    halved=(1, 2),
    states=("hidden",),
    direct=True,
    gates=GRU_CELL.gates,
    forward=pointwise(
        gru_before_forward, GRU_BEFORE_FORWARD, {"gates": 3}, before=(("hidden_before", "hidden"),)
    ),
    derivatives=pointwise(gru_before_derivatives, GRU_BEFORE_DERIVATIVES, {"gates": 3, "d": 3}),
    backward=pointwise(
        gru_before_backward, GRU_BEFORE_BACKWARD, {"gates": 3, "d": 3}, carried=("dhidden",)
    ),
    reset=Reset(
        blocks=slice(0, 1),
        gate=1,
        forward=pointwise(gru_reset_forward, GRU_RESET_FORWARD, {"gates": 3, "recurrent": 2}),
        backward=pointwise(gru_reset_backward, GRU_RESET_BACKWARD, {"gates": 3, "d": 3}),
    ),
)
