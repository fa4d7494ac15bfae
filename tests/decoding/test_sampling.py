"""Sampling against the definitions, written out slowly and exactly."""

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab import decoding
from lstm_lab.decoding import (
    distribution,
    draw,
    entropy,
    generate,
    greedy,
    keep_nucleus,
    keep_top_k,
    sample,
)

MANY = settings(max_examples=150, deadline=None)
LAST = 1 - 2.0**-53  # the largest number that a generator draws
weights = st.lists(st.integers(0, 6), min_size=1, max_size=7).filter(any)
seeds = st.integers(0, 2**32 - 1)
settings_of = st.fixed_dictionaries(
    {
        "temperature": st.sampled_from([0, 0.05, 0.5, 1, 1.7, 30]),
        "top_k": st.sampled_from([None, 1, 2, 4, 99]),
        "top_p": st.sampled_from([None, 1e-9, 0.3, 0.9, 1]),
    }
)


def shares(counts):
    return np.array(counts) / sum(counts)


def rows(seed, shape=(3, 4, 7)):
    """Scores with ties and impossible symbols among them."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=shape) * 4) / 2
    hidden = rng.random(shape) < 0.2
    hidden[..., 0] = False
    return np.where(hidden, -np.inf, scores)


def kept_by_enumeration(counts, p):
    """Of all sets of symbols with the probability p, the smallest; of these the likeliest ones."""
    total, ids = sum(counts), range(len(counts))
    for size in range(1, len(counts) + 1):
        enough = [
            chosen
            for chosen in combinations(ids, size)
            if Fraction(sum(counts[k] for k in chosen), total) >= p
        ]
        if enough:
            # `combinations` goes through them in the order of their ids; the first wins a tie.
            return max(enough, key=lambda chosen: sum(counts[k] for k in chosen))
    raise AssertionError


@MANY
@given(weights, st.integers(1, 60))
def test_the_nucleus_is_the_smallest_set_of_all_that_reaches_p(counts, sixtieths):
    p = Fraction(sixtieths, 60)
    kept = kept_by_enumeration(counts, p)
    expected = np.zeros(len(counts))
    for k in kept:
        expected[k] = Fraction(counts[k], sum(counts[j] for j in kept))
    np.testing.assert_allclose(keep_nucleus(shares(counts), float(p)), expected, atol=1e-15)


@pytest.mark.parametrize("n", range(2, 30))
def test_a_sum_that_reaches_p_but_for_its_rounding_has_reached_it(n):
    """Sums of n-ths in floating point are a little above or below k / n."""
    for k in range(1, n):
        assert np.count_nonzero(keep_nucleus(np.full(n, 1 / n), k / n)) == k


@MANY
@given(weights, st.integers(1, 9))
def test_top_k_keeps_the_k_largest(counts, k):
    left = sorted(range(len(counts)), key=lambda j: -counts[j])[:k]
    expected = [counts[j] if j in left else 0 for j in range(len(counts))]
    np.testing.assert_allclose(keep_top_k(shares(counts), k), shares(expected), atol=1e-15)


@MANY
@given(seeds, st.sampled_from([0.1, 0.7, 1.0, 3.0]))
def test_temperature_divides_the_scores(seed, temperature):
    scores = rows(seed, (7,))
    heated = [np.exp(score / temperature) for score in scores]
    expected = np.array(heated) / sum(heated)
    found = distribution(scores, temperature=temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@MANY
@given(seeds, settings_of)
def test_temperature_first_then_top_k_then_the_nucleus(seed, options):
    scores = rows(seed)
    expected = distribution(scores, temperature=options["temperature"])
    if options["top_k"]:
        expected = keep_top_k(expected, options["top_k"])
    if options["top_p"]:
        expected = keep_nucleus(expected, options["top_p"])
    np.testing.assert_allclose(distribution(scores, **options), expected, atol=1e-15)


def test_the_order_of_the_two_cuts_matters():
    p = np.array([0.4, 0.3, 0.2, 0.1])
    ours = distribution(np.log(p), top_k=2, top_p=0.5)
    np.testing.assert_allclose(ours, keep_nucleus(keep_top_k(p, 2), 0.5))
    assert np.count_nonzero(ours) == 1
    assert np.count_nonzero(keep_top_k(keep_nucleus(p, 0.5), 2)) == 2


@MANY
@given(seeds, settings_of)
def test_every_row_is_a_distribution_over_what_is_possible(seed, options):
    scores = rows(seed)
    p = distribution(scores, **options)
    assert p.dtype == "float64"
    assert p.shape == scores.shape
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    assert (p >= 0).all()
    assert not p[np.isneginf(scores)].any()
    # What is left keeps its order.
    kept = np.where(p > 0, scores, np.nan)
    for values, shown in zip(kept.reshape(-1, 7), p.reshape(-1, 7), strict=True):
        order = np.argsort(values[shown > 0])
        assert (np.diff(shown[shown > 0][order]) >= 0).all()


@MANY
@given(seeds, settings_of)
def test_a_row_is_the_same_in_a_batch_as_alone(seed, options):
    scores, rng = rows(seed), np.random.default_rng(seed)
    uniform = rng.random((3, 4))
    together = distribution(scores, **options)
    ids = sample(scores, uniform, **options)
    for place in np.ndindex(3, 4):
        alone = distribution(scores[place], **options)
        np.testing.assert_array_equal(together[place], alone)
        assert ids[place] == sample(scores[place], uniform[place], **options)
        assert ids[place] == draw(alone, uniform[place])
    np.testing.assert_array_equal(draw(together, uniform), ids)


# Limits


@MANY
@given(seeds)
def test_cold_is_greedy_and_hot_is_uniform(seed):
    scores = rows(seed)
    frozen, best = distribution(scores, temperature=0), scores.max(axis=-1, keepdims=True)
    expected = (scores == best) / (scores == best).sum(axis=-1, keepdims=True)
    np.testing.assert_array_equal(frozen, expected)
    np.testing.assert_allclose(distribution(scores, temperature=1e-3), frozen, atol=1e-15)
    possible = np.isfinite(scores)
    even = possible / possible.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(distribution(scores, temperature=1e12), even, rtol=1e-9)
    np.testing.assert_array_equal(distribution(scores, top_k=1), np.eye(7)[greedy(scores)])
    assert (frozen[(*np.indices((3, 4)), greedy(scores))] > 0).all()
    np.testing.assert_array_equal(greedy(scores), sample(scores, np.full((3, 4), 0.5), top_k=1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("temperature", [0, 5e-324, 1e-300, 1, 1e300])
def test_scores_as_large_as_numbers_go(temperature):
    scores = np.array([1.7e308, -1.7e308, -np.inf, 1.7e308, 0.0])
    p = distribution(scores, temperature=temperature, top_p=0.999)
    np.testing.assert_allclose(p.sum(), 1)
    assert p[0] == p[3] > 0
    assert p[2] == 0
    assert int(sample(scores, LAST, temperature=temperature)) in {0, 1, 3, 4}
    tiny = distribution([-1e308, -1e308 - 1e293], temperature=temperature)
    np.testing.assert_allclose(tiny.sum(), 1)
    assert generate(scores, lambda _: scores, [0.9, LAST], temperature=temperature)[0] in {3, 4}


def test_float32_scores_are_taken_in_float64():
    scores = np.random.default_rng(0).normal(size=50).astype("float32")
    np.testing.assert_array_equal(distribution(scores), distribution(scores.astype("float64")))


# What the settings do


@MANY
@given(seeds)
def test_entropy_never_falls_with_the_temperature(seed):
    scores = rows(seed)
    temperatures = [0, 0.1, 0.3, 0.5, 1, 1.5, 4, 100]
    bits = np.array([entropy(distribution(scores, temperature=t)) for t in temperatures])
    assert (np.diff(bits, axis=0) >= -1e-12).all()
    assert (bits <= np.log(7) + 1e-12).all()


@MANY
@given(seeds, st.floats(0, LAST))
def test_the_more_pointed_distribution_draws_no_further_down(seed, u):
    """One uniform number, two settings: ranks are by the scores, equal ones by their ids."""
    scores = rows(seed, (7,))
    rank = np.argsort(np.argsort(-scores, kind="stable"))
    ladders = (
        [{"temperature": t} for t in (0.1, 0.5, 1, 3)],
        [{"top_k": k} for k in (1, 2, 3, 7)],
        [{"top_p": p} for p in (0.1, 0.5, 0.9, 1)],
    )
    for ladder in ladders:
        places = [int(rank[sample(scores, u, **options)]) for options in ladder]
        assert places == sorted(places)
        kept = [set(np.flatnonzero(distribution(scores, **options))) for options in ladder[1:]]
        assert all(less <= more for less, more in pairwise(kept))


def test_entropy_is_the_number_of_choices():
    np.testing.assert_allclose(np.exp(entropy(np.full((2, 8), 1 / 8))), 8)
    assert entropy([0.0, 1.0, 0.0]) == 0
    np.testing.assert_allclose(entropy([0.5, 0.25, 0.25]), 1.5 * np.log(2))


# Drawing


@MANY
@given(weights, st.integers(1, 50))
def test_even_numbers_draw_each_symbol_as_often_as_it_is_likely(counts, times):
    """n uniform numbers, n times the probabilities: exactly so many of each."""
    n = times * sum(counts)
    p = np.tile(shares(counts), (n, 1))
    ids = draw(p, (np.arange(n) + 0.5) / n)
    np.testing.assert_array_equal(np.bincount(ids, minlength=len(counts)), times * np.array(counts))
    assert (np.diff(np.array(counts)[ids]) <= 0).all()  # the likeliest first


@MANY
@given(weights)
def test_the_ends_of_the_line_never_draw_the_impossible(counts):
    p = shares(counts) * (1 - 1e-5)  # as rounded as it may come
    assert counts[int(draw(p, 0.0))] == max(counts)
    assert counts[int(draw(p, LAST))] == min(filter(None, counts))


def test_a_number_on_the_border_belongs_to_the_next():
    assert draw([0.5, 0.25, 0.25], 0.5) == 1
    assert draw([0.25, 0.5, 0.25], 0.75) == 2
    assert draw([[0.5, 0.5], [0.5, 0.5]], [0.5, 0.5 - 1e-16]).tolist() == [1, 0]


def markov(seed, V=5):
    """Scores of the next symbol, given the last."""
    return np.random.default_rng(seed).normal(size=(V, V)) * 2


@MANY
@given(seeds, settings_of)
def test_generating_is_sampling_again_and_again(seed, options):
    table, uniform = markov(seed), np.random.default_rng(seed).random((6, 2))
    start = table[[0, 3]]
    ids = generate(start, table.__getitem__, uniform, **options)
    scores = start
    for numbers, drawn in zip(uniform, ids, strict=True):
        np.testing.assert_array_equal(drawn, sample(scores, numbers, **options))
        scores = table[drawn]
    alone = generate(table[3], table.__getitem__, uniform[:, 1], **options)
    np.testing.assert_array_equal(alone, ids[:, 1])


def test_generating_asks_for_no_scores_that_it_does_not_need():
    asked = []

    def advance(ids):
        asked.append(ids.copy())
        return np.eye(3)[ids] * 50

    assert generate(np.zeros(3), advance, []).shape == (0,)
    assert generate(np.zeros((2, 3)), advance, np.zeros((0, 2))).shape == (0, 2)
    assert not asked
    assert generate([0.0, 9.0, 0.0], advance, [0.1, 0.1, 0.1]).tolist() == [1, 1, 1]
    assert len(asked) == 2


@pytest.mark.parametrize("answer", [np.zeros(4), np.full(3, np.nan), None, [np.inf, 0, 0]])
def test_scores_that_do_not_fit_are_refused_by_name(answer):
    with pytest.raises((TypeError, ValueError), match="advance"):
        generate(np.zeros(3), lambda ids: answer, [0.5, 0.5])


def test_arguments_are_left_as_they_were():
    for function in (keep_top_k, keep_nucleus):
        p = np.array([0.5, 0.3, 0.2])
        function(p, 1 if function is keep_top_k else 0.4)
        assert p.tolist() == [0.5, 0.3, 0.2]
    scores = np.array([3.0, 1.0, 2.0])
    distribution(scores, top_k=1, top_p=0.5)
    sample(scores, 0.5, top_k=1)
    assert scores.tolist() == [3.0, 1.0, 2.0]


def test_what_is_here_is_what_the_package_offers():
    assert set(decoding.sampling.__all__) <= set(decoding.__all__)
