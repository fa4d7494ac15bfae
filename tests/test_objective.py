"""What a loss is told, what its value weighs, and what would fit by chance only."""

import functools

import numpy as np
import pytest

from lstm_lab import LSTM, BiLSTM, LastStep, Linear, Sequential, losses
from lstm_lab.gradcheck import gradcheck
from lstm_lab.optim import SGD, Adam
from lstm_lab.training import evaluate, fit, predict

D = {"dtype": "float64"}


def quiet(model, x, target, **options):
    options = {"optimizer": SGD(0.1), "epochs": 1, "progress": False} | options
    return fit(model, x, target, **options)


def recogniser(seed=0, hidden=12):
    return Sequential(
        encoder=BiLSTM(3, hidden, seed=seed, **D), head=Linear(2 * hidden, 4, seed=seed + 1, **D)
    )


def spoken(n=24, seed=0):
    """Frames that say which label they are, each label two frames long, silence between."""
    rng = np.random.default_rng(seed)
    targets = [rng.integers(1, 4, rng.integers(1, 4)).tolist() for _ in range(n)]
    lengths = np.array([4 * len(labels) for labels in targets])
    x = np.full((lengths.max(), n, 3), np.nan)
    for b, labels in enumerate(targets):
        x[: lengths[b], b] = 0
        for k, label in enumerate(labels):
            x[4 * k + 1 : 4 * k + 3, b, label - 1] = 1
    return x, targets, lengths


# ---------------------------------------------------------------------------- lengths are heard


def test_ctc_hears_of_lengths():
    """The value by torch: 3.0684 with two frames, whatever is behind them."""
    model = Linear(2, 3, seed=0)
    x = np.zeros((9, 1, 2), "float32")
    x[:2] = 1
    values = [
        evaluate(model, x[:steps], [[1]], loss=losses.ctc, lengths=[2]) for steps in (2, 5, 9)
    ]
    expected = losses.ctc(model.forward(x[:2])[0], [[1]])[0]
    assert values == [expected] * 3


def test_ctc_learns_from_a_ragged_batch_without_a_loop():
    model, (x, targets, lengths) = recogniser(), spoken()
    history = quiet(
        model,
        x,
        targets,
        lengths=lengths,
        loss=losses.ctc,
        optimizer=Adam(0.05),
        epochs=25,
        validation={"x": x, "target": targets, "lengths": lengths},
        batch_size=8,
    )
    assert history.validation_loss[-1] < 0.1
    scores = predict(model, x, lengths=lengths)
    assert losses.ctc_greedy(scores, lengths) == targets
    direct = losses.ctc(model.forward(x, lengths=lengths)[0], targets, lengths)[0]
    assert history.validation_loss[-1] == pytest.approx(direct, rel=1e-12)


def test_a_loss_of_ones_own_hears_of_lengths_if_it_asks():
    heard = []

    def loss(prediction, target, lengths):
        heard.append(lengths.tolist())
        return losses.mse(prediction[-1], target)[0], np.zeros_like(prediction)

    x = np.zeros((4, 3, 2))
    evaluate(Linear(2, 1, seed=0, **D), x, np.zeros((3, 1)), loss=loss, lengths=[1, 4, 2])
    assert heard == [[1, 4, 2]]


def test_a_loss_that_would_read_padding_is_refused():
    def last(prediction, target):
        return losses.mse(prediction[-1], target)[0], np.zeros_like(prediction)

    model, x = Linear(2, 1, seed=0, **D), np.zeros((4, 3, 2))
    evaluate(model, x, np.zeros((3, 1)), loss=last, lengths=[4, 4, 4])
    for call in (quiet, evaluate):
        with pytest.raises(ValueError, match="lengths: the model answers at every step"):
            call(model, x, np.zeros((3, 1)), loss=last, lengths=[1, 4, 2])


def test_targets_that_do_not_fit_their_lengths_are_noticed():
    model, (x, targets, lengths) = recogniser(), spoken()
    lengths[5] = len(targets[5]) - 1 or 1
    targets[5] = targets[5] * 2
    with pytest.raises(ValueError, match="no path becomes it") as caught:
        evaluate(model, x, targets, lengths=lengths, loss=losses.ctc, batch_size=4)
    assert "sequences 4, 5, 6, 7" in caught.value.__notes__[0]
    skipping = functools.partial(losses.ctc, impossible="skip")
    without = np.arange(24) != 5
    some = [target for target, kept in zip(targets, without, strict=True) if kept]
    assert evaluate(
        model, x, targets, lengths=lengths, loss=skipping, batch_size=4
    ) == pytest.approx(
        evaluate(model, x[:, without], some, lengths=lengths[without], loss=losses.ctc), rel=1e-12
    )


@pytest.mark.parametrize("name", ["lengths", "target_lengths", "mask"])
def test_what_differs_from_batch_to_batch_cannot_be_fixed(name):
    loss = functools.partial(losses.ctc, **{name: [1, 2, 3]})
    with pytest.raises(ValueError, match=f"loss fixes {name}="):
        evaluate(Linear(2, 3, **D), np.zeros((4, 3, 2)), [[1]] * 3, loss=loss)


def test_a_mask_that_a_loss_does_not_take_is_refused():
    with pytest.raises(TypeError, match="mask: the loss ctc takes none"):
        evaluate(Linear(2, 3), np.zeros((4, 3, 2)), [[1]] * 3, loss=losses.ctc, mask=[1, 0, 1])


# ------------------------------------------------------------------------------ means of means


CLASSES = np.array([1.0, 0.0, 7.0])
OBJECTIVES = {
    "classes": (functools.partial(losses.cross_entropy, class_weights=CLASSES), {}),
    "mask": (losses.cross_entropy, {"mask": np.array([0.2, 3, 0, 1, 1, 0.5, 9])}),
    "mse": (losses.mse, {"mask": np.array([0.2, 3, 0, 1, 1, 0.5, 9])}),
    "skip": (functools.partial(losses.ctc, impossible="skip"), {"lengths": [4, 1, 1, 3, 1, 2, 4]}),
    "lengths": (losses.mse, {"lengths": [4, 1, 2, 3, 1, 2, 4]}),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_loss_does_not_depend_on_the_batch_size(name):
    rng = np.random.default_rng(0)
    loss, options = OBJECTIVES[name]
    x = rng.normal(size=(4, 7, 2))
    target = np.array([0, 1, 1, 2, 0, 1, 2])
    model = Sequential(lstm=LSTM(2, 3, seed=0, **D))
    if name == "mse":
        target = rng.normal(size=(7, 3))
    if name == "lengths":
        target = rng.normal(size=(4, 7, 3))
    elif name == "skip":
        target = [[1], [1, 2], [2], [2, 1], [1, 1], [2], [1]]
    else:
        model = Sequential(lstm=LSTM(2, 3, seed=0, **D), last=LastStep(**D))
    values = [
        evaluate(model, x, target, loss=loss, batch_size=size, **options) for size in (7, 1, 2, 3)
    ]
    assert values == pytest.approx([values[0]] * 4, rel=1e-13)
    histories = [
        quiet(model, x, target, loss=loss, batch_size=size, optimizer=SGD(1e-300), **options)
        for size in (7, 1, 2, 3)
    ]
    assert [history.loss[0] for history in histories] == pytest.approx([values[0]] * 4, rel=1e-13)


def test_a_batch_in_which_nothing_counts_is_no_step_of_the_mean():
    loss = functools.partial(losses.cross_entropy, class_weights=np.array([0.0, 1.0]))
    model = Sequential(last=LastStep(**D), head=Linear(2, 2, seed=0, **D))
    x, target = np.ones((3, 4, 2)), np.array([0, 1, 0, 0])
    history = quiet(model, x, target, loss=loss, batch_size=1, epochs=2)
    assert np.isnan(history.step_loss).sum() == 6
    assert np.isfinite(history.loss).all() and np.isfinite(history.gradient_norm).all()
    with pytest.raises(losses.NothingCounts, match="no target counts"):
        evaluate(model, x, np.zeros(4, int), loss=loss)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "bool"])
def test_a_mask_in_a_small_type_is_added_up_in_a_large_one(dtype):
    """70,000 ones: beyond float16 (65,504), and far beyond an int8."""
    x, target = np.ones((70, 1000, 1)), np.zeros((70, 1000, 1))
    layer = Linear(1, 1, seed=0, **D)
    plain = evaluate(layer, x, target, loss=losses.mse)
    mask = np.ones((70, 1000), dtype)
    assert evaluate(layer, x, target, loss=losses.mse, mask=mask) == pytest.approx(plain, rel=1e-12)
    own = []

    def loss(prediction, target, mask):
        own.append(mask)
        value, gradient = losses.mse(prediction, target, mask)
        return float(value), gradient

    assert evaluate(layer, x, target, loss=loss, mask=mask) == pytest.approx(plain, rel=1e-12)
    assert own


# ------------------------------------------------------------------------ what fits by chance


def test_a_target_left_batch_first_is_refused_at_any_batch_size():
    """32 steps and batches of 32: every batch's target has the shape of its prediction."""
    rng = np.random.default_rng(0)
    x, classes = rng.normal(size=(32, 100, 2)), rng.integers(0, 3, (100, 32))
    model = Linear(2, 3, seed=0, **D)
    for call in (quiet, evaluate):
        for size in (32, 20, 68):
            with pytest.raises(ValueError, match=r"target must have shape \(32, (1|20|68)\)"):
                call(model, x, classes, loss=losses.cross_entropy, batch_size=size)
        with pytest.raises(ValueError, match=r"\(T, N, \.\.\.\)"):
            call(model, x, rng.normal(size=(100, 32, 3)), loss=losses.mse, batch_size=32)


def test_a_target_for_each_step_of_a_model_with_one_answer_is_refused():
    x = np.random.default_rng(0).normal(size=(4, 8, 2))
    model = Sequential(last=LastStep(**D), head=Linear(2, 4, seed=0, **D))
    with pytest.raises(ValueError, match="target must have shape"):
        evaluate(model, x, np.zeros((4, 8)), loss=losses.mse, batch_size=4)


def test_a_mask_over_time_alone_is_refused():
    x, target = np.zeros((4, 8, 2)), np.zeros((4, 8, 3))
    with pytest.raises(ValueError, match=r"mask has shape \(4,\).*\(T, N\)"):
        evaluate(Linear(2, 3, **D), x, target, loss=losses.mse, mask=np.ones(4))


def test_a_loss_that_broadcasts_is_noticed():
    def loss(prediction, target):
        difference = prediction - target
        return (difference**2).mean(), 2 * difference / difference.size

    model = Sequential(last=LastStep(**D), head=Linear(2, 1, seed=0, **D))
    with pytest.raises(ValueError, match=r"gradient of shape \(4, 4\) for a prediction of shape"):
        evaluate(model, np.zeros((3, 4, 2)), np.zeros(4), loss=loss)


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_outputs_are_joined_along_the_axis_of_the_sequences(count):
    """As many sequences as steps, one answer each with as many rows: (N, A, B) is no (T, N, B)."""

    class Table(Linear):
        def forward(self, x, **options):
            y, trace = super().forward(x[-1], trace=True)
            return y.reshape(-1, 4, 2), trace

    x = np.random.default_rng(0).normal(size=(4, count, 3))
    table, steps = Table(3, 8, seed=0, **D), Linear(3, 8, seed=0, **D)
    for size in (1, 2, 4, 8):
        expected = steps.forward(x)[0]
        np.testing.assert_allclose(predict(steps, x, batch_size=size), expected, atol=1e-14)
        answers = predict(table, x, batch_size=size)
        np.testing.assert_allclose(answers, expected[-1].reshape(-1, 4, 2), atol=1e-14)


# ------------------------------------------------------------------------ what came, as it came


ODD = {
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "fortran": np.asfortranarray,
    "backwards": lambda a: np.flip(a).copy()[tuple(slice(None, None, -1) for _ in a.shape)],
    "masked nowhere": np.ma.masked_invalid,
    "lists": lambda a: a.tolist(),
    "matrix": lambda a: a.view(type("Sub", (np.ndarray,), {})),
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


@pytest.mark.parametrize("kind", ODD)
def test_another_form_of_the_same_numbers_is_the_same(kind):
    rng = np.random.default_rng(0)
    odd = ODD[kind]
    x, target = rng.normal(size=(4, 6, 2)), rng.normal(size=(4, 6, 3))
    ids, lengths = rng.integers(0, 3, (4, 6)), rng.integers(1, 5, 6)
    mask = rng.uniform(size=(4, 6))
    model = Sequential(lstm=LSTM(2, 3, seed=0, **D))
    for loss, goal in ((losses.mse, target), (losses.cross_entropy, ids)):
        plain = evaluate(model, x, goal, loss=loss, lengths=lengths, mask=mask)
        value = evaluate(model, odd(x), odd(goal), loss=loss, lengths=odd(lengths), mask=odd(mask))
        assert value == pytest.approx(plain, rel=1e-13)
    if kind == "lists":
        return
    y, trace = model.forward(odd(x), lengths=odd(lengths))
    expected, plain_trace = model.forward(x, lengths=lengths)
    # BLAS adds in another order where the strides are others.
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)
    assert type(y) is np.ndarray and y.dtype.isnative
    gradient, plain = model.backward(odd(target), trace), model.backward(target, plain_trace)
    for name, array in plain.params.items():
        np.testing.assert_allclose(gradient.params[name], array, rtol=1e-12, atol=1e-14)
    value, _ = losses.mse(odd(y), odd(target), odd(mask))
    assert value == pytest.approx(losses.mse(y, target, mask)[0], rel=1e-13)


def test_gradcheck_leaves_the_weights_as_they_were_if_it_is_interrupted():
    class Stop(Exception):
        pass

    class Stopping(Linear):
        calls = 0

        def forward(self, x, **options):
            Stopping.calls += 1
            if Stopping.calls == 4:
                raise Stop
            return super().forward(x, **options)

    layer = Stopping(2, 3, seed=0, **D)
    before = {name: array.copy() for name, array in layer.params.items()}
    for calls in (0, 1, 2):
        Stopping.calls = calls
        with pytest.raises(Stop):
            gradcheck(layer, np.ones((4, 2)))
        for name, array in layer.params.items():
            np.testing.assert_array_equal(array, before[name])
