"""Entity scores are seqeval's; entities and illegal transitions are what they say."""

from __future__ import annotations

import json

import pytest

from lstm_lab.metrics import entities, entity_scores, illegal_transitions
from tests.metrics import peers

GOLDEN = json.loads(peers.GOLDEN.read_text(encoding="utf-8"))["entities"]


@pytest.mark.parametrize(("true", "said", "scores"), GOLDEN)
@pytest.mark.parametrize("mode", ["default", "strict"])
def test_seqevals_values(true, said, scores, mode):
    ours = entity_scores(true, said, strict=mode == "strict")
    assert [ours.precision, ours.recall, ours.f1] == scores[mode]


def test_the_golden_cases_are_those_that_are_made():
    assert [case[:2] for case in GOLDEN] == json.loads(json.dumps(peers.tagged()))
    assert any(scores["default"] != scores["strict"] for *_, scores in GOLDEN)


def test_seqeval_says_the_same_today():
    pytest.importorskip("seqeval")
    for true, said in peers.tagged():
        for mode, scores in peers.entity_scores(true, said).items():
            ours = entity_scores(true, said, strict=mode == "strict")
            assert [ours.precision, ours.recall, ours.f1] == scores


ODD = "I-x I-x O B-x B-x I-y O I-x B-x".split()


def test_entities():
    assert entities(ODD) == [
        ("x", 0, 2), ("x", 3, 4), ("x", 4, 5), ("y", 5, 6), ("x", 7, 8), ("x", 8, 9)
    ]  # fmt: skip
    assert entities(ODD, strict=True) == [("x", 3, 4), ("x", 4, 5), ("x", 8, 9)]
    assert entities([]) == entities(["O"]) == []
    assert entities(["B-a-b", "I-a-b", "I-a"]) == [("a-b", 0, 2), ("a", 2, 3)]


def test_illegal_transitions():
    assert illegal_transitions([ODD, ["I-x"], ["B-x", "I-x"], []]) == 4


def test_each_type_alone():
    scores = entity_scores([["B-x", "I-x", "O", "B-y"]], [["B-x", "I-x", "B-z", "O"]])
    assert scores.types.keys() == {"x", "y", "z"}
    x, y, z = scores.types.values()
    assert (x.precision, x.recall, x.f1) == (1, 1, 1)
    assert (y.actual, y.found, y.f1) == (1, 0, 0)
    assert (z.actual, z.found, z.precision, z.recall) == (0, 1, 0, 0)
    assert (scores.right, scores.found, scores.actual) == (1, 2, 2)
    lines = str(scores).splitlines()
    assert lines[0].split() == ["precision", "recall", "F1", "entities"]
    assert lines[-1].split() == ["all", "0.500", "0.500", "0.500", "2"]
    assert str(entity_scores([["O"]], [["O"]])).splitlines()[1].startswith("all")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: entities("B-x"), "tags must be a sequence of tags, got the string"),
        (lambda: entities(["B-x", "b-x"]), r'tags\[1\] must be "O", "B-type" or "I-type"'),
        (lambda: entities(["B-"]), r"tags\[0\]"),
        (lambda: entities(["S-x"]), r"tags\[0\]"),
        (lambda: entity_scores([["O"]], []), "got 1 and 0"),
        (lambda: entity_scores([["O"], ["O"]], [["O"], ["O", "O"]]), r"truth\[1\] has 1 tags"),
        (lambda: entity_scores([["O"]], ["O"]), r"predicted\[0\] must be a sequence of tags"),
        (lambda: entity_scores([["O"]], [[3]]), r"predicted\[0\]\[0\]"),
    ],
)
def test_what_is_no_bio(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
