from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save as serialise

from lstm_lab import (
    CRF,
    GRU,
    LSTM,
    RNN,
    Attention,
    BiLSTM,
    Dropout,
    Embedding,
    FeatureEmbedding,
    LastStep,
    Layer,
    Linear,
    Reverse,
    Sequential,
    TimeDelay,
    WordDropout,
    layers,
)
from lstm_lab.interchange import from_keras, from_torch, load, save, to_keras, to_torch


def model():
    return Sequential(
        words=Embedding(7, 3, seed=0),
        encoder=BiLSTM(3, 4, 2, dropout=0.1, seed=1),
        drop=Dropout(0.5),
        last=LastStep(),
        head=Linear(8, 2, seed=2),
    )


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_there_and_back(kind, bidirectional, backend):
    layer = kind(3, 4, 2, bidirectional=bidirectional, seed=0, backend=backend)
    back = from_torch(to_torch(layer), backend=backend)
    assert type(back) is kind and back.bidirectional == bidirectional and back.num_layers == 2
    for name, array in layer.params.items():
        a, b = backend.to_numpy(array), backend.to_numpy(back.params[name])
        np.testing.assert_array_equal(a, b)


def test_names_and_the_two_biases():
    lstm = BiLSTM(3, 4, seed=0)
    out = to_torch(lstm)
    assert list(out) == [
        name + suffix
        for suffix in ("_l0", "_l0_reverse")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    assert not out["bias_hh_l0"].any()
    y, trace = lstm.forward(np.ones((3, 2, 3), dtype="float32"))
    grads = to_torch(lstm, values=lstm.backward(y, trace).params)
    np.testing.assert_array_equal(grads["bias_ih_l0"], grads["bias_hh_l0"])
    assert grads["bias_hh_l0"].any()
    out["bias_ih_l0"][:] = 7
    assert not (lstm.params["bias_l0"] == 7).any(), "to_torch must give copies"


def test_without_biases_and_from_tensors():
    class Tensor:
        """What of a torch tensor is used."""

        def __init__(self, values):
            self.values = values

        def detach(self):
            return self

        def cpu(self):
            return self.values

    arrays = {k: v for k, v in to_torch(LSTM(3, 4, seed=0)).items() if "bias" not in k}
    layer = from_torch({name: Tensor(value) for name, value in arrays.items()})
    assert not layer.params["bias_l0"].any()


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
@pytest.mark.parametrize("missing", ["bias_ih", "bias_hh"])
@pytest.mark.parametrize("suffix", ["_l0", "_l0_reverse", "_l1", "_l1_reverse"])
def test_half_of_the_biases_is_refused(kind, missing, suffix):
    state_dict = to_torch(kind(3, 4, 2, bidirectional=True, seed=0))
    del state_dict[missing + suffix]
    with pytest.raises(ValueError, match=f"lacks '{missing}{suffix}', but has other biases"):
        from_torch(state_dict)
    # Nor may a single layer or direction be without.
    state_dict.pop(("bias_hh" if missing == "bias_ih" else "bias_ih") + suffix)
    with pytest.raises(ValueError, match=f"lacks 'bias_ih{suffix}', but has other biases"):
        from_torch(state_dict)


def test_half_precision_is_read_as_float32():
    halves = {name: array.astype("float16") for name, array in to_torch(LSTM(3, 4, seed=0)).items()}
    layer = from_torch(halves)
    assert layer.dtype == np.float32
    for name, array in to_torch(layer).items():
        if "bias" not in name:
            np.testing.assert_array_equal(array, halves[name].astype("float32"))
    kernels = [array.astype("float16") for array in to_keras(GRU(3, 4, seed=0))]
    again = from_keras(kernels)
    assert again.dtype == np.float32
    np.testing.assert_array_equal(to_keras(again)[0], kernels[0].astype("float32"))


@pytest.mark.torch
@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_torchs_half_precision_is_read_as_float32(name):
    import torch

    module = torch.nn.GRU(3, 4, 2).to(getattr(torch, name))
    found, expected = from_torch(module.state_dict()), from_torch(module.float().state_dict())
    for key, array in expected.params.items():
        np.testing.assert_array_equal(found.params[key], array)


def test_one_precision_throughout():
    with pytest.raises(
        ValueError, match=r"'weight_hh_l1'\] is float64, but weight_ih_l0 is float32"
    ):
        from_torch(altered(weight_hh_l1=np.zeros((16, 4))))


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "encoder.lstm."])
def test_a_prefix_is_named_and_how_to_strip_it(prefix):
    lstm = LSTM(3, 4, seed=0)
    state_dict = {prefix + name: array for name, array in to_torch(lstm).items()}
    state_dict["head.weight"] = np.zeros((2, 4), "f")
    with pytest.raises(ValueError, match=f"they have a prefix, '{prefix}'") as caught:
        from_torch(state_dict)
    _, _, advice = str(caught.value).partition("; pass ")
    again = from_torch(eval(advice, {"state_dict": state_dict}))
    np.testing.assert_array_equal(again.params["weight_x_l0"], lstm.params["weight_x_l0"])


def test_a_sequential_in_torchs_names():
    names = to_torch(model())
    assert {"words.weight", "encoder.weight_ih_l1_reverse", "head.weight"} <= names.keys()


def altered(**changes):
    arrays = to_torch(LSTM(3, 4, 2, seed=0))
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    return arrays


@pytest.mark.parametrize(
    ("state_dict", "message"),
    [
        ({}, "needs weight_ih_l0 and weight_hh_l0.*it has nothing"),
        (altered(weight_hh_l0=np.zeros((10, 4), "f")), "rows must be 4, 3 or 1 times its 4"),
        (altered(weight_hh_l0=np.zeros(4, "f")), "must be matrices"),
        (altered(weight_ih_l0=np.zeros((12, 3), "f")), r"weight_ih_l0'\]: expected \(16, 3\)"),
        (altered(weight_ih_l1=None), r"weight_ih_l1'\]: expected \(16, 4\), got nothing"),
        (altered(bias_ih_l1=np.zeros(3, "f")), r"bias_ih_l1'\]: expected \(16,\), got \(3,\)"),
        (altered(weight_hr_l0=np.zeros((2, 4), "f")), r"weight_hh_l0'\]: expected \(16, 2\)"),
        (altered(weight_hr_l0=np.zeros((2, 5), "f")), r"weight_hr_l0 must be a matrix.*got \(2, 5"),
        (altered(weight_hr_l0=np.zeros((0, 4), "f")), r"weight_hr_l0.*got \(0, 4"),
        (altered(weight_hr_l1=np.zeros((2, 4), "f")), r"weight_hr_l1'\]: expected no such entry"),
    ],
)
def test_a_state_dict_that_does_not_fit(state_dict, message):
    with pytest.raises(ValueError, match=message):
        from_torch(state_dict)


def test_values_without_a_parameter():
    with pytest.raises(ValueError, match="values lack 'weight_h_l0'"):
        lstm = LSTM(3, 4)
        to_torch(lstm, values={"weight_x_l0": lstm.params["weight_x_l0"]})


def test_save_and_load(tmp_path, backend):
    ours = model().to(backend)
    path = save(ours, tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside the file"
    again = load(path, backend=backend)
    assert repr(again) == repr(ours)
    for name, array in ours.params.items():
        a, b = backend.to_numpy(array), backend.to_numpy(again.params[name])
        np.testing.assert_array_equal(a, b)
    save(again, path)  # a weight file of ours may be replaced


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN, BiLSTM])
def test_save_and_load_of_one_layer(kind, tmp_path):
    layer = kind(3, 4, dtype="float64", seed=0)
    again = load(save(layer, tmp_path / "layer"))
    assert type(again) is kind and again.dtype == np.float64 and again.config == layer.config
    x = np.ones((3, 2, 3))
    np.testing.assert_array_equal(again.forward(x)[0], layer.forward(x)[0])


NESTED = Sequential(
    **{"class": Sequential(**{"class": LSTM(3, 4, seed=0), "layers": Dropout(0.1)})},
    two=Sequential(three=Sequential(last=LastStep(), head=Linear(4, 2, seed=1))),
)
ALL = [
    NESTED,
    LSTM(3, 4, peepholes=True, coupled=True, init="chrono", forget_bias=-2.5),
    LSTM(3, 4, forget_gate=False, truncated=True),
    LSTM(3, 4, proj_size=2, layer_norm=True, recurrent_dropout=0.1),
    GRU(3, 4, reset_after=False),
    Attention(3, 3),
    Attention(3, 2, "additive", 4, scale=0.5),
    Embedding(3, 4),
    FeatureEmbedding([3, 5], [4, 2]),
    Dropout(0.5),
    TimeDelay(3, 4, 2),
    WordDropout(0.5),
    CRF(3, np.eye(4, dtype=bool)),
    LastStep(),
    Reverse(),
    Sequential(drop=Dropout(0.5)),
]


@pytest.mark.parametrize("layer", ALL, ids=lambda layer: repr(layer)[:40])
def test_what_is_saved_is_loaded(layer, tmp_path):
    again = load(save(layer, tmp_path / "layer"))
    assert repr(again) == repr(layer)
    assert list(again.params) == list(layer.params)
    for name, array in layer.params.items():
        np.testing.assert_array_equal(again.params[name], array)


def test_every_class_of_layer_is_among_those():
    tried = {type(layer) for layer in ALL} | {BiLSTM, RNN, Linear}
    exported = {getattr(layers, name) for name in layers.__all__}
    kinds = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, Layer)}
    assert tried == kinds - {Layer, layers.Recurrent}


class Mine(Linear):
    pass


Disguised = type("LSTM", (LSTM,), {})


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Mine(3, 4), "layer is a Mine, a class that a weight file cannot name; it may name LSTM"),
        (Disguised(3, 4), "layer is a LSTM, a class that"),
        (type("Mine", (Sequential,), {})(a=Linear(3, 4)), "layer is a Mine"),
        (Sequential(a=Sequential(b=Mine(3, 4))), "layer.a.b is a Mine"),
    ],
)
def test_a_class_of_its_own_is_not_saved(layer, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        save(layer, tmp_path / "layer")
    assert not list(tmp_path.iterdir())


def test_an_option_that_was_changed_is_not_saved(tmp_path):
    gru = GRU(3, 4)
    gru.reset_after = False
    with pytest.raises(ValueError, match="'gru.bias_l0': .*Was an option changed after it was"):
        save(Sequential(gru=gru), tmp_path / "layer")
    gru = GRU(3, 4)
    gru.dropout = 1.5
    with pytest.raises(ValueError, match="dropout.*Was an option changed after it was made"):
        save(gru, tmp_path / "layer")
    assert not list(tmp_path.iterdir())


def test_another_file_is_not_replaced(tmp_path):
    path = tmp_path / "thesis.txt"
    path.write_text("three years of work")
    with pytest.raises(FileExistsError, match="not a weight file of lstm_lab; nothing was written"):
        save(Linear(2, 2), path)
    assert path.read_text() == "three years of work"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load(tmp_path / "none")


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 60, 200, -1])
def test_a_truncated_file(tmp_path, keep):
    path = save(LSTM(3, 4), tmp_path / "weights")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="weights is no readable weight file; it may be cut off"):
        load(path)


def hostile(header, arrays=None):
    if arrays is None:
        arrays = {"weight": np.zeros((2, 3), "f"), "bias": np.zeros(2, "f")}
    return serialise(arrays, metadata={"lstm_lab": json.dumps(header)})


def nested(depth):
    config = {"a": {"class": "Linear", **LINEAR}}
    for _ in range(depth):
        config = {"a": {"class": "Sequential", "layers": config}}
    return {"class": "Sequential", "config": config, "dtype": "float32"}


LINEAR = {"input_size": 3, "output_size": 2}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80\x04\x95pickle", "no readable weight file"),
        (b"\xff" * 64, "no readable weight file"),
        (serialise({"a": np.zeros(2)}), "was not written by"),
        (serialise({"a": np.zeros(2)}, metadata={"lstm_lab": "{"}), "no readable weight file"),
        (hostile([]), "incomplete header"),
        (hostile({"class": "Linear"}), "incomplete header"),
        (hostile({"class": "os.system", "config": {}, "dtype": "float32"}), "unknown layer"),
        (hostile({"class": "Linear", "config": {}, "dtype": "float32"}), "does not describe"),
        (
            hostile({"class": "Linear", "config": {**LINEAR, "x": 1}, "dtype": "float32"}),
            "does not describe",
        ),
        (
            hostile({"class": "Linear", "config": {**LINEAR, "input_size": 10**12},
                     "dtype": "float32"}),
            r"'weight': expected \(2, 1000000000000\), found \(2, 3\)",
        ),
        (
            hostile({"class": "LSTM", "config": {"input_size": 3, "hidden_size": 2,
                     "num_layers": 10**12}, "dtype": "float32"}),
            "num_layers is 1000000000000, but it holds 2 arrays",
        ),
        (hostile({"class": "Linear", "config": LINEAR, "dtype": "float64"}), "is float32, not"),
        (hostile({"class": "Linear", "config": 3, "dtype": "float32"}), "does not describe"),
        (hostile({"class": "Sequential", "config": {"a": 1}, "dtype": "float32"}), "not describe"),
        (
            hostile({"class": "Sequential", "config": {"a": {"class": "Sequential"}},
                     "dtype": "float32"}),
            "does not describe.*layers",
        ),
        (hostile(nested(400)), "does not describe"),
        (
            hostile({"class": "Sequential", "config": {}, "dtype": "float32"}, {}),
            "does not describe",
        ),
    ],
)  # fmt: skip
def test_a_hostile_file(tmp_path, data, message):
    path = tmp_path / "weights"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        load(path)
