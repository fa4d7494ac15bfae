"""GateSurgery: closed forms, predictions, one's own network, and the networks that come with it."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from lstm_lab import GRU, LSTM, BiLSTM, Linear
from lstm_lab.explore import GateSurgery
from lstm_lab.explore.surgery.nets import NETS, STEPS, answer, pulses, stored_network
from tests.explore.cases.surgery import CASE, plain, same
from tests.explore.page import copy_of, drag, picture, pull, state, summary, text, words

FREE = {f"clamp_{gate}": "free" for gate in "fiog"}
kinds = pytest.mark.parametrize("net", sorted(NETS))


def operated(net, **clamps):
    held = {f"clamp_{gate}": value for gate, value in clamps.items()}
    widget = GateSurgery(**{"net": net, "begin": 9, "end": 25, **FREE, **held})
    return widget.values(), slice(8, 25)


class TestClosedForms:
    @kinds
    def test_f_1_and_i_0_hold_the_memory(self, net):
        values, when = operated(net, f="1", i="0")
        np.testing.assert_array_equal(values["c"][when], np.tile(values["c"][7], (17, 1)))

    @kinds
    def test_f_0_keeps_only_what_comes_in(self, net):
        values, when = operated(net, f="0")
        np.testing.assert_array_equal(values["c"][when], (values["i"] * values["g"])[when])

    @kinds
    def test_o_0_says_nothing(self, net):
        values, when = operated(net, o="0")
        assert not values["h"][when].any()
        np.testing.assert_allclose(values["y"][when], stored_network(net)["bias_out"][0])
        assert values["h"][25].any()

    @kinds
    def test_o_1_shows_all(self, net):
        values, when = operated(net, o="1")
        np.testing.assert_array_equal(values["h"][when], np.tanh(values["c"])[when])

    @kinds
    def test_i_0_lets_nothing_in(self, net):
        values, when = operated(net, i="0")
        kept = values["f"][when] * values["c"][7:24]
        np.testing.assert_array_equal(values["c"][when], kept)

    @kinds
    def test_f_1_i_1_g_1_counts_steps(self, net):
        values, when = operated(net, f="1", i="1", g="1")
        expected = values["c"][7] + np.arange(1, 18)[:, None]
        np.testing.assert_allclose(values["c"][when], expected)
        values, when = operated(net, f="1", i="1", g="-1")
        np.testing.assert_allclose(values["c"][24], values["c"][7] - 17)

    @kinds
    def test_clamps_hold_exactly_and_only_there(self, net):
        values, when = operated(net, f="0", i="1", o="0", g="0")
        for gate, value in {"f": 0, "i": 1, "o": 0, "g": 0}.items():
            assert (values[gate][when] == value).all()
            assert not (values[gate][:8] == value).any()
            assert not (values[gate][25:] == value).any()

    @kinds
    def test_nothing_clamped_changes_nothing(self, net):
        for setting in (FREE, {"cells": "none"}, {"cells": "12"}):
            widget = GateSurgery(net=net, **setting)
            values = widget.values()
            np.testing.assert_array_equal(values["y"], values["y_free"])
            assert widget.truth() == "same"

    def test_other_units_keep_their_gates(self):
        values = GateSurgery(cells="2", begin=9, end=25).values()
        assert (values["f"][8:25, 1] == 1).all()
        assert not (values["f"][8:25, [0, 2]] == 1).any()

    def test_before_the_operation_nothing_differs(self):
        values = GateSurgery(begin=15, end=15).values()
        np.testing.assert_array_equal(values["c"][:14], values["c_free"][:14])
        assert values["c"].shape == values["c_free"].shape == (40, 3)

    def test_begin_and_end_in_either_order_and_past_the_end(self):
        one, other = (GateSurgery(begin=a, end=b).values() for a, b in ((5, 12), (12, 5)))
        np.testing.assert_array_equal(one["y"], other["y"])
        assert GateSurgery(length=2, begin=50, end=60).values()["y"].shape == (2,)


class TestNetworks:
    @kinds
    def test_each_does_what_it_has_learnt(self, net):
        widget = GateSurgery(net=net, **FREE)
        values = widget.values()
        expected = answer(net, values["x"][:, 0])
        np.testing.assert_allclose(values["y_free"], expected, atol=0.12)

    @kinds
    def test_on_new_sequences_too(self, net):
        from lstm_lab.explore.core.lstm import lstm_trace

        weights, rng = stored_network(net), np.random.default_rng(9)
        x = pulses(net, STEPS, 20, rng)
        for k in range(20):
            arrays = (weights[name] for name in ("weight_x", "weight_h", "bias"))
            trace = lstm_trace(*arrays, x[:, k, None])
            y = trace.hidden[:, 0] @ weights["weight"][0] + weights["bias_out"][0]
            assert np.sqrt(np.mean((y - answer(net, x[:, k])) ** 2)) < 0.1

    def test_answers(self):
        x = np.array([0, 1.0, 0, -1, 0, 1])
        np.testing.assert_array_equal(answer("latch", x), [0, 1, 1, 0, 0, 1])
        np.testing.assert_allclose(answer("counter", x), [0, 0.1, 0.1, 0.1, 0.1, 0.2])
        np.testing.assert_array_equal(answer("toggler", x), [0, 1, 1, 1, 1, 0])


@pytest.mark.parametrize(
    ("clamps", "truth"),
    [({"clamp_o": "0"}, {"during", "both"}), ({"clamp_f": "0"}, {"both"}), (FREE, {"same"})],
)
def test_the_truth(clamps, truth):
    widget = GateSurgery(**{**FREE, **clamps, "begin": 5, "end": 9})
    values = widget.values()
    assert widget.truth() in truth
    assert (values["during"] > values["limit"]) == (widget.truth() in ("during", "both"))
    assert (values["later"] > values["limit"]) == (widget.truth() in ("after", "both"))


def random_layer(rng):
    hidden, features = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    layer = LSTM(features, hidden, seed=rng, dtype="float64")
    for array in layer.params.values():
        array *= 3
    head = Linear(hidden, 2, seed=rng, dtype="float64") if rng.random() < 0.5 else None
    return layer, head, rng.normal(size=(int(rng.integers(1, 60)), features))


def test_random_networks_in_node_and_in_the_library(node):
    rng, widgets, calls = np.random.default_rng(4), [], []
    for _ in range(40):
        layer, head, x = random_layer(rng)
        clamps = {f"clamp_{q}": str(rng.choice(["free", "0", "1"])) for q in "fiog"}
        cells = "all" if rng.random() < 0.4 else str(rng.integers(1, 7))
        begin, end = (int(k) for k in rng.integers(1, 61, 2))
        widget = GateSurgery(
            layer=layer, x=x, head=head, cells=cells, begin=begin, end=end, **clamps
        )
        widgets.append(widget)
        calls.append(["operate", [widget.settings(), *plain(widget)]])
    for widget, js in zip(widgets, node("surgery/model.js", calls), strict=True):
        same(js, widget)


class TestOwnNetwork:
    def test_its_hidden_state_or_its_heads_output(self):
        layer, x = LSTM(2, 3, seed=0), np.random.default_rng(0).normal(size=(10, 2))
        y, _ = layer.forward(x[:, None].astype("float32"))
        widget = GateSurgery(layer=layer, x=x, unit=2, **FREE)
        np.testing.assert_allclose(widget.values()["y"], y[:, 0, 1], atol=1e-6)
        head = Linear(3, 4, seed=1)
        out = head.forward(y)[0][:, 0, 0]
        widget = GateSurgery(layer=layer, x=x, head=head, **FREE)
        np.testing.assert_allclose(widget.values()["y"], out, atol=1e-6)
        assert widget.setting.startswith("GateSurgery(layer=layer, x=x, head=head")

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"x": [1.0]}, ValueError, "layer: x and head come with a layer"),
            ({"layer": GRU(1, 2), "x": [1.0]}, TypeError, "layer: expected an LSTM, got GRU"),
            ({"layer": BiLSTM(1, 2), "x": [1.0]}, ValueError, "one layer in one"),
            ({"layer": LSTM(1, 2, 2), "x": [1.0]}, ValueError, "one layer in one"),
            ({"layer": LSTM(1, 2, peepholes=True), "x": [1.0]}, ValueError, "got a variant"),
            ({"layer": LSTM(1, 13), "x": [1.0]}, ValueError, "at most 12 units, got 13"),
            ({"layer": LSTM(1, 2)}, ValueError, "x: a layer needs an input"),
            ({"layer": LSTM(1, 2), "x": [np.nan]}, ValueError, "x: expected finite"),
            ({"layer": LSTM(1, 2), "x": ["a"]}, TypeError, "x: expected numbers"),
            ({"layer": LSTM(1, 2), "x": np.zeros((3, 2))}, ValueError, "x: expected 1 features"),
            ({"layer": LSTM(1, 2), "x": np.zeros(61)}, ValueError, "x: expected at most 60 steps"),
            ({"layer": LSTM(1, 2), "x": [1.0], "head": 3}, TypeError, "head: expected a Linear"),
            ({"layer": LSTM(1, 2), "x": [1], "head": Linear(3, 1)}, ValueError, "head: expected 2"),
        ],
    )
    def test_what_cannot_be_shown_is_said(self, arguments, error, message):
        with pytest.raises(error, match=message):
            GateSurgery(**arguments)

    def test_broken_weights(self):
        layer, head = LSTM(1, 2), Linear(2, 1)
        head.params["bias"][0] = np.inf
        with pytest.raises(ValueError, match="head: its parameters hold NaN"):
            GateSurgery(layer=layer, x=[1.0], head=head)

    def test_one_step_alone(self, show):
        page = show(GateSurgery(layer=LSTM(1, 1, seed=0), x=[0.5], guess="same"))
        assert "step" in summary(page)
        assert "NaN" not in words(page)


def test_units_are_named_or_refused():
    for bad in ("", "1,2", "all 1", "x"):
        with pytest.raises(traitlets.TraitError, match="cells: expected"):
            GateSurgery(cells=bad)


class TestInThePage:
    def test_nothing_is_told_before_a_prediction(self, show):
        page = show(GateSurgery())
        widget = GateSurgery()
        said = summary(page)
        assert "Predict, and it is shown" in said
        assert "differs" not in said
        page.locator("details > summary").first.click()
        page.locator("td").first.wait_for()
        column = page.locator("tbody tr td:nth-child(4)").all_inner_texts()
        assert column[13:] == ["?"] * 27
        assert column[0] == f"{widget.values()['y'][0]:.3f}".replace("-", "−")
        before = picture(page)
        page.get_by_role("button", name="Different during and after.").click()
        assert picture(page) != before
        values = widget.values()
        assert f"differs by up to {values['during']:.2f}" in summary(page)
        assert "Right: " in text(page.locator(".ll-verdict"))
        after = page.locator("tbody tr td:nth-child(4)").all_inner_texts()
        assert after[30] == f"{values['y'][30]:.3f}".replace("-", "−")

    def test_a_wrong_prediction_is_said(self, show):
        page = show(GateSurgery())
        page.get_by_role("button", name="Nothing changes.").press("Enter")
        assert "Not so: Different during and after." in text(page.locator(".ll-verdict"))
        assert "in truth: different during and after" in summary(page)

    def test_a_new_operation_is_a_new_question(self, show):
        page = show(GateSurgery(guess="both"))
        page.get_by_role("button", name="Mute: o = 0").click()
        now = state(page)
        assert [now[f"clamp_{q}"] for q in "fiog"] == ["free", "free", "0", "free"]
        assert now["guess"] == "none"
        assert "o = 0 in all 3 units, steps 14 to 24" in summary(page)
        page.get_by_role("button", name="operate on unit 2").click()
        assert state(page)["cells"] == "1 3"
        assert "in units 1, 3, steps" in summary(page)

    def test_a_range_is_dragged_and_its_edges(self, show):
        page = show(GateSurgery(guess="both"))
        canvas = page.locator("canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        left, wide = box["x"] + 48, box["width"] - 40 - 84 - 16

        def at(step):
            return left + (step - 1) / 39 * wide

        def operate(start, stop):
            pull(page, (start, box["y"] + 300), (stop, box["y"] + 300), steps=6)
            now = state(page)
            return now["begin"], now["end"]

        assert operate(at(5), at(11)) == (5, 11)
        assert "steps 5 to 11" in summary(page)
        for piece in CASE.shown(copy_of(CASE, page)):
            assert piece in summary(page)
        assert operate((at(11) + at(12)) / 2, at(30)) == (5, 30)
        assert operate((at(4) + at(5)) / 2, at(20)) == (20, 30)
        page.mouse.click(at(33), box["y"] + 300)
        assert state(page)["path"] == "cell"
        assert state(page)["step"] == 33

    def test_a_clamped_gate_inside(self, show):
        page = show(GateSurgery(guess="both", step=18, path="cell/f"))
        assert "The clamp overrides it: f is 1." in summary(page)
        page.evaluate("models[0].set('step', 30)")
        assert "overrides" not in summary(page)
        page.evaluate("models[0].set('path', 'cell'); models[0].set('step', 18)")
        assert "Forget gate 1.00" in summary(page)
        said = text(page.locator(".lstm-lab-explorer"))
        assert "clamped to 1" in said
        assert "Infinity" not in said

    def test_dragging_shows_the_librarys_numbers(self, show):
        page = show(GateSurgery(net="counter", guess="both"))
        drag(page, "end", 60)
        values = copy_of(CASE, page).values()
        assert f"differs by up to {values['during']:.2f}" in summary(page)
