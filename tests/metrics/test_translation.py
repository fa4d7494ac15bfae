"""BLEU and chrF are sacrebleu's values to the last digit; exact match is what it says."""

from __future__ import annotations

import json

import pytest

from lstm_lab.metrics import bleu, chrf, exact_match
from tests.metrics import peers

GOLDEN = json.loads(peers.GOLDEN.read_text(encoding="utf-8"))["translation"]


def ours(said, wanted):
    """The scores of `peers.translation_scores`, under its names."""
    first = [row[:1] for row in wanted]
    scores = {
        f"bleu {smoothing} {effective} {order}": bleu(
            said, *wanted, smoothing=smoothing, effective_order=bool(effective), max_order=order
        )
        for smoothing in ("exp", "floor", "none")
        for effective in (0, 1)
        for order in (2, 4)
    }
    for words in (0, 2):
        for beta in (1, 2):
            scores[f"chrf {words} {beta}"] = chrf(said, *wanted, word_order=words, beta=beta)
    scores["sentence bleu"] = bleu(said[:1], *first, effective_order=True)
    scores["sentence chrf"] = chrf(said[:1], *first)
    return scores


@pytest.mark.parametrize(("said", "wanted", "scores"), GOLDEN)
def test_sacrebleus_values(said, wanted, scores):
    # exp and log differ in their last bit between systems.
    assert ours(said, wanted) == pytest.approx(scores, rel=1e-14, abs=0)


def test_the_golden_cases_are_those_that_are_made():
    assert [(said, wanted) for said, wanted, _ in GOLDEN] == [
        (said, wanted) for said, wanted in json.loads(json.dumps(peers.corpora()))
    ]
    values = [scores["bleu exp 0 4"] for *_, scores in GOLDEN]
    assert 0 in values and 100 in map(round, values) and len(set(values)) > 15


def test_sacrebleu_says_the_same_today():
    pytest.importorskip("sacrebleu")
    for said, wanted in peers.corpora():
        assert ours(said, wanted) == peers.translation_scores(said, wanted)


def test_bleu_by_hand():
    """Papineni et al.'s own example 2: clipping, and the shorter of two lengths as near."""
    said = ["the the the the the the the"]
    assert bleu(said, ["the cat is on the mat"], max_order=1) == pytest.approx(100 * 2 / 7)
    # Lengths 2 and 4 are as near to 3: the shorter counts, so that nothing was left out.
    assert bleu(["a b c"], ["a b"], ["a b c d"], max_order=1) == pytest.approx(100)
    # A text half as long as it should be, all of it right.
    assert bleu(["a b c d"], ["a b c d e f g h"]) == pytest.approx(100 * 2.718281828**-1)


def test_chrf_by_hand():
    """One character order: precision 2/3 and recall 2/4 of "abc" against "abxy"."""
    expected = 100 * 5 * (2 / 3) * (2 / 4) / (4 * (2 / 3) + 2 / 4)
    assert chrf(["a b c"], ["ab xy"], char_order=1) == pytest.approx(expected)


def test_tokens_are_taken_as_they_are():
    said, wanted = [("kiss", "\u202f:", "a b")], [("kiss", "\u202f:", "a b")]
    assert bleu(said, wanted, max_order=3) == pytest.approx(100)
    assert bleu([("a", "b")], ["a b"], max_order=2) == pytest.approx(100)
    assert exact_match(said, wanted) == 1
    assert exact_match([["a", "b"]], [("a", "b")]) == 1


def test_exact_match():
    assert exact_match(["a", "b", "c "], ["a", "x", "c"]) == 1 / 3
    assert exact_match(["a", "b"], ["x", "b"], ["a", "y"]) == 1
    assert exact_match(iter(["a"]), iter(["a"])) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exact_match(["a"]), "references are missing"),
        (lambda: exact_match([], []), "one at least; got 0 and 0"),
        (lambda: chrf(["a", "b"], ["a"]), "got 2 and 1"),
        (lambda: bleu("ab", ["a", "b"]), "hypotheses must be a sequence of texts, got the string"),
        (lambda: bleu(["a"], "a"), "references must be a sequence of texts, got the string"),
        (lambda: chrf([("a",)], [("a",)]), "chrf compares strings.*place 0"),
        (lambda: exact_match([3], [3]), r"hypotheses\[0\] must be a string or a sequence"),
    ],
)
def test_what_cannot_be_compared(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
