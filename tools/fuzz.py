"""Thousands of odd arrays, lengths and models against ``fit`` and its like: ``make fuzz``.

The properties stand in ``tests/test_fuzz.py``; here they run for longer, from another seed each
time. A failure prints the smallest example that hypothesis finds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the properties; what the run returns is what pytest returns."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument(
        "--examples", type=int, default=1000, help="of each property; about 500 a minute and core"
    )
    examples = parser.parse_args(arguments).examples
    if examples < 1:
        parser.error(f"--examples must be at least 1, not {examples}")
    command = [sys.executable, "-m", "pytest", "tests/test_fuzz.py", "-q", "-n", "auto"]
    environment = os.environ | {"LSTM_LAB_FUZZ": str(examples)}
    return subprocess.run(command, check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
