"""Windows that do not leak, scales and seasons."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab.cli import INSTALL_TEST
from lstm_lab.data import Climatology, Standardizer, load, split, windows


def test_windows():
    x, target = windows(np.arange(10), length=4, horizon=2)
    assert x.shape == (4, 5, 1)
    assert target.shape == (5, 2)
    for n in range(5):
        assert list(x[:, n, 0]) == [n, n + 1, n + 2, n + 3]
        assert list(target[n]) == [n + 4, n + 5]


def test_windows_are_copies():
    values = np.arange(6.0)
    x, target = windows(values, 3)
    values[:] = -1
    x[0, 0, 0] = 99
    assert x[1, 0, 0] == 1
    assert (x[:, 1, 0] == [1, 2, 3]).all()
    assert (target[:, 0] == [3, 4, 5]).all()


def test_split_covers_the_series_once():
    parts = split(np.arange(20), 4, 3)
    assert [list(part) for part in parts] == [list(range(13)), [13, 14, 15, 16], [17, 18, 19]]


def test_with_context_no_value_is_a_target_twice():
    train, validation, test = split(np.arange(30), 6, 5, context=4)
    targets = [windows(part, 4)[1][:, 0].tolist() for part in (train, validation, test)]
    assert sum(targets, []) == list(range(4, 30))
    assert targets[1][0] == 19
    assert targets[2] == [25, 26, 27, 28, 29]


def test_nothing_of_the_future_reaches_training():
    """Another future leaves every training window and the standardiser exactly as they were."""
    rng = np.random.default_rng(0)
    series = rng.normal(size=60).cumsum()
    other = series.copy()
    other[45:] = 1e6 * rng.normal(size=15)

    def prepared(values):
        train, validation, test = split(values, 10, 15, context=8)
        scale = Standardizer.fit(train)
        return scale, *windows(scale(train), 8, 3), *windows(scale(validation), 8, 3), test

    first, second = prepared(series), prepared(other)
    assert first[0] == second[0]
    for mine, others in zip(first[1:5], second[1:5], strict=True):
        np.testing.assert_array_equal(mine, others)
    assert (first[5] != second[5]).any()
    # The same for the validation part, seen from training.
    other = series.copy()
    other[35:] += 7.0
    third = prepared(other)
    assert first[0] == third[0]
    np.testing.assert_array_equal(first[1], third[1])
    np.testing.assert_array_equal(first[2], third[2])
    assert (first[4] != third[4]).any()


def test_standardizer():
    values = np.array([1.0, 2.0, 6.0])
    scale = Standardizer.fit(values)
    assert scale == Standardizer(values.mean(), values.std())
    assert scale(values).mean() == pytest.approx(0)
    assert scale(values).std() == pytest.approx(1)
    np.testing.assert_allclose(scale.undo(scale([4.0, -1.0])), [4.0, -1.0])
    assert scale.undo(np.zeros((2, 3))).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: windows(np.zeros((4, 2)), 2), r"values must be one series .*shape \(4, 2\)"),
        (lambda: windows(["a", "b"], 1), "values must be one series"),
        (lambda: windows([1, np.nan, 3], 1), r"values\[1\] is nan"),
        (lambda: windows(np.zeros(5), 0), "length must be"),
        (lambda: windows(np.zeros(5), 2, 0), "horizon must be"),
        (lambda: windows(np.zeros(5), 4, 2), "need at least 6"),
        (lambda: split(np.zeros(5)), "at least one part"),
        (lambda: split(np.zeros(5), 5), "leave 0 to learn from"),
        (lambda: split(np.zeros(5), 2, context=4), "at least 4 steps"),
        (lambda: split(np.zeros(5), 0), "sizes must be"),
        (lambda: split(np.zeros(5), 2, context=-1), "context must be"),
        (lambda: Standardizer.fit(np.ones(4)), "all the same"),
        (lambda: Standardizer.fit([]), "all the same"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_climatology():
    season = Climatology.fit([1, 10, 100, 3, 30, 300, 5], period=3)
    assert list(season.means) == [3, 20, 200]
    assert list(season.at([0, 1, 5, 6])) == [3, 20, 200, 3]
    assert list(season([3, 21, 202, 6])) == [0, 1, 2, 3]
    # A part that begins later says where.
    assert list(season([20, 201], start=4)) == [0, 1]


def test_anomalies_and_the_calendar_give_the_series_back():
    values = load("el_nino").values
    season = Climatology.fit(values[:240], period=12)
    steps = np.arange(len(values))
    assert season(values) + season.at(steps) == pytest.approx(values)
    assert season(values)[:240].reshape(-1, 12).mean(axis=0) == pytest.approx(np.zeros(12))
    assert season(values[100:], start=100) == pytest.approx(season(values)[100:])


@pytest.mark.parametrize(
    ("values", "period", "message"),
    [
        ([1.0, 2.0], 3, "less than one cycle of 3"),
        ([1.0, np.nan, 2.0], 2, "is nan"),
        ([[1.0, 2.0]], 2, "one series"),
    ],
)
def test_what_a_climatology_cannot_be_measured_on(values, period, message):
    with pytest.raises(ValueError, match=message):
        Climatology.fit(values, period)


def test_a_climatology_without_a_period():
    with pytest.raises((TypeError, ValueError), match="period"):
        Climatology.fit([1.0, 2.0], 0)


# --------------------------------------------------------------- what numbers alone do not say

GAPS = np.ma.masked_equal([1.0, 2, -9999, 4, 5, 6, 7], -9999)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Standardizer.fit(GAPS),
        lambda: Standardizer(0.0, 1.0)(GAPS),
        lambda: Standardizer(0.0, 1.0).undo(GAPS),
        lambda: windows(GAPS, 2),
        lambda: split(GAPS, 2),
        lambda: windows([GAPS[:3], GAPS[3:6]], 2),
    ],
)
def test_masked_values_are_not_read_as_numbers(call):
    with pytest.raises(ValueError, match=r"values(\[0\])? holds 1 masked values.*filled"):
        call()


def test_what_is_masked_nowhere_is_plain():
    assert Standardizer.fit(np.ma.masked_equal([1.0, 3.0], -9999)).mean == 2


@pytest.mark.parametrize(
    "values", [np.array(["2020", "2021", "2022"], "datetime64[Y]"), [1, "2", 3], [1j, 2, 3]]
)
def test_dates_words_and_complex_numbers_are_no_series(values):
    with pytest.raises((TypeError, ValueError), match="values must be"):
        windows(values, 1)


def test_the_byte_order_of_a_file_is_the_files_own_affair(require):
    values = np.array([1.0, 2, 3, 5])
    for name in (">f4", "<f8", ">f8", ">i2"):
        x, target = windows(values.astype(name), 2)
        assert x.dtype.isnative and target.tolist() == [[3], [5]]
    pandas = require("pandas", INSTALL_TEST)
    assert windows(pandas.Series(values), 2)[1].tolist() == [[3], [5]]
    with pytest.raises(ValueError, match=r"values\[1\] is nan"):
        windows(pandas.array([1, None, 3], dtype="Int64"), 1)
