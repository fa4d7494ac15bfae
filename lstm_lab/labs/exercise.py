"""What the author of a lab declares: an exercise, its cases, and the mistakes that it knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Value:
    """Something that a function returns: its name, and its shape in words, as in "(B, H)"."""

    name: str
    shape: str


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that students really give.

    Attributes
    ----------
    id : stable name of the diagnosis.
    answer : what a student who holds it returns for a case. It may raise ValueError where the
        mistake cannot be made (a transposed matrix that is not square); the student's function
        must then fail there as well.
    message : the diagnosis, in the student's terms; it never gives the answer away.
    of : the one returned value that is wrong, where the others do not matter.
    """

    id: str
    answer: Callable[[Any], Any]
    message: str
    of: str = ""


@dataclass(frozen=True)
class Probe:
    """A case that isolates a part of an exercise; `when` ends the sentence "right when ..."."""

    when: str
    case: Callable[[np.random.Generator], Any]


@dataclass(frozen=True)
class Exercise:
    """One function to write.

    Attributes
    ----------
    name, arguments, returns : what the function is called, takes and returns.
    cases : draws the ordinary cases, at every call with the same sizes in the same order; the
        first two have the same sizes. Each has a `label`, which names its sizes, and one that is a
        batch has its `batch_size`. What is drawn is bounded: a mistake that only shows far out is
        to show in the extremes, every time.
    extremes : draws cases at the limits, by what is special in them, to end the sentence "right
        for ordinary numbers, wrong with ...": large, zero, and large beside small of both signs.
    given : the arguments that a case stands for. The keys of a dict reach the student's function
        in a random order.
    truth : the right answer to a case, as a tuple.
    answer : a right function, put in the student's place where a later exercise calls it.
    misconceptions, probes, hints : see there; hints go from faint to strong.
    insight : a sentence for those who got it right.
    uses : earlier exercises that the function may call.
    parts : what the parts of tuples are called, by the argument that is such a tuple or holds
        some, as in ``{"weights": ("W", "U", "b")}``.
    overflows : id and message for an answer that is right but overflows on its way, by the
        extremes at which it does.
    """

    name: str
    arguments: tuple[str, ...]
    returns: tuple[Value, ...]
    cases: Callable[[np.random.Generator], list]
    extremes: Callable[[np.random.Generator], dict[str, Any]]
    given: Callable[[Any], tuple]
    truth: Callable[[Any], tuple[np.ndarray, ...]]
    answer: Callable
    misconceptions: tuple[Misconception, ...]
    probes: tuple[Probe, ...]
    hints: tuple[str, ...]
    insight: str
    uses: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    overflows: dict[frozenset[str], tuple[str, str]] = field(default_factory=dict)
