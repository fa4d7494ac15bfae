"""Run notebooks with the book's backend set to the stand-in for a device.

``python -m tests.backends.run_on_device book/03-memory-cell.ipynb``
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from .. import strict


def main(paths: list[str]) -> int:
    """0 if every code cell of every notebook runs on the device.

    Where one does not, the error is printed; so is the choice of another backend.
    """
    from IPython.core.interactiveshell import InteractiveShell

    strict.register()
    os.environ["LSTM_LAB_BACKEND"] = strict.StrictBackend.name
    os.environ["MPLBACKEND"] = "agg"
    for path in [Path(path).resolve() for path in paths]:
        os.chdir(path.parent)  # as Jupyter does
        shell = InteractiveShell()
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            if cell["cell_type"] == "code" and not shell.run_cell("".join(cell["source"])).success:
                return 1
        if (chosen := os.environ["LSTM_LAB_BACKEND"]) != strict.StrictBackend.name:
            print(f"{path.name} chose the backend {chosen!r} itself: it did not run on the device")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
