"""TextExplorer: what it shows is what the library and Python's own tokenizer say."""

from __future__ import annotations

import inspect
import json
import tokenize

import numpy as np
import pytest

from lstm_lab import LSTM, Linear, Sequential
from lstm_lab.explore import TextExplorer
from lstm_lab.models import LanguageModel
from lstm_lab.models.probes import PROPERTIES, properties
from tests.explore.cases import case_of
from tests.explore.page import (
    copy_of,
    eventually,
    go,
    picture,
    settled,
    state,
    summary,
    text,
    words,
)

ALPHABET = "\nabc ()'#"


def own_model(hidden=9, seed=0, scale=1.5, one_hot=False):
    """A random network, strong enough to have opinions."""
    rng = np.random.default_rng(seed)
    size = len(ALPHABET)
    model = LanguageModel.new(ALPHABET, hidden, 5, seed=seed, backend="numpy")
    if one_hot:
        lstm = LSTM(size, hidden, backend="numpy", seed=seed)
        network = Sequential(lstm=lstm, head=Linear(hidden, size, backend="numpy", seed=seed))
        model = LanguageModel(network, ALPHABET)
    for array in model.network.params.values():
        array[...] = rng.normal(0, scale, array.shape)
    return model


@pytest.mark.parametrize("module", [inspect, json.decoder, tokenize])
def test_properties_are_those_of_pythons_tokenizer(module, node):
    source = inspect.getsource(module).replace("\t", " ")
    [answer] = node("text/scan.js", [["scan", [source]]])
    expected = properties(source)
    for name in PROPERTIES:
        assert np.array_equal(answer[name], expected[name]), name


def test_marks_that_are_escaped_close_nothing(node):
    source = "x = 'a\\'(b' + f(\"\\\\\", r'\\'')  # '\n" + 'y = """\\"(\n""" + [1]\n'
    [answer] = node("text/scan.js", [["scan", [source]]])
    for name, expected in properties(source).items():
        assert answer[name] == expected.tolist(), name


def test_a_text_that_is_being_written_has_properties_too(node):
    texts = ["'abc\nd", "'''a\nb", "))(", "# a", "'\\", "", '"""', "''''a"]
    for each, answer in zip(
        texts, node("text/scan.js", [["scan", [t]] for t in texts]), strict=True
    ):
        for name in PROPERTIES:
            assert len(answer[name]) == len(each), (each, name)
    [open_string, *_] = node("text/scan.js", [["scan", ["'abc\nd"]]])
    assert open_string["string"] == [1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("one_hot", [False, True])
def test_random_networks_give_the_same_numbers_in_the_browser(one_hot, node):
    case, rng, calls, widgets = case_of(TextExplorer), np.random.default_rng(one_hot), [], []
    for seed in range(8):
        text = "".join(rng.choice([*ALPHABET, "é", "\t", "→"], 1 + 12 * seed))
        widget = TextExplorer(
            own_model(int(rng.integers(1, 12)), seed, one_hot=one_hot),
            text=text,
            unit=1 + int(rng.integers(12)),
            at=int(rng.integers(len(text) + 3)),
            shown=str(rng.choice(["c", "h", "i", "f", "o", "g", "surprise"])),
            length=25,
            seed=seed,
            temperature=float(rng.uniform(0.3, 2)),
        )
        module, *call = case.js(widget)
        calls.append(call)
        widgets.append(widget)
    for answer, widget in zip(node(module, calls), widgets, strict=True):
        case.same(answer, widget)


def test_a_model_of_the_readers_own(show):
    widget = TextExplorer(model=own_model(), text="ab (c)", unit=4, at=4)
    assert widget.setting == "TextExplorer(model=model, at=4, text='ab (c)', unit=4)"
    page = show(widget)
    assert f"costs {widget.values()['bits']:.2f} bits" in summary(page)
    assert page.locator(".ll-rank").first.is_visible()
    assert "in this text" in text(page.locator(".ll-rank-context"))
    assert not page.get_by_text("files it never saw").is_visible()


def test_models_that_cannot_be_shown():
    with pytest.raises(TypeError, match="model: expected a LanguageModel, got LSTM"):
        TextExplorer(model=LSTM(3, 4))
    bad = own_model()
    bad.lstm.params["bias_l0"][3] = np.nan
    with pytest.raises(ValueError, match=r"model: lstm.bias_l0 holds NaN"):
        TextExplorer(model=bad)
    with pytest.raises(ValueError, match="expected at most 192 cells, got 300"):
        TextExplorer(model=own_model(300))
    with pytest.raises(TypeError, match="has no setting cells"):
        TextExplorer(cells=3)


@pytest.mark.parametrize("text", ["", "a", "\n", "é→", "\t\t", " " * 300, "x" * 2000])
def test_odd_texts_are_shown(text, show):
    widget = TextExplorer(text=text, at=1)
    page = show(widget, width=480)
    said = summary(page)
    assert "most likely next" in said
    known = any(character in widget._alphabet for character in text)
    assert ("nothing to read yet" in said) is not known
    for path in TextExplorer.levels:
        go(page, path)
        said = words(page)
        assert "NaN" not in said and "undefined" not in said


def agrees(page):
    values = copy_of(case_of(TextExplorer), page).values()
    said = summary(page)
    assert f"The text costs {values['bits']:.2f} bits a character" in said
    if values["r"]:
        assert f"correlate by {values['r']:.2f}.".replace("-", "−") in said
    drawn = page.get_by_role("img", name="Drawn at temperature").get_attribute("aria-label")
    assert drawn.endswith("“" + values["written"].replace("\n", "↵") + "”")
    return values


def test_writing_in_the_picture(show):
    """What is typed in the middle is read from there on, as if all had been read anew."""
    page = show(TextExplorer())
    field = page.locator("textarea[data-name=text]")
    before = state(page)["text"]
    field.focus()
    at = before.index("def take")
    page.evaluate("at => document.querySelector('textarea').setSelectionRange(at, at)", at)
    assert state(page)["at"] == at
    page.keyboard.type("total = (1, 'two')")
    assert state(page)["text"] == before[:at] + "total = (1, 'two')" + before[at:]
    assert state(page)["at"] == at + 18
    agrees(page)
    for _ in range(4):
        page.keyboard.press("Backspace")
    agrees(page)
    page.keyboard.press("Home")
    assert state(page)["at"] < at + 5
    page.keyboard.insert_text("né ")
    assert state(page)["text"].count("né ") == 1
    agrees(page)
    # What the network never sees moves the places of all that follows.
    page.evaluate("document.querySelector('textarea').setSelectionRange(0, 0)")
    page.keyboard.insert_text("é\té")
    agrees(page)


def test_a_click_reads_up_to_there(show):
    page = show(TextExplorer(at=0))
    box = page.locator("textarea[data-name=text]").bounding_box()
    # The first character of the second line's docstring: 4 spaces of 7.8 px, lines of 36 px.
    page.mouse.click(box["x"] + 4.1 * 7.83, box["y"] + 36 + 14)
    assert state(page)["at"] == state(page)["text"].index('"""')


def test_too_long_a_text_is_said_and_not_taken_over(show):
    page = show(TextExplorer())
    field, before = page.locator("textarea[data-name=text]"), state(page)["text"]
    field.fill("a" * 2001)
    assert state(page)["text"] == before
    assert "at most 2000 characters" in text(page.locator(".ll-text-canvas .ll-error"))
    field.blur()
    settled(page)
    assert field.input_value() == before


def test_a_property_brings_the_cell_that_follows_it_best(show):
    page = show(TextExplorer())
    for name in ("string", "indentation", "brackets"):
        page.locator("select[data-name=follows]").select_option(name)
        cells = state(page)["_about"]["probes"]["properties"][name]["cells"]
        assert state(page)["unit"] == 1 + int(np.argmax(cells))
        assert page.locator(".ll-rank[aria-pressed=true]").count() == 1


def test_it_writes_on_and_the_text_can_be_taken_over(show):
    page = show(TextExplorer(length=5))
    before, values = state(page), agrees(page)
    page.get_by_role("button", name="Step").click()
    longer = copy_of(case_of(TextExplorer), page).values()["written"]
    assert longer[:5] == values["written"]
    assert state(page)["length"] == 6
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Use this text").click()
    at = before["at"]
    expected = before["text"][:at] + values["written"] + before["text"][at:]
    assert (state(page)["text"], state(page)["at"]) == (expected, at + 5)
    agrees(page)
    for key in ("ArrowRight", "ArrowRight", "Home", "End"):
        page.locator("input[data-name=temperature]").press(key)
        agrees(page)
    write = page.get_by_role("button", name="Generate")
    write.click()
    eventually(page, lambda: page.evaluate("models[0].state.length") > 8)
    page.get_by_role("button", name="Pause").click()
    count = state(page)["length"]
    page.wait_for_timeout(300)  # of more than one step that it would have taken
    assert state(page)["length"] == count


def test_every_cell_opens_by_keyboard(show):
    page = show(TextExplorer())
    page.get_by_role("button", name="All cells at this character").press("Enter")
    assert state(page)["path"] == "char"
    unit = state(page)["unit"]
    page.locator(".ll-cells-cell[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["unit"] == unit + 1
    page.keyboard.press("Enter")
    assert state(page)["path"] == "char/cell"
    before = picture(page)
    page.keyboard.press("Enter")
    assert state(page)["path"] == "char/cell/i"
    assert picture(page) != before
    values = TextExplorer(unit=unit + 1, shown="i").values()
    reading = text(page.locator("[data-role=readout]:visible"))
    read = state(page)["text"][: state(page)["at"]]
    t = TextExplorer()._model.vocabulary.encode(read)[0].size - 1
    assert f"{values['colour'][t]:.2f}"[:4] in reading
