"""What is right for ordinary numbers: the limits, and the same numbers laid out otherwise."""

from __future__ import annotations

import numpy as np

from .ordinary import changed_argument, misshapen
from .report import WRONG
from .trials import DRAWS, Examined, Trial, Verdict
from .values import TOLERANCE, as_tuple, equal, transposed_in_memory


def extremes(examined: Examined) -> Verdict | None:
    """Wrong in the limits, or overflowing on the way."""
    drawn: dict[str, list[Trial]] = {}
    for _ in range(DRAWS):
        for name, case in examined.exercise.extremes(examined.rng).items():
            drawn.setdefault(name, []).append(examined.attempt(case))
    for name, trials in drawn.items():
        failed = next((trial for trial in trials if trial.outcome.error), None)
        if failed:
            found = examined.because_of(failed.outcome)
            return Verdict(WRONG, found.id, f"With {name}: {found.message}", found.line)
        wrong = [t for t in trials if not t.within(TOLERANCE) or misshapen(examined, t, t.truth)]
        if wrong:
            text = f"Right for ordinary numbers, wrong with {name}."
            parts = [p for t in wrong for p in as_tuple(t.outcome.value) or ()]
            if any(np.isnan(part).any() for part in parts):
                text += (
                    " What comes out is NaN, as when infinity is divided by infinity, or zero "
                    "by zero."
                )
            return Verdict(WRONG, "limits", text, wrong[0].outcome.overflow or "")
    every = [trial for trials in drawn.values() for trial in trials]
    changed = changed_argument(examined, every)
    if changed:
        return changed
    # A line may be "": where there is no source to show, there was an overflow all the same.
    lines = {name: [t.outcome.overflow for t in trials] for name, trials in drawn.items()}
    lines = {name: [o for o in found if o is not None] for name, found in lines.items()}
    overflowing = [name for name, found in lines.items() if found]
    if not overflowing:
        return None
    line = lines[overflowing[0]][0]
    known = examined.exercise.overflows.get(frozenset(overflowing))
    if known:
        return Verdict(WRONG, *known, line)
    text = (
        f"The values are right, but with {' and '.join(overflowing)} a number on the "
        "way becomes too large to be held."
    )
    return Verdict(WRONG, "overflow", text, line)


def memory_layout(examined: Examined) -> Verdict | None:
    """Wrong for the same numbers, transposed in memory."""
    for trial in examined.trials[: len(examined.sizes)]:
        outcome = examined.call(transposed_in_memory(trial.given))
        if outcome.error or not equal(outcome.value, trial.truth):
            text = (
                "Right for new arrays, wrong for transposed ones with the same numbers, as "
                "`.T` makes them. Do you write into a `ravel()` or a `reshape(...)`? That may "
                "be a copy."
            )
            return Verdict(WRONG, "memory_layout", text)
    return None
