"""Connectionist temporal classification: learning labels whose place in time nobody has marked.

Graves, Fernández, Gomez & Schmidhuber 2006, doi:10.1145/1143844.1143891. A path names one label or
the blank in every frame; merging repeats and then dropping blanks turns it into a labelling. The
loss is the negative log probability of all paths that become the target, added up.

The states of the lattice are the target with a blank before, between and after its labels: l', of
length 2S + 1 (section 4.1). From one frame to the next a path stays in its state, goes one on, or
leaps over a blank between two different labels.

Dimension letters: T frames, B sequences, K classes with the blank, S labels of the longest target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from .._validation import check_kind, checked_choice, checked_size, described, plain_array
from ..backends import Array, Backend
from ..layers.packing import Packing
from .elementwise import checked_prediction
from .mean import Mean, NothingCounts

NEVER = -1e30
"""The logarithm of 0 in the lattice: finite, so that a difference of two of them is no NaN."""


@dataclass(frozen=True)
class CTCLattice:
    """All alignments of each target with its frames, summed by where they pass.

    All arrays are float64. What can never be is about -1e30 in the logarithms.

    Attributes
    ----------
    labels : numpy.ndarray of int (B, 2S + 1)
        l', the class of every state.
    frames, states : numpy.ndarray of int (B,)
        How many of the frames and states are each sequence's own.
    log_emission : array (T, B, 2S + 1)
        Log probability of each state's class in each frame.
    log_alpha : array (T, B, 2S + 1)
        log α_t(s): all ways from the start into state s, the frame t included; equations (5)-(7).
    log_beta : array (T, B, 2S + 1)
        log β_t(s): all ways from state s to the end, the frame t not included, so that
        α_t(s) β_t(s) is the probability of all paths through it. The paper's β counts frame t
        as well, equations (9)-(11).
    posterior : array (T, B, 2S + 1)
        γ_t(s) = α_t(s) β_t(s) / p: the share of the target's probability that passes here. It sums
        to 1 over the states of every frame, and is 0 in the padding and where p is 0.
    loss : array (B,)
        -ln p of each target; inf where no path becomes it.
    """

    backend: Backend
    labels: np.ndarray
    frames: np.ndarray
    states: np.ndarray
    log_emission: Array
    log_alpha: Array
    log_beta: Array
    posterior: Array
    loss: Array

    def best_path(self) -> np.ndarray:
        """The single most probable path that becomes the target (Viterbi's).

        Returns
        -------
        numpy.ndarray of int (T, B)
            The state in every frame; -1 in the padding, and everywhere for a target that no path
            becomes. ``labels[b, state]`` is its class.
        """
        emission = self.backend.to_numpy(self.log_emission)
        steps, batch, states = emission.shape
        leaps = _leaps(self.labels)
        came = np.zeros(emission.shape, np.int8)
        ways = np.full((3, batch, states), NEVER)
        score = np.full((steps, batch, states), NEVER)
        score[0, :, :2] = emission[0, :, :2]
        for t in range(1, steps):
            ways[0] = score[t - 1]
            ways[1, :, 1:] = score[t - 1, :, :-1]
            ways[2, :, 2:] = score[t - 1, :, :-2]
            ways[2] += leaps
            came[t] = ways.argmax(axis=0)
            score[t] = ways.max(axis=0) + emission[t]
        path = np.full((steps, batch), -1)
        for b in np.flatnonzero(np.isfinite(self.backend.to_numpy(self.loss))):
            last, end = self.frames[b] - 1, self.states[b] - 1
            at = max((end, end - 1), key=lambda s: score[last, b, s] if s >= 0 else -np.inf)
            for t in range(last, -1, -1):
                path[t, b] = at
                at -= came[t, b, at]
        return path


def ctc(
    logits: Array,
    targets: Any,
    lengths: Sequence[int] | None = None,
    target_lengths: Sequence[int] | None = None,
    *,
    blank: int = 0,
    impossible: str = "raise",
) -> tuple[Mean, Array]:
    """Connectionist temporal classification: the mean of -ln p(target | logits), in nats.

    The gradient is that of equation (16) of Graves et al. 2006, doi:10.1145/1143844.1143891: what
    the network says of a class in a frame, less what the alignments say::

        d(-ln p) / du_tk = y_tk - Σ_{s: l'_s = k} γ_t(s)

    Parameters
    ----------
    logits : array (T, B, K)
        Scores of the K classes before the softmax, as a layer puts them out; the blank is one of
        them. What stands past ``lengths`` has no influence, NaN included.
    targets : B sequences of int, or array of int (B, S)
        The labels, without blanks, on the host or on the logits' backend. A target may be empty:
        then every frame is to be blank. A row of an array ends at its first negative number, or
        where ``target_lengths`` says.
    lengths : sequence of B ints, or None
        Frames of each sequence, 1 to T; None: all have T.
    target_lengths : sequence of B ints, or None
        Labels of each target.
    blank : int
        The class that stands for no label.
    impossible : {"raise", "skip"}
        What becomes of a target of probability 0: since it needs more frames than there are, one
        for each label and one more between two equal labels, or since logits of -inf block every
        path. Its loss is infinite and its gradient does not exist, and both would silently spoil
        the whole batch. "skip" leaves such sequences out of the mean, with a gradient of 0.

    Returns
    -------
    loss : Mean
        The mean over the sequences that count; its weight is their number.
    gradient : array (T, B, K)
        0 past ``lengths``.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit each other, a label is the blank or no class, or a target is
        impossible; the message says which.
    NothingCounts
        A ValueError, if every target is impossible.

    Examples
    --------
    >>> import numpy as np
    >>> loss, gradient = ctc(np.zeros((2, 1, 3)), [[1]])
    >>> round(float(np.exp(-loss)), 6)  # three of the nine paths become "1": 1 1, 1 blank, blank 1
    0.333333
    """
    impossible = checked_choice(impossible, "impossible", ("raise", "skip"))
    problem = _Problem.check(logits, targets, lengths, target_lengths, blank)
    backend, xp = problem.backend, problem.backend.xp
    log_y = problem.log_softmax()
    lattice = problem.lattice(log_y)
    counts = ~np.isposinf(backend.to_numpy(lattice.loss))
    if not counts.all() and impossible == "raise":
        raise ValueError(problem.complaint(int(np.argmin(counts))))
    if not counts.any():
        raise NothingCounts(f"no target can be aligned; {problem.complaint(0)}")
    number, counted = int(counts.sum()), backend.asarray(counts)
    value = float(xp.sum(xp.where(counted, lattice.loss, 0))) / number
    gradient = xp.exp(log_y)
    # Label by label: within one the sequences' entries differ, so that none is written twice.
    every = np.arange(problem.batch)
    gradient[:, :, blank] -= lattice.posterior[:, :, ::2].sum(axis=-1)
    for s in range(1, problem.labels.shape[1], 2):
        at = backend.index((slice(None), every, problem.labels[:, s]))
        gradient[at] -= lattice.posterior[:, :, s]
    shown = backend.asarray(problem.valid & counts)[:, :, None]
    gradient = xp.where(shown, gradient / number, 0)
    return Mean(value, number), gradient.astype(problem.logits.dtype)


def ctc_lattice(
    logits: Array,
    targets: Any,
    lengths: Sequence[int] | None = None,
    target_lengths: Sequence[int] | None = None,
    *,
    blank: int = 0,
) -> CTCLattice:
    """The lattice behind `ctc`: α, β, the alignment posteriors γ, and each target's loss.

    Parameters
    ----------
    logits, targets, lengths, target_lengths, blank
        As in `ctc`. Log probabilities are logits too: the softmax leaves them as they are.

    Returns
    -------
    CTCLattice
        An impossible target has a loss of inf and a posterior of 0.

    Raises
    ------
    TypeError, ValueError
        As `ctc`, but not for impossible targets.
    """
    problem = _Problem.check(logits, targets, lengths, target_lengths, blank)
    return problem.lattice(problem.log_softmax())


def ctc_greedy(
    logits: Array, lengths: Sequence[int] | None = None, *, blank: int = 0
) -> list[list[int]]:
    """Best path decoding: the most probable class of every frame, collapsed.

    It finds the most probable path, which need not become the most probable labelling (Graves et
    al. 2006, section 3.2).

    Parameters
    ----------
    logits : array (T, B, K)
    lengths : sequence of B ints, or None
    blank : int

    Returns
    -------
    list of B lists of int
        The labels of each sequence.
    """
    backend, logits = checked_prediction(logits, "logits")
    _check_scores(logits, blank)
    frames = Packing(lengths, *logits.shape[:2]).lengths
    best = backend.to_numpy(logits.argmax(axis=-1))
    return [ctc_collapse(best[:n, b], blank=blank) for b, n in enumerate(frames)]


def ctc_collapse(path: Iterable[int], *, blank: int = 0) -> list[int]:
    """The labelling that a path becomes: repeats merged, then blanks dropped (the paper's B).

    >>> ctc_collapse([0, 3, 3, 0, 3, 5, 5])
    [3, 3, 5]
    """
    blank = checked_size(blank, "blank", least=0)
    check_kind(path, "path", Iterable, "a sequence of labels, whole numbers")
    labels = np.array(list(path))
    if labels.size and (labels.ndim != 1 or labels.dtype.kind not in "iu"):
        raise TypeError(f"path must be a sequence of labels, whole numbers, not {described(path)}")
    return [label for label, _ in groupby(labels.tolist()) if label != blank]


@dataclass(frozen=True)
class _Problem:
    """Arguments of `ctc` that fit each other; all but the logits on the host."""

    backend: Backend
    logits: Array  # (T, B, K)
    frames: np.ndarray  # (B,)
    states: np.ndarray  # (B,)
    labels: np.ndarray  # (B, 2S + 1), blanks past the own states

    @classmethod
    def check(
        cls, logits: Any, targets: Any, lengths: Any, target_lengths: Any, blank: int
    ) -> _Problem:
        backend, logits = checked_prediction(logits, "logits")
        _check_scores(logits, blank)
        steps, batch, classes = logits.shape
        frames = Packing(lengths, steps, batch).lengths
        rows = _rows(backend, targets, target_lengths, batch)
        for b, row in enumerate(rows):
            wrong = row[(row < 0) | (row >= classes) | (row == blank)]
            if wrong.size:
                raise ValueError(
                    f"targets[{b}] must hold classes from 0 to {classes - 1} other than the "
                    f"blank, {blank}; got {int(wrong[0])}"
                )
        count = np.array([len(row) for row in rows])
        labels = np.full((batch, 2 * count.max() + 1), blank)
        for row, own in zip(labels, rows, strict=True):
            row[1 : 2 * len(own) : 2] = own
        return cls(backend, logits, frames, 2 * count + 1, labels)

    @property
    def steps(self) -> int:
        return self.logits.shape[0]

    @property
    def batch(self) -> int:
        return self.logits.shape[1]

    @property
    def valid(self) -> np.ndarray:
        """(T, B), True before each sequence's end."""
        return np.arange(self.steps)[:, None] < self.frames

    @property
    def repeats(self) -> np.ndarray:
        """(B,), how many labels equal the one before them."""
        own = np.arange(1, self.labels.shape[1] - 2, 2) + 2 < self.states[:, None]
        return (own & (self.labels[:, 1:-2:2] == self.labels[:, 3::2])).sum(axis=1)

    @property
    def needed(self) -> np.ndarray:
        """(B,), the frames of the shortest path."""
        return self.states // 2 + self.repeats

    def complaint(self, b: int) -> str:
        if self.needed[b] <= self.frames[b]:
            return (
                f"targets[{b}] has probability 0: logits of -inf block every path that becomes "
                "it; impossible='skip' leaves it out"
            )
        return (
            f"targets[{b}] needs at least {self.needed[b]} frames, for {self.states[b] // 2} "
            f"labels of which {self.repeats[b]} equal the one before, but has "
            f"{self.frames[b]}: no path becomes it; impossible='skip' leaves it out"
        )

    def log_softmax(self) -> Array:
        """(T, B, K) in float64: over hundreds of frames logarithms outgrow float32's digits."""
        xp = self.backend.xp
        valid = self.backend.asarray(self.valid[:, :, None])
        z = xp.where(valid, self.logits, 0).astype("float64")
        z = z - z.max(axis=-1, keepdims=True)
        return xp.maximum(z - xp.log(xp.exp(z).sum(axis=-1, keepdims=True)), NEVER)

    def lattice(self, log_y: Array) -> CTCLattice:
        backend, xp = self.backend, self.backend.xp
        batch, width = self.labels.shape
        t, b, s = np.ogrid[: self.steps, :batch, :width]
        frames, states = self.frames[:, None], self.states[:, None]
        # β is the α of the sequence and target read backwards. Padding stays where it is.
        turned = backend.index(
            (
                np.where(t < frames, frames - 1 - t, t),
                b,
                np.where(s < states, states - 1 - s, s),
            )
        )
        mirrored = np.take_along_axis(self.labels, np.where(s < states, states - 1 - s, s)[0], 1)
        emission = log_y[backend.index((t, b, self.labels[None]))]
        reach = _reach(
            backend,
            xp.concatenate([emission, emission[turned]], axis=1),
            np.concatenate([_leaps(self.labels), _leaps(mirrored)]),
        )
        log_alpha = reach[:, :batch] + emission
        log_beta = reach[:, batch:][turned]
        log_beta = xp.where(backend.asarray(s < states), log_beta, NEVER)
        both = log_alpha + log_beta
        most = both[0].max(axis=-1)
        log_p = most + xp.log(xp.exp(both[0] - most[:, None]).sum(axis=-1))
        possible = log_p > NEVER / 2
        shown = backend.asarray(self.valid[:, :, None]) & possible[:, None]
        return CTCLattice(
            backend=backend,
            labels=self.labels,
            frames=self.frames,
            states=self.states,
            log_emission=emission,
            log_alpha=log_alpha,
            log_beta=log_beta,
            posterior=xp.where(shown, xp.exp(xp.minimum(both - log_p[:, None], 0)), 0),
            loss=xp.where(possible | (log_p != log_p), -log_p, np.inf),
        )


def _reach(backend: Backend, emission: Array, leaps: np.ndarray) -> Array:
    """Log probability of all ways into each state, its own frame not counted: (T, N, 2S + 1).

    Equations (6) and (7), in logarithms, before the factor y.
    """
    xp, (steps, rows, states) = backend.xp, emission.shape
    leaps = backend.asarray(leaps)
    reach = xp.empty(emission.shape, emission.dtype)
    reach[0] = NEVER
    reach[0, :, :2] = 0
    # Two columns before the first state, from which nothing comes.
    before = xp.full((rows, states + 2), NEVER)
    for t in range(1, steps):
        before[:, 2:] = reach[t - 1] + emission[t - 1]
        stay, step, leap = before[:, 2:], before[:, 1:-1], before[:, :-2] + leaps
        most = xp.maximum(xp.maximum(stay, step), leap)
        total = xp.exp(stay - most) + xp.exp(step - most) + xp.exp(leap - most)
        reach[t] = most + xp.log(total)
    return reach


def _leaps(labels: np.ndarray) -> np.ndarray:
    """0 where a path may come from two states before, `NEVER` elsewhere: (N, 2S + 1).

    It may leap over a blank, and only between different labels: else they would merge.
    """
    leaps = np.full(labels.shape, NEVER)
    leaps[:, 3::2] = np.where(labels[:, 3::2] != labels[:, 1:-2:2], 0, NEVER)
    return leaps


def _check_scores(logits: Array, blank: Any) -> None:
    if logits.ndim != 3:
        raise ValueError(
            f"logits must have shape (T, B, K), frames, sequences and classes; got {logits.shape}"
        )
    classes = range(logits.shape[2])
    checked_choice(blank, "blank", classes, spelt=f"a class from 0 to {classes[-1]}")


def _rows(backend: Backend, targets: Any, target_lengths: Any, batch: int) -> list[np.ndarray]:
    """Each target's labels, on the host."""
    if backend.owns(targets):
        targets = backend.to_numpy(backend.require(targets, "targets"))
    try:
        given = list(targets)
    except Exception as error:  # a single number, or an array on another device
        raise TypeError(
            f"targets must be {batch} sequences of labels, got {type(targets).__name__}"
        ) from error
    rows = [plain_array(row, f"targets[{b}]") for b, row in enumerate(given)]
    if len(rows) != batch:
        raise ValueError(f"targets must be {batch}, one for each sequence, got {len(rows)}")
    for b, row in enumerate(rows):
        if row.ndim != 1 or (row.size and row.dtype.kind not in "iu"):
            raise TypeError(
                f"targets[{b}] must be a list of whole numbers, the labels; got {row.dtype} of "
                f"shape {row.shape}"
            )
    if target_lengths is None:
        ends = np.array(
            [int(np.argmax(row < 0)) if (row < 0).any() else len(row) for row in rows], "int64"
        )
    else:
        ends = plain_array(target_lengths, "target_lengths")
        if ends.shape != (batch,) or ends.dtype.kind not in "iu":
            raise ValueError(
                f"target_lengths must be {batch} whole numbers, got {target_lengths!r}"
            )
        for b, (row, end) in enumerate(zip(rows, ends, strict=True)):
            if not 0 <= end <= len(row):
                raise ValueError(
                    f"target_lengths[{b}] is {end}; targets[{b}] holds {len(row)} labels"
                )
    return [row[:end].astype(np.int64) for row, end in zip(rows, ends, strict=True)]
