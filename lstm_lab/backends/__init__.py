"""Floor 1: the array libraries that the same layers run on, behind one small contract.

A backend owes its array module ``xp``, the way in and out of its memory, and the pointwise
functions of the cells made ready to be called. Time loops, packing and matrix products are
written once, above this floor.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from .._validation import checked_choice
from .base import Array, Backend, BackendUnavailable, Pointwise
from .cupy_backend import CupyBackend
from .numba_backend import NumbaBackend
from .numpy_backend import NumpyBackend

__all__ = [
    "Array",
    "Backend",
    "BackendUnavailable",
    "Pointwise",
    "backend_of",
    "get_backend",
]

# An array belongs to the first that owns it: numba's arrays are NumPy's.
BACKENDS: dict[str, type[Backend]] = {
    "numpy": NumpyBackend,
    "numba": NumbaBackend,
    "cupy": CupyBackend,
}
VARIABLE = "LSTM_LAB_BACKEND"


@cache
def _load(name: str) -> Backend:
    return BACKENDS[name]()


def get_backend(backend: str | Backend | None = None) -> Backend:
    """The backend of that name.

    Parameters
    ----------
    backend : {"numpy", "numba", "cupy"}, Backend or None
        None takes the environment variable ``LSTM_LAB_BACKEND``, and NumPy where it is not set.

    Raises
    ------
    ValueError
        If no backend has that name.
    BackendUnavailable
        If it cannot run on this machine; the message says what is missing.
    """
    if isinstance(backend, Backend):
        return backend
    source = "backend"
    if backend is None:
        backend, source = os.environ.get(VARIABLE) or "numpy", f"the variable {VARIABLE}"
    return _load(checked_choice(backend, source, tuple(BACKENDS)))


def backend_of(array: Any, name: str = "") -> Backend:
    """The backend whose array this is; ``name`` is the argument's, for the message.

    Raises
    ------
    TypeError
        If it is no array of any backend that is in use.
    """
    for known, backend in BACKENDS.items():
        if backend.owns(array):
            return get_backend(known)
    wanted = f"{name} must be an array" if name else "expected an array"
    raise TypeError(f"{wanted} of NumPy or CuPy, got a {type(array).__name__}")
