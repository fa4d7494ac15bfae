"""ONNX files that are damaged or hostile, or hold what this library has not."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, RNN, BiLSTM, Linear, Reverse, Sequential
from lstm_lab.cli import INSTALL_TEST
from lstm_lab.interchange import from_onnx, run_onnx, to_onnx


@pytest.fixture(scope="module", autouse=True)
def onnx(require):
    return require("onnx", INSTALL_TEST)


def changed(onnx, change, layer=None, **export):
    """The bytes of an exported model after ``change(model)``."""
    model = onnx.load_model_from_string(to_onnx(layer or LSTM(3, 4, seed=0), **export))
    change(model)
    return model.SerializeToString()


def attribute(name, value):
    """A change: the first recurrent node's attribute ``name`` is ``value``."""

    def change(model):
        import onnx

        node = next(n for n in model.graph.node if n.op_type in ("LSTM", "GRU", "RNN"))
        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])

    return change


def store(name, array):
    """A change: the stored array ``name`` is ``array``."""

    def change(model):
        import onnx

        tensor = next(t for t in model.graph.initializer if t.name == name)
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, name))

    return change


@pytest.mark.parametrize(
    ("layer", "name", "value", "message"),
    [
        (LSTM(3, 4), "clip", 3.0, "clip=3.0 is not supported; supported: no clip"),
        (
            LSTM(3, 4), "activations", ["Sigmoid", "Relu", "Tanh"],
            r"activations=\['Sigmoid', 'Relu', 'Tanh'\] is not supported; supported: Sigmoid, Tan",
        ),
        (BiLSTM(3, 4), "activations", ["Sigmoid", "Tanh", "Tanh"], ".* in each direction"),
        (RNN(3, 4), "activations", ["Relu"], r"activations=\['Relu'\] .* supported: Tanh in each"),
        (GRU(3, 4), "activation_alpha", [0.5, 0.5], "activation_alpha=.* take none"),
        (GRU(3, 4), "activation_beta", [0.5], "activation_beta=.* take none"),
        (LSTM(3, 4), "direction", "sideways", "direction='sideways' is not supported; supported"),
        (LSTM(3, 4), "layout", 2, "layout=2 is not supported; supported: 0 and 1"),
        (LSTM(3, 4), "input_forget", 2, "input_forget=2 is not supported"),
        (GRU(3, 4), "linear_before_reset", 7, "linear_before_reset=7 is not supported"),
        (LSTM(3, 4), "hidden_size", 5, r"hidden_size=5, but R \(1, 16, 4\) is that of 4"),
        (LSTM(3, 4), "hidden_size", -1, "hidden_size=-1 is not supported"),
        (BiLSTM(3, 4), "direction", "forward", r"W must have shape \(1, 16, 3\), got \(2, 16, 3\)"),
        (LSTM(3, 4), "direction", "bidirectional", r"W must have shape \(2, 16, 3\)"),
    ],
)  # fmt: skip
def test_an_attribute_that_is_not_supported(onnx, layer, name, value, message):
    data = changed(onnx, attribute(name, value), layer)
    with pytest.raises(ValueError, match=f"the {layer.cell.name} node '.*_0': {message}"):
        from_onnx(data)


def test_the_same_when_a_node_is_run(onnx):
    from .test_onnx import one_node

    data, arrays = one_node(onnx, "LSTM", {"clip": 0.5}, (), {"Y"}, (1, 1, 1, 1))
    with pytest.raises(ValueError, match="the LSTM node 'it': clip=0.5 is not supported"):
        run_onnx(data, list(arrays.values()))


def swap_states(model):
    for node in model.graph.node:
        if node.op_type == "LSTM":
            node.input[5] = "h0_1" if node.input[5] == "h0_0" else "h0_0"


def skip_a_layer(model):
    model.graph.node[2].input[0] = "x"


def output_of_the_first(model):
    model.graph.node[1].output[0], model.graph.node[3].output[0] = "y", "y_0"
    model.graph.node[2].input[0] = "y"


def other_operator(model):
    import onnx

    model.graph.node.insert(0, onnx.helper.make_node("Relu", ["x"], ["rectified"], name="gate"))


def other_reshape(model):
    import onnx

    node = next(n for n in model.graph.node if n.op_type == "Reshape")
    model.graph.initializer.append(
        onnx.numpy_helper.from_array(np.array([-1, 0, 0], "int64"), "wrong")
    )
    node.input[1] = "wrong"


def join_batch_and_units(model):
    next(n for n in model.graph.node if n.op_type == "Reshape").input[0] = "directions_0"


def foreign_domain(model):
    import onnx

    model.graph.node[0].domain = "com.microsoft"
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))


def old(model):
    model.opset_import[0].version = 6


def no_recurrent(model):
    import onnx

    del model.graph.node[:], model.graph.output[1:]
    model.graph.node.append(onnx.helper.make_node("Identity", ["x"], ["y"]))


def a_constant_state(model):
    import onnx

    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 1, 4), "f"), "h0"))
    model.graph.node[0].input.extend(["", "h0"])


def no_weights(model):
    model.graph.node[0].input[1] = ""


def two_lengths(model):
    import onnx

    model.graph.input.append(onnx.helper.make_tensor_value_info("others", 6, ["B"]))
    model.graph.node[2].input.insert(4, "others")
    del model.graph.node[2].input[5]


def weights_from_outside(model):
    import onnx

    model.graph.input.append(onnx.helper.make_tensor_value_info("W_1", 1, [1, 16, 4]))
    kept = [t for t in model.graph.initializer if t.name != "W_1"]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


STACK = {"layer": LSTM(3, 4, 2, seed=0)}


@pytest.mark.parametrize(
    ("change", "made_with", "error", "message"),
    [
        (store("W_0", np.ones((1, 16), "f")), {}, ValueError, "W and R must have shapes"),
        (store("W_0", np.ones((1, 0, 3), "f")), {}, ValueError, "W and R must have shapes"),
        (store("W_0", np.ones((1, 12, 3), "f")), {}, ValueError, r"W must have .*16, 3\), got"),
        (store("R_0", np.ones((1, 15, 4), "f")), {}, ValueError, r"R must have .*16, 4\), got"),
        (store("B_0", np.ones((1, 16), "f")), {}, ValueError, r"B must have shape \(1, 32\)"),
        (store("W_0", np.ones((1, 16, 2), "f")), {}, ValueError, "X .* has 3 units, but W .* 2"),
        (store("W_0", np.full((1, 16, 3), np.nan, "f")), {}, ValueError, "W holds NaN or infinity"),
        (store("R_0", np.full((1, 16, 4), -np.inf, "f")), {}, ValueError, "R holds NaN"),
        (store("W_0", np.ones((1, 16, 3), "float16")), {}, TypeError, "W is float16, not suppor"),
        (store("R_0", np.ones((1, 16, 4))), {}, TypeError, "R is float64, but W float32"),
        (swap_states, {**STACK, "state": True}, ValueError, r"initial_h .*part \(1, 2\) of 'h0'"),
        (skip_a_layer, STACK, ValueError, "X .* must be the output of the LSTM node 'LSTM_0'"),
        (output_of_the_first, STACK, ValueError, "output 'y' must be what the LSTM node 'LSTM_1'"),
        (other_operator, {}, ValueError, "the Relu node 'gate' is not supported; supported: LSTM"),
        (other_reshape, {"layer": BiLSTM(3, 4)}, ValueError, "Reshape node .* only directions and"),
        (join_batch_and_units, {"layer": BiLSTM(3, 4)}, ValueError, "only directions and units"),
        (foreign_domain, {}, ValueError, "the LSTM node 'LSTM_0' is not supported"),
        (old, {}, ValueError, "no valid ONNX model|has opset 6; 7 is the oldest"),
        (no_recurrent, {}, ValueError, "holds no LSTM, GRU or RNN node"),
        (a_constant_state, {}, ValueError, "initial_h .* must be zero or a graph input"),
        (no_weights, {}, ValueError, "no valid ONNX model: .*LSTM_0.* input 1 is"),
        (two_lengths, {**STACK, "lengths": True}, ValueError, "is 'others', but .*'lengths'"),
        (weights_from_outside, STACK, ValueError, r"W \('W_1'\) must be stored in the file"),
    ],
)
def test_another_network(onnx, change, made_with, error, message):
    with pytest.raises(error, match=message):
        from_onnx(changed(onnx, change, **made_with))


# Damaged and hostile files


def test_a_file_that_is_cut_off():
    data = to_onnx(LSTM(2, 1, seed=0))
    for end in range(len(data)):
        with pytest.raises(ValueError, match="the model is no"):
            from_onnx(data[:end])


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_bytes_that_were_changed(data):
    good = to_onnx(LSTM(2, 1, 2, seed=0), layout=1, lengths=True, state=True)
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    try:
        from_onnx(bytes(bad))
    except (TypeError, ValueError) as error:
        assert str(error)


@pytest.mark.parametrize("data", [b"", b"\x80\x04\x95pickle", b"\xff" * 64, b"three years of work"])
def test_what_is_no_model(data, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    for source, label in ((data, "the model"), (path, "model.onnx")):
        with pytest.raises(ValueError, match=f"{label} is no (valid )?ONNX model"):
            from_onnx(source)


def test_what_is_no_source(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file .*none.onnx"):
        from_onnx(tmp_path / "none.onnx")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        from_onnx(tmp_path)
    with pytest.raises(TypeError, match="expected a path or the bytes of a model, got LSTM"):
        from_onnx(LSTM(3, 4))


def test_a_shape_that_its_data_contradict(onnx):
    def change(model):
        model.graph.initializer[0].dims[0] = 10**12

    with pytest.raises(ValueError, match="the array 'W_0' in the file is damaged|name: W_0"):
        from_onnx(changed(onnx, change))


def test_a_dtype_that_there_is_not(onnx):
    def change(model):
        model.graph.initializer[0].data_type = 99

    with pytest.raises(ValueError, match="the array 'W_0' in the file is damaged|name: W_0"):
        from_onnx(changed(onnx, change))


def outside(location, **more):
    def change(model):
        import onnx

        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, **more}.items():
            tensor.external_data.add(key=key, value=value)

    return change


@pytest.mark.parametrize(
    ("location", "more", "error", "message"),
    [
        ("../secret", {}, ValueError, "outside the model's folder; it is not read"),
        ("/etc/hostname", {}, ValueError, "outside the model's folder; it is not read"),
        ("link", {}, ValueError, "outside the model's folder; it is not read"),
        ("", {}, ValueError, "outside the model's folder; it is not read"),
        ("missing", {}, FileNotFoundError, "kept in another file, 'missing', and there is no"),
        ("short", {"length": "192"}, ValueError, "which does not hold it"),
        ("short", {"offset": "-3"}, ValueError, "which does not hold it"),
        ("short", {}, ValueError, "'W_0' in the file is damaged|no valid ONNX model"),
    ],
)
def test_data_in_another_file(onnx, tmp_path, location, more, error, message):
    (tmp_path / "secret").write_bytes(bytes(192))
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "short").write_bytes(bytes(100))
    (folder / "link").symlink_to(tmp_path / "secret")
    path = folder / "model.onnx"
    path.write_bytes(changed(onnx, outside(location, **more)))
    with pytest.raises(error, match=message):
        from_onnx(path)


def test_data_in_another_file_of_a_model_that_has_none(onnx):
    with pytest.raises(ValueError, match="'W_0' is kept in another file, 'beside': pass the model"):
        from_onnx(changed(onnx, outside("beside")))


# One node


SIZES = (5, 3, 2, 4)  # T, B, D, H


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("X", np.ones((5, 3), "f"), ValueError, r"X must have shape \(time, batch, 2\), got"),
        ("X", np.ones((5, 3, 3), "f"), ValueError, r"X must have shape \(time, batch, 2\)"),
        ("X", np.ones((0, 3, 2), "f"), ValueError, r"X must have shape"),
        ("X", np.ones((5, 3, 2)), TypeError, "X is float64, but W float32"),
        ("sequence_lens", np.array([5, 0, 1], "int32"), ValueError, r"from 1 to 5, got \[5, 0, 1"),
        ("sequence_lens", np.array([5, 6, 1], "int32"), ValueError, "from 1 to 5"),
        ("sequence_lens", np.array([5, 1], "int32"), ValueError, r"lens must have shape \(3,\)"),
        ("initial_h", np.ones((1, 3, 5), "f"), ValueError, r"initial_h must have shape \(1, 3, 4"),
        ("initial_h", np.ones((1, 3, 4)), TypeError, "initial_h is float64, but W float32"),
        ("P", np.ones((1, 16), "f"), ValueError, r"P must have shape \(1, 12\), got \(1, 16\)"),
        ("W", np.ones((1, 16, 2), "int32"), TypeError, "W is int32, not supported; supported: fl"),
    ],
)
def test_an_input_that_does_not_fit(onnx, name, value, error, message):
    from .test_onnx import one_node

    data, arrays = one_node(onnx, "LSTM", {}, {"sequence_lens", "initial_h", "P"}, {"Y"}, SIZES)
    with pytest.raises(error, match=message):
        run_onnx(data, list((arrays | {name: value}).values()))


def test_too_few_inputs_and_too_many_nodes(onnx):
    from .test_onnx import one_node

    data, arrays = one_node(onnx, "RNN", {}, (), {"Y"}, SIZES)
    with pytest.raises(ValueError, match=r"inputs must be 3 arrays, \['X', 'W', 'R'\]; got 1"):
        run_onnx(data, [arrays["X"]])
    with pytest.raises(ValueError, match="runs one node, LSTM, GRU, RNN; the graph holds the RNN"):
        run_onnx(to_onnx(RNN(3, 4)), [])


# What cannot be written


@pytest.mark.parametrize(
    ("layer", "options", "error", "message"),
    [
        (LSTM(3, 4, forget_gate=False), {}, ValueError, "ONNX has no LSTM without a forget gate"),
        (LSTM(3, 4, proj_size=2), {}, ValueError, "ONNX has no LSTM with a projection"),
        (LSTM(3, 4, layer_norm=True), {}, ValueError, "ONNX has no LSTM with layer normalisation"),
        (Linear(3, 4), {}, TypeError, "export takes LSTM, GRU, RNN, .* not Linear"),
        (LSTM(3, 4), {"layout": 2}, ValueError, "layout must be 0 or 1, not 2"),
        (Sequential(a=LSTM(3, 4)), {"state": True}, ValueError, "a Sequential takes no state"),
        (Sequential(a=Reverse()), {}, ValueError, "got Reverse"),
        (
            Sequential(a=Reverse(), b=LSTM(3, 4)), {}, ValueError,
            "a Reverse stands before a recurrent layer of one direction, and another after it; "
            "got Reverse, LSTM",
        ),
        (Sequential(a=Reverse(), b=BiLSTM(3, 4), c=Reverse()), {}, ValueError, "of one direction"),
    ],
)  # fmt: skip
def test_what_onnx_does_not_have(layer, options, error, message):
    with pytest.raises(error, match=message):
        to_onnx(layer, **options)


def test_parameters_that_are_no_numbers(tmp_path):
    layer = GRU(3, 4)
    layer.params["bias_l0"][0] = np.nan
    with pytest.raises(ValueError, match="bias_l0 of GRU.* holds NaN or infinity"):
        to_onnx(layer, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", [lambda: to_onnx(LSTM(3, 4)), lambda: from_onnx(b"")])
def test_without_the_package(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r"need the package onnx.*install -e .*onnx"):
        call()
