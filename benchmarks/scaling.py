"""How the time of forward + backward grows with the steps T and the batch B: as T^a and B^b."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from .recurrent import Case, ours

# From where a call's own cost no longer counts; D and H are those of the second shape.
AXES = {
    "T": [Case("LSTM", (steps, 32, 128, 128)) for steps in (32, 64, 128, 256, 512)],
    "B": [Case("LSTM", (64, batch, 128, 128)) for batch in (16, 32, 64, 128, 256)],
}


def run(rounds: int, backend: str = "numpy") -> dict[str, Any]:
    """For each axis its sizes, medians in ms and the exponent of the line through their logs."""
    figures: dict[str, Any] = {}
    for number, (axis, cases) in enumerate(AXES.items()):
        calls = [ours(case, backend)[1] for case in cases]
        seconds: list[list[float]] = [[] for _ in cases]
        for turn in range(rounds + 1):
            for call, times in zip(calls, seconds, strict=True):
                start = time.perf_counter()
                call()
                if turn:
                    times.append(time.perf_counter() - start)
        sizes = [case.shape[number] for case in cases]
        ms = [1e3 * statistics.median(times) for times in seconds]
        exponent = float(np.polyfit(np.log(sizes), np.log(ms), 1)[0])
        figures[axis] = {"sizes": sizes, "ms": ms, "exponent": exponent}
    return figures


def plot(figures: dict[str, Any], path: Path) -> None:
    """Both axes on logarithmic scales, beside a line of slope 1; a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    for axes, (name, line) in zip(figure.subplots(1, 2), figures.items(), strict=True):
        sizes, ms = np.array(line["sizes"]), line["ms"]
        axes.loglog(sizes, ms, "o-", label=f"measured, {name}^{line['exponent']:.2f}")
        axes.loglog(sizes, ms[0] * sizes / sizes[0], "k--", lw=1, label=f"linear in {name}")
        axes.set_xticks(sizes, labels=map(str, sizes))
        axes.minorticks_off()
        axes.set(xlabel=name, ylabel="forward + backward, ms")
        axes.legend()
    figure.savefig(path, dpi=120)
