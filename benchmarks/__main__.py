"""``make bench``: our recurrent layers beside their peers, and how their time grows.

Everything is measured once for each number of threads, each in a process of its own. The figures
go to a JSON file, and a plot of the growth lies beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info, threadpool_limits

from . import import_time, recurrent, scaling, steps

COLUMNS = {
    "numpy_ms": "numpy",
    "numba_ms": "numba",
    "torch_ms": "torch",
    "jax_ms": "jax scan",
    "onnxruntime_ms": "onnxruntime",
    "numpy_ratio": "numpy/torch",
    "numba_ratio": "numba/torch",
}


def machine() -> dict[str, object]:
    """What the figures depend on."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    numpy_blas = next((pool for pool in blas if "numpy" in pool["filepath"]), *blas[:1])
    versions = {"python": platform.python_version()}
    for name in ("numpy", "numba", "torch", "jax", "onnxruntime"):
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    load = {"load": round(os.getloadavg()[0], 1)} if hasattr(os, "getloadavg") else {}
    return {
        "cores": os.cpu_count(),
        **load,
        "blas": f"{numpy_blas['internal_api']} {numpy_blas['version']}",
        "blas_core": numpy_blas.get("architecture", "unknown"),
        "processor": platform.processor() or platform.machine(),
        **versions,
    }


def measure(threads: int, rounds: int, only: str) -> dict[str, Any]:
    """Everything on so many threads, printed as well."""
    # jax reads these once, when it is imported.
    os.environ["NPROC"] = str(threads)
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    with suppress(ImportError):
        import torch

        torch.set_num_threads(threads)
    with suppress(ImportError):
        import scipy.linalg.cython_blas  # noqa: F401  numba's BLAS: loaded before it is limited
    print(f"\nthreads {threads}, " + ", ".join(f"{k} {v}" for k, v in machine().items()))
    with threadpool_limits(threads):
        rows = recurrent.run(rounds, threads, only)
        rows += [row | {"threads": threads} for row in steps.run(rounds, only)]
        growth = {} if only else scaling.run(rounds // 3)
    for passes in dict.fromkeys(row["passes"] for row in reversed(rows)):
        columns = {c: title for c, title in COLUMNS.items() if any(c in row for row in rows)}
        heading = "".join(f"{title:>13s}" for title in columns.values())
        print(f"\n{passes}, float32, median ms\n{'layer, model':16s}{'(T, B, D, H)':22s}{heading}")
        for row in rows:
            if row["passes"] == passes:
                cells = [f"{row[c]:13.2f}" if c in row else f"{'-':>13s}" for c in columns]
                print(f"{row['layer']:16s}{row['shape']!s:22s}{''.join(cells)}")
    for axis, line in growth.items():
        points = ", ".join(
            f"{size}: {ms:.1f}" for size, ms in zip(line["sizes"], line["ms"], strict=True)
        )
        print(f"\ngrowth with {axis}: {axis}^{line['exponent']:.2f} (ms at {points})", end="")
    print(flush=True)
    return {"machine": machine(), "threads": threads, "recurrent": rows, "growth": growth}


def main() -> None:
    everything = sorted({1, 2, os.cpu_count() or 1})
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=recurrent.ROUNDS)
    parser.add_argument("--threads", type=int, nargs="+", default=everything)
    parser.add_argument("--rows", default="", help='for example "BiLSTM" or "(128, 1"')
    default = Path("test-artifacts", "bench.json")
    parser.add_argument("--json", type=Path, default=default, help="default: %(default)s")
    options = parser.parse_args()
    options.json.parent.mkdir(parents=True, exist_ok=True)
    if len(options.threads) == 1:
        runs = [measure(options.threads[0], options.rounds, options.rows)]
    else:
        runs = []
        with tempfile.TemporaryDirectory() as folder:
            for threads in options.threads:
                figures = Path(folder, f"{threads}.json")
                command = [sys.executable, "-m", "benchmarks", "--threads", str(threads)]
                command += ["--rounds", str(options.rounds), "--rows", options.rows]
                subprocess.run([*command, "--json", str(figures)], check=True)
                runs += json.loads(figures.read_text(encoding="utf-8"))["runs"]
        print()
        for name, result in import_time.run().items():
            print(f"{name}: {result['median_s']:.3f} s")
    options.json.write_text(json.dumps({"runs": runs}, indent=1), encoding="utf-8")
    if runs[0]["growth"]:
        scaling.plot(runs[0]["growth"], options.json.with_suffix(".png"))
    print(f"written: {options.json}")


if __name__ == "__main__":
    main()
