"""Prefix beam search: equal to adding up all paths, with and without a language model."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest

from lstm_lab.decoding import prefix_beam_search
from lstm_lab.losses import ctc, ctc_collapse, ctc_greedy

WIDE = 10_000


def log_softmax(u):
    u = u - u.max(axis=-1, keepdims=True)
    return u - np.log(np.exp(u).sum(axis=-1, keepdims=True))


def by_enumeration(logits, blank=0):
    """The probability of every labelling: of all paths that become it, one by one."""
    y, found = np.exp(log_softmax(logits)), defaultdict(float)
    for path in itertools.product(range(y.shape[1]), repeat=len(y)):
        labels = tuple(ctc_collapse(path, blank=blank))
        found[labels] += np.prod([y[t, k] for t, k in enumerate(path)])
    return found


@pytest.mark.parametrize("steps", range(1, 7))
@pytest.mark.parametrize("blank", [0, 2])
def test_a_wide_beam_finds_all_labellings_and_their_probabilities(steps, blank):
    rng = np.random.default_rng(steps)
    for _ in range(3):
        logits = rng.normal(0, 2, (steps, 1, 3))
        expected = by_enumeration(logits[:, 0], blank)
        (found,) = prefix_beam_search(logits, blank=blank, width=WIDE, n_best=WIDE)
        assert {one.labels for one in found} == expected.keys()
        for one in found:
            assert np.isclose(np.exp(one.log_probability), expected[one.labels], rtol=1e-10)
            assert one.score == one.log_probability
        assert found[0].labels == max(expected, key=expected.get)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_language_model_weighs_in_as_the_formula_says():
    rng, weight, bonus = np.random.default_rng(7), 0.7, 0.3
    table = log_softmax(rng.normal(0, 2, (3, 3)))  # by the last label; 0 stands for the end

    def language(labels):
        return table[labels[-1] if labels else 0]

    def added(labels):
        ways = zip((0, *labels), (*labels, 0), strict=True)
        return weight * sum(table[a, b] for a, b in ways) + bonus * len(labels)

    for steps in range(1, 7):
        logits = rng.normal(0, 2, (steps, 1, 3))
        expected = {
            labels: np.log(p) + added(labels) for labels, p in by_enumeration(logits[:, 0]).items()
        }
        (found,) = prefix_beam_search(
            logits, width=WIDE, n_best=WIDE, language=language, weight=weight, bonus=bonus
        )
        assert found[0].labels == max(expected, key=expected.get)
        for one in found:
            assert np.isclose(one.score, expected[one.labels], rtol=1e-9)


def test_probabilities_are_those_of_the_loss():
    logits = np.random.default_rng(0).normal(0, 1, (30, 1, 4))
    (best,) = prefix_beam_search(logits, width=2000)[0]
    loss, _ = ctc(logits, [list(best.labels)])
    # A beam only loses probability.
    assert -loss - 0.05 < best.log_probability <= -loss + 1e-9


def test_ragged_batches_are_their_sequences_and_padding_is_nothing(backend):
    from lstm_lab.backends import get_backend

    logits = np.random.default_rng(1).normal(0, 2, (9, 3, 4))
    lengths = [9, 1, 5]
    alone = [prefix_beam_search(logits[:n, b : b + 1])[0] for b, n in enumerate(lengths)]
    for b, n in enumerate(lengths):
        logits[n:, b] = np.nan
    assert prefix_beam_search(get_backend(backend).asarray(logits), lengths) == alone


def test_where_a_frame_is_certain_it_is_the_best_path():
    path = [0, 1, 1, 0, 1, 2, 2]
    logits = np.full((7, 1, 3), -np.inf)
    logits[np.arange(7), 0, path] = 0.0
    (best,) = prefix_beam_search(logits, width=1)[0]
    assert list(best.labels) == [1, 1, 2] == ctc_greedy(logits)[0]
    assert best.log_probability == 0


def test_the_language_is_asked_once_for_each_prefix():
    asked = []

    def language(labels):
        asked.append(labels)
        return np.log(np.full(3, 1 / 3))

    prefix_beam_search(np.zeros((5, 2, 3)), language=language)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"logits": np.zeros((2, 3))}, ValueError, r"shape \(T, B, K\)"),
        ({"logits": np.full((2, 1, 3), np.nan)}, ValueError, r"logits\[0, 0, 0\] is nan"),
        ({"logits": np.full((2, 1, 3), -np.inf)}, ValueError, "frame 0 of sequence 0"),
        ({"width": 0}, ValueError, "width"),
        ({"n_best": 0}, ValueError, "n_best"),
        ({"blank": 3}, ValueError, "blank must be"),
        ({"lengths": [3]}, ValueError, "lengths"),
        ({"weight": -1}, ValueError, "weight"),
        ({"language": 3}, TypeError, "language must be a function"),
        ({"language": lambda labels: np.zeros(2)}, ValueError, "3 log-probabilities"),
        ({"language": lambda labels: np.full(3, 0.3)}, ValueError, "none above 0"),
        ({"language": lambda labels: np.full(3, np.nan)}, ValueError, "none above 0"),
    ],
)
def test_what_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        prefix_beam_search(**{"logits": np.zeros((2, 1, 3)), **arguments})
