"""NumPy's arrays with loops compiled by numba, which is imported when first asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np

from . import blas
from .base import BackendUnavailable, Pointwise
from .kernels.loops_numba import backward_source, forward_source, pointwise_source
from .numpy_backend import NumpyBackend

TRANSPOSED_A_STEP = 4096
"""How many weights can be transposed in the time that a step inside the compiled loop gains."""


class NumbaBackend(NumpyBackend):
    """Arrays are ``numpy.ndarray``, as the NumPy backend's; pointwise functions are compiled.

    All steps run inside one compiled loop. A step is a matrix product, by SciPy's BLAS, and one
    pass over the units. A single sequence needs no BLAS; with more, and without SciPy, the loop
    is the generic one, and only the pass over the units is compiled.

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
                'install it with: python -m pip install -e ".[fast]", '
                "or use backend='numpy'"
            ) from error
        self._njit = numba.njit
        self._has_dot = _load_blas()
        self._loop = lru_cache(maxsize=None)(self._compile)
        self._library = lru_cache(maxsize=None)(self._compile_library)

    def pointwise(self, function: Pointwise, dtype: np.dtype) -> Callable[..., None]:
        return self._loop(pointwise_source, function, np.dtype(dtype))

    def forward_loop(
        self, function: Pointwise, weights: np.ndarray, n: int, steps: int
    ) -> Callable[..., None] | None:
        if n == 1 and weights.size > TRANSPOSED_A_STEP * steps:
            return None
        prepared = self._prepared(weights, n)
        if prepared is None:
            return None
        loop = self._loop(forward_source, function, weights.dtype, n == 1)
        return lambda *arrays: loop(*prepared, *arrays)

    def backward_loop(
        self, function: Pointwise, weights: np.ndarray, n: int, rows: slice, direct: bool
    ) -> Callable[..., None] | None:
        prepared = self._prepared(weights.transpose(0, 2, 1), n)
        if prepared is None:
            return None
        loop = self._loop(backward_source, function, weights.dtype, n == 1, direct)
        size = rows.stop - rows.start
        return lambda arriving, stepwise, carried: loop(
            *prepared, rows.start, size, arriving, *stepwise, *carried
        )

    def _prepared(self, weights: np.ndarray, n: int) -> tuple[np.ndarray, int] | None:
        """The first arguments of a loop: (S, rows, inner) weights to multiply n columns with."""
        if n == 1:
            return _plain(weights.transpose(0, 2, 1)), 1
        if not self._has_dot:
            return None
        return _plain(weights), blas.row_blocks(*weights.shape[1:], n)

    def _compile(
        self,
        write: Callable[..., str],
        function: Pointwise,
        dtype: np.dtype,
        single: bool = False,
        *options: bool,
    ) -> Callable[..., None]:
        source = write(function, *options)
        names = {"__name__": __name__, **self._library(dtype, single)}
        exec(compile(source, __file__, "exec"), names)
        loop = names["loop"]
        # numba keeps what it compiled by name and file: it notices by itself when this file has
        # changed, but not when the text has.
        digest = sha256(source.encode()).hexdigest()[:12]
        loop.__qualname__ = f"{function.name}_{dtype.name}_{single}_{digest}"
        try:
            return self._jit(loop, cache=True)
        except RuntimeError:  # there is no folder that numba may write to
            return self._jit(loop)

    def _jit(self, function: Callable, **options: Any) -> Callable:
        # Fused multiply-adds, but nothing that would change what becomes of NaN and infinity.
        return self._njit(error_model="numpy", fastmath={"contract"}, **options)(function)

    def _compile_library(self, dtype: np.dtype, single: bool) -> dict[str, Any]:
        """What `kernels.loops_numba` calls, for a single sequence or for many."""
        return {
            "T": dtype.type,
            "empty": np.empty,
            "tanh": self._jit(make_tanh(dtype)),
            "multiply": self._jit(multiply_one if single else multiply_many),
        }


def _load_blas() -> bool:
    """Whether SciPy is here: numba takes BLAS from it."""
    try:
        import scipy.linalg.cython_blas  # noqa: F401
    except ImportError:
        return False
    blas.forget()  # there is one more now
    return True


def _plain(weights: np.ndarray) -> np.ndarray:
    """The weights in plain memory; copied, where need be, by strips that stay in the cache."""
    if weights.flags.c_contiguous:
        return weights
    plain = np.empty(weights.shape, weights.dtype)
    for column in range(0, weights.shape[2], 64):
        strip = slice(column, column + 64)
        plain[..., strip] = weights[..., strip]
    return plain


def multiply_one(transposed, x, out, blocks):
    """``out[:] = transposed.T @ x`` for a single column, along contiguous memory."""
    x, out = x.reshape(-1), out.reshape(-1)
    out[:] = 0
    whole = x.size - x.size % 4
    for k in range(0, whole, 4):
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        row_a, row_b = transposed[k], transposed[k + 1]
        row_c, row_d = transposed[k + 2], transposed[k + 3]
        for j in range(out.size):
            out[j] += (row_a[j] * a + row_b[j] * b) + (row_c[j] * c + row_d[j] * d)
    for k in range(whole, x.size):
        a, row_a = x[k], transposed[k]
        for j in range(out.size):
            out[j] += row_a[j] * a


def multiply_many(matrix, right, out, blocks):
    """``out[:] = matrix @ right`` in as many blocks of rows; `blas.row_blocks` says why."""
    size = matrix.shape[0] // blocks
    for first in range(0, matrix.shape[0], size):
        np.dot(matrix[first : first + size], right, out[first : first + size])


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
