"""The same small networks in torch and here: what the parity tests and the golden file share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from .. import tolerance

KINDS = ("LSTM", "GRU", "RNN")
STEPS, BATCH, INPUT, HIDDEN = 6, 4, 3, 5
LENGTHS = (4, 6, 1, 6)


@dataclass(frozen=True)
class Case:
    """One configuration. Its numbers follow from its name alone."""

    kind: str
    num_layers: int
    bidirectional: bool
    ragged: bool
    initial_state: bool

    @property
    def name(self) -> str:
        return "-".join(
            [
                self.kind,
                f"{self.num_layers}layers",
                "both" if self.bidirectional else "forward",
                "ragged" if self.ragged else "full",
                "state" if self.initial_state else "zero",
            ]
        )

    @property
    def lengths(self):
        return list(LENGTHS) if self.ragged else None

    @property
    def roundings(self) -> int:
        """In a row, in float32: see `tests.tolerance`."""
        directions = 2 if self.bidirectional else 1
        return tolerance.of_steps(STEPS, BATCH, INPUT, HIDDEN, self.num_layers, directions)

    def arrays(self) -> dict[str, np.ndarray]:
        """Input, gradients of the output and of the final state, initial state."""
        rng = np.random.default_rng(list(self.name.encode()))
        directions = 2 if self.bidirectional else 1
        state = (self.num_layers * directions, BATCH, HIDDEN)
        out = {
            "x": rng.normal(size=(STEPS, BATCH, INPUT)),
            "dy": rng.normal(size=(STEPS, BATCH, HIDDEN * directions)),
        }
        for name in ("h0", "c0", "dh", "dc"):
            out[name] = rng.normal(size=state)
        return out

    def weights(self) -> dict[str, np.ndarray]:
        """Parameters in torch's layout, both biases in use."""
        rng = np.random.default_rng(list(self.name.encode()) + [1])
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[self.kind]
        directions = 2 if self.bidirectional else 1
        out = {}
        for layer in range(self.num_layers):
            width = INPUT if layer == 0 else HIDDEN * directions
            for suffix in (f"_l{layer}", f"_l{layer}_reverse")[:directions]:
                out["weight_ih" + suffix] = rng.normal(size=(gates * HIDDEN, width)) / 2
                out["weight_hh" + suffix] = rng.normal(size=(gates * HIDDEN, HIDDEN)) / 2
                out["bias_ih" + suffix] = rng.normal(size=gates * HIDDEN) / 2
                out["bias_hh" + suffix] = rng.normal(size=gates * HIDDEN) / 2
        return out


CASES = [
    Case(*values)
    for values in itertools.product(KINDS, (1, 2), (False, True), (False, True), (False, True))
]


def run_torch(case: Case, dtype: str = "float64") -> dict[str, np.ndarray]:
    """Outputs and gradients by torch, PackedSequence where the batch is ragged."""
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    kind, arrays = getattr(torch, dtype), case.arrays()
    module = getattr(torch.nn, case.kind)(
        INPUT, HIDDEN, case.num_layers, bidirectional=case.bidirectional, dtype=kind
    )
    module.load_state_dict(
        {name: torch.tensor(value, dtype=kind) for name, value in case.weights().items()}
    )
    t = {name: torch.tensor(value, dtype=kind) for name, value in arrays.items()}
    x, h0, c0 = (t[name].requires_grad_() for name in ("x", "h0", "c0"))
    state = (h0, c0) if case.kind == "LSTM" else h0
    inputs = x
    if case.ragged:
        inputs = pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False)
    y, final = module(inputs, state) if case.initial_state else module(inputs)
    if case.ragged:
        y, _ = pad_packed_sequence(y, total_length=STEPS)
    final = final if case.kind == "LSTM" else (final,)
    loss = (y * t["dy"]).sum()
    for value, weight in zip(final, (t["dh"], t["dc"]), strict=False):
        loss = loss + (value * weight).sum()
    loss.backward()
    out = {"y": y, "h": final[0], "dx": x.grad}
    if case.kind == "LSTM":
        out["c"] = final[1]
    if case.initial_state:
        out["dh0"] = h0.grad
        if case.kind == "LSTM":
            out["dc0"] = c0.grad
    out.update({"grad." + name: value.grad for name, value in module.named_parameters()})
    return {name: value.detach().numpy() for name, value in out.items()}


def run_ours(case: Case, backend, dtype: str = "float64") -> dict[str, np.ndarray]:
    """The same by this library, under the same names."""
    from lstm_lab import interchange

    weights = {name: value.astype(dtype) for name, value in case.weights().items()}
    layer = interchange.from_torch(weights, backend=backend)
    arrays = {name: backend.asarray(value, dtype=dtype) for name, value in case.arrays().items()}

    def packed(first, second):
        return (arrays[first], arrays[second]) if case.kind == "LSTM" else arrays[first]

    state = packed("h0", "c0") if case.initial_state else None
    y, trace = layer.forward(arrays["x"], state, case.lengths)
    grad = layer.backward(arrays["dy"], trace, packed("dh", "dc"))
    out = {"y": y, "dx": grad.x}
    if case.kind == "LSTM":
        out["h"], out["c"] = trace.state
        first, second = grad.state
        if case.initial_state:
            out["dh0"], out["dc0"] = first, second
    else:
        out["h"] = trace.state
        if case.initial_state:
            out["dh0"] = grad.state
    host = {name: backend.to_numpy(value) for name, value in out.items()}
    gradients = interchange.to_torch(layer, values=grad.params)
    return host | {"grad." + name: value for name, value in gradients.items()}
