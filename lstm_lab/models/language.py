"""A network that predicts the next character, and the alphabet that it reads with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import (
    check_kind,
    checked_dtype,
    checked_number,
    checked_seed,
    checked_text,
    described,
    plain_array,
)
from ..interchange import weights
from ..layers import LSTM, Embedding, Linear, Sequential, Trace

__all__ = ["CharModel", "Reading", "load", "shipped"]

KEY = "lstm_lab_text"
SHIPPED = Path(__file__).with_name("python_source.safetensors")


@dataclass(frozen=True)
class Reading:
    """What a model made of a text, batch of one.

    Attributes
    ----------
    ids : numpy.ndarray (T,)
        The characters that the model knows; it never sees the others.
    places : numpy.ndarray (T,)
        Where they stand in the text.
    trace : Trace
        Every gate and state after each of them, (T, 1, H).
    log_probabilities : numpy.ndarray (T + 1, V), float64
        Entry t is what the model says of character t, in nats, before it has read it; the last
        entry is of what comes after the text.
    """

    ids: np.ndarray
    places: np.ndarray
    trace: Trace
    log_probabilities: np.ndarray

    @property
    def surprise(self) -> np.ndarray:
        """-log2 of the probability that the model gave each character, in bits, (T,)."""
        said = self.log_probabilities[:-1]
        return -said[np.arange(len(self.ids)), self.ids] / np.log(2)


class CharModel:
    """A one-layer LSTM over characters with a linear layer to the next one's scores.

    Parameters
    ----------
    network : Sequential
        ``Sequential(Embedding, LSTM, Linear)``, or ``Sequential(LSTM, Linear)`` that reads
        characters one-hot; the LSTM of one layer and direction, with any names.
    alphabet : str
        The characters in the order of their ids, each once.
    about : dict, optional
        What is known of the model, as JSON can hold it: where it is from, how good it is.

    Raises
    ------
    TypeError, ValueError
        If the network is of another form, or does not fit the alphabet.
    """

    def __init__(self, network: Sequential, alphabet: str, about: dict[str, Any] | None = None):
        if not isinstance(alphabet, str) or len(set(alphabet)) != len(alphabet) or not alphabet:
            raise ValueError(f"alphabet: expected characters, each of them once, got {alphabet!r}")
        about = {} if about is None else about
        check_kind(about, "about", Mapping, "a mapping, as JSON can hold it")
        self.network, self.alphabet, self.about = network, alphabet, dict(about)
        self.embedding, self.lstm, self.head = _parts(network, len(alphabet))
        self._ids = {character: k for k, character in enumerate(alphabet)}

    @classmethod
    def new(
        cls,
        alphabet: str,
        hidden_size: int,
        embedding_size: int = 32,
        *,
        seed: int = 0,
        **options: Any,
    ) -> CharModel:
        """An untrained model; ``options`` go to the LSTM and to the other layers' backend.

        Parameters
        ----------
        alphabet : str
        hidden_size, embedding_size : int
        seed : int
            Embedding, LSTM and linear layer take streams of their own from it.
        """
        checked_text(alphabet, "alphabet")
        seeds = np.random.SeedSequence(checked_seed(seed)).spawn(3)
        shared = {k: options[k] for k in ("backend", "dtype") if k in options}
        return cls(
            Sequential(
                embedding=Embedding(len(alphabet), embedding_size, seed=seeds[0], **shared),
                lstm=LSTM(embedding_size, hidden_size, seed=seeds[1], **options),
                head=Linear(hidden_size, len(alphabet), seed=seeds[2], **shared),
            ),
            alphabet,
        )

    def encode(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The ids of the characters that the model knows, and where they stand in the text."""
        checked_text(text, "text")
        known = [(k, self._ids[c]) for k, c in enumerate(text) if c in self._ids]
        pairs = np.array(known, dtype="int64").reshape(-1, 2)
        return pairs[:, 1], pairs[:, 0]

    def tables(self) -> dict[str, np.ndarray]:
        """The model's numbers as a loop over characters needs them, on the host, in float64.

        Returns
        -------
        dict of numpy.ndarray
            ``w`` (V, 4H), what each character adds to the sums of the gates: W times its
            embedding; ``b`` (4H,); ``u`` (4H, H); ``out`` (V, H); ``out_bias`` (V,).
        """
        lstm, head, host = self.lstm.params, self.head.params, self._on_host
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

    def read(self, text: str) -> Reading:
        """Run over a text from the zero state. Characters that are not in the alphabet are skipped.

        Raises
        ------
        ValueError
            If the model knows none of its characters.
        """
        ids, places = self.encode(text)
        if not ids.size:
            raise ValueError("text: the model knows none of its characters")
        y, trace = self.lstm.forward(self._inputs(ids))
        before = np.zeros((1, self.lstm.hidden_size), self.network.dtype)
        hidden = np.concatenate([before, self.network.backend.to_numpy(y)[:, 0]])
        return Reading(ids, places, trace, self._predict(hidden))

    def next_after(self, text: str) -> np.ndarray:
        """Log-probabilities (V,), in nats, of the character that comes after a text."""
        hidden = np.zeros((1, self.lstm.hidden_size), self.network.dtype)
        ids, _ = self.encode(text)
        if ids.size:
            y, _ = self.lstm.forward(self._inputs(ids), trace=False)
            hidden = self.network.backend.to_numpy(y)[-1]
        return self._predict(hidden)[0]

    def generate(self, prompt: str, draws: Any, temperature: float = 1.0) -> str:
        """Go on after a text, each character drawn from what the model says of it.

        Parameters
        ----------
        prompt : str
            What is read first, from the zero state; may be empty.
        draws : array (n,)
            Uniform numbers from 0 to 1, one for each character: ``rng.random(n)``.
        temperature : float
            The scores are divided by it: near 0 the likeliest character always wins, 1 takes the
            model at its word, above it the unlikely ones get more of a chance.

        Raises
        ------
        ValueError
            If the temperature is not above 0.
        """
        try:
            temperature = checked_number(temperature, "temperature", low=0, above=True)
        except ValueError:
            raise ValueError(
                f"temperature: expected a number above 0, got {described(temperature)}"
            ) from None
        draws = plain_array(draws, "draws", "float64")
        if draws.ndim != 1 or not ((draws >= 0) & (draws <= 1)).all():
            raise ValueError("draws must be one row of numbers from 0 to 1")
        hidden = np.zeros((1, self.lstm.hidden_size), self.network.dtype)
        ids, state, written = self.encode(checked_text(prompt, "prompt"))[0], None, []
        for draw in draws:
            if ids.size:
                y, trace = self.lstm.forward(self._inputs(ids), state, trace=False)
                hidden, state = self.network.backend.to_numpy(y)[-1], trace.state
            heated = self._predict(hidden)[0] / temperature
            shares = np.exp(heated - heated.max())
            place = np.searchsorted(np.cumsum(shares / shares.sum()), draw, side="right")
            ids = np.array([min(int(place), len(self.alphabet) - 1)])
            written.append(self.alphabet[ids[0]])
        return "".join(written)

    def _inputs(self, ids: np.ndarray) -> Any:
        """Ids (T,) as the LSTM reads them, (T, 1, D)."""
        backend = self.network.backend
        if self.embedding is None:
            one_hot = np.eye(len(self.alphabet), dtype=self.network.dtype)
            return backend.asarray(one_hot[ids[:, None]])
        return self.embedding.forward(backend.asarray(ids[:, None]))[0]

    def _predict(self, hidden: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, V) of the next character after hidden states (n, H)."""
        scores, _ = self.head.forward(self.network.backend.asarray(hidden))
        scores = self.network.backend.to_numpy(scores).astype("float64")
        scores -= scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def astype(self, dtype: Any) -> CharModel:
        """A copy of the model that computes in another dtype, with NumPy."""
        dtype, copies = checked_dtype(dtype), {}
        for name, layer in self.network.layers.items():
            copies[name] = type(layer)(**layer.config, backend="numpy", dtype=dtype)
            for key, array in copies[name].params.items():
                array[...] = layer.backend.to_numpy(layer.params[key])
        return CharModel(Sequential(**copies), self.alphabet, self.about)

    def save(self, path: str | os.PathLike) -> Path:
        """Write a weight file with the alphabet and ``about`` in its header."""
        note = {"alphabet": self.alphabet, "about": self.about}
        return weights.save(self.network, path, notes={KEY: note})

    def __repr__(self) -> str:
        size = f"{self.lstm.hidden_size} cells, {len(self.alphabet)} characters"
        return f"<CharModel: {size}, {self.network.size:,} parameters>"


def load(path: str | os.PathLike, backend: str | None = None) -> CharModel:
    """The model that `CharModel.save` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file, or a damaged one.
    """
    network: Any = weights.load(path, backend)
    try:
        note = weights.read_notes(path)[KEY]
        return CharModel(network, note["alphabet"], note["about"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} holds no model of text: {error}; CharModel.save writes one"
        ) from error


def shipped() -> CharModel:
    """The model of Python source text that comes with the book; ``about`` says what it is."""
    return load(SHIPPED, "numpy")


def _parts(network: Sequential, size: int) -> tuple[Embedding | None, LSTM, Linear]:
    if not isinstance(network, Sequential):
        raise TypeError(f"network: expected a Sequential, got {type(network).__name__}")
    layers = list(network.layers.values())
    kinds = [type(layer) for layer in layers]
    if kinds not in ([LSTM, Linear], [Embedding, LSTM, Linear]):
        found = ", ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"network: expected (Embedding,) LSTM, Linear, got {found}")
    embedding: Any = layers[0] if kinds[0] is Embedding else None
    lstm: Any = layers[-2]
    head: Any = layers[-1]
    shapes, rows = {k: v.shape for k, v in lstm.params.items()}, 4 * lstm.hidden_size
    wanted = {"weight_x_l0": (rows, lstm.input_size), "weight_h_l0": (rows, lstm.hidden_size)}
    if shapes != wanted | {"bias_l0": (rows,)}:
        raise ValueError(
            f"network: expected an LSTM of one layer and direction and of the standard equations, "
            f"got {lstm!r}"
        )
    reads = lstm.input_size if embedding is None else embedding.vocabulary_size
    if reads != size or head.output_size != size:
        raise ValueError(
            f"alphabet: has {size} characters, but the network reads {reads} and "
            f"predicts {head.output_size}"
        )
    return embedding, lstm, head
