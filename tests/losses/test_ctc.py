"""CTC against its definition, every path written out; against differences; against torch."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab.gradcheck import gradcheck
from lstm_lab.losses import NothingCounts, ctc, ctc_collapse, ctc_greedy, ctc_lattice

from .. import tolerance


def draw(seed, steps, batch, classes, longest):
    """Logits (T, B, K), targets (B, S) with their lengths, lengths, and a blank anywhere."""
    rng = np.random.default_rng(seed)
    blank = int(rng.integers(classes))
    labels = [k for k in range(classes) if k != blank]
    return (
        2 * rng.normal(size=(steps, batch, classes)),
        rng.choice(labels, (batch, longest)),
        rng.integers(1, steps + 1, batch),
        rng.integers(0, longest + 1, batch),
        blank,
    )


def paths(logits, target, blank):
    """Every path (T,) that becomes the target, with its probability, by the definition."""
    y = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    for path in itertools.product(range(logits.shape[-1]), repeat=len(logits)):
        if ctc_collapse(path, blank=blank) == list(target):
            yield path, np.prod(y[np.arange(len(path)), path])


configurations = given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(2, 4),
    st.integers(0, 3),
)


@settings(max_examples=40, deadline=None)
@configurations
def test_every_path_is_counted_once(seed, steps, batch, classes, longest):
    x, targets, frames, count, blank = draw(seed, steps, batch, classes, longest)
    lattice = ctc_lattice(x, targets, frames, count, blank=blank)
    for b in range(batch):
        found = list(paths(x[: frames[b], b], targets[b, : count[b]], blank))
        p = sum(probability for _, probability in found)
        assert np.exp(-lattice.loss[b]) == pytest.approx(p, rel=1e-9, abs=1e-300)
        # The share of the paths that are at a class, summed over that class's states.
        shares = np.zeros((steps, classes))
        for path, probability in found:
            shares[np.arange(len(path)), path] += probability / p
        own = np.zeros((steps, classes))
        np.add.at(own.T, lattice.labels[b], lattice.posterior[:, b].T)
        np.testing.assert_allclose(own, shares, atol=1e-9)


@settings(max_examples=40, deadline=None)
@configurations
def test_the_best_path_is_the_best(seed, steps, batch, classes, longest):
    x, targets, frames, count, blank = draw(seed, steps, batch, classes, longest)
    lattice = ctc_lattice(x, targets, frames, count, blank=blank)
    best = lattice.best_path()
    for b in range(batch):
        found = dict(paths(x[: frames[b], b], targets[b, : count[b]], blank))
        if not found:
            assert (best[:, b] == -1).all()
            continue
        own, past = np.split(best[:, b], [frames[b]])
        assert (past == -1).all()
        assert found[tuple(lattice.labels[b, own])] == pytest.approx(max(found.values()))


@settings(max_examples=40, deadline=None)
@configurations
def test_alpha_and_beta_meet_in_every_frame(seed, steps, batch, classes, longest):
    x, targets, frames, count, blank = draw(seed, steps, batch, classes, longest)
    lattice = ctc_lattice(x, targets, frames, count, blank=blank)
    for b in np.flatnonzero(np.isfinite(lattice.loss)):
        own = (slice(frames[b]), b)
        both = np.exp(lattice.log_alpha[own] + lattice.log_beta[own]).sum(axis=-1)
        np.testing.assert_allclose(both, np.exp(-lattice.loss[b]), rtol=1e-9)
        # The paper's (8): what arrives at the last label or the blank after it.
        last, end = frames[b] - 1, lattice.states[b]
        arrived = np.exp(lattice.log_alpha[last, b, max(0, end - 2) : end]).sum()
        assert arrived == pytest.approx(np.exp(-lattice.loss[b]))
        assert (lattice.posterior[frames[b] :, b] == 0).all()
        np.testing.assert_allclose(lattice.posterior[own].sum(axis=-1), 1)


@settings(max_examples=30, deadline=None)
@configurations
def test_gradients_agree_with_finite_differences(seed, steps, batch, classes, longest):
    x, targets, frames, count, blank = draw(seed, steps, batch, classes, longest)
    frames[0], count[0] = steps, min(count[0], 1)
    assert gradcheck(ctc, x, targets, frames, count, blank=blank, impossible="skip")


@pytest.mark.torch
def test_value_and_gradient_are_torchs():
    import torch

    for seed in range(60):
        rng = np.random.default_rng(seed)
        shape = rng.integers(1, 25), rng.integers(1, 6), rng.integers(2, 7), rng.integers(0, 7)
        x, targets, frames, count, blank = draw(seed, *shape)
        theirs = torch.tensor(x, requires_grad=True)
        each = torch.nn.functional.ctc_loss(
            theirs.log_softmax(-1),
            *map(torch.tensor, (targets, frames, count)),
            blank=blank,
            reduction="none",
        )
        lattice = ctc_lattice(x, targets, frames, count, blank=blank)
        np.testing.assert_allclose(lattice.loss, each.detach().numpy(), atol=1e-10)
        possible = np.isfinite(lattice.loss)
        if not possible.any():
            continue
        each[torch.tensor(possible)].mean().backward()
        value, gradient = ctc(x, targets, frames, count, blank=blank, impossible="skip")
        assert value == pytest.approx(lattice.loss[possible].mean())
        # Where a target is impossible torch's gradient is NaN.
        expected = np.where(possible[:, None], theirs.grad.numpy(), 0)
        np.testing.assert_allclose(gradient, expected, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_backend_and_anything_in_the_padding(backend, dtype):
    x, targets, frames, count, blank = draw(3, 7, 3, 4, 2)
    frames[:] = 7, 5, 4
    x = x.astype(dtype)
    value, gradient = ctc(x, targets, frames, count, blank=blank)
    lattice = ctc_lattice(x, targets, frames, count, blank=blank)
    # In a row: a softmax over 4 classes and a sum of 3 paths at each of 7 frames, there and back.
    roundings = 2 * 7 * (4 + 3 + tolerance.CELL)

    def compare(ours, reference):
        tolerance.assert_close(ours, reference, roundings, dtype)

    x[5:, 1], x[4:, 2], targets[np.arange(2) >= count[:, None]] = np.nan, np.inf, 99
    on_device = backend.asarray(x)
    for labels in (targets, backend.asarray(targets)):
        got, d = ctc(on_device, labels, frames, count, blank=blank)
        compare(got, value)
        assert d.dtype == dtype
        assert not backend.to_numpy(d)[5:, 1].any()
        compare(backend.to_numpy(d), gradient)
    other = ctc_lattice(on_device, targets, frames, count, blank=blank)
    for name in ("log_alpha", "log_beta"):
        mine, theirs = getattr(lattice, name), backend.to_numpy(getattr(other, name))
        for b, n in enumerate(frames):
            reached = np.isfinite(mine[:n, b])
            np.testing.assert_array_equal(np.isfinite(theirs[:n, b]), reached)
            compare(theirs[:n, b][reached], mine[:n, b][reached])
    compare(backend.to_numpy(other.posterior), lattice.posterior)
    np.testing.assert_array_equal(other.best_path(), lattice.best_path())
    # What lies in the padding decodes to nothing either.
    greedy = ctc_greedy(on_device, frames, blank=blank)
    assert greedy == ctc_greedy(backend.asarray(np.nan_to_num(x)), frames, blank=blank)


def test_forms_of_targets():
    x = np.random.default_rng(0).normal(size=(6, 3, 4))
    ragged = ctc(x, [[1, 2], [], (3,)])
    padded = np.array([[1, 2], [-1, -1], [3, -1]])
    for same in (ctc(x, padded), ctc(x, abs(padded), target_lengths=[2, 0, 1])):
        assert same[0] == ragged[0]
        np.testing.assert_array_equal(same[1], ragged[1])
    # An empty target: every frame is blank.
    log_y = x[:, 1] - np.log(np.exp(x[:, 1]).sum(axis=-1, keepdims=True))
    assert ctc_lattice(x, padded).loss[1] == pytest.approx(-log_y[:, 0].sum())


def test_impossible_targets():
    x = np.random.default_rng(0).normal(size=(3, 3, 4))
    targets, frames = [[1, 2], [2, 2], [1]], [3, 2, 1]
    with pytest.raises(ValueError, match=r"targets\[1\] needs at least 3 frames.* which 1"):
        ctc(x, targets, frames)
    value, gradient = ctc(x, targets, frames, impossible="skip")
    keep = [0, 2]
    alone, d = ctc(x[:, keep], [targets[k] for k in keep], [frames[k] for k in keep])
    assert value == pytest.approx(alone)
    np.testing.assert_allclose(gradient[:, keep], d)
    assert not gradient[:, 1].any()
    assert ctc(x, [[1, 2], [2, 1], [1]], frames)[0] < np.inf
    with pytest.raises(ValueError, match="no target can be aligned"):
        ctc(x[:1], [[1, 2]] * 3, impossible="skip")
    lattice = ctc_lattice(x, targets, frames)
    assert np.isinf(lattice.loss).tolist() == [False, True, False]
    assert not lattice.posterior[:, 1].any()


def test_extreme_scores():
    with np.errstate(all="raise", under="ignore"):
        x = np.zeros((3, 1, 2), "float32")
        x[:, 0, 1] = -1e4, 1e4, -1e4
        assert ctc(x, [[1]])[0] == 0
        assert ctc(x, [[1, 1]])[0] == 3e4
        value, gradient = ctc(x, [[]])
    assert value == 1e4
    np.testing.assert_array_equal(gradient[1, 0], [-1, 1])
    x[:, 0, 1] = -np.inf
    with pytest.raises(ValueError, match=r"targets\[0\] has probability 0"):
        ctc(x, [[1]])
    assert np.isnan(ctc(np.full((2, 1, 3), np.nan), [[1]])[0])


def test_a_target_that_infinite_scores_block_is_left_out():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3, 3))
    x[:, 1, 2] = -np.inf
    targets = [[1, 2], [2], [1]]
    with np.errstate(invalid="ignore"):
        value, gradient = ctc(x, targets, impossible="skip")
    alone = [ctc(x[:, b : b + 1], targets[b : b + 1]) for b in (0, 2)]
    assert value == pytest.approx(np.mean([a[0] for a in alone]), rel=1e-14)
    assert value.weight == 2
    assert not gradient[:, 1].any()
    for b, (_, own) in zip((0, 2), alone, strict=True):
        np.testing.assert_allclose(gradient[:, b], own[:, 0] / 2, rtol=1e-13)
    with pytest.raises(ValueError, match=r"targets\[1\] has probability 0: logits of -inf"):
        ctc(x, targets)
    with pytest.raises(NothingCounts, match="no target can be aligned"):
        ctc(x[:, 1:2], targets[1:2], impossible="skip")


def test_masked_labels_are_refused_as_such():
    with pytest.raises(ValueError, match=r"targets\[0\] holds 1 masked values"):
        ctc(np.zeros((4, 1, 3)), [np.ma.masked_array([1, 2], mask=[False, True])])


def test_thousands_of_classes_cost_no_table_of_them():
    classes = 4000  # a table of one row for each would hold 128 MB
    x = np.random.default_rng(0).normal(size=(6, 2, classes))
    targets = [[7, 7, 3999], [1]]
    tracemalloc.start()
    value, gradient = ctc(x, targets)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 * x.nbytes
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    lattice = ctc_lattice(x, targets)
    for b in range(2):
        expected = y[:, b].copy()
        for s, label in enumerate(lattice.labels[b]):
            expected[:, label] -= lattice.posterior[:, b, s]
        np.testing.assert_allclose(gradient[:, b], expected / 2, atol=1e-15)
    assert value == pytest.approx(lattice.loss.mean())


def test_a_thousand_frames_sum_to_one():
    x = np.random.default_rng(0).normal(size=(1000, 1, 5)).astype("float32")
    lattice = ctc_lattice(x, [[1, 2, 3, 4] * 20])
    np.testing.assert_allclose(lattice.posterior.sum(axis=-1), 1, rtol=1e-9)


def test_collapse():
    assert ctc_collapse([0, 3, 3, 0, 3, 5, 5]) == [3, 3, 5]
    assert ctc_collapse([2, 1, 1, 2, 2], blank=2) == [1]
    assert ctc_collapse([]) == []
    x = np.eye(3)[[[1, 2], [1, 0], [0, 2], [1, 2]]]
    assert ctc_greedy(x) == [[1, 1], [2, 2]]
    assert ctc_greedy(x, [2, 3], blank=1) == [[], [2, 0, 2]]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.zeros((3, 4)), [[1]]), {}, r"logits must have shape \(T, B, K\)"),
        ((np.zeros((3, 1, 4)), [[1], [2]]), {}, "targets must be 1, one for each"),
        ((np.zeros((3, 1, 4)), [[4]]), {}, r"targets\[0\] must hold classes from 0 to 3.*got 4"),
        ((np.zeros((3, 1, 4)), [[1, 0]]), {}, r"targets\[0\] .* other than the blank, 0; got 0"),
        ((np.zeros((3, 1, 4)), [[1]]), {"blank": 4}, "blank must be a class from 0 to 3, not 4"),
        ((np.zeros((3, 1, 4)), [[1]], [4]), {}, r"lengths\[0\] is 4"),
        ((np.zeros((3, 1, 4)), [[1]], None, [2]), {}, r"target_lengths\[0\] is 2; .* 1 labels"),
        ((np.zeros((3, 1, 4)), [[1]]), {"impossible": "zero"}, "'raise' or 'skip', not 'zero'"),
        ((np.zeros((3, 1, 4), int), [[1]]), {}, "logits must hold floating-point"),
        ((np.zeros((3, 1, 4)), [[1.5]]), {}, r"targets\[0\] must be a list of whole numbers"),
        ((np.zeros((3, 1, 4)), 3), {}, "targets must be 1 sequences of labels, got int"),
    ],
)
def test_says_what_does_not_fit(arguments, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ctc(*arguments, **options)
