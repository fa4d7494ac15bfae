"""Functions as a student types them into the cells of a notebook."""

import linecache
import textwrap
from itertools import count

import numpy as np

_NUMBERS = count(1)


def notebook(*cells: str, **names) -> dict:
    """Run cells one after the other, and return the notebook's names; lines can be shown."""
    names = {"__name__": "__main__", "np": np, **names}
    for cell in cells:
        source = textwrap.dedent(cell).strip("\n") + "\n"
        file = f"<cell {next(_NUMBERS)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), names)
    return names


SIGMOID = "def sigmoid(z): return 0.5 + 0.5 * np.tanh(0.5 * z)"
"""A right answer that others build on."""
