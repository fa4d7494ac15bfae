"""What is special to GradientFlowExplorer: own layers, levels, and what the axis can hold."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, RNN, BiLSTM
from lstm_lab.explore import GradientFlowExplorer
from lstm_lab.explore.core.signals import noise
from lstm_lab.explore.gradient_flow.flow import HIDDEN
from tests.explore.cases.gradient_flow import CASE, power
from tests.explore.page import drag, drawn_words, go, picture, state, summary, text


def test_values_are_the_librarys_gradients():
    """Of h_1 and c_1, from LSTM.backward over the rest of the sequence."""
    widget = GradientFlowExplorer(length=60, seed=3)
    lstm = LSTM(1, HIDDEN, seed=3, forget_bias=1.0, dtype="float32")
    x = noise(60)[:, None, None].astype("float32")
    _, first = lstm.forward(x[:1])
    _, trace = lstm.forward(x[1:], first.state)
    dy = np.zeros((59, 1, HIDDEN), dtype="float32")
    dy[-1] = 1 / np.sqrt(HIDDEN)
    dh, dc = lstm.backward(dy, trace).state
    total = dc[0, 0] + dh[0, 0] * first.output_gate[0, 0] * (1 - np.tanh(first.cell[0, 0]) ** 2)
    values = widget.values()
    assert values["bias1_h"][0] == pytest.approx(np.log10(np.linalg.norm(dh)), abs=1e-3)
    assert values["bias1_c"][0] == pytest.approx(np.log10(np.linalg.norm(total)), abs=1e-3)


@pytest.mark.parametrize("options", [{}, {"seed": 3, "length": 41, "radius": 1.5, "b_f": 8}])
def test_the_headlines_are_one_quantity(show, options):
    """Of every network the norm of dL/dh_1, where that of dL/dh_T is 1: where its curve h ends."""
    widget = GradientFlowExplorer(**options)
    values, page = widget.values(), show(widget)
    x = noise(widget.length)[:, None, None]
    for name, layer in widget.networks().items():
        _, first = layer.forward(x[:1])
        _, trace = layer.forward(x[1:], first.state)
        dy = np.zeros((widget.length - 1, 1, HIDDEN))
        dy[-1] = 1 / np.sqrt(HIDDEN)  # of norm 1
        state = layer.backward(dy, trace).state
        left = np.log10(np.linalg.norm(state[0] if isinstance(state, tuple) else state))
        assert values[f"{name}_h"][-1] == pytest.approx(0)
        assert values[f"{name}_left"] == pytest.approx(left, abs=1e-3)
        card = page.locator(f"[data-network={name}]")
        kind = "× as large" if left > 0 else "left"
        assert text(card.locator(".ll-flow-left")) == f"{power(left)} {kind}"
        course = text(card.locator(".ll-flow-half"))
        read = f"read-out {power(values[f'{name}_read'])}\n"
        assert course.startswith(read) == (name != "rnn")


def test_a_forget_bias_saturates_the_read_out_and_chrono_does_not():
    """Chapter 2's point, over all seeds: the gradient arrives either way, and the cell differs."""
    for seed in range(16):
        widget = GradientFlowExplorer(seed=seed)
        values, networks = widget.values(), widget.networks()
        full = {
            name: abs(np.tanh(networks[name].forward(widget._x[:100, None])[1].cell)).mean()
            for name in ("bias5", "chrono")
        }
        assert full["bias5"] > 0.6  # seen: 0.65 to 0.93
        assert full["chrono"] < 0.2  # seen: 0.06 to 0.14
        assert min(values["bias5_left"], values["chrono_left"]) > -5.5
        assert values["rnn_left"] < -6
        assert values["bias5_read"] < -0.45 < values["chrono_read"]


def test_an_rnn_has_no_gates_in_its_level(show):
    for network, expected in (("rnn", 0), ("bias1", 1)):
        page = show(GradientFlowExplorer(path="network", network=network))
        words = text(page.locator(".ll-level:visible"))
        assert words.count("forget gate f") == expected
        assert words.count("forget gates alone") == expected
        go(page, "network/step")
        assert ("by gate i" in text(page.locator(".ll-level:visible"))) == bool(expected)


def test_words_in_a_band_keep_clear_of_the_lines(node):
    """“0 in float32” stands in the widest gap between the lines of the axis, or not at all."""
    for top, bottom, lines in [(60, 130, [70, 110]), (100, 110, []), (0, 60, [10, 20, 30, 40, 50])]:
        [at] = node("gradient_flow/draw.js", [["clear", [top, bottom, lines]]])
        if at is None:
            edges = [top, *lines, bottom]
            assert max(b - a for a, b in pairwise(edges)) <= 13
        else:
            assert min(abs(at - line) for line in (top, bottom, *lines)) > 6.5


def test_a_higher_forget_bias_reaches_further():
    """The picture's point, over all seeds: rank the median half-lives."""
    keys = ("bias0", "bias1", "bias5", "chrono")
    halves = {key: [] for key in keys}
    for seed in range(16):
        values = GradientFlowExplorer(seed=seed).values()
        for key in keys:
            halves[key].append(values[f"{key}_half"])
    medians = [np.median(halves[key]) for key in keys]
    assert medians[0] < medians[1] < min(medians[2:])
    assert medians[0] < 2
    assert medians[3] > 20


class TestOwnLayer:
    def test_lstm(self, node):
        rng = np.random.default_rng(0)
        lstm, x = LSTM(3, 5, num_layers=2, seed=1), rng.normal(size=(40, 1, 3))
        widget = GradientFlowExplorer(lstm, x, b_f=-1)
        assert (widget.length, widget.network, list(widget.networks())) == (
            40, "layer", ["layer", "own"])  # fmt: skip
        first = widget.networks()["layer"].params
        np.testing.assert_array_equal(first["weight_h_l0"], lstm.params["weight_h_l0"])
        module, function, arguments = CASE.js(widget)
        CASE.same(node(module, [[function, arguments]])[0], widget)
        values = widget.values()
        assert values["own_half"] < values["layer_half"]
        assert widget.setting == "GradientFlowExplorer(layer=layer, x=x, b_f=-1)"

    def test_rnn(self, node):
        rnn = RNN(1, 6, seed=1)
        widget = GradientFlowExplorer(rnn, length=50)
        module, function, arguments = CASE.js(widget)
        CASE.same(node(module, [[function, arguments]])[0], widget)
        # The copy starts at the layer's own spectral radius, to two digits.
        values = widget.values()
        assert values["own_left"] == pytest.approx(values["layer_left"], rel=0.05)
        widget.radius = 0.1
        assert widget.values()["own_left"] < values["layer_left"] - 10

    def test_reads_the_forward_direction_of_a_bilstm(self):
        layer = BiLSTM(1, 4, seed=2)
        shown = GradientFlowExplorer(layer).networks()["layer"]
        np.testing.assert_array_equal(shown.params["bias_l0"], layer.params["bias_l0"])

    def test_an_input_for_the_small_networks(self):
        widget = GradientFlowExplorer(x=[[0.5, 1], [0, 1], [1, 1]])
        assert widget.length == 3
        assert len(widget.values()["chrono_c"]) == 3
        widget.length = 1000
        assert len(widget.values()["chrono_c"]) == 3

    def test_a_single_step(self):
        values = GradientFlowExplorer(x=[0.5]).values()
        assert values["bias0_h"] == pytest.approx(0)
        assert values["rnn_half"] == 1

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"layer": GRU(1, 2)}, TypeError, "layer: expected an LSTM or RNN, got GRU"),
            ({"layer": LSTM(1, 2, peepholes=True)}, ValueError, "layer: expected the standard"),
            ({"layer": LSTM(1, 2, truncated=True)}, ValueError, "layer: expected the standard"),
            ({"layer": LSTM(2, 2)}, ValueError, "x: the layer takes 2 features a step"),
            ({"layer": LSTM(1, 99)}, ValueError, "layer: 1000 steps of 99 units .* at most"),
            ({"layer": LSTM(1, 2), "x": np.ones((3, 2))}, ValueError, "x: expected 1 features"),
            ({"x": []}, ValueError, r"x: expected shape .* got \(0,\)"),
            ({"x": np.ones(1001)}, ValueError, r"T from 1 to 1000, got \(1001,\)"),
            ({"x": [1, math.nan]}, ValueError, "x: expected finite numbers"),
            ({"x": "pulse"}, TypeError, "x: expected numbers, got dtype"),
            ({"network": "layer"}, Exception, "network: expected one of 'rnn'"),
        ],
    )
    def test_refuses_what_it_cannot_show(self, arguments, error, message):
        with pytest.raises(error, match=message):
            GradientFlowExplorer(**arguments)

    def test_refuses_broken_weights(self):
        lstm = LSTM(1, 2)
        lstm.params["weight_h_l0"][0, 0] = np.nan
        with pytest.raises(ValueError, match="layer: weight_h_l0 holds NaN"):
            GradientFlowExplorer(layer=lstm)


def test_the_terms_add_up_to_the_gradient(node):
    """What is listed behind a number, for every unit and several steps, sums to that number."""
    widget = GradientFlowExplorer(length=30)
    x = noise(30)
    for name in ("bias1", "rnn"):
        layer = widget.networks()[name]
        flat = {k: layer.params[f"{long}_l0"].ravel().tolist()
                for k, long in {"W": "weight_x", "U": "weight_h", "b": "bias"}.items()}  # fmt: skip
        net = {"kind": type(layer).__name__, "D": 1, "H": HIDDEN, **flat}
        [trace] = node("gradient_flow/flow.js", [["run", [net, x.tolist(), 30]]])
        [found] = node("gradient_flow/flow.js", [["flow", [net, trace, 30]]])
        for t in (0, 7, 28, 29):
            [made] = node("gradient_flow/flow.js", [["parts", [net, trace, found, t]]])
            key = "dc" if name == "bias1" else "dh"
            expected = np.array(found[key]).reshape(30, HIDDEN)[t]
            np.testing.assert_allclose(made["total"], expected, rtol=1e-9, atol=1e-15)


def test_opening_a_network_a_step_a_unit(show):
    page = show(GradientFlowExplorer())
    page.locator("[data-network=bias0]").press("Enter")
    assert (state(page)["path"], state(page)["network"]) == ("network", "bias0")
    page.get_by_role("button", name="What made the gradient at step 80").press("Enter")
    assert state(page)["path"] == "network/step"
    page.locator(".ll-flow-unit").nth(2).press("Enter")
    assert (state(page)["path"], state(page)["unit"]) == ("network/step/unit", 3)
    assert "together ∂L/∂c80 of unit 3" in text(page.locator(".ll-terms:visible"))
    page.get_by_role("button", name="One step further back").press("Enter")
    assert state(page)["lag"] == 21
    for path in ("network/step", "network", ""):
        page.keyboard.press("Escape")
        assert state(page)["path"] == path


def test_pointing_reads_a_network_at_a_lag(show):
    page = show(GradientFlowExplorer())
    canvas = page.locator("[data-network=chrono] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 40)
    now = state(page)
    assert now["network"] == "chrono"
    assert 35 < now["lag"] < 75
    c = GradientFlowExplorer().values()["chrono_c"][99 - now["lag"]]
    told = text(page.locator("[data-role=readout]"))
    assert f"{now['lag']} steps back" in told
    assert f"= {10**c:.2f}" in told


def test_a_thousand_steps_and_what_float32_cannot_hold(show):
    page = show(GradientFlowExplorer(path="network", network="bias0", lag=900))
    page.locator("input[data-name=length]").press("End")
    assert state(page)["length"] == 1000
    log = GradientFlowExplorer(length=1000).values()["bias0_c"][99]
    assert log < -100
    assert f"10{superscript(math.floor(log))}, and the forget" in summary(page)
    assert "which is 0 in float32" in summary(page)


def superscript(power):
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def test_a_radius_of_zero_cuts_the_way_back(show):
    page = show(GradientFlowExplorer(radius=0))
    card = page.locator("[data-network=rnn]")
    assert text(card.locator(".ll-flow-left")) == "0 left"
    assert "NaN" not in summary(page)


def test_the_previous_setting_stays_as_a_ghost(show):
    page = show(GradientFlowExplorer(path="network", network="own"))
    drag(page, "b_f", 60)
    with_ghost = picture(page)
    line = page.evaluate("JSON.stringify(models[0].state.b_f)")
    fresh = show(GradientFlowExplorer(path="network", network="own", b_f=float(line)))
    assert picture(fresh) != with_ghost


@pytest.mark.parametrize("length", [2, 100, 1000])
def test_an_axis_of_lags_has_its_ends(length, show):
    page = show(GradientFlowExplorer(length=length))
    for width in (360, 480):
        drawn = drawn_words(page, width)
        networks = len(GradientFlowExplorer().networks())
        assert drawn.count("0") >= networks
        assert drawn.count(str(length - 1)) >= networks, (width, drawn)
