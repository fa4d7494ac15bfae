"""Variants of the LSTM, side by side on the same input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from ..core.base import Explorable, choice, control, floats
from ..core.bundle import module, styles
from ..core.signals import input_signal
from ..core.user_layer import LONGEST, WORK, checked_unit

if TYPE_CHECKING:
    from ...layers.recurrent import Recurrent

HERE = Path(__file__).parent

PRESETS = (
    "noise", "impulse", "two pulses", "step", "spikes", "set and reset", "square", "sine",
)  # fmt: skip

#: What lies in each variant: its gates, its candidate, its memory, its output.
INSIDE = {
    "rnn": "h",
    "cell1997": "iogch",
    "lstm": "ifogch",
    "peepholes": "ifogch",
    "cifg": "iogch",
    "gru": "zrnh",
}

GATES = {"input_gate": "i", "forget_gate": "f", "output_gate": "o", "candidate": "g"}
GRU_GATES = {"update_gate": "z", "reset_gate": "r", "candidate": "n"}

#: Differences below this share of the memory are rounding errors.
NOTHING = 1e-9


class FamilyExplorer(Explorable):
    """The same input through a plain RNN, the cell of 1997, LSTM, peepholes, CIFG and GRU.

    Each variant is a single unit. Drawn are its memory, its output and its gates over time; told
    is what is left of the first input at the end.

    Parameters
    ----------
    layer : LSTM, GRU or RNN, optional
        A layer of the reader's that takes one number a step: one more panel shows a unit of its
        first layer, forward direction, as it is, on the same input.
    layer_unit : int, default 1
        Which unit of ``layer``, from 1.
    preset : {"noise", "impulse", "two pulses", "step", "spikes", "set and reset", "square", "sine"}
        The input.
    length : int
        Steps T, 2 to 500.
    period : int
        Steps from one to the next of the square wave, the sine and the spikes, 2 to 100.
    b_f : float
        Bias of what keeps: the forget gate; of the one gate i = 1 - f of a CIFG it is -b_f, and it
        is the bias of a GRU's update gate.
    b_i : float
        Bias of the input gate, where there is one of its own.
    b_o : float
        Bias of the output gate, and of the GRU's reset gate in its place: either decides how much
        of the memory the candidate sees.
    b_g : float
        Bias of the candidate, and of the plain RNN. All biases are from -20 to 20.
    w : float
        Weight of the input in the candidate, -5 to 5.
    w_i : float
        Weight of the input in the gate that writes, -20 to 20.
    u : float
        Weight of the old output in every sum, -3 to 3.
    p : float
        Peephole weight of all three gates, -3 to 3.
    step : int
        The step that is read, counted from 1; past the end, the last one is read.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a layer that cannot be shown, and why.

    Notes
    -----
    A GRU with the reset gate before the product, ``GRU(reset_after=False)``, is no panel of its
    own: with a single unit both forms are the same.

    Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; Gers, Schmidhuber & Cummins
    2000, doi:10.1162/089976600300015015; peepholes: Gers & Schmidhuber 2000,
    doi:10.1109/IJCNN.2000.861302; CIFG: Greff et al. 2017, doi:10.1109/TNNLS.2016.2582924; GRU:
    Cho et al. 2014, doi:10.3115/v1/D14-1179.
    """

    title = "The family on one input"
    renamed: ClassVar = {"unit": ("layer_unit", 1)}
    levels = ("", *(p for k, inside in INSIDE.items() for p in (k, *(f"{k}/{q}" for q in inside))))
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    preset = choice(PRESETS)
    length = control(300, 2, LONGEST, 1, whole=True)
    period = control(20, 2, 100, 1, whole=True)
    b_f = control(2.0, -20, 20)
    b_i = control(0.0, -20, 20)
    b_o = control(1.0, -20, 20)
    u = control(0.2, -3, 3)
    p = control(0.5, -3, 3)
    w = control(2.0, -5, 5)
    w_i = control(0.0, -20, 20)
    b_g = control(0.0, -20, 20)
    step = control(100, 1, LONGEST, 1, whole=True, view=True)

    _shape = traitlets.Dict().tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, layer: Recurrent | None = None, *, layer_unit: int = 1, **settings: Any):
        settings = self.current(settings)
        unit = self.argument(settings, "layer_unit", layer_unit, 1)
        self._layer, self._unit = None, 0
        given: dict[str, Any] = {}
        traits: dict[str, Any] = {}
        if layer is not None:
            self._layer = _checked(layer)
            unit = checked_unit(unit, layer.hidden_size)
            self._unit = unit - 1
            given = {"layer": None} | ({"layer_unit": unit} if unit != 1 else {})
            traits = {
                "_shape": {**_kind(layer), "H": layer.hidden_size, "unit": self._unit},
                "_net": b"".join(map(floats, self._layer.params.values())),
            }
        else:
            checked_unit(unit, None)
        super().__init__(**settings, _arguments=given, **traits)

    def options(self, name: str) -> Sequence[str]:
        own = ("own",) if name == "path" and self._layer is not None else ()
        return (*super().options(name), *own)

    def variants(self) -> dict[str, Recurrent]:
        """The units that are shown, as layers of the library in float64, by name."""
        from ...layers import GRU, LSTM, RNN

        # Of each gate: the weights of the input and of the old output, and the bias.
        rows = {
            "i": (self.w_i, self.u, self.b_i),
            "f": (0.0, self.u, self.b_f),
            "o": (0.0, self.u, self.b_o),
            "g": (self.w, self.u, self.b_g),
        }
        coupled = rows | {"i": (self.w_i, self.u, -self.b_f)}
        gated = {
            "z": (-self.w_i, -self.u, self.b_f),
            "r": rows["o"],
            "n": rows["g"],
        }
        w, u, b = rows["g"]
        plain = {"weight_x_l0": [[w]], "weight_h_l0": [[u]], "bias_l0": [b]}
        where = {"input_size": 1, "hidden_size": 1, "dtype": "float64", "backend": "numpy"}
        units = {
            "rnn": RNN.from_params(plain, **where),
            "cell1997": _unit(LSTM, rows, forget_gate=False),
            "lstm": _unit(LSTM, rows),
            "peepholes": _unit(LSTM, rows, peepholes=True),
            "cifg": _unit(LSTM, coupled, coupled=True),
            "gru": _unit(GRU, gated),
        }
        for name in ("output_gate", "input_gate", "forget_gate"):
            units["peepholes"].gate(name).peephole = self.p
        return units if self._layer is None else units | {"own": self._layer}

    def values(self) -> dict[str, Any]:
        """The numbers of every variant, by the library's own layers in float64.

        Returns
        -------
        dict
            ``x`` (T,); for each of ``rnn, cell1997, lstm, peepholes, cifg, gru`` (and ``own``),
            under its name and an underscore, (T,) each: ``h``, and where there is one ``c``, its
            gates and its candidate (``i, f, o, g`` or ``z, r, n``); ``left`` and ``half``, as
            `kept` gives them.
        """
        x = input_signal(self.preset, self.length, self.period)
        first = int(np.flatnonzero(x)[0])
        both = np.stack([x, x], axis=1)[:, :, None]
        both[first, 1] = 0
        found: dict[str, Any] = {"x": x}
        for name, layer in self.variants().items():
            trace, unit = layer.forward(both)[1], self._unit if name == "own" else 0
            memory = (trace.cell if "cell" in layer.cell.states else trace.hidden)[:, :, unit]
            lines = {"h": trace.hidden} | ({"c": trace.cell} if "cell" in layer.cell.states else {})
            letters = GRU_GATES if layer.cell.name == "GRU" else GATES
            lines |= {letters[gate]: getattr(trace, gate) for gate in layer.cell.gates}
            found |= {f"{name}_{q}": line[:, 0, unit] for q, line in lines.items()}
            left, half = kept(memory[:, 0], memory[:, 1], first)
            found |= {f"{name}_left": left, f"{name}_half": half}
        return found

    def describe(self) -> str:
        values = self.values()
        last = {name: values.get(f"{name}_c", values[f"{name}_h"])[-1] for name in self.variants()}
        told = ", ".join(f"{name} {memory:.4g}" for name, memory in last.items())
        return f"{self.title}. {self.setting}: memory at the end: {told}"


def kept(memory: np.ndarray, without: np.ndarray, first: int) -> tuple[float, int]:
    """What is left of an input, from the memory with it and the memory without it, both (T,).

    Parameters
    ----------
    first : int
        The step of the input, from 0.

    Returns
    -------
    left : float
        The difference at the end, as a share of the largest.
    half : int
        After how many steps it is below half of the largest for good; T if never.
        Both 0 where nothing got in.
    """
    gap = np.abs(memory - without)
    largest = gap.max()
    if largest < NOTHING * max(1.0, np.abs(memory).max()):
        return 0.0, 0
    last = int(np.flatnonzero(gap > largest / 2 * (1 + 1e-9))[-1])
    return float(gap[-1] / largest), len(gap) if last == len(gap) - 1 else last + 1 - first


def _unit(
    kind: type[Recurrent], rows: dict[str, tuple[float, float, float]], **options: Any
) -> Recurrent:
    """A single unit, from what W, U and b have for each gate's letter."""
    layer = kind(1, 1, dtype="float64", backend="numpy", **options)
    letters = GRU_GATES if layer.cell.name == "GRU" else GATES
    for name in layer.cell.gates:
        gate, numbers = layer.gate(name), rows[letters[name]]
        gate.weight_x, gate.weight_h, gate.bias = numbers
        if gate.bias_h is not None:
            gate.bias_h = 0
    return layer


def _kind(layer: Recurrent) -> dict[str, Any]:
    """How the browser computes a layer: the keys of ``VARIANTS`` in variants.js."""
    if layer.cell.name == "LSTM":
        keep = "coupled" if layer.coupled else "gate" if layer.forget_gate else "all"
        return {"type": "LSTM", "keep": keep, "peepholes": layer.peepholes}
    if layer.cell.name == "GRU":
        return {"type": "GRU", "after": layer.reset_after}
    return {"type": "RNN"}


def _checked(layer: Any) -> Recurrent:
    """The first layer's forward direction alone, its numbers rounded to float32, in float64."""
    from ...layers import GRU, LSTM, RNN

    # A BiLSTM is an LSTM, but cannot read in one direction only.
    kind = next((kind for kind in (LSTM, GRU, RNN) if isinstance(layer, kind)), None)
    if kind is None:
        raise TypeError(f"layer: expected an LSTM, a GRU or an RNN, got {type(layer).__name__}")
    if layer.input_size != 1:
        raise ValueError(f"layer: expected one that takes 1 number a step, got {layer.input_size}")
    if layer.proj_size or layer.layer_norm:
        raise ValueError(f"layer: expected no projection and no normalisation, got {layer!r}")
    hidden = layer.hidden_size
    # With the first input, and without it.
    if (work := 2 * LONGEST * layer.cell.blocks * hidden * (1 + hidden)) > WORK:
        raise ValueError(
            f"layer: {hidden} units over {LONGEST} steps, twice, take {work:,} multiplications; "
            f"expected at most {WORK:,}, so that the picture follows the hand"
        )
    alone = {"num_layers": 1, "bidirectional": False, "backend": "numpy", "dtype": "float64"}
    config = layer.config | alone
    params = {}
    for name in kind.param_shapes(config):
        numbers = layer.backend.to_numpy(layer.params[name])
        if not np.isfinite(numbers).all():
            raise ValueError(f"layer: {name} holds NaN or infinity")
        params[name] = numbers.astype("float32")
    return kind.from_params(params, **config)
