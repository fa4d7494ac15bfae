"""A network that gives every word of a line a tag, and the vocabularies that it reads with."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import (
    check_kind,
    checked_bool,
    checked_choice,
    checked_seed,
    checked_size,
    checked_text,
)
from ..decoding import legal_bio, legal_viterbi, viterbi
from ..interchange import weights
from ..layers import (
    CRF,
    LSTM,
    Dropout,
    FeatureEmbedding,
    Linear,
    Sequential,
    WordDropout,
)
from ..losses import crf, crf_lattice, cross_entropy
from ..metrics import EntityScores, entity_scores
from ..training import History, predict
from .common import read, teach

__all__ = ["TagScores", "Tagger", "is_bio", "tag_scores", "word_features"]

KEY = "lstm_lab_tagger"
UNKNOWN = ""
"""The first entry of every vocabulary: what was not seen in training."""

Lines = Sequence[Sequence[str]]


def word_features(word: str) -> tuple[str, str, str, str]:
    """What the tagger reads of a word: the word itself, how it begins, how it ends, how it looks.

    The word is in small letters, with every digit as 0 and without marks around it, so that
    ``Ave.,`` is known where ``ave`` was seen. What that hides stands in its shape: X for
    capitals, x for small letters, 0 for digits, each run of them once.

    Returns
    -------
    tuple of four str
        The word, its first three letters, its last three, its shape.

    Examples
    --------
    >>> word_features("McAdams,")
    ('mcadams', 'mca', 'ams', 'XxXx,')
    >>> word_features("30309-1234")
    ('00000-0000', '000', '000', '0-0')
    """
    given = checked_text(word, "word")
    plain = re.sub(r"\d", "0", given.lower())
    plain = plain.strip(",.;:()\"'") or plain
    shape = "".join("X" if c.isupper() else "x" if c.isalpha() else c for c in given)
    shape = re.sub(r"(.)\1+", r"\1", re.sub(r"\d", "0", shape))
    return plain, plain[:3], plain[-3:], shape


FEATURES = len(word_features("word"))
_remembered = lru_cache(maxsize=1 << 16)(word_features)


@dataclass(frozen=True)
class TagScores:
    """How often a tagger is right.

    Attributes
    ----------
    words, words_right : int
    lines, lines_right : int
        A line is right if all its words are.
    entities : EntityScores or None
        Where the tags are of the form BIO.
    """

    words: int
    words_right: int
    lines: int
    lines_right: int
    entities: EntityScores | None

    @property
    def accuracy(self) -> float:
        """The fraction of words that are right."""
        return self.words_right / self.words

    @property
    def whole(self) -> float:
        """The fraction of lines that are right to the last word."""
        return self.lines_right / self.lines


class Tagger:
    """A tag for every word: features, a (bidirectional) LSTM, and a softmax or a CRF.

    For each word w_t of a line, with features f_k and their vectors E_k::

        x_t = [E_1[f_1(w_t)]; …; E_4[f_4(w_t)]]        word, beginning, end, shape
        h_t = BiLSTM(x)_t
        s_t = W h_t + b                                a score for every tag

    and then either a softmax for each word by itself, or a conditional random field over the whole
    line, `layers.CRF`. Huang, Xu & Yu 2015, arXiv:1508.01991; Lample et al. 2016,
    doi:10.18653/v1/N16-1030. `Tagger.new` makes one, `fit` trains it.

    Parameters
    ----------
    network : Sequential
        From ids (T, B, 4) to scores of tags, or of edges where a `CRF` is its last layer.
    vocabularies : sequence of 4 sequences of str
        The known values of each feature in the order of their ids; the first of each is "", which
        stands for all others.
    tags : sequence of K str
        In the order of their numbers.
    legal : bool
        Whether the tags are of the form BIO and only rows that keep its rules are given.

    Raises
    ------
    TypeError, ValueError
        If the parts do not fit each other.

    Examples
    --------
    >>> words = [["ann", "lee"], ["12", "main", "st"], ["bo", "lee", "7", "oak", "st"]]
    >>> tags = [["B-per", "I-per"], ["B-adr", "I-adr", "I-adr"],
    ...         ["B-per", "I-per", "B-adr", "I-adr", "I-adr"]]
    >>> tagger = Tagger.new(words, tags, hidden_size=8)
    >>> history = tagger.fit(words, tags, epochs=40, progress=False)
    >>> tagger.tag([["ann", "lee", "12", "oak", "st"]])
    [('B-per', 'I-per', 'B-adr', 'I-adr', 'I-adr')]
    """

    def __init__(
        self,
        network: Sequential,
        vocabularies: Sequence[Sequence[str]],
        tags: Sequence[str],
        legal: bool = False,
    ):
        check_kind(network, "network", Sequential, "a Sequential")
        check_kind(vocabularies, "vocabularies", Sequence, "four sequences of strings")
        self.network = network
        self.vocabularies = [
            _distinct(known, f"vocabularies[{k}]") for k, known in enumerate(vocabularies)
        ]
        self.tags, self.legal = _distinct(tags, "tags"), checked_bool(legal, "legal")
        *_, last = network.layers.values()
        self.crf: CRF | None = last if isinstance(last, CRF) else None
        self._check_parts()
        if self.legal:
            legal_bio(self.tags)  # refuses tags of another form
        self._ids = [{value: k for k, value in enumerate(known)} for known in self.vocabularies]

    def _check_parts(self) -> None:
        tables = [x for x in self.network.layers.values() if isinstance(x, FeatureEmbedding)]
        heads = [x for x in self.network.layers.values() if isinstance(x, Linear)]
        if not tables or not heads:
            raise ValueError("network must hold a FeatureEmbedding and, after it, a Linear")
        sizes, own = tables[0].vocabulary_sizes, tuple(map(len, self.vocabularies))
        if len(own) != FEATURES or sizes != own or any(v[0] != UNKNOWN for v in self.vocabularies):
            raise ValueError(
                f"vocabularies must be {FEATURES}, of the sizes that the network reads, {sizes}, "
                f"each with '' first; got sizes {own}"
            )
        if heads[-1].output_size != len(self.tags):
            raise ValueError(
                f"tags must be {heads[-1].output_size}, as the network scores; got {len(self.tags)}"
            )

    @classmethod
    def new(
        cls,
        words: Lines,
        tags: Lines,
        *,
        hidden_size: int = 32,
        bidirectional: bool = True,
        head: str = "crf",
        legal: bool | None = None,
        embedding_sizes: Sequence[int] = (24, 12, 16, 8),
        word_dropout: float = 0.2,
        dropout: float = 0.3,
        least: int = 1,
        seed: int = 0,
        **options: Any,
    ) -> Tagger:
        """An untrained tagger for what stands in these lines; only they give it words and tags.

        Parameters
        ----------
        words, tags : N sequences of str
            One inner sequence for each line.
        hidden_size : int
            Of each direction.
        bidirectional : bool
            Whether a word's tag may depend on what comes after it.
        head : {"crf", "softmax"}
        legal : bool or None
            Forbid rows of tags that break the rules of BIO. None: if all tags are of that form.
        embedding_sizes : sequence of 4 ints
            Of the word, its beginning, its end and its shape.
        word_dropout, dropout : float in [0, 1)
            How often training hides a word, and drops a number of its vectors or of the LSTM's
            output.
        least : int
            Words that are there less often are taken for unknown ones.
        seed : int
            Embeddings, LSTM and linear layer take streams of their own from it.
        **options
            ``backend`` and ``dtype``, of all layers.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or a line has not as many tags as words.
        """
        words, tags = checked_lines(words, tags)
        least = checked_size(least, "least")
        head = checked_choice(head, "head", ("crf", "softmax"))
        names = sorted({tag for line in tags for tag in line})
        legal = is_bio(names) if legal is None else checked_bool(legal, "legal")
        known = [[UNKNOWN, *_seen(words, k, least if k == 0 else 1)] for k in range(FEATURES)]
        seeds = np.random.SeedSequence(checked_seed(seed)).spawn(3)
        table = FeatureEmbedding(
            [len(values) for values in known], embedding_sizes, seed=seeds[0], **options
        )
        lstm = LSTM(
            table.output_size,
            hidden_size,
            bidirectional=bidirectional,
            seed=seeds[1],
            **options,
        )
        layers = {
            "hide": WordDropout(word_dropout, feature=0, **options),
            "features": table,
            "drop": Dropout(dropout, **options),
            "lstm": lstm,
            "drop_again": Dropout(dropout, **options),
            "head": Linear(lstm.output_size, len(names), seed=seeds[2], **options),
        }
        if head == "crf":
            layers["crf"] = CRF(len(names), legal_bio(names) if legal else None, **options)
        return cls(Sequential(**layers), known, names, legal)

    # ----------------------------------------------------------------------------- learning

    def fit(
        self,
        words: Lines,
        tags: Lines,
        *,
        epochs: int = 10,
        learning_rate: float = 0.006,
        batch_size: int = 32,
        validation: tuple[Lines, Lines] | None = None,
        clip_norm: float | None = 5.0,
        patience: int | None = None,
        seed: int = 0,
        checkpoint: Any = None,
        progress: bool = True,
    ) -> History:
        """Teach the tagger these lines: Adam, its rate along half a cosine down to 0.

        Parameters
        ----------
        words, tags : N sequences of str
        epochs : int
        learning_rate : float
            The first and highest.
        validation : tuple (words, tags), optional
            Lines of which the loss is measured after each epoch.
        batch_size, clip_norm, patience, seed, checkpoint, progress
            As in `lstm_lab.training.fit`.

        Returns
        -------
        History
            Losses in nats: of a line with a CRF, of a word with a softmax.

        Raises
        ------
        TypeError, ValueError, Diverged, CheckpointError
            As `lstm_lab.training.fit` does; and if a tag is none of the tagger's, or a line has
            not as many tags as words.
        """
        return teach(
            self.network,
            self._arrays,
            "words, tags",
            (words, tags),
            validation,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            loss=cross_entropy if self.crf is None else crf,
            target_axis=1,
            clip_norm=clip_norm,
            patience=patience,
            seed=seed,
            checkpoint=checkpoint,
            progress=progress,
        )

    def _arrays(self, words: Any, tags: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids (T, N, 4), numbers of tags (T, N) and lengths (N,)."""
        words, tags = checked_lines(words, tags)
        ids, lengths = self.encode(words)
        number = {tag: k for k, tag in enumerate(self.tags)}
        target = np.zeros(ids.shape[:2], int)
        for n, line in enumerate(tags):
            strange = [tag for tag in line if tag not in number]
            if strange:
                raise ValueError(
                    f"tags[{n}] holds {strange[0]!r}, which the tagger does not know; it was made "
                    f"with {', '.join(self.tags)}"
                )
            target[: len(line), n] = [number[tag] for tag in line]
        return ids, target, lengths

    # ------------------------------------------------------------------------------ reading

    def encode(self, words: Lines) -> tuple[np.ndarray, np.ndarray]:
        """Lines as the network reads them.

        Returns
        -------
        ids : numpy.ndarray (T, N, 4)
            Of each word's features; 0 for a value that was not seen in training.
        lengths : numpy.ndarray (N,)
        """
        words = _lines(words, "words")
        lengths = np.array([len(line) for line in words])
        ids = np.zeros((lengths.max(), len(words), FEATURES), int)
        for n, line in enumerate(words):
            for t, word in enumerate(line):
                pairs = zip(self._ids, _remembered(word), strict=True)
                ids[t, n] = [known.get(value, 0) for known, value in pairs]
        return ids, lengths

    def scores(self, words: Lines) -> tuple[np.ndarray, np.ndarray]:
        """What the network says of the lines, without dropout.

        Returns
        -------
        scores : numpy.ndarray (T, N, K), or (T, N, K, K) with a CRF
            Of every tag, or of every edge between two.
        lengths : numpy.ndarray (N,)
        """
        ids, lengths = self.encode(words)
        return predict(self.network, ids, lengths=lengths), lengths

    def emissions(self, words: Lines) -> tuple[np.ndarray, np.ndarray]:
        """The score that each word alone gives each tag, (T, N, K), a CRF's edges left out."""
        layers = {n: x for n, x in self.network.layers.items() if x is not self.crf}
        ids, lengths = self.encode(words)
        return predict(Sequential(**layers), ids, lengths=lengths), lengths

    def probabilities(self, words: Lines) -> list[np.ndarray]:
        """How likely each tag is at each word.

        Returns
        -------
        list of N numpy.ndarray (T, K)
            One for each line, each row 1 in sum. With a CRF the marginals: over all rows of tags
            in which the word has that tag.
        """
        scores, lengths = self.scores(words)
        if self.crf is None:
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            shares /= shares.sum(axis=-1, keepdims=True)
        else:
            shares = crf_lattice(scores, lengths).marginal
        return [shares[:length, n] for n, length in enumerate(lengths)]

    def tag(self, words: Lines, *, legal: bool | None = None) -> list[tuple[str, ...]]:
        """The best row of tags for each line.

        Parameters
        ----------
        words : N sequences of str
        legal : bool or None
            Whether only rows that keep the rules of BIO may be given, by `decoding.legal_viterbi`;
            None: as the tagger was made.

        Returns
        -------
        list of N tuples of str

        Raises
        ------
        TypeError, ValueError
            If a line is empty or holds anything but strings; or ``legal`` is asked of tags that
            are not BIO.
        """
        scores, lengths = self.scores(words)
        if self.legal if legal is None else checked_bool(legal, "legal"):
            path = legal_viterbi(scores, legal_bio(self.tags), lengths)
        elif self.crf is not None:
            path, _ = viterbi(scores, lengths)
        else:
            path = scores.argmax(axis=-1)
        return [tuple(self.tags[k] for k in path[:length, n]) for n, length in enumerate(lengths)]

    def score(self, words: Lines, tags: Lines, *, legal: bool | None = None) -> TagScores:
        """How much of these lines the tagger has right.

        Parameters
        ----------
        words, tags : N sequences of str
            Tags that training has not seen may be among them, and count as wrong.
        legal : bool or None
            As in `tag`.
        """
        words, tags = checked_lines(words, tags)
        return tag_scores(tags, self.tag(words, legal=legal))

    # -------------------------------------------------------------------------------- files

    def save(self, path: str | os.PathLike) -> Path:
        """Write a weight file with vocabularies and tags in its header."""
        note = {"vocabularies": self.vocabularies, "tags": self.tags, "legal": self.legal}
        return weights.save(self.network, path, notes={KEY: note})

    @classmethod
    def load(cls, path: str | os.PathLike, backend: str | None = None) -> Tagger:
        """The tagger that `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no such file, or a damaged one.
        """

        def made(network: Any, note: Any) -> Tagger:
            return cls(network, note["vocabularies"], note["tags"], note["legal"])

        return read(path, backend, KEY, "tagger; Tagger", made)

    def __repr__(self) -> str:
        head = "softmax" if self.crf is None else "CRF"
        known = f"{len(self.vocabularies[0]) - 1:,} words, {len(self.tags)} tags"
        return f"<Tagger: {known}, {head}, {self.network.size:,} parameters>"


def tag_scores(truth: Lines, predicted: Lines) -> TagScores:
    """How much of ``predicted`` is right, line by line."""
    truth, predicted = checked_lines(truth, predicted, ("truth", "predicted"))
    pairs = list(zip(truth, predicted, strict=True))
    bio = is_bio(tag for sides in pairs for line in sides for tag in line)
    return TagScores(
        words=sum(len(line) for line in truth),
        words_right=sum(a == b for its, found in pairs for a, b in zip(its, found, strict=True)),
        lines=len(pairs),
        lines_right=sum(its == found for its, found in pairs),
        entities=entity_scores(truth, predicted) if bio else None,
    )


def is_bio(tags: Iterable[str]) -> bool:
    """Whether all tags are of the form BIO: ``O``, ``B-kind`` or ``I-kind``."""
    check_kind(tags, "tags", Iterable, "a sequence of tags")
    return all(re.fullmatch("O|[BI]-.+", checked_text(tag, "tags: a tag")) for tag in tags)


def checked_lines(
    words: Any, tags: Any, names: tuple[str, str] = ("words", "tags")
) -> tuple[list[list[str]], list[list[str]]]:
    """Two rows of lines that fit each other, word by word; ``names`` is what messages call them.

    Raises
    ------
    TypeError, ValueError
        If they do not.
    """
    one, other = names
    words, tags = _lines(words, one), _lines(tags, other)
    if len(words) != len(tags):
        raise ValueError(f"{one} and {other} must be equally many, got {len(words)}, {len(tags)}")
    for n, (line, its) in enumerate(zip(words, tags, strict=True)):
        if len(line) != len(its):
            raise ValueError(
                f"{one}[{n}] has {len(line)} words, but {other}[{n}] has {len(its)} tags"
            )
    return words, tags


def _lines(lines: Any, name: str) -> list[list[str]]:
    if isinstance(lines, (str, Mapping)) or not isinstance(lines, Iterable):
        raise TypeError(f"{name} must be lists of strings, one for each line, got {lines!r:.80}")
    found = list(lines)
    if not found:
        raise ValueError(f"{name} must hold at least one line")
    for n, line in enumerate(found):
        if isinstance(line, str) or not isinstance(line, Iterable):
            raise TypeError(
                f"{name}[{n}] must be a list of strings, got {line!r:.80}; a text becomes one "
                "with .split()"
            )
    rows = [list(line) for line in found]
    for n, row in enumerate(rows):
        if not row:
            raise ValueError(f"{name}[{n}] is empty; leave it out")
        for t, entry in enumerate(row):
            checked_text(entry, f"{name}[{n}][{t}]")
    return rows


def _distinct(values: Any, name: str) -> list[str]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a sequence of strings, got {values!r:.80}")
    found = [checked_text(value, f"{name}[{k}]") for k, value in enumerate(values)]
    if not found or len(set(found)) != len(found):
        raise ValueError(f"{name} must hold at least one string, and each once")
    return found


def _seen(words: list[list[str]], feature: int, least: int) -> list[str]:
    """A feature's values in these lines, those that are there often enough."""
    count = Counter(_remembered(word)[feature] for line in words for word in line)
    return sorted(value for value, n in count.items() if n >= least and value != UNKNOWN)
