"""BidirectionalExplorer: what is its own."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import GRU, LSTM, BiLSTM
from lstm_lab.explore import BidirectionalExplorer
from lstm_lab.explore.bidirectional.widget import BOTH, FORWARD, OWN_END, PADDING
from tests.explore.cases.bidirectional import CASE
from tests.explore.page import focused, go, picture, pull, state, summary, text, widen, words

RNG = np.random.default_rng(0)


def brute(layer, x, length, t, s, padded, step=1e-6):
    """‖∂y_t/∂x_s‖ by central differences."""
    total = 0.0
    for d in range(x.shape[1]):
        ends = []
        for sign in (1, -1):
            moved = x[:, None].copy()
            moved[s, 0, d] += sign * step
            ends.append(layer.forward(moved, lengths=None if padded else [length])[0][t, 0])
        total += (((ends[0] - ends[1]) / (2 * step)) ** 2).sum()
    return np.sqrt(total)


@pytest.mark.parametrize("starts", [OWN_END, PADDING])
def test_the_map_is_what_a_nudge_does(starts):
    explorer = BidirectionalExplorer(sequence=2, reverse_starts=starts, padding=0.7)
    values, (which, length) = explorer.values(), explorer.shown()
    x = explorer._array[:, which].copy()
    x[length:] = 0.7
    for t, s in [(0, 0), (0, 5), (2, 4), (5, 1), (3, 7), (5, 8)]:
        nudged = brute(explorer._layer, x, length, t, s, starts == PADDING)
        assert values["influence"][t, s] == pytest.approx(nudged, abs=1e-8), (t, s)
    assert (values["influence"][:length, length:] > 0).all() == (starts == PADDING)
    assert not values["influence"][length:].any()


def test_one_direction_is_a_triangle_and_both_are_full():
    both = BidirectionalExplorer().values()
    assert (both["influence"] > 0).all()
    assert not np.triu(both["forward"], 1).any()
    assert not np.tril(both["reverse"], -1).any()
    alone = BidirectionalExplorer(direction=FORWARD).values()
    # One direction is a product of another shape than two: kernels may add in another order.
    np.testing.assert_allclose(alone["influence"], both["forward"], rtol=1e-14)
    assert "reverse" not in alone


def test_padding_has_no_influence_unless_the_reverse_direction_starts_there():
    explorer = BidirectionalExplorer(sequence=2)
    y = explorer.values()["y"]
    explorer.padding = 3
    np.testing.assert_array_equal(explorer.values()["y"], y)
    assert explorer.values()["gap"] == 0
    explorer.reverse_starts = PADDING
    wrong = explorer.values()
    assert wrong["gap"] == pytest.approx(abs(wrong["y"] - y).max())
    assert wrong["gap"] > 0.1
    # A sequence without padding has nothing to start in.
    explorer.sequence = 1
    assert explorer.values()["gap"] == 0


@pytest.mark.parametrize("kind", [LSTM, BiLSTM])
def test_the_readers_own(kind):
    layer, x = kind(3, 4, seed=1), RNG.normal(size=(6, 2, 3))
    own = {"layer": layer, "x": x, "lengths": [6, 4]}
    explorer = BidirectionalExplorer(**own, sequence=2, output=2, input=4)
    t, s = 1, 3
    copy = kind(3, 4, dtype="float64")
    for name, array in layer.params.items():
        copy.params[name][...] = array
    ours = np.asarray(x[:, 1], "float32").astype("float64")
    assert explorer.values()["seen"] == pytest.approx(brute(copy, ours, 4, t, s, False), abs=1e-8)
    assert explorer.setting.startswith("BidirectionalExplorer(layer=layer, x=x, lengths=lengths")
    assert (BOTH in explorer.options("direction")) == (kind is BiLSTM)
    # The layer stays the reader's: nothing that is shown changes it.
    assert layer.dtype == "float32"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layer": BiLSTM(3, 4)}, ValueError, "x: a layer of your own needs an x"),
        ({"x": np.ones((3, 3))}, ValueError, "layer: a x of your own|layer: an x of your own"),
        ({"lengths": [3]}, ValueError, "lengths: they belong to"),
        ({"layer": GRU(3, 4), "x": np.ones((3, 3))}, TypeError, "layer: expected an LSTM"),
        ({"layer": LSTM(3, 4, 2), "x": np.ones((3, 3))}, ValueError, "num_layers=2"),
        ({"layer": LSTM(3, 4, coupled=True), "x": np.ones((3, 3))}, ValueError, "standard"),
        ({"layer": LSTM(3, 4, proj_size=2), "x": np.ones((3, 3))}, ValueError, "standard eq"),
        ({"layer": LSTM(3, 4, layer_norm=True), "x": np.ones((3, 3))}, ValueError, "standard"),
        ({"layer": LSTM(3, 4), "x": np.ones((3, 2))}, ValueError, "x: expected 3 features"),
        ({"layer": LSTM(3, 4), "x": np.ones((3, 5, 3))}, ValueError, "B from 1 to 4"),
        ({"layer": LSTM(3, 4), "x": np.full((3, 3), np.nan)}, ValueError, "x: expected finite"),
        ({"layer": LSTM(3, 4), "x": [["a"] * 3]}, TypeError, "x: expected numbers"),
        ({"layer": LSTM(3, 4), "x": np.ones((3, 3)), "lengths": [4]}, ValueError, r"lengths\[0\]"),
        ({"layer": BiLSTM(8, 64), "x": np.ones((60, 8))}, ValueError, "at most 20,000,000"),
    ],
)
def test_refuses_what_it_cannot_show(arguments, error, message):
    with pytest.raises(error, match=message):
        BidirectionalExplorer(**arguments)


def test_refuses_broken_weights():
    layer = BiLSTM(2, 3)
    layer.params["bias_l0_reverse"][0] = np.nan
    with pytest.raises(ValueError, match="layer: bias_l0_reverse holds NaN"):
        BidirectionalExplorer(layer=layer, x=np.ones((3, 2)))


def test_dragging_the_end_of_a_sequence(show):
    page, copy = show(BidirectionalExplorer()), BidirectionalExplorer()
    batch = page.locator("canvas").first
    box = batch.bounding_box()
    cell = box["width"] / 9
    x, y = box["x"], box["y"] + 14
    pull(page, (x + 6 * cell - 2, y + 34), (x + 3 * cell, y + 34))
    # Where no end is, a drag chooses a sequence and leaves its length.
    pull(page, (x + 6 * cell, y + 2 * 34), (x + 7 * cell, y + 2 * 34), steps=1)
    assert (state(page)["sequence"], state(page)["length_3"]) == (3, 4)
    page.mouse.click(x + cell / 2, y + 34)
    now = state(page)
    assert (now["sequence"], now["length_2"], now["length_1"]) == (2, 3, 9)
    copy.sequence, copy.length_2 = 2, 3
    copy.output, copy.input = now["output"], now["input"]
    said = summary(page)
    assert "Sequence 2 has 3 of 9 steps" in said
    assert f"influence of {copy.values()['seen']:.3f}" in said


def test_switching_the_reverse_half_off_and_starting_it_in_the_padding(show):
    page = show(BidirectionalExplorer(sequence=2, output=2, input=5))
    copy = BidirectionalExplorer(sequence=2, output=2, input=5, padding=2.0)
    full = picture(page)
    assert f"influence of {copy.values()['seen']:.3f}" in summary(page)
    page.evaluate("models[0].set('padding', 2)")
    assert f"influence of {copy.values()['seen']:.3f}" in summary(page)
    page.locator("select[data-name=reverse_starts]").select_option(PADDING)
    copy.reverse_starts = PADDING
    warning = page.locator("[data-role=warning]")
    page.evaluate("models[0].set('sequence', 1)")
    assert "has no padding after it" in text(warning)
    page.evaluate("models[0].set('sequence', 2)")
    assert f"off by up to {copy.values()['gap']:.3f}" in text(warning)
    assert f"influence of {copy.values()['seen']:.3f}" in summary(page)
    page.locator("select[data-name=direction]").select_option(FORWARD)
    assert "influence of 0.000" in summary(page)
    assert "nothing from the future" in summary(page)
    assert not page.locator("select[data-name=reverse_starts]").is_visible()
    assert picture(page) != full


@pytest.mark.parametrize("starts", [OWN_END, PADDING])
def test_node_agrees_on_ragged_batches(starts, node):
    for sequence, padding in [(1, 2.0), (2, -1.5), (3, 0.4)]:
        explorer = BidirectionalExplorer(
            sequence=sequence, padding=padding, reverse_starts=starts, length_1=5
        )
        [js] = node("bidirectional/influence.js", [CASE.js(explorer)[1:]])
        CASE.same(js, explorer)


def test_by_keyboard_from_the_map_to_one_entry_and_back(show):
    page = show(BidirectionalExplorer(output=2, input=3))
    door = page.locator(".ll-row-opener:visible")
    door.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert (state(page)["output"], state(page)["input"]) == (3, 5)
    page.keyboard.press("Enter")
    assert state(page)["path"] == "output"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert state(page)["path"] == "output/entry"
    copy = BidirectionalExplorer(output=3, input=6)
    readout = page.locator("[data-role=readout]:visible")
    assert f"{copy.values()['seen']:.3f}" in text(readout)
    entries = page.locator(".ll-matrix-cells > span").all_inner_texts()
    norm = np.sqrt(sum(float(e.replace("−", "-")) ** 2 for e in entries))
    assert norm == pytest.approx(copy.values()["seen"], abs=2e-3)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert state(page)["path"] == ""
    assert focused(page, "(node) => node.classList.contains('ll-row-opener')")


def test_a_single_step(show):
    page = show(BidirectionalExplorer(layer=BiLSTM(2, 3, seed=0), x=np.ones((1, 2))))
    assert "Sequence 1 has 1 of 1 steps" in summary(page)
    for path in BidirectionalExplorer.levels:
        go(page, path)
        assert "NaN" not in words(page)


def test_a_long_batch_of_ones_own(show):
    layer = BiLSTM(2, 6, seed=0)
    x = RNG.normal(size=(60, 4, 2))
    widget = BidirectionalExplorer(layer=layer, x=x, lengths=[60, 41, 7, 1])
    page = show(widget, width=480)
    assert f"influence of {widget.values()['seen']:.3f}" in summary(page)


SLANTED = """() => {
  const pen = CanvasRenderingContext2D.prototype, { fillText } = pen;
  window.slanted = [];
  pen.fillText = function (text, ...rest) {
    const { a, b, e, f } = this.getTransform(), wide = this.measureText(text).width;
    if (b) window.slanted.push([text, (e + a * wide) / this.canvas.width, f + b * wide]);
    return fillText.call(this, text, ...rest);
  };
}"""


def test_slanted_words_stay_within_the_picture(show):
    page = show(BidirectionalExplorer(sequence=2, input=9))
    page.evaluate(SLANTED)
    for width in (360, 480, 1200):
        widen(page, width)
        words = page.evaluate("() => window.slanted.splice(0)")
        assert len(words) >= 9, width
        assert all(right < 1 and top > 0 for _, right, top in words), (width, words)
