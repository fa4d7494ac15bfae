"""Parameters that are changed between forward and backward: the gradient would be of neither."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, Attention, LastStep, Linear, Sequential, optim
from lstm_lab.backends import get_backend

X = np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")


@pytest.mark.parametrize(
    "make",
    [
        lambda: LSTM(3, 4, 2, bidirectional=True, peepholes=True, seed=0),
        lambda: LSTM(3, 4, layer_norm=True, proj_size=2, seed=0),
        lambda: GRU(3, 4, seed=0),
        lambda: RNN(3, 4, seed=0),
        lambda: Linear(3, 4, seed=0),
    ],
)
def test_a_changed_parameter_is_noticed_by_name(make):
    layer = make()
    y, trace = layer.forward(X)
    layer.backward(y, trace)
    for name, array in layer.params.items():
        last = np.unravel_index(array.size - 1, array.shape)
        held = array[last].copy()
        array[last] += 1e-3  # one entry, in place
        with pytest.raises(ValueError, match=rf"params\['{name}'\] is not what .* forward again"):
            layer.backward(y, trace)
        array[last] = held
        layer.backward(y, trace)


def test_after_an_update_forward_must_run_again():
    model = Sequential(lstm=LSTM(3, 4, seed=0), last=LastStep())
    y, trace = model.forward(X)
    gradient = model.backward(y, trace)
    optim.Adam().update(model.params, gradient.params)
    with pytest.raises(ValueError, match=r"params\['weight_x_l0'\]"):
        model.backward(y, trace)
    y, trace = model.forward(X)
    model.backward(y, trace)


def test_a_trace_of_another_layer_of_the_same_form():
    y, trace = LSTM(3, 4, seed=0).forward(X)
    with pytest.raises(ValueError, match="or the trace is another layer's"):
        LSTM(3, 4, seed=1).backward(y, trace)
    LSTM(3, 4, seed=0).backward(y, trace)


def test_attention():
    attention = Attention(3, 3, "general", seed=0)
    y, trace = attention.forward(X, X)
    attention.backward(y, trace)
    attention.params["weight"][0, 0] += 1
    with pytest.raises(ValueError, match=r"params\['weight'\] is not what it was"):
        attention.backward(y, trace)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 3), (101, 41), (300, 200)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_entry_of_every_array_counts(shape, dtype, order):
    checksum, rng = get_backend("numpy").checksum, np.random.default_rng(0)
    array = np.asarray(rng.normal(size=shape), dtype, order=order)
    before = checksum(array)
    assert checksum(array.copy()) == before
    for place in [(0, 0), (-1, -1), *zip(rng.integers(0, shape[0], 9), [-1] * 9, strict=True)]:
        held = array[place]
        array[place] = np.nextafter(held, np.inf, dtype=dtype)  # the last bit
        assert checksum(array) != before
        array[place] = held
    assert checksum(array) == before
    assert checksum(array[::-1]) != before  # units in another order


def test_without_a_wait_for_a_device(backend):
    """On a device no checksum is taken: no transfer, and the trace goes back all the same."""
    layer = LSTM(3, 4, backend=backend, seed=0)
    y, trace = layer.forward(backend.asarray(X))
    assert layer.backward(y, trace).params
    seen = set(trace.checksums.values())
    assert (seen == {None}) == (backend.name not in ("numpy", "numba"))
