"""The film of WallExplorer, and the small trained network that predicts its next frame.

It has seen walls of all widths and places, and digits that the picture does not show. What it reads
of a frame are the pixels that are seen, and for each column whether the wall hides it.
``python -m lstm_lab.explore.wall.film`` trains it again, in a minute or two.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data import load
from ...tasks import drawn

if TYPE_CHECKING:
    from ...layers import Sequential

SHIPPED = Path(__file__).with_suffix(".safetensors")

FRAMES, HEIGHT, WIDTH = 24, 8, 30
INK = slice(1, 7)
"""The columns of an image: the first and the last of the eight are nearly always empty."""
WIDE = INK.stop - INK.start
SPEEDS = (1, 3)
PLACES, WIDEST = (6, 14), 14
"""Where the wall may begin, and how many columns it may have."""
CELLS = 48


@cache
def ten_digits() -> np.ndarray:
    """One image of each digit that the network has not seen, (10, 8, 6)."""
    test = load("digits").test
    return np.stack([test.images[(test.labels == k).argmax()] for k in range(10)])[:, :, INK]


def film(
    images: np.ndarray, begin: np.ndarray, speed: np.ndarray, wall: np.ndarray, width: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Clips, one for each image.

    Parameters
    ----------
    images : numpy.ndarray (N, 8, 6)
    begin, speed, wall, width : numpy.ndarray of int (N,)
        Where the image's left edge is in the first frame, columns a frame, the wall's first
        column, and how many it has.

    Returns
    -------
    x : numpy.ndarray (24, N, 270), float32
        The 8 · 30 pixels, those behind the wall 0, and the 30 columns, 1 where the wall is.
    whole : numpy.ndarray (24, N, 8, 30), float32
        The frames without the wall.
    """
    places = begin + speed * np.arange(FRAMES)[:, None]
    whole = drawn(images, np.minimum(places, WIDTH), WIDTH)
    column = np.arange(WIDTH)
    hidden = (column >= wall[:, None]) & (column < (wall + width)[:, None])
    seen = np.where(hidden[:, None, :], 0, whole).reshape(FRAMES, len(images), -1)
    walls = np.broadcast_to(hidden.astype("float32"), (FRAMES, *hidden.shape))
    return np.concatenate([seen, walls], axis=2), whole


@cache
def shipped() -> Sequential:
    """The network that comes with the book, in float64."""
    from ...interchange import load as load_network
    from ...layers import LSTM, Linear, Sequential

    small, made = load_network(SHIPPED, backend="numpy"), {"backend": "numpy", "dtype": "float64"}
    pixels = HEIGHT * WIDTH
    network = Sequential(
        lstm=LSTM(pixels + WIDTH, CELLS, **made), readout=Linear(CELLS, pixels, **made)
    )
    for name, array in network.params.items():
        array[...] = small.params[name]
    return network


def random_films(count: int, images: np.ndarray, seed: int) -> np.ndarray:
    """What the network reads of clips whose walls, speeds and beginnings are drawn at random."""
    rng = np.random.default_rng(seed)
    wall = rng.integers(PLACES[0], PLACES[1] + 1, size=count)
    x, _ = film(
        images[rng.integers(len(images), size=count)],
        rng.integers(-2, wall - WIDE + 1),
        rng.integers(SPEEDS[0], SPEEDS[1] + 1, size=count),
        wall,
        rng.integers(WIDEST + 1, size=count),
    )
    return x


def train(
    clips: int = 8_000, epochs: int = 14, batch: int = 64, seed: int = 0, progress: bool = False
) -> Sequential:
    """An LSTM with a linear readout that predicts the next frame, of the pixels that are seen."""
    from ...layers import LSTM, Linear, Sequential
    from ...losses import mse
    from ...optim import Adam, cosine
    from ...training import fit

    x = random_films(clips, load("digits").train.images[:, :, INK], seed)
    pixels = HEIGHT * WIDTH
    network = Sequential(
        lstm=LSTM(x.shape[2], CELLS, backend="numpy", seed=seed),
        readout=Linear(CELLS, pixels, backend="numpy", seed=seed + 1),
    )
    fit(
        network,
        x[:-1],
        x[1:, :, :pixels],
        loss=mse,
        optimizer=Adam(cosine(0.01, epochs * -(-clips // batch))),
        epochs=epochs,
        batch_size=batch,
        clip_norm=1.0,
        target_axis=1,
        seed=seed,
        progress=progress,
    )
    return network


def main() -> None:
    """Train the network, and write it to where the book reads it."""
    from ...interchange import save
    from ...training import predict

    network = train(progress=True)
    x = random_films(1000, load("digits").validation.images[:, :, INK], 99)
    error = ((predict(network, x[:-1]) - x[1:, :, : HEIGHT * WIDTH]) ** 2).mean()
    copy = ((x[:-1] - x[1:])[:, :, : HEIGHT * WIDTH] ** 2).mean()
    save(network, SHIPPED, {"task": "the next frame", "command": f"python -m {__spec__.name}"})
    print(f"mean squared error {error:.5f}, of the frame before {copy:.5f}; written to {SHIPPED}")


if __name__ == "__main__":
    main()
