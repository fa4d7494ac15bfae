"""An exception in a student's function, put into the student's terms."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

import numpy as np


@dataclass(frozen=True)
class Explanation:
    """What went wrong, and the line of the student's own code where it did."""

    id: str
    message: str
    line: str


def students_frame(function: Callable, traceback: TracebackType | None):
    """Return the deepest frame of the student's own code, as (frame, line number), or None.

    All of a notebook's functions live in one module; NumPy's and the library's in others.
    """
    home, found = _module(getattr(function, "__globals__", {})), None
    while traceback is not None:
        if _module(traceback.tb_frame.f_globals) == home:
            found = traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next
    return found


def _module(names: dict) -> str | None:
    return names.get("__name__")


def explain(error: BaseException, function: Callable, arguments: tuple[str, ...]) -> Explanation:
    """Say what an exception of the student's means.

    Parameters
    ----------
    error : what was raised.
    function : the student's function.
    arguments : the names that the exercise gives its arguments.
    """
    place = students_frame(function, error.__traceback__)
    exercise = getattr(function, "__name__", "function")
    line, where, local = "", exercise, {}
    if place:
        frame, number = place
        line = linecache.getline(frame.f_code.co_filename, number).strip()
        where, local = frame.f_code.co_name, frame.f_locals
    kind, said = type(error).__name__, str(error)
    lost = where != exercise

    if "ellipsis" in said.lower() or any(value is Ellipsis for value in _named(line, local)):
        id = "placeholder"
        text = "One of the values in this line is still the placeholder `...`. Replace it first."
    elif isinstance(error, UnboundLocalError):
        id = "unset_name"
        name = (re.findall("'(.+?)'", said) or ["a name"])[0]
        text = f"`{name}` is used before it has got a value in this function."
    elif isinstance(error, NameError):
        id = "unknown_name"
        text = (
            f"The name `{error.name}` is not defined. Is it a typo, or a name from a cell that "
            f"has not been run? The function gets {listed(arguments)}."
        )
    elif "truth value of an array" in said:
        id = "array_truth"
        text = (
            "`if`, `and`, `or` and `while` want one yes or no, but an array holds many numbers. "
            "Look for a way that treats all of them at once."
        )
    elif "only length-1 arrays" in said or "only 0-dimensional arrays" in said:
        id = "scalar_function"
        text = (
            "A function for a single number got a whole array. NumPy's functions (`np.` and a "
            "name) work on every number of an array at once; those of `math` do not."
        )
    elif isinstance(error, ValueError) and re.search("matmul|broadcast|not aligned", said):
        id = "shapes_do_not_fit"
        text = f"The shapes in this line do not fit together.{_shapes(line, local)}"
    elif isinstance(error, KeyError):
        id = "unknown_key"
        keys = [value.keys() for value in _named(line, local) if isinstance(value, dict)]
        known = f" The keys are {', '.join(map(repr, keys[0]))}." if keys else ""
        text = f"There is nothing under the key {said}.{known}"
    elif isinstance(error, RecursionError):
        id = "endless"
        text = f"`{where}` calls itself, again and again, without end."
    elif isinstance(error, SystemExit):
        id = "exit"
        text = "Your function ends Python itself, with `exit` or `quit`. Let it `return` instead."
    else:
        id = "exception"
        text = (
            f"Python could not carry out this line.{_shapes(line, local)}\n"
            f"Python says: {kind}: {said}"
        )
    if lost:
        text = f"This happens in `{where}`, which your `{exercise}` calls. {text}"
    return Explanation(id, text, line)


def _named(line: str, local: dict) -> list:
    return [local[name] for name in dict.fromkeys(re.findall(r"\w+", line)) if name in local]


def _shapes(line: str, local: dict) -> str:
    arrays = {
        name: local[name].shape
        for name in dict.fromkeys(re.findall(r"[^\W\d]\w*", line))
        if isinstance(local.get(name), np.ndarray)
    }
    if not arrays:
        return ""
    shapes = ", ".join(f"`{name}` {shape}" for name, shape in arrays.items())
    return f" In this line: {shapes}."


def listed(names: Iterable[str]) -> str:
    """Names of code as part of a sentence: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
