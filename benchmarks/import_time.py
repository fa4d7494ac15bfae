"""What ``import lstm_lab`` takes over ``import numpy``; the limit is 0.15 s."""

from __future__ import annotations

import statistics
import subprocess
import sys

LIMIT = 0.15
PROGRAM = """
import time
import numpy
start = time.perf_counter()
import lstm_lab
print(time.perf_counter() - start)
"""


def run(repeats: int = 9) -> dict[str, float]:
    """Seconds: the fastest and the median of `repeats` fresh interpreters, and the limit."""
    command = [sys.executable, "-c", PROGRAM]
    answers = [subprocess.run(command, capture_output=True, check=True) for _ in range(repeats)]
    seconds = [float(answer.stdout) for answer in answers]
    return {"min_s": min(seconds), "median_s": statistics.median(seconds), "limit_s": LIMIT}


def main() -> int:
    """Print the measurement; 1 where the limit is not kept."""
    result = run()
    print("import lstm_lab over numpy: " + ", ".join(f"{k} {v:.3f}" for k, v in result.items()))
    return int(result["median_s"] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
