"""The bounds of float32 let rounding pass, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM

from . import tolerance


@pytest.mark.parametrize("n", [10, 1_000, 100_000])
def test_a_sum_in_any_order_passes_and_its_error_comes_near(n):
    """Two hundred sums of n numbers each, in several orders, in float32."""
    values = np.random.default_rng(n).normal(1, 1, size=(200, n)).astype("float32")
    exact = values.sum(axis=1, dtype="float64")
    size = abs(values).sum(axis=1, dtype="float64").max()
    one_after_another = np.cumsum(values, axis=1, dtype="float32")[:, -1]
    for ours in (one_after_another, np.cumsum(values[:, ::-1], axis=1)[:, -1], values.sum(axis=1)):
        tolerance.assert_close(ours, exact, n, at_least=size)
    # Of λ = 8 deviations the worst of two hundred sums needs more than a twentieth.
    bound = tolerance.absolute(exact, n, at_least=size)
    assert bound / 160 < abs(one_after_another - exact).max() < bound / 2


def test_the_bound_follows_precision_length_and_size():
    reference = np.array([0.0, -9.0, 2.0])
    bound = tolerance.absolute(reference, 100)
    assert bound == 4 * 10 * 2.0**-23 * 9
    assert tolerance.absolute(reference, 400) == 2 * bound
    assert tolerance.absolute(reference * 8, 100) == 8 * bound
    assert tolerance.absolute(reference, 100, "float64") == bound * 2.0**-29
    assert tolerance.absolute(reference, 100, at_least=18) == 2 * bound
    assert tolerance.absolute(reference, 100, amplified=3) == 3 * bound
    assert tolerance.absolute(np.zeros(3), 100) == 0
    lstm = LSTM(3, 5, 2, bidirectional=True)
    assert tolerance.of_layer(lstm, 6, 4) == 2 * 6 * (10 + 5 + tolerance.CELL) + 6 * 4


def refused(ours, reference=None, **size) -> bool:
    reference = np.linspace(-9, 9, 60).reshape(3, 20) if reference is None else reference
    try:
        tolerance.assert_close(ours, reference, 200, name="dU", **size)
    except AssertionError as error:
        return "dU" in str(error)
    return False


def test_a_wrong_array_is_refused():
    right = np.linspace(-9, 9, 60).reshape(3, 20)
    assert not refused(right.astype("float32"))
    assert not refused(right * (1 + 2e-6)), "the red of a Xeon: 1.1e-5 of 9"
    scaled, dropped, holey = right.copy(), right.copy(), right.copy()
    scaled[0] *= 1.001  # one gate's part of a gradient
    dropped[1, 3] += 0.01
    holey[2, 2] = np.nan
    for wrong in (scaled, dropped, holey, right[:2], right.T, -right, right * 0):
        assert refused(wrong)
    assert refused(np.full((3, 20), 1e-30), np.zeros((3, 20))), "of zeros nothing may be left"
    assert not refused(np.full((3, 20), 1e-6), np.zeros((3, 20)), at_least=1)
    with pytest.raises(ValueError, match="not finite"):
        tolerance.assert_close(right, np.full((3, 20), np.inf), 200)
