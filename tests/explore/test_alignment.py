"""AlignmentExplorer: what is its own."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import traitlets

from lstm_lab import Attention
from lstm_lab.explore import AlignmentExplorer
from lstm_lab.losses import ctc, ctc_collapse
from tests.explore.page import focused, go, pull, settled, state, summary, text, words

RNG = np.random.default_rng(0)


FACTS = """() => [...document.querySelectorAll('[data-fact]')]
  .map((node) => [node.dataset.fact, node.innerText])"""


def facts(page):
    return dict(settled(page, FACTS))


def copy(page):
    now = state(page)
    return AlignmentExplorer(**{name: now[name] for name in AlignmentExplorer.controls()})


def test_it_begins_where_greedy_decoding_is_wrong():
    explorer = AlignmentExplorer()
    values = explorer.values()
    assert "".join(explorer._own_symbols[k] for k in values["greedy"]) == "helo"
    assert values["loss"] == pytest.approx(-np.log(values["p"]))
    # More blank between the two l, and it reads what it should.
    explorer.edits = "7:0:5"
    better = explorer.values()
    assert "".join(explorer._own_symbols[k] for k in better["greedy"]) == "hello"
    assert better["loss"] < values["loss"] - 0.5


def test_edits_are_scores():
    explorer = AlignmentExplorer(edits="1:2:0.5 3:0:-1.25 99:0:1")
    before = AlignmentExplorer().logits()
    changed = explorer.logits() != before
    assert np.argwhere(changed).tolist() == [[0, 2], [2, 0]]
    assert explorer.logits()[2, 0] == -1.25
    again = AlignmentExplorer()
    again.setting = explorer.setting
    assert again.edits == explorer.edits
    with pytest.raises(traitlets.TraitError, match="edits: expected frame:class:score"):
        explorer.edits = "1:2"


def test_the_readers_own_network():
    scores = RNG.normal(size=(9, 1, 4)).astype("float32")
    explorer = AlignmentExplorer(log_probs=scores, target=[1, 3, 3])
    assert explorer.target == "acc"
    loss, gradient = ctc(scores.astype("float64"), [[1, 3, 3]])
    assert explorer.values()["loss"] == pytest.approx(loss)
    np.testing.assert_allclose(explorer.values()["gradient"], gradient[:, 0])
    assert explorer.options("preset") == ("own",)
    named = AlignmentExplorer(log_probs=scores, labels="_xyz", target="xz")
    assert named.target == "xz"
    with pytest.raises(traitlets.TraitError, match="target: expected symbols of 'xyz', got 'a'"):
        named.target = "xa"


def test_the_readers_own_attention():
    layer = Attention(3, 3, seed=0)
    query, memory = (RNG.normal(size=(n, 1, 3)).astype("float32") for n in (4, 6))
    weights = layer.forward(query, memory)[1].weights
    explorer = AlignmentExplorer(attention=weights)
    assert explorer.mode == "attention"
    np.testing.assert_allclose(explorer.values()["weights"], weights[:, 0], atol=1e-6)
    # The scale multiplies the scores that the weights came from.
    explorer.scale = 2.5
    sharper = Attention(3, 3, scale=2.5).forward(query, memory)[1].weights
    np.testing.assert_allclose(explorer.values()["weights"], sharper[:, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"log_probs": np.ones((3, 4), int)}, TypeError, "log_probs: expected floating-point"),
        ({"log_probs": np.ones((61, 4))}, ValueError, r"T from 1 to 60 .* got \(61, 4\)"),
        ({"log_probs": np.ones((3, 2, 4))}, ValueError, "log_probs: expected shape"),
        ({"log_probs": np.full((3, 4), np.nan)}, ValueError, "log_probs: expected numbers"),
        ({"log_probs": np.full((3, 4), -np.inf)}, ValueError, "one finite in every frame"),
        ({"log_probs": np.ones((3, 4)), "labels": "abc"}, ValueError, "a text of 4 different"),
        ({"log_probs": np.ones((3, 70))}, ValueError, "a symbol for each of 70 classes"),
        ({"labels": "-abc"}, ValueError, "labels: they belong to log_probs"),
        ({"log_probs": np.ones((3, 4)), "target": [4]}, ValueError, "classes from 1 to 3"),
        ({"target": [1.5]}, TypeError, "target: expected a text or a list"),
        ({"target": "hi"}, traitlets.TraitError, "target: expected symbols of 'helo', got 'i'"),
        ({"attention": np.ones((2, 3))}, ValueError, "sum to 1 in every row"),
        ({"words": (["a"], ["b"])}, ValueError, "words: they belong to attention of your own"),
        ({"attention": [[1.0]], "words": (["a"], [])}, ValueError, "words: expected two sequences"),
        ({"attention": [[1.0]], "words": (["a"], [3])}, TypeError, "words: expected strings"),
        ({"attention": np.ones((2, 2, 3))}, ValueError, "attention: expected weights of shape"),
        ({"attention": [[np.nan, 1.0]]}, ValueError, "attention: expected weights of at least 0"),
    ],
)
def test_refuses_what_it_cannot_show(arguments, error, message):
    with pytest.raises(error, match=message):
        AlignmentExplorer(**arguments)


def test_dragging_a_posterior_changes_everything_at_once(show):
    page = show(AlignmentExplorer(frame=1, symbol=1))
    before = facts(page)
    assert before["greedy"] == "helo ✗"
    box = page.locator("canvas").first.bounding_box()
    wide = min(72, (box["width"] - 50) / 12)
    x, y = box["x"] + 40 + 6.5 * wide, box["y"] + 20 + 25
    pull(page, (x, y), (x, y - 20))
    now = copy(page)
    assert now.edits.startswith("7:0:")
    assert (now.frame, now.symbol) == (7, 0)
    values, shown = now.values(), facts(page)
    # The bar is as high as the hand: 31 px are a probability of 1, and 54 px down is 0.
    assert values["y"][6, 0] == pytest.approx((54 - 25) / 31, abs=0.02)
    assert values["loss"] < 2.5
    assert shown["loss"] == f"{values['loss']:.3f} was {float(before['loss']):.2f}"
    assert shown["greedy"] == "hello ✓ the target"
    states = "–" + "".join(f"{letter}–" for letter in now.target)
    assert shown["path"] == "".join(states[s] for s in values["path"])
    gradient = f"{values['gradient'][6, 0]:.3f}".replace("-", "−")
    assert f"the gradient is {gradient}" in summary(page)
    assert text(page.locator("[data-role=readout]:visible")).endswith(f"= {gradient}")
    page.get_by_role("button", name="Undo all dragging").click()
    assert facts(page)["loss"].startswith(before["loss"])


def test_the_same_by_keyboard(show):
    page = show(AlignmentExplorer())
    cell = page.locator(".ll-cell-handle")
    assert cell.get_attribute("aria-label").startswith("Probability of – in frame 7.")
    cell.focus()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    assert facts(page)["greedy"] == "hello ✓ the target"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    assert (state(page)["frame"], state(page)["symbol"]) == (8, 3)
    page.keyboard.press("ArrowDown")
    values = copy(page).values()
    assert facts(page)["loss"].startswith(f"{values['loss']:.3f}")
    slider = page.locator("[data-role=probability]")
    slider.press("Home")
    assert copy(page).values()["y"][7, 3] == pytest.approx(0.002, abs=1e-3)


def test_a_target_that_cannot_be_aligned_and_an_empty_one(show):
    page = show(AlignmentExplorer(frames=6))
    field = page.locator("input[data-name=target]")
    assert "–" not in facts(page)["path"][1:3]
    page.locator("input[data-name=frames]").press("ArrowLeft")
    assert "needs at least 6 frames" in text(page.locator("[data-role=warning]"))
    assert facts(page)["loss"].startswith("∞")
    assert "Impossible" in summary(page)
    field.fill("")
    values = copy(page).values()
    assert text(page.locator("[data-role=warning]")) == ""
    assert facts(page)["loss"].startswith(f"{values['loss']:.3f}")
    assert facts(page)["path"] == "–––––"
    field.fill("hex")
    assert state(page)["target"] == ""
    said = page.get_by_role("alert").all_inner_texts()
    assert "expected a text of the symbols h e l o" in said[-1]


def test_from_the_lattice_to_the_sum_behind_alpha(show):
    page = show(AlignmentExplorer(frame=3, state=2))
    door = page.locator(".ll-node-opener")
    door.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert (state(page)["frame"], state(page)["state"]) == (4, 4)
    page.keyboard.press("Enter")
    alpha = np.exp(copy(page).values()["log_alpha"][3, 3])
    readout = page.locator("[data-role=readout]:visible")
    assert f"{alpha:.3f}" in text(readout)
    page.get_by_role("button", name="paths behind α").press("Enter")
    assert state(page)["path"] == "node/sum"
    count = sum(
        path[-1] == 2 and ctc_collapse(path) == [1, 2] for path in product(range(5), repeat=4)
    )
    assert f"α adds up {count} beginnings of paths" in text(page.locator(".ll-sum"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert focused(page, "(node) => node.classList.contains('ll-node-opener')")


def test_dragging_the_query(show):
    page = show(AlignmentExplorer(mode="attention", scale=1.5))
    box = page.locator("canvas:visible").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    pull(page, (x, y), (x - 60, y - 110))
    now = copy(page)
    assert now.query_x < -0.5
    assert now.query_y > 1
    weights = now.values()["weights"]
    assert now.values()["weight"] == weights[-1, 1]
    said = summary(page)
    assert said.startswith("Query “yours” looks most at “sat”")
    assert f"its weight at “cat” is {weights[-1, 1]:.3f}" in said


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_the_score_opens_into_its_sum(score, show):
    page = show(AlignmentExplorer(mode="attention", score=score, path="query/weight"))
    label = page.locator("canvas:visible").get_attribute("aria-label")
    together = float(label.split("together ")[1].split(". ")[0].replace("−", "-"))
    weights = np.exp(copy(page).values()["weights"][4, 1])
    assert np.isfinite(weights)
    layer = Attention(2, 2, score, 4 if score == "additive" else None, dtype="float64")
    for name, array in layer.params.items():
        array[...] = np.reshape(state(page)["_lookup"][name], array.shape)
    query, memory = np.array([[[2.3, -0.5]]]), np.array([[[1.6, 1.0]]])
    scores, _ = layer.scores[score].forward(np, layer.params, query, memory)
    assert together == pytest.approx(float(scores[0, 0, 0]), abs=6e-3)


def test_own_attention_is_drawn(show):
    weights = RNG.dirichlet(np.ones(30), size=40)
    weights[0] = 0
    weights[0, 3] = 1
    page = show(AlignmentExplorer(attention=weights, scale=2.0), width=480)
    for path in ("", "query", "query/weight"):
        go(page, path)
        said = words(page)
        assert "NaN" not in said
        assert "Infinity" not in said
    assert summary(page).startswith("Query “1” looks most at “4”, with 100")


def test_own_attention_is_named_by_its_words(show):
    weights = [[0.1, 0.9], [0.7, 0.2], [0.5, 0.5]]
    weights[1][1] = 0.3
    names = ["chat", "rouge vif", ""], ["a word that is much longer than its cell", "cat"]
    page = show(AlignmentExplorer(attention=weights, words=names))
    assert summary(page).startswith("Query “chat” looks most at “cat”, with 90")
    for query, name in ((2, "rouge␣vif"), (3, "∅")):
        page = show(AlignmentExplorer(attention=weights, words=names, query=query, path="query"))
        assert f"“{name}”" in summary(page)


def test_one_frame_of_an_own_network(show):
    page = show(AlignmentExplorer(log_probs=np.log([[0.25, 0.75]]), target="a"))
    assert facts(page)["p"] == "75 %"
    for path in ("", "node", "node/sum"):
        go(page, path)
        assert "NaN" not in words(page)
