"""A stand-in for a device: its arrays refuse to meet the host's by themselves.

It computes with NumPy, and is as strict as CuPy or stricter: no implicit conversion, no mixing
with NumPy arrays, no indexing with them. What runs on it makes no silent copies.
"""

from __future__ import annotations

import operator
from types import SimpleNamespace

import numpy as np

from lstm_lab import backends
from lstm_lab.backends import Backend


class DeviceArray:
    """An array that lies elsewhere."""

    __array_ufunc__ = None  # NumPy operators give way instead of converting

    def __init__(self, values: np.ndarray):
        self._values = values

    def __array__(self, *args, **kwargs):
        raise TypeError("implicit transfer from the device to the host")

    def __getitem__(self, key):
        return wrap(self._values[unwrap(key)])

    def __setitem__(self, key, value):
        self._values[unwrap(key)] = unwrap(value)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return wrap(getattr(self._values, name))

    def __float__(self):
        return float(self._values)

    def __int__(self):
        return int(self._values)

    def __bool__(self):
        return bool(self._values)

    def __len__(self):
        return len(self._values)


def unwrap(value):
    if isinstance(value, DeviceArray):
        return value._values
    if isinstance(value, np.ndarray):
        raise TypeError("a host array met the device")
    if isinstance(value, (list, tuple)):
        return type(value)(map(unwrap, value))
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    return value


def wrap(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return DeviceArray(np.asarray(value))
    if isinstance(value, (list, tuple)) and any(isinstance(v, np.ndarray) for v in value):
        return type(value)(map(wrap, value))
    if callable(value) and not isinstance(value, (type, np.dtype)):
        return lambda *args, **kwargs: wrap(value(*unwrap(args), **unwrap(kwargs)))
    return value


def _binary(function, swapped=False):
    def method(self, other):
        a, b = unwrap(self), unwrap(other)
        return wrap(function(b, a) if swapped else function(a, b))

    return method


def _in_place(function):
    def method(self, other):
        self._values = function(self._values, unwrap(other))
        return self

    return method


for _name in "add sub mul truediv pow matmul lt le gt ge eq ne and_ or_".split():
    _function = getattr(operator, _name)
    _dunder = _name.rstrip("_")
    setattr(DeviceArray, f"__{_dunder}__", _binary(_function))
    setattr(DeviceArray, f"__r{_dunder}__", _binary(_function, swapped=True))
    if hasattr(operator, f"i{_dunder}"):
        setattr(DeviceArray, f"__i{_dunder}__", _in_place(getattr(operator, f"i{_dunder}")))
DeviceArray.__neg__ = lambda self: wrap(-self._values)
DeviceArray.__abs__ = lambda self: wrap(abs(self._values))
DeviceArray.__hash__ = None


class _Module(SimpleNamespace):
    def __getattr__(self, name):
        return wrap(getattr(np, name))

    # cuBLAS writes only into plain memory, and CuPy says nothing where it cannot.
    @staticmethod
    def matmul(a, b, out=None):
        if out is not None and not out.flags.c_contiguous:
            raise TypeError("a matrix product into a strided view")
        return wrap(np.matmul(unwrap(a), unwrap(b), out=unwrap(out)))


_add = wrap(np.add)
_add.at = wrap(np.add.at)
_Module.add = staticmethod(_add)


class StrictBackend(Backend):
    name = "strict"
    xp = _Module()

    @staticmethod
    def owns(array):
        return isinstance(array, DeviceArray)

    def asarray(self, values, dtype=None):
        values = values._values if isinstance(values, DeviceArray) else values
        return DeviceArray(np.array(values, dtype=dtype))

    def to_numpy(self, array):
        return np.array(array._values)

    matmul = backends.CupyBackend.matmul

    def pointwise(self, function, dtype):
        def launch(*arrays):
            # What the CUDA kernel takes for granted.
            for (name, _), array in zip(function.arrays, arrays, strict=True):
                assert array.flags.c_contiguous, f"{function.name}: {name} is strided"
                assert array.dtype == dtype
            function.numpy(*unwrap(arrays))

        return launch


def register() -> None:
    backends.BACKENDS["strict"] = StrictBackend
