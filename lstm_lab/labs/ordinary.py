"""Mistakes of a general kind, and plainly wrong values, on the ordinary cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .report import WRONG
from .trials import DRAWS, ROUGHLY, ROUNDS, Examined, Trial, Verdict
from .values import as_tuple, close, equal, leaves, magnified, replaced, same
from .words import described, listed

FAR = 20.0
"""An answer that depends on nothing does not depend on numbers so many times as large either."""


def exception(examined: Examined) -> Verdict | None:
    """It raises."""

    def fails(trial: Trial) -> bool:
        return trial.outcome.error is not None

    failed = examined.first(fails)
    if failed is None:
        return None
    found = examined.because_of(failed.outcome)
    where, sizes = "", examined.only_sizes(fails)
    if sizes is None:
        where = "It fails for some numbers, not for others. "
    elif len(sizes) < len(examined.sizes):
        runs = [size for size in examined.sizes if size not in sizes]
        where = f"It fails for {examined.labels(sizes)}. "
        if len(runs) < len(sizes):
            where = f"It runs only for {examined.labels(runs)}. "
    return Verdict(WRONG, found.id, where + found.message, found.line)


def form(examined: Examined) -> Verdict | None:
    """Number, type and shape of what is returned."""
    # The right answers of one size have one shape.
    alike = {trial.size: trial for trial in reversed(examined.trials)}

    def found(trial: Trial) -> Verdict | None:
        return misshapen(examined, trial, alike[trial.size].truth)

    first = examined.first(lambda trial: found(trial) is not None)
    return None if first is None else found(first)


def misshapen(examined: Examined, trial: Trial, truth: tuple[np.ndarray, ...]) -> Verdict | None:
    """What is wrong with the number, type or shape of what one call returned."""
    wanted, value = examined.exercise.returns, trial.outcome.value
    parts = (value,)
    if len(wanted) > 1:
        if not isinstance(value, tuple | list) or len(value) != len(wanted):
            names = ", ".join(value.name for value in wanted)
            text = f"It returns {described(value)}; {len(wanted)} arrays were expected: {names}."
            return Verdict(WRONG, "count", text)
        parts = value
    for k, (part, true, name) in enumerate(zip(parts, truth, wanted, strict=True)):
        kind = _not_plain(part)
        if kind:
            text = f"`{name.name}` is {kind}; a NumPy array of real numbers was expected."
            return Verdict(WRONG, "type", text)
        if part.shape != true.shape:
            expected = f"expected was {true.shape}, which is {name.shape}"
            if len(_shapes_at(examined, trial.size, k)) > 1:
                text = (
                    f"How many numbers `{name.name}` holds depends on what goes in: some are "
                    f"picked out, and the others dropped. For {trial.case.label} {expected}."
                )
                return Verdict(WRONG, "shape_varies", text)
            text = (
                f"`{name.name}` has the shape {part.shape}; {expected}. "
                f"This was for {trial.case.label}."
            )
            return Verdict(WRONG, "shape", text)
    return None


def _shapes_at(examined: Examined, size: int, part: int) -> set[tuple[int, ...]]:
    """The shapes that one returned value has had at one size."""
    values = [trial.outcome.value for trial in examined.trials if trial.size == size]
    if len(examined.exercise.returns) > 1:
        values = [v[part] for v in values if isinstance(v, tuple | list) and len(v) > part]
    return {value.shape for value in values if isinstance(value, np.ndarray | np.generic)}


def not_finite(examined: Examined) -> Verdict | None:
    """NaN or infinity comes out."""
    first = examined.first(
        lambda trial: not all(np.isfinite(p).all() for p in as_tuple(trial.outcome.value))
    )
    if first is None:
        return None
    text = (
        "Some of the numbers that come out are NaN or infinite, though all that go "
        f"in are ordinary. This was for {first.case.label}."
    )
    return Verdict(WRONG, "not_finite", text, first.outcome.overflow or "")


def changed_argument(examined: Examined, trials: Sequence[Trial] | None = None) -> Verdict | None:
    """An argument is written into, in these trials or in the ordinary ones."""
    changed = {c for t in trials or examined.trials for c in t.outcome.changed}
    if not changed:
        return None
    given = examined.exercise.given(examined.trials[0].case)
    known = [*leaves(given, examined.exercise.arguments, examined.exercise.parts)]
    # A container as a whole comes before its parts.
    name = min(changed, key=lambda name: known.index(name) if name in known else -1)
    text = (
        f"Your function changes `{name}`, which belongs to its caller: "
        "whoever looks at it afterwards finds other numbers in it. Operators such as "
        "`*=` and `+=`, `out=`, and assignments to a slice, write into the array itself. "
        "Make a new array instead."
    )
    return Verdict(WRONG, "changed_argument", text)


def precision(examined: Examined) -> Verdict | None:
    """Close, but digits are lost; or more come out than go in."""
    if not all(trial.within(ROUGHLY) for trial in examined.trials):
        return None
    value, truth = examined.trials[0].outcome.value, examined.trials[0].truth
    parts = value if len(examined.exercise.returns) > 1 else (value,)
    for name, part, true in zip(examined.exercise.returns, parts, truth, strict=True):
        if part.dtype == true.dtype or true.dtype != np.float64:
            continue
        text = (
            f"`{name.name}` comes out as {part.dtype}, though all that goes in is float64: "
            "digits are lost on the way. Look for a `dtype` or an `astype`, or for an "
            "array made of integers."
        )
        if part.dtype.kind == "f" and part.dtype.itemsize > 8:
            text = (
                f"`{name.name}` comes out as {part.dtype}, which holds more digits than the "
                "float64 that goes in. Let it stay float64: look for a `dtype` or an `astype`."
            )
        return Verdict(WRONG, "precision", text)
    if not examined.wrong():
        return None
    text = (
        "Close, but not exact. Something on the way rounds the numbers, cuts them off, adds a "
        "small constant, or holds them with fewer digits than float64."
    )
    return Verdict(WRONG, "close", text)


def values(examined: Examined) -> Verdict | None:
    """Wrong numbers: everywhere, for some sizes, or as if an argument were not there."""
    if not examined.wrong():
        return None
    alike = [trial for trial in examined.trials if trial.size == 0]
    outcome = alike[0].outcome
    if all(equal(trial.outcome.value, outcome.value) for trial in alike) and equal(
        examined.call(magnified(examined.exercise.given(alike[0].case), FAR)).value, outcome.value
    ):
        text = (
            "The answer is the same whatever goes in. It has to be computed from the "
            f"arguments: {listed(examined.exercise.arguments)}."
        )
        return Verdict(WRONG, "constant", text)
    ignored = _ignored(examined, alike[:DRAWS])
    if ignored:
        text = f"Your result does not depend on {ignored} at all. It should."
        return Verdict(WRONG, "ignored_argument", text)
    rounds = examined.trials[: ROUNDS * len(examined.sizes)]
    if not any(trial.right for trial in rounds):  # so there is no size at which all are right
        return _probed(examined)
    sizes = examined.only_sizes(lambda trial: not trial.right)
    if sizes is None or len(sizes) == len(examined.sizes):
        return _probed(examined)
    cases = {trial.size: trial.case for trial in examined.trials}
    single = [k for k in examined.sizes if getattr(cases[k], "batch_size", 0) == 1]
    if single and [k for k in examined.sizes if k not in sizes] == single:
        text = (
            "Right for a batch of one, wrong for a larger batch: the sequences of the batch "
            "get mixed. Each stands by itself."
        )
        return Verdict(WRONG, "batch", text)
    text = (
        f"Right for some sizes, but not for {examined.labels(sizes)}. Is a size, or an axis, "
        "written into the code?"
    )
    return Verdict(WRONG, "some_sizes", text)


def _ignored(examined: Examined, trials: Sequence[Trial]) -> str:
    """Name an argument, or a part of one, that makes no difference in any of the trials."""
    names, parts = examined.exercise.arguments, examined.exercise.parts
    # The case after one of these has the same sizes, and other numbers.
    pairs = [(trial, examined.trials[examined.trials.index(trial) + 1]) for trial in trials]
    given = [[examined.exercise.given(trial.case) for trial in pair] for pair in pairs]
    ours, theirs = (leaves(values, names, parts) for values in given[0])
    for leaf in ours:
        if same(ours[leaf], theirs[leaf]):
            continue
        if all(
            outcome.error is None and equal(outcome.value, trial.outcome.value)
            for (one, other), trial in zip(given, trials, strict=True)
            for far in (1, FAR)
            for outcome in [examined.call(replaced(one, magnified(other, far), names, parts, leaf))]
        ):
            return f"`{leaf}`"
    return ""


def _probed(examined: Examined) -> Verdict:
    good, bad = [], []
    for part, value in enumerate(examined.exercise.returns):
        fine = all(
            close(as_tuple(trial.outcome.value)[part], trial.truth[part])
            for trial in examined.trials
        )
        (good if fine else bad).append(value.name)
    text = "The shape is right, the numbers are not."
    if good:
        text = f"{listed(good)} is right. The numbers in {listed(bad)} are not."
    right, wrong = [], []
    for probe in examined.exercise.probes:
        fine = all(examined.attempt(probe.case(examined.rng)).right for _ in range(DRAWS))
        (right if fine else wrong).append(probe.when)
    if right:
        text += f"\nRight when {'; when '.join(right)}."
    if wrong:
        text += f"\nWrong when {'; when '.join(wrong)}."
    return Verdict(WRONG, "values", text)


def _not_plain(part: Any) -> str:
    """What a returned value is, where it is no plain array of real numbers; else nothing."""
    if not isinstance(part, np.ndarray | np.generic):
        return described(part)
    if isinstance(part, np.ndarray) and type(part) is not np.ndarray:
        return f"of the type {type(part).__name__}"
    if part.dtype.kind == "c":
        return f"complex, of the type {part.dtype}"
    if part.dtype.kind not in "biuf":
        return f"an array of the type {part.dtype}"
    return ""
