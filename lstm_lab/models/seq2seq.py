"""Translate: a network that reads one sequence and writes another, with the symbols of both."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import (
    check_kind,
    checked_bool,
    checked_choice,
    checked_seed,
    checked_size,
    described,
)
from ..data import detokenize, tokenize
from ..decoding import Beam, beam_search
from ..interchange import weights
from ..layers import LSTM, Attention, Embedding, Linear, Sequential
from ..losses import cross_entropy
from ..training import History
from .common import read, teach
from .encoder_decoder import EncoderDecoder, log_softmax

__all__ = ["Looked", "Seq2Seq"]

KEY = "seq2seq"
UNKNOWN, START, END = "<unk>", "<s>", "</s>"
UNITS = ("words", "characters")


@dataclass(frozen=True)
class Looked:
    """Where a model looked while it wrote a translation.

    Attributes
    ----------
    source : tuple of str
        The S symbols that were read; those that the model does not know as they are.
    target : tuple of str
        The T symbols that were written, with the end symbol.
    weights : numpy.ndarray (T, S)
        The attention weights: rows sum to 1.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: np.ndarray


class Seq2Seq:
    """An `EncoderDecoder` with the symbols, words or characters, of both of its sides.

    Parameters
    ----------
    network : EncoderDecoder
    source, target : sequence of str
        The symbols in the order of their ids, each once. The first of the source is ``"<unk>"``,
        which stands for all that are not there; the first two of the target are ``"<s>"``, which
        the decoder reads before it writes, and ``"</s>"``, with which it ends.
    unit : {"words", "characters"}
        What a symbol is: how `lstm_lab.data.tokenize` splits a text, or a character.
    about : dict, optional
        What is known of the model, as JSON can hold it.

    Raises
    ------
    TypeError, ValueError
        If the network does not fit the symbols.

    Examples
    --------
    >>> english, french = ["one cat", "two cats", "one dog"], ["un chat", "deux chats", "un chien"]
    >>> model = Seq2Seq.new(english, french, hidden_size=16, seed=0)
    >>> history = model.fit(english, french, epochs=60, progress=False)
    >>> model.translate("two cats")
    'deux chats'
    """

    def __init__(
        self,
        network: EncoderDecoder,
        source: Sequence[str],
        target: Sequence[str],
        unit: str = "words",
        about: Mapping[str, Any] | None = None,
    ):
        check_kind(network, "network", EncoderDecoder, "an EncoderDecoder")
        self.unit = checked_choice(unit, "unit", UNITS)
        self.source = _checked_symbols(source, "source", (UNKNOWN,))
        self.target = _checked_symbols(target, "target", (START, END))
        about = {} if about is None else about
        check_kind(about, "about", Mapping, "a mapping, as JSON can hold it")
        self.network, self.about = network, dict(about)
        for name, symbols in (("source", self.source), ("target", self.target)):
            layer: Any = network.layers[name]
            if layer.vocabulary_size != len(symbols):
                raise ValueError(
                    f"{name} has {len(symbols)} symbols, but the network reads "
                    f"{layer.vocabulary_size}"
                )
        self._source_ids = {symbol: k for k, symbol in enumerate(self.source)}
        self._target_ids = {symbol: k for k, symbol in enumerate(self.target)}

    @classmethod
    def new(
        cls,
        sources: Sequence[str],
        targets: Sequence[str],
        hidden_size: int = 64,
        embedding_size: int = 32,
        *,
        unit: str = "words",
        bidirectional: bool = True,
        attention: str | None = "general",
        seed: int = 0,
        **options: Any,
    ) -> Seq2Seq:
        """An untrained model that knows the symbols of these texts.

        Parameters
        ----------
        sources, targets : sequence of str
            Texts, those to train with.
        hidden_size : int
            H: cells of the decoder. A bidirectional encoder has half as many in each direction.
        embedding_size : int
            Of both sides.
        unit : {"words", "characters"}
        bidirectional : bool
            Whether the encoder reads in both directions.
        attention : {"dot", "general", "additive"} or None
            The attention's score; None is no attention.
        seed : int
            Every part takes a stream of its own from it.
        **options
            Of both LSTMs: ``num_layers``, ``dropout``, …; ``backend`` and ``dtype`` go to the
            other layers too.
        """
        unit = checked_choice(unit, "unit", UNITS)
        hidden = checked_size(hidden_size, "hidden_size")
        if attention is not None:
            attention = checked_choice(attention, "attention", tuple(Attention.scores))
        if checked_bool(bidirectional, "bidirectional") and hidden % 2:
            raise ValueError(
                f"hidden_size must be even for a bidirectional encoder, half of it for each "
                f"direction, got {hidden}"
            )
        read = sorted(
            {s for text in _checked_texts(sources, "sources") for s in _split(text, unit)}
        )
        write = sorted(
            {s for text in _checked_texts(targets, "targets") for s in _split(text, unit)}
        )
        source, target = (UNKNOWN, *read), (START, END, *write)
        seeds = np.random.SeedSequence(checked_seed(seed)).spawn(7)
        shared = {k: options[k] for k in ("backend", "dtype") if k in options}
        size = embedding_size
        looking: dict[str, Any] = {}
        if attention is not None:
            width = hidden if attention == "additive" else None
            looking["attention"] = Attention(
                hidden, hidden, attention, width, seed=seeds[4], **shared
            )
            looking["combine"] = Linear(2 * hidden, hidden, seed=seeds[5], **shared)
        own = hidden // 2 if bidirectional else hidden
        network = EncoderDecoder(
            source=Embedding(len(source), size, seed=seeds[0], **shared),
            encoder=LSTM(size, own, bidirectional=bidirectional, seed=seeds[1], **options),
            target=Embedding(len(target), size, seed=seeds[2], **shared),
            decoder=LSTM(size, hidden, seed=seeds[3], **options),
            head=Linear(hidden, len(target), seed=seeds[6], **shared),
            **looking,
        )
        # It is not in the texts, so nothing will be learnt about it: it says nothing.
        network.params["source.weight"][0] = 0
        return cls(network, source, target, unit)

    # ----------------------------------------------------------------------------- learning

    def fit(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        epochs: int = 15,
        batch_size: int = 32,
        learning_rate: float = 0.005,
        optimizer: Any = None,
        clip_norm: float | None = 1.0,
        validation: tuple[Sequence[str], Sequence[str]] | None = None,
        patience: int | None = None,
        seed: int = 0,
        checkpoint: Any = None,
        checkpoint_every: int | None = None,
        progress: bool = True,
    ) -> History:
        """Teach the model pairs of texts: maximum likelihood with teacher forcing.

        At each step the decoder reads the right symbols so far, not its own (Williams & Zipser
        1989, doi:10.1162/neco.1989.1.2.270).

        Parameters
        ----------
        sources, targets : sequence of str
            As many of both. A text may also be a sequence of symbols, split already.
        epochs : int
        batch_size : int
        learning_rate : float
            The first: it falls along half a cosine.
        optimizer : Optimizer, optional
            In place of Adam with that rate.
        validation : tuple (sources, targets), optional
            Measured after each epoch.
        clip_norm, patience, seed, checkpoint, checkpoint_every, progress
            As in `lstm_lab.training.fit`: Ctrl-C ends cleanly, and a checkpoint goes on bit for
            bit.

        Returns
        -------
        History
            Losses in nats a symbol.

        Raises
        ------
        TypeError, ValueError, Diverged, CheckpointError
            As `lstm_lab.training.fit` does, and if a target holds a symbol that the model cannot
            write.
        """
        return teach(
            self.network,
            self.examples,
            "sources, targets",
            (sources, targets),
            validation,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            optimizer=optimizer,
            loss=cross_entropy,
            target_axis=1,
            clip_norm=clip_norm,
            patience=patience,
            seed=seed,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            progress=progress,
        )

    def examples(
        self, sources: Sequence[Any], targets: Sequence[Any]
    ) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Pairs of texts as numbers: what the network reads, what it is to answer, and lengths.

        Returns
        -------
        x : tuple of int arrays (S, N) and (T, N)
            Source; the start symbol and the target.
        target : numpy.ndarray of int (T, N)
            The target and the end symbol: at each step what comes next.
        lengths : tuple of int arrays (N,)
            Of the source; of the target with one symbol more.

        Raises
        ------
        TypeError, ValueError
            If there are not as many of both, a text is empty, or a target holds an unknown symbol.
        """
        source, ends = self._encoded(sources)
        split = [_split(text, self.unit) for text in _checked_texts(targets, "targets")]
        if len(split) != source.shape[1]:
            raise ValueError(
                f"targets must be as many as sources, {source.shape[1]}, got {len(split)}"
            )
        for n, symbols in enumerate(split):
            for symbol in symbols:
                if symbol not in self._target_ids:
                    raise ValueError(f"targets[{n}]: the model cannot write {symbol!r}")
        numbers = [[self._target_ids[symbol] for symbol in symbols] for symbols in split]
        written, own = _padded([[0, *ids] for ids in numbers])
        target, _ = _padded([[*ids, 1] for ids in numbers])
        return (source, written), target, (ends, own)

    def _encoded(self, sources: Any) -> tuple[np.ndarray, np.ndarray]:
        """Ids (S, N) of sources and their lengths (N,)."""
        split = [_split(text, self.unit) for text in _checked_texts(sources, "sources")]
        for n, symbols in enumerate(split):
            if not symbols:
                raise ValueError(f"sources[{n}] is empty: there is nothing to read")
        return _padded([[self._source_ids.get(s, 0) for s in symbols] for symbols in split])

    # -------------------------------------------------------------------------- translating

    def translate(self, sources: Any, **search: Any) -> Any:
        """The likeliest translations that a search finds.

        Parameters
        ----------
        sources : str or sequence of str
            One text, or several.
        **search
            As `beams` takes it: ``width``, ``alpha``, ``max_length``, ``batch_size``.

        Returns
        -------
        str or list of str
            As many as there are sources.
        """
        one = isinstance(sources, str)
        found = self.beams([sources] if one else sources, **search)
        texts = [self.text(beam.best[0].ids) if beam.best else "" for beam in found]
        return texts[0] if one else texts

    def beams(
        self,
        sources: Sequence[Any],
        *,
        width: int = 1,
        alpha: float = 0.0,
        n_best: int = 1,
        max_length: int = 50,
        tree: bool = False,
        batch_size: int = 256,
    ) -> list[Beam]:
        """What beam search finds for every source; `text` makes words of its ids.

        Parameters
        ----------
        sources : sequence of str
        width, alpha, n_best, max_length, tree
            As in `lstm_lab.decoding.beam_search`; a width of 1 is greedy search.
        batch_size : int
            Sources that are read together.
        """
        ids, ends = self._encoded(sources)
        size, found = checked_size(batch_size, "batch_size"), []
        for start in range(0, len(ends), size):
            part = slice(start, start + size)
            writer = self._writer(ids[:, part], ends[part])
            found += beam_search(
                writer,
                np.zeros(len(ends[part]), int),
                1,
                width=width,
                alpha=alpha,
                n_best=n_best,
                max_length=max_length,
                tree=tree,
            )
        return found

    def _writer(self, ids: np.ndarray, ends: np.ndarray) -> Any:
        return self.network.writer(self.network.backend.asarray(np.ascontiguousarray(ids)), ends)

    def text(self, ids: Sequence[int]) -> str:
        """The text of the symbols of these numbers."""
        symbols = [self.target[k] for k in ids]
        return detokenize(symbols) if self.unit == "words" else "".join(symbols)

    def continuations(
        self, source: Any, *, width: int = 5, max_length: int = 12
    ) -> dict[str, dict[str, float]]:
        """What may come next, and how probably, at every place where a search can come by.

        Parameters
        ----------
        source : str
        width : int
            Of the widest search, and how many continuations of each place are given.
        max_length : int

        Returns
        -------
        dict
            For what is written so far, its symbols with blanks between them, a dict of the next
            symbol and its probability. `lstm_lab.explore.BeamExplorer` draws it.
        """
        ids, ends = self._encoded([source])
        found: dict[str, dict[str, float]] = {}
        for k in range(1, checked_size(width, "width") + 1):
            writer, alive = self._writer(ids, ends), [""]
            # So many that the search goes on to its end.
            (beam,) = beam_search(
                writer, [0], 1, width=k, max_length=max_length, n_best=10**9, tree=True
            )
            before = [0.0]
            for level in beam.tree or ():
                lives = []
                for branch in level:
                    place, symbol = alive[branch.parent], self.target[branch.symbol]
                    probability = np.exp(branch.log_probability - before[branch.parent])
                    found.setdefault(place, {})[symbol] = float(probability)
                    if branch.fate == "lives":
                        lives.append(
                            (" ".join(filter(None, (place, symbol))), branch.log_probability)
                        )
                alive = [place for place, _ in lives]
                before = [total for _, total in lives]
        return found

    def log_probability(self, sources: Sequence[Any], targets: Sequence[Any]) -> np.ndarray:
        """log P(target | source) in nats, (N,), the end included.

        What beam search looks for is where it is greatest. A target that is likelier than what
        was found is an error of the search; else it is the model's.
        """
        (source, written), target, (ends, own) = self.examples(sources, targets)
        asarray = self.network.backend.asarray
        scores, _ = self.network.forward(
            (asarray(source), asarray(written)), lengths=(ends, own), trace=False
        )
        said = log_softmax(self.network.backend.to_numpy(scores))
        said = np.take_along_axis(said, target[..., None], axis=-1)[..., 0]
        return np.where(np.arange(len(target))[:, None] < own, said, 0).sum(axis=0)

    def attention(self, source: Any, target: Any = None) -> Looked:
        """Where the model looks while it writes.

        Parameters
        ----------
        source : str
        target : str or None
            What it is made to write; None: its own translation, by greedy search.

        Raises
        ------
        ValueError
            If the model has no attention.
        """
        if "attention" not in self.network.layers:
            raise ValueError("the model has no attention")
        if target is None:
            target = [self.target[k] for k in self.beams([source])[0].best[0].ids]
        x, answers, lengths = self.examples([source], [target])
        asarray = self.network.backend.asarray
        _, trace = self.network.forward(tuple(map(asarray, x)), lengths=lengths, trace=False)
        return Looked(
            tuple(_split(source, self.unit)),
            tuple(self.target[k] for k in answers[:, 0]),
            self.network.backend.to_numpy(trace["attention"].weights)[:, 0],
        )

    # -------------------------------------------------------------------------------- files

    def save(self, path: str | os.PathLike) -> Path:
        """Write a weight file with the symbols and ``about`` in its header."""
        note = {
            "source": list(self.source),
            "target": list(self.target),
            "unit": self.unit,
            "about": self.about,
        }
        return weights.save(Sequential(**self.network.layers), path, notes={KEY: note})

    @classmethod
    def load(cls, path: str | os.PathLike, backend: str | None = None) -> Seq2Seq:
        """The model that `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no such file, or a damaged one.
        """

        def made(layers: Any, note: Any) -> Seq2Seq:
            return cls(EncoderDecoder(**layers.layers), **note)

        return read(path, backend, KEY, "model that translates; Seq2Seq", made)

    def __repr__(self) -> str:
        looks = "with" if "attention" in self.network.layers else "no"
        return (
            f"<Seq2Seq: {len(self.source):,} to {len(self.target):,} {self.unit}, "
            f"{looks} attention, {self.network.size:,} parameters>"
        )


def _split(text: Any, unit: str) -> Sequence[str]:
    """The symbols of a text; those of a sequence are split already."""
    if not isinstance(text, str):
        return text
    return tokenize(text) if unit == "words" else tuple(text)


def _checked_texts(texts: Any, name: str) -> Sequence[Any]:
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise TypeError(f"{name} must be a sequence of texts, got {described(texts)}")
    if not texts:
        raise ValueError(f"{name} must hold one text at least")
    for n, text in enumerate(texts):
        if not isinstance(text, str) and not (
            isinstance(text, Sequence) and all(isinstance(symbol, str) for symbol in text)
        ):
            raise TypeError(f"{name}[{n}] must be a text, got {described(text)}")
    return texts


def _checked_symbols(symbols: Any, name: str, first: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(symbols, str) or not isinstance(symbols, Sequence):
        raise TypeError(f"{name} must be a sequence of symbols, got {described(symbols)}")
    if tuple(symbols[: len(first)]) != first:
        raise ValueError(f"{name} must begin with {', '.join(first)}, got {described(symbols)}")
    if len(set(symbols)) != len(symbols) or not all(isinstance(s, str) for s in symbols):
        raise ValueError(f"{name} must hold every symbol once, as a string")
    return tuple(symbols)


def _padded(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of numbers as columns of one array, 0 past their ends, and their lengths."""
    lengths = np.array([len(row) for row in rows])
    array = np.zeros((lengths.max(), len(rows)), int)
    for n, row in enumerate(rows):
        array[: len(row), n] = row
    return array, lengths
