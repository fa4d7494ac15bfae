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
from tests.explore.page import (
    drawn_words,
    pull,
    settled,
    span,
    state,
    summary,
    text,
    unreadable_words,
    widen,
)

# JupyterLab leaves a picture as much of a window of 480 px as this page of 396.
WIDTHS = (360, 396, 480, 900, 1280)
SET = "(all) => { for (const name in all) models[0].set(name, all[name]); }"
LONG = "sociedad civica cultural centroamericana, rosinski, dennis l 123 main street san salvador"


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
    page.get_by_role("button", name="Undo all").click()
    settled(page)
    assert state(page)["edits"] == ""
    # The first dot that is drawn is the first column's first node.
    unreadable_words(page, 1200)
    canvas = page.locator("canvas").first
    page.evaluate("models[0].set('tag', 'O')")
    settled(page)
    box = canvas.bounding_box()
    x, y = canvas.evaluate("(node) => node.rounds[0]")
    at = box["x"] + x, box["y"] + y
    canvas.hover(position={"x": x, "y": y})
    assert canvas.get_attribute("title").startswith("sociedad: B-address ")
    pull(page, at, at)
    settled(page)
    now = state(page)
    assert (now["step"], now["tag"]) == (1, TAGS[0])


@pytest.mark.parametrize("line", [LatticeExplorer.line.default_value, LONG, "a b"])
def test_nothing_runs_through_the_number_at_a_node(line, show):
    page = show(LatticeExplorer(line=line))
    words = len(line.split())
    settings = [
        {"edges": edges, "step": step, "tag": tag}
        for edges, tag in zip(KINDS, ("B-person", "I-company", "O"), strict=True)
        for step in ({3, words} if words > 3 else {1, words})
    ]
    for width in WIDTHS:
        for setting in settings:
            page.evaluate(SET, setting)
            assert unreadable_words(page, width) == [], (setting, width)
            if width == WIDTHS[-1]:
                best = LatticeExplorer(line=line, **setting).values()["best"][: setting["step"]]
                told = {f"{v:.1f}".replace("-", "−") for v in best[best > -1e30]}
                assert told <= {*drawn_words(page, width)}


def test_narrow_or_wide_every_word_is_there_to_read(show):
    page = show(LatticeExplorer(line=LONG))
    page.evaluate("""() => {
      const pen = CanvasRenderingContext2D.prototype, { fillText } = pen;
      pen.fillText = function (text, ...rest) {
        (window.told ??= []).push(text);
        return fillText.call(this, text, ...rest);
      };
    }""")
    for width in WIDTHS:
        page.evaluate("window.told = []")
        widen(page, width)
        assert {*LONG.split()} <= {*page.evaluate("told")}, width


def test_the_controls_stand_by_the_lattice(show):
    page = show(LatticeExplorer(step=7, tag="B-person", before="I-company"))
    for width in (396, 480):
        widen(page, width)
        assert span(page, "canvas", ".ll-group:last-of-type") <= 690, width
        gap = span(page, "canvas", "input[data-name=step]") - span(page, "canvas", "canvas")
        assert 0 < gap <= 100, width
        assert span(page, "[data-role=ways]", ".ll-group:last-of-type") < 0, width
    # A laptop's.
    widen(page, 1300)
    for line in (LatticeExplorer.line.default_value, LONG):
        page.evaluate("line => models[0].set('line', line)", line)
        assert span(page, "canvas", "canvas") < span(page, *2 * [".lstm-lab-explorer"]) <= 690


def test_the_best_path_is_told_when_all_is_computed(show):
    page = show(LatticeExplorer(), width=480)
    above, canvas = page.locator(".ll-lattice-above"), page.locator("canvas")
    values, top = LatticeExplorer().values(), canvas.bounding_box()["y"]
    for step in (1, 3, 6):
        page.evaluate("step => models[0].set('step', step)", step)
        told = text(above)
        assert told.startswith(f"{step} of 7 words are computed") and "score" not in told
        assert "B-company I-company" not in summary(page)
    page.evaluate("models[0].set('step', 7)")
    told = text(above)
    assert f"whole line: score {values['score']:.1f}, {values['probability']:.0%}"[:-1] in told
    assert "0 rules broken" in told
    # Nothing moves under the hand that drags the slider.
    assert canvas.bounding_box()["y"] == top
    legend = text(page.locator("[data-role=legend]"))
    for piece in ("computed", "not yet", "best way into", "ringed", "best path", "is v"):
        assert piece in legend
