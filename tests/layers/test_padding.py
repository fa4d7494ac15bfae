"""Lengths hold for every layer: what stands in the padding has no influence, either way."""

import numpy as np
import pytest

from lstm_lab import (
    CRF,
    GRU,
    LSTM,
    RNN,
    BiLSTM,
    Dropout,
    Embedding,
    FeatureEmbedding,
    LastStep,
    Linear,
    Reverse,
)
from lstm_lab import Sequential as Chain
from lstm_lab.gradcheck import gradcheck

LENGTHS = [2, 5, 1]
PADDED = np.arange(5)[:, None] >= LENGTHS
D = {"dtype": "float64"}

LAYERS = {
    "linear": lambda **o: Linear(3, 4, seed=0, **D, **o),
    "crf": lambda **o: CRF(3, **D, **o),
    "embedding": lambda **o: Embedding(6, 4, seed=0, **D, **o),
    "embedding-features": lambda **o: FeatureEmbedding((6, 6, 6), (2, 1, 3), seed=0, **D, **o),
    "dropout": lambda **o: Dropout(0.5, **D, **o),
    "reverse": lambda **o: Reverse(**D, **o),
    "lstm": lambda **o: LSTM(3, 4, seed=0, **D, **o),
    "bilstm": lambda **o: BiLSTM(3, 4, 2, dropout=0.5, seed=0, **D, **o),
    "gru": lambda **o: GRU(3, 4, seed=0, **D, **o),
    "rnn": lambda **o: RNN(3, 4, seed=0, **D, **o),
    "last": lambda **o: LastStep(**D, **o),
    "linear-lstm": lambda **o: Chain(
        first=Linear(3, 2, seed=0, **D, **o), lstm=LSTM(2, 4, seed=1, **D, **o)
    ),
    "embedding-lstm-last-linear": lambda **o: Chain(
        first=Embedding(6, 2, seed=0, **D, **o),
        lstm=LSTM(2, 4, seed=1, **D, **o),
        last=LastStep(**D, **o),
        head=Linear(4, 2, seed=2, **D, **o),
    ),
}


def batch(name):
    rng = np.random.default_rng(0)
    if name.startswith("embedding"):
        shape = (5, 3, 3) if name.endswith("features") else (5, 3)
        return rng.integers(0, 6, shape), (-1, 99)
    return rng.normal(size=(5, 3, 3)), (np.nan, np.inf)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_nothing_of_the_padding_is_seen(backend, name, training):
    layer = LAYERS[name](backend=backend)
    x, rubbish = batch(name)
    results = []
    for inside in (1, *rubbish):
        given = x.copy()
        given[PADDED] = inside
        rng = np.random.default_rng(1) if training else None
        y, trace = layer.forward(backend.asarray(given), lengths=LENGTHS, rng=rng)
        dy = np.random.default_rng(2).normal(size=y.shape)
        if dy.shape[:2] == PADDED.shape:
            dy[PADDED] = inside
            assert not backend.to_numpy(y)[PADDED].any()
        gradient = layer.backward(backend.asarray(dy), trace)
        found = [y, *gradient.params.values()]
        if gradient.x is not None:
            found.append(gradient.x)
            assert not backend.to_numpy(gradient.x)[PADDED].any()
        results.append([backend.to_numpy(array) for array in found])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
            assert np.isfinite(a).all()


@pytest.mark.parametrize("name", LAYERS)
def test_each_sequence_is_as_it_is_alone(name):
    layer = LAYERS[name]()
    x, _ = batch(name)
    y, _ = layer.forward(x, lengths=LENGTHS)
    for b, length in enumerate(LENGTHS):
        alone, _ = layer.forward(np.ascontiguousarray(x[:length, b : b + 1]))
        if y.ndim == 2:
            np.testing.assert_allclose(y[b], alone[0], rtol=1e-12)
        else:
            np.testing.assert_allclose(y[:length, b], alone[:, 0], rtol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_within_lengths(name):
    report = gradcheck(LAYERS[name](), batch(name)[0], lengths=LENGTHS)
    assert report, str(report)


def test_axes_between_time_and_features():
    layer = Linear(2, 3, seed=0, **D)
    x = np.random.default_rng(0).normal(size=(5, 3, 4, 2))
    y, _ = layer.forward(x, lengths=LENGTHS)
    np.testing.assert_allclose(y[~PADDED], layer.forward(x)[0][~PADDED], rtol=1e-12)
    assert not y[PADDED].any()
    report = gradcheck(layer, x, lengths=LENGTHS)
    assert report, str(report)


def test_a_batch_without_padding_is_not_copied():
    layer, x = Linear(3, 4, seed=0, **D), batch("linear")[0]
    for lengths in (None, [5, 5, 5]):
        assert layer.forward(x, lengths=lengths)[1].x is x
