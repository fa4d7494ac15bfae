"""The library's own lines, shown where they are explained."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.display import Markdown

PACKAGE = Path(__file__).parents[1]


def show_source(obj: Any, *, docstring: bool = False) -> Markdown:
    """The source of a function, method, class or module of the library, as it runs.

    Parameters
    ----------
    obj : function, method, class or module
    docstring : bool
        Show the docstrings too. Without them the lines themselves stand out.

    Returns
    -------
    IPython.display.Markdown
        Where the lines are, and a Python code block.

    Raises
    ------
    TypeError
        If obj has no Python source.
    """
    from IPython.display import Markdown

    try:
        lines, start = inspect.getsourcelines(inspect.unwrap(obj) if callable(obj) else obj)
        path = Path(inspect.getsourcefile(obj) or "")
    except (TypeError, OSError):
        raise TypeError(
            f"obj: expected something written in Python, got {type(obj).__name__} {obj!r}"
        ) from None
    source = textwrap.dedent("".join(lines)).rstrip()
    start = max(start, 1)
    where = path.relative_to(PACKAGE.parent) if path.is_relative_to(PACKAGE) else Path(path.name)
    if not docstring:
        source = _without_docstrings(source)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", source)), default=0))
    place = f"`{where.as_posix()}`, lines {start}–{start + len(lines) - 1}"
    return Markdown(f"{place}\n\n{fence}python\n{source}\n{fence}")


def _without_docstrings(source: str) -> str:
    lines: list[str | None] = [*source.splitlines()]
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) or len(node.body) < 2:
            continue
        body: list[Any] = node.body
        if ast.get_docstring(node, clean=False) is not None:
            first, after = body[0].lineno - 1, body[1]
            # Decorators stand above the line that a definition counts as its own.
            end = min([after.lineno, *(d.lineno for d in getattr(after, "decorator_list", []))])
            while end - 2 > body[0].end_lineno - 1 and (lines[end - 2] or "").strip().startswith(
                "#"
            ):
                end -= 1
            lines[first : end - 1] = [None] * (end - 1 - first)
    return "\n".join(line for line in lines if line is not None)
