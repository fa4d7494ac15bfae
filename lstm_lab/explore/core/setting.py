"""An explorable's setting as one line: the constructor's call with what differs from its start."""

from __future__ import annotations

import ast
import numbers
from collections.abc import Mapping
from typing import Any

LONGEST = 10_000


def written(value: Any) -> str:
    """A value as it stands in a setting: six digits of a number, no needless point."""
    if isinstance(value, bool) or not isinstance(value, float):
        return repr(value)
    return repr(float(f"{value:.6g}")).removesuffix(".0")


def write_setting(
    kind: str, arguments: Mapping[str, Any], values: Mapping[str, Any], defaults: Mapping[str, Any]
) -> str:
    """``CellExplorer(b_f=2.5, w_i=1)``: what differs from the defaults.

    Parameters
    ----------
    kind : str
        Name of the explorable's class.
    arguments : mapping
        What the explorable was given and keeps: ``{"layer": None, "unit": 2}``. What is None, as
        no number or word, stands in the line by its name.
    values, defaults : mapping
        Every control's value, and where it starts.
    """
    given = {name: name if value is None else written(value) for name, value in arguments.items()}
    kept = [f"{name}={value}" for name, value in given.items()]
    changed = [
        f"{name}={written(value)}"
        for name, value in values.items()
        if name not in arguments and written(value) != written(defaults[name])
    ]
    return f"{kind}({', '.join(kept + changed)})"


def present(name: str, value: Any, renamed: Mapping[str, tuple[str, int]]) -> tuple[str, Any]:
    """A setting's name and value as they are now, where it had another name once."""
    name, more = renamed.get(name, (name, 0))
    counted = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return name, value + more if more and counted else value


def read_setting(
    text: str,
    kind: str,
    arguments: Mapping[str, Any],
    renamed: Mapping[str, tuple[str, int]],
) -> dict[str, Any]:
    """The values that a setting names; nothing of the text is run.

    Parameters
    ----------
    text, kind : str
    arguments : mapping
        As in `write_setting`.
    renamed : mapping
        As `Explorable.renamed`.

    Raises
    ------
    ValueError
        What is wrong with the text, and what was expected.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"setting: expected a line such as {kind}(…), got {text!r}")
    if len(text) > LONGEST:
        raise ValueError(f"setting: expected at most {LONGEST} characters, got {len(text)}")
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"setting: expected {kind}(name=value, …), got {text.strip()!r}") from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise ValueError(f"setting: expected {kind}(name=value, …), got {text.strip()!r}")
    if call.func.id != kind:
        raise ValueError(f"setting: expected one of {kind}, got one of {call.func.id}")
    values: dict[str, Any] = {}
    for keyword in call.keywords:
        old = keyword.arg
        name = present(old, None, renamed)[0]
        if name is None or name in values:
            raise ValueError(f"setting: expected every name once, got {old or '**'} in {text!r}")
        if isinstance(keyword.value, ast.Name):
            if name not in arguments:
                raise ValueError(
                    f"setting: {name}={keyword.value.id} belongs to an explorable that was made "
                    f"with a {name} of its own; this one was not"
                )
            continue
        try:
            values[name] = present(old, ast.literal_eval(keyword.value), renamed)[1]
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise ValueError(
                f"setting: {name}: expected a number or a word in quotes, "
                f"got {ast.unparse(keyword.value)}"
            ) from None
        if name in arguments and values.pop(name) != arguments[name]:
            raise ValueError(f"setting: expected {name}={arguments[name]}, which cannot be changed")
    return values
