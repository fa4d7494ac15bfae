"""What a student's callable is made of: the functions inside it, and the global names they read."""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np


def written(function: Any) -> FunctionType | None:
    """Return the function that a student wrote, without what is wrapped around it.

    Looked into are ``functools.partial``, decorators that keep ``functools.wraps``'s habits, bound
    methods, ``np.vectorize`` and objects with ``__call__``. None if nothing of it is Python.
    """
    for _ in range(100):
        wrapped = inspect.getattr_static(function, "__wrapped__", None)
        if wrapped is not None:
            function = wrapped
        elif isinstance(function, FunctionType):
            return function
        elif isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif isinstance(function, np.vectorize):
            function = function.pyfunc
        else:
            function = inspect.getattr_static(type(function), "__call__", None)
            if not isinstance(function, FunctionType):
                return None
    return None


def home(function: Any) -> dict[str, Any]:
    """Return the global names of the notebook in which a student wrote a function."""
    found = written(function)
    return {} if found is None else found.__globals__


def names_read(function: Any) -> Iterator[tuple[str, FunctionType]]:
    """Global names that a function really reads, each with the function that does.

    Attributes (`x.shape`) are no names. Helpers of the same notebook are looked into as well, and
    functions held in a closure, as by a decorator.
    """
    notebook, seen, waiting = home(function), set(), [function, written(function)]
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, FunctionType):
            found = written(found)
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        inside = [cell.cell_contents for cell in found.__closure__ or () if _is_set(cell)]
        for name in dict.fromkeys(_globals_of(found.__code__)):
            if found.__globals__ is notebook:
                yield name, found
            inside.append(found.__globals__.get(name))
        waiting += [
            each
            for each in inside
            if isinstance(each, FunctionType | functools.partial) and home(each) is notebook
        ]


def _is_set(cell) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _globals_of(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _globals_of(constant)


def holds_an_array(value: Any, depth: int = 3) -> bool:
    """Say whether a value is an array, or a dict, list or tuple with an array in it."""
    if isinstance(value, np.ndarray):
        return True
    if not depth or not isinstance(value, dict | list | tuple):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return any(holds_an_array(part, depth - 1) for part in list(parts)[:100])


def called(function: Callable) -> str:
    """Return a function's own name; that of its class where it has none."""
    name = inspect.getattr_static(function, "__name__", None)
    if not isinstance(name, str):
        name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__
