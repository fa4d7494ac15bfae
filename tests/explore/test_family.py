"""What is special to FamilyExplorer: what each variant can and cannot do, one's own layer."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, BiLSTM
from lstm_lab.explore import FamilyExplorer
from lstm_lab.explore.family.widget import INSIDE, kept
from tests.explore.cases import case_of
from tests.explore.page import (
    copy_of,
    drag,
    finish,
    picture,
    settled,
    state,
    summary,
    text,
    widen,
)

CASE = case_of(FamilyExplorer)

LAYERS = {
    "RNN": (RNN, {}),
    "1997": (LSTM, {"forget_gate": False}),
    "1997 with peepholes": (LSTM, {"forget_gate": False, "peepholes": True}),
    "LSTM": (LSTM, {}),
    "peepholes": (LSTM, {"peepholes": True}),
    "CIFG": (LSTM, {"coupled": True}),
    "CIFG with peepholes": (LSTM, {"coupled": True, "peepholes": True}),
    "GRU": (GRU, {}),
    "GRU, reset before": (GRU, {"reset_after": False}),
}


@pytest.fixture
def story(node):
    """``story("drift")``: the explorable at that setting."""
    return lambda name: FamilyExplorer(**node("family/variants.js", [["storySetting", [name]]])[0])


def layer(name, features, hidden, seed=0, **options):
    kind, variant = LAYERS[name]
    made = kind(features, hidden, backend="numpy", dtype="float64", **variant, **options)
    rng = np.random.default_rng(seed)
    for array in made.params.values():
        array[...] = rng.normal(0, 1.2, array.shape)
    return made


def minus(text):
    return text.replace("-", "−")


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("hidden", [1, 5])
def test_the_browser_computes_a_layer_as_the_library_does(name, hidden, node):
    for seed, preset in enumerate(("noise", "spikes")):
        own = layer(name, 1, hidden, seed)
        widget = FamilyExplorer(own, layer_unit=hidden, preset=preset, length=40, period=9)
        module, function, arguments = CASE.js(widget)
        CASE.same(node(module, [[function, arguments]])[0], widget)
        x = widget.values()["x"][:, None, None]
        h = own.forward(x)[1].hidden[:, 0, hidden - 1]
        np.testing.assert_allclose(widget.values()["own_h"], h, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "1997 with peepholes"])
def test_the_number_of_weights(name, node):
    own = layer(name, 1, 5)
    shape = FamilyExplorer(own)._shape
    [size] = node("family/variants.js", [["sizeOf", [shape]]])
    for D, H in ((1, 1), (7, 11)):
        counted = sum(array.size for array in layer(name, D, H).params.values())
        assert counted == size["blocks"] * H * (D + H + 1) + size["extra"] * H
    assert size["gates"] == len(own.cell.gates) - ("candidate" in own.cell.gates)


def test_a_single_unit_is_the_same_in_both_forms_of_the_gru():
    widget = FamilyExplorer(u=1.3, w_i=2, preset="noise", length=60)
    after = widget.variants()["gru"]
    before = GRU(1, 1, backend="numpy", dtype="float64", reset_after=False)
    for name, array in before.params.items():
        array[...] = after.params[name][: len(array)]
    x = widget.values()["x"][:, None, None]
    np.testing.assert_allclose(before.forward(x)[0], after.forward(x)[0], atol=1e-15)


def test_an_lstm_can_be_made_a_cifg():
    """Exercise 3 of chapter 7."""
    values = FamilyExplorer(preset="noise", b_f=1.5, b_i=-1.5, u=0).values()
    np.testing.assert_allclose(values["lstm_c"], values["cifg_c"], atol=1e-14)
    values = FamilyExplorer(preset="noise", b_f=1.5, b_i=-1.5, u=0.5).values()
    assert np.abs(values["lstm_c"] - values["cifg_c"]).max() > 0.05


class TestWhatIsLeft:
    def test_by_hand(self, node):
        cases = [
            # memory with, without, first; left, half
            ([0, 1, 0.5, 0.25, 0.125], [0] * 5, 1, 0.125, 1),
            ([0, 1, 0.8, 0.64, 0.3], [0] * 5, 1, 0.3, 3),
            ([0, 1, 0.8, 0.64, 0.6], [0] * 5, 1, 0.6, 5),  # never below half: T
            ([0, -1, 0.2, -0.7, 0.1], [0, 0, 0, 0, 0.2], 1, 0.1, 3),  # for good, and either sign
            ([3, 2, 2], [3, 2, 2], 0, 0, 0),  # nothing got in
            ([3, 2, 2], [3 + 1e-13, 2, 2], 0, 0, 0),
        ]
        calls = [["keptOf", [memory, without, first]] for memory, without, first, *_ in cases]
        for case, js in zip(cases, node("family/variants.js", calls), strict=True):
            memory, without, first, left, half = case
            got = kept(np.array(memory, float), np.array(without, float), first)
            assert got == (pytest.approx(left), half)
            assert (js["left"], js["half"]) == (pytest.approx(left), half)

    def test_a_forget_gate_alone_gives_its_own_half_life(self):
        f = 1 / (1 + np.exp(-3.0))
        values = FamilyExplorer(preset="impulse", length=200, b_f=3, u=0, p=0).values()
        after = 200 - 1 - 200 // 20
        for name in ("lstm", "peepholes", "cifg", "gru"):
            assert values[f"{name}_half"] == int(np.ceil(np.log(0.5) / np.log(f)))
            assert values[f"{name}_left"] == pytest.approx(f**after, rel=1e-9)
        assert values["cell1997_left"] == pytest.approx(1)
        assert values["rnn_left"] == 0


class TestStories:
    def test_drift_and_its_remedies(self, story):
        drift, remedy = story("drift").values(), story("remedy").values()
        assert FamilyExplorer().settings() == story("drift").settings()
        far = {name: np.abs(drift[f"{name}_c"]).max() for name in ("cell1997", "lstm")}
        assert far["cell1997"] > 5 * far["lstm"]
        slow = np.abs(remedy["cell1997_c"])
        assert slow.max() < 0.1 * far["cell1997"]
        longer = FamilyExplorer(**{**story("remedy").settings(), "length": 500}).values()
        assert np.abs(longer["cell1997_c"]).max() > slow.max()  # delayed, not ended
        held = FamilyExplorer(**{**story("drift").settings(), "b_f": 20}).values()
        np.testing.assert_allclose(held["lstm_c"], held["cell1997_c"], atol=1e-3)

    def test_who_can_count(self, story):
        widget = story("counting")
        values = widget.values()
        pulses = np.cumsum(values["x"] > 0)
        for name in ("cell1997", "lstm", "peepholes"):
            assert np.corrcoef(values[f"{name}_c"], pulses)[0, 1] > 0.999
            assert values[f"{name}_c"][-1] > 9
        replaced = story("replacing").values()
        assert replaced["lstm_c"][-1] > 8
        for name in ("cifg_c", "gru_h"):
            assert np.abs(values[name]).max() < 0.01
            assert 0.9 < replaced[name][-1] <= replaced[name].max() < 1

    def test_a_shut_output_and_peepholes(self, story):
        values = story("shut").values()
        assert np.abs(values["lstm_h"]).max() < 0.001
        assert values["peepholes_o"][50] < 0.1
        assert values["peepholes_h"][-1] > 0.9
        # The other way round, the gate that writes shuts itself.
        settings = {**story("shut").settings(), "p": -2.0, "b_i": 0.0}
        values = FamilyExplorer(**settings).values()
        assert values["peepholes_c"].max() < 0.6 * values["lstm_c"].max()

    def test_a_button_shows_its_story(self, show):
        page = show(FamilyExplorer(path="gru"))
        button = page.get_by_role("button", name="CIFG cannot count")
        assert button.get_attribute("aria-pressed") == "false"
        button.press("Enter")
        settled(page)
        assert button.get_attribute("aria-pressed") == "true"
        assert "in the place of what is there" in text(page.locator(".ll-kin-see"))
        assert state(page)["path"] == "gru"
        values = copy_of(CASE, page).values()
        assert f"GRU: h is {values['gru_h'][-1]:.2f} at the end" in summary(page)
        page.locator("input[data-name=b_f]").press("ArrowLeft")
        settled(page)
        assert button.get_attribute("aria-pressed") == "false"
        assert "Your own setting" in text(page.locator(".ll-kin-see"))


def test_what_is_inside_a_number_makes_the_number(node):
    """In each variant: the terms of a sum add up to it, and its activation gives the value."""
    widget = FamilyExplorer(preset="noise", length=12, u=0.7, p=-0.6, w_i=1.5, b_i=-1, b_g=0.3)
    module, function, arguments = CASE.js(widget)
    [run] = node(module, [[function, arguments]])
    calls, expected = [], []
    values = widget.values()
    for key, letters in INSIDE.items():
        for q in letters:
            for t in (0, 7):
                of = {**run["variants"][key], "x": run["x"]}
                calls.append(["insideOf", [widget.settings(), of, q, t]])
                expected.append(values[f"{key}_{q}"][t])
    sigmoid = {"": lambda a: a, "tanh": np.tanh, "σ": lambda a: 1 / (1 + np.exp(-a))}
    for call, told, value in zip(calls, node("family/words.js", calls), expected, strict=True):
        total = sum(term["value"] for term in told["terms"])
        products = [np.prod([factor for _, factor, *_ in t["factors"]]) for t in told["terms"]]
        assert total == pytest.approx(sum(products), abs=1e-12), call
        assert told["sum"] == pytest.approx(total, abs=1e-12)
        assert sigmoid[told["act"]](total) == pytest.approx(value, abs=1e-9), call
        assert told["value"] == pytest.approx(value, abs=1e-9)


class TestInThePage:
    def test_a_variant_opens_from_its_name_and_from_its_panel(self, show):
        page = show(FamilyExplorer(), width=1000)
        door = page.get_by_role("button", name="cell of 1997, open it")
        door.press("Enter")
        assert state(page)["path"] == "cell1997"
        assert page.get_by_text("dashed: the same without the first input").first.is_visible()
        page.locator(".ll-opener[data-q=i]:visible").press("Enter")
        assert state(page)["path"] == "cell1997/i"
        i = FamilyExplorer().values()["cell1997_i"][99]
        assert f"which the sigmoid makes {i:.2f}" in summary(page)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        assert state(page)["path"] == ""
        assert door.evaluate("node => node === document.activeElement")
        finish(page)
        box = page.locator("canvas:visible").bounding_box()
        page.mouse.click(box["x"] + box["width"] - 60, box["y"] + 70)
        assert state(page)["path"] == "cell1997"  # at the top right of two columns

    def test_pointing_shows_the_formula_with_its_numbers(self, show):
        page = show(FamilyExplorer(preset="noise", length=80), width=1000)
        told = page.locator("[data-role=readout]:visible")
        box = page.locator("canvas:visible").bounding_box()
        page.mouse.move(box["x"] + 120, box["y"] + box["height"] - 100)  # bottom left: CIFG
        step = state(page)["step"]
        values = copy_of(CASE, page).values()
        i, g, c = (values[f"cifg_{q}"] for q in "igc")
        before = c[step - 2]
        assert f"CIFG, cell state at step {step}" in text(told)
        assert minus(f"= {1 - i[step - 1]:.2f} · ") in text(told)
        assert minus(f"{before:.2f}") in text(told)
        assert minus(f"+ {i[step - 1]:.2f} · ") in text(told)
        assert minus(f"{g[step - 1]:.2f}") in text(told)
        assert text(told).strip().endswith(minus(f"= {c[step - 1]:.2f}"))
        page.mouse.move(5, 5)
        page.get_by_role("button", name="GRU: h is").focus()
        assert "GRU, what is left of the first input" in text(told)
        assert f"{values['gru_half']} steps after it on" in text(told)

    def test_the_lines_stand_where_the_numbers_say(self, story, show):
        """In the first row of two columns: the thick line of the cell of 1997 at its last step."""
        values = story("counting").values()
        page = show(FamilyExplorer(**story("counting").settings()), width=1000)
        rows = page.locator("canvas:visible").evaluate("""canvas => {
          const ctx = canvas.getContext('2d');
          const { data } = ctx.getImageData(canvas.width - 22, 0, 1, 140);
          return [...Array(140).keys()].filter((y) => data[4 * y + 3] > 200
            && data[4 * y] + data[4 * y + 1] + data[4 * y + 2] < 60);
        }""")
        bottom, top, low, high = 102, 25, -1, 10  # of the lane in px, and of its axis
        for row in (min(rows), max(rows)):
            c = low + (bottom - row) / (bottom - top) * (high - low)
            assert c == pytest.approx(values["cell1997_c"][-1], abs=0.5)

    def test_dashed_is_the_memory_without_the_first_input(self, show):
        settings = {"preset": "impulse", "length": 60, "u": 0.0, "b_g": 0.1, "step": 1}
        page = show(FamilyExplorer(path="cell1997", **settings), width=1000)
        # Without its impulse the memory is T times i g; at the end a stretch of dashes is there.
        values = FamilyExplorer(**settings).values()
        without = 60 * values["cell1997_i"][0] * values["cell1997_g"][0]
        top, bottom, high = 78, 228, 5  # of the lane in px, and of its axis, which begins at -1
        y = bottom - (without + 1) / (high + 1) * (bottom - top)
        drawn = page.locator("canvas:visible").evaluate(
            """(canvas, y) => {
              const ctx = canvas.getContext('2d');
              const { data } = ctx.getImageData(canvas.width - 100, y - 4, 12, 8);
              return data.filter((v, k) => k % 4 === 3 && v > 100).length;
            }""",
            y,
        )
        assert drawn > 8

    def test_the_ghost_of_what_was_before_is_drawn(self, show):
        dragged = show(FamilyExplorer(length=60))
        drag(dragged, "b_f", 40)
        fresh = show(FamilyExplorer(length=60, b_f=state(dragged)["b_f"]))
        fresh.mouse.move(5, 5)
        assert picture(dragged) != picture(fresh)

    @pytest.mark.parametrize("width", [360, 480, 760, 1000, 1280])
    def test_no_words_leave_their_panel(self, width, show):
        own = layer("1997 with peepholes", 1, 5)
        page = show(FamilyExplorer(own, layer_unit=5), width=width)
        cut = """() => [...document.querySelectorAll('.ll-kin-told, .ll-kin-name')]
          .filter((n) => n.scrollHeight > n.clientHeight + 1 || n.scrollWidth > n.clientWidth + 1)
          .map((n) => n.textContent)"""
        for name in ("drift", "counting", "shut output"):
            page.get_by_role("button", name=name, exact=True).click()
            assert settled(page, cut) == []

    def test_every_panel_says_its_size(self, show):
        page = show(FamilyExplorer())
        cut = """() => [...document.querySelectorAll('.ll-kin-head')]
          .filter((n) => n.scrollHeight > n.clientHeight + 1).map((n) => n.textContent)"""
        for width in (360, 680, 690, 700, 960, 970, 980, 990, 1280, 1290, 1300, 1320):
            widen(page, width)
            assert settled(page, cut) == [], width

    def test_the_variants_side_by_side(self, show):
        page = show(FamilyExplorer())
        page.locator("summary", has_text="Side by side").click()
        rows = page.locator("table:visible tbody tr")
        rows.first.locator("td").first.wait_for()
        values = FamilyExplorer().values()
        assert rows.count() == 6
        assert text(rows.nth(2)).split("\t") == [
            "LSTM", minus(f"{values['lstm_c'][-1]:.4f}"), f"{values['lstm_half']} steps",
            "<\u202f0.01 %", "3", "4H(D+H+1)",
        ]  # fmt: skip


class TestTheReadersOwnLayer:
    def test_it_has_a_panel_that_the_sliders_leave_alone(self, show):
        own = layer("GRU, reset before", 1, 4)
        widget = FamilyExplorer(layer=own, layer_unit=3)
        assert widget.setting == "FamilyExplorer(layer=layer, layer_unit=3)"
        page = show(widget)
        last = widget.values()["own_h"][-1]
        assert minus(f"yours {last:.2f}") in summary(page)
        page.locator("input[data-name=b_f]").press("End")
        assert minus(f"yours {last:.2f}") in summary(page)
        page.get_by_role("button", name="yours: GRU, reset before, unit 3, open it").press("Enter")
        assert state(page)["path"] == "own"
        page.locator(".ll-hot[data-q=o]:visible").focus()
        told = text(page.locator("[data-role=readout]:visible"))
        assert "reset gate at step 100" in told
        assert told.strip().endswith(f"= {widget.values()['own_r'][99]:.2f}")
        assert "0.20" not in told  # the single units' u
        before = picture(page)
        page.locator("select[data-name=preset]").select_option("spikes")
        assert picture(page) != before
        widget.preset = "spikes"
        last = widget.values()["own_h"][-1]
        assert minus(f"yours: GRU, reset before, unit 3: h is {last:.2f}") in summary(page)

    def test_without_one_its_level_does_not_exist(self):
        with pytest.raises(Exception, match="path: expected one of"):
            FamilyExplorer(path="own")
        assert FamilyExplorer(layer("RNN", 1, 2), path="own").path == "own"

    def test_of_a_deep_layer_the_first_is_shown_forward(self):
        deep = BiLSTM(1, 3, num_layers=2, seed=0, dtype="float64", backend="numpy")
        widget = FamilyExplorer(deep, layer_unit=2, preset="noise", length=20)
        x = widget.values()["x"][:, None, None]
        expected = deep.forward(x)[1].layer(0, "forward").cell[:, 0, 1]
        np.testing.assert_allclose(widget.values()["own_c"], expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"layer": 3}, TypeError, "layer: expected an LSTM, a GRU or an RNN, got int"),
            ({"layer": LSTM(2, 3)}, ValueError, "layer: expected one that takes 1 number a step"),
            ({"layer": LSTM(1, 8, proj_size=2)}, ValueError, "layer: expected no projection"),
            ({"layer": LSTM(1, 8, layer_norm=True)}, ValueError, "layer: expected no projection"),
            ({"layer": LSTM(1, 35)}, ValueError, "layer: 35 units over 500 steps.*at most"),
            ({"layer": LSTM(1, 3), "layer_unit": 4}, ValueError, "layer_unit: .* 1 to 3, got 4"),
            ({"layer": LSTM(1, 3), "layer_unit": True}, ValueError, "layer_unit: .* got True"),
            ({"layer_unit": 2}, ValueError, "layer_unit: expected 1, as there is no .* got 2"),
        ],
    )
    def test_refuses_what_it_cannot_show(self, arguments, error, message):
        with pytest.raises(error, match=message):
            FamilyExplorer(**arguments)

    def test_refuses_broken_weights(self):
        own = layer("GRU", 1, 2)
        own.params["weight_h_l0"][0, 0] = np.nan
        with pytest.raises(ValueError, match="layer: weight_h_l0 holds NaN"):
            FamilyExplorer(own)
