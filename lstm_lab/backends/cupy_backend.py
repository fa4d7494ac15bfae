"""CuPy on an NVIDIA GPU. CuPy itself is imported when the backend is first asked for.

Products are cuBLAS's, in the precision of the arrays: TF32 only where CuPy was told so
(``CUPY_TF32=1``), and within a time step not even then. Everything runs on CuPy's current device
and stream.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .base import Backend, BackendUnavailable, Pointwise
from .kernels.persistent import PersistentLoops
from .kernels.pointwise_cuda import THREADS, kernel_source


class CupyBackend(Backend):
    """Arrays are ``cupy.ndarray``; a pointwise function is one fused kernel.

    A sequence runs in one kernel from end to end where its weights fit into the GPU's shared
    memory. Elsewhere a step is one product, batched over the directions, and one fused kernel that
    adds it to the gates.

    Parameters
    ----------
    persistent : bool
        Whether to use the kernels for whole sequences.

    Raises
    ------
    BackendUnavailable
        If CuPy is not installed, or finds no GPU.
    """

    name = "cupy"
    # Many steps at a time: here it is the launches that cost.
    chunk_bytes = 1 << 26
    # Reasoned, not measured: some forty launches of 5 µs at 20 TFLOP/s.
    segment_flops = 4e9

    def __init__(self, persistent: bool = True) -> None:
        try:
            import cupy
        except ImportError as error:
            raise BackendUnavailable(
                "backend='cupy' needs CuPy, which is not installed; "
                'install it with: python -m pip install -e ".[cuda13]" '
                '(".[cuda12]" for a CUDA 12 driver), '
                "or use backend='numpy'"
            ) from error
        try:
            devices = cupy.cuda.runtime.getDeviceCount()
        except Exception as error:
            raise BackendUnavailable(
                "backend='cupy' needs an NVIDIA GPU with its driver, and CuPy found none "
                f"({error}); use backend='numpy'"
            ) from error
        if not devices:
            raise BackendUnavailable(
                "backend='cupy' needs an NVIDIA GPU, and none is visible; use backend='numpy'"
            )
        self._use(cupy, persistent)

    def _use(self, cupy: Any, persistent: bool) -> None:
        self.xp = cupy
        self._kernel = lru_cache(maxsize=None)(self._compile)
        self._persistent = PersistentLoops(cupy) if persistent else None

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._persistent is None:
            return type(self), (False,)
        return super().__reduce_ex__(protocol)

    @staticmethod
    def owns(array: Any) -> bool:
        # By name: asking must not import CuPy.
        return (type(array).__module__.split(".")[0], type(array).__name__) == ("cupy", "ndarray")

    def asarray(self, values: Any, dtype: Any = None) -> Any:
        return self.xp.asarray(values, dtype=dtype)

    def to_numpy(self, array: Any) -> np.ndarray:
        return self.xp.asnumpy(array)

    def require(self, array: Any, name: str) -> Any:
        """The array, if it is one of CuPy's on CuPy's current GPU.

        Raises
        ------
        TypeError, ValueError
            The message names the argument.
        """
        array = super().require(array, name)
        current = self.xp.cuda.runtime.getDevice()
        if array.device.id != current:
            raise ValueError(
                f"{name} lies on GPU {array.device.id}, but CuPy's current GPU is {current}; "
                f"compute inside of: with cupy.cuda.Device({array.device.id}):"
            )
        return array

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        # cuBLAS writes only into plain memory.
        if out.flags.c_contiguous:
            self.xp.matmul(a, b, out=out)
        else:
            out[...] = self.xp.matmul(a, b)

    def product(self, weights: Any, n: int) -> Callable[[Any, Any], None]:
        # A batched product would copy a strided matrix every time.
        return super().product(self.xp.ascontiguousarray(weights), n)

    def forward_loop(
        self, function: Pointwise, weights: Any, n: int, steps: int
    ) -> Callable[..., None] | None:
        if self._persistent is None:
            return None
        return self._persistent.forward(function, weights, n, steps)

    def backward_loop(
        self, function: Pointwise, weights: Any, n: int, rows: slice, direct: bool
    ) -> Callable[..., None] | None:
        if self._persistent is None:
            return None
        return self._persistent.backward(function, weights, n, rows, direct)

    def pointwise(self, function: Pointwise, dtype: np.dtype) -> Callable[..., None]:
        return self._kernel(function, np.dtype(dtype).name)

    def _compile(self, function: Pointwise, dtype: str) -> Callable[..., None]:
        kernel = self.xp.RawKernel(kernel_source(function, dtype), function.name)
        # Lengths are read off an argument that holds a single block.
        single = next(k for k, (_, blocks) in enumerate(function.arrays) if blocks == 1)

        def launch(*arrays: Any) -> None:
            units = arrays[single].size
            block = arrays[single].shape[-1] * arrays[single].shape[-2]
            for (name, _), array in zip(function.arrays, arrays, strict=True):
                # The kernel walks over plain memory and would read a strided view wrongly.
                assert array.flags.c_contiguous, f"{function.name}: {name} is not contiguous"
            grid = (min(-(-units // THREADS), 65535),)
            kernel(grid, (THREADS,), (*arrays, np.int64(block), np.int64(units)))

        return launch
