"""Counting with Kneser-Ney smoothing: distributions, and what is known of simple texts."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab.text.ngram import bits_per_character


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

    grams = [tuple(test[n - order : n + 1]) for n in range(order, len(test))]
    return -np.mean([np.log2(probability(gram, order)) for gram in grams])


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_equals_the_recursion_written_out(order):
    rng = np.random.default_rng(order)
    train, test = rng.integers(0, 4, 60), rng.integers(0, 5, 20)
    [bits] = bits_per_character(train, test, 5, [order])
    assert bits == pytest.approx(by_hand(train.tolist(), test.tolist(), 5, order))


def test_probabilities_add_up_to_one():
    rng = np.random.default_rng(1)
    train = rng.integers(0, 6, 400)
    for _ in range(10):
        context = rng.integers(0, 6, 3)
        each = [bits_per_character(train, np.append(context, s), 6, [3])[0] for s in range(6)]
        assert sum(2.0 ** -np.array(each)) == pytest.approx(1)


def test_what_is_known_of_simple_texts():
    alternating = np.tile([0, 1], 2000)
    zero, one = bits_per_character(alternating, alternating[:500], 2, [0, 1])
    assert zero == pytest.approx(1, abs=0.01)
    assert one < 0.01
    noise = np.random.default_rng(2).integers(0, 8, 40_000)
    for bits in bits_per_character(noise[:30_000], noise[30_000:], 8, [0, 1, 2]):
        assert bits == pytest.approx(3, abs=0.05)


def test_too_long_or_too_short_is_refused():
    with pytest.raises(ValueError, match="too long for 96 symbols"):
        bits_per_character(np.zeros(50, int), np.zeros(50, int), 96, [9])
    with pytest.raises(ValueError, match="longer than 5 characters"):
        bits_per_character(np.zeros(50, int), np.zeros(3, int), 4, [5])
