"""What every layer is: parameters, a forward that returns a trace, a backward that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._validation import checked_dtype
from ..backends import Array, Backend, get_backend
from .parameters import Parameters, write_params


@dataclass
class Gradient:
    """What ``backward`` returns.

    Attributes
    ----------
    x : array or None
        Gradient with respect to the input, of its shape; None where the input is no number.
    params : dict of str to array
        Gradients under the names of the layer's ``params``.
    state : array, tuple of arrays or None
        Gradient with respect to the initial state, of a recurrent layer.
    trace : GradientTrace or None
        With ``keep=True``, of a recurrent layer: the gradients of every step under the names of
        the trace, each (T, B, H). ``hidden`` and ``cell`` are ∂L/∂h_t and ∂L/∂c_t, a gate's is
        ∂L/∂a_t of its pre-activation.
    """

    x: Array | None
    params: dict[str, Array] = field(default_factory=dict)
    state: Any = None
    trace: Any = None


class Layer:
    """Base of all layers.

    A layer has no memory of its calls: ``forward(x, *, lengths=None, rng=None, trace=True)``
    returns the output and a trace, and ``backward(dy, trace)`` reads that trace. ``rng``, a NumPy
    generator, is what makes a call a training call: only with one does dropout drop anything.

    Attributes
    ----------
    params : Parameters
        Arrays by name. They stay the same arrays: optimisers update them in place, and assigning
        ``params[name] = values`` writes into the one of that name, ``params = values`` into all.
    backend : Backend
    dtype : numpy.dtype
    """

    backend: Backend
    dtype: np.dtype
    # A layer of its own kind may take more: a recurrent one a state, attention a memory.
    forward: Callable[..., tuple[Array, Any]]
    backward: Callable[..., Gradient]

    def __init__(self, backend: str | Backend | None, dtype: Any):
        self.backend = get_backend(backend)
        self.dtype = checked_dtype(dtype)
        self._params = Parameters(self.backend, {})

    @property
    def params(self) -> Parameters:
        """The arrays by name."""
        return self._params

    @params.setter
    def params(self, values: Mapping[str, Any]) -> None:
        write_params(self.params, values, self.backend)

    @property
    def config(self) -> dict[str, Any]:
        """The constructor's arguments that define the layer: what a weight file holds."""
        raise NotImplementedError

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        return {}

    def to(self, backend: str | Backend) -> Layer:
        """The same layer, with copies of its parameters, on another backend."""
        other = type(self)(**self.config, backend=backend, dtype=self.dtype)
        host = {name: self.backend.to_numpy(array) for name, array in self.params.items()}
        write_params(other.params, host, other.backend)
        return other

    @classmethod
    def from_params(cls, params: Mapping[str, Any], **arguments: Any) -> Layer:
        """A layer of given parameters, of which it keeps copies.

        Parameters
        ----------
        params : mapping of str to array
            Under the names and in the shapes of the layer's own ``params``; on the host, or on
            the layer's backend.
        **arguments
            The constructor's.

        Raises
        ------
        TypeError, ValueError
            As the constructor, and if a name or a shape is another one.
        """
        layer = cls(**arguments)
        write_params(layer.params, params, layer.backend)
        return layer

    def _set_params(self, values: Mapping[str, np.ndarray]) -> None:
        """Make the parameters, from first values on the host."""
        arrays = {n: self.backend.asarray(v, dtype=self.dtype) for n, v in values.items()}
        self._params = Parameters(self.backend, arrays)

    @property
    def size(self) -> int:
        """How many numbers are learnt."""
        return sum(array.size for array in self.params.values())

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config.items())
        return f"{type(self).__name__}({arguments})"
