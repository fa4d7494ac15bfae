"""Cuts of a ragged batch: where they are made, and that they change nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, BiLSTM
from lstm_lab.layers.packing import Packing

LENGTHS = [4, 9, 1, 9, 6, 2, 6, 3]
T, B, D, H = 9, 8, 3, 5


def cost(packing, spare):
    return sum(spare + (each.stop - each.start) * each.width for each in packing.segments)


@pytest.mark.parametrize("spare", [0, 1, 3, 7, 20, 1e9])
@pytest.mark.parametrize("seed", range(4))
def test_no_other_cuts_cost_less(spare, seed):
    """All of them are tried."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, T + 1, B)
    packing = Packing(lengths, T, B, spare)
    sequences = -np.sort(-lengths)
    *within, last = np.unique(lengths)
    costs = []
    for number in range(len(within) + 1):
        for chosen in itertools.combinations(within, number):
            edges = [0, *chosen, last]
            costs.append(
                sum(
                    spare + (stop - start) * int((sequences > start).sum())
                    for start, stop in itertools.pairwise(edges)
                )
            )
    assert cost(packing, spare) == min(costs)
    first, *others = packing.segments
    assert first.start == 0 and packing.segments[-1].stop == last
    for before, after in itertools.pairwise([first, *others]):
        assert before.stop == after.start and before.width > after.width


def test_with_nothing_to_spare_nothing_is_computed_in_vain():
    packing = Packing(LENGTHS, T, B)
    steps = sum((each.stop - each.start) * each.width for each in packing.segments)
    assert steps == sum(LENGTHS) and len(packing.segments) == len(set(LENGTHS))


def passes(layer, spare, monkeypatch, given_state):
    """Everything that a pass gives, on the host, in an order; cut as ``spare`` says."""
    monkeypatch.setattr(type(layer), "_spare_steps", lambda self: spare)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, layer.output_size))
    for b, length in enumerate(LENGTHS):
        x[length:, b] = dy[length:, b] = np.nan
    device, host = layer.backend.asarray, layer.backend.to_numpy
    rows = layer.num_layers * layer.directions
    states = [
        tuple(device(rng.normal(size=(rows, B, size))) for size in layer.state_sizes)
        for _ in range(2)
    ]
    state, dstate = (each if len(each) > 1 else each[0] for each in states)
    if not given_state:
        state = dstate = None
    seed = np.random.default_rng(1)
    y, trace = layer.forward(device(x), state, LENGTHS, rng=seed)
    seed = np.random.default_rng(1)
    short, last = layer.forward(device(x), state, LENGTHS, rng=seed, trace=False)
    found = {"y": y, "without a trace": short}
    for k, arrays in enumerate((trace.state, last.state)):
        arrays = arrays if isinstance(arrays, tuple) else (arrays,)
        found |= {f"state {k} {n}": array for n, array in enumerate(arrays)}
    for name in (*layer.cell.gates, *layer.cell.states):
        found[name] = getattr(trace, name)
    for keep in (False, True):
        grad = layer.backward(device(dy), trace, dstate, keep=keep)
        first = grad.state if isinstance(grad.state, tuple) else (grad.state,)
        found |= {f"d{name} {keep}": array for name, array in grad.params.items()}
        found |= {f"dstate {n} {keep}": array for n, array in enumerate(first)}
        found[f"dx {keep}"] = grad.x
    for name in (*layer.cell.gates, *layer.cell.states):
        found[f"along {name}"] = getattr(grad.trace, name)
    return {name: host(array) for name, array in found.items()}, len(trace.records[0].segments)


LAYERS = [
    (LSTM, {}),
    (BiLSTM, {"num_layers": 2, "dropout": 0.3, "recurrent_dropout": 0.3}),
    (BiLSTM, {"peepholes": True, "truncated": True}),
    (BiLSTM, {"layer_norm": True, "proj_size": 2}),
    (LSTM, {"forget_gate": False}),
    (GRU, {"bidirectional": True}),
    (GRU, {"bidirectional": True, "reset_after": False, "recurrent_dropout": 0.2}),
    (RNN, {"bidirectional": True}),
]


@pytest.mark.parametrize(("kind", "options"), LAYERS)
@pytest.mark.parametrize("given_state", [False, True])
def test_cuts_change_nothing(backend, monkeypatch, kind, options, given_state):
    """What is computed past a sequence's end reaches nothing: not even a NaN in the padding.

    To rounding: a product of other width is one of another kernel of BLAS.
    """
    layer = kind(D, H, dtype="float64", backend=backend, seed=0, **options)
    exact, number = passes(layer, 0, monkeypatch, given_state)
    assert number == len(set(LENGTHS))
    for spare, few in ((6, range(2, number)), (1e9, [1])):
        found, segments = passes(layer, spare, monkeypatch, given_state)
        assert segments in few
        assert found.keys() == exact.keys()
        for name, array in found.items():
            np.testing.assert_allclose(array, exact[name], rtol=0, atol=1e-12, err_msg=name)
            if array.shape[:2] == (T, B):
                past = [array[length:, b] for b, length in enumerate(LENGTHS)]
                assert not any(each.any() for each in past), name


def test_a_small_layer_is_cut_less_than_a_large_one():
    x = np.zeros((T, B, D), "float32")
    numbers = []
    for hidden in (4, 100, 1000):
        layer = LSTM(D, hidden, backend="numpy", seed=0)
        numbers.append(len(layer.forward(x, lengths=LENGTHS)[1].records[0].segments))
    assert numbers == sorted(numbers) and numbers[0] == 1 and numbers[-1] == len(set(LENGTHS))
