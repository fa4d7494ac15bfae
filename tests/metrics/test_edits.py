"""Edit distance, against a search over all ways; and the rates made of it."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from lstm_lab.metrics import edit_distance, edit_score


@cache
def slow(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))


def test_it_is_the_shortest_way():
    words = ["".join(w) for n in range(5) for w in itertools.product("ab", repeat=n)]
    for one, other in itertools.product(words, repeat=2):
        assert edit_distance(one, other) == slow(one, other)
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance(["one", "two"], ["two"]) == 1
    assert edit_distance((), "ab") == 2
    assert edit_distance(("a", "b", "c"), ("a", "c", "d")) == 2
    assert edit_distance(("a", "b"), ("a", "b")) == 0


def test_rates():
    score = edit_score(["abc", "de"], ["abcd", "de"])
    assert (score.errors, score.symbols, score.lines, score.lines_right) == (1, 5, 2, 1)
    assert score.rate == 0.2 and score.whole == 0.5
    assert edit_score(["a"], ["xyz"]).rate == 3
    assert edit_score([["one", "two"]], [["one"]]).rate == 0.5


def test_what_is_refused():
    with pytest.raises(TypeError, match="found must be a list"):
        edit_score(["a"], "a")
    with pytest.raises(ValueError, match="equally many"):
        edit_score(["a"], [])
    with pytest.raises(ValueError, match="no symbol"):
        edit_score([""], ["a"])
    with pytest.raises(TypeError, match="truth must be a string"):
        edit_distance(3, "a")
