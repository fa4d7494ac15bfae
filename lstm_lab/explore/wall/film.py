"""The film of WallExplorer, and the trained network that predicts its next frame.

It has learnt one wall, at columns 9 to 19, and two speeds, from digits that the picture does not
show. ``python -m lstm_lab.explore.wall.film`` trains it again, in about 20 seconds of the
processor, and writes its weights as whole numbers of a byte, with a scale for each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import load
from ...tasks import Clips, behind_a_wall, drawn

if TYPE_CHECKING:
    from ...layers import Sequential

FILE = Path(__file__).with_suffix(".safetensors")

FRAMES, HEIGHT, WIDTH = 16, 8, 30
PIXELS = HEIGHT * WIDTH
INK = slice(1, 7)
"""The columns of an image: the first and the last of the eight are nearly always empty."""
WIDE = INK.stop - INK.start
SPEEDS = (2, 3)
WALL, HIDDEN = 9, 11
"""The first column of the wall that the network has learnt, and how many it has."""
CELLS = 128
MATRICES = ("lstm.weight_x_l0", "lstm.weight_h_l0", "readout.weight")
BIASES = ("lstm.bias_l0", "readout.bias")


@cache
def ten_digits() -> np.ndarray:
    """One image of each digit that the network has not seen, (10, 8, 6)."""
    test = load("digits").test
    return np.stack([test.images[(test.labels == k).argmax()] for k in range(10)])[:, :, INK]


def film(digit: int, speed: int, wall: int, width: int) -> np.ndarray:
    """What is seen of a digit, (16, 240): it starts at column 0, and the wall's columns are 0."""
    places = np.minimum(speed * np.arange(FRAMES), WIDTH)[:, None]
    frames = drawn(ten_digits()[[digit]], places, WIDTH)[:, 0]
    frames[..., wall : wall + width] = 0
    return frames.reshape(FRAMES, PIXELS)


def clips(part: Any, count: int, seed: int) -> Clips:
    """Clips of a part of the digits, as the network learns from them."""
    return behind_a_wall(part.images[:, :, INK], count, seed, steps=FRAMES, speeds=SPEEDS)


def network(dtype: str = "float32") -> Sequential:
    """An LSTM with a linear readout, untrained."""
    from ...layers import LSTM, Linear, Sequential

    made = {"backend": "numpy", "dtype": dtype}
    return Sequential(
        lstm=LSTM(PIXELS, CELLS, seed=0, **made), readout=Linear(CELLS, PIXELS, seed=1, **made)
    )


@cache
def packed() -> dict[str, np.ndarray]:
    """What the file holds: of each matrix whole numbers and the scale of each row; the biases."""
    from safetensors.numpy import load_file

    return load_file(FILE)


@cache
def shipped() -> Sequential:
    """The network that comes with the book, in float64."""
    made, arrays = network("float64"), packed()
    for name in MATRICES:
        made.params[name][...] = arrays[name] * arrays[f"{name}.scale"].astype("float64")[:, None]
    for name in BIASES:
        made.params[name][...] = arrays[name]
    return made


def pack(params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A network's parameters as the file holds them."""
    arrays = {name: params[name].astype("float32") for name in BIASES}
    for name in MATRICES:
        scale = abs(params[name]).max(axis=1) / 127
        arrays[name] = np.round(params[name] / scale[:, None]).astype("int8")
        arrays[f"{name}.scale"] = scale.astype("float32")
    return arrays


def train(count: int = 3000, epochs: int = 14, batch: int = 32) -> Sequential:
    """The network after its training on the next frame."""
    from ...losses import mse
    from ...optim import Adam, cosine
    from ...training import fit

    made, frames = network(), clips(load("digits").train, count, 0).frames
    fit(
        made,
        frames[:-1],
        frames[1:],
        loss=mse,
        optimizer=Adam(cosine(0.008, epochs * -(-count // batch))),
        epochs=epochs,
        batch_size=batch,
        clip_norm=1.0,
        target_axis=1,
        seed=0,
    )
    return made


def error(held: Clips) -> float:
    """Of the shipped network: 1000 · mean squared error of the first frame out."""
    predicted = shipped().forward(held.frames[:-1].astype("float64"))[0]
    every = np.arange(len(held))
    return 1000 * float(
        ((predicted[held.out - 1, every] - held.frames[held.out, every]) ** 2).mean()
    )


def main() -> None:
    """Train the network, and write it to where the book reads it."""
    from safetensors.numpy import save_file

    save_file(pack(train().params), FILE, {"command": f"python -m {__spec__.name}"})
    held = error(clips(load("digits").validation, 1000, 1))
    print(f"error of the first frame out, times 1000: {held:.2f}; written to {FILE}")


if __name__ == "__main__":
    main()
