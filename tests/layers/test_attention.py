"""Attention: its equations, its gradients, and that the memory's padding is never looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import Attention
from lstm_lab.gradcheck import gradcheck
from lstm_lab.interchange import load, save

from .. import tolerance

SCORES = ("dot", "general", "additive")
SIZES = {"dot": (4, 4, None), "general": (3, 4, None), "additive": (3, 4, 5)}
# In a row, at the sizes of the tests in float32: keys and scores (4 + 4 products), softmax and
# context (6 steps each), and back; at last the sum over 5 queries of 3 sequences.
ROUNDINGS = 2 * (4 + 4 + 6 + 6 + tolerance.CELL) + 5 * 3


def make(score, **options):
    query, memory, hidden = SIZES[score]
    return Attention(query, memory, score, hidden, **{"dtype": "float64", "seed": 0, **options})


def inputs(layer, queries, steps, batch, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(queries, batch, layer.query_size)).astype(layer.dtype),
        rng.normal(size=(steps, batch, layer.memory_size)).astype(layer.dtype),
        rng.normal(size=(queries, batch, layer.memory_size)).astype(layer.dtype),
    )


def run(layer, query, memory, dy, lengths=None):
    """Context, weights and every gradient, on the host."""
    device, host = layer.backend.asarray, layer.backend.to_numpy
    context, trace = layer.forward(device(query), device(memory), lengths)
    grad = layer.backward(device(dy), trace)
    out = {"context": context, "weights": trace.weights, "query": grad.x, "memory": grad.memory}
    return {name: host(array) for name, array in (out | grad.params).items()}


def plainly(layer, query, memory, lengths):
    """Context and weights by the equations, one pair of steps after another."""
    p = layer.params
    weights = np.zeros((len(query), query.shape[1], len(memory)))
    for t, b in np.ndindex(weights.shape[:2]):
        q, scores = query[t, b], []
        for m in memory[: lengths[b], b]:
            if layer.score == "dot":
                scores.append(np.dot(q, m))
            elif layer.score == "general":
                scores.append(q @ p["weight"] @ m)
            else:
                hidden = np.tanh(p["weight_query"] @ q + p["weight_memory"] @ m)
                scores.append(p["weight_score"] @ hidden)
        e = np.exp(layer.scale * np.array(scores))
        weights[t, b, : lengths[b]] = e / e.sum()
    return np.einsum("tbs,sbm->tbm", weights, memory), weights


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_the_equations(score, scale, backend):
    layer, lengths = make(score, scale=scale, backend=backend), [5, 1, 3]
    query, memory, dy = inputs(layer, 2, 5, 3)
    found = run(layer, query, memory, dy, lengths)
    context, weights = plainly(layer.to("numpy"), query, memory, lengths)
    np.testing.assert_allclose(found["weights"], weights, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found["context"], context, rtol=0, atol=1e-14)


@st.composite
def configurations(draw):
    score = draw(st.sampled_from(SCORES))
    memory_size = draw(st.integers(1, 4))
    steps, batch = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return {
        "layer": {
            "query_size": memory_size if score == "dot" else draw(st.integers(1, 4)),
            "memory_size": memory_size,
            "score": score,
            "hidden_size": draw(st.integers(1, 4)) if score == "additive" else None,
            "scale": draw(st.sampled_from([1.0, 0.5, 2.0])),
            "seed": draw(st.integers(0, 1000)),
        },
        "shape": (draw(st.integers(1, 3)), steps, batch),
        "lengths": draw(
            st.none() | st.lists(st.integers(1, steps), min_size=batch, max_size=batch)
        ),
    }


@settings(max_examples=60, deadline=None)
@given(configurations())
def test_gradients(c):
    layer = Attention(**c["layer"], dtype="float64")
    query, memory, _ = inputs(layer, *c["shape"], seed=c["layer"]["seed"])
    options = {"memory": memory, "lengths": c["lengths"]}
    report = gradcheck(layer, query, **options, max_entries=3, directions=1)
    assert report, f"{report} for {c}"
    assert {"x", "memory", *layer.params} == report.errors.keys()


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("queries", "steps", "batch", "lengths"),
    [(1, 1, 1, None), (1, 1, 1, [1]), (1, 4, 2, [1, 4]), (3, 1, 2, None), (2, 4, 1, [2])],
)
def test_gradients_at_the_edges(score, queries, steps, batch, lengths, backend):
    """One step, one sequence, a length of 1: every entry."""
    layer = make(score, scale=0.7, backend=backend)
    query, memory, _ = inputs(layer, queries, steps, batch)
    device = backend.asarray
    assert gradcheck(layer, device(query), memory=device(memory), lengths=lengths)


def test_gradcheck_sees_a_wrong_memory_gradient():
    class Planted(Attention):
        def backward(self, dy, trace):
            grad = super().backward(dy, trace)
            grad.memory[1, 0, 2] *= 1.001
            return grad

    layer = Planted(4, 4, dtype="float64")
    query, memory, _ = inputs(layer, 2, 3, 2)
    before = memory.copy()
    report = gradcheck(layer, query, memory=memory)
    assert not report and (report.worst.name, report.worst.index) == ("memory", (1, 0, 2))
    np.testing.assert_array_equal(memory, before)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lengths", [None, [4, 6, 1]])
@pytest.mark.parametrize("score", SCORES)
def test_against_torch(score, lengths, dtype, backend):
    import torch
    import torch.nn.functional as functional

    layer = make(score, scale=0.6, dtype=dtype, backend=backend)
    arrays = inputs(layer, 5, 6, 3)
    ours = run(layer, *arrays, lengths)
    query, memory, dy = (torch.tensor(array.transpose(1, 0, 2).copy()) for array in arrays)
    p = {name: torch.tensor(backend.to_numpy(array)) for name, array in layer.params.items()}
    for tensor in (query, memory, *p.values()):
        tensor.requires_grad_()
    mask = torch.arange(6) < torch.tensor(lengths or [6, 6, 6])[:, None, None]  # (B, 1, Tm)
    if score == "additive":
        projected = [
            functional.linear(query, p["weight_query"]).unsqueeze(2),
            functional.linear(memory, p["weight_memory"]).unsqueeze(1),
        ]
        scores = torch.tanh(sum(projected)) @ p["weight_score"] * 0.6
        weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
        context = weights @ memory
    else:
        keys = query @ p["weight"] if score == "general" else query
        context = functional.scaled_dot_product_attention(
            keys, memory, memory, attn_mask=mask, scale=0.6
        )
    context.backward(dy)
    theirs = {"context": context, "query": query.grad, "memory": memory.grad}
    theirs = {name: value.transpose(0, 1) for name, value in theirs.items()}
    theirs.update({name: tensor.grad for name, tensor in p.items()})
    for name, value in theirs.items():
        assert ours[name].dtype == dtype
        if dtype == "float32":
            tolerance.assert_close(ours[name], value.detach(), ROUNDINGS, name=name)
        else:
            np.testing.assert_allclose(
                ours[name], value.detach().numpy(), rtol=0, atol=1e-12, err_msg=name
            )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("rubbish", [0.0, 1e30, np.nan, -np.inf])
def test_padding_changes_nothing(backend, score, dtype, rubbish):
    layer = make(score, dtype=dtype, backend=backend)
    query, memory, dy = inputs(layer, 4, 7, 5)
    lengths = np.array([4, 7, 1, 7, 2])
    padding = np.arange(7)[:, None] >= lengths

    def filled(value):
        changed = memory.copy()
        changed[padding] = value
        return run(layer, query, changed, dy, lengths)

    plain, changed = filled(1.0), filled(rubbish)
    for name, value in plain.items():
        np.testing.assert_array_equal(changed[name], value, err_msg=name)
        assert value.dtype == dtype, name
    assert not plain["memory"][padding].any(), "the padding's gradient must be zero"
    assert not plain["weights"].transpose(2, 1, 0)[padding].any(), "nothing looks at the padding"


@pytest.mark.parametrize("score", SCORES)
def test_weights_are_a_distribution_whatever_the_scores(score, backend):
    layer = make(score, scale=50.0, dtype="float32", backend=backend)
    query, memory, dy = inputs(layer, 4, 6, 3)
    # Scores in the thousands: exp of them overflows, or is 0 for all of a row.
    query *= 100
    for name in layer.params:
        layer.params[name] *= 10
    weights = run(layer, query, memory, dy, [6, 1, 3])["weights"]
    assert (weights >= 0).all()
    tolerance.assert_close(weights.sum(axis=-1), np.ones((4, 3)), 6 + tolerance.CELL)
    np.testing.assert_array_equal(weights[:, 1], [[1, 0, 0, 0, 0, 0]] * 4)


def test_scores_far_below_those_of_the_padding_still_count():
    """The padding's own scores, which would be 0, must not enter the softmax's largest."""
    layer = Attention(1, 1)
    query, memory = np.full((1, 1, 1), 1000, "f"), np.full((3, 1, 1), -1000, "f")
    _, trace = layer.forward(query, memory, [2])
    np.testing.assert_array_equal(trace.weights, [[[0.5, 0.5, 0]]])


@pytest.mark.parametrize("score", SCORES)
def test_a_sequence_does_not_see_its_neighbours(score):
    """Each sequence alone, without padding, gives what it gives inside a ragged batch."""
    layer, lengths = make(score), [5, 2, 7, 1]
    query, memory, dy = inputs(layer, 3, 7, 4)
    whole, total = run(layer, query, memory, dy, lengths), {}
    for k, length in enumerate(lengths):
        own = slice(k, k + 1)
        alone = run(layer, query[:, own], memory[:length, own], dy[:, own])
        for name in ("context", "query"):
            np.testing.assert_allclose(whole[name][:, own], alone[name], atol=1e-13)
        np.testing.assert_allclose(whole["memory"][:length, own], alone["memory"], atol=1e-13)
        np.testing.assert_allclose(whole["weights"][:, own, :length], alone["weights"], atol=1e-14)
        total = {name: total.get(name, 0) + alone[name] for name in layer.params}
    for name, value in total.items():
        np.testing.assert_allclose(whole[name], value, atol=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_a_query_one_step_at_a_time(score):
    layer = make(score)
    query, memory, dy = inputs(layer, 4, 5, 2)
    whole = run(layer, query, memory, dy, [5, 3])
    steps = [run(layer, query[t : t + 1], memory, dy[t : t + 1], [5, 3]) for t in range(4)]
    for name in ("context", "query", "weights"):
        parts = np.concatenate([step[name] for step in steps])
        np.testing.assert_allclose(parts, whole[name], atol=1e-14)
    for name in ("memory", *layer.params):
        total = sum(step[name] for step in steps)
        np.testing.assert_allclose(total, whole[name], atol=1e-13)


def test_the_callers_arrays_are_left_alone():
    for score in SCORES:
        layer = make(score)
        arrays = inputs(layer, 3, 5, 2)
        everything = (*arrays, *layer.params.values())
        before = [array.copy() for array in everything]
        for lengths in (None, [2, 5]):
            query, memory, dy = arrays
            _, trace = layer.forward(query, memory, lengths)
            shown = trace.weights.copy()
            first, again = layer.backward(dy, trace), layer.backward(dy, trace)
            np.testing.assert_array_equal(first.memory, again.memory)
            np.testing.assert_array_equal(trace.weights, shown)
        for a, b in zip(before, everything, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("score", SCORES)
def test_without_a_trace(score):
    layer = make(score)
    query, memory, dy = inputs(layer, 3, 5, 2)
    context, trace = layer.forward(query, memory, [2, 5])
    same, light = layer.forward(query, memory, [2, 5], trace=False)
    np.testing.assert_array_equal(same, context)
    np.testing.assert_array_equal(light.weights, trace.weights)
    assert light.memory is None and light.kept is None
    with pytest.raises(ValueError, match="holds only the weights.*trace=False"):
        layer.backward(dy, light)


@pytest.mark.parametrize("score", SCORES)
def test_save_load_and_move(score, tmp_path, backend):
    layer = make(score, scale=0.25, backend=backend)
    again = load(save(layer, tmp_path / "attention.safetensors"), backend=backend)
    assert again.config == layer.config and again.dtype == layer.dtype
    shapes = {name: array.shape for name, array in layer.params.items()}
    assert Attention.param_shapes(layer.config) == shapes
    arrays = inputs(layer, 2, 4, 3)
    moved = layer.to("numpy")
    for name, value in run(layer, *arrays).items():
        np.testing.assert_array_equal(run(again, *arrays)[name], value)
        np.testing.assert_allclose(run(moved, *arrays)[name], value, atol=1e-14)


def test_a_hostile_file(tmp_path):
    import json

    from safetensors.numpy import save as serialise

    path = tmp_path / "weights"
    config = make("dot").config
    for change in ({"score": "cosine"}, {"score": ["dot"]}, {"score": "additive"}, {"scale": -1}):
        header = {"class": "Attention", "config": {**config, **change}, "dtype": "float32"}
        path.write_bytes(serialise({}, metadata={"lstm_lab": json.dumps(header)}))
        with pytest.raises(ValueError, match="does not describe a layer"):
            load(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"query_size": 0}, "query_size must be a whole number of at least 1, not 0"),
        ({"memory_size": 2.0}, "memory_size must be a whole number"),
        ({"score": "cosine"}, "score must be one of 'dot', 'general', 'additive', not 'cosine'"),
        ({"score": None}, "score must be one of"),
        ({"score": ["dot"]}, "score must be one of"),
        ({"query_size": 3}, "'dot' needs query_size and memory_size to be equal, got 3 and 4"),
        ({"score": "additive"}, "hidden_size of score='additive' must be.*not None"),
        ({"hidden_size": 5}, "score='dot' has no hidden_size, but got 5"),
        ({"score": "general", "hidden_size": 5}, "score='general' has no hidden_size"),
        ({"scale": 0}, "scale must be a positive number, not 0"),
        ({"scale": np.nan}, "scale must be a positive number, not nan"),
        ({"scale": np.inf}, "scale must be a positive number, not inf"),
        ({"scale": "1"}, "scale must be a positive number, not '1'"),
        ({"scale": True}, "scale must be a positive number, not True"),
        ({"dtype": "float16"}, "dtype must be 'float32' or 'float64'"),
        ({"backend": "torch"}, "backend must be"),
    ],
)
def test_construction(options, message):
    with pytest.raises(ValueError, match=message):
        Attention(**{"query_size": 4, "memory_size": 4, **options})


QUERY, MEMORY = np.zeros((3, 2, 4), "f"), np.zeros((5, 2, 4), "f")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((QUERY[0], MEMORY), ValueError, r"query must have shape \(Tq, B, 4\), got \(2, 4\)"),
        ((QUERY[..., :3], MEMORY), ValueError, r"query must have shape \(Tq, B, 4\)"),
        ((QUERY[:0], MEMORY), ValueError, r"query must have shape \(Tq, B, 4\), got \(0, 2, 4\)"),
        ((QUERY.astype(float), MEMORY), TypeError, "query is float64"),
        ((QUERY.tolist(), MEMORY), TypeError, "query is a builtins.list"),
        ((QUERY, MEMORY[:, :1]), ValueError, r"memory must have shape \(Tm, 2, 4\), got \(5, 1, 4"),
        ((QUERY, MEMORY[:0]), ValueError, r"memory must have shape \(Tm, 2, 4\), got \(0, 2, 4\)"),
        ((QUERY, MEMORY.astype(float)), TypeError, "memory is float64"),
        ((QUERY, None), TypeError, "memory is a builtins.NoneType"),
        ((QUERY, MEMORY, [5]), ValueError, r"lengths must have shape \(2,\)"),
        ((QUERY, MEMORY, [5, 6]), ValueError, r"lengths\[1\] is 6.*between 1 and T = 5"),
        ((QUERY, MEMORY, [0, 5]), ValueError, r"lengths\[0\] is 0"),
        ((QUERY, MEMORY, [1.0, 5.0]), TypeError, "lengths must be whole numbers"),
    ],
)
def test_forward_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        Attention(4, 4).forward(*arguments)


def test_backward_refuses():
    layer = Attention(4, 4)
    dy, trace = layer.forward(QUERY, MEMORY)
    with pytest.raises(ValueError, match=r"dy must have shape \(3, 2, 4\), got \(2, 2, 4\)"):
        layer.backward(dy[:2], trace)
    with pytest.raises(TypeError, match="dy is float64"):
        layer.backward(dy.astype(float), trace)
    with pytest.raises(TypeError, match="trace must be what Attention.forward returned, got a Non"):
        layer.backward(dy, None)
    others = (
        Attention(4, 4, "general"),
        Attention(4, 4, "additive", 4),
        Attention(5, 5),
        Attention(3, 4, "general"),
    )
    for other in others:
        with pytest.raises(ValueError, match="trace belongs to another layer.*score='dot'"):
            other.backward(dy, trace)
    _, trace = Attention(4, 4, "additive", 6).forward(QUERY, MEMORY)
    with pytest.raises(ValueError, match="trace belongs to another layer.*hidden_size=6"):
        Attention(4, 4, "additive", 5).backward(dy, trace)


def test_arrays_of_another_backend():
    layer = Attention(4, 4, backend="strict")
    query, memory = (layer.backend.asarray(array) for array in (QUERY, MEMORY))
    with pytest.raises(TypeError, match="query is a numpy.ndarray, but this layer computes with"):
        layer.forward(QUERY, memory)
    with pytest.raises(TypeError, match="memory is a numpy.ndarray"):
        layer.forward(query, MEMORY)
    with pytest.raises(TypeError, match="lengths lie on the host"):
        layer.forward(query, memory, layer.backend.asarray([5, 5]))


def test_initialisation():
    layer = Attention(9, 16, "additive", 25, seed=3)
    for name, bound in {"weight_query": 3, "weight_memory": 4, "weight_score": 5}.items():
        assert 0.5 / bound < abs(layer.params[name]).max() <= 1 / bound
    other = Attention(9, 16, "additive", 25, seed=4)
    assert (layer.params["weight_score"] != other.params["weight_score"]).any()
    assert not Attention(4, 4).params
