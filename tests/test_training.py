"""The training loop: what it learns, how it stops, what it keeps, what it refuses."""

import functools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, Dropout, Embedding, LastStep, Linear, Sequential
from lstm_lab.backends import get_backend
from lstm_lab.cli import INSTALL_TEST
from lstm_lab.losses import cross_entropy, mse
from lstm_lab.optim import SGD, Adam, RMSprop, cosine, step_decay
from lstm_lab.training import CheckpointError, Diverged, History, evaluate, fit, predict

from . import strict, tolerance

strict.register()


class Average:
    """The smallest model there is: the mean over time, times a matrix. No code of the layers."""

    def __init__(self, inputs=3, outputs=2, dtype="float64"):
        self.backend, self.dtype = get_backend("numpy"), np.dtype(dtype)
        self.params = {"w": np.zeros((inputs, outputs), dtype)}
        self.calls = []

    def forward(self, x, *, lengths=None, rng=None, trace=True):
        self.calls.append(SimpleNamespace(x=x, lengths=lengths, rng=rng, trace=trace))
        mean = x.mean(axis=0)
        return mean @ self.params["w"], mean

    def backward(self, dy, trace):
        return SimpleNamespace(x=None, params={"w": trace.T @ dy})


def line(n=20, steps=4, inputs=3, outputs=2, seed=0):
    """x, and a target that is linear in its mean, with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(steps, n, inputs))
    target = x.mean(axis=0) @ rng.normal(size=(inputs, outputs))
    return x, target + 0.1 * rng.normal(size=target.shape)


def recurrent(dropout=0.2, seed=1, hidden=5, backend="numpy"):
    return Sequential(
        encoder=LSTM(3, hidden, 2, dropout=dropout, seed=seed, backend=backend),
        last=LastStep(backend=backend),
        drop=Dropout(dropout, backend=backend),
        head=Linear(hidden, 2, seed=seed + 1, backend=backend),
    )


def quiet(model, x, target, **options):
    options = {"loss": mse, "optimizer": SGD(0.1), "epochs": 1, "progress": False} | options
    return fit(model, x, target, **options)


def arrays(model):
    return {name: array.copy() for name, array in model.params.items()}


def assert_same(model, params):
    for name, array in params.items():
        np.testing.assert_array_equal(model.params[name], array)


# ------------------------------------------------------------------------------------ learning


def test_whole_batches_reach_the_least_squares_solution():
    x, target = line()
    model = Average()
    history = quiet(model, x, target, optimizer=SGD(1.0, momentum=0.9), epochs=400, batch_size=20)
    best, *_ = np.linalg.lstsq(x.mean(axis=0), target, rcond=None)
    np.testing.assert_allclose(model.params["w"], best, atol=1e-10)
    residual = x.mean(axis=0) @ best - target
    assert history.loss[-1] == pytest.approx(np.mean(residual**2), rel=1e-9)
    assert history.ending == "finished"


def test_an_epoch_is_one_step_per_batch_done_by_hand():
    x, target = line(n=5)
    model, seen = Average(), []
    quiet(model, x, target, epochs=1, batch_size=2)
    for call in model.calls:
        seen.append([int(np.flatnonzero((x[0] == row).all(axis=1))[0]) for row in call.x[0]])
    assert [len(rows) for rows in seen] == [2, 2, 1]
    by_hand = np.zeros((3, 2))
    for rows in seen:
        mean = x[:, rows].mean(axis=0)
        by_hand -= 0.1 * mean.T @ (2 * (mean @ by_hand - target[rows]) / (len(rows) * 2))
    np.testing.assert_allclose(model.params["w"], by_hand, atol=1e-15)


def test_every_sequence_is_seen_once_an_epoch_in_a_new_order():
    x, target = line(n=10)
    model = Average()
    quiet(model, x, target, epochs=3, batch_size=4)
    firsts = np.concatenate([call.x[0, :, 0] for call in model.calls]).reshape(3, 10)
    for epoch in firsts:
        assert sorted(epoch) == sorted(x[0, :, 0])
    assert len({tuple(epoch) for epoch in firsts}) == 3


def test_the_seed_decides_and_nothing_else():
    x, target = line()
    first, again, other = (recurrent(seed=1) for _ in range(3))
    np.random.seed(1)
    quiet(first, x, target, batch_size=4, seed=7)
    before = np.random.get_state()[1].copy()
    np.random.seed(2)
    quiet(again, x, target, batch_size=4, seed=7)
    quiet(other, x, target, batch_size=4, seed=8)
    assert_same(again, first.params)
    assert (other.params["head.weight"] != first.params["head.weight"]).any()
    # Without dropout it still decides the order.
    models = [Average(), Average()]
    for seed, model in enumerate(models):
        quiet(model, x, target, batch_size=4, seed=seed)
    assert (models[0].params["w"] != models[1].params["w"]).any()
    np.random.seed(1)
    assert (np.random.get_state()[1] == before).all()


def test_dropout_draws_anew_at_each_step_and_not_in_validation():
    x, target = line(n=6)
    model = Average()
    quiet(model, x, target, epochs=2, batch_size=3, validation=(x, target))
    training = [call for call in model.calls if call.rng is not None]
    rest = [call for call in model.calls if call.rng is None]
    draws = {call.rng.random() for call in training}
    assert len(training) == len(draws) == 4
    assert all(call.trace for call in training)
    assert len(rest) == 4
    assert not any(call.trace for call in rest)


@pytest.mark.parametrize("name", ["strict", "numba", pytest.param("cupy", marks=pytest.mark.gpu)])
def test_a_device_learns_the_same_and_resumes(name, tmp_path, require):
    """Dropout, order and first weights come from the host, whatever computes."""
    if name == "numba":
        require("numba", INSTALL_TEST)
    on_host, on_device = recurrent(), recurrent(backend=name)
    options = {"epochs": 2, "patience": 2, "lengths": np.tile([4, 2, 3], 4)[:11]}
    expected = long_training(tmp_path, on_host, Adam(0.01), **options)
    long_training(tmp_path, on_device, Adam(0.01), checkpoint="run", **options | {"epochs": 1})
    resumed = recurrent(backend=name, seed=5)
    history = long_training(tmp_path, resumed, Adam(0.01), checkpoint="run", **options)
    # Two epochs of three updates, each a pass through all layers.
    roundings = 2 * 3 * tolerance.of_layer(on_host.layers["encoder"], 4, 4)
    tolerance.assert_close(history.loss, expected.loss, roundings)
    tolerance.assert_close(history.validation_loss, expected.validation_loss, roundings)
    backend = get_backend(name)
    for key, array in on_host.params.items():
        tolerance.assert_close(backend.to_numpy(resumed.params[key]), array, roundings, name=key)
    x, _ = line(n=7)
    tolerance.assert_close(predict(resumed, x), predict(on_host, x), roundings)


def test_an_lstm_learns_which_symbol_came_first():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, size=(6, 128))
    model = Sequential(
        embed=Embedding(4, 4, seed=0),
        encoder=GRU(4, 12, seed=1),
        last=LastStep(),
        head=Linear(12, 4, seed=2),
    )
    history = quiet(
        model, x, x[0], loss=cross_entropy, optimizer=Adam(0.02), epochs=25, clip_norm=1.0
    )
    assert history.loss[0] > 1.0
    assert evaluate(model, x, x[0], loss=cross_entropy) < 0.05


def test_history_has_a_value_per_epoch_and_per_step():
    x, target = line(n=10)
    schedule = step_decay(0.1, every=3, factor=0.5)
    history = quiet(
        Average(),
        x,
        target,
        epochs=2,
        batch_size=3,
        optimizer=SGD(schedule),
        validation=(x, target),
    )
    assert history.epochs == len(history.loss) == len(history.validation_loss) == 2
    assert history.step_learning_rate == [schedule(k) for k in range(8)]
    assert history.learning_rate == [schedule(3), schedule(7)]
    assert history.gradient_norm[1] == pytest.approx(np.mean(history.step_gradient_norm[4:]))
    assert history.loss[0] == pytest.approx(np.average(history.step_loss[:4], weights=[3, 3, 3, 1]))
    assert "2 epochs, 8 steps" in repr(history)
    assert "finished" in repr(history)
    assert "best validation loss" in repr(history)


def test_clip_norm_shortens_the_step_and_the_history_has_the_length_before():
    x, target = line()
    model = Average()
    history = quiet(model, x, 1000 * target, batch_size=20, clip_norm=0.5)
    assert history.step_gradient_norm[0] > 10
    assert np.linalg.norm(model.params["w"]) == pytest.approx(0.1 * 0.5)


def test_history_draws_itself():
    import matplotlib

    matplotlib.use("agg")
    x, target = line()
    history = quiet(Average(), x, target, epochs=60, validation=(x, target), batch_size=5)
    figure = history.plot()
    left, right = figure.axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == [
        "training",
        "validation",
        "best",
    ]
    np.testing.assert_array_equal(left.lines[0].get_ydata(), history.loss)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), history.step_gradient_norm)
    assert left.get_xlabel() == "epoch"
    assert left.get_yscale() == "log"
    figure.canvas.draw()
    matplotlib.pyplot.close(figure)
    with pytest.raises(ValueError, match="nothing to draw"):
        History().plot()


# --------------------------------------------------------------------- validation and prediction


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_evaluate_weighs_batches_by_what_counts_in_them(size):
    rng = np.random.default_rng(5)
    model = Sequential(
        encoder=LSTM(3, 4, seed=0, dtype="float64"), head=Linear(4, 2, seed=1, dtype="float64")
    )
    x, target = rng.normal(size=(6, 7, 3)), rng.normal(size=(6, 7, 2))
    lengths = np.array([6, 1, 3, 5, 2, 6, 4])
    mask = rng.random((6, 7)) * (rng.random((6, 7)) > 0.3)
    y, _ = model.forward(x, lengths=lengths)
    weights = mask * (np.arange(6)[:, None] < lengths)
    expected = np.average(((y - target) ** 2).mean(axis=2), weights=weights)
    options = {"loss": mse, "lengths": lengths, "mask": mask, "batch_size": size}
    assert evaluate(model, x, target, **options) == pytest.approx(expected, rel=1e-12)


def test_evaluate_counts_sequences_where_nothing_is_masked():
    x, target = line(n=7)
    model = Average()
    expected = np.mean(target**2)
    assert evaluate(model, x, target, loss=mse, batch_size=3) == pytest.approx(expected, rel=1e-12)


def test_predict_joins_batches():
    rng = np.random.default_rng(2)
    x, lengths = rng.normal(size=(5, 7, 3)).astype("f"), np.array([5, 1, 2, 3, 4, 5, 2])
    steps = LSTM(3, 4, seed=0)
    last = Sequential(encoder=LSTM(3, 4, seed=0), last=LastStep())
    for model, shape in ((steps, (5, 7, 4)), (last, (7, 4))):
        whole, _ = model.forward(x, lengths=lengths)
        for size in (3, 5):  # 5: as many sequences as steps
            joined = predict(model, x, lengths=lengths, batch_size=size)
            assert joined.shape == shape
            tolerance.assert_close(joined, whole, tolerance.of_layer(steps, 5, 7))


def test_early_stopping_keeps_the_best_epoch():
    x, target = line()
    model, seen = Average(), []

    def validation_rises_after_epoch_3(prediction, wanted, mask=None):
        value, gradient = mse(prediction, wanted)
        if model.calls[-1].rng is None:
            seen.append(arrays(model))
            value = abs(len(seen) - 3.0)
        return value, gradient

    history = quiet(
        model,
        x,
        target,
        loss=validation_rises_after_epoch_3,
        epochs=50,
        patience=4,
        batch_size=20,
        validation=(x, target),
    )
    assert history.validation_loss == [2, 1, 0, 1, 2, 3, 4]
    assert history.best_epoch == 2
    assert history.ending == "out of patience"
    assert_same(model, seen[2])


def test_a_tie_is_no_improvement():
    x, target = line()
    history = quiet(
        Average(),
        x,
        target,
        loss=lambda p, t: (1.0, p * 0),
        epochs=50,
        patience=3,
        validation=(x, target),
    )
    assert history.epochs == 4


def test_validation_may_have_lengths_of_its_own():
    x, target = line(n=6)
    model = recurrent(dropout=0.0)
    lengths = np.array([1, 2, 3, 4, 1, 2])
    x_padded = x.copy()
    x_padded[np.arange(4)[:, None] >= lengths] = np.nan
    held_out = {"x": x_padded, "target": target, "lengths": lengths}
    history = quiet(model, x, target, validation=held_out)
    expected = evaluate(model, x, target, lengths=lengths, loss=mse)
    roundings = tolerance.of_layer(model.layers["encoder"], 4, 6)
    tolerance.assert_close(history.validation_loss[0], expected, roundings)


# --------------------------------------------------------------------------- shapes and padding


def test_the_axis_of_the_sequences_in_the_target():
    x = np.zeros((4, 6, 3))
    steps = Sequential(encoder=LSTM(3, 4, seed=0), head=Linear(4, 2, seed=0))
    quiet(steps, x, np.zeros((4, 6, 2)))
    quiet(recurrent(), x, np.zeros((6, 2)))
    square = np.zeros((4, 4, 3))
    with pytest.raises(ValueError, match="target_axis=0 .* target_axis=1"):
        quiet(steps, square, np.zeros((4, 4, 2)))
    quiet(steps, square, np.zeros((4, 4, 2)), target_axis=1)
    wide = Sequential(encoder=LSTM(3, 4, seed=0), last=LastStep(), head=Linear(4, 4, seed=0))
    quiet(wide, square, np.zeros((4, 4)), target_axis=0)
    with pytest.raises(ValueError, match=r"target has shape \(6, 2\); expected \(4, 6, ...\)"):
        quiet(recurrent(), x, np.zeros((6, 2)), target_axis=1)


def test_targets_go_with_their_sequences_along_either_axis():
    x = np.arange(10.0)[None, :, None] * np.ones((3, 1, 1))
    seen = []

    def spy(prediction, target, mask=None):
        seen.append((prediction, target))
        return 0.0, prediction * 0

    class Echo(Average):
        def forward(self, x, *, lengths=None, rng=None, trace=True):
            return (x, x) if self.whole else (x[0], x[0])

        def backward(self, dy, trace):
            return SimpleNamespace(x=None, params={"w": np.zeros((3, 2))})

    model = Echo()
    model.whole = True
    quiet(model, x, x, loss=spy, batch_size=4)
    model.whole = False
    quiet(model, x, x[0], loss=spy, batch_size=4)
    assert len(seen) == 6
    for prediction, target in seen:
        np.testing.assert_array_equal(prediction, target)


def test_padding_may_hold_anything():
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(5, 8, 3)), rng.normal(size=(5, 8, 2))
    lengths = rng.integers(1, 6, size=8)
    outside = np.arange(5)[:, None] >= lengths
    models = []
    for filling in (0.0, 1e30, np.nan):
        x[outside] = target[outside] = filling
        model = Sequential(encoder=LSTM(3, 4, seed=0), head=Linear(4, 2, seed=0))
        quiet(model, x, target, lengths=lengths, batch_size=3, epochs=2)
        models.append(arrays(model))
    for other in models[1:]:
        for name, array in models[0].items():
            np.testing.assert_array_equal(other[name], array)


def test_sequences_that_are_masked_out_take_no_part():
    x, target = line(n=9)
    mask = np.array([1, 1, 0, 1, 0, 0, 1, 1, 0])
    target[mask == 0] = np.nan
    with_mask, without = Average(), Average()
    quiet(with_mask, x, target, mask=mask, batch_size=20, epochs=3)
    quiet(without, x[:, mask == 1], target[mask == 1], batch_size=20, epochs=3)
    np.testing.assert_allclose(with_mask.params["w"], without.params["w"], atol=1e-14)
    # One at a time: a batch in which nothing counts would have no mean.
    assert len(quiet(Average(), x, target, mask=mask, batch_size=1).step_loss) == 5


def test_values_are_cast_to_the_dtype_of_the_model():
    x, target = line()
    model = recurrent()
    quiet(model, x.astype("float64"), target.astype("float16"))
    assert model.params["head.weight"].dtype == np.float32
    with pytest.raises(ValueError, match=r"x\[1, 2, 0\] is inf"):
        x[1, 2, 0] = 1e300
        quiet(model, x, target)


# ------------------------------------------------------------------------------- checkpoints


class Stop(Exception):
    pass


def stopping(loss, after):
    """A loss under the same name that counts its calls and breaks off after so many."""

    @functools.wraps(loss)
    def wrapped(*args, **options):
        if wrapped.calls == after:
            raise Stop
        wrapped.calls += 1
        return loss(*args, **options)

    wrapped.calls = 0
    return wrapped


OPTIMIZERS = {
    "sgd": lambda: SGD(0.05),
    "momentum": lambda: SGD(0.05, momentum=0.9),
    "rmsprop": lambda: RMSprop(0.01),
    "adam": lambda: Adam(cosine(0.02, 30)),
}


def long_training(tmp_path, model, optimizer, loss=mse, checkpoint=None, **options):
    x, target = line(n=11)
    held_out = line(n=5, seed=1)
    options = {"epochs": 4, "batch_size": 4, "clip_norm": 0.7, "patience": 3} | options
    path = None if checkpoint is None else tmp_path / checkpoint
    return quiet(
        model,
        x,
        target,
        loss=loss,
        optimizer=optimizer,
        validation=held_out,
        checkpoint=path,
        **options,
    )


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("calls", [0, 2, 3, 4, 6, 9, 13, 17])
def test_a_broken_off_training_goes_on_bit_for_bit(tmp_path, kind, calls):
    """Three training calls and two of validation make an epoch: broken off in all places."""
    straight = recurrent()
    expected = long_training(tmp_path, straight, OPTIMIZERS[kind]())
    broken = recurrent()
    with pytest.raises(Stop):
        long_training(
            tmp_path, broken, OPTIMIZERS[kind](), stopping(mse, calls), "run", checkpoint_every=2
        )
    resumed = recurrent(seed=5)  # its own first weights must not matter
    history = long_training(tmp_path, resumed, OPTIMIZERS[kind](), mse, "run")
    if calls >= 2:
        assert_same(resumed, straight.params)
        assert history == expected
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_resuming_does_not_repeat_what_was_done(tmp_path):
    with pytest.raises(Stop):
        long_training(tmp_path, recurrent(), Adam(), stopping(mse, 7), "run", checkpoint_every=1)
    counting = stopping(mse, 1000)
    long_training(tmp_path, recurrent(), Adam(), counting, "run")
    assert counting.calls == 20 - 7


def test_a_finished_training_is_only_read_again_and_may_be_made_longer(tmp_path):
    first = recurrent()
    history = long_training(tmp_path, first, Adam(), checkpoint="run", epochs=2)
    again = recurrent(seed=9)
    assert long_training(tmp_path, again, Adam(), stopping(mse, 0), "run", epochs=2) == history
    assert_same(again, first.params)
    longer, straight = recurrent(), recurrent()
    more = long_training(tmp_path, longer, Adam(), checkpoint="run", epochs=4)
    assert more == long_training(tmp_path, straight, Adam(), epochs=4)
    assert_same(longer, straight.params)


def test_early_stopping_survives_a_resume(tmp_path):
    x, target = line()
    options = {"epochs": 30, "patience": 2, "optimizer": SGD(0.1)}
    held_out = {"x": x, "target": -target}  # gets worse from the first epoch on
    straight = Average()
    expected = quiet(straight, x, target, validation=held_out, **options)
    assert expected.ending == "out of patience"
    path = tmp_path / "run"
    for epochs in (1, 2, 30, 30):
        model = Average()
        options = {"epochs": epochs, "patience": 2, "optimizer": SGD(0.1)}
        history = quiet(model, x, target, validation=held_out, checkpoint=path, **options)
    assert history == expected
    assert_same(model, straight.params)


def with_another(name):
    """A training in which one thing differs from ``long_training``."""
    x, target = line(n=11)
    other = x.copy()
    other[2, 3, 1] += 1e-3
    ragged = {"lengths": np.full(11, 3)}
    return {
        "model.config.encoder.hidden_size": {"model": recurrent(hidden=6)},
        "model.config.drop.rate": {"model": recurrent(dropout=0.3)},
        "model.class": {"model": Average(dtype="float32")},
        "loss": {"loss": functools.partial(mse)},
        "optimizer.kind": {"optimizer": RMSprop(0.001)},
        "optimizer.beta1": {"optimizer": Adam(beta1=0.8)},
        "learning_rate: 0.001 at step 1 there, 0.002 here": {"optimizer": Adam(0.002)},
        "learning_rate: 0.001 at step 3": {"optimizer": Adam(step_decay(0.001, 2))},
        "batch_size: 4 there, 5 here": {"batch_size": 5},
        "clip_norm: 0.7 there, None here": {"clip_norm": None},
        "patience": {"patience": 4},
        "seed: 0 there, 1 here": {"seed": 1},
        "data.x: shape": {"x": other},
        "data.target": {"target": -target},
        "data.lengths": ragged,
        "data.mask": {"mask": np.ones(11)},
        "validation.x": {"validation": line(n=5, seed=2)},
        "validation": {"validation": None, "patience": None},
    }[name]


DIFFERENCES = [
    "model.config.encoder.hidden_size", "model.config.drop.rate", "model.class", "loss",
    "optimizer.kind", "optimizer.beta1", "learning_rate: 0.001 at step 1 there, 0.002 here",
    "learning_rate: 0.001 at step 3", "batch_size: 4 there, 5 here",
    "clip_norm: 0.7 there, None here", "patience", "seed: 0 there, 1 here", "data.x: shape",
    "data.target", "data.lengths", "data.mask", "validation.x", "validation",
]  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENCES)
def test_another_training_is_not_resumed_and_the_message_says_what_differs(tmp_path, name):
    long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=1)
    before = (tmp_path / "run").read_bytes()
    x, target = line(n=11)
    options = {
        "model": recurrent(), "x": x, "target": target, "optimizer": Adam(), "loss": mse,
        "epochs": 2, "batch_size": 4, "clip_norm": 0.7, "patience": 3,
        "validation": line(n=5, seed=1), "checkpoint": tmp_path / "run",
    } | with_another(name)  # fmt: skip
    model = options["model"]
    params = arrays(model)
    with pytest.raises(CheckpointError) as caught:
        quiet(**options)
    assert name in str(caught.value)
    assert "another training" in str(caught.value)
    assert (tmp_path / "run").read_bytes() == before
    assert_same(model, params)


def test_a_damaged_checkpoint_is_one_clear_error(tmp_path):
    path = tmp_path / "run"
    long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=1)
    whole = path.read_bytes()
    head = int.from_bytes(whole[:8], "little")
    damaged = [whole[:n] for n in (0, 5, 8, 9, head // 2, head + 8, len(whole) - 1)]
    damaged += [b"\xff" * 64, b"not a checkpoint at all", whole + b"more"]
    damaged += [whole.replace(b'\\"epoch\\":', b'\\"epoxy\\":')]
    damaged += [whole.replace(b"history/loss", b"history/lost")]
    damaged += [whole.replace(b'\\"position\\": 0', b'\\"position\\": 9')]
    assert all(data != whole for data in damaged)
    model = recurrent()
    params = arrays(model)
    for data in damaged:
        path.write_bytes(data)
        optimizer = Adam()
        with pytest.raises(CheckpointError, match="damaged"):
            long_training(tmp_path, model, optimizer, checkpoint="run")
        assert path.read_bytes() == data
        assert_same(model, params)
        assert optimizer.step == 0


def rewritten(path, change):
    """The checkpoint again, after ``change(tensors, state)``."""
    import safetensors.numpy as numpy_io
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        metadata, tensors = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    state = json.loads(metadata["state"])
    state = change(tensors, state) or state
    path.write_bytes(numpy_io.save(tensors, {**metadata, "state": json.dumps(state)}))


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors, state: tensors["parameter/head.weight"].fill(np.nan),
        lambda tensors, state: tensors.update({"parameter/head.weight": np.ones((1, 1), "f")}),
        lambda tensors, state: tensors.update({"history/loss": np.ones(5)}),
        lambda tensors, state: tensors.update({"history/step_loss": np.ones(5)}),
        lambda tensors, state: tensors.update({"history/validation_loss": np.ones(0)}),
        lambda tensors, state: [tensors.pop(k) for k in list(tensors) if k.startswith("best")][:0],
        lambda tensors, state: [tensors.pop(k) for k in list(tensors) if "square" in k][:0],
        lambda tensors, state: state.update(epoch="one"),
        lambda tensors, state: state.update(epoch=1.0),
        lambda tensors, state: state.update(position=-3, epoch=2),
        lambda tensors, state: state.update(optimizer_step=-1),
        lambda tensors, state: state.update(loss_sum="much"),
        lambda tensors, state: state.update(settings=None),
        lambda tensors, state: state.update(settings=[1, 2]),
        lambda tensors, state: [1, 2],
    ],
)
def test_a_hostile_checkpoint_is_one_clear_error(tmp_path, change):
    long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=1)
    rewritten(tmp_path / "run", change)
    model = recurrent()
    params, optimizer = arrays(model), Adam()
    with pytest.raises(CheckpointError, match="damaged"):
        long_training(tmp_path, model, optimizer, checkpoint="run")
    assert_same(model, params)
    assert optimizer.step == 0


def test_a_checkpoint_of_an_earlier_version_goes_on_from_the_end_of_an_epoch(tmp_path):
    """Its unfinished mean loss was weighed by the sequences, not by what the loss says."""
    path = tmp_path / "run"
    long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=1)
    rewritten(path, lambda tensors, state: state.pop("weighed_by") and None)
    assert long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=2).epochs == 2
    path.unlink()
    with pytest.raises(Stop):
        long_training(
            tmp_path, recurrent(), Adam(), stopping(mse, 3), "run", epochs=1, checkpoint_every=2
        )
    rewritten(path, lambda tensors, state: state.pop("weighed_by") and None)
    with pytest.raises(CheckpointError, match="earlier version"):
        long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=2)


def test_another_safetensors_file_is_no_checkpoint_and_stays(tmp_path):
    import safetensors.numpy as numpy_io

    path = tmp_path / "run"
    numpy_io.save_file({"weight": np.ones(3)}, path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="no checkpoint of a training"):
        long_training(tmp_path, recurrent(), Adam(), checkpoint="run")
    assert path.read_bytes() == before


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=1)
    before = (tmp_path / "run").read_bytes()

    def full(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        long_training(tmp_path, recurrent(), Adam(), checkpoint="run", epochs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run").read_bytes() == before


def test_places_where_no_checkpoint_can_be(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no folder"):
        long_training(tmp_path, recurrent(), Adam(), checkpoint="nowhere/run")
    with pytest.raises(IsADirectoryError, match="checkpoint is the folder"):
        long_training(tmp_path, recurrent(), Adam(), checkpoint=".")


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ModuleNotFoundError, match="pip install"):
        long_training(tmp_path, recurrent(), Adam(), checkpoint="run")


# ------------------------------------------------------------------------------------- Ctrl-C


@pytest.fixture
def ctrl_c():
    """Python's own handler, also where the tests run in the background and SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def interrupting(loss, at):
    """A loss that presses Ctrl-C in these calls, counted from 1."""
    calls = 0

    @functools.wraps(loss)
    def wrapped(*args, **options):
        nonlocal calls
        calls += 1
        if calls in at:
            signal.raise_signal(signal.SIGINT)
        return loss(*args, **options)

    return wrapped


def test_ctrl_c_ends_after_the_step_and_resumes_bit_for_bit(tmp_path, ctrl_c):
    straight, model = recurrent(), recurrent()
    expected = long_training(tmp_path, straight, Adam())
    history = long_training(tmp_path, model, Adam(), interrupting(mse, {7}), "run")
    assert history.ending == "interrupted"
    assert len(history.step_loss) == 5  # calls 4 and 5 were the first epoch's validation
    assert history.epochs == 1
    assert "interrupted" in repr(history)
    assert signal.getsignal(signal.SIGINT) is ctrl_c
    resumed, counting = recurrent(seed=3), stopping(mse, 1000)
    assert long_training(tmp_path, resumed, Adam(), counting, "run") == expected
    assert counting.calls == 20 - 7  # the step after the epoch was kept, too
    assert_same(resumed, straight.params)


def test_ctrl_c_keeps_what_was_learnt_without_any_checkpoint(ctrl_c):
    x, target = line()
    model, reference = Average(), Average()
    history = quiet(model, x, target, loss=interrupting(mse, {3}), epochs=9, batch_size=20)
    quiet(reference, x, target, epochs=3, batch_size=20)
    assert history.epochs == 3
    assert_same(model, reference.params)


def test_a_second_ctrl_c_breaks_at_once(ctrl_c):
    steps = []

    def stubborn(prediction, target):
        steps.append(1)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        steps.append(2)
        return mse(prediction, target)

    with pytest.raises(KeyboardInterrupt):
        quiet(Average(), *line(), loss=stubborn, epochs=9)
    assert steps == [1]
    assert signal.getsignal(signal.SIGINT) is ctrl_c


def test_an_ignored_ctrl_c_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        history = quiet(Average(), *line(), loss=interrupting(mse, {1}), epochs=3)
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.ending == "finished"


def test_training_outside_the_main_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(quiet(Average(), *line())))
    thread.start()
    thread.join()
    assert results[0].ending == "finished"


# -------------------------------------------------------------------------------- not finite


def test_a_diverging_training_stops_and_says_why():
    x, target = line()
    model = Average()
    values = []

    def watched(prediction, wanted):
        value, gradient = mse(prediction, wanted)
        values.append((value, arrays(model)))
        return value, gradient

    with warnings.catch_warnings(), pytest.raises(Diverged) as caught:
        warnings.simplefilter("error")
        quiet(model, x, target, loss=watched, optimizer=SGD(1e30), epochs=50, batch_size=5)
    message, history = str(caught.value), caught.value.history
    assert f"at step {len(history.step_loss) + 1} (epoch" in message
    assert "exploding gradient" in message
    assert "clip_norm=1.0" in message
    assert "1e+30" in message
    assert f"{history.step_gradient_norm[-1]:.3g}" in message
    assert isinstance(caught.value, FloatingPointError)
    last_finite = [params for value, params in values if math.isfinite(value)][-1]
    assert_same(model, last_finite)
    assert history.ending == "diverged"


def poisoned(at, value=math.nan, gradient=1.0):
    calls = 0

    def loss(prediction, target):
        nonlocal calls
        calls += 1
        true, slope = mse(prediction, target)
        return (value, slope * gradient) if calls == at else (true, slope)

    return loss


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (poisoned(3), r"the loss is nan at step 3 \(epoch 1, after 2 of 4 steps\)"),
        (poisoned(3, math.inf), "the loss is inf at step 3"),
        (poisoned(3, 1.0, math.nan), "the gradient's norm is nan at step 3"),
        (poisoned(3, 1.0, math.inf), "the gradient's norm is (nan|inf) at step 3"),
        (poisoned(5), r"the validation loss is nan at step 5 \(epoch 1, after 4 of 4 steps\)"),
    ],
)
def test_what_is_not_finite_is_named_and_the_model_stays_finite(loss, message):
    model, history_of = Average(), []
    with pytest.raises(Diverged, match=message) as caught:
        quiet(model, *line(), loss=loss, batch_size=5, validation=line(n=5, seed=1), clip_norm=1.0)
    assert "too high a learning rate" in str(caught.value)
    assert "clip_norm" not in str(caught.value)
    assert np.isfinite(model.params["w"]).all()
    history_of.append(caught.value.history)
    assert len(history_of[0].step_loss) in (2, 4)


def test_the_very_first_step():
    with pytest.raises(Diverged, match="very first step .* scale of x"):
        quiet(Average(), *line(), loss=poisoned(1))


@pytest.mark.parametrize("kept", [True, False])
def test_a_last_update_that_overflows_is_not_left_behind(tmp_path, kept):
    model = Average(dtype="float32")
    loss = poisoned(4, value=1.0, gradient=1e30)
    with pytest.raises(Diverged, match="the parameter 'w' is no longer finite"):
        quiet(
            model,
            *line(),
            loss=loss,
            batch_size=5,
            optimizer=SGD(lambda step: 1e15 if step == 3 else 0.1),
            checkpoint=tmp_path / "run" if kept else None,
        )
    assert np.isfinite(model.params["w"]).all()
    assert not (tmp_path / "run").exists()


# --------------------------------------------------------------------------------- bad input


def spoilt(**changes):
    """A good training with something wrong in it."""
    x, target = line()
    return {"model": Average(), "x": x, "target": target} | changes


def holed(shape, index, value=np.nan):
    array = np.zeros(shape)
    array[index] = value
    return array


STEPS = {"target": np.zeros((4, 20, 2))}

WRONG = [
    (spoilt(model=3), TypeError, r"model must be a layer; int has no \.params"),
    (spoilt(model=Dropout(0.5)), ValueError, "model has no parameters"),
    (spoilt(loss="mse"), TypeError, "loss must be a function"),
    (spoilt(optimizer=Adam), TypeError, r"optimizer must be .* such as optim.Adam\(\)"),
    (spoilt(optimizer=0.1), TypeError, "optimizer must be"),
    (spoilt(epochs=0), ValueError, "epochs must be"),
    (spoilt(epochs=2.5), ValueError, "epochs must be"),
    (spoilt(batch_size=0), ValueError, "batch_size must be"),
    (spoilt(clip_norm=0), ValueError, "clip_norm must be"),
    (spoilt(clip_norm=-1.0), ValueError, "clip_norm must be"),
    (spoilt(patience=0, validation=line()), ValueError, "patience must be"),
    (spoilt(patience=3), ValueError, "patience needs validation="),
    (spoilt(seed=-1), ValueError, "seed must be"),
    (spoilt(seed=1.5), ValueError, "seed must be"),
    (spoilt(checkpoint_every=3), ValueError, "checkpoint_every needs checkpoint="),
    (spoilt(checkpoint_every=0, checkpoint="run"), ValueError, "checkpoint_every must be"),
    (spoilt(x=np.zeros(20)), ValueError, r"x has shape \(20,\); expected \(T, N, ...\)"),
    (spoilt(x=np.zeros((0, 20, 3))), ValueError, "x has shape"),
    (spoilt(x=np.zeros((4, 0, 3))), ValueError, "x has shape"),
    (spoilt(x=np.array([["a"] * 20])), TypeError, "x has dtype <U1"),
    (spoilt(x=np.zeros((4, 20, 3), bool)), TypeError, "x has dtype bool"),
    (spoilt(x=holed((4, 20, 3), (1, 2, 0))), ValueError, r"x\[1, 2, 0\] is nan, the first of 1"),
    (spoilt(x=holed((4, 20, 3), (3,), -np.inf)), ValueError, r"x\[3, 0, 0\] is -inf.* of 60"),
    (spoilt(target=np.zeros((19, 2))), ValueError, r"target has shape \(19, 2\); expected \(20"),
    (spoilt(target=3.0), ValueError, r"target has shape \(\)"),
    (spoilt(target=holed((20, 2), (7, 1))), ValueError, r"target\[7, 1\] is nan"),
    (spoilt(target_axis=2), ValueError, "target_axis must be 0 or 1"),
    (spoilt(lengths=np.full(19, 4)), ValueError, "lengths must be 20 whole numbers"),
    (spoilt(lengths=np.full(20, 4.0)), ValueError, "lengths must be 20 whole numbers"),
    (spoilt(lengths=[4] * 19 + [0]), ValueError, r"lengths\[19\] is 0; expected 1 to 4"),
    (spoilt(lengths=[5] + [4] * 19), ValueError, r"lengths\[0\] is 5; expected 1 to 4"),
    (spoilt(mask=np.ones(19)), ValueError, r"mask has shape \(19,\)"),
    (spoilt(mask=np.zeros(20)), ValueError, "mask must hold finite weights"),
    (spoilt(mask=-np.ones(20)), ValueError, "mask must hold finite weights"),
    (spoilt(mask=holed(20, 3)), ValueError, "mask must hold finite weights"),
    (spoilt(mask=["a"] * 20), ValueError, "mask has shape"),
    (spoilt(mask=np.ones(4), lengths=[4] * 20, **STEPS), ValueError, "mask has shape"),
    (spoilt(mask=np.ones(4), **STEPS), ValueError, "mask has shape"),
    (spoilt(validation=3), ValueError, r"validation must be \(x, target\)"),
    (spoilt(validation=line()[:1]), ValueError, r"validation must be \(x, target\)"),
    (spoilt(validation={"x": line()[0]}), ValueError, r"validation must be \(x, target\)"),
    (spoilt(validation={"x": 1, "target": 2, "y": 3}), ValueError, "validation must be"),
    (
        spoilt(validation=(holed((4, 5, 3), (0, 1, 2)), np.zeros((5, 2)))),
        ValueError,
        r"validation x\[0, 1, 2\] is nan",
    ),
    (
        spoilt(validation=(np.zeros((4, 5, 3)), np.zeros((6, 2)))),
        ValueError,
        r"validation target has shape \(6, 2\)",
    ),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG)
def test_bad_input_is_refused_by_name(arguments, kind, message):
    with pytest.raises(kind, match=message) as caught:
        quiet(**arguments)
    assert type(caught.value) is kind


def test_what_is_on_a_gpu_is_not_copied_unasked():
    class OnGpu:
        def __array__(self, *args, **options):
            raise TypeError("implicit conversion is not allowed")

    with pytest.raises(TypeError, match="x must be an array of numbers on the host, got .*OnGpu"):
        quiet(Average(), OnGpu(), np.zeros(3))


# -------------------------------------------------------------------------------- what is seen


def test_the_bar_shows_epoch_and_losses(capsys):
    x, target = line()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(
            Average(),
            x,
            target,
            loss=mse,
            optimizer=SGD(0.1),
            epochs=3,
            batch_size=5,
            validation=(x, target),
        )
    last = capsys.readouterr().err.split("\r")[-1]
    assert "epoch 3/3" in last
    assert "12/12" in last
    assert "loss=" in last
    assert "validation=" in last


def test_an_early_end_fills_the_bar(capsys, ctrl_c):
    x, target = line()
    fit(Average(), x, target, loss=interrupting(mse, {3}), optimizer=SGD(0.1), epochs=9)
    assert "3/3" in capsys.readouterr().err.split("\r")[-1]


def test_an_early_end_fills_the_bar_of_a_notebook(monkeypatch, ctrl_c):
    from tqdm import notebook

    bars = []

    class Watched(notebook.tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            bars.append(self)

    monkeypatch.setattr("tqdm.auto.tqdm", Watched)
    options = {"loss": interrupting(mse, {3}), "optimizer": SGD(0.1), "epochs": 9}
    fit(Average(), *line(), **options)
    with pytest.raises(Diverged):
        fit(Average(), *line(), **options | {"loss": poisoned(3)})
    early, failed = (bar.container.children[1] for bar in bars)
    assert (early.value, early.max, early.bar_style) == (3, 3, "success")
    assert (failed.value, failed.max, failed.bar_style) == (2, 9, "danger")
    assert "3/9" in bars[0].container.children[0].value


def test_no_bar_if_unwanted_or_without_tqdm(capsys, monkeypatch):
    quiet(Average(), *line())
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    quiet(Average(), *line(), progress=True)
    assert capsys.readouterr().err == ""


def test_importing_training_imports_numpy_alone():
    code = (
        "import sys, lstm_lab.training, lstm_lab.optim, lstm_lab.data; "
        "print(sorted({'tqdm', 'safetensors', 'matplotlib', 'statsmodels'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
