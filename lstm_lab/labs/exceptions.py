"""An exception in a student's function, put into the student's terms."""

from __future__ import annotations

import ast
import contextlib
import io
import keyword
import linecache
import re
import tokenize
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType

import numpy as np

from . import guard
from .functions import home, written
from .words import listed

LENGTH_SAID = 300
"""How many characters of Python's own message are shown."""

Place = tuple[FrameType, int]
"""A frame, and the number of the line that it is at."""


@dataclass(frozen=True)
class Explanation:
    """What went wrong, and the line of the student's own code where it did."""

    id: str
    message: str
    line: str


def explain(
    error: BaseException, function: Callable, exercise: str, arguments: tuple[str, ...]
) -> Explanation:
    """Say what an exception of the student's means.

    Parameters
    ----------
    error : what was raised.
    function : the student's function.
    exercise : what the exercise calls it.
    arguments : the names that the exercise gives its arguments.
    """
    places = _places(function, error.__traceback__)
    if isinstance(error, guard.TooLong | KeyboardInterrupt):
        place, is_loop = _running(places)
        id, text = _stopped(error)
        if is_loop and isinstance(error, guard.TooLong):
            text += " Does this loop ever end?"
    elif isinstance(error, RecursionError):
        id, text, place = _endless(places)
    else:
        place = places[-1] if places else None
        id, text = _forbidden(error, arguments) or _failed(error, _Line(place), arguments)
    own = written(function)
    if place and own and place[0].f_code is not own.__code__:
        name = place[0].f_code.co_name
        if name != exercise and not name.startswith("<"):
            text = f"This happens in `{name}`, which your `{exercise}` calls. {text}"
    return Explanation(id, text, _Line(place).text)


def _failed(error: BaseException, line: _Line, arguments: tuple[str, ...]) -> tuple[str, str]:
    said = _said(error)
    if line.has_a_placeholder or _is_about_a_placeholder(error, said):
        return (
            "placeholder",
            "One of the values in this line is still the placeholder `...`. Replace it first.",
        )
    if isinstance(error, UnboundLocalError):
        name = (re.findall("'(.+?)'", said) or ["a name"])[0]
        return "unset_name", f"`{name}` is used before it has got a value in this function."
    if isinstance(error, NameError) and error.name:
        return (
            "unknown_name",
            f"The name `{error.name}` is not defined. Is it a typo, or a name from a cell that "
            f"has not been run? The function gets {listed(arguments)}.",
        )
    if "truth value of an array" in said:
        return (
            "array_truth",
            "`if`, `and`, `or` and `while` want one yes or no, but an array holds many numbers. "
            "Look for a way that treats all of them at once.",
        )
    if "only length-1 arrays" in said or "only 0-dimensional arrays" in said:
        return (
            "scalar_function",
            "A function for a single number got a whole array. NumPy's functions (`np.` and a "
            "name) work on every number of an array at once; those of `math` do not.",
        )
    if isinstance(error, ValueError) and re.search("matmul|broadcast|not aligned", said):
        return (
            "shapes_do_not_fit",
            f"The shapes in this line do not fit together.{line.shapes}",
        )
    if isinstance(error, KeyError):
        keys = [value.keys() for value in line.values if isinstance(value, dict)]
        known = f" The keys are {', '.join(sorted(map(repr, keys[0])))}." if keys else ""
        return "unknown_key", f"There is nothing under the key {said}.{known}"
    if isinstance(error, SystemExit):
        return (
            "exit",
            "Your function ends Python itself, with `exit` or `quit`. Let it `return` instead.",
        )
    if isinstance(error, MemoryError):
        return "memory", f"This line asks for more memory than there is.{line.shapes}"
    return (
        "exception",
        f"Python could not carry out this line.{line.shapes}\n"
        f"Python says: {type(error).__name__}: {said}",
    )


def _forbidden(error: BaseException, arguments: tuple[str, ...]) -> tuple[str, str] | None:
    if isinstance(error, guard.AsksForInput):
        return (
            "input",
            "Your function asks for input while it runs. All that it needs comes as an argument: "
            f"{listed(arguments)}.",
        )
    if isinstance(error, guard.ChangesNumPy):
        return (
            "changed_numpy",
            f"Your function puts something else in the place of `{error}`. Leave NumPy as it is, "
            "and give what is yours another name. (`np` is mended again.)",
        )
    if isinstance(error, guard.TooLarge):
        return (
            "too_large",
            f"What comes out is far larger than what goes in: its size is {error}.",
        )
    return None


def _is_about_a_placeholder(error: BaseException, said: str) -> bool:
    """Say whether Python complains of the type of `...`; einsum calls dots of its own so."""
    return isinstance(error, TypeError | AttributeError) and "ellipsis" in said


def _said(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception:
        return "(its message cannot be shown)"
    return said if len(said) <= LENGTH_SAID else f"{said[:LENGTH_SAID]} ..."


# --- Where it happened -------------------------------------------------------------------------


def _places(function: Callable, traceback: TracebackType | None) -> list[Place]:
    """Where the student's own code was, from the function checked to what it calls.

    A notebook's functions share their global names; NumPy's and the library's have others.
    """
    names, found = home(function), []
    while traceback is not None:
        if traceback.tb_frame.f_globals is names:
            found.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found


def _stopped(error: BaseException) -> tuple[str, str]:
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "You have stopped the check, so there is no verdict."
    return (
        "too_long",
        f"Stopped after {guard.SECONDS:g} seconds, before the check had come to an end.",
    )


def _endless(places: list[Place]) -> tuple[str, str, Place | None]:
    """Who calls whom without end; the place is the first of these calls."""
    often = Counter(frame.f_code for frame, _ in places)
    again = [place for place in places if often[place[0].f_code] > 10]
    names = sorted({frame.f_code.co_name for frame, _ in again})
    if len(names) > 1:
        text = f"{listed(names)} call one another, again and again, without end."
    else:
        name = f"`{names[0]}`" if names and not names[0].startswith("<") else "The function"
        text = f"{name} calls itself, again and again, without end."
    return "endless", text, again[0] if again else None


def _running(places: list[Place]) -> tuple[Place | None, bool]:
    """Where the outermost loop begins that the student's code is in, and whether there is one.

    Which of its lines was running is chance. Without a loop it is the only line there is, or none.
    """
    for frame, number in places:
        code = frame.f_code
        source = "".join(linecache.getlines(code.co_filename, frame.f_globals))
        with contextlib.suppress(SyntaxError, ValueError):
            heads = [
                node.lineno
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.For | ast.While)
                and code.co_firstlineno <= node.lineno <= number <= (node.end_lineno or 0)
            ]
            if heads:
                return (frame, min(heads)), True
    return (places[0] if len(places) == 1 else None), False


class _Line:
    """The line at a place, and what the names in it stand for."""

    def __init__(self, place: Place | None):
        self.text, self._local = "", {}
        if place:
            frame, number = place
            self.text = linecache.getline(frame.f_code.co_filename, number).strip()
            self._local = frame.f_locals

    @property
    def _names(self) -> list[str]:
        """The local names that are read: no attributes, no words in quotes."""
        found, before = [], ""
        with contextlib.suppress(tokenize.TokenError, SyntaxError):
            for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
                is_name = token.type == tokenize.NAME and not keyword.iskeyword(token.string)
                if is_name and before != "." and token.string in self._local:
                    found.append(token.string)
                before = token.string
        return list(dict.fromkeys(found))

    @property
    def values(self) -> list:
        return [self._local[name] for name in self._names]

    @property
    def shapes(self) -> str:
        """A sentence on the arrays of the line, or nothing."""
        arrays = {name: self._local[name] for name in self._names}
        shapes = ", ".join(
            f"`{name}` {array.shape}"
            for name, array in arrays.items()
            if isinstance(array, np.ndarray)
        )
        return f" In this line: {shapes}." if shapes else ""

    @property
    def has_a_placeholder(self) -> bool:
        """Whether `...` is calculated with; `a[..., 0]` is no placeholder."""
        if any(value is Ellipsis for value in self.values):
            return True
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(self.text)):
                operands = []
                if isinstance(node, ast.BinOp):
                    operands = [node.left, node.right]
                elif isinstance(node, ast.Call):
                    operands = node.args
                if any(isinstance(o, ast.Constant) and o.value is Ellipsis for o in operands):
                    return True
        return False
