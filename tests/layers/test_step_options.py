"""Projection, layer normalisation inside the cell, recurrent dropout: alone and together."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, RNN, BiLSTM
from lstm_lab.gradcheck import gradcheck
from lstm_lab.interchange import from_torch, load, save, to_keras, to_torch

from .. import tolerance

OPTIONS = [
    {"proj_size": 2},
    {"layer_norm": True},
    {"recurrent_dropout": 0.4},
    {"proj_size": 3, "layer_norm": True},
    {"proj_size": 2, "recurrent_dropout": 0.5, "peepholes": True},
    {"layer_norm": True, "recurrent_dropout": 0.3, "coupled": True},
    {"proj_size": 1, "layer_norm": True, "recurrent_dropout": 0.2, "peepholes": True},
    {"proj_size": 2, "layer_norm": True, "forget_gate": False},
]
DROPOUT = [
    (LSTM, {}),
    (GRU, {}),
    (GRU, {"reset_after": False}),
    (RNN, {}),
]
LENGTHS = [4, 6, 1]
T, B, D, H = 6, 3, 3, 5


def name_of(options):
    return "-".join(f"{name}={value}" for name, value in options.items()) or "plain"


def kind_of(kind):
    return f"{kind[0].__name__}-{name_of(kind[1])}"


def arrays_of(layer, rng, steps=T, batch=B):
    """Input, output's gradient, initial state and the final state's gradient."""
    rows = layer.num_layers * layer.directions
    shapes = [(rows, batch, size) for size in layer.state_sizes]
    x, dy = (
        rng.normal(size=(steps, batch, layer.input_size)),
        rng.normal(size=(steps, batch, layer.output_size)),
    )
    state, dstate = ([rng.normal(size=shape) for shape in shapes] for _ in range(2))
    return x, dy, state, dstate


def packed(arrays):
    return tuple(arrays) if len(arrays) > 1 else arrays[0]


# An independent writing, in torch, differentiated by torch


def torch_norm(z, gain):
    """LN of a vector, Ba et al. 2016, eqs. 15 and 16, without the shift."""
    return (z - z.mean()) / ((z - z.mean()) ** 2).mean().add(1e-5).sqrt() * gain


def torch_step(layer, p, x, h, c, mask):
    """One step of one sequence; ``p`` are one direction's parameters."""
    import torch

    seen = h if mask is None else h * mask
    if isinstance(layer, RNN):
        return torch.tanh(p["weight_x"] @ x + p["weight_h"] @ seen + p["bias"]), None
    size = layer.hidden_size
    if isinstance(layer, GRU):
        a, u = p["weight_x"] @ x + p["bias"][: 3 * size], p["weight_h"]
        n, r, z = a.chunk(3)
        products = (u[: 2 * size] @ seen).chunk(2)
        r, z = (torch.sigmoid(g + q) for g, q in zip((r, z), products, strict=True))
        if layer.reset_after:
            n = torch.tanh(n + r * (u[2 * size :] @ seen + p["bias"][3 * size :]))
        else:
            n = torch.tanh(n + u[2 * size :] @ (r * seen))
        return (1 - z) * n + z * h, None
    wx, uh = p["weight_x"] @ x, p["weight_h"] @ seen
    if layer.layer_norm:
        wx, uh = torch_norm(wx, p["gain_x"]), torch_norm(uh, p["gain_h"])
    o, i, *f, g = (wx + uh + p["bias"]).split(size)
    peepholes = p["peephole"].split(size) if layer.peepholes else [0.0] * 3
    i = torch.sigmoid(i + peepholes[1] * c)
    keep = 1 - i if layer.coupled else 1.0
    keep = torch.sigmoid(f[0] + peepholes[2] * c) if f else keep
    c = keep * c + i * torch.tanh(g)
    o = torch.sigmoid(o + peepholes[0] * c)
    shown = torch_norm(c, p["gain_c"]) + p["bias_c"] if layer.layer_norm else c
    h = o * torch.tanh(shown)
    return (p["projection"] @ h if layer.proj_size else h), c


def by_torch(layer, x, dy, state, dstate, lengths, masks):
    """Outputs and gradients; ``masks`` (layers, S, B, P) or None."""
    import torch

    params = {name: torch.tensor(a, requires_grad=True) for name, a in layer.params.items()}
    inputs = torch.tensor(x, requires_grad=True)
    first = [torch.tensor(a, requires_grad=True) for a in state]
    loss, outputs = 0.0, []
    for b, length in enumerate(lengths):
        sequence = list(inputs[:length, b])
        for number in range(layer.num_layers):
            halves = []
            for s in range(layer.directions):
                suffix = f"_l{number}" + "_reverse" * s
                own = {n[: -len(suffix)]: a for n, a in params.items() if n.endswith(suffix)}
                row = number * layer.directions + s
                h, c = first[0][row, b], first[1][row, b] if len(first) > 1 else None
                mask = None if masks is None else torch.tensor(masks[number][s, b])
                outs = []
                for entry in sequence[::-1] if s else sequence:
                    h, c = torch_step(layer, own, entry, h, c, mask)
                    outs.append(h)
                halves.append(outs[::-1] if s else outs)
                for value, weight in zip((h, c), dstate, strict=False):
                    loss = loss + (value * torch.tensor(weight[row, b])).sum()
            sequence = [torch.cat(parts) for parts in zip(*halves, strict=True)]
        loss = loss + sum((y * torch.tensor(dy[t, b])).sum() for t, y in enumerate(sequence))
        outputs.append(torch.stack(sequence).detach().numpy())
    loss.backward()
    gradients = {name: a.grad.numpy() for name, a in params.items()}
    return outputs, inputs.grad.numpy(), [a.grad.numpy() for a in first], gradients


@pytest.mark.torch
@pytest.mark.parametrize(
    "kind", [*((LSTM, o) for o in OPTIONS), *((k, {**o, "recurrent_dropout": 0.4}) for k, o in
    DROPOUT)], ids=kind_of
)  # fmt: skip
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
def test_against_an_independent_writing(kind, layers, both, ragged):
    rng = np.random.default_rng(0)
    layer = kind[0](D, H, layers, bidirectional=both, dtype="float64", seed=0, **kind[1])
    for name, array in layer.params.items():
        if name.startswith(("gain", "bias_c")):  # whose first values are all alike
            array += rng.normal(size=array.shape) / 3
    x, dy, state, dstate = arrays_of(layer, rng)
    lengths = LENGTHS if ragged else [T] * B
    training = {"rng": np.random.default_rng(5)} if layer.recurrent_dropout else {}
    y, trace = layer.forward(x, packed(state), LENGTHS if ragged else None, **training)
    grad = layer.backward(dy, trace, packed(dstate))
    masks = None
    if training:
        order = np.argsort(trace.packing.order)
        masks = [r.recurrent_mask.transpose(0, 2, 1)[:, order] for r in trace.records]
    outputs, dx, first, gradients = by_torch(layer, x, dy, state, dstate, lengths, masks)
    close = {"rtol": 0, "atol": 1e-10}
    for b, length in enumerate(lengths):
        np.testing.assert_allclose(y[:length, b], outputs[b], **close)
        assert not y[length:, b].any() and not grad.x[length:, b].any()
    np.testing.assert_allclose(grad.x, dx, **close)
    assert grad.params.keys() == layer.params.keys()
    for name, value in gradients.items():
        np.testing.assert_allclose(grad.params[name], value, **close, err_msg=name)
    ours = grad.state if isinstance(grad.state, tuple) else (grad.state,)
    for a, b in zip(ours, first, strict=True):
        np.testing.assert_allclose(a, b, **close)


@pytest.mark.torch
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
def test_a_projection_is_torchs(layers, both, ragged, backend):
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    rng, proj = np.random.default_rng(0), 2
    torch.manual_seed(0)
    module = torch.nn.LSTM(D, H, layers, bidirectional=both, proj_size=proj, dtype=torch.float64)
    layer = from_torch(module.state_dict(), backend=backend)
    assert (layer.proj_size, layer.hidden_size, layer.num_layers) == (proj, H, layers)
    x, dy, state, dstate = arrays_of(layer, rng)
    inputs, h, c = (torch.tensor(a, requires_grad=True) for a in (x, *state))
    if ragged:
        sequences = pack_padded_sequence(inputs, torch.tensor(LENGTHS), enforce_sorted=False)
        y, final = module(sequences, (h, c))
        y, _ = pad_packed_sequence(y, total_length=T)
    else:
        y, final = module(inputs, (h, c))
    loss = (y * torch.tensor(dy)).sum()
    for value, weight in zip(final, dstate, strict=True):
        loss = loss + (value * torch.tensor(weight)).sum()
    loss.backward()
    on = [[backend.asarray(a) for a in arrays] for arrays in ([x, dy], state, dstate)]
    ours, trace = layer.forward(on[0][0], tuple(on[1]), LENGTHS if ragged else None)
    grad = layer.backward(on[0][1], trace, tuple(on[2]))
    pairs = [(ours, y), (grad.x, inputs.grad), (trace.hidden, y)]
    pairs += zip([*trace.state, *grad.state], [*final, h.grad, c.grad], strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(backend.to_numpy(a), b.detach().numpy(), rtol=0, atol=1e-10)
    gradients = to_torch(layer, values=grad.params)
    theirs = dict(module.named_parameters())
    assert gradients.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_allclose(gradients[name], value.grad.numpy(), rtol=0, atol=1e-10)
    for name, value in from_torch(to_torch(layer)).params.items():
        np.testing.assert_array_equal(value, backend.to_numpy(layer.params[name]))


# What must hold of every option


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([*((LSTM, o) for o in OPTIONS), *DROPOUT]),
    st.booleans(),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([0.0, 0.4]),
    st.integers(0, 2**32 - 1),
)
def test_gradients_agree_with_finite_differences(kind, both, steps, batch, ragged, rate, seed):
    rng = np.random.default_rng(seed)
    options = {"recurrent_dropout": rate, **kind[1]}
    layer = kind[0](2, 4, 2, bidirectional=both, dtype="float64", seed=seed, **options)
    x, _, state, _ = arrays_of(layer, rng, steps, batch)
    lengths = rng.integers(1, steps + 1, batch) if ragged else None
    report = gradcheck(
        layer, 2 * x, state=packed(state), lengths=lengths, dropout_seed=seed, max_entries=3,
        directions=1,
        # A normalised vector bends sharply where its features are nearly equal.
        **({"step": 1e-4, "tolerance": 1e-5} if options.get("layer_norm") else {}),
    )  # fmt: skip
    assert report, str(report)


@pytest.mark.parametrize("kind", [*((LSTM, o) for o in OPTIONS), *DROPOUT], ids=kind_of)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_agree_and_padding_changes_nothing(backend, kind, dtype):
    rng = np.random.default_rng(1)
    options = {"bidirectional": True, "dtype": dtype, "seed": 3, "recurrent_dropout": 0.4}
    options |= kind[1]
    reference, ours = kind[0](D, H, 2, **options), kind[0](D, H, 2, backend=backend, **options)
    x, dy = (a.astype(dtype) for a in arrays_of(reference, rng)[:2])
    y, trace = reference.forward(x, lengths=LENGTHS, rng=np.random.default_rng(2))
    grad = reference.backward(dy, trace)
    padding = np.arange(T)[:, None] >= np.array(LENGTHS)
    x[padding], dy[padding] = np.nan, np.nan
    y2, trace2 = ours.forward(backend.asarray(x), lengths=LENGTHS, rng=np.random.default_rng(2))
    grad2 = ours.backward(backend.asarray(dy), trace2)
    roundings, size = tolerance.of_layer(reference, T, B), {}
    if kind[1].get("layer_norm"):
        # U h is divided by its deviation, a few hundredths where h is still small, but h has the
        # errors of numbers of size 1; and a gradient of U is what a difference of two such leaves.
        size = {"amplified": 10, "at_least": 1}

    def compare(a, b):
        if dtype == "float32":
            tolerance.assert_close(a, b, roundings, **size)
        else:
            # Normalised vectors of nearly equal features have large gradients.
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * max(1, abs(b).max()))

    compare(backend.to_numpy(y2), y)
    compare(backend.to_numpy(grad2.x), grad.x)
    for name, value in grad.params.items():
        compare(backend.to_numpy(grad2.params[name]), value)
    shown = trace2.to("numpy")
    for name in (*ours.cell.gates, *ours.cell.states):
        compare(getattr(shown, name), getattr(trace, name))


@pytest.mark.parametrize("kind", [*((LSTM, o) for o in OPTIONS), *DROPOUT[2:3]], ids=kind_of)
def test_a_sequence_does_not_see_its_neighbours_and_chunks_are_one_run(kind):
    rng = np.random.default_rng(0)
    layer = kind[0](D, H, 2, dtype="float64", seed=0, **kind[1])
    x, dy, state, dstate = arrays_of(layer, rng)
    y, trace = layer.forward(x, packed(state), LENGTHS)
    grad = layer.backward(dy, trace, packed(dstate))
    for b, length in enumerate(LENGTHS):
        own = packed([np.ascontiguousarray(a[:, b : b + 1]) for a in state])
        alone, its = layer.forward(x[:length, b : b + 1], own)
        np.testing.assert_allclose(y[:length, b], alone[:, 0], atol=1e-13)
        back = layer.backward(
            np.ascontiguousarray(dy[:length, b : b + 1]), its,
            packed([np.ascontiguousarray(a[:, b : b + 1]) for a in dstate]),
        )  # fmt: skip
        np.testing.assert_allclose(grad.x[:length, b], back.x[:, 0], atol=1e-12)
    whole, _ = layer.forward(x, packed(state))
    first, light = layer.forward(x[:2], packed(state), trace=False)
    rest, _ = layer.forward(x[2:], light.state, trace=False)
    np.testing.assert_allclose(np.concatenate([first, rest]), whole, atol=1e-14)


@pytest.mark.parametrize("options", [*OPTIONS, {}], ids=name_of)
def test_files_shapes_and_copies(options, tmp_path):
    for kind in (LSTM, BiLSTM):
        layer = kind(D, H, 2, seed=0, **options)
        shapes = {name: array.shape for name, array in layer.params.items()}
        assert kind.param_shapes(layer.config) == shapes
        again = load(save(layer, tmp_path / f"{kind.__name__}.safetensors"))
        moved = layer.to("strict").to("numpy")
        x = np.ones((T, B, D), dtype="float32")
        for other in (again, moved):
            assert other.config == layer.config
            np.testing.assert_array_equal(other.forward(x)[0], layer.forward(x)[0])


@pytest.mark.parametrize("kind", [*((LSTM, o) for o in OPTIONS), *DROPOUT[2:3]], ids=kind_of)
def test_without_a_trace_memory_does_not_grow_with_time(kind):
    layer = kind[0](4, 128, seed=0, **kind[1])
    poolless = layer.to("strict")

    def peak(steps):
        x = poolless.backend.asarray(np.zeros((steps, 2, 4), dtype="float32"))
        tracemalloc.start()
        y, _ = poolless.forward(x, trace=False, rng=np.random.default_rng(0))
        used = tracemalloc.get_traced_memory()[1] - y.nbytes
        tracemalloc.stop()
        return used

    x = np.random.default_rng(0).normal(size=(300, 3, 4)).astype("float32")
    np.testing.assert_array_equal(layer.forward(x, trace=False)[0], layer.forward(x)[0])
    assert peak(1_500) < 1.2 * peak(750)


def test_parameters_are_counted():
    """An LSTMP layer has 4H(D + P + 1) + HP weights, and 3H more with peepholes."""
    assert LSTM(40, 128, proj_size=32).size == 4 * 128 * (40 + 32 + 1) + 128 * 32
    assert LSTM(40, 128, proj_size=32, peepholes=True).size == 41_472 + 3 * 128
    assert LSTM(3, 5, layer_norm=True).size == LSTM(3, 5).size + 2 * 4 * 5 + 2 * 5
    assert LSTM(3, 5, layer_norm=True, coupled=True).size == 3 * 5 * (3 + 5 + 1) + 8 * 5
    assert LSTM(3, 5, recurrent_dropout=0.5).size == LSTM(3, 5).size
    stack = LSTM(3, 5, 2, bidirectional=True, proj_size=2)
    assert stack.params["weight_x_l1"].shape == (20, 4) and stack.output_size == 4


# Each on its own


def test_a_projection_onto_the_units_themselves_cuts_the_rest_off():
    """V = (I 0): the LSTM whose other units are fed by nothing and seen by nobody."""
    rng = np.random.default_rng(0)
    small = LSTM(D, H, proj_size=2, dtype="float64", seed=0)
    small.params["projection_l0"][:] = np.eye(2, H)
    full = LSTM(D, H, dtype="float64")
    for name in ("weight_x_l0", "bias_l0"):
        full.params[name][:] = small.params[name]
    full.params["weight_h_l0"][:] = 0
    full.params["weight_h_l0"][:, :2] = small.params["weight_h_l0"]
    x = rng.normal(size=(T, B, D))
    np.testing.assert_allclose(small.forward(x)[0], full.forward(x)[0][..., :2], atol=1e-14)


def test_layer_normalisation_does_not_see_the_scale_of_w_and_u():
    x = np.random.default_rng(0).normal(size=(T, B, D))
    lstm = LSTM(D, 8, dtype="float64", seed=0, layer_norm=True)
    y, trace = lstm.forward(x)
    lstm.params["weight_x_l0"] *= 50
    lstm.params["weight_h_l0"] *= 50
    np.testing.assert_allclose(lstm.forward(x)[0], y, atol=1e-3)
    normal = trace.records[0].segments[0].saved["normal_c"][:, 0]
    np.testing.assert_allclose(normal.mean(axis=1), 0, atol=1e-14)
    assert (normal.std(axis=1) < 1).all() and normal.std(axis=1).min() > 0.9


@pytest.mark.parametrize("kind", DROPOUT, ids=kind_of)
def test_recurrent_dropout_is_one_mask_for_a_sequence(kind):
    layer = kind[0](D, 50, 2, bidirectional=True, recurrent_dropout=0.3, seed=0, **kind[1])
    plain = kind[0](D, 50, 2, bidirectional=True, seed=0, **kind[1])
    x = np.random.default_rng(0).normal(size=(T, B, D)).astype("float32")
    np.testing.assert_array_equal(layer.forward(x)[0], plain.forward(x)[0])
    first, trace = layer.forward(x, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(layer.forward(x, rng=np.random.default_rng(1))[0], first)
    assert (layer.forward(x, rng=np.random.default_rng(2))[0] != first).any()
    masks = np.stack([record.recurrent_mask for record in trace.records])
    assert masks.shape == (2, 2, 50, B), "a layer, a direction, a unit, a sequence"
    np.testing.assert_array_equal(np.unique(masks), np.float32([0, 1 / 0.7]))
    assert abs((masks == 0).mean() - 0.3) < 0.08
    for axis in (0, 1, 3):
        assert (np.diff(masks, axis=axis) != 0).any()
    # A first step from zero has nothing to drop.
    one = kind[0](D, 50, recurrent_dropout=0.3, seed=0, **kind[1])
    dropped, kept = one.forward(x, rng=np.random.default_rng(1))[0], one.forward(x)[0]
    np.testing.assert_array_equal(dropped[0], kept[0])
    assert (dropped[1] != kept[1]).any()


def test_truncated_gradients_stop_at_the_gates_of_every_chain():
    """With a projection, normalised, or dropped: no gradient reaches h before."""
    rng = np.random.default_rng(0)
    for options in ({"proj_size": 2}, {"layer_norm": True}, {"recurrent_dropout": 0.4}):
        lstm = LSTM(D, H, dtype="float64", seed=0, truncated=True, **options)
        x, dy, state, dstate = arrays_of(lstm, rng)
        _, trace = lstm.forward(x, packed(state), rng=np.random.default_rng(0))
        dh, dc = lstm.backward(dy, trace, packed(dstate)).state
        assert not dh.any() and dc.any()


@pytest.mark.parametrize("size", [-1, 5, 6, 2.0, True, "2"])
def test_a_projection_of_no_use(size):
    with pytest.raises(ValueError, match=r"proj_size must be a whole number below hidden_size = 5"):
        LSTM(D, H, proj_size=size)


def test_errors():
    for options in ({"proj_size": 2}, {"layer_norm": True}):
        with pytest.raises(ValueError, match="Keras has no LSTM with"):
            to_keras(LSTM(D, H, **options))
        x = np.ones((T, B, D), dtype="float32")
        y, trace = LSTM(D, H, **options).forward(x)
        with pytest.raises(ValueError, match="trace belongs to another layer"):
            LSTM(D, H).backward(np.zeros((T, B, H), dtype="float32"), trace)
    with pytest.raises(ValueError, match="torch has no LSTM with layer normalisation"):
        to_torch(LSTM(D, H, layer_norm=True))
    with pytest.raises(ValueError, match=r"recurrent_dropout must lie in \[0, 1\), not 1"):
        GRU(D, H, recurrent_dropout=1)
    lstm, h = LSTM(D, H, proj_size=2), np.zeros((1, B, H), dtype="float32")
    x = np.ones((T, B, D), dtype="float32")
    with pytest.raises(ValueError, match=r"state\[0\] must have shape \(1, 3, 2\)"):
        lstm.forward(x, (h, h))
    with pytest.raises(ValueError, match=r"state\[1\] must have shape \(1, 3, 5\)"):
        lstm.forward(x, (h[..., :2], h[..., :2]))
