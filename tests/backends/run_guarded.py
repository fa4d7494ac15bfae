"""Run the kernels with every array between pages that may not be touched.

``python -m tests.backends.run_guarded end`` (or ``begin``): the arrays lie against the page behind
them (before them). What reads or writes past an array ends the process with a segmentation fault.
"""

from __future__ import annotations

import ctypes
import sys

import numpy as np

from .. import strict
from . import cuda_on_cpu, test_persistent
from .cuda_on_cpu import EmulatedBackend

PAGE = 4096
NOTHING, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS = 0, 3, 0x22

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *3 * [ctypes.c_int], ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class Guarded:
    """A copy of an array's whole memory between two such pages."""

    def __init__(self, owner: np.ndarray, at_end: bool) -> None:
        self.owner = owner
        size = -(-owner.nbytes // PAGE) * PAGE
        self.length = size + 2 * PAGE
        self.base = libc.mmap(None, self.length, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0)
        for edge in (self.base, self.base + PAGE + size):
            libc.mprotect(edge, PAGE, NOTHING)
        self.start = self.base + PAGE + (size - owner.nbytes) * at_end
        ctypes.memmove(self.start, owner.ctypes.data, owner.nbytes)

    def view(self, array: np.ndarray) -> np.ndarray:
        """The same part of the copy."""
        first = self.start + array.ctypes.data - self.owner.ctypes.data
        memory = (ctypes.c_char * array.nbytes).from_address(first)
        return np.frombuffer(memory, array.dtype).reshape(array.shape)

    def close(self) -> None:
        ctypes.memmove(self.owner.ctypes.data, self.start, self.owner.nbytes)
        libc.munmap(self.base, self.length)


def owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def main(where: str) -> None:
    """Odd sizes in both directions, by both kinds of kernels."""
    run = cuda_on_cpu.run

    def run_guarded(kernel, grid, block, arguments, **options):
        guarded, moved = {}, []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                whole = owner(argument)
                if id(whole) not in guarded:
                    guarded[id(whole)] = Guarded(whole, where == "end")
                argument = guarded[id(whole)].view(argument)
            moved.append(argument)
        run(kernel, grid, block, moved, **options)
        for each in guarded.values():
            each.close()

    strict.register()
    cuda_on_cpu.run = run_guarded
    for kind in ("LSTM", "GRU", "peepholes"):
        for persistent in (True, False):
            backend = EmulatedBackend(test_persistent.SMALL, persistent)
            test_persistent.answers(kind, test_persistent.RUNS[2], "float64", backend)
    print("nothing was touched outside of the arrays")


if __name__ == "__main__":
    main(sys.argv[1])
