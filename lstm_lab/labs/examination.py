"""How a function is marked: fresh random cases, then a search for the mistake.

A *case* is whatever an exercise draws its inputs from. The student's function is called on several
rounds of cases; the verdict is the first of these that applies:

1. it must not be run at all, or nothing is written yet;
2. it does not answer the question: two answers to one question, another answer when the keys of a
   dict come in another order;
3. on **every** case the answer equals that of a named misconception, a wrong function: the
   message is that misconception's own;
4. something general: a name that the notebook has overwritten, an exception, a wrong type, a wrong
   shape, NaN, an argument changed, lost precision, an argument that makes no difference, an answer
   right for some sizes only;
5. plainly wrong values: probes say where they are right and where they are not;
6. right for ordinary numbers, wrong in the limits, or overflowing on the way;
7. right for these arrays, wrong for the same numbers laid out otherwise;
8. right.

The same function gets the same verdict every time. So nothing is concluded from one draw: a
function is called right for some sizes and wrong for others where it was so in each of `EVIDENCE`
rounds.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .exceptions import Explanation, explain, listed
from .exercise import Exercise, Misconception
from .functions import holds_an_array, home, names_read, written
from .guard import Clock, Refused
from .report import RIGHT, UNDONE, WRONG
from .runner import Outcome, call
from .values import (
    TOLERANCE,
    as_tuple,
    close,
    equal,
    leaves,
    reordered,
    replaced,
    same,
    transposed_in_memory,
)

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


class _Found(Exception):
    """A verdict that needs no further calls."""

    def __init__(self, verdict: Verdict):
        self.verdict = verdict


@dataclass(eq=False)
class Trial:
    """One call of the student's function on a case; `size` is the case's number in its round."""

    size: int
    case: Any
    given: tuple
    truth: tuple[np.ndarray, ...]
    outcome: Outcome

    @cached_property
    def right(self) -> bool:
        return self.within(EXACTLY)

    def within(self, tolerance: float) -> bool:
        """Say whether the answer is the true one, but for so much."""
        return self.outcome.error is None and equal(self.outcome.value, self.truth, tolerance)


@dataclass
class Examination:
    """One student's function, called on all the cases of one exercise."""

    exercise: Exercise
    function: Callable
    rng: np.random.Generator
    trials: list[Trial] = field(default_factory=list)

    def __post_init__(self):
        self.rounds, self.printed = 0, ""
        self.clock = Clock()

    def verdict(self) -> Verdict:
        """Return the first diagnosis that applies."""
        try:
            for stage in (
                self._signature,
                self._untouched,
                self._placeholder,
                self._not_repeatable,
                self._reused_array,
                self._order_of_keys,
                self._overwritten_name,
                self._misconception,
                self._notebook_variable,
                self._exception,
                self._form,
                self._not_finite,
                self._changed_argument,
                self._precision,
                self._values,
                self._extremes,
                self._memory_layout,
            ):
                found = stage()
                if found:
                    return found
        except _Found as found:
            return found.verdict
        return Verdict(RIGHT, "right", self.exercise.insight)

    # Calls

    def _call(self, given: tuple) -> Outcome:
        exercise = self.exercise
        outcome = call(self.function, given, exercise.arguments, exercise.parts, self.clock)
        # What fills the time or the memory is not asked for again.
        if isinstance(outcome.error, Refused | RecursionError | MemoryError):
            raise _Found(self._because_of(outcome))
        return outcome

    def _given(self, case: Any) -> tuple:
        """The arguments of a case, the keys of every dict in a random order."""
        given = self.exercise.given(case)
        return reordered(given, lambda keys: [keys[k] for k in self.rng.permutation(len(keys))])

    def _try(self, case: Any, size: int = 0) -> Trial:
        given, truth = self._given(case), self.exercise.truth(case)
        return Trial(size, case, given, truth, self._call(given))

    def _draw(self, rounds: int) -> None:
        """Call the function on so many rounds of cases, those included that are there already."""
        while self.rounds < rounds:
            for size, case in enumerate(self.exercise.cases(self.rng)):
                trial = self._try(case, size)
                error = trial.outcome.error
                if error and any(t.size == size and t.outcome.error for t in self.trials):
                    # The first is explained, if any; the frames hold all of the student's arrays.
                    error.__traceback__ = None
                self.trials.append(trial)
            self.rounds += 1

    def _explanation(self, outcome: Outcome) -> Explanation:
        return explain(outcome.error, self.function, self.exercise.name, self.exercise.arguments)

    def _because_of(self, outcome: Outcome, status: str = WRONG) -> Verdict:
        found = self._explanation(outcome)
        return Verdict(status, found.id, found.message, found.line)

    # Sizes

    @cached_property
    def _sizes(self) -> list[int]:
        return list(dict.fromkeys(trial.size for trial in self.trials))

    def _only_sizes(self, bad: Callable[[Trial], bool]) -> list[int] | None:
        """The sizes at which every trial is bad; None if a size has good ones and bad ones.

        A pass by luck says nothing about a size.
        """
        always = []
        for size in self._sizes:
            seen = {bad(trial) for trial in self.trials if trial.size == size}
            if len(seen) > 1:
                return None
            if True in seen:
                always.append(size)
        return always

    def _labels(self, sizes: Sequence[int]) -> str:
        labels = {trial.size: trial.case.label for trial in reversed(self.trials)}
        return "; for ".join(dict.fromkeys(labels[size] for size in sizes))

    def _first(self, bad: Callable[[Trial], bool]) -> Trial | None:
        """The bad trial of the least special size: it says most, and is the same every time."""
        return min(filter(bad, self.trials), key=lambda trial: trial.size, default=None)

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
        first = self._try(self.exercise.cases(self.rng)[0])
        self._beginning, outcome = first, first.outcome
        self.printed = outcome.printed
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
        if self._beginning.outcome.error is None:
            return None
        found = self._because_of(self._beginning.outcome, UNDONE)
        return found if found.id == "placeholder" else None

    # 2. Is there one answer to one question?

    def _not_repeatable(self) -> Verdict | None:
        self._draw(ROUNDS)
        # Once more after other calls, then at once; then all sizes, for what happens now and then.
        again = [self._beginning, self._beginning, *self.trials[: len(self._sizes)]]
        if all(_agree(trial.outcome, self._call(trial.given)) for trial in again):
            return None
        text = (
            "Called twice with the same arguments, your function gives two different answers. "
            "Does it draw random numbers, or remember something from the call before?"
        )
        return Verdict(WRONG, "not_repeatable", text)

    def _reused_array(self) -> Verdict | None:
        if not any(trial.outcome.spoilt for trial in (self._beginning, *self.trials)):
            return None
        text = (
            "What your function has returned changes afterwards, when it is called again: it "
            "writes into an array of an earlier call. Make a new array in each call."
        )
        return Verdict(WRONG, "reused_array", text)

    def _order_of_keys(self) -> Verdict | None:
        first, given = self._beginning, self._beginning.given
        if not _keyed(given):
            return None
        turned = reordered(given, lambda keys: [*keys[1:], *keys[:1]])
        if _agree(first.outcome, self._call(turned)):
            return None
        leaf = next(n for n, g in zip(self.exercise.arguments, given, strict=True) if _keyed(g))
        text = (
            f"Your answer changes when the keys of `{leaf}` come in another order. Their order is "
            "not promised: take each value by its key."
        )
        return Verdict(WRONG, "order_of_keys", text)

    # 3. A mistake with a name

    def _wrong(self) -> list[Trial]:
        return [trial for trial in self.trials if not trial.right]

    def _overwritten_name(self) -> Verdict | None:
        """A name that stood for a function, and to which the notebook has given something else."""
        if not any(trial.outcome.error for trial in self.trials):
            return None
        notebook = home(self.function)
        for name, reader in names_read(self.function):
            value = notebook.get(name)
            if name not in notebook or callable(value):
                continue
            if name == "np" and value is not np:
                was, repair = "NumPy", "run the cell again that imports NumPy"
            elif name in (self.exercise.name, *self.exercise.uses):
                was, repair = "your function", "run the cell again that defines it"
            elif callable(getattr(builtins, name, None)):
                was, repair = "Python's own function", f"write `del {name}` once"
            else:
                continue
            text = (
                f"{self._reading(reader, name)}. In this notebook that is not {was} any more: some "
                f"cell has made {described(value)} of it. Use another name there, and {repair}."
            )
            return Verdict(WRONG, "overwritten_name", text)
        return None

    def _misconception(self) -> Verdict | None:
        if not self._wrong():
            return None
        for known in self.exercise.misconceptions:
            if self._holds(known):
                return Verdict(WRONG, known.id, known.message)
        return None

    def _holds(self, known: Misconception) -> bool:
        differs = 0
        for trial in self.trials:
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

    # 4. A mistake of a general kind

    def _notebook_variable(self) -> Verdict | None:
        if not self._wrong():
            return None
        self._draw(EVIDENCE)
        notebook = home(self.function)
        for name, reader in names_read(self.function):
            if holds_an_array(notebook.get(name)):
                text = (
                    f"{self._reading(reader, name)}, a variable of the notebook. It has to work "
                    f"with its arguments alone: {listed(self.exercise.arguments)}."
                )
                return Verdict(WRONG, "notebook_variable", text)
        return None

    def _reading(self, reader: Callable, name: str) -> str:
        mine = reader is written(self.function) or reader.__name__ == self.exercise.name
        if mine or not reader.__name__.isidentifier():
            return f"Your function reads `{name}`"
        return f"Your function works with `{reader.__name__}`, which reads `{name}`"

    def _exception(self) -> Verdict | None:
        def fails(trial: Trial) -> bool:
            return trial.outcome.error is not None

        failed = self._first(fails)
        if failed is None:
            return None
        found = self._because_of(failed.outcome)
        where, sizes = "", self._only_sizes(fails)
        if sizes is None:
            where = "It fails for some numbers, not for others. "
        elif len(sizes) < len(self._sizes):
            runs = [size for size in self._sizes if size not in sizes]
            where = f"It fails for {self._labels(sizes)}. "
            if len(runs) < len(sizes):
                where = f"It runs only for {self._labels(runs)}. "
        return Verdict(WRONG, found.id, where + found.message, found.line)

    def _form(self) -> Verdict | None:
        """Number, type and shape of what is returned."""
        first = self._first(lambda trial: self._misshapen(trial) is not None)
        return None if first is None else self._misshapen(first)

    def _misshapen(self, trial: Trial) -> Verdict | None:
        wanted, value = self.exercise.returns, trial.outcome.value
        parts = (value,)
        if len(wanted) > 1:
            if not isinstance(value, tuple | list) or len(value) != len(wanted):
                names = ", ".join(value.name for value in wanted)
                text = (
                    f"It returns {described(value)}; {len(wanted)} arrays were expected: {names}."
                )
                return Verdict(WRONG, "count", text)
            parts = value
        for k, (part, true, name) in enumerate(zip(parts, trial.truth, wanted, strict=True)):
            kind = _not_plain(part)
            if kind:
                text = f"`{name.name}` is {kind}; a NumPy array of real numbers was expected."
                return Verdict(WRONG, "type", text)
            if part.shape != true.shape:
                expected = f"expected was {true.shape}, which is {name.shape}"
                if len(self._shapes_at(trial.size, k)) > 1:
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

    def _shapes_at(self, size: int, part: int) -> set[tuple[int, ...]]:
        """The shapes that one returned value has had at one size."""
        values = [trial.outcome.value for trial in self.trials if trial.size == size]
        if len(self.exercise.returns) > 1:
            values = [v[part] for v in values if isinstance(v, tuple | list) and len(v) > part]
        return {value.shape for value in values if isinstance(value, np.ndarray | np.generic)}

    def _not_finite(self) -> Verdict | None:
        first = self._first(
            lambda trial: not all(np.isfinite(p).all() for p in as_tuple(trial.outcome.value))
        )
        if first is None:
            return None
        text = (
            "Some of the numbers that come out are NaN or infinite, though all that go "
            f"in are ordinary. This was for {first.case.label}."
        )
        return Verdict(WRONG, "not_finite", text, first.outcome.overflow or "")

    def _changed_argument(self, trials: Sequence[Trial] | None = None) -> Verdict | None:
        changed = {c for t in trials or self.trials for c in t.outcome.changed}
        if not changed:
            return None
        given = self.exercise.given(self.trials[0].case)
        known = [*leaves(given, self.exercise.arguments, self.exercise.parts)]
        # A container as a whole comes before its parts.
        name = min(changed, key=lambda name: known.index(name) if name in known else -1)
        text = (
            f"Your function changes `{name}`, which belongs to its caller: "
            "whoever looks at it afterwards finds other numbers in it. Operators such as "
            "`*=` and `+=`, `out=`, and assignments to a slice, write into the array itself. "
            "Make a new array instead."
        )
        return Verdict(WRONG, "changed_argument", text)

    def _precision(self) -> Verdict | None:
        if not all(trial.within(ROUGHLY) for trial in self.trials):
            return None
        value, truth = self.trials[0].outcome.value, self.trials[0].truth
        parts = value if len(self.exercise.returns) > 1 else (value,)
        for name, part, true in zip(self.exercise.returns, parts, truth, strict=True):
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
        if not self._wrong():
            return None
        text = (
            "Close, but not exact. Something on the way rounds the numbers, cuts them off, adds a "
            "small constant, or holds them with fewer digits than float64."
        )
        return Verdict(WRONG, "close", text)

    # 5. Plainly wrong values

    def _values(self) -> Verdict | None:
        if not self._wrong():
            return None
        alike = [trial for trial in self.trials if trial.size == 0]
        if all(equal(trial.outcome.value, alike[0].outcome.value) for trial in alike):
            text = (
                "The answer is the same whatever goes in. It has to be computed from the "
                f"arguments: {listed(self.exercise.arguments)}."
            )
            return Verdict(WRONG, "constant", text)
        ignored = self._ignored(alike[:DRAWS])
        if ignored:
            text = f"Your result does not depend on {ignored} at all. It should."
            return Verdict(WRONG, "ignored_argument", text)
        sizes = self._only_sizes(lambda trial: not trial.right)
        if sizes is None or len(sizes) == len(self._sizes):
            return self._probed()
        cases = {trial.size: trial.case for trial in self.trials}
        single = [k for k in self._sizes if getattr(cases[k], "batch_size", 0) == 1]
        if single and [k for k in self._sizes if k not in sizes] == single:
            text = (
                "Right for a batch of one, wrong for a larger batch: the sequences of the batch "
                "get mixed. Each stands by itself."
            )
            return Verdict(WRONG, "batch", text)
        text = (
            f"Right for some sizes, but not for {self._labels(sizes)}. Is a size, or an axis, "
            "written into the code?"
        )
        return Verdict(WRONG, "some_sizes", text)

    def _ignored(self, trials: Sequence[Trial]) -> str:
        """Name an argument, or a part of one, that makes no difference in any of the trials."""
        names, parts = self.exercise.arguments, self.exercise.parts
        # The case after one of these has the same sizes, and other numbers.
        pairs = [(trial, self.trials[self.trials.index(trial) + 1]) for trial in trials]
        given = [[self.exercise.given(trial.case) for trial in pair] for pair in pairs]
        ours, theirs = (leaves(values, names, parts) for values in given[0])
        for leaf in ours:
            if same(ours[leaf], theirs[leaf]):
                continue
            outcomes = (self._call(replaced(*two, names, parts, leaf)) for two in given)
            if all(
                outcome.error is None and equal(outcome.value, trial.outcome.value)
                for outcome, trial in zip(outcomes, trials, strict=True)
            ):
                return f"`{leaf}`"
        return ""

    def _probed(self) -> Verdict:
        answers = [(as_tuple(trial.outcome.value), trial.truth) for trial in self.trials]
        good, bad = [], []
        for part, value in enumerate(self.exercise.returns):
            fine = all(close(answer[part], truth[part]) for answer, truth in answers)
            (good if fine else bad).append(value.name)
        text = "The shape is right, the numbers are not."
        if good:
            text = f"{listed(good)} is right. The numbers in {listed(bad)} are not."
        right, wrong = [], []
        for probe in self.exercise.probes:
            fine = all(self._try(probe.case(self.rng)).right for _ in range(DRAWS))
            (right if fine else wrong).append(probe.when)
        if right:
            text += f"\nRight when {'; when '.join(right)}."
        if wrong:
            text += f"\nWrong when {'; when '.join(wrong)}."
        return Verdict(WRONG, "values", text)

    # 6. The limits

    def _extremes(self) -> Verdict | None:
        drawn: dict[str, list[Trial]] = {}
        for _ in range(DRAWS):
            for name, case in self.exercise.extremes(self.rng).items():
                drawn.setdefault(name, []).append(self._try(case))
        for name, trials in drawn.items():
            failed = next((trial for trial in trials if trial.outcome.error), None)
            if failed:
                found = self._because_of(failed.outcome)
                return Verdict(WRONG, found.id, f"With {name}: {found.message}", found.line)
            wrong = [t for t in trials if not t.within(TOLERANCE) or self._misshapen(t)]
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
        changed = self._changed_argument(every)
        if changed:
            return changed
        # A line may be "": where there is no source to show, there was an overflow all the same.
        lines = {name: [t.outcome.overflow for t in trials] for name, trials in drawn.items()}
        lines = {name: [o for o in found if o is not None] for name, found in lines.items()}
        overflowing = [name for name, found in lines.items() if found]
        if not overflowing:
            return None
        line = lines[overflowing[0]][0]
        known = self.exercise.overflows.get(frozenset(overflowing))
        if known:
            return Verdict(WRONG, *known, line)
        text = (
            f"The values are right, but with {' and '.join(overflowing)} a number on the "
            "way becomes too large to be held."
        )
        return Verdict(WRONG, "overflow", text, line)

    # 7. The same numbers, laid out otherwise

    def _memory_layout(self) -> Verdict | None:
        for trial in self.trials[: len(self._sizes)]:
            outcome = self._call(transposed_in_memory(trial.given))
            if outcome.error or not equal(outcome.value, trial.truth):
                text = (
                    "Right for new arrays, wrong for transposed ones with the same numbers, as "
                    "`.T` makes them. Do you write into a `ravel()` or a `reshape(...)`? That may "
                    "be a copy."
                )
                return Verdict(WRONG, "memory_layout", text)
        return None


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


def described(value: Any) -> str:
    """Say in words what a value is."""
    if isinstance(value, np.ndarray):
        return f"an array of the shape {value.shape}"
    if isinstance(value, tuple):
        return f"{_article(type(value).__name__)} of length {len(value)}"
    return _article(type(value).__name__)


def _article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
