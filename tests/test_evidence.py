"""The book's rule of evidence: its intervals hold what they promise, and no claim slips through."""

from __future__ import annotations

from math import comb, inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lab.evidence import (
    Comparison,
    Interval,
    difference_interval,
    exact,
    median_interval,
    proportion_interval,
    table,
)


@pytest.mark.parametrize(
    ("n", "rank", "coverage"),
    # Tables of the sign test's interval give these ranks for 95 %.
    [
        (6, 1, 0.96875),
        (8, 1, 0.9921875),
        (10, 2, 0.978515625),
        (12, 3, 0.9614257812),
        (20, 6, 0.9586105347),
    ],
)
def test_ranks_of_the_median_interval(n, rank, coverage):
    values = np.random.default_rng(n).permutation(n) + 1.0
    found = median_interval(values)
    assert (found.low, found.high, found.n) == (rank, n + 1 - rank, n)
    assert found.coverage == pytest.approx(coverage, abs=1e-9)
    assert found.middle == (n + 1) / 2


def test_the_median_interval_covers_whatever_the_distribution():
    rng = np.random.default_rng(0)
    draws = rng.exponential(size=(2000, 10)) ** 3  # far from symmetric; its median is (ln 2)³
    held = [not median_interval(row).excludes(np.log(2) ** 3) for row in draws]
    assert np.mean(held) == pytest.approx(0.9785, abs=0.013)  # four standard errors


def test_equal_methods_are_told_apart_once_in_nine_hundred_pairs():
    """The chance is exact: nine or ten results of one before the second of the other, twice."""
    chance = 2 * (comb(10, 9) * comb(9, 1) + comb(11, 1)) / comb(20, 10)
    assert chance == pytest.approx(1 / 900, rel=0.05)
    rng, apart, runs = np.random.default_rng(1), 0, 100_000
    for a, b in np.sort(rng.normal(size=(runs, 2, 10))):
        apart += a[8] < b[1] or b[8] < a[1]
    assert apart / runs == pytest.approx(chance, abs=4 * np.sqrt(chance / runs))


def test_a_training_that_did_not_learn_counts():
    found = median_interval([3.0, 4, 5, inf, 4, 3, inf, inf, 4, 6])
    assert (found.low, found.middle, found.high) == (3, 4.5, inf)
    assert str(found) == "4.5 (3 to never, n = 10)"
    assert str(median_interval([inf] * 10)) == "never (n = 10)"


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=60, deadline=None)
def test_ends_of_a_proportion_leave_their_tails(case):
    right, n = case
    found = proportion_interval(right, n)

    def tail(p, ks):
        return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in ks)

    assert found.middle == right / n and found.low <= found.middle <= found.high
    if right:
        assert tail(found.low, range(right, n + 1)) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.low == 0
    if right < n:
        assert tail(found.high, range(right + 1)) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.high == 1


def test_a_proportion_by_the_book():
    # Clopper & Pearson's interval of 10 in 10 is closed: 0.025 ** (1 / 10).
    assert proportion_interval(10, 10).low == pytest.approx(0.025**0.1)
    assert proportion_interval(2, 14).high == pytest.approx(0.42813, abs=1e-4)


def autoregressive(rng, n, memory):
    noise, x = rng.normal(size=n + 100), np.zeros(n + 100)
    for t in range(1, n + 100):
        x[t] = memory * x[t - 1] + noise[t]
    return x[100:]


@pytest.mark.parametrize(("memory", "block", "least"), [(0.0, 1, 0.88), (0.7, 12, 0.82)])
def test_blocks_cover_errors_that_resemble_their_neighbours(memory, block, least):
    rng, zero = np.random.default_rng(2), np.zeros(240)
    held = [
        not difference_interval(
            autoregressive(rng, 240, memory), zero, block=block, resamples=200
        ).excludes(0)
        for _ in range(150)
    ]
    assert least < np.mean(held) <= 0.99


def test_single_steps_deceive_where_errors_resemble_their_neighbours():
    rng, zero = np.random.default_rng(3), np.zeros(240)
    held = [
        not difference_interval(
            autoregressive(rng, 240, 0.7), zero, block=1, resamples=200
        ).excludes(0)
        for _ in range(150)
    ]
    assert np.mean(held) < 0.7


def test_a_difference_is_paired():
    rng = np.random.default_rng(4)
    weather = 10 * rng.normal(size=100)  # hits both alike
    a, b = weather + rng.normal(size=100), weather + 0.5 + rng.normal(size=100)
    found = difference_interval(a, b, block=4)
    assert found.high < 0 and found.middle == pytest.approx(np.mean(a - b))
    assert median_interval(a).meets(median_interval(b))
    assert found == difference_interval(a, b, block=4)  # the same each time


UPDATES = {
    "slow": [90, 95, 100, 101, 102, 103, 104, 110, 115, 300],
    "fast": [50, 52, 53, 55, 56, 58, 59, 60, 61, 99],
    "middling": [58, 60, 70, 75, 80, 85, 90, 97, 98, 120],
}


def test_statements_carry_medians_intervals_and_n():
    compared = Comparison(UPDATES, verb="learns faster than", unit="updates")
    said = compared.state("fast < slow")
    assert said._repr_markdown_() == (
        "- **fast** learns faster than **slow**: 57 (52 to 61, n = 10) updates against "
        "102 (95 to 115, n = 10).\n- 2 of 3 pairs compared: no difference seen."
    )


def test_a_claim_that_the_intervals_do_not_bear_out_is_refused():
    compared = Comparison(UPDATES)
    with pytest.raises(AssertionError, match="not borne out: middling does better than slow"):
        compared.state("fast < slow", "middling < slow")
    with pytest.raises(AssertionError, match="not borne out: slow does better than fast"):
        compared.state("slow < fast", "fast < slow")


def test_what_is_found_must_be_said():
    compared = Comparison(UPDATES)
    with pytest.raises(AssertionError, match="found, and not said: fast does better than slow"):
        compared.state()
    with pytest.raises(AssertionError, match="found, and not said"):
        compared.state(against="slow")
    assert "1 of 1 pair compared" in compared.state(among=["slow", "middling"])
    assert compared.state("fast < slow", against="slow").count("\n") == 1


def test_higher_can_be_better():
    right = {"A": proportion_interval(14, 14), "B": proportion_interval(2, 14)}
    compared = Comparison(right, better="higher", verb="learns it more often than")
    assert compared.pairs() == [("A", "B")]
    assert compared.state("B < A") == compared.state("A > B")
    assert compared.state("A > B").startswith("- **A** learns it more often than **B**")


def test_intervals_that_touch_meet():
    given_up = Interval(1000, 1000, 1000, 10, 0.98)
    assert given_up.meets(Interval(400, 205, 1000, 10, 0.98))
    assert given_up.meets(given_up)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: median_interval([1, 2, 3, 4, 5]), "values holds 5"),
        (lambda: median_interval([1, nan, 3, 4, 5, 6]), "values holds NaN"),
        (lambda: median_interval([[1, 2]]), "values must be one row"),
        (lambda: median_interval(range(10), coverage=95), "coverage must lie between 0 and 1"),
        (lambda: proportion_interval(3, 2), "right must be at most n"),
        (lambda: proportion_interval(0, 0), "n at least 1"),
        (lambda: proportion_interval(0.5, 2), "right must be a whole number"),
        (lambda: difference_interval([1, 2], [1], block=1), "equally long; got 2 and 1"),
        (lambda: difference_interval([1, inf], [1, 2], block=1), "must be finite"),
        (lambda: difference_interval(range(9), range(9), block=3), "block must be 1 to 2"),
        (lambda: Comparison({"A": range(10)}), "at least two methods"),
        (lambda: Comparison({"A < B": range(10), "B": range(10)}), "must not contain"),
        (lambda: Comparison(UPDATES, better="less"), 'better must be "lower" or "higher"'),
        (lambda: Comparison(UPDATES).state("fast beats slow"), "a claim must read"),
        (lambda: Comparison(UPDATES).state("fast < snail"), "name must be one of"),
    ],
)
def test_nonsense_is_refused_by_name(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()


def test_a_rule_is_compared_with_trainings():
    assert str(exact(1.78)) == "1.78"
    assert not exact(1.78).excludes(1.78) and exact(1.78).excludes(1.79)
    compared = Comparison(
        {"net": [1.95, 1.93, 1.94, 1.96, 1.95, 1.94], "counts": exact(1.78), "rule": exact(1.94)},
        verb="needs fewer bits than",
    )
    assert compared.state("counts < net", "counts < rule").splitlines() == [
        "- **counts** needs fewer bits than **net**: 1.78 against 1.94 (1.93 to 1.96, n = 6).",
        "- **counts** needs fewer bits than **rule**: 1.78 against 1.94.",
        "- 1 of 3 pairs compared: no difference seen.",
    ]


def test_a_table_says_how_many_once():
    made = table(
        {
            "net": {"F1": [0.7] * 5 + [0.72], "steps": [9, 9, 9, 9, 9, inf], "right": HALF},
            "rule": {"F1": 0.6, "remark": "no seeds"},
        },
        corner="method",
    )
    assert made._repr_markdown_().splitlines() == [
        "| method | F1, n = 6 | steps, n = 6 | right, n = 10 | remark |",
        "|---|---|---|---|---|",
        "| net | 0.7 (0.7 to 0.72) | 9 (9 to never) | 0.5 (0.187 to 0.813) |  |",
        "| rule | 0.6 |  |  | no seeds |",
    ]


def test_a_table_of_unequal_counts_says_it_in_each_cell():
    made = table({"A": {"error": range(6)}, "B": {"error": range(7)}, "C": {"error": [inf] * 6}})
    assert made.splitlines() == [
        "|  | error |",
        "|---|---|",
        "| A | 2.5 (0 to 5, n = 6) |",
        "| B | 3 (0 to 6, n = 7) |",
        "| C | never (n = 6) |",
    ]


HALF = proportion_interval(5, 10)
