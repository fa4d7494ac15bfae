"""Explorables in other surroundings: under a finger, in high contrast, in a page that is read from
right to left. Another screen is tested in Firefox: Chromium's emulation tells no page of it.
"""

from __future__ import annotations

import pytest

from tests.explore.cases import CASES
from tests.explore.page import eventually, finish, go, page_of, picture, settled, state

every = pytest.mark.parametrize("case", CASES, ids=str)

WATCH = """() => {
  window.told = [];
  for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'])
    document.addEventListener(type, (event) => window.told.push(type), true);
}"""
# The pictures that a finger can pull in, with where in them it is free to.
PULLED = """() => [...document.querySelectorAll('canvas')].flatMap((canvas, k) => {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return width && canvas.dataset.pull ? [[k, canvas.dataset.pull]] : [];
})"""
# What lies over a picture to be pressed is pressed there, as with a mouse.
UNCOVERED = "([x, y]) => document.elementFromPoint(x, y).tagName === 'CANVAS'"
BOX = """(k) => {
  const canvas = document.querySelectorAll('canvas')[k];
  canvas.scrollIntoView({ block: 'center', behavior: 'instant' });
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [left, top, width, height];
}"""


class Finger:
    """One finger on the glass of a page."""

    def __init__(self, page):
        self.page = page
        self.glass = page.context.new_cdp_session(page)

    def pull(self, start, stop, steps=8):
        """Set down, pull straight, lift; what the browser told the page of it."""
        self.page.evaluate("window.told = []")
        for k in range(steps + 1):
            x, y = (a + (b - a) * k / steps for a, b in zip(start, stop, strict=True))
            kind = "touchMove" if k else "touchStart"
            self._touch(kind, [{"x": x, "y": y}])
            self.page.evaluate("new Promise(requestAnimationFrame)")
        self._touch("touchEnd", [])
        settled(self.page)
        return self.page.evaluate("window.told")

    def _touch(self, kind, points):
        self.glass.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture
def under_finger(show):
    """``under_finger(case)``: a page on glass, and the finger."""

    def open_page(case, **setting):
        explorable = case.new(**{**case.lively, **setting})
        page = show(explorable, kernel=case.kernel, has_touch=True, width=700)
        page.evaluate(WATCH)
        page.add_style_tag(
            content="html { overscroll-behavior: none; } body { padding: 900px 16px !important; }"
        )
        return page, Finger(page)

    return open_page


@every
def test_a_finger_pulls_sideways_in_every_picture(case, under_finger):
    page, finger = under_finger(case)
    for path in case.kind.levels:
        go(page, path)
        for number, _ in page.evaluate(PULLED):
            left, top, width, height = settled(page, BOX, number)
            y = top + 0.4 * height
            if not page.evaluate(UNCOVERED, [left + 0.3 * width, y]):
                continue
            told = finger.pull((left + 0.3 * width, y), (left + 0.7 * width, y))
            assert "pointercancel" not in told, path
            assert told.count("pointermove") > 3, path
            assert told[-1] == "pointerup", path
            assert state(page)["path"] == path, "it was no tap"


# In which picture of which explorable a finger pulls, from where to where, as shares of its width
# and height, and which control follows.
PULLS = [
    ("SequenceExplorer", {}, 0, (0.3, 0.05), (0.6, 0.08), "drawn"),
    ("SequenceExplorer", {}, 0, (0.3, 0.05), (0.3, 0.09), "drawn"),
    ("SequenceExplorer", {}, 0, (0.3, 0.5), (0.6, 0.5), "step"),
    ("GateSurgery", {}, 0, (0.4, 0.5), (0.7, 0.5), "end"),
    ("AlignmentExplorer", {}, 0, (0.5, 0.3), (0.5, 0.4), "edits"),
    ("AlignmentExplorer", {"mode": "attention"}, 2, (0.5, 0.3), (0.4, 0.6), "query_y"),
    ("BidirectionalExplorer", {}, 0, (7 / 9, 0.1), (0.5, 0.1), "length_1"),
    ("WeightExplorer", {}, 0, (0.5, 0.3), (0.5, 0.6), "delta"),
    ("RecurrenceExplorer", {}, 0, (0.3, 0.5), (0.6, 0.5), "step"),
    ("EnvelopeExplorer", {"opened": False}, 0, (0.85, 0.3), (0.85, 0.6), "drawn"),
]


@pytest.mark.parametrize(("name", "setting", "number", "start", "stop", "follows"), PULLS)
def test_what_a_finger_pulls_follows(name, setting, number, start, stop, follows, under_finger):
    case = next(each for each in CASES if str(each) == name)
    page, finger = under_finger(case, **setting)
    names, told = moved(page, finger, number, start, stop)
    assert follows in names
    assert "path" not in names, "it was no tap"
    assert "pointercancel" not in told


def test_a_page_scrolls_where_a_finger_pulls_nothing(under_finger):
    """Up and down in a picture that is pulled sideways, and on the words below one."""
    case = next(each for each in CASES if str(each) == "SequenceExplorer")
    page, finger = under_finger(case)
    # The lane where one draws; the rest of the picture; no picture.
    for start, scrolls in (((0.5, 0.05), False), ((0.5, 0.6), True), ((0.5, 1.15), True)):
        box = settled(page, BOX, 0)
        x, y = box[0] + start[0] * box[2], box[1] + start[1] * box[3]
        before = page.evaluate("scrollY")
        told = finger.pull((x, y), (x, y - 200))
        if scrolls:
            eventually(page, lambda: page.evaluate("scrollY") != before)  # noqa: B023
        else:
            assert page.evaluate("scrollY") == before
        assert ("pointercancel" in told) == scrolls
        assert state(page)["path"] == ""


def test_a_pen_that_hovers_finds_the_ways_it_may_pull(show):
    case = next(each for each in CASES if str(each) == "SequenceExplorer")
    page = page_of(show, case)
    left, top, width, height = settled(page, BOX, 0)
    touch = "() => getComputedStyle(document.querySelector('canvas')).touchAction"
    for share, action in ((0.05, "pinch-zoom"), (0.5, "pan-y pinch-zoom"), (0.05, "pinch-zoom")):
        page.mouse.move(left + width / 2, top + share * height)
        assert settled(page, touch) == action
    page.mouse.move(1, 1)
    assert settled(page, touch) == "pan-y pinch-zoom"


def test_a_pull_that_the_browser_takes_away_ends(under_finger):
    case = next(each for each in CASES if str(each) == "GateSurgery")
    page, finger = under_finger(case)
    assert "pointercancel" in moved(page, finger, 0, (0.5, 0.5), (0.5, 0.9))[1]
    before = state(page)
    left, top, width, height = settled(page, BOX, 0)
    page.mouse.move(left + 0.8 * width, top + 0.5 * height)
    after = state(page)
    assert [after[name] for name in ("begin", "end")] == [before[name] for name in ("begin", "end")]


PLACES = """() => {
  const root = document.querySelector('.lstm-lab-explorer');
  const { left, top } = root.getBoundingClientRect();
  return [...root.querySelectorAll('*')].map((node) => {
    const box = node.getBoundingClientRect();
    return [`${node.tagName} ${node.getAttribute('class')}`,
      ...[box.left - left, box.top - top, box.width, box.height].map(Math.round)];
  });
}"""


@every
def test_a_page_from_right_to_left_leaves_its_direction(case, show):
    page = page_of(show, case)
    for fold in page.locator("details > summary").all():
        fold.click()
    before, drawn = settled(page, PLACES), picture(page)
    page.evaluate("document.documentElement.dir = 'rtl'")
    finish(page)
    after = settled(page, PLACES)
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == []
    assert picture(page) == drawn


# Of all that is read and operated, its contrast with what lies behind; and of each canvas, the
# strongest contrast in it with the page.
CONTRASTS = """() => {
  const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((each) => each / 255)
      .map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (node) => {
    const colour = rgba(getComputedStyle(node).backgroundColor);
    return colour[3] === 255 || !node.parentElement ? colour : ground(node.parentElement);
  };
  const root = document.querySelector('.lstm-lab-explorer'), out = [];
  const behind = ground(root);
  const name = (node) => `${node.tagName} ${node.getAttribute('class')} ${node.textContent}`;
  const seen = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 2;
  for (const node of root.querySelectorAll('label, p, output, button, summary, legend, td, th')) {
    if (!seen(node) || !node.textContent.trim() || node.disabled) continue;
    out.push([name(node), contrast(rgba(getComputedStyle(node).color), ground(node)), 4.5]);
  }
  for (const node of root.querySelectorAll('svg text')) {
    if (!seen(node) || getComputedStyle(node).fillOpacity === '0') continue;
    out.push([name(node), contrast(rgba(getComputedStyle(node).fill), behind), 3]);
  }
  const framed = '.ll-button, select, input:is([type=text], [type=number])';
  for (const node of root.querySelectorAll(framed)) {
    if (!seen(node)) continue;
    out.push([name(node), contrast(rgba(getComputedStyle(node).borderTopColor), behind), 3]);
  }
  for (const canvas of root.querySelectorAll('canvas')) {
    if (!seen(canvas)) continue;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const inks = [...new Set(new Uint32Array(data.buffer))].filter((ink) => ink >>> 24 === 255);
    const ratios = inks.map((ink) =>
      contrast([ink & 255, (ink >> 8) & 255, (ink >> 16) & 255], behind));
    out.push([`canvas ${canvas.ariaLabel}`, Math.max(1, ...ratios), 4.5]);
  }
  const page = rgba(getComputedStyle(document.querySelector('#canvas-colour')).backgroundColor);
  const quantities = [...root.querySelectorAll('.ll-controls [data-q] .ll-value')]
    .filter((node) => seen(node) && 'ifogh'.includes(node.closest('[data-q]').dataset.q));
  const names = new Set(quantities.map((node) => node.closest('[data-q]').dataset.q));
  const colours = new Set(quantities.map((node) => getComputedStyle(node).color));
  out.push(['each quantity has its colour', colours.size >= names.size ? 21 : 1, 4.5]);
  out.push(['ground and page', contrast(behind, page) === 1 ? 21 : 1, 4.5]);
  return out;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@every
def test_high_contrast_shows_everything(case, scheme, show, artifacts):
    page = page_of(
        show, case, width=760, theme="light", forced_colors="active", color_scheme=scheme
    )
    page.evaluate(
        """document.body.insertAdjacentHTML('beforeend',
        '<i id="canvas-colour" style="background: Canvas; forced-color-adjust: none"></i>')"""
    )
    finish(page)
    page.locator(".lstm-lab-explorer").screenshot(path=artifacts / f"{scheme}.png")
    found = settled(page, CONTRASTS)
    assert len(found) > 10
    assert [(name, ratio) for name, ratio, least in found if ratio < least] == []
    slider = page.locator("input[type=range]:visible").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    ring = slider.evaluate("(node) => getComputedStyle(node).outlineStyle")
    assert ring == "solid"


def moved(page, finger, number, start, stop):
    """The names of the controls that such a pull changes."""
    left, top, width, height = settled(page, BOX, number)
    before = state(page)
    told = finger.pull(
        (left + start[0] * width, top + start[1] * height),
        (left + stop[0] * width, top + stop[1] * height),
    )
    after = state(page)
    return {name for name in before["_specs"] if after[name] != before[name]}, told
