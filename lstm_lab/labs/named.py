"""Mistakes with a name: a known misconception, and names that lead to the wrong thing."""

from __future__ import annotations

import builtins
from collections.abc import Callable

import numpy as np

from .exercise import Misconception
from .functions import holds_an_array, home, names_read, written
from .report import WRONG
from .trials import EVIDENCE, Examined, Verdict
from .values import as_tuple, equal
from .words import described, listed


def overwritten_name(examined: Examined) -> Verdict | None:
    """A name that stood for a function, and to which the notebook has given something else."""
    if not any(trial.outcome.error for trial in examined.trials):
        return None
    notebook = home(examined.function)
    for name, reader in names_read(examined.function):
        value = notebook.get(name)
        if name not in notebook or callable(value):
            continue
        if name == "np" and value is not np:
            was, repair = "NumPy", "run the cell again that imports NumPy"
        elif name in (examined.exercise.name, *examined.exercise.uses):
            was, repair = "your function", "run the cell again that defines it"
        elif callable(getattr(builtins, name, None)):
            was, repair = "Python's own function", f"write `del {name}` once"
        else:
            continue
        text = (
            f"{_reading(examined, reader, name)}. In this notebook that is not {was} any more: "
            f"some cell has made {described(value)} of it. Use another name there, and {repair}."
        )
        return Verdict(WRONG, "overwritten_name", text)
    return None


def misconception(examined: Examined) -> Verdict | None:
    """On every case the answer is that of one known misconception."""
    if not examined.wrong():
        return None
    for known in examined.exercise.misconceptions:
        if _holds(examined, known):
            return Verdict(WRONG, known.id, known.message)
    return None


def _holds(examined: Examined, known: Misconception) -> bool:
    differs = 0
    for trial in examined.trials:
        outcome, truth = trial.outcome, trial.truth
        try:
            with np.errstate(all="ignore"):
                wrong = known.answer(trial.case)
        except ValueError:
            if outcome.error is None:
                return False
            continue
        if outcome.error is not None:
            return False
        if known.of:
            part = [value.name for value in examined.exercise.returns].index(known.of)
            ours = as_tuple(outcome.value)
            if ours is None or len(ours) != len(truth) or not equal(ours[part], wrong):
                return False
            differs += not equal(wrong, truth[part])
        else:
            if not equal(outcome.value, wrong):
                return False
            differs += not equal(wrong, truth)
    return differs > 1


def notebook_variable(examined: Examined) -> Verdict | None:
    """A variable of the notebook is read in place of an argument."""
    if not examined.wrong():
        return None
    examined.draw(EVIDENCE)
    notebook = home(examined.function)
    for name, reader in names_read(examined.function):
        if holds_an_array(notebook.get(name)):
            text = (
                f"{_reading(examined, reader, name)}, a variable of the notebook. It has to work "
                f"with its arguments alone: {listed(examined.exercise.arguments)}."
            )
            return Verdict(WRONG, "notebook_variable", text)
    return None


def _reading(examined: Examined, reader: Callable, name: str) -> str:
    mine = reader is written(examined.function) or reader.__name__ == examined.exercise.name
    if mine or not reader.__name__.isidentifier():
        return f"Your function reads `{name}`"
    return f"Your function works with `{reader.__name__}`, which reads `{name}`"
