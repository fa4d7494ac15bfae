"""The book's lint: every page obeys every rule, and every rule can fail."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import nbformat
import pytest

from lstm_lab.explore import EXPLORABLES
from lstm_lab.notebook.figures import equation_sheet, ink
from tests.colours import contrast
from tools.book import bibliography, colours, made
from tools.book.claims import claims_without_evidence
from tools.book.lint import RULES, missing_parts, set_up_in_the_open
from tools.book.lists import accidental_items, accidental_lists
from tools.book.notation import defined, symbols, without_constant_column
from tools.book.pages import ROOT, Page, chapters, pages
from tools.book.words import banned_words
from tools.labs import sources


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path.stem)
def test_pages_obey_the_rules(page: Page, rule):
    assert rule(page) == []


def test_made_parts_are_up_to_date():
    assert [page.name for page in made.stale()] == [], "run `python -m tools.book`"


@pytest.mark.parametrize("work", bibliography.works().values(), ids=lambda work: work.key)
def test_an_entry_is_whole(work: bibliography.Work):
    first = re.sub(r"\W", "", work.authors[0][0]).casefold()
    assert work.address.startswith("https://")
    assert work.field("title") and re.fullmatch(r"(?:19|20)\d\d", work.field("year"))
    assert work.key.startswith(_ascii(first) + work.field("year"))


def _ascii(word: str) -> str:
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()


def test_no_two_entries_are_the_same_work():
    addresses = [work.address for work in bibliography.works().values()]
    assert len(set(addresses)) == len(addresses)


def test_authors_who_are_left_out_are_et_al():
    left_out = [work for work in bibliography.works().values() if work.authors[-1][0] == "others"]
    assert left_out
    for work in left_out:
        assert " et al. (" in work.reference and "others" not in work.reference


def test_names_are_looked_up_without_their_accents():
    names = ["Polyak", "Pérez-Ortiz", "Łukasz", "Lample", "Le", "Östlund"]
    assert sorted(names, key=bibliography.folded) == [
        "Lample",
        "Le",
        "Łukasz",
        "Östlund",
        "Pérez-Ortiz",
        "Polyak",
    ]


def test_the_bibliography_says_who_cites_a_work_or_sets_it_apart():
    cited, further = made.whole_bibliography().split(made.FURTHER)
    assert "Sak, H.," in cited and " ".join(cited.split()).count("· cited in chapter") > 20
    assert "cited in" not in further and further.strip().startswith("- ")
    citing = [page for page in pages() if page.path.stem != "bibliography"]
    for work in bibliography.works().values():
        found = any(work in bibliography.cited(page) for page in citing)
        assert (f"]({work.address})" in cited) == found, work.key
        assert (f"]({work.address})" in further) != found, work.key


def test_symbols_are_defined_where_they_are_first_used():
    used: dict[str, int] = {}
    for page in chapters():
        for cell in page.markdown:
            for symbol in set().union(*map(symbols, cell.maths)):
                used.setdefault(symbol, page.chapter)
    wrong = {
        symbol: (chapter, used.get(symbol))
        for symbol, chapter in defined().items()
        if used.get(symbol) != chapter and symbol not in NEVER_ALONE
    }
    assert wrong == {}, "symbol: (chapter on the notation page, chapter of its first use)"


def test_terms_of_the_glossary_stand_in_order():
    rows = [
        row
        for cell in Page(ROOT / "book" / "glossary.ipynb").markdown
        for row in re.findall(r"^\|\s*([^|]+?)\s*\|", cell.source, re.MULTILINE)
    ]
    terms = [row.casefold() for row in rows if row != "term" and not set(row) <= set("-: ")]
    assert len(terms) > 0 and terms == sorted(set(terms))


NEVER_ALONE = {"d"}  # stands for \\mathrm{d}, which is set upright and so is no symbol

LIBRARY_LINES = """\
    np.multiply(f, cell_before, out=cell)
    np.multiply(i, g, out=hidden)
    cell += hidden
    np.tanh(cell, out=tanh_cell)
"""

BROKEN = {
    "long_code": [("code", "x = 1" + " " * 80 + "# far out"), ("code", "x = 1\n" * 26)],
    "wide_text": [("markdown", "word " * 17), ("markdown", "- " + "word " * 17)],
    "accidental_lists": [
        ("markdown", "2. Set the length to\n   101. Find the bias."),
        ("markdown", "the path of chapter\n5. The cell of 1997"),
        ("markdown", "1. One.\n2. Two.\n4. Four."),
        ("markdown", "what is left is 7\n- 3."),
        ("markdown", "101. Find the bias."),
    ],
    "long_titles": [("folded", "from lstm_lab.explore import CellExplorer\n\nCellExplorer()")],
    "lost_outputs": [("code", 'show(fig, alt="A line.")\nassert True')],
    "pictures_without_words": [
        ("markdown", "![](../docs/cell-explorer.png)"),
        ("markdown", '<img src="../docs/cell-explorer.png">'),
        ("code", "fig, ax = plt.subplots()\nax.plot([1])"),
        ("code", "show(fig)"),
    ],
    "undefined_symbols": [("markdown", r"$\aleph$"), ("markdown", "$c_t$ in chapter 1")],
    "broken_links": [
        ("markdown", "[there](99-nowhere.ipynb)"),
        ("markdown", "[there](#no-such-heading)"),
        ("markdown", "[there](03-memory-cell.ipynb#no-such-heading)"),
    ],
    "citations": [
        ("markdown", "as Gers et al. 2000 found"),
        ("markdown", "as Hochreiter and\nSchmidhuber (1997) found"),
        ("markdown", "as one found (Elman 1990)"),
        ("markdown", "[Nobody 2000](https://doi.org/10.1000/nothing)"),
    ],
    "retyped": [("code", LIBRARY_LINES)],
    "missing_parts": [("markdown", "## Summary")],
    "exercises_without_help": [("markdown", "## 9. Exercises\n\n1. Go.\n\n## 10. Summary")],
    "set_up_in_the_open": [("code", "CellExplorer(b_f=1)")],
    "dead_on_opening": [
        ("code", "# picture\nCellExplorer()"),
        ("code", "import os"),
    ],
    "faint_colours": [
        ("markdown", r"$\color{#E69F00}{h_t}$"),
        ("markdown", r"$\textcolor{red}{h_t}$"),
        ("markdown", '<span style="color: #009E73">green</span>'),
    ],
    "banned_words": [
        ("markdown", "The loss on\nthe way\nback."),
        ("markdown", "What of [the share of](03-memory-cell.ipynb) zeros?"),
        ("markdown", r"$\theta_\text{max}$"),
        ("markdown", r"$$z_t = W x_t + U h_{t-1}$$"),
        ("markdown", r"$h_t = \tanh(z_t)$"),
        ("code", 'Quiz(Question("What is it?", {"A resting point.": "Yes."}))'),
        ("code", 'show(fig, alt="The share of answers right.")'),
    ],
    "claims_without_evidence": [
        ("markdown", "## 3. Who is first\n\nThe GRU\nbeats the LSTM."),
        ("markdown", "Here a network does worse than persistence."),
        ("markdown", "Adam learns faster than SGD: that is known."),
    ],
}


@pytest.mark.parametrize(
    ("rule", "kind", "source"),
    [(rule, *case) for rule in RULES for case in BROKEN[rule.__name__]],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_rule_can_fail(rule, kind: str, source: str):
    if kind == "markdown":
        cell = nbformat.v4.new_markdown_cell(source)
    else:
        hidden = {"jupyter": {"source_hidden": kind == "folded"}}
        cell = nbformat.v4.new_code_cell(source, metadata=hidden)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert rule(Page(ROOT / "book" / "01-planted.ipynb", notebook))


def test_lists_that_were_meant_are_none_to_complain_of():
    for text in (
        "## Steps\n1. One,\n   wrapped:\n   - deeper\n   - again\n\n   More.\n2. Two.",
        "3. From the cell above.\n4. Four.",
        "- One\n\n  more.\n- Two\n  1. in it\n  2. in it",
        "$$\n\\begin{aligned}\na \\\\\n- b\n\\end{aligned}\n$$",
        "```\nit prints\n3. no list\n```",
        "It costs\n3.5 and -1.",
    ):
        assert accidental_items(text) == [], text


@pytest.mark.parametrize(
    "path",
    [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))],
    ids=lambda path: path.name,
)
def test_documents_have_no_list_by_accident(path: Path):
    assert accidental_items(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "path", [path for path in colours.LABS if path.suffix == ".ipynb"], ids=lambda path: path.stem
)
def test_labs_have_no_list_by_accident(path: Path):
    assert accidental_lists(Page(path)) == []


def test_inks_are_read_on_white_and_in_the_dark():
    for quantity, name in colours.INKS.items():
        assert contrast(name, "#FFFFFF") >= 4.5, quantity
        assert contrast(ink(quantity, dark=True), "#111111") >= 4.5, quantity


def test_faint_colours_are_mended():
    mended = colours.in_ink(r"\\color{#d55e00}{f} \textcolor{#E69F00}{h} \color{red}{x}")
    assert mended == r"\\color{#A64900}{f} \textcolor{#855C00}{h} \color{red}{x}"


def test_jupyterlab_has_the_sheet_of_the_inks():
    assert colours.SHEET.read_text(encoding="utf-8") == equation_sheet(), (
        "run `python -m tools.book`"
    )


@pytest.mark.parametrize("path", colours.LABS, ids=lambda path: path.stem)
def test_equations_of_the_labs_are_in_ink(path):
    text = path.read_text(encoding="utf-8")
    assert colours.in_ink(text) == text, "run `python -m tools.book`"


def test_a_claim_with_its_evidence_is_none_to_complain_of():
    claim = nbformat.v4.new_markdown_cell("## 3. Who is first\n\nThe GRU beats the LSTM.")
    other = nbformat.v4.new_markdown_cell("## 4. Summary\n\nThe GRU beats the LSTM.")
    harmless = nbformat.v4.new_markdown_cell(
        "Which network beats the other? “The LSTM beats all.” It has to beat a baseline.\n\n"
        "[Greff et al. 2017](https://arxiv.org/abs/1503.04069): no variant is better than it."
    )
    evidence = nbformat.v4.new_code_cell('learnt.state("GRU < LSTM")')
    path = ROOT / "book" / "01-planted.ipynb"

    def complaints(*cells: nbformat.NotebookNode) -> list[str]:
        return claims_without_evidence(Page(path, nbformat.v4.new_notebook(cells=[*cells])))

    assert complaints(claim, evidence, other, harmless) == []
    assert len(complaints(claim, other, evidence)) == 1
    assert banned_words(Page(path, nbformat.v4.new_notebook(cells=[claim, evidence]))) == []


def test_a_chapters_own_table_needs_no_column_of_chapters():
    rows = ["| symbol | meaning | chapter |", "|---|---|---|", "| $r_t$ | of 7 gates | 7 |"]
    table = "\n".join(["## Chapter 7, the family", "", *rows])
    assert without_constant_column(table).splitlines()[2:] == [
        "| symbol | meaning |",
        "|---|---|",
        "| $r_t$ | of 7 gates |",
    ]
    assert without_constant_column(without_constant_column(table)) == without_constant_column(table)
    other = table.replace("Chapter 7", "Sizes")
    assert without_constant_column(other) == other


@pytest.mark.parametrize("picture", EXPLORABLES, ids=lambda picture: picture.__name__)
def test_every_picture_is_known(picture):
    cell = nbformat.v4.new_code_cell(f"{picture.__name__}(b_f=1)")
    page = Page(ROOT / "book" / "01-planted.ipynb", nbformat.v4.new_notebook(cells=[cell]))
    assert set_up_in_the_open(page)


def test_the_map_has_a_row_for_every_chapter_and_lab():
    head = "## The map\n\n| here | {} | time |\n|---|---|---|\n"
    source = "".join(
        f"{head.format(kind)}| ✓ | [**01 Old**](01-old.ipynb) | 5 min |\n| ○ | 99 later | |\n"
        for kind in ("chapter", "lab")
    )
    found = made.with_map(source)
    assert "Old" not in found and found.count("| ○ | 99 later | |\n") == 2
    numbered = [page for page in chapters() if page.chapter]
    labs = sources(ROOT / "labs")
    assert found.count("| ✓ |") == len(numbered) + len(labs) > 10
    assert f"]({numbered[-1].path.name}) | {numbered[-1].minutes} min |\n| ○ |" in found
    assert f"| ✓ | [**01 {labs[0].title}**](../labs/01-gates.ipynb) | 45 min |\n" in found
    assert made.with_map(found) == found


def test_a_chapter_without_a_reading_time_is_told():
    page = Page(ROOT / "book" / "01-planted.ipynb", nbformat.v4.new_notebook())
    assert [said for said in missing_parts(page) if "reading time" in said]
    page.notebook.metadata["lstm_lab"] = {"minutes": 30}
    assert not [said for said in missing_parts(page) if "reading time" in said]


def test_symbols_of_a_formula():
    formula = r"\textcolor{#D55E00}{f_t} = \sigma(\tilde{W}_\text{max} x_{t-1}) \odot \tanh c"
    assert symbols(formula) == {"f", "t", r"\sigma", "W", "x", r"\odot", "c"}
