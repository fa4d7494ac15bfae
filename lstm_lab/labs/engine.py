"""A lab: its exercises, what a student calls, and how one mistake is told once.

What a function is worth by itself is found out in `examination`. One that builds on an earlier
exercise is also marked with right answers in the place of the earlier ones, so that a mistake is
told where it was made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import compress
from typing import Any

import numpy as np

from .examination import verdict_on
from .exceptions import explain
from .exercise import Exercise
from .functions import called, home, written
from .guard import changed_numpy, in_place_of, same_session
from .report import RIGHT, UNDONE, WRONG, Hint, Progress, Result
from .trials import Examined, Verdict
from .words import described, listed


class Lab:
    """The exercises of one lab, and how far the student has come with them."""

    def __init__(self, *exercises: Exercise, solved: str):
        self.exercises = {exercise.name: exercise for exercise in exercises}
        self.solved = solved
        self._results: dict[str, Result] = {}
        self._hints_given: dict[str, int] = {}

    def check(self, function: Callable, *, exercise: str | None = None) -> Result:
        """Mark a function, at once.

        Parameters
        ----------
        function : the student's function, or whatever else can be called; its own name, or the
            name that the caller has for it, says which exercise it answers.
        exercise : the exercise's name, where the function has another one.

        Returns
        -------
        Result
            True exactly when the answer is right. A mistake of the student's never raises; nor
            does an interrupt, which ends the check without a verdict.
        """
        names = [exercise] if exercise is not None else self._names(function, sys._getframe(1))
        known = self._known(names)
        if exercise is None and not callable(function):
            return self._no_function(function, known)
        if known is None:
            return self._unknown(names[0])
        changed = changed_numpy()
        if changed:
            return _of_another_numpy(known, changed[0])
        try:
            with same_session(home(function)):
                result = _judge(known, function, self.exercises, np.random.default_rng())
        except KeyboardInterrupt as stop:
            found = explain(stop, function, known.name, known.arguments)
            return Result(known.name, UNDONE, found.id, found.message, found.line)
        self._results[known.name] = result
        return result

    def hint(self, exercise: Callable | str) -> Hint:
        """Return one more hint at each call; `exercise` is the function, or its name."""
        names = self._names(exercise, sys._getframe(1))
        known = self._known(names)
        if known is None:
            return Hint(names[0], 0, 0, self._unknown(names[0]).message)
        number = self._hints_given.get(known.name, 0) + 1
        total = len(known.hints)
        self._hints_given[known.name] = min(number, total)
        if number > total:
            text = f"That was the last hint. A solution stands in {self.solved}."
            return Hint(known.name, total, total, text)
        return Hint(known.name, number, total, known.hints[number - 1])

    def progress(self) -> Progress:
        """Return the last result of every exercise; one never checked is not done yet."""
        return Progress(
            tuple(
                self._results.get(name, Result(name, UNDONE, "unchecked", "Not checked yet."))
                for name in self.exercises
            )
        )

    def _names(self, asked: Any, caller) -> list[str]:
        """What a function may be called: its own name, the caller's for it, that of what it wraps.

        A lambda, a partial and an object with `__call__` have no names of their own.
        """
        if isinstance(asked, str):
            return [asked]
        names = [called(asked)]
        for places in (caller.f_locals, caller.f_globals):
            names += [n for n in self.exercises if n in places and places[n] is asked]
        inside = written(asked) if callable(asked) else None
        return [*names, inside.__name__] if inside else names

    def _known(self, names: list[str]) -> Exercise | None:
        return next((self.exercises[name] for name in names if name in self.exercises), None)

    def _unknown(self, name: str) -> Result:
        message = f"This lab has no exercise `{name}`. It has {listed(self.exercises)}."
        return Result(name, WRONG, "unknown", message)

    def _no_function(self, value: Any, known: Exercise | None) -> Result:
        """What came is a value: the result of a call, a name in quotes, an overwritten name."""
        name = known.name if known else next(iter(self.exercises))
        if isinstance(value, str):
            text = f"`check` takes the function itself. Leave out the quotes: `check({name})`."
        elif known:
            text = (
                f"In this notebook `{name}` is not your function any more: some cell has made "
                f"{described(value)} of it. Use another name there, and run the cell again that "
                "defines your function."
            )
        else:
            text = (
                f"`check` takes the function itself, not its result; what came is "
                f"{described(value)}. Write the name alone, with no brackets after it, as in "
                f"`check({name})`."
            )
        return Result(name if known else "check", WRONG, "not_a_function", text)


def _of_another_numpy(exercise: Exercise, name: str) -> Result:
    text = (
        f"`{name}` is not NumPy's own any more: a cell of this notebook has put something else in "
        "its place, so nothing can be checked. Take that line out, restart the kernel, and run the "
        "cells again from the top."
    )
    return Result(exercise.name, WRONG, "changed_numpy", text)


# --- One mistake is told once ------------------------------------------------------------------


def _judge(
    exercise: Exercise,
    function: Callable,
    exercises: dict[str, Exercise],
    rng: np.random.Generator,
    earlier: dict[tuple[str, int], Result] | None = None,
) -> Result:
    """Mark a function, with right answers in place of earlier exercises that are not right.

    `earlier` keeps the results of those, by name and identity: several exercises build on one,
    which is marked once.
    """
    earlier = {} if earlier is None else earlier
    examined = Examined(exercise, function, rng)
    verdict = verdict_on(examined)
    names = home(function)
    # A clock that has run out tells where it did, and three more of them would take half a minute.
    if verdict.status != RIGHT and verdict.id != "too_long":
        broken = {}
        for name in exercise.uses:
            if callable(names.get(name)) and names[name] is not function:
                key = name, id(names[name])
                if key not in earlier:
                    earlier[key] = _judge(exercises[name], names[name], exercises, rng, earlier)
                found = earlier[key]
                if not found and found.id != "inherited":
                    broken[name] = exercises[name].answer
        if broken:
            verdict = _apart(exercise, function, verdict, broken, rng)
    return Result(
        exercise.name,
        verdict.status,
        verdict.id,
        verdict.message,
        verdict.line,
        examined.printed,
        exercise.hints,
    )


def _apart(
    exercise: Exercise,
    function: Callable,
    verdict: Verdict,
    broken: dict[str, Callable],
    rng: np.random.Generator,
) -> Verdict:
    """Tell a function's own mistake from one that it inherits."""

    def verdict_with(answers: dict[str, Callable]) -> Verdict:
        with in_place_of(home(function), answers):
            return verdict_on(Examined(exercise, function, rng))

    alone = verdict_with(broken)
    if alone.status != RIGHT:
        return alone
    if verdict.id == "overflow":
        return alone
    guilty = list(broken)
    if len(broken) > 1:
        without = ({k: v for k, v in broken.items() if k != name} for name in broken)
        fails = [verdict_with(others).status != RIGHT for others in without]
        guilty = [*compress(broken, fails)] or guilty
    text = (
        f"Your `{exercise.name}` is right in itself. It builds on {listed(guilty)}, and there "
        "something is not right yet: that comes first. Then run this check again."
    )
    return Verdict(WRONG, "inherited", text)
