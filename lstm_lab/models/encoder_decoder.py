"""The network of sequence to sequence: one LSTM reads, another writes, attention lies between."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation import check_call, check_kind, described
from ..backends import Array
from ..layers import Attention, Embedding, Gradient, Linear, Sequential
from ..layers.recurrent import Recurrent

__all__ = ["EncoderDecoder", "Writer"]

PARTS = {
    "source": Embedding,
    "encoder": Recurrent,
    "target": Embedding,
    "decoder": Recurrent,
    "attention": Attention,
    "combine": Linear,
    "head": Linear,
}


class EncoderDecoder(Sequential):
    """An encoder reads a source of S steps; a decoder begins where it ends, and writes T symbols.

    ::

        m_s = encoder(E_x x_s)                          memory, s = 1 … S
        h_0 = the encoder's last state
        h_t = decoder(E_y y_{t-1}; h_{t-1})             t = 1 … T
        a_ts = softmax over s of score(h_t, m_s)        attention
        m̄_t = Σ_s a_ts m_s                              context
        h̃_t = tanh(W [m̄_t; h_t] + b)                    attentional state
        log P(y_t | y_1 … y_{t-1}, x) = log softmax(V h̃_t + b)

    Without attention the decoder knows of the source what its first state holds, and V reads h_t.

    Two LSTMs with the state handed over: Sutskever, Vinyals & Le 2014, arXiv:1409.3215. A
    bidirectional encoder with attention: Bahdanau, Cho & Bengio 2015, arXiv:1409.0473. Score and
    attentional state: Luong, Pham & Manning 2015, doi:10.18653/v1/D15-1166, equations (5) to (8),
    without the input feeding of section 3.3, so that all T steps are known to the decoder at once
    in training.

    **The state that is handed over.** Each layer's h and c, those of both directions side by side:
    the decoder has as many cells as both directions together. Of the forward direction that is
    the state behind the last word, of the reverse direction the one before the first. (Bahdanau
    et al. take the reverse one alone, through a tanh layer.)

    Parameters
    ----------
    source, target : Embedding
        Vectors of the symbols that are read, and of those that were written.
    encoder : LSTM, GRU or RNN
        In one direction or both.
    decoder : LSTM, GRU or RNN
        In one direction; as many layers as the encoder.
    attention : Attention or None
        Its query is the decoder's output, its memory the encoder's.
    combine : Linear or None
        W and b of the attentional state; there if and only if attention is.
    head : Linear
        V, to a score for each symbol that may be written.

    Attributes
    ----------
    layers, params
        As of `Sequential`: the parts under their names.

    Raises
    ------
    TypeError, ValueError
        If parts are of the wrong kind or do not fit each other.

    Examples
    --------
    >>> from lstm_lab import LSTM, BiLSTM
    >>> network = EncoderDecoder(
    ...     source=Embedding(20, 8, seed=0), encoder=BiLSTM(8, 16, seed=1),
    ...     target=Embedding(30, 8, seed=2), decoder=LSTM(8, 32, seed=3),
    ...     attention=Attention(32, 32, "general", seed=4), combine=Linear(64, 32, seed=5),
    ...     head=Linear(32, 30, seed=6),
    ... )
    >>> source, written = np.ones((5, 2), int), np.ones((7, 2), int)  # S=5, T=7, B=2
    >>> scores, trace = network.forward((source, written), lengths=([5, 3], [7, 6]))
    >>> scores.shape, trace["attention"].weights.shape
    ((7, 2, 30), (7, 2, 5))
    """

    def __init__(
        self,
        *,
        source: Embedding,
        encoder: Recurrent,
        target: Embedding,
        decoder: Recurrent,
        head: Linear,
        attention: Attention | None = None,
        combine: Linear | None = None,
    ):
        given = {
            "source": source,
            "encoder": encoder,
            "target": target,
            "decoder": decoder,
            "attention": attention,
            "combine": combine,
            "head": head,
        }
        if (attention is None) != (combine is None):
            raise ValueError("attention and combine belong together: give both, or neither")
        optional = ("attention", "combine")
        parts: dict[str, Any] = {
            name: layer
            for name, layer in given.items()
            if layer is not None or name not in optional
        }
        for name, layer in parts.items():
            kind = PARTS[name]
            spelt = "an LSTM, GRU or RNN" if kind is Recurrent else f"a layer {kind.__name__}"
            check_kind(layer, name, kind, spelt)
        _check_sizes(parts)
        super().__init__(**parts)

    # ------------------------------------------------------------------------ there and back

    def forward(  # type: ignore[override]  # it reads two inputs, and is never read in pieces
        self,
        x: tuple[Array, Array],
        *,
        lengths: tuple[Any, Any] | None = None,
        rng: np.random.Generator | None = None,
        trace: bool = True,
    ) -> tuple[Array, dict[str, Any]]:
        """The scores of what comes next, at every step of what was written: teacher forcing.

        Parameters
        ----------
        x : tuple of int arrays (S, B) and (T, B)
            The source, and what was written before each step: the start symbol, then the right
            answers but the last.
        lengths : tuple of two, or None
            Those of the source and of what was written; each a sequence of B ints, or None.
        rng : numpy.random.Generator or None
            Given in training: draws the layers' dropout.
        trace : bool
            False keeps only the attention's weights and the final states.

        Returns
        -------
        scores : array (T, B, V)
            Logits; 0 past the end of what was written.
        trace : dict
            The parts' traces by their names, and ``"attentional"``, h̃ (T, B, H).
        """
        check_call(rng, trace)
        source, written = _checked_pair(x)
        ends, own = (None, None) if lengths is None else _two(lengths, "lengths")
        traces: dict[str, Any] = {}

        def run(name: str, *inputs: Any, lengths: Any) -> Array:
            layer = self.layers[name]
            y, traces[name] = layer.forward(*inputs, lengths=lengths, rng=rng, trace=trace)
            return y

        memory = run("encoder", run("source", source, lengths=ends), lengths=ends)
        state = self.hand_over(traces["encoder"].state)
        u = run("decoder", run("target", written, lengths=own), state, lengths=own)
        if "attention" in self.layers:
            context = run("attention", u, memory, lengths=ends)
            both = self.backend.xp.concatenate([context, u], axis=-1)
            u = self.backend.xp.tanh(run("combine", both, lengths=own))
            traces["attentional"] = u
        return run("head", u, lengths=own), traces

    def backward(self, dy: Array, trace: dict[str, Any]) -> Gradient:
        """From the scores' gradient (T, B, V) to those of all parameters.

        What the source did is reached on two ways: through the decoder's first state, and, with
        attention, from every step straight to every word.
        """
        check_kind(trace, "trace", dict, "what EncoderDecoder.forward returned")
        if trace.keys() - {"attentional"} != self.layers.keys():
            raise ValueError(
                f"trace belongs to another network: it holds {', '.join(trace) or 'nothing'}, "
                f"not {', '.join(self.layers)}"
            )
        params: dict[str, Array] = {}

        def back(name: str, *gradients: Any) -> Any:
            found = self.layers[name].backward(gradients[0], trace[name], *gradients[1:])
            params.update({f"{name}.{key}": value for key, value in found.params.items()})
            return found

        encoder: Any = self.layers["encoder"]
        xp, width = self.backend.xp, encoder.output_size
        du = back("head", dy).x
        if "attention" in self.layers:
            du *= 1 - trace["attentional"] ** 2
            both = back("combine", du).x
            looked = back("attention", xp.ascontiguousarray(both[..., :width]))
            du, dmemory = both[..., width:] + looked.x, looked.memory
        else:
            dmemory = xp.zeros((*trace["source"].shape, width), self.dtype)
        written = back("decoder", du)
        back("target", written.x)
        back("source", back("encoder", dmemory, self.hand_back(written.state)).x)
        return Gradient(None, {name: params[name] for name in self.params})

    def hand_over(self, state: Any) -> Any:
        """The encoder's last state as the decoder's first: both directions side by side."""
        return _each_array(self._side_by_side, state)

    def hand_back(self, dstate: Any) -> Any:
        """The gradient of the decoder's first state as that of the encoder's last."""
        return _each_array(self._apart, dstate)

    def _side_by_side(self, state: Array) -> Array:
        """(layers · directions, B, H) to (layers, B, directions · H)."""
        encoder: Any = self.layers["encoder"]
        parts = state.reshape(encoder.num_layers, encoder.directions, *state.shape[1:])
        joined = parts.transpose(0, 2, 1, 3)
        return joined.reshape(encoder.num_layers, state.shape[1], -1)

    def _apart(self, dstate: Array) -> Array:
        encoder: Any = self.layers["encoder"]
        batch = dstate.shape[1]
        parts = dstate.reshape(encoder.num_layers, batch, encoder.directions, -1)
        return parts.transpose(0, 2, 1, 3).reshape(-1, batch, parts.shape[-1]).copy()

    # ------------------------------------------------------------------------- step by step

    def writer(self, source: Array, lengths: Any = None) -> Writer:
        """Read a source, and be ready to write about it symbol by symbol.

        Parameters
        ----------
        source : array of int (S, B)
        lengths : sequence of B ints, or None
        """
        vectors, _ = self.layers["source"].forward(source, lengths=lengths, trace=False)
        memory, read = self.layers["encoder"].forward(vectors, lengths=lengths, trace=False)
        return Writer(self, memory, self.hand_over(read.state), lengths)


class Writer:
    """A decoder at work: what `lstm_lab.decoding.beam_search` takes as its ``step``.

    ``writer(ids)`` writes one symbol in each of n rows and returns the log-probabilities of the
    next; with `keep` rows are dropped, copied or reordered.

    Attributes
    ----------
    weights : array (n, S) or None
        Where the last step looked, without attention None.
    """

    def __init__(self, network: EncoderDecoder, memory: Array, state: Any, lengths: Any):
        decoder: Any = network.layers["decoder"]
        self.network, self.memory, self.step = network, memory, decoder.stepper(state)
        self.lengths = None if lengths is None else np.asarray(lengths)
        self.weights: Array | None = None

    def __call__(self, ids: Any) -> np.ndarray:
        """From the symbols (n,) that were just written to log P (n, V) of the next, on the host."""
        layers, xp = self.network.layers, self.network.backend.xp
        written = self.network.backend.asarray(np.asarray(ids))
        vectors, _ = layers["target"].forward(written)
        u = self.step(vectors)[None]
        if "attention" in layers:
            context, looked = layers["attention"].forward(u, self.memory, self.lengths, trace=False)
            self.weights = looked.weights[0]
            both = xp.concatenate([context, u], axis=-1)
            u = xp.tanh(layers["combine"].forward(both, trace=False)[0])
        scores = layers["head"].forward(u, trace=False)[0][0]
        return log_softmax(self.network.backend.to_numpy(scores))

    def keep(self, rows: Any) -> None:
        """Go on with these rows, in this order; one may be there several times."""
        index = self.network.backend.index((slice(None), np.asarray(rows)))
        self.step.keep(rows)
        self.memory = self.memory[index]
        if self.lengths is not None:
            self.lengths = self.lengths[np.asarray(rows)]


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Scores (..., V) as log-probabilities, in float64."""
    z = scores.astype("float64")
    z -= z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _each_array(function: Any, state: Any) -> Any:
    """A function of every array of a state: (h, c) of an LSTM, h alone of the others."""
    return tuple(map(function, state)) if isinstance(state, tuple) else function(state)


def _two(values: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(values, (tuple, list)) or len(values) != 2:
        raise TypeError(
            f"{name} must be a pair, of the source and of what was written, got {described(values)}"
        )
    return values[0], values[1]


def _checked_pair(x: Any) -> tuple[Array, Array]:
    """Source and what was written, of as many sequences."""
    source, written = _two(x, "x")
    for name, array in (("source", source), ("what was written", written)):
        if np.ndim(array) != 2 or array.shape[1] != source.shape[1]:
            raise ValueError(
                "x must be ids of shape (S, B) and (T, B), of as many sequences; "
                f"{name} has shape {np.shape(array)}"
            )
    return source, written


def _check_sizes(parts: dict[str, Any]) -> None:
    """Refuse parts of which one puts out another size than the next one reads."""
    encoder, decoder = parts["encoder"], parts["decoder"]
    if decoder.bidirectional:
        raise ValueError("decoder: it cannot read backwards what it has not written yet")
    if encoder.cell.name != decoder.cell.name or encoder.num_layers != decoder.num_layers:
        raise ValueError(
            f"decoder must be of the encoder's kind and depth, to begin with its state; got "
            f"{decoder!r} for {encoder!r}"
        )
    sides = [size * encoder.directions for size in encoder.state_sizes]
    if list(decoder.state_sizes) != sides:
        raise ValueError(
            f"decoder must have the size of the encoder's directions side by side, {sides[0]}, "
            f"to begin with their last state; got {decoder.state_sizes[0]}"
        )
    reads = [
        ("encoder", encoder.input_size, "source", parts["source"].embedding_size),
        ("decoder", decoder.input_size, "target", parts["target"].embedding_size),
    ]
    out = decoder.output_size
    if "attention" in parts:
        attention, combine = parts["attention"], parts["combine"]
        reads += [
            ("attention's query", attention.query_size, "decoder", out),
            ("attention's memory", attention.memory_size, "encoder", encoder.output_size),
            ("combine", combine.input_size, "context and decoder", encoder.output_size + out),
        ]
        out = combine.output_size
    reads.append(("head", parts["head"].input_size, "layer before it", out))
    reads.append(("target", parts["target"].vocabulary_size, "head", parts["head"].output_size))
    for name, size, giver, given in reads:
        if size != given:
            raise ValueError(f"{name} is made for size {size}, but its {giver} gives {given}")
