"""What an import takes over what it stands on: ``lstm_lab`` over NumPy, ``lstm_lab.notebook`` over
matplotlib.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

#: What is imported, what has been imported before, and at most so many seconds.
IMPORTS = [("lstm_lab", "numpy", 0.15), ("lstm_lab.notebook", "matplotlib.pyplot", 0.1)]
PROGRAM = """
import time
import {before}
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def run(repeats: int = 9) -> dict[str, dict[str, float]]:
    """Seconds: the fastest and the median of `repeats` fresh interpreters, and the limit."""
    found = {}
    for module, before, limit in IMPORTS:
        command = [sys.executable, "-c", PROGRAM.format(module=module, before=before)]
        answers = [subprocess.run(command, capture_output=True, check=True) for _ in range(repeats)]
        seconds = [float(answer.stdout) for answer in answers]
        found[f"import {module} over {before}"] = {
            "min_s": min(seconds),
            "median_s": statistics.median(seconds),
            "limit_s": limit,
        }
    return found


def main() -> int:
    """Print the measurements; 1 where a limit is not kept."""
    results = run()
    for name, result in results.items():
        print(f"{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in result.items()))
    return int(any(result["median_s"] > result["limit_s"] for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
