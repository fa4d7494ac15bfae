"""Layers one after another, and the step between a sequence and one answer for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Never

import numpy as np

from .._validation import check_call, check_kind, check_mapping, checked_array
from ..backends import Array, Backend
from .base import Gradient, Layer
from .packing import Packing
from .parameters import Parameters, shared_memory, write_params
from .recurrent import Recurrent
from .trace import Trace


@dataclass(frozen=True)
class Picked:
    """What `LastStep.forward` leaves behind."""

    shape: tuple[int, ...]
    index: tuple  # of the steps that were picked


class LastStep(Layer):
    """Each sequence's own last step: (T, B, H) to (B, H).

    After a bidirectional layer that step's second half has read a single element only: there the
    final states are the better summary, ``trace.state``.
    """

    def __init__(self, *, backend: str | Backend | None = None, dtype: Any = "float32"):
        super().__init__(backend, dtype)

    @property
    def config(self) -> dict[str, Any]:
        return {}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, Picked]:
        """x (T, B, H) to y (B, H); ``lengths`` as in `LSTM.forward`."""
        check_call(rng, trace)
        x = checked_array(self.backend, x, "x", ("T", "B", "H"), self.dtype)
        last = Packing(lengths, *x.shape[:2]).lengths - 1
        index = self.backend.index((last, np.arange(x.shape[1])))
        return x[index], Picked(x.shape, index)

    def backward(self, dy: Array, trace: Picked) -> Gradient:
        """The gradient goes to the steps that were picked, and nowhere else."""
        check_kind(trace, "trace", Picked, "what LastStep.forward returned")
        dy = checked_array(self.backend, dy, "dy", trace.shape[1:], self.dtype)
        dx = self.backend.xp.zeros(trace.shape, self.dtype)
        dx[trace.index] = dy
        return Gradient(dx)


class Sequential(Layer):
    """Layers one after another; every one is given ``lengths`` and ``rng``.

    Parameters
    ----------
    **layers : Layer
        In order, each with a name: ``Sequential(encoder=LSTM(3, 16), last=LastStep(),
        head=Linear(16, 1))``. All on one backend and in one dtype.

    Attributes
    ----------
    layers : mapping of str to Layer
        They stay the same layers.
    params : Parameters
        The layers' own arrays, under ``"encoder.weight_x_l0"`` and so on.

    Raises
    ------
    TypeError, ValueError
        If there is no layer, or they differ in backend or dtype, or two share parameters, or a
        name is empty or holds a dot.
    """

    def __init__(self, /, *unnamed: Never, **layers: Layer):
        given: tuple[Any, ...] = unnamed
        if given:
            raise TypeError(
                "layers need names: Sequential(lstm=LSTM(...), head=Linear(...)), "
                f"not Sequential({', '.join(type(layer).__name__ for layer in given)})"
            )
        if not layers:
            raise ValueError("Sequential needs at least one layer: Sequential(name=layer, ...)")
        for name, layer in layers.items():
            if not isinstance(layer, Layer):
                raise TypeError(f"{name} must be a layer, got {type(layer).__name__}")
            if not name or "." in name:
                raise ValueError(
                    f"a layer's name must not be empty or hold a dot, got {name!r}: the dot stands "
                    "between the names of a layer and of its parameters"
                )
        (first_name, first), *rest = layers.items()
        for name, layer in rest:
            if layer.backend.name != first.backend.name or layer.dtype != first.dtype:
                raise ValueError(
                    f"all layers need one backend and dtype, but {first_name} is "
                    f"{first.backend.name} {first.dtype} and {name} is "
                    f"{layer.backend.name} {layer.dtype}"
                )
        super().__init__(first.backend, first.dtype)
        self._layers = layers
        same = shared_memory(self.params)
        if same is not None:
            raise ValueError(
                f"{same[0]} and {same[1]} share memory. Each layer needs parameters of its own, "
                "for an optimiser would update these twice; build a second layer, or "
                "copy.deepcopy the first"
            )

    @property
    def layers(self) -> Mapping[str, Layer]:
        """The layers by name; they stay the same ones."""
        return MappingProxyType(self._layers)

    @property
    def params(self) -> Parameters:
        """The layers' own arrays by name."""
        arrays = {
            f"{name}.{key}": array
            for name, layer in self._layers.items()
            for key, array in layer.params.items()
        }
        return Parameters(self.backend, arrays)

    @params.setter
    def params(self, values: Mapping[str, Any]) -> None:
        write_params(self.params, values, self.backend)

    @property
    def config(self) -> dict[str, Any]:
        return {
            name: {"class": "Sequential", "layers": layer.config}
            if isinstance(layer, Sequential)
            else {"class": type(layer).__name__, **layer.config}
            for name, layer in self.layers.items()
        }

    def to(self, backend: str | Backend) -> Sequential:
        """The same layers, with copies of their parameters, on another backend."""
        return type(self)(**{name: layer.to(backend) for name, layer in self.layers.items()})

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
        state: Mapping[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Through all layers; the trace is a dict of theirs, by name.

        Parameters
        ----------
        state : mapping of str to state, or None
            Initial states of recurrent layers by the layers' names; those left out begin at zero.
            `final_state` takes them out of a trace, so that a long sequence can be read in pieces.

        Raises
        ------
        TypeError, ValueError
            As the layers do, and if ``state`` names a layer that has none.
        """
        traces = {}
        states = self._checked_states(state)
        for name, layer in self.layers.items():
            more = {"state": states[name]} if name in states else {}
            x, traces[name] = layer.forward(x, lengths=lengths, rng=rng, trace=trace, **more)
        return x, traces

    def _checked_states(self, state: Any) -> Mapping[str, Any]:
        if state is None:
            return {}
        check_mapping(state, "state")
        for name in state:
            layer = self._layers.get(name)
            if not isinstance(layer, (Recurrent, Sequential)):
                recurrent = [n for n, each in self._layers.items() if isinstance(each, Recurrent)]
                raise ValueError(
                    f"state is for {name!r}; the recurrent layers are {', '.join(recurrent)}"
                )
        return state

    @staticmethod
    def final_state(trace: dict[str, Any]) -> dict[str, Any]:
        """The final states of the recurrent layers, by name, out of what ``forward`` returned.

        What comes after it begins there: ``forward(more, state=network.final_state(trace))``.

        Raises
        ------
        ValueError
            If a layer is bidirectional.
        """
        check_kind(trace, "trace", dict, "what Sequential.forward returned")
        states = {}
        for name, own in trace.items():
            if isinstance(own, Trace):
                if own.directions == 2:
                    raise ValueError(
                        f"{name} reads in both directions: what it says of a piece depends on the "
                        "pieces after it, so it cannot be read in pieces"
                    )
                states[name] = own.state
            elif isinstance(own, dict) and (inner := Sequential.final_state(own)):
                states[name] = inner
        return states

    def backward(self, dy: Array, trace: dict[str, Any]) -> Gradient:
        """Back through all layers, last to first."""
        check_kind(trace, "trace", dict, "what Sequential.forward returned")
        if trace.keys() != self.layers.keys():
            raise ValueError(
                f"trace belongs to another network: it holds {', '.join(trace) or 'nothing'}, "
                f"not {', '.join(self.layers)}"
            )
        params = {}
        for name, layer in reversed(self._layers.items()):
            gradient = layer.backward(dy, trace[name])
            params.update({f"{name}.{key}": value for key, value in gradient.params.items()})
            dy = gradient.x
        return Gradient(dy, {name: params[name] for name in self.params})

    def __repr__(self) -> str:
        return f"Sequential({', '.join(f'{n}={layer!r}' for n, layer in self.layers.items())})"
