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
