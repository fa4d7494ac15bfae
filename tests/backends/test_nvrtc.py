"""Every CUDA kernel compiles for today's GPUs, by NVIDIA's own compiler; no GPU is needed."""

from __future__ import annotations

import ctypes
import sys
from importlib.metadata import PackageNotFoundError, files

import numpy as np
import pytest

from lstm_lab.backends.kernels.persistent_source import LIBRARY, backward_source, forward_source
from lstm_lab.backends.kernels.pointwise_cuda import kernel_source
from lstm_lab.backends.kernels.tiling import Limits, Loop, tile
from lstm_lab.cells import GRU_CELL, RNN_CELL, Cell
from lstm_lab.cli import INSTALL_TEST

from .test_cuda_source import FUNCTIONS, VARIANTS

ARCHITECTURES = ("sm_80", "sm_90")
LIMITS = Limits(processors=132, shared_bytes=232_448, cooperative=True)
# Hidden units, directions, sequences: one block alone, several that meet, sums by parts.
SIZES = [(5, 1, 3), (64, 2, 32), (1023, 1, 7)]


@pytest.fixture(scope="module")
def nvrtc(lacking):
    """NVIDIA's run-time compiler, from its wheel."""
    if sys.platform != "linux":
        pytest.skip("NVIDIA's compiler is in the lock for Linux only")
    try:
        found = [path for path in files("nvidia-cuda-nvrtc") if "libnvrtc.so" in path.name]
    except PackageNotFoundError:
        lacking(f"this test needs nvidia-cuda-nvrtc; install it with: {INSTALL_TEST}")
    return ctypes.CDLL(str(found[0].locate()))


def compiled(nvrtc: ctypes.CDLL, source: str, architecture: str) -> tuple[str, int]:
    """The compiler's log, and the size of the machine code; 0 if there is none."""
    program = ctypes.c_void_p()
    created = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
    )
    assert created == 0
    options = (ctypes.c_char_p * 1)(f"--gpu-architecture={architecture}".encode())
    failed = nvrtc.nvrtcCompileProgram(program, 1, options)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    code = ctypes.c_size_t()
    if not failed:
        nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(code))
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return log.value.decode(), code.value


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kernel_compiles(nvrtc, dtype, architecture):
    source = "\n".join(kernel_source(function, dtype) for function, _ in FUNCTIONS)
    log, size = compiled(nvrtc, source, architecture)
    assert size > 0, log
    assert "error" not in log and "warning" not in log, log


def persistent_kernels(cell: Cell, dtype: str, hidden: int, directions: int, n: int) -> list[str]:
    """The kernels of both passes."""
    rows, size = cell.recurrent_rows, np.dtype(dtype).itemsize
    ahead = Loop(hidden, directions, rows, hidden, size)
    back = Loop(hidden, directions, 1, rows * hidden, size)
    first = range(cell.blocks)[cell.recurrent_blocks][0]
    plan = tile(LIMITS, ahead, n), tile(LIMITS, back, n)
    if None in plan:
        return []
    return [
        forward_source(cell.forward, dtype, ahead, plan[0])[1],
        backward_source(cell.backward, dtype, back, plan[1], first, cell.direct)[1],
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kernel_for_a_whole_sequence_compiles(nvrtc, dtype, architecture):
    kernels = [
        kernel
        for k, cell in enumerate((RNN_CELL, GRU_CELL, *VARIANTS))
        for size in (SIZES if k < 3 else SIZES[k % 3 : k % 3 + 1])
        for kernel in persistent_kernels(cell, dtype, *size)
    ]
    assert len(kernels) >= 22
    log, size = compiled(nvrtc, LIBRARY + "\n".join(kernels), architecture)
    assert size > 0, log
    assert "error" not in log and "warning" not in log, log


def test_a_broken_kernel_is_noticed(nvrtc):
    source = kernel_source(FUNCTIONS[0][0], "float32").replace("tanh(", "tahn(", 1)
    log, size = compiled(nvrtc, source, "sm_90")
    assert size == 0 and "tahn" in log
