"""What is special to BeamExplorer: greedy's mistake, the penalty, and tables of one's own."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab.explore import BeamExplorer
from lstm_lab.explore.beam.widget import TABLES
from lstm_lab.models import Seq2Seq
from tests.explore.cases.beam import same
from tests.explore.page import (
    drawn_words,
    settled,
    span,
    state,
    summary,
    unreadable_words,
    widen,
    words,
)


def everything(table, text="", probability=1.0):
    """Every sequence of a table that ends, and its probability."""
    for symbol, share in table[text].items():
        if symbol == "</s>":
            yield text, probability * share
        else:
            yield from everything(table, f"{text} {symbol}".lstrip(), probability * share)


def test_greedy_loses_and_a_beam_of_two_finds_the_likeliest_of_all():
    table = TABLES["the red house"]
    assert sum(share for _, share in everything(table)) == pytest.approx(1)
    best = max(everything(table), key=lambda pair: pair[1])
    greedy, wider = (BeamExplorer(width=width).values() for width in (1, 2))
    assert greedy["best_text"][0] != best[0] == wider["best_text"][0]
    assert wider["found"] == pytest.approx(best[1])
    assert best[1] > 2 * greedy["found"]
    assert greedy["likeliest"] == pytest.approx(best[1])


def test_the_length_penalty_lets_the_longer_one_win():
    source = "thank you very much"
    assert sum(share for _, share in everything(TABLES[source])) == pytest.approx(1)
    short, long = (
        BeamExplorer(source=source, width=3, alpha=alpha).values() for alpha in (0.0, 0.6)
    )
    assert (short["best_text"][0], long["best_text"][0]) == ("merci", "merci beaucoup")
    assert short["found"] > long["found"]


def test_a_table_of_ones_own(node):
    model = Seq2Seq.new(["a cat", "two cats"], ["un chat", "deux\u202f: chats"], 8, 4, seed=0)
    explorer = BeamExplorer(model.continuations("a cat", max_length=6), width=3)
    assert explorer.options("source") == ("own",)
    for width in (1, 2, 3, 4, 5):
        explorer.width = width
        (beam,) = model.beams(["a cat"], width=width, n_best=3, max_length=6)
        found = explorer.values()
        texts = [" ".join(model.target[k] for k in one.ids) for one in beam.best]
        assert found["best_text"].tolist() == texts
        np.testing.assert_allclose(
            found["best_probability"],
            np.exp([one.log_probability for one in beam.best]),
            rtol=1e-5,
        )
        run = node("beam/widget.js", [["runBeam", [explorer.settings(), explorer._own_tables]]])
        same(run[0], explorer)


@pytest.mark.parametrize(
    ("table", "kind", "message"),
    [
        (3, TypeError, "table: expected a mapping"),
        ({"": 3}, TypeError, "table: expected a mapping"),
        ({"a": {"b": 1.0}}, ValueError, "where the search begins"),
        ({"": {"a": 0.5}, "b": {"</s>": 1.0}}, ValueError, "table: lacks what may follow 'a'"),
        ({"": {"a b": 0.5}}, ValueError, "symbols without blanks"),
        ({"": {"</s>": 1.5}}, ValueError, "expected a probability"),
        ({"": {"</s>": 0.0}}, ValueError, "expected a probability"),
        ({"": {"</s>": 0.6, "a": 0.6}, "a": {"</s>": 1.0}}, ValueError, "add up to 1 at most"),
        ({"": {}}, ValueError, "add up to 1 at most"),
    ],
)
def test_other_tables_are_refused(table, kind, message):
    with pytest.raises(kind, match=message):
        BeamExplorer(table)


def test_it_opens_on_greedys_mistake_and_a_wider_beam_mends_it(show):
    page = show(BeamExplorer())
    greedy, question = "Greedy search finds “le foyer rouge”, 12 %.", "Does a wider beam find"
    assert summary(page).startswith(f"{greedy} {question}")
    page.locator("input[data-name=width]").press("ArrowRight")
    page.wait_for_function("document.querySelector('.ll-summary').textContent.startsWith('A beam')")
    assert "“la maison rouge”, 31 %. No width up to 5 finds a better one." in summary(page)
    assert "1. la maison rouge" in words(page)
    page.locator("input[data-name=width]").press("ArrowLeft")
    page.wait_for_function("document.querySelector('.ll-summary').textContent.startsWith('Greedy')")
    assert summary(page).startswith(f"{greedy} It missed “la maison rouge”, 31 %")


def test_step_by_step(show):
    page = show(BeamExplorer(width=2, steps=0))
    for step in (1, 2):
        page.get_by_role("button", name="Step").click()
        assert state(page)["steps"] == step
    page.wait_for_function("document.querySelector('.ll-summary').textContent.includes('step 2')")
    assert "4 dropped" in summary(page)
    page.get_by_role("button", name="Back").click()
    assert state(page)["steps"] == 1


@pytest.mark.parametrize("source", TABLES)
def test_no_word_of_the_tree_meets_another_or_a_line(source, show):
    page = show(BeamExplorer(source=source))
    # JupyterLab leaves a picture as much of a window of 480 px as this page of 396.
    for width in (360, 396, 480, 900, 1280):
        for beam, alpha in ((1, 0), (2, 0.6), (3, 0), (4, 0.6), (5, 0), (5, 0.6)):
            page.evaluate(
                "([w, a]) => { models[0].set('width', w); models[0].set('alpha', a); }",
                [beam, alpha],
            )
            assert unreadable_words(page, width) == [], (width, beam, alpha)


def test_a_narrow_page_shows_the_whole_search_and_its_words(show):
    page = show(BeamExplorer(width=5))
    told = drawn_words(page, 396)
    assert {"step 1", "step 4", "maison", "demeure"} <= {*told}
    page.evaluate("models[0].set('source', 'thank you very much')")
    settled(page)
    assert {"beaucoup", "remercie"} <= {*drawn_words(page, 396)}


def test_the_controls_stand_by_the_tree(show):
    page = show(BeamExplorer(source="thank you very much", width=5, alpha=0.6))
    for width in (396, 480):
        widen(page, width)
        assert span(page, "canvas", ".ll-group:last-of-type") <= 500, width
        assert span(page, *2 * [".lstm-lab-explorer"]) <= 690, width
