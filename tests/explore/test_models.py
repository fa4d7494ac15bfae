"""What the explorables say in Python: the settings they take, and the numbers they give."""

from __future__ import annotations

import math

import numpy as np
import pytest
import traitlets

from lstm_lab import LSTM, RNN
from lstm_lab.explore import CellExplorer, SequenceExplorer
from lstm_lab.explore.base import Number
from lstm_lab.explore.model import input_signal
from lstm_lab.explore.sequence import PRESETS

WIDGETS = [CellExplorer, SequenceExplorer]


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def numbers(widget):
    return {name: t for name, t in widget.traits().items() if isinstance(t, Number)}


def draw(trait, rng):
    value = rng.uniform(trait.low, trait.high)
    return round(value) if trait.whole else value


def finite(values):
    return all(np.isfinite(value).all() for value in values.values())


def js_call(widget):
    state = widget.settings()
    if isinstance(widget, CellExplorer):
        return ["cellStep", [state]]
    return ["runSequence", [state]]


def same_numbers(js, widget):
    values = widget.values()
    for name, value in values.items():
        got = js["halfLife" if name == "half_life" else name]
        np.testing.assert_allclose(got, np.ravel(value), rtol=1e-6, atol=1e-9, err_msg=name)


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


def quiet(**settings):
    """A unit whose gates follow their biases exactly: no weights but the pulse's way in."""
    weights = {f"{kind}_{gate}": 0 for kind in "wu" for gate in "ifog"} | {"w_g": 2, "w_i": 2}
    return SequenceExplorer(**{"preset": "impulse", **weights, **settings})


@pytest.mark.parametrize("bias", [-8, -1, 0, 1, 3, 8])
def test_half_life_has_its_closed_form(bias):
    values, forget = quiet(b_f=bias).values(), sigmoid(bias)
    assert values["half_life"] == pytest.approx(math.log(0.5) / math.log(forget))
    assert values["memory"] == pytest.approx(1 / (1 - forget))
    first = values["first"]
    assert values["left"] == pytest.approx(forget ** (99 - first))
    assert values["c"][-1] == pytest.approx(values["c"][first] * values["left"])


@pytest.mark.parametrize("length", [20, 100, 500])
def test_forget_gate_of_one_minus_one_over_t_remembers_t_steps(length):
    values = quiet(length=length, b_f=math.log(length - 1)).values()
    np.testing.assert_allclose(values["f"], 1 - 1 / length)
    assert values["memory"] == pytest.approx(length)


def test_the_default_unit_mostly_follows_its_biases():
    values = SequenceExplorer().values()
    assert np.ptp(values["f"]) < 0.05
    assert abs(values["f"].mean() - sigmoid(3)) < 0.01
    assert values["c"].max() > 0.5


@pytest.mark.parametrize("preset", PRESETS)
def test_signals(preset):
    for length in (2, 3, 20, 500):
        signal = input_signal(preset, length, 10)
        assert signal.shape == (length,)
        assert np.abs(signal).max() <= 1
        assert signal.any()
    with pytest.raises(ValueError, match="no signal called"):
        input_signal("sawtooth", 10, 10)


@pytest.mark.parametrize("kind", WIDGETS)
def test_every_control_through_its_message(kind, send, node):
    """Each control to its minimum, its maximum and at random, as the browser would send it."""
    module = {CellExplorer: "cell.js", SequenceExplorer: "sequence.js"}[kind]
    rng, widget, calls, copies = np.random.default_rng(0), kind(), [], []

    def move(**state):
        send(widget, **state)
        for name, value in state.items():
            assert getattr(widget, name) == value, name
        assert finite(widget.values()), state
        calls.append(js_call(widget))
        copies.append(kind(**widget.settings()))

    for name, trait in numbers(widget).items():
        for value in (trait.low, trait.high, draw(trait, rng)):
            move(**{name: value})
    for name, choices in {"selected": "ifogch", "preset": PRESETS}.items():
        if name in widget.controls():
            for choice in choices:
                move(**{name: choice})
    for _ in range(20):
        move(**{name: draw(trait, rng) for name, trait in numbers(widget).items()})
    for js, copy in zip(node(module, calls), copies, strict=True):
        same_numbers(js, copy)


@pytest.mark.parametrize("kind", WIDGETS)
def test_no_control_takes_what_is_no_number_or_out_of_range(kind, send, caplog):
    widget = kind()
    for name, trait in numbers(widget).items():
        before = getattr(widget, name)
        for bad in (math.nan, math.inf, -math.inf, trait.low - 1, trait.high + 1, "1", None, True):
            with pytest.raises(traitlets.TraitError, match=rf"{name}: expected .* from"):
                setattr(widget, name, bad)
            caplog.clear()
            send(widget, **{name: bad})
            assert f"{name}: expected" in caplog.text
            assert getattr(widget, name) == before
    assert kind(**{name: np.float32(trait.low) for name, trait in numbers(widget).items()})
    with pytest.raises(TypeError, match="no setting forget; expected some of b_f"):
        kind(forget=1)


def test_whole_numbers():
    for bad in (2.5, 1, 501):
        with pytest.raises(traitlets.TraitError, match="length: expected a whole number from 2"):
            SequenceExplorer(length=bad)
    assert type(SequenceExplorer(length=50.0).length) is int


def test_choices():
    with pytest.raises(traitlets.TraitError, match="preset: expected one of impulse.*sawtooth"):
        SequenceExplorer(preset="sawtooth")
    with pytest.raises(traitlets.TraitError, match="preset: expected one of"):
        SequenceExplorer().preset = "own"
    with pytest.raises(traitlets.TraitError):
        CellExplorer(selected="z")


@pytest.mark.parametrize("kind", WIDGETS)
def test_reset_goes_back_to_where_the_author_began(kind, send):
    widget = kind(b_f=2.5)
    start = widget.settings()
    send(widget, b_f=-1, b_o=4)
    assert widget.settings() != start
    widget.reset()
    assert widget.settings() == start


def test_links_and_observers():
    from ipywidgets import link

    a, b, seen = CellExplorer(), SequenceExplorer(), []
    a.observe(lambda change: seen.append(change.new), "b_f")
    link((a, "b_f"), (b, "b_f"))
    b.b_f = 4.5
    assert a.b_f == 4.5
    assert seen[-1] == 4.5


class TestOwnLayer:
    def js(self, node, widget):
        floats = np.frombuffer(widget._net, "<f4").astype(float)
        shape = dict(widget._shape)
        w, u = 4 * shape["H"] * shape["D"], 4 * shape["H"] ** 2
        net = {"W": floats[:w], "U": floats[w : w + u], "b": floats[w + u :]}
        shape["net"] = {"D": shape["D"], "H": shape["H"]} | {k: v.tolist() for k, v in net.items()}
        call = ["runSequence", [widget.settings(), shape]]
        return node("sequence.js", [call])[0]

    def test_shows_the_layers_own_unit(self, node):
        lstm = LSTM(1, 6, seed=3)
        widget = SequenceExplorer(layer=lstm, unit=4, preset="noise", length=30)
        x = input_signal("noise", 30, 10).astype("float32")[:, None, None]
        _, trace = lstm.forward(x)
        values = widget.values()
        np.testing.assert_allclose(values["c"], trace.cell[:, 0, 4], atol=1e-6)
        np.testing.assert_allclose(values["f"], trace.forget_gate[:, 0, 4], atol=1e-6)
        same_numbers(self.js(node, widget), widget)

    def test_takes_an_input_of_several_features(self):
        lstm, x = LSTM(3, 5, seed=1), np.random.default_rng(0).normal(size=(40, 1, 3))
        widget = SequenceExplorer(lstm, x, 2)
        assert (widget.preset, widget.length, widget._presets) == ("own", 40, ["own"])
        _, trace = lstm.forward(x.astype("float32"))
        np.testing.assert_allclose(widget.values()["h"], trace.hidden[:, 0, 2], atol=1e-6)
        widget.b_f = 9
        assert widget.values()["f"].min() > 0.99

    def test_an_own_input_for_the_small_unit(self):
        widget = SequenceExplorer(x=[0, 1, 0, 0])
        assert widget.values()["first"] == 1
        widget.preset = "impulse"
        assert len(widget.values()["c"]) == 4
        assert len(SequenceExplorer(x=[0.5]).values()["c"]) == 1

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"layer": RNN(1, 2)}, TypeError, "layer: expected an LSTM, got RNN"),
            ({"layer": LSTM(2, 2)}, ValueError, "x: the layer takes 2 features a step"),
            ({"layer": LSTM(1, 2), "unit": 2}, ValueError, "unit: expected .* 0 to 1, got 2"),
            ({"layer": LSTM(1, 99)}, ValueError, "layer: 500 steps of 99 units .* at most"),
            ({"x": np.ones((3, 2))}, ValueError, "x: expected 1 features a step, got 2"),
            ({"x": []}, ValueError, r"x: expected shape .* got \(0,\)"),
            ({"x": np.ones(501)}, ValueError, r"T from 1 to 500, got \(501,\)"),
            ({"x": [1, math.nan]}, ValueError, "x: expected finite numbers"),
            ({"x": "pulse"}, TypeError, "x: expected numbers, got dtype"),
        ],
    )
    def test_refuses_what_it_cannot_show(self, arguments, error, message):
        with pytest.raises(error, match=message):
            SequenceExplorer(**arguments)

    def test_refuses_broken_weights(self):
        lstm = LSTM(1, 2)
        lstm.params["weight_h_l0"][0, 0] = np.nan
        with pytest.raises(ValueError, match="layer: weight_h_l0 holds NaN"):
            SequenceExplorer(layer=lstm)
