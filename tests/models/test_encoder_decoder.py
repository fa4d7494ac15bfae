"""The network of sequence to sequence: its equations, gradients, padding, and step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, RNN, Attention, BiLSTM, Embedding, Linear
from lstm_lab.decoding import beam_search
from lstm_lab.gradcheck import gradcheck
from lstm_lab.models import EncoderDecoder

READS, WRITES, WIDTH, HIDDEN = 7, 6, 3, 4


def make(
    bidirectional=True, score="general", kind=LSTM, num_layers=1, dropout=0.0, **options
):  # fmt: skip
    options = {"dtype": "float64"} | options
    own = HIDDEN // 2 if bidirectional else HIDDEN
    deep = {"num_layers": num_layers, "dropout": dropout}
    looking = {}
    if score is not None:
        hidden = 5 if score == "additive" else None
        looking["attention"] = Attention(HIDDEN, HIDDEN, score, hidden, seed=4, **options)
        looking["combine"] = Linear(2 * HIDDEN, HIDDEN, seed=5, **options)
    return EncoderDecoder(
        source=Embedding(READS, WIDTH, seed=0, **options),
        encoder=kind(WIDTH, own, bidirectional=bidirectional, seed=1, **deep, **options),
        target=Embedding(WRITES, WIDTH, seed=2, **options),
        decoder=kind(WIDTH, HIDDEN, seed=3, **deep, **options),
        head=Linear(HIDDEN, WRITES, seed=6, **options),
        **looking,
    )


def batch(steps=(5, 4), ends=(3, 5, 1), own=(4, 2, 3), seed=0):
    """A source and what was written, with lengths; the padding holds ids that do not exist."""
    rng = np.random.default_rng(seed)
    x = tuple(
        rng.integers(0, size, (T, len(ends)))
        for T, size in zip(steps, (READS, WRITES), strict=True)
    )
    for array, lengths in zip(x, (ends, own), strict=True):
        array[np.arange(len(array))[:, None] >= np.array(lengths)] = 999
    return x, (list(ends), list(own))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm(p, prefix, suffix, xs, h, c):
    """Gate order o, i, f, g. Outputs and last state of one sequence."""
    out = []
    for x in xs:
        a = p[f"{prefix}.weight_x{suffix}"] @ x + p[f"{prefix}.weight_h{suffix}"] @ h
        o, i, f, g = np.split(a + p[f"{prefix}.bias{suffix}"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return out, h, c


def plainly(p, source, written, bidirectional, score):
    """Scores (T, V) and weights (T, S) of one pair, one step after another."""
    xs = p["source.weight"][source]
    zero = np.zeros(HIDDEN // 2 if bidirectional else HIDDEN)
    out, h, c = lstm(p, "encoder", "_l0", xs, zero, zero)
    if bidirectional:
        back, h2, c2 = lstm(p, "encoder", "_l0_reverse", xs[::-1], zero, zero)
        out = [np.concatenate(pair) for pair in zip(out, back[::-1], strict=True)]
        h, c = np.concatenate([h, h2]), np.concatenate([c, c2])
    scores, weights = [], []
    for word in written:
        _, h, c = lstm(p, "decoder", "_l0", [p["target.weight"][word]], h, c)
        u = h
        if score is not None:
            e = [h @ p["attention.weight"] @ m if score == "general" else h @ m for m in out]
            a = np.exp(e) / np.exp(e).sum()
            context = sum(share * m for share, m in zip(a, out, strict=True))
            u = np.tanh(p["combine.weight"] @ np.concatenate([context, h]) + p["combine.bias"])
            weights.append(a)
        scores.append(p["head.weight"] @ u + p["head.bias"])
    return np.array(scores), np.array(weights)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("score", ["general", "dot", None])
def test_the_equations_pair_by_pair(bidirectional, score, backend):
    network = make(bidirectional, score, backend=backend)
    (source, written), (ends, own) = batch()
    asarray, host = network.backend.asarray, network.backend.to_numpy
    found, trace = network.forward((asarray(source), asarray(written)), lengths=(ends, own))
    p = {name: host(array) for name, array in network.params.items()}
    for b in range(3):
        scores, weights = plainly(
            p, source[: ends[b], b], written[: own[b], b], bidirectional, score
        )
        np.testing.assert_allclose(host(found)[: own[b], b], scores, rtol=0, atol=1e-13)
        assert not host(found)[own[b] :, b].any()
        if score is not None:
            shown = host(trace["attention"].weights)[: own[b], b]
            np.testing.assert_allclose(shown[:, : ends[b]], weights, rtol=0, atol=1e-13)
            assert not shown[:, ends[b] :].any()


@st.composite
def configurations(draw):
    size = draw(st.integers(1, 3))
    steps = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    lengths = tuple(
        draw(st.none() | st.lists(st.integers(1, t), min_size=size, max_size=size)) for t in steps
    )
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = tuple(
        rng.integers(0, most, (t, size)) for t, most in zip(steps, (READS, WRITES), strict=True)
    )
    options = {
        "bidirectional": draw(st.booleans()),
        "score": draw(st.sampled_from(["general", "dot", "additive", None])),
        "num_layers": draw(st.integers(1, 2)),
        "kind": draw(st.sampled_from([LSTM, GRU, RNN])),
    }
    return options, x, lengths


@settings(max_examples=5, deadline=None)
@given(configurations())
def test_gradients(configuration):
    options, x, lengths = configuration
    report = gradcheck(make(**options), x, lengths=lengths, max_entries=1, directions=1)
    assert report, f"{options}: {report}"


def test_gradients_of_every_parameter_and_with_dropout():
    x, lengths = batch()
    network = make()
    report = gradcheck(network, x, lengths=lengths, max_entries=3, directions=1)
    assert report
    assert report.errors.keys() == network.params.keys()
    deep = make(num_layers=2, dropout=0.5)
    assert gradcheck(deep, x, lengths=lengths, dropout_seed=0, max_entries=1, directions=1)


def test_the_padding_gets_no_gradient_whatever_dy_holds():
    x, lengths = batch()
    network = make()
    scores, trace = network.forward(x, lengths=lengths)
    rng = np.random.default_rng(0)
    dy = rng.normal(size=scores.shape)
    clean = network.backward(
        dy * (np.arange(4)[:, None, None] < np.array(lengths[1])[:, None]), trace
    )
    dirty = network.backward(dy, network.forward(x, lengths=lengths)[1])
    for name, value in clean.params.items():
        np.testing.assert_array_equal(dirty.params[name], value, err_msg=name)


@pytest.mark.torch
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("score", ["general", None])
def test_gradients_against_torch(bidirectional, score):
    import torch

    from lstm_lab.interchange import to_torch

    network = make(bidirectional, score)
    (source, written), (ends, own) = batch()
    rng = np.random.default_rng(1)
    dy = rng.normal(size=(4, 3, WRITES))
    dy[np.arange(4)[:, None] >= np.array(own)] = 0
    _, trace = network.forward((source, written), lengths=(ends, own))
    ours = network.backward(dy, trace).params

    layers = network.layers
    sides = 2 if bidirectional else 1
    encoder = torch.nn.LSTM(WIDTH, HIDDEN // sides, bidirectional=bidirectional).double()
    decoder = torch.nn.LSTM(WIDTH, HIDDEN).double()
    for module, name in ((encoder, "encoder"), (decoder, "decoder")):
        module.load_state_dict({k: torch.tensor(v) for k, v in to_torch(layers[name]).items()})
    free = {
        name: torch.tensor(array, requires_grad=True)
        for name, array in network.params.items()
        if name.split(".")[0] not in ("encoder", "decoder")
    }
    total = 0.0
    for b in range(3):
        memory, (h, c) = encoder(free["source.weight"][source[: ends[b], b]])
        state = h.reshape(1, -1), c.reshape(1, -1)
        u, _ = decoder(free["target.weight"][written[: own[b], b]], state)
        if score is not None:
            weights = torch.softmax(u @ free["attention.weight"] @ memory.T, dim=1)
            both = torch.cat([weights @ memory, u], dim=1)
            u = torch.tanh(both @ free["combine.weight"].T + free["combine.bias"])
        scores = u @ free["head.weight"].T + free["head.bias"]
        total = total + (scores * torch.tensor(dy[: own[b], b])).sum()
    total.backward()
    for name, tensor in free.items():
        np.testing.assert_allclose(ours[name], tensor.grad.numpy(), atol=1e-12, err_msg=name)
    for module, name in ((encoder, "encoder"), (decoder, "decoder")):
        values = {k.removeprefix(f"{name}."): v for k, v in ours.items() if k.startswith(name)}
        for key, value in to_torch(layers[name], values).items():
            theirs = dict(module.named_parameters())[key].grad.numpy()
            # Our one bias is torch's first; its gradient is that of either.
            if not key.startswith("bias_hh"):
                np.testing.assert_allclose(value, theirs, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("score", ["general", "additive", None])
def test_step_by_step_it_says_the_same(bidirectional, score, backend):
    network = make(bidirectional, score, num_layers=2, backend=backend)
    (source, written), (ends, own) = batch()
    asarray, host = network.backend.asarray, network.backend.to_numpy
    together, trace = network.forward((asarray(source), asarray(written)), lengths=(ends, own))
    together = host(together)
    said = together - np.log(np.exp(together).sum(axis=-1, keepdims=True))
    writer = network.writer(asarray(source), ends)
    for t in range(4):
        going = [b for b in range(3) if t < own[b]]
        known = np.where(written[t] == 999, 0, written[t])
        np.testing.assert_allclose(writer(known)[going], said[t, going], rtol=0, atol=1e-13)
        if score is not None:
            looked = host(trace["attention"].weights)[t, going]
            np.testing.assert_allclose(host(writer.weights)[going], looked, rtol=0, atol=1e-13)
    assert score is not None or writer.weights is None


def test_rows_that_are_kept_take_their_source_and_state_along():
    network = make()
    (source, _), (ends, _) = batch()
    writer = network.writer(source, ends)
    writer([0, 0, 0])
    writer([2, 3, 4])
    writer.keep([2, 0, 0])
    found = writer([1, 1, 5])
    for row, (b, words) in enumerate([(2, [0, 4, 1]), (0, [0, 2, 1]), (0, [0, 2, 5])]):
        alone = network.writer(source[: ends[b], [b]])
        for word in words:
            expected = alone([word])
        np.testing.assert_allclose(found[row], expected[0], rtol=0, atol=1e-13)


def test_beam_search_finds_what_the_network_says_is_likeliest():
    """All sequences of up to 3 symbols, enumerated by teacher forcing."""
    import itertools

    network = make()
    network.params["head.weight"] *= 4
    (source, _), (ends, _) = batch()
    found = beam_search(network.writer(source, ends), [0] * 3, 1, width=200, max_length=4, n_best=5)
    ways = [
        (*ids, 1)
        for n in range(4)
        for ids in itertools.product([0, 2, 3, 4, 5], repeat=n)
    ]  # fmt: skip
    for b, beam in enumerate(found):
        said = {}
        for ids in ways:
            x = source[: ends[b], [b]], np.array([[0, *ids[:-1]]]).T
            z = network.forward(x)[0][:, 0]
            z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
            said[ids[:-1]] = z[np.arange(len(ids)), ids].sum()
        best = sorted(said, key=said.get, reverse=True)[:5]
        assert [one.ids for one in beam.best] == best
        for one in beam.best:
            assert one.log_probability == pytest.approx(said[one.ids], abs=1e-11)


def test_the_state_is_handed_over_side_by_side():
    network = make(num_layers=2)
    states = np.arange(4 * 3 * 2, dtype=float).reshape(4, 3, 2)  # layer 0 there and back, layer 1
    h, c = network.hand_over((states, -states))
    assert h.shape == (2, 3, 4)
    np.testing.assert_array_equal(h[1], np.concatenate([states[2], states[3]], axis=1))
    np.testing.assert_array_equal(c, -h)
    back = network.hand_back((h, c))
    np.testing.assert_array_equal(back[0], states)
    np.testing.assert_array_equal(back[1], -states)


def test_another_backend_has_the_same_parameters():
    network = make(dtype="float32")
    there = network.to("strict")
    assert isinstance(there, EncoderDecoder)
    for name, array in network.params.items():
        np.testing.assert_array_equal(there.backend.to_numpy(there.params[name]), array)


def parts(**changes):
    network = make()
    return dict(network.layers) | changes


F64 = {"dtype": "float64"}
WRONG = [
    ({"source": Linear(3, 3, **F64)}, TypeError, "source must be a layer Embedding"),
    ({"encoder": Linear(3, 4, **F64)}, TypeError, "encoder must be an LSTM, GRU or RNN"),
    ({"head": None}, TypeError, "head must be a layer Linear"),
    ({"combine": None}, ValueError, "attention and combine belong together"),
    ({"attention": None}, ValueError, "attention and combine belong together"),
    ({"decoder": BiLSTM(3, 2, **F64)}, ValueError, "decoder: it cannot read backwards"),
    ({"decoder": GRU(3, 4, **F64)}, ValueError, "decoder must be of the encoder's kind"),
    ({"decoder": LSTM(3, 4, 2, **F64)}, ValueError, "decoder must be of the encoder's kind"),
    ({"decoder": LSTM(3, 2, **F64)}, ValueError, "side by side, 4, to begin"),
    ({"encoder": BiLSTM(5, 2, **F64)}, ValueError, "encoder is made for size 5, but its source"),
    ({"decoder": LSTM(5, 4, **F64)}, ValueError, "decoder is made for size 5, but its target"),
    (
        {"attention": Attention(3, 4, "general", **F64)},
        ValueError,
        "attention's query is made for size 3, but its decoder gives 4",
    ),
    (
        {"attention": Attention(4, 3, "general", **F64)},
        ValueError,
        "attention's memory is made for size 3, but its encoder gives 4",
    ),
    ({"combine": Linear(7, 4, **F64)}, ValueError, "combine is made for size 7"),
    ({"head": Linear(5, 6, **F64)}, ValueError, "head is made for size 5"),
    ({"head": Linear(4, 5, **F64)}, ValueError, "target is made for size 6, but its head gives 5"),
    ({"head": Linear(4, 6)}, ValueError, "all layers need one backend and dtype"),
]


@pytest.mark.parametrize(("changes", "kind", "message"), WRONG)
def test_parts_that_do_not_fit_are_refused(changes, kind, message):
    with pytest.raises(kind, match=message):
        EncoderDecoder(**parts(**changes))


def test_calls_that_do_not_fit_are_refused():
    network = make()
    x, lengths = batch()
    with pytest.raises(TypeError, match="x must be a pair, of the source and"):
        network.forward(x[0])
    with pytest.raises(TypeError, match="lengths must be a pair"):
        network.forward(x, lengths=[1, 2, 3])
    with pytest.raises(ValueError, match=r"as many sequences; what was written has shape \(4, 2\)"):
        network.forward((x[0], x[1][:, :2]), lengths=(lengths[0], lengths[1][:2]))
    scores, trace = network.forward(x, lengths=lengths)
    with pytest.raises(ValueError, match="trace belongs to another network"):
        make(score=None).backward(scores, trace)
    with pytest.raises(TypeError, match="trace must be what EncoderDecoder"):
        network.backward(scores, None)
    network.params["head.bias"][0] += 1
    with pytest.raises(ValueError, match="is not what it was when forward"):
        network.backward(scores, trace)
