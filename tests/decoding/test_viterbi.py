"""Viterbi against all paths written out, ties and forbidden edges included; the rules of BIO."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab.decoding import legal_bio, legal_viterbi, viterbi
from lstm_lab.metrics import illegal_transitions

from ..losses.test_crf import configurations, draw, paths

TAGS = ["B-a", "O", "I-b", "I-a", "B-b"]


@settings(max_examples=40, deadline=None)
@configurations
def test_the_best_path_is_the_best(seed, steps, batch, tags):
    scores, _, lengths = draw(seed, steps, batch, tags)
    path, score = viterbi(scores, lengths)
    for b, n in enumerate(lengths):
        found = dict(paths(scores[:n, b]))
        assert score[b] == pytest.approx(max(found.values()), abs=1e-12)
        assert found[tuple(path[:n, b])] == pytest.approx(score[b], abs=1e-12)
        assert (path[n:, b] == -1).all()


@settings(max_examples=40, deadline=None)
@configurations
def test_ties_go_to_the_lower_tag_where_they_differ_last(seed, steps, batch, tags):
    scores, _, lengths = draw(seed, steps, batch, tags)
    # Whole numbers of a few values: many paths are exactly equally good.
    scores = np.where(np.isfinite(scores), np.clip(np.round(scores), -1, 1), scores)
    path, _ = viterbi(scores, lengths)
    for b, n in enumerate(lengths):
        first = min(paths(scores[:n, b]), key=lambda found: (-found[1], found[0][::-1]))
        assert tuple(path[:n, b]) == first[0]


def test_every_backend_and_anything_in_the_padding(backend):
    scores, _, lengths = draw(1, 6, 3, 4)
    lengths[:] = 6, 4, 3
    path, score = viterbi(scores, lengths)
    scores[4:, 1], scores[3:, 2] = np.nan, np.inf
    found = viterbi(backend.asarray(scores), lengths)
    np.testing.assert_array_equal(found[0], path)
    np.testing.assert_array_equal(found[1], score)


def test_scores_that_leave_no_path():
    scores, _, _ = draw(1, 3, 2, 2, forbidden=0)
    scores[1, 1] = -np.inf
    with pytest.raises(ValueError, match="forbid every path of sequence 1"):
        viterbi(scores)
    viterbi(scores, [3, 1])
    for wrong in (np.nan, np.inf):
        scores[2, 0, 1, 1] = wrong
        with pytest.raises(ValueError, match="scores must be numbers, or -inf"):
            viterbi(scores, [3, 1])


def keeps_the_rules(row):
    """By the words of the rule: I-x only after B-x or I-x."""
    return all(
        tag[0] != "I" or before in ("B" + tag[1:], tag)
        for before, tag in itertools.pairwise(["start", *row])
    )


def test_the_mask_says_what_the_rule_says():
    allowed = legal_bio(TAGS)
    for row in itertools.product(range(5), repeat=3):
        names = [TAGS[k] for k in row]
        may = all(allowed[j, k] for j, k in itertools.pairwise((-1, *row)))
        assert may == keeps_the_rules(names) == (illegal_transitions([names]) == 0), names
    assert not allowed[-1, -1] and allowed[:-1, -1].all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
def test_the_best_legal_row_is_found(seed, steps, batch):
    rng = np.random.default_rng(seed)
    x, lengths = rng.normal(size=(steps, batch, 5)), rng.integers(1, steps + 1, batch)
    path = legal_viterbi(x, legal_bio(TAGS), lengths)
    for b, n in enumerate(lengths):
        legal = [
            row
            for row in itertools.product(range(5), repeat=n)
            if keeps_the_rules([TAGS[k] for k in row])
        ]
        best = max(legal, key=lambda row: sum(x[t, b, k] for t, k in enumerate(row)))
        assert tuple(path[:n, b]) == best
        assert (path[n:, b] == -1).all()


def test_a_softmax_changes_no_legal_path(backend):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 4, 5)).astype("float32")
    log_p = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    path = legal_viterbi(backend.asarray(x), legal_bio(TAGS))
    np.testing.assert_array_equal(legal_viterbi(log_p, legal_bio(TAGS)), path)
    anything = np.ones((6, 6), bool)
    np.testing.assert_array_equal(legal_viterbi(x, anything), x.argmax(axis=-1))


@pytest.mark.parametrize("tags", [[], ["O", "O"], ["O", "person"], ["B-"], ["S-x"]])
def test_tags_that_are_not_bio(tags):
    with pytest.raises(ValueError, match="tags"):
        legal_bio(tags)


def test_rules_can_be_laid_over_learnt_edges():
    scores, _, lengths = draw(7, 5, 4, 5, forbidden=0)
    path = legal_viterbi(scores, legal_bio(TAGS), lengths)
    for b, n in enumerate(lengths):
        found = {
            row: score
            for row, score in paths(scores[:n, b])
            if keeps_the_rules([TAGS[k] for k in row])
        }
        assert found[tuple(path[:n, b])] == max(found.values())
