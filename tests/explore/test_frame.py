"""What the frame of every explorable owes in a real browser: ways back, room, themes, axe."""

from __future__ import annotations

import json

import pytest

from tests.explore.cases import CASES
from tests.explore.page import (
    ABOUT_COLOURS,
    alike,
    axe_findings,
    changed_by_company,
    crowded_words,
    drag,
    eventually,
    finish,
    go,
    load_axe,
    page_of,
    picture,
    settled,
    state,
    take_theme,
    widen,
    words,
)

every = pytest.mark.parametrize("case", CASES, ids=str)

OVERFLOWS = """() => {
  const edge = document.querySelector('.lstm-lab-explorer').getBoundingClientRect();
  const out = [...document.querySelectorAll('.lstm-lab-explorer *')].filter((node) => {
    const box = node.getBoundingClientRect();
    const hidden = box.width < 2 || node.closest('defs, .ll-table > *, .ll-scroll > *')
      || getComputedStyle(node).visibility === 'hidden';
    return !hidden
      && (box.right > edge.right + 1 || box.left < edge.left - 1 || box.top < edge.top - 1);
  });
  const page = document.documentElement;
  const words = (node) => `${node.tagName} ${node.getAttribute('class')} ${node.textContent}`;
  return [...out.map(words),
    ...(page.scrollWidth > page.clientWidth ? [`page ${page.scrollWidth}`] : [])];
}"""
PAGES = 4
"""On which all explorables stand when axe looks at them."""

FEW_ROWS = """() => document.querySelectorAll('.lstm-lab-explorer tbody').forEach((body) => {
  for (const row of [...body.rows].slice(3)) row.remove();
})"""
WIDTHS = (360, 480, 700, 1280)


@every
def test_the_setting_before_the_last_change_comes_back(case, show):
    page = page_of(show, case)
    previous = page.get_by_role("button", name="Previous")
    assert previous.is_disabled()
    start = state(page)[case.drag]
    drag(page, case.drag, case.way)
    changed = state(page)[case.drag]
    previous.click()
    assert state(page)[case.drag] == start
    previous.click()
    assert state(page)[case.drag] == changed


@every
def test_what_a_link_puts_out_of_range_is_put_right(case, show):
    page = page_of(show, case)
    name, start = case.drag, case.new(**case.lively).settings()[case.drag]
    high = state(page)["_specs"][name]["max"]
    for bad, kept in (("1e9", high), ("NaN", start), ("null", start), ("'a'", start)):
        page.evaluate(f"models[0].set('{name}', {bad})")
        assert state(page)[name] == kept
        assert "NaN" not in words(page)


@every
def test_nothing_leaves_its_frame(case, show):
    """In a narrow page, and in one that is widened in place."""
    page = page_of(show, case, width=WIDTHS[0])
    for width in WIDTHS:
        widen(page, width)  # the last level in place, the others before they open
        for path in case.kind.levels:
            go(page, path)
            assert page.evaluate(OVERFLOWS) == [], (path, width)
    go(page, "")
    for fold in page.locator("details > summary:visible").all():
        fold.click()
    page.locator("td").first.wait_for()
    for width in WIDTHS:
        widen(page, width)
        finish(page)
        assert page.evaluate(OVERFLOWS) == [], width


@every
def test_the_theme_may_change(case, show):
    page = page_of(show, case)
    explorer = page.locator(".lstm-lab-explorer")
    before = explorer.screenshot()
    take_theme(page, "dark")
    fresh = page_of(show, case, theme="dark")
    drawn = picture(fresh)
    eventually(page, lambda: picture(page) == drawn)
    expected = fresh.locator(".lstm-lab-explorer").screenshot()
    eventually(page, lambda: alike(explorer.screenshot(), expected))
    assert not alike(expected, before)


@every
def test_reduced_motion(case, show):
    page = page_of(show, case, reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll('.lstm-lab-explorer *')].filter((node) => {
      node.closest('section').classList.add('ll-moving');
      return getComputedStyle(node).transitionDuration.split(', ').some((s) => s !== '0s');
    }).length"""
    assert page.evaluate(moving) == 0
    for path in case.kind.levels:
        page.evaluate("([path]) => models[0].set('path', path)", [path])
        assert settled(page, "() => document.getAnimations().length") == 0


@every
def test_taking_it_down_leaves_nothing(case, show):
    page = page_of(show, case)
    drag(page, case.drag, case.way / 4)
    page.evaluate("cleanups[0]()")
    assert page.locator(".lstm-lab-explorer").count() == 0
    assert page.evaluate("Object.values(models[0].listeners).flat().length") == 0
    page.evaluate(f"models[0].set('{case.drag}', 1)")
    settled(page)


@pytest.mark.parametrize("first", range(PAGES))
def test_axe_finds_nothing_serious(first, show, artifacts):
    """A page with several explorables, every fold open, at three depths of levels.

    On one page with all of them axe takes four times as long as on these together. In the dark
    theme only what is about colours is asked anew. And of a table's rows, which are all made
    alike, the first three stand for the others.
    """
    cases = CASES[first::PAGES]
    page = show(*(case.new(**case.lively) for case in cases), width=1280)
    load_axe(page)
    page.evaluate("""document.querySelectorAll('details > summary, .ll-tools > [aria-expanded]')
      .forEach((opener) => opener.click())""")
    found = {}
    for depth in range(3):
        paths = [
            [path for path in case.kind.levels if path.count("/") + bool(path) <= depth][-1]
            for case in cases
        ]
        page.evaluate("paths => paths.forEach((path, k) => models[k].set('path', path))", paths)
        for theme, rules in (("light", None), ("dark", ABOUT_COLOURS)):
            take_theme(page, theme)
            settled(page, FEW_ROWS)
            found |= axe_findings(page, rules)
    (artifacts / "axe.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    assert found == {}


@every
def test_what_else_is_on_the_page_does_not_change_its_look(case, show):
    assert changed_by_company(page_of(show, case)) == set()


@every
def test_words_in_a_picture_keep_clear_of_one_another(case, show):
    page = page_of(show, case, width=400)
    for width in (360, 1000):
        assert crowded_words(page, width) == [], width
