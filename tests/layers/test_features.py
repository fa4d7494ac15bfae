"""Words of several features, and words hidden: against single embeddings, and by counting."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import Embedding, FeatureEmbedding, Linear, Sequential, WordDropout, interchange
from lstm_lab.gradcheck import gradcheck

SIZES = (7, 4, 5), (3, 2, 1)


def ids(steps=6, batch=4):
    rng = np.random.default_rng(0)
    return np.stack([rng.integers(0, v, (steps, batch)) for v in SIZES[0]], axis=-1)


def test_each_feature_has_an_embedding_of_its_own(backend):
    layer, x = FeatureEmbedding(*SIZES, seed=0, dtype="float64", backend=backend), ids()
    y, _ = layer.forward(backend.asarray(x), lengths=[6, 2, 3, 1])
    start = 0
    for k, (v, e) in enumerate(zip(*SIZES, strict=True)):
        table = layer.params[f"weight_{k}"]
        one = Embedding.from_params(
            {"weight": table}, vocabulary_size=v, embedding_size=e, dtype="float64", backend=backend
        )
        part, _ = one.forward(backend.asarray(x[..., k]), lengths=[6, 2, 3, 1])
        found = backend.to_numpy(y)[..., start : start + e]
        np.testing.assert_array_equal(found, backend.to_numpy(part))
        start += e
    assert start == layer.output_size == y.shape[-1]


@pytest.mark.parametrize("lengths", [None, [6, 2, 3, 1]])
def test_gradients(lengths):
    assert gradcheck(FeatureEmbedding(*SIZES, seed=0, dtype="float64"), ids(), lengths=lengths)


def test_ids_of_another_form():
    layer = FeatureEmbedding(*SIZES, seed=0)
    with pytest.raises(ValueError, match=r"x must have shape \(..., 3\)"):
        layer.forward(ids()[..., :2])
    with pytest.raises(ValueError, match="ids from 0 to 6, got"):
        layer.forward(ids()[..., [0, 0, 0]] + 1)
    with pytest.raises(ValueError, match="another layer, of 1 features"):
        _, trace = FeatureEmbedding([2], [3]).forward(np.zeros((2, 1, 1), int))
        layer.backward(np.zeros((2, 1, 6), "float32"), trace)


def test_words_are_hidden_at_their_rate_and_nothing_else_is(backend):
    x = np.random.default_rng(1).integers(1, 9, (50, 40, 3))
    layer = WordDropout(0.2, unknown=0, feature=1, backend=backend)
    y, _ = layer.forward(backend.asarray(x), rng=np.random.default_rng(0))
    y = backend.to_numpy(y)
    np.testing.assert_array_equal(y[..., [0, 2]], x[..., [0, 2]])
    hidden = y[..., 1] == 0
    np.testing.assert_array_equal(y[..., 1][~hidden], x[..., 1][~hidden])
    # 2,000 draws: a standard deviation is below .01.
    assert abs(hidden.mean() - 0.2) < 0.05
    same, _ = layer.forward(backend.asarray(x), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(backend.to_numpy(same), y)
    for rng, rate in ((None, 0.2), (np.random.default_rng(0), 0.0)):
        shown, _ = WordDropout(rate, backend=backend).forward(backend.asarray(x), rng=rng)
        np.testing.assert_array_equal(backend.to_numpy(shown), x)


def test_words_without_features():
    x = np.full((40, 50), 3)
    y, _ = WordDropout(0.5, unknown=7).forward(x, rng=np.random.default_rng(0))
    assert set(np.unique(y)) == {3, 7} and y.dtype == x.dtype
    with pytest.raises(ValueError, match="last axis of more than 2 features"):
        WordDropout(0.5, feature=2).forward(x[..., None])


def test_files_keep_both(tmp_path):
    net = Sequential(
        hide=WordDropout(0.25, unknown=1, feature=2),
        words=FeatureEmbedding(*SIZES, seed=0),
        head=Linear(6, 2, seed=0),
    )
    interchange.save(net, tmp_path / "net.safetensors")
    again = interchange.load(tmp_path / "net.safetensors")
    assert repr(again) == repr(net)
    y, trace = net.forward(ids(), rng=np.random.default_rng(3))
    np.testing.assert_array_equal(again.forward(ids(), rng=np.random.default_rng(3))[0], y)
    assert list(net.backward(y, trace).params) == list(net.params)
