"""LSTMs on a GPU beside torch's on cuDNN: ``make bench-gpu``.

``python -m benchmarks.gpu [--rounds N] [--json FILE]``. Everything is float32 without TF32,
takes turns on one stream, and is timed by the GPU's own events after a warm-up.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from lstm_lab.backends import BackendUnavailable, CupyBackend
from lstm_lab.cli import INSTALL_TORCH

from .peers import torch_layer
from .recurrent import Call, Case, measure, ours

CASES = [
    Case("LSTM", (100, 32, 32, 64)),
    Case("LSTM", (100, 64, 256, 256)),
    Case("LSTM", (200, 128, 128, 512)),
    Case("LSTM", (64, 32, 512, 1024)),
    Case("LSTM", (100, 64, 256, 256), bidirectional=True),
    Case("LSTM", (100, 64, 256, 256), bidirectional=True, ragged=True),
]
COLUMNS = {
    "cudnn_ms": "cuDNN",
    "tier1_ms": "tier 1",
    "tier2_ms": "tier 2",
    "tier1_ratio": "tier 1/cuDNN",
    "tier2_ratio": "tier 2/cuDNN",
}
FIGURES = Path("test-artifacts/bench-gpu.json")


def missing() -> str | None:
    """What keeps this machine from measuring, in one sentence."""
    try:
        CupyBackend()
    except BackendUnavailable as error:
        return f"the benchmark compares CuPy with cuDNN, and {error}"
    try:
        import torch
    except ImportError:
        return f"the benchmark compares with torch on cuDNN; install it with: {INSTALL_TORCH}"
    if not torch.backends.cudnn.is_available():
        return f"torch {torch.__version__} has no cuDNN for this GPU; install a build for CUDA"
    return None


def machine(xp: Any) -> dict[str, object]:
    """What the figures depend on."""
    import torch

    runtime = xp.cuda.runtime
    properties = runtime.getDeviceProperties(runtime.getDevice())
    return {
        "gpu": properties["name"].decode(),
        "multiprocessors": properties["multiProcessorCount"],
        "driver": runtime.driverGetVersion(),
        "cuda": runtime.runtimeGetVersion(),
        "cupy": xp.__version__,
        "torch": torch.__version__,
        "cudnn": torch.backends.cudnn.version(),
    }


def run(rounds: int) -> list[dict[str, Any]]:
    """A row for each case and pass."""
    import torch

    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    tiers = {f"tier{1 + persistent}": CupyBackend(bool(persistent)) for persistent in range(2)}
    xp = tiers["tier1"].xp

    def device_seconds(call: Call) -> float:
        # CuPy's stream is torch's too: CUDA's default one.
        start, stop = xp.cuda.Event(), xp.cuda.Event()
        start.record()
        call()
        stop.record()
        stop.synchronize()
        return 1e-3 * xp.cuda.get_elapsed_time(start, stop)

    rows = []
    for case in CASES:
        contestants = {name: ours(case, backend) for name, backend in tiers.items()}
        contestants["cudnn"] = torch_layer(case, "cuda")
        for number, passes in enumerate(("forward", "forward + backward")):
            calls = {name: both[number] for name, both in contestants.items()}
            row = {"layer": case.name, "shape": case.shape, "passes": passes}
            rows.append(row | measure(calls, rounds, device_seconds, peer="cudnn"))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--json", type=Path, default=FIGURES, help=f"default: {FIGURES}")
    options = parser.parse_args()
    os.environ["CUPY_TF32"] = "0"
    problem = missing()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    about = machine(CupyBackend().xp)
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    rows = run(options.rounds)
    heading = "".join(f"{column:>14s}" for column in COLUMNS.values())
    for passes in ("forward + backward", "forward"):
        print(f"\n{passes}, float32 without TF32, median ms")
        print(f"{'layer':16s}{'(T, B, D, H)':22s}{heading}")
        for row in rows:
            if row["passes"] == passes:
                cells = [f"{row[column]:14.2f}" for column in COLUMNS]
                print(f"{row['layer']:16s}{row['shape']!s:22s}{''.join(cells)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": about, "recurrent": rows}, indent=1), "utf-8")
    print(f"\nThe figures are in {options.json}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
