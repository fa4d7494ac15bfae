"""Layers without time: `Linear` and `Embedding`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_array, check_call, check_kind, checked_generator, checked_size
from ..backends import Array, Backend
from . import initial
from .base import Gradient, Layer


class Linear(Layer):
    """y = x Wᵀ + b, for the last axis of x.

    Parameters
    ----------
    input_size, output_size : int
        D and K.
    backend, dtype, seed
        As in `LSTM`.

    Attributes
    ----------
    params : dict
        ``weight`` (K, D) and ``bias`` (K,), first uniform in ±1/√D.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        super().__init__(backend, dtype)
        self.input_size = checked_size(input_size, "input_size")
        self.output_size = checked_size(output_size, "output_size")
        rng = checked_generator(seed)
        shapes = self.param_shapes(self.config)
        self._set_params({n: initial.uniform(rng, s, self.input_size) for n, s in shapes.items()})

    @property
    def config(self) -> dict[str, Any]:
        return {"input_size": self.input_size, "output_size": self.output_size}

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        rows, columns = config["output_size"], config["input_size"]
        return {"weight": (rows, columns), "bias": (rows,)}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, Array]:
        """x (..., D) to y (..., K); the trace is x itself."""
        check_call(rng, trace)
        check_array(self.backend, x, "x", ("...", self.input_size), self.dtype)
        return x @ self.params["weight"].T + self.params["bias"], x

    def backward(self, dy: Array, trace: Array) -> Gradient:
        """dW = Σ dy xᵀ, db = Σ dy over all leading axes, dx = dy W."""
        check_array(self.backend, trace, "trace", ("...", self.input_size), self.dtype)
        shape = (*trace.shape[:-1], self.output_size)
        check_array(self.backend, dy, "dy", shape, self.dtype)
        rows = dy.reshape(-1, self.output_size)
        params = {
            "weight": rows.T @ trace.reshape(-1, self.input_size),
            "bias": rows.sum(axis=0),
        }
        return Gradient(dy @ self.params["weight"], params)


@dataclass(frozen=True)
class Lookup:
    """What `Embedding.forward` leaves behind."""

    ids: Array


class Embedding(Layer):
    """A learnt vector for each of a vocabulary's entries.

    Parameters
    ----------
    vocabulary_size, embedding_size : int
        V and E.
    backend, dtype, seed
        As in `LSTM`.

    Attributes
    ----------
    params : dict
        ``weight`` (V, E), first standard normal.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_size: int,
        *,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        super().__init__(backend, dtype)
        self.vocabulary_size = checked_size(vocabulary_size, "vocabulary_size")
        self.embedding_size = checked_size(embedding_size, "embedding_size")
        values = checked_generator(seed).normal(size=(self.vocabulary_size, self.embedding_size))
        self._set_params({"weight": values})

    @property
    def config(self) -> dict[str, Any]:
        return {"vocabulary_size": self.vocabulary_size, "embedding_size": self.embedding_size}

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        return {"weight": (config["vocabulary_size"], config["embedding_size"])}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, Lookup]:
        """Ids (...), whole numbers from 0 to V - 1, to vectors (..., E).

        Raises
        ------
        TypeError, ValueError
            If ``x`` holds anything else.
        """
        check_call(rng, trace)
        self.backend.require(x, "x")
        if x.dtype.kind not in "iu":
            raise TypeError(f"x must hold whole numbers, the entries' ids, not {x.dtype}")
        if x.size and not 0 <= int(x.min()) <= int(x.max()) < self.vocabulary_size:
            raise ValueError(
                f"x must hold ids from 0 to {self.vocabulary_size - 1}, "
                f"got ids from {int(x.min())} to {int(x.max())}"
            )
        return self.params["weight"][x], Lookup(x)

    def backward(self, dy: Array, trace: Lookup) -> Gradient:
        """Each vector's gradient is the sum over the places where it was looked up."""
        check_kind(trace, "trace", Lookup, "what Embedding.forward returned")
        check_array(self.backend, dy, "dy", (*trace.ids.shape, self.embedding_size), self.dtype)
        xp = self.backend.xp
        rows = dy.reshape(-1, self.embedding_size)
        ids = trace.ids.reshape(-1)
        gradient = xp.zeros_like(self.params["weight"])
        xp.add.at(gradient, ids, rows)
        return Gradient(None, {"weight": gradient})
