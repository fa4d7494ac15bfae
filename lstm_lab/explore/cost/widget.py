"""What a sequence costs: memory for the trace, and time, against its length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from ..._validation import plain_array
from ..core.base import Explorable, control, floats
from ..core.bundle import module
from ..core.lstm import FLOPS_PER_UNIT

HERE = Path(__file__).parent

BYTES = 4
"""Of a float32."""

FORWARD_FLOPS = FLOPS_PER_UNIT + 4
"""For one unit and step beside the products: `cells.lstm_forward`, and four biases."""

BACKWARD_FLOPS = 15 + 7 + 1 + 4
"""`cells.lstm_derivatives`, `cells.lstm_backward`, the gradient of the output, four biases."""


class CostExplorer(Explorable):
    """Memory and time of one LSTM layer, against the length of the sequence. float32.

    Parameters
    ----------
    measured : sequence of (T, B, H, D, forward, both), optional
        Times of the reader's own machine in seconds: ``forward`` with a trace, and ``both`` with
        ``backward`` too. Dots where B, H and D are those of the setting.
    length : int
        Steps T, 1 to 10,000.
    batch : int
        Sequences B, 1 to 1024.
    hidden, inputs : int
        Units H and numbers of an input D, 1 to 2048.
    rate : float
        What the machine computes, in GFLOP/s.
    overhead : float
        What each step costs besides, in µs, in the forward pass and again in the backward pass.

    Raises
    ------
    traitlets.TraitError
        A value out of its range.
    ValueError
        Measurements that are not rows of six positive numbers.
    """

    title = "What a sequence costs"

    _esm = module(HERE / "widget.js")

    length = control(100, 1, 10_000, 1, whole=True)
    batch = control(32, 1, 1024, 1, whole=True)
    hidden = control(128, 1, 2048, 1, whole=True)
    inputs = control(64, 1, 2048, 1, whole=True)
    rate = control(50.0, 1, 10_000)
    overhead = control(5.0, 0, 500)

    _measured = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, measured: Sequence[Sequence[float]] | None = None, **settings: Any):
        rows = np.zeros((0, 6))
        if measured is not None:
            rows = plain_array(measured, "measured", "float64")
        if rows.ndim != 2 or rows.shape[1] != 6 or not (np.isfinite(rows) & (rows > 0)).all():
            raise ValueError(
                "measured: expected rows of six positive numbers (T, B, H, D, forward, both), "
                f"got {measured!r}"
            )
        super().__init__(
            **settings,
            _arguments=[] if measured is None else ["measured"],
            _measured=floats(rows),
        )

    def values(self) -> dict[str, float]:
        """The numbers at the length that is chosen.

        Returns
        -------
        dict
            ``weights``, ``trace``, ``state`` (all that stays with ``trace=False``) and ``ends``
            (input and output), in bytes; ``forward_flops``, ``backward_flops``; ``forward`` and
            ``both``, in ms.
        """
        t, b, h, d = self.length, self.batch, self.hidden, self.inputs
        forward_flops = t * b * h * (8 * (d + h) + FORWARD_FLOPS)
        backward_flops = t * b * h * (16 * (d + h) + BACKWARD_FLOPS)
        return {
            "weights": BYTES * 4 * h * (d + h + 1),
            "trace": BYTES * (7 * t + 2) * b * h,
            "state": BYTES * 2 * b * h,
            "ends": BYTES * t * b * (d + h),
            "forward_flops": forward_flops,
            "backward_flops": backward_flops,
            "forward": forward_flops / self.rate / 1e6 + t * self.overhead / 1e3,
            "both": (forward_flops + backward_flops) / self.rate / 1e6
            + 2 * t * self.overhead / 1e3,
        }
