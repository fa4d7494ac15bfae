"""The equations in JavaScript give what the library gives, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, RNN

TOLERANCE = 1e-5
SHAPES = [(1, 1, 1), (7, 1, 1), (1, 3, 4), (12, 2, 5), (40, 6, 3), (25, 1, 8)]


def net(layer, rng):
    for array in layer.params.values():
        array[...] = rng.normal(0, 1.2, array.shape)
    w, u, b = (layer.params[f"{name}_l0"] for name in ("weight_x", "weight_h", "bias"))
    flat = {"W": w.ravel().tolist(), "U": u.ravel().tolist(), "b": b.tolist()}
    return {"D": layer.input_size, "H": layer.hidden_size, **flat}


def agree(got, expected, what):
    expected = np.asarray(expected).ravel()
    assert len(got) == expected.size, what
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE, err_msg=what)


def flat(array):
    return np.asarray(array).ravel().tolist()


@pytest.mark.parametrize("with_state", [False, True], ids=["zero state", "given state"])
def test_lstm_equals_the_library(node, with_state):
    rng = np.random.default_rng(1 + with_state)
    forward, inputs, expected = [], [], []
    for steps, features, hidden in SHAPES:
        lstm = LSTM(features, hidden, dtype="float64", backend="numpy")
        weights = net(lstm, rng)
        x, dy = rng.normal(size=(steps, 1, features)), rng.normal(size=(steps, 1, hidden))
        h, c, dh, dc = rng.normal(size=(4, 1, 1, hidden))
        state, dstate = ((h, c), (dh, dc)) if with_state else (None, None)
        _, trace = lstm.forward(x, state)
        grad = lstm.backward(dy, trace, dstate)
        js_state = {"h": flat(h), "c": flat(c)} if with_state else {}
        js_dstate = {"h": flat(dh), "c": flat(dc)} if with_state else {}
        forward.append(["lstmForward", [weights, flat(x), steps, js_state]])
        inputs.append((weights, flat(dy), js_dstate))
        expected.append((trace, grad))
    traces = node("frontend/equations/lstm.js", forward)
    backward = [
        ["lstmBackward", [weights, trace, dy, dstate]]
        for (weights, dy, dstate), trace in zip(inputs, traces, strict=True)
    ]
    for js, back, (trace, grad) in zip(
        traces, node("frontend/equations/lstm.js", backward), expected, strict=True
    ):
        for letter, name in {
            "i": "input_gate", "f": "forget_gate", "o": "output_gate",
            "g": "candidate", "c": "cell", "h": "hidden",
        }.items():  # fmt: skip
            agree(js[letter], getattr(trace, name), name)
        agree(back["x"], grad.x, "dx")
        agree(back["W"], grad.params["weight_x_l0"], "dW")
        agree(back["U"], grad.params["weight_h_l0"], "dU")
        agree(back["b"], grad.params["bias_l0"], "db")
        agree(back["h0"], grad.state[0], "dh0")
        agree(back["c0"], grad.state[1], "dc0")


@pytest.mark.parametrize("with_state", [False, True], ids=["zero state", "given state"])
def test_rnn_equals_the_library(node, with_state):
    rng = np.random.default_rng(3 + with_state)
    for steps, features, hidden in SHAPES[1:5]:
        rnn = RNN(features, hidden, dtype="float64", backend="numpy")
        weights = net(rnn, rng)
        x, dy = rng.normal(size=(steps, 1, features)), rng.normal(size=(steps, 1, hidden))
        h, dh = rng.normal(size=(2, 1, 1, hidden))
        y, trace = rnn.forward(x, h if with_state else None)
        grad = rnn.backward(dy, trace, dh if with_state else None)
        state, dstate = ({"h": flat(h)}, {"h": flat(dh)}) if with_state else ({}, {})
        [js] = node(
            "frontend/equations/lstm.js", [["rnnForward", [weights, flat(x), steps, state]]]
        )
        [back] = node(
            "frontend/equations/lstm.js", [["rnnBackward", [weights, js, flat(dy), dstate]]]
        )
        agree(js["h"], y, "h")
        agree(back["x"], grad.x, "dx")
        agree(back["W"], grad.params["weight_x_l0"], "dW")
        agree(back["U"], grad.params["weight_h_l0"], "dU")
        agree(back["b"], grad.params["bias_l0"], "db")
        agree(back["h0"], grad.state, "dh0")


def test_state_gradients_are_those_of_a_nudge(node):
    """grad.h and grad.c, which are drawn, are how the loss answers to h_t and c_t of every step."""
    rng = np.random.default_rng(5)
    steps, hidden, nudge = 6, 3, 1e-6
    lstm = LSTM(2, hidden, dtype="float64", backend="numpy")
    weights, x = net(lstm, rng), rng.normal(size=(steps, 1, 2))
    dy = rng.normal(size=(steps, 1, hidden))
    [trace] = node("frontend/equations/lstm.js", [["lstmForward", [weights, flat(x), steps]]])
    [back] = node("frontend/equations/lstm.js", [["lstmBackward", [weights, trace, flat(dy)]]])
    _, own = lstm.forward(x)
    for t in range(steps - 1):
        for which in (0, 1):
            state = [own.hidden[t][None].copy(), own.cell[t][None].copy()]
            losses = []
            for sign in (1, -1):
                moved = [array.copy() for array in state]
                moved[which][0, 0, 1] += sign * nudge
                losses.append((lstm.forward(x[t + 1 :], tuple(moved))[0] * dy[t + 1 :]).sum())
            slope = (losses[0] - losses[1]) / (2 * nudge)
            if which == 0:
                slope += dy[t, 0, 1]
                got = back["h"][t * hidden + 1]
            else:
                # What c_t does through h_t comes on top of what it does through c_{t+1}.
                o, tanh_c = own.output_gate[t, 0, 1], np.tanh(own.cell[t, 0, 1])
                slope += back["h"][t * hidden + 1] * o * (1 - tanh_c**2)
                got = back["c"][t * hidden + 1]
            assert got == pytest.approx(slope, abs=TOLERANCE), (t, which)
