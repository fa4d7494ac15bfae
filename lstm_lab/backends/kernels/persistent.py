"""Whole sequences in one kernel on a GPU: what fits is compiled once and launched."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..base import Array, Pointwise
from .persistent_source import APART, LIBRARY, backward_source, forward_source
from .tiling import Limits, Loop, Tiling, tile

OLDEST = 70
"""The first compute capability whose threads can sleep while they wait."""

Launch = Callable[..., None]


class PersistentLoops:
    """`Backend.forward_loop` and `Backend.backward_loop` on CuPy's current device.

    Parameters
    ----------
    cupy : module
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._limits = lru_cache(maxsize=None)(self._read_limits)
        self._kernel = lru_cache(maxsize=None)(self._compile)

    def forward(self, function: Pointwise, weights: Array, n: int, steps: int) -> Launch | None:
        directions, rows, hidden = weights.shape
        blocks = dict(function.arrays)["recurrent"]
        if rows != blocks * hidden:  # the state is of another size than the gates
            return None
        loop = Loop(hidden, directions, blocks, hidden, weights.dtype.itemsize)
        launch = self._launcher(forward_source, function, weights.dtype, loop, n)
        if launch is None:
            return None
        return lambda gates, recurrent, *others: launch(len(gates), weights, gates, *others)

    def backward(
        self, function: Pointwise, weights: Array, n: int, rows: slice, direct: bool
    ) -> Launch | None:
        directions, depth, hidden = weights.shape
        if rows.stop != dict(function.arrays)["d"] * hidden:  # the state is of another size
            return None
        loop = Loop(hidden, directions, 1, depth, weights.dtype.itemsize)
        options = (rows.start // hidden, direct)
        launch = self._launcher(backward_source, function, weights.dtype, loop, n, *options)
        if launch is None:
            return None
        return lambda arriving, stepwise, carried: launch(
            len(arriving), weights, arriving, *stepwise, *carried
        )

    def _read_limits(self, device: int) -> Limits:
        device = self._cupy.cuda.Device(device)
        if int(device.compute_capability) < OLDEST:
            return Limits(0, 0, False)
        has = device.attributes
        return Limits(
            processors=has["MultiProcessorCount"],
            shared_bytes=has["MaxSharedMemoryPerBlockOptin"],
            cooperative=bool(has["CooperativeLaunch"]),
        )

    def _launcher(
        self,
        write: Callable[..., tuple[str, str]],
        function: Pointwise,
        dtype: np.dtype,
        loop: Loop,
        n: int,
        *options: Any,
    ) -> Launch | None:
        device = self._cupy.cuda.runtime.getDevice()
        tiling = tile(self._limits(device), loop, n)
        if tiling is None:
            return None
        kernel = self._kernel(device, write, function, dtype.name, loop, tiling, *options)
        if kernel is None:
            return None
        groups = tiling.groups(loop, n)
        # Counters begin at 0; a group of one counts nothing.
        counters = self._cupy.zeros if tiling.members > 1 else self._cupy.empty

        def launch(steps: int, *arrays: Array) -> None:
            for array in arrays:
                # The kernel walks over plain memory and would read a strided view wrongly.
                assert array.flags.c_contiguous, f"{function.name}: an array is not contiguous"
            kernel(
                # In two dimensions, for CuPy silently cuts a row of blocks down to what fits.
                (tiling.members, groups),
                (tiling.threads,),
                (*arrays, counters(groups * APART, "uint32"), np.int64(n), np.int64(steps)),
                shared_mem=tiling.shared_bytes,
            )

        return launch

    def _compile(
        self,
        device: int,
        write: Callable[..., tuple[str, str]],
        function: Pointwise,
        dtype: str,
        loop: Loop,
        tiling: Tiling,
        *options: Any,
    ) -> Any:
        """The kernel; None if, against the plan, no block of it finds room."""
        name, source = write(function, dtype, loop, tiling, *options)
        cooperative = tiling.members > 1
        kernel = self._cupy.RawKernel(LIBRARY + source, name, enable_cooperative_groups=cooperative)
        kernel.max_dynamic_shared_size_bytes = tiling.shared_bytes
        resident = self._cupy.cuda.driver.occupancyMaxActiveBlocksPerMultiprocessor(
            kernel.kernel.ptr, tiling.threads, tiling.shared_bytes
        )
        return kernel if resident else None
