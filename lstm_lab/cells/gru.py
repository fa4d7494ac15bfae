"""The GRU with its reset gate after the recurrent product, torch's and cuDNN's form.

Cho et al. 2014, doi:10.3115/v1/D14-1179; the product q = U_n h + b is a block of its own, for the
reset gate acts on it. `gru_variants` has the paper's own form.
"""

from __future__ import annotations

import numpy as np

from .base import HALF, Cell, pointwise


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


# Blocks n, r, z, q: W feeds the first three, U the last three, each in one piece.
GRU_CELL = Cell(
    name="GRU",
    blocks=4,
    input_blocks=slice(0, 3),
    recurrent_blocks=slice(1, 4),
    halved=(1, 2),
    states=("hidden",),
    direct=True,
    gates={"candidate": 0, "reset_gate": 1, "update_gate": 2},
    products={"candidate": 3},
    forward=pointwise(
        gru_forward,
        GRU_FORWARD,
        {"gates": 4, "recurrent": 3},
        before=(("hidden_before", "hidden"),),
        shared=("recurrent",),
    ),
    derivatives=pointwise(gru_derivatives, GRU_DERIVATIVES, {"gates": 4, "d": 4}),
    backward=pointwise(gru_backward, GRU_BACKWARD, {"gates": 4, "d": 4}, carried=("dhidden",)),
)
