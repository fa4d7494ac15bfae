"""Small trained networks that come with the pictures, and the training that makes them again.

``python -m lstm_lab.explore.surgery.nets`` writes ``nets.json`` anew, in about half a minute.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...layers import Sequential

FILE = Path(__file__).with_name("nets.json")

#: What each of them has learnt: units, and the updates that it took.
NETS = {"latch": (3, 1500), "counter": (3, 2500), "toggler": (4, 2500)}
STEPS, BATCH = 40, 32


def pulses(kind: str, steps: int, batch: int, rng: np.random.Generator) -> np.ndarray:
    """Inputs (steps, batch) of 0 and 1, for the latch -1 too, with pulses at random."""
    x = (rng.random((steps, batch)) < rng.uniform(0.03, 0.25, batch)).astype("float64")
    return x * rng.choice([-1.0, 1.0], x.shape) if kind == "latch" else x


def answer(kind: str, x: np.ndarray) -> np.ndarray:
    """What the network is to say at each step, like x (T, ...).

    The latch: 1 from a pulse of 1 on, 0 from one of -1 on. The counter: a tenth for each pulse.
    The toggler: 1 after an odd number of pulses.
    """
    count = np.cumsum(x > 0.5, axis=0)
    if kind == "counter":
        return count / 10
    if kind == "toggler":
        return (count % 2).astype("float64")
    at = np.arange(len(x)).reshape(-1, *[1] * (x.ndim - 1))
    last = np.maximum.accumulate(np.where(x != 0, at, -1), axis=0)
    return (np.take_along_axis(x, np.maximum(last, 0), 0) > 0.5).astype("float64")


def network(hidden: int, seed: int) -> Sequential:
    """An LSTM of one input and a linear readout, in float64."""
    from ...layers import LSTM, Linear, Sequential

    at = {"backend": "numpy", "dtype": "float64"}
    lstm = LSTM(1, hidden, init="chrono", chrono_length=STEPS, seed=seed, **at)
    return Sequential(lstm=lstm, head=Linear(hidden, 1, seed=seed + 1, **at))


def trained(kind: str, seed: int = 0) -> tuple[Sequential, float]:
    """One of `NETS`, trained anew, and its mean squared error on the last batches."""
    from ...losses import mse
    from ...optim import Adam, clip_by_norm, cosine

    hidden, updates = NETS[kind]
    rng, model = np.random.default_rng(seed), network(hidden, seed)
    optimizer, values = Adam(cosine(0.03, updates, 0.001)), []
    for _ in range(updates):
        x = pulses(kind, STEPS, BATCH, rng)
        prediction, trace = model.forward(x[:, :, None])
        value, gradient = mse(prediction, answer(kind, x)[:, :, None])
        grads = model.backward(gradient, trace).params
        clip_by_norm(grads, 1.0)
        optimizer.update(model.params, grads)
        values.append(value)
    return model, float(np.mean(values[-50:]))


@cache
def stored() -> dict[str, dict[str, Any]]:
    """The networks of ``nets.json``: of each, the arrays by their names."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def stored_network(kind: str) -> dict[str, np.ndarray]:
    """The arrays of a stored network, in float64.

    ``weight_x`` (4H, 1), ``weight_h`` (4H, H), ``bias`` (4H,), ``weight`` (1, H) and
    ``bias_out`` (1,).
    """
    return {name: np.array(values) for name, values in stored()[kind]["arrays"].items()}


def main() -> None:
    """Train all of them and write the file."""
    nets = {}
    for kind in NETS:
        model, error = trained(kind)
        p = model.params
        arrays = {
            "weight_x": p["lstm.weight_x_l0"],
            "weight_h": p["lstm.weight_h_l0"],
            "bias": p["lstm.bias_l0"],
            "weight": p["head.weight"],
            "bias_out": p["head.bias"],
        }
        rounded = {name: np.round(array, 4).tolist() for name, array in arrays.items()}
        nets[kind] = {"mean_squared_error": float(f"{error:.2g}"), "arrays": rounded}
        print(f"{kind}: mean squared error {error:.2g}")
    FILE.write_text(json.dumps(nets, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
