"""Live pictures of LSTM cells.

A folder with a ``widget.py`` holds a picture; what its ``__init__.py`` imports can be imported from
here, and its class is one of `EXPLORABLES`. No list names the pictures.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

from .core.base import Explorable


def _exports() -> dict[str, str]:
    """What the pictures' folders export: each name, and the folder that it is from.

    The folders' ``__init__.py`` are read and not run: only the picture that is asked for is
    imported.
    """
    found = {}
    for widget in Path(__file__).parent.glob("*/widget.py"):
        source = widget.with_name("__init__.py").read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.ImportFrom) and node.level:
                found |= {alias.name: widget.parent.name for alias in node.names}
    return dict(sorted(found.items()))


_FOLDERS = _exports()

__all__ = ["EXPLORABLES", "Explorable", *_FOLDERS]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """A picture's class, imported now; or ``EXPLORABLES``, the classes of all of them."""
    if name in _FOLDERS:
        value = getattr(import_module(f".{_FOLDERS[name]}", __name__), name)
    elif name == "EXPLORABLES":
        exported = [__getattr__(each) for each in _FOLDERS]
        value = tuple(each for each in exported if issubclass(each, Explorable))
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
