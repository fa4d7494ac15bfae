"""The explorables in a real browser, in a plain page with no kernel."""

from __future__ import annotations

import json
import math

import pytest

from lstm_lab import LSTM
from lstm_lab.explore import CellExplorer, SequenceExplorer
from tests.explore.host import page_html

WIDGETS = [CellExplorer, SequenceExplorer]
OVERFLOWS = """() => {
  const edge = document.querySelector('.lstm-lab-explorer').getBoundingClientRect();
  const out = [...document.querySelectorAll('.lstm-lab-explorer *')].filter((node) => {
    const box = node.getBoundingClientRect();
    const hidden = box.width < 2 || node.closest('defs, .ll-table > *')
      || getComputedStyle(node).visibility === 'hidden';
    return !hidden
      && (box.right > edge.right + 1 || box.left < edge.left - 1 || box.top < edge.top - 1);
  });
  const page = document.documentElement;
  const words = (node) => `${node.tagName} ${node.getAttribute('class')} ${node.textContent}`;
  return [...out.map(words),
    ...(page.scrollWidth > page.clientWidth ? [`page ${page.scrollWidth}`] : [])];
}"""

LEAVES_CARD = """cards => cards.flatMap((card) => {
  const inner = card.getBoundingClientRect(), words = document.createRange();
  const edge = inner.right - parseFloat(getComputedStyle(card).paddingRight);
  return [...card.children].filter((line) => {
    words.selectNodeContents(line);
    return card.scrollWidth > card.clientWidth
      || words.getBoundingClientRect().right > edge + 0.5;
  }).map((line) => line.textContent);
})"""


@pytest.fixture
def show(chromium, tmp_path, artifacts):
    """``show(widget, theme=…, width=…)``: a page with it; no error may reach the console."""
    errors, pages = [], []

    def open_page(*widgets, theme="light", width=1200, height=800, **options):
        page = chromium.new_page(viewport={"width": width, "height": height}, **options)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(page_html(widgets, theme), encoding="utf-8")
        page.goto(path.as_uri())
        page.wait_for_function("window.ready && document.querySelector('[role=img][aria-label]')")
        pages.append(page)
        return page

    yield open_page
    for number, page in enumerate(pages):
        page.screenshot(path=artifacts / f"{number}.png", full_page=True)
        page.close()
    assert errors == []


def state(page):
    return json.loads(page.evaluate("JSON.stringify(models[0].state)"))


def picture(page):
    return page.locator("svg[role=img]").evaluate("node => node.innerHTML")


def summary(page):
    page.wait_for_timeout(250)
    return page.locator("[data-role=summary]").inner_text()


def drag(page, name, pixels):
    slider = page.locator(f"input[data-name={name}]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    low, high, value = (float(slider.evaluate(f"n => n.{k}")) for k in ("min", "max", "value"))
    x = box["x"] + 8 + (value - low) / (high - low) * (box["width"] - 16)
    y = box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=8)
    page.mouse.up()


def copy_of(kind, page):
    """The same explorable in Python, at the setting that the page is at."""
    now = state(page)
    return kind(**{name: now[name] for name in kind.controls()})


@pytest.mark.parametrize("theme", ["light", "dark", "plain"])
@pytest.mark.parametrize("kind", WIDGETS)
def test_dragging_changes_picture_words_and_state(kind, theme, show):
    page = show(kind(), theme=theme)
    before, words = picture(page), summary(page)
    assert words
    drag(page, "b_f", -70)
    now = state(page)
    assert now["b_f"] < kind().b_f - 1
    assert picture(page) != before
    assert summary(page) != words
    values = copy_of(kind, page).values()
    if kind is CellExplorer:
        assert f"Forget gate {values['f']:.2f} keeps" in summary(page)
        assert f"the new cell state is {values['c']:.2f}" in summary(page)
    else:
        assert f"averages {values['mean']:.3f}: half of" in summary(page)
        assert f"left after {values['half_life']:.1f} steps" in summary(page)
    assert summary(page) in page.locator("svg[role=img]").get_attribute("aria-label")
    assert page.evaluate("models[0].saved") > 0


@pytest.mark.parametrize("kind", WIDGETS)
def test_every_slider_moves_by_keyboard_and_changes_the_picture(kind, show):
    page = show(kind(**({"preset": "spikes"} if kind is SequenceExplorer else {"h_prev": 0.4})))
    page.locator("summary", has_text="Weights").press("Enter")
    names = page.locator("input[type=range]").evaluate_all("all => all.map(n => n.dataset.name)")
    limits = kind()._limits
    assert set(names) == set(limits) - ({"step"} if kind is CellExplorer else set())
    for name in names:
        slider, before, at = page.locator(f"input[data-name={name}]"), picture(page), state(page)
        slider.press("ArrowRight")
        assert state(page)[name] == pytest.approx(at[name] + limits[name]["step"]), name
        assert picture(page) != before, name
        for key in ("Home", "End"):
            slider.press(key)
            edge = float(slider.get_attribute("min" if key == "Home" else "max"))
            assert state(page)[name] == pytest.approx(edge), name
            assert "NaN" not in picture(page), name
            assert "Infinity" not in picture(page), name
        page.evaluate(f"models[0].set('{name}', {at[name]})")


@pytest.mark.parametrize("kind", WIDGETS)
def test_tab_reaches_every_control_and_shows_where_it_is(kind, show):
    page = show(kind())
    wanted = page.locator(
        ".lstm-lab-explorer :is(input, select, button, summary):visible"
    ).count()
    reached, names = set(), []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        focus = page.evaluate("""() => {
          const node = document.activeElement, style = getComputedStyle(node);
          const all = [...document.querySelectorAll('.lstm-lab-explorer *')];
          const name = node.labels?.[0]?.textContent || node.ariaLabel || node.textContent;
          return [all.indexOf(node), name, style.outlineStyle, parseFloat(style.outlineWidth),
            node.hasAttribute('data-lm-suppress-shortcuts')];
        }""")
        reached.add(focus[0])
        names.append(focus[1].strip())
        assert focus[2] == "solid", names
        assert focus[3] >= 2, names
        assert focus[4], f"{names[-1]}: JupyterLab would take its keys as commands"
    assert len(reached) == wanted
    assert -1 not in reached
    assert all(names)


def test_gates_open_their_formula_by_keyboard_and_by_pointer(show):
    page = show(CellExplorer())
    inspector = page.locator(".ll-inspector")
    assert "forget gate" in inspector.inner_text()
    page.locator("button[data-q=o]").press("Enter")
    assert state(page)["selected"] == "o"
    o = CellExplorer().values()["o"]
    assert f"= {o:.2f}" in inspector.inner_text()
    page.locator("button[data-q=h]").hover()
    assert "hidden state" in inspector.inner_text()
    page.mouse.move(2, 2)
    assert "output gate" in inspector.inner_text()


def test_advance_and_reset(show):
    page, copy = show(CellExplorer(c_prev=0.5)), CellExplorer(c_prev=0.5)
    for _ in range(3):
        page.get_by_role("button", name="Advance").press("Enter")
        copy.advance()
    now = state(page)
    assert now["c_prev"] == pytest.approx(copy.c_prev)
    assert now["h_prev"] == pytest.approx(copy.h_prev)
    assert (now["step"], page.locator(".ll-time").inner_text()) == (4, "step 4")
    page.get_by_role("button", name="Reset").click()
    assert state(page)["c_prev"] == 0.5
    assert page.locator(".ll-time").inner_text() == "step 1"


def test_one_minus_one_over_t(show):
    page = show(SequenceExplorer(length=200))
    page.get_by_role("button", name="Set f = 1 − 1/T").click()
    assert state(page)["b_f"] == pytest.approx(math.log(199))
    values = copy_of(SequenceExplorer, page).values()
    assert values["memory"] == pytest.approx(200, rel=0.1)
    assert f"{values['memory']:.0f} steps" in page.locator(".ll-tiles").inner_text()


def test_pointing_reads_a_step(show):
    page = show(SequenceExplorer())
    box = page.locator("svg[role=img]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    step = state(page)["step"]
    assert 40 < step < 70
    c = SequenceExplorer().values()["c"][step - 1]
    assert f"c {c:.2f}" in page.locator("svg[role=img]").text_content().replace("\u200b", "")
    assert f"At step {step} " in summary(page)


def test_what_python_sets_is_shown(show):
    page = show(SequenceExplorer())
    before = picture(page)
    page.evaluate("models[0].set('length', 17); models[0].set('preset', 'square')")
    assert picture(page) != before
    assert page.locator("input[data-name=length]").input_value() == "17"
    assert page.locator("select").input_value() == "square"
    assert page.locator("input[data-name=period]").is_visible()
    assert summary(page).startswith("Over 17 steps")


@pytest.mark.parametrize("kind", WIDGETS)
def test_what_a_link_puts_out_of_range_is_put_right(kind, show):
    page = show(kind())
    high = kind()._limits["b_f"]["max"]
    for bad, kept in (("1e9", high), ("NaN", kind().b_f), ("null", kind().b_f)):
        page.evaluate(f"models[0].set('b_f', {bad})")
        assert state(page)["b_f"] == kept
        assert "NaN" not in picture(page)
        assert "NaN" not in summary(page)


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
    assert tables.nth(1).locator("tr").last.locator("td").nth(5).inner_text() == f"{c:.4f}"


@pytest.mark.parametrize("width", [360, 480, 700, 1280])
@pytest.mark.parametrize("kind", WIDGETS)
def test_nothing_leaves_its_frame(kind, width, show):
    extreme = {"b_f": -8, "b_g": -8, "b_i": 8}
    page = show(kind(**extreme, **({"c_prev": -3} if kind is CellExplorer else {})), width=width)
    for fold in page.locator("summary").all():
        assert page.evaluate(OVERFLOWS) == []
        fold.click()
    page.locator("td").first.wait_for()
    assert page.evaluate(OVERFLOWS) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("longest", "setting"),
    [
        ("under 0.01 %", {"preset": "spikes", "b_f": 2.6}),
        ("3\u202f170 steps", {"preset": "noise", "b_f": 8}),
        ("0.00034", {"preset": "noise", "b_f": -8}),
    ],
)
def test_no_number_leaves_its_card(longest, setting, theme, show):
    page = show(SequenceExplorer(length=500, **setting), theme=theme)
    cards = page.locator(".ll-tile")
    assert longest in page.locator(".ll-tiles").inner_text()
    explorer = page.locator(".lstm-lab-explorer")
    for width in (360, 480, 534, 700, 760, 800, 815, 850, 900, 1000, 1200):
        page.set_viewport_size({"width": width + 32, "height": 800})
        assert explorer.evaluate("node => node.offsetWidth") == width
        assert cards.evaluate_all(LEAVES_CARD) == [], width
        tops = cards.evaluate_all("all => all.map((n) => n.offsetTop)")
        assert tops.count(tops[0]) in (2, 4), (width, "three cards, and one alone below")
        heights = cards.evaluate_all("all => all.map((n) => n.offsetHeight)")
        assert max(heights) < 80, (width, "a card has broken a line")


def test_the_cell_fits_a_first_screen(show):
    page = show(CellExplorer(), width=1200)
    assert page.locator(".lstm-lab-explorer").bounding_box()["height"] <= 520


@pytest.mark.parametrize("kind", WIDGETS)
def test_reduced_motion(kind, show):
    page = show(kind(), reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll('.lstm-lab-explorer *')].filter((node) => {
      node.closest('section').classList.add('ll-moving');
      return getComputedStyle(node).transitionDuration.split(', ').some((s) => s !== '0s');
    }).length"""
    assert page.evaluate(moving) == 0


def test_the_readers_own_layer(show):
    lstm = LSTM(3, 5, seed=1)
    x = [[math.sin(t), math.cos(t), t / 30] for t in range(30)]
    widget = SequenceExplorer(layer=lstm, x=x, unit=2, step=30)
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


@pytest.mark.parametrize("kind", WIDGETS)
def test_taking_it_down_leaves_nothing(kind, show):
    page = show(kind())
    drag(page, "b_f", 20)
    page.evaluate("cleanups[0]()")
    assert page.locator(".lstm-lab-explorer").count() == 0
    assert page.evaluate("Object.values(models[0].listeners).flat().length") == 0
    page.evaluate("models[0].set('b_f', 0)")
    page.wait_for_timeout(250)
