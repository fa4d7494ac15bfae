"""Layers without time: `Linear` and `Embedding`.

With ``lengths`` they leave out the padding all the same: what stands there has no influence,
NaN included, their output there is 0, and nothing is computed for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_call, check_kind, checked_array, checked_generator, checked_size
from ..backends import Array, Backend
from . import initial
from .base import Gradient, Layer
from .packing import inside


@dataclass(frozen=True)
class LinearTrace:
    """What `Linear.forward` leaves behind.

    Attributes
    ----------
    x : array (..., D), or (n, ..., D)
        The input; of a padded batch what is no padding.
    shape : tuple of int
        The whole input's.
    index : tuple or None
        Where in the input ``x`` stood; None where nothing is padded.
    checksums : dict
        Of the parameters, by which a change shows.
    """

    x: Array
    shape: tuple[int, ...]
    index: tuple | None
    checksums: dict[str, int | None]


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
    ) -> tuple[Array, LinearTrace]:
        """x (..., D) to y (..., K).

        Parameters
        ----------
        x : array (..., D)
            The trace refers to it: leave it as it is until after ``backward``.
        lengths : sequence of B ints, or None
            Of x (T, B, ..., D), as in `LSTM.forward`; y is 0 past each sequence's end.
        rng : numpy.random.Generator or None
            Nothing is drawn.
        trace : bool
            False does not watch the parameters.

        Returns
        -------
        y : array (..., K)
        trace : LinearTrace
        """
        check_call(rng, trace)
        x = checked_array(self.backend, x, "x", ("...", self.input_size), self.dtype)
        index = inside(self.backend, x.shape[:-1], lengths)
        rows = x if index is None else x[index]
        weight = self.params["weight"]
        # All leading axes are one: a single product, not one for each step.
        with self.backend.multiplying(2 * rows.size * self.output_size):
            y = rows.reshape(-1, self.input_size) @ weight.T
        y += self.params["bias"]
        if index is None:
            y = y.reshape(*x.shape[:-1], self.output_size)
        else:
            found, y = y, self.backend.xp.zeros((*x.shape[:-1], self.output_size), self.dtype)
            y[index] = found.reshape(*rows.shape[:-1], self.output_size)
        return y, LinearTrace(rows, x.shape, index, self.params.checksums() if trace else {})

    def backward(self, dy: Array, trace: LinearTrace) -> Gradient:
        """dW = Σ dy xᵀ, db = Σ dy over all leading axes, dx = dy W; without the padding.

        Raises
        ------
        TypeError, ValueError
            If ``dy`` does not fit, or the trace belongs to another layer, or a parameter was
            changed since (seen on the host alone).
        """
        check_kind(trace, "trace", LinearTrace, "what Linear.forward returned")
        if trace.shape[-1] != self.input_size:
            raise ValueError(
                f"trace belongs to another layer, of input_size={trace.shape[-1]}, not to {self!r}"
            )
        shape = (*trace.shape[:-1], self.output_size)
        dy = checked_array(self.backend, dy, "dy", shape, self.dtype)
        self.params.check_unchanged(trace.checksums)
        d = dy if trace.index is None else dy[trace.index]
        rows = d.reshape(-1, self.output_size)
        with self.backend.multiplying(2 * rows.size * self.input_size):
            params = {
                "weight": rows.T @ trace.x.reshape(-1, self.input_size),
                "bias": rows.sum(axis=0),
            }
            dx = (rows @ self.params["weight"]).reshape(trace.x.shape)
        if trace.index is not None:
            found, dx = dx, self.backend.xp.zeros(trace.shape, self.dtype)
            dx[trace.index] = found
        return Gradient(dx, params)


@dataclass(frozen=True)
class Lookup:
    """What `Embedding.forward` leaves behind: of a padded batch, the ids that are no padding."""

    ids: Array
    shape: tuple[int, ...]
    index: tuple | None


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

        With ``lengths``, of ids (T, B, ...), anything may stand past a sequence's end; the
        vectors there are 0.

        Raises
        ------
        TypeError, ValueError
            If ``x`` holds anything else.
        """
        check_call(rng, trace)
        x = self.backend.require(x, "x")
        if x.dtype.kind not in "iu":
            raise TypeError(f"x must hold whole numbers, the entries' ids, not {x.dtype}")
        index = inside(self.backend, x.shape, lengths)
        ids = x if index is None else x[index]
        if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < self.vocabulary_size:
            raise ValueError(
                f"x must hold ids from 0 to {self.vocabulary_size - 1}, "
                f"got ids from {int(ids.min())} to {int(ids.max())}"
            )
        found = self.params["weight"][ids]
        if index is not None:
            rows, found = found, self.backend.xp.zeros((*x.shape, self.embedding_size), self.dtype)
            found[index] = rows
        return found, Lookup(ids, x.shape, index)

    def backward(self, dy: Array, trace: Lookup) -> Gradient:
        """Each vector's gradient is the sum over the places where it was looked up."""
        check_kind(trace, "trace", Lookup, "what Embedding.forward returned")
        shape = (*trace.shape, self.embedding_size)
        dy = checked_array(self.backend, dy, "dy", shape, self.dtype)
        xp = self.backend.xp
        d = dy if trace.index is None else dy[trace.index]
        size = self.embedding_size
        gradient = xp.zeros(self.vocabulary_size * size, self.dtype)
        # The same sums in the same order as `add.at` of whole vectors, which for NumPy is the
        # slow case: entry by entry it took a fifth of the time.
        places = trace.ids.reshape(-1, 1) * size + xp.arange(size)
        xp.add.at(gradient, places.reshape(-1), d.reshape(-1))
        return Gradient(None, {"weight": gradient.reshape(self.vocabulary_size, size)})
