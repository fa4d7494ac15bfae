"""A student's function called on the cases of an exercise, and what came of each call.

This is what all stages of an examination share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .exceptions import Explanation, explain
from .exercise import Exercise
from .guard import Clock, Refused
from .report import WRONG
from .runner import Outcome, call
from .values import equal, reordered

ROUNDS, EVIDENCE = 6, 16
"""How often the cases are drawn; and how often where something is wrong."""

DRAWS = 6
"""How often each limit and each probe is drawn."""

EXACTLY, ROUGHLY = 1e-12, 1e-2
"""Wrong by less than this is right, for ordinary numbers; or close, but not exact."""


@dataclass(frozen=True)
class Verdict:
    """What is found out about a function: see `Result`."""

    status: str
    id: str
    message: str
    line: str = ""


class Found(Exception):
    """A verdict that needs no further calls."""

    def __init__(self, verdict: Verdict):
        self.verdict = verdict


@dataclass(eq=False)
class Trial:
    """One call of the student's function on a case; `size` is the case's number in its round."""

    size: int
    case: Any
    given: tuple
    exercise: Exercise
    outcome: Outcome

    @cached_property
    def truth(self) -> tuple[np.ndarray, ...]:
        """The right answer: on demand, for it takes longer than the call."""
        return self.exercise.truth(self.case)

    @cached_property
    def right(self) -> bool:
        return self.within(EXACTLY)

    def within(self, tolerance: float) -> bool:
        """Say whether the answer is the true one, but for so much."""
        return self.outcome.error is None and equal(self.outcome.value, self.truth, tolerance)


@dataclass
class Examined:
    """One student's function, called on all the cases of one exercise."""

    exercise: Exercise
    function: Callable
    rng: np.random.Generator
    trials: list[Trial] = field(default_factory=list)
    beginning: Trial = field(init=False)

    def __post_init__(self):
        self.rounds, self.printed = 0, ""
        self.clock = Clock()

    # Calls

    def call(self, given: tuple) -> Outcome:
        """Call the function, with copies."""
        exercise = self.exercise
        outcome = call(self.function, given, exercise.arguments, exercise.parts, self.clock)
        # What fills the time or the memory is not asked for again.
        if isinstance(outcome.error, Refused | RecursionError | MemoryError):
            raise Found(self.because_of(outcome))
        return outcome

    def _given(self, case: Any) -> tuple:
        """The arguments of a case, the keys of every dict in a random order."""
        given = self.exercise.given(case)
        return reordered(given, lambda keys: [keys[k] for k in self.rng.permutation(len(keys))])

    def attempt(self, case: Any, size: int = 0) -> Trial:
        """Call the function on a case."""
        given = self._given(case)
        return Trial(size, case, given, self.exercise, self.call(given))

    def draw(self, rounds: int) -> None:
        """Call the function on so many rounds of cases, those included that are there already."""
        while self.rounds < rounds:
            for size, case in enumerate(self.exercise.cases(self.rng)):
                trial = self.attempt(case, size)
                error = trial.outcome.error
                if error and any(t.size == size and t.outcome.error for t in self.trials):
                    # The first is explained, if any; the frames hold all of the student's arrays.
                    error.__traceback__ = None
                self.trials.append(trial)
            self.rounds += 1

    def _explanation(self, outcome: Outcome) -> Explanation:
        return explain(outcome.error, self.function, self.exercise.name, self.exercise.arguments)

    def because_of(self, outcome: Outcome, status: str = WRONG) -> Verdict:
        """What is wrong where a call raised."""
        found = self._explanation(outcome)
        return Verdict(status, found.id, found.message, found.line)

    # What was found

    def wrong(self) -> bool:
        """Say whether the answer to any ordinary case is not right."""
        return not all(trial.right for trial in self.trials)

    @cached_property
    def sizes(self) -> list[int]:
        """The numbers that cases have in their round."""
        return list(dict.fromkeys(trial.size for trial in self.trials))

    def only_sizes(self, bad: Callable[[Trial], bool]) -> list[int] | None:
        """The sizes at which every trial is bad; None if a size has good ones and bad ones.

        A pass by luck says nothing about a size.
        """
        seen: dict[int, bool] = {}
        for trial in self.trials:
            now = bad(trial)
            if seen.setdefault(trial.size, now) != now:
                return None
        return [size for size in self.sizes if seen[size]]

    def labels(self, sizes: Sequence[int]) -> str:
        """These sizes, in words."""
        labels = {trial.size: trial.case.label for trial in reversed(self.trials)}
        return "; for ".join(dict.fromkeys(labels[size] for size in sizes))

    def first(self, bad: Callable[[Trial], bool]) -> Trial | None:
        """The bad trial of the least special size: it says most, and is the same every time."""
        return min(filter(bad, self.trials), key=lambda trial: trial.size, default=None)
