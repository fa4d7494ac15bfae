"""LSTM, BiLSTM, GRU and RNN against finite differences, and what must hold of every layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, RNN, BiLSTM
from lstm_lab.backends import get_backend
from lstm_lab.cli import INSTALL_TEST
from lstm_lab.gradcheck import gradcheck

from .. import tolerance


def GRUBefore(*sizes, **options):
    """A GRU whose reset gate acts before the recurrent product."""
    return GRU(*sizes, reset_after=False, **options)


LAYERS = [LSTM, GRU, RNN, GRUBefore]


def make_state(layer, batch, rng, scale=1.0):
    shape = (layer.num_layers * layer.directions, batch, layer.hidden_size)
    arrays = [
        layer.backend.asarray(rng.normal(size=shape) * scale, dtype=layer.dtype)
        for _ in layer.cell.states
    ]
    return tuple(arrays) if len(arrays) > 1 else arrays[0]


def host(layer, value):
    if isinstance(value, (tuple, list)):
        return [layer.backend.to_numpy(v) for v in value]
    return layer.backend.to_numpy(value)


@st.composite
def configurations(draw):
    steps, batch = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    return {
        "kind": draw(st.sampled_from(LAYERS)),
        "sizes": (draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 3))),
        "bidirectional": draw(st.booleans()),
        "dropout": draw(st.sampled_from([0.0, 0.4])),
        "init": draw(st.sampled_from(["uniform", "orthogonal"])),
        "shape": (steps, batch),
        "lengths": draw(
            st.none() | st.lists(st.integers(1, steps), min_size=batch, max_size=batch)
        ),
        "state": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


@settings(max_examples=60, deadline=None)
@given(configurations())
def test_gradients_agree_with_finite_differences(c):
    rng = np.random.default_rng(c["seed"])
    layer = c["kind"](
        *c["sizes"],
        bidirectional=c["bidirectional"],
        dropout=c["dropout"],
        init=c["init"],
        dtype="float64",
        seed=c["seed"],
    )
    x = rng.normal(size=(*c["shape"], layer.input_size))
    state = make_state(layer, c["shape"][1], rng) if c["state"] else None
    report = gradcheck(
        layer,
        x,
        state=state,
        lengths=c["lengths"],
        dropout_seed=c["seed"],
        max_entries=3,
        directions=1,
    )
    assert report, f"{report} for {c}"


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(
    ("steps", "lengths"), [(1, None), (1, [1, 1]), (5, [1, 5]), (5, [5, 1]), (4, [2, 2])]
)
def test_gradients_at_the_edges(kind, steps, lengths):
    """T = 1, a sequence of length 1, unsorted lengths, lengths all short of T: every entry."""
    rng = np.random.default_rng(0)
    layer = kind(2, 3, 2, bidirectional=True, dtype="float64", seed=0)
    x = rng.normal(size=(steps, 2, 2))
    for state in (None, make_state(layer, 2, rng)):
        assert gradcheck(layer, x, state=state, lengths=lengths)
    assert gradcheck(layer, x[:, :1], lengths=None if lengths is None else lengths[:1])


@pytest.mark.parametrize("init", ["uniform", "orthogonal", "chrono"])
def test_gradients_of_every_initialisation(init):
    layer = LSTM(2, 4, init=init, forget_bias=3.0, chrono_length=20, dtype="float64", seed=0)
    assert gradcheck(layer, np.random.default_rng(0).normal(size=(6, 2, 2)))


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_backends_agree(backend, kind, bidirectional):
    rng = np.random.default_rng(3)
    options = {"bidirectional": bidirectional, "dropout": 0.3, "dtype": "float64", "seed": 5}
    ours, reference = kind(3, 4, 2, backend=backend, **options), kind(3, 4, 2, **options)
    lengths = [3, 6, 1, 6]
    x = rng.normal(size=(6, 4, 3))
    dy = rng.normal(size=(6, 4, ours.output_size))
    state, dstate = (make_state(reference, 4, rng) for _ in range(2))

    def device(value):
        if isinstance(value, tuple):
            return tuple(map(device, value))
        return backend.asarray(value)

    y, trace = reference.forward(x, state, lengths, rng=np.random.default_rng(1))
    grad = reference.backward(dy, trace, dstate)
    y2, trace2 = ours.forward(device(x), device(state), lengths, rng=np.random.default_rng(1))
    grad2 = ours.backward(device(dy), trace2, device(dstate))
    close = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(host(ours, y2), y, **close)
    np.testing.assert_allclose(host(ours, grad2.x), grad.x, **close)
    for name in reference.params:
        np.testing.assert_allclose(host(ours, grad2.params[name]), grad.params[name], **close)
    on_host = trace2.to("numpy")
    for name in (*ours.cell.gates, *ours.cell.states):
        np.testing.assert_allclose(getattr(on_host, name), getattr(trace, name), **close)
    for a, b in zip(host(ours, list(grad2.state)), list(grad.state), strict=True):
        np.testing.assert_allclose(a, b, **close)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("rubbish", [0.0, 1e30, np.nan, np.inf])
def test_padding_changes_nothing(backend, kind, bidirectional, dtype, rubbish):
    rng = np.random.default_rng(0)
    layer = kind(3, 5, 2, bidirectional=bidirectional, backend=backend, dtype=dtype, seed=0)
    lengths = np.array([4, 7, 1, 7, 2])
    padding = np.arange(7)[:, None] >= lengths
    x = rng.normal(size=(7, 5, 3)).astype(dtype)
    dy = rng.normal(size=(7, 5, layer.output_size)).astype(dtype)

    def run(value):
        filled, dfilled = x.copy(), dy.copy()
        filled[padding], dfilled[padding] = value, value
        y, trace = layer.forward(backend.asarray(filled), lengths=lengths)
        grad = layer.backward(backend.asarray(dfilled), trace)
        return [host(layer, a) for a in (y, grad.x, *grad.params.values())]

    plain, filled = run(1.0), run(rubbish)
    for a, b in zip(plain, filled, strict=True):
        np.testing.assert_array_equal(a, b)
    for array in plain[:2]:
        assert not array[padding].any(), "outputs and gradients in the padding must be zero"


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_sequence_does_not_see_its_neighbours(kind, bidirectional):
    """Each sequence alone, without padding, gives what it gives inside a ragged batch."""
    rng = np.random.default_rng(1)
    layer = kind(3, 4, 2, bidirectional=bidirectional, dtype="float64", seed=0)
    lengths = [5, 2, 7, 1, 7]
    x, dy = rng.normal(size=(7, 5, 3)), rng.normal(size=(7, 5, layer.output_size))
    state, dstate = make_state(layer, 5, rng), make_state(layer, 5, rng)
    y, trace = layer.forward(x, state, lengths)
    grad = layer.backward(dy, trace, dstate)
    total = dict.fromkeys(layer.params, 0.0)

    def column(value, k):
        if isinstance(value, tuple):
            return tuple(a[:, k : k + 1] for a in value)
        return value[:, k : k + 1]

    for k, length in enumerate(lengths):
        alone, trace1 = layer.forward(x[:length, k : k + 1], column(state, k))
        grad1 = layer.backward(
            np.ascontiguousarray(dy[:length, k : k + 1]), trace1, column(dstate, k)
        )
        np.testing.assert_allclose(y[:length, k], alone[:, 0], atol=1e-13)
        np.testing.assert_allclose(grad.x[:length, k], grad1.x[:, 0], atol=1e-13)
        for mine, its in ((trace.state, trace1.state), (grad.state, grad1.state)):
            np.testing.assert_allclose(column(mine, k), its, atol=1e-13)
        total = {name: total[name] + grad1.params[name] for name in total}
    for name, value in total.items():
        np.testing.assert_allclose(grad.params[name], value, atol=1e-12)


def test_the_reverse_direction_reads_from_each_sequences_own_end():
    """The reverse half of a BiLSTM is an LSTM over the reversed sequence, put back in order."""
    rng = np.random.default_rng(2)
    both = BiLSTM(3, 4, dtype="float64", seed=0)
    alone = LSTM(3, 4, dtype="float64")
    for name in alone.params:
        alone.params[name][...] = both.params[name + "_reverse"]
    x, lengths = rng.normal(size=(6, 3, 3)), [6, 4, 1]
    y, trace = both.forward(x, lengths=lengths)
    for k, length in enumerate(lengths):
        reverse, _ = alone.forward(x[:length, k : k + 1][::-1])
        np.testing.assert_allclose(y[:length, k, 4:], reverse[::-1, 0], atol=1e-14)
        gate = trace.layer(0, "reverse").hidden
        np.testing.assert_allclose(gate[:length, k], reverse[::-1, 0], atol=1e-14)


def test_the_trace_obeys_the_equations():
    """The gates in the trace are those of the textbook, computed here once more, plainly."""
    rng = np.random.default_rng(0)
    lstm = LSTM(3, 4, dtype="float64", seed=0)
    x = rng.normal(size=(5, 2, 3))
    h = c = np.zeros((2, 4))
    y, trace = lstm.forward(x)
    blocks = {name: k for k, name in enumerate(("o", "i", "f", "g"))}

    def part(name, gate):
        return lstm.params[name][blocks[gate] * 4 : blocks[gate] * 4 + 4]

    def gate(name, x_t, h):
        return (
            x_t @ part("weight_x_l0", name).T
            + h @ part("weight_h_l0", name).T
            + part("bias_l0", name)
        )

    for t in range(5):
        i, f, o = (1 / (1 + np.exp(-gate(name, x[t], h))) for name in "ifo")
        g = np.tanh(gate("g", x[t], h))
        c = f * c + i * g
        h = o * np.tanh(c)
        for name, value in {
            "input_gate": i, "forget_gate": f, "output_gate": o, "candidate": g,
            "cell": c, "hidden": h,
        }.items():  # fmt: skip
            np.testing.assert_allclose(getattr(trace, name)[t], value, atol=1e-15)
    np.testing.assert_allclose(y[-1], h, atol=1e-15)
    np.testing.assert_allclose(trace.state[0][0], h, atol=1e-15)
    np.testing.assert_allclose(trace.state[1][0], c, atol=1e-15)


@pytest.mark.parametrize("kind", LAYERS)
def test_chunks_with_the_state_carried_are_one_run(kind):
    rng = np.random.default_rng(0)
    layer = kind(3, 4, 2, dtype="float64", seed=0)
    x = rng.normal(size=(20, 2, 3))
    whole, trace = layer.forward(x)
    state, parts = None, []
    for start in range(0, 20, 7):
        y, part = layer.forward(x[start : start + 7], state, trace=False)
        parts.append(y)
        state = part.state
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-14)
    np.testing.assert_allclose(state, trace.state, atol=1e-14)


@pytest.mark.parametrize("lengths", [None, [300, 7, 120]])
@pytest.mark.parametrize("kind", LAYERS)
def test_without_a_trace_the_output_is_the_same(kind, lengths):
    x = np.random.default_rng(0).normal(size=(300, 3, 2)).astype("float32")
    layer = kind(2, 64, bidirectional=True, seed=0)
    y, trace = layer.forward(x, lengths=lengths)
    y2, light = layer.forward(x, lengths=lengths, trace=False)
    np.testing.assert_array_equal(y, y2)
    np.testing.assert_array_equal(trace.state, light.state)
    with pytest.raises(ValueError, match="trace=False"):
        layer.backward(y, light)
    with pytest.raises(ValueError, match="trace=False"):
        light.hidden  # noqa: B018


def test_without_a_trace_memory_does_not_grow_with_time():
    import tracemalloc

    def peak(steps):
        layer = LSTM(4, 32, seed=0)
        x = np.zeros((steps, 2, 4), dtype="float32")
        tracemalloc.start()
        y, _ = layer.forward(x, trace=False)
        used = tracemalloc.get_traced_memory()[1] - y.nbytes
        tracemalloc.stop()
        return used

    # Beyond the output: the workspace, which is bounded and kept for the next call, and nothing
    # that is T long. One hidden state of each step would be 256 bytes a step, a trace 1.5
    # kilobytes; the list of the chunks of steps is 3.
    peak(20_000), peak(2_000)
    assert peak(20_000) - peak(2_000) < 8 * 18_000


def test_a_stream_of_a_million_steps_takes_constant_memory(require):
    """Fed in chunks with the state carried, it is the one-shot run, in a chunk's memory."""
    import tracemalloc

    require("numba", INSTALL_TEST)
    chunk, lstm = 10_000, LSTM(1, 2, backend="numba", seed=0)
    x = np.random.default_rng(0).normal(size=(1_000_000, 1, 1)).astype("float32")
    whole, trace = lstm.forward(x, trace=False)
    roundings = tolerance.of_layer(lstm, 10, 1)  # what lies further back is forgotten
    peaks, state = [], None
    for start in range(0, len(x), chunk):
        tracemalloc.start()
        y, light = lstm.forward(x[start : start + chunk], state, trace=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        state = light.state
        tolerance.assert_close(y, whole[start : start + chunk], roundings)
    tolerance.assert_close(state, trace.state, roundings)
    assert max(peaks[1:]) < 2**21 < whole.nbytes


def test_the_trace_holds_at_most_eight_values_a_unit_and_step():
    lstm = LSTM(3, 16, 2, bidirectional=True, seed=0)
    _, trace = lstm.forward(np.zeros((50, 4, 3), dtype="float32"))
    for record in trace.records:
        held = sum(
            array.nbytes
            for segment in record.segments
            for array in (segment.gates, *segment.states, *segment.saved.values())
        )
        assert held <= 8 * 50 * 4 * 16 * 2 * 4


def test_the_callers_arrays_are_left_alone():
    rng = np.random.default_rng(0)
    lstm = BiLSTM(3, 4, dtype="float64", seed=0)
    x, dy = rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 2, 8))
    state, dstate = make_state(lstm, 2, rng), make_state(lstm, 2, rng)
    before = [a.copy() for a in (x, dy, *state, *dstate, *lstm.params.values())]
    for lengths in (None, [2, 5]):
        _, trace = lstm.forward(x, state, lengths)
        first = lstm.backward(dy, trace, dstate)
        again = lstm.backward(dy, trace, dstate)
        for name in first.params:
            np.testing.assert_array_equal(first.params[name], again.params[name])
    for a, b in zip(before, (x, dy, *state, *dstate, *lstm.params.values()), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_acts_between_layers_and_only_in_training():
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
    one, two = LSTM(2, 8, 1, dropout=0.5, seed=0), LSTM(2, 8, 2, dropout=0.5, seed=0)
    rngs = [np.random.default_rng(0) for _ in range(3)]
    np.testing.assert_array_equal(one.forward(x)[0], one.forward(x, rng=rngs[0])[0])
    assert (two.forward(x)[0] != two.forward(x, rng=rngs[1])[0]).any()
    np.testing.assert_array_equal(
        two.forward(x, rng=np.random.default_rng(7))[0],
        two.forward(x, rng=np.random.default_rng(7))[0],
    )
    _, trace = two.forward(x, rng=rngs[2])
    assert set(np.unique(trace.records[1].mask)) == {0.0, 2.0}


def test_the_same_seed_is_the_same_network(backend):
    for kind in LAYERS:
        ours, numpy = kind(3, 4, 2, seed=11, backend=backend), kind(3, 4, 2, seed=11)
        other = kind(3, 4, 2, seed=12)
        for name in numpy.params:
            np.testing.assert_array_equal(host(ours, ours.params[name]), numpy.params[name])
            assert (other.params[name] != numpy.params[name]).any()


def test_to_moves_a_layer():
    lstm = BiLSTM(3, 4, 2, dropout=0.2, seed=0)
    moved = lstm.to("strict")
    assert moved.backend is get_backend("strict")
    assert moved.config == lstm.config
    back = moved.to("numpy")
    for name, array in lstm.params.items():
        np.testing.assert_array_equal(back.params[name], array)
        assert back.params[name] is not array


def test_initialisation():
    rows = slice(2 * 50, 3 * 50)
    lstm = LSTM(3, 50, forget_bias=2.5, seed=0)
    np.testing.assert_array_equal(lstm.params["bias_l0"][rows], 2.5)
    assert abs(lstm.params["weight_h_l0"]).max() <= 50**-0.5
    chrono = LSTM(3, 50, init="chrono", chrono_length=200, seed=0, dtype="float64")
    bias = chrono.params["bias_l0"].reshape(4, 50)
    assert (bias[2] >= 0).all() and bias[2].max() > 4 and (bias[2] <= np.log(199)).all()
    np.testing.assert_array_equal(bias[1], -bias[2])
    for kind, blocks in ((LSTM, 4), (GRU, 3), (GRUBefore, 3), (RNN, 1)):
        layer = kind(3, 6, init="orthogonal", dtype="float64", seed=0)
        for u in layer.params["weight_h_l0"].reshape(blocks, 6, 6):
            np.testing.assert_allclose(u @ u.T, np.eye(6), atol=1e-14)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_param_shapes_are_those_of_the_layer(kind, bidirectional):
    layer = kind(3, 5, 2, bidirectional=bidirectional)
    shapes = {name: array.shape for name, array in layer.params.items()}
    assert type(layer).param_shapes(layer.config) == shapes
    assert layer.size == sum(np.prod(shape) for shape in shapes.values())


def test_bilstm_is_a_bidirectional_lstm():
    a, b = BiLSTM(3, 4, seed=0), LSTM(3, 4, bidirectional=True, seed=0)
    x = np.ones((4, 2, 3), dtype="float32")
    np.testing.assert_array_equal(a.forward(x)[0], b.forward(x)[0])
    assert "BiLSTM(" in repr(a)
