"""What is special to EnvelopeExplorer: it is drawn in, locked, opened; and nothing leaks before."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from lstm_lab.data import Climatology, load
from lstm_lab.explore import EnvelopeExplorer
from lstm_lab.explore.envelope import envelopes
from tests.explore.page import picture, pull, settled, state, summary, widen, words

PLACE = """() => {
  const { left, top, width, height } = document.querySelector('canvas').getBoundingClientRect();
  return [left, top, width, height];
}"""
HANDLE = "[role=slider][aria-label^='your forecast']"


def drawn(page):
    pairs = (each.split(":") for each in state(page)["drawn"].split())
    return {int(step): float(value) for step, value in pairs}


@pytest.mark.parametrize("width", [480, 1200])
def test_a_forecast_is_drawn_locked_and_opened(width, show):
    page = show(EnvelopeExplorer(), width=width)
    left, top, wide, high = settled(page, PLACE)
    # The past is not drawn in, and moves nothing.
    pull(page, (left + 0.3 * wide, top + 0.4 * high), (left + 0.5 * wide, top + 0.4 * high))
    assert drawn(page) == {}
    y = top + 0.3 * high
    pull(page, (left + 0.8 * wide, y), (left + wide - 14, y), steps=2)
    said = drawn(page)
    assert set(said) >= set(range(7, 13)), "the steps between two moves are drawn too"
    assert np.ptp(list(said.values())) < 0.15 and min(said.values()) > 1
    assert "what came" not in words(page)
    page.get_by_role("button", name="Commit and open").click()
    assert state(page)["opened"]
    own = EnvelopeExplorer(drawn=state(page)["drawn"], opened=True).values()
    assert f"{own['rmse_own']:.2f}" in summary(page)
    before = picture(page)
    pull(page, (left + 0.8 * wide, y + 90), (left + wide - 20, y + 90))
    page.locator(HANDLE).press("ArrowUp")
    assert drawn(page) == said, "it is locked"
    page.get_by_role("button", name="Next envelope").click()
    at = state(page)
    assert (at["envelope"], at["drawn"], at["opened"]) == (2, "", False)
    assert picture(page) != before
    assert page.get_by_role("button", name="Commit and open").is_enabled()


def test_the_keys_draw_step_by_step(show):
    page = show(EnvelopeExplorer(envelope=9))
    handle = page.locator(HANDLE)
    start = EnvelopeExplorer(envelope=9).values()["own"][0]
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "ArrowRight", "PageDown", "ArrowLeft"):
        handle.press(key)
    settled(page)
    assert drawn(page) == pytest.approx({2: round(start + 4), 3: max(0, round(start - 20))}, abs=1)
    assert state(page)["step"] == 2
    assert handle.get_attribute("aria-valuetext").endswith(" in 1894")


def test_the_last_envelope_is_followed_by_the_first(show):
    page = show(EnvelopeExplorer(envelope=14))
    page.get_by_role("button", name="Next envelope").click()
    assert state(page)["envelope"] == 1


def test_a_shut_envelope_says_nothing_of_what_came():
    shut, opened = EnvelopeExplorer(envelope=6), EnvelopeExplorer(envelope=6, opened=True)
    assert set(shut.values()) == {"seen", "own"}
    assert "rmse" not in shut.describe() and "rmse_lstm" in opened.describe()


@pytest.mark.parametrize("wrong", ["1", "1:", "a:1", "1:2,3:4", "1:2  2:3"])
def test_a_drawing_that_is_none_is_refused(wrong):
    with pytest.raises(traitlets.TraitError, match="drawn: expected step:value"):
        EnvelopeExplorer(drawn=wrong)


def test_what_is_shipped_is_the_record():
    """Values and dates; the networks are not trained anew here."""
    sun, sea = load("sunspots"), load("el_nino")
    for number, each in enumerate(envelopes.shipped()):
        how = envelopes.RECORDS["el_nino" if number < 8 else "sunspots"]
        series = sea if number < 8 else sun
        at = round((each["from"] - series.times[0]) * how["period"])
        values = series.values
        if number < 8:
            block = len(values) - (4 - number // 2) * 120
            values = Climatology.fit(values[: block - 96], 12)(values)
            assert at + how["shown"] == block + how["moments"][number % 2]
        shown = values[at : at + how["shown"] + 12]
        # Rounded to a digit more than is drawn.
        half = 0.5 * 10.0 ** -(each["digits"] + 1) * (1 + 1e-6)
        np.testing.assert_allclose([*each["seen"], *each["truth"]], shown, atol=half, rtol=0)
        assert each["said"]["stay"] == [each["seen"][-1]] * 12
        assert set(each["said"]) == set(envelopes.METHODS)
        assert all(len(said) == 12 for said in each["said"].values())


def test_every_value_fits_the_axis(show):
    page = show(EnvelopeExplorer(opened=True), width=480)
    for number in range(1, 15):
        settled(page, "(k) => models[0].set('envelope', k)", number)
        lows, highs = ((-3, 5), (0, 200))[number > 8]
        shown = envelopes.shipped()[number - 1]
        every = [*shown["seen"], *shown["truth"], *(v for s in shown["said"].values() for v in s)]
        assert lows <= min(every) and max(every) <= highs, number
    widen(page, 360)
    assert "NaN" not in words(page)
