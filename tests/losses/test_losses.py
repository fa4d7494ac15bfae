from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import losses
from lstm_lab.backends import get_backend
from lstm_lab.gradcheck import gradcheck

from .. import tolerance

RNG = np.random.default_rng(0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from([None, "bool", "weights"]),
    st.integers(0, 2**32 - 1),
)
def test_gradients_agree_with_finite_differences(shape, mask_kind, seed):
    rng = np.random.default_rng(seed)
    logits, other = rng.normal(size=(2, *shape, 3))
    target = rng.integers(0, 3, shape)
    mask = None
    if mask_kind:
        mask = rng.random(shape) < 0.7 if mask_kind == "bool" else rng.random(shape)
        mask.flat[0] = 1
    weights = rng.random(3) + 0.1
    assert gradcheck(losses.mse, logits, other, mask=mask)
    assert gradcheck(losses.cross_entropy, logits, target, mask=mask)
    assert gradcheck(losses.cross_entropy, logits, target, mask=mask, class_weights=weights)
    # Away from the corner, at which no difference quotient is the gradient.
    below = other + np.where(abs(logits) < 0.01, 0.01, logits)
    assert gradcheck(losses.quantile, below, other, mask=mask, level=0.3)
    assert gradcheck(losses.quantile, below, other, mask=mask, level=rng.uniform(0.01, 0.99, 3))


@pytest.mark.torch
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_is_torchs(weighted):
    import torch

    logits, target = RNG.normal(size=(6, 4, 5)), RNG.integers(0, 5, (6, 4))
    mask = RNG.random((6, 4)) < 0.6
    weights = RNG.random(5) if weighted else None
    theirs = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(
        theirs.reshape(-1, 5),
        torch.tensor(np.where(mask, target, -100)).reshape(-1),
        weight=None if weights is None else torch.tensor(weights),
    )
    loss.backward()
    value, gradient = losses.cross_entropy(logits, target, mask, weights)
    assert value == pytest.approx(loss.item(), abs=1e-12)
    np.testing.assert_allclose(gradient, theirs.grad.numpy(), atol=1e-14)


@pytest.mark.torch
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("level", [0.1, [0.05, 0.5, 0.95]])
def test_quantile_is_torchs(level, masked):
    """torch has no such loss: it is written out there, and differentiated by torch."""
    import torch

    p, y = RNG.normal(size=(2, 6, 4, 3))
    mask = RNG.random((6, 4)) * (RNG.random((6, 4)) < 0.6) if masked else None
    theirs, levels = torch.tensor(p, requires_grad=True), torch.tensor(level, dtype=torch.float64)
    difference = torch.tensor(y) - theirs
    weights = torch.tensor(np.ones((6, 4)) if mask is None else mask)[..., None].expand(6, 4, 3)
    each = torch.maximum(levels * difference, (levels - 1) * difference)
    loss = (weights * each).sum() / weights.sum()
    loss.backward()
    value, gradient = losses.quantile(p, y, mask, level=level)
    # A sum of 72 numbers of the size of 1.
    assert value == pytest.approx(loss.item(), abs=tolerance.relative(72, "float64"))
    np.testing.assert_allclose(gradient, theirs.grad.numpy(), atol=1e-15)


def test_the_least_pinball_loss_is_at_the_quantile():
    y = RNG.exponential(size=(999, 1))
    for level in (0.05, 0.5, 0.9):
        tried = np.quantile(y, [level - 0.02, level, level + 0.02])
        found = [losses.quantile(np.full_like(y, p), y, level=level)[0] for p in tried]
        assert np.argmin(found) == 1
        below = (y < tried[1]).mean()
        assert below == pytest.approx(level, abs=2 / len(y))
    gradient = losses.quantile(y, y, level=0.9)[1]
    assert not gradient.any(), "at the corner it is 0"


def test_values_by_hand():
    p, y = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 0.0], [3.0, 1.0]])
    assert losses.mse(p, y)[0] == (1 + 4 + 0 + 16) / 4
    assert losses.mse(p, y, mask=np.array([True, False]))[0] == (1 + 4) / 2
    assert losses.mse(p, y, mask=np.array([1.0, 3.0]))[0] == (1 + 4 + 3 * 16) / 8
    assert losses.quantile(p, y)[0] == (1 + 2 + 0 + 4) / 8
    assert losses.quantile(y, p, level=0.25)[0] == (1 + 2 + 0 + 4) / 16
    assert losses.quantile(y, p, np.array([1.0, 3.0]), level=[0.25, 0.5])[0] == (
        (0.25 + 1 + 3 * 2) / 8
    )
    logits, target = np.log(np.array([[0.2, 0.8], [0.5, 0.5]])), np.array([1, 0])
    assert losses.cross_entropy(logits, target)[0] == pytest.approx(-np.log(0.8 * 0.5) / 2)
    weighted = losses.cross_entropy(logits, target, class_weights=np.array([3.0, 1.0]))[0]
    assert weighted == pytest.approx((-np.log(0.8) - 3 * np.log(0.5)) / 4)


def test_huge_scores_do_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        logits = np.array([[1e4, -1e4, 0.0]])
        right, wrong = (losses.cross_entropy(logits, np.array([k])) for k in (0, 1))
    assert right[0] == 0 and wrong[0] == 2e4
    np.testing.assert_array_equal(wrong[1], [[1, -1, 0]])


@pytest.mark.parametrize("kind", ["plain", "mask", "classes"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_more_rows_than_are_worked_on_at_a_time(backend, kind, dtype):
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(7, 50, 900)), rng.integers(0, 900, (7, 50))
    assert logits.astype(dtype).nbytes > 2 * get_backend("numpy").chunk_bytes
    weights, options = np.ones((7, 50)), {}
    if kind == "mask":
        weights = options["mask"] = rng.random((7, 50)) * (rng.random((7, 50)) < 0.6)
    if kind == "classes":
        options["class_weights"] = rng.random(900) * (rng.random(900) < 0.9)
        weights = options["class_weights"][target]
    given = {name: backend.asarray(array) for name, array in options.items()}
    device = backend.asarray(logits, dtype=dtype), backend.asarray(target)
    value, gradient = losses.cross_entropy(*device, **given)
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    share = weights / weights.sum()
    right = np.take_along_axis(shares, target[..., None], axis=-1)[..., 0]
    one_hot = np.arange(900) == target[..., None]
    eps = float(np.finfo(dtype).eps)
    assert value == pytest.approx(
        -(share * np.log(right)).sum(), rel=tolerance.relative(900, dtype)
    )
    ours = backend.to_numpy(gradient)
    assert ours.dtype == dtype and not ours[weights == 0].any()
    wanted = share[..., None] * (shares - one_hot)
    # Of the size of what is subtracted, at the right class, not of the rest.
    np.testing.assert_allclose(
        ours, wanted, rtol=tolerance.relative(900, dtype), atol=eps * share.max()
    )
    np.testing.assert_array_equal(backend.to_numpy(device[0]), logits.astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_masked_may_be_anything(backend, dtype):
    mask = np.array([[1, 0], [1, 1]], bool)
    p, y = RNG.normal(size=(2, 2, 2, 3)).astype(dtype)
    ids = np.array([[1, 99], [0, 2]])
    results = []
    for rubbish in (0, np.nan):
        p[0, 1], y[0, 1] = rubbish, rubbish
        a = losses.mse(*map(backend.asarray, (p, y, mask)))
        b = losses.cross_entropy(*map(backend.asarray, (p, ids, mask)))
        c = losses.quantile(*map(backend.asarray, (p, y, mask)), level=[0.1, 0.5, 0.9])
        results.append([a[0], b[0], c[0], *(backend.to_numpy(g) for g in (a[1], b[1], c[1]))])
        for gradient in results[-1][3:]:
            assert not gradient[0, 1].any() and gradient.dtype == dtype
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


# ------------------------------------------------------------------------------- the weight


@pytest.mark.parametrize("kind", ["plain", "mask", "classes", "both"])
def test_means_of_parts_make_the_mean_of_the_whole(kind):
    rng = np.random.default_rng(0)
    p, y = rng.normal(size=(2, 7, 3))
    ids = rng.integers(0, 3, 7)
    mask = np.array([0.5, 1, 0, 2, 1, 0.1, 3]) if kind in ("mask", "both") else None
    classes = np.array([1.0, 0.1, 5.0]) if kind in ("classes", "both") else None

    def compute(loss, part):
        if loss in ("mse", "quantile"):
            own = {} if mask is None else {"mask": mask[part]}
            return getattr(losses, loss)(p[part], y[part], **own)[0]
        own = {"class_weights": classes} | ({} if mask is None else {"mask": mask[part]})
        return losses.cross_entropy(p[part], ids[part], **own)[0]

    for loss in ("mse", "quantile", "cross_entropy"):
        whole = compute(loss, slice(None))
        parts = [compute(loss, part) for part in (slice(0, 2), slice(2, 6), slice(6, 7))]
        weight = sum(part.weight for part in parts)
        assert weight == pytest.approx(whole.weight, rel=1e-14)
        total = sum(part * part.weight for part in parts)
        assert total / weight == pytest.approx(whole, rel=1e-13)


def test_the_weight_by_hand():
    p, ids = np.zeros((5, 2, 3)), np.array([[0, 1]] * 5)
    mask = np.array([[1, 0]] * 5)
    assert losses.mse(p, p)[0].weight == 30
    assert losses.mse(p, p, mask)[0].weight == 15
    assert losses.quantile(p, p)[0].weight == 30 and losses.quantile(p, p, mask)[0].weight == 15
    assert losses.cross_entropy(p, ids)[0].weight == 10
    assert losses.cross_entropy(p, ids, class_weights=np.array([2.0, 3, 0]))[0].weight == 25
    assert losses.ctc(p, [[1], [2]])[0].weight == 2


def test_more_weights_than_float32_can_count():
    """A running sum of ones in float32 stands still at 2²⁴."""
    mask = np.full((2, 2), 2**24, "float32")
    mask[0, 0] = 1
    value, _ = losses.mse(np.ones((2, 2, 1), "float32"), np.zeros((2, 2, 1), "float32"), mask)
    assert value.weight == 3 * 2**24 + 1


def test_a_mask_in_half_precision_is_summed_in_more():
    p = np.ones((400, 300, 1), "float32")
    value, gradient = losses.mse(p, np.zeros_like(p), np.ones((400, 300), "float16"))
    assert value == pytest.approx(1) and np.isfinite(gradient).all()
    assert value.weight == 120000  # beyond float16


def test_a_mean_is_a_float():
    value = losses.Mean(0.25, 3)
    assert isinstance(value, float) and f"{value:.1f} {value!r}" == "0.2 0.25"
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert other == value and other.weight == 3
