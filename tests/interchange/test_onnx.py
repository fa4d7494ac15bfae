"""ONNX in and out: against onnxruntime, the onnx package's own node tests, and PyTorch's files."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, RNN, Dropout, Linear, Reverse, Sequential
from lstm_lab.cli import INSTALL_TEST
from lstm_lab.interchange import from_onnx, from_torch, run_onnx, to_onnx

from .. import tolerance
from .golden.make_onnx import CASES, FILE

NODE_TESTS = (
    "test_gru_batchwise", "test_gru_bidirectional", "test_gru_defaults", "test_gru_reverse",
    "test_gru_seq_length", "test_gru_with_initial_bias", "test_lstm_batchwise",
    "test_lstm_bidirectional", "test_lstm_defaults", "test_lstm_reverse",
    "test_lstm_with_initial_bias", "test_lstm_with_peepholes", "test_rnn_seq_length",
    "test_simple_rnn_batchwise", "test_simple_rnn_bidirectional", "test_simple_rnn_defaults",
    "test_simple_rnn_reverse", "test_simple_rnn_with_initial_bias",
)  # fmt: skip

KINDS = [
    (LSTM, {}),
    (LSTM, {"peepholes": True}),
    (LSTM, {"coupled": True}),
    (LSTM, {"coupled": True, "peepholes": True}),
    (GRU, {}),
    (GRU, {"reset_after": False}),
    (RNN, {}),
]


@pytest.fixture(scope="module", autouse=True)
def onnx(require):
    return require("onnx", INSTALL_TEST)


@pytest.fixture(scope="module")
def runtime(require):
    return require("onnxruntime", INSTALL_TEST)


# The specification's own tests


@pytest.fixture(scope="module")
def node_tests(onnx):
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it makes those of all operators, infinities included
        cases = load_model_tests(kind="node")
    ours = {"LSTM", "GRU", "RNN"}
    return {c.name: c for c in cases if ours & {node.op_type for node in c.model.graph.node}}


def test_these_are_all_node_tests_of_the_installed_onnx(node_tests):
    assert sorted(node_tests) == sorted(NODE_TESTS)
    assert len(NODE_TESTS) == 18


@pytest.mark.parametrize("name", NODE_TESTS)
def test_node(node_tests, name, backend):
    case = node_tests[name]
    assert case.data_sets
    for inputs, expected in case.data_sets:
        found = run_onnx(case.model.SerializeToString(), list(inputs), backend=backend)
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=case.rtol, atol=case.atol)


# Against onnxruntime


@st.composite
def networks(draw):
    """A layer, sizes of a batch, and how to export it."""
    kind, options = draw(st.sampled_from(KINDS))
    layer = kind(
        draw(st.integers(1, 4)),
        draw(st.integers(1, 5)),
        draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        seed=draw(st.integers(0, 2**32 - 1)),
        **options,
    )
    steps, batch = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    export = {name: draw(st.booleans()) for name in ("lengths", "state")}
    return layer, steps, batch, {"layout": draw(st.integers(0, 1)), **export}


def call(layer, steps, batch, export):
    """What a random batch is to the layer and to its model: our outputs, and the model's feed."""
    rng = np.random.default_rng(steps)
    x = rng.normal(size=(steps, batch, layer.input_size)).astype("f")
    feed = {"x": x.swapaxes(0, 1) if export["layout"] else x}
    lengths = state = None
    if export["lengths"]:
        lengths = rng.integers(1, steps + 1, batch)
        feed["lengths"] = lengths.astype("int32")
    if export["state"]:
        shape = (layer.num_layers * layer.directions, batch, layer.hidden_size)
        states = [rng.normal(size=shape).astype("f") for _ in layer.cell.states]
        feed |= {f"{letter}0": array for letter, array in zip("hc", states, strict=False)}
        state = tuple(states) if len(states) > 1 else states[0]
    y, trace = layer.forward(x, state, lengths)
    finals = trace.state if isinstance(trace.state, tuple) else (trace.state,)
    return [y.swapaxes(0, 1) if export["layout"] else y, *finals], feed


@settings(max_examples=120, deadline=None)
@given(networks())
def test_onnxruntime_agrees(onnx, runtime, network):
    layer, steps, batch, export = network
    data = to_onnx(layer, **export)
    onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
    expected, feed = call(layer, steps, batch, export)
    session = runtime.InferenceSession(data)
    names = [output.name for output in session.get_outputs()]
    assert names == ["y", "h", "c"][: len(expected)]
    roundings = tolerance.of_layer(layer, steps, batch)
    for ours, theirs in zip(expected, session.run(None, feed), strict=True):
        tolerance.assert_close(ours, theirs, roundings, at_least=1)


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("lengths", [None, [2, 5, 1]])
def test_onnxruntime_agrees_about_the_reverse_direction(runtime, kind, options, lengths):
    model = Sequential(
        drop=Dropout(0.5),
        first=kind(3, 4, seed=0, **options),
        back=Reverse(),
        second=kind(4, 5, 2, seed=1, **options),
        forth=Reverse(),
    )
    x = np.random.default_rng(0).normal(size=(5, 3, 3)).astype("f")
    data = to_onnx(model, lengths=lengths is not None)
    feed = {"x": x} | ({"lengths": np.array(lengths, "int32")} if lengths else {})
    (theirs,) = runtime.InferenceSession(data).run(None, feed)
    roundings = sum(tolerance.of_layer(model.layers[name], 5, 3) for name in ("first", "second"))
    tolerance.assert_close(model.forward(x, lengths=lengths)[0], theirs, roundings)
    again = from_onnx(data)
    np.testing.assert_array_equal(
        again.forward(x, lengths=lengths)[0], model.forward(x, lengths=lengths)[0]
    )


ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def one_node(onnx, op, attributes, optional, outputs, sizes, seed=0, **changes):
    """A model of one node, and random inputs for it, by the operator's own names."""
    steps, batch, width, hidden = sizes
    rng = np.random.default_rng(seed)
    s, g = 2 if attributes.get("direction") == "bidirectional" else 1, GATES[op]
    sequence, state = (steps, batch, width), (s, batch, hidden)
    if attributes.get("layout"):
        sequence, state = (batch, steps, width), (batch, s, hidden)
    shapes = {
        "X": sequence, "W": (s, g * hidden, width), "R": (s, g * hidden, hidden),
        "B": (s, 2 * g * hidden), "sequence_lens": (batch,), "initial_h": state,
    }  # fmt: skip
    if op == "LSTM":
        shapes |= {"initial_c": state, "P": (s, 3 * hidden)}
    arrays = {
        slot: rng.normal(size=shape).astype("f")
        for slot, shape in shapes.items()
        if slot in ("X", "W", "R", *optional)
    }
    if "sequence_lens" in arrays:
        arrays["sequence_lens"] = rng.integers(1, steps + 1, batch).astype("int32")
    arrays |= changes
    slots = [slot if slot in arrays else "" for slot in shapes]
    while not slots[-1]:
        slots.pop()
    every = ["Y", "Y_h", "Y_c"] if op == "LSTM" else ["Y", "Y_h"]
    helper = onnx.helper
    node = helper.make_node(
        op, slots, [o if o in outputs else "" for o in every], name="it", hidden_size=hidden,
        **attributes,
    )  # fmt: skip
    kinds = {slot: helper.np_dtype_to_tensor_dtype(array.dtype) for slot, array in arrays.items()}
    graph = helper.make_graph(
        [node], "graph",
        [helper.make_tensor_value_info(slot, kinds[slot], a.shape) for slot, a in arrays.items()],
        [
            helper.make_tensor_value_info(o, kinds["X"], [None] * (4 if o == "Y" else 3))
            for o in every
            if o in outputs
        ],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)
    return model.SerializeToString(), arrays


@st.composite
def nodes(draw):
    op = draw(st.sampled_from(["LSTM", "GRU", "RNN"]))
    direction = draw(st.sampled_from(["forward", "reverse", "bidirectional"]))
    attributes = {"direction": direction}
    if draw(st.booleans()):
        twice = 2 if direction == "bidirectional" else 1
        attributes["activations"] = ACTIVATIONS[op] * twice
    optional, outputs = ["B", "sequence_lens", "initial_h"], ["Y", "Y_h"]
    if op == "GRU":
        attributes["linear_before_reset"] = draw(st.integers(0, 1))
    if op == "LSTM":
        attributes["input_forget"] = draw(st.integers(0, 1))
        optional, outputs = [*optional, "initial_c", "P"], [*outputs, "Y_c"]
    optional = draw(st.sets(st.sampled_from(optional)))
    outputs = draw(st.sets(st.sampled_from(outputs), min_size=1))
    return op, attributes, optional, outputs, draw(st.tuples(*[st.integers(1, 4)] * 4))


@settings(max_examples=150, deadline=None)
@given(nodes(), st.integers(0, 2**32 - 1))
def test_a_node_runs_as_in_onnxruntime(onnx, runtime, node, seed):
    data, arrays = one_node(onnx, *node, seed=seed)
    expected = runtime.InferenceSession(data).run(None, arrays)
    for k, array in enumerate(arrays.values()):
        if array.size:
            hidden = [*arrays.values()]
            hidden[k] = np.ma.masked_array(array, mask=True)
            with pytest.raises(ValueError, match=rf"inputs\[{k}\] holds {array.size} masked"):
                run_onnx(data, hidden)
    found = run_onnx(data, list(arrays.values()))
    roundings = tolerance.of_steps(*node[-1])
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        tolerance.assert_close(ours, theirs, roundings, at_least=1)


@settings(max_examples=60, deadline=None)
@given(nodes(), st.integers(0, 2**32 - 1))
def test_layout_1_is_layout_0_with_the_batch_first(onnx, node, seed):
    op, attributes, *rest = node
    data, arrays = one_node(onnx, op, attributes, *rest, seed=seed)
    expected = run_onnx(data, list(arrays.values()))
    moved = {
        slot: arrays[slot].swapaxes(0, 1)
        for slot in ("X", "initial_h", "initial_c")
        if slot in arrays
    }
    same = {slot: array for slot, array in arrays.items() if slot not in moved}
    data, arrays = one_node(onnx, op, {**attributes, "layout": 1}, *rest, **moved, **same)
    found = run_onnx(data, list(arrays.values()))
    for ours, theirs in zip(found, expected, strict=True):
        theirs = theirs.transpose(2, 0, 1, 3) if theirs.ndim == 4 else theirs.swapaxes(0, 1)
        np.testing.assert_array_equal(ours, theirs)


# There and back


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from(["float32", "float64"]))
def test_there_and_back(onnx, network, dtype):
    layer, _, _, export = network
    layer = type(layer)(**layer.config, dtype=dtype, seed=1)
    again = from_onnx(to_onnx(layer, **export))
    assert type(again) is type(layer) and again.dtype == layer.dtype
    assert repr(again) == repr(layer)
    assert list(again.params) == list(layer.params)
    for name, array in layer.params.items():
        np.testing.assert_array_equal(again.params[name], array)


def test_on_every_backend(backend):
    layer = LSTM(3, 4, 2, bidirectional=True, peepholes=True, backend=backend, seed=0)
    again = from_onnx(to_onnx(layer), backend=backend)
    for name, array in layer.params.items():
        a, b = backend.to_numpy(array), backend.to_numpy(again.params[name])
        np.testing.assert_array_equal(a, b)
    ends = [Reverse(backend=backend) for _ in range(2)]
    turned = Sequential(back=ends[0], gru=GRU(3, 4, backend=backend), forth=ends[1])
    again = from_onnx(to_onnx(turned), backend=backend)
    assert again.backend is backend and list(again.layers) == [
        "reverse_0", "recurrent_0", "restore_0",
    ]  # fmt: skip


def test_layers_of_two_sizes_are_a_sequential():
    model = Sequential(a=LSTM(3, 4, 2, seed=0), b=LSTM(4, 5, seed=1), c=GRU(5, 5, seed=2))
    again = from_onnx(to_onnx(model))
    assert list(map(repr, again.layers.values())) == list(map(repr, model.layers.values()))
    for a, b in zip(model.params.values(), again.params.values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_file_with_its_arrays_in_another_beside_it(onnx, tmp_path):
    layer = LSTM(3, 40, seed=0)
    model = onnx.load_model_from_string(to_onnx(layer))
    onnx.save_model(
        model, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0
    )
    again = from_onnx(tmp_path / "m.onnx")
    np.testing.assert_array_equal(again.params["weight_x_l0"], layer.params["weight_x_l0"])


def test_writing_a_file(tmp_path):
    path = tmp_path / "model.onnx"
    data = to_onnx(RNN(3, 4, seed=0), path)
    assert path.read_bytes() == data and list(tmp_path.iterdir()) == [path]
    data = to_onnx(RNN(3, 5, seed=0), path)  # a model of ours may be replaced
    assert from_onnx(str(path)).hidden_size == 5
    path.write_text("three years of work")
    with pytest.raises(FileExistsError, match="not a model of lstm_lab; nothing was written"):
        to_onnx(RNN(3, 4), path)
    assert path.read_text() == "three years of work"


# PyTorch's own files


@pytest.mark.torch
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("given", [(), ("state",), ("lengths",)])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("both", [False, True])
def test_what_torch_exports(name, layers, both, batch_first, given):
    import torch

    torch.manual_seed(0)
    module = getattr(torch.nn, name)(
        3, 4, layers, bidirectional=both, batch_first=batch_first
    ).eval()
    x = torch.randn(2, 5, 3)
    h = torch.zeros(layers * (1 + both), 2 if batch_first else 5, 4)
    arguments, network = (x,), module
    if given == ("state",):
        arguments = (x, (h, h.clone()) if name == "LSTM" else h)
    elif given == ("lengths",):

        class Packed(torch.nn.Module):
            def forward(self, x, lengths):
                rnn = torch.nn.utils.rnn
                packed = rnn.pack_padded_sequence(x, lengths, batch_first=batch_first)
                y, _ = module(packed)
                return rnn.pad_packed_sequence(y, batch_first=batch_first)[0]

        network = Packed()
        network.module = module
        arguments = (x, torch.tensor([5, 3] if batch_first else [2, 2, 1, 1, 1]))
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch has a newer exporter, which needs onnxscript
        torch.onnx.export(network, arguments, file, dynamo=False, verbose=False)
    layer, direct = from_onnx(file.getvalue()), from_torch(module.state_dict())
    assert type(layer) is type(direct) and list(layer.params) == list(direct.params)
    for key, array in direct.params.items():
        np.testing.assert_array_equal(layer.params[key], array)


@pytest.fixture(scope="module")
def golden():
    with np.load(FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("name", CASES)
def test_the_files_of_torchs_newer_exporter(name, golden, backend):
    layer = from_onnx(golden[f"{name}/model"].tobytes(), backend=backend)
    x = golden[f"{name}/x"]
    y, _ = layer.forward(backend.asarray(x))
    roundings = tolerance.of_layer(layer, *x.shape[:2])
    tolerance.assert_close(backend.to_numpy(y), golden[f"{name}/y"], roundings)


def test_linear_is_not_exported():
    with pytest.raises(TypeError, match="LSTM, GRU, RNN, alone or in a Sequential, not Linear"):
        to_onnx(Sequential(encoder=LSTM(3, 4), head=Linear(4, 2)))


HEADS = {
    "all": lambda y, h: (y, h),
    "y": lambda y, h: y,
    "y[-1]": lambda y, h: y[-1],
    "y[:, -1]": lambda y, h: y[:, -1],
    "y[-1:]": lambda y, h: y[-1:].squeeze(0),
    "h[-1]": lambda y, h: h[-1],
    "h": lambda y, h: h,
}


@pytest.mark.torch
@pytest.mark.parametrize("opset", [9, 11, 17])
@pytest.mark.parametrize(
    ("name", "layers", "both", "batch_first"),
    [
        ("LSTM", 1, False, True), ("LSTM", 2, False, False), ("GRU", 2, True, True),
        ("RNN", 1, True, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dynamic", [False, True])
def test_many_to_one_as_torch_exports_it(opset, name, layers, both, batch_first, dynamic):
    """What is read computes what torch does; what is not is refused by its node or its output."""
    import torch

    torch.manual_seed(0)
    module = getattr(torch.nn, name)(3, 4, layers, bidirectional=both, batch_first=batch_first)
    x = torch.randn(5, 6, 3)

    class Network(torch.nn.Module):
        def forward(self, x):
            y, state = module(x)
            return self.head(y, state[0] if isinstance(state, tuple) else state)

    read = []
    for head, function in HEADS.items():
        if dynamic and head == "y[-1:]":  # torch asks the size of an axis, and branches
            continue
        network = Network().eval()
        network.module, network.head = module, function
        file, axes = io.BytesIO(), {"x": {0: "a", 1: "b"}} if dynamic else None
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network, (x,), file, dynamo=False, verbose=False, opset_version=opset,
                input_names=["x"], dynamic_axes=axes,
            )  # fmt: skip
            expected = network(x)
        try:
            layer = from_onnx(file.getvalue())
        except ValueError as error:
            assert "the Gather node" in str(error) or "the graph's output" in str(error) or (
                opset < 11 and "the Slice node" in str(error)
            ), error  # fmt: skip
            continue
        read.append(head)
        y, trace = layer.forward(np.ascontiguousarray(x.numpy().swapaxes(0, batch_first)))
        if head in ("y", "all"):
            y = y.swapaxes(0, batch_first)
        if head == "h":
            y = trace.state[0] if isinstance(trace.state, tuple) else trace.state
        theirs = (expected[0] if head == "all" else expected).numpy()
        np.testing.assert_allclose(y, theirs, atol=1e-5)
    last = ["y[:, -1]"] if batch_first else ["y[-1]", *([] if dynamic else ["y[-1:]"])]
    assert read == ["all", "y", *last, *([] if both else ["h[-1]"]), "h"]


def ending(onnx, layer, nodes, outputs=("end",), stored=(), **export):
    """An exported model whose outputs are what ``nodes`` make of its own."""
    model = onnx.load_model_from_string(to_onnx(layer, **export))
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.array(value, "int64"), name) for name, value in stored
    )
    del model.graph.output[:]
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, None])
        for name in outputs
    )
    return model.SerializeToString()


def test_the_last_step_of_a_ragged_batch(onnx, runtime):
    """The final state is each sequence's own last step; the last step of the batch is padding."""
    node, lstm = onnx.helper.make_node, LSTM(3, 4, seed=0)
    gather = node("Gather", ["h", "k"], ["end"], axis=0, name="pick")
    data = ending(onnx, lstm, [gather], stored=[("k", -1)], lengths=True)
    layer = from_onnx(data)
    assert list(layer.layers) == ["recurrent_0", "last"]
    x, lengths = np.random.default_rng(0).normal(size=(5, 3, 3)).astype("f"), [2, 5, 1]
    (theirs,) = runtime.InferenceSession(data).run(
        None, {"x": x, "lengths": np.array(lengths, "int32")}
    )
    np.testing.assert_allclose(layer.forward(x, lengths=lengths)[0], theirs, atol=1e-5)
    gather = node("Gather", ["y", "k"], ["end"], axis=0, name="pick")
    data = ending(onnx, lstm, [gather], stored=[("k", -1)], lengths=True)
    with pytest.raises(ValueError, match="output 'end' is the last step of the padded batch"):
        from_onnx(data)


@pytest.mark.parametrize(
    ("layer", "op", "inputs", "attributes", "message"),
    [
        (LSTM(3, 4), "Gather", ["y", "zero"], {}, r"node 'pick' .*; this picks \[0\] of axis 0"),
        (LSTM(3, 4), "Gather", ["y", "minus"], {"axis": 1}, "output 'end' is the last .*x"),
        (LSTM(3, 4), "Gather", ["y", "minus"], {"axis": 2}, "output 'end' is the last .*units"),
        (LSTM(3, 4), "Gather", ["y", "kept"], {}, "output 'end' is the last entry of .*units"),
        (LSTM(3, 4), "Gather", ["c", "minus"], {}, "node 'pick' .* only the hidden state of the"),
        (GRU(3, 4, 2), "Gather", ["h", "zero"], {}, "node 'pick' .* only the hidden state of the"),
        (
            GRU(3, 4, bidirectional=True), "Gather", ["h", "minus"], {},
            "node 'pick' .* of one that reads forward alone",
        ),
        (LSTM(3, 4), "Slice", ["y", "kept", "ends", "two"], {}, "last step|first axis"),
        (LSTM(3, 4), "Slice", ["y", "zeros", "two"], {}, "node 'pick' .* known size can be cut"),
        (LSTM(3, 4), "Slice", ["y", "both", "both", "both"], {}, "only one axis can be cut"),
        (LSTM(3, 4), "Gather", ["x", "minus"], {}, "node 'pick' .*behind the recurrent nodes"),
    ],
)  # fmt: skip
def test_another_end_is_refused(onnx, layer, op, inputs, attributes, message):
    stored = [
        ("zero", 0), ("minus", -1), ("kept", [-1]), ("zeros", [0]), ("two", [2]),
        ("ends", [2**63 - 1]), ("both", [0, 1]),
    ]  # fmt: skip
    node = onnx.helper.make_node(op, inputs, ["end"], name="pick", **attributes)
    with pytest.raises(ValueError, match=message):
        from_onnx(ending(onnx, layer, [node], stored=stored))


def test_the_last_step_beside_all_others_is_the_layers(onnx):
    node = onnx.helper.make_node("Gather", ["y", "k"], ["end"], axis=0)
    layer = from_onnx(ending(onnx, GRU(3, 4), [node], ("y", "end"), [("k", -1)]))
    assert type(layer) is GRU
