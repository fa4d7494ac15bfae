"""Bad input: one clear error each, which names the argument, what came and what was expected."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, BiLSTM, Dropout, Embedding, LastStep, Linear, Sequential, losses
from lstm_lab.backends import BackendUnavailable, backend_of, cupy_backend, get_backend

X = np.zeros((5, 2, 3), dtype="float32")
H = np.zeros((1, 2, 4), dtype="float32")


@pytest.fixture
def lstm():
    return LSTM(3, 4, seed=0)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[0], ValueError, r"x must have shape \(T, B, 3\), got \(2, 3\)"),
        (X[..., :2], ValueError, r"x must have shape \(T, B, 3\), got \(5, 2, 2\)"),
        (X[:0], ValueError, r"x must have shape \(T, B, 3\), got \(0, 2, 3\)"),
        (X.astype("float64"), TypeError, r"x is float64.*float32.*astype"),
        (X.astype(int), TypeError, r"x is int64"),
        (X.tolist(), TypeError, r"x is a builtins.list"),
        (None, TypeError, r"x is a builtins.NoneType"),
    ],
)
def test_input(lstm, x, error, message):
    with pytest.raises(error, match=message):
        lstm.forward(x)


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([5], ValueError, r"lengths must have shape \(2,\).*got \(1,\)"),
        ([[5, 5]], ValueError, r"lengths must have shape \(2,\)"),
        (5, ValueError, r"lengths must have shape \(2,\)"),
        ([0, 5], ValueError, r"lengths\[0\] is 0; a length lies between 1 and T = 5"),
        ([5, 6], ValueError, r"lengths\[1\] is 6; a length lies between 1 and T = 5"),
        ([5, -1], ValueError, r"lengths\[1\] is -1"),
        ([5.0, 2.0], TypeError, r"lengths must be whole numbers, got float64"),
        (["5", "2"], TypeError, r"lengths must be whole numbers"),
    ],
)
def test_lengths(lstm, lengths, error, message):
    with pytest.raises(error, match=message):
        lstm.forward(X, lengths=lengths)
    with pytest.raises(error, match=message):
        LastStep().forward(X, lengths=lengths)


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (H, TypeError, r"state must be a pair \(h, c\) of arrays, got ndarray of shape"),
        ((H,), TypeError, r"state must be a pair \(h, c\) of arrays, got a tuple of 1"),
        ((H, H[0]), ValueError, r"state\[1\] must have shape \(1, 2, 4\), got \(2, 4\)"),
        ((H[:, :1], H), ValueError, r"state\[0\] must have shape \(1, 2, 4\)"),
        ((H, H.astype("float64")), TypeError, r"state\[1\] is float64"),
    ],
)
def test_state(lstm, state, error, message):
    with pytest.raises(error, match=message):
        lstm.forward(X, state)
    y, trace = lstm.forward(X)
    with pytest.raises(error, match="d" + message):
        lstm.backward(y, trace, state)


def test_state_of_a_gru_is_one_array():
    with pytest.raises(TypeError, match="state is a builtins.tuple"):
        GRU(3, 4).forward(X, (H, H))


def test_backward(lstm):
    y, trace = lstm.forward(X)
    with pytest.raises(ValueError, match=r"dy must have shape \(5, 2, 4\), got \(5, 2, 3\)"):
        lstm.backward(y[..., :3], trace)
    with pytest.raises(TypeError, match="dy is float64"):
        lstm.backward(y.astype("float64"), trace)
    with pytest.raises(TypeError, match="trace must be what LSTM.forward returned"):
        lstm.backward(y, None)
    for other in (LSTM(3, 5), GRU(3, 4), BiLSTM(3, 4), LSTM(3, 4, 2)):
        with pytest.raises(ValueError, match="trace belongs to another layer"):
            other.backward(y, trace)


def test_trace(lstm):
    _, trace = lstm.forward(X)
    with pytest.raises(AttributeError, match=r"no 'forgetgate'.*forget_gate"):
        trace.forgetgate  # noqa: B018
    with pytest.raises(ValueError, match="direction must be 'forward', not 'reverse'"):
        trace.layer(0, "reverse")
    with pytest.raises(ValueError, match="layer must be 0 to 0, not 1"):
        trace.layer(1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_size": 0}, "input_size must be a whole number of at least 1, not 0"),
        ({"hidden_size": -3}, "hidden_size must be"),
        ({"hidden_size": 2.0}, "hidden_size must be"),
        ({"num_layers": True}, "num_layers must be"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), not 1.0"),
        ({"dropout": "0.5"}, "dropout must lie in"),
        ({"init": "xavier"}, "init must be one of 'uniform', 'orthogonal', 'chrono'"),
        ({"dtype": "float16"}, "dtype must be 'float32' or 'float64', not 'float16'"),
        ({"dtype": "quick"}, "dtype must be"),
        ({"backend": "torch"}, "backend must be .*'numpy'.*not 'torch'"),
    ],
)
def test_construction(options, message):
    with pytest.raises(ValueError, match=message):
        LSTM(**{"input_size": 3, "hidden_size": 4, **options})


def test_gru_has_no_chrono():
    with pytest.raises(ValueError, match="init must be one of"):
        GRU(3, 4, init="chrono")


def test_bilstm_in_one_direction():
    with pytest.raises(ValueError, match="reads in both directions"):
        BiLSTM(3, 4, bidirectional=False)


def test_an_unknown_backend_in_the_environment(monkeypatch):
    monkeypatch.setenv("LSTM_LAB_BACKEND", "abacus")
    with pytest.raises(ValueError, match="the variable LSTM_LAB_BACKEND must be"):
        LSTM(3, 4)
    monkeypatch.setenv("LSTM_LAB_BACKEND", "numpy")
    assert LSTM(3, 4).backend is get_backend("numpy")


def test_cupy_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(BackendUnavailable, match=r"not installed.*\.\[cuda13\]"):
        cupy_backend.CupyBackend()


@pytest.mark.parametrize("fault", ["none", "error"])
def test_gpu_absent(monkeypatch, fault):
    class Runtime:
        @staticmethod
        def getDeviceCount():
            if fault == "error":
                raise RuntimeError("cudaErrorNoDevice")
            return 0

    class Cupy:
        class cuda:
            runtime = Runtime

    monkeypatch.setitem(sys.modules, "cupy", Cupy)
    with pytest.raises(BackendUnavailable, match="needs an NVIDIA GPU.*use backend='numpy'"):
        cupy_backend.CupyBackend()


def test_arrays_of_another_backend():
    strict = LSTM(3, 4, backend="strict")
    with pytest.raises(TypeError, match="x is a numpy.ndarray, but this layer .* strict"):
        strict.forward(X)
    with pytest.raises(TypeError, match="x is a .*DeviceArray, but this layer computes with numpy"):
        LSTM(3, 4).forward(strict.backend.asarray(X))
    with pytest.raises(TypeError, match="lengths lie on the host"):
        strict.forward(strict.backend.asarray(X), lengths=strict.backend.asarray([5, 5]))
    with pytest.raises(TypeError, match="an array of NumPy or CuPy, got a list"):
        backend_of([1.0])


def test_dense_layers():
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 3\), got \(5, 2, 2\)"):
        Linear(3, 2).forward(X[..., :2])
    linear = Linear(3, 2)
    y, trace = linear.forward(X)
    with pytest.raises(ValueError, match=r"dy must have shape \(5, 2, 2\)"):
        linear.backward(y[:4], trace)
    embedding = Embedding(7, 3)
    with pytest.raises(TypeError, match="x must hold whole numbers"):
        embedding.forward(X)
    with pytest.raises(ValueError, match="x must hold ids from 0 to 6, got ids from -1 to 7"):
        embedding.forward(np.array([[-1, 7]]))
    with pytest.raises(ValueError, match="rate must lie"):
        Dropout(1.5)


def test_sequential():
    with pytest.raises(ValueError, match="at least one layer"):
        Sequential()
    with pytest.raises(TypeError, match="head must be a layer, got int"):
        Sequential(head=3)
    with pytest.raises(ValueError, match="a is numpy float32 and b is numpy float64"):
        Sequential(a=Linear(3, 4), b=Linear(4, 2, dtype="float64"))


def test_losses():
    with pytest.raises(ValueError, match=r"target must have shape \(5, 2, 3\), got \(5, 2\)"):
        losses.mse(X, X[..., 0])
    with pytest.raises(TypeError, match="target is float64, but prediction is float32"):
        losses.mse(X, X.astype("float64"))
    with pytest.raises(TypeError, match="prediction must hold floating-point"):
        losses.mse(X.astype(int), X)
    with pytest.raises(ValueError, match="mask must have the leading axes"):
        losses.mse(X, X, mask=np.ones((2, 5), bool))
    with pytest.raises(ValueError, match="mask must hold finite weights"):
        losses.mse(X, X, mask=-np.ones((5, 2)))
    with pytest.raises(ValueError, match="leaves nothing"):
        losses.mse(X, X, mask=np.zeros((5, 2)))
    ids = np.zeros((5, 2), int)
    with pytest.raises(TypeError, match="target must hold whole numbers"):
        losses.cross_entropy(X, X[..., 0])
    with pytest.raises(ValueError, match="target must hold classes from 0 to 2, got 3 to 3"):
        losses.cross_entropy(X, ids + 3)
    with pytest.raises(ValueError, match=r"target must have shape \(5, 2\)"):
        losses.cross_entropy(X, ids[:4])
    with pytest.raises(ValueError, match=r"class_weights must have shape \(3,\)"):
        losses.cross_entropy(X, ids, class_weights=np.ones(4))
