"""Alignments: the CTC lattice, and attention maps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from ..._validation import plain_array
from ..core.base import Explorable, Text, choice, control, floats, tagged, text
from ..core.bundle import module, styles

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

HERE = Path(__file__).parent

MOST_FRAMES = 60
LONGEST_TARGET = 24
BLANK = "–"
SYMBOLS = BLANK + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PRESETS = ("nearly trained", "unsure", "untrained")
EDIT = re.compile(r"(\d+):(\d+):(-?\d+(?:\.\d+)?)")

# A memory of words, and queries that look for some of them, as points in a plane.
MEMORY = {
    "the": (-0.3, -1.8),
    "cat": (1.6, 1.0),
    "sat": (-0.6, 1.7),
    "on": (-1.8, -0.4),
    "a": (0.2, 0.4),
    "mat": (1.4, -1.1),
}
QUERIES = {"la": (-0.3, -2.5), "chatte": (2.2, 1.7), "s'assit": (-0.9, 2.4), "sur": (-2.6, -0.6)}


class _Labels(Text):
    """A text of the explorable's own symbols, without the blank."""

    def validate(self, obj: Any, value: Any) -> str:
        value = super().validate(obj, value)
        wrong = [letter for letter in value if letter not in obj._own_symbols[1:]]
        if wrong:
            raise traitlets.TraitError(
                f"{type(obj).__name__}.{self.name}: expected symbols of {obj._own_symbols[1:]!r}, "
                f"got {wrong[0]!r} in {value!r}"
            )
        return value

    def spec(self, obj: Any) -> dict[str, Any]:
        letters = "".join(f"\\u{ord(letter):04x}" for letter in obj._own_symbols[1:])
        words = f"a text of the symbols {' '.join(obj._own_symbols[1:])}"
        return super().spec(obj) | {"pattern": f"[{letters}]*", "example": words}


class AlignmentExplorer(Explorable):
    """Which frame says which label: the lattice of CTC, and attention maps.

    **CTC.** A network says in every frame how probable each label and the blank are. Dragging
    these changes α, β, the alignments' shares γ, the loss and its gradient at once; greedy
    decoding and the most probable path stand beside them.

    **Attention.** Queries look up a memory. Dragging a query over the plane of the memory's
    vectors moves its weights and the mean that it gets.

    Parameters
    ----------
    log_probs : array_like, optional
        A network's own log probabilities or logits, (T, K) or (T, 1, K), up to 60 frames; class 0
        is the blank.
    target : str or sequence of int, optional
        The labels to be aligned, up to 24: a text of the symbols, or class numbers.
    labels : str, optional
        A symbol for each of the K classes, the blank's first; "–abc…" if not given.
    attention : array_like, optional
        Attention weights of the reader's own, (Tq, Tm) or (Tq, 1, Tm), as a trace holds them.
    words : tuple of two sequences of str, optional
        What those Tq queries and Tm entries of the memory are called; numbers if not given.
    mode : {"CTC", "attention"}
    preset : {"nearly trained", "unsure", "untrained", "own"}
        Where the posteriors come from, before they were dragged.
    edits : str
        What was dragged: "frame:class:score" with a space between, frames from 1.
    frames : int
        Frames T, 1 to 60; at most as many as there are.
    shows : {"γ", "α", "β"}
        What fills the lattice's nodes.
    frame, symbol, state : int
        Which frame and class are edited, from 1 and 0; which state is read, from 1.
    score : {"dot", "general", "additive"}
        The attention's score.
    scale : float
        What the scores are multiplied by: one over the temperature, 0.1 to 10.
    query_x, query_y : float
        Where "your query" stands, -3 to 3.
    query, memory : int
        Which query and which entry of the memory are read, from 1.
    path : str
        The level: "" , "node", "node/sum", "query", "query/weight".

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; an array that cannot be shown, and why.
    """

    title: ClassVar[str] = "Alignments"
    levels: ClassVar[tuple[str, ...]] = ("", "node", "node/sum", "query", "query/weight")
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    mode = choice(("CTC", "attention"))
    target = tagged(_Labels("hello", LONGEST_TARGET, empty=True, pattern=r"\S*"))
    preset = choice((*PRESETS, "own"))
    edits = text(
        "",
        3000,
        empty=True,
        pattern=rf"{EDIT.pattern}(?: {EDIT.pattern})*",
        example="frame:class:score, with spaces between,",
    )
    frames = control(12, 1, MOST_FRAMES, 1, whole=True)
    shows = choice(("γ", "α", "β"), view=True)
    frame = control(7, 1, MOST_FRAMES, 1, whole=True, view=True)
    symbol = control(0, 0, len(SYMBOLS) - 1, 1, whole=True, view=True)
    state = control(7, 1, 2 * LONGEST_TARGET + 1, 1, whole=True, view=True)
    score = choice(("dot", "general", "additive"))
    scale = control(1.0, 0.1, 10)
    query_x = control(2.3, -3, 3, 0.05)
    query_y = control(-0.5, -3, 3, 0.05)
    query = control(5, 1, MOST_FRAMES, 1, whole=True, view=True)
    memory = control(2, 1, MOST_FRAMES, 1, whole=True, view=True)

    _shape = traitlets.Dict().tag(sync=True)
    _symbols = traitlets.Unicode().tag(sync=True)
    _scores = traitlets.Bytes(b"").tag(sync=True)
    _lookup = traitlets.Dict().tag(sync=True)
    _attention = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        log_probs: ArrayLike | None = None,
        target: str | Sequence[int] | None = None,
        labels: str | None = None,
        attention: ArrayLike | None = None,
        words: tuple[Sequence[str], Sequence[str]] | None = None,
        **settings: Any,
    ):
        own: dict[str, Any] = {}
        if log_probs is None:
            if labels is not None:
                raise ValueError("labels: they belong to log_probs of your own")
            self._own_symbols = BLANK + "helo"
            self._logits = {name: _preset(name) for name in PRESETS}
        else:
            array = _checked_scores(log_probs)
            self._own_symbols = _checked_symbols(labels, array.shape[1])
            self._logits = {"own": array}
            own = {
                "preset": "own",
                "frames": len(array),
                "frame": 1,
                "state": 1,
                "target": "",
            }
        if target is not None:
            own["target"] = _as_text(target, self._own_symbols)
        self._weights = None if attention is None else _checked_weights(attention)
        names = None if words is None else _checked_words(words, self._weights)
        if self._weights is not None:
            own |= {"mode": "attention"} if log_probs is None else {}
            own |= {"query": 1, "memory": 1 + int(self._weights[0].argmax())}
        given = {
            "log_probs": log_probs,
            "labels": labels,
            "attention": attention,
            "words": words,
        }
        super().__init__(
            _defaults=own,
            _arguments=[name for name, value in given.items() if value is not None],
            **settings,
            _symbols=self._own_symbols,
            _scores=b"".join(map(floats, self._logits.values())),
            _lookup=_LOOKUP,
            _attention=b"" if self._weights is None else floats(self._weights),
            _shape={
                "T": len(next(iter(self._logits.values()))),
                "K": len(self._own_symbols),
                "queries": 0 if self._weights is None else len(self._weights),
                "words": names,
            },
        )

    def options(self, name: str) -> Sequence[str]:
        """What a choice may be: an own network has its own posteriors, and no presets."""
        return tuple(self._logits) if name == "preset" else super().options(name)

    def logits(self) -> np.ndarray:
        """The scores (T, K) as they were dragged."""
        scores = self._logits[self.preset][: self.frames].copy()
        for frame, symbol, score in EDIT.findall(self.edits):
            if 1 <= int(frame) <= len(scores) and int(symbol) < scores.shape[1]:
                scores[int(frame) - 1, int(symbol)] = float(score)
        return scores

    def values(self) -> dict[str, Any]:
        """The picture's numbers, by the library's own loss and attention in float64.

        Returns
        -------
        dict
            Of CTC, with T frames, K classes and S = 2 · labels + 1 states: ``y`` and ``gradient``
            (T, K); ``log_alpha``, ``log_beta`` and ``gamma`` (T, S); ``p``, the target's
            probability, and ``loss``, -ln p, which is left out where no path becomes the target;
            ``path`` (T,), the most probable path's states; ``greedy``, the classes that greedy
            decoding gives. Of attention: ``weights`` (Tq, Tm) and, of the picture's own memory,
            ``context`` (Tq, 2); ``weight``, the entry that is read.
        """
        return self._attended() if self.mode == "attention" else self._aligned()

    def _aligned(self) -> dict[str, Any]:
        from ...losses import ctc, ctc_greedy, ctc_lattice

        logits = self.logits()[:, None]
        target = [[self._own_symbols.index(letter) for letter in self.target]]
        lattice = ctc_lattice(logits, target)
        loss, possible = float(lattice.loss[0]), bool(np.isfinite(lattice.loss[0]))
        gradient = ctc(logits, target)[1] if possible else np.zeros_like(logits)
        y = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return {
            "y": (y / y.sum(axis=-1, keepdims=True))[:, 0],
            "gradient": gradient[:, 0],
            "log_alpha": lattice.log_alpha[:, 0],
            "log_beta": lattice.log_beta[:, 0],
            "gamma": lattice.posterior[:, 0],
            "p": float(np.exp(-loss)),
            **({"loss": loss} if possible else {}),
            "path": lattice.best_path()[:, 0],
            "greedy": np.array(ctc_greedy(logits)[0], int),
        }

    def _attended(self) -> dict[str, Any]:
        if self._weights is not None:
            # Weights are a softmax: multiplying its scores takes them to a power.
            with np.errstate(divide="ignore"):
                scores = self.scale * np.log(self._weights)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            found = {"weights": weights / weights.sum(axis=1, keepdims=True)}
        else:
            found = self._looked_up()
        rows, columns = found["weights"].shape
        at = min(self.query, rows) - 1, min(self.memory, columns) - 1
        return found | {"weight": float(found["weights"][at])}

    def _looked_up(self) -> dict[str, Any]:
        from ...layers import Attention

        hidden = len(_LOOKUP["weight_score"]) if self.score == "additive" else None
        layer = Attention(
            2, 2, self.score, hidden, self.scale, backend="numpy", dtype="float64", seed=0
        )
        for name, array in layer.params.items():
            array[...] = np.reshape(_LOOKUP[name], array.shape)
        queries = np.array([*QUERIES.values(), (self.query_x, self.query_y)])[:, None]
        memory = np.array(list(MEMORY.values()))[:, None]
        context, trace = layer.forward(queries, memory)
        return {"weights": trace.weights[:, 0], "context": context[:, 0]}


# What the general and the additive score have learnt: chosen by hand. The first turns the query
# by a quarter, the second looks along four directions.
_LOOKUP: dict[str, Any] = {
    "memory": [[word, *place] for word, place in MEMORY.items()],
    "queries": [[word, *place] for word, place in QUERIES.items()],
    "weight": [0.0, 1.0, -1.0, 0.0],
    "weight_query": [1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0],
    "weight_memory": [1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0],
    "weight_score": [1.5, 1.0, -0.5, 0.5],
}


def _preset(name: str) -> np.ndarray:
    """Scores (12, 5) of the blank and h, e, l, o: one frame too few between the two l."""
    scores = np.zeros((12, 5))
    if name == "untrained":
        return scores
    scores[:, 0] = 2.0
    for symbol, frames in enumerate([(1, 2), (3,), (5, 6, 7), (9, 10)], 1):
        scores[frames, symbol] = 3.4
    scores[6, 0], scores[6, 3] = 2.2, 2.6
    scores += np.random.default_rng(1).normal(0, 0.35, scores.shape)
    return np.round(scores * (0.35 if name == "unsure" else 1), 2)


def _checked_scores(log_probs: ArrayLike) -> np.ndarray:
    """(T, K) float64, rounded to float32 as the browser gets it."""
    array = plain_array(log_probs, "log_probs")
    if array.dtype.kind != "f":
        raise TypeError(f"log_probs: expected floating-point numbers, got dtype {array.dtype}")
    if array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 2 or not 1 <= len(array) <= MOST_FRAMES or array.shape[1] < 2:
        raise ValueError(
            f"log_probs: expected shape (T, K) or (T, 1, K) with T from 1 to {MOST_FRAMES} and "
            f"K from 2, got {np.shape(log_probs)}"
        )
    if np.isnan(array).any() or not np.isfinite(array.max(axis=1)).all():
        raise ValueError("log_probs: expected numbers, one finite in every frame, got NaN or inf")
    return array.astype("float32").astype("float64")


def _checked_symbols(labels: Any, classes: int) -> str:
    if labels is None:
        if classes > len(SYMBOLS):
            raise ValueError(
                f"labels: expected a symbol for each of {classes} classes; "
                f"only {len(SYMBOLS)} have one by themselves"
            )
        return SYMBOLS[:classes]
    if not isinstance(labels, str) or len(labels) != classes or len(set(labels)) != classes:
        raise ValueError(
            f"labels: expected a text of {classes} different symbols, one for each class, the "
            f"blank's first; got {labels!r}"
        )
    return labels


def _as_text(target: Any, symbols: str) -> str:
    if isinstance(target, str):
        return target
    classes = plain_array(target, "target")
    if classes.ndim != 1 or (classes.size and classes.dtype.kind not in "iu"):
        raise TypeError(f"target: expected a text or a list of class numbers, got {target!r}")
    if classes.size and not 1 <= classes.min() <= classes.max() < len(symbols):
        raise ValueError(
            f"target: expected classes from 1 to {len(symbols) - 1}, the blank 0 not among them, "
            f"got {classes.tolist()}"
        )
    return "".join(symbols[k] for k in classes)


def _checked_weights(attention: ArrayLike) -> np.ndarray:
    """(Tq, Tm) float64, rounded to float32 as the browser gets it."""
    array = plain_array(attention, "attention")
    if array.dtype.kind != "f":
        raise TypeError(f"attention: expected floating-point numbers, got dtype {array.dtype}")
    if array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 2 or 0 in array.shape or max(array.shape) > MOST_FRAMES:
        raise ValueError(
            "attention: expected weights of shape (Tq, Tm) or (Tq, 1, Tm), each from 1 to "
            f"{MOST_FRAMES}, got {np.shape(attention)}"
        )
    right = np.isfinite(array).all() and (array >= 0).all()
    if not right or not np.allclose(array.sum(axis=1), 1, atol=1e-3):
        raise ValueError("attention: expected weights of at least 0 that sum to 1 in every row")
    return array.astype("float32").astype("float64")


def _checked_words(words: Any, weights: np.ndarray | None) -> list[list[str]]:
    """The names of rows and columns; a blank is drawn as a sign."""
    if weights is None:
        raise ValueError("words: they belong to attention of your own")
    if not isinstance(words, (tuple, list)) or [len(each) for each in words] != [*weights.shape]:
        raise ValueError(
            "words: expected two sequences of strings, one for each of "
            f"{weights.shape[0]} queries and of {weights.shape[1]} entries of the memory"
        )
    for name in (name for each in words for name in each):
        if not isinstance(name, str):
            raise TypeError(f"words: expected strings, got {name!r}")
    return [[re.sub(r"\s", "␣", name) or "∅" for name in each] for each in words]
