"""SequenceExplorer: how long it remembers, its inputs, behaviours to match, one's own layer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import traitlets

from lstm_lab import LSTM, RNN
from lstm_lab.explore import CellExplorer, SequenceExplorer
from lstm_lab.explore.core.signals import input_signal
from lstm_lab.explore.sequence.model import drawn_signal, score, target_of
from lstm_lab.explore.sequence.widget import BEHAVIOURS, PRESETS
from tests.explore.cases.sequence import CASE, same
from tests.explore.page import (
    copy_of,
    drag,
    picture,
    pull,
    state,
    summary,
    text,
    widen,
)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


LEAVES_CARD = """cards => cards.flatMap((card) => {
  const inner = card.getBoundingClientRect(), words = document.createRange();
  const edge = inner.right - parseFloat(getComputedStyle(card).paddingRight);
  return [...card.children].filter((line) => {
    words.selectNodeContents(line);
    return card.scrollWidth > card.clientWidth
      || words.getBoundingClientRect().right > edge + 0.5;
  }).map((line) => line.textContent);
})"""


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


@pytest.mark.parametrize("preset", sorted({*PRESETS} - {"drawn"}))
def test_signals(preset):
    for length in (2, 3, 20, 500):
        signal = input_signal(preset, length, 10)
        assert signal.shape == (length,)
        assert np.abs(signal).max() <= 1
        assert signal.any()
    with pytest.raises(ValueError, match="no signal called"):
        input_signal("sawtooth", 10, 10)


def test_whole_numbers():
    for bad in (2.5, 1, 501):
        with pytest.raises(traitlets.TraitError, match="length: expected a whole number from 2"):
            SequenceExplorer(length=bad)
    assert type(SequenceExplorer(length=50.0).length) is int


def test_choices():
    with pytest.raises(traitlets.TraitError, match="preset: expected one of 'impulse'.*sawtooth"):
        SequenceExplorer(preset="sawtooth")
    with pytest.raises(traitlets.TraitError, match="preset: expected one of"):
        SequenceExplorer().preset = "own"
    with pytest.raises(traitlets.TraitError):
        CellExplorer(selected="z")


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
        return node("sequence/model.js", [call])[0]

    def test_shows_the_layers_own_unit(self, node):
        lstm = LSTM(1, 6, seed=3)
        widget = SequenceExplorer(layer=lstm, layer_unit=5, preset="noise", length=30)
        x = input_signal("noise", 30, 10).astype("float32")[:, None, None]
        _, trace = lstm.forward(x)
        values = widget.values()
        np.testing.assert_allclose(values["c"], trace.cell[:, 0, 4], atol=1e-6)
        np.testing.assert_allclose(values["f"], trace.forget_gate[:, 0, 4], atol=1e-6)
        same(self.js(node, widget), widget)

    def test_takes_an_input_of_several_features(self):
        lstm, x = LSTM(3, 5, seed=1), np.random.default_rng(0).normal(size=(40, 1, 3))
        widget = SequenceExplorer(lstm, x, layer_unit=3)
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
            ({"layer": LSTM(1, 2), "layer_unit": 3}, ValueError, "layer_unit: .* 1 to 2, got 3"),
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


def test_one_minus_one_over_t(show):
    page = show(SequenceExplorer(length=200))
    page.get_by_role("button", name="Set f = 1 − 1/T").click()
    assert state(page)["b_f"] == pytest.approx(math.log(199))
    values = copy_of(CASE, page).values()
    assert values["memory"] == pytest.approx(200, rel=0.1)
    assert f"{values['memory']:.0f} steps" in text(page.locator(".ll-tiles"))


def test_pointing_reads_a_step(show):
    page = show(SequenceExplorer())
    box = page.locator("[role=img]").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 160)
    step = state(page)["step"]
    assert 40 < step < 70
    c = SequenceExplorer().values()["c"][step - 1]
    assert f"At step {step} " in summary(page)
    assert f"the cell state {c:.2f}" in summary(page)


def test_what_python_sets_is_shown(show):
    page = show(SequenceExplorer())
    before = picture(page)
    page.evaluate("models[0].set('length', 17); models[0].set('preset', 'square')")
    assert picture(page) != before
    assert page.locator("input[data-name=length]").input_value() == "17"
    assert page.locator("select[data-name=preset]").input_value() == "square"
    assert page.locator("input[data-name=period]").is_visible()
    assert summary(page).startswith("Over 17 steps")


def test_a_step_past_the_end_reads_the_last_one(show):
    page = show(SequenceExplorer(step=90))
    page.locator("input[data-name=length]").press("Home")
    assert "At step 2 " in summary(page)
    assert "NaN" not in picture(page)


def test_values_on_demand(show):
    page = show(CellExplorer(), SequenceExplorer(length=12))
    for summary_line in page.locator("summary", has_text="All values").all():
        summary_line.click()
    tables = page.locator("table")
    for number in range(2):
        tables.nth(number).locator("td").first.wait_for()
    assert tables.nth(0).locator("tbody tr").count() == 9
    assert tables.nth(1).locator("tbody tr").count() == 12
    c = SequenceExplorer(length=12).values()["c"][-1]
    assert text(tables.nth(1).locator("tr").last.locator("td").nth(5)) == f"{c:.4f}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("longest", "setting"),
    [
        ("2.5·10⁻¹² %", {"preset": "spikes", "b_f": 2.6}),
        ("1.2·10⁻¹⁷³¹ %", {"preset": "noise", "b_f": -8}),
        ("3\u202f170 steps", {"preset": "noise", "b_f": 8}),
        ("0.00034", {"preset": "noise", "b_f": -8}),
    ],
)
def test_no_number_leaves_its_card(longest, setting, theme, show):
    page = show(SequenceExplorer(length=500, **setting), theme=theme)
    cards = page.locator(".ll-tile")
    assert longest in text(page.locator(".ll-tiles"))
    explorer = page.locator(".lstm-lab-explorer")
    for width in (360, 480, 534, 700, 760, 800, 815, 850, 900, 1000, 1200):
        widen(page, width + 32)
        assert explorer.evaluate("node => node.offsetWidth") == width
        assert cards.evaluate_all(LEAVES_CARD) == [], width
        tops = cards.evaluate_all("all => all.map((n) => n.offsetTop)")
        assert tops.count(tops[0]) in (2, 4), (width, "three cards, and one alone below")
        heights = cards.evaluate_all("all => all.map((n) => n.offsetHeight)")
        assert max(heights) < 80, (width, "a card has broken a line")


def test_the_readers_own_layer(show):
    lstm = LSTM(3, 5, seed=1)
    x = [[math.sin(t), math.cos(t), t / 30] for t in range(30)]
    widget = SequenceExplorer(layer=lstm, x=x, layer_unit=3, step=30)
    page = show(widget)
    f = widget.values()["f"][-1]
    assert f"At step 30 the forget gate {f:.2f}" in summary(page)
    before = picture(page)
    page.locator("input[data-name=b_o]").press("ArrowRight")
    assert picture(page) != before


def test_one_step_alone(show):
    page = show(SequenceExplorer(x=[0.5]))
    assert "At step 1 the input is 0.50" in summary(page)
    assert "NaN" not in picture(page)


class TestDrawing:
    @staticmethod
    def lane(page):
        return page.locator(".ll-lane").bounding_box()

    def test_the_mouse_draws_the_input(self, show):
        page = show(SequenceExplorer(preset="impulse"))
        box = self.lane(page)
        y = box["y"] + 6
        pull(page, (box["x"] + box["width"] * 0.5, y), (box["x"] + box["width"] * 0.6, y))
        now = state(page)
        assert now["preset"] == "drawn"
        x = drawn_signal(now["drawn"], 100)
        assert x[5] == 1  # what was there before is still there
        assert (x[51:59] > 0.8).all()
        assert not x[65:].any()
        assert copy_of(CASE, page).values()["c"][70] > 0.1
        page.get_by_role("button", name="Clear").click()
        assert not drawn_signal(state(page)["drawn"], 100).any()
        assert "NaN" not in summary(page)

    def test_the_keyboard_draws_it_too(self, show):
        page = show(SequenceExplorer(preset="drawn", step=10))
        hand = page.locator(".ll-lane")
        hand.press("ArrowRight")
        hand.press("PageUp")
        hand.press("ArrowDown")
        assert state(page)["step"] == 11
        assert drawn_signal(state(page)["drawn"], 100)[10] == 0.75
        assert hand.get_attribute("aria-valuenow") == "0.75"

    def test_what_is_drawn_is_part_of_the_setting(self):
        widget = SequenceExplorer(preset="drawn", drawn="0*5 1 0.5*3 -1")
        copy = SequenceExplorer()
        copy.setting = widget.setting
        x = copy.values()["x"][:, 0]
        assert x[4:10].tolist() == [0, 1, 0.5, 0.5, 0.5, -1]
        for wrong in ("2", "0.5*", "a", "0*9999", "nan", "1 * 3"):
            with pytest.raises(traitlets.TraitError, match="drawn: expected runs"):
                SequenceExplorer(drawn=wrong)

    def test_runs_lead_back(self, node):
        rng = np.random.default_rng(0)
        signals = [np.round(rng.uniform(-1, 1, n) * 20) / 20 for n in (1, 2, 30, 500)]
        signals += [np.zeros(7), np.repeat([0, 1, -0.05], 9)]
        written = node("sequence/model.js", [["writeRuns", [x.tolist()]] for x in signals])
        for runs, x in zip(written, signals, strict=True):
            assert SequenceExplorer(drawn=runs).drawn == runs
            np.testing.assert_array_equal(drawn_signal(runs, len(x)), x)
        calls = [["readRuns", [r, len(x)]] for r, x in zip(written, signals, strict=True)]
        again = node("sequence/model.js", calls)
        for got, x in zip(again, signals, strict=True):
            assert got == pytest.approx(x.tolist())


class TestBehaviours:
    X = np.array([0, 1, 0, 1, 0, -1, 0.4, 1])
    WANTED = {
        "latch": [0, 1, 1, 1, 1, 0, 0, 1],
        "counter": [0, 1, 1, 2, 2, 2, 2, 3],
        "integrator": [0, 0.2, 0.2, 0.4, 0.4, 0.2, 0.28, 0.48],
        "forgetting": [0, 1, 1, 1, 1, 0, 0, 1],
        "toggler": [0, 1, 1, 0, 0, 0, 0, 1],
    }

    @pytest.mark.parametrize("behaviour", BEHAVIOURS)
    def test_targets_by_hand(self, behaviour, node):
        assert target_of(behaviour, self.X, 2).tolist() == pytest.approx(self.WANTED[behaviour])
        [js] = node("sequence/model.js", [["targetOf", [behaviour, self.X.tolist(), 2]]])
        assert js == pytest.approx(self.WANTED[behaviour])

    def test_the_score(self):
        wanted = np.array([0.0, 1, 0, 1])
        assert score(wanted, wanted) == 1
        assert score(np.full(4, 0.5), wanted) == 0.5
        assert score(wanted + [0.5, 0, 0, 0], wanted) == 0.8
        assert (score(np.ones(3), np.ones(3)), score(np.ones(3), np.zeros(3))) == (1, 0)
        with pytest.raises(ValueError, match="behaviour: there is none called 'dancer'"):
            target_of("dancer", wanted, 2)

    @pytest.mark.parametrize("behaviour", BEHAVIOURS)
    def test_one_way_comes_close_and_the_start_does_not(self, behaviour, show):
        page = show(SequenceExplorer())
        page.locator("select[data-name=match]").select_option(behaviour)
        assert copy_of(CASE, page).values()["score"] < 0.8
        page.get_by_role("button", name="Show one way").click()
        reached = copy_of(CASE, page).values()["score"]
        assert reached > 0.9
        assert float(page.locator("meter").evaluate("n => n.value")) == pytest.approx(reached)
        assert "that is it" in text(page.locator(".ll-contest"))
        assert f"matches the {behaviour} to " in summary(page)


def test_a_step_opens_into_its_cell(show):
    page = show(SequenceExplorer(step=30))
    page.get_by_role("button", name="Open this step").press("Enter")
    values = SequenceExplorer(step=30).values()
    assert f"Forget gate {values['f'][29]:.2f} keeps" in summary(page)
    assert f"the new cell state is {values['c'][29]:.2f}" in summary(page)
    page.locator(".ll-opener[data-q=f]").press("Enter")
    assert state(page)["path"] == "cell/f"
    assert f"which the sigmoid makes {values['f'][29]:.2f}" in summary(page)
    page.locator("input[data-name=step]").press("Home")
    assert f"makes {values['f'][0]:.2f}" in summary(page)


def test_what_is_inside_a_unit_of_the_readers_own_layer(show, node):
    lstm, x = LSTM(3, 5, seed=1), np.random.default_rng(2).normal(size=(12, 3))
    for array in lstm.params.values():
        array *= 3
    widget = SequenceExplorer(lstm, x, layer_unit=3, step=7)
    values = widget.values()
    page = show(SequenceExplorer(lstm, x, layer_unit=3, step=7, path="cell/f"))
    assert f"which the sigmoid makes {values['f'][6]:.2f}" in summary(page)
    z = math.log(values["f"][6] / (1 - values["f"][6]))
    assert f"together {z:.2f}".replace("-", "−") in summary(page)
    page.locator("button.ll-row").first.press("Enter")
    w, k = lstm.params["weight_x_l0"][12], 0
    k = int(np.abs(w * x[6]).argmax())
    expected = f"{w[k]:.2f} times {x[6, k]:.2f} is {w[k] * x[6, k]:.2f}".replace("-", "−")
    assert expected in summary(page)


@pytest.mark.parametrize("kind", [CellExplorer, SequenceExplorer])
def test_the_ghost_of_what_was_before_is_drawn(kind, show):
    dragged = show(kind())
    plain = picture(dragged)
    drag(dragged, "b_f", -60)
    now = state(dragged)
    fresh = show(kind(b_f=now["b_f"]))
    assert picture(dragged) != picture(fresh)
    # One drag is one change: the ghost is where it began, not one pixel back.
    jumped = show(kind())
    jumped.evaluate("b_f => models[0].set('b_f', b_f)", now["b_f"])
    assert picture(jumped) == picture(dragged)
    # What moves only the eye makes no ghost.
    other = show(kind())
    other.evaluate("models[0].set('step', 3)")
    other.evaluate("models[0].set('step', models[0].get('_start').step)")
    assert picture(other) == plain


def test_every_number_shows_its_formula(show):
    page, values = show(SequenceExplorer()), SequenceExplorer().values()
    told = page.locator("[data-role=readout]")
    for tile, said in {
        "forget gate": f"= {values['mean']:.3f}",
        "half-life": f"= {values['half_life']:.1f} steps",
        "time constant": f"= {values['memory']:.1f} steps",
        "first pulse left": f"= {100 * values['left']:.1f} %",
    }.items():
        page.locator(".ll-tile", has_text=tile).focus()
        assert said in text(told)
    for q in "ifogch":
        page.locator(f".ll-stage > button[data-q={q}]").focus()
        assert f"= {values[q][11]:.2f}" in text(told)
    assert page.locator(".ll-stage > button.ll-made").count() == 2  # o and c make h
    box = page.locator("canvas[role=img]").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 300)
    t = state(page)["step"] - 1
    assert "new cell state" in text(told)
    assert f"= {values['c'][t]:.2f}" in text(told)
