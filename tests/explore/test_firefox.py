"""Every explorable lives in Firefox too."""

from __future__ import annotations

import pytest

from tests.explore.cases import CASES
from tests.explore.host import page_html

READY = """(async () => {
  while (!window.ready) await new Promise((go) => setTimeout(go, 50));
  await settled();
  return [...document.querySelectorAll('.lstm-lab-explorer')]
    .map((root) => root.querySelector('[role=img][aria-label]') !== null);
})()"""
# What the summaries say before and after each explorable's slider is moved.
MOVE = """(async () => {
  const roots = document.querySelectorAll('.lstm-lab-explorer'), told = [];
  for (const [k, name] of %s.entries()) {
    const says = () => roots[k].querySelector('[data-role=summary]').innerText;
    const slider = roots[k].querySelector(`input[type=range][data-name=${name}]`);
    const before = says();
    slider.value = slider.valueAsNumber === +slider.max ? slider.min : slider.max;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await settled();
    told.push([before, says()]);
  }
  return told;
})()"""

SHARP = """[...document.querySelectorAll('canvas')]
  .map((canvas) => canvas.width / canvas.getBoundingClientRect().width).filter(Number.isFinite)"""


@pytest.fixture
def gallery(firefox, tmp_path):
    """Firefox with a page of all explorables."""
    path = tmp_path / "gallery.html"
    widgets = [case.new(**case.lively) for case in CASES]
    path.write_text(page_html(widgets), encoding="utf-8")
    firefox.goto(path.as_uri())
    assert firefox.evaluate(READY) == [True] * len(CASES)
    yield firefox
    firefox.screen(1)


def test_another_screen_is_drawn_for_at_once(gallery):
    """Every canvas, and with nothing else changed."""
    for ratio in (1, 2, 1.5):
        gallery.screen(ratio)
        assert gallery.evaluate(f"devicePixelRatio === {ratio} && settled().then(() => true)")
        ratios = gallery.evaluate(SHARP)
        assert len(ratios) > len(CASES)
        assert [each for each in ratios if abs(each - ratio) > 0.02] == []


def test_every_explorable_lives_in_firefox(gallery):
    told = gallery.evaluate(MOVE % [case.drag for case in CASES])
    for case, (before, after) in zip(CASES, told, strict=True):
        assert before, case
        assert after != before, case
    assert gallery.errors == []
    assert [url for url in gallery.asked if url.startswith("http")] == []
