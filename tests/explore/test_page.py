"""What every explorable owes in a real browser, in a plain page."""

from __future__ import annotations

import json

import pytest

from tests.explore.cases import CASES
from tests.explore.page import (
    axe_findings,
    copy_of,
    drag,
    go,
    load_axe,
    picture,
    state,
    summary,
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

FOCUS = """() => {
  const node = document.activeElement, style = getComputedStyle(node);
  const all = [...document.querySelectorAll('.lstm-lab-explorer *')];
  const name = node.labels?.[0]?.textContent || node.ariaLabel || node.textContent;
  return [all.indexOf(node), name.trim(), style.outlineStyle, parseFloat(style.outlineWidth),
    node.hasAttribute('data-lm-suppress-shortcuts')];
}"""


def page_of(show, case, **options):
    return show(case.new(**case.lively), kernel=case.kernel, **options)


def wait_for(condition, page, patience=3000):
    """Until it holds: a kernel answers later than a script."""
    while not condition():
        page.wait_for_timeout(50)
        patience -= 50
        assert patience > 0, "nothing happens"


@pytest.mark.parametrize("theme", ["light", "dark", "plain"])
@every
def test_dragging_changes_picture_words_and_state(case, theme, show):
    page = page_of(show, case, theme=theme)
    before, said, at = picture(page), summary(page), state(page)
    assert said
    drag(page, case.drag, case.way)
    now = state(page)
    assert (now[case.drag] - at[case.drag]) * case.way > 0
    wait_for(lambda: summary(page) != said, page)
    assert picture(page) != before
    for piece in case.shown(copy_of(case, page)):
        assert piece in summary(page)
    labels = page.locator("[role=img]:visible").evaluate_all("all => all.map((n) => n.ariaLabel)")
    assert all(labels)
    assert any(summary(page) in label for label in labels)
    assert page.evaluate("models[0].saved") > 0


@every
def test_every_control_moves_by_keyboard_and_changes_the_picture(case, show):
    page = page_of(show, case)
    for fold in page.locator("details > summary").all():
        fold.press("Enter")
    specs, seen = state(page)["_specs"], set()
    for control in page.locator(":is(input, select, textarea)[data-name]:visible").all():
        name = control.get_attribute("data-name")
        kind, at, before = specs[name]["kind"], state(page)[name], picture(page)
        seen.add(name)
        if control.get_attribute("type") == "range":
            control.press("ArrowRight" if at < specs[name]["max"] else "ArrowLeft")
            assert state(page)[name] != at, name
            if name not in case.still:
                wait_for(lambda: picture(page) != before, page)  # noqa: B023
            for key in ("Home", "End"):
                control.press(key)
        elif kind == "choice":
            control.press("ArrowUp" if at == specs[name]["options"][-1] else "ArrowDown")
            assert state(page)[name] != at, name
        elif kind == "flag":
            control.press(" ")
            assert state(page)[name] is not at, name
        page.wait_for_timeout(60)
        for nonsense in ("NaN", "Infinity", "undefined"):
            assert nonsense not in words(page), name
        page.evaluate("([name, at]) => models[0].set(name, at)", [name, at])
        page.evaluate("models[0].save_changes()")
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
        assert "expected" in wrong.inner_text()
        control.blur()
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
        place, name, style, width, quiet = page.evaluate(FOCUS)
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
    for path in case.kind.levels:
        steps = path.split("/") if path else []
        go(page, "")
        before, said = picture(page), summary(page)
        go(page, path)
        wait_for(lambda: path == "" or picture(page) != before, page)  # noqa: B023
        assert summary(page), path
        crumbs = page.locator(".ll-crumbs [aria-current]")
        if path:
            assert crumbs.inner_text().strip()
            page.locator(".ll-crumb").last.focus()
            for _ in steps:
                page.keyboard.press("Escape")
            assert state(page)["path"] == ""
            assert picture(page) == before
            wait_for(lambda: summary(page) == said, page)  # noqa: B023
    doors = page.locator(".ll-door:visible")
    assert bool(doors.count()) == (len(case.kind.levels) > 1)
    if doors.count():
        door = doors.first
        door.press("Enter")
        assert state(page)["path"] != ""
        assert page.evaluate("document.activeElement.closest('.lstm-lab-explorer') !== null")
        page.keyboard.press("Escape")
        assert state(page)["path"] == ""
        assert page.evaluate("document.activeElement.classList.contains('ll-door')")


@every
def test_a_setting_is_copied_and_pasted(case, show):
    page, other = page_of(show, case), case.new()
    drag(page, case.drag, case.way)
    at = state(page)
    page.get_by_role("button", name="Setting").press("Enter")
    field = page.get_by_role("textbox", name="Setting")
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
    assert "expected a" in page.get_by_role("alert").first.inner_text()
    assert state(page)[case.drag] == pytest.approx(at[case.drag], rel=1e-5)
    field.press("Escape")
    assert field.count() == 0 or not field.is_visible()


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
        page.wait_for_timeout(200)
        assert "NaN" not in words(page)


@pytest.mark.parametrize("width", [360, 480, 700, 1280])
@every
def test_nothing_leaves_its_frame(case, width, show):
    page = page_of(show, case, width=width)
    for path in case.kind.levels:
        go(page, path)
        assert page.evaluate(OVERFLOWS) == [], path
    go(page, "")
    for fold in page.locator("details > summary:visible").all():
        fold.click()
    page.locator("td").first.wait_for()
    assert page.evaluate(OVERFLOWS) == []


@every
def test_the_theme_may_change(case, show):
    page = page_of(show, case)
    before = page.locator(".lstm-lab-explorer").screenshot()
    page.evaluate("""() => {
      document.documentElement.style.setProperty('--jp-ui-font-color0', '#fff');
      document.documentElement.style.setProperty('--jp-layout-color0', '#111');
      document.body.style.background = '#111';
      document.body.dataset.jpThemeLight = 'false';
    }""")
    page.wait_for_timeout(500)
    after = page.locator(".lstm-lab-explorer").screenshot()
    assert after != before
    fresh = page_of(show, case, theme="dark")
    fresh.wait_for_timeout(300)
    assert fresh.locator(".lstm-lab-explorer").screenshot() == after


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
        page.wait_for_timeout(30)
        assert page.evaluate("document.getAnimations().length") == 0


@every
def test_taking_it_down_leaves_nothing(case, show):
    page = page_of(show, case)
    drag(page, case.drag, case.way / 4)
    page.evaluate("cleanups[0]()")
    assert page.locator(".lstm-lab-explorer").count() == 0
    assert page.evaluate("Object.values(models[0].listeners).flat().length") == 0
    page.evaluate(f"models[0].set('{case.drag}', 1)")
    page.wait_for_timeout(250)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(theme, show, artifacts):
    """A page with all explorables, every fold open, at three depths of levels."""
    page = show(*(case.new(**case.lively) for case in CASES), theme=theme, width=1280)
    load_axe(page)
    for opener in page.locator("details > summary, .ll-tools > [aria-expanded]").all():
        opener.click()
    found = {}
    for depth in range(3):
        for number, case in enumerate(CASES):
            inner = [path for path in case.kind.levels if path.count("/") + bool(path) <= depth]
            path = inner[-1]
            page.evaluate(f"models[{number}].set('path', '{path}')")
        page.wait_for_timeout(400)
        # What is still half there has no contrast yet, however slow the machine.
        page.evaluate("document.getAnimations().forEach((each) => each.finish())")
        found |= axe_findings(page)
    (artifacts / "axe.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    assert found == {}
