"""`GRU`, with the reset gate after or before the recurrent product."""

from __future__ import annotations

from typing import Any

from .._validation import checked_bool
from ..backends import Backend
from ..cells import GRU_BEFORE_CELL, GRU_CELL, Cell
from .recurrent import Recurrent


class GRU(Recurrent):
    """Gated recurrent unit.

    For each step t::

        r_t = σ(W_r x_t + U_r h_{t-1} + b_r)               reset gate
        z_t = σ(W_z x_t + U_z h_{t-1} + b_z)               update gate
        n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1} + b_q))   candidate
        h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

    That is the form of torch and cuDNN, whose recurrent products are a single one. In the form of
    the paper, Cho et al. 2014, doi:10.3115/v1/D14-1179, eqs. 5-8, the reset gate comes first::

        n_t = tanh(W_n x_t + U_n (r_t ⊙ h_{t-1}) + b_n)    with reset_after=False

    Methods, and parameters but for these, are those of `LSTM`; the state is a single array.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bidirectional, dropout, recurrent_dropout
        As in `LSTM`.
    init : {"uniform", "orthogonal"}
    reset_after : bool
        Whether the reset gate acts after the product with U_n, or before it. (The name is
        Keras'; ONNX calls it ``linear_before_reset``.)
    backend, dtype, seed
        As in `LSTM`.

    Attributes
    ----------
    params : dict of str to array
        ``weight_x_l{k}`` (3H, D) in blocks n, r, z; ``weight_h_l{k}`` (3H, H) in blocks r, z, n;
        ``bias_l{k}`` (4H,) in blocks n, r, z, q, where q is the bias inside the reset product,
        or (3H,) with the reset gate before it.
    """

    cell: Cell = GRU_CELL

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        init: str = "uniform",
        reset_after: bool = True,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        self.reset_after = checked_bool(reset_after, "reset_after")
        self.cell = self.cell_of({"reset_after": self.reset_after})
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            init=init,
            backend=backend,
            dtype=dtype,
            seed=seed,
        )

    @property
    def config(self) -> dict[str, Any]:
        return {**super().config, "reset_after": self.reset_after}

    @classmethod
    def cell_of(cls, config: dict[str, Any]) -> Cell:
        return GRU_CELL if config.get("reset_after", True) else GRU_BEFORE_CELL
