"""The notation page as data: which symbols there are, and from which chapter on."""

from __future__ import annotations

import re
from functools import cache

from .pages import BOOK, Page

# Commands that are no symbols of ours: layout, accents, operators, relations, functions.
LAYOUT = r"""
    begin end text textrm textsf textbf textcolor color mathrm operatorname left right big Big
    bigl bigr Bigl Bigr bigg Bigg quad qquad frac tfrac dfrac sqrt underbrace overbrace substack
    label tag hspace vspace limits displaystyle textstyle boxed phantom underline not middle
    bar hat tilde dot vec overline widetilde widehat
    cdot cdots ldots dots times div pm mp le leq ge geq lt gt ne neq approx equiv sim simeq propto
    ll gg to rightarrow Rightarrow leftarrow longrightarrow leftrightarrow mapsto iff implies in
    notin subset cup cap forall exists infty partial nabla sum prod int lim max min sup inf arg
    argmax argmin log ln exp sin cos tanh cosh sinh det tr diag softmax sign mid vert Vert lVert
    rVert lvert rvert langle rangle lfloor rfloor lceil rceil colon prime dagger ast circ
""".split()
DROPPED = re.compile(
    r"\\(?:text|textrm|textbf|textsf|mathrm|operatorname\*?|begin|end|color|tag|label)\{[^{}]*\}"
    r"|\\textcolor\{[^{}]*\}"
    r"|#[0-9A-Fa-f]{6}"
)
OF_A_CHAPTER = re.compile(r"## Chapter (\d+)\b")
TOKEN = re.compile(r"\\(?:mathcal|mathbb|mathbf|boldsymbol)\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]")


def symbols(formula: str) -> set[str]:
    r"""The symbols of a formula: letters and commands, without their indices' places.

    >>> sorted(symbols(r"h_t = \tanh(W x_t)"))
    ['W', 'h', 't', 'x']
    """
    tokens = TOKEN.findall(DROPPED.sub(" ", formula))
    return {token for token in tokens if token.lstrip("\\") not in LAYOUT}


def without_constant_column(source: str) -> str:
    """A table under the heading of a chapter, without a column that says which chapter."""
    heading = OF_A_CHAPTER.match(source)
    if not heading or "| chapter |" not in source:
        return source
    constant = rf"^(\|.*\|) *(?:chapter|-+|{heading[1]}) *\|$"
    return re.sub(constant, r"\1", source, flags=re.MULTILINE)


@cache
def defined() -> dict[str, int]:
    """The first chapter of every symbol on the notation page.

    A row of its tables is ``| $symbol$ … | meaning | … | first chapter |``; the formulas of the
    first column are defined. A table under the heading of a chapter is that chapter's.
    """
    first: dict[str, int] = {}
    for cell in Page(BOOK / "notation.ipynb").markdown:
        heading = OF_A_CHAPTER.match(cell.source)
        for row in re.findall(r"^\|(.+)\|\s*$", cell.source, re.MULTILINE):
            columns = [column.strip() for column in re.split(r"(?<!\\)\|", row)]
            chapter = re.search(r"\d+", heading[1] if heading else columns[-1])
            for formula in re.findall(r"\$([^$]+)\$", columns[0]) if chapter else ():
                for symbol in symbols(formula):
                    first[symbol] = min(int(chapter[0]), first.get(symbol, 99))
    return first
