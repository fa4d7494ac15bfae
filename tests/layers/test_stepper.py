"""One step at a time: what `forward` computes, for less."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, BiLSTM

from .. import tolerance

KINDS = [
    (LSTM, {}),
    (LSTM, {"peepholes": True}),
    (LSTM, {"forget_gate": False}),
    (LSTM, {"coupled": True, "peepholes": True}),
    (LSTM, {"proj_size": 2}),
    (LSTM, {"layer_norm": True}),
    (LSTM, {"layer_norm": True, "proj_size": 3, "peepholes": True}),
    (LSTM, {"dropout": 0.5, "recurrent_dropout": 0.5, "truncated": True}),
    (GRU, {}),
    (GRU, {"reset_after": False}),
    (RNN, {}),
]
EVERY = pytest.mark.parametrize(
    ("kind", "options"), KINDS, ids=[f"{k.__name__}-{'-'.join(o) or 'plain'}" for k, o in KINDS]
)
D, H = 4, 5


def make(kind, options, layers=1, dtype="float32", backend=None):
    layer = kind(D, H, layers, seed=0, dtype=dtype, backend=backend, **options)
    rng = np.random.default_rng(1)
    for name, array in layer.params.items():
        if name.startswith(("gain", "bias_c")):  # whose first values are all alike
            array += layer.backend.asarray(rng.normal(size=array.shape) / 3, dtype=layer.dtype)
    return layer


def state_of(layer, batch, rng):
    arrays = [
        layer.backend.asarray(rng.normal(size=(layer.num_layers, batch, size)), dtype=layer.dtype)
        for size in layer.state_sizes
    ]
    return tuple(arrays) if len(arrays) > 1 else arrays[0]


def host(layer, state):
    arrays = state if isinstance(state, tuple) else (state,)
    return [layer.backend.to_numpy(array).copy() for array in arrays]


@EVERY
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_is_that_of_forward_to_the_last_bit(kind, options, layers, batch, dtype):
    rng = np.random.default_rng(0)
    layer = make(kind, options, layers, dtype, "numpy")
    state = state_of(layer, batch, rng)
    step = layer.stepper(state)
    for x in rng.normal(size=(5, batch, D)).astype(dtype):
        y, trace = layer.forward(x[None], state, trace=False)
        state = trace.state
        np.testing.assert_array_equal(step(x), y[0])
        for ours, theirs in zip(host(layer, step.state), host(layer, state), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@EVERY
@pytest.mark.parametrize("batch", [1, 3])
def test_many_steps_are_those_of_forward_on_every_backend(backend, kind, options, batch):
    rng = np.random.default_rng(0)
    layer = make(kind, options, 2, "float64", backend)
    state, x = state_of(layer, batch, rng), backend.asarray(rng.normal(size=(9, batch, D)))
    y, trace = layer.forward(x, state)
    step = layer.stepper(state)
    for t in range(9):
        np.testing.assert_allclose(
            backend.to_numpy(step(x[t])), backend.to_numpy(y[t]), rtol=0, atol=1e-12
        )
    for ours, theirs in zip(host(layer, step.state), host(layer, trace.state), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_many_steps_in_single_precision(backend, kind):
    """Sizes at which products are cut, joined and packed, beside those of the tests above."""
    rng = np.random.default_rng(0)
    layer = kind(96, 128, seed=0, backend=backend)
    x = rng.normal(size=(20, 40, 96)).astype("float32")
    y = backend.to_numpy(layer.forward(backend.asarray(x))[0])
    step = layer.stepper(batch=40)
    ours = np.stack([backend.to_numpy(step(backend.asarray(each))) for each in x])
    tolerance.assert_close(ours, y, tolerance.of_layer(layer, 20, 40))


def test_from_the_zero_state_a_batch_of_one():
    layer, x = make(LSTM, {}), np.ones((1, D), "float32")
    step = layer.stepper()
    assert step.batch == 1
    assert not any(array.any() for array in step.state)
    np.testing.assert_array_equal(step(x), layer.forward(x[None])[0][0])
    assert layer.stepper(batch=4).batch == 4
    assert layer.stepper(layer.forward(np.ones((2, 3, D), "float32"))[1].state).batch == 3


@EVERY
def test_kept_rows_go_on_as_if_they_had_been_alone(backend, kind, options):
    rng = np.random.default_rng(0)
    layer = make(kind, options, 2, "float64", backend)
    x = rng.normal(size=(4, 3, D))
    step = layer.stepper(batch=3)
    for each in x:
        step(backend.asarray(each))
    rows = [2, 0, 0, 2, 1]
    step.keep(rows)
    assert step.batch == 5
    more = rng.normal(size=(3, 5, D))
    whole = np.concatenate([x[:, rows], more])
    y = backend.to_numpy(layer.forward(backend.asarray(whole))[0])
    for each, wanted in zip(more, y[4:], strict=True):
        ours = backend.to_numpy(step(backend.asarray(each)))
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-12)
    step.keep(np.array([3]))
    assert step.batch == 1
    for array, size in zip(host(layer, step.state), layer.state_sizes, strict=True):
        assert array.shape == (2, 1, size)


@EVERY
def test_parameters_that_change_later_change_nothing(kind, options):
    layer, x = make(kind, options, 2), np.ones((1, D), "float32")
    wanted = layer.stepper()(x)
    step = layer.stepper()
    for array in layer.params.values():
        array[...] = 7
    np.testing.assert_array_equal(step(x), wanted)
    step.keep([0, 0])  # prepares again
    y = step(np.ones((2, D), "float32"))
    assert not (layer.stepper()(x) == wanted).all()
    assert not (y == layer.stepper()(x)).any()


@pytest.mark.parametrize("layers", [1, 2])
def test_what_it_gives_and_is_given_is_the_callers_own(layers):
    rng = np.random.default_rng(0)
    layer = make(LSTM, {}, layers)
    state, x = state_of(layer, 2, rng), rng.normal(size=(2, D)).astype("float32")
    before = host(layer, state)
    step, undisturbed = layer.stepper(state), layer.stepper(state)
    first = step(x)
    kept, given = first.copy(), x.copy()
    second = step(x)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(x, given)
    for array, wanted in zip(state, before, strict=True):
        np.testing.assert_array_equal(array, wanted)
    first[...] = second[...] = np.nan
    for array in (*step.state, *state):
        array[...] = np.nan
    undisturbed(x)
    undisturbed(x)
    np.testing.assert_array_equal(step(x), undisturbed(x))


def test_what_is_refused_leaves_the_state_as_it_was():
    layer, x = make(LSTM, {}), np.ones((1, D), "float32")
    step, undisturbed = layer.stepper(), layer.stepper()
    step(x), undisturbed(x)
    with pytest.raises(ValueError, match="x must have shape"):
        step(x[:, 1:])
    with pytest.raises(ValueError, match=r"rows\[0\] is 1; a row lies between 0 and 0"):
        step.keep([1])
    with pytest.raises(ValueError, match="at least one"):
        step.keep([])
    np.testing.assert_array_equal(step(x), undisturbed(x))


@pytest.mark.parametrize("layer", [BiLSTM(2, 3), GRU(2, 3, bidirectional=True)])
def test_both_directions_have_no_step(layer):
    with pytest.raises(ValueError, match="bidirectional .* no output is known before the last"):
        layer.stepper()


def test_a_state_and_a_batch_that_differ_are_refused():
    layer = make(LSTM, {})
    with pytest.raises(ValueError, match=r"state\[0\] must have shape \(1, 3, 5\)"):
        layer.stepper(layer.stepper(batch=2).state, batch=3)
    h, c = layer.stepper(batch=2).state
    with pytest.raises(ValueError, match=r"state\[1\] must have shape \(1, 2, 5\)"):
        layer.stepper((h, c[:, :1]))
