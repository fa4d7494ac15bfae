r"""Floor 2: relatives of the LSTM, with fewer gates or gates that look into the cell; and a GRU's.

Shapes and the three functions of a cell are those of `lstm_lab.cells`. What changes is

what is kept of the old memory, :math:`k_t` in :math:`c_t = k_t c_{t-1} + i_t g_t`
    "gate": the forget gate :math:`f_t`, as in `cells.LSTM_CELL`. "all": 1, the cell of 1997, which
    never forgets (Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735). "coupled":
    :math:`1 - i_t`, CIFG: what is not written is kept (Greff et al. 2017,
    doi:10.1109/TNNLS.2016.2582924).
whether the gates see the cell
    Peepholes add :math:`p_i c_{t-1}`, :math:`p_f c_{t-1}` and :math:`p_o c_t` to the gates'
    pre-activations, one weight a unit and gate (Gers & Schmidhuber 2000,
    doi:10.1109/IJCNN.2000.861302).

Blocks of gates are o, i, f, g, or o, i, g where there is no forget gate. The GRU's own relative,
the last here, differs from `cells.GRU_CELL` in where its reset gate acts.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .backends import Pointwise
from .cells import GRU_CELL, HALF, LSTM_CELL, Cell, Reset, pointwise

KEEPS = ("gate", "all", "coupled")


@cache
def lstm_variant(keep: str = "gate", peepholes: bool = False) -> Cell:
    """The cell of that kind; the plain LSTM is `cells.LSTM_CELL` itself.

    Parameters
    ----------
    keep : {"gate", "all", "coupled"}
    peepholes : bool
    """
    if keep == "gate" and not peepholes:
        return LSTM_CELL
    blocks = 4 if keep == "gate" else 3
    names = ("output_gate", "input_gate", "forget_gate", "candidate")
    gates = {name: k for k, name in enumerate(n for n in names if keep == "gate" or n[0] != "f")}
    sizes = {"gates": blocks, "recurrent": blocks, "d": blocks}
    if peepholes:
        sizes["peepholes"] = blocks - 1
    lines, texts = _numpy_lines(keep), _unit_text(keep, peepholes)

    def both(k: int) -> Pointwise:
        function = lines[k]
        function.__qualname__ = f"lstm_{function.__name__}_{keep}" + "_peepholes" * peepholes
        return pointwise(function, texts[k], **sizes)

    return Cell(
        name="LSTM",
        blocks=blocks,
        input_blocks=slice(None),
        recurrent_blocks=slice(None),
        halved=tuple(range(blocks - 1)),
        states=("hidden", "cell"),
        kept=1,
        factors=1,
        direct=False,
        gates=gates,
        forward=both(0),
        # Peepholes are added before the activation: what a gate feeds stays the same.
        derivatives=LSTM_CELL.derivatives if keep == "gate" else both(1),
        backward=both(2),
        peepholes=blocks - 1 if peepholes else 0,
    )


def _numpy_lines(keep: str):
    last = 3 if keep == "gate" else 2

    def squash(gates):
        np.tanh(gates, out=gates)
        gates *= HALF
        gates += HALF

    def forward(
        gates, recurrent, hidden_before, cell_before, hidden, cell, tanh_cell, peepholes=None
    ):
        """One step; ``peepholes`` are p_o, p_i and p_f, halved like the gates' weights."""
        gates += recurrent
        if peepholes is not None:  # `hidden` is free until the end
            for k in range(1, last):
                np.multiply(peepholes[:, k], cell_before, out=hidden)
                gates[:, k] += hidden
        o, i, g = gates[:, 0], gates[:, 1], gates[:, last]
        squash(gates[:, 1:last])
        np.tanh(g, out=g)
        if keep == "gate":
            np.multiply(gates[:, 2], cell_before, out=cell)
        elif keep == "all":
            cell[...] = cell_before
        else:
            np.multiply(i, cell_before, out=cell)
            np.subtract(cell_before, cell, out=cell)
        np.multiply(i, g, out=hidden)
        cell += hidden
        if peepholes is not None:
            np.multiply(peepholes[:, 0], cell, out=hidden)
            o += hidden
        squash(o)
        np.tanh(cell, out=tanh_cell)
        np.multiply(o, tanh_cell, out=hidden)

    def derivatives(gates, hidden_before, cell_before, hidden, cell, tanh_cell, d, dh_dc):
        """Without a forget gate: o feeds h, i and g feed c; and c feeds h."""
        o, i, g = (gates[..., k, :, :] for k in range(3))
        dh_do, dc_di, dc_dg = (d[..., k, :, :] for k in range(3))
        np.subtract(1, gates[..., :2, :, :], out=d[..., :2, :, :])
        d[..., :2, :, :] *= gates[..., :2, :, :]
        dh_do *= tanh_cell
        if keep == "coupled":
            np.subtract(g, cell_before, out=dh_dc)
            dc_di *= dh_dc
        else:
            dc_di *= g
        np.multiply(g, g, out=dc_dg)
        np.subtract(1, dc_dg, out=dc_dg)
        dc_dg *= i
        np.multiply(tanh_cell, tanh_cell, out=dh_dc)
        np.subtract(1, dh_dc, out=dh_dc)
        dh_dc *= o

    def backward(d, dh_dc, gates, dhidden, dcell, peepholes=None):
        """Turn d into the gradients of the pre-activations, and carry dcell one step back."""
        dh_dc *= dhidden
        dcell += dh_dc
        d[:, 0] *= dhidden
        if peepholes is not None:
            np.multiply(d[:, 0], peepholes[:, 0], out=dh_dc)
            dcell += dh_dc
        d[:, 1:] *= dcell[:, None]
        if keep == "gate":
            dcell *= gates[:, 2]
        elif keep == "coupled":
            np.multiply(dcell, gates[:, 1], out=dh_dc)
            dcell -= dh_dc
        if peepholes is not None:
            for k in range(1, last):
                np.multiply(d[:, k], peepholes[:, k], out=dh_dc)
                dcell += dh_dc

    return forward, derivatives, backward


def _unit_text(keep: str, peepholes: bool) -> tuple[str, str, str]:
    last = 3 if keep == "gate" else 2
    kept = {"gate": "f", "all": "T(1)", "coupled": "(1 - i)"}[keep]

    def sigmoid(k: int, cell: str) -> str:
        seen = f" + peepholes({k}) * {cell}" if peepholes else ""
        return f"T(0.5) * tanh(gates({k}) + recurrent({k}){seen}) + T(0.5)"

    before, f = "cell_before(0)", keep == "gate"
    forward = [
        f"const T i = {sigmoid(1, before)};",
        f"const T f = {sigmoid(2, before)};" if f else "",
        f"const T g = tanh(gates({last}) + recurrent({last}));",
        f"const T c = {kept} * {before} + i * g;",
        f"const T o = {sigmoid(0, 'c')};",
        f"gates(0) = o; gates(1) = i; gates({last}) = g;",
        "gates(2) = f;" if f else "",
        "cell(0) = c;",
        "tanh_cell(0) = tanh(c);",
        "hidden(0) = o * tanh_cell(0);",
    ]
    fed = f"(g - {before})" if keep == "coupled" else "g"
    derivatives = [
        "const T o = gates(0), i = gates(1), g = gates(2), t = tanh_cell(0);",
        "d(0) = o * (1 - o) * t;",
        f"d(1) = i * (1 - i) * {fed};",
        "d(2) = i * (1 - g * g);",
        "dh_dc(0) = o * (1 - t * t);",
    ]
    kept_back = {"gate": "dc * gates(2)", "all": "dc", "coupled": "dc * (1 - gates(1))"}[keep]
    seen = [f" + d({k}) * peepholes({k})" for k in range(1, last)] if peepholes else []
    backward = [
        "d(0) *= dhidden(0);",
        "const T dc = dcell(0) + dhidden(0) * dh_dc(0)"
        + (" + d(0) * peepholes(0);" if peepholes else ";"),
        *(f"d({k}) *= dc;" for k in range(1, last + 1)),
        f"dcell(0) = {kept_back}{''.join(seen)};",
    ]
    return tuple("\n".join(filter(None, lines)) for lines in (forward, derivatives, backward))


# --- GRU     Cho et al. 2014, doi:10.3115/v1/D14-1179 (eqs. 5-8), in the paper's own form: the --
# --- reset gate is applied to h before the recurrent product, so a step has two products --------


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
    name="GRU", blocks=3, input_blocks=slice(None), recurrent_blocks=slice(1, 3), halved=(1, 2),
    states=("hidden",), kept=0, factors=0, direct=True, gates=GRU_CELL.gates,
    forward=pointwise(gru_before_forward, GRU_BEFORE_FORWARD, gates=3),
    derivatives=pointwise(gru_before_derivatives, GRU_BEFORE_DERIVATIVES, gates=3, d=3),
    backward=pointwise(gru_before_backward, GRU_BEFORE_BACKWARD, gates=3, d=3),
    reset=Reset(
        blocks=slice(0, 1),
        gate=1,
        forward=pointwise(gru_reset_forward, GRU_RESET_FORWARD, gates=3, recurrent=2),
        backward=pointwise(gru_reset_backward, GRU_RESET_BACKWARD, gates=3, d=3),
    ),
)  # fmt: skip
