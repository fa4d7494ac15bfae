"""CuPy's kernels on a CPU: compiled as C++, their threads run in turns by `cuda_on_cpu.cpp`.

`EmulatedBackend` is the CuPy backend itself over the stand-in for a device: what it hands to
``cupy.RawKernel`` is compiled and run, launch configuration, arguments and all.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from lstm_lab.backends import CupyBackend
from lstm_lab.backends.kernels.tiling import Limits

from ..strict import StrictBackend, unwrap, wrap

HERE = Path(__file__).parent
OUTCOMES = ["finished", "deadlock", "an atomic without a fence before it"]
FOLDER = tempfile.TemporaryDirectory(prefix="cuda-on-cpu-")


class KernelFailed(RuntimeError):
    """A kernel did not come to its end, or broke the rules."""


def compile_cpp(source: Path, *options: str) -> Path:
    """A shared library of that source."""
    target = Path(FOLDER.name) / f"{source.stem}.so"
    command = ["g++", "-std=c++17", "-O1", "-shared", "-fPIC", "-Wno-unknown-pragmas"]
    command += [f"-I{HERE}", *options, str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


@cache
def runtime() -> ctypes.CDLL:
    """What runs the kernels; they find its functions by name."""
    library = ctypes.CDLL(str(compile_cpp(HERE / "cuda_on_cpu.cpp")), mode=ctypes.RTLD_GLOBAL)
    library.launch.argtypes = [
        ctypes.c_void_p, *3 * [ctypes.c_uint], ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int,
        *2 * [ctypes.c_uint],
    ]  # fmt: skip
    return library


@cache
def compiled(code: str) -> ctypes.CDLL:
    """Kernels of that CUDA text."""
    runtime()
    source = Path(FOLDER.name) / f"k{sha256(code.encode()).hexdigest()[:16]}.cpp"
    source.write_text(f'#include "cuda_on_cpu.h"\n{code}')
    return ctypes.CDLL(str(compile_cpp(source)))


def run(kernel, grid, block, arguments, *, shared_bytes=0, resident=1, seed=0) -> None:
    """Launch a kernel and wait for it.

    Parameters
    ----------
    grid : (int, int)
    block : int
    arguments : sequence of numpy.ndarray or numpy.int64
    resident : int
        How many blocks are under way at a time.
    seed : int
        Decides which threads go first.

    Raises
    ------
    KernelFailed
    """
    words = [_word(argument) for argument in arguments]
    pointer = ctypes.cast(kernel, ctypes.c_void_p)
    words = (ctypes.c_longlong * len(words))(*words)
    outcome = runtime().launch(
        pointer, *grid, block, shared_bytes, words, len(words), resident, seed
    )
    if outcome:
        raise KernelFailed(OUTCOMES[outcome])


def _word(argument) -> int:
    if isinstance(argument, np.ndarray):
        return argument.ctypes.data
    assert isinstance(argument, np.int64), "a number without a size of its own"
    return int(argument)


class EmulatedDevice:
    """The parts of CuPy that launch kernels, over the stand-in's arrays.

    Attributes
    ----------
    launched : list of str
        The names of the kernels, in the order of their launches.
    """

    def __init__(self, limits: Limits, seed: int = 0) -> None:
        self.limits, self.seed, self.launched = limits, seed, []
        self.room = 1
        device = SimpleNamespace(
            compute_capability="90",
            attributes={
                "MultiProcessorCount": limits.processors,
                "MaxSharedMemoryPerBlockOptin": limits.shared_bytes,
                "CooperativeLaunch": int(limits.cooperative),
            },
        )
        self.cuda = SimpleNamespace(
            Device=lambda number: device,
            runtime=SimpleNamespace(getDevice=lambda: 0),
            driver=SimpleNamespace(
                occupancyMaxActiveBlocksPerMultiprocessor=lambda kernel, threads, shared: self.room
            ),
        )

    def __getattr__(self, name):
        return getattr(StrictBackend.xp, name)

    def RawKernel(self, code, name, options=(), *, enable_cooperative_groups=False):
        return EmulatedKernel(self, code, name, enable_cooperative_groups)


class EmulatedKernel:
    """``cupy.RawKernel``, as far as the library uses it."""

    def __init__(self, device: EmulatedDevice, code: str, name: str, cooperative: bool) -> None:
        self.device, self.name, self.cooperative = device, name, cooperative
        self.function = getattr(compiled(code), name)
        self.kernel = SimpleNamespace(ptr=ctypes.cast(self.function, ctypes.c_void_p).value)
        self.max_dynamic_shared_size_bytes = 1 << 10  # on a GPU 48 KB, unless more is asked for

    def __call__(self, grid, block, args, *, shared_mem=0):
        device = self.device
        device.launched.append(self.name)
        assert shared_mem <= self.max_dynamic_shared_size_bytes <= device.limits.shared_bytes
        across, down = (*grid, 1)[:2]
        assert across < 2**31 and down < 2**16 and 0 < block[0] <= 1024
        # Without a cooperative launch nothing says that any two blocks are under way together.
        resident = device.limits.processors if self.cooperative else 1
        if self.cooperative and across * down > resident:
            raise KernelFailed("The grid size exceeds the limit")  # as CuPy does
        device.seed += 1
        run(
            self.function, (across, down), block[0], unwrap(args),
            shared_bytes=shared_mem, resident=resident, seed=device.seed,
        )  # fmt: skip


class EmulatedBackend(CupyBackend):
    """The CuPy backend on the emulated device.

    Parameters
    ----------
    limits : Limits
        The device's; ``threads`` are few as a rule, for each costs its turn.
    """

    name = "emulated"

    def __init__(self, limits: Limits, persistent: bool = True, seed: int = 0) -> None:
        self._use(EmulatedDevice(limits, seed), persistent)
        if persistent:
            self._persistent._limits = lambda device: limits

    owns = staticmethod(StrictBackend.owns)
    asarray = StrictBackend.asarray
    to_numpy = StrictBackend.to_numpy
    require = StrictBackend.require

    def empty(self, shape, dtype):
        # What nobody has written yet must not look like a number.
        return wrap(np.full(shape, np.nan, dtype))
