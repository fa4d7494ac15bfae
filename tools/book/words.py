"""The words of the book: one wording for one thing, and the one that the field uses.

Only what is never right here stands in the lists. What depends on the sentence is the writer's.
"""

from __future__ import annotations

import ast
import re

from .pages import Cell, Page

#: A whole phrase, in any case, and what is written instead.
WORDS = {
    r"foret(?:ell(?:s|ing)?|old)": "predict",
    r"derivatives? by": "derivative with respect to",
    r"plain networks?": "vanilla RNN",
    r"shares? of|(?:the|a|what|this|its|large|small|larger|smaller) share": "fraction",
    r"(?:share|part) right|answered right": "accuracy",
    r"shall": "must",
    r"the way (?:back|there)": "the backward pass, the forward pass",
    r"(?:the|more|much|of|its|no|their) blame": "the error signal",
    r"(?:begin|start)(?:s|ning|ing|ed)? anew|began anew": "restart",
    r"slips? of the pen": "typo",
    r"g[ia]ves? back|giv(?:en|ing) back": "return",
    r"what of": "what about",
    r"(?:length of (?:the|its|a|all|each) gradients?|gradient's length)": "norm of the gradient",
    r"resting points?": "fixed point",
    r"(?:jump|swing|go)(?:s|ing)? to and fro": "oscillates",
    r"perpendicular on each other": "orthogonal",
    r"at one stroke": "in closed form",
    r"reckoning": "results",
    r"word vectors learnt beforehand": "pretrained word embeddings",
    r"numbers to learn": "parameters",
    r"who only \w+|(?<!anyone )(?<!those )who wants to": "anyone who",
    r"for ever": "forever",
    r"hangs? in the balance": "is near the decision boundary",
    r"no telling": "indistinguishable",
    r"cease(?:s|d)? to exist": "disappear",
    r"has the say": "decides",
    r"minds? (?:its|their) own business": "name what it does",
    r"writings": "updates, writes",
    r"(?<!small )swings|swing's": "sinusoids, oscillations; the amplitude",
    r"one on top of the other": "concatenated",
    r"first (?:forget |input |recurrent )?(?:bias(?:es)?|weights)": "initial …",
    r"stands? in products": "appear as factors",
    r"irregular distances": "irregular intervals",
    r"a hand has labelled": "hand-labelled",
    r"of one step ago": "from the previous step",
    r"mend(?:s|ed|ing)?": "fix",
    r"wavers?": "varies, and by what standard error",
    r"put upon": "applied to",
    r"length η in every direction": "in every coordinate",
}

#: The same for formulas; these are read as they are written.
SIGNS = {
    r"\\theta_(?:\{?\\(?:text|mathrm|max)|\{max)": "C for a threshold: θ is the parameters",
    r"(?<![A-Za-z\\])z(?:_(?:\{[^{}]*\}|\w))?\s*=\s*W": "a for a pre-activation",
    r"\\(?:sigma|tanh)\s*(?:\\left)?\(?\s*z(?![A-Za-z])": "a for a pre-activation",
    r"\\nabla\^2": "the square of the gradient needs another name: ∇² is the Laplacian",
}
_WORDS = [
    (re.compile(rf"(?<![\w-])(?:{old})(?!\w)", re.IGNORECASE), new) for old, new in WORDS.items()
]
_SIGNS = [(re.compile(old), new) for old, new in SIGNS.items()]


def banned_words(page: Page) -> list[str]:
    """Wordings that the book does not use, in text, in quizzes and in alternative text."""
    complaints = []
    for cell in page.cells:
        for text in [cell.prose] if cell.kind == "markdown" else said(cell):
            # Links are read by their words, phrases across the ends of lines.
            words = re.sub(r"\]\([^()\s]*\)|\$[^$]*\$", "]", text)
            words = re.sub(r"\s+", " ", words)
            complaints += [
                f"cell {cell.number}: “{match[0]}”: {new}"
                for old, new in _WORDS
                for match in old.finditer(words)
            ]
        complaints += [
            f"cell {cell.number}: {match[0]}: {new}"
            for formula in (cell.maths if cell.kind == "markdown" else [])
            for old, new in _SIGNS
            for match in old.finditer(formula)
        ]
    return complaints


def said(cell: Cell) -> list[str]:
    """What a code cell says to the reader: the strings of its quiz, and its alternative texts."""
    texts = []
    for call in ast.walk(ast.parse(re.sub(r"^\s*[%!].*", "", cell.source, flags=re.MULTILINE))):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        parts = [k.value for k in call.keywords if k.arg == "alt"]
        parts += [*call.args, *(k.value for k in call.keywords)] if name == "Question" else []
        texts += [_text(part) for part in parts]
    return [text for text in texts if text]


def _text(part: ast.expr) -> str:
    """The constant strings of an expression, one after the other."""
    return " ".join(
        node.value
        for node in ast.walk(part)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
