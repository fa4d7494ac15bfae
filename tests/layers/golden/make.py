"""Make the golden file again, with torch: ``python -m tests.layers.golden.make``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.layers.torch_cases import CASES, run_torch

FILE = Path(__file__).with_name("recurrent.npz")

if __name__ == "__main__":
    arrays = {
        f"{case.name}/{name}": value for case in CASES for name, value in run_torch(case).items()
    }
    np.savez_compressed(FILE, **arrays)
    print(f"{FILE}: {len(CASES)} networks, {FILE.stat().st_size / 1024:.0f} KiB")
