"""How far apart two right answers in floating point may lie: from the arithmetic, in one place.

Two libraries, or one library on two processors, add up the same products in another order, fuse
other multiplications with other additions, and have their own exp and tanh. Both are right, and
they differ by their rounding. How much?

One rounding multiplies what it rounds by 1 + δ with |δ| ≤ u, the unit roundoff, which is half of
``eps``: 6e-8 in float32. A number at the end of ``n`` roundings in a row, such as a sum of n
products in whatever order, carries a product of n such factors. Its relative error is at most
n u, and since the δ have either sign about √n u: it stays below λ √n u with a probability of at
least 1 - 2 exp(-λ²/2) (Higham & Mary 2019, theorem 2.4, doi:10.1137/18M1226312). With λ = 8 that
leaves 3e-14 for chance, so that

    |difference| ≤ 8 √n u · size = 4 √n eps · size.

- ``n`` comes from the lengths of the sums. Through a recurrent layer of T steps a number passes T
  sums of D + H products, each followed by about ten more operations of a cell, and as many for
  each layer of a stack; a parameter's gradient then is a sum over T steps of B sequences.
  `of_layer` counts that.
- ``size`` is the largest absolute value in the array that is compared with. The error of a sum
  is relative to the sizes of what is added, not to what is left where it cancels, so the small
  entries of an array have the error of its large ones. Where a whole array can cancel, as one of
  a single number can, the caller says how large the things added are: ``at_least``.
- What happens to an error on its way is not counted: a step hands it on multiplied by its
  Jacobian. A gradient is handed on by the same Jacobians, and grows or shrinks with its error.
  Where weights make a layer that amplifies rounding more than its own answer, such as a layer
  normalisation of features that are nearly equal, the caller says so: ``amplified``.

Against a reference in float64 the same bound holds: only one of the two has rounded.

A wrong gradient is wrong by parts in a hundred; a bound in float32 is of parts in a hundred
thousand. Float64 has fixed bounds in the tests themselves, which are far above its rounding and
far below any fault.
"""

from __future__ import annotations

import math

import numpy as np

LAMBDA = 8
"""How many standard deviations, at most, of the error of a sum of roundings."""

CELL = 10
"""Roundings of a cell in one step beside its sums: sigmoids, tanh, products of gates."""


def of_steps(
    steps: int, batch: int, inputs: int, hidden: int, layers: int = 1, directions: int = 1
) -> int:
    """The roundings in a row of a stack of recurrent layers, its parameters' gradients included."""
    widest = max(inputs, hidden * directions) if layers > 1 else inputs
    return layers * steps * (widest + hidden + CELL) + steps * batch


def of_layer(layer, steps: int, batch: int) -> int:
    """The same, of an LSTM, GRU or RNN as it is."""
    return of_steps(
        steps, batch, layer.input_size, layer.hidden_size, layer.num_layers, layer.directions
    )


def relative(roundings: float, dtype="float32") -> float:
    """The part of its own size by which a number may be off after so many roundings in a row."""
    return LAMBDA * math.sqrt(roundings) * float(np.finfo(dtype).eps) / 2


def absolute(
    reference,
    roundings: float,
    dtype="float32",
    *,
    at_least: float = 0.0,
    amplified: float = 1.0,
) -> float:
    """How far the entries of an array may lie from those of ``reference``.

    Parameters
    ----------
    reference : array
        What is taken for right: the bound is relative to its largest absolute value.
    roundings : number
        In a row, on the longest way from the inputs to an entry.
    dtype : dtype
        What was computed in.
    at_least : float
        The size of what is added up, where all of the array may have cancelled.
    amplified : float
        By how much the function hands errors on more than its own answer.
    """
    values = abs(np.asarray(reference, dtype="float64"))
    size = max(at_least, float(values.max(initial=0.0)))
    if not math.isfinite(size):
        raise ValueError("the reference has entries that are not finite: nothing can be near them")
    return amplified * relative(roundings, dtype) * size


def assert_close(ours, reference, roundings: float, dtype="float32", *, name="", **size) -> None:
    """Every entry of ``ours`` within `absolute` of the reference's; the shapes alike."""
    ours, reference = np.asarray(ours), np.asarray(reference)
    assert ours.shape == reference.shape, f"{name}: shape {ours.shape}, not {reference.shape}"
    bound = absolute(reference, roundings, dtype, **size)
    error = abs(ours.astype("float64") - reference)
    assert (error <= bound).all(), (  # also false where one is NaN
        f"{name or 'largest'}: absolute error {error.max():.1e}, allowed {bound:.1e}: "
        f"{roundings:g} roundings in {np.dtype(dtype)} of numbers of size "
        f"{abs(reference).max(initial=0.0):.2g}"
    )
