"""The layer CRF: its sums written out, its gradients, and what it does not allow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import Linear, Sequential, interchange
from lstm_lab.decoding import legal_bio
from lstm_lab.gradcheck import gradcheck
from lstm_lab.layers import CRF
from lstm_lab.losses import crf
from lstm_lab.optim import Adam

TAGS = ["O", "B-a", "I-a"]


def layer_of(tags, allowed=None, seed=0, **options):
    rng, layer = np.random.default_rng(seed), CRF(tags, allowed, dtype="float64", **options)
    for name, array in layer.params.items():
        layer.params[name] = layer.backend.asarray(rng.normal(size=array.shape))
    return layer


def by_hand(layer, x, lengths):
    """One edge after the other."""
    p = layer.params
    y = np.zeros((*x.shape, layer.num_tags))
    for b, n in enumerate(lengths):
        for t in range(n):
            for j in range(layer.num_tags):
                for k in range(layer.num_tags):
                    edge = p["transition"][j, k] if t else p["start"][k]
                    y[t, b, j, k] = x[t, b, k] + edge + (p["end"][k] if t == n - 1 else 0)
    return y


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_sums_and_gradients(seed, steps, batch, tags):
    rng, layer = np.random.default_rng(seed), layer_of(tags, seed=seed)
    x, lengths = rng.normal(size=(steps, batch, tags)), rng.integers(1, steps + 1, batch)
    y, _ = layer.forward(x, lengths=lengths)
    np.testing.assert_allclose(y, by_hand(layer, x, lengths), atol=1e-14)
    assert gradcheck(layer, x, lengths=lengths)


def test_what_is_not_allowed_is_minus_infinity_and_is_not_learnt(backend):
    layer = layer_of(3, legal_bio(TAGS), backend=backend)
    before = {n: backend.to_numpy(a).copy() for n, a in layer.params.items()}
    x, target = (
        np.random.default_rng(1).normal(size=(4, 2, 3)),
        np.array([[0, 1, 2, 0], [1, 1, 2, 2]]).T,
    )
    y, trace = layer.forward(backend.asarray(x))
    edges = backend.to_numpy(y)
    assert (edges[1:, :, 0, 2] == -np.inf).all() and (edges[0, :, :, 2] == -np.inf).all()
    assert (edges == -np.inf).sum() == 3 * 2 + 2 * 3
    loss, dy = crf(y, backend.asarray(target))
    Adam(0.1).update(layer.params, layer.backward(dy, trace).params)
    for name, where in (("transition", (0, 2)), ("start", 2)):
        after = backend.to_numpy(layer.params[name])
        unchanged = after == before[name]
        assert unchanged[where] and unchanged.sum() == 1
    assert crf(layer.forward(backend.asarray(x))[0], backend.asarray(target))[0] < loss


def test_gradients_with_what_is_not_allowed():
    """Through the loss, since -inf times a number is no number."""
    layer, h = layer_of(3, legal_bio(TAGS)), 1e-5
    x, target, lengths = (
        np.random.default_rng(2).normal(size=(4, 2, 3)),
        np.array([[1, 2, 2, 0]] * 2).T,
        [4, 2],
    )
    y, trace = layer.forward(x, lengths=lengths)
    gradient = layer.backward(crf(y, target, lengths)[1], trace)
    for array, found in (
        (x, gradient.x),
        *((a, gradient.params[n]) for n, a in layer.params.items()),
    ):
        for at in np.ndindex(array.shape):
            kept, ends = array[at], []
            for step in (-h, h):
                array[at] = kept + step
                ends.append(crf(layer.forward(x, lengths=lengths)[0], target, lengths)[0])
            array[at] = kept
            assert (ends[1] - ends[0]) / (2 * h) == pytest.approx(found[at], abs=1e-8)


def test_first_it_scores_as_if_tags_did_not_know_of_each_other():
    layer = CRF(3)
    assert list(layer.params) == ["transition", "start", "end"] and layer.size == 15
    assert not any(array.any() for array in layer.params.values())


@pytest.mark.parametrize("allowed", [None, legal_bio(TAGS)])
def test_files_and_backends_keep_it(tmp_path, backend, allowed):
    net = Sequential(head=Linear(2, 3, seed=0, dtype="float64"), crf=layer_of(3, allowed))
    x = np.random.default_rng(3).normal(size=(4, 2, 2))
    y, _ = net.forward(x)
    interchange.save(net, tmp_path / "net.safetensors")
    for other in (interchange.load(tmp_path / "net.safetensors", backend), net.to(backend)):
        assert repr(other) == repr(net)
        found, _ = other.forward(backend.asarray(x))
        np.testing.assert_allclose(backend.to_numpy(found), y, atol=1e-14)


@pytest.mark.parametrize(
    ("allowed", "kind", "message"),
    [
        (np.ones((3, 3), bool), ValueError, r"allowed must have shape \(4, 4\)"),
        (np.ones((4, 4)), TypeError, "allowed must hold booleans, got float64"),
        ([[True]], ValueError, "start and end; got"),
    ],
)
def test_masks_of_another_form(allowed, kind, message):
    with pytest.raises(kind, match=message):
        CRF(3, allowed)


def test_another_layers_trace():
    _, trace = CRF(2).forward(np.zeros((3, 1, 2), "float32"))
    with pytest.raises(ValueError, match="another layer, of num_tags=2"):
        CRF(3).backward(np.zeros((3, 1, 3, 3), "float32"), trace)
