"""The CUDA text of every pointwise function, run on the CPU and held against the NumPy lines."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import cells
from lstm_lab.backends.kernels.pointwise_cuda import kernel_source
from lstm_lab.cells import GRU_BEFORE_CELL, LSTM_CELLS

from .. import tolerance
from .cuda_on_cpu import compiled, run

VARIANTS = list(LSTM_CELLS.values())
# A dict, for some cells share a function.
FUNCTIONS = list(
    {
        getattr(cell, step): step
        for cell in (
            cells.RNN_CELL,
            cells.GRU_CELL,
            *VARIANTS,
            GRU_BEFORE_CELL,
            GRU_BEFORE_CELL.reset,
        )
        for step in ("forward", "derivatives", "backward")
        if hasattr(cell, step)
    }.items()
)


@pytest.fixture(scope="module", params=["float32", "float64"])
def library(request, require):
    """All kernels of one precision in one shared library."""
    require("g++", "a C++ compiler: apt install g++, or Xcode's command line tools")
    kernels = [kernel_source(function, request.param) for function, _ in FUNCTIONS]
    return np.dtype(request.param), compiled("\n".join(kernels))


@pytest.mark.parametrize(
    ("function", "step"), FUNCTIONS, ids=lambda value: getattr(value, "name", "")
)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (5, 7, 1)])
def test_cuda_text_is_the_numpy_lines(library, function, step, shape):
    dtype, kernels = library
    lead, hidden, n = shape
    rng = np.random.default_rng(0)
    arrays = []
    for name, blocks in function.arrays:
        # Gates of a cell are blocks of their own axis, also where there is only one.
        several = blocks > 1 or name in ("gates", "recurrent", "d")
        size = (lead, blocks, hidden, n) if several else (lead, hidden, n)
        arrays.append(rng.normal(size=size).astype(dtype))
    theirs = [array.copy() for array in arrays]
    function.numpy(*arrays)
    # Six threads, each with none, one or many units.
    sizes = np.int64(hidden * n), np.int64(lead * hidden * n)
    run(getattr(kernels, function.name), (2, 1), 3, (*theirs, *sizes))
    for (name, _), ours, cuda in zip(function.arrays, arrays, theirs, strict=True):
        if (name, step) != ("dh_dc", "backward"):  # NumPy uses it up as working space
            if dtype == "float32":
                # No sums; but a single number can be what remains of numbers of size 1.
                tolerance.assert_close(cuda, ours, tolerance.CELL, name=name, at_least=1)
            else:
                np.testing.assert_allclose(cuda, ours, rtol=0, atol=1e-14, err_msg=name)
