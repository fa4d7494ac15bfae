"""The gradients of every step, ``backward(..., keep=True)``, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN
from lstm_lab.layers import trace as traces

H, T, B, D = 4, 6, 3, 2
NUDGE = 1e-6
LSTMS = [
    {}, {"peepholes": True}, {"forget_gate": False}, {"forget_gate": False, "peepholes": True},
    {"coupled": True}, {"coupled": True, "peepholes": True}, {"proj_size": 3},
    {"layer_norm": True}, {"layer_norm": True, "peepholes": True, "proj_size": 3},
]  # fmt: skip
LAYERS = [
    *((LSTM, options) for options in LSTMS),
    (GRU, {}),
    (GRU, {"reset_after": False}),
    (RNN, {}),
]
IDS = [f"{kind.__name__}-{'-'.join(options) or 'plain'}" for kind, options in LAYERS]


def states_of(trace, t=None):
    """The states, each (B, H): the final ones, or those after step t."""
    if t is None:
        return trace.state if isinstance(trace.state, tuple) else (trace.state,)
    return tuple(getattr(trace, name)[t] for name in trace.cell_type.states)


def packed(states):
    """As ``forward`` takes them."""
    states = tuple(np.ascontiguousarray(state)[None] for state in states)
    return states if len(states) > 1 else states[0]


def loss_from(layer, x, states, dy, dstate):
    """What the steps of x add to the loss, from these states on."""
    if not len(x):
        return sum((d[0] * s).sum() for d, s in zip(dstate, states, strict=True))
    y, trace = layer.forward(x, packed(states))
    return (dy * y).sum() + sum(
        (d * s).sum() for d, s in zip(dstate, states_of(trace), strict=True)
    )


@pytest.fixture(params=LAYERS, ids=IDS)
def run(request):
    kind, options = request.param
    rng = np.random.default_rng(3)
    layer = kind(D, H, dtype="float64", seed=1, **options)
    for array in layer.params.values():  # no gate in its linear middle
        array += rng.normal(scale=0.3, size=array.shape)
    x = rng.normal(size=(T, B, D))
    y, trace = layer.forward(x)
    dy = rng.normal(size=y.shape)
    dstate = [rng.normal(size=state.shape) for state in states_of(trace)]
    given = tuple(dstate) if len(dstate) > 1 else dstate[0]
    gradient = layer.backward(dy, trace, given, keep=True)
    return layer, x, trace, dy, dstate, gradient


def by_differences(function, values):
    """The gradient of a number with respect to every entry of an array."""
    found = np.empty_like(values)
    for place in np.ndindex(values.shape):
        ends = []
        for nudge in (NUDGE, -NUDGE):
            moved = values.copy()
            moved[place] += nudge
            ends.append(function(moved))
        found[place] = (ends[0] - ends[1]) / (2 * NUDGE)
    return found


@pytest.mark.parametrize("t", [0, 3, T - 1])
def test_of_the_hidden_state(run, t):
    layer, x, trace, dy, dstate, gradient = run

    def loss(h):
        states = (h, *states_of(trace, t)[1:])
        return (dy[t] * h).sum() + loss_from(layer, x[t + 1 :], states, dy[t + 1 :], dstate)

    expected = by_differences(loss, states_of(trace, t)[0])
    np.testing.assert_allclose(gradient.trace.hidden[t], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("t", [0, 3, T - 1])
def test_of_the_cell_state(run, t):
    layer, x, trace, dy, dstate, gradient = run
    if len(states_of(trace)) == 1:
        with pytest.raises(AttributeError, match="cell"):
            _ = gradient.trace.cell
        return
    p = layer.params.get("peephole_l0", np.zeros(H))[:H]
    c_now, o_now = trace.cell[t], trace.output_gate[t]
    a_o = np.log(o_now / (1 - o_now)) - p * c_now  # without what o sees of c

    def loss(c):
        shown = c
        if layer.layer_norm:
            centred = c - c.mean(-1, keepdims=True)
            shown = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
            shown = layer.params["gain_c_l0"] * shown + layer.params["bias_c_l0"]
        h = np.tanh(shown) / (1 + np.exp(-a_o - p * c))
        if layer.proj_size:
            h = h @ layer.params["projection_l0"].T
        return (dy[t] * h).sum() + loss_from(layer, x[t + 1 :], (h, c), dy[t + 1 :], dstate)

    expected = by_differences(loss, c_now)
    np.testing.assert_allclose(gradient.trace.cell[t], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("t", [0, 3, T - 1])
def test_of_the_pre_activations(run, t):
    """A gate's bias at one step alone is what its pre-activation is moved by."""
    layer, x, trace, dy, dstate, gradient = run
    before = states_of(trace, t - 1) if t else tuple(0 * s for s in states_of(trace, 0))
    for name in layer.cell.gates:
        moved = layer.to("numpy")
        bias = moved.gate(name).bias

        def loss(a, moved=moved, bias=bias, name=name):
            bias[:] = layer.gate(name).bias + a
            _, one = moved.forward(x[t : t + 1], packed(before))
            after = tuple(s[0] for s in states_of(one))
            rest = loss_from(layer, x[t + 1 :], after, dy[t + 1 :], dstate)
            return (dy[t] * after[0]).sum() + rest

        expected = by_differences(loss, np.zeros(H))
        found = getattr(gradient.trace, name)[t].sum(axis=0)  # a bias is every sequence's
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
@pytest.mark.parametrize("options", [{}, {"recurrent_dropout": 0.4}])
def test_every_layer_and_direction_of_a_ragged_batch(kind, options):
    """What the parameters' gradients are made of, in real time, and zero past the ends."""
    rng = np.random.default_rng(0)
    net = kind(D, H, 2, bidirectional=True, dtype="float64", seed=0, **options)
    x, lengths = rng.normal(size=(T, B, D)), [4, 6, 1]
    y, trace = net.forward(x, lengths=lengths, rng=np.random.default_rng(1))
    gradient = net.backward(rng.normal(size=y.shape), trace, keep=True)
    padding = np.arange(T)[:, None] >= np.array(lengths)
    for layer in range(2):
        for direction in ("forward", "reverse"):
            part = gradient.trace.layer(layer, direction)
            suffix = f"_l{layer}" + "_reverse" * (direction == "reverse")
            assert part.hidden.shape == (T, B, H)
            for name in dir(part):
                assert not getattr(part, name)[padding].any()
            assert part.hidden[~padding].all()
            for name in net.cell.gates:
                view = net.gate(name, layer, direction)
                rows = (view.bias.ctypes.data - net.params[f"bias{suffix}"].ctypes.data) // 8
                total = gradient.params[f"bias{suffix}"][rows : rows + H]
                np.testing.assert_allclose(
                    getattr(part, name).sum(axis=(0, 1)), total, rtol=1e-12, atol=1e-14
                )
    both = [gradient.trace.layer(1, direction).hidden for direction in traces.DIRECTIONS]
    assert np.array_equal(gradient.trace.hidden, np.concatenate(both, axis=-1))


def test_keeping_changes_no_gradient_and_is_off_by_default(backend):
    rng = np.random.default_rng(0)
    for kind in (LSTM, GRU, RNN):
        net = kind(D, H, 2, bidirectional=True, dtype="float64", seed=0, backend=backend)
        x = backend.asarray(rng.normal(size=(T, B, D)))
        y, trace = net.forward(x)
        dy = backend.asarray(rng.normal(size=y.shape))
        plain, kept = net.backward(dy, trace), net.backward(dy, trace, keep=True)
        assert plain.trace is None
        for name, array in plain.params.items():
            other = backend.to_numpy(kept.params[name])
            np.testing.assert_allclose(backend.to_numpy(array), other, rtol=1e-12, atol=1e-13)
        host = kept.trace.to("numpy")
        assert isinstance(host.hidden, np.ndarray)
        assert np.array_equal(host.hidden, backend.to_numpy(kept.trace.hidden))


def test_it_says_what_it_has():
    net = LSTM(D, H, seed=0)
    y, trace = net.forward(np.ones((T, B, D), "float32"))
    gradient = net.backward(y, trace, keep=True)
    assert {"hidden", "cell", "forget_gate", "layer"} <= set(dir(gradient.trace))
    with pytest.raises(AttributeError, match="a trace of LSTM has no 'update_gate'; it has"):
        _ = gradient.trace.update_gate
    with pytest.raises(ValueError, match="direction must be 'forward', not 'reverse'"):
        gradient.trace.layer(0, "reverse")
    with pytest.raises(ValueError, match="layer must be 0 to 0, not 1"):
        gradient.trace.layer(1)
    assert "6 steps, 3 sequences" in repr(gradient.trace)


def test_an_rnn_names_its_one_pre_activation():
    rnn = RNN(D, H, dtype="float64", seed=0)
    y, trace = rnn.forward(np.random.default_rng(0).normal(size=(T, B, D)))
    gradient = rnn.backward(np.ones_like(y), trace, keep=True)
    delta = gradient.trace.hidden * (1 - y**2)
    np.testing.assert_allclose(gradient.trace.pre_activation, delta, rtol=1e-12)
    with pytest.raises(AttributeError, match="no 'pre_activation'; it has hidden"):
        _ = trace.pre_activation
