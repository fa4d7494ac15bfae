"""A loss as a training calls it: with what it takes, on what it was meant for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .._validation import described
from ..backends import Array, backend_of
from ..losses import Mean, NothingCounts
from .examples import Batch, Examples, each, leading

__all__ = ["Objective", "answers_each_step", "has_steps", "some"]

EACH_EXAMPLES = ("lengths", "target_lengths", "mask")
"""Arguments of losses that hold one value for each example of a batch."""


class Objective:
    """What is minimised: a loss, and which of ``lengths`` and ``mask`` it is to be told.

    Parameters
    ----------
    loss : callable
        ``loss(prediction, target) -> (value, gradient)``. Where it has a parameter ``lengths``, it
        gets those of the batch, of several inputs the last one's; where it has a parameter
        ``mask``, the mask, into which lengths are worked.

    Raises
    ------
    TypeError
        If it is no function, or only the name of one.
    ValueError
        If it fixes what differs from batch to batch.
    """

    def __init__(self, loss: Any) -> None:
        if not callable(loss):
            raise TypeError(f"loss must be a function such as losses.mse, not {described(loss)}")
        fixed = loss.keywords if isinstance(loss, functools.partial) else {}
        for name in EACH_EXAMPLES:
            if fixed.get(name) is not None:
                raise ValueError(
                    f"loss fixes {name}=, one value for each example, but batches take the "
                    f"examples in another order; {HOW_ELSE[name]}"
                )
        self.loss: Callable = loss
        self.takes_lengths, self.takes_mask = _takes(loss)

    def __call__(self, prediction: Array, batch: Batch) -> tuple[Mean, Array]:
        """The value, with its weight among other batches, and the gradient.

        A loss that returns a plain number is taken for a mean over the mask's weights, or over
        the sequences where nothing is masked.
        """
        more = {}
        if self.takes_lengths:
            more["lengths"] = leading(batch.lengths)
        if batch.mask is not None and (self.takes_mask or not self.takes_lengths):
            more["mask"] = batch.mask
        try:
            value, gradient = self.loss(prediction, batch.target, **more)
        except NothingCounts:
            return Mean(np.nan, 0), backend_of(prediction).xp.zeros_like(prediction)
        except (TypeError, ValueError) as error:
            error.add_note(f"In the loss, of a batch of the sequences {_listed(batch.rows)}.")
            raise
        shape = getattr(gradient, "shape", None)
        if shape != prediction.shape:
            raise ValueError(
                f"loss returned a gradient of shape {shape} for a prediction of shape "
                f"{prediction.shape}; they must be the same: were two arrays broadcast?"
            )
        return (value if isinstance(value, Mean) else Mean(value, batch.weight)), gradient

    def require_fit(self, model: Any, examples: Examples, batch_size: int) -> None:
        """Refuse what fits by chance only, or would not be heard of, before anything is computed.

        Raises
        ------
        TypeError, ValueError
            If the loss takes no mask but there is one; takes no lengths where padding would be
            part of it; or the axes of the target fit the model's output only in batches of as
            many sequences as there are steps.
        """
        if examples.masked and not self.takes_mask:
            raise TypeError(
                f"mask: the loss {_name(self.loss)} takes none; leave it away, or write a loss "
                "with a parameter mask"
            )
        steps, lengths = len(leading(examples.x)), leading(examples.lengths)
        target, trial = examples.target, examples.trial(model.backend)
        padded = lengths is not None and (lengths < steps).any()
        unheard = padded and examples.target_axis == 0 and not self.takes_lengths
        by_chance = (
            steps in examples.batch_sizes(batch_size)
            and len(trial.rows) != steps
            and (examples.target_axis == 1 or target.shape[1:2] == (steps,))
        )
        if not (unheard or by_chance):
            return
        with np.errstate(over="ignore", invalid="ignore"):
            prediction, _ = model.forward(trial.x, lengths=trial.lengths, trace=False)
        answers_steps = has_steps(prediction, leading(trial.x))
        if unheard and answers_steps:
            raise ValueError(
                f"lengths: the model answers at every step, but the loss {_name(self.loss)} "
                "takes no lengths and would read the padding as well; give it a parameter "
                "lengths, a target for every step, or the model a LastStep()"
            )
        if by_chance and answers_steps == (examples.target_axis == 0):
            try:
                self(prediction, trial)
            except (TypeError, ValueError) as error:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(
                    f"{error} (tried with {len(trial.rows)} of the sequences: in a batch of as "
                    f"many as x has steps, {steps}, axes in the wrong order would fit by chance; "
                    f"target has shape {target.shape}, and targets for every step stand time "
                    "first, (T, N, ...))"
                ) from error


HOW_ELSE = {
    "lengths": "give fit or evaluate the lengths",
    "mask": "give fit or evaluate the mask",
    "target_lengths": "let each target end by itself: a list of lists, or -1 after its end",
}


def answers_each_step(model: Any, x: Any, lengths: Any, output: Array) -> bool:
    """Whether the model's output has an axis of time, as ``x`` (T, n, ...) or the last of them has.

    Where there are as many sequences as steps the shape cannot tell, and a part of them is tried.
    """
    steps, sequences = leading(x).shape[:2]
    if steps == sequences > 1:
        x, lengths = some(x, slice(0, 1)), each(lambda own: own[:1], lengths)
        output, _ = model.forward(each(model.backend.asarray, x), lengths=lengths, trace=False)
    return has_steps(output, leading(x))


def some(x: Any, part: slice) -> Any:
    """A part of the sequences (T, N, ...) of every input."""
    return each(lambda array: np.ascontiguousarray(array[:, part]), x)


def has_steps(output: Array, x: Array) -> bool:
    """Whether an output has the axis of time of ``x`` (T, n, ...), where n is not T."""
    # Outputs with a time axis have a feature axis too, so three axes at least.
    return output.ndim >= 3 and output.shape[:2] == x.shape[:2]


def _takes(loss: Callable) -> tuple[bool, bool]:
    """Whether a loss has parameters ``lengths`` and ``mask``."""
    try:
        parameters = inspect.signature(loss).parameters
    except ValueError:  # some that are compiled tell nothing
        return False, True
    rest = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return "lengths" in parameters, "mask" in parameters or rest


def _name(loss: Any) -> str:
    return getattr(getattr(loss, "func", loss), "__name__", type(loss).__name__)


def _listed(rows: np.ndarray) -> str:
    shown = ", ".join(map(str, rows[:10]))
    return f"{shown}, …" if len(rows) > 10 else shown
