"""SamplingExplorer: long texts leave the controls in sight of what they move."""

from __future__ import annotations

import pytest

from lstm_lab.explore import SamplingExplorer
from tests.explore.page import crowded_words, drag, settled, span, state, widen

LINE = "def open(path, mode, encoding='utf-8'):\n"
TEXT = (6 * LINE)[:240]
BOX = ".ll-level:not([hidden]) .ll-text-box"
IN_SIGHT = f"""() => {{
  const {{ scrollTop, clientHeight, scrollHeight }} = document.querySelector('{BOX}');
  return [scrollTop, scrollHeight - scrollTop - clientHeight, clientHeight];
}}"""


def test_of_a_long_text_the_end_is_in_sight_and_the_rest_on_demand(show):
    page = show(SamplingExplorer(text=TEXT), width=396)
    above, below, high = settled(page, IN_SIGHT)
    assert above > 20 and below <= 1 and high <= 100
    more = page.get_by_role("button", name="4 of 7 lines in view. Show all")
    more.click()
    assert settled(page, IN_SIGHT)[:2] == [0, 0]
    page.get_by_role("button", name="Show only 4 lines").click()
    assert settled(page, IN_SIGHT)[2] == high
    # A text that is short has nothing to open.
    page.evaluate("line => models[0].set('text', line)", LINE)
    settled(page)
    assert more.count() == 0


def test_what_is_written_stays_in_sight(show):
    page = show(SamplingExplorer(text=TEXT[:160]), width=480)
    field = page.locator("textarea[data-name=text]").first
    field.press("Control+Home")
    assert settled(page, IN_SIGHT)[0] < 10
    field.press("Control+End")
    for _ in range(4):
        field.press("Enter")
        assert settled(page, IN_SIGHT)[1] <= 1
    assert state(page)["text"].endswith("\n\n\n\n")


def test_the_mark_inside_is_in_sight(show):
    page = show(SamplingExplorer(text=TEXT, path="connectivity"), width=480)
    assert settled(page, IN_SIGHT)[1] <= 1
    page.evaluate("models[0].set('at', 3)")
    assert settled(page, IN_SIGHT)[0] == 0
    drag(page, "at", 400)
    assert settled(page, IN_SIGHT)[1] <= 1


@pytest.mark.parametrize("path", SamplingExplorer.levels)
def test_the_controls_stand_by_the_picture(path, show):
    page = show(SamplingExplorer(text=TEXT, length=120, path=path))
    for width in (396, 480):
        widen(page, width)
        settled(page)
        assert span(page, BOX, ".ll-group:last-of-type") <= 690, width
        assert span(page, ".ll-group", ".ll-group:last-of-type") <= 220, width


def test_small_probabilities_keep_clear_of_one_another(show):
    page = show(SamplingExplorer(text=TEXT, temperature=1, top_p=1))
    for width in (396, 1280, 1600):
        assert crowded_words(page, width) == [], width
