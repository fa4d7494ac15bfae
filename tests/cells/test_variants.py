"""Relatives of the LSTM and the GRU: their equations, gradients, files and errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, Linear
from lstm_lab.gradcheck import gradcheck
from lstm_lab.interchange import load, save, to_keras, to_torch

KINDS = [
    {"peepholes": peepholes, **kept}
    for peepholes in (False, True)
    for kept in ({}, {"forget_gate": False}, {"coupled": True})
    if peepholes or kept
]


def name_of(kind):
    return "-".join(name for name, value in kind.items() if value or name == "forget_gate")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_hand(lstm, x, h, c):
    """The textbook's equations, one sequence after another, one gate after another."""
    hidden = lstm.hidden_size
    names = ["o", "i", "f", "g"] if lstm.forget_gate and not lstm.coupled else ["o", "i", "g"]

    def part(name, gate, rows=hidden):
        k = names.index(gate)
        return lstm.params[name + "_l0"][k * rows : (k + 1) * rows]

    def a(gate, x_t, h, seen=None):
        total = part("weight_x", gate) @ x_t + part("weight_h", gate) @ h + part("bias", gate)
        return total + part("peephole", gate) * seen if lstm.peepholes and gate != "g" else total

    out = {name: [] for name in ("o", "i", "g", "c", "h")}
    for x_t in x:
        i, g = sigmoid(a("i", x_t, h, c)), np.tanh(a("g", x_t, h))
        if "f" in names:
            kept = sigmoid(a("f", x_t, h, c))
        else:
            kept = 1 - i if lstm.coupled else 1
        c = kept * c + i * g
        o = sigmoid(a("o", x_t, h, c))
        h = o * np.tanh(c)
        for name, value in zip(out, (o, i, g, c, h), strict=True):
            out[name].append(value)
    return {name: np.array(values) for name, values in out.items()}


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_trace_obeys_the_equations(kind):
    rng = np.random.default_rng(0)
    lstm = LSTM(3, 4, dtype="float64", seed=0, **kind)
    x, h, c = rng.normal(size=(6, 2, 3)), rng.normal(size=(1, 2, 4)), rng.normal(size=(1, 2, 4))
    y, trace = lstm.forward(x, (h, c))
    for b in range(2):
        expected = by_hand(lstm, x[:, b], h[0, b], c[0, b])
        for name, letter in {
            "output_gate": "o", "input_gate": "i", "candidate": "g", "cell": "c", "hidden": "h",
        }.items():  # fmt: skip
            np.testing.assert_allclose(
                getattr(trace, name)[:, b], expected[letter], atol=1e-14, err_msg=name
            )
        np.testing.assert_allclose(y[:, b], expected["h"], atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.booleans(),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_gradients_agree_with_finite_differences(kind, both, steps, batch, ragged, seed):
    rng = np.random.default_rng(seed)
    lstm = LSTM(2, 3, 2, bidirectional=both, dtype="float64", seed=seed, **kind)
    shape = (lstm.num_layers * lstm.directions, batch, 3)
    state = tuple(rng.normal(size=shape) for _ in "hc")
    lengths = rng.integers(1, steps + 1, batch) if ragged else None
    x = rng.normal(size=(steps, batch, 2))
    report = gradcheck(lstm, x, state=state, lengths=lengths, max_entries=3, directions=1)
    assert report, str(report)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_backends_agree_and_padding_changes_nothing(backend, kind):
    rng = np.random.default_rng(1)
    options = {"bidirectional": True, "dtype": "float64", "seed": 3, **kind}
    reference, ours = LSTM(3, 4, 2, **options), LSTM(3, 4, 2, backend=backend, **options)
    lengths, x, dy = [2, 5, 1], rng.normal(size=(5, 3, 3)), rng.normal(size=(5, 3, 8))
    y, trace = reference.forward(x, lengths=lengths)
    grad = reference.backward(dy, trace)
    padding = np.arange(5)[:, None] >= np.array(lengths)
    x[padding], dy[padding] = np.nan, np.nan
    y2, trace2 = ours.forward(backend.asarray(x), lengths=lengths)
    grad2 = ours.backward(backend.asarray(dy), trace2)
    np.testing.assert_allclose(backend.to_numpy(y2), y, atol=1e-13)
    np.testing.assert_allclose(backend.to_numpy(grad2.x), grad.x, atol=1e-13)
    for name, value in grad.params.items():
        np.testing.assert_allclose(backend.to_numpy(grad2.params[name]), value, atol=1e-13)


def test_a_forget_gate_of_one_is_the_cell_of_1997():
    rng = np.random.default_rng(0)
    old = LSTM(3, 4, forget_gate=False, dtype="float64", seed=0)
    new = LSTM(3, 4, dtype="float64", seed=1)
    for name in old.params:
        rows = old.params[name].reshape(3, 4, -1)
        into = new.params[name].reshape(4, 4, -1)
        into[[0, 1, 3]], into[2] = rows, 0
    new.params["bias_l0"][8:12] = 1000.0
    x = rng.normal(size=(30, 2, 3))
    np.testing.assert_allclose(old.forward(x)[0], new.forward(x)[0], atol=1e-14)


def test_peepholes_of_zero_are_the_plain_lstm():
    x = np.random.default_rng(0).normal(size=(9, 2, 3))
    plain, seeing = (LSTM(3, 4, dtype="float64", seed=0, peepholes=p) for p in (False, True))
    seeing.params["peephole_l0"][:] = 0
    for name in plain.params:
        seeing.params[name][:] = plain.params[name]
    np.testing.assert_allclose(plain.forward(x)[0], seeing.forward(x)[0], atol=1e-15)


def test_parameters_are_counted_as_published():
    """Graves et al. 2006, the CTC network: 114,662 weights, doi:10.1145/1143844.1143891."""
    network = LSTM(26, 100, bidirectional=True, peepholes=True)
    assert network.size + Linear(200, 62).size == 114_662
    assert LSTM(3, 5, coupled=True).size == 3 * 5 * (3 + 5 + 1)


@pytest.mark.torch
@pytest.mark.parametrize("forget_gate", [True, False])
def test_truncated_gradients_are_those_of_a_detached_hidden_state(forget_gate):
    import torch

    rng = np.random.default_rng(0)
    lstm = LSTM(3, 4, dtype="float64", seed=0, truncated=True, forget_gate=forget_gate)
    x, dy = rng.normal(size=(7, 2, 3)), rng.normal(size=(7, 2, 4))
    y, trace = lstm.forward(x)
    grad = lstm.backward(dy, trace)
    inputs = torch.tensor(x, requires_grad=True)
    W, U, b = (
        torch.tensor(lstm.params[name], requires_grad=True)
        for name in ("weight_x_l0", "weight_h_l0", "bias_l0")
    )
    h, c, loss = torch.zeros(2, 4).double(), torch.zeros(2, 4).double(), 0.0
    for t in range(7):
        parts = (inputs[t] @ W.T + h.detach() @ U.T + b).chunk(4 if forget_gate else 3, dim=1)
        o, i = (torch.sigmoid(p) for p in parts[:2])
        kept = torch.sigmoid(parts[2]) if forget_gate else 1
        c = kept * c + i * torch.tanh(parts[-1])
        h = o * torch.tanh(c)
        loss = loss + (h * torch.tensor(dy[t])).sum()
    loss.backward()
    np.testing.assert_allclose(grad.x, inputs.grad.numpy(), atol=1e-13)
    for name, value in {"weight_x_l0": W, "weight_h_l0": U, "bias_l0": b}.items():
        np.testing.assert_allclose(grad.params[name], value.grad.numpy(), atol=1e-13)
    assert not gradcheck(lstm, x), "a truncated gradient is not the loss's gradient"


def test_the_reset_gate_before_the_product():
    """Cho et al. 2014, eqs. 5-8, one sequence after another."""
    rng = np.random.default_rng(0)
    gru = GRU(3, 4, dtype="float64", seed=0, reset_after=False)
    assert gru.size == 3 * 4 * (3 + 4 + 1)
    W, U = gru.params["weight_x_l0"].reshape(3, 4, 3), gru.params["weight_h_l0"].reshape(3, 4, 4)
    b = gru.params["bias_l0"].reshape(3, 4)
    x, h0 = rng.normal(size=(6, 2, 3)), rng.normal(size=(1, 2, 4))
    y, trace = gru.forward(x, h0)
    for k in range(2):
        h = h0[0, k]
        for t in range(6):
            r = sigmoid(W[1] @ x[t, k] + U[0] @ h + b[1])
            z = sigmoid(W[2] @ x[t, k] + U[1] @ h + b[2])
            n = np.tanh(W[0] @ x[t, k] + U[2] @ (r * h) + b[0])
            h = z * h + (1 - z) * n
            shown = (trace.reset_gate, trace.update_gate, trace.candidate, trace.hidden)
            for name, value in zip(shown, (r, z, n, h), strict=True):
                np.testing.assert_allclose(name[t, k], value, atol=1e-14)
    np.testing.assert_allclose(trace.state[0], y[-1])


@pytest.mark.torch
@pytest.mark.parametrize("lengths", [None, [4, 7]])
def test_a_gru_with_its_reset_gate_before_the_product_in_torch(backend, lengths):
    import torch

    rng = np.random.default_rng(0)
    gru = GRU(3, 4, dtype="float64", seed=0, reset_after=False, backend=backend)
    x, h0, dy, dh = (rng.normal(size=s) for s in ((7, 2, 3), (1, 2, 4), (7, 2, 4), (1, 2, 4)))
    y, trace = gru.forward(*map(backend.asarray, (x, h0)), lengths=lengths)
    grad = gru.backward(backend.asarray(dy), trace, backend.asarray(dh))
    names = ("weight_x_l0", "weight_h_l0", "bias_l0")
    inputs, state, W, U, b = (
        torch.tensor(array, requires_grad=True)
        for array in (x, h0, *(backend.to_numpy(gru.params[name]) for name in names))
    )
    loss = 0.0
    for k, length in enumerate(lengths or [7, 7]):
        h = state[0, k]
        for t in range(length):
            a_n, a_r, a_z = (W @ inputs[t, k] + b).chunk(3)
            u_r, u_z = (U[:8] @ h).chunk(2)
            r, z = torch.sigmoid(a_r + u_r), torch.sigmoid(a_z + u_z)
            h = z * h + (1 - z) * torch.tanh(a_n + U[8:] @ (r * h))
            loss = loss + (h * torch.tensor(dy[t, k])).sum()
        loss = loss + (h * torch.tensor(dh[0, k])).sum()
    loss.backward()
    theirs = {"x": inputs.grad, "state": state.grad} | dict(
        zip(names, (W.grad, U.grad, b.grad), strict=True)
    )
    ours = {"x": grad.x, "state": grad.state, **grad.params}
    for name, value in theirs.items():
        np.testing.assert_allclose(
            backend.to_numpy(ours[name]), value.numpy(), rtol=0, atol=1e-12, err_msg=name
        )


@pytest.mark.parametrize("kind", [*KINDS, {"truncated": True}], ids=name_of)
def test_save_and_load(kind, tmp_path):
    lstm = LSTM(3, 4, 2, bidirectional=True, seed=0, **kind)
    again = load(save(lstm, tmp_path / "lstm.safetensors"))
    assert again.config == lstm.config
    x = np.ones((3, 2, 3), dtype="float32")
    np.testing.assert_array_equal(again.forward(x)[0], lstm.forward(x)[0])


def test_save_and_load_of_a_gru(tmp_path):
    gru = GRU(3, 4, 2, bidirectional=True, seed=0, reset_after=False)
    again = load(save(gru, tmp_path / "gru.safetensors"))
    assert again.config == gru.config and not again.reset_after
    x = np.ones((3, 2, 3), dtype="float32")
    np.testing.assert_array_equal(again.forward(x)[0], gru.forward(x)[0])


def test_chrono_without_a_forget_gate_of_its_own():
    lstm = LSTM(3, 50, coupled=True, init="chrono", chrono_length=200, seed=0)
    bias = lstm.params["bias_l0"].reshape(3, 50)
    assert (bias[1] <= 0).all() and bias[1].min() < -4


def test_errors():
    with pytest.raises(ValueError, match=r"coupled=True.*needs forget_gate=True"):
        LSTM(3, 4, coupled=True, forget_gate=False)
    with pytest.raises(ValueError, match="init must be one of 'uniform', 'orthogonal', not"):
        LSTM(3, 4, forget_gate=False, init="chrono")
    lstm = LSTM(3, 4, coupled=True)
    _, trace = lstm.forward(np.ones((3, 2, 3), dtype="float32"))
    with pytest.raises(AttributeError, match="no 'forget_gate'"):
        trace.forget_gate  # noqa: B018
    with pytest.raises(ValueError, match="belongs to another layer"):
        LSTM(3, 4).backward(np.ones((3, 2, 4), dtype="float32"), trace)
    for kind in KINDS:
        with pytest.raises(ValueError, match="torch has no LSTM"):
            to_torch(LSTM(3, 4, **kind))
        with pytest.raises(ValueError, match="Keras has no LSTM"):
            to_keras(LSTM(3, 4, **kind))
    with pytest.raises(ValueError, match="torch has no GRU with its reset gate before"):
        to_torch(GRU(3, 4, reset_after=False))
    _, trace = GRU(3, 4).forward(np.ones((3, 2, 3), dtype="float32"))
    with pytest.raises(ValueError, match="belongs to another layer"):
        GRU(3, 4, reset_after=False).backward(np.ones((3, 2, 4), dtype="float32"), trace)
