"""CellExplorer: one step by hand, and through time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lstm_lab.explore import CellExplorer, SequenceExplorer
from tests.explore.page import state, summary


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def test_a_step_by_hand():
    cell = CellExplorer(x=0.5, h_prev=-0.2, c_prev=1.5, b_f=2)
    values = cell.values()
    assert values["z_f"] == pytest.approx(0.4 * 0.5 + 0.3 * -0.2 + 2)
    assert values["f"] == pytest.approx(sigmoid(values["z_f"]))
    assert values["g"] == pytest.approx(math.tanh(values["z_g"]))
    assert values["c"] == pytest.approx(values["f"] * 1.5 + values["i"] * values["g"])
    assert values["h"] == pytest.approx(values["o"] * math.tanh(values["c"]))


def test_advance_walks_through_time_as_the_sequence_does():
    cell = CellExplorer(x=1, c_prev=0)
    shared = {k: v for k, v in cell.settings().items() if k[:2] in ("b_", "w_", "u_")}
    sequence = SequenceExplorer(preset="step", length=10, **shared).values()
    for t in range(10):
        cell.advance()
        assert cell.c_prev == pytest.approx(sequence["c"][t])
        assert cell.h_prev == pytest.approx(sequence["h"][t])
    assert cell.step == 11
    cell.reset()
    assert (cell.c_prev, cell.h_prev, cell.step) == (0, 0, 1)


def test_advance_stays_within_the_range():
    cell = CellExplorer(c_prev=1000, b_f=8, b_i=8, b_g=8)
    cell.advance()
    assert cell.c_prev <= 1000


def test_numbers_show_their_formula_by_keyboard_and_by_pointer(show):
    page = show(CellExplorer())
    inspector = page.locator(".ll-inspector")
    assert "forget gate" in inspector.inner_text()
    page.locator("button[data-q=o]").focus()
    assert state(page)["selected"] == "o"
    o = CellExplorer().values()["o"]
    assert f"= {o:.2f}" in inspector.inner_text()
    page.locator("button[data-q=h]").hover()
    assert "hidden state" in inspector.inner_text()
    page.mouse.move(2, 2)
    assert "output gate" in inspector.inner_text()


def test_advance_and_reset(show):
    page, copy = show(CellExplorer(c_prev=0.5)), CellExplorer(c_prev=0.5)
    for _ in range(3):
        page.get_by_role("button", name="Advance").press("Enter")
        copy.advance()
    now = state(page)
    assert now["c_prev"] == pytest.approx(copy.c_prev)
    assert now["h_prev"] == pytest.approx(copy.h_prev)
    assert (now["step"], page.locator(".ll-time").inner_text()) == (4, "step 4")
    page.get_by_role("button", name="Reset").click()
    assert state(page)["c_prev"] == 0.5
    assert page.locator(".ll-time").inner_text() == "step 1"


def test_the_cell_fits_a_first_screen(show):
    page = show(CellExplorer(), width=1200)
    assert page.locator(".lstm-lab-explorer").bounding_box()["height"] <= 520
