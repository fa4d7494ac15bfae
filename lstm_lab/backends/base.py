"""What a backend owes the rest of the library."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_nothing_lost, native

Array = Any
"""An array of whichever backend is at work."""


class BackendUnavailable(RuntimeError):
    """The backend asked for cannot run here; the message says what is missing."""


@dataclass(frozen=True)
class Pointwise:
    """One elementwise function, written twice: as NumPy lines, and for a single unit.

    Every argument is an array whose last two axes are (H, n), units by sequences. An array that
    holds several such blocks side by side, the gates above all, has one axis more before them.

    Attributes
    ----------
    numpy : callable
        ``numpy(*arrays) -> None``; writes into the arrays that it is given.
    arrays : tuple of (str, int)
        The arguments in order: name, and how many (H, n) blocks lie side by side in it.
    unit : str
        The same lines for a single unit, from which a GPU's kernel and a CPU's compiled loop are
        made. ``name(k)`` is its value in block ``k``; ``T`` is the floating-point type. The text
        is C and holds nothing but assignments and declarations ``const T a = ..., b = ...;``.
    before : tuple of (str, str)
        Of a ``forward``: the arguments that hold a state before the step, each with the one that
        the step before left it in.
    saved : tuple of str
        The arguments that are filled for another function to read, one array a step.
    carried : tuple of str
        Of a ``backward``: the arguments, the same at every step, that are overwritten from step to
        step.
    shared : tuple of str
        The arguments, the same at every step, that are weights or working space.
    """

    numpy: Callable[..., None]
    arrays: tuple[tuple[str, int], ...]
    unit: str
    before: tuple[tuple[str, str], ...] = ()
    saved: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.numpy.__name__


class Backend:
    """An array module and the few things in which array modules differ.

    Attributes
    ----------
    name : str
        What ``backend=`` is called with.
    xp : module
        The array module, ``numpy`` or ``cupy``.
    chunk_bytes : int
        How much of the gates is worked on at a time: on a CPU, about what stays in a core's own
        cache.
    segment_flops : float
        How many operations of the products take as long as what one direction's pass over a
        segment, forward and back, costs beside its steps. Of the values tried with a BiLSTM, 32
        sequences of up to 24 and up to 100 steps, D = H = 64 on two cores of an AMD EPYC, the one
        of the shortest passes; half and twice as much took at most a tenth longer.
    """

    name: str
    xp: Any
    chunk_bytes = 1 << 19
    segment_flops = 1.2e7

    @staticmethod
    def owns(array: Any) -> bool:
        """Whether ``array`` is an array of this backend."""
        raise NotImplementedError

    def asarray(self, values: Any, dtype: Any = None) -> Array:
        """An array of this backend that holds ``values``, which may lie on the host."""
        raise NotImplementedError

    def to_numpy(self, array: Array) -> np.ndarray:
        """The values of ``array`` on the host."""
        raise NotImplementedError

    def index(self, key: tuple) -> tuple:
        """An index whose integer arrays were made on the host, for this backend's arrays."""
        return tuple(self.asarray(k) if isinstance(k, np.ndarray) else k for k in key)

    def pointwise(self, function: Pointwise, dtype: np.dtype) -> Callable[..., None]:
        """``function`` made ready to be called with this backend's arrays."""
        raise NotImplementedError

    def forward_loop(
        self, function: Pointwise, weights: Array, n: int, steps: int
    ) -> Callable[..., None] | None:
        """Many steps of a cell's ``forward`` in one piece, to be used in place of the time loop's.

        `lstm_lab.layers.timeloop` says how both are called. None leaves ``steps`` steps of ``n``
        sequences to the time loop.
        """
        return None

    def backward_loop(
        self, function: Pointwise, weights: Array, n: int, rows: slice, direct: bool
    ) -> Callable[..., None] | None:
        """The same for a cell's ``backward``."""
        return None

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array of any content, from memory that is used again where that pays."""
        return self.xp.empty(shape, dtype)

    def matmul(self, a: Array, b: Array, out: Array) -> None:
        """``out[...] = a @ b``, where ``out`` may be a strided view."""
        self.xp.matmul(a, b, out=out)

    def product(self, weights: Array, n: int) -> Callable[[Array, Array], None]:
        """``multiply(right, out)``: ``out[...] = weights @ right``, ready for many time steps.

        ``weights`` (S, rows, inner), ``right`` (S, inner, n), ``out`` (S, rows, n) in plain
        memory.
        """
        return lambda right, out: self.xp.matmul(weights, right, out=out)

    def stepping(self, flops: float) -> AbstractContextManager[Any]:
        """Entered around a time loop whose every step is a product of so many operations."""
        return nullcontext()

    def multiplying(self, flops: float) -> AbstractContextManager[Any]:
        """Entered around products of so many operations each, with no loop over time."""
        return nullcontext()

    def checksum(self, array: Array) -> int | None:
        """A number that changes with the array; None where the host would wait for a device."""
        return None

    def require(self, array: Any, name: str) -> Array:
        """The array, if it is one of this backend: nothing is copied to or from a device unasked.

        On the host it comes back plain and in the machine's own byte order.

        Raises
        ------
        TypeError
            If ``array`` is not an array of this backend, or has a unit; the message names the
            argument.
        ValueError
            If some of its values are masked.
        """
        if self.owns(array):
            check_nothing_lost(array, name)
            return native(array)
        kind = f"{type(array).__module__.split('.')[0]}.{type(array).__name__}"
        raise TypeError(
            f"{name} is a {kind}, but this layer computes with {self.name} arrays; "
            f"convert it first: get_backend({self.name!r}).asarray({name})"
        )

    # There is one of each in a process, with its pools and compiled loops: those are no part of a
    # layer that is copied, and another process has its own.
    def __copy__(self) -> Backend:
        return self

    def __deepcopy__(self, memo: dict) -> Backend:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        from . import BACKENDS, get_backend

        if BACKENDS.get(self.name) is type(self):
            return get_backend, (self.name,)
        return super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"<backend {self.name}>"
