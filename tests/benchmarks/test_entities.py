"""Chapter 14's table: how it counts."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import entities
from benchmarks.rows import rows_of
from lstm_lab.metrics import entity_scores, illegal_transitions

TAGS = ["O", "B-company", "I-company", "B-person", "I-person"]


def lines(rng, count):
    return [tuple(rng.choice(TAGS, rng.integers(1, 9))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_without_stray_is_the_strict_count(seed):
    rng = np.random.default_rng(seed)
    said = lines(rng, 50)
    truth = [tuple(rng.choice(TAGS, len(line))) for line in said]
    dropped = entities.without_stray(said)
    strict = entity_scores(truth, said, strict=True)
    ours = entity_scores(truth, dropped, strict=True)
    assert (ours.right, ours.found) == (strict.right, strict.found)
    assert illegal_transitions(said) > 0 == illegal_transitions(dropped)


def test_the_file_has_ten_seeds_of_every_method_and_every_treatment():
    rows = rows_of(entities.FILE, entities.COLUMNS)
    keys = [(row["method"], row["rows"], row["part"], row["seed"]) for row in rows]
    assert len(set(keys)) == len(keys)
    for method in entities.LEARNT:
        treated = {row["rows"] for row in rows if row["method"] == method}
        assert treated >= {"as given", "stray I dropped", "legal"}
        assert ("mask for edges" in treated) == (method in ("BiLSTM + CRF", "LSTM + CRF"))
        for kind in treated:
            for part in ("validation", "test"):
                seeds = {key[3] for key in keys if key[:3] == (method, kind, part)}
                assert seeds == {str(seed) for seed in range(10)}
