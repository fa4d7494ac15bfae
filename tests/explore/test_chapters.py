"""What chapters 1 to 3 ask of their pictures happens, from the setting that the reader finds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lstm_lab.explore import GradientFlowExplorer, SequenceExplorer
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
    exec(body, scope)  # noqa: S102
    return eval(last, scope)  # noqa: S307


def set_slider(page, name, value):
    slider = page.locator(f"input[type=range][data-name={name}]").first
    slider.evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input',"
        " {bubbles: true})); node.dispatchEvent(new Event('change', {bubbles: true})); }",
        str(value),
    )


def cell_after(page):
    """The new cell state, by the library, at the setting that the page is at."""
    from lstm_lab.explore import CellExplorer

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
