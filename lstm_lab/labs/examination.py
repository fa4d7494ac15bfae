"""How an exercise is marked: fresh random cases, then a search for the mistake.

A *case* is whatever an exercise draws its inputs from. The student's function is called on every
case; the verdict is the first of these that applies:

1. nothing is written yet;
2. on **every** case the answer equals that of a named misconception, a wrong function: the
   message is that misconception's own;
3. something general: an exception, a wrong type, a wrong shape, NaN, an argument changed, a
   different answer to the same question, lost precision, an argument that makes no difference,
   an answer right for some sizes only;
4. plainly wrong values: probes say where they are right and where they are not;
5. right for ordinary numbers, wrong for very large ones, or overflowing on the way;
6. right.

A function that builds on an earlier exercise is also marked with right answers in the place of
the earlier ones, so that one mistake is told once, where it was made.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .exceptions import Explanation, explain, listed
from .exercise import Exercise, Misconception
from .report import RIGHT, UNDONE, WRONG
from .runner import Outcome, call
from .values import as_tuple, close, equal, leaves, replaced, same


@dataclass(frozen=True)
class Verdict:
    """What is found out about a function: see `Result`."""

    status: str
    id: str
    message: str
    line: str = ""


@dataclass
class Examination:
    """One student's function, called on all the cases of one exercise."""

    exercise: Exercise
    function: Callable
    rng: np.random.Generator

    def __post_init__(self):
        self.cases = self.exercise.cases(self.rng)
        self.truths = [self.exercise.truth(case) for case in self.cases]
        self.outcomes: list[Outcome] = []

    def call(self, given: tuple) -> Outcome:
        return call(self.function, given, self.exercise.arguments, self.exercise.parts)

    def verdict(self) -> Verdict:
        """Return the first diagnosis that applies."""
        first = self._signature() or self._untouched()
        if first:
            return first
        self.outcomes += [self.call(self.exercise.given(case)) for case in self.cases[1:]]
        for stage in (
            self._placeholder,
            self._misconception,
            self._notebook_variable,
            self._exception,
            self._form,
            self._not_finite,
            self._changed_argument,
            self._not_repeatable,
            self._precision,
            self._values,
            self._extremes,
        ):
            found = stage()
            if found:
                return found
        return Verdict(RIGHT, "right", self.exercise.insight)

    # 1. Is there anything to mark?

    def _signature(self) -> Verdict | None:
        wanted = f"{self.exercise.name}({', '.join(self.exercise.arguments)})"
        if not callable(self.function):
            kind = type(self.function).__name__
            text = f"A function was expected; what came is of the type {kind}. Define `{wanted}`."
            return Verdict(WRONG, "not_a_function", text)
        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):
            return None
        try:
            signature.bind(*self.exercise.arguments)
        except TypeError:
            text = f"It is called as `{wanted}`, but your `def` line takes `{signature}`."
            return Verdict(WRONG, "signature", text)
        return None

    def _untouched(self) -> Verdict | None:
        outcome = self.call(self.exercise.given(self.cases[0]))
        self.outcomes = [outcome]
        if outcome.error:
            return None
        names = [value.name for value in self.exercise.returns]
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

    def _placeholder(self) -> Verdict | None:
        if self.outcomes[0].error is None:
            return None
        found = self._explanation(self.outcomes[0])
        if found.id != "placeholder":
            return None
        return Verdict(UNDONE, found.id, found.message, found.line)

    def _explanation(self, outcome: Outcome) -> Explanation:
        return explain(outcome.error, self.function, self.exercise.arguments)

    # 2. A mistake with a name

    def _misconception(self) -> Verdict | None:
        if not self._wrong():
            return None
        for known in self.exercise.misconceptions:
            if self._holds(known):
                return Verdict(WRONG, known.id, known.message)
        return None

    def _wrong(self) -> list[int]:
        """The cases that are not answered rightly."""
        return [k for k in range(len(self.cases)) if not self._right(self.outcomes[k], k)]

    def _right(self, outcome: Outcome, k: int) -> bool:
        return outcome.error is None and equal(outcome.value, self.truths[k])

    def _holds(self, known: Misconception) -> bool:
        differs = 0
        for case, truth, outcome in zip(self.cases, self.truths, self.outcomes, strict=True):
            try:
                with np.errstate(all="ignore"):
                    wrong = known.answer(case)
            except ValueError:
                if outcome.error is None:
                    return False
                continue
            if outcome.error is not None:
                return False
            if known.of:
                part = [value.name for value in self.exercise.returns].index(known.of)
                ours = as_tuple(outcome.value)
                if ours is None or len(ours) != len(truth) or not equal(ours[part], wrong):
                    return False
                differs += not equal(wrong, truth[part])
            else:
                if not equal(outcome.value, wrong):
                    return False
                differs += not equal(wrong, truth)
        return differs > 1

    # 3. A mistake of a general kind

    def _notebook_variable(self) -> Verdict | None:
        if not self._wrong():
            return None
        known = getattr(self.function, "__globals__", {})
        for name in _names_read(getattr(self.function, "__code__", None)):
            if isinstance(known.get(name), np.ndarray | dict | list | tuple):
                text = (
                    f"Your function reads `{name}`, a variable of the notebook. It has to work "
                    f"with its arguments alone: {listed(self.exercise.arguments)}."
                )
                return Verdict(WRONG, "notebook_variable", text)
        return None

    def _exception(self) -> Verdict | None:
        failed = [k for k, outcome in enumerate(self.outcomes) if outcome.error]
        if not failed:
            return None
        # The least special sizes come first, and say most.
        found = self._explanation(self.outcomes[failed[0]])
        text = found.message
        if len(failed) < len(self.cases):
            text = f"{self._where_it_fails(failed)} {text}"
        return Verdict(WRONG, found.id, text, found.line)

    def _where_it_fails(self, failed: Sequence[int]) -> str:
        runs = [k for k in range(len(self.cases)) if k not in failed]
        if len(runs) < len(failed):
            return f"It runs only for {self._sizes(runs)}."
        return f"It fails for {self._sizes(failed)}."

    def _sizes(self, which: Sequence[int]) -> str:
        return "; for ".join(dict.fromkeys(self.cases[k].label for k in which))

    def _form(self) -> Verdict | None:
        """Number, type and shape of what is returned."""
        wanted = self.exercise.returns
        names = ", ".join(value.name for value in wanted)
        for case, truth, outcome in zip(self.cases, self.truths, self.outcomes, strict=True):
            value = outcome.value
            if len(wanted) > 1:
                if not isinstance(value, tuple | list) or len(value) != len(wanted):
                    got = _described(value)
                    text = f"It returns {got}; {len(wanted)} arrays were expected: {names}."
                    return Verdict(WRONG, "count", text)
                parts = value
            else:
                parts = (value,)
            for part, true, name in zip(parts, truth, wanted, strict=True):
                if not isinstance(part, np.ndarray | np.generic):
                    text = f"`{name.name}` is {_described(part)}; a NumPy array was expected."
                    return Verdict(WRONG, "type", text)
                if part.shape != true.shape:
                    text = (
                        f"`{name.name}` has the shape {part.shape}; expected was {true.shape}, "
                        f"which is {name.shape}. This was for {case.label}."
                    )
                    return Verdict(WRONG, "shape", text)
        return None

    def _not_finite(self) -> Verdict | None:
        for case, outcome in zip(self.cases, self.outcomes, strict=True):
            parts = as_tuple(outcome.value)
            if parts is None or not all(np.isfinite(part).all() for part in parts):
                text = (
                    "Some of the numbers that come out are NaN or infinite, though all that go "
                    f"in are ordinary. This was for {case.label}."
                )
                return Verdict(WRONG, "not_finite", text, outcome.overflow or "")
        return None

    def _changed_argument(self) -> Verdict | None:
        for outcome in self.outcomes:
            if outcome.changed:
                text = (
                    f"Your function changes `{outcome.changed[0]}`, which belongs to its caller: "
                    "whoever looks at it afterwards finds other numbers in it. Operators such as "
                    "`*=` and `+=`, and assignments to a slice, write into the array itself. "
                    "Make a new array instead."
                )
                return Verdict(WRONG, "changed_argument", text)
        return None

    def _not_repeatable(self) -> Verdict | None:
        again = self.call(self.exercise.given(self.cases[0]))
        if again.error is None and equal(again.value, self.outcomes[0].value):
            return None
        text = (
            "Called twice with the same arguments, your function gives two different answers. "
            "Does it draw random numbers, or remember something from the call before?"
        )
        return Verdict(WRONG, "not_repeatable", text)

    def _precision(self) -> Verdict | None:
        value = self.outcomes[0].value
        parts = value if len(self.exercise.returns) > 1 else (value,)
        for name, part, true in zip(self.exercise.returns, parts, self.truths[0], strict=True):
            roughly_right = np.allclose(np.asarray(part, np.float64), true, 1e-2, 1e-2)
            if part.dtype != true.dtype == np.float64 and roughly_right:
                text = (
                    f"`{name.name}` comes out as {part.dtype}, though all that goes in is float64: "
                    "digits are lost on the way. Look for a `dtype` or an `astype`, or for an "
                    "array made of integers."
                )
                return Verdict(WRONG, "precision", text)
        return None

    # 4. Plainly wrong values

    def _values(self) -> Verdict | None:
        wrong = self._wrong()
        if not wrong:
            return None
        if equal(self.outcomes[0].value, self.outcomes[1].value):
            text = (
                "The answer is the same whatever goes in. It has to be computed from the "
                f"arguments: {listed(self.exercise.arguments)}."
            )
            return Verdict(WRONG, "constant", text)
        ignored = self._ignored()
        if ignored:
            text = f"Your result does not depend on {ignored} at all. It should."
            return Verdict(WRONG, "ignored_argument", text)
        single = [k for k, case in enumerate(self.cases) if getattr(case, "batch_size", 0) == 1]
        if single and not set(single) & set(wrong) and len(single) + len(wrong) == len(self.cases):
            text = (
                "Right for a batch of one, wrong for a larger batch: the sequences of the batch "
                "get mixed. Each stands by itself."
            )
            return Verdict(WRONG, "batch", text)
        if len(wrong) < len(self.cases):
            text = (
                f"Right for some sizes, but not for {self._sizes(wrong)}. Is a size, or an axis, "
                "written into the code?"
            )
            return Verdict(WRONG, "some_sizes", text)
        return self._probed()

    def _ignored(self) -> str:
        names, parts = self.exercise.arguments, self.exercise.parts
        ours, others = (self.exercise.given(case) for case in self.cases[:2])
        theirs = leaves(others, names, parts)
        for leaf, value in leaves(ours, names, parts).items():
            if same(value, theirs[leaf]):
                continue
            outcome = self.call(replaced(ours, others, names, parts, leaf))
            if outcome.error is None and equal(outcome.value, self.outcomes[0].value):
                return f"`{leaf}`"
        return ""

    def _probed(self) -> Verdict:
        answers = [as_tuple(outcome.value) for outcome in self.outcomes]
        good, bad = [], []
        for part, value in enumerate(self.exercise.returns):
            pairs = zip(answers, self.truths, strict=True)
            fine = all(close(answer[part], truth[part]) for answer, truth in pairs)
            (good if fine else bad).append(value.name)
        text = "The shape is right, the numbers are not."
        if good:
            text = f"{listed(good)} is right. The numbers in {listed(bad)} are not."
        right, wrong = [], []
        for probe in self.exercise.probes:
            case = probe.case(self.rng)
            outcome = self.call(self.exercise.given(case))
            fine = outcome.error is None and equal(outcome.value, self.exercise.truth(case))
            (right if fine else wrong).append(probe.when)
        if right:
            text += f"\nRight when {'; when '.join(right)}."
        if wrong:
            text += f"\nWrong when {'; when '.join(wrong)}."
        return Verdict(WRONG, "values", text)

    # 5. Very large numbers

    def _extremes(self) -> Verdict | None:
        overflowing, line = set(), ""
        for name, case in self.exercise.extremes(self.rng).items():
            outcome = self.call(self.exercise.given(case))
            if outcome.error:
                found = self._explanation(outcome)
                return Verdict(WRONG, found.id, f"With {name}: {found.message}", found.line)
            if not equal(outcome.value, self.exercise.truth(case)):
                text = f"Right for ordinary numbers, wrong with {name}."
                parts = as_tuple(outcome.value) or ()
                if any(np.isnan(part).any() for part in parts):
                    text += " What comes out is NaN: a large number was divided by a large number."
                return Verdict(WRONG, "limits", text, outcome.overflow or "")
            if outcome.overflow is not None:
                overflowing.add(name)
                line = line or outcome.overflow
        if not overflowing:
            return None
        known = self.exercise.overflows.get(frozenset(overflowing))
        if known:
            return Verdict(WRONG, *known, line)
        text = (
            f"The values are right, but with {' and '.join(sorted(overflowing))} a number on the "
            "way becomes too large to be held."
        )
        return Verdict(WRONG, "overflow", text, line)


def _names_read(code) -> Iterator[str]:
    """Global names that a function's code, or a function inside it, reads."""
    if code is None:
        return
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _names_read(constant)


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"one array of the shape {value.shape}"
    if isinstance(value, tuple | list):
        return f"{_article(type(value).__name__)} of length {len(value)}"
    return _article(type(value).__name__)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
