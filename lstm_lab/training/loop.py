"""The training loop, between two steps: what is known, one step further, one epoch further."""

from __future__ import annotations

import functools
import json
import math
import operator
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..backends import Array
from ..losses import NothingCounts
from ..optim import Optimizer, clip_by_norm
from .checkpoint import CheckpointError, differences
from .examples import Examples
from .history import History
from .objective import Objective

__all__ = ["Diverged", "Run", "mean_loss"]

SHUFFLE, DROPOUT = 0, 1

WEIGHED_BY = "loss"
"""What a checkpoint's unfinished mean loss was weighed by; earlier versions counted sequences."""

SERIES = (
    "loss",
    "validation_loss",
    "gradient_norm",
    "learning_rate",
    "step_loss",
    "step_gradient_norm",
    "step_learning_rate",
)
"""The lists of a `History`."""


class Diverged(FloatingPointError):
    """The loss, a gradient or a parameter is NaN or infinite.

    Attributes
    ----------
    history : History
        Up to the last finite step.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def generator(seed: int, stream: int, index: int) -> np.random.Generator:
    """Its own stream for each epoch's order and each step's dropout.

    So the position in the training *is* the state of its random numbers, and a resumed training
    draws what an uninterrupted one would have drawn.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, index)))


def mean_loss(
    model: Any,
    examples: Examples,
    objective: Objective,
    batch_size: int,
    truncate: int | None = None,
) -> float:
    """The mean over all examples, without dropout: the same for every size of the batches."""
    total = weight = 0.0
    trace: Any = None
    with np.errstate(over="ignore", invalid="ignore"):
        for batch, goes_on in examples.batches(batch_size, model.backend, truncate):
            more = {"state": model.final_state(trace)} if goes_on else {}
            prediction, trace = model.forward(batch.x, lengths=batch.lengths, trace=False, **more)
            value, _ = objective(prediction, batch)
            if value.weight:
                total += value * value.weight
                weight += value.weight
    return _mean(total, weight)


def _mean(total: float, weight: float) -> float:
    if not weight:
        raise NothingCounts("loss: no target counts in any batch, so there is no mean")
    return total / weight


class Run:
    """A training that stands between two steps.

    Parameters
    ----------
    model, optimizer, batch_size, clip_norm, patience, seed, truncate
        As in `fit`.
    objective : Objective
    examples : Examples
    validation : Examples or None

    Attributes
    ----------
    history : History
    epoch, position : int
        Finished epochs, and steps made in the present one.
    best : dict of str to array, or None
        The parameters after the best epoch, if ``patience`` asks for them.
    carried : dict of str to state, or None
        Where the next step's sequences stand, if it goes on with those of the last one.
    """

    def __init__(
        self,
        model: Any,
        objective: Objective,
        optimizer: Optimizer,
        examples: Examples,
        validation: Examples | None,
        *,
        batch_size: int,
        clip_norm: float | None,
        patience: int | None,
        seed: int,
        truncate: int | None = None,
    ) -> None:
        self.model, self.objective, self.optimizer = model, objective, optimizer
        self.examples, self.validation = examples, validation
        self.batch_size, self.clip_norm = batch_size, clip_norm
        self.patience, self.seed, self.truncate = patience, seed, truncate
        self.params = dict(model.params)
        self.history = History()
        self.epoch = self.position = 0
        self.best: dict[str, Array] | None = None
        self.carried: dict[str, Any] | None = None
        self._finite = _copies(self.params)
        self._loss_sum = self._weight_sum = 0.0
        self._order = (-1, examples.rows)

    @property
    def steps_per_epoch(self) -> int:
        batches = math.ceil(len(self.examples.rows) / self.batch_size)
        return batches * self.examples.pieces(self.truncate)

    @property
    def steps(self) -> int:
        """Steps made altogether."""
        return len(self.history.step_loss)

    @property
    def out_of_patience(self) -> bool:
        """Whether the last ``patience`` epochs all failed to improve on the best."""
        best = self.history.best_epoch
        if self.patience is None or best is None:
            return False
        return self.epoch - 1 - best >= self.patience

    # ------------------------------------------------------------------------------ onwards

    def step(self) -> None:
        """One minibatch: forward, loss, backward, clip, update. The last one closes the epoch.

        Where nothing in a batch counts there is no loss, NaN in the history, and the gradient
        is 0.

        Raises
        ------
        Diverged
            If anything is not finite; the model has then the parameters of the last finite step.
        """
        number, piece = divmod(self.position, self.examples.pieces(self.truncate))
        steps = self.examples.steps(piece, self.truncate)
        batch = self.examples.batch(self._rows(number), self.model.backend, steps)
        more = {} if self.carried is None else {"state": self.carried}
        rng = generator(self.seed, DROPOUT, self.steps)
        # What overflows is found below, and reported once and in words.
        with np.errstate(over="ignore", invalid="ignore"):
            prediction, trace = self.model.forward(batch.x, lengths=batch.lengths, rng=rng, **more)
            value, gradient = self.objective(prediction, batch)
            grads = self.model.backward(gradient, trace).params
            norm = clip_by_norm(grads, self.clip_norm or math.inf)
        if value.weight:
            self._require_finite("the loss", value)
        self._require_finite("the gradient's norm", norm)
        _copy_into(self._finite, self.params)
        rate = self.optimizer.rate
        with np.errstate(over="ignore", invalid="ignore"):
            self.optimizer.update(self.params, grads)

        self.history.step_loss.append(float(value))
        self.history.step_gradient_norm.append(norm)
        self.history.step_learning_rate.append(rate)
        if value.weight:
            self._loss_sum += value * value.weight
            self._weight_sum += value.weight
        self.position += 1
        last = piece + 1 == self.examples.pieces(self.truncate)
        self.carried = None if last else self.model.final_state(trace)
        if self.position == self.steps_per_epoch:
            self._close_epoch()

    def _rows(self, number: int) -> np.ndarray:
        """The sequences of this epoch's batch ``number``."""
        epoch, order = self._order
        if epoch != self.epoch:
            order = generator(self.seed, SHUFFLE, self.epoch).permutation(self.examples.rows)
            self._order = self.epoch, order
        start = number * self.batch_size
        return order[start : start + self.batch_size]

    def _close_epoch(self) -> None:
        self.require_finite_parameters()
        history = self.history
        if self.validation is not None:
            value = mean_loss(
                self.model, self.validation, self.objective, self.batch_size, self.truncate
            )
            self._require_finite("the validation loss", value)
            history.validation_loss.append(value)
        norms = history.step_gradient_norm[-self.position :]
        history.loss.append(_mean(self._loss_sum, self._weight_sum))
        history.gradient_norm.append(sum(norms) / len(norms))
        history.learning_rate.append(history.step_learning_rate[-1])
        if self.patience is not None and history.best_epoch == self.epoch:
            self.best = _copies(self.params)
        self.epoch += 1
        self.position = 0
        self._loss_sum = self._weight_sum = 0.0

    def take_best(self) -> None:
        """Give the model the parameters of the best epoch, if they were kept."""
        if self.best is not None:
            _copy_into(self.params, self.best)

    # ------------------------------------------------------------------------- not finite

    def require_finite_parameters(self) -> None:
        """Raise `Diverged` if an update made a parameter NaN or infinite."""
        xp = self.model.backend.xp
        for name, parameter in self.params.items():
            if not bool(xp.isfinite(parameter).all()):
                self._diverge(f"the parameter {name!r} is no longer finite")

    def _require_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            self._diverge(f"{what} is {value}")

    def rewind(self) -> None:
        """Give the model the parameters of the last step whose loss was finite."""
        _copy_into(self.params, self._finite)

    def _diverge(self, what: str) -> None:
        self.rewind()
        self.history.ending = "diverged"
        place = f"epoch {self.epoch + 1}, after {self.position} of {self.steps_per_epoch} steps"
        raise Diverged(
            f"{what} at step {self.steps + 1} ({place}). {self._likely_cause()} "
            "The model has the parameters of the last finite step.",
            self.history,
        )

    def _likely_cause(self) -> str:
        norms = self.history.step_gradient_norm
        if not norms:
            return (
                "It is the very first step and all data are finite: look at the scale of x, of "
                "the target and of the initial weights, and at the loss function."
            )
        shown = ", ".join(f"{norm:.3g}" for norm in norms[-5:])
        rate = f"the learning rate (it was {self.history.step_learning_rate[-1]:.3g})"
        if norms[-1] > 10 * min(norms[-20:]):
            clip = "clip it (clip_norm=1.0) and " if self.clip_norm is None else ""
            advice = f"Likely cause: an exploding gradient; {clip}lower {rate}"
        else:
            advice = f"Likely cause: too high a learning rate; lower {rate}"
        return f"{advice}. Gradient norm of the last steps: {shown}."

    # ------------------------------------------------------------------------- checkpoints

    @functools.cached_property
    def settings(self) -> dict[str, Any]:
        """All that must be the same for a resumed training to be the same training."""
        optimizer = self.optimizer.settings()
        # Rates are compared step by step instead: a schedule is a function and has no value.
        del optimizer["learning_rate"]
        return _as_json(
            {
                "model": {
                    "class": type(self.model).__name__,
                    "config": getattr(self.model, "config", {}),
                    "parameters": {
                        name: f"shape {array.shape}, {array.dtype}"
                        for name, array in self.params.items()
                    },
                },
                "loss": _name_of(self.objective.loss),
                "optimizer": optimizer,
                "batch_size": self.batch_size,
                "clip_norm": self.clip_norm,
                "patience": self.patience,
                "seed": self.seed,
                "truncate": self.truncate,
                "data": self.examples.fingerprint(),
                "validation": self.validation.fingerprint() if self.validation else "none",
            }
        )

    def snapshot(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays on the host, and what JSON can hold: what `restore` goes on from."""
        to_numpy = self.model.backend.to_numpy
        optimizer = self.optimizer.state_dict()
        arrays = {f"parameter/{name}": array for name, array in self.params.items()}
        arrays |= {f"best/{name}": array for name, array in (self.best or {}).items()}
        for name, slots in optimizer["slots"].items():
            arrays |= {f"optimizer/{slot}/{name}": array for slot, array in slots.items()}
        arrays |= {f"carried/{place}": array for place, array in _leaves(self.carried)}
        tensors = {name: to_numpy(array) for name, array in arrays.items()}
        for name in SERIES:
            tensors[f"history/{name}"] = np.array(getattr(self.history, name), "float64")
        state = {
            "settings": self.settings,
            "epoch": self.epoch,
            "position": self.position,
            "loss_sum": self._loss_sum,
            "weight_sum": self._weight_sum,
            "weighed_by": WEIGHED_BY,
            "optimizer_step": optimizer["step"],
        }
        return tensors, state

    def restore(self, tensors: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        """Stand where the checkpoint stood. Nothing is changed unless all of it fits.

        Raises
        ------
        CheckpointError
            If it is of another training (the message names what differs), or incomplete.
        """
        try:
            different = differences(dict(state["settings"]), self.settings)
            if different:
                raise CheckpointError("it is of another training: " + "; ".join(different))
            self._restore(tensors, state)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(
                f"it is damaged or incomplete ({type(error).__name__}: {error})"
            ) from error

    def _restore(self, tensors: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        history = History(**{name: tensors[f"history/{name}"].tolist() for name in SERIES})
        epoch, position, updates = (
            operator.index(state[name]) for name in ("epoch", "position", "optimizer_step")
        )
        steps = epoch * self.steps_per_epoch + position
        for name in SERIES:
            expected = steps if name.startswith("step") else epoch
            if name == "validation_loss" and self.validation is None:
                expected = 0
            if len(getattr(history, name)) != expected:
                raise ValueError(f"history.{name} should have {expected} entries")
        if not 0 <= position < self.steps_per_epoch or updates < steps:
            raise ValueError(f"no training stands at step {position} of epoch {epoch + 1}")
        self._check_rates(history, updates - steps)

        params = self._group(tensors, "parameter/")
        best = self._group(tensors, "best/") if self.patience is not None and epoch else None
        slots: dict[str, dict[str, Array]] = {name: {} for name in params} if updates else {}
        for slot in self.optimizer.slots if updates else ():
            for name, array in self._group(tensors, f"optimizer/{slot}/").items():
                slots[name][slot] = array
        if position and state.get("weighed_by") != WEIGHED_BY:
            raise CheckpointError(
                "it stands within an epoch whose mean loss an earlier version of lstm_lab began to "
                "add up with other weights; only one that was written after an epoch can go on"
            )
        sums = float(state["loss_sum"]), float(state["weight_sum"])
        inside = self.truncate is not None and position % self.examples.pieces(self.truncate)
        carried = self._carried(tensors) if inside else None

        self.optimizer.load_state_dict({"step": updates, "slots": slots})
        _copy_into(self.params, params)
        self._finite = params
        self.best, self.history, self.carried = best, history, carried
        self.epoch, self.position = epoch, position
        self._loss_sum, self._weight_sum = sums

    def _group(self, tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, Array]:
        """One array for each parameter, of its form, on the model's backend."""
        group = {}
        for name, parameter in self.params.items():
            array = tensors[prefix + name]
            if array.shape != parameter.shape or array.dtype != parameter.dtype:
                raise ValueError(f"{prefix}{name} has shape {array.shape}, {array.dtype}")
            if not np.isfinite(array).all():
                raise ValueError(f"{prefix}{name} is not finite")
            group[name] = self.model.backend.asarray(array)
        return group

    def _carried(self, tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The states in which the sequences stood."""
        leaves = {}
        for name in sorted(name for name in tensors if name.startswith("carried/")):
            if not np.isfinite(tensors[name]).all():
                raise ValueError(f"{name} is not finite")
            leaves[name.removeprefix("carried/")] = self.model.backend.asarray(tensors[name])
        if not leaves:
            raise ValueError("the state that is carried from piece to piece is not there")
        return _nested(leaves)

    def _check_rates(self, history: History, first: int) -> None:
        for k, rate in enumerate(history.step_learning_rate):
            here = self.optimizer.rate_at(first + k)
            if here != rate:
                raise CheckpointError(
                    "it is of another training: "
                    f"learning_rate: {rate:g} at step {k + 1} there, {here:g} here"
                )


def _copies(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


def _copy_into(arrays: Mapping[str, Array], values: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        array[...] = values[name]


def _leaves(state: Any, place: str = "") -> Iterator[tuple[str, Array]]:
    """The arrays of nested mappings and tuples, each with the way to it, as in ``lstm..0``.

    No layer's name is empty or holds a dot, so that the empty one can mean a tuple.
    """
    if isinstance(state, tuple):
        state = {"": {str(k): part for k, part in enumerate(state)}}
    if isinstance(state, Mapping):
        for key, part in state.items():
            yield from _leaves(part, f"{place}.{key}" if place else key)
    elif state is not None:
        yield place, state


def _nested(leaves: Mapping[str, Array]) -> Any:
    """What `_leaves` took apart."""
    parts: dict[str, dict[str, Array]] = {}
    for place, array in leaves.items():
        key, _, rest = place.partition(".")
        parts.setdefault(key, {})[rest] = array
    nested = {key: own[""] if set(own) == {""} else _nested(own) for key, own in parts.items()}
    return tuple(nested[""].values()) if set(nested) == {""} else nested


def _name_of(loss: Any) -> Any:
    """A loss function's name, and the arguments that ``functools.partial`` fixed."""
    if isinstance(loss, functools.partial):
        return {"function": _name_of(loss.func), "args": loss.args, **loss.keywords}
    return getattr(loss, "__qualname__", type(loss).__name__)


def _as_json(settings: Any) -> Any:
    """As it will be after a trip through JSON, so that the two can be compared."""

    def plain(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else repr(value)

    return json.loads(json.dumps(settings, default=plain))
