"""What a page of the book must not do. Each rule returns its complaints, one sentence each."""

from __future__ import annotations

import ast
import re
from functools import cache
from urllib.parse import unquote

from lstm_lab.explore import EXPLORABLES

from . import bibliography
from .claims import claims_without_evidence
from .colours import faint_colours
from .lists import accidental_lists
from .notation import defined, symbols
from .pages import FENCE, ROOT, Cell, Page
from .words import banned_words

COLUMNS = 80
WALL, TALL = 25, 40
# A folded cell shows its first line, on a narrow window no more of it.
TITLE = 32
RETYPED = 4
LINK = re.compile(
    r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(((?:[^()\s]|\([^()]*\))+)(?:\s+\"[^\"]*\")?\)"
)
IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
YEAR = r"\(?(?:19|20)\d\d[a-z]?\)?"
NAME = r"[A-ZÀ-Þ][\w'’-]+"
SHOWN = re.compile(rf"\b({'|'.join(['Quiz', *(each.__name__ for each in EXPLORABLES)])})\(")
EXERCISES = r"^## (?:\d+\. )?Exercises$(.*?)(?=^## |\Z)"
CITATION = re.compile(
    rf"{NAME}(?:,?\s+(?:&|and)\s+(?:{NAME}|others)|\s+et\s+al\.),?\s+{YEAR}|\({NAME},?\s+{YEAR}\)"
)


def long_code(page: Page) -> list[str]:
    """Code wider than a narrow window, and walls of code."""
    complaints = []
    for cell in page.code:
        complaints += [
            f"cell {cell.number}: {len(line)} columns, more than {COLUMNS}: {line[:40]}…"
            for line in cell.source.splitlines()
            if len(line) > COLUMNS
        ]
    run, headed = 0, False
    for cell in page.cells:
        if cell.kind == "markdown":
            run, headed = 0, bool(cell.headings)
        elif not cell.folded:
            lines = len(cell.source.splitlines())
            run += lines
            if run > WALL and not headed:
                complaints.append(f"cell {cell.number}: a wall of {run} lines without a heading")
            if lines > TALL:
                complaints.append(f"cell {cell.number}: {lines} lines of code, more than {TALL}")
    return complaints


def wide_text(page: Page) -> list[str]:
    """Lines of text wider than a narrow window. Tables, displayed maths and addresses may be."""
    complaints = []
    for cell in page.markdown:
        if cell.source.startswith(bibliography.HEADING) or page.path.name == "bibliography.ipynb":
            continue
        text = re.sub(r"\$\$.+?\$\$", "", FENCE.sub("", cell.source), flags=re.DOTALL)
        complaints += [
            f"cell {cell.number}: {len(line)} columns of text, more than {COLUMNS}: {line[:40]}…"
            for line in text.splitlines()
            if len(line) > COLUMNS and not line.lstrip().startswith("|") and " " in line.strip()
        ]
    return complaints


def pictures_without_words(page: Page) -> list[str]:
    """Images and figures that say nothing to those who cannot see them."""
    complaints = []
    for cell in page.markdown:
        bare = [match[0] for match in LINK.finditer(cell.prose) if match[1] and not match[2]]
        bare += [tag for tag in IMAGE.findall(cell.prose) if not re.search(r'alt="[^"]+"', tag)]
        complaints += [f"cell {cell.number}: {tag[:60]} has no alternative text" for tag in bare]
    for cell in page.code:
        calls = [n for n in ast.walk(ast.parse(_python(cell))) if isinstance(n, ast.Call)]
        drawn = [c for c in calls if _called(c) in ("subplots", "figure", "subplot_mosaic")]
        shown = [c for c in calls if _called(c) == "show"]
        described = [c for c in shown if any(k.arg == "alt" for k in c.keywords)]
        if drawn and not described:
            complaints.append(f"cell {cell.number}: a figure without show(fig, alt=...)")
        if len(described) < len(shown):
            complaints.append(f"cell {cell.number}: show without alt")
    return complaints


def _python(cell: Cell) -> str:
    """The cell without IPython's own lines."""
    return re.sub(r"^\s*[%!].*", "", cell.source, flags=re.MULTILINE)


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def undefined_symbols(page: Page) -> list[str]:
    """Symbols that the notation page does not define, or only for a later chapter."""
    known, complaints = defined(), []
    for cell in page.markdown:
        for symbol in sorted(set().union(*map(symbols, cell.maths)) if cell.maths else ()):
            if symbol not in known:
                complaints.append(f"cell {cell.number}: {symbol} is not on the notation page")
            elif page.chapter is not None and known[symbol] > page.chapter:
                complaints.append(
                    f"cell {cell.number}: {symbol} is used before chapter {known[symbol]}, "
                    f"where the notation page has it first"
                )
    return complaints


def broken_links(page: Page) -> list[str]:
    """Links to pages, files and headings that are not there."""
    complaints = []
    for cell in page.markdown:
        for match in LINK.finditer(cell.prose):
            target, _, anchor = unquote(match[3]).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            path = (page.path.parent / target).resolve() if target else page.path
            if not path.exists():
                complaints.append(f"cell {cell.number}: {match[3]} is not there")
            elif anchor and (path.suffix != ".ipynb" or anchor not in Page(path).anchors):
                complaints.append(f"cell {cell.number}: {match[3]} names no heading there")
    return complaints


def citations(page: Page) -> list[str]:
    """Works named without a link, links without an entry, a list of references out of step."""
    addresses = {work.address for work in bibliography.works().values()}
    complaints = []
    for cell in page.markdown:
        if cell.source.startswith(bibliography.HEADING):
            continue
        links = [match[3] for match in LINK.finditer(cell.prose)]
        complaints += [
            f"cell {cell.number}: {link} has no entry in references.bib"
            for link in links
            if re.match(r"https?://(?:(?:dx\.)?doi\.org|arxiv\.org)/", link)
            and link not in addresses
        ]
        without_links = LINK.sub("", cell.prose)
        complaints += [
            f"cell {cell.number}: “{name}” is cited without a link"
            for name in CITATION.findall(without_links)
        ]
    return complaints


@cache
def library() -> dict[tuple[str, ...], str]:
    """Every few consecutive lines of the library's source, and the file that they stand in."""
    found = {}
    for path in sorted((ROOT / "lstm_lab").rglob("*.py")):
        for lines in _runs(path.read_text(encoding="utf-8")):
            found[lines] = path.relative_to(ROOT).as_posix()
    return found


def _runs(source: str) -> list[tuple[str, ...]]:
    lines = [re.sub(r"\s+", "", line.partition("#")[0]) for line in source.splitlines()]
    lines = [line for line in lines if len(line) > 3 and not line.startswith(("import", "from"))]
    return [tuple(lines[k : k + RETYPED]) for k in range(len(lines) - RETYPED + 1)]


def retyped(page: Page) -> list[str]:
    """The library's own lines, copied instead of shown."""
    return [
        f"cell {cell.number}: retypes {library()[lines]} from {lines[0]}: use show_source"
        for cell in page.code
        for lines in _runs(cell.source)
        if lines in library()
    ]


def missing_parts(page: Page) -> list[str]:
    """The parts that every chapter has."""
    if not page.chapter:
        return []
    headings = [heading for cell in page.markdown for heading in cell.headings]
    complaints = [
        f"no section {part!r}"
        for part in (
            "What the popular account gets wrong",
            "Test yourself",
            "Exercises",
            "Summary",
            "References",
        )
        if not any(re.fullmatch(rf"(?:\d+\.\s+)?{part}", heading) for heading in headings)
    ]
    if not any("Quiz(" in cell.source for cell in page.code):
        complaints.append("no Quiz")
    if page.minutes is None:
        complaints.append("no reading time: the metadata need lstm_lab.minutes")
    return complaints


def exercises_without_help(page: Page) -> list[str]:
    """Exercises that leave the reader alone: no hint, no solution."""
    complaints = []
    for cell in page.markdown:
        part = re.search(EXERCISES, cell.source, re.MULTILINE | re.DOTALL)
        tasks = re.split(r"^(?=\d+\. )", part[1], flags=re.MULTILINE)[1:] if part else []
        complaints += [
            f"cell {cell.number}: no hint and no solution: {task[:40]}…"
            for task in tasks
            if not re.search(r"<details><summary>(Hint|Solution)</summary>", task)
        ]
    return complaints


def set_up_in_the_open(page: Page) -> list[str]:
    """Cells that only show a widget or a quiz, unfolded."""
    return [
        f"cell {cell.number}: a cell that only shows a widget is not folded (source_hidden)"
        for cell in page.code
        if not cell.folded and _only_shows(cell)
    ]


def _only_shows(cell: Cell) -> bool:
    shown = SHOWN.search(cell.source)
    return bool(shown) and "assert" not in cell.source and "print(" not in cell.source


def long_titles(page: Page) -> list[str]:
    """Folded cells whose first line, all that is seen of them, does not fit a narrow window."""
    return [
        f"cell {cell.number}: begin it with a comment of {TITLE} columns at most: {first[:40]}…"
        for cell in page.code
        if cell.folded and len(first := cell.source.partition("\n")[0]) > TITLE
    ]


def lost_outputs(page: Page) -> list[str]:
    """What show and show_source return, thrown away: only a cell's last line is displayed."""
    complaints = []
    for cell in page.code:
        *others, _ = ast.parse(_python(cell)).body or [None]
        complaints += [
            f"cell {cell.number}: line {line.lineno} shows nothing, for it is not the last"
            for line in others
            if isinstance(line, ast.Expr)
            and isinstance(line.value, ast.Call)
            and _called(line.value) in ("show", "show_source")
        ]
    return complaints


def dead_on_opening(page: Page) -> list[str]:
    """Chapters that open without their picture: JupyterLab runs the first cell where one asks."""
    if not page.chapter:
        return []
    first, asks = page.code[0], page.notebook.metadata.get("lstm_lab", {}).get("run_on_open")
    complaints = [] if asks is True else ["the first cell does not run on opening (run_on_open)"]
    if not (first.folded and first.source.startswith("# picture\n") and SHOWN.search(first.source)):
        complaints.append(f"cell {first.number}: not a folded picture titled “# picture”")
    return complaints


RULES = (
    long_code,
    wide_text,
    accidental_lists,
    long_titles,
    lost_outputs,
    pictures_without_words,
    undefined_symbols,
    broken_links,
    citations,
    retyped,
    missing_parts,
    exercises_without_help,
    set_up_in_the_open,
    dead_on_opening,
    faint_colours,
    banned_words,
    claims_without_evidence,
)
