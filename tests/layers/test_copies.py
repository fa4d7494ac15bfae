"""A copy of a layer is that layer: what it computes, what it is written as, where it fits in."""

from __future__ import annotations

import copy
import multiprocessing
import operator
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from lstm_lab import (
    CRF,
    GRU,
    LSTM,
    RNN,
    Attention,
    BiLSTM,
    Dropout,
    Embedding,
    LastStep,
    Linear,
    Reverse,
    Sequential,
    models,
    optim,
)
from lstm_lab.backends import CupyBackend, get_backend
from lstm_lab.cells import CELLS
from lstm_lab.interchange import to_keras, to_onnx, to_torch
from lstm_lab.training import History


def pickled(value):
    return pickle.loads(pickle.dumps(value))


COPIES = pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
OWN = pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])

LAYERS = [
    LSTM(2, 3, 2, bidirectional=True, seed=0),
    LSTM(2, 3, peepholes=True, seed=0),
    LSTM(2, 3, coupled=True, peepholes=True, seed=0),
    LSTM(2, 3, forget_gate=False, seed=0),
    LSTM(2, 3, layer_norm=True, proj_size=2, seed=0),
    GRU(2, 3, seed=0),
    GRU(2, 3, reset_after=False, seed=0),
    RNN(2, 3, seed=0),
    BiLSTM(2, 3, seed=0),
    Linear(2, 3, seed=0),
    CRF(2, np.ones((3, 3), bool)),
    Reverse(),
    Dropout(0.5),
    LastStep(),
    Sequential(
        encoder=Sequential(gru=GRU(2, 3, seed=0), drop=Dropout(0.1)),
        last=LastStep(),
        head=Linear(3, 2, seed=1),
    ),
]
X = np.random.default_rng(0).normal(size=(5, 4, 2)).astype("float32")


def named(layer):
    return repr(layer)[:60]


@COPIES
@pytest.mark.parametrize("layer", LAYERS, ids=named)
def test_a_copy_computes_and_joins_as_the_layer_does(layer, duplicate):
    again = duplicate(layer)
    assert type(again) is type(layer) and repr(again) == repr(layer)
    assert again.backend is layer.backend and again.dtype == layer.dtype
    y, trace = layer.forward(X)
    found, trace_again = again.forward(X)
    np.testing.assert_array_equal(found, y)
    expected = layer.backward(y, trace).params
    gradient = again.backward(y, trace_again).params
    assert list(gradient) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(gradient[name], values)
    # The one's trace is the other's too, and the copy fits beside layers that were not copied.
    again.backward(y, duplicate(trace))
    Sequential(copied=again, last=Reverse())


@OWN
@pytest.mark.parametrize("layer", LAYERS, ids=named)
def test_a_copys_parameters_are_its_own(layer, duplicate):
    again = duplicate(layer)
    for name, array in layer.params.items():
        assert not np.shares_memory(array, again.params[name])
        before, again.params[name] = array.copy(), array + 1
        np.testing.assert_array_equal(array, before)


@OWN
def test_the_layers_of_a_copy_are_what_its_parameters_are_of(duplicate):
    again = duplicate(LAYERS[-1])
    for name in again.params:
        again.params[name] = np.zeros_like(again.params[name])
    y, _ = again.forward(X)
    assert not y.any()


@COPIES
def test_a_copied_gru_is_written_with_its_inner_bias(duplicate):
    for layer in (GRU(2, 3, seed=0), GRU(2, 3, reset_after=False, seed=0)):
        again = duplicate(layer)
        for ours, theirs in zip(to_keras(again), to_keras(layer), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert to_onnx(again) == to_onnx(layer)
        if layer.reset_after:
            for name, array in to_torch(layer).items():
                np.testing.assert_array_equal(to_torch(again)[name], array)


@COPIES
@pytest.mark.parametrize("options", [{}, {"peepholes": True}])
def test_on_every_backend(backend, options, duplicate):
    layer = LSTM(2, 3, backend=backend, seed=0, **options)
    again = duplicate(layer)
    assert again.backend is backend
    x = backend.asarray(X)
    y, trace = layer.forward(x)
    np.testing.assert_array_equal(backend.to_numpy(again.forward(x)[0]), backend.to_numpy(y))
    gradient = again.backward(y, duplicate(trace), keep=True)
    duplicate(gradient)
    Sequential(first=again, second=Linear(3, 1, backend=backend))


@COPIES
def test_a_cell_and_a_backend_are_themselves(duplicate):
    for cell in CELLS.values():
        assert duplicate(cell) is cell
    assert duplicate(get_backend("numpy")) is get_backend("numpy")


def test_a_backend_of_its_own_settings_keeps_them(monkeypatch):
    made = []
    monkeypatch.setattr(
        CupyBackend, "__init__", lambda self, persistent=True: made.append(persistent)
    )
    backend = CupyBackend.__new__(CupyBackend)
    backend._persistent = None
    assert copy.deepcopy(backend) is backend
    assert type(pickled(backend)) is CupyBackend and made == [False]


def test_caches_are_no_part_of_a_pickle():
    layer = LSTM(4, 64, seed=0)
    x = np.ones((400, 32, 4), "float32")
    y, trace = layer.forward(x)
    layer.backward(y, trace)  # the pool has tens of megabytes now
    assert len(pickle.dumps(layer)) < 1.1 * sum(a.nbytes for a in layer.params.values())
    adam = optim.Adam()
    adam.update(layer.params, layer.backward(y, trace).params)
    assert len(pickle.dumps(adam)) < 2.1 * sum(a.nbytes for a in layer.params.values())


@COPIES
@pytest.mark.parametrize(
    "rate",
    [
        0.1,
        optim.constant(0.1),
        optim.step_decay(0.1, 2),
        optim.warm_up(optim.cosine(0.1, 4), 2),
        optim.warm_up(0.1, 2),
    ],
)
@pytest.mark.parametrize("kind", [optim.SGD, optim.RMSprop, optim.Adam])
def test_a_copied_optimiser_goes_on_where_the_other_stands(kind, rate, duplicate):
    optimizer, params = kind(rate), {"w": np.ones(3)}
    grads = {"w": np.arange(3.0)}
    optimizer.update(params, grads)
    again, mine = duplicate(optimizer), copy.deepcopy(params)
    for _ in range(3):
        again.update(mine, grads)
    for _ in range(3):
        optimizer.update(params, grads)
    np.testing.assert_array_equal(mine["w"], params["w"])


@OWN
def test_the_others(duplicate):
    attention = Attention(2, 2, "additive", 4, seed=0)
    y, trace = duplicate(attention).forward(X, X, lengths=[5, 3, 1, 2])
    gradient = attention.backward(y, duplicate(trace))
    duplicate(gradient)
    embedding = Embedding(5, 3, seed=0)
    ids = np.arange(5)
    np.testing.assert_array_equal(duplicate(embedding).forward(ids)[0], embedding.forward(ids)[0])
    model = models.shipped()
    assert duplicate(model).generate("def ", [0.3, 0.6]) == model.generate("def ", [0.3, 0.6])
    assert duplicate(History()) == History()


def test_another_process_has_the_same_layer():
    layer = Sequential(lstm=LSTM(2, 3, peepholes=True, seed=0), gru=GRU(3, 3, seed=1))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        y, trace = pool.submit(operator.methodcaller("forward", X), layer).result()
    expected, _ = layer.forward(X)
    np.testing.assert_array_equal(y, expected)
    layer.backward(y, trace)  # what came back belongs to the layer that stayed


def test_arrays_that_came_to_be_read_only_can_be_trained():
    """Where joblib's workers get a layer, its large arrays are mapped files, not to be written."""
    layer = Sequential(head=Linear(2, 3, seed=0))
    buffers = []
    data = pickle.dumps(layer, protocol=5, buffer_callback=buffers.append)
    again = pickle.loads(data, buffers=[bytes(each.raw()) for each in buffers])
    again.params["head.bias"] = np.ones(3, "float32")
    np.testing.assert_array_equal(again.layers["head"].params["bias"], 1)
