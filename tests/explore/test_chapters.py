"""What chapters 1 to 3 ask of their pictures happens, from the setting that the reader finds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from lstm_lab import RNN
from lstm_lab.explore import CellExplorer, GradientFlowExplorer, SequenceExplorer
from tests.explore.page import drag, state

BOOK = Path(__file__).resolve().parents[2] / "book"


def picture_of(chapter: str, name: str):
    """The first picture ``name`` of a chapter, as its cell makes it."""
    cells = json.loads((BOOK / chapter).read_text(encoding="utf-8"))["cells"]
    source = next(
        "".join(cell["source"])
        for cell in cells
        if cell["cell_type"] == "code" and f"{name}(" in "".join(cell["source"])
    )
    body, _, last = source.rstrip().rpartition("\n")
    scope: dict = {}
    with patch.dict(os.environ):  # a chapter may choose its backend there
        exec(body, scope)
        return eval(last, scope)


def set_slider(page, name, value):
    slider = page.locator(f"input[type=range][data-name={name}]").first
    slider.evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input',"
        " {bubbles: true})); node.dispatchEvent(new Event('change', {bubbles: true})); }",
        str(value),
    )


def cell_after(page):
    """The new cell state, by the library, at the setting that the page is at."""
    now = state(page)
    return CellExplorer(**{name: now[name] for name in CellExplorer.controls()}).values()["c"]


def test_chapter_3_opens_shuts_advances_and_writes(show):
    page = show(picture_of("03-memory-cell.ipynb", "CellExplorer"))
    assert state(page)["c_prev"] == 2
    set_slider(page, "b_f", 5)
    assert cell_after(page) == pytest.approx(1.99, abs=0.005)
    set_slider(page, "b_f", -5)
    assert cell_after(page) == pytest.approx(0.01, abs=0.005)
    set_slider(page, "b_f", 2)
    memory = [state(page)["c_prev"]]
    for _ in range(5):
        page.get_by_role("button", name="Advance").click()
        memory.append(state(page)["c_prev"])
    np.testing.assert_allclose(np.divide(memory[1:], memory[:-1]), 0.88, atol=0.005)
    set_slider(page, "x", 1)
    for _ in range(3):
        page.get_by_role("button", name="Advance").click()
        memory.append(state(page)["c_prev"])
    assert memory[-1] > memory[-2] > memory[-3] > memory[-4]


def spikes(**setting):
    """What each spike adds to the cell state, and what comes between two of them."""
    values = SequenceExplorer(preset="spikes", **setting).values()
    c, at = values["c"], np.flatnonzero(values["x"] > 0.5)
    before = np.concatenate([[0], c])[at]
    return c[at] - before, before[1:] - c[at][:-1], c[-1]


def test_chapter_3s_counter():
    """Exercise 2: what counts, what spoils the count, and what mends it."""
    adds, between, _ = spikes(b_f=8)
    assert 0.845 < adds.min() <= adds.max() < 0.865 and -0.025 < between.min()
    adds, between, _ = spikes(b_f=3)
    assert adds.min() > 0.8 and adds[-1] + between[-1] < 0.03
    assert spikes(b_f=8, b_g=0.5)[2] == pytest.approx(31, abs=0.5)
    adds, between, _ = spikes(b_f=8, b_g=0.5, b_i=-4)
    assert 0.115 < adds.min() <= adds.max() < 0.135
    assert between == pytest.approx(0.08, abs=0.005)
    adds, between, _ = spikes(b_f=8, b_g=0.5, b_i=-6, w_i=5)
    assert 0.265 < adds.min() <= adds.max() < 0.3 and between.max() <= 0.0105


def test_chapter_3s_pulses(show):
    """Section 4: gone within a few steps; added on top; next to nothing gets in."""
    assert abs(SequenceExplorer(b_f=0).values()["c"][60]) < 0.05
    page = show(SequenceExplorer())
    drag(page, "b_i", -200)
    assert state(page)["b_i"] < -5
    assert abs(SequenceExplorer(b_i=-8).values()["c"]).max() < 0.02
    kept = SequenceExplorer(b_f=5).values()["c"]
    assert kept.argmax() >= 50 and kept.max() > 1.2 * kept[:45].max()


def test_chapter_2_opens_with_an_exact_law():
    """Inputs and biases of 0 leave the states at 0: ρ to the power of the steps, on any seed."""
    view = picture_of("02-vanishing-gradients.ipynb", "GradientFlowExplorer")
    for radius in (0.9, 1.1):
        view.radius = radius
        values = view.values()
        assert values["own_left"] == pytest.approx(99 * np.log10(radius), abs=1e-4)
        assert values["layer_left"] == pytest.approx(0, abs=1e-4)
    for seed in range(16):
        silent = RNN(1, 8, init="orthogonal", seed=seed)
        silent.params["bias_l0"][:] = 0
        view = GradientFlowExplorer(silent, np.zeros(100), radius=1.1)
        assert view.values()["own_left"] == pytest.approx(99 * np.log10(1.1), abs=1e-4)


def test_chapter_2s_thick_line_keeps_half():
    """Exercise 2: at 5.1 half is left of the gradient of the memory, at 4.97 0.45."""
    for b_f, left in ((5.1, 0.5), (4.97, 0.45)):
        c = GradientFlowExplorer(seed=6, length=101, b_f=b_f).values()["own_c"]
        assert 10 ** (c[0] - c[-1]) == pytest.approx(left, abs=0.008)
