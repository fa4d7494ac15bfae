"""Chapter 10's last task: what is learnt from is not what is judged."""

from __future__ import annotations

import numpy as np

from benchmarks import across


def test_what_is_seen_and_what_follows_are_one_series():
    seen, truth = across.test()
    assert seen.shape == (24, 400, 1) and truth.shape == (400, 6)
    x, target = across.examples(across.TESTS, 1_000_000)
    np.testing.assert_array_equal(seen, x[:24])
    np.testing.assert_array_equal(truth.T, target[23:, :, 0])
    for count in across.COUNTS:
        learnt, _ = across.examples(count, 0)
        assert not np.isin(learnt[0, :, 0], x[0, :, 0]).any()


def test_each_forecast_is_an_input_of_the_next():
    seen = np.arange(24.0)[:, None, None] * np.ones((1, 2, 1))
    said = across.roll_out(lambda x: x[-1, :, 0] + x[-2, :, 0], seen)
    assert said[0].tolist() == [45, 68, 113, 181, 294, 475]
