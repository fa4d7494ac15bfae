"""What stands before the first weight of a tagger: words as several features, and words hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .._validation import (
    check_call,
    check_kind,
    checked_array,
    checked_generator,
    checked_rate,
    checked_size,
)
from ..backends import Array, Backend
from .base import Gradient, Layer
from .dense import Embedding, Lookup
from .packing import inside
from .parameters import Parameters


class FeatureEmbedding(Layer):
    """A learnt vector for each of several features of a place, one beside the other.

    Parameters
    ----------
    vocabulary_sizes, embedding_sizes : sequence of F int
        V and E of each feature's own `Embedding`.
    backend, dtype, seed
        As in `LSTM`.

    Attributes
    ----------
    params : Parameters
        ``weight_0`` (V_0, E_0), ``weight_1`` and so on, first standard normal.
    output_size : int
        ΣE.

    Raises
    ------
    TypeError, ValueError
        If the sizes are none, or not equally many.
    """

    def __init__(
        self,
        vocabulary_sizes: Sequence[int],
        embedding_sizes: Sequence[int],
        *,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        super().__init__(backend, dtype)
        self.vocabulary_sizes = _sizes(vocabulary_sizes, "vocabulary_sizes")
        self.embedding_sizes = _sizes(embedding_sizes, "embedding_sizes")
        if len(self.vocabulary_sizes) != len(self.embedding_sizes):
            raise ValueError(
                "vocabulary_sizes and embedding_sizes must be equally many, one for each feature; "
                f"got {len(self.vocabulary_sizes)} and {len(self.embedding_sizes)}"
            )
        self.output_size = sum(self.embedding_sizes)
        rng = checked_generator(seed)
        pairs = zip(self.vocabulary_sizes, self.embedding_sizes, strict=True)
        self._tables = [
            Embedding(v, e, backend=self.backend, dtype=self.dtype, seed=rng) for v, e in pairs
        ]
        self._params = Parameters(
            self.backend,
            {f"weight_{k}": table.params["weight"] for k, table in enumerate(self._tables)},
        )

    @property
    def config(self) -> dict[str, Any]:
        return {
            "vocabulary_sizes": list(self.vocabulary_sizes),
            "embedding_sizes": list(self.embedding_sizes),
        }

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        pairs = zip(config["vocabulary_sizes"], config["embedding_sizes"], strict=True)
        return {f"weight_{k}": (v, e) for k, (v, e) in enumerate(pairs)}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, list[Lookup]]:
        """Ids (..., F), of each feature whole numbers from 0 to V - 1, to vectors (..., ΣE).

        ``lengths`` as in `Embedding.forward`, of ids (T, B, F).

        Raises
        ------
        TypeError, ValueError
            If ``x`` holds anything else.
        """
        check_call(rng, trace)
        x = self.backend.require(x, "x")
        if x.ndim < 2 or x.shape[-1] != len(self._tables):
            raise ValueError(
                f"x must have shape (..., {len(self._tables)}), an id for each feature; "
                f"got {tuple(x.shape)}"
            )
        found = [
            table.forward(x[..., k], lengths=lengths, rng=rng, trace=trace)
            for k, table in enumerate(self._tables)
        ]
        vectors, traces = zip(*found, strict=True)
        return self.backend.xp.concatenate(list(vectors), axis=-1), list(traces)

    def backward(self, dy: Array, trace: list[Lookup]) -> Gradient:
        """Each feature's part of the gradient goes to its own vectors."""
        check_kind(trace, "trace", list, "what FeatureEmbedding.forward returned")
        if len(trace) != len(self._tables):
            raise ValueError(
                f"trace belongs to another layer, of {len(trace)} features, not to {self!r}"
            )
        dy = checked_array(self.backend, dy, "dy", (*trace[0].shape, self.output_size), self.dtype)
        params, start = {}, 0
        for k, (table, lookup) in enumerate(zip(self._tables, trace, strict=True)):
            part = dy[..., start : start + table.embedding_size]
            params[f"weight_{k}"] = table.backward(part, lookup).params["weight"]
            start += table.embedding_size
        return Gradient(None, params)


class WordDropout(Layer):
    """Hides each word with probability ``rate`` in training: its id becomes that of no word known.

    What stands around the word, and its other features, must then do; and the vector of unknown
    words, which words outside the training text will get, is trained at last. A call is a
    training call if it is given ``rng``.

    Parameters
    ----------
    rate : float in [0, 1)
    unknown : int
        The id of words that are not known.
    feature : int or None
        Which entry of the last axis is the word, of ids (..., F). None: every id is a word.
    backend, dtype
        As in `LSTM`.
    """

    def __init__(
        self,
        rate: float,
        unknown: int = 0,
        feature: int | None = None,
        *,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
    ):
        super().__init__(backend, dtype)
        self.rate = checked_rate(rate, "rate")
        self.unknown = checked_size(unknown, "unknown", least=0)
        self.feature = None if feature is None else checked_size(feature, "feature", least=0)

    @property
    def config(self) -> dict[str, Any]:
        return {"rate": self.rate, "unknown": self.unknown, "feature": self.feature}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, tuple[int, ...]]:
        """Ids to ids of the same shape; what stands past ``lengths`` is passed on as it is.

        Raises
        ------
        TypeError, ValueError
            If ``x`` holds no whole numbers, or has no such feature.
        """
        check_call(rng, trace)
        x = self.backend.require(x, "x")
        if x.dtype.kind not in "iu":
            raise TypeError(f"x must hold whole numbers, the words' ids, not {x.dtype}")
        places = x.shape if self.feature is None else x.shape[:-1]
        if self.feature is not None and not (x.ndim > 1 and self.feature < x.shape[-1]):
            raise ValueError(
                f"x must have a last axis of more than {self.feature} features, "
                f"got shape {tuple(x.shape)}"
            )
        inside(self.backend, places, lengths)  # refuses lengths that do not fit
        if rng is None or not self.rate:
            return x, x.shape
        # Drawn on the host, so that a seed hides the same words on every backend.
        hidden = rng.random(places, dtype=np.float32) < self.rate
        if self.feature is not None:
            hidden = hidden[..., None] & (np.arange(x.shape[-1]) == self.feature)
        return self.backend.xp.where(self.backend.asarray(hidden), self.unknown, x), x.shape

    def backward(self, dy: None, trace: tuple[int, ...]) -> Gradient:
        """Nothing comes back to ids: ``dy`` is None, the gradient that embeddings give theirs."""
        check_kind(dy, "dy", type(None), "None, as ids have no gradient")
        check_kind(trace, "trace", tuple, "what WordDropout.forward returned")
        return Gradient(None)


def _sizes(values: Any, name: str) -> tuple[int, ...]:
    check_kind(values, name, Iterable, "a sequence of whole numbers, one for each feature")
    sizes = tuple(checked_size(value, f"{name}[{k}]") for k, value in enumerate(values))
    if not sizes:
        raise ValueError(f"{name} must hold at least one size")
    return sizes
