"""Every explorable lives in Firefox too."""

from __future__ import annotations

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


def test_every_explorable_lives_in_firefox(firefox, tmp_path):
    path = tmp_path / "gallery.html"
    widgets = [case.new(**case.lively) for case in CASES]
    path.write_text(page_html(widgets), encoding="utf-8")
    firefox.goto(path.as_uri())
    assert firefox.evaluate(READY) == [True] * len(CASES)
    told = firefox.evaluate(MOVE % [case.drag for case in CASES])
    for case, (before, after) in zip(CASES, told, strict=True):
        assert before, case
        assert after != before, case
    assert firefox.errors == []
    assert [url for url in firefox.asked if url.startswith("http")] == []
