"""A lab: its exercises, what a student calls, and how one mistake is told once.

What a function is worth by itself is found out in `examination`. One that builds on an earlier
exercise is also marked with right answers in the place of the earlier ones, so that a mistake is
told where it was made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np

from .examination import Examination, Verdict
from .exceptions import listed
from .exercise import Exercise
from .report import RIGHT, UNDONE, WRONG, Hint, Progress, Result
from .runner import Outcome

PRINTED_LINES = 8
"""How much of what a function prints is shown."""


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
        function : the student's function; its own name says which exercise it answers.
        exercise : the exercise's name, where the function has another one.

        Returns
        -------
        Result
            True exactly when the answer is right. A mistake of the student's never raises.
        """
        known = self._find(function if exercise is None else exercise)
        if known is None:
            return self._unknown(function if exercise is None else exercise)
        result = _judge(known, function, self.exercises, np.random.default_rng())
        self._results[known.name] = result
        return result

    def hint(self, exercise: Callable | str) -> Hint:
        """Return one more hint at each call; `exercise` is the function, or its name."""
        known = self._find(exercise)
        if known is None:
            return Hint(_name(exercise), 0, 0, self._unknown(exercise).message)
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

    def _find(self, exercise: Callable | str) -> Exercise | None:
        return self.exercises.get(_name(exercise))

    def _unknown(self, exercise: Callable | str) -> Result:
        name = _name(exercise)
        message = f"This lab has no exercise `{name}`. It has {listed(self.exercises)}."
        return Result(name, WRONG, "unknown", message)


def _name(exercise: Callable | str) -> str:
    if isinstance(exercise, str):
        return exercise
    return getattr(exercise, "__name__", type(exercise).__name__)


# --- One mistake is told once ------------------------------------------------------------------


@contextlib.contextmanager
def _in_place_of(function: Callable, answers: dict[str, Callable]):
    """For a while, let the student's functions find right answers under these names."""
    names = function.__globals__
    kept = {name: names[name] for name in answers}
    names.update(answers)
    try:
        yield
    finally:
        names.update(kept)


def _judge(
    exercise: Exercise,
    function: Callable,
    exercises: dict[str, Exercise],
    rng: np.random.Generator,
) -> Result:
    """Mark a function, with right answers in place of earlier exercises that are not right."""
    examination = Examination(exercise, function, rng)
    verdict = examination.verdict()
    names = getattr(function, "__globals__", {})
    if verdict.status != RIGHT:
        broken = {}
        for name in exercise.uses:
            if callable(names.get(name)) and names[name] is not function:
                found = _judge(exercises[name], names[name], exercises, rng)
                if not found and found.id != "inherited":
                    broken[name] = exercises[name].answer
        if broken:
            verdict = _apart(exercise, function, verdict, broken, rng)
    first = examination.outcomes[0] if examination.outcomes else Outcome()
    lines = first.printed.splitlines()
    printed = "\n".join(lines[:PRINTED_LINES] + ["..."] * (len(lines) > PRINTED_LINES))
    return Result(
        exercise.name,
        verdict.status,
        verdict.id,
        verdict.message,
        verdict.line,
        printed,
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
        with _in_place_of(function, answers):
            return Examination(exercise, function, rng).verdict()

    alone = verdict_with(broken)
    if alone.status != RIGHT:
        return alone
    if verdict.id == "overflow":
        return alone
    guilty = [
        name
        for name in broken
        if verdict_with({k: v for k, v in broken.items() if k != name}).status != RIGHT
    ] or list(broken)
    text = (
        f"Your `{exercise.name}` is right in itself. It builds on {listed(guilty)}, and there "
        "something is not right yet: that comes first. Then run this check again."
    )
    return Verdict(WRONG, "inherited", text)
