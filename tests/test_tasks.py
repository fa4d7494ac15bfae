"""The classic tasks: what they promise, checked on what they drew."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import tasks

from . import tolerance

EVERY = {
    "first_symbol": lambda seed: tasks.first_symbol(50, 12, seed),
    "temporal_order": lambda seed: tasks.temporal_order(50, seed, length=40, marks=3),
    "adding": lambda seed: tasks.adding(50, 30, seed),
    "copying": lambda seed: tasks.copying(50, 7, seed),
    "oscillations": lambda seed: tasks.oscillations(50, 9, seed),
    "turns": lambda seed: tasks.turns(50, seed, missing=0.2),
}


def read(x: np.ndarray, names: str) -> list[str]:
    """One-hot sequences as words, up to their ends."""
    assert set(np.unique(x)) <= {0, 1} and x.sum(axis=2).max() == 1
    return [
        "".join(names[k] for k, there in zip(s.argmax(1), s.any(1), strict=True) if there)
        for s in x.transpose(1, 0, 2)
    ]


@pytest.mark.parametrize("name", EVERY)
def test_a_seed_is_a_draw(name: str):
    one, same, other = EVERY[name](3), EVERY[name](np.random.default_rng(3)), EVERY[name](4)
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert one[0].dtype == np.float32


def test_the_first_symbol_is_the_target():
    x, target = tasks.first_symbol(400, 9, 0, symbols=3, noise=2)
    words = read(x, "012ab")
    assert [int(word[0]) for word in words] == target.tolist()
    assert all(len(word) == 9 and set(word[1:]) <= {"a", "b"} for word in words)
    assert np.bincount(target).min() > 90


@pytest.mark.parametrize(
    ("marks", "places"), [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])]
)
def test_temporal_order_is_that_of_1997(marks: int, places: list[tuple[int, int]]):
    x, target, lengths = tasks.temporal_order(2000, 0, marks=marks)
    assert x.shape == (110, 2000, 8)
    assert (lengths.min(), lengths.max()) == (100, 110)
    seen = [set() for _ in places]
    for word, answer, length in zip(read(x, "EBabcdXY"), target, lengths, strict=True):
        assert len(word) == length and word[0] == "E" and word[-1] == "B"
        at = [k for k, letter in enumerate(word) if letter in "XY"]
        assert int("".join("01"[word[k] == "Y"] for k in at), 2) == answer
        for where, k in zip(seen, at, strict=True):
            where.add(k)
    for where, (low, high) in zip(seen, places, strict=True):
        assert where == set(range(low, high + 1))
    assert np.bincount(target, minlength=2**marks).min() > 0.8 * 2000 / 2**marks


def test_temporal_order_stretches():
    x, _, lengths = tasks.temporal_order(300, 0, length=500)
    at = np.flatnonzero(x[:, :, 6:].any(axis=(1, 2)))
    assert (at.min(), at.max()) == (50, 300) and lengths.max() == 550


def test_adding_is_that_of_1997():
    x, target, lengths = tasks.adding(3000, 100, 0)
    assert x.shape == (110, 3000, 2) and target.shape == (3000, 1)
    seconds = []
    for k, length in enumerate(lengths):
        values, marks = x[:length, k].astype("float64").T
        assert not x[length:, k].any()
        assert marks[0] == marks[-1] == -1
        marked = np.flatnonzero(marks == 1)
        # A mark that fell on the first step counts as zero and is hidden by its −1.
        assert len(marked) == 2 or (len(marked) == 1 and values[0] == 0)
        tolerance.assert_close(target[k, 0], 0.5 + values[marked].sum() / 4, 4)
        if len(marked) == 2:
            assert marked[0] < 10 or marked[1] < 10
            seconds.append(marked.max())
    assert max(seconds) == 49
    assert np.mean((target - 0.5) ** 2) == pytest.approx(tasks.ADDING_BASELINE, rel=0.1)
    assert 0.25 < np.abs(target - 0.5).max() <= 0.5


def test_copying_is_that_of_2016():
    x, target = tasks.copying(40, 6, 0, count=4)
    for word, answer in zip(read(x, "01234567_!"), target.T, strict=True):
        said = "".join("01234567_"[k] for k in answer)
        assert word == word[:4] + "_____!____" and said == "_" * 10 + word[:4]
    assert set(target[-4:].ravel()) == set(range(8))


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda: tasks.adding(0, 30, 0), ValueError, "batch"),
        (lambda: tasks.adding(1, 20, 0), ValueError, "length"),
        (lambda: tasks.adding(1, 30, None), TypeError, "seed"),
        (lambda: tasks.adding(1, 30, 1.5), TypeError, "seed"),
        (lambda: tasks.first_symbol(1, 1, 0), ValueError, "length"),
        (lambda: tasks.first_symbol(1, 5, 0, symbols=1), ValueError, "symbols"),
        (lambda: tasks.temporal_order(1, 0, marks=4), ValueError, "marks"),
        (lambda: tasks.temporal_order(1, 0, length=10), ValueError, "length"),
        (lambda: tasks.copying(1, 0, 0), ValueError, "delay"),
        (lambda: tasks.copying(1, 3, 0, symbols=1), ValueError, "symbols"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, error, named: str):
    with pytest.raises(error, match=f"^{named}"):
        call()


IMAGES = np.arange(1, 25, dtype="float32").reshape(2, 3, 4)


def test_images_are_drawn_where_they_are():
    frames = tasks.drawn(IMAGES, np.array([[0, -2], [3, 9], [5, 2]]), 7)
    assert frames.shape == (3, 2, 3, 7) and frames.dtype == np.float32
    empty = np.zeros((3, 7))
    for (t, n), columns in {
        (0, 0): (slice(0, 4), slice(0, 4)),
        (1, 0): (slice(3, 7), slice(0, 4)),
        (2, 0): (slice(5, 7), slice(0, 2)),
        (0, 1): (slice(0, 2), slice(2, 4)),
        (2, 1): (slice(2, 6), slice(0, 4)),
    }.items():
        expected = empty.copy()
        expected[:, columns[0]] = IMAGES[n][:, columns[1]]
        np.testing.assert_array_equal(frames[t, n], expected)
    assert not frames[1, 1].any()


def test_behind_the_wall_nothing_is_seen_and_the_image_comes_out():
    clips = tasks.behind_a_wall(IMAGES, 400, 0, steps=18, width=22, hidden=7, speeds=(1, 3))
    assert len(clips) == 400 and "18 frames, 3 × 22 pixels" in repr(clips)
    assert (clips.wall.start, clips.wall.stop) == (7, 14) and clips.shape == (3, 22)
    frames = clips.frames.reshape(18, 400, 3, 22)
    assert not frames[..., clips.wall].any()
    whole = tasks.drawn(IMAGES[clips.which], np.minimum(clips.places, 22), 22)
    whole[..., clips.wall] = 0
    np.testing.assert_array_equal(frames, whole)
    # Whole in the first frame, on its way at its own speed, and every choice is drawn.
    assert clips.places[0].min() == 0 and clips.places[0].max() == 3
    assert (np.diff(clips.places, axis=0) == clips.speeds).all()
    assert set(clips.speeds) == {1, 3} and set(clips.which) == {0, 1}
    # Out is the first frame with ink to the right; before it all is hidden, at least as long as
    # the speed allows.
    right = frames[..., clips.wall.stop :].any(axis=(2, 3))
    every = np.arange(400)
    assert (right.argmax(axis=0) == clips.out).all() and right[clips.out, every].all()
    assert not clips.frames[clips.out - 1, every].any()
    blank = ~clips.frames.any(axis=2) & (np.arange(18)[:, None] < clips.out)
    assert set(blank.sum(axis=0)[clips.speeds == 1]) == {4}
    assert set(blank.sum(axis=0)[clips.speeds == 3]) <= {1, 2}


def test_clips_are_a_draw_of_their_seed():
    one, same, other = (tasks.behind_a_wall(IMAGES, 9, seed, width=24) for seed in (1, 1, 2))
    assert np.array_equal(one.frames, same.frames)
    assert not np.array_equal(one.frames, other.frames)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": IMAGES[0]}, "images must be numbers"),
        ({"images": IMAGES * np.nan}, "images holds NaN"),
        ({"batch": 0}, "batch must be"),
        ({"hidden": 3}, "hidden must be .*never hidden"),
        ({"width": 18}, "width must be .*both sides"),
        ({"speeds": ()}, "speeds must hold one"),
        ({"speeds": (0,)}, "speeds must be"),
        ({"steps": 8}, "steps must be at least 10, .*slowest"),
    ],
)
def test_clips_that_cannot_be(change, message):
    asked = {"images": IMAGES, "batch": 2, "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        tasks.behind_a_wall(**asked)


@pytest.mark.parametrize(
    ("places", "message"), [([[0.5, 1.0]], "whole numbers"), ([[1]], r"\(T, 2\)"), ([1, 2], "got")]
)
def test_places_that_fit_no_images(places, message):
    with pytest.raises(ValueError, match=message):
        tasks.drawn(IMAGES, np.array(places), 9)


def test_turns_are_counted_as_they_show():
    x, target = tasks.turns(500, 0, steps=12, ring=7, most=2)
    assert x.shape == (12, 500, 7) and target.shape == (12, 500)
    assert (x.sum(axis=2) == 1).all()
    moved = np.diff(x.argmax(axis=2), axis=0) % 7
    assert set(np.unique(moved)) == {1, 6}
    shown = np.zeros_like(target)
    shown[2:] = moved[1:] != moved[:-1]
    np.testing.assert_array_equal(shown.cumsum(axis=0), target)
    assert np.bincount(target[-1], minlength=3).min() > 0.8 * 500 / 3


def test_a_frame_and_a_pair_say_nothing_of_the_number_of_turns():
    x, target = tasks.turns(60_000, 0, steps=5, ring=3, most=2)
    places, count = x.argmax(axis=2), target[-1]
    for t in range(4):
        pair = 3 * places[t] + places[t + 1]
        table = np.array([np.bincount(pair[count == k], minlength=9) for k in range(3)])
        table = table / table.sum(axis=1, keepdims=True)
        # 20,000 clips of each number: a fraction near 1/6 is known to 0.003.
        assert np.ptp(table, axis=0).max() < 5 * 0.004
    three = 9 * places[1] + 3 * places[2] + places[3]
    table = np.array([np.bincount(three[count == k], minlength=27) for k in range(3)])
    assert np.ptp(table / table.sum(axis=1, keepdims=True), axis=0).max() > 0.05


def test_lost_frames_are_empty_and_change_nothing_else():
    x, target = tasks.turns(2000, 0)
    lost, same = tasks.turns(2000, 0, missing=0.3)
    np.testing.assert_array_equal(target, same)
    empty = ~lost.any(axis=2)
    assert 0.28 < empty.mean() < 0.32
    np.testing.assert_array_equal(lost[~empty], x[~empty])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 4}, "steps must be .*room"),
        ({"ring": 2}, "ring must be .*both ways"),
        ({"missing": 1}, r"missing must lie in \[0, 1\)"),
        ({"most": 0}, "most must be"),
    ],
)
def test_turns_that_cannot_be(change, message):
    with pytest.raises(ValueError, match=message):
        tasks.turns(2, 0, **change)


def test_an_oscillation_is_a_sinusoid_and_noise():
    x, target = tasks.oscillations(300, 40, 0, noise=0)
    assert x.shape == target.shape == (40, 300, 1) and target.dtype == np.float32
    np.testing.assert_array_equal(x[1:], target[:-1])
    # A sinusoid satisfies x(t+1) + x(t-1) = 2 cos(ω) x(t), each with its own ω.
    middle, sides = x[1:-1, :, 0].astype("float64"), (x[2:] + x[:-2])[:, :, 0].astype("float64")
    cosine = (middle * sides).sum(axis=0) / (middle**2).sum(axis=0) / 2
    eps = float(np.finfo("float32").eps)
    np.testing.assert_allclose(sides, 2 * cosine * middle, atol=8 * eps)
    periods = 2 * np.pi / np.arccos(cosine)
    assert 5.99 < periods.min() < 6.5 and 19.5 < periods.max() < 20.01
    heights = abs(x).max(axis=(0, 2))
    assert heights.min() > 0.45 and 1.3 < heights.max() <= 1.5


def test_the_noise_of_an_oscillation_is_what_it_is_said_to_be():
    noisy, plain = (tasks.oscillations(500, 40, 0, noise=noise)[0] for noise in (0.2, 0.0))
    # 20 000 draws: the standard deviation is known to 1 / √40 000.
    assert np.std(noisy - plain) == pytest.approx(0.2, rel=4 / 40000**0.5)
