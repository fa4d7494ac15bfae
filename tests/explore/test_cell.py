"""CellExplorer: one step by hand, and through time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lstm_lab import LSTM, RNN
from lstm_lab.explore import CellExplorer, SequenceExplorer
from lstm_lab.explore.core.lstm import QUANTITIES
from tests.explore.page import focused, state, summary, text


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def test_a_step_by_hand():
    cell = CellExplorer(x=0.5, h_prev=-0.2, c_prev=1.5, b_f=2)
    values = cell.values()
    assert values["a_f"] == pytest.approx(0.4 * 0.5 + 0.3 * -0.2 + 2)
    assert values["f"] == pytest.approx(sigmoid(values["a_f"]))
    assert values["g"] == pytest.approx(math.tanh(values["a_g"]))
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
    assert "forget gate" in text(inspector)
    page.locator("button[data-q=o]").focus()
    assert state(page)["selected"] == "o"
    o = CellExplorer().values()["o"]
    assert f"= {o:.2f}" in text(inspector)
    page.locator("button[data-q=h]").hover()
    assert "hidden state" in text(inspector)
    page.mouse.move(2, 2)
    assert "output gate" in text(inspector)


def test_advance_and_reset(show):
    page, copy = show(CellExplorer(c_prev=0.5)), CellExplorer(c_prev=0.5)
    for _ in range(3):
        page.get_by_role("button", name="Advance").press("Enter")
        copy.advance()
    now = state(page)
    assert now["c_prev"] == pytest.approx(copy.c_prev)
    assert now["h_prev"] == pytest.approx(copy.h_prev)
    assert (now["step"], text(page.locator(".ll-time"))) == (4, "step 4")
    page.get_by_role("button", name="Reset").click()
    assert state(page)["c_prev"] == 0.5
    assert text(page.locator(".ll-time")) == "step 1"


def test_the_cell_fits_a_first_screen(show):
    page = show(CellExplorer(), width=1200)
    assert page.locator(".lstm-lab-explorer").bounding_box()["height"] <= 550


class TestOwnLayer:
    """One unit of a layer that the reader has trained or loaded."""

    @staticmethod
    def layer():
        lstm, x = LSTM(3, 5, seed=1), np.random.default_rng(0).normal(size=(20, 3))
        for array in lstm.params.values():
            array *= 2
        return lstm, x

    @pytest.mark.parametrize("step", [1, 7, 20, 500])
    def test_shows_the_layers_own_step(self, step, show):
        lstm, x = self.layer()
        cell = CellExplorer(lstm, x, layer_unit=3, step=step)
        _, trace = lstm.forward(x[:, None].astype("float32"))
        t, values = min(step, 20) - 1, cell.values()
        for letter, name in QUANTITIES.items():
            assert values[letter] == pytest.approx(getattr(trace, name)[t, 0, 2], abs=1e-5)
        page = show(cell)
        c = f"{values['c']:.2f}".replace("-", "−")
        assert f"the new cell state is {c}" in summary(page)
        assert f"step {t + 1} of 20" in text(page.locator(".ll-time"))

    def test_a_bias_asks_what_if_at_this_step(self, show):
        lstm, x = self.layer()
        cell = CellExplorer(lstm, x, layer_unit=3, step=7)
        before = cell.values()
        cell.b_f = before["a_f"] + 9
        after = cell.values()
        assert after["f"] > 0.99
        assert (after["i"], after["g"]) == (before["i"], before["g"])
        page = show(CellExplorer(lstm, x, layer_unit=3, step=7))
        page.locator("input[data-name=b_f]").press("End")
        page.get_by_role("button", name="Advance").click()
        now = CellExplorer(lstm, x, layer_unit=3, step=8, b_f=8).values()
        c = f"{now['c']:.2f}".replace("-", "−")
        assert f"the new cell state is {c}" in summary(page)

    def test_advance_stops_at_the_end(self):
        cell = CellExplorer(*self.layer(), step=19)
        for _ in range(3):
            cell.advance()
        assert cell.step == 20

    def test_its_setting_names_what_it_was_given(self):
        lstm, x = self.layer()
        cell = CellExplorer(lstm, x, layer_unit=3, b_f=3)
        assert cell.setting == "CellExplorer(layer=layer, x=x, layer_unit=3, b_f=3)"
        cell.setting = "CellExplorer(layer=mine, x=data, layer_unit=3, step=4)"
        assert (cell.step, cell.b_f) == (4, pytest.approx(float(lstm.params["bias_l0"][12])))
        for wrong, message in {
            "CellExplorer(layer=mine, x=data, layer_unit=4)": "expected layer_unit=3",
            "CellExplorer(layer=mine, x=0.5, layer_unit=3)": "x",
        }.items():
            with pytest.raises(ValueError, match=message):
                cell.setting = wrong
        with pytest.raises(ValueError, match="layer=mine belongs to an explorable"):
            CellExplorer().setting = "CellExplorer(layer=mine)"

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"layer": RNN(1, 2)}, TypeError, "layer: expected an LSTM, got RNN"),
            ({"layer": LSTM(2, 2)}, ValueError, "x: the layer takes 2 features a step"),
            ({"layer": LSTM(1, 2), "layer_unit": 3}, ValueError, "layer_unit: .* 1 to 2, got 3"),
            ({"layer_unit": 2}, ValueError, "layer_unit: expected 1, as there is no layer"),
            ({"layer": LSTM(2, 2), "x": np.ones((3, 1))}, ValueError, "x: expected 2 features"),
            ({"layer": LSTM(2, 2), "x": [[1, math.nan]]}, ValueError, "x: expected finite"),
            ({"layer": LSTM(1, 2, peepholes=True)}, ValueError, "layer: .* got a variant"),
            ({"layer": LSTM(1, 4, proj_size=2)}, ValueError, "layer: .* got a variant"),
            ({"layer": LSTM(1, 2, layer_norm=True)}, ValueError, "layer: .* got a variant"),
            ({"layer": LSTM(1, 2, coupled=True)}, ValueError, "layer: .* got a variant"),
            ({"layer": LSTM(1, 2, forget_gate=False)}, ValueError, "layer: .* got a variant"),
        ],
    )
    def test_refuses_what_it_cannot_show(self, arguments, error, message):
        with pytest.raises(error, match=message):
            CellExplorer(**arguments)

    def test_one_step_alone(self, show):
        page = show(CellExplorer(LSTM(1, 1, seed=0), [0.5]))
        page.get_by_role("button", name="Advance").click()
        assert "step 1 of 1" in text(page.locator(".ll-time"))
        assert "NaN" not in summary(page)


@pytest.mark.parametrize("path", [p for p in CellExplorer.levels if p.count("/") == 0 and p])
def test_inside_a_number_is_what_makes_it(path, show):
    cell = CellExplorer(path=path, h_prev=0.3, c_prev=-1.2)
    page, values = show(cell), cell.values()
    number = f"{values[path]:.2f}".replace("-", "−")
    assert number in summary(page)
    rows = page.locator(".ll-row")
    assert rows.count() == (1 if path == "h" else 2)
    rows.last.press("Enter")
    a, b = {
        "c": (values["i"], values["g"]), "h": (values["o"], math.tanh(values["c"])),
    }.get(path, (getattr(cell, f"u_{path}", 0), cell.h_prev))  # fmt: skip
    assert f"{a:.2f} times {b:.2f} is {a * b:.2f}".replace("-", "−") in summary(page)
    for _ in range(2):
        page.keyboard.press("Escape")
    assert state(page)["path"] == ""
    assert focused(page, "(node) => node.dataset.q") == path
