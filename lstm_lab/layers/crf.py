"""The last layer of a tagger whose tags know of each other: from tags' scores to edges' scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_call, check_kind, checked_array, checked_size, plain_array
from ..backends import Array, Backend
from .base import Gradient, Layer
from .packing import Packing


@dataclass(frozen=True)
class CRFTrace:
    """What `CRF.forward` leaves behind: the sequences' lengths and the batch's shape."""

    shape: tuple[int, ...]
    lengths: np.ndarray


class CRF(Layer):
    """Scores of all edges between neighbouring tags, for the loss `losses.crf`.

    To the scores x of the tags a linear-chain conditional random field adds how well two
    neighbours go together, whatever the words (Lample et al. 2016, doi:10.18653/v1/N16-1030,
    section 2.2)::

        y_t(j, k) = x_t(k) + transition(j, k)           y_0(·, k) = x_0(k) + start(k)

    and at each sequence's last step ``+ end(k)``. `decoding.viterbi` finds the best row of tags.

    Parameters
    ----------
    num_tags : int
        K.
    allowed : array of bool (K + 1, K + 1), or None
        Entry (j, k): may tag k follow tag j? The last row says which tags may begin a sequence,
        the last column which may end it. What may not be has a score of -inf, and is not learnt.
        `decoding.legal_bio` makes one. None: everything may be.
    backend, dtype
        As in `LSTM`.

    Attributes
    ----------
    params : dict of str to array
        ``transition`` (K, K), from tag to tag; ``start`` and ``end`` (K,). First 0: all rows of
        tags are then scored as if the tags did not know of each other, and it is nothing but a
        softmax for each step, with what is not allowed left out.

    Raises
    ------
    TypeError, ValueError
        If ``num_tags`` or ``allowed`` is none.
    """

    def __init__(
        self,
        num_tags: int,
        allowed: Any = None,
        *,
        backend: str | Backend | None = None,
        dtype: Any = "float32",
    ):
        super().__init__(backend, dtype)
        self.num_tags = checked_size(num_tags, "num_tags")
        self.allowed = None if allowed is None else checked_allowed(allowed, self.num_tags)
        shapes = self.param_shapes(self.config)
        self._set_params({name: np.zeros(shape) for name, shape in shapes.items()})

    @property
    def config(self) -> dict[str, Any]:
        allowed = None if self.allowed is None else self.allowed.tolist()
        return {"num_tags": self.num_tags, "allowed": allowed}

    @classmethod
    def param_shapes(cls, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that a layer of this configuration has."""
        tags = config["num_tags"]
        return {"transition": (tags, tags), "start": (tags,), "end": (tags,)}

    def forward(
        self,
        x: Array,
        *,
        lengths: Any = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, CRFTrace]:
        """Scores of tags x (T, B, K) to scores of edges y (T, B, K, K).

        Parameters
        ----------
        x : array (T, B, K)
        lengths : sequence of B ints, or None
            As in `LSTM.forward`; y is 0 past each sequence's end.
        rng : numpy.random.Generator or None
            Nothing is drawn.
        trace : bool

        Returns
        -------
        y : array (T, B, K, K)
            From tag (third axis) to tag (fourth); all rows of step 0 are the same.
        trace : CRFTrace
        """
        check_call(rng, trace)
        x = checked_array(self.backend, x, "x", ("T", "B", self.num_tags), self.dtype)
        chain = {name: self._masked(name, array) for name, array in self.params.items()}
        lengths = Packing(lengths, *x.shape[:2]).lengths
        return edge_scores(self.backend, x, lengths, **chain), CRFTrace(x.shape, lengths)

    def backward(self, dy: Array, trace: CRFTrace) -> Gradient:
        """Each parameter's gradient is the sum over the edges that it was added to."""
        check_kind(trace, "trace", CRFTrace, "what CRF.forward returned")
        if trace.shape[2] != self.num_tags:
            raise ValueError(
                f"trace belongs to another layer, of num_tags={trace.shape[2]}, not to {self!r}"
            )
        shape = (*trace.shape, self.num_tags)
        dy = checked_array(self.backend, dy, "dy", shape, self.dtype)
        steps, batch, _ = trace.shape
        xp, running = self.backend.xp, np.arange(steps)[:, None] < trace.lengths
        dy = xp.where(self.backend.asarray(running)[:, :, None, None], dy, 0)
        dx = dy.sum(axis=2)
        last = self.backend.index((trace.lengths - 1, np.arange(batch)))
        found = {
            "transition": dy[1:].sum(axis=(0, 1)),
            "start": dx[0].sum(axis=0),
            "end": dx[last].sum(axis=0),
        }
        return Gradient(dx, {n: self._masked(n, d, instead=0.0) for n, d in found.items()})

    def _masked(self, name: str, array: Array, instead: float = -np.inf) -> Array:
        """One of the parameters, or its gradient, without what is not allowed."""
        if self.allowed is None:
            return array
        part: dict[str, Any] = {
            "transition": np.s_[:-1, :-1],
            "start": np.s_[-1, :-1],
            "end": np.s_[:-1, -1],
        }
        allowed = self.backend.asarray(self.allowed[part[name]])
        return self.backend.xp.where(allowed, array, self.dtype.type(instead))

    def __repr__(self) -> str:
        forbids = "" if self.allowed is None else f", {int((~self.allowed).sum())} forbidden"
        return f"CRF({self.num_tags}{forbids})"


def edge_scores(
    backend: Backend, x: Array, lengths: np.ndarray, transition: Array, start: Array, end: Array
) -> Array:
    """The sums of `CRF`: y (T, B, K, K) of x (T, B, K), 0 past the ``lengths`` (B,)."""
    steps, batch, _ = x.shape
    y = x[:, :, None, :] + transition
    y[0] = (x[0] + start)[:, None, :]
    last = backend.index((lengths - 1, np.arange(batch)))
    y[last] += end
    running = backend.asarray(np.arange(steps)[:, None] < lengths)
    return backend.xp.where(running[:, :, None, None], y, 0)


def checked_allowed(allowed: Any, num_tags: int) -> np.ndarray:
    """A mask (K + 1, K + 1) of which tag may follow which, as `CRF` takes it.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    mask = plain_array(allowed, "allowed")
    if mask.dtype != bool:
        raise TypeError(f"allowed must hold booleans, got {mask.dtype}")
    if mask.shape != (num_tags + 1, num_tags + 1):
        raise ValueError(
            f"allowed must have shape ({num_tags + 1}, {num_tags + 1}): a row and a column for "
            f"each of {num_tags} tags, and the last ones for start and end; got {mask.shape}"
        )
    return mask
