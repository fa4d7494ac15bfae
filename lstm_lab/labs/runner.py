"""Calling a student's function: on copies, with everything that it does written down."""

from __future__ import annotations

import contextlib
import copy
import io
import linecache
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .values import Names, Parts, changes


@dataclass
class Outcome:
    """What one call of the student's function came to."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    overflow: str | None = None
    printed: str = ""


def call(function: Callable, given: tuple, arguments: Names, parts: Parts) -> Outcome:
    """Call with copies of the arguments; keep what it returns, raises, prints and overflows.

    Parameters
    ----------
    function : the student's function.
    given : what it is called with.
    arguments, parts : what the arguments are called, and the parts of their tuples.
    """
    outcome, copies, printed = Outcome(), copy.deepcopy(given), io.StringIO()

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
    ):
        warnings.simplefilter("ignore")
        try:
            outcome.value = _copied(function(*copies))
        except (Exception, SystemExit) as error:
            outcome.error = error
    outcome.changed = tuple(
        changed
        for name, before, after in zip(arguments, given, copies, strict=True)
        for changed in changes(before, after, name, parts.get(name, ()))
    )
    outcome.printed = printed.getvalue()
    return outcome


def _copied(value: Any) -> Any:
    """Copy the arrays: the next call of the student's function may write into them."""
    if isinstance(value, list):
        return [_copied(part) for part in value]
    if isinstance(value, tuple):
        return tuple(_copied(part) for part in value)
    return value.copy() if isinstance(value, np.ndarray) else value
