"""Chapter 16's baselines, and what they are held against."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from benchmarks import video


def test_a_window_holds_the_frames_before():
    x = np.arange(6.0).reshape(3, 1, 2)
    np.testing.assert_array_equal(
        video.window(x, 2)[:, 0], [[0, 0, 0, 1], [0, 1, 2, 3], [2, 3, 4, 5]]
    )
    np.testing.assert_array_equal(video.window(x, 1), x)


def test_the_errors_are_of_the_first_frame_out_and_of_all():
    held = video.clips("test", 20, 0)
    zero = np.zeros_like(held.frames[1:])
    found = video.wall_errors(zero, held)
    first = held.frames[held.out, np.arange(20)]
    assert found["first"] == pytest.approx(1000 * (first**2).mean(), rel=1e-5)
    assert found["all"] == pytest.approx(1000 * (held.frames[1:] ** 2).mean(), rel=1e-5)
    assert video.wall_errors(held.frames[1:], held) == {"first": 0, "all": 0}


def test_who_is_told_all_but_the_digit_knows_where_it_is():
    held = video.clips("test", 50, 0)
    told = video.told_all_but_the_digit(held)
    ink = held.frames[1:] > 0
    assert (told[ink] > 0).mean() > 0.99
    assert not told.reshape(-1, *held.shape)[..., held.wall].any()
    # The mean is the best that one answer for all digits can be, so that it beats the empty frame.
    found, empty = (video.wall_errors(p, held)["first"] for p in (told, np.zeros_like(told)))
    assert found < 0.6 * empty


def test_least_squares_finds_what_is_linear():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 40, 3)).astype("float32")
    target = x @ rng.normal(size=(3, 2)).astype("float32") + 1
    answer = video.linear(x, target)
    np.testing.assert_allclose(answer(x), target, atol=0.02)


def test_no_row_is_written_twice(tmp_path, monkeypatch):
    found = {part: {"first": 1.5} for part in video.PARTS}
    calls = []

    def methods(seed, done):
        for name in ("a", "b"):
            if name not in done:
                calls.append((seed, name))
                yield name, found, 3, 0.25

    monkeypatch.setattr(video, "TASKS", {"wall": methods})
    file = tmp_path / "rows.csv"
    video.measure(file, range(1))
    video.measure(file, range(2))
    assert calls == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 8 and rows[0]["value"] == "1.5000" and rows[0]["part"] == "validation"
