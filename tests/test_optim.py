"""Optimisers, schedules and clipping."""

import math

import numpy as np
import pytest

from lstm_lab import optim
from lstm_lab.backends import get_backend
from lstm_lab.optim import SGD, Adam, RMSprop, clip_by_norm, clip_by_value

from . import strict, tolerance

strict.register()

START = [0.5, -1.0, 0.25]

# After 1 and after 25 updates from START; written down from torch 2.13 in float64.
GOLDEN = {
    "sgd": (
        lambda: SGD(0.1),
        [0.3002505013395945, -1.0858879991940134, 0.08183612399766658],
        [0.03749402585148775, -2.029884094372883, 0.03742631401846553],
    ),
    "momentum": (
        lambda: SGD(0.05, momentum=0.9),
        [0.40012525066979726, -1.0429439995970067, 0.1659180619988333],
        [-0.036505684478803084, -1.7319765423268552, 0.030798891653909633],
    ),
    "rmsprop": (
        lambda: RMSprop(0.02, decay=0.9, epsilon=0.01),
        [0.43774009683443027, -1.0609996309326541, 0.18792181088976428],
        [0.11846873695363577, -1.0213972419130726, 0.04307799777371159],
    ),
    "adam": (
        lambda: Adam(0.03, beta1=0.8, beta2=0.95, epsilon=0.01),
        [0.47014943997469577, -1.0296547279224026, 0.2201773428270205],
        [0.04136805655991263, -1.0861117683201527, 0.0013048844220539583],
    ),
}

TORCH = {
    "sgd": lambda torch, p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda torch, p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "rmsprop": lambda torch, p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9, eps=0.01),
    "adam": lambda torch, p: torch.optim.Adam(p, lr=0.03, betas=(0.8, 0.95), eps=0.01),
}


def make(kind):
    return GOLDEN[kind][0]()


def gradient(parameter, step):
    return np.sin(3 * parameter) + math.cos(step)


def descend(optimizer, params, steps, first=0):
    for step in range(first, first + steps):
        optimizer.update(params, {name: gradient(p, step) for name, p in params.items()})
    return params


@pytest.mark.parametrize("kind", GOLDEN)
def test_golden_numbers(kind):
    optimizer, first, last = make(kind), *GOLDEN[kind][1:]
    params = {"w": np.array(START)}
    descend(optimizer, params, 1)
    np.testing.assert_allclose(params["w"], first, rtol=0, atol=1e-14)
    descend(optimizer, params, 24, first=1)
    np.testing.assert_allclose(params["w"], last, rtol=0, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("kind", GOLDEN)
def test_equals_torch(kind):
    import torch

    rng = np.random.default_rng(3)
    start = {"weight": rng.normal(size=(4, 3)), "bias": rng.normal(size=4)}
    grads = [{n: rng.normal(size=p.shape) for n, p in start.items()} for _ in range(30)]
    params = {name: p.copy() for name, p in start.items()}
    theirs = {name: torch.tensor(p) for name, p in start.items()}
    ours, other = make(kind), TORCH[kind](torch, list(theirs.values()))
    for grad in grads:
        ours.update(params, grad)
        for name, parameter in theirs.items():
            parameter.grad = torch.tensor(grad[name])
        other.step()
    for name in params:
        np.testing.assert_allclose(params[name], theirs[name].numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", GOLDEN)
def test_updates_in_place_and_leaves_the_gradient_alone(kind):
    optimizer = make(kind)
    array, grad = np.ones((2, 3), "float32"), np.full((2, 3), 0.5, "float32")
    params = {"w": array}
    optimizer.update(params, {"w": grad})
    optimizer.update(params, {"w": grad})
    assert params["w"] is array
    assert array.dtype == np.float32
    assert (array != 1).all()
    assert (grad == 0.5).all()


@pytest.mark.parametrize("kind", GOLDEN)
@pytest.mark.parametrize("name", ["strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def test_a_device_gives_the_same_and_nothing_leaves_it(kind, name):
    backend, rng = get_backend(name), np.random.default_rng(0)
    host = {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=5)}
    device = {name: backend.asarray(array) for name, array in host.items()}
    ours, theirs = make(kind), make(kind)
    for _ in range(6):
        grads = {name: rng.normal(size=array.shape) for name, array in host.items()}
        there = {name: backend.asarray(array) for name, array in grads.items()}
        norm = clip_by_norm(grads, 2.0)
        assert clip_by_norm(there, 2.0) == pytest.approx(norm, rel=1e-12)
        clip_by_value(grads, 0.5)
        clip_by_value(there, 0.5)
        theirs.update(host, grads)
        ours.update(device, there)
    for name, array in host.items():
        np.testing.assert_allclose(backend.to_numpy(device[name]), array, atol=1e-12)
    assert clip_by_norm({"a": backend.asarray(np.full(3, 1e250))}, math.inf) > 1e250
    with pytest.raises(TypeError, match=r"grads\['a'\]"):
        ours.update(device, {**there, "a": grads["a"]})


def test_parameters_of_one_shape_do_not_mix():
    both, one = {"a": np.ones(3), "b": np.full(3, 2.0)}, {"a": np.ones(3)}
    descend(make("adam"), both, 5)
    descend(make("adam"), one, 5)
    np.testing.assert_array_equal(both["a"], one["a"])


@pytest.mark.parametrize("kind", GOLDEN)
def test_state_goes_on_bit_for_bit(kind):
    straight = descend(make(kind), {"w": np.array(START)}, 20)
    first = make(kind)
    params = descend(first, {"w": np.array(START)}, 8)
    state = first.state_dict()
    descend(first, {"w": np.ones(3)}, 3)  # must not reach into the state handed out
    second = make(kind)
    second.load_state_dict(state)
    descend(second, params, 12, first=8)
    np.testing.assert_array_equal(params["w"], straight["w"])
    assert second.step == 20


def test_state_of_another_optimiser_is_refused():
    adam = make("adam")
    descend(adam, {"w": np.ones(3)}, 1)
    with pytest.raises(ValueError, match="another kind of optimiser"):
        make("rmsprop").load_state_dict(adam.state_dict())
    for broken in ({}, {"step": -1, "slots": {}}, {"step": 1, "slots": {"w": 3}}, None):
        with pytest.raises(ValueError, match="state"):
            make("adam").load_state_dict(broken)


def test_a_schedule_sets_the_rate_of_every_update():
    params, optimizer = {"w": np.zeros(1)}, SGD(lambda step: [1.0, 0.5, 0.25][step])
    seen = []
    for _ in range(3):
        seen.append(optimizer.rate)
        optimizer.update(params, {"w": np.ones(1)})
    assert seen == [1.0, 0.5, 0.25]
    assert params["w"] == -1.75


def test_schedules():
    assert [optim.constant(0.3)(s) for s in (0, 99)] == [0.3, 0.3]
    decay = optim.step_decay(1.0, every=3, factor=0.5)
    assert [decay(s) for s in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert optim.exponential(2.0, 0.9)(3) == pytest.approx(2 * 0.9**3, abs=1e-15)
    wave = optim.cosine(1.0, steps=10, final=0.2)
    assert [wave(s) for s in (0, 5, 10, 50)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    assert wave(1) > wave(2) > wave(9)
    climb = optim.warm_up(optim.step_decay(1.0, every=2, factor=0.5), steps=4)
    assert [climb(s) for s in range(8)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 0.5, 0.5])
    assert optim.warm_up(0.1, 1)(0) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("make_it", "name"),
    [
        (lambda: SGD(0), "learning_rate"),
        (lambda: SGD(-0.1), "learning_rate"),
        (lambda: Adam(math.nan), "learning_rate"),
        (lambda: Adam(math.inf), "learning_rate"),
        (lambda: Adam("fast"), "learning_rate"),
        (lambda: Adam(True), "learning_rate"),
        (lambda: SGD(0.1, momentum=1), "momentum"),
        (lambda: SGD(0.1, momentum=-0.1), "momentum"),
        (lambda: RMSprop(decay=1.0), "decay"),
        (lambda: RMSprop(epsilon=0), "epsilon"),
        (lambda: Adam(beta1=1), "beta1"),
        (lambda: Adam(beta2=-0.1), "beta2"),
        (lambda: Adam(epsilon=0), "epsilon"),
        (lambda: optim.constant(0), "rate"),
        (lambda: optim.step_decay(0.1, every=0), "every"),
        (lambda: optim.step_decay(0.1, every=1.5), "every"),
        (lambda: optim.step_decay(0.1, every=2, factor=0), "factor"),
        (lambda: optim.exponential(0.1, -1), "factor"),
        (lambda: optim.cosine(0.1, steps=0), "steps"),
        (lambda: optim.cosine(0.1, steps=5, final=-1), "final"),
        (lambda: optim.warm_up(0.1, 0), "steps"),
        (lambda: optim.warm_up(-0.1, 3), "rate"),
        (lambda: clip_by_norm({"w": np.ones(2)}, 0), "max_norm"),
        (lambda: clip_by_norm({"w": np.ones(2)}, math.nan), "max_norm"),
        (lambda: clip_by_value({"w": np.ones(2)}, -1), "limit"),
    ],
)
def test_bad_numbers_are_refused_by_name(make_it, name):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        make_it()


def test_a_schedule_that_returns_nonsense_is_refused_before_anything_changes():
    params, optimizer = {"w": np.ones(2)}, SGD(lambda step: -1.0)
    with pytest.raises(ValueError, match=r"learning_rate\(0\)"):
        optimizer.update(params, {"w": np.ones(2)})
    assert optimizer.step == 0
    assert (params["w"] == 1).all()


@pytest.mark.parametrize(
    ("grads", "message"),
    [
        ({"v": np.ones(2)}, "missing from grads: .*'w'.*, unknown: .*'v'"),
        ({"w": np.ones(3)}, r"grads\['w'\] has shape \(3,\)"),
        ({"w": np.ones(2, "float32")}, "dtype float32, but the parameter"),
    ],
)
def test_gradients_that_do_not_fit_change_nothing(grads, message):
    params, optimizer = {"w": np.ones(2)}, Adam()
    with pytest.raises(ValueError, match=message):
        optimizer.update(params, grads)
    assert (params["w"] == 1).all()
    assert optimizer.step == 0


def test_gradients_that_are_no_arrays():
    with pytest.raises(TypeError, match=r"grads\['w'\]"):
        Adam().update({"w": np.ones(2)}, {"w": [1.0, 2.0]})


def test_one_optimiser_belongs_to_one_set_of_parameters():
    optimizer = Adam()
    optimizer.update({"w": np.ones(2)}, {"w": np.ones(2)})
    with pytest.raises(ValueError, match="updated so far"):
        optimizer.update({"v": np.ones(2)}, {"v": np.ones(2)})
    with pytest.raises(ValueError, match="the optimiser's state"):
        optimizer.update({"w": np.ones(3)}, {"w": np.ones(3)})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clip_by_norm(dtype):
    grads = {"a": np.array([3.0, 0.0], dtype), "b": np.array([[4.0]], dtype)}
    arrays = dict(grads)
    assert clip_by_norm(grads, 10.0) == pytest.approx(5.0)
    assert grads["b"][0, 0] == 4
    assert clip_by_norm(grads, 1.0) == pytest.approx(5.0)
    close = tolerance.relative(4, dtype)  # the norm, its inverse, a product
    assert clip_by_norm(grads, math.inf) == pytest.approx(1.0, rel=close)
    assert all(grads[name] is arrays[name] for name in grads)
    assert grads["a"].dtype == dtype
    np.testing.assert_allclose(grads["a"], [0.6, 0.0], rtol=close)
    assert clip_by_norm({"a": np.zeros(3, dtype)}, 1.0) == 0


def test_the_norm_is_summed_in_float64():
    # In float32, 1 added to 2**24 is lost.
    grads = {"a": np.array([4096.0] + [1.0] * 4096, "float32")}
    assert clip_by_norm(grads, math.inf) == math.sqrt(4096.0**2 + 4096)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 1e-250, 1e250])
def test_the_norm_survives_squares_that_do_not(scale):
    dtype = "float32" if 1e-40 < scale < 1e40 else "float64"
    grads = {"a": np.array([3, 4], dtype) * np.array(scale, dtype)}
    close = tolerance.relative(4, dtype)
    assert clip_by_norm(grads, math.inf) == pytest.approx(5 * scale, rel=close)
    clip_by_norm(grads, scale)
    np.testing.assert_allclose(grads["a"] / scale, [0.6, 0.8], rtol=close)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_is_reported_and_left_alone(bad):
    grads = {"a": np.array([100.0, bad]), "b": np.array([7.0])}
    norm = clip_by_norm(grads, 1.0)
    assert not math.isfinite(norm)
    assert math.isnan(norm) == math.isnan(bad)
    assert grads["a"][0] == 100
    assert grads["b"][0] == 7


def test_clip_by_value():
    array = np.array([-3.0, 0.5, 3.0, math.nan])
    clip_by_value({"a": array}, 1.0)
    np.testing.assert_array_equal(array, [-1.0, 0.5, 1.0, math.nan])


def test_repr_shows_the_settings():
    assert repr(SGD(0.1, momentum=0.9)) == "SGD(learning_rate=0.1, momentum=0.9)"


@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam])
def test_no_parameter_is_updated_twice(kind):
    w, other = np.ones(4), np.ones(4)
    for params in ({"a": w, "b": w}, {"a": w, "b": w[::2]}):
        grads = {name: np.ones_like(array) for name, array in params.items()}
        with pytest.raises(ValueError, match=r"params\['a'\] and params\['b'\] share memory"):
            kind(0.1).update(params, grads)
        assert (w == 1).all()
    kind(0.1).update({"a": w, "b": other}, {"a": w + 1, "b": w + 1})
    assert (w < 1).all()


def test_no_gradient_is_clipped_twice():
    g = np.full(4, 3.0)
    for clip in (clip_by_norm, clip_by_value):
        with pytest.raises(ValueError, match=r"grads\['a'\] and grads\['b'\] are the same array"):
            clip({"a": g, "b": g}, 1.0)
        assert (g == 3).all()
