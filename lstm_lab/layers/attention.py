"""Attention: a weighted mean of a memory, whose weights follow from a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from .._validation import (
    check_call,
    check_kind,
    checked_array,
    checked_choice,
    checked_generator,
    checked_number,
    checked_size,
)
from ..backends import Array, Backend
from . import initial
from .base import Gradient, Layer
from .packing import Packing

Params = dict[str, Array]


@dataclass
class AttentionGradient(Gradient):
    """What `Attention.backward` returns.

    Attributes
    ----------
    x : array (Tq, B, Q)
        Gradient with respect to the query.
    memory : array (Tm, B, M)
        Gradient with respect to the memory; zero in its padding.
    params : dict of str to array
    """

    memory: Array = field(kw_only=True)


@dataclass(frozen=True)
class AttentionTrace:
    """What `Attention.forward` did, and what its ``backward`` reads.

    Attributes
    ----------
    weights : array (Tq, B, Tm)
        How much each step of the query looks at each step of the memory: positive, exactly zero
        in the padding, and 1 in sum over the last axis.
    score : str
        The score that they were computed with.
    query, memory : array (B, Tq, Q) and (B, Tm, M), or None
        The inputs, sequences first, the memory with zeros for its padding. None if the trace was
        not kept.
    kept : array or None
        What else the score's gradient needs.
    checksums : dict
        Of the parameters, by which a change shows.
    """

    weights: Array
    score: str
    query: Array = None
    memory: Array = None
    kept: Array = None
    checksums: dict[str, int | None] = field(default_factory=dict)


class _Dot:
    """qᵀ m."""

    @staticmethod
    def shapes(query: int, memory: int, hidden: int | None) -> dict[str, tuple[int, ...]]:
        return {}

    @staticmethod
    def forward(xp: Any, params: Params, query: Array, memory: Array) -> tuple[Array, None]:
        """Scores (B, Tq, Tm) of (B, Tq, Q) and (B, Tm, M), and what ``backward`` needs."""
        return query @ memory.transpose(0, 2, 1), None

    @staticmethod
    def backward(
        params: Params, query: Array, memory: Array, kept: None, d: Array
    ) -> tuple[Array, Array, Params]:
        """From the scores' gradient to those of query, memory and parameters."""
        return d @ memory, d.transpose(0, 2, 1) @ query, {}


class _General:
    """qᵀ W m: a dot product after W has taken the query into the memory's space."""

    @staticmethod
    def shapes(query: int, memory: int, hidden: int | None) -> dict[str, tuple[int, ...]]:
        return {"weight": (query, memory)}

    @staticmethod
    def forward(xp: Any, params: Params, query: Array, memory: Array) -> tuple[Array, Array]:
        projected = _times(query, params["weight"])
        return projected @ memory.transpose(0, 2, 1), projected

    @staticmethod
    def backward(
        params: Params, query: Array, memory: Array, kept: Array, d: Array
    ) -> tuple[Array, Array, Params]:
        dprojected = d @ memory
        return (
            _times(dprojected, params["weight"].T),
            d.transpose(0, 2, 1) @ kept,
            {"weight": _rows(query).T @ _rows(dprojected)},
        )


class _Additive:
    """vᵀ tanh(W q + U m): a network with one hidden layer."""

    @staticmethod
    def shapes(query: int, memory: int, hidden: int) -> dict[str, tuple[int, ...]]:
        return {
            "weight_query": (hidden, query),
            "weight_memory": (hidden, memory),
            "weight_score": (hidden,),
        }

    @staticmethod
    def forward(xp: Any, params: Params, query: Array, memory: Array) -> tuple[Array, Array]:
        a = _times(query, params["weight_query"].T)
        b = _times(memory, params["weight_memory"].T)
        hidden = xp.tanh(a[:, :, None] + b[:, None])  # (B, Tq, Tm, H)
        return _times(hidden, params["weight_score"]), hidden

    @staticmethod
    def backward(
        params: Params, query: Array, memory: Array, kept: Array, d: Array
    ) -> tuple[Array, Array, Params]:
        dhidden = (1 - kept * kept) * params["weight_score"] * d[..., None]
        da, db = dhidden.sum(axis=2), dhidden.sum(axis=1)
        return (
            _times(da, params["weight_query"]),
            _times(db, params["weight_memory"]),
            {
                "weight_query": _rows(da).T @ _rows(query),
                "weight_memory": _rows(db).T @ _rows(memory),
                "weight_score": d.reshape(-1) @ _rows(kept),
            },
        )


def _rows(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1])


def _times(array: Array, weight: Array) -> Array:
    """array (..., D) times a matrix or vector, in one product for all leading axes."""
    return (_rows(array) @ weight).reshape(*array.shape[:-1], *weight.shape[1:])


class Attention(Layer):
    """Looks up a memory: for each step of the query, a weighted mean of the memory's steps.

    For each step t of the query q and each step s of the memory m::

        e_ts = scale · score(q_t, m_s)
        a_ts = exp(e_ts) / Σ_u exp(e_tu)        attention weights
        y_t  = Σ_s a_ts m_s                     context

    with one of the scores::

        qᵀ m                    "dot", Luong et al. 2015, equation (8)
        qᵀ W m                  "general", the same
        vᵀ tanh(W q + U m)      "additive", Bahdanau et al. 2015, appendix A.1.2

    Luong, Pham & Manning 2015, doi:10.18653/v1/D15-1166; Bahdanau, Cho & Bengio 2015,
    arXiv:1409.0473.

    Parameters
    ----------
    query_size, memory_size : int
        Q and M; a "dot" needs them to be equal.
    score : {"dot", "general", "additive"}
    hidden_size : int or None
        H, the width of the additive score's hidden layer. None, and only None, for the others.
    scale : float
        1 in the papers above. 1/√M keeps the variance of a "dot" that of its factors (Vaswani et
        al. 2017, arXiv:1706.03762).
    backend, dtype, seed
        As in `LSTM`.

    Attributes
    ----------
    params : dict of str to array
        Empty for "dot"; ``weight`` (Q, M) for "general"; ``weight_query`` (H, Q),
        ``weight_memory`` (H, M) and ``weight_score`` (H,) for "additive".

    Raises
    ------
    ValueError
        If a size, the score or the scale is not one of these.

    Examples
    --------
    >>> import numpy as np
    >>> attention = Attention(query_size=4, memory_size=6, score="general", seed=0)
    >>> query, memory = np.ones((3, 2, 4), "float32"), np.ones((5, 2, 6), "float32")
    >>> context, trace = attention.forward(query, memory, lengths=[5, 2])
    >>> context.shape, trace.weights.shape
    ((3, 2, 6), (3, 2, 5))
    >>> trace.weights[0, 1].tolist()
    [0.5, 0.5, 0.0, 0.0, 0.0]
    """

    scores: ClassVar[dict[str, Any]] = {"dot": _Dot, "general": _General, "additive": _Additive}

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        score: str = "dot",
        hidden_size: int | None = None,
        scale: float = 1.0,
        *,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
        seed: Any = None,
    ):
        super().__init__(backend, dtype)
        self.query_size = checked_size(query_size, "query_size")
        self.memory_size = checked_size(memory_size, "memory_size")
        self.score = score = checked_choice(score, "score", tuple(self.scores))
        if score == "dot" and self.query_size != self.memory_size:
            raise ValueError(
                "score='dot' needs query_size and memory_size to be equal, "
                f"got {self.query_size} and {self.memory_size}; score='general' does not"
            )
        self.hidden_size: int | None = None
        if score == "additive":
            self.hidden_size = checked_size(hidden_size, "hidden_size of score='additive'")
        elif hidden_size is not None:
            raise ValueError(f"score={score!r} has no hidden_size, but got {hidden_size!r}")
        self.scale = checked_number(scale, "scale", low=0, above=True)
        rng = checked_generator(seed)
        shapes = self.param_shapes(self.config)
        self._set_params({n: initial.uniform(rng, s, fan=s[-1]) for n, s in shapes.items()})

    @property
    def config(self) -> dict[str, Any]:
        return {
            "query_size": self.query_size,
            "memory_size": self.memory_size,
            "score": self.score,
            "hidden_size": self.hidden_size,
            "scale": self.scale,
        }

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        score = cls.scores[config["score"]]
        return score.shapes(config["query_size"], config["memory_size"], config["hidden_size"])

    def forward(
        self,
        query: Array,
        memory: Array,
        lengths: Any = None,
        *,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, AttentionTrace]:
        """Look up all steps of the query at once.

        Steps of the query do not see each other: a decoder may bring one at a time, and a padded
        query needs no lengths as long as its padding is finite and ``dy`` is zero there.

        Parameters
        ----------
        query : array (Tq, B, Q)
        memory : array (Tm, B, M)
            Such as the output of a recurrent layer. The trace refers to both: leave them as they
            are until after ``backward``.
        lengths : sequence of B ints, or None
            The memory's, as in `LSTM.forward`. What stands in its padding has no influence.
        rng : numpy.random.Generator or None
            Nothing is drawn.
        trace : bool
            False keeps only the weights.

        Returns
        -------
        context : array (Tq, B, M)
        trace : AttentionTrace

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type, shape, dtype or backend.
        """
        check_call(rng, trace)
        query = checked_array(
            self.backend, query, "query", ("Tq", "B", self.query_size), self.dtype
        )
        batch = query.shape[1]
        memory = checked_array(
            self.backend, memory, "memory", ("Tm", batch, self.memory_size), self.dtype
        )
        xp, steps = self.backend.xp, memory.shape[0]
        packing = Packing(lengths, steps, batch)
        q, m = query.transpose(1, 0, 2), memory.transpose(1, 0, 2)
        if packing.ragged:
            valid = self.backend.asarray(np.arange(steps) < packing.lengths[:, None])
            # Zeros, since a weight of zero does not make NaN harmless.
            m = xp.where(valid[:, :, None], m, 0)
        with self.backend.multiplying(self._operations(q, m)):
            scores, kept = self.scores[self.score].forward(xp, self.params, q, m)
        scores *= self.scale
        if packing.ragged:
            scores = xp.where(valid[:, None], scores, -np.inf)
        # The largest of each row moves to 0, where exp cannot overflow.
        scores -= scores.max(axis=-1, keepdims=True)
        weights = xp.exp(scores, out=scores)
        weights /= weights.sum(axis=-1, keepdims=True)
        shown = weights.transpose(1, 0, 2)
        needed = (q, m, kept, self.params.checksums()) if trace else ()
        found = AttentionTrace(shown, self.score, *needed)
        with self.backend.multiplying(self._operations(q, m)):
            context = weights @ m
        return xp.ascontiguousarray(context.transpose(1, 0, 2)), found

    def backward(self, dy: Array, trace: AttentionTrace) -> AttentionGradient:
        """From the context's gradient to those of query, memory and parameters.

        With D = dy_tᵀ m_s, the gradient of the weight a_ts, the softmax gives the scores
        ``de_ts = a_ts (D_ts - Σ_u a_tu D_tu)``.

        Parameters
        ----------
        dy : array (Tq, B, M)
        trace : AttentionTrace

        Returns
        -------
        AttentionGradient
            ``x`` (Tq, B, Q), the query's; ``memory`` (Tm, B, M); ``params``. Where the memory is
            the query, the sum of the first two is its gradient.

        Raises
        ------
        TypeError, ValueError
            If ``dy`` does not fit, or the trace holds only the weights or belongs to another
            layer, or a parameter was changed since (seen on the host alone).
        """
        self._check_trace(trace)
        q, m = trace.query, trace.memory
        shape = (q.shape[1], q.shape[0], self.memory_size)
        dy = checked_array(self.backend, dy, "dy", shape, self.dtype)
        weights, d = trace.weights.transpose(1, 0, 2), dy.transpose(1, 0, 2)
        score = self.scores[self.score]
        with self.backend.multiplying(self._operations(q, m)):
            dscores = d @ m.transpose(0, 2, 1)
            dscores *= weights
            dscores -= weights * dscores.sum(axis=-1, keepdims=True)
            dscores *= self.scale
            dq, dm, params = score.backward(self.params, q, m, trace.kept, dscores)
            dm += weights.transpose(0, 2, 1) @ d
        contiguous = self.backend.xp.ascontiguousarray
        return AttentionGradient(
            contiguous(dq.transpose(1, 0, 2)),
            params,
            memory=contiguous(dm.transpose(1, 0, 2)),
        )

    def _operations(self, query: Array, memory: Array) -> int:
        """Of the largest product that is not one of many: W q or U m, or one sequence's scores."""
        width = self.hidden_size or self.memory_size
        each = query.shape[1] * memory.shape[1] * self.memory_size
        return 2 * max(query.size * width, memory.size * width, each)

    def _check_trace(self, trace: Any) -> None:
        check_kind(trace, "trace", AttentionTrace, "what Attention.forward returned")
        if trace.memory is None:
            raise ValueError(
                "this trace holds only the weights: it came from forward(..., trace=False); "
                "call forward without trace=False to go backward"
            )
        sizes = trace.query.shape[-1], trace.memory.shape[-1]
        hidden = trace.kept.shape[-1] if trace.score == "additive" else None
        own = self.query_size, self.memory_size
        if (trace.score, sizes, hidden) != (self.score, own, self.hidden_size):
            raise ValueError(
                f"trace belongs to another layer (score={trace.score!r}, query and memory of "
                f"sizes {sizes}, hidden_size={hidden}), not to {self!r}"
            )
        self.params.check_unchanged(trace.checksums)
