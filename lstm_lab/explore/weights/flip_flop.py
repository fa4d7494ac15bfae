"""A memory of two bits in two units: the small trained network that WeightExplorer begins with.

``python -m lstm_lab.explore.weights.flip_flop`` makes it again, in seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...layers import Sequential

SHIPPED = Path(__file__).with_suffix(".safetensors")
CHANNELS = 2


def flip_flop(
    steps: int, batch: int, rng: np.random.Generator, pulses: float = 0.12
) -> tuple[np.ndarray, np.ndarray]:
    """Pulses of +1 and -1 on each channel, and what is to be remembered: the last pulse of each.

    The task of Sussillo & Barak 2013 (doi:10.1162/NECO_a_00409), with fewer channels.

    Parameters
    ----------
    steps, batch : int
        T and B.
    rng : numpy.random.Generator
    pulses : float
        How likely a pulse is in a channel at a step.

    Returns
    -------
    x, target : numpy.ndarray (T, B, 2)
        The target is 0 until a channel's first pulse.
    """
    shape = (steps, batch, CHANNELS)
    x = (rng.random(shape) < pulses) * rng.choice([-1.0, 1.0], shape)
    target = np.zeros(shape)
    last = np.zeros(shape[1:])
    for t in range(steps):
        last = np.where(x[t] != 0, x[t], last)
        target[t] = last
    return x, target


def train(seed: int = 5, epochs: int = 150) -> Sequential:
    """An LSTM of two units with a linear readout, taught the task."""
    from ...layers import LSTM, Linear, Sequential
    from ...losses import mse
    from ...optim import Adam, cosine
    from ...training import fit

    x, target = flip_flop(50, 512, np.random.default_rng(seed))
    network = Sequential(
        lstm=LSTM(CHANNELS, 2, backend="numpy", seed=seed),
        readout=Linear(2, CHANNELS, backend="numpy", seed=seed + 1),
    )
    fit(
        network,
        x,
        target,
        loss=mse,
        optimizer=Adam(cosine(0.02, epochs * 16)),
        epochs=epochs,
        clip_norm=1.0,
        target_axis=1,
        seed=seed,
        progress=False,
    )
    return network


def main() -> None:
    """Train the network, and write it to where the book reads it."""
    from ...interchange import save
    from ...losses import mse

    network = train()
    x, target = flip_flop(200, 200, np.random.default_rng(99))
    loss, _ = mse(network.forward(x.astype("float32"))[0], target.astype("float32"))
    save(network, SHIPPED, {"task": "two-bit flip-flop", "command": f"python -m {__spec__.name}"})
    print(f"mean squared error over sequences of 200 steps: {loss:.4f}; written to {SHIPPED}")


if __name__ == "__main__":
    main()
