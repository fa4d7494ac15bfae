"""Floor 4: what turns a gradient into a better network.

An optimiser updates the arrays of ``params`` in place, on whichever backend they live. Its rate
is a number or a *schedule*: a function from the number of updates already made to a rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np

from ._validation import check_mapping, checked_number, checked_size
from .backends import Array, backend_of
from .layers.parameters import shared_memory

__all__ = [
    "SGD",
    "Adam",
    "Optimizer",
    "RMSprop",
    "clip_by_norm",
    "clip_by_value",
    "constant",
    "cosine",
    "exponential",
    "step_decay",
    "warm_up",
]

Schedule = Callable[[int], float]
"""From the number of updates already made to the rate of the next one."""


# ---------------------------------------------------------------------------------- schedules
# Partial functions, so that an optimiser with a schedule can be pickled.


def constant(rate: float) -> Schedule:
    """The same rate for ever."""
    return partial(_constant, rate=checked_number(rate, "rate", low=0, above=True))


def _constant(step: int, rate: float) -> float:
    return rate


def step_decay(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """``rate``, multiplied by ``factor`` after each ``every`` updates."""
    rate = checked_number(rate, "rate", low=0, above=True)
    every = checked_size(every, "every")
    factor = checked_number(factor, "factor", low=0, above=True)
    return partial(_step_decay, rate=rate, every=every, factor=factor)


def _step_decay(step: int, rate: float, every: int, factor: float) -> float:
    return rate * factor ** (step // every)


def exponential(rate: float, factor: float) -> Schedule:
    """``rate``, multiplied by ``factor`` after every update."""
    return step_decay(rate, every=1, factor=factor)


def cosine(rate: float, steps: int, final: float = 0.0) -> Schedule:
    """Half a cosine wave from ``rate`` down to ``final`` over ``steps`` updates; then ``final``.

    Loshchilov & Hutter 2017 (arXiv:1608.03983), equation 5, without restarts.
    """
    rate = checked_number(rate, "rate", low=0, above=True)
    steps = checked_size(steps, "steps")
    final = checked_number(final, "final", low=0)
    return partial(_cosine, rate=rate, steps=steps, final=final)


def _cosine(step: int, rate: float, steps: int, final: float) -> float:
    done = min(step / steps, 1.0)
    return final + (rate - final) * (1 + math.cos(math.pi * done)) / 2


def warm_up(then: float | Schedule, steps: int) -> Schedule:
    """A straight climb to the first rate of ``then`` over ``steps`` updates; then ``then``.

    ``then`` counts its updates from the end of the climb, so that
    ``warm_up(cosine(0.01, 900), 100)`` is at its lowest after 1000 updates.
    """
    steps = checked_size(steps, "steps")
    return partial(_warm_up, then=then if callable(then) else constant(then), steps=steps)


def _warm_up(step: int, then: Schedule, steps: int) -> float:
    if step < steps:
        return then(0) * (step + 1) / (steps + 1)
    return then(step - steps)


# ---------------------------------------------------------------------------------- optimisers


class Optimizer:
    """What all optimisers share: the rate, the count of updates, the state by parameter name.

    Parameters
    ----------
    learning_rate : float or callable
        A positive number, or a schedule: updates already made -> rate.

    Attributes
    ----------
    step : int
        Updates made so far.
    """

    slots: tuple[str, ...] = ()
    """Names of the running averages that are kept for every parameter."""

    def __init__(self, learning_rate: float | Schedule) -> None:
        if not callable(learning_rate):
            learning_rate = checked_number(learning_rate, "learning_rate", low=0, above=True)
        self.learning_rate = learning_rate
        self.step = 0
        self._state: dict[str, dict[str, Array]] = {}
        self._scratch: dict[tuple, Array] = {}

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        return self.rate_at(self.step)

    def rate_at(self, step: int) -> float:
        """The learning rate after ``step`` updates.

        Raises
        ------
        ValueError
            If a schedule returned a negative or non-finite number.
        """
        step = checked_size(step, "step", least=0)
        if not callable(self.learning_rate):
            return self.learning_rate
        return checked_number(self.learning_rate(step), f"learning_rate({step})", low=0)

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """One step downhill: changes the arrays in ``params``, leaves ``grads`` as they are.

        Parameters
        ----------
        params, grads : mapping of str to array
            The same names, shapes, dtypes and backend on both sides; the same parameters at
            every call.

        Raises
        ------
        ValueError
            If names, shapes or dtypes differ, or two parameters share memory; nothing has been
            changed then.
        TypeError
            If parameter and gradient live on different backends.
        """
        check_mapping(params, "params")
        check_mapping(grads, "grads")
        self._check(params, grads)
        rate = self.rate
        self.step += 1
        for name, parameter in params.items():
            state, scratch = self._state_of(name, parameter), self._scratch_for(parameter)
            self._update(parameter, grads[name], rate, state, scratch)

    def _update(
        self, parameter: Array, grad: Array, rate: float, state: dict[str, Array], scratch: Array
    ) -> None:
        raise NotImplementedError

    def _check(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        _same_names("grads", grads, "params", params)
        if self._state:
            _same_names("params", params, "the parameters updated so far", self._state)
        for name, parameter in params.items():
            backend = backend_of(parameter, f"params[{name!r}]")
            backend.require(grads[name], f"grads[{name!r}]")
            _same_form(f"grads[{name!r}]", grads[name], "the parameter", parameter)
            for array in self._state.get(name, {}).values():
                backend.require(array, f"the optimiser's state for {name!r}")
                _same_form(f"params[{name!r}]", parameter, "the optimiser's state for it", array)
        same = None if self._state else shared_memory(params)
        if same is not None:
            raise ValueError(
                f"params[{same[0]!r}] and params[{same[1]!r}] share memory, which would be updated "
                "twice; leave one of them out, and add up their gradients"
            )

    def _state_of(self, name: str, parameter: Array) -> dict[str, Array]:
        """The averages of one parameter, zero at the first update."""
        if name not in self._state:
            xp = backend_of(parameter).xp
            self._state[name] = {slot: xp.zeros_like(parameter) for slot in self.slots}
        return self._state[name]

    def _scratch_for(self, parameter: Array) -> Array:
        """Room for one intermediate result; parameters of one form take turns with it."""
        backend = backend_of(parameter)
        form = backend.name, parameter.shape, parameter.dtype
        if form not in self._scratch:
            self._scratch[form] = backend.xp.empty_like(parameter)
        return self._scratch[form]

    def state_dict(self) -> dict[str, Any]:
        """``{"step": int, "slots": {parameter name: {slot: array}}}``; the arrays are copies.

        With the same settings, ``load_state_dict`` of it goes on exactly where this one stands.
        """
        slots = {
            name: {slot: array.copy() for slot, array in arrays.items()}
            for name, arrays in self._state.items()
        }
        return {"step": self.step, "slots": slots}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` of an optimiser of the same kind returned.

        Raises
        ------
        ValueError
            If it is not such a state, or one of another kind of optimiser.
        """
        try:
            step, slots = state["step"], dict(state["slots"])
            copies = {
                name: {slot: array.copy() for slot, array in arrays.items()}
                for name, arrays in slots.items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                "state must be what state_dict() returned: {'step': int, 'slots': "
                "{name: {slot: array}}}"
            ) from error
        step = checked_size(step, "state['step']", least=0)
        for name, arrays in copies.items():
            if set(arrays) != set(self.slots):
                raise ValueError(
                    f"state holds {sorted(arrays)} for {name!r}, but {type(self).__name__} keeps "
                    f"{sorted(self.slots)}: it comes from another kind of optimiser"
                )
        self.step = step
        self._state = copies

    def settings(self) -> dict[str, Any]:
        """All that decides the next update beside the state; a schedule stays a function."""
        return {"kind": type(self).__name__, "learning_rate": self.learning_rate}

    def __copy__(self) -> Optimizer:
        # The count of updates and their averages belong together.
        return deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_scratch": {}}

    def __repr__(self) -> str:
        settings = self.settings()
        inside = ", ".join(f"{key}={settings[key]!r}" for key in settings if key != "kind")
        return f"{settings['kind']}({inside})"


class SGD(Optimizer):
    r"""Stochastic gradient descent, with heavy-ball momentum if asked for.

    .. math:: v \leftarrow \mu v + \nabla, \qquad \theta \leftarrow \theta - \eta v

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    momentum : float
        :math:`\mu` in [0, 1).

    Notes
    -----
    Polyak 1964 (10.1016/0041-5553(64)90137-5), in the form of ``torch.optim.SGD``: the rate
    multiplies the whole velocity.
    """

    def __init__(self, learning_rate: float | Schedule, momentum: float = 0.0) -> None:
        super().__init__(learning_rate)
        self.momentum = checked_number(momentum, "momentum", low=0, high=1)
        self.slots = ("velocity",) if self.momentum else ()

    def _update(
        self, parameter: Array, grad: Array, rate: float, state: dict[str, Array], scratch: Array
    ) -> None:
        xp = backend_of(parameter).xp
        if self.momentum:
            velocity = state["velocity"]
            velocity *= self.momentum
            velocity += grad
            grad = velocity
        xp.multiply(grad, rate, out=scratch)
        parameter -= scratch

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "momentum": self.momentum}


class RMSprop(Optimizer):
    r"""Each gradient divided by a running root mean square of its own past.

    .. math:: s \leftarrow \rho s + (1 - \rho) \nabla^2, \qquad
              \theta \leftarrow \theta - \eta \nabla / (\sqrt{s} + \epsilon)

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    decay : float
        :math:`\rho` in [0, 1); ``alpha`` of ``torch.optim.RMSprop``.
    epsilon : float
        :math:`\epsilon` > 0.

    Notes
    -----
    Tieleman & Hinton 2012, lecture 6.5 of "Neural networks for machine learning".
    """

    slots = ("square",)

    def __init__(
        self, learning_rate: float | Schedule = 0.01, decay: float = 0.99, epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        self.decay = checked_number(decay, "decay", low=0, high=1)
        self.epsilon = checked_number(epsilon, "epsilon", low=0, above=True)

    def _update(
        self, parameter: Array, grad: Array, rate: float, state: dict[str, Array], scratch: Array
    ) -> None:
        xp = backend_of(parameter).xp
        square = state["square"]
        _average_square(xp, square, grad, self.decay, scratch)
        xp.sqrt(square, out=scratch)
        scratch += self.epsilon
        xp.divide(grad, scratch, out=scratch)
        scratch *= rate
        parameter -= scratch

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "decay": self.decay, "epsilon": self.epsilon}


class Adam(Optimizer):
    r"""Momentum and RMSprop in one, both corrected for having started at zero.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) \nabla, \qquad
              s \leftarrow \beta_2 s + (1 - \beta_2) \nabla^2, \qquad
              \theta \leftarrow \theta - \eta \,\frac{m / (1 - \beta_1^t)}
                                       {\sqrt{s / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    beta1, beta2 : float
        Memory of the mean and of the mean square, each in [0, 1).
    epsilon : float
        :math:`\epsilon` > 0.

    Notes
    -----
    Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1.
    """

    slots = ("mean", "square")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = checked_number(beta1, "beta1", low=0, high=1)
        self.beta2 = checked_number(beta2, "beta2", low=0, high=1)
        self.epsilon = checked_number(epsilon, "epsilon", low=0, above=True)

    def _update(
        self, parameter: Array, grad: Array, rate: float, state: dict[str, Array], scratch: Array
    ) -> None:
        xp = backend_of(parameter).xp
        mean, square = state["mean"], state["square"]
        xp.multiply(grad, 1 - self.beta1, out=scratch)
        mean *= self.beta1
        mean += scratch
        _average_square(xp, square, grad, self.beta2, scratch)
        xp.sqrt(square, out=scratch)
        scratch /= math.sqrt(1 - self.beta2**self.step)
        scratch += self.epsilon
        xp.divide(mean, scratch, out=scratch)
        scratch *= rate / (1 - self.beta1**self.step)
        parameter -= scratch

    def settings(self) -> dict[str, Any]:
        own = {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}
        return {**super().settings(), **own}


def _average_square(xp: Any, square: Array, grad: Array, decay: float, scratch: Array) -> None:
    xp.multiply(grad, grad, out=scratch)
    scratch *= 1 - decay
    square *= decay
    square += scratch


def _same_names(name: str, given: Mapping, what: str, expected: Mapping) -> None:
    missing = [key for key in expected if key not in given]
    extra = [key for key in given if key not in expected]
    if missing or extra:
        raise ValueError(
            f"{name} and {what} must have the same names; "
            f"missing from {name}: {missing or 'none'}, unknown: {extra or 'none'}"
        )


def _same_form(name: str, given: Array, what: str, expected: Array) -> None:
    if given.shape != expected.shape or given.dtype != expected.dtype:
        raise ValueError(
            f"{name} has shape {given.shape} and dtype {given.dtype}, "
            f"but {what} has shape {expected.shape} and dtype {expected.dtype}"
        )


# ---------------------------------------------------------------------------------- clipping


def clip_by_norm(grads: Mapping[str, Array], max_norm: float) -> float:
    """Shorten all gradients together, in place, to a common length of at most ``max_norm``.

    Parameters
    ----------
    grads : mapping of str to array
        Changed in place; the direction stays.
    max_norm : float
        Positive; ``math.inf`` only measures.

    Returns
    -------
    float
        The norm before clipping, summed in float64. If any gradient is NaN or infinite the
        result says so (nan or inf), and the gradients are left as they are: there is no
        direction to keep.

    Notes
    -----
    Pascanu, Mikolov & Bengio 2013 (arXiv:1211.5063), algorithm 1.
    """
    if max_norm != math.inf:
        max_norm = checked_number(max_norm, "max_norm", low=0, above=True)
    _check_grads(grads)
    norm = _global_norm(grads)
    if max_norm < norm < math.inf:
        for grad in grads.values():
            grad *= max_norm / norm
    return norm


def _check_grads(grads: Mapping[str, Array]) -> None:
    check_mapping(grads, "grads")
    seen: dict[int, str] = {}
    for name, grad in grads.items():
        backend_of(grad, f"grads[{name!r}]")
        if seen.setdefault(id(grad), name) != name:
            raise ValueError(
                f"grads[{seen[id(grad)]!r}] and grads[{name!r}] are the same array, which would "
                "be changed twice"
            )


def _global_norm(grads: Mapping[str, Array]) -> float:
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = sum(_sum_of_squares(grad) for grad in grads.values())
    # Outside this range a square has overflowed or vanished in float64, or something is not
    # finite at all; only then is the second, careful pass worth its time.
    if 1e-200 < total < 1e200:
        return math.sqrt(total)
    largest = _largest(grads)
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(sum(_sum_of_squares(grad / largest) for grad in grads.values()))


def _sum_of_squares(grad: Array) -> float:
    xp = backend_of(grad).xp
    flat = grad.reshape(-1)
    # einsum casts to float64 in small buffers, where square() would make a whole new array.
    return float(xp.einsum("i,i->", flat, flat, dtype=np.float64))


def _largest(grads: Mapping[str, Array]) -> float:
    """The largest magnitude; nan if there is one."""
    largest = 0.0
    for grad in grads.values():
        if grad.size:
            value = float(abs(grad).max())
            if math.isnan(value):
                return value
            largest = max(largest, value)
    return largest


def clip_by_value(grads: Mapping[str, Array], limit: float) -> None:
    """Force every single gradient into [-limit, limit], in place. The direction may change.

    NaN stays NaN.
    """
    limit = checked_number(limit, "limit", low=0, above=True)
    _check_grads(grads)
    for grad in grads.values():
        backend_of(grad).xp.clip(grad, -limit, limit, out=grad)
