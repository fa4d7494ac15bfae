from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, BiLSTM, Reverse, Sequential
from lstm_lab.gradcheck import gradcheck
from lstm_lab.interchange import load, save

LENGTHS = [2, 4, 1]


def test_each_sequence_within_its_own_length(backend):
    layer = Reverse(dtype="float64", backend=backend)
    x = np.arange(24.0).reshape(4, 3, 2) + 1
    y, _ = layer.forward(backend.asarray(x))
    np.testing.assert_array_equal(backend.to_numpy(y), x[::-1])
    padded = np.where(np.arange(4)[:, None, None] < np.array(LENGTHS)[:, None], x, np.nan)
    y, trace = layer.forward(backend.asarray(padded), lengths=LENGTHS)
    expected = np.zeros_like(x)
    for b, length in enumerate(LENGTHS):
        expected[:length, b] = x[:length, b][::-1]
    np.testing.assert_array_equal(backend.to_numpy(y), expected)
    back = layer.backward(y, trace).x
    np.testing.assert_array_equal(backend.to_numpy(back), np.nan_to_num(padded))


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_around_an_lstm_it_is_the_other_half_of_a_bilstm(backend, lengths):
    options = {"dtype": "float64", "backend": backend}
    both = BiLSTM(2, 3, seed=0, **options)
    half = LSTM(2, 3, seed=1, **options)
    for name, array in half.params.items():
        array[...] = both.params[name + "_reverse"]
    model = Sequential(back=Reverse(**options), half=half, forth=Reverse(**options))
    x = backend.asarray(np.random.default_rng(0).normal(size=(4, 3, 2)))
    y = backend.to_numpy(model.forward(x, lengths=lengths)[0])
    expected = backend.to_numpy(both.forward(x, lengths=lengths)[0])[..., 3:]
    np.testing.assert_allclose(y, expected, atol=1e-14)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_gradients_agree_with_finite_differences(lengths):
    options = {"dtype": "float64"}
    model = Sequential(
        back=Reverse(**options), half=LSTM(2, 3, seed=0, **options), forth=Reverse(**options)
    )
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    report = gradcheck(model, x, lengths=lengths)
    assert report, str(report)


def test_what_does_not_fit(tmp_path):
    layer = Reverse()
    y, trace = layer.forward(np.ones((4, 3, 2), "f"))
    with pytest.raises(ValueError, match=r"dy must have shape \(4, 3, 2\), got \(4, 3, 1\)"):
        layer.backward(y[..., :1], trace)
    with pytest.raises(ValueError, match=r"x must have shape \(T, B, D\)"):
        layer.forward(y[0])
    with pytest.raises(ValueError, match=r"lengths\[1\] is 5"):
        layer.forward(y, lengths=[4, 5, 1])
    assert type(load(save(layer, tmp_path / "reverse"))) is Reverse
