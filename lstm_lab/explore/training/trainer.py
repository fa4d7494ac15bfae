"""A training that is looked at: what it learns from, one update, and what is seen of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...layers import LSTM, Layer

BATCH = 32
PROBE = 32
BINS = 16
COLUMNS = 128
GATES = ("forget_gate", "input_gate", "output_gate")

Batch = tuple[np.ndarray, np.ndarray, "np.ndarray | None", "np.ndarray | None"]
"""x (T, B, ...), target, and the lengths and the loss's mask, or None."""


class Diverged(FloatingPointError):
    """The loss, the gradient or a parameter is no longer finite."""


@dataclass(frozen=True)
class Task:
    """Where examples come from.

    Attributes
    ----------
    draw : callable
        ``draw(number, length)``: the batch of update ``number``, counted from 0.
    probe : callable
        ``probe(length)``: examples that no update sees, or the reader's first ones.
    loss : callable
        ``loss(prediction, target) -> (value, gradient)``.
    baseline : float
        The loss of the best answer that does not look at the input; NaN if there is none known.
    right : callable
        ``right(prediction, target, mask)``: which answers of a batch are right, booleans (B,).
    words : tuple of str
        The classes' names, for those that have names.
    """

    draw: Callable[[int, int], Batch]
    probe: Callable[[int], Batch]
    loss: Callable
    baseline: float
    right: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
    words: tuple[str, ...] = ()


TASKS = ("temporal order", "first symbol", "adding")


def classic(name: str, seed: int) -> tuple[Task, int, int]:
    """A classic task, and how many features and answers it has.

    The batch of update k is drawn by ``numpy.random.default_rng([seed, k])``, so that it is the
    same whatever came before.
    """
    from ... import losses, tasks

    def draw(number: int, length: int, batch: int = BATCH) -> Batch:
        rng = np.random.default_rng([seed, number])
        if name == "temporal order":
            return *tasks.temporal_order(batch, rng, length=length), None
        if name == "adding":
            return *tasks.adding(batch, length, rng), None
        return *tasks.first_symbol(batch, length, rng), None, None

    def probe(length: int) -> Batch:
        return draw(2**31, length, PROBE)

    if name == "adding":
        task = Task(draw, probe, losses.mse, tasks.ADDING_BASELINE, near)
        return task, 2, 1
    classes, features, words = 4, 8, ("X X", "X Y", "Y X", "Y Y")
    if name == "first symbol":
        classes, features, words = 2, 6, ("A", "B")
    task = Task(draw, probe, losses.cross_entropy, math.log(classes), same, words)
    return task, features, classes


def near(prediction: np.ndarray, target: np.ndarray, mask: Any = None) -> np.ndarray:
    """Which answers are wrong: 0.04 away or more at a place that counts.

    Hochreiter & Schmidhuber 1997, section 5.4.
    """
    wrong = np.abs(prediction - target) >= 0.04
    return _none(wrong.reshape(*target.shape[: 1 if mask is None else mask.ndim], -1).any(-1), mask)


def same(prediction: np.ndarray, target: np.ndarray, mask: Any = None) -> np.ndarray:
    """An answer is right if the right class is the likeliest at every place that counts."""
    return _none(prediction.argmax(axis=-1) != target, mask)


def _none(wrong: np.ndarray, mask: Any) -> np.ndarray:
    counts = wrong if mask is None else wrong & (mask != 0)
    return ~counts.reshape(len(counts), -1).any(axis=1)


def readers(model: Layer, x: Any, target: Any, lengths: Any, loss: Callable, seed: int) -> Task:
    """The reader's own examples, in batches of `BATCH`, in a new order every epoch.

    Raises
    ------
    TypeError, ValueError
        If they do not fit each other or the model; the message names the argument.
    """
    from ... import losses
    from ...training.examples import Examples
    from ...training.objective import Objective, has_steps

    objective = Objective(loss)
    if objective.takes_lengths and not objective.takes_mask:
        raise TypeError(
            "loss: the picture gives a loss a mask, not lengths; for one such as ctc take "
            "training.fit"
        )
    if isinstance(x, tuple):
        raise TypeError(f"x: the picture shows one input, not a tuple of {len(x)}")
    checked, ends = Examples.check_input(model, x, lengths)
    asarray = model.backend.asarray
    first, _ = model.forward(asarray(checked[:, :1]), lengths=None if ends is None else ends[:1])
    each_step = has_steps(first, checked[:, :1])
    examples = Examples.check(model, x, target, lengths=lengths, target_axis=int(each_step))
    objective.require_fit(model, examples, BATCH)
    axis, rows = examples.target_axis, examples.rows
    batches = math.ceil(len(rows) / BATCH)

    def pick(chosen: np.ndarray) -> Batch:
        own = None if examples.lengths is None else examples.lengths[chosen]
        mask = None if examples.mask is None else examples.mask.take(chosen, axis)
        return examples.x.take(chosen, 1), examples.target.take(chosen, axis), own, mask

    def draw(number: int, _: int) -> Batch:
        epoch, place = divmod(number, batches)
        order = np.random.default_rng([seed, epoch]).permutation(rows)
        return pick(order[place * BATCH : (place + 1) * BATCH])

    def right(prediction: np.ndarray, wanted: np.ndarray, mask: Any = None) -> np.ndarray:
        judge = same if wanted.dtype.kind in "iu" else near
        first = [np.moveaxis(array, axis, 0) for array in (prediction, wanted)]
        return judge(*first, None if mask is None else np.moveaxis(mask, axis, 0))

    known, values = loss in (losses.mse, losses.cross_entropy), examples.target
    if examples.mask is not None:
        values = values[examples.mask != 0]
    baseline = math.nan
    if known and values.dtype.kind in "iu":
        share = np.unique(values, return_counts=True)[1] / values.size
        baseline = float(-(share * np.log(share)).sum())
    elif known:
        baseline = float(np.var(values.astype("float64")))
    return Task(draw, lambda _: pick(rows[:PROBE]), loss, baseline, right)


def lstm_in(model: Layer) -> tuple[str | None, LSTM | None]:
    """The first LSTM of a model and the name of its trace, None where the trace is its own."""
    from ...layers import LSTM, Sequential

    if isinstance(model, LSTM):
        return None, model
    if isinstance(model, Sequential):
        for name, layer in model.layers.items():
            if isinstance(layer, LSTM):
                return name, layer
    return None, None


@dataclass(frozen=True)
class Seen:
    """What a model does with the probe.

    Attributes
    ----------
    loss : float
    right : float
        Share of the sequences that it answers right.
    x, target, prediction, lengths : arrays of the probe; the prediction as the model gives it
    histogram : array (3, BINS)
        Of forget, input and output gate: share of the values in each sixteenth of [0, 1].
    shut, open : array (3,)
        Share of the values below 0.1, and above 0.9.
    fed : array (T, B, D) or None
        What the LSTM reads.
    """

    loss: float
    right: float
    x: np.ndarray
    target: np.ndarray
    prediction: np.ndarray
    lengths: np.ndarray
    histogram: np.ndarray
    shut: np.ndarray
    open: np.ndarray
    fed: np.ndarray | None


class Training:
    """A training between two updates.

    The same task, seed, start and settings give the same losses, bit for bit, as a plain loop
    over ``task.draw``, ``model.forward``, the loss, ``model.backward``, `clip_by_norm` and
    ``optimizer.update``.

    Parameters
    ----------
    model : Layer
        Trained in place.
    task : Task
    optimizer : Optimizer
        Its ``learning_rate`` is set anew before every update.
    length : int
        Of the sequences that are drawn.
    seed : int
        Of dropout.

    Attributes
    ----------
    losses, norms, clipped : list of float
        Of every update: the loss before it, and the gradient's norm before and after clipping.
    """

    def __init__(self, model: Layer, task: Task, optimizer: Any, length: int, seed: int = 0):
        self.model, self.task, self.optimizer, self.seed = model, task, optimizer, seed
        self.name, self.lstm = lstm_in(model)
        self.losses: list[float] = []
        self.norms: list[float] = []
        self.clipped: list[float] = []
        self.columns: list[np.ndarray] = []
        self.stride = 1
        self.length = 0
        self.set_length(length)
        self._keep_column()

    @property
    def updates(self) -> int:
        return len(self.losses)

    def set_length(self, length: int) -> None:
        """Other sequences from now on."""
        if length == self.length:
            return
        self.length, self.batch = length, self.task.probe(length)
        self.seen = self.look()

    def update(self, learning_rate: float, clip: float) -> None:
        """One batch: forward, loss, backward, clip, update.

        Parameters
        ----------
        clip : float
            The longest gradient; infinity for none.

        Raises
        ------
        Diverged
            The parameters are then those before this update.
        """
        from ...optim import clip_by_norm

        number, params, backend = self.updates, self.model.params, self.model.backend
        x, target, lengths, mask = self.task.draw(number, self.length)
        rng = np.random.default_rng([self.seed, number, 1])
        with np.errstate(over="ignore", invalid="ignore"):
            prediction, trace = self.model.forward(backend.asarray(x), lengths=lengths, rng=rng)
            value, gradient = self._loss(prediction, target, mask)
            grads = self.model.backward(gradient, trace).params
            norm = clip_by_norm(grads, clip)
        if not math.isfinite(value) or not math.isfinite(norm):
            what = "loss" if not math.isfinite(value) else "gradient"
            raise Diverged(f"the {what} of update {number + 1} is not finite")
        before = {name: array.copy() for name, array in params.items()}
        self.optimizer.learning_rate = learning_rate
        with np.errstate(over="ignore", invalid="ignore"):
            self.optimizer.update(params, grads)
        seen = self.look() if self._finite() else None
        if seen is None or not math.isfinite(seen.loss):
            for name, array in before.items():
                params[name][...] = array
            raise Diverged(f"after update {number + 1} the model is no longer finite")
        self.losses.append(float(value))
        self.norms.append(norm)
        self.clipped.append(min(norm, clip))
        self.seen = seen
        self._keep_column()

    def _loss(self, prediction: Any, target: np.ndarray, mask: Any) -> tuple[float, Any]:
        asarray = self.model.backend.asarray
        masked = {} if mask is None else {"mask": asarray(mask)}
        return self.task.loss(prediction, asarray(target), **masked)

    def _finite(self) -> bool:
        xp = self.model.backend.xp
        return all(bool(xp.isfinite(array).all()) for array in self.model.params.values())

    def _keep_column(self) -> None:
        """The histogram of now; when there are too many, every second one goes."""
        if self.updates % self.stride:
            return
        self.columns.append(self.seen.histogram)
        if len(self.columns) > COLUMNS:
            del self.columns[1::2]
            self.stride *= 2

    def look(self) -> Seen:
        """What the model does with the probe now."""
        x, target, lengths, mask = self.batch
        backend, to_numpy = self.model.backend, self.model.backend.to_numpy
        with np.errstate(over="ignore", invalid="ignore"):
            prediction, trace = self.model.forward(backend.asarray(x), lengths=lengths)
            value, _ = self._loss(prediction, target, mask)
        output = to_numpy(prediction)
        every = np.full(x.shape[1], len(x)) if lengths is None else np.asarray(lengths)
        histogram, shut, open_, fed = np.zeros((3, BINS)), np.zeros(3), np.zeros(3), None
        trace = trace if self.name is None else trace[self.name]
        if self.lstm is not None:
            inside = np.arange(len(x))[:, None] < every
            layer = trace.layer(0, "forward")
            fed = to_numpy(trace.records[0].x)
            for k, gate in enumerate(GATES):
                if gate not in dir(layer):
                    continue
                values = to_numpy(getattr(layer, gate))[inside].ravel()
                bins = np.minimum((values * BINS).astype(int), BINS - 1)
                histogram[k] = np.bincount(bins, minlength=BINS) / len(values)
                shut[k], open_[k] = (values < 0.1).mean(), (values > 0.9).mean()
        return Seen(
            float(value), float(self.task.right(output, target, mask).mean()), x, target, output,
            every, histogram, shut, open_, fed,
        )  # fmt: skip
