"""Truncated backpropagation: a batch in pieces, the state carried and the gradient not."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, BiLSTM, Dropout, Embedding, LastStep, Linear, Sequential
from lstm_lab.losses import cross_entropy, mse
from lstm_lab.optim import SGD, Adam
from lstm_lab.training import CheckpointError, evaluate, fit

RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 5, (24, 5))
X, TARGET = IDS[:-1], IDS[1:]


def network(seed=0, dropout=0.0):
    """Two kinds of states, one of them inside a network of its own."""
    return Sequential(
        table=Embedding(5, 3, seed=seed, dtype="float64"),
        lstm=LSTM(3, 4, 2, dropout=dropout, seed=seed + 1, dtype="float64"),
        inner=Sequential(
            gru=GRU(4, 3, seed=seed + 2, dtype="float64"), drop=Dropout(dropout, dtype="float64")
        ),
        head=Linear(3, 5, seed=seed + 3, dtype="float64"),
    )


def train(model, **options):
    options = {
        "loss": cross_entropy, "optimizer": Adam(0.02), "epochs": 3, "truncate": 7,
        "batch_size": 3, "clip_norm": 0.5, "progress": False,
    } | options  # fmt: skip
    x, target = options.pop("x", X), options.pop("target", TARGET)
    return fit(model, x, target, **options)


def test_pieces_are_one_long_forward():
    model = network()
    whole, traces = model.forward(X)
    state, parts = None, []
    for start in range(0, len(X), 7):
        part, piece = model.forward(X[start : start + 7], state=state, trace=False)
        state = model.final_state(piece)
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-12)
    last = model.final_state(traces)
    np.testing.assert_allclose(state["lstm"][1], last["lstm"][1], rtol=1e-12)
    np.testing.assert_allclose(state["inner"]["gru"], last["inner"]["gru"], rtol=1e-12)


@pytest.mark.parametrize("batch_size", [2, 5])
def test_the_mean_loss_is_that_of_the_whole(batch_size):
    mask = RNG.random(TARGET.shape) < 0.7
    mask[7:14] = False  # a whole piece of which nothing counts
    model = network()
    for options in ({}, {"mask": mask}):
        options = options | {"loss": cross_entropy, "batch_size": batch_size}
        expected = evaluate(model, X, TARGET, **options)
        pieces = evaluate(model, X, TARGET, truncate=7, **options)
        assert pieces == pytest.approx(expected, rel=1e-12)


def test_every_piece_is_a_step_with_the_gradient_cut():
    """By hand: each batch's pieces in order, from the state in which the last one ended."""
    model, twin = network(), network()
    history = train(model, epochs=1, batch_size=5, optimizer=SGD(0.3), clip_norm=None)
    state, losses = None, []
    for start in range(0, len(X), 7):
        piece = slice(start, start + 7)
        scores, traces = twin.forward(X[piece], state=state)
        loss, dy = cross_entropy(scores, TARGET[piece])
        state = twin.final_state(traces)
        for name, gradient in twin.backward(dy, traces).params.items():
            twin.params[name][...] -= 0.3 * gradient
        losses.append(float(loss))
    # Only the order of the sequences within a sum differs.
    np.testing.assert_allclose(history.step_loss, losses, rtol=1e-12)
    weights = [7 * 5, 7 * 5, 7 * 5, 2 * 5]
    assert history.loss[0] == pytest.approx(np.average(losses, weights=weights))
    for name, array in model.params.items():
        np.testing.assert_allclose(array, twin.params[name], rtol=1e-9)


class Stop(Exception):
    pass


def broken_off(calls):
    def cross_entropy(prediction, target, mask=None):
        nonlocal calls
        if not calls:
            raise Stop
        calls -= 1
        return real(prediction, target, mask)

    real = globals()["cross_entropy"]
    cross_entropy.__qualname__ = "cross_entropy"
    return cross_entropy


@pytest.mark.parametrize("steps", [1, 4, 6, 8, 11])
def test_it_goes_on_bit_for_bit_from_within_a_batch(tmp_path, steps):
    """Four pieces of two batches are an epoch; the state between two pieces is in the file."""
    options = {"validation": (X, TARGET)}
    straight = network(dropout=0.2)
    expected = train(straight, **options)
    with pytest.raises(Stop):
        train(
            network(dropout=0.2), loss=broken_off(steps + 8 * (steps // 8)),
            checkpoint=tmp_path / "run", checkpoint_every=1, **options,
        )  # fmt: skip
    resumed = network(seed=7, dropout=0.2)
    assert train(resumed, checkpoint=tmp_path / "run", **options) == expected
    for name, array in straight.params.items():
        np.testing.assert_array_equal(resumed.params[name], array)


def test_a_checkpoint_of_other_pieces_or_without_its_state_is_refused(tmp_path):
    from lstm_lab.training import checkpoint

    path = tmp_path / "run"
    with pytest.raises(Stop):
        train(network(), loss=broken_off(2), checkpoint=path, checkpoint_every=1)
    with pytest.raises(CheckpointError, match="truncate: 7 there, 8 here"):
        train(network(), checkpoint=path, truncate=8)
    tensors, state = checkpoint.read(path)
    names = {"carried/lstm..0", "carried/lstm..1", "carried/inner.gru"}
    assert {name for name in tensors if name.startswith("carried/")} == names
    kept = {name: array for name, array in tensors.items() if name not in names}
    checkpoint.write(path, kept, state)
    with pytest.raises(CheckpointError, match="carried from piece to piece is not there"):
        train(network(), checkpoint=path)
    checkpoint.write(path, tensors | {"carried/inner.gru": np.full((1, 3, 3), np.nan)}, state)
    with pytest.raises(CheckpointError, match=r"carried/inner\.gru is not finite"):
        train(network(), checkpoint=path)


def test_what_cannot_be_read_in_pieces_is_refused():
    lengths = np.full(5, 9)
    with pytest.raises(ValueError, match="truncate takes no lengths"):
        train(network(), lengths=lengths)
    with pytest.raises(ValueError, match="truncate takes no lengths"):
        train(network(), validation={"x": X, "target": TARGET, "lengths": lengths})
    x = RNG.normal(size=(9, 4, 3))
    last = Sequential(lstm=LSTM(3, 4), last=LastStep(), head=Linear(4, 1))
    with pytest.raises(ValueError, match="truncate needs a target for every step"):
        train(last, x=x, target=np.zeros((4, 1)), loss=mse)
    with pytest.raises(TypeError, match="LSTM has no final_state"):
        train(LSTM(3, 4), x=x, target=np.zeros((9, 4, 4)), loss=mse)
    both = Sequential(both=BiLSTM(3, 4))
    with pytest.raises(ValueError, match="both reads in both directions"):
        train(both, x=x, target=np.zeros((9, 4, 8)), loss=mse)
    with pytest.raises(ValueError, match="state is for 'head'; the recurrent layers are lstm"):
        last.forward(x.astype("float32"), state={"head": None})
