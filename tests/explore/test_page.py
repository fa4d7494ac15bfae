"""What every explorable owes in a real browser: it is operated in a plain page."""

from __future__ import annotations

import json

import pytest

from tests.explore.cases import CASES
from tests.explore.page import (
    PICTURE,
    STATE,
    SUMMARY,
    WORDS,
    copy_of,
    drag,
    eventually,
    focused,
    go,
    page_of,
    picture,
    settled,
    state,
    summary,
    take_theme,
    text,
)

every = pytest.mark.parametrize("case", CASES, ids=str)

FOCUS = """(node) => {
  const style = getComputedStyle(node);
  const all = [...document.querySelectorAll('.lstm-lab-explorer *')];
  const name = node.labels?.[0]?.textContent || node.ariaLabel || node.textContent;
  return [all.indexOf(node), name.trim(), style.outlineStyle, parseFloat(style.outlineWidth),
    node.hasAttribute('data-lm-suppress-shortcuts')];
}"""
BACK = """([name, at]) => {
  models[0].set(name, at);
  models[0].save_changes();
}"""
CONTROLS = """all => all.map((node) => [node.dataset.name, node.type])"""
# What a control is moved from and what it moves.
LOOK = f"() => [({STATE})(0), ({PICTURE})()]"
LEVEL = f"""() => [models[0].state.path, ({PICTURE})(), ({SUMMARY})(),
  document.querySelector('.ll-crumbs [aria-current]')?.innerText ?? '']"""


@every
def test_dragging_changes_picture_words_and_state(case, show):
    """In a page of no theme, as a plain page is, then in either theme."""
    page = page_of(show, case, theme="plain")
    for theme in ("plain", "light", "dark"):
        take_theme(page, theme)
        before, said, at = picture(page), summary(page), state(page)
        assert said
        drag(page, case.drag, case.way)
        now = state(page)
        assert (now[case.drag] - at[case.drag]) * case.way > 0
        eventually(page, lambda: summary(page) != said)  # noqa: B023
        assert picture(page) != before
        said = summary(page)
        for piece in case.shown(copy_of(case, page)):
            assert piece in said, theme
        visible = page.locator("[role=img]:visible")
        labels = visible.evaluate_all("all => all.map((n) => n.ariaLabel)")
        assert all(labels)
        assert any(said in label for label in labels)
        assert page.evaluate("models[0].saved") > 0
        page.get_by_role("button", name="Reset").click()
        settled(page, "() => { models[0].saved = 0; }")


@every
def test_every_control_moves_by_keyboard_and_changes_the_picture(case, show):
    page = page_of(show, case)
    for fold in page.locator("details > summary").all():
        fold.press("Enter")
    specs, seen = state(page)["_specs"], set()
    controls = page.locator(":is(input, select, textarea)[data-name]:visible")
    for (name, kind), control in zip(
        controls.evaluate_all(CONTROLS), controls.element_handles(), strict=True
    ):
        seen.add(name)
        now, before = settled(page, LOOK)
        at, spec = json.loads(now)[name], specs[name]
        if kind == "range":
            control.press("ArrowRight" if at < spec["max"] else "ArrowLeft")
            now, after = settled(page, LOOK)
            assert json.loads(now)[name] != at, name
            if name not in case.still and after == before:
                eventually(page, lambda: picture(page) != before)  # noqa: B023
            for key in ("Home", "End"):
                control.press(key)
        elif spec["kind"] == "choice":
            control.press("ArrowUp" if at == spec["options"][-1] else "ArrowDown")
            assert state(page)[name] != at, name
        elif spec["kind"] == "flag":
            control.press(" ")
            assert state(page)[name] is not at, name
        told = settled(page, WORDS)
        for nonsense in ("NaN", "Infinity", "undefined"):
            assert nonsense not in told, name
        page.evaluate(BACK, [name, at])
    assert seen | {"path"} | case.hidden == set(specs)


@every
def test_typed_nonsense_is_said_and_not_taken_over(case, show):
    page = page_of(show, case)
    for control in page.locator("input[type=number][data-name], textarea[data-name]").all():
        name = control.get_attribute("data-name")
        at = state(page)[name]
        spec = state(page)["_specs"][name]
        control.fill("")
        if spec["kind"] == "text" and spec["empty"]:
            continue
        assert state(page)[name] == at
        wrong = page.locator(f"#{control.get_attribute('aria-describedby')}")
        assert "expected" in text(wrong)
        control.blur()
        settled(page)
        assert control.input_value()


@every
def test_tab_reaches_every_control_and_shows_where_it_is(case, show):
    page = page_of(show, case)
    wanted = page.locator(
        ".lstm-lab-explorer :is(input, select, button, summary, textarea, [tabindex='0']):visible"
        ":not(:disabled)"
    ).count()
    reached, names = set(), []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        place, name, style, width, quiet = focused(page, FOCUS)
        reached.add(place)
        names.append(name)
        assert name, "a control without a name"
        assert style == "solid", names
        assert width >= 2, names
        assert quiet, f"{name}: JupyterLab would take its keys as commands"
    assert len(reached) == wanted, names
    assert -1 not in reached


@every
def test_levels_open_by_enter_and_esc_goes_back(case, show):
    page = page_of(show, case)
    go(page, "")
    _, before, said, _ = settled(page, LEVEL)
    assert said
    for path in filter(None, case.kind.levels):
        go(page, path)
        _, drawn, words, crumb = settled(page, LEVEL)
        if drawn == before:
            eventually(page, lambda: picture(page) != before)
        assert words, path
        assert crumb.strip()
        page.locator(".ll-crumb").last.focus()
        for _ in path.split("/"):
            page.keyboard.press("Escape")
        at, drawn, words, _ = settled(page, LEVEL)
        assert at == ""
        assert drawn == before
        if words != said:
            eventually(page, lambda: summary(page) == said)
    doors = page.locator(".ll-opener:visible")
    assert bool(doors.count()) == (len(case.kind.levels) > 1)
    if doors.count():
        door = doors.first
        door.press("Enter")
        assert state(page)["path"] != ""
        assert focused(page, "(node) => node.closest('.lstm-lab-explorer') !== null")
        page.keyboard.press("Escape")
        assert state(page)["path"] == ""
        assert focused(page, "(node) => node.classList.contains('ll-opener')")


@every
def test_a_setting_is_copied_and_pasted(case, show):
    page, other = page_of(show, case), case.new()
    drag(page, case.drag, case.way)
    at = state(page)
    page.get_by_role("button", name="Setting").press("Enter")
    field = page.get_by_role("textbox", name="Setting")
    settled(page)
    line = field.input_value()
    other.setting = line
    assert all(other.settings()[name] == pytest.approx(at[name], rel=1e-5)
               if isinstance(at[name], float) else other.settings()[name] == at[name]
               for name in case.kind.controls())  # fmt: skip
    page.get_by_role("button", name="Reset").click()
    assert state(page)[case.drag] != at[case.drag]
    field.fill(line)
    field.press("Enter")
    assert state(page)[case.drag] == pytest.approx(at[case.drag], rel=1e-5)
    field.fill(f"{case.kind.__name__}({case.drag}=1e99)")
    field.press("Enter")
    assert "expected a" in text(page.get_by_role("alert").first)
    assert state(page)[case.drag] == pytest.approx(at[case.drag], rel=1e-5)
    field.press("Escape")
    settled(page)
    assert field.count() == 0 or not field.is_visible()
