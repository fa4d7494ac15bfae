"""Confusion matrices."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab.metrics import confusion_matrix

TRUE, SAID = list("aabbbc"), list("abbbac")


def test_counts():
    found = confusion_matrix(TRUE, SAID)
    assert found.labels == ("a", "b", "c")
    assert found.counts.tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 1]]
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.most_confused() == [("a", "b", 1), ("b", "a", 1)]
    assert found.most_confused(1) == [("a", "b", 1)]


def test_shares():
    found = confusion_matrix(TRUE, SAID, labels=["c", "b", "a", "d"])
    assert found.counts.sum() == 6 and found.labels[0] == "c"
    np.testing.assert_allclose(found.normalized("truth").sum(axis=1), [1, 1, 1, 0])
    np.testing.assert_allclose(found.normalized("predicted").sum(axis=0), [1, 1, 1, 0])
    assert found.normalized("all").sum() == pytest.approx(1)
    # Recall and precision of b.
    assert found.normalized("truth")[1, 1] == pytest.approx(2 / 3)
    assert found.normalized("predicted")[1, 1] == pytest.approx(2 / 3)


def test_it_reads_as_a_table():
    lines = str(confusion_matrix(TRUE, SAID)).splitlines()
    assert [line.split() for line in lines] == [
        ["truth", "a", "b", "c"],
        ["a", "1", "1", "0"],
        ["b", "1", "2", "0"],
        ["c", "0", "0", "1"],
    ]
    assert len({len(line) for line in lines}) == 1


def test_against_every_pair_counted_by_hand():
    rng = np.random.default_rng(0)
    true, said = rng.integers(5, size=(2, 300))
    found = confusion_matrix(true, said)
    assert found.labels == (0, 1, 2, 3, 4)
    for i in range(5):
        for j in range(5):
            assert found.counts[i, j] == np.sum((true == i) & (said == j))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusion_matrix("ab", ["a", "b"]), "truth must be a sequence of classes"),
        (lambda: confusion_matrix([], []), "got 0 and 0"),
        (lambda: confusion_matrix(["a"], ["a", "b"]), "got 1 and 2"),
        (lambda: confusion_matrix(["a"], ["b"], ["a"]), r"predicted\[0\] is 'b', which labels"),
        (lambda: confusion_matrix(["a"], ["a"], ["a", "a"]), "each class once"),
        (lambda: confusion_matrix([0.5], ["a"]), r"truth\[0\] must be a string or a whole number"),
        (lambda: confusion_matrix(["a"], ["a"]).normalized("rows"), "by must be one of"),
    ],
)
def test_what_cannot_be_counted(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
