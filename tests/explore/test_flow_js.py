"""Gradients at every step: the library's, one step at a time; JavaScript's; a nudge's."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, RNN
from lstm_lab.explore.core.backprop import step_gradients
from lstm_lab.explore.core.signals import noise
from lstm_lab.explore.core.user_layer import float64_copy
from lstm_lab.explore.gradient_flow.flow import (
    HIDDEN,
    direct_path,
    flow,
    half_life,
    packed_seeds,
    small_lstm,
    small_rnn,
)


def random_layer(kind, features, hidden, rng, spread=1.2):
    layer = kind(features, hidden, dtype="float64", backend="numpy")
    for array in layer.params.values():
        array[...] = rng.normal(0, spread, array.shape).astype("float32")
    return layer


def net(layer):
    w, u, b = (layer.params[f"{name}_l0"] for name in ("weight_x", "weight_h", "bias"))
    flat = {"W": w.ravel().tolist(), "U": u.ravel().tolist(), "b": b.tolist()}
    sizes = {"D": layer.input_size, "H": layer.hidden_size}
    return {"kind": type(layer).__name__, **sizes, **flat}


def js_flow(node, layer, x, length=None):
    """flow.js's answer; the trace may be of more steps than ``length``."""
    flat = np.ravel(x).tolist()
    [trace] = node("gradient_flow/flow.js", [["run", [net(layer), flat, len(x)]]])
    [found] = node("gradient_flow/flow.js", [["flow", [net(layer), trace, length or len(x)]]])
    # What JSON makes of -Infinity.
    return {k: [-np.inf if v is None else v for v in found[k]] for k in ("h", "c", "direct")
            if k in found}, found  # fmt: skip


@pytest.mark.parametrize("kind", [LSTM, RNN])
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 3), (9, 2, 4), (30, 1, 8)])
def test_steps_add_up_to_the_librarys_backward(kind, shape):
    rng = np.random.default_rng(sum(shape))
    length, features, hidden = shape
    layer = random_layer(kind, features, hidden, rng)
    x, dy = rng.normal(size=(length, features)), rng.normal(size=(length, hidden))
    trace, steps = step_gradients(layer, x, dy)
    grad = layer.backward(dy[:, None], layer.forward(x[:, None])[1])
    np.testing.assert_allclose(steps.x, grad.x[:, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(steps.delta.sum(0), grad.params["bias_l0"], rtol=1e-9, atol=1e-12)
    weight_x = steps.delta.T @ x
    np.testing.assert_allclose(weight_x, grad.params["weight_x_l0"], rtol=1e-9, atol=1e-12)
    # What passes from h_0 and c_0 to the first step is what passes from every step to its next.
    for t in range(length - 1):
        states = (trace.hidden[t][None], trace.cell[t][None]) if kind is LSTM else (
            trace.hidden[t][None])  # fmt: skip
        rest = layer.backward(dy[t + 1 :, None], layer.forward(x[t + 1 :, None], states)[1])
        dh, dc = rest.state if kind is LSTM else (rest.state, None)
        np.testing.assert_allclose(steps.hidden[t], dh[0, 0] + dy[t], rtol=1e-9, atol=1e-12)
        if dc is not None:
            own = steps.hidden[t] * trace.output_gate[t, 0] * (1 - np.tanh(trace.cell[t, 0]) ** 2)
            np.testing.assert_allclose(steps.cell[t], dc[0, 0] + own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", [LSTM, RNN])
def test_the_browsers_flow_is_the_librarys(kind, node):
    rng = np.random.default_rng(7)
    for length, features, hidden in [(1, 1, 1), (2, 1, 3), (12, 3, 2), (40, 2, 6), (60, 1, 8)]:
        layer = random_layer(kind, features, hidden, rng, 0.8)
        x = rng.normal(size=(length, features))
        expected, (got, _) = flow(layer, x), js_flow(node, layer, x)
        assert expected.keys() == got.keys()
        for name, logs in expected.items():
            np.testing.assert_allclose(got[name], logs, rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("bias", [-4.0, 0.0, 1.0, 5.0])
def test_a_thousand_steps_neither_under_nor_overflow(bias, node):
    layer = small_lstm(1, 3, forget_bias=bias)
    x = noise(1000)[:, None]
    expected, (got, raw) = flow(layer, x), js_flow(node, layer, x)
    for name, logs in expected.items():
        assert np.isfinite(logs).all()
        np.testing.assert_allclose(got[name], logs, rtol=0, atol=1e-5, err_msg=name)
    assert np.isfinite(raw["dh"]).all()
    if bias < 0:
        assert expected["c"][0] < -400, "below everything that float64 can hold"
    # A trace that has read on serves a shorter sequence.
    shorter, (cut, _) = flow(layer, x[:77]), js_flow(node, layer, x, 77)
    for name, logs in shorter.items():
        np.testing.assert_allclose(cut[name], logs, rtol=0, atol=1e-5, err_msg=name)


def test_an_exploding_gradient_passes_the_largest_float(node):
    """A linear stretch of an RNN, h = 0: dL/dh grows by the spectral radius at each step."""
    layer = small_rnn(1, 0, radius=10.0)
    layer.params["bias_l0"][...] = 0
    x = np.zeros((500, 1))
    expected, (got, _) = flow(layer, x), js_flow(node, layer, x)
    np.testing.assert_allclose(expected["h"], np.arange(499, -1, -1.0), atol=1e-4)
    np.testing.assert_allclose(got["h"], expected["h"], atol=1e-5)


def test_what_is_cut_off_is_zero_and_not_an_error(node):
    layer = small_rnn(1, 0, radius=0.0)
    x = noise(5)[:, None]
    expected = pytest.approx([-np.inf] * 4 + [0.0])
    assert flow(layer, x)["h"] == expected
    assert js_flow(node, layer, x)[0]["h"] == expected


def test_float32_loses_what_the_picture_says_it_loses():
    """Below 1.4e-45 a float32 is 0: the band at the foot of the picture."""
    layer, x = small_lstm(1, 0, forget_bias=0.0), noise(400)[:, None]
    logs = flow(layer, x)["c"]
    single = LSTM(1, HIDDEN, seed=0, forget_bias=0.0, backend="numpy")
    dy = np.zeros((400, 1, HIDDEN), dtype="float32")
    dy[-1] = 1 / np.sqrt(HIDDEN)
    for t in (40, 360):
        _, before = single.forward(x[:t, None].astype("float32"))
        _, trace = single.forward(x[t:, None].astype("float32"), before.state)
        left = np.abs(single.backward(dy[t:], trace).state[1]).max()
        assert (left == 0) == (logs[t] < -45)


def test_the_direct_path_is_what_truncated_backpropagation_leaves():
    """The cell of 1997's own learning rule: nothing passes through the gates."""
    rng = np.random.default_rng(11)
    layer = random_layer(LSTM, 2, 4, rng)
    rule = LSTM(2, 4, truncated=True, dtype="float64", backend="numpy")
    for name, array in layer.params.items():
        rule.params[name][...] = array
    x, dy = rng.normal(size=(15, 1, 2)), np.zeros((15, 1, 4))
    dy[-1] = 0.5
    logs, (_, trace) = flow(layer, x[:, 0])["direct"], rule.forward(x)
    for t in range(14):
        state = (trace.hidden[t][None], trace.cell[t][None])
        _, rest = rule.forward(x[t + 1 :], state)
        left = rule.backward(dy[t + 1 :], rest).state[1]
        assert logs[t] == pytest.approx(np.log10(np.linalg.norm(left)), abs=1e-9)


def test_a_gates_product_that_is_zero_and_a_saturated_cell_give_no_nan():
    zero = direct_path(np.full((3, 2), 0.5), np.zeros(2))
    assert zero.tolist() == [-np.inf] * 3
    assert half_life(zero) == 0


def test_seeds_are_the_librarys(node):
    """Seed 3 in the picture is seed 3 in the library, forget biases and chrono included."""
    floats = np.frombuffer(packed_seeds(2), "<f4")
    for seed in (0, 3, 15):
        names = {"W": "weight_x_l0", "U": "weight_h_l0", "b": "bias_l0"}
        size = len(floats) // 16
        own = floats[seed * size : (seed + 1) * size]
        lstm, rnn = LSTM(2, HIDDEN, seed=seed), RNN(2, HIDDEN, init="orthogonal", seed=seed)
        at = 0
        for layer in (lstm, rnn):
            for name in names.values():
                array = layer.params[name]
                np.testing.assert_array_equal(own[at : at + array.size], array.ravel())
                at += array.size
        for longest in (2, 3, 50, 1000):
            chrono = LSTM(2, HIDDEN, seed=seed, init="chrono", chrono_length=longest)
            [js] = node(
                "gradient_flow/flow.js", [["chrono", [net(lstm), own[at:].tolist(), longest]]]
            )
            np.testing.assert_allclose(js["b"], chrono.params["bias_l0"], atol=1e-5)
        [js] = node("gradient_flow/flow.js", [["withForgetBias", [net(lstm), -2.5]]])
        expected = LSTM(2, HIDDEN, seed=seed, forget_bias=-2.5).params["bias_l0"]
        np.testing.assert_allclose(js["b"], expected, atol=1e-6)


def test_half_life(node):
    curves = [np.log10(0.5 ** (np.arange(20)[::-1] / 3.25)), np.zeros(9), np.array([-400.0, 0])]
    for logs in curves:
        [js] = node("gradient_flow/flow.js", [["halfLife", [logs.tolist(), len(logs)]]])
        expected = half_life(logs)
        assert (np.inf if js is None else js) == pytest.approx(expected)
    assert half_life(curves[0]) == pytest.approx(3.25)
    assert half_life(np.array([-np.inf, 0])) == 1


def test_a_copy_takes_the_first_layer_forward():
    lstm = LSTM(2, 5, num_layers=2, bidirectional=True, seed=1)
    copy = float64_copy(lstm)
    assert set(copy.params) == {"weight_x_l0", "weight_h_l0", "bias_l0"}
    np.testing.assert_array_equal(copy.params["bias_l0"], lstm.params["bias_l0"])
