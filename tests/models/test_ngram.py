"""Counting with Kneser-Ney smoothing: distributions, and what is known of simple texts."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab.models import NGram, Vocabulary

LETTERS = "abcdefgh"


def by_hand(train, test, symbols, order):
    """The recursion for one n-gram at a time, with dictionaries."""
    from collections import Counter

    def counts_of(k, highest):
        grams = Counter(tuple(train[n : n + k + 1]) for n in range(len(train) - k))
        if highest:
            return grams
        longer = {tuple(train[n : n + k + 2]) for n in range(len(train) - k - 1)}
        return Counter(gram[1:] for gram in longer)

    def probability(gram, k, highest=True):
        lower = 1 / symbols if k == 0 else probability(gram[1:], k - 1, False)
        counts = counts_of(k, highest)
        once, twice = (sum(v == n for v in counts.values()) for n in (1, 2))
        discount = once / (once + 2 * twice) if once else 0.5
        follow = {g: v for g, v in counts.items() if g[:-1] == gram[:-1]}
        if not follow:
            return lower
        kept = max(follow.get(gram, 0) - discount, 0)
        return (kept + discount * len(follow) * lower) / sum(follow.values())

    grams = [tuple(test[max(0, n - order) : n + 1]) for n in range(len(test))]
    return [-np.log2(probability(gram, len(gram) - 1)) for gram in grams]


def text_of(ids):
    return "".join(LETTERS[k] for k in ids)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_equals_the_recursion_written_out(order):
    """Every symbol, those at the beginning too, of which fewer are known."""
    rng = np.random.default_rng(order)
    train, test = rng.integers(0, 4, 60), rng.integers(0, 5, 20)
    model = NGram(LETTERS[:5], order=3).fit(text_of(train))
    expected = by_hand(train.tolist(), test.tolist(), 5, order)
    np.testing.assert_allclose(model.surprise(text_of(test), order), expected, rtol=1e-12)
    assert model.bits(text_of(test), order) == pytest.approx(np.mean(expected))
    own = NGram(LETTERS[:5], order).fit(text_of(train))
    np.testing.assert_array_equal(own.surprise(text_of(test)), model.surprise(text_of(test), order))


def test_probabilities_add_up_to_one_and_are_those_of_the_surprise():
    rng = np.random.default_rng(1)
    model = NGram(LETTERS[:6], order=3).fit(text_of(rng.integers(0, 6, 400)))
    for length in (0, 1, 3, 7):
        before = text_of(rng.integers(0, 6, length))
        for context in (None, 0, 2):
            said = model.next_after(before, context)
            assert np.exp(said).sum() == pytest.approx(1)
            each = [model.surprise(before + s, context)[-1] for s in LETTERS[:6]]
            np.testing.assert_allclose(-said / np.log(2), each)


def test_what_is_known_of_simple_texts():
    alternating = "ab" * 2000
    model = NGram("ab", 1).fit(alternating)
    assert model.bits(alternating[:500], 0) == pytest.approx(1, abs=0.01)
    assert model.bits(alternating[:500]) < 0.01
    assert model.perplexity(alternating[:500], 0) == pytest.approx(2, abs=0.01)
    noise = text_of(np.random.default_rng(2).integers(0, 8, 40_000))
    model = NGram(LETTERS, 2).fit(noise[:30_000])
    for order in range(3):
        assert model.bits(noise[30_000:], order) == pytest.approx(3, abs=0.05)


def test_words_and_several_texts():
    words = Vocabulary.words("a rose is a rose")
    model = NGram(words, order=1).fit(["a rose is", "a rose"])
    whole = NGram(words, order=1).fit("a rose is a rose")
    np.testing.assert_array_equal(model.next_after("a"), whole.next_after("a"))
    assert words.symbols[int(model.next_after("a").argmax())] == "rose"
    assert len(model.surprise("a thorn")) == 2


def test_too_long_or_too_short_is_refused():
    with pytest.raises(ValueError, match="too long for 96 symbols"):
        NGram("".join(map(chr, range(32, 128))), 9)
    model = NGram("ab", 5)
    with pytest.raises(ValueError, match="more than 5 symbols"):
        model.fit("abab?")
    with pytest.raises(ValueError, match="counted nothing yet"):
        model.bits("ab")
    with pytest.raises(ValueError, match="knows none of its symbols"):
        model.fit("ababab").bits("?")
