"""A layer's parameters, as a whole and as the reader thinks of them: gate by gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

import numpy as np

from .._validation import check_mapping, check_nothing_lost, checked_number
from ..backends import Array, Backend, backend_of


class Parameters(Mapping):
    """Arrays by name, each of which stays the same array for good.

    Assigning writes into the array that is there, so that whoever else holds it, an optimiser or
    the layers of a `Sequential`, sees the new values: ``p[k] = p[k] - rate * g[k]`` trains.

    Parameters
    ----------
    backend : Backend
    arrays : mapping of str to array

    Raises
    ------
    KeyError, TypeError, ValueError
        If what is assigned has a name that is not there, is no array of ``backend``, or has
        another shape than the array of that name.
    """

    def __init__(self, backend: Backend, arrays: Mapping[str, Array]):
        self._backend, self._arrays = backend, dict(arrays)

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __setitem__(self, name: str, values: Array) -> None:
        if name not in self._arrays:
            raise KeyError(f"no parameter {name!r}; there are {', '.join(self._arrays)}")
        array = self._arrays[name]
        if values is array:  # as after params[name] *= 2
            return
        self._backend.require(values, f"params[{name!r}]")
        if values.shape != array.shape:
            raise ValueError(
                f"params[{name!r}] must have shape {tuple(array.shape)}, got {tuple(values.shape)}"
            )
        _check_real(values, f"params[{name!r}]")
        array[...] = values

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __or__(self, other: Mapping[str, Array]) -> dict[str, Array]:
        return self._arrays | dict(other)

    def __ror__(self, other: Mapping[str, Array]) -> dict[str, Array]:
        return dict(other) | self._arrays

    def checksums(self) -> dict[str, int | None]:
        """By name, what `check_unchanged` compares; None on a device, where it would cost time."""
        return {name: self._backend.checksum(array) for name, array in self._arrays.items()}

    def check_unchanged(self, before: Mapping[str, int | None]) -> None:
        """Refuse a trace of other values than these.

        Raises
        ------
        ValueError
            The message names the parameter.
        """
        for name, now in self.checksums().items():
            if None not in (now, before.get(name)) and now != before[name]:
                raise ValueError(
                    f"params[{name!r}] is not what it was when forward made this trace: it was "
                    "changed since, or the trace is another layer's; run forward again"
                )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Another process may have been given arrays that are only to be read, such as joblib's.
        self.__dict__.update(state)
        for name, array in self._arrays.items():
            if not getattr(array.flags, "writeable", True):
                self._arrays[name] = array.copy()

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {tuple(a.shape)}" for name, a in self._arrays.items())
        return f"<parameters: {shapes}>"


@dataclass(eq=False)
class GateParameters:
    """One gate's own rows of the parameters, as views: what is written there, the layer computes.

    ``gate.bias[:] = 3``, ``gate.bias = 3`` and ``gate.bias += 1`` all write into the layer.

    Attributes
    ----------
    weight_x : array (H, D)
    weight_h : array (H, H), or (H, P) with ``proj_size``
    bias : array (H,)
    bias_h : array (H,) or None
        Of the candidate of a `GRU`: what is added to U h, on which the reset gate acts.
    peephole : array (H,) or None
        The weights through which the gate sees the cell state.
    gain_x, gain_h : array (H,) or None
        Those of layer normalisation.
    """

    weight_x: Array
    weight_h: Array
    bias: Array
    bias_h: Array | None = None
    peephole: Array | None = None
    gain_x: Array | None = None
    gain_h: Array | None = None

    def __setattr__(self, name: str, values: Any) -> None:
        known = [each.name for each in fields(self)]
        if name not in known:
            raise AttributeError(f"a gate has no {name!r}; it may have {', '.join(known)}")
        if name not in vars(self):  # the view itself
            super().__setattr__(name, values)
            return
        view = vars(self)[name]
        if view is None:
            raise ValueError(f"this gate has no {name}")
        if values is view:  # as after gate.bias += 1
            return
        check_nothing_lost(values, name)
        values = values if hasattr(values, "shape") else np.asarray(values)
        if values.shape == ():
            view[...] = checked_number(values[()], name)
            return
        if values.shape != view.shape:
            raise ValueError(f"{name} must have shape {view.shape}, got {values.shape}")
        _check_real(values, name)
        view[...] = values

    def __repr__(self) -> str:
        held = {name: value for name, value in vars(self).items() if value is not None}
        return f"<gate: {', '.join(f'{name} {tuple(a.shape)}' for name, a in held.items())}>"


def _check_real(values: Array, name: str) -> None:
    # NumPy would drop an imaginary part with no more than a warning.
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got {values.dtype}")


def shared_memory(arrays: Mapping[str, Array]) -> tuple[str, str] | None:
    """The names of two arrays of which the one changes with the other, if there are such."""
    for (name, array), (other, another) in combinations(arrays.items(), 2):
        backend = backend_of(array, name)
        if backend.owns(another) and backend.xp.shares_memory(array, another):
            return name, other
    return None


def write_params(params: Mapping[str, Array], values: Mapping[str, Any], backend: Backend) -> None:
    """Write arrays, from whichever backend or the host, into parameters.

    Raises
    ------
    TypeError, ValueError
        If a name or a shape is another one or the numbers are not real; nothing is written then.
    """
    check_mapping(values, "params")
    for name, value in values.items():
        check_nothing_lost(value, f"params[{name!r}]")
    arrays = {name: backend.asarray(value) for name, value in values.items()}
    if arrays.keys() != params.keys():
        raise ValueError(
            f"params must be named {', '.join(params)}; got {', '.join(arrays) or 'none'}"
        )
    for name, array in arrays.items():
        if array.shape != params[name].shape:
            raise ValueError(
                f"params[{name!r}] must have shape {tuple(params[name].shape)}, "
                f"got {tuple(array.shape)}"
            )
        _check_real(array, f"params[{name!r}]")
    for name, array in arrays.items():
        params[name][...] = array
