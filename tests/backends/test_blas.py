"""What the library asks of BLAS, and that it leaves BLAS as it was."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from lstm_lab import LSTM, Attention, Linear
from lstm_lab.backends import blas
from lstm_lab.backends.numpy_backend import NumpyBackend


@pytest.fixture
def two_threads():
    """Every BLAS on two threads; gives a function that says how many they are on now."""
    blas.forget()
    with threadpool_limits(2, user_api="blas"):
        yield lambda: {library.num_threads for library in blas.controller().lib_controllers}


def test_one_thread_inside_and_what_was_before_after(two_threads):
    assert two_threads() == {2}
    with blas.single_threaded():
        assert two_threads() == {1}
        with blas.single_threaded():
            assert two_threads() == {1}
        assert two_threads() == {1}, "the outer block is not over"
    assert two_threads() == {2}
    with pytest.raises(KeyError), blas.single_threaded():
        raise KeyError
    assert two_threads() == {2}


def test_blocks_that_overlap_in_two_threads(two_threads):
    entered, leave = threading.Event(), threading.Event()

    def other():
        with blas.single_threaded():
            entered.set()
            leave.wait(20)

    thread = threading.Thread(target=other)
    with blas.single_threaded():
        thread.start()
        assert entered.wait(20)
    leave.set()
    thread.join()
    assert two_threads() == {2}


@pytest.mark.parametrize("hidden, threads", [(8, {1}), (400, {2})])
def test_a_layer_keeps_small_steps_on_one_thread(two_threads, monkeypatch, hidden, threads):
    seen = []
    product = NumpyBackend.product

    def spied(self, weights, n):
        multiply = product(self, weights, n)

        def spy(right, out):
            seen.append(two_threads())
            multiply(right, out)

        return spy

    monkeypatch.setattr(NumpyBackend, "product", spied)
    lstm = LSTM(3, hidden, backend="numpy", seed=0)
    x = np.zeros((2, 32, 3), "float32")
    y, trace = lstm.forward(x)
    assert len(seen) == 2 and two_threads() == {2}
    lstm.backward(y, trace)
    assert len(seen) == 4 and all(threads == now for now in seen) and two_threads() == {2}


def test_another_python_thread_may_do_the_same(two_threads):
    """threadpoolctl lets one of them at a time set OpenBLAS's threads."""
    seen = []

    def other():
        with blas.single_threaded():
            seen.append(two_threads())

    with blas.single_threaded():
        pass
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [{1}] and two_threads() == {2}


def spied_on(monkeypatch, seen):
    """Have each product of so many operations by itself say in ``seen`` on how many threads."""
    multiplying = NumpyBackend.multiplying

    @contextmanager
    def spy(self, flops):
        with multiplying(self, flops):
            seen.append((flops, {each.num_threads for each in blas.controller().lib_controllers}))
            yield

    monkeypatch.setattr(NumpyBackend, "multiplying", spy)


def layers_and_inputs():
    x = np.ones((30, 4, 6), "float32")
    yield Linear(6, 5, backend="numpy", seed=0), (x,)
    yield LSTM(6, 5, backend="numpy", seed=0), (x,)
    yield Attention(6, 6, backend="numpy", seed=0), (x, x)


@pytest.mark.parametrize("below, threads", [(1e12, {1}), (1.0, {2})])
def test_products_by_themselves_are_shared_where_that_is_worth_a_meeting(
    two_threads, monkeypatch, below, threads
):
    monkeypatch.setattr(blas, "ONE_THREAD_ALONE_BELOW", below)
    for layer, inputs in layers_and_inputs():
        seen = []
        spied_on(monkeypatch, seen)
        y, trace = layer.forward(*inputs)
        layer.backward(y, trace)
        assert seen and {frozenset(now) for _, now in seen} == {frozenset(threads)}, layer
        # Steps by sequences by rows by columns, twice: of a weight's product at the least.
        assert all(2 * 120 * 6 * 5 <= flops <= 2 * 120 * 20 * 6 for flops, _ in seen), (layer, seen)
        assert two_threads() == {2}
        monkeypatch.undo()
        monkeypatch.setattr(blas, "ONE_THREAD_ALONE_BELOW", below)


def test_nothing_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    blas.forget()
    try:
        assert blas.controller() is None and blas.row_blocks(512, 128, 32) == 1
        with blas.single_threaded():
            pass
    finally:
        blas.forget()


@pytest.mark.parametrize("directions, rows, inner, n", [(1, 512, 128, 32), (2, 96, 300, 64)])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_product_in_blocks_is_the_product(monkeypatch, directions, rows, inner, n, transposed):
    monkeypatch.setattr(blas, "has_small_products", lambda: True)
    assert blas.row_blocks(rows, inner, n) > 1
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(directions, rows, inner))
    if transposed:
        weights = np.ascontiguousarray(weights.transpose(0, 2, 1)).transpose(0, 2, 1)
    right, out = rng.normal(size=(directions, inner, n)), np.empty((directions, rows, n))
    NumpyBackend().product(weights, n)(right, out)
    np.testing.assert_allclose(out, weights @ right, rtol=0, atol=1e-12)


def test_blocks_divide_the_rows(monkeypatch):
    monkeypatch.setattr(blas, "has_small_products", lambda: True)
    for rows, inner, n in [(512, 128, 32), (800, 200, 20), (1024, 256, 64), (4099, 64, 9)]:
        blocks = blas.row_blocks(rows, inner, n)
        assert rows % blocks == 0 and (blocks == 1 or rows // blocks * inner * n <= 10**6)
    assert blas.row_blocks(512, 128, 65) == blas.row_blocks(512, 128, 1) == 1
