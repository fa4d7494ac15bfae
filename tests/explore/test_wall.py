"""WallExplorer: what the shipped network has learnt, and what is its own."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from lstm_lab.data import load
from lstm_lab.explore import WallExplorer
from lstm_lab.explore.wall import film
from tests.explore.page import settled, state, summary


def test_the_shipped_network_is_small_and_has_learnt():
    assert film.FILE.stat().st_size < 300_000
    held = film.clips(load("digits").test, 300, 1)
    # Of the frame before 11; who is told all but the digit has 4.7.
    assert film.error(held) < 2.5


def test_packing_loses_little():
    made = film.network()
    arrays = film.pack(made.params)
    for name in film.MATRICES:
        again = arrays[name] * arrays[f"{name}.scale"][:, None]
        assert abs(again - made.params[name]).max() <= 0.51 * arrays[f"{name}.scale"].max()
        assert arrays[name].dtype == np.int8 and abs(arrays[name]).max() == 127


def test_it_begins_where_the_memory_matters():
    values = WallExplorer().values()
    first = values["out"] - 1
    assert WallExplorer().frame == values["out"]
    assert values["kept"][first] < 0.6 * min(values["gone"][first], values["copy"][first])


@pytest.mark.parametrize("speed", [2, 3])
def test_with_the_memory_erased_no_digit_is_another(speed):
    """After it only empty frames are read, the same ones whatever the digit was."""
    found = []
    for digit in range(10):
        explorer = WallExplorer(digit=digit, speed=speed, erased=True)
        values = explorer.values()
        assert explorer.hidden()[values["out"] - 2]
        found.append(values["prediction"][values["out"] - 1])
    np.testing.assert_array_equal(found, np.tile(found[0], (10, 1)))
    explorer.erased = False
    kept = explorer.values()["prediction"][values["out"] - 1]
    assert abs(kept - found[0]).max() > 0.05


def test_the_ten_digits_are_from_the_test_part():
    test = load("digits").test
    for digit, image in enumerate(film.ten_digits()):
        (row,) = np.flatnonzero((test.images[:, :, film.INK] == image).all(axis=(1, 2)))[:1]
        assert test.labels[row] == digit


@pytest.mark.parametrize(
    ("setting", "out", "hides"),
    [
        ({"width": 0}, 0, False),
        ({"width": 5}, 0, False),
        ({"width": 15, "wall": 12, "speed": 2}, 12, True),
    ],
)
def test_what_the_wall_hides(setting, out, hides):
    explorer = WallExplorer(**setting)
    assert explorer.hidden().any() == hides and explorer.values()["out"] == out
    assert ("erased" in explorer.describe()) == hides


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"digit": 10}, "digit: expected"),
        ({"width": 16}, "width: expected"),
        ({"frame": 0}, "frame"),
    ],
)
def test_settings_that_are_none(setting, message):
    with pytest.raises(traitlets.TraitError, match=message):
        WallExplorer(**setting)


def test_it_plays_pauses_and_steps(show):
    page = show(WallExplorer(frame=14))
    assert "In frame 9 the digit comes out" in summary(page)
    page.get_by_role("button", name="Step").click()
    settled(page)
    assert state(page)["frame"] == 15
    page.get_by_role("button", name="Back").click()
    settled(page)
    assert state(page)["frame"] == 14
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('[data-name=frame]').value === '16'")
    page.get_by_role("button", name="Play").wait_for()  # It has stopped at the end.
    page.locator("[data-name=frame]").focus()
    page.keyboard.press("ArrowLeft")
    settled(page)
    assert state(page)["frame"] == 15


def test_a_reader_who_wants_calm_gets_a_frame_a_second(show):
    page = show(WallExplorer(frame=1), reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(500)
    # The first step at once, and no other within half a second; six a second otherwise.
    assert state(page)["frame"] == 2
    page.get_by_role("button", name="Pause").click()


def test_a_click_on_a_row_chooses_its_cell_and_frame(show):
    page = show(WallExplorer())
    box = page.locator("canvas").nth(1).bounding_box()
    wide = (box["width"] - 50) / 16
    page.mouse.click(box["x"] + 42 + 4.5 * wide, box["y"] + 22 + 96 * 10.5 / 128)
    settled(page)
    now = state(page)
    assert (now["frame"], now["cell"]) == (5, 11)


def test_cell_66_follows_the_speed_and_cell_119_the_digit():
    """Chapter 16 says so; in the last frame in which nothing is seen."""
    states = []
    for digit in range(10):
        for speed in film.SPEEDS:
            values = WallExplorer(digit=digit, speed=speed).values()
            states.append(np.tanh(values["cell"][values["out"] - 2]))
    states = np.reshape(states, (10, 2, -1))
    centred = states - states.mean(axis=(0, 1))
    whole = (centred**2).sum(axis=(0, 1))
    by_digit = 2 * (centred.mean(axis=1) ** 2).sum(axis=0) / whole
    by_speed = 10 * (centred.mean(axis=0) ** 2).sum(axis=0) / whole
    assert by_speed[65] > 0.9 and by_digit[65] < 0.1
    assert by_digit[118] > 0.75 and by_speed[118] < 0.1
