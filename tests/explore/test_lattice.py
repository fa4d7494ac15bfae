"""LatticeExplorer: what is its own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import traitlets

from lstm_lab.explore import LatticeExplorer
from lstm_lab.explore.lattice.emissions import FILE, ids_of, rows_of, shipped, values_of
from lstm_lab.explore.lattice.widget import KINDS, MOST_WORDS, TAGS
from lstm_lab.models import word_features
from tests.explore.page import pull, settled, state, summary


def test_it_begins_where_the_three_ways_differ():
    rows = {}
    for edges in KINDS:
        values = LatticeExplorer(edges=edges).values()
        rows[edges] = [TAGS[k] for k in values["path"]]
        assert (values["illegal"] > 0) == (edges == "words alone")
    assert rows["words and learnt edges"] == [
        *("B-company", "I-company", "I-company", "I-company"),
        *("B-person", "I-person", "I-person"),
    ]
    assert len({tuple(row) for row in rows.values()}) == 3
    alone = LatticeExplorer(edges="words alone").values()
    assert alone["path"].tolist() == alone["alone"].tolist()


@pytest.mark.parametrize("edges", KINDS)
def test_the_path_is_the_best_of_all(edges):
    explorer = LatticeExplorer(line="ann lee 12 main st", edges=edges, edits="3>3:-2.5 5>0:4")
    values, (transition, start, end) = explorer.values(), explorer.chain()
    assert transition[3, 3] == -2.5 and transition[5, 0] == 4
    scores = {
        row: start[row[0]]
        + end[row[-1]]
        + sum(values["emissions"][t, k] for t, k in enumerate(row))
        + sum(transition[j, k] for j, k in itertools.pairwise(row))
        for row in itertools.product(range(len(TAGS)), repeat=5)
    }
    assert values["score"] == pytest.approx(max(scores.values()))
    assert scores[tuple(values["path"])] == pytest.approx(values["score"])
    total = np.exp(np.array(list(scores.values()))).sum()
    assert values["probability"] == pytest.approx(np.exp(values["score"]) / total)


def test_the_words_scores_are_sums_of_their_features():
    tagger, words = shipped(), "ann zzzyx 12".split()
    rows = rows_of(tagger.vocabularies)
    assert len(tagger.weights) == 1 + sum(map(len, tagger.vocabularies))
    ids = ids_of(words, rows)
    np.testing.assert_allclose(tagger.emissions(words), tagger.weights[ids].sum(axis=1))
    values = values_of(words)
    assert values[0][:4] == list(word_features("ann")) and values[0][4:6] == ["|", "|"]
    assert rows[0].get("zzzyx", 0) == 0 == ids[1, 0]
    assert FILE.stat().st_size < 100_000


def test_only_so_many_words_are_read():
    explorer = LatticeExplorer(line=" ".join("a" * 30), step=12)
    assert len(explorer.words()) == MOST_WORDS == len(explorer.values()["path"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"edits": "1-2:3"}, "edits: expected from>to:score"),
        ({"edges": "rules"}, "edges: expected one of"),
        ({"tag": "I-place"}, "tag: expected one of"),
        ({"line": "  "}, "line: expected"),
    ],
)
def test_settings_that_are_none(setting, message):
    with pytest.raises(traitlets.TraitError, match=message):
        LatticeExplorer(**setting)


def test_a_click_reads_a_node_and_a_drag_flips_the_path(show):
    page = show(LatticeExplorer(step=7, tag="B-person", before="I-company"))
    assert "company “sociedad civica cultural centroamericana,”" in summary(page)
    slider = page.locator("[data-role=edge]")
    slider.evaluate("(node) => { node.value = -8; node.dispatchEvent(new Event('input')); }")
    settled(page)
    # Tags are numbered by the alphabet: I-company is 4, B-person 2.
    assert state(page)["edits"] == "4>2:-8"
    copy = LatticeExplorer(edits="4>2:-8").values()
    assert copy["path"].tolist() != LatticeExplorer().values()["path"].tolist()
    assert " ".join(TAGS[k] for k in copy["path"]) in summary(page)
    page.get_by_role("button", name="Undo all dragging").click()
    settled(page)
    assert state(page)["edits"] == ""
    # The first column's first node.
    box = page.locator("canvas").first.bounding_box()
    at = box["x"] + 92 + (box["width"] - 122) / 14, box["y"] + 30 + 19
    pull(page, at, at)
    settled(page)
    now = state(page)
    assert (now["step"], now["tag"]) == (1, TAGS[0])
