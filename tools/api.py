"""``make api``: docs/api.ipynb, the library's reference, from the docstrings.

A notebook without code, so that it opens by a click in JupyterLab, with its headings beside it and
its formulas set, and on GitHub too. griffe reads the source; nothing is imported or run.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.ipynb"
PACKAGE = "lstm_lab"
# The book is the reference of its pictures and labs; files are written whole for the library alone.
ELSEWHERE = {"checks", "explore", "files", "labs", "notebook"}
# What layers share is described where most will look for it.
FIRST = "LSTM"
INTRODUCTION = """\
# Library reference

Made from the docstrings by `make api`. Dimension letters: T time, B batch, D input, H hidden,
K classes, L layers. What `import lstm_lab` does not name is reached through it all the same, as in
`lstm_lab.losses.mse`. The pictures have a page in the book,
[explorables](../book/explorables.ipynb), and [docs/](README.md) says how the library is built."""


def public_modules(package: griffe.Module) -> Iterator[griffe.Module]:
    """The package itself, then every module in it that says what is public."""
    yield package
    for name, module in sorted(package.modules.items()):
        if name not in ELSEWHERE and not name.startswith("_") and module.exports:
            yield module


def as_pages(root: Path = ROOT) -> list[str]:
    """The cells of the page, as Markdown."""
    where = {"search_paths": [root], "try_relative_path": False}
    package = griffe.load(PACKAGE, docstring_parser="numpy", **where)
    return [INTRODUCTION, *Reference(package).cells()]


class Reference:
    """Every public name of a package, and where it is described."""

    def __init__(self, package: griffe.Module):
        self.modules: dict[str, dict[str, Any]] = {}
        self.places: dict[str, str] = {}
        described: set[str] = set()
        for module in public_modules(package):
            prefix = module.path.removeprefix(PACKAGE).removeprefix(".")
            exported = sorted(
                map(str, module.exports or ()), key=lambda name: (name != FIRST, name)
            )
            members = {name: module[name] for name in exported if name in module.members}
            # Where a name is reached by two ways, the shorter one describes it.
            targets = {name: _target(member).path for name, member in members.items()}
            members = {n: m for n, m in members.items() if targets[n] not in described}
            described.update(targets.values())
            self.modules[module.path] = {"docs": module.docstring, "members": members}
            for name in members:
                title = f"{prefix}.{name}" if prefix else name
                self.places.setdefault(name, title)
                self.places[title] = title
        self.methods: dict[str, str] = {}

    def cells(self) -> Iterator[str]:
        """The table of contents, then a cell for each module and each name in it."""
        contents = ["## Contents", ""]
        for path, module in self.modules.items():
            titles = [self._title(path, name) for name in module["members"]]
            links = " · ".join(f"[{title.rpartition('.')[2]}](#{title})" for title in titles)
            contents.append(f"- [**{path}**](#{path}): {links}")
        yield "\n".join(contents)
        for path, module in self.modules.items():
            text = module["docs"].value if module["docs"] else ""
            yield "\n\n".join(filter(None, [f"## {path}", self.prose(_without_floor(text))]))
            for name, member in module["members"].items():
                yield self.entry(self._title(path, name), member)

    @staticmethod
    def _title(path: str, name: str) -> str:
        prefix = path.removeprefix(PACKAGE).removeprefix(".")
        return f"{prefix}.{name}" if prefix else name

    def entry(self, title: str, member: Any) -> str:
        """One public name."""
        target = _target(member)
        parts = [f"### {title}"]
        if target.is_class or target.is_function:
            parts.append(_signature(title.rpartition(".")[2], target))
        if target.docstring:
            parts.append(self.sections(target.docstring))
        elif target.is_attribute:
            parts.append(f"```python\n{title} = {target.value}\n```")
        if target.is_class:
            parts += self._members(title, target)
        return "\n\n".join(filter(None, parts))

    def _members(self, title: str, kind: griffe.Class) -> Iterator[str]:
        """Its public methods and properties; those described elsewhere by a link."""
        described, properties = [], []
        for name, member in kind.all_members.items():
            target = _target(member)
            if (name.startswith("_") and name != "__call__") or not target.docstring:
                continue
            if target.is_function and target.path in self.methods:
                described.append(f"[`{name}`](#{self.methods[target.path]})")
            elif target.is_function:
                heading = f"{title}.{name}"
                self.methods[target.path] = heading
                yield f"#### {heading}"
                yield _signature(name, target)
                yield self.sections(target.docstring)
            elif target.is_attribute and "property" in target.labels:
                properties.append(f"- **`{name}`** : {self.prose(target.docstring.value)}")
        if properties:
            yield "\n".join(["**Properties**", "", *properties])
        if described:
            yield f"Methods that are described elsewhere: {', '.join(described)}."

    def sections(self, docstring: griffe.Docstring) -> str:
        """A docstring in NumPy's form."""
        return "\n\n".join(
            self._section(section.kind.value, section.title, section.value)
            for section in docstring.parsed
        )

    def _section(self, kind: str, title: str | None, value: Any) -> str:
        if kind == "text":
            return self.prose(value)
        if kind == "examples":
            return "**Examples**\n\n" + "\n\n".join(
                f"```python\n{text}\n```" if part.value == "examples" else self.prose(text)
                for part, text in value
            )
        if kind == "admonition":
            return f"**{(title or value.kind).capitalize()}**\n\n{self.prose(value.description)}"
        lines = [f"**{(title or kind).capitalize()}**", ""]
        for (given, description), items in groupby(value, key=_of_item):
            listed = [name for each in items for name in _name(each).split(", ") if name]
            names = ", ".join(f"**`{name}`**" for name in listed)
            head = " : ".join(filter(None, [names, self._inline(given)]))
            text = self.prose(description)
            body = "\n".join(f"  {line}".rstrip() for line in text.splitlines())
            lines.append(f"- {head}\n{body}".rstrip())
        return "\n".join(lines)

    def prose(self, text: str) -> str:
        """reStructuredText, as far as docstrings here use it, in Markdown."""
        blocks = re.split(r"\n{2,}(?!\s)|\n{2,}(?=\s)", text.strip("\n"))
        out: list[str] = []
        for block in blocks:
            if re.match(r"\.\. math::", block):
                formula = " ".join(block.removeprefix(".. math::").split())
                out.append(f"$$\n{formula}\n$$")
            elif out and out[-1].endswith("::") and block.startswith(" "):
                out[-1] = out[-1].removesuffix(":").rstrip(":") + ":"
                out.append(f"```text\n{_dedented(block)}\n```")
            elif block.startswith(">>>"):
                out.append(f"```python\n{block}\n```")
            elif out and block.startswith(" ") and out[-1].endswith("\n```"):
                out[-1] = f"{out[-1].removesuffix('```')}\n{_dedented(block)}\n```"
            elif block.startswith("    "):
                out.append(f"```text\n{_dedented(block)}\n```")
            else:
                out.append(self._inline(block))
        return "\n\n".join(out)

    def _inline(self, text: str) -> str:
        text = re.sub(r":math:`([^`]+)`", r"$\1$", text)
        text = re.sub(r"(?<!`)``([^`]+)``(?!`)", "\0\\1\0", text)
        text = re.sub(r"`([\w.]+)`", self._link, text)
        text = text.replace("\0", "`")
        text = re.sub(
            r"(?<![/\w])doi:(10\.(?:[^\s,;()]|\([^\s()]*\))*\w)",
            lambda m: f"[doi:{m[1]}](https://doi.org/{m[1]})",
            text,
        )
        return re.sub(
            r"\barXiv:(\d{4}\.\d{4,5})",
            lambda m: f"[arXiv:{m[1]}](https://arxiv.org/abs/{m[1]})",
            text,
        )

    def _link(self, match: re.Match[str]) -> str:
        name = match[1].removeprefix(f"{PACKAGE}.")
        if name in self.places:
            return f"[`{match[1]}`](#{self.places[name]})"
        if f"{PACKAGE}.{name}" in self.modules:
            return f"[`{match[1]}`](#{PACKAGE}.{name})"
        return f"`{match[1]}`"


def _target(member: Any) -> Any:
    return member.final_target if member.is_alias else member


def _without_floor(text: str) -> str:
    """A module's words without the floor that it stands on, which is for maintainers."""
    words = re.sub(r"^Floor \d+: ", "", text)
    return words[:1].upper() + words[1:]


def _name(item: Any) -> str:
    return getattr(item, "name", "")


def _of_item(item: Any) -> tuple[str, str]:
    """Type and description of an argument or a result, as they were written."""
    given = str(item.annotation or "")
    if not _name(item):
        given = re.sub(r"^\((\w+(?:, \w+)+)\)$", r"\1", given)  # several exceptions
    given = re.sub(r"^\(('.*')\)$", r"{\1}", given)  # one of several words
    return re.sub(r"\b(array|ndarray)\(", r"\1 (", given), item.description or ""


def _dedented(block: str) -> str:
    lines = block.strip("\n").splitlines()
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[indent:] for line in lines)


def _signature(name: str, member: Any) -> str:
    """A call as the source has it, one argument a line where it is long."""
    arguments, keyword_only, positional = [], False, False
    for parameter in member.parameters:
        if parameter.name in ("self", "cls") or str(parameter.annotation) == "Never":
            continue
        kind = parameter.kind.value if parameter.kind else ""
        if kind == "keyword-only" and not (keyword_only or positional):
            arguments.append("*")
        keyword_only = keyword_only or kind == "keyword-only"
        positional = positional or kind == "variadic positional"
        stars = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        given = f": {parameter.annotation}" if parameter.annotation else ""
        default = parameter.default if kind and not stars else None
        equals = " = " if given else "="
        arguments.append(
            f"{stars}{parameter.name}{given}" + (f"{equals}{default}" if default else "")
        )
    returned = getattr(member, "returns", None) if member.is_function else None
    arrow = f" -> {returned}" if returned else ""
    line = f"{name}({', '.join(arguments)}){arrow}"
    if len(line) > 88:
        inside = "".join(f"    {argument},\n" for argument in arguments)
        line = f"{name}(\n{inside}){arrow}"
    return f"```python\n{line}\n```"


def as_notebook(cells: list[str]) -> str:
    """A notebook of Markdown cells, as text."""
    notebook = {
        "cells": [
            {
                "cell_type": "markdown",
                "id": f"api-{number:03d}",
                "metadata": {},
                "source": source.splitlines(keepends=True),
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the page."""
    PAGE.write_text(as_notebook(as_pages()), encoding="utf-8")
    print(f"made {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
