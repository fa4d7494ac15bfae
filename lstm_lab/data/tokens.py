"""Text to words and marks, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._validation import check_kind, checked_text

__all__ = ["detokenize", "tokenize"]

# What may follow a mark that ends something: a gap, another mark, the end. Within 1,000 or 10:30 it
# is no mark.
_ENDS = r"(?=[\s\u202f\u00a0,.…:;!?»”)\]]|$)"
# French writes a narrow space before some marks: it stays with its mark, so that it is not lost.
_MARK = rf"(?:[\u202f\u00a0]?[:;!?»]|[,.…”)\]]){_ENDS}"
_OPENS = r"(?:[“(\[]|«[\u202f\u00a0]?)"
_ELIDED = r"(?i:(?:jus|lors|puis)?qu|[cdjlmnst])[’']"
_TOKEN = re.compile(rf"{_MARK}|{_OPENS}|{_ELIDED}|(?:(?!{_MARK}|{_OPENS})\S)+")
_NO_GAP_BEFORE = re.compile(_MARK)
_NO_GAP_AFTER = re.compile(rf"{_OPENS}|{_ELIDED}")


def tokenize(text: str) -> tuple[str, ...]:
    """The words and marks of a phrase.

    A mark is a token of its own; a French one keeps the narrow space that it is written with. An
    elided word (``l’``, ``d’``, ``qu’``) is one too; a hyphen and an English apostrophe stay
    within their word.

    >>> tokenize("kiss: woman, man")
    ('kiss', ':', 'woman', ',', 'man')
    >>> tokenize("trait d’union")
    ('trait', 'd’', 'union')
    """
    return tuple(_TOKEN.findall(checked_text(text, "text")))


def detokenize(tokens: Iterable[str]) -> str:
    """The phrase that such tokens make; the inverse of `tokenize`.

    It is so for text in single spaces with its marks where print has them.

    >>> detokenize(["kiss", ":", "woman", ",", "man"])
    'kiss: woman, man'
    """
    if isinstance(tokens, str):
        raise TypeError(f"tokens must be a sequence of words, got the string {tokens!r}")
    check_kind(tokens, "tokens", Iterable, "a sequence of words")
    text, gap = "", False
    for token in tokens:
        checked_text(token, "tokens: a token")
        text += " " * (gap and not _NO_GAP_BEFORE.fullmatch(token)) + token
        gap = not _NO_GAP_AFTER.fullmatch(token)
    return text
