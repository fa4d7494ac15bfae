"""There and back through time: the browser's numbers are the library's."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM
from lstm_lab.explore.bptt.unroll import (
    SEEDS,
    learn,
    lesson,
    loss_of,
    packed_nets,
    small_net,
    there_and_back,
)

STATE = {"task": "remember", "length": 8, "hidden": 2, "seed": 0, "b_f": 1.0, "updates": 0}


def unrolled(node, state, features=1):
    numbers = np.frombuffer(packed_nets(features), "<f4").tolist()
    own = [{"D": features, "H": 0}, numbers, [], []]
    [found] = node("bptt/unroll.js", [["runUnroll", [state, own]]])
    return found


def same(found, values):
    for name, value in values.items():
        got = np.asarray(found[name], dtype=float)
        np.testing.assert_allclose(got, np.ravel(value).squeeze(), rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("task", ["remember", "echo", "mean"])
@pytest.mark.parametrize("updates", [0, 1, 30, 200])
def test_the_browser_goes_there_and_back_as_the_library_does(task, updates, node):
    rng = np.random.default_rng(updates)
    for hidden in (1, 2, 3):
        length, seed = int(rng.integers(2, 13)), int(rng.integers(SEEDS))
        bias = float(rng.uniform(-6, 8))
        state = {"task": task, "length": length, "hidden": hidden, "seed": seed}
        found = unrolled(node, {**STATE, **state, "b_f": bias, "updates": updates})
        given = lesson(task, length)
        net = learn(small_net(1, hidden, seed, bias), *given, updates)
        same(found, there_and_back(net, *given))


def test_what_is_gathered_on_the_way_back_is_the_rest_of_the_sequences_gradient(node):
    """Backward over the steps from t on, from the state before them, adds up just that."""
    x, target, mask = lesson("mean", 8)
    net = small_net(1, 2, 0)
    y, trace = net.forward(x[:, None])
    _, dy = loss_of(y[:, 0], target, mask)
    state = (trace.hidden[0][None], trace.cell[0][None])
    rest = net.backward(dy[1:, None], net.forward(x[1:, None], state)[1])
    gathered = unrolled(node, {**STATE, "task": "mean"})["gathered"]
    for name, long in {"W": "weight_x", "U": "weight_h", "b": "bias"}.items():
        np.testing.assert_allclose(gathered[name], rest.params[f"{long}_l0"].ravel(), atol=1e-9)


def test_gradient_descent_learns_the_tasks():
    for task in ("remember", "echo", "mean"):
        given = lesson(task, 8)
        first = small_net(1, 3, 0)
        before = there_and_back(first, *given)["total"]
        after = there_and_back(learn(first, *given, 200), *given)["total"]
        assert after < 0.6 * before, task


def test_seeds_are_the_librarys(node):
    for hidden, seed in [(1, 0), (2, 7), (3, 4)]:
        lstm = LSTM(1, hidden, seed=seed, forget_bias=2.5)
        found = unrolled(node, {**STATE, "hidden": hidden, "seed": seed, "b_f": 2.5})
        x, target, _ = lesson("remember", 8)
        y, _ = lstm.forward(x[:, None].astype("float32"))
        np.testing.assert_allclose(found["h"], y.ravel(), atol=1e-6)


def test_moments_run_there_and_back(node):
    length = 3
    calls = [["place", [moment, length]] for moment in range(8 * length)]
    places = node("bptt/unroll.js", calls)
    assert [p["t"] for p in places[::4]] == [0, 1, 2, 2, 1, 0]
    assert [p["name"] for p in places[:4]] == ["gates", "cell", "hidden", "loss"]
    assert [p["name"] for p in places[-4:]] == ["hidden", "cell", "gates", "weights"]
    back = [["momentOf", [p["t"], p["phase"], p["back"], length]] for p in places]
    assert node("bptt/unroll.js", back) == list(range(8 * length))
