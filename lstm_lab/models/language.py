"""A network that predicts the next character or word, and the vocabulary that it reads with."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import decoding
from .._validation import (
    check_kind,
    checked_bool,
    checked_dtype,
    checked_number,
    checked_seed,
    checked_size,
    checked_text,
    described,
    plain_array,
)
from ..interchange import weights
from ..layers import LSTM, Dropout, Embedding, Linear, Sequential, Trace
from ..losses import cross_entropy
from ..optim import Adam, cosine, warm_up
from ..training import History, fit
from .vocabulary import Vocabulary, checked_texts, checked_vocabulary, mean_surprise

__all__ = ["LanguageModel", "Reading"]

KEY = "language_model"
# Of files of 0.1.0, which have an "alphabet".
FORMER_KEY = "lstm_lab_text"

# Numbers that predictions may take at once: a long text is read in pieces.
AT_ONCE = 2**20
WARM_UP = 200


@dataclass(frozen=True)
class Reading:
    """What a model made of a text, batch of one.

    Attributes
    ----------
    ids : numpy.ndarray (T,)
        The symbols that the model knows; it never sees the others.
    places : numpy.ndarray (T,)
        Where they begin in the text.
    trace : Trace
        Every gate and state after each of them, (T, 1, H).
    log_probabilities : numpy.ndarray (T + 1, V), float64
        Entry t is what the model says of symbol t, in nats, before it has read it; the last
        entry is of what comes after the text.
    """

    ids: np.ndarray
    places: np.ndarray
    trace: Trace
    log_probabilities: np.ndarray

    @property
    def surprise(self) -> np.ndarray:
        """-log2 of the probability that the model gave each symbol, in bits, (T,)."""
        return _surprise(self.log_probabilities[:-1], self.ids)


class LanguageModel:
    """An LSTM over characters or words, with a linear layer to the next one's scores.

    The probability of a text is the product of each symbol's probability, given all before it::

        e_t = E[x_t]                        its vector
        h_t, c_t = LSTM(e_t; h_{t-1}, c_{t-1})
        P(x_{t+1} | x_1 … x_t) = softmax(V h_t + b)

    Mikolov et al. 2010, doi:10.21437/Interspeech.2010-343, with the LSTM of Sundermeyer, Schlüter
    & Ney 2012, doi:10.21437/Interspeech.2012-65, in place of the plain network.

    Parameters
    ----------
    network : Sequential
        An `Embedding`, or none where the LSTM reads symbols one-hot; one `LSTM` of any number of
        layers, in one direction; a `Linear`. `Dropout` may stand between them.
    vocabulary : Vocabulary or str
        A string is one of its characters.
    about : dict, optional
        What is known of the model, as JSON can hold it: where it is from, how good it is.

    Raises
    ------
    TypeError, ValueError
        If the network is of another form, or does not fit the vocabulary.

    Examples
    --------
    >>> model = LanguageModel.new("abr ", hidden_size=16, seed=0)
    >>> history = model.fit("abra " * 200, epochs=10, steps=20, batch_size=8, progress=False)
    >>> model.bits("abra abra abra ") < 1
    True
    """

    def __init__(
        self,
        network: Sequential,
        vocabulary: Vocabulary | str,
        about: Mapping[str, Any] | None = None,
    ):
        self.vocabulary = checked_vocabulary(vocabulary)
        about = {} if about is None else about
        check_kind(about, "about", Mapping, "a mapping, as JSON can hold it")
        self.network, self.about = network, dict(about)
        self.embedding, self.lstm, self.head = _parts(network, len(self.vocabulary))
        *body, _ = network.layers.items()
        self._body = Sequential(**dict(body))

    @classmethod
    def new(
        cls,
        vocabulary: Vocabulary | str,
        hidden_size: int,
        embedding_size: int | None = 32,
        *,
        seed: int = 0,
        **options: Any,
    ) -> LanguageModel:
        """An untrained model.

        Parameters
        ----------
        vocabulary : Vocabulary or str
        hidden_size : int
        embedding_size : int or None
            None reads symbols one-hot.
        seed : int
            Embedding, LSTM and linear layer take streams of their own from it.
        **options
            Of the `LSTM`: ``num_layers``, ``dropout``, ``peepholes``, …; ``backend`` and ``dtype``
            go to the other layers too.
        """
        vocabulary = checked_vocabulary(vocabulary)
        size = len(vocabulary)
        seeds = np.random.SeedSequence(checked_seed(seed)).spawn(3)
        shared = {k: options[k] for k in ("backend", "dtype") if k in options}
        reads, layers = size, {}
        if embedding_size is not None:
            reads = embedding_size
            layers["embedding"] = Embedding(size, embedding_size, seed=seeds[0], **shared)
        return cls(
            Sequential(
                **layers,
                lstm=LSTM(reads, hidden_size, seed=seeds[1], **options),
                head=Linear(options.get("proj_size") or hidden_size, size, seed=seeds[2], **shared),
            ),
            vocabulary,
        )

    # ----------------------------------------------------------------------------- learning

    def fit(
        self,
        text: str | Sequence[str],
        *,
        epochs: int,
        steps: int = 64,
        batch_size: int = 32,
        carry: bool = True,
        validation: str | Sequence[str] | None = None,
        learning_rate: float = 0.004,
        optimizer: Any = None,
        clip_norm: float | None = 1.0,
        patience: int | None = None,
        seed: int = 0,
        checkpoint: Any = None,
        checkpoint_every: int | None = None,
        progress: bool = True,
    ) -> History:
        """Teach the model a text by truncated backpropagation through time.

        The text is cut into ``batch_size`` streams of equal length that are read side by side,
        ``steps`` symbols at a time, with an update after each piece. The state is carried from
        piece to piece, the gradient is not: what happened before the piece is known, but nobody
        learns to remember it from there on. Less than ``batch_size`` symbols at the end are left
        out.

        Parameters
        ----------
        text : str or sequence of str
            Several are read as if they were one.
        epochs : int
            Times that the text is read.
        steps : int
            Symbols of a piece.
        batch_size : int
        carry : bool
            False: pieces in random order, each from the zero state.
        validation : str or sequence of str, optional
            Measured after each epoch in the same way.
        learning_rate : float
            The highest: it rises for 200 updates, or a tenth of them, and falls along a cosine.
        optimizer : Optimizer, optional
            In place of Adam with that rate.
        clip_norm, patience, seed, checkpoint, checkpoint_every, progress
            As in `lstm_lab.training.fit`: Ctrl-C ends cleanly, and a checkpoint goes on bit for
            bit.

        Returns
        -------
        History
            Losses in nats a symbol; divided by ln 2 they are bits.

        Raises
        ------
        TypeError, ValueError, Diverged, CheckpointError
            As `lstm_lab.training.fit` does, and if a text is too short.
        """
        epochs, steps = checked_size(epochs, "epochs"), checked_size(steps, "steps")
        batch_size = checked_size(batch_size, "batch_size")
        rate = checked_number(learning_rate, "learning_rate", low=0, above=True)
        carry = checked_bool(carry, "carry")

        def cut(text: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
            if carry:
                return self._streams(text, batch_size, name)
            return self._windows(text, steps, name)

        x, target = cut(text, "text")
        if optimizer is None:
            pieces = math.ceil(len(x) / steps) if carry else math.ceil(x.shape[1] / batch_size)
            updates = epochs * pieces
            rising = min(WARM_UP, updates // 10)
            falling = cosine(rate, updates - rising)
            optimizer = Adam(warm_up(falling, rising) if rising else falling)
        checked = None
        if validation is not None:
            held_out, wanted = cut(validation, "validation")
            checked = (self._one_hot(held_out), wanted)
        return fit(
            self.network,
            self._one_hot(x),
            target,
            loss=cross_entropy,
            optimizer=optimizer,
            epochs=epochs,
            batch_size=batch_size,
            clip_norm=clip_norm,
            truncate=steps if carry else None,
            patience=patience,
            seed=seed,
            target_axis=1,
            validation=checked,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            progress=progress,
        )

    def _streams(
        self, text: Any, batch_size: int, name: str = "text"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ids (T, B) of B streams of the text, and of what comes one symbol later."""
        ids = self._encode(text, name)
        if len(ids) <= batch_size:
            raise ValueError(
                f"{name} holds {len(ids)} symbols; expected more than {batch_size}, one at least "
                "for each of the streams (batch_size)"
            )
        return self._cut(ids, (len(ids) - 1) // batch_size)

    def _windows(self, text: Any, steps: int, name: str = "text") -> tuple[np.ndarray, np.ndarray]:
        """Ids (T, N) of windows of T symbols, and of what comes one symbol later."""
        ids = self._encode(text, name)
        if len(ids) <= steps:
            raise ValueError(f"{name} holds {len(ids)} symbols; expected more than {steps}")
        return self._cut(ids, steps)

    @staticmethod
    def _cut(ids: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
        count = (len(ids) - 1) // steps
        here, after = (ids[k : k + count * steps].reshape(count, steps).T for k in (0, 1))
        return here.copy(), after.copy()

    # ------------------------------------------------------------------------------ reading

    def read(self, text: str) -> Reading:
        """Run over a text from the zero state, and keep everything.

        Raises
        ------
        ValueError
            If the model knows none of its symbols.
        """
        ids, places = self.vocabulary.encode(text)
        if not ids.size:
            raise ValueError("text: the model knows none of its symbols")
        y, traces = self._body.forward(self._inputs(ids[:, None]))
        trace = next(each for each in traces.values() if isinstance(each, Trace))
        hidden = np.concatenate([self._nothing_read(), self.network.backend.to_numpy(y)[:, 0]])
        return Reading(ids, places, trace, self._predict(hidden))

    def surprise(self, text: str | Sequence[str], context: int | None = None) -> np.ndarray:
        """-log2 of the probability that the model gives each symbol, in bits, (T,).

        The text is read in pieces, with the state carried from each to the next: memory does not
        grow with its length.

        Parameters
        ----------
        text : str or sequence of str
            Several are read as if they were one.
        context : int, optional
            Symbols before each one that the model may know. It then begins anew for each, from
            the zero state, which takes ``context`` times as long.
        """
        ids = self._encode(text, "text")
        if context is not None:
            return self._surprise_within(ids, checked_size(context, "context", least=0))
        piece = max(1, AT_ONCE // len(self.vocabulary))
        hidden, state, found = self._nothing_read(), None, []
        for start in range(0, len(ids), piece):
            part = ids[start : start + piece]
            y, traces = self._body.forward(self._inputs(part[:, None]), state=state, trace=False)
            state = self._body.final_state(traces)
            hidden = np.concatenate([hidden, self.network.backend.to_numpy(y)[:, 0]])
            found.append(_surprise(self._predict(hidden[:-1]), part))
            hidden = hidden[-1:]
        return np.concatenate([np.zeros(0), *found])

    def _surprise_within(self, ids: np.ndarray, context: int) -> np.ndarray:
        """The surprise of each symbol, if only so many before it are known."""
        first = self._predict(self._nothing_read())
        found = np.empty(len(ids))
        if not context:
            return _surprise(np.broadcast_to(first, (len(ids), first.shape[1])), ids)
        begin = ids[: context + 1]
        if begin.size:
            y, _ = self._body.forward(self._inputs(begin[:, None]), trace=False)
            hidden = self.network.backend.to_numpy(y)[:-1, 0]
            said = np.concatenate([first, self._predict(hidden)])
            found[: context + 1] = _surprise(said, begin)
        batch = max(1, AT_ONCE // (context * self.lstm.hidden_size))
        for start in range(context + 1, len(ids), batch):
            asked = np.arange(start, min(start + batch, len(ids)))
            before = ids[asked - context + np.arange(context)[:, None]]
            y, _ = self._body.forward(self._inputs(before), trace=False)
            said = self._predict(self.network.backend.to_numpy(y)[-1])
            found[asked] = _surprise(said, ids[asked])
        return found

    def bits(self, text: str | Sequence[str], context: int | None = None) -> float:
        """How many bits a symbol of the text costs: the mean of `surprise`.

        Raises
        ------
        ValueError
            If the vocabulary knows none of its symbols.
        """
        return mean_surprise(self.surprise(text, context))

    def perplexity(self, text: str | Sequence[str], context: int | None = None) -> float:
        """2 to the power of `bits`: of how many equally likely symbols that is the surprise."""
        return float(2 ** self.bits(text, context))

    def next_after(self, text: str) -> np.ndarray:
        """Log-probabilities (V,), in nats, of the symbol that comes after a text."""
        hidden = self._nothing_read()
        ids, _ = self.vocabulary.encode(text)
        if ids.size:
            y, _ = self._body.forward(self._inputs(ids[:, None]), trace=False)
            hidden = self.network.backend.to_numpy(y)[-1]
        return self._predict(hidden)[0]

    # ------------------------------------------------------------------------------ writing

    def generate(
        self,
        prompt: str,
        draws: Any,
        temperature: float = 1.0,
        *,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> str:
        """Go on after a text, each symbol drawn from what the model says of it.

        Parameters
        ----------
        prompt : str
            What is read first, from the zero state; may be empty.
        draws : array (n,)
            Numbers in [0, 1), one for each symbol: ``rng.random(n)``. Likely symbols lie at the
            low end, as `lstm_lab.decoding.draw` says.
        temperature, top_k, top_p
            As `lstm_lab.decoding.distribution` takes them: 1 takes the model at its word, 0 always
            the likeliest.

        Raises
        ------
        TypeError, ValueError
            If a setting is out of range, or a draw.
        """
        numbers = plain_array(draws, "draws", "float64")
        if numbers.ndim != 1 or not ((numbers >= 0) & (numbers < 1)).all():
            raise ValueError(f"draws must be one row of numbers in [0, 1), got {described(draws)}")
        ids = self.vocabulary.encode(checked_text(prompt, "prompt"))[0]
        hidden, state = self._nothing_read(), None
        if ids.size:
            y, trace = self.lstm.forward(self._vectors(ids)[:, None], trace=False)
            hidden, state = self.network.backend.to_numpy(y)[-1], trace.state
        step = self.lstm.stepper(state, batch=1)

        def advance(drawn: np.ndarray) -> np.ndarray:
            scores, _ = self.head.forward(step(self._vectors(drawn[None])))
            return self.network.backend.to_numpy(scores)[0]

        drawn = decoding.generate(
            self._predict(hidden)[0],
            advance,
            numbers,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )
        return self.vocabulary.decode(drawn)

    # ---------------------------------------------------------------------------- its parts

    def _encode(self, text: Any, name: str) -> np.ndarray:
        texts = checked_texts(text, name)
        return np.concatenate(
            [np.zeros(0, "int64"), *(self.vocabulary.encode(t)[0] for t in texts)]
        )

    def _one_hot(self, ids: np.ndarray) -> np.ndarray:
        """Ids as the network reads them: as they are, or one-hot where it has no embedding."""
        if self.embedding is not None:
            return ids
        return np.eye(len(self.vocabulary), dtype=self.network.dtype)[ids]

    def _inputs(self, ids: np.ndarray) -> Any:
        return self.network.backend.asarray(np.ascontiguousarray(self._one_hot(ids)))

    def _vectors(self, ids: np.ndarray) -> Any:
        """What the LSTM reads for some symbols, (n, D)."""
        if self.embedding is None:
            return self._inputs(ids)
        return self.embedding.params["weight"][self.network.backend.asarray(ids)]

    def _nothing_read(self) -> np.ndarray:
        """The hidden state (1, H) that a reading begins with."""
        return np.zeros((1, self.lstm.output_size), self.network.dtype)

    def _predict(self, hidden: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, V) of the next symbol after hidden states (n, H)."""
        if not len(hidden):
            return np.zeros((0, len(self.vocabulary)))
        scores, _ = self.head.forward(self.network.backend.asarray(hidden))
        scores = self.network.backend.to_numpy(scores).astype("float64")
        scores -= scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def tables(self) -> dict[str, np.ndarray]:
        """The model's numbers as a loop over symbols needs them, on the host, in float64.

        Returns
        -------
        dict of numpy.ndarray
            ``w`` (V, 4H), what each symbol adds to the sums of the gates: W times its
            embedding; ``b`` (4H,); ``u`` (4H, H); ``out`` (V, H); ``out_bias`` (V,).

        Raises
        ------
        ValueError
            If the LSTM has more than one layer, or is of other equations than the standard ones.
        """
        lstm, head, host = self.lstm.params, self.head.params, self._on_host
        shapes, rows = {k: v.shape for k, v in lstm.items()}, 4 * self.lstm.hidden_size
        wanted = {
            "weight_x_l0": (rows, self.lstm.input_size),
            "weight_h_l0": (rows, self.lstm.hidden_size),
        }
        if shapes != wanted | {"bias_l0": (rows,)}:
            raise ValueError(
                "the model must have an LSTM of one layer and of the standard equations, "
                f"got {self.lstm!r}"
            )
        w = host(lstm["weight_x_l0"]).T
        return {
            "w": w if self.embedding is None else host(self.embedding.params["weight"]) @ w,
            "b": host(lstm["bias_l0"]),
            "u": host(lstm["weight_h_l0"]),
            "out": host(head["weight"]),
            "out_bias": host(head["bias"]),
        }

    def _on_host(self, array: Any) -> np.ndarray:
        return self.network.backend.to_numpy(array).astype("float64")

    def astype(self, dtype: Any) -> LanguageModel:
        """A copy of the model that computes in another dtype, with NumPy."""
        dtype, copies = checked_dtype(dtype), {}
        for name, layer in self.network.layers.items():
            copies[name] = type(layer)(**layer.config, backend="numpy", dtype=dtype)
            for key, array in copies[name].params.items():
                array[...] = layer.backend.to_numpy(layer.params[key])
        return LanguageModel(Sequential(**copies), self.vocabulary, self.about)

    def save(self, path: str | os.PathLike) -> Path:
        """Write a weight file with the vocabulary and ``about`` in its header."""
        note = {"vocabulary": self.vocabulary.config, "about": self.about}
        return weights.save(self.network, path, notes={KEY: note})

    @classmethod
    def load(cls, path: str | os.PathLike, backend: str | None = None) -> LanguageModel:
        """The model that `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no such file, or a damaged one.
        """
        network: Any = weights.load(path, backend)
        notes = weights.read_notes(path)
        try:
            note = notes[KEY] if KEY in notes else notes[FORMER_KEY]
            vocabulary = note["vocabulary"] if "vocabulary" in note else note["alphabet"]
            return cls(network, checked_vocabulary(vocabulary), note["about"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} holds no language model: {error}; LanguageModel.save writes one"
            ) from error

    def __repr__(self) -> str:
        size = f"{self.lstm.hidden_size} cells, {len(self.vocabulary):,} {self.vocabulary.unit}"
        return f"<LanguageModel: {size}, {self.network.size:,} parameters>"


def _surprise(said: np.ndarray, ids: np.ndarray) -> np.ndarray:
    return -said[np.arange(len(ids)), ids] / np.log(2)


def _parts(network: Sequential, size: int) -> tuple[Embedding | None, LSTM, Linear]:
    check_kind(network, "network", Sequential, "a Sequential")
    layers = [each for each in network.layers.values() if not isinstance(each, Dropout)]
    kinds = [type(layer) for layer in layers]
    if kinds not in ([LSTM, Linear], [Embedding, LSTM, Linear]) or isinstance(
        [*network.layers.values()][-1], Dropout
    ):
        found = ", ".join(type(layer).__name__ for layer in network.layers.values())
        raise TypeError(f"network: expected (Embedding,) LSTM, Linear, got {found}")
    embedding: Any = layers[0] if kinds[0] is Embedding else None
    lstm: Any = layers[-2]
    head: Any = layers[-1]
    if lstm.bidirectional:
        raise ValueError("network: the LSTM is bidirectional, and would read what it is to predict")
    reads = lstm.input_size if embedding is None else embedding.vocabulary_size
    if reads != size or head.output_size != size:
        raise ValueError(
            f"vocabulary: has {size} symbols, but the network reads {reads} and "
            f"predicts {head.output_size}"
        )
    return embedding, lstm, head
