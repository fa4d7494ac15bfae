"""NumPy's arrays with loops compiled by numba, which is imported when first asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np

from .base import BackendUnavailable, Pointwise
from .compiled_source import backward_source, forward_source, pointwise_source
from .numpy_backend import NumpyBackend

TRANSPOSED_A_STEP = 4096
"""How many weights can be transposed in the time that a step inside the compiled loop gains."""


class NumbaBackend(NumpyBackend):
    """Arrays are ``numpy.ndarray``, as the NumPy backend's; pointwise functions are compiled.

    A single sequence (n = 1) runs from end to end inside one compiled loop. With more, a step is
    one matrix product by NumPy and one compiled pass over the units.

    Raises
    ------
    BackendUnavailable
        If numba is not installed.
    """

    name = "numba"

    def __init__(self) -> None:
        super().__init__()
        try:
            import numba
        except ImportError as error:
            raise BackendUnavailable(
                f"backend='numba' needs numba, which cannot be imported ({error}); "
                "install it with: python -m pip install -e '.[fast]', or use backend='numpy'"
            ) from error
        self._njit = numba.njit
        self._loop = lru_cache(maxsize=None)(self._compile)
        self._library = lru_cache(maxsize=None)(self._compile_library)

    def pointwise(self, function: Pointwise, dtype: np.dtype) -> Callable[..., None]:
        return self._loop(pointwise_source, function, np.dtype(dtype))

    def forward_loop(
        self, function: Pointwise, weights: np.ndarray, n: int, steps: int
    ) -> Callable[..., None] | None:
        if n > 1 or weights.size > TRANSPOSED_A_STEP * steps:
            return None
        loop = self._loop(forward_source, function, weights.dtype)
        transposed = _transposed(weights)
        return lambda *arrays: loop(transposed, *arrays)

    def backward_loop(
        self, function: Pointwise, weights: np.ndarray, n: int, rows: slice, direct: bool
    ) -> Callable[..., None] | None:
        if n > 1:
            return None
        loop = self._loop(backward_source, function, weights.dtype, direct)
        return lambda arriving, stepwise, carried: loop(
            weights, rows.start, arriving, *stepwise, *carried
        )

    def _compile(
        self, write: Callable[..., str], function: Pointwise, dtype: np.dtype, *options: bool
    ) -> Callable[..., None]:
        source = write(function, *options)
        names = {"__name__": __name__, **self._library(dtype)}
        exec(compile(source, __file__, "exec"), names)
        loop = names["loop"]
        # numba keeps what it compiled by name and file: it notices by itself when this file has
        # changed, but not when the text has.
        digest = sha256(source.encode()).hexdigest()[:12]
        loop.__qualname__ = f"{function.name}_{dtype.name}_{digest}"
        try:
            return self._jit(loop, cache=True)
        except RuntimeError:  # there is no folder that numba may write to
            return self._jit(loop)

    def _jit(self, function: Callable, **options: Any) -> Callable:
        # Fused multiply-adds, but nothing that would change what becomes of NaN and infinity.
        return self._njit(error_model="numpy", fastmath={"contract"}, **options)(function)

    def _compile_library(self, dtype: np.dtype) -> dict[str, Any]:
        """What `compiled_source` calls."""
        return {
            "T": dtype.type,
            "empty": np.empty,
            "tanh": self._jit(make_tanh(dtype)),
            "multiply": self._jit(multiply),
        }


def _transposed(weights: np.ndarray) -> np.ndarray:
    """(S, rows, H) as (S, H, rows) in plain memory, by strips that stay in the cache."""
    directions, rows, hidden = weights.shape
    transposed = np.empty((directions, hidden, rows), weights.dtype)
    for row in range(0, rows, 64):
        strip = weights[:, row : row + 64]
        transposed[:, :, row : row + 64] = strip.transpose(0, 2, 1)
    return transposed


def multiply(x, matrix, out):
    """``out[:] = x @ matrix``, four rows at a time, along contiguous memory."""
    out[:] = 0
    whole = x.size - x.size % 4
    for k in range(0, whole, 4):
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        row_a, row_b, row_c, row_d = matrix[k], matrix[k + 1], matrix[k + 2], matrix[k + 3]
        for j in range(out.size):
            out[j] += (row_a[j] * a + row_b[j] * b) + (row_c[j] * c + row_d[j] * d)
    for k in range(whole, x.size):
        a, row_a = x[k], matrix[k]
        for j in range(out.size):
            out[j] += row_a[j] * a


def make_tanh(dtype: np.dtype) -> Callable[[Any], Any]:
    """A tanh without branches or calls, which LLVM turns into vector instructions.

    With y = e^(2|a|) - 1, tanh |a| = y / (y + 2), which loses nothing near zero. For y,
    2|a| = k ln 2 + r with a whole k and |r| <= ln 2 / 2, e^r - 1 by its Taylor series, and 2^k by
    writing k into the exponent of a floating-point number. Wrong by about two units in the last
    place; NaN stays NaN, and -0 stays -0.
    """
    # ln 2 in two parts: k times the first is exact. As many terms as matter in this precision,
    # and an x beyond which tanh is 1.
    ln2_first, ln2_rest, terms, largest, whole = {
        "float32": (0.693359375, -2.12194440e-4, 7, 20, np.int32),
        "float64": (6.93147180369123816490e-01, 1.90821492927058770002e-10, 13, 40, np.int64),
    }[dtype.name]
    real, info = dtype.type, np.finfo(dtype)
    mantissa = info.nmant
    exponent_of_one = (info.maxexp - 1) << mantissa
    # Added to a number, it leaves the nearest whole number in the mantissa's last bits.
    to_whole = real(1.5 * 2.0**mantissa)
    per_ln2, first, rest = real(1 / math.log(2)), real(ln2_first), real(ln2_rest)
    one, two, limit = real(1), real(2), real(largest)
    series = tuple(real(1 / math.factorial(k)) for k in range(terms, 0, -1))

    def tanh(a):
        x = two * abs(a)
        x = limit if x > limit else x  # a NaN passes
        shifted = real(x * per_ln2 + to_whole)
        k = shifted - to_whole
        r = x - k * first - k * rest
        sum_ = real(0)
        for coefficient in series:
            sum_ = sum_ * r + coefficient
        power = whole((shifted.view(whole) << mantissa) + exponent_of_one).view(real)
        y = power * (sum_ * r) + (power - one)
        return math.copysign(y / (y + two), a)

    return tanh
