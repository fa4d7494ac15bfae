"""A model that reads several inputs, as a decoder reads a source beside its own words."""

from types import SimpleNamespace

import numpy as np
import pytest

from lstm_lab import LSTM, Gradient, Layer, Linear
from lstm_lab.backends import get_backend
from lstm_lab.gradcheck import gradcheck
from lstm_lab.losses import mse
from lstm_lab.optim import SGD, Adam
from lstm_lab.training import CheckpointError, evaluate, fit, predict


class Two:
    """y_t = x1_t W + mean(x0) U, the mean over x0's own steps. No code of the layers."""

    def __init__(self):
        self.backend, self.dtype = get_backend("numpy"), np.dtype("float64")
        rng = np.random.default_rng(0)
        self.params = {"w": rng.normal(size=(2, 1)), "u": rng.normal(size=(3, 1))}
        self.calls = []

    def forward(self, x, *, lengths=None, rng=None, trace=True):
        (source, target), (ends, _) = x, lengths
        self.calls.append((x, lengths))
        ends = np.full(source.shape[1], len(source)) if ends is None else ends
        valid = np.arange(len(source))[:, None] < ends
        mean = np.where(valid[..., None], source, 0).sum(axis=0) / ends[:, None]
        return target @ self.params["w"] + mean @ self.params["u"], (target, mean)

    def backward(self, dy, trace):
        target, mean = trace
        # Padding is NaN here, and its gradient 0.
        rows = np.where(dy == 0, 0, target).reshape(-1, 2)
        return SimpleNamespace(
            x=None, params={"w": rows.T @ dy.reshape(-1, 1), "u": mean.T @ dy.sum(axis=0)}
        )


def pairs(n=9, steps=(5, 4), ragged=True, seed=0):
    """Two inputs, a target for every step of the second, and lengths; NaN for padding."""
    rng = np.random.default_rng(seed)
    x = tuple(rng.normal(size=(t, n, k)) for t, k in zip(steps, (3, 2), strict=True))
    target = rng.normal(size=(steps[1], n, 1))
    if not ragged:
        return x, target, None
    lengths = tuple(rng.integers(1, t + 1, n) for t in steps)
    for array, ends in zip(x, lengths, strict=True):
        array[np.arange(len(array))[:, None] >= ends] = np.nan
    return x, target, lengths


def quiet(model, x, target, **options):
    options = {"loss": mse, "optimizer": SGD(0.1), "epochs": 1, "progress": False} | options
    return fit(model, x, target, **options)


def squares(model, x, target, lengths):
    """The mean over what is no padding, sequence by sequence."""
    errors = []
    for n in range(target.shape[1]):
        source, own = (
            array[: len(array) if ends is None else ends[n], n]
            for array, ends in zip(x, lengths or (None, None), strict=True)
        )
        y = own @ model.params["w"] + source.mean(axis=0) @ model.params["u"]
        errors.append((y - target[: len(own), n]) ** 2)
    return np.concatenate(errors).mean()


@pytest.mark.parametrize("size", [1, 2, 4, 9, 100])
@pytest.mark.parametrize("ragged", [True, False])
def test_evaluate_reads_the_padding_of_neither_input(size, ragged):
    x, target, lengths = pairs(ragged=ragged)
    model = Two()
    found = evaluate(model, x, target, loss=mse, lengths=lengths, batch_size=size)
    assert found == pytest.approx(squares(model, x, target, lengths), rel=1e-12)


def test_a_step_by_hand_takes_the_same_sequences_of_every_input():
    x, target, lengths = pairs()
    model = Two()
    before = {name: array.copy() for name, array in model.params.items()}
    quiet(model, x, target, lengths=lengths, batch_size=6, optimizer=SGD(1e-300))
    seen = []
    for (source, own), (source_ends, ends) in model.calls:
        for b in range(source.shape[1]):
            n = int(np.flatnonzero((x[0][0] == source[0, b]).all(axis=1))[0])
            seen.append(n)
            np.testing.assert_array_equal(own[:, b], x[1][:, n])
            assert (source_ends[b], ends[b]) == (lengths[0][n], lengths[1][n])
    assert sorted(seen) == list(range(9))
    assert seen != sorted(seen)
    for name, array in before.items():
        np.testing.assert_array_equal(model.params[name], array)


def test_training_reaches_the_least_squares_solution():
    x, target, lengths = pairs(n=12)
    model = Two()
    options = {"epochs": 300, "batch_size": 12, "optimizer": SGD(0.2, 0.9)}
    quiet(model, x, target, lengths=lengths, **options)
    rows, wanted = [], []
    for n in range(12):
        mean = x[0][: lengths[0][n], n].mean(axis=0)
        for t in range(lengths[1][n]):
            rows.append(np.concatenate([x[1][t, n], mean]))
            wanted.append(target[t, n])
    best, *_ = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)
    found = np.concatenate([model.params["w"], model.params["u"]])
    np.testing.assert_allclose(found, best, atol=1e-6)


def test_lengths_may_be_left_out_of_all_or_of_some():
    x, target, lengths = pairs()
    full = tuple(np.nan_to_num(array) for array in x)
    for given in (None, (None, None), (lengths[0], None), (None, lengths[1])):
        model = Two()
        found = evaluate(model, full, target, loss=mse, lengths=given)
        assert found == pytest.approx(squares(model, full, target, given), rel=1e-12)
        heard = model.calls[-1][1]
        assert [ends is None for ends in heard] == [ends is None for ends in given or heard]


def test_predict_joins_batches_also_where_steps_are_as_many_as_sequences():
    x, _, lengths = pairs(n=8)
    model = Two()
    whole, _ = model.forward(x, lengths=lengths)
    for size in (1, 3, 4, 8):
        found = predict(model, x, lengths=lengths, batch_size=size)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(whole))
        np.testing.assert_allclose(np.nan_to_num(found), np.nan_to_num(whole), rtol=1e-12)


def test_a_loss_that_asks_for_lengths_hears_the_last_inputs():
    x, _, lengths = pairs()
    heard = []

    def loss(prediction, target, lengths):
        heard.extend(lengths.tolist())
        return 0.0, np.zeros_like(prediction)

    evaluate(Two(), x, np.zeros((9, 1)), loss=loss, lengths=lengths)
    assert heard == lengths[1].tolist()

    def deaf(prediction, target):
        raise AssertionError

    with pytest.raises(ValueError, match="lengths: the model answers at every step"):
        evaluate(Two(), x, np.zeros((9, 1)), loss=deaf, lengths=lengths)
    # Where only the source is padded, no padding comes out.
    evaluate(Two(), (x[0], np.nan_to_num(x[1])), np.zeros((9, 1)), lengths=(lengths[0], None),
             loss=lambda prediction, target: (0.0, np.zeros_like(prediction)))  # fmt: skip


def test_targets_in_the_wrong_order_fit_no_batch_by_chance():
    """As many sequences a batch as the second input has steps; the first has another number."""
    x, target, _ = pairs(n=8, ragged=False)
    with pytest.raises(ValueError, match="axes in the wrong order would fit by chance"):
        quiet(Two(), x, target.transpose(1, 0, 2), batch_size=4)
    quiet(Two(), x, target, batch_size=4)


def test_where_steps_are_as_many_as_sequences_the_axis_must_be_said():
    x, target, lengths = pairs(n=4)
    with pytest.raises(ValueError, match=r"x\[1\] has as many steps as sequences \(4\)"):
        evaluate(Two(), x, target, loss=mse, lengths=lengths)
    model = Two()
    found = evaluate(model, x, target, loss=mse, lengths=lengths, target_axis=1)
    assert found == pytest.approx(squares(model, x, target, lengths), rel=1e-12)


def test_a_broken_off_training_goes_on_bit_for_bit(tmp_path):
    x, target, lengths = pairs()
    validation = {"x": x, "target": target, "lengths": lengths}
    options = {"lengths": lengths, "batch_size": 4, "validation": validation, "patience": 9}
    whole, part, resumed = Two(), Two(), Two()
    history = quiet(whole, x, target, epochs=4, optimizer=Adam(0.01), **options)
    path = tmp_path / "run"
    quiet(part, x, target, epochs=2, optimizer=Adam(0.01), checkpoint=path, **options)
    again = quiet(resumed, x, target, epochs=4, optimizer=Adam(0.01), checkpoint=path, **options)
    assert again == history
    for name, array in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], array)


@pytest.mark.parametrize("k", [0, 1])
def test_a_training_on_another_input_is_not_resumed(tmp_path, k):
    x, target, lengths = pairs()
    path = tmp_path / "run"
    quiet(Two(), x, target, lengths=lengths, checkpoint=path)
    other = [array.copy() for array in x]
    other[k][0, 0, 0] += 1
    with pytest.raises(CheckpointError, match=r"data\.x: "):
        quiet(Two(), tuple(other), target, lengths=lengths, checkpoint=path)
    ends = [array.copy() for array in lengths]
    ends[k][ends[k].argmax()] -= 1
    with pytest.raises(CheckpointError, match=r"data\.lengths: "):
        quiet(Two(), x, target, lengths=tuple(ends), checkpoint=path)


X, TARGET, LENGTHS = pairs()


def holed(array, index):
    array = np.nan_to_num(array)
    array[index] = np.inf
    return array


WRONG = [
    ({"x": ()}, ValueError, "x is an empty tuple"),
    ({"x": (X[0], "a")}, TypeError, r"x\[1\] has dtype"),
    ({"x": (X[0], None)}, TypeError, r"x\[1\] has dtype object"),
    ({"x": (np.zeros(9), X[1])}, ValueError, r"x\[0\] has shape \(9,\); expected \(T, N"),
    ({"x": (X[0], X[1][:, :8])}, ValueError, r"lengths\[1\] must be 8 whole .* in x\[1\]"),
    (
        {"x": (np.nan_to_num(X[0]), np.zeros((4, 8, 2))), "lengths": None},
        ValueError,
        r"x\[1\] has shape \(4, 8, 2\), \(T, N, ...\), but x\[0\] holds 9 sequences",
    ),
    ({"x": (holed(X[0], (0, 3, 1)), X[1])}, ValueError, r"x\[0\]\[0, 3, 1\] is inf"),
    ({"x": (X[0], holed(X[1], (0, 2, 1)))}, ValueError, r"x\[1\]\[0, 2, 1\] is inf"),
    ({"lengths": LENGTHS[0]}, TypeError, "lengths must be a tuple with one entry for each of"),
    ({"lengths": LENGTHS[:1]}, TypeError, "each of the 2 inputs in x"),
    ({"lengths": (LENGTHS[0], [5] * 9)}, ValueError, r"lengths\[1\]\[0\] is 5; expected 1 to 4"),
    ({"target": np.zeros((8, 1))}, ValueError, r"\(4, 9, ...\) for x\[1\] of shape \(4, 9, 2\)"),
    (
        {"validation": {"x": X, "target": TARGET, "lengths": (LENGTHS[0], [0] * 9)}},
        ValueError,
        r"validation lengths\[1\]\[0\] is 0; expected 1 to 4, the steps in validation x\[1\]",
    ),
]


@pytest.mark.parametrize(("changes", "kind", "message"), WRONG)
def test_what_is_wrong_with_one_of_them_is_named(changes, kind, message):
    good = {"x": X, "target": TARGET, "lengths": LENGTHS}
    with pytest.raises(kind, match=message):
        quiet(Two(), **good | changes)


class Both(Layer):
    """An LSTM over x[0], whose last output is added to x[1] before a linear layer."""

    def __init__(self, factor=1.0):
        super().__init__("numpy", "float64")
        self.lstm, self.head = LSTM(3, 2, dtype="float64", seed=0), Linear(2, 2, dtype="float64")
        self.factor = factor

    def forward(self, x, *, lengths=None, rng=None, trace=True):
        y, read = self.lstm.forward(x[0])
        out, written = self.head.forward(x[1] + y[-1])
        return out, (read, written, y.shape)

    def backward(self, dy, trace):
        read, written, shape = trace
        d = self.head.backward(dy, written).x
        dlast = np.zeros(shape)
        dlast[-1] = d.sum(axis=0)
        return Gradient((self.lstm.backward(dlast, read).x, d * self.factor))


def test_gradcheck_differentiates_every_input():
    x = tuple(np.nan_to_num(array) for array in X)
    x = x[0][:2, :3], x[1][:2, :3]
    report = gradcheck(Both(), x)
    assert report
    assert report.errors.keys() == {"x[0]", "x[1]"}
    wrong = gradcheck(Both(1.01), x)
    assert not wrong
    assert wrong.worst.name == "x[1]"
