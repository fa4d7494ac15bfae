"""What is special to BPTTExplorer: own layers, time, and what is told at each node."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lstm_lab import LSTM, RNN
from lstm_lab.explore import BPTTExplorer
from tests.explore.cases.bptt import CASE
from tests.explore.page import drag, eventually, picture, settled, state, summary, text


def test_values_are_the_librarys_backward():
    widget = BPTTExplorer(task="echo", length=9, hidden=3, seed=2, b_f=0.5, updates=12)
    net, (x, target, mask), values = widget.network(), widget.lesson(), widget.values()
    y, trace = net.forward(x[:, None])
    miss = mask[:, None] * (y[:, 0] - target[:, None])
    n = 3 * mask.sum()
    assert values["total"] == pytest.approx((miss**2).sum() / n)
    grad = net.backward((2 * miss / n)[:, None], trace)
    for name, long in {"dW": "weight_x", "dU": "weight_h", "db": "bias"}.items():
        np.testing.assert_allclose(values[name], grad.params[f"{long}_l0"])
    np.testing.assert_allclose(values["da"].sum(axis=0), grad.params["bias_l0"], atol=1e-15)
    np.testing.assert_allclose(values["dx"], grad.x[:, 0], atol=1e-15)


def test_every_nodes_terms_add_up(node):
    """Forward to its value, backward to its gradient, for every node, step and unit."""
    widget = BPTTExplorer(task="echo", length=5, hidden=2, updates=3)
    module, _, (settings, own) = CASE.js(widget)
    calls, expected, values = [], [], widget.values()
    letters = {"o": 0, "i": 1, "f": 2, "g": 3}
    for t in range(5):
        for unit in range(2):
            for name in ("x", "f", "i", "o", "g", "c", "tanh", "h", "loss"):
                calls.append(["told", [settings, own, name, t, unit]])
                if name in letters:
                    gradient = values["da"][t, 2 * letters[name] + unit]
                elif name in ("h", "c"):
                    gradient = values[f"d{name}"][t, unit]
                elif name == "x":
                    gradient = values["dx"][t, 0]
                else:
                    gradient = None
                expected.append((name, t, gradient))
    for told, (name, t, gradient) in zip(node("bptt/story.js", calls), expected, strict=True):
        for way in ("there", "back"):
            total = sum(term["value"] for term in told[way]["terms"])
            whole = told[way].get("sum", told[way]["value"])
            assert total == pytest.approx(whole, abs=1e-12), (name, t, way)
        if gradient is not None:
            assert told["back"]["value"] == pytest.approx(gradient, abs=1e-9), (name, t)
    assert module == "bptt/unroll.js"


class TestOwnLayer:
    def test_shows_the_layers_own_unit(self, node):
        rng = np.random.default_rng(0)
        lstm, x = LSTM(3, 5, seed=1), rng.normal(size=(7, 1, 3))
        target = [math.nan, 0.5, math.nan, -0.2, 0, math.nan, 0.3]
        widget = BPTTExplorer(lstm, x, target)
        assert (widget.task, widget.length) == ("own", 7)
        y, trace = lstm.forward(x.astype("float32"))
        values = widget.values()
        np.testing.assert_allclose(values["h"], y[:, 0], atol=1e-6)
        mask = ~np.isnan(target)
        miss = np.where(mask[:, None], y[:, 0] - np.array(target)[:, None], 0)
        grad = lstm.backward((2 * miss / (5 * 4)).astype("float32")[:, None], trace)
        np.testing.assert_allclose(values["dU"], grad.params["weight_h_l0"], atol=1e-6)
        module, function, arguments = CASE.js(widget)
        CASE.same(node(module, [[function, arguments]])[0], widget)
        assert widget.setting == "BPTTExplorer(layer=layer, x=x, target=target)"

    def test_without_a_target_the_last_step_should_be_so(self):
        widget = BPTTExplorer(x=[0.1, 0.2, 0.3])
        assert widget.lesson()[2].tolist() == [0, 0, 1]
        assert widget.lesson()[1][-1] == 0.7
        short = BPTTExplorer(x=[0.1, 0.2, 0.3], target=[math.nan, math.nan, 0.5], length=2)
        assert short.lesson()[2].tolist() == [0, 1]

    def test_a_single_step(self, node):
        widget = BPTTExplorer(x=[0.5])
        module, function, arguments = CASE.js(widget)
        CASE.same(node(module, [[function, arguments]])[0], widget)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"layer": RNN(1, 2)}, TypeError, "layer: expected an LSTM, got RNN"),
            ({"layer": LSTM(1, 33)}, ValueError, "layer: expected at most 32 units, got 33"),
            ({"layer": LSTM(1, 2, coupled=True)}, ValueError, "layer: expected the standard"),
            ({"layer": LSTM(2, 2)}, ValueError, "x: the layer takes 2 features a step, got 1"),
            ({"x": np.ones(13)}, ValueError, r"T from 1 to 12, got \(13,\)"),
            ({"x": np.ones((2, 33))}, ValueError, "x: expected at most 32 features, got 33"),
            ({"x": [1, math.nan]}, ValueError, "x: expected finite numbers"),
            ({"target": [1]}, ValueError, "target: expected an x that it belongs to"),
            ({"x": [1, 2], "target": [1]}, ValueError, "target: expected 2 finite numbers or NaN"),
            ({"x": [1], "target": ["a"]}, TypeError, "target: expected numbers, got dtype"),
            ({"task": "own"}, Exception, "task: expected one of 'remember'"),
        ],
    )
    def test_refuses_what_it_cannot_show(self, arguments, error, message):
        with pytest.raises(error, match=message):
            BPTTExplorer(**arguments)


def test_time_runs_there_and_back_by_arrow_keys(show):
    page = show(BPTTExplorer(moment=0, length=3))
    machine = page.get_by_role("group", name="Time machine")
    machine.focus()
    assert page.locator(".ll-bptt-known").count() == 5, "the input and the gates of step 1"
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert state(page)["moment"] == 3
    assert "in the forward pass at step 1 of 3" in summary(page)
    page.keyboard.press("End")
    assert state(page)["moment"] == 23
    assert "in the backward pass at step 1 of 3: the weights gather" in summary(page)
    values = BPTTExplorer(length=3).values()
    told = page.locator("[data-node=h] .ll-bptt-gradient").all_text_contents()
    expected = [f"{v:.2f}" if abs(v) >= 0.095 else f"{v:.3f}" for v in values["dh"][:, 0]]
    assert [t.removeprefix("∂ ").replace("−", "-") for t in told] == expected
    page.keyboard.press("PageUp")
    assert state(page)["moment"] == 19
    page.keyboard.press("Home")
    assert state(page)["moment"] == 0


def test_nodes_are_chosen_by_arrow_keys_and_open_by_enter(show):
    page = show(BPTTExplorer(moment=63))
    page.get_by_role("group", name="Time machine").focus()
    page.keyboard.press("ArrowUp")
    assert (state(page)["node"], state(page)["step"]) == ("i", 1)
    page.keyboard.press("Enter")
    assert state(page)["path"] == "step/node"
    said = text(page.locator(".ll-level[data-path='step/node']"))
    da = BPTTExplorer().values()["da"][0, 2]
    assert "Its gradient" in said
    assert f"{da:.5f}".replace("-", "−") in said


def test_clicking_a_node_tells_its_formula(show):
    page = show(BPTTExplorer())
    page.locator("[data-node=c]").nth(5).click()
    values = BPTTExplorer().values()
    now = state(page)
    assert now["node"] == "c"
    c, dc = values["c"][now["step"] - 1, 0], values["dc"][now["step"] - 1, 0]
    assert f"value {c:.4f}" in summary(page)
    assert f"gradient −{abs(dc):.3f}"[:-1] in summary(page)
    assert "∂L/∂c" in text(page.locator("[data-role=readout]"))


def test_play_runs_to_the_end_and_begins_again(show):
    page = show(BPTTExplorer(moment=94, length=12))
    play = page.get_by_role("button", name="Play")
    play.click()
    assert state(page)["moment"] == 95
    play.wait_for()  # at the end it has stopped by itself
    play.click()
    eventually(page, lambda: 2 < page.evaluate("models[0].state.moment") < 95)
    page.get_by_role("button", name="Pause").click()
    at = state(page)["moment"]
    page.wait_for_timeout(400)  # of more than two steps that it would have taken
    assert state(page)["moment"] == at


def test_learning_lowers_the_loss(show):
    page = show(BPTTExplorer(moment=63))
    before = BPTTExplorer().values()["total"]
    for _ in range(3):
        page.get_by_role("button", name="Learn one step").press("Enter")
    after = BPTTExplorer(updates=3).values()["total"]
    assert after < before
    assert f"Loss {after:.4f}; it was {before:.4f}" in text(page.locator(".ll-bptt-learnt"))


def test_scrubbing_through_time(show):
    page = show(BPTTExplorer(moment=0))
    before = picture(page)
    drag(page, "moment", 300)
    assert state(page)["moment"] > 10
    assert picture(page) != before


def test_the_readers_own_layer_in_the_page(show):
    rng = np.random.default_rng(0)
    widget = BPTTExplorer(LSTM(2, 6, seed=1), rng.normal(size=(4, 2)), unit=5, moment=31)
    page = show(widget)
    assert f"{widget.values()['total']:.4f}" in summary(page)
    assert page.locator("input[data-name=unit]").get_attribute("max") == "6"
    for name in ("hidden", "b_f", "seed"):
        assert page.locator(f"input[data-name={name}]").count() == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.50"), (0.9949, "0.99"), (0.9971, ".997"), (0.0031, ".003"), (0.99969, ">.999"),
     (1 - 1e-9, ">.999"), (0.00026, "<.001")],
)  # fmt: skip
def test_a_gates_value_fits_into_its_box_and_is_never_rounded_to_an_end(value, text, node):
    assert node("bptt/picture.js", [["gateInBox", [value]]]) == [text]


def test_no_value_runs_out_of_its_box(show):
    for bias in (-6.0, 0.0, 8.0):
        page = show(BPTTExplorer(b_f=bias))
        page.locator("[data-name=moment]").press("End")
        settled(page)
        over = page.locator("svg .ll-bptt-node:visible").evaluate_all(
            """(nodes) => nodes.flatMap((node) => {
                 const box = node.querySelector("rect").getBoundingClientRect();
                 return [...node.querySelectorAll("text")].filter((text) => text.textContent
                   && text.getBoundingClientRect().left < box.left - 2).map((t) => t.textContent);
               })"""
        )
        assert not over
