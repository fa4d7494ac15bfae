"""``python -m tests.benchmarks [--rounds N] [--threads N] [--json FILE]``"""

from __future__ import annotations

import argparse
import json
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from threadpoolctl import threadpool_info, threadpool_limits

from . import import_time, recurrent


def machine(threads: int) -> dict[str, object]:
    """What the figures depend on."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    numpy_blas = next((pool for pool in blas if "numpy" in pool["filepath"]), *blas[:1])
    versions = {"python": platform.python_version()}
    for name in ("numpy", "numba", "torch"):
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    with suppress(ImportError):
        import torch

        torch.set_num_threads(threads)
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
    columns = {
        "numpy_ms": "numpy",
        "numba_ms": "numba",
        "torch_ms": "torch",
        "numpy_ratio": "numpy/torch",
        "numba_ratio": "numba/torch",
    }
    for passes in ("forward + backward", "forward"):
        heading = "".join(f"{column:>13s}" for column in columns.values())
        print(f"\n{passes}, float32, median ms\n{'layer':16s}{'(T, B, D, H)':22s}{heading}")
        for row in rows:
            if row["passes"] == passes:
                cells = [f"{row[c]:13.2f}" if c in row else f"{'-':>13s}" for c in columns]
                print(f"{row['layer']:16s}{row['shape']!s:22s}{''.join(cells)}")
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
