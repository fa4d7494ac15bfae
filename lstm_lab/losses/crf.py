"""Linear-chain conditional random field: one probability for a whole row of tags.

Lafferty, McCallum & Pereira 2001. Every edge of the lattice, from tag j at step t - 1 to tag k at
step t, has a score e_t(j, k). A row of tags is a path, and its score is the sum over its edges::

    s(y) = Σ_t e_t(y_{t-1}, y_t)        p(y) = exp s(y) / Z        Z = Σ_y' exp s(y')

The sum Z runs over all Kᵀ paths; the forward algorithm adds them up in T · K² steps, since what
comes later depends on the tag before alone. `lstm_lab.layers.CRF` makes edges from a network's
scores; any other array of them will do as well.

Dimension letters: T steps, B sequences, K tags.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import checked_lengths
from ..backends import Array, Backend
from .elementwise import checked_prediction
from .mean import Mean

NEVER = -1e30
"""The logarithm of 0 in the lattice: finite, so that a difference of two of them is no NaN."""


@dataclass(frozen=True)
class CRFLattice:
    """All rows of tags, summed by where they pass. All arrays are float64.

    Attributes
    ----------
    log_alpha : array (T, B, K)
        All beginnings that end in tag k at step t, the edge into it included.
    log_beta : array (T, B, K)
        All continuations from tag k at step t to the end of the sequence; 0 at its last step.
    log_partition : array (B,)
        log Z.
    edge_marginal : array (T, B, K, K)
        p(y_{t-1} = j, y_t = k), the gradient of log Z with respect to the edges. At step 0, where
        no tag is before, all of it lies in the row j = 0. 0 in the padding.
    """

    log_alpha: Array
    log_beta: Array
    log_partition: Array
    edge_marginal: Array

    @property
    def marginal(self) -> Array:
        """p(y_t = k), (T, B, K): 1 in sum over the tags of every step, 0 in the padding."""
        return self.edge_marginal.sum(axis=2)


def crf(scores: Array, target: Array, lengths: Any = None) -> tuple[Mean, Array]:
    """The mean of -ln p(target) over the sequences, in nats.

    The gradient is what the model expects of an edge less what the target says of it::

        d(-ln p) / de_t(j, k) = p(y_{t-1} = j, y_t = k) - [target takes this edge]

    Parameters
    ----------
    scores : array (T, B, K, K)
        Of every edge, from tag (third axis) to tag (fourth). -inf forbids an edge. At step 0 no
        tag is before: its row 0 holds the scores to begin with, its other rows are not read. What
        stands past ``lengths`` has no influence, NaN included.
    target : array of int (T, B)
        The right tags, 0 to K - 1; past ``lengths`` anything.
    lengths : sequence of B ints, or None
        Steps of each sequence, 1 to T; None: all have T.

    Returns
    -------
    loss : Mean
        Its weight is B.
    gradient : array (T, B, K, K)
        0 past ``lengths``.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit each other, or a target takes a forbidden edge: its loss is
        infinite and has no gradient. The message says which.

    Examples
    --------
    >>> import numpy as np
    >>> loss, gradient = crf(np.zeros((3, 1, 2, 2)), np.array([[0], [1], [1]]))
    >>> round(float(np.exp(-loss)), 6)  # one of the eight rows of two tags
    0.125
    """
    problem = _Problem.check(scores, lengths)
    path = problem.edges_of(target)
    lattice = problem.lattice()
    backend, xp, batch = problem.backend, problem.backend.xp, problem.batch
    on_path = xp.where(problem.valid, problem.edges[path], 0)
    value = float((lattice.log_partition - on_path.sum(axis=0)).sum()) / batch
    gradient = lattice.edge_marginal
    gradient[path] -= problem.valid
    return Mean(value, batch), (gradient / batch).astype(backend.require(scores, "scores").dtype)


def crf_lattice(scores: Array, lengths: Any = None) -> CRFLattice:
    """The lattice behind `crf`: α, β, log Z, and the marginals of edges and tags.

    Parameters
    ----------
    scores, lengths
        As in `crf`.

    Returns
    -------
    CRFLattice

    Raises
    ------
    TypeError, ValueError
        As `crf`; and if every path of a sequence takes a forbidden edge.
    """
    problem = _Problem.check(scores, lengths)
    lattice = problem.lattice()
    blocked = problem.backend.to_numpy(lattice.log_partition) < NEVER / 2
    if blocked.any():
        raise ValueError(
            f"scores forbid every path of sequence {int(blocked.argmax())}: all have an edge "
            "of -inf"
        )
    return lattice


def log_sum_exp(xp: Any, values: Array, axis: int) -> Array:
    """log Σ exp over an axis; the largest is taken off first, so that nothing overflows."""
    most = values.max(axis=axis, keepdims=True)
    return xp.squeeze(most, axis) + xp.log(xp.exp(values - most).sum(axis=axis))


def forward(xp: Any, edges: Array, gather: Callable[..., Array]) -> Array:
    """The one loop of the lattice: what ``gather`` makes of all ways into each tag, (T, B, K).

    With `log_sum_exp` it is the forward algorithm, log α; with ``max`` it is Viterbi's.

    Parameters
    ----------
    edges : array (T, B, K, K)
    gather : callable
        ``gather(xp, ways, axis)``, of ways (B, K, K) over the tag that they come from.
    """
    reach = xp.empty((*edges.shape[:2], edges.shape[3]), edges.dtype)
    reach[0] = edges[0, :, 0]
    for t in range(1, len(edges)):
        reach[t] = gather(xp, reach[t - 1][:, :, None] + edges[t], 1)
    return reach


def backward(xp: Any, edges: Array, valid: Array) -> Array:
    """log β (T, B, K): the same loop from the end; ``valid`` (T, B) says where a sequence runs."""
    after = xp.zeros((*edges.shape[:2], edges.shape[3]), edges.dtype)
    for t in range(len(edges) - 2, -1, -1):
        ways = log_sum_exp(xp, edges[t + 1] + after[t + 1][:, None, :], 2)
        after[t] = xp.where(valid[t + 1][:, None], ways, 0)
    return after


def checked_edges(scores: Any, lengths: Any) -> tuple[Backend, Array, np.ndarray]:
    """The backend of scores (T, B, K, K), the scores, and the lengths (B,) on the host.

    Raises
    ------
    TypeError, ValueError
        If they are none.
    """
    backend, scores = checked_prediction(scores, "scores")
    if scores.ndim != 4 or scores.shape[2] != scores.shape[3]:
        raise ValueError(
            "scores must have shape (T, B, K, K), of every edge from tag to tag, as the layer CRF "
            f"puts them out; got {tuple(scores.shape)}"
        )
    return backend, scores, checked_lengths(lengths, *scores.shape[:2])


@dataclass(frozen=True)
class _Problem:
    """Edges in float64, without NaN or -inf for padding or forbidden; lengths on the host."""

    backend: Backend
    edges: Array  # (T, B, K, K)
    lengths: np.ndarray  # (B,)
    valid: Array  # (T, B), True before each sequence's end

    @classmethod
    def check(cls, scores: Any, lengths: Any) -> _Problem:
        backend, scores, lengths = checked_edges(scores, lengths)
        xp, valid = backend.xp, np.arange(len(scores))[:, None] < lengths
        running = backend.asarray(valid)
        # float64: over hundreds of steps sums of logarithms outgrow float32's digits.
        edges = xp.where(running[:, :, None, None], scores, 0).astype("float64")
        return cls(backend, xp.maximum(edges, NEVER), lengths, running)

    @property
    def batch(self) -> int:
        return len(self.lengths)

    def edges_of(self, target: Any) -> tuple:
        """An index of the target's edges, (T, B); refuses what is no tag, and forbidden edges."""
        target = self.backend.to_numpy(self.backend.require(target, "target"))
        steps, batch, tags, _ = self.edges.shape
        if target.dtype.kind not in "iu":
            raise TypeError(f"target must hold whole numbers, the tags, not {target.dtype}")
        if target.shape != (steps, batch):
            raise ValueError(f"target must have shape ({steps}, {batch}), got {target.shape}")
        t, b = np.ogrid[:steps, :batch]
        inside = t < self.lengths
        wrong = np.argwhere(inside & ((target < 0) | (target >= tags)))
        if wrong.size:
            at = tuple(wrong[0])
            raise ValueError(
                f"target must hold tags from 0 to {tags - 1}, got {target[at]} at step {at[0]} of "
                f"sequence {at[1]}"
            )
        tag = np.where(inside, target, 0)
        before = np.concatenate([np.zeros((1, batch), tag.dtype), tag[:-1]])
        index = self.backend.index((t, b, before, tag))
        blocked = np.argwhere(self.backend.to_numpy(self.edges[index]) <= NEVER)
        if blocked.size:
            step, row = blocked[0]
            came = f"tag {before[step, row]} to" if step else "the start to"
            raise ValueError(
                f"target takes a forbidden edge, whose score is -inf: from {came} tag "
                f"{tag[step, row]} at step {step} of sequence {row}"
            )
        return index

    def lattice(self) -> CRFLattice:
        backend, xp = self.backend, self.backend.xp
        log_alpha = forward(xp, self.edges, log_sum_exp)
        log_beta = backward(xp, self.edges, self.valid)
        last = backend.index((self.lengths - 1, np.arange(self.batch)))
        log_partition = log_sum_exp(xp, log_alpha[last], 1)
        # Before step 0 the path stands in row 0 of its edges, and nowhere else.
        before = xp.full(log_alpha.shape, NEVER)
        before[0, :, 0] = 0
        before[1:] = log_alpha[:-1]
        through = before[:, :, :, None] + self.edges + log_beta[:, :, None, :]
        share = xp.exp(xp.minimum(through - log_partition[:, None, None], 0))
        share = xp.where(self.valid[:, :, None, None], share, 0)
        return CRFLattice(log_alpha, log_beta, log_partition, share)
