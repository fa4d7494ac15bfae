"""An image that crosses a wall: what is seen, what a network predicts, and its cells meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from ..core.base import Explorable, control, flag, floats
from ..core.bundle import module, styles
from .film import (
    BIASES,
    CELLS,
    FRAMES,
    HIDDEN,
    MATRICES,
    PIXELS,
    SPEEDS,
    WALL,
    WIDE,
    WIDTH,
    film,
    packed,
    shipped,
    ten_digits,
)

HERE = Path(__file__).parent
WIDEST = 15


class WallExplorer(Explorable):
    """A digit passes behind a wall, and a small trained LSTM predicts every next frame.

    The wall's place and width, the digit and its speed are the reader's. The network has seen none
    of these digits, and no wall but the one that the picture begins with. Below the frames are its
    cell states over time, and the error of three predictions: with its memory, with the memory
    erased in the first frame in which nothing of the digit is seen, and the frame before.

    Parameters
    ----------
    digit : int
        0 to 9.
    speed : int
        Columns a frame, 2 or 3.
    wall : int
        Columns before the wall, 6 to 12.
    width : int
        Columns that the wall hides, 0 to 15.
    erased : bool
        Draw the prediction and the cells with the memory erased.
    frame : int
        The frame that is shown, 1 to 16.
    cell : int
        The cell whose curve is drawn, 1 to 128.

    Raises
    ------
    traitlets.TraitError
        A value out of its range.
    """

    title = "A digit behind a wall"
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    digit = control(3, 0, 9, 1, whole=True)
    speed = control(2, *SPEEDS, 1, whole=True)
    wall = control(WALL, 6, 12, 1, whole=True)
    width = control(HIDDEN, 0, WIDEST, 1, whole=True)
    erased = flag(False)
    frame = control(9, 1, FRAMES, 1, whole=True, view=True)
    cell = control(119, 1, CELLS, 1, whole=True, view=True)

    _images = traitlets.Bytes(b"").tag(sync=True)
    _matrices = traitlets.Bytes(b"").tag(sync=True)
    _rest = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, **settings: Any):
        arrays = packed()
        rest = [arrays[name] for name in (*(f"{m}.scale" for m in MATRICES), *BIASES)]
        super().__init__(
            **settings,
            _images=floats(ten_digits()),
            _matrices=b"".join(arrays[name].tobytes() for name in MATRICES),
            _rest=floats(np.concatenate(rest)),
        )

    def places(self) -> np.ndarray:
        """The column of the digit's left edge in every frame, (T,)."""
        return self.speed * np.arange(FRAMES)

    def hidden(self) -> np.ndarray:
        """Whether nothing of the digit is seen, for the wall hides all of it; (T,)."""
        return (self.places() >= self.wall) & (self.places() + WIDE <= self.wall + self.width)

    def values(self) -> dict[str, Any]:
        """The picture's numbers, by the library's own LSTM in float64.

        Returns
        -------
        dict
            ``prediction`` (16, 240), of each frame from those before it (of the first there is
            none: 0), and ``cell`` (16, 128), as they are drawn; ``kept``, ``gone`` and ``copy``
            (16,), 1000 times the mean squared error with the memory, with the memory erased and
            of the frame before, where what the wall covers counts as right; ``out``, the first
            frame after the wall, from 1, or 0.
        """
        seen = film(self.digit, self.speed, self.wall, self.width).astype("float64")
        x = seen[:, None]
        network, hidden = shipped(), self.hidden()
        lstm, readout = network.layers.values()
        cut = int(hidden.argmax()) if hidden.any() else FRAMES
        y, trace = lstm.forward(x)
        kept = np.concatenate([np.zeros((1, 1, PIXELS)), readout.forward(y)[0][:-1]])[:, 0]
        prediction, cell = kept, trace.cell[:, 0]
        gone = kept.copy()
        if cut < FRAMES:
            y, after = lstm.forward(x[cut:])
            gone[cut + 1 :] = readout.forward(y)[0][:-1, 0]
            if self.erased:
                prediction, cell = gone, np.concatenate([cell[:cut], after.cell[:, 0]])
        before = np.concatenate([np.zeros_like(seen[:1]), seen[:-1]])
        after_wall = np.flatnonzero(
            (self.places() + WIDE > self.wall + self.width) & (np.arange(FRAMES) > cut)
        )

        column = np.arange(PIXELS) % WIDTH
        open_ = (column < self.wall) | (column >= self.wall + self.width)

        def error(found: np.ndarray) -> np.ndarray:
            return 1000 * ((found - seen) ** 2 * open_).mean(axis=1)

        return {
            "prediction": prediction,
            "cell": cell,
            "kept": error(kept),
            "gone": error(gone),
            "copy": error(before),
            "out": int(after_wall[0]) + 1 if len(after_wall) else 0,
        }

    def describe(self) -> str:
        """The explorable in words: what a page shows where nothing can be drawn."""
        values = self.values()
        if not values["out"]:
            return f"{self.title}. {self.setting}"
        kept, gone, copy = (values[name][values["out"] - 1] for name in ("kept", "gone", "copy"))
        return (
            f"{self.title}. {self.setting}: out of the wall in frame {values['out']}, where 1000 "
            f"times the squared error is {kept:.1f}, {gone:.1f} with the memory erased, and "
            f"{copy:.1f} of the frame before"
        )
