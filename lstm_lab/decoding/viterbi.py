"""The best path through a lattice of tags, and the rules that a path of BIO tags keeps.

Viterbi 1967, doi:10.1109/TIT.1967.1054010. It is the forward algorithm with a maximum in place of
the sum: the loop is `lstm_lab.losses.crf.forward` itself.

Dimension letters: T steps, B sequences, K tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .._validation import check_kind, checked_lengths, checked_text
from ..backends import Array, get_backend
from ..layers.crf import checked_allowed, edge_scores
from ..losses.crf import checked_edges, forward
from ..losses.elementwise import checked_prediction

__all__ = ["legal_bio", "legal_viterbi", "viterbi"]


def viterbi(scores: Array, lengths: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """The best path of each sequence.

    Parameters
    ----------
    scores : array (T, B, K, K)
        Of every edge, from tag to tag, as `losses.crf` takes them and the layer `CRF` puts them
        out; -inf forbids an edge. Row 0 of step 0 holds the scores to begin with.
    lengths : sequence of B ints, or None

    Returns
    -------
    path : numpy.ndarray of int (T, B)
        The tags; -1 past each sequence's end. Of equally good paths it is the one with the lower
        tag at the last step at which they differ.
    score : numpy.ndarray of float64 (B,)
        Of each path, the sum over its edges.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit each other, hold NaN, or every path of a sequence is forbidden.

    Examples
    --------
    >>> scores = np.zeros((3, 1, 2, 2))
    >>> scores[:, 0, 0, 1] = 2  # from tag 0, and from the start, to tag 1
    >>> path, score = viterbi(scores)
    >>> path[:, 0].tolist(), score.tolist()
    ([1, 0, 1], [4.0])
    """
    backend, scores, lengths = checked_edges(scores, lengths)
    steps, batch = scores.shape[:2]
    every, inside = np.arange(batch), np.arange(steps)[:, None] < lengths
    edges = np.where(inside[:, :, None, None], backend.to_numpy(scores), 0).astype("float64")
    if not (edges < np.inf).all():
        raise ValueError("scores must be numbers, or -inf for an edge that is forbidden")
    best = forward(np, edges, lambda xp, ways, axis: ways.max(axis=axis))
    score, path = best[-1].max(axis=1), np.full((steps, batch), -1)
    if (score == -np.inf).any():
        raise ValueError(
            f"scores forbid every path of sequence {int(score.argmin())}: all have an edge of -inf"
        )
    path[-1] = best[-1].argmax(axis=1)
    for t in range(steps - 1, 0, -1):
        # Where the best way into this tag came from. All edges of the padding are 0, so that the
        # way back through it leads to the best tag of the sequence's own last step.
        path[t - 1] = (best[t - 1] + edges[t, every, :, path[t]]).argmax(axis=1)
    path[~inside] = -1
    return path, score


def legal_bio(tags: Sequence[str]) -> np.ndarray:
    """Which tag may follow which, of tags in the form BIO: the mask that `layers.CRF` takes.

    ``B-x`` begins an entity of kind x, ``I-x`` goes on with it, ``O`` is outside of all (Ramshaw &
    Marcus 1995, in the form of CoNLL-2003's IOB2). ``I-x`` may follow ``B-x`` and ``I-x`` alone;
    all else may be.

    Parameters
    ----------
    tags : sequence of K str

    Returns
    -------
    numpy.ndarray of bool (K + 1, K + 1)
        The last row is the start of a sequence, the last column its end.

    Raises
    ------
    TypeError, ValueError
        If a tag is not of this form, or there twice.

    Examples
    --------
    >>> legal_bio(["O", "B-name", "I-name"]).astype(int)
    array([[1, 1, 0, 1],
           [1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 1, 0, 0]])
    """
    check_kind(tags, "tags", Iterable, "a sequence of tags")
    names = [checked_text(tag, f"tags[{k}]") for k, tag in enumerate(tags)]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"tags must hold at least one tag, and each once, got {names}")
    for k, name in enumerate(names):
        if name != "O" and not (name[:2] in ("B-", "I-") and name[2:]):
            raise ValueError(f"tags[{k}] must be 'O', 'B-kind' or 'I-kind', got {name!r}")
    allowed = np.ones((len(names) + 1, len(names) + 1), bool)
    allowed[-1, -1] = False
    for k, name in enumerate(names):
        if name[0] == "I":
            allowed[:, k] = [
                before[:1] in "BI" and before[2:] == name[2:] for before in [*names, ""]
            ]
    return allowed


def legal_viterbi(scores: Array, allowed: Any, lengths: Any = None) -> np.ndarray:
    """The best path among the legal ones, of a model that may not know the rules.

    Nothing is learnt. Of a softmax at every step it is the row of tags with the highest
    probability among those that keep the rules.

    Parameters
    ----------
    scores : array (T, B, K) or (T, B, K, K)
        Of tags: logits or log probabilities, between which a softmax makes no difference, since
        it takes the same off all tags of a step and so off all paths. Or of edges, as in
        `viterbi`.
    allowed : array of bool (K + 1, K + 1)
        As in `layers.CRF`; `legal_bio` makes one.
    lengths : sequence of B ints, or None

    Returns
    -------
    numpy.ndarray of int (T, B)
        -1 past each sequence's end.

    Raises
    ------
    TypeError, ValueError
        As `viterbi`.
    """
    backend, scores = checked_prediction(scores, "scores")
    if scores.ndim not in (3, 4) or scores.shape[-1] != scores.shape[2]:
        raise ValueError(
            f"scores must have shape (T, B, K) or (T, B, K, K), got {tuple(scores.shape)}"
        )
    rules = np.where(checked_allowed(allowed, scores.shape[-1]), 0, -np.inf)
    lengths = checked_lengths(lengths, *scores.shape[:2])
    given = backend.to_numpy(scores).astype("float64")
    x = given if given.ndim == 3 else np.zeros(given.shape[:3])
    chain = rules[:-1, :-1], rules[-1, :-1], rules[:-1, -1]
    edges = edge_scores(get_backend("numpy"), x, lengths, *chain)
    return viterbi(edges if given.ndim == 3 else edges + given, lengths)[0]
