"""The library's reference: in step with the docstrings, and legible."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import nbformat
import pytest

from tools import api


@pytest.fixture(scope="module")
def cells() -> list[str]:
    return api.as_pages()


def test_the_page_is_in_step_with_the_docstrings(cells):
    made = api.as_notebook(cells)
    assert api.PAGE.read_text(encoding="utf-8") == made, "docs/api.ipynb is stale: call `make api`"
    nbformat.validate(nbformat.reads(made, as_version=4))


def test_every_link_leads_to_a_heading_and_every_heading_is_one(cells):
    text = "\n".join(cells)
    headings = re.findall(r"^#{2,4} (\S+)$", text, flags=re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\]\(#([^)\s]+)\)", text)) <= set(headings)


@pytest.mark.parametrize(
    "module", ["", ".losses", ".optim", ".training", ".interchange", ".data", ".tasks", ".evidence"]
)
def test_every_public_name_is_described(cells, module):
    prefix = f"{module.removeprefix('.')}." if module else ""
    headings = {cell.partition("\n")[0] for cell in cells}
    for name in import_module(f"lstm_lab{module}").__all__:
        assert f"### {prefix}{name}" in headings


def test_nothing_is_left_of_restructured_text(cells):
    for cell in cells:
        prose = re.sub(r"```.*?```", "", cell, flags=re.DOTALL)
        assert not re.search(r":math:|\.\. math|::$|``", prose, flags=re.MULTILINE), cell


def test_no_sentence_is_taken_for_an_argument(cells):
    """What follows the list of a section would be: it belongs above the section."""
    for cell in cells:
        for names in re.findall(r"^- (\*\*`.*?`\*\*)(?: :|$)", cell, flags=re.MULTILINE):
            for name in re.findall(r"`([^`]*)`", names):
                assert re.fullmatch(r"\**\w[\w.]*|…", name), f"{name} in {cell[:40]}"


SOURCE = '''
"""Floor 1: a module."""

from __future__ import annotations

__all__ = ["Base", "Thing", "go"]


def go(a: int, *, b: str = "x") -> None:
    r"""Go as far as `Thing` says, with ``b``.

    It is::

        a = 1

        b = 2

    and

    .. math:: x \\leftarrow
              y^2

    with :math:`y` from doi:10.1109/IJCNN.2000.861302 (or doi:10.1016/0041-5553(64)90137-5).

    Parameters
    ----------
    a, b : {"one", "two"}
        Both.

    Raises
    ------
    TypeError, ValueError
        If not.

    Examples
    --------
    >>> go(1)
    """


class Base:
    """Below."""

    def run(self, x: list) -> int:
        """Run."""


class Thing(Base):
    """A thing."""

    @property
    def size(self) -> int:
        """How large."""
'''


def test_a_docstring_in_markdown(tmp_path: Path):
    package = tmp_path / "lstm_lab"
    package.mkdir()
    (package / "__init__.py").write_text(SOURCE, encoding="utf-8")
    contents, module, base, thing, go = api.as_pages(tmp_path)[1:]
    assert "[Base](#Base) · [Thing](#Thing) · [go](#go)" in contents
    assert module == "## lstm_lab\n\nA module."
    assert go == (
        "### go\n\n```python\ngo(a: int, *, b: str = 'x') -> None\n```\n\n"
        "Go as far as [`Thing`](#Thing) says, with `b`.\n\n"
        "It is:\n\n```text\na = 1\n\nb = 2\n```\n\nand\n\n"
        "$$\nx \\leftarrow y^2\n$$\n\n"
        "with $y$ from [doi:10.1109/IJCNN.2000.861302](https://doi.org/10.1109/IJCNN.2000.861302) "
        "(or [doi:10.1016/0041-5553(64)90137-5](https://doi.org/10.1016/0041-5553(64)90137-5)).\n\n"
        "**Parameters**\n\n- **`a`**, **`b`** : {'one', 'two'}\n  Both.\n\n"
        "**Raises**\n\n- TypeError, ValueError\n  If not.\n\n"
        "**Examples**\n\n```python\n>>> go(1)\n```"
    )
    assert base.endswith("#### Base.run\n\n```python\nrun(x: list) -> int\n```\n\nRun.")
    assert "**Properties**\n\n- **`size`** : How large." in thing
    assert thing.endswith("Methods that are described elsewhere: [`run`](#Base.run).")
