"""Parameters as a whole, in place, and gate by gate."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, Dropout, LastStep, Linear, Sequential, interchange
from lstm_lab.layers import Embedding, Parameters

LSTMS = [
    {}, {"peepholes": True}, {"forget_gate": False}, {"coupled": True, "peepholes": True},
    {"layer_norm": True}, {"proj_size": 3},
]  # fmt: skip


def reference(layer, x):
    """One step from zero states, from the gates' own parameters, of plain cells."""
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    gates = {name: layer.gate(name) for name in layer.cell.gates}
    a = {name: x @ g.weight_x.T + g.bias for name, g in gates.items()}
    if isinstance(layer, GRU):
        r, z = sigmoid(a["reset_gate"]), sigmoid(a["update_gate"])
        n = np.tanh(a["candidate"] + r * (gates["candidate"].bias_h if layer.reset_after else 0))
        return (1 - z) * n
    i, o, g = sigmoid(a["input_gate"]), sigmoid(a["output_gate"]), np.tanh(a["candidate"])
    return o * np.tanh(i * g)


@pytest.mark.parametrize("options", [{}, {"reset_after": False}])
def test_a_grus_gates_are_its_own(options):
    gru = GRU(2, 4, dtype="float64", seed=0, **options)
    x = np.random.default_rng(0).normal(size=(3, 2))
    y, _ = gru.forward(x[None])
    np.testing.assert_allclose(reference(gru, x), y[0], rtol=1e-12)
    # Without the candidate's recurrent weights, and its own bias of them, h is in no candidate.
    gru.gate("candidate").weight_h = 0
    if gru.reset_after:
        gru.gate("candidate").bias_h = 0
    h = np.random.default_rng(1).normal(size=(1, 3, 4))
    _, one = gru.forward(x[None], h)
    _, other = gru.forward(x[None], -h)
    np.testing.assert_allclose(one.candidate, other.candidate, rtol=1e-12)
    assert abs(one.reset_gate - other.reset_gate).max() > 0.01


@pytest.mark.parametrize("options", LSTMS, ids=lambda o: "-".join(o) or "plain")
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_what_is_written_to_a_gate_is_what_the_layer_computes(options, direction):
    """Closing one gate closes that gate, in that layer and direction, and no other."""
    lstm = LSTM(2, 4, 2, bidirectional=True, dtype="float64", seed=0, **options)
    x = np.random.default_rng(0).normal(size=(5, 3, 2))
    for name in lstm.cell.gates:
        _, before = lstm.forward(x)
        gate = lstm.gate(name, 1, direction)
        held = {key: value.copy() for key, value in vars(gate).items() if value is not None}
        for key in held:
            setattr(gate, key, 0)
        gate.bias += 2.0
        _, after = lstm.forward(x)
        squash = np.tanh(2.0) if name == "candidate" else 1 / (1 + np.exp(-2.0))
        found = getattr(after.layer(1, direction), name)
        np.testing.assert_allclose(found, squash, rtol=1e-12)
        for other in lstm.cell.gates:
            for number in (0, 1):
                for way in ("forward", "reverse"):
                    if (number, way) == (1, direction):
                        continue
                    same = getattr(after.layer(number, way), other)
                    assert np.array_equal(same, getattr(before.layer(number, way), other))
        for key, value in held.items():
            setattr(gate, key, value)
        _, again = lstm.forward(x)
        assert np.array_equal(again.hidden, before.hidden)


def test_a_gates_rows_are_all_rows_once():
    for layer in (LSTM(2, 3, seed=0), LSTM(2, 3, peepholes=True, coupled=True), GRU(2, 3)):
        sizes = {"weight_x_l0": 0, "weight_h_l0": 0, "bias_l0": 0}
        for name in layer.cell.gates:
            gate = layer.gate(name)
            assert np.shares_memory(gate.weight_x, layer.params["weight_x_l0"])
            for key in ("weight_x", "weight_h", "bias"):
                sizes[f"{key}_l0"] += getattr(gate, key).size
            sizes["bias_l0"] += 0 if gate.bias_h is None else gate.bias_h.size
        assert sizes == {name: layer.params[name].size for name in sizes}


def test_what_a_gate_has_not():
    gate = LSTM(2, 3, seed=0).gate("forget_gate")
    assert repr(gate) == "<gate: weight_x (3, 2), weight_h (3, 3), bias (3,)>"
    with pytest.raises(ValueError, match="this gate has no peephole"):
        gate.peephole = 1
    with pytest.raises(AttributeError, match="a gate has no 'bais'; it may have weight_x"):
        gate.bais = 1
    with pytest.raises(ValueError, match=r"bias must have shape \(3,\), got \(4,\)"):
        gate.bias = np.zeros(4)
    with pytest.raises(ValueError, match="name: a cell of RNN has no gates"):
        RNN(2, 3).gate("candidate")


def test_assigning_trains_in_place():
    model = Sequential(
        lstm=LSTM(2, 4, seed=0, dtype="float64"),
        last=LastStep(dtype="float64"),
        head=Linear(4, 1, seed=0, dtype="float64"),
    )
    x, target = np.random.default_rng(0).normal(size=(6, 8, 2)), np.ones((8, 1))
    losses = []
    for _ in range(30):
        y, trace = model.forward(x)
        losses.append(((y - target) ** 2).mean())
        gradient = model.backward(2 * (y - target) / y.size, trace).params
        for name in model.params:
            model.params[name] = model.params[name] - 0.5 * gradient[name]
    assert losses[-1] < 0.2 * losses[0]
    for name, layer in model.layers.items():
        for key in layer.params:
            assert layer.params[key] is model.params[f"{name}.{key}"]
    # A number of float64 times float32 is float64: that is taken too.
    single = Linear(2, 1, seed=0)
    single.params["bias"] = single.params["bias"] - np.float64(0.1) * np.ones(1)
    assert single.params["bias"].dtype == "float32"
    single.params["weight"] *= 0
    assert not single.params["weight"].any()


def test_other_names_and_shapes_are_refused():
    lstm = LSTM(2, 3, seed=0)
    with pytest.raises(KeyError, match="no parameter 'bias'; there are weight_x_l0"):
        lstm.params["bias"] = np.zeros(12)
    with pytest.raises(ValueError, match=r"params\['bias_l0'\] must have shape \(12,\), got \(3"):
        lstm.params["bias_l0"] = np.zeros(3)
    with pytest.raises(TypeError, match=r"params\['bias_l0'\]"):
        lstm.params["bias_l0"] = [0.0] * 12
    with pytest.raises(AttributeError):
        del lstm.params["bias_l0"]


def test_a_layer_of_given_arrays():
    for layer in (
        LSTM(2, 3, 2, bidirectional=True, peepholes=True, seed=0),
        GRU(2, 3, seed=0),
        Linear(2, 3, seed=0),
        Embedding(5, 3, seed=0),
    ):
        again = type(layer).from_params(dict(layer.params), **layer.config)
        for name, array in layer.params.items():
            assert np.array_equal(again.params[name], array)
            assert not np.shares_memory(again.params[name], array)
    with pytest.raises(ValueError, match="params must be named weight, bias; got bias"):
        Linear.from_params({"bias": np.zeros(3)}, input_size=2, output_size=3)
    with pytest.raises(ValueError, match=r"params\['bias'\] must have shape \(3,\), got \(2,\)"):
        Linear.from_params(
            {"weight": np.zeros((3, 2)), "bias": np.zeros(2)}, input_size=2, output_size=3
        )


def test_nothing_is_spread_or_cut_silently():
    """A list has a shape too, and an imaginary part is no weight."""
    lstm = LSTM(2, 3, seed=0)
    gate, before = lstm.gate("forget_gate"), dict(lstm.params)
    before = {name: array.copy() for name, array in before.items()}
    with pytest.raises(ValueError, match=r"weight_h must have shape \(3, 3\), got \(3,\)"):
        gate.weight_h = [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match=r"bias must have shape \(3,\), got \(1,\)"):
        gate.bias = [1.0]
    with pytest.raises((TypeError, ValueError), match="bias"):
        gate.bias = "a"
    with pytest.raises((TypeError, ValueError), match="bias"):
        gate.bias = None
    with pytest.raises(TypeError, match="bias must hold real numbers, got complex128"):
        gate.bias = np.zeros(3, complex)
    with pytest.raises(TypeError, match="real numbers, got complex128"):
        lstm.params["bias_l0"] = np.zeros(12, complex)
    with pytest.raises(TypeError, match=r"params\['bias'\] must hold real numbers"):
        Linear.from_params(
            {"weight": np.zeros((3, 2)), "bias": np.zeros(3, complex)}, input_size=2, output_size=3
        )
    for name, array in lstm.params.items():
        np.testing.assert_array_equal(array, before[name])
    gate.bias = [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(gate.bias, [1, 2, 3])


def test_the_layers_and_the_whole_have_one_truth():
    """Nested, moved, copied, assigned as a whole: what params shows is what forward computes."""

    def network():
        inner = Sequential(lstm=LSTM(2, 3, seed=0), last=LastStep())
        return Sequential(encoder=inner, head=Linear(3, 2, seed=1))

    x = np.ones((4, 5, 2), "float32")
    for model in (network(), network().to("numpy"), copy.deepcopy(network())):
        for name in model.params:
            model.params[name] = np.zeros_like(model.params[name])
        assert not model.forward(x)[0].any()
        model.layers["head"].params = {"weight": np.zeros((2, 3)), "bias": np.arange(2)}
        np.testing.assert_array_equal(model.params["head.bias"], [0, 1])
        np.testing.assert_array_equal(model.forward(x)[0][0], [0, 1])
        held = model.params["head.bias"]
        model.params = {name: array + 2 for name, array in model.params.items()}
        np.testing.assert_array_equal(held, [2, 3])
        np.testing.assert_array_equal(model.layers["head"].params["bias"], [2, 3])
        with pytest.raises(ValueError, match="params must be named .*; got w"):
            model.params = {"w": x}
        with pytest.raises(TypeError):
            model.layers["head"] = Linear(3, 2)
        with pytest.raises(AttributeError):
            model.layers = {}


def tied():
    first, second = Linear(3, 3, seed=0), Linear(3, 3, seed=1)
    second._params = Parameters(second.backend, dict(first.params))
    return first, second


def test_no_parameter_stands_at_two_places():
    layer = Linear(3, 3, seed=0)
    for layers, found in (
        ({"a": layer, "b": layer}, "a.weight and b.weight"),
        ({"a": layer, "b": Sequential(c=Sequential(d=layer))}, "a.weight and b.c.d.weight"),
        ({"a": layer, "b": copy.copy(layer)}, "a.weight and b.weight"),
        (dict(zip("ab", tied(), strict=True)), "a.weight and b.weight"),
    ):
        with pytest.raises(ValueError, match=f"{found} share memory.*copy.deepcopy"):
            Sequential(**layers)
    part = Linear(3, 3)
    part._params = Parameters(part.backend, {"whole": np.zeros(4), "part": np.zeros(4)})
    Sequential(a=part)
    part._params = Parameters(part.backend, {"whole": (w := np.zeros(4)), "part": w[1:]})
    with pytest.raises(ValueError, match="a.whole and a.part share memory"):
        Sequential(a=part)
    # What has no parameters may stand where it likes.
    drop = Dropout(0.1)
    assert Sequential(a=drop, b=copy.deepcopy(layer), c=drop, d=layer).size == 24


def test_on_a_device_too(backend):
    layer = Linear(3, 3, backend=backend)
    with pytest.raises(ValueError, match="a.weight and b.weight share memory"):
        Sequential(a=layer, b=layer)
    Sequential(a=layer, b=copy.deepcopy(layer))


def test_names_that_would_fall_together():
    with pytest.raises(ValueError, match="must not be empty or hold a dot, got 'a.b'"):
        Sequential(a=Sequential(b=Linear(3, 2)), **{"a.b": Linear(3, 2)})
    with pytest.raises(ValueError, match="must not be empty or hold a dot, got ''"):
        Sequential(**{"": Linear(3, 2)})
    assert list(Sequential(self=Linear(3, 2, seed=0)).layers) == ["self"]


def test_a_sequential_of_ones_own_stays_one():
    mine = type("Mine", (Sequential,), {})
    assert type(mine(a=Linear(3, 2)).to("numpy")) is mine


@pytest.mark.parametrize(
    "write",
    [
        lambda lstm, bad: lstm.params.__setitem__("bias_l0", bad),
        lambda lstm, bad: setattr(lstm, "params", {**lstm.params, "bias_l0": bad}),
        lambda lstm, bad: LSTM.from_params(
            {**lstm.params, "bias_l0": bad}, input_size=2, hidden_size=2
        ),
        lambda lstm, bad: setattr(lstm.gate("forget_gate"), "bias", bad[:2]),
        lambda lstm, bad: interchange.to_torch(lstm, {**lstm.params, "bias_l0": bad}),
        lambda lstm, bad: interchange.from_torch({**interchange.to_torch(lstm), "bias_ih_l0": bad}),
        lambda lstm, bad: interchange.from_keras([*interchange.to_keras(lstm)[:2], bad]),
    ],
)
def test_masked_weights_are_refused(write):
    lstm = LSTM(2, 2, seed=0)
    before = lstm.params["bias_l0"].copy()
    bad = np.ma.masked_equal(np.arange(8, dtype="float32"), 1)
    with pytest.raises(ValueError, match="holds 1 masked values"):
        write(lstm, bad)
    np.testing.assert_array_equal(lstm.params["bias_l0"], before)


def test_weights_of_another_byte_order_are_read():
    lstm, values = LSTM(2, 2, seed=0), np.arange(8, dtype=">f4")
    lstm.params["bias_l0"] = values
    np.testing.assert_array_equal(lstm.params["bias_l0"], values)
    state = {name: array.astype(">f4") for name, array in interchange.to_torch(lstm).items()}
    read = interchange.from_torch(state)
    np.testing.assert_array_equal(read.params["bias_l0"], values)
    assert read.params["bias_l0"].dtype.isnative
    weights = [array.astype(">f4") for array in interchange.to_keras(lstm)]
    np.testing.assert_array_equal(interchange.from_keras(weights).params["bias_l0"], values)
