"""The same numbers as Keras: by its documented equations, and against a file that Keras made."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, BiLSTM, Linear
from lstm_lab.interchange import from_keras, from_torch, to_keras, to_torch

from .. import tolerance
from .golden.make_keras import CASES, FILE, LENGTHS

KERAS_NAMES = {LSTM: "LSTM", GRU: "GRU", RNN: "SimpleRNN"}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def keras_step(kind, kernel, recurrent_kernel, bias, x, h, c):
    """One step of Keras 3: the cells' ``call`` in keras/src/layers/rnn/{lstm,gru,simple_rnn}.py.

    x (B, D), h and c (B, H); the new h and c.
    """
    if kind == "SimpleRNN":
        return np.tanh(x @ kernel + bias + h @ recurrent_kernel), c
    if kind == "GRU" and bias.ndim == 1:  # reset_after=False
        x_z, x_r, x_h = np.split(x @ kernel + bias, 3, axis=1)
        U_z, U_r, U_h = np.split(recurrent_kernel, 3, axis=1)
        z, r = sigmoid(x_z + h @ U_z), sigmoid(x_r + h @ U_r)
        return z * h + (1 - z) * np.tanh(x_h + (r * h) @ U_h), c
    if kind == "LSTM":
        i, f, candidate, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
        return sigmoid(o) * np.tanh(c), c
    input_bias, recurrent_bias = bias
    x_z, x_r, x_h = np.split(x @ kernel + input_bias, 3, axis=1)
    h_z, h_r, h_h = np.split(h @ recurrent_kernel + recurrent_bias, 3, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * h + (1 - z) * np.tanh(x_h + r * h_h), c


def keras_layer(kind, weights, x):
    """What the layer, or Bidirectional around it, says to x (B, T, D) with return_sequences."""
    if len(weights) == 6:
        reverse = keras_layer(kind, weights[3:], x[:, ::-1])[:, ::-1]
        return np.concatenate([keras_layer(kind, weights[:3], x), reverse], axis=-1)
    h = c = np.zeros((len(x), len(weights[1])))
    out = []
    for t in range(x.shape[1]):
        h, c = keras_step(kind, *weights, x[:, t], h, c)
        out.append(h)
    return np.stack(out, axis=1)


def random_weights(kind, width, hidden, both, rng):
    blocks = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind]
    bias = (2, blocks * hidden) if kind == "GRU" else (blocks * hidden,)
    shapes = [(width, blocks * hidden), (hidden, blocks * hidden), bias] * (2 if both else 1)
    return [rng.normal(size=shape) for shape in shapes]


def forward(layer, x, lengths=None):
    """x (B, T, D) as Keras has it to the output, likewise."""
    y, _ = layer.forward(layer.backend.asarray(np.swapaxes(x, 0, 1).copy()), lengths=lengths)
    return np.swapaxes(layer.backend.to_numpy(y), 0, 1)


@pytest.mark.parametrize("kind", KERAS_NAMES.values())
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("width", "hidden"), [(3, 4), (4, 4), (1, 1), (2, 2)])
def test_the_documented_equations(kind, both, layers, width, hidden, backend):
    rng = np.random.default_rng(0)
    widths = [width, hidden * (2 if both else 1)][:layers]
    stack = [random_weights(kind, size, hidden, both, rng) for size in widths]
    layer = from_keras(stack if layers > 1 else stack[0], kind=kind, backend=backend)
    assert KERAS_NAMES[type(layer)] == kind
    assert (layer.num_layers, layer.bidirectional) == (layers, both)
    assert layer.dtype == np.float64
    x = rng.normal(size=(2, 5, width))
    y = x
    for weights in stack:
        y = keras_layer(kind, weights, y)
    np.testing.assert_allclose(forward(layer, x), y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KERAS_NAMES)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_there_and_back(kind, both, layers, backend):
    ours = kind(3, 4, layers, bidirectional=both, dtype="float64", seed=0, backend=backend)
    out = to_keras(ours)
    stack = [out] if layers == 1 else out
    assert len(stack) == layers
    rng = np.random.default_rng(0)
    widths = [3, ours.output_size]
    for weights, width in zip(stack, widths, strict=False):
        like = random_weights(KERAS_NAMES[kind], width, 4, both, rng)
        assert [array.shape for array in weights] == [array.shape for array in like]
        assert all(type(array) is np.ndarray and array.flags.c_contiguous for array in weights)
    x = rng.normal(size=(2, 5, 3))
    y = x
    for weights in stack:
        y = keras_layer(KERAS_NAMES[kind], weights, y)
    np.testing.assert_allclose(forward(ours, x), y, rtol=0, atol=1e-12)
    back = from_keras(out, backend=backend)
    assert type(back) is kind
    for name, array in ours.params.items():
        a, b = backend.to_numpy(array), backend.to_numpy(back.params[name])
        np.testing.assert_array_equal(a, b)
    stack[0][0][:] = 7
    assert not (backend.to_numpy(ours.params["weight_x_l0"]) == 7).any(), "copies, not views"


def test_by_way_of_torch():
    """Two translations that know nothing of each other end in the same network."""
    for kind in KERAS_NAMES:
        layer = kind(3, 4, 2, bidirectional=True, seed=0)
        back = from_torch(to_torch(from_keras(to_keras(layer))))
        for name, array in layer.params.items():
            np.testing.assert_array_equal(back.params[name], array)


@pytest.mark.parametrize("kind", KERAS_NAMES)
@pytest.mark.parametrize("both", [False, True])
def test_gradients_are_those_of_keras_arrays(kind, both):
    """Along a random direction in Keras' own arrays, both biases of its GRU among them."""
    rng = np.random.default_rng(1)
    weights = random_weights(KERAS_NAMES[kind], 3, 4, both, rng)
    x, layer = rng.normal(size=(2, 5, 3)), from_keras(weights)
    dy = rng.normal(size=(2, 5, layer.output_size))
    _, trace = layer.forward(np.swapaxes(x, 0, 1).copy())
    grad = to_keras(layer, values=layer.backward(np.swapaxes(dy, 0, 1).copy(), trace).params)
    for k, gradient in enumerate(grad):
        direction = rng.normal(size=weights[k].shape)

        def loss(step, k=k, direction=direction):
            moved = [*weights[:k], weights[k] + step * direction, *weights[k + 1 :]]
            return (keras_layer(KERAS_NAMES[kind], moved, x) * dy).sum()

        numeric = (loss(-2e-3) - 8 * loss(-1e-3) + 8 * loss(1e-3) - loss(2e-3)) / 12e-3
        assert (gradient * direction).sum() == pytest.approx(numeric, rel=1e-7)


@pytest.mark.parametrize("kind", KERAS_NAMES)
@pytest.mark.parametrize("both", [False, True])
def test_without_biases(kind, both):
    weights = random_weights(KERAS_NAMES[kind], 2, 2, both, np.random.default_rng(0))
    bare = [array for k, array in enumerate(weights) if k % 3 < 2]
    zero = [array * (k % 3 < 2) for k, array in enumerate(weights)]
    a, b = from_keras(bare), from_keras(zero)
    assert type(a) is kind and a.bidirectional == both
    for name, array in b.params.items():
        np.testing.assert_array_equal(a.params[name], array)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_gru_with_its_reset_gate_before_the_product(both, layers, backend):
    rng = np.random.default_rng(0)
    widths = [3, 4 * (2 if both else 1)][:layers]
    stack = [random_weights("GRU", size, 4, both, rng) for size in widths]
    stack = [[array[0] if k % 3 == 2 else array for k, array in enumerate(w)] for w in stack]
    weights = stack if layers > 1 else stack[0]
    layer = from_keras(weights, backend=backend)
    assert isinstance(layer, GRU) and not layer.reset_after
    x = rng.normal(size=(2, 5, 3))
    y = x
    for own in stack:
        y = keras_layer("GRU", own, y)
    np.testing.assert_allclose(forward(layer, x), y, rtol=0, atol=1e-12)
    back = to_keras(layer)
    for ours, theirs in zip(back if layers > 1 else [back], stack, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_where_the_reset_gate_of_a_gru_without_biases_acts():
    weights = to_keras(GRU(3, 4, seed=0))[:2]
    assert from_keras(weights).reset_after
    assert not from_keras(weights, reset_after=False).reset_after
    with pytest.raises(ValueError, match=r"bias, must have shape \(12,\), got \(2, 12\)"):
        from_keras(GRU_WEIGHTS, reset_after=False)
    with pytest.raises(ValueError, match="reset_after=True, but weights are not those of a GRU"):
        from_keras(LSTM_WEIGHTS, reset_after=True)


def test_from_anything_that_becomes_an_array():
    class Variable:
        """What of a Keras variable is used."""

        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            return self.values

    layer = BiLSTM(3, 4, seed=0)
    back = from_keras(tuple(map(Variable, to_keras(layer))))
    np.testing.assert_array_equal(back.params["bias_l0_reverse"], layer.params["bias_l0_reverse"])


@pytest.fixture(scope="module")
def golden():
    with np.load(FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("name", CASES)
def test_against_the_golden_file(name, golden, backend):
    kind, layers, both = CASES[name]
    count = 6 if both else 3
    stack = [[golden[f"{name}/{k}/{j}"] for j in range(count)] for k in range(layers)]
    layer = from_keras(stack, kind=kind, backend=backend)
    assert layer.num_layers == layers and layer.dtype == np.float32
    x = golden[f"{name}/x"]
    for key, lengths in (("y", None), ("y_masked", LENGTHS)):
        theirs = golden[f"{name}/{key}"]
        roundings = tolerance.of_layer(layer, x.shape[1], len(x))
        tolerance.assert_close(forward(layer, x, lengths), theirs, roundings, name=key)


LSTM_WEIGHTS = to_keras(LSTM(3, 4, seed=0))
BOTH = to_keras(BiLSTM(3, 4, seed=0))
GRU_WEIGHTS = to_keras(GRU(3, 4, seed=0))
STACK = to_keras(LSTM(3, 4, 2, seed=0))


def altered(weights, k, value):
    return [*weights[:k], value, *weights[k + 1 :]]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "weights must be a list of arrays.*got an empty list"),
        (None, "weights must be a list of arrays.*got <class 'NoneType'>"),
        (np.zeros((3, 4)), "weights must be a list of arrays"),
        (LSTM_WEIGHTS[:1], "2, 3, 4 or 6 arrays; it holds 1"),
        ([*LSTM_WEIGHTS, *LSTM_WEIGHTS[:2]], "2, 3, 4 or 6 arrays; it holds 5"),
        ([STACK[0], []], r"weights\[1\] must hold kernel.*it holds 0"),
        ([STACK[0], STACK[1][0]], "lists of arrays, not both"),
        ([LSTM_WEIGHTS, BOTH], r"weights\[1\] holds 6 arrays, but weights\[0\] holds 3: a stack"),
        (LSTM_WEIGHTS[::-1], r"weights\[0\] and weights\[1\].* must be matrices, got \(16,\)"),
        ([np.zeros((3, 10), "f"), np.zeros((4, 10), "f")], "columns must be 4, 3 or 1 times its 4"),
        ([np.zeros((3, 8), "f"), np.zeros((4, 8), "f")], "columns must be 4, 3 or 1 times its 4"),
        ([np.zeros((3, 0), "f"), np.zeros((0, 0), "f")], "must be matrices"),
        (
            altered(LSTM_WEIGHTS, 0, np.zeros((3, 12), "f")),
            r"weights\[0\], kernel, must have shape \(3, 16\), got \(3, 12\)",
        ),
        (
            altered(LSTM_WEIGHTS, 2, np.zeros((2, 16), "f")),
            r"weights\[2\], bias, must have shape \(16,\), got \(2, 16\)",
        ),
        (
            altered(BOTH, 4, np.zeros((5, 16), "f")),
            r"weights\[4\], recurrent_kernel, must have shape \(4, 16\), got \(5, 16\)",
        ),
        (
            [STACK[0], altered(STACK[1], 0, np.zeros((3, 16), "f"))],
            r"weights\[1\]\[0\], kernel, must have shape \(4, 16\), got \(3, 16\)",
        ),
        ([*STACK[0], *STACK[1]], r"weights\[3\], kernel, must have shape \(3, 16\)"),
        (
            altered(GRU_WEIGHTS, 2, np.zeros(9, "f")),
            r"weights\[2\], bias, must have shape \(12,\), got \(9,\)",
        ),
        (
            altered(GRU_WEIGHTS, 2, np.zeros((3, 12), "f")),
            r"must have shape \(2, 12\), as with reset_after=True, got \(3, 12\)",
        ),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit(weights, message):
    with pytest.raises(ValueError, match=message):
        from_keras(weights)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (altered(LSTM_WEIGHTS, 0, np.zeros((3, 16), "int32")), r"weights\[0\].*got int32"),
        (altered(LSTM_WEIGHTS, 0, np.zeros((3, 16), complex)), r"weights\[0\].*got complex128"),
        (altered(LSTM_WEIGHTS, 2, np.zeros(16)), r"weights\[2\], bias, is float64, but the first"),
    ],
)
def test_weights_of_another_dtype(weights, message):
    with pytest.raises(TypeError, match=message):
        from_keras(weights)


def test_a_kind_that_does_not_fit():
    with pytest.raises(ValueError, match="kind must be one of 'LSTM', 'GRU', 'SimpleRNN', not 'RN"):
        from_keras(LSTM_WEIGHTS, kind="RNN")
    with pytest.raises(ValueError, match="kind must be one of"):
        from_keras(LSTM_WEIGHTS, kind=["LSTM"])
    with pytest.raises(ValueError, match=r"is \(4, 16\), that of Keras' LSTM, but kind='GRU'"):
        from_keras(LSTM_WEIGHTS, kind="GRU")


def test_to_keras_refuses():
    with pytest.raises(TypeError, match="layer must be an LSTM, GRU or RNN, got a Linear"):
        to_keras(Linear(3, 4))
    lstm = LSTM(3, 4)
    with pytest.raises(ValueError, match="values lack 'weight_h_l0'"):
        to_keras(lstm, values={"weight_x_l0": lstm.params["weight_x_l0"]})
