"""Are the numbers right whichever kernels compute them? The numeric tests under other processors'.

``python -m tools.kernels`` runs them in a process of their own for each set of kernels that this
processor can run: OpenBLAS's for Intel's and AMD's cores of several years, on one thread and on
two, then NumPy's own loops, torch's and numba's code without the newer instructions. It ends with
a table. A run whose kernels turn out not to be the ones asked for fails before its first test.

What follows ``--`` goes to pytest: ``python -m tools.kernels --only nehalem -- -x -k torch``.
`make test` leaves all of this alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ASKED = "LSTM_LAB_KERNELS"
NUMERIC = [
    "tests/backends", "tests/cells", "tests/interchange", "tests/layers", "tests/losses",
    "tests/text", "tests/explore", "tests/benchmarks", "tests/data", "tests/metrics",
    "tests/test_evidence.py", "tests/test_fuzz.py", "tests/test_gradcheck.py",
    "tests/test_objective.py", "tests/test_optim.py", "tests/test_tasks.py",
    "tests/test_tolerance.py", "tests/test_training.py",
]  # fmt: skip
NOT_NUMERIC = [  # these start programs, compile, or read texts
    "tests/backends/test_book_on_device.py", "tests/backends/test_nvrtc.py",
    "tests/interchange/test_onnx_errors.py",
]  # fmt: skip
NEITHER = ["tests/backends/test_persistent.py::test_a_missing_barrier_is_noticed"]
NOTEBOOKS = ["book", "labs/solved"]
NEEDS = {"Haswell": "AVX2", "SandyBridge": "AVX", "Nehalem": "SSE42", "SkylakeX": "AVX512F"}
"""OpenBLAS's name of a core, and the instructions, in NumPy's names, that its kernels use."""


@dataclass(frozen=True)
class Kernels:
    """What a run computes with: the variables that ask for it, and what must then be found."""

    name: str
    variables: dict[str, str]
    expected: dict[str, object] = field(default_factory=dict)
    lacking: str = ""


def has(instructions: str) -> bool:
    """Whether this processor has them."""
    from numpy._core._multiarray_umath import __cpu_features__

    return bool(__cpu_features__.get(instructions))


def every() -> list[Kernels]:
    """All sets of kernels; those that cannot run here say what is lacking."""
    from numpy._core._multiarray_umath import __cpu_dispatch__

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = []
    for core, instructions in NEEDS.items():
        for threads in (1, 2):
            lacking = ""
            if not has(instructions):
                lacking = f"this processor has no {instructions}"
            elif threads > cores:
                lacking = f"this machine has {cores} core"
            found.append(
                Kernels(
                    f"OpenBLAS {core}, {threads} thread{'s' * (threads > 1)}",
                    {"OPENBLAS_CORETYPE": core, "OPENBLAS_NUM_THREADS": str(threads)},
                    {"core": core.lower(), "threads": threads},
                    lacking,
                )
            )
    dispatched = [name for name in __cpu_dispatch__ if has(name)]
    for name, off in {
        "NumPy without AVX-512": [n for n in dispatched if n == "X86_V4" or "AVX512" in n],
        "NumPy, torch and numba without AVX": dispatched,
    }.items():
        variables: dict[str, str] = {"NPY_DISABLE_CPU_FEATURES": " ".join(off)}
        expected: dict[str, object] = {"off": off}
        if off == dispatched:
            variables |= {"ATEN_CPU_CAPABILITY": "default", "NUMBA_CPU_NAME": "x86-64"}
            expected |= {"torch": "DEFAULT", "numba": "x86-64"}
        lacking = "" if off else "this processor has nothing of that to leave out"
        found.append(Kernels(name, variables, expected, lacking))
    return found


def differences(expected: dict[str, object]) -> list[str]:
    """What this process computes with that was not asked for, in words. None: all is as asked."""
    import numpy as np
    from threadpoolctl import threadpool_info

    if find_spec("scipy"):
        import scipy.linalg  # noqa: F401  # numba's products are those of SciPy's own OpenBLAS

    np.ones((9, 9)) @ np.ones((9, 9))
    libraries = [each for each in threadpool_info() if each["internal_api"] == "openblas"]
    found = []
    if not libraries and {"core", "threads"} & expected.keys():
        found.append("there is no OpenBLAS in this process")
    for library in libraries:
        where = Path(library["filepath"]).name
        core, threads = library["architecture"].lower(), library["num_threads"]
        if core != expected.get("core", core):
            found.append(f"{where} computes with the kernels for {core}")
        if threads != expected.get("threads", threads):
            found.append(f"{where} has {threads} thread(s)")
    found += [f"NumPy still uses {name}" for name in expected.get("off", ()) if has(name)]
    if "torch" in expected and find_spec("torch"):
        import torch

        if (now := torch.backends.cpu.get_cpu_capability()) != expected["torch"]:
            found.append(f"torch computes with {now}")
    if "numba" in expected and find_spec("numba"):
        from numba.core import config

        if config.CPU_NAME != expected["numba"]:
            found.append(f"numba compiles for {config.CPU_NAME or 'this processor'}")
    return found


def pytest_configure(config: pytest.Config) -> None:
    """In each run's process, and in each of its workers: no test before the kernels are right."""
    if ASKED in os.environ and (found := differences(json.loads(os.environ[ASKED]))):
        raise pytest.UsageError(f"other kernels are in use than asked for: {'; '.join(found)}")


def run(kernels: Kernels, arguments: list[str]) -> tuple[int, str]:
    """pytest's exit status under those kernels, and its last line."""
    environment = {**os.environ, **kernels.variables, ASKED: json.dumps(kernels.expected)}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "tools.kernels", "-q", "-r", "fE", *arguments]
    last = ""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    return process.returncode, last


def main(arguments: list[str]) -> int:
    """0 if all runs passed that this processor can do, of which there must be one."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    given, rest = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser("python -m tools.kernels", description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="the runs whose names have these words in them")
    parser.add_argument("--notebooks", action="store_true", help="the book and its labs as well")
    chosen = parser.parse_args(given)
    what = ["-m", "not browser", *NUMERIC, *(f"--ignore={name}" for name in NOT_NUMERIC)]
    what += [f"--deselect={name}" for name in NEITHER]
    what += NOTEBOOKS if chosen.notebooks else []
    table, worst, done = [], 0, 0
    for kernels in every():
        if chosen.only.lower() not in kernels.name.lower():
            continue
        if kernels.lacking:
            table.append((kernels.name, "not run", kernels.lacking))
            continue
        print(f"\n=== {kernels.name}", flush=True)
        start = time.perf_counter()
        status, last = run(kernels, [*what, *rest])
        if status < 0:
            last = f"ended by signal {-status}"
        table.append((kernels.name, "passed" if status == 0 else "FAILED", last))
        print(f"    {time.perf_counter() - start:.0f} s", flush=True)
        worst, done = max(worst, abs(status)), done + 1
    print()
    for name, outcome, words in table:
        print(f"{name:36}{outcome:9}{words}")
    if not done:
        print("Nothing was run, and so nothing was compared.")
    return worst or not done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
