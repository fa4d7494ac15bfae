"""A network that writes down what it hears: frames of sound in, letters out, trained with CTC."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import (
    check_kind,
    checked_choice,
    checked_seed,
    checked_size,
    checked_text,
    plain_array,
)
from ..decoding import prefix_beam_search
from ..interchange import weights
from ..layers import LSTM, Dropout, Linear, Sequential, TimeDelay
from ..losses import ctc, ctc_greedy
from ..metrics import EditScore, edit_score
from ..training import History, predict
from .common import read, teach

__all__ = ["Recogniser"]

KEY = "lstm_lab_recogniser"
END = "\n"
"""What stands for the end of a line in the vocabulary of a language model."""

BODIES = ("BiLSTM", "LSTM", "window")
SILENT = 1e-3
"""Standard deviation below which a feature is taken for constant, and left as it is."""

Features = Sequence[Any]


class Recogniser:
    """Letters for a row of frames: a (bidirectional) LSTM, a linear layer, and CTC.

    The features f_t are made comparable, feature by feature, by mean and standard deviation of the
    training part, and ``stack`` frames become one::

        x_t = [(f_{kt} − mean) / scale; …; (f_{kt+k−1} − mean) / scale]      k = stack
        h_t = BiLSTM(x)_t
        u_t = W h_t + b                    a score for the blank and for every letter

    Graves et al. 2006, doi:10.1145/1143844.1143891. `Recogniser.new` makes one, `fit` trains it.

    Parameters
    ----------
    network : Sequential
        From stacked features (T', B, stack · D) to scores (T', B, 1 + letters), the blank first.
    letters : str
        The classes 1, 2, … in their order.
    mean, scale : array_like (D,)
        Of the features.
    stack : int
        Frames that are read as one.

    Raises
    ------
    TypeError, ValueError
        If the parts do not fit each other.

    Examples
    --------
    Two sounds, each heard a few frames long; what is between them is quiet:

    >>> rng = np.random.default_rng(0)
    >>> def heard(text):
    ...     rows = [row for letter in text for row in 3 * ["ab".index(letter)] + [2]]
    ...     return np.eye(3)[rows] + rng.normal(0, 0.1, (len(rows), 3))
    >>> texts = ["".join(rng.choice(["a", "b"], rng.integers(1, 5))) for _ in range(64)]
    >>> model = Recogniser.new(list(map(heard, texts)), texts, hidden_size=8, stack=1)
    >>> history = model.fit(list(map(heard, texts)), texts, epochs=30, progress=False)
    >>> model.transcribe([heard("abba"), heard("b")])
    ['abba', 'b']
    """

    def __init__(
        self, network: Sequential, letters: str, mean: Any, scale: Any, stack: int = 1
    ) -> None:
        check_kind(network, "network", Sequential, "a Sequential")
        self.network, self.letters = network, checked_text(letters, "letters")
        self.stack = checked_size(stack, "stack")
        self.mean, self.scale = _row(mean, "mean"), _row(scale, "scale")
        if not letters or len(set(letters)) != len(letters):
            raise ValueError(f"letters must be at least one, and each once, got {letters!r}")
        if self.mean.shape != self.scale.shape or not (self.scale > 0).all():
            raise ValueError(
                "mean and scale must be equally long, and scale above 0; got "
                f"{len(self.mean)} and {len(self.scale)} values"
            )
        heads = [x for x in network.layers.values() if isinstance(x, Linear)]
        if not heads or heads[-1].output_size != 1 + len(letters):
            found = heads[-1].output_size if heads else "no Linear"
            raise ValueError(
                f"network must end in a Linear of {1 + len(letters)} outputs, one for each of "
                f"letters and one for the blank; got {found}"
            )
        sizes = [s for s in (getattr(x, "input_size", None) for x in network.layers.values()) if s]
        if sizes[0] != self.stack * len(self.mean):
            raise ValueError(
                f"network reads {sizes[0]} features; mean has {len(self.mean)}, of which {stack} "
                "frames become one"
            )
        self._class = {letter: k for k, letter in enumerate(letters, 1)}

    @classmethod
    def new(
        cls,
        features: Features,
        texts: Sequence[str],
        *,
        body: str = "BiLSTM",
        hidden_size: int = 48,
        reach: int = 4,
        stack: int = 2,
        dropout: float = 0.2,
        seed: int = 0,
        **options: Any,
    ) -> Recogniser:
        """An untrained one for such features and texts; only they give it letters and means.

        Parameters
        ----------
        features : N arrays (T, D)
            Of one utterance each.
        texts : N str
            What is said in them.
        body : {"BiLSTM", "LSTM", "window"}
            What reads the frames. A window is `TimeDelay`: no recurrence.
        hidden_size : int
            Of each direction.
        reach : int
            What a window sees on each side, in stacked frames.
        stack : int
            Frames that are read as one: the network makes fewer steps, and no two of them are so
            close that they say the same.
        dropout : float in [0, 1)
            How often training drops a feature.
        seed : int
        **options
            ``backend`` and ``dtype``, of all layers.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or there are not as many texts as utterances.
        """
        features, texts = _checked_pairs(features, texts)
        body = checked_choice(body, "body", BODIES)
        stack = checked_size(stack, "stack")
        letters = "".join(sorted(set("".join(texts))))
        if not letters:
            raise ValueError("texts hold no letter")
        every = np.concatenate(features)
        mean, scale = every.mean(axis=0), every.std(axis=0)
        scale = np.where(scale > SILENT, scale, 1)
        seeds = np.random.SeedSequence(checked_seed(seed)).spawn(2)
        reads: Any
        if body == "window":
            size = stack * len(mean)
            reads = TimeDelay(size, hidden_size, reach, seed=seeds[0], **options)
        else:
            both = body == "BiLSTM"
            reads = LSTM(
                stack * len(mean), hidden_size, bidirectional=both, seed=seeds[0], **options
            )
        network = Sequential(
            drop=Dropout(dropout, **options),
            body=reads,
            head=Linear(reads.output_size, 1 + len(letters), seed=seeds[1], **options),
        )
        return cls(network, letters, mean, scale, stack)

    # ----------------------------------------------------------------------------- learning

    def fit(
        self,
        features: Features,
        texts: Sequence[str],
        *,
        epochs: int = 12,
        learning_rate: float = 0.008,
        batch_size: int = 32,
        validation: tuple[Features, Sequence[str]] | None = None,
        clip_norm: float | None = 5.0,
        patience: int | None = None,
        seed: int = 0,
        checkpoint: Any = None,
        progress: bool = True,
    ) -> History:
        """Teach it these utterances: Adam, its rate along half a cosine down to 0.

        Nobody has marked where in the sound a letter is: CTC adds up all places where it may be.

        Parameters
        ----------
        features : N arrays (T, D)
        texts : N str
        epochs : int
        learning_rate : float
            The first and highest.
        validation : tuple (features, texts), optional
            Utterances of which the loss is measured after each epoch.
        batch_size, clip_norm, patience, seed, checkpoint, progress
            As in `lstm_lab.training.fit`.

        Returns
        -------
        History
            Losses in nats an utterance.

        Raises
        ------
        TypeError, ValueError, Diverged, CheckpointError
            As `lstm_lab.training.fit` does; and if a text holds a letter that is none of the
            recogniser's, or more letters than its frames can hold.
        """
        return teach(
            self.network,
            self._arrays,
            "features, texts",
            (features, texts),
            validation,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            loss=ctc,
            target_axis=0,
            clip_norm=clip_norm,
            patience=patience,
            seed=seed,
            checkpoint=checkpoint,
            progress=progress,
        )

    def _arrays(self, features: Any, texts: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Stacked features (T', N, stack · D), classes (N, S), -1 past their end, lengths (N,)."""
        features, texts = _checked_pairs(features, texts)
        x, lengths = self.encode(features)
        target = np.full((len(texts), max(1, *map(len, texts))), -1)
        for n, text in enumerate(texts):
            strange = [letter for letter in text if letter not in self._class]
            if strange:
                raise ValueError(
                    f"texts[{n}] holds {strange[0]!r}, which the recogniser does not know; it was "
                    f"made with {self.letters!r}"
                )
            target[n, : len(text)] = [self._class[letter] for letter in text]
        return x, target, lengths

    # ------------------------------------------------------------------------------ hearing

    def encode(self, features: Features) -> tuple[np.ndarray, np.ndarray]:
        """Utterances as the network reads them.

        Returns
        -------
        x : numpy.ndarray (T', N, stack · D)
            Where the frames of an utterance are no multiple of ``stack``, its last is repeated.
        lengths : numpy.ndarray (N,)
        """
        rows = _checked_features(features)
        lengths = np.array([-(-len(row) // self.stack) for row in rows])
        size, k = len(self.mean), self.stack
        x = np.zeros((lengths.max(), len(rows), k * size), self.network.dtype)
        for n, (row, steps) in enumerate(zip(rows, lengths, strict=True)):
            if row.shape[1] != size:
                raise ValueError(
                    f"features[{n}] has {row.shape[1]} features, but the recogniser reads {size}"
                )
            row = np.pad(row, ((0, steps * k - len(row)), (0, 0)), "edge")
            x[:steps, n] = ((row - self.mean) / self.scale).reshape(steps, k * size)
        return x, lengths

    def scores(self, features: Features) -> tuple[np.ndarray, np.ndarray]:
        """What the network says, without dropout: (T', N, 1 + letters), and lengths (N,)."""
        x, lengths = self.encode(features)
        return predict(self.network, x, lengths=lengths), lengths

    def posteriors(self, features: Features) -> list[np.ndarray]:
        """How likely the blank and each letter are in each frame.

        Returns
        -------
        list of N numpy.ndarray (T', 1 + letters)
            The blank first; each row is 1 in sum.
        """
        scores, lengths = self.scores(features)
        scores = scores.astype("float64")
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        return [shares[:length, n] for n, length in enumerate(lengths)]

    def transcribe(
        self,
        features: Features,
        *,
        width: int | None = None,
        language: Any = None,
        weight: float = 1.0,
        bonus: float = 0.0,
    ) -> list[str]:
        """What is said in each utterance.

        Parameters
        ----------
        features : N arrays (T, D)
        width : int or None
            Of `decoding.prefix_beam_search`; None takes the best path, `losses.ctc_greedy`.
        language : NGram, LanguageModel or other, optional
            What has ``next_after(text)``, log-probabilities of what comes next, and a
            ``vocabulary`` that holds all letters and a line break, which stands for a line's
            beginning and end. It needs a ``width``.
        weight, bonus : float
            Of the language model, and for each letter, as in `decoding.prefix_beam_search`.

        Returns
        -------
        list of N str
        """
        scores, own = self.scores(features)
        lengths = own.tolist()
        if width is None:
            if language is not None:
                raise ValueError("language needs a width: the best path knows nothing of it")
            found = ctc_greedy(scores, lengths)
        else:
            told = None if language is None else self._spelt(language)
            searched = prefix_beam_search(
                scores, lengths, width=width, language=told, weight=weight, bonus=bonus
            )
            found = [list(best[0].labels) for best in searched]
        return ["".join(self.letters[k - 1] for k in row) for row in found]

    def score(self, features: Features, texts: Sequence[str], **how: Any) -> EditScore:
        """How much of these utterances it writes down rightly, letter by letter.

        Parameters
        ----------
        features : N arrays (T, D)
        texts : N str
            Letters that training has not seen may be among them, and count as wrong.
        **how
            As in `transcribe`.
        """
        features, texts = _checked_pairs(features, texts)
        return edit_score(texts, self.transcribe(features, **how))

    def _spelt(self, language: Any) -> Callable[[tuple[int, ...]], np.ndarray]:
        """A model of text as `prefix_beam_search` asks it, by classes."""
        try:
            known = {symbol: k for k, symbol in enumerate(language.vocabulary.symbols)}
            places = [known[letter] for letter in END + self.letters]
            next_after = language.next_after
        except (AttributeError, TypeError, KeyError) as error:
            raise TypeError(
                "language must have next_after(text) and a vocabulary with all letters of the "
                f"recogniser and a line break, such as an NGram; got {language!r:.80} ({error})"
            ) from error

        def log_probabilities(labels: tuple[int, ...]) -> np.ndarray:
            text = END + "".join(self.letters[k - 1] for k in labels)
            # Its text may have other symbols; what comes next is one of ours.
            own = np.asarray(next_after(text))[places]
            return own - np.log(np.exp(own).sum())

        return log_probabilities

    # -------------------------------------------------------------------------------- files

    def save(self, path: str | os.PathLike) -> Path:
        """Write a weight file with letters, mean and scale in its header."""
        note = {
            "letters": self.letters,
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "stack": self.stack,
        }
        return weights.save(self.network, path, notes={KEY: note})

    @classmethod
    def load(cls, path: str | os.PathLike, backend: str | None = None) -> Recogniser:
        """The recogniser that `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no such file, or a damaged one.
        """

        def made(network: Any, note: Any) -> Recogniser:
            return cls(network, note["letters"], note["mean"], note["scale"], note["stack"])

        return read(path, backend, KEY, "recogniser; Recogniser", made)

    def __repr__(self) -> str:
        body = next(x for x in self.network.layers.values() if not isinstance(x, Dropout))
        kind = "BiLSTM" if getattr(body, "bidirectional", False) else type(body).__name__
        return (
            f"<Recogniser: {kind}, {len(self.mean)} features, {self.stack} frames as one, "
            f"{len(self.letters)} letters, {self.network.size:,} parameters>"
        )


def _row(values: Any, name: str) -> np.ndarray:
    row = plain_array(values, name, "float64")
    if row.ndim != 1 or not len(row) or not np.isfinite(row).all():
        raise ValueError(f"{name} must be one row of finite numbers, got shape {row.shape}")
    return row


def _checked_features(features: Any) -> list[np.ndarray]:
    if isinstance(features, np.ndarray) or not isinstance(features, Iterable):
        raise TypeError(
            "features must be a list of arrays (T, D), one for each utterance; a single one goes "
            f"into brackets: [features]. Got {type(features).__name__}"
        )
    rows = [plain_array(row, f"features[{n}]", "float64") for n, row in enumerate(features)]
    if not rows:
        raise ValueError("features must hold at least one utterance")
    for n, row in enumerate(rows):
        if row.ndim != 2 or not row.size:
            raise ValueError(f"features[{n}] must have shape (T, D), got {row.shape}")
        if not np.isfinite(row).all():
            raise ValueError(f"features[{n}] holds values that are not finite")
        if row.shape[1] != rows[0].shape[1]:
            raise ValueError(
                f"features[{n}] has {row.shape[1]} features, features[0] {rows[0].shape[1]}"
            )
    return rows


def _checked_pairs(features: Any, texts: Any) -> tuple[list[np.ndarray], list[str]]:
    rows = _checked_features(features)
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise TypeError(f"texts must be a list of strings, got {texts!r:.80}")
    lines = [checked_text(text, f"texts[{n}]") for n, text in enumerate(texts)]
    if len(rows) != len(lines):
        raise ValueError(
            f"features and texts must be equally many, got {len(rows)} and {len(lines)}"
        )
    return rows, lines
