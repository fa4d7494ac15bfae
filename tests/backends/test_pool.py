"""Memory that is used again must never be used twice at once."""

from __future__ import annotations

import numpy as np

from lstm_lab import LSTM
from lstm_lab.backends import pool as pools
from lstm_lab.backends.pool import MOST, SMALLEST, Pool


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_comes_back_when_the_last_view_is_gone():
    pool = Pool()
    array = pool.empty((100, 300), "float32")
    first, view = address(array), array[5:, ::2].T
    del array
    other = pool.empty((100, 300), "float32")
    assert address(other) != first, "a view is still there"
    del view
    assert address(pool.empty((300, 100), "float32")) == first


def test_arrays_in_use_never_share_memory():
    pool, rng, held = Pool(), np.random.default_rng(0), {}
    for step in range(400):
        shape = tuple(int(n) for n in rng.integers(100, 400, 2))
        array = pool.empty(shape, "float64")
        array[...] = step
        held[step] = array
        if len(held) > 6:
            del held[rng.choice(list(held))]
        for mark, other in held.items():
            assert (other == mark).all()


def test_arrays_are_aligned_plain_and_writable():
    pool = Pool()
    for shape in [(3,), (70_000,), (7, 5, 4_001), (0, 5)]:
        for dtype in ("float32", "float64"):
            array = pool.empty(shape, dtype)
            assert array.shape == shape and array.dtype == dtype
            assert array.flags.c_contiguous and array.flags.writeable
            if array.nbytes >= SMALLEST:
                assert address(array) % pools.ALIGNMENT == 0


def test_what_nobody_uses_is_bounded():
    pool = Pool()
    arrays = [pool.empty((MOST // 3,), "uint8") for _ in range(5)]
    assert pool.kept == 0
    del arrays
    assert 0 < pool.kept <= MOST


def test_an_output_outlives_its_layer():
    """y is the caller's: a later call must not write into it."""
    rng = np.random.default_rng(0)
    lstm = LSTM(4, 64, seed=0)
    x = rng.normal(size=(50, 16, 4)).astype("float32")
    y, trace = lstm.forward(x)
    grad = lstm.backward(y, trace)
    kept = [a.copy() for a in (y, grad.x, trace.cell)]
    for _ in range(3):
        other, its_trace = lstm.forward(2 * x)
        lstm.backward(other, its_trace)
    for before, now in zip(kept, (y, grad.x, trace.cell), strict=True):
        np.testing.assert_array_equal(before, now)
