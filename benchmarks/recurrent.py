"""Recurrent layers, our CPU backends beside their peers, taking turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_lab import GRU, LSTM, RNN
from lstm_lab.backends import Backend, BackendUnavailable

from . import peers

ROUNDS = 15
WARM_UP = 2
BACKENDS = ("numpy", "numba")
KINDS = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}


@dataclass(frozen=True)
class Case:
    """One layer and one batch; a ragged batch has lengths uniform in T/10 to T."""

    kind: str
    shape: tuple[int, int, int, int]  # T, B, D, H
    bidirectional: bool = False
    ragged: bool = False

    @property
    def name(self) -> str:
        return "Bi" * self.bidirectional + self.kind + ", ragged" * self.ragged

    @property
    def lengths(self) -> np.ndarray | None:
        steps, batch = self.shape[:2]
        if not self.ragged:
            return None
        return np.random.default_rng(1).integers(steps // 10, steps + 1, batch)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """The input, and a gradient of the output."""
        steps, batch, inputs, hidden = self.shape
        rng = np.random.default_rng(0)
        x = rng.normal(size=(steps, batch, inputs))
        dy = rng.normal(size=(steps, batch, hidden * (1 + self.bidirectional)))
        return x.astype("float32"), dy.astype("float32")

    def layer(self, backend: str) -> Any:
        """Our layer of this kind."""
        inputs, hidden = self.shape[2:]
        options = {"bidirectional": self.bidirectional, "backend": backend, "seed": 0}
        return KINDS[self.kind](inputs, hidden, **options)


CASES = [
    Case("LSTM", (100, 32, 32, 64)),
    Case("LSTM", (64, 32, 128, 128)),
    Case("LSTM", (100, 64, 128, 256)),
    Case("LSTM", (35, 20, 200, 200)),
    Case("LSTM", (200, 128, 128, 128)),
    Case("LSTM", (128, 1, 64, 64)),
    Case("LSTM", (100, 1, 8, 32)),
    Case("LSTM", (100, 32, 32, 64), bidirectional=True),
    Case("LSTM", (64, 32, 128, 128), bidirectional=True),
    Case("LSTM", (100, 32, 32, 64), bidirectional=True, ragged=True),
    Case("GRU", (64, 32, 128, 128)),
    Case("RNN", (64, 32, 128, 128)),
]

Call = Callable[[], Any]


def run(rounds: int, threads: int, only: str = "") -> list[dict[str, Any]]:
    """A row for each case and pass: medians in ms, and medians of the rounds' ratios to torch.

    What a peer would fill is missing where the peer is. ``only`` is part of a case's name and
    shape, as they are printed.
    """
    rows = []
    for case in CASES:
        if only not in f"{case.name} {case.shape}":
            continue
        contestants = {name: ours(case, name) for name in BACKENDS}
        contestants["torch"] = peers.torch_layer(case)
        contestants["jax"] = peers.jax_scan(case)
        contestants["onnxruntime"] = peers.onnxruntime_session(case, threads)
        for number, passes in enumerate(("forward", "forward + backward")):
            calls = {name: both[number] for name, both in contestants.items() if both}
            calls = {name: call for name, call in calls.items() if call}
            row = {"layer": case.name, "shape": case.shape, "passes": passes, "threads": threads}
            rows.append(row | measure(calls, rounds))
    return rows


def host_seconds(call: Call) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(
    calls: dict[str, Call],
    rounds: int,
    seconds_of: Callable[[Call], float] = host_seconds,
    peer: str = "torch",
) -> dict[str, float]:
    """Medians in ms of calls that take turns, and of the rounds' ratios to the peer's."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(WARM_UP + rounds):
        for name, call in calls.items():
            took = seconds_of(call)
            if number >= WARM_UP:
                seconds[name].append(took)
    row = {f"{name}_ms": 1e3 * statistics.median(times) for name, times in seconds.items()}
    theirs = seconds.pop(peer, None)
    for name, times in seconds.items() if theirs else ():
        row[f"{name}_ratio"] = statistics.median(a / b for a, b in zip(times, theirs, strict=True))
    return row


def ours(case: Case, backend: str | Backend) -> tuple[Call, Call] | None:
    """Forward, and forward + backward; None where the backend is not available."""
    try:
        layer = case.layer(backend)
    except BackendUnavailable:
        return None
    x, dy = map(layer.backend.asarray, case.arrays())
    lengths = case.lengths

    def forward() -> Any:
        return layer.forward(x, lengths=lengths)

    return forward, lambda: layer.backward(dy, forward()[1])
