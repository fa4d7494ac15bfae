"""``python -m tests.benchmarks [--rounds N] [--threads N] [--json FILE]``"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from . import import_time, recurrent


def machine(threads: int) -> dict[str, object]:
    """What the figures depend on."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    numpy_blas = next((pool for pool in blas if "numpy" in pool["filepath"]), *blas[:1])
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    try:
        import torch

        versions["torch"] = torch.__version__
        torch.set_num_threads(threads)
    except ImportError:
        pass
    return {
        "threads": threads,
        "blas": f"{numpy_blas['internal_api']} {numpy_blas['version']}",
        "blas_core": numpy_blas.get("architecture", "unknown"),
        "processor": platform.processor() or platform.machine(),
        **versions,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=recurrent.ROUNDS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    about = machine(options.threads)
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    with threadpool_limits(options.threads):
        rows = recurrent.run(options.rounds)
    print("\nforward + backward, float32, median ms")
    print(f"{'layer':8s}{'(T, B, D, H)':22s}{'ours':>9s}{'torch':>9s}{'ours/torch':>12s}")
    for row in rows:
        theirs = f"{row['torch_ms']:9.2f}{row['ratio']:12.2f}" if "ratio" in row else ""
        print(f"{row['layer']:8s}{row['shape']!s:22s}{row['ours_ms']:9.2f}{theirs}")
    imports = import_time.run()
    print(
        f"\nimport lstm_lab, over import numpy: {imports['median_s']:.3f} s "
        f"(limit {imports['limit_s']} s)"
    )
    if options.json:
        figures = {"machine": about, "recurrent": rows, "import": imports}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
