"""The rule of evidence, as far as a lint can see it: a comparison stands beside its intervals."""

from __future__ import annotations

import re

from .pages import Cell, Page

METHODS = (
    r"(?:Bi)?LSTMs?|GRUs?|(?:vanilla )?RNNs?|CIFG|Adam|RMSprop|SGD|momentum|chrono|peepholes?"
    r"|layer normalisation|persistence|autoregressions?|baselines?|networks?|variants?|optimisers?"
)
BETTER = (
    r"beats|outperform(?:s|ed)"
    r"|(?<!to )(?<!must )(?<!can )(?<!could )(?<!should )(?<!not )(?<!will )(?<!would )"
    r"(?<!may )beat"
    r"|(?:wins|won|loses|lost) (?:against|to)"
    r"|(?:tie|ties|tied) with"
    r"|(?:learn|train)(?:s|t|ed)? (?:it |this |them )?(?:much )?"
    r"(?:faster|sooner|better|more slowly) than"
    r"|(?:is|are|was|were) (?:a little |no |not |much |significantly |clearly )*"
    r"(?:better|worse|faster|slower|more accurate) than"
    r"|(?:does|do|did) (?:no |not |much |just )?(?:better than|worse than|as well as|best)"
    r"|(?:does|do|did) not beat"
    r"|fewer (?:mistakes|errors|updates)"
)
#: Where others' claims are told, or what was shown is told again.
EXEMPT = (
    r"(?:\d+\.\s+)?(?:What the popular account gets wrong|Test yourself|Exercises|Summary"
    r"|References)"
)
EVIDENCE = re.compile(
    r"\.state\(|\bseparate\(|\b(?:median|proportion|difference)_interval\(|\bComparison\("
)
QUOTED = re.compile(r"“[^”]*”|^>.*$", re.MULTILINE)


def claims_without_evidence(page: Page) -> list[str]:
    """Sections that say which method is better, and no cell of which asserts it."""
    if not page.chapter:
        return []
    complaints = []
    for heading, cells in sections(page):
        shown = any(cell.kind == "code" and EVIDENCE.search(cell.source) for cell in cells)
        if shown or re.fullmatch(EXEMPT, heading):
            continue
        complaints += [
            f"cell {cell.number}: compared without evidence in its section: {sentence}"
            for cell in cells
            if cell.kind == "markdown"
            for sentence in claims(cell)
        ]
    return complaints


def sections(page: Page) -> list[tuple[str, list[Cell]]]:
    """The cells from one heading of the second level to the next; what comes before has none."""
    found: list[tuple[str, list[Cell]]] = [("", [])]
    for cell in page.cells:
        heading = re.search(r"^## (.+?)\s*$", cell.prose, re.MULTILINE)
        if cell.kind == "markdown" and heading:
            found.append((heading[1], []))
        found[-1][1].append(cell)
    return found


def claims(cell: Cell) -> list[str]:
    """Sentences that say of a method that it is better; no questions, no quotations, no reports.

    A sentence with a link to a work tells what others found.
    """
    text = re.sub(r"^#.*$", "", QUOTED.sub("", cell.prose), flags=re.MULTILINE)
    text = re.sub(r"\s+", " ", text)
    return [
        sentence
        for sentence in re.split(r"(?<=[.!?:;])\s+(?=[A-Z*(\[-])", text)
        if not sentence.endswith("?")
        and "](http" not in sentence
        and re.search(rf"\b(?:{BETTER})\b", sentence)
        and re.search(rf"\b(?:{METHODS})\b", sentence)
    ]
