"""What the tests that all explorables share need to know of each: one module a class.

``cases/cell.py`` holds the case of the picture in ``lstm_lab/explore/cell/``, as ``CASE``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from lstm_lab.explore import EXPLORABLES, Explorable


@dataclass(frozen=True)
class Case:
    """How one explorable is tried.

    Parameters
    ----------
    kind : type
    drag : str
        The slider that the browser test drags, by `way` px.
    shown : callable
        ``shown(widget)``: pieces of the summary, from the numbers of a widget of the same setting.
    make : callable, optional
        ``make(**settings)``: a new one, if its constructor needs more than settings.
    lively : mapping
        A setting at which every control changes the picture.
    hidden : collection of str
        Controls with no slider, select or checkbox of their own at `lively`.
    still : collection of str
        Controls that may leave the picture as it was.
    js : callable, optional
        ``js(widget)``: module, function and arguments that give the same numbers in Node.
    same : callable, optional
        ``same(answer, widget)``: asserts that Node's answer is what the widget's values are.
    large : callable, optional
        ``large()``: one with the largest network that it is to follow the hand with.
    kernel : bool
        Its numbers come from the kernel: the browser tests connect one.
    """

    kind: type[Explorable]
    drag: str
    shown: Callable[[Any], Sequence[str]]
    way: int = -70
    make: Callable[..., Explorable] | None = None
    lively: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    still: frozenset[str] = frozenset()
    js: Callable[[Any], tuple[str, str, list]] | None = None
    same: Callable[[Any, Any], None] | None = None
    large: Callable[[], Explorable] | None = None
    kernel: bool = False

    def new(self, **settings: Any) -> Explorable:
        return (self.make or self.kind)(**settings)

    def __str__(self) -> str:
        return self.kind.__name__


def case_of(kind: type[Explorable]) -> Case:
    """The case of an explorable; every one has one."""
    case = import_module(f"tests.explore.cases.{kind.__module__.split('.')[-2]}").CASE
    assert case.kind is kind, f"cases/{kind.__module__.split('.')[-2]}.py holds another's case"
    return case


CASES = [case_of(kind) for kind in EXPLORABLES]
