"""WeightExplorer: the loss, its gradient and the memory are the library's, for any network."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, Linear
from lstm_lab.explore import WeightExplorer
from tests.explore.cases import case_of
from tests.explore.page import copy_of, pull, state, summary


def own(rng, features, hidden, outputs, steps, target=True):
    """A random layer with what belongs to it; without outputs no head."""
    layer = LSTM(features, hidden, dtype="float64", backend="numpy")
    for array in layer.params.values():
        array[...] = rng.normal(0, 1, array.shape)
    given = {"layer": layer, "x": rng.normal(size=(steps, features))}
    if outputs:
        given["head"] = Linear(hidden, outputs, dtype="float64", backend="numpy", seed=1)
    if target:
        given["target"] = rng.normal(size=(steps, outputs or hidden))
    return given


SIZES = [(1, 1, 0, 1), (1, 1, 1, 5), (2, 3, 2, 12), (3, 8, 1, 30), (1, 12, 0, 20)]


@pytest.mark.parametrize("target", [True, False])
def test_random_networks_give_the_same_numbers_in_the_browser(target, node):
    case, rng, calls, widgets = case_of(WeightExplorer), np.random.default_rng(target), [], []
    for features, hidden, outputs, steps in SIZES:
        widget = WeightExplorer(
            **own(rng, features, hidden, outputs, steps, target),
            gate=str(rng.choice(list("figo"))),
            row=1 + int(rng.integers(hidden + 1)),
            source=1 + int(rng.integers(features + hidden + 2)),
            delta=float(rng.uniform(-2, 2)),
        )
        module, *call = case.js(widget)
        calls.append(call)
        widgets.append(widget)
    for answer, widget in zip(node(module, calls), widgets, strict=True):
        case.same(answer, widget)


@pytest.mark.parametrize("source", range(1, 7))
@pytest.mark.parametrize("gate", "figo")
def test_the_slope_is_that_of_the_loss(gate, source):
    given = own(np.random.default_rng(5), 2, 3, 2, 12)
    explorer = WeightExplorer(**given, gate=gate, row=2, source=source, delta=0.3)
    at, nudge = explorer.values(), 1e-5
    losses = []
    for delta in (0.3 - nudge, 0.3 + nudge):
        explorer.delta = delta
        losses.append(explorer.values()["loss"])
    assert at["slope"] == pytest.approx((losses[1] - losses[0]) / (2 * nudge), abs=1e-6)


def test_the_curve_and_the_removals_are_the_losses(node):
    given = own(np.random.default_rng(6), 2, 3, 2, 12)
    explorer = WeightExplorer(**given, gate="f", row=3, source=4, delta=0.0)
    shape, numbers = explorer._shape, np.frombuffer(explorer._net, "<f4").tolist()
    program = "weights/net.js"
    [net] = node(program, [["weightNet", [shape, numbers]]])
    net = {k: list(v.values()) if isinstance(v, dict) else v for k, v in net.items()}
    curve, removed = node(
        program, [["lossCurve", [explorer.settings(), net, -2, 2]], ["removals", [net]]]
    )
    for delta, loss in list(zip(curve["deltas"], curve["losses"], strict=True))[::10]:
        explorer.delta = float(delta)
        assert explorer.values()["loss"] == pytest.approx(loss, abs=1e-5)
    explorer.delta = 0.0
    before = explorer.values()
    explorer.delta = -before["weight"]
    risen = explorer.values()["loss"] - before["loss"]
    row, hidden = 2 * 3 + 2, 3
    assert removed["U"][row * hidden + 3 - 2] == pytest.approx(risen, abs=1e-5)


def test_the_networks_memory_is_the_loop_that_the_book_says():
    """Unit 1 forgets two thirds at every step, and yet remembers: through its own candidate."""
    explorer = WeightExplorer()
    learnt = explorer.values()
    assert learnt["loss"] < 0.01
    assert learnt["mean"] < 0.4
    assert learnt["half_life"] < 1
    assert learnt["weight"] == pytest.approx(0.96, abs=0.005)
    explorer.delta = -0.6
    broken = explorer.values()
    assert broken["loss"] > 50 * learnt["loss"]
    target = explorer._target
    assert abs(learnt["output"][33, 0] - target[33, 0]) < 0.1
    assert abs(broken["output"][33, 0]) < 0.2
    # The other unit's bit is not touched.
    np.testing.assert_allclose(broken["output"][:, 1], learnt["output"][:, 1], atol=0.05)


def test_a_layer_alone_is_held_against_what_it_did(show):
    layer = LSTM(1, 40, seed=0)
    explorer = WeightExplorer(layer=layer)
    assert explorer.values()["loss"] == 0
    assert explorer.setting == "WeightExplorer(layer=layer)"
    explorer.delta = 2.0
    assert explorer.values()["loss"] > 0
    page = show(WeightExplorer(layer=layer, delta=2.0, source=2))
    assert "distance from what it did" in summary(page)
    assert page.locator("[data-name=shows] option").count() == 2


def test_what_cannot_be_shown_is_named():
    layer, x = LSTM(2, 3), np.zeros((5, 2))
    for given, message in [
        ({"x": x}, "x: expected a layer that it belongs to"),
        ({"layer": 3}, "layer: expected an LSTM, got int"),
        ({"layer": LSTM(2, 3, peepholes=True)}, "layer: expected an LSTM of the standard"),
        ({"layer": LSTM(2, 200)}, "layer: 60 steps of 200 units"),
        ({"layer": layer, "x": np.zeros((5, 3))}, "x: expected 2 features a step, got 3"),
        ({"layer": layer, "x": x, "head": LSTM(3, 3)}, "head: expected a Linear, got LSTM"),
        ({"layer": layer, "x": x, "head": Linear(4, 1)}, "head: expected one that takes 3 units"),
        ({"layer": layer, "x": x, "target": np.zeros((5, 2))}, r"target: .* shape \(5, 3\)"),
        ({"layer": layer, "x": x, "target": np.full((5, 3), np.nan)}, "target: .* NaN"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            WeightExplorer(**given)
    layer.params["weight_h_l0"][0] = np.inf
    with pytest.raises(ValueError, match="weight_h_l0 holds NaN or infinity"):
        WeightExplorer(layer=layer)


def test_a_weight_is_dragged_on_the_map(show):
    page = show(WeightExplorer())
    box = page.locator(".ll-weight-pair canvas").first.bounding_box()
    wide = (box["width"] - 66) / 5
    # The candidate's first row, the column of x_1; then it is pulled down.
    x, y = box["x"] + 62 + 0.5 * wide, box["y"] + 22 + 3 * (2 * 27.5 + 12) + 13
    pull(page, (x, y), (x, y + 60), steps=6)
    now = state(page)
    assert (now["gate"], now["row"], now["source"]) == ("g", 1, 1)
    assert now["delta"] == pytest.approx(-2, abs=0.06)
    values = copy_of(case_of(WeightExplorer), page).values()
    said = summary(page)
    assert f"The weight from input 1 to the candidate of unit 1 is {values['weight']:.2f}" in said
    page.get_by_role("button", name="Set to zero").click()
    assert state(page)["delta"] == pytest.approx(-4.05, abs=0.01)
    assert "is 0.00, moved by" in summary(page)
    page.get_by_role("button", name="As it was").click()
    assert state(page)["delta"] == 0


def test_the_point_is_dragged_along_the_loss(show):
    page = show(WeightExplorer())
    box = page.locator(".ll-weight-pair canvas").nth(1).bounding_box()
    middle = box["x"] + (46 + box["width"] - 12) / 2
    pull(page, (middle, box["y"] + 120), (middle - 40, box["y"] + 120))
    assert -2 < state(page)["delta"] < -0.5
    values = copy_of(case_of(WeightExplorer), page).values()
    assert f"averages {values['mean']:.3f}." in summary(page)
    tiles = page.locator(".ll-tile-value").all_inner_texts()
    assert tiles[0] == f"{values['loss']:.3f}"
