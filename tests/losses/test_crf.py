"""The CRF against its definition, every path written out; against differences; against torch."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import Linear, Sequential
from lstm_lab.gradcheck import gradcheck
from lstm_lab.layers import CRF
from lstm_lab.losses import crf, crf_lattice, cross_entropy
from lstm_lab.optim import SGD
from lstm_lab.training import evaluate, fit, predict

from .. import tolerance

configurations = given(
    st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4)
)


def draw(seed, steps, batch, tags, forbidden=0.25):
    """Scores (T, B, K, K) of which some edges are forbidden, a legal target, and lengths."""
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(steps, batch, tags, tags))
    blocked = rng.random(scores.shape) < forbidden
    target, lengths = rng.integers(0, tags, (steps, batch)), rng.integers(1, steps + 1, batch)
    t, b = np.ogrid[:steps, :batch]
    blocked[t, b, np.concatenate([np.zeros((1, batch), int), target[:-1]]), target] = False
    scores[blocked] = -np.inf
    return scores, target, lengths


def paths(scores):
    """Every path of one sequence, scores (T, K, K), with its score, by the definition."""
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        before = (0, *path[:-1])
        yield path, sum(scores[t, j, k] for t, (j, k) in enumerate(zip(before, path, strict=True)))


@settings(max_examples=40, deadline=None)
@configurations
def test_every_path_is_counted_once(seed, steps, batch, tags):
    scores, target, lengths = draw(seed, steps, batch, tags)
    lattice, each = crf_lattice(scores, lengths), []
    for b, n in enumerate(lengths):
        found = dict(paths(scores[:n, b]))
        log_z = np.log(np.sum(np.exp(list(found.values()))))
        assert lattice.log_partition[b] == pytest.approx(log_z, rel=1e-10, abs=1e-10)
        each.append(log_z - found[tuple(target[:n, b])])
        shares = np.zeros_like(scores[:, b])
        for path, score in found.items():
            shares[np.arange(n), (0, *path[:-1]), path] += np.exp(score - log_z)
        np.testing.assert_allclose(lattice.edge_marginal[:, b], shares, atol=1e-12)
        np.testing.assert_allclose(lattice.marginal[:n, b].sum(axis=-1), 1)
        assert not lattice.marginal[n:, b].any()
        # α and β meet at every step.
        both = lattice.log_alpha[:n, b] + lattice.log_beta[:n, b]
        np.testing.assert_allclose(np.log(np.exp(both).sum(axis=-1)), log_z, atol=1e-10)
    value, _ = crf(scores, target, lengths)
    assert value == pytest.approx(np.mean(each), abs=1e-10)
    assert value.weight == batch


@settings(max_examples=20, deadline=None)
@configurations
def test_gradients_agree_with_finite_differences(seed, steps, batch, tags):
    scores, target, lengths = draw(seed, steps, batch, tags, forbidden=0)
    assert gradcheck(crf, scores, target, lengths=lengths)


@settings(max_examples=20, deadline=None)
@configurations
def test_the_gradient_of_log_z_is_the_marginal(seed, steps, batch, tags):
    """Around forbidden edges too, along every edge that is open."""
    scores, _, lengths = draw(seed, steps, batch, tags)
    lattice, h = crf_lattice(scores, lengths), 1e-5
    for at in np.argwhere(np.isfinite(scores))[:12]:
        ends = []
        for step in (-h, h):
            moved = scores.copy()
            moved[tuple(at)] += step
            ends.append(crf_lattice(moved, lengths).log_partition[at[1]])
        slope = (ends[1] - ends[0]) / (2 * h)
        assert slope == pytest.approx(lattice.edge_marginal[tuple(at)], abs=1e-8)


@pytest.mark.torch
def test_value_and_gradients_are_those_of_a_torch_writing():
    """Independent: one sequence after the other, parameters straight, gradients by autograd."""
    import torch

    for seed in range(12):
        rng = np.random.default_rng(seed)
        steps, batch, tags = rng.integers(1, 30), rng.integers(1, 6), rng.integers(1, 9)
        x, lengths = rng.normal(size=(steps, batch, tags)), rng.integers(1, steps + 1, batch)
        target, layer = rng.integers(0, tags, (steps, batch)), CRF(tags, dtype="float64")
        for array in layer.params.values():
            array[...] = rng.normal(size=array.shape)
        y, trace = layer.forward(x, lengths=lengths)
        value, dy = crf(y, target, lengths)
        gradient = layer.backward(dy, trace)

        scores = torch.tensor(x, requires_grad=True)
        theirs = {n: torch.tensor(v, requires_grad=True) for n, v in layer.params.items()}
        total = 0
        for b, n in enumerate(lengths):
            own, goal = scores[:n, b], torch.tensor(target[:n, b])
            alpha = theirs["start"] + own[0]
            for t in range(1, n):
                alpha = torch.logsumexp(alpha[:, None] + theirs["transition"], 0) + own[t]
            right = theirs["start"][goal[0]] + theirs["end"][goal[-1]]
            right = right + own[torch.arange(n), goal].sum()
            right = right + theirs["transition"][goal[:-1], goal[1:]].sum()
            total = total + torch.logsumexp(alpha + theirs["end"], 0) - right
        (total / batch).backward()
        assert float(value) == pytest.approx((total / batch).item(), abs=1e-10)
        np.testing.assert_allclose(gradient.x, scores.grad.numpy(), atol=1e-10)
        for name, parameter in theirs.items():
            # Of one step only, nothing goes from tag to tag.
            found = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
            np.testing.assert_allclose(gradient.params[name], found, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_backend_and_anything_in_the_padding(backend, dtype):
    scores, target, lengths = draw(1, 6, 3, 4)
    lengths[:], scores = (6, 4, 3), scores.astype(dtype)
    value, gradient = crf(scores, target, lengths)
    lattice = crf_lattice(scores, lengths)
    # In a row: a sum of 4 ways with their exponentials at each of 6 steps, there and back.
    roundings = 2 * 6 * (4 + tolerance.CELL)

    def compare(ours, reference, **size):
        tolerance.assert_close(ours, reference, roundings, dtype, **size)

    scores[4:, 1], scores[3:, 2], target[4:, 1] = np.nan, np.inf, -7
    on_device = backend.asarray(scores)
    got, d = crf(on_device, backend.asarray(target), lengths)
    compare(got, value)
    assert d.dtype == dtype and backend.owns(d)
    d = backend.to_numpy(d)
    assert not d[4:, 1].any() and not d[3:, 2].any()
    compare(d, gradient)
    other = crf_lattice(on_device, lengths)
    compare(backend.to_numpy(other.log_partition), lattice.log_partition)
    compare(backend.to_numpy(other.marginal), lattice.marginal)


def test_the_arguments_stay_as_they_were():
    scores, target, lengths = draw(2, 5, 3, 3)
    before = scores.copy(), target.copy()
    crf(scores, target, lengths)
    crf_lattice(scores, lengths)
    np.testing.assert_array_equal(scores, before[0])
    np.testing.assert_array_equal(target, before[1])


def test_large_scores_neither_overflow_nor_vanish():
    scores, target, lengths = draw(3, 5, 2, 3, forbidden=0)
    plain = crf(scores, target, lengths)
    moved = crf(scores + 1e6, target, lengths)  # the same added to all paths changes nothing
    assert moved[0] == pytest.approx(plain[0], rel=1e-6)
    np.testing.assert_allclose(moved[1], plain[1], atol=1e-7)
    assert np.isfinite(crf(1000 * scores, target, lengths)[0])


def test_without_transitions_it_is_a_softmax_at_every_step():
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(4, 3, 5)), rng.integers(0, 5, (4, 3))
    layer = CRF(5, dtype="float64")
    y, trace = layer.forward(x)
    value, dy = crf(y, target)
    plain, gradient = cross_entropy(x, target)
    assert value == pytest.approx(4 * plain)  # a mean over the sequences, not over their steps
    np.testing.assert_allclose(layer.backward(dy, trace).x, 4 * gradient, atol=1e-14)


def test_a_forbidden_target_is_named():
    scores, target, _ = draw(4, 4, 2, 3, forbidden=0)
    scores[2, 1, target[1, 1], target[2, 1]] = -np.inf
    came, tag = target[1, 1], target[2, 1]
    message = f"forbidden edge.*from tag {came} to tag {tag} at step 2 of sequence 1"
    with pytest.raises(ValueError, match=message):
        crf(scores, target)
    assert crf(scores, target, [4, 2])[0] < np.inf
    scores[0, 0, 0, target[0, 0]] = -np.inf
    with pytest.raises(ValueError, match="from the start to tag . at step 0 of sequence 0"):
        crf(scores, target, [4, 2])
    scores[1, 1] = -np.inf
    with pytest.raises(ValueError, match="forbid every path of sequence 1"):
        crf_lattice(scores)


def test_targets_that_are_no_tags():
    scores, target, _ = draw(5, 3, 2, 3, forbidden=0)
    target[1, 1] = 3
    with pytest.raises(ValueError, match="tags from 0 to 2, got 3 at step 1 of sequence 1"):
        crf(scores, target)
    with pytest.raises(ValueError, match=r"target must have shape \(3, 2\)"):
        crf(scores, target.T)
    with pytest.raises(TypeError, match="target must hold whole numbers"):
        crf(scores, target.astype(float))
    with pytest.raises(ValueError, match="scores must have shape"):
        crf(scores[0], target)


def test_it_trains_as_every_loss_does():
    """Tags that the words do not tell, but the neighbours: 0 1 0 1, whatever x is."""
    rng = np.random.default_rng(0)
    x, lengths = rng.normal(size=(6, 40, 2)), rng.integers(1, 7, 40)
    target = np.where(np.arange(6)[:, None] < lengths, np.arange(6)[:, None] % 2, -1)
    model = Sequential(head=Linear(2, 2, seed=0), crf=CRF(2))
    options = {"lengths": lengths, "target_axis": 1}
    history = fit(
        model, x, target, loss=crf, optimizer=SGD(1.0), epochs=30, progress=False, **options
    )
    assert history.loss[-1] < 0.05 < 1 < history.loss[0]
    scores = predict(model, x, lengths=lengths, batch_size=7)
    assert scores.shape == (6, 40, 2, 2)
    direct = crf(scores.astype("float32"), target, lengths)[0]
    assert evaluate(model, x, target, loss=crf, **options) == pytest.approx(direct, rel=1e-5)


def test_memory_follows_the_edges():
    scores, target, lengths = draw(6, 60, 32, 12)
    size = scores.nbytes
    tracemalloc.start()
    crf(scores, target, lengths)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * size
