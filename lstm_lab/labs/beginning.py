"""The first questions: whether there is anything to mark, and one answer to one question."""

from __future__ import annotations

import inspect
from typing import Any

from .report import UNDONE, WRONG
from .runner import Outcome
from .trials import ROUNDS, Examined, Verdict
from .values import as_tuple, equal, reordered
from .words import listed


def signature(examined: Examined) -> Verdict | None:
    """It is no function, or takes other arguments."""
    wanted = f"{examined.exercise.name}({', '.join(examined.exercise.arguments)})"
    if not callable(examined.function):
        kind = type(examined.function).__name__
        text = f"A function was expected; what came is of the type {kind}. Define `{wanted}`."
        return Verdict(WRONG, "not_a_function", text)
    try:
        signature = inspect.signature(examined.function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*examined.exercise.arguments)
    except TypeError:
        text = f"It is called as `{wanted}`, but your `def` line takes `{signature}`."
        return Verdict(WRONG, "signature", text)
    return None


def untouched(examined: Examined) -> Verdict | None:
    """Nothing is written yet, or only a part."""
    first = examined.attempt(examined.exercise.cases(examined.rng)[0])
    examined.beginning, outcome = first, first.outcome
    examined.printed = outcome.printed
    if outcome.error:
        return None
    names = [value.name for value in examined.exercise.returns]
    if outcome.value is None:
        text = (
            "The function returns nothing. If you have written something already, look whether "
            f"it ends with `return`, and {listed(names)} after it."
        )
        return Verdict(UNDONE, "nothing", text)
    parts = outcome.value if isinstance(outcome.value, tuple) else (outcome.value,)
    missing = [part is Ellipsis or part is None for part in parts]
    if all(missing):
        text = "Replace the `...` with your own lines, then run the cell and this one again."
        return Verdict(UNDONE, "untouched", text)
    if any(missing) and len(parts) == len(names):
        there = listed(n for n, gone in zip(names, missing, strict=True) if not gone)
        to_come = listed(n for n, gone in zip(names, missing, strict=True) if gone)
        text = f"There is {there}; {to_come} is still to come."
        return Verdict(UNDONE, "half", text)
    return None


def placeholder(examined: Examined) -> Verdict | None:
    """A line still calculates with the placeholder."""
    if examined.beginning.outcome.error is None:
        return None
    found = examined.because_of(examined.beginning.outcome, UNDONE)
    return found if found.id == "placeholder" else None


def not_repeatable(examined: Examined) -> Verdict | None:
    """Two answers to the same arguments."""
    examined.draw(ROUNDS)
    # Once more after other calls, then at once; then all sizes, for what happens now and then.
    again = [examined.beginning, examined.beginning, *examined.trials[: len(examined.sizes)]]
    if all(_agree(trial.outcome, examined.call(trial.given)) for trial in again):
        return None
    text = (
        "Called twice with the same arguments, your function gives two different answers. "
        "Does it draw random numbers, or remember something from the call before?"
    )
    return Verdict(WRONG, "not_repeatable", text)


def reused_array(examined: Examined) -> Verdict | None:
    """What an earlier call returned is written into."""
    if not any(trial.outcome.spoilt for trial in (examined.beginning, *examined.trials)):
        return None
    text = (
        "What your function has returned changes afterwards, when it is called again: it "
        "writes into an array of an earlier call. Make a new array in each call."
    )
    return Verdict(WRONG, "reused_array", text)


def order_of_keys(examined: Examined) -> Verdict | None:
    """Another answer when the keys of a dict come in another order."""
    first, given = examined.beginning, examined.beginning.given
    if not _keyed(given):
        return None
    turned = reordered(given, lambda keys: [*keys[1:], *keys[:1]])
    if _agree(first.outcome, examined.call(turned)):
        return None
    leaf = next(n for n, g in zip(examined.exercise.arguments, given, strict=True) if _keyed(g))
    text = (
        f"Your answer changes when the keys of `{leaf}` come in another order. Their order is "
        "not promised: take each value by its key."
    )
    return Verdict(WRONG, "order_of_keys", text)


def _agree(one: Outcome, other: Outcome) -> bool:
    """Say whether two calls came to the same; what is no numbers at all is judged elsewhere."""
    if one.error or other.error:
        return type(one.error).__name__ == type(other.error).__name__
    if as_tuple(one.value) is None:
        return as_tuple(other.value) is None
    return equal(one.value, other.value)


def _keyed(value: Any) -> bool:
    """Say whether there is a dict in an argument."""
    if isinstance(value, tuple | list):
        return any(map(_keyed, value))
    return isinstance(value, dict)
