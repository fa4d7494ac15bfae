"""Which of the symbols before it a prediction depends on: by the gradient, and by trying.

The gradient says how the answer would change if a symbol's vector were a little other than it is.
A symbol cannot be a little other: it is there or not. So the change that one asks for is also made,
and the answer looked at, place by place. Where the two do not agree, the second is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_kind, checked_size, checked_text, plain_array
from .language import LanguageModel
from .probes import ranks

__all__ = ["Connectivity", "connectivity", "rank_correlation"]


@dataclass(frozen=True)
class Connectivity:
    """What the n symbols that were read are worth to the log-probability of the next one.

    Attributes
    ----------
    ids, places : numpy.ndarray (n,)
        The symbols that were read, or the last n of them, and where they begin in the text.
    symbol : int
        The id of the symbol that is asked about.
    log_probability : float
        What the model says of it, in nats.
    norm : numpy.ndarray (n,)
        Length of the gradient of the log-probability with respect to the symbol's vector e_s (its
        embedding, or itself one-hot): how far the answer moves if the vector is moved by a little,
        in the direction that matters most. Never negative.
    product : numpy.ndarray (n,)
        Gradient times input, its scalar product with e_s: to first order, what the symbol adds to
        the log-probability, measured against a vector of zeros.
    blanked : numpy.ndarray (n,)
        What is lost of the log-probability, in nats, when the vector is in fact replaced by zeros:
        what `product` is the first-order estimate of.
    replaced : numpy.ndarray (n,)
        What is lost when another symbol stands in its place: the one that the model itself thought
        the likeliest there, of all others.
    others : numpy.ndarray (n,)
        Which one that is.
    """

    ids: np.ndarray
    places: np.ndarray
    symbol: int
    log_probability: float
    norm: np.ndarray
    product: np.ndarray
    blanked: np.ndarray
    replaced: np.ndarray
    others: np.ndarray


def connectivity(
    model: LanguageModel, text: str, symbol: str | None = None, *, last: int | None = None
) -> Connectivity:
    """Ask what a prediction depends on, in float64.

    Parameters
    ----------
    model : LanguageModel
    text : str
        What has been read, from the zero state.
    symbol : str, optional
        What comes next, one symbol that the model knows; without it, the likeliest.
    last : int, optional
        Only so many symbols before it are asked about: the time taken grows with their square.

    Raises
    ------
    TypeError, ValueError
        If the model knows nothing of the text or not the symbol, or has fewer than two symbols.

    Notes
    -----
    Leaving things out, to see what they were worth: Li, Monroe & Jurafsky 2016, arXiv:1612.08220.
    """
    check_kind(model, "model", LanguageModel, "a LanguageModel")
    if len(model.vocabulary) < 2:
        raise ValueError("model: knows one symbol alone, and nothing can stand in its place")
    model = model.astype("float64")
    ids, places = model.vocabulary.encode(checked_text(text, "text"))
    if not ids.size:
        raise ValueError("text: the model knows none of its symbols")
    n = len(ids) if last is None else min(len(ids), checked_size(last, "last"))
    early, ids, places = ids[: len(ids) - n], ids[len(ids) - n :], places[len(ids) - n :]
    state: Any = None
    hidden = np.zeros((1, model.lstm.output_size))
    if early.size:
        y, trace = model.lstm.forward(model._vectors(early)[:, None], trace=False)
        hidden, state = y[-1], trace.state
    x = model._vectors(ids)

    y, trace = model.lstm.forward(x[:, None], state)
    scores, kept = model.head.forward(y[-1])
    said = _log_softmax(scores)[0]
    asked = _asked(model, symbol, said)

    # d log p(asked) / d scores = one-hot − p, and from there back through the library's layers.
    d = -np.exp(said)
    d[asked] += 1
    dy = np.zeros_like(y)
    dy[-1] = model.head.backward(d[None], kept).x
    back: Any = model.lstm.backward(dy, trace).x
    gradient = back[:, 0]

    # What the model thought likeliest at each place, before it read what stands there.
    before, _ = model.head.forward(np.concatenate([hidden, y[:-1, 0]]))
    before[np.arange(n), ids] = -np.inf
    others = before.argmax(axis=1)
    lost = np.empty((n, 2))
    for s in range(n):
        # One lane a change: what was read before it is shared, what comes after it is the same.
        lanes = np.repeat(x[s:, None], 2, axis=1)
        lanes[0] = np.concatenate([np.zeros((1, x.shape[1])), model._vectors(others[s : s + 1])])
        start = state and tuple(np.repeat(part, 2, axis=1) for part in state)
        after, _ = model.lstm.forward(lanes, start, trace=False)
        lost[s] = said[asked] - _log_softmax(model.head.forward(after[-1])[0])[:, asked]
        state = model.lstm.forward(x[s : s + 1, None], state, trace=False)[1].state
    return Connectivity(
        ids=ids,
        places=places,
        symbol=asked,
        log_probability=float(said[asked]),
        norm=np.sqrt((gradient**2).sum(axis=1)),
        product=(gradient * x).sum(axis=1),
        blanked=lost[:, 0],
        replaced=lost[:, 1],
        others=others,
    )


def rank_correlation(a: Any, b: Any) -> float:
    """Spearman's rank correlation: 1 where both put things into the same order, −1 the reverse.

    Parameters
    ----------
    a, b : array_like (n,)
        Equal values share their mean rank.

    Raises
    ------
    ValueError
        If they are not equally many, or the values of one are all the same.
    """
    a, b = plain_array(a, "a", "float64"), plain_array(b, "b", "float64")
    for name, values in (("a", a), ("b", b)):
        if values.ndim != 1 or not np.isfinite(values).all() or len(set(values.tolist())) < 2:
            raise ValueError(f"{name} must be one row of finite numbers, not all of them the same")
    if len(a) != len(b):
        raise ValueError(f"a and b must be equally many, got {len(a)} and {len(b)}")
    return float(np.corrcoef(ranks(a[:, None])[:, 0], ranks(b[:, None])[:, 0])[0, 1])


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _asked(model: LanguageModel, symbol: Any, said: np.ndarray) -> int:
    if symbol is None:
        return int(said.argmax())
    found = model.vocabulary.encode(checked_text(symbol, "symbol"))[0]
    if len(found) != 1:
        raise ValueError(f"symbol must be one symbol that the model knows, not {symbol!r}")
    return int(found[0])
