"""The checker itself: it must find planted faults, and say where they are."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, Dropout, Embedding, LastStep, Linear, Sequential, losses
from lstm_lab.gradcheck import gradcheck

X = np.random.default_rng(0).normal(size=(4, 3, 2))


class Planted(LSTM):
    """An LSTM whose backward is wrong in a single entry."""

    def backward(self, dy, trace, dstate=None):
        grad = super().backward(dy, trace, dstate)
        grad.params["weight_h_l0"][5, 1] *= 1.001
        return grad


def test_names_the_worst_entry():
    report = gradcheck(Planted(2, 3, dtype="float64", seed=0), X)
    assert not report
    assert (report.worst.name, report.worst.index) == ("weight_h_l0", (5, 1))
    assert report.worst.error == pytest.approx(1e-3, rel=0.01)
    assert report.errors["bias_l0"] < 1e-6 < report.errors["weight_h_l0"]
    assert "GRADIENTS DIFFER" in str(report) and "weight_h_l0[5, 1]" in str(report)


def test_a_gradient_that_is_nan_fails():
    class Broken(Linear):
        def backward(self, dy, trace):
            grad = super().backward(dy, trace)
            grad.params["bias"][0] = np.nan
            return grad

    report = gradcheck(Broken(2, 2, dtype="float64"), X)
    assert not report and report.worst.name == "bias"


def test_a_wrong_loss_is_found():
    def halved(prediction, target):
        value, gradient = losses.mse(prediction, target)
        return value, gradient / 2

    assert not gradcheck(halved, X, X + 1)
    assert gradcheck(losses.mse, X, X + 1)


def test_everything_is_left_as_it_was():
    lstm = LSTM(2, 3, dtype="float64", seed=0)
    before, x = {k: v.copy() for k, v in lstm.params.items()}, X.copy()
    gradcheck(lstm, x)
    np.testing.assert_array_equal(x, X)
    for name, value in before.items():
        np.testing.assert_array_equal(lstm.params[name], value)


def test_counts_every_entry():
    linear = Linear(2, 3, dtype="float64")
    assert gradcheck(linear, X).checked == X.size + linear.size
    assert gradcheck(linear, X, max_entries=2).checked == 6


def test_one_direction_has_every_entry_in_it():
    """One wrong entry anywhere in an array is seen without that entry being looked at."""

    class Wrong(LSTM):
        where = ("bias_l0", 0)

        def backward(self, dy, trace, dstate=None):
            grad = super().backward(dy, trace, dstate)
            grad.params[self.where[0]].reshape(-1)[self.where[1]] *= 1.1
            return grad

    lstm = Wrong(2, 3, dtype="float64", seed=0)
    for name, array in lstm.params.items():
        for index in range(array.size):
            lstm.where = name, index
            report = gradcheck(lstm, X, max_entries=0, directions=1)
            assert not report and (report.worst.name, report.worst.index) == (name, ())
            assert report.checked == len(lstm.params) + 1
            assert f"at {name} along a random direction" in str(report)
    right = LSTM(2, 3, dtype="float64", seed=0)
    before = {k: v.copy() for k, v in right.params.items()}
    assert gradcheck(right, X, max_entries=1, directions=2).checked == 3 * (len(before) + 1)
    for name, value in before.items():
        np.testing.assert_array_equal(right.params[name], value)


def test_needs_float64():
    with pytest.raises(TypeError, match=r"params\['weight_x_l0'\] is float32"):
        gradcheck(LSTM(2, 3), X.astype("float32"))
    with pytest.raises(TypeError, match="prediction is float32"):
        gradcheck(losses.mse, X.astype("float32"), X)


def test_layers_without_time(backend):
    linear = Linear(2, 3, dtype="float64", seed=0, backend=backend)
    assert gradcheck(linear, backend.asarray(X))
    dropout = Dropout(0.5, dtype="float64", backend=backend)
    assert gradcheck(dropout, backend.asarray(X), dropout_seed=0)
    last = LastStep(dtype="float64", backend=backend)
    assert gradcheck(last, backend.asarray(X), lengths=[4, 1, 2])
    ids = np.array([[0, 4], [4, 4], [2, 0]])
    embedding = Embedding(5, 3, dtype="float64", seed=0, backend=backend)
    assert gradcheck(embedding, backend.asarray(ids))


def test_a_whole_model(backend):
    options = {"dtype": "float64", "backend": backend}
    model = Sequential(
        embedding=Embedding(5, 2, seed=0, **options),
        lstm=LSTM(2, 3, 2, bidirectional=True, dropout=0.3, seed=1, **options),
        dropout=Dropout(0.4, **options),
        last=LastStep(**options),
        head=Linear(6, 2, seed=2, **options),
    )
    ids = backend.asarray(np.random.default_rng(0).integers(0, 5, (4, 3)))
    options = {"lengths": [2, 4, 1], "dropout_seed": 3}
    assert gradcheck(model, ids, **options, max_entries=3, directions=2)


def test_dropout_keeps_the_mean_and_rests_without_rng():
    dropout = Dropout(0.25)
    x = np.ones((200, 300), dtype="float32")
    y, _ = dropout.forward(x, rng=np.random.default_rng(0))
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert dropout.forward(x)[0] is x


@pytest.mark.parametrize("size", [100.0, 1000.0])
def test_large_inputs_are_told_which_step_would_do(size):
    """A thousandth in a weight moves a gate's sum by a whole number there, not by a thousandth."""
    x = size * np.random.default_rng(0).normal(size=(4, 2, 3))
    layer = LSTM(3, 4, dtype="float64", seed=0)
    report = gradcheck(layer, x)
    assert not report and report.step_that_agrees < report.step
    assert "bends sharply" in str(report) and "try gradcheck(..., step=" in str(report)
    better = gradcheck(layer, x, step=report.step_that_agrees)
    assert better.worst.error < report.worst.error


def test_large_values_are_told_which_step_would_do():
    def loss(prediction):
        return float((1e9 + prediction).sum()), np.ones_like(prediction)

    report = gradcheck(loss, np.zeros((2, 3)))
    assert not report and report.step_that_agrees > report.step
    assert "value is large" in str(report)
    assert gradcheck(loss, np.zeros((2, 3)), step=report.step_that_agrees)


def test_a_wrong_gradient_gets_no_such_advice():
    def loss(prediction):
        return float((prediction**2).sum()), prediction

    report = gradcheck(loss, np.ones((2, 3)))
    assert not report and report.step_that_agrees is None
    assert "step=" not in str(report)
