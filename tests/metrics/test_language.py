"""Perplexity and bits a character."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lstm_lab.metrics import bits_per_character, perplexity


def test_uniform_guesses_are_left_with_the_whole_alphabet():
    logs = np.full(10, -math.log(27))
    assert perplexity(logs) == pytest.approx(27)
    assert bits_per_character(logs) == pytest.approx(math.log2(27))


def test_the_two_say_the_same():
    logs = np.log(np.random.default_rng(0).random(50))
    assert 2 ** bits_per_character(logs) == pytest.approx(perplexity(logs))
    # It is the geometric mean of the probabilities, upside down.
    assert perplexity(logs) == pytest.approx(np.exp(logs).prod() ** (-1 / 50))


def test_a_model_of_words_pays_by_the_character():
    """Two words of seven characters with their space, a bit each."""
    assert bits_per_character(np.log([0.5, 0.5]), characters=7) == pytest.approx(2 / 7)


def test_what_is_certain_and_what_was_impossible():
    assert perplexity([0.0, -0.0]) == 1
    assert perplexity([-1.0, -math.inf]) == math.inf
    assert bits_per_character([-math.inf]) == math.inf
    assert perplexity([-1000.0]) == math.inf


@pytest.mark.parametrize(
    ("logs", "message"),
    [([0.1], r"\[0\] is 0.1"), ([-1, np.nan], r"\[1\] is nan"), ([], "one row"), (-1.0, "one row")],
)
def test_what_is_no_logarithm_of_a_probability(logs, message):
    with pytest.raises(ValueError, match=message):
        perplexity(logs)
