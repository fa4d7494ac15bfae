"""Chapter 13's baselines, and how its table counts."""

from __future__ import annotations

import pytest

from benchmarks import translation
from lstm_lab.data import Pairs


def pairs(*rows):
    sources, targets = zip(*rows, strict=True)
    return Pairs(sources, targets, sources)


TRAIN = pairs(
    ("man: light skin tone", "homme\u202f: peau claire"),
    ("kiss: man, man, dark skin tone, light skin tone", "bisou\u202f: peau foncée et peau claire"),
    ("red heart", "cœur rouge"),
)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("man: medium-dark skin tone", "homme\u202f: peau mate"),
        ("man: medium-light skin tone", "homme\u202f: peau moyennement claire"),
        (
            "kiss: man, man, medium skin tone, dark skin tone",
            "bisou\u202f: peau légèrement mate et peau foncée",
        ),
        ("man: light skin tone, dark skin tone", ""),
        ("woman: dark skin tone", ""),
        ("red heart", ""),
    ],
)
def test_the_rule_swaps_tones_and_says_nothing_without_a_sibling(source, target):
    assert translation.swap_tone(TRAIN, [source]) == [target]


def test_the_nearest_is_that_of_the_fewest_changed_words():
    assert translation.copy_nearest(TRAIN, ["blue heart"]) == ["cœur rouge"]


def test_rows_count_kinds_and_lengths():
    test = translation.parts("emoji").test
    said = [target if n % 3 else "" for n, target in enumerate(test.targets)]
    rows = list(translation.counted("emoji", said))
    whole = {row["kind"]: row for row in rows if row["words"] == ""}
    assert sum(row["n"] for row in whole.values()) == len(test)
    assert sum(row["right"] for row in whole.values()) == sum(n % 3 > 0 for n in range(len(test)))
    for kind, row in whole.items():
        parts = [each for each in rows if each["kind"] == kind and each["words"] != ""]
        assert sum(each["right"] for each in parts) == row["right"]
        assert sum(each["n"] for each in parts) == row["n"]


def test_a_reversed_source_is_an_option_of_the_data():
    assert translation.read("LSTM", ("one red cat",)) == ["one red cat"]
    assert translation.read("LSTM, source reversed", ("one red cat",)) == [("cat", "red", "one")]


def test_uniform_weights_are_the_plain_mean():
    model = translation.new("emoji", "BiLSTM, uniform weights", 0)
    weights = model.attention("red heart", "cœur").weights
    assert weights.round(6).tolist() == [[0.5, 0.5]] * 2


def test_runs_come_in_rounds_and_can_be_of_some_methods():
    asked = list(translation.runs(["emoji"], 2, ["BiLSTM"]))
    assert asked == [
        ("emoji", "swap the tone", ""),
        ("emoji", "copy the nearest", ""),
        ("emoji", "BiLSTM", 0),
        ("emoji", "BiLSTM", 1),
    ]
    assert len(list(translation.runs(["emoji"], 1))) == 2 + len(translation.METHODS)
