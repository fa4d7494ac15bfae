"""Calling a student's function: on copies, with everything that it does written down."""

from __future__ import annotations

import contextlib
import inspect
import linecache
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .guard import (
    LARGEST,
    ChangesNumPy,
    Clock,
    Printed,
    TooLarge,
    TooLong,
    changed_numpy,
    restore_numpy,
)
from .values import Names, Parts, changes, copied, same


@dataclass
class Outcome:
    """What one call of the student's function came to.

    Attributes
    ----------
    value : what it returned, copied: later calls may write into it.
    error : what it raised.
    changed : the arguments that it changed.
    overflow : the first line at which a number became too large, or was none; None if none did.
    printed : what it printed.
    returned : what it returned, itself.
    """

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    overflow: str | None = None
    printed: str = ""
    returned: Any = field(default=None, repr=False)

    @property
    def spoilt(self) -> bool:
        """Whether what was returned has been written into since."""
        ours, theirs = _parts(self.value), _parts(self.returned)
        return len(ours) != len(theirs) or any(
            type(kept) is np.ndarray and not (type(now) is np.ndarray and same(kept, now))
            for kept, now in zip(ours, theirs, strict=True)
        )


def call(
    function: Callable, given: tuple, arguments: Names, parts: Parts, clock: Clock | None = None
) -> Outcome:
    """Call with copies of the arguments; keep what it returns, raises, prints and overflows.

    Parameters
    ----------
    function : the student's function.
    given : what it is called with.
    arguments, parts : what the arguments are called, and the parts of their tuples.
    clock : how long it may run.
    """
    outcome, copies, printed = Outcome(), copied(given), Printed()
    clock = clock or Clock()

    def overflowed(kind: str, flag: int) -> None:
        if outcome.overflow is None:
            # NumPy calls this from within the ufunc: the caller's line is the guilty one.
            caller = sys._getframe(1)
            line = linecache.getline(caller.f_code.co_filename, caller.f_lineno)
            outcome.overflow = line.strip()

    with (
        np.errstate(over="call", invalid="call", divide="call", under="ignore", call=overflowed),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("ignore")
        warnings.showwarning = _silent  # where the student's own code wants them all
        try:
            clock.start()
            try:
                clock.running = True
                outcome.returned = function(*copies)
            finally:
                clock.running = False
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            outcome.error = error
        finally:
            clock.stop()
        if clock.rung and outcome.error is None:
            outcome.error = TooLong()
    others = changed_numpy()
    if others:
        outcome.error = ChangesNumPy(others[0])
        restore_numpy()
    if outcome.error is None:
        try:
            outcome.value = _copied(outcome.returned)
        except (Exception, TooLarge) as error:  # a tuple of the student's own make may do anything
            outcome.error, outcome.returned = error, None
    outcome.changed = tuple(
        changed
        for name, before, after in zip(arguments, given, copies, strict=True)
        for changed in changes(before, after, name, parts.get(name, ()))
    )
    outcome.printed = printed.shown()
    return outcome


def _parts(value: Any) -> list:
    return list(value) if isinstance(value, tuple | list) else [value]


def _copied(value: Any) -> Any:
    """Copy the arrays: the next call of the student's function may write into them."""
    if inspect.iscoroutine(value):
        value.close()
    if not isinstance(value, tuple | list):
        return _copy(value)
    if len(value) > LARGEST:
        raise TooLarge(len(value))
    copies = [_copy(part) for part in value]
    return tuple(copies) if isinstance(value, tuple) else copies


def _copy(part: Any) -> Any:
    if type(part) is not np.ndarray:
        return part
    if part.size > LARGEST:
        raise TooLarge(part.shape)
    return part.copy()


def _silent(*_: Any, **__: Any) -> None:
    pass
