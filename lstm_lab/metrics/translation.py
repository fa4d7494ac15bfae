"""How near texts come to those that were wanted: exact match, BLEU, chrF."""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .._validation import (
    check_kind,
    checked_bool,
    checked_choice,
    checked_number,
    checked_size,
    described,
)

__all__ = ["bleu", "chrf", "exact_match"]

_ALMOST_NO_LOG = -9999999999.0
_PUNCTUATION = frozenset(string.punctuation)


def exact_match(hypotheses: Iterable[Any], *references: Iterable[Any]) -> float:
    """The share of hypotheses that are one of their references, sign by sign.

    Parameters
    ----------
    hypotheses, *references : sequences of str, or of sequences of tokens
        All equally long; with several references, each hypothesis may be any of its own.

    Returns
    -------
    float
        From 0 to 1. `lstm_lab.evidence.proportion_interval` says how sure it is.
    """
    said, *wanted = _aligned(hypotheses, references)
    rows = zip(said, *wanted, strict=True)
    return sum(any(_same(one, each) for each in refs) for one, *refs in rows) / len(said)


def bleu(
    hypotheses: Iterable[Any],
    *references: Iterable[Any],
    max_order: int = 4,
    smoothing: str = "exp",
    effective_order: bool = False,
) -> float:
    """BLEU of a whole corpus: how many n-grams are right, and whether enough was said.

    Equal to ``sacrebleu.corpus_bleu(..., tokenize="none")``. No text is split into tokens here but
    at its spaces: to compare with published values, tokenize as their authors did (sacrebleu's
    default is mteval's "13a"). For a single sentence give lists of one, and
    ``effective_order=True``: that is ``sacrebleu.sentence_bleu``.

    Parameters
    ----------
    hypotheses, *references : sequences of str, or of sequences of tokens
        All equally long. With several references, each n-gram counts as often as the reference
        that has it most often, and of the lengths the one nearest to the hypothesis's counts.
    max_order : int
        The longest n-gram.
    smoothing : {"exp", "floor", "none"}
        What stands for an n-gram precision of 0: a half, a quarter, … of one match; a tenth of one
        match; nothing, so that BLEU is 0.
    effective_order : bool
        Leave out orders that are longer than anything said.

    Returns
    -------
    float
        From 0 to 100.

    Notes
    -----
    Papineni, Roukos, Ward & Zhu 2002, doi:10.3115/1073083.1073135; Post 2018,
    doi:10.18653/v1/W18-6319, for what is left open there.
    """
    max_order = checked_size(max_order, "max_order")
    checked_choice(smoothing, "smoothing", ("exp", "floor", "none"))
    effective_order = checked_bool(effective_order, "effective_order")
    said, *wanted = _aligned(hypotheses, references)
    right, total, length, reference_length = [0] * max_order, [0] * max_order, 0, 0
    for one, *refs in zip(said, *wanted, strict=True):
        tokens, expected = _tokens(one), [_tokens(each) for each in refs]
        length += len(tokens)
        # The nearest length; of two that are equally near, the shorter.
        nearest = min((abs(len(tokens) - len(each)), len(each)) for each in expected)
        reference_length += nearest[1]
        for n in range(1, max_order + 1):
            found = Counter(_ngrams(tokens, n))
            most: Counter[Any] = Counter()
            for each in expected:
                most |= Counter(_ngrams(each, n))
            total[n - 1] += max(0, len(tokens) - n + 1)
            right[n - 1] += sum(min(count, most[gram]) for gram, count in found.items())
    if not any(right):
        return 0.0
    brevity = 1.0 if length >= reference_length else math.exp(1 - reference_length / length)
    precisions, halves, orders = [0.0] * max_order, 1.0, max_order
    for n in range(max_order):
        if total[n] == 0:
            break
        if effective_order:
            orders = n + 1
        if right[n]:
            precisions[n] = 100.0 * right[n] / total[n]
        elif smoothing == "exp":
            halves *= 2
            precisions[n] = 100.0 / (halves * total[n])
        elif smoothing == "floor":
            precisions[n] = 100.0 * 0.1 / total[n]
    logs = [math.log(p) if p else _ALMOST_NO_LOG for p in precisions[:orders]]
    return brevity * math.exp(sum(logs) / orders)


def chrf(
    hypotheses: Iterable[str],
    *references: Iterable[str],
    char_order: int = 6,
    word_order: int = 0,
    beta: float = 2,
) -> float:
    """The character n-gram F-score of a whole corpus; chrF++ with ``word_order=2``.

    Equal to ``sacrebleu.corpus_chrf``, whose default is chrF2. Spaces are left out of the
    characters. For a single sentence give lists of one.

    Parameters
    ----------
    hypotheses, *references : sequences of str
        All equally long. Of several references each hypothesis is measured on the one that gives
        it the best score.
    char_order, word_order : int
        The longest n-gram of characters, and of words (0: none).
    beta : float
        How many times as much recall weighs as precision does.

    Returns
    -------
    float
        From 0 to 100. Unrelated phrases of one language share many n-grams: read it beside
        `exact_match`, and beside what copying a training phrase scores.

    Notes
    -----
    Popović 2015, doi:10.18653/v1/W15-3049; Popović 2017, doi:10.18653/v1/W17-4770, for chrF++.
    """
    orders = checked_size(char_order, "char_order"), checked_size(word_order, "word_order", least=0)
    beta = checked_number(beta, "beta", low=0, above=True)
    said, *wanted = _aligned(hypotheses, references)
    whole = [0] * (3 * sum(orders))
    for k, (one, *refs) in enumerate(zip(said, *wanted, strict=True)):
        for text in (one, *refs):
            if not isinstance(text, str):
                raise TypeError(f"chrf compares strings; got {described(text)} in place {k}")
        grams = _all_ngrams(one, *orders)
        candidates = (_matches(grams, _all_ngrams(each, *orders)) for each in refs)
        # The first of the best: as sacrebleu takes it.
        best = max(candidates, key=lambda counts: _f_score(counts, beta))
        whole = [a + b for a, b in zip(whole, best, strict=True)]
    return _f_score(whole, beta)


def _f_score(counts: Sequence[int], beta: float) -> float:
    """F of the mean precision and mean recall, over the orders that both sides have."""
    precision = recall = 0.0
    orders, factor = 0, beta**2
    for said, wanted, right in zip(*(iter(counts),) * 3, strict=True):
        if said and wanted:
            precision += right / said
            recall += right / wanted
            orders += 1
    if not precision + recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    score = (1 + factor) * precision * recall
    return 100 * (score / ((factor * precision) + recall))


def _matches(said: list[Counter[Any]], wanted: list[Counter[Any]]) -> list[int]:
    """Said, wanted and right, for each order; nothing counts as said where nothing is wanted."""
    counts = []
    for mine, theirs in zip(said, wanted, strict=True):
        right = sum(min(count, theirs[gram]) for gram, count in mine.items() if gram in theirs)
        counts += [sum(mine.values()) if theirs else 0, sum(theirs.values()), right]
    return counts


def _all_ngrams(text: str, char_order: int, word_order: int) -> list[Counter[Any]]:
    together = "".join(text.split())
    grams: list[Counter[Any]] = [
        Counter(together[k : k + n] for k in range(len(together) - n + 1))
        for n in range(1, char_order + 1)
    ]
    words = list(_words(text)) if word_order else []
    return grams + [Counter(_ngrams(words, n)) for n in range(1, word_order + 1)]


def _words(text: str) -> Iterator[str]:
    """Words, with one mark at an end or a beginning cut off, as chrF++ does."""
    for word in text.split():
        if len(word) > 1 and word[-1] in _PUNCTUATION:
            yield from (word[:-1], word[-1])
        elif len(word) > 1 and word[0] in _PUNCTUATION:
            yield from (word[0], word[1:])
        else:
            yield word


def _ngrams(tokens: Sequence[Any], n: int) -> Iterator[tuple[Any, ...]]:
    return zip(*(tokens[k:] for k in range(n)), strict=False)


def _tokens(sentence: Any) -> Sequence[Any]:
    return sentence.split() if isinstance(sentence, str) else sentence


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    return tuple(one) == tuple(other)


def _aligned(hypotheses: Any, references: tuple[Any, ...]) -> list[list[Any]]:
    """The hypotheses, then each row of references: as many each."""
    if not references:
        raise TypeError("references are missing: pass a sequence of one for each hypothesis")
    rows = []
    for name, row in (("hypotheses", hypotheses), *(("references", each) for each in references)):
        if isinstance(row, str):
            raise TypeError(f"{name} must be a sequence of texts, got the string {described(row)}")
        check_kind(row, name, Iterable, "a sequence of texts")
        rows.append(list(row))
        for k, text in enumerate(rows[-1]):
            if not isinstance(text, Sequence):
                raise TypeError(
                    f"{name}[{k}] must be a string or a sequence of tokens, got {described(text)}"
                )
    sizes = [len(row) for row in rows]
    if not sizes[0] or len(set(sizes)) > 1:
        raise ValueError(
            "hypotheses and each row of references must be equally many, and one at least; got "
            + " and ".join(map(str, sizes))
        )
    return rows
