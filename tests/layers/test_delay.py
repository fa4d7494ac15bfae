"""A window over time: against its sum written out, ragged batches, gradients, files."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import Linear, Sequential, TimeDelay, interchange
from lstm_lab.gradcheck import gradcheck

T, B, D, H, R = 7, 3, 2, 4, 2
LENGTHS = [7, 1, 4]
X = np.random.default_rng(0).normal(size=(T, B, D))


def by_hand(layer, x, lengths):
    weight, bias = (np.asarray(layer.params[name]) for name in ("weight", "bias"))
    y = np.zeros((T, B, H))
    for b, end in enumerate(lengths):
        for t in range(end):
            a = bias.copy()
            for k in range(-R, R + 1):
                if 0 <= t + k < end:
                    a += weight[:, (k + R) * D : (k + R + 1) * D] @ x[t + k, b]
            y[t, b] = np.tanh(a)
    return y


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_it_is_a_sum_over_the_window(backend, lengths):
    layer = TimeDelay(D, H, R, seed=0, dtype="float64", backend="numpy")
    expected = by_hand(layer, X, lengths or [T] * B)
    y, _ = layer.to(backend).forward(layer.to(backend).backend.asarray(X), lengths=lengths)
    np.testing.assert_allclose(layer.to(backend).backend.to_numpy(y), expected, atol=1e-14)


def test_padding_changes_nothing_not_even_nan():
    layer, x = TimeDelay(D, H, R, seed=0, dtype="float64"), X.copy()
    for b, end in enumerate(LENGTHS):
        x[end:, b] = np.nan
    y, trace = layer.forward(x, lengths=LENGTHS)
    same, _ = layer.forward(X, lengths=LENGTHS)
    np.testing.assert_array_equal(y, same)
    grad = layer.backward(np.ones_like(y), trace)
    assert all(np.isfinite(g).all() for g in (grad.x, *grad.params.values()))
    for b, end in enumerate(LENGTHS):
        assert (y[end:, b] == 0).all() and (grad.x[end:, b] == 0).all()


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("reach", [0, 1, 9])
def test_gradients(lengths, reach):
    assert gradcheck(TimeDelay(D, H, reach, seed=1, dtype="float64"), X, lengths=lengths)


def test_what_does_not_fit():
    layer = TimeDelay(D, H, R, seed=0, dtype="float64")
    y, trace = layer.forward(X)
    with pytest.raises(ValueError, match="another layer"):
        TimeDelay(D, H, 1, seed=0, dtype="float64").backward(y, trace)
    layer.params["bias"][0] += 1
    with pytest.raises(ValueError, match="bias"):
        layer.backward(y, trace)
    with pytest.raises(ValueError, match="reach must be"):
        TimeDelay(D, H, -1)


def test_files_keep_it(tmp_path):
    net = Sequential(window=TimeDelay(D, H, R, seed=0), head=Linear(H, 2, seed=0))
    interchange.save(net, tmp_path / "net.safetensors")
    again = interchange.load(tmp_path / "net.safetensors")
    x = X.astype("float32")
    assert repr(again) == repr(net)
    np.testing.assert_array_equal(again.forward(x)[0], net.forward(x)[0])
