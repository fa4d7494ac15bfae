"""Floor 4: one training loop, with progress, checkpoints, resume, and an end that can be trusted.

`fit` trains, `evaluate` measures, `predict` runs a model over many sequences in batches.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np

from .._validation import (
    checked_bool,
    checked_number,
    checked_seed,
    checked_size,
    described,
)
from . import checkpoint as checkpoints
from .checkpoint import CheckpointError
from .examples import Examples, each, leading, named
from .history import History
from .loop import Diverged, Run, mean_loss
from .objective import Objective, answers_each_step, some
from .progress import Bar, Interrupt

__all__ = ["CheckpointError", "Diverged", "History", "evaluate", "fit", "predict"]


def fit(
    model: Any,
    x: Any,
    target: Any,
    *,
    loss: Callable,
    optimizer: Any,
    epochs: int,
    lengths: Any = None,
    mask: Any = None,
    target_axis: int | None = None,
    validation: Any = None,
    batch_size: int = 32,
    clip_norm: float | None = None,
    truncate: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    checkpoint: Any = None,
    checkpoint_every: int | None = None,
    progress: bool = True,
) -> History:
    """Train ``model`` in place, minibatch by minibatch.

    Ctrl-C, or ■ in Jupyter, ends the training cleanly after the step that is running: what was
    learnt stays, and the history says "interrupted". A second one breaks at once.

    Parameters
    ----------
    model : Layer
        What has ``params``, ``forward``, ``backward``, ``backend`` and ``dtype``.
    x : numpy.ndarray (T, N, D), or integers (T, N), or tuple of such arrays
        N sequences, time first. Stays on the host; each batch is moved to the model's backend.
        **A tuple is several inputs**, each with as many steps as it likes and all with N
        sequences: the model's ``forward`` is given a tuple, and one of lengths. The last input
        sets the output's axis of time, as a decoder's does, and so ``target_axis`` and what the
        loss hears of ``lengths``.
    target : numpy.ndarray (N, ...) or (T, N, ...)
        One answer for a sequence, or one for each step. For `ctc`, N lists of labels will do.
    loss : callable
        ``loss(prediction, target) -> (value, gradient)``, a mean and its gradient. A loss that
        has a parameter ``lengths``, as `ctc` has, is given those of the batch, and one that has
        a parameter ``mask`` the mask. What it returns as value tells its weight among the
        batches if it is a `lstm_lab.losses.Mean`, as those of this library are; a plain number
        is taken for a mean over the mask's weights, or over the sequences without a mask.
    optimizer : Optimizer
        From `lstm_lab.optim`.
    epochs : int
        Times that every sequence is seen.
    lengths : (N,) ints, or None, or tuple of these for several inputs
        Steps of each sequence; what lies beyond may be anything, and the loss leaves it out.
    mask : numpy.ndarray or None
        Weights of the targets, shaped like the first axes of ``target``; 0 leaves one out.
    target_axis : {0, 1} or None
        Where N stands in ``target``; needed only if ``x`` has as many steps as sequences and
        the shape leaves it open.
    validation : tuple (x, target) or dict or None
        Measured after each epoch; a dict may also hold ``lengths`` and ``mask``.
    batch_size : int
    clip_norm : float or None
        Longest gradient, over all parameters together.
    truncate : int or None
        Truncated backpropagation through time, for sequences too long to be held at once: a batch
        goes through in pieces of so many steps, with an update after each. The state is carried
        from one piece to the next; the gradient ends where its piece began. Targets are then of
        every step, there are no ``lengths``, and the model is a `Sequential`, or what else takes
        ``state=`` and has ``final_state``. Williams & Peng 1990,
        doi:10.1162/neco.1990.2.4.490.
    patience : int or None
        Stop after so many epochs without a better validation loss. The model is left with the
        parameters of the best epoch.
    seed : int
        Of the order of the sequences and of dropout, in streams of their own.
    checkpoint : path or None
        Where to keep the training's state, after every epoch and at the end. **If the file is
        there already, the training goes on from it**, bit for bit; if it is of another
        training, or damaged, that is an error, and the file is left alone.
    checkpoint_every : int or None
        Keep it after every so many steps, too.
    progress : bool
        Show a bar, where tqdm is installed.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or holds NaN or infinity; the message names it.
    Diverged
        If the loss, a gradient or a parameter stops being finite.
    CheckpointError
        If ``checkpoint`` is there and does not fit.
    """
    _check_parts(model, optimizer)
    objective = Objective(loss)
    epochs = checked_size(epochs, "epochs")
    batch_size = checked_size(batch_size, "batch_size")
    if clip_norm is not None:
        clip_norm = checked_number(clip_norm, "clip_norm", low=0, above=True)
    if patience is not None:
        patience = checked_size(patience, "patience")
        if validation is None:
            raise ValueError("patience needs validation=: it waits for a better validation loss")
    seed, progress = checked_seed(seed), checked_bool(progress, "progress")
    if checkpoint_every is not None:
        checkpoint_every = checked_size(checkpoint_every, "checkpoint_every")
        if checkpoint is None:
            raise ValueError("checkpoint_every needs checkpoint=, the file to write")

    examples = Examples.check(model, x, target, lengths=lengths, mask=mask, target_axis=target_axis)
    if validation is not None:
        validation = Examples.check(
            model, **named(validation), target_axis=examples.target_axis, prefix="validation "
        )
        objective.require_fit(model, validation, batch_size)
    objective.require_fit(model, examples, batch_size)
    truncate = _checked_truncate(truncate, model, examples, validation)
    run = Run(
        model,
        objective,
        optimizer,
        examples,
        validation,
        batch_size=batch_size,
        clip_norm=clip_norm,
        patience=patience,
        seed=seed,
        truncate=truncate,
    )
    path = None if checkpoint is None else checkpoints.check_path(checkpoint)
    if path is not None and path.exists():
        _resume(run, path)
    _train(run, epochs, path, checkpoint_every, progress)
    run.take_best()
    return run.history


def _train(run: Run, epochs: int, path: Any, every: int | None, progress: bool) -> None:
    """Step after step, until the epochs, the patience or the reader's are at an end."""
    history, ending = run.history, "finished"
    with Interrupt() as interrupt, Bar(progress, epochs * run.steps_per_epoch, run.steps) as bar:
        while run.epoch < epochs:
            if run.out_of_patience or interrupt.requested:
                ending = "out of patience" if run.out_of_patience else "interrupted"
                break
            epoch = run.epoch + 1
            run.step()
            bar.step(epoch, epochs, history)
            if path is not None and (not run.position or (every and run.steps % every == 0)):
                _save(run, path)
    if path is not None and ending == "interrupted":
        _save(run, path)
    history.ending = ending


def _save(run: Run, path: Any) -> None:
    run.require_finite_parameters()
    checkpoints.write(path, *run.snapshot())


def _resume(run: Run, path: Any) -> None:
    try:
        run.restore(*checkpoints.read(path))
    except CheckpointError as error:
        if str(path) in str(error):
            raise
        raise CheckpointError(
            f"{path} is there already, but cannot be resumed: {error}. "
            "It was left as it is; name another file, or move it away to train from the start"
        ) from error


def evaluate(
    model: Any,
    x: Any,
    target: Any,
    *,
    loss: Callable,
    lengths: Any = None,
    mask: Any = None,
    target_axis: int | None = None,
    batch_size: int = 256,
    truncate: int | None = None,
) -> float:
    """The mean loss over all sequences, without dropout. Arguments as in `fit`."""
    _check_model(model)
    objective = Objective(loss)
    batch_size = checked_size(batch_size, "batch_size")
    examples = Examples.check(model, x, target, lengths=lengths, mask=mask, target_axis=target_axis)
    objective.require_fit(model, examples, batch_size)
    truncate = _checked_truncate(truncate, model, examples)
    return mean_loss(model, examples, objective, batch_size, truncate)


def predict(model: Any, x: Any, *, lengths: Any = None, batch_size: int = 256) -> np.ndarray:
    """The model's output for all sequences, without dropout, on the host.

    Parameters
    ----------
    x : numpy.ndarray (T, N, D), or integers (T, N), or tuple of such arrays
    lengths : (N,) ints, or None, or tuple of these
        Both as in `fit`.

    Returns
    -------
    numpy.ndarray (T, N, K), or (N, ...) if the model gives one answer for a sequence
    """
    _check_model(model)
    x, lengths = Examples.check_input(model, x, lengths)
    size = checked_size(batch_size, "batch_size")
    parts = []
    for start in range(0, leading(x).shape[1], size):
        part = slice(start, start + size)
        inputs, own = some(x, part), each(itemgetter(part), lengths)
        output, _ = model.forward(each(model.backend.asarray, inputs), lengths=own, trace=False)
        parts.append(model.backend.to_numpy(output))
        if not start:
            each_step = answers_each_step(model, inputs, own, output)
    return np.concatenate(parts, axis=1 if each_step else 0)


def _checked_truncate(truncate: Any, model: Any, *sets: Examples | None) -> int | None:
    if truncate is None:
        return None
    truncate = checked_size(truncate, "truncate")
    if not hasattr(model, "final_state"):
        raise TypeError(
            f"truncate: {type(model).__name__} has no final_state to go on from; put it into a "
            "Sequential"
        )
    for examples in filter(None, sets):
        if isinstance(examples.x, tuple):
            raise TypeError("truncate takes one input, not a tuple: which of them would be cut?")
        if examples.target_axis != 1:
            raise ValueError("truncate needs a target for every step, (T, N, ...)")
        if examples.lengths is not None:
            raise ValueError("truncate takes no lengths: leave the padding out with mask=")
    return truncate


def _check_model(model: Any) -> None:
    for name in ("params", "forward", "backward", "backend", "dtype"):
        if not hasattr(model, name):
            raise TypeError(f"model must be a layer; {type(model).__name__} has no .{name}")


def _check_parts(model: Any, optimizer: Any) -> None:
    _check_model(model)
    if not model.params:
        raise ValueError("model has no parameters: there is nothing to train")
    if isinstance(optimizer, type) or not hasattr(optimizer, "update"):
        raise TypeError(
            f"optimizer must be an optimiser such as optim.Adam(), not {described(optimizer)}"
        )
