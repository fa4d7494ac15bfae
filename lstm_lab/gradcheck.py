"""Floor 4: is the gradient right? Finite differences say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ._validation import (
    checked_generator,
    checked_number,
    checked_seed,
    checked_size,
    described,
)
from .backends import Array, Backend, backend_of
from .layers import Layer

__all__ = ["Entry", "Report", "gradcheck"]

STEP = 1e-3
"""Half-width of the stencil. Its error is h⁴ f⁽⁵⁾/30; that of rounding, about 1e-16/h."""

FLOOR = 1e-4
"""Entries below this part of the largest gradient are compared with it, not with themselves."""


@dataclass(frozen=True)
class Entry:
    """One entry of one gradient, twice: as the code has it, and as differences have it.

    Of a direction through the whole array the index is empty.
    """

    name: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float


@dataclass(frozen=True)
class Report:
    """The outcome of `gradcheck`. True if every entry agrees.

    Attributes
    ----------
    worst : Entry
        Where code and differences are furthest apart.
    errors : dict of str to float
        The largest relative error in each array.
    checked : int
        How many entries and directions were compared.
    tolerance, step : float
    step_that_agrees : float or None
        Of a report that did not pass: another step with which the worst entry does. Then the
        differences may be what is wrong, not the gradient.
    """

    worst: Entry
    errors: dict[str, float]
    checked: int
    tolerance: float
    step: float
    step_that_agrees: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the worst relative error is within the tolerance."""
        return self.worst.error <= self.tolerance

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        w = self.worst
        where = f"[{', '.join(map(str, w.index))}]" if w.index else " along a random direction"
        verdict = "gradients agree" if self.passed else "GRADIENTS DIFFER"
        return (
            f"{verdict}: {self.checked} entries, worst relative error {w.error:.1e} "
            f"(tolerance {self.tolerance:.0e}) at {w.name}{where}: "
            f"backward says {w.analytic:.9g}, differences say {w.numeric:.9g}{self._hint}"
        )

    @property
    def _hint(self) -> str:
        if self.step_that_agrees is None:
            return ""
        why = (
            "the function bends sharply here"
            if self.step_that_agrees < self.step
            else "the function's value is large, and differences lose digits to rounding"
        )
        return (
            f". But with step={self.step_that_agrees:.0e} in place of {self.step:.0e} they agree "
            f"at this place: probably {why}; try gradcheck(..., step={self.step_that_agrees:.0e})"
        )

    __repr__ = __str__


def gradcheck(
    layer_or_loss: Layer | Callable[..., tuple[float, Array]],
    *inputs: Any,
    tolerance: float = 1e-6,
    seed: int = 0,
    max_entries: int | None = None,
    directions: int = 0,
    dropout_seed: int | None = None,
    step: float = STEP,
    **options: Any,
) -> Report:
    """Compare every gradient with central differences of fourth order, in float64.

    A layer's outputs, and its final state where it has one, are weighted with random numbers and
    added up, so that a single number is differentiated with respect to the input, the parameters
    and the initial state.

    Parameters
    ----------
    layer_or_loss : layer or callable
        A layer with ``dtype="float64"``, or a loss: ``loss(prediction, ...) -> (value, gradient)``.
    *inputs : arrays
        A layer's ``x``, a tuple of arrays if it reads several; a loss's prediction and target.
    tolerance : float
        The largest relative error that passes.
    seed : int
        Of the random weights, and of the choice of entries and directions.
    max_entries : int or None
        Compare at most so many entries of each array, drawn at random. None: all.
    directions : int
        Compare the derivative along so many random directions through each array as well. One
        such comparison takes the time of one entry's and has all entries in it; an entry's own
        says which one is wrong.
    dropout_seed : int or None
        Given, every call is a training call that drops the same units.
    step : float
        Half-width of the stencil: a smaller one where the function bends sharply, as gates do
        behind large inputs and layer normalisation does for features that are nearly equal. A
        report that fails says so if another step would have passed.
    **options
        Passed on: ``state`` and ``lengths`` of a layer, ``mask`` of a loss, and so on. One that
        the layer's gradient has a field for, such as ``memory`` of `Attention`, is differentiated
        too.

    Returns
    -------
    Report
        True if all agree; it names the worst entry.

    Raises
    ------
    TypeError
        If the layer or the input is not float64: differences need its digits.
    """
    tolerance = checked_number(tolerance, "tolerance", low=0, above=True)
    step = checked_number(step, "step", low=0, above=True)
    directions = checked_size(directions, "directions", least=0)
    if max_entries is not None:
        max_entries = checked_size(max_entries, "max_entries", least=0)
    if dropout_seed is not None:
        dropout_seed = checked_seed(dropout_seed, "dropout_seed")
    if not callable(layer_or_loss) and not isinstance(layer_or_loss, Layer):
        raise TypeError(
            f"layer_or_loss must be a layer or a loss function, got {described(layer_or_loss)}"
        )
    if not inputs:
        raise TypeError("inputs must be a layer's x, or a loss's prediction and target; got none")
    for array in _arrays(inputs[0]) or inputs[:1]:
        backend_of(array, "inputs[0]")
    rng = checked_generator(seed)
    if isinstance(layer_or_loss, Layer):
        evaluate, arrays, gradients = _of_layer(layer_or_loss, inputs, options, dropout_seed, rng)
    else:
        evaluate, arrays, gradients = _of_loss(layer_or_loss, inputs, options)
    scale = max(float(abs(g).max()) for g in gradients.values() if g.size)
    errors: dict[str, float] = {}
    worst, checked = None, 0
    for name, array in arrays.items():
        errors[name] = 0.0
        for index, analytic, differentiate in _compared(
            evaluate, array, gradients[name], max_entries, directions, rng
        ):
            numeric = differentiate(step)
            error = _relative(analytic, numeric, scale)
            if worst is None or error > worst[0].error:
                worst = Entry(name, index, analytic, numeric, error), differentiate
            errors[name] = max(errors[name], error)
            checked += 1
    if worst is None:
        raise ValueError("max_entries=0 without directions leaves nothing to compare")
    entry, differentiate = worst
    other = None
    if entry.error > tolerance:
        other = _step_that_agrees(entry, differentiate, step, tolerance, scale)
    return Report(entry, errors, checked, tolerance, step, other)


def _relative(analytic: float, numeric: float, scale: float) -> float:
    size = max(abs(analytic), abs(numeric), FLOOR * scale, 1e-300)
    error = abs(analytic - numeric) / size
    return error if np.isfinite(error) else np.inf


def _step_that_agrees(
    entry: Entry,
    differentiate: Callable[[float], float],
    step: float,
    tolerance: float,
    scale: float,
) -> float | None:
    """A step of another size with which this entry passes, if there is one.

    Where the function bends sharply differences are right only with a smaller one; where its
    value is large, rounding asks for a larger one.
    """
    for factor in (1e-1, 1e-2, 1e-3, 1e-4, 1e1, 1e2, 1e3):
        numeric = differentiate(step * factor)
        if _relative(entry.analytic, numeric, scale) <= tolerance:
            return step * factor
    return None


def _compared(
    evaluate: Callable[[], float],
    array: Array,
    gradient: Array,
    max_entries: int | None,
    directions: int,
    rng: np.random.Generator,
) -> Iterator[tuple[tuple[int, ...], float, Callable[[float], float]]]:
    """Of entries and of directions: index, derivative by the gradient, and by differences."""
    for index in _entries(array.shape, max_entries, rng):
        before = float(array[index])
        yield (
            index,
            float(gradient[index]),
            partial(_difference, evaluate, array, index, 1.0, before),
        )
    backend = backend_of(array)
    for _ in range(directions if array.size else 0):
        # Of length 1, with the same share of every entry.
        direction = backend.asarray(rng.choice([-1.0, 1.0], array.shape) / np.sqrt(array.size))
        yield (
            (),
            _dot(backend, gradient, direction),
            partial(_difference, evaluate, array, ..., direction, array.copy()),
        )


def _difference(
    evaluate: Callable[[], float], array: Array, where: Any, along: Any, before: Any, step: float
) -> float:
    """(f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h, leaving the array as it was."""
    total = 0.0
    try:
        for shift, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            array[where] = before + shift * step * along
            total += weight * evaluate()
    finally:
        array[where] = before
    return total / (12 * step)


def _entries(
    shape: tuple[int, ...], most: int | None, rng: np.random.Generator
) -> Iterator[tuple[int, ...]]:
    size = int(np.prod(shape))
    flat = np.arange(size) if most is None or size <= most else rng.permutation(size)[:most]
    for k in flat:
        yield tuple(int(j) for j in np.unravel_index(k, shape))


def _need_float64(array: Array, name: str) -> None:
    if array.dtype != np.float64:
        raise TypeError(
            f"{name} is {array.dtype}, but finite differences need float64: "
            "make the layer with dtype='float64' and pass float64 arrays"
        )


def _of_loss(loss: Callable, inputs: tuple, options: dict) -> tuple:
    prediction, rest = inputs[0].copy(), inputs[1:]
    _need_float64(prediction, "prediction")
    _, gradient = loss(prediction, *rest, **options)
    return (
        lambda: loss(prediction, *rest, **options)[0],
        {"prediction": prediction},
        {"prediction": gradient},
    )


def _of_layer(
    layer: Layer, inputs: tuple, options: dict, dropout_seed: int | None, rng: np.random.Generator
) -> tuple:
    for name, array in layer.params.items():
        _need_float64(array, f"params[{name!r}]")
    x = [array.copy() for array in _arrays(inputs[0])]
    backend = backend_of(x[0])
    state = [a.copy() for a in _arrays(options.pop("state", None))]

    def run(trace: bool) -> tuple[Array, Any]:
        more = {} if dropout_seed is None else {"rng": np.random.default_rng(dropout_seed)}
        if state:
            more["state"] = _packed(state)
        read = tuple(x) if isinstance(inputs[0], tuple) else x[0]
        return layer.forward(read, **options, **more, trace=trace)

    y, trace = run(trace=True)
    dy = backend.asarray(rng.normal(size=y.shape))
    final = _arrays(getattr(trace, "state", None))
    dstate = [backend.asarray(rng.normal(size=a.shape)) for a in final]

    def evaluate() -> float:
        output, after = run(trace=False)
        total = _dot(backend, output, dy)
        for array, weight in zip(_arrays(getattr(after, "state", None)), dstate, strict=True):
            total += _dot(backend, array, weight)
        return total

    if dstate:
        grad = layer.backward(dy, trace, _packed(dstate))
    else:
        grad = layer.backward(dy, trace)
    arrays, gradients = dict(layer.params), dict(grad.params)
    for k, (array, gradient) in enumerate(zip(x, _arrays(grad.x), strict=False)):
        name = f"x[{k}]" if isinstance(inputs[0], tuple) else "x"
        if gradient is not None:
            _need_float64(array, name)
            arrays[name], gradients[name] = array, gradient
    for name in options:
        gradient = getattr(grad, name, None)
        if gradient is not None:
            _need_float64(options[name], name)
            options[name] = arrays[name] = options[name].copy()
            gradients[name] = gradient
    for k, (array, gradient) in enumerate(zip(state, _arrays(grad.state), strict=False)):
        arrays[f"state[{k}]"], gradients[f"state[{k}]"] = array, gradient
    return evaluate, arrays, gradients


def _arrays(state: Any) -> list[Array]:
    if state is None:
        return []
    return list(state) if isinstance(state, (tuple, list)) else [state]


def _packed(arrays: list[Array]) -> Any:
    return tuple(arrays) if len(arrays) > 1 else arrays[0]


def _dot(backend: Backend, a: Array, b: Array) -> float:
    return float(backend.xp.sum(a * b))
