"""`LSTM` and `BiLSTM`, with their options."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation import checked_bool, checked_choice, checked_number, checked_size
from ..backends import Backend
from ..cells import LSTM_CELL, LSTM_CELLS, Cell
from . import initial
from .recurrent import INITIALISATIONS, Recurrent


class LSTM(Recurrent):
    """Long short-term memory.

    For each step t, with σ the logistic sigmoid and ⊙ the elementwise product::

        i_t = σ(W_i x_t + U_i h_{t-1} + b_i)        input gate
        f_t = σ(W_f x_t + U_f h_{t-1} + b_f)        forget gate
        o_t = σ(W_o x_t + U_o h_{t-1} + b_o)        output gate
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)     candidate (input modulation gate)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t             cell state
        h_t = o_t ⊙ tanh(c_t)                       hidden state

    Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, with the forget gate of Gers,
    Schmidhuber & Cummins 2000, doi:10.1162/089976600300015015.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    num_layers : int
        Layers stacked on each other.
    bidirectional : bool
        Whether a second set of weights reads each sequence from its end.
    dropout : float
        Probability with which an input of any layer but the first is dropped in training.
    recurrent_dropout : float
        Probability with which a unit of the hidden state is dropped in training wherever it is
        multiplied by U: h_{t-1} becomes z ⊙ h_{t-1}, and the mask z, drawn for each sequence,
        layer and direction, is the same at every step (the z_h of Gal & Ghahramani 2016,
        arXiv:1512.05287). As with ``dropout``, what is kept is divided by one minus the rate.
    init : {"uniform", "orthogonal", "chrono"}
        Uniform in ±1/√H; the same with orthogonal blocks in U; or uniform with the gate biases of
        Tallec & Ollivier 2018 for memories up to ``chrono_length`` steps.
    forget_bias : float
        First value of every forget-gate bias, unless ``init="chrono"``. A cell without a forget
        gate has none.
    chrono_length : int
        The longest dependency that "chrono" prepares for.
    peepholes : bool
        Whether the gates see the cell state too: p ⊙ c, one weight a unit and gate (Gers &
        Schmidhuber 2000, doi:10.1109/IJCNN.2000.861302).
    forget_gate : bool
        False is the cell of 1997: c_t = c_{t-1} + i_t ⊙ g_t.
    coupled : bool
        CIFG: the forget gate is 1 - i_t (Greff et al. 2017, doi:10.1109/TNNLS.2016.2582924).
    proj_size : int
        P. Above 0 the hidden state is a projection to P < H features, as in torch:
        h_t = V (o_t ⊙ tanh(c_t)), and U is (4H, P) (Sak, Senior & Beaufays 2014,
        doi:10.21437/Interspeech.2014-80).
    layer_norm : bool
        Layer normalisation inside the cell (Ba, Kiros & Hinton 2016, arXiv:1607.06450, eqs. 20-22
        of the supplement)::

            (i, f, o, g) = LN(W x_t) ⊙ α_x + LN(U h_{t-1}) ⊙ α_h + b
            h_t = o_t ⊙ tanh(LN(c_t) ⊙ α_c + β_c)

        with the other lines as above. LN(z) = (z - mean(z)) / √(var(z) + 1e-5), mean and variance
        over all features of one step of one sequence: for W x and U h over the gates together, as
        the equations have it. The equations' shifts of LN(W x) and LN(U h) only add to b, and are
        one with it.
    truncated : bool
        Train as in 1997: ``backward`` lets nothing pass from the gates to h_{t-1}. That is not
        the loss's gradient, and `gradcheck` says so.
    backend : {"numpy", "numba", "cupy"} or None
        None: the environment variable ``LSTM_LAB_BACKEND``, else NumPy.
    dtype : {"float32", "float64"}
    seed : int, numpy.random.Generator or None
        The same seed is the same network on every backend.

    Attributes
    ----------
    params : dict of str to array
        For each layer k, and with the suffix ``_reverse`` for the reverse direction:
        ``weight_x_l{k}`` (4H, D), ``weight_h_l{k}`` (4H, H), ``bias_l{k}`` (4H,), in blocks of H
        rows in the order o, i, f, g. One bias: `interchange.to_torch` makes two of it. Without a
        forget gate of its own a cell has three blocks, o, i, g. ``peephole_l{k}``, where there
        is one, holds H weights for each gate in the same order; ``projection_l{k}``, V, is (P, H);
        the gains α_x, α_h and α_c are ``gain_x_l{k}`` (4H,), ``gain_h_l{k}`` (4H,) and
        ``gain_c_l{k}`` (H,), and β_c is ``bias_c_l{k}`` (H,).

    Examples
    --------
    >>> import numpy as np
    >>> lstm = LSTM(input_size=3, hidden_size=16, seed=0)
    >>> x = np.ones((5, 2, 3), dtype="float32")          # T=5 steps, B=2 sequences, D=3
    >>> y, trace = lstm.forward(x)
    >>> y.shape, trace.forget_gate.shape
    ((5, 2, 16), (5, 2, 16))
    >>> lstm.backward(y, trace).params["weight_h_l0"].shape
    (64, 16)
    """

    cell: Cell = LSTM_CELL

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
        forget_bias: float = 1.0,
        chrono_length: int = 100,
        peepholes: bool = False,
        forget_gate: bool = True,
        coupled: bool = False,
        proj_size: int = 0,
        layer_norm: bool = False,
        truncated: bool = False,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        self.peepholes = checked_bool(peepholes, "peepholes")
        self.forget_gate = checked_bool(forget_gate, "forget_gate")
        self.coupled = checked_bool(coupled, "coupled")
        self.truncated = checked_bool(truncated, "truncated")
        self.layer_norm = checked_bool(layer_norm, "layer_norm")
        if self.coupled and not self.forget_gate:
            raise ValueError("coupled=True is a forget gate of 1 - i; it needs forget_gate=True")
        hidden_size = checked_size(hidden_size, "hidden_size")
        self.proj_size = _checked_projection(proj_size, hidden_size)
        self.cell = self.cell_of(
            {
                "peepholes": self.peepholes,
                "forget_gate": self.forget_gate,
                "coupled": self.coupled,
            }
        )
        self.forget_bias = checked_number(forget_bias, "forget_bias")
        self.chrono_length = checked_size(chrono_length, "chrono_length")
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
        return {
            **super().config,
            "forget_bias": self.forget_bias,
            "chrono_length": self.chrono_length,
            "peepholes": self.peepholes,
            "forget_gate": self.forget_gate,
            "coupled": self.coupled,
            "proj_size": self.proj_size,
            "layer_norm": self.layer_norm,
            "truncated": self.truncated,
        }

    @classmethod
    def cell_of(cls, config: dict[str, Any]) -> Cell:
        keep = "gate" if config.get("forget_gate", True) else "all"
        keep = "coupled" if config.get("coupled") else keep
        return LSTM_CELLS[keep, bool(config.get("peepholes"))]

    def _initialisations(self) -> tuple[str, ...]:
        return (*INITIALISATIONS, "chrono") if self.forget_gate else INITIALISATIONS

    def _draw(
        self, rng: np.random.Generator, shapes: dict[str, tuple[int, ...]]
    ) -> dict[str, np.ndarray]:
        values = super()._draw(rng, shapes)
        gate = {
            name: values["bias"][k * self.hidden_size : (k + 1) * self.hidden_size]
            for name, k in self.cell.gates.items()
        }
        if self.init == "chrono":
            kept = initial.chrono(rng, self.hidden_size, self.chrono_length)
            gate["input_gate"][:] = -kept
            if "forget_gate" in gate:
                gate["forget_gate"][:] = kept
        elif "forget_gate" in gate:
            gate["forget_gate"][:] = self.forget_bias
        return values


def _checked_projection(size: Any, hidden_size: int) -> int:
    spelt = f"a whole number below hidden_size = {hidden_size}, or 0 for no projection"
    return checked_choice(size, "proj_size", range(hidden_size), spelt=spelt)


class BiLSTM(LSTM):
    """An `LSTM` in both directions: ``LSTM(..., bidirectional=True)``.

    Output t is the forward network's h_t, which has read x_0 … x_t, beside the reverse network's,
    which has read each sequence's own end … x_t. Schuster & Paliwal 1997, doi:10.1109/78.650093;
    Graves & Schmidhuber 2005, doi:10.1016/j.neunet.2005.06.042.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any):
        options.setdefault("bidirectional", True)
        if not checked_bool(options["bidirectional"], "bidirectional"):
            raise ValueError("a BiLSTM reads in both directions; use LSTM for one")
        super().__init__(input_size, hidden_size, num_layers, **options)
