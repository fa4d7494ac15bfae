"""What numba compiles, beside the NumPy lines; what holds of every backend is tested elsewhere."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, LastStep, Linear, Sequential, cells
from lstm_lab.backends import BackendUnavailable, backend_of, get_backend, numba_backend
from lstm_lab.backends.base import Pointwise
from lstm_lab.backends.kernels.loops_numba import pointwise_source
from lstm_lab.cells import GRU_BEFORE_CELL
from lstm_lab.cli import INSTALL_TEST
from lstm_lab.gradcheck import gradcheck
from lstm_lab.interchange import load, save
from lstm_lab.losses import mse
from lstm_lab.optim import Adam
from lstm_lab.training import fit, predict

from .. import tolerance

LAYERS = [LSTM, GRU, RNN]
DTYPES = ["float32", "float64"]
FUNCTIONS = [
    getattr(cell, step)
    for cell in (
        cells.RNN_CELL,
        cells.LSTM_CELL,
        cells.GRU_CELL,
        GRU_BEFORE_CELL,
        GRU_BEFORE_CELL.reset,
    )
    for step in ("forward", "derivatives", "backward")
    if hasattr(cell, step)
]


@pytest.fixture
def numba(require):
    require("numba", INSTALL_TEST)
    return get_backend("numba")


# The compiled functions


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 2, 3, 4), (2, 1, 67, 1), (1, 2, 9, 33)])
def test_compiled_is_the_numpy_lines(numba, function, dtype, shape):
    rng = np.random.default_rng(0)
    *lead, hidden, n = shape
    if not function.name.endswith("derivatives"):
        lead = lead[1:]
    arrays = []
    for name, blocks in function.arrays:
        several = blocks > 1 or name in ("gates", "recurrent", "d")
        size = (*lead, blocks, hidden, n) if several else (*lead, hidden, n)
        arrays.append(rng.normal(size=size).astype(dtype))
    theirs = [array.copy() for array in arrays]
    function.numpy(*arrays)
    numba.pointwise(function, np.dtype(dtype))(*theirs)
    for (name, _), expected, compiled in zip(function.arrays, arrays, theirs, strict=True):
        if (function.name, name) != ("lstm_backward", "dh_dc"):  # NumPy uses it up
            if dtype == "float32":
                # No sums; but a single number can be what remains of numbers of size 1.
                tolerance.assert_close(compiled, expected, tolerance.CELL, name=name, at_least=1)
            else:
                close = {"rtol": 1e-13, "atol": 1e-13}
                np.testing.assert_allclose(compiled, expected, **close, err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh(numba, dtype):
    """Against a wider type, by way of a cell that is nothing but tanh."""

    def tanh(values):
        values = np.array(values, dtype).reshape(1, 1, -1, 1)
        out = np.empty_like(values[:, 0])
        function = numba.pointwise(cells.RNN_CELL.forward, values.dtype)
        function(values, np.full_like(values, -0.0), out, out)
        return out.ravel()

    rng = np.random.default_rng(0)
    values = [*rng.normal(size=3000), *rng.normal(size=3000) * 10, *np.logspace(-30, 30, 2000)]
    values = np.array([*values, 0.3465, 0.3466, 9.99, 10.01, 19.99, 20.01], dtype)
    exact = np.tanh(values.astype(np.longdouble))
    np.testing.assert_allclose(tanh(values), exact, rtol=3 * np.finfo(dtype).eps, atol=0)
    assert abs(tanh(values)).max() == 1
    special = tanh([np.nan, np.inf, -np.inf, 0.0, -0.0, np.finfo(dtype).max])
    np.testing.assert_array_equal(special, [np.nan, 1, -1, 0, 0, 1])
    np.testing.assert_array_equal(np.signbit(special[3:5]), [False, True])


def test_equations_that_are_no_assignments_are_refused():
    for unit in ("if (x(0) > 0) x(0) = 1;", "x(0) = x(0) > 0 ? 1 : 0;", "x(0);", "x(0) == 1;"):
        with pytest.raises(ValueError, match="not an assignment"):
            pointwise_source(Pointwise(cells.rnn_forward, (("x", 1),), unit))


def test_numbers_have_the_type_of_the_arrays():
    """Beside an integer of its own, numba would compute in float64."""
    source = pointwise_source(cells.LSTM_CELL.derivatives)
    assert "d_0[unit] = o * (T(1) - o) * t" in source


def test_other_equations_are_other_code(numba):
    """What was compiled before, here or by an earlier process, is not mistaken for it."""
    d, hidden = np.zeros((1, 1, 1, 2, 3)), np.zeros((1, 1, 2, 3))
    for number in (2, 3):
        function = replace(cells.RNN_CELL.derivatives, unit=f"d(0) = {number} + hidden(0);")
        numba.pointwise(function, d.dtype)(hidden[None], hidden, hidden, d)
        assert (d == number).all()


# Whole sequences


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("lengths", [None, [40], [37, 12, 12]])
def test_the_compiled_loop_is_the_generic_one(
    numba, monkeypatch, kind, bidirectional, dtype, lengths
):
    """A single sequence, and the last segment of a ragged batch."""
    rng = np.random.default_rng(0)
    batch = len(lengths or [1])
    layer = kind(3, 17, 2, bidirectional=bidirectional, backend=numba, dtype=dtype, seed=0)
    x = rng.normal(size=(40, batch, 3)).astype(dtype)
    dy = rng.normal(size=(40, batch, layer.output_size)).astype(dtype)

    def run():
        y, trace = layer.forward(x, lengths=lengths)
        grad = layer.backward(dy, trace)
        states = [trace.state, grad.state]
        states = [a for s in states for a in (s if isinstance(s, tuple) else (s,))]
        return [y, grad.x, *states, *grad.params.values()]

    calls = []
    for name in ("forward_loop", "backward_loop"):
        original = getattr(type(numba), name)

        def spy(*args, original=original, name=name):
            loop = original(numba, *args)
            calls.append(name) if loop else None
            return loop

        monkeypatch.setattr(numba, name, spy)
    whole = run()
    assert set(calls) == {"forward_loop", "backward_loop"}
    np.testing.assert_array_equal(layer.forward(x, lengths=lengths, trace=False)[0], whole[0])
    for name in ("forward_loop", "backward_loop"):
        monkeypatch.setattr(numba, name, lambda *args: None)
    roundings = tolerance.of_layer(layer, 40, batch)
    for a, b in zip(whole, run(), strict=True):
        if dtype == "float32":
            tolerance.assert_close(a, b, roundings)
        else:
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)


def test_large_weights_are_not_transposed_for_a_few_steps(numba):
    weights = np.zeros((1, 400, 100))
    assert numba.forward_loop(cells.LSTM_CELL.forward, weights, 1, 100)
    assert numba.forward_loop(cells.LSTM_CELL.forward, weights, 1, 2) is None


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("lengths", [[1], [5], [5, 1], [2, 2]])
def test_gradients(numba, kind, lengths):
    rng = np.random.default_rng(0)
    layer = kind(2, 3, 2, bidirectional=True, dtype="float64", seed=0, backend=numba)
    assert gradcheck(layer, rng.normal(size=(5, len(lengths), 2)), lengths=lengths)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("batch", [1, 3])
def test_nan_and_infinity_go_where_they_go_in_numpy(numba, kind, value, batch):
    x = np.ones((6, batch, 2))
    x[3, -1, 0] = value
    dy = np.ones((6, batch, 5))
    results = []
    with np.errstate(invalid="ignore"):
        for backend in ("numpy", numba):
            layer = kind(2, 5, dtype="float64", seed=0, backend=backend)
            y, trace = layer.forward(x)
            results.append([y, layer.backward(dy, trace).x])
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13)
    if np.isnan(value):
        assert np.isnan(results[1][0][3:, -1]).all()


# As a backend


def test_its_arrays_are_numpys(numba):
    lstm = LSTM(2, 3, backend="numba", seed=0)
    assert lstm.backend is numba and lstm.backend.name == "numba"
    assert backend_of(lstm.params["bias_l0"]) is get_backend("numpy")
    with pytest.raises(TypeError, match="x is a builtins.list, but this layer computes with numba"):
        lstm.forward([[[1.0, 2.0]]])


def test_a_model_is_moved_saved_and_chosen_by_the_environment(numba, monkeypatch, tmp_path):
    moved = LSTM(2, 3, seed=0).to("numba")
    assert moved.backend is numba
    assert load(save(moved, tmp_path / "lstm"), backend="numba").backend is numba
    monkeypatch.setenv("LSTM_LAB_BACKEND", "numba")
    chosen = LSTM(2, 3, seed=0)
    assert chosen.backend is numba
    x = np.ones((4, 1, 2), "float32")
    y, trace = chosen.forward(x)
    np.testing.assert_array_equal(y, moved.forward(x)[0])
    assert trace.to("numpy").backend is get_backend("numpy")


def test_a_model_learns_the_same_as_on_numpy(numba):
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(7, 8, 3)), rng.normal(size=(8, 2))
    answers = []
    for backend in ("numpy", "numba"):
        options = {"dtype": "float64", "backend": backend}
        model = Sequential(
            encoder=LSTM(3, 5, 2, dropout=0.2, seed=0, **options),
            last=LastStep(**options),
            head=Linear(5, 2, seed=1, **options),
        )
        options = {"epochs": 3, "batch_size": 4, "progress": False}
        history = fit(model, x, target, loss=mse, optimizer=Adam(0.01), **options)
        answers.append([history.loss, predict(model, x)])
    for a, b in zip(*answers, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)


def test_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(
        BackendUnavailable, match=r"needs numba.*\"\.\[fast\]\".*or use backend='numpy'"
    ):
        numba_backend.NumbaBackend()


def test_without_a_folder_to_write_to_it_still_compiles(numba, monkeypatch):
    from numba.core import caching

    function = cells.RNN_CELL.backward
    kept = numba.pointwise(function, np.dtype("float64"))
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    compiled = numba_backend.NumbaBackend().pointwise(function, np.dtype("float64"))
    assert kept.stats.cache_path and not compiled.stats.cache_path
    d, dhidden = np.full((1, 1, 2, 1), 3.0), np.full((1, 2, 1), 2.0)
    compiled(d, d.copy(), dhidden)
    assert (d == 6).all()


PROGRAM = """
import sys
import numpy as np
from lstm_lab import LSTM
lstm = LSTM(2, 3, backend="numpy")
lstm.forward(np.ones((2, 1, 2), "float32"))
sys.exit("numba" in sys.modules)
"""


def test_it_is_imported_only_when_asked_for():
    assert subprocess.run([sys.executable, "-c", PROGRAM]).returncode == 0
