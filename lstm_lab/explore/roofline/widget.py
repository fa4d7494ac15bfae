"""What a machine allows to one step of an LSTM: arithmetic, memory, and the call itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.base import Explorable, control, flag
from ..core.bundle import module
from ..core.lstm import FLOPS_PER_UNIT

HERE = Path(__file__).parent

BYTES_PER_UNIT = 4 * 13
"""Four pre-activations, h and c read; four gates, h, c and tanh c written; float32."""


class RooflineExplorer(Explorable):
    """One LSTM step under the roofline of a machine (Williams et al. 2009).

    The horizontal axis is the step's arithmetic intensity, floating-point operations for each
    byte that is moved; the roof is what the machine can do at that intensity. D = H, float32.

    Parameters
    ----------
    hidden : int
        Hidden units H, 1 to 8192.
    batch : int
        Sequences B, 1 to 4096.
    length : int
        Steps T, 1 to 10,000: over all of them W x is one product.
    peak : float
        What the machine can compute at most, in GFLOP/s.
    bandwidth : float
        What it can move to and from memory at most, in GB/s.
    overhead : float
        What each step costs besides, in µs: calls, launches, waiting for each other.
    resident : bool
        The weights U stay on the chip from step to step and need not be read again (Diamos et
        al. 2016).

    Raises
    ------
    traitlets.TraitError
        A value out of its range.
    """

    title = "One LSTM step under the roofline"
    levels = ("", "step")

    _esm = module(HERE / "widget.js")

    hidden = control(128, 1, 8192, 1, whole=True)
    batch = control(32, 1, 4096, 1, whole=True)
    length = control(100, 1, 10_000, 1, whole=True)
    peak = control(100.0, 1, 100_000)
    bandwidth = control(15.0, 1, 10_000)
    overhead = control(5.0, 0, 50)
    resident = flag(False)

    def values(self) -> dict[str, Any]:
        """The numbers of one step.

        Returns
        -------
        dict
            ``flops``, ``weights`` and ``states`` (bytes), ``intensity`` and ``input_intensity``
            (FLOP/byte), ``ridge`` (the intensity from which on the peak can be reached),
            ``compute``, ``memory`` and ``step`` (µs), ``rate`` (GFLOP/s), ``share`` (of the
            peak), ``sequence`` (ms).
        """
        h, b, t = self.hidden, self.batch, self.length
        flops = 8 * h * h * b + FLOPS_PER_UNIT * h * b
        weights = 0 if self.resident else 16 * h * h
        states = BYTES_PER_UNIT * h * b
        compute = flops / self.peak / 1e3
        memory = (weights + states) / self.bandwidth / 1e3
        step = max(compute, memory) + self.overhead
        # W x of all steps is one product: the weights are read once for T · B columns.
        input_flops, input_bytes = 8 * h * h * b * t, 16 * h * h + 20 * h * b * t
        whole = max(input_flops / self.peak, input_bytes / self.bandwidth) / 1e3
        return {
            "flops": flops,
            "weights": weights,
            "states": states,
            "intensity": flops / (weights + states),
            "input_intensity": input_flops / input_bytes,
            "ridge": self.peak / self.bandwidth,
            "compute": compute,
            "memory": memory,
            "step": step,
            "rate": flops / step / 1e3,
            "share": flops / step / 1e3 / self.peak,
            "sequence": (t * step + whole) / 1e3,
        }
