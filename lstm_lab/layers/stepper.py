"""One step at a time: for what decides on its next input by the output of this one.

A call of ``forward`` checks the whole batch, folds the weights and makes room for a trace. That is
little beside a sequence, and many times a single step. A stepper does all of it once.

Shapes: L layers, B batch, D input, H hidden units, P features of the hidden state (H where it is
no projection).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._validation import checked_array, checked_rows
from ..backends import Array
from .steps import Steps


class Stepper:
    """A recurrent layer that is given its input step by step; `LSTM.stepper` makes it.

    ``y = step(x)`` takes one step with x (B, D) to y (B, P), and carries the state: the y of
    ``forward`` that goes on from ``step.state`` with x as its only step, and without dropout, to
    the last bit; beside a ``forward`` over several steps, which adds up the same products in
    another order, to rounding.

    The weights are those of the moment at which it was made. Parameters that are changed later
    change nothing here: a layer that was trained on needs a new stepper.

    Examples
    --------
    >>> import numpy as np
    >>> from lstm_lab import LSTM
    >>> step = LSTM(3, 16, seed=0).stepper(batch=2)
    >>> step(np.ones((2, 3), dtype="float32")).shape
    (2, 16)
    >>> h, c = step.state
    >>> h.shape
    (1, 2, 16)
    """

    def __init__(self, layers: Sequence[Steps], state: list[Array]):
        # A layer's steps hold weights of their own; ``state`` is (L, B, ·) each.
        self._steps, self._backend = layers, layers[0].backend
        self._inputs, self._dtype = layers[0].weights.input[0].shape[1], layers[0].dtype
        self._prepare(state)

    def _prepare(self, state: list[Array]) -> None:
        """Make room for the batch of this state, and carry it."""
        self._batch = state[0].shape[1]
        self._layers = [
            _Carried(steps, [array[number] for array in state])
            for number, steps in enumerate(self._steps)
        ]

    def __call__(self, x: Array) -> Array:
        """One step of every sequence.

        Parameters
        ----------
        x : array (B, D)

        Returns
        -------
        y : array (B, P)
            The caller's own.

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not fit; the state is what it was before.
        """
        y = checked_array(self._backend, x, "x", (self._batch, self._inputs), self._dtype)
        for layer in self._layers:
            y = layer.step(y)
        return y

    @property
    def batch(self) -> int:
        """How many sequences step together."""
        return self._batch

    @property
    def state(self) -> Any:
        """The state after the last step, as ``trace.state``; the caller's own copy."""
        arrays = self._stacked()
        return tuple(arrays) if len(arrays) > 1 else arrays[0]

    def keep(self, rows: Any) -> None:
        """Let the batch become some of its sequences, as the survivors of a beam search are.

        Parameters
        ----------
        rows : sequence of int
            From 0 to B - 1, at least one, in the new order; one may be there several times.

        Raises
        ------
        TypeError, ValueError
            If they are anything else; the batch stays as it was.
        """
        rows = checked_rows(rows, self._batch)
        key = self._backend.index((slice(None), rows))
        self._prepare([array[key] for array in self._stacked()])

    def _stacked(self) -> list[Array]:
        """The states of all layers, (L, B, ·) each."""
        parts = [layer.state for layer in self._layers]
        return [self._backend.xp.stack(arrays) for arrays in zip(*parts, strict=True)]

    def __repr__(self) -> str:
        layers = f"{len(self._steps)} layer" + "s" * (len(self._steps) > 1)
        return f"<stepper of {self._steps[0].cell.name}: {layers}, {self._batch} sequences>"


class _Carried:
    """One layer and its state, with room for one step of it."""

    def __init__(self, steps: Steps, state: list[Array]):
        backend, cell, n = steps.backend, steps.cell, state[0].shape[0]
        self._stepping, self._operations = backend.stepping, steps.operations(n)
        gates = backend.empty((1, 1, cell.blocks, steps.hidden, n), steps.dtype)
        saved = steps.empty(steps.saved_shapes, 1, n)
        self._fill, self._advance = steps.input_step(gates, saved), steps.step_by_step(n)
        # The state before a step and after it change places, so that none is copied. Everything
        # is in sequences of a single step, as the loop over time takes it.
        self._before, self._after = (
            [(backend.empty((1, array.shape[1], n), steps.dtype),) for array in state]
            for _ in range(2)
        )
        for (before,), array in zip(self._before, state, strict=True):
            before[0] = array.T
        self._gates, self._saved = (gates[0],), {name: (a[0],) for name, a in saved.items()}

    def step(self, x: Array) -> Array:
        """x (n, D) to y (n, P)."""
        before, after = self._before, self._after
        with self._stepping(self._operations):
            self._fill(x[None])
            self._advance(self._gates, before, after, self._saved)
        self._before, self._after = after, before
        return after[0][0][0].T.copy()

    @property
    def state(self) -> list[Array]:
        """Each (n, ·)."""
        return [array[0].T for (array,) in self._before]
