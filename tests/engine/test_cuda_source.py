"""The CUDA text of every pointwise function, compiled as C++ and held against the NumPy lines.

No GPU is needed: around the kernel's own text stand the few words of CUDA that it uses, and the
grid is a single thread, over which the kernel strides.
"""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np
import pytest

from lstm_lab import cells
from lstm_lab.backends.cuda_source import kernel_source
from lstm_lab.cell_variants import GRU_BEFORE_CELL, KEEPS, lstm_variant

VARIANTS = [lstm_variant(keep, peepholes) for keep in KEEPS for peepholes in (False, True)]
# A dict, for some cells share a function.
FUNCTIONS = list(
    {
        getattr(cell, step): step
        for cell in (
            cells.RNN_CELL, cells.GRU_CELL, *VARIANTS, GRU_BEFORE_CELL, GRU_BEFORE_CELL.reset
        )
        for step in ("forward", "derivatives", "backward")
        if hasattr(cell, step)
    }.items()
)

PRELUDE = """
#include <cmath>
using std::tanh;
#define __global__
struct Dim { unsigned x; };
static const Dim gridDim = {1}, blockDim = {1}, blockIdx = {0}, threadIdx = {0};
"""


@pytest.fixture(scope="module", params=["float32", "float64"])
def library(request, tmp_path_factory, require):
    """All kernels of one precision in one shared library."""
    require("g++", "a C++ compiler: apt install g++, or Xcode's command line tools")
    folder = tmp_path_factory.mktemp("cuda")
    source = folder / "kernels.cpp"
    kernels = [kernel_source(function, request.param) for function, _ in FUNCTIONS]
    source.write_text(PRELUDE + "\n".join(kernels))
    target = folder / "kernels.so"
    command = ["g++", "-O1", "-shared", "-fPIC", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.dtype(request.param), ctypes.CDLL(str(target))


@pytest.mark.parametrize(
    ("function", "step"), FUNCTIONS, ids=lambda value: getattr(value, "name", "")
)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (5, 7, 1)])
def test_cuda_text_is_the_numpy_lines(library, function, step, shape):
    dtype, compiled = library
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
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in theirs]
    kernel = getattr(compiled, function.name)
    kernel(*pointers, ctypes.c_longlong(hidden * n), ctypes.c_longlong(lead * hidden * n))
    tolerance = 2e-6 if dtype == np.float32 else 1e-14
    for (name, _), ours, cuda in zip(function.arrays, arrays, theirs, strict=True):
        if (name, step) != ("dh_dc", "backward"):  # NumPy uses it up as working space
            np.testing.assert_allclose(cuda, ours, rtol=0, atol=tolerance, err_msg=name)
