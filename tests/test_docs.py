"""The pages beside the book: their links lead somewhere, and their code runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import yaml

import lstm_lab

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
# A link that is only spoken of.
SPOKEN_OF = re.compile(r"`[^`\n]*\]\([^`\n]*`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = SPOKEN_OF.sub("", BLOCK.sub("", page.read_text(encoding="utf-8")))
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{name(page)} links to {target}"


def test_every_page_of_docs_is_listed():
    listed = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    for page in [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/*.ipynb")]:
        assert page.name == "README.md" or f"({page.name})" in listed, page.name


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_the_first_example_runs_and_the_errors_are_those(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    first = next(code for language, code in blocks if language == "python")
    names: dict[str, object] = {}
    exec(first, names)
    assert names["trace"].forget_gate.shape == (5, 2, 16)
    for language, code in blocks:
        if not language and code.startswith(">>>"):
            said = re.sub(
                r"^(ValueError|TypeError)",
                r"Traceback (most recent call last):\n\1",
                code,
                flags=re.MULTILINE,
            )
            test = doctest.DocTestParser().get_doctest(said, dict(names), page, page, 0)
            assert doctest.DocTestRunner().run(test).failed == 0


def test_the_changelog_knows_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{lstm_lab.__version__}] - " in text


@pytest.mark.parametrize("form", sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")), ids=name)
def test_issue_forms_are_forms(form):
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    if form.name == "config.yml":
        return
    assert {"name", "description", "body"} <= content.keys()
    for part in content["body"]:
        assert part["type"] in ("input", "textarea", "dropdown", "checkboxes", "markdown")
        assert part["type"] == "markdown" or part["attributes"]["label"]
