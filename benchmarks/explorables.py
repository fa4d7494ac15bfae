"""How fast the explorables follow the hand, in a headless Chromium.

``python -m benchmarks.explorables [--only NAME] [--moves N] [--random N] [--json FILE]``

Each explorable stands alone in a plain page, at its default size, and with the largest network of
the reader's that it is to follow the hand with; those that the kernel feeds have
their Python behind it. Per explorable: ms from the page's call to the first picture; ms from a
move of a slider to the picture drawn (the script is done) and painted (the next frame is on the
screen), median and 95th percentile; frames a second while a slider is dragged; growth of the
script's memory over random moves of all controls.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstm_lab.cli import find_browser
from tests.conftest import CHROMIUM_OPTIONS
from tests.explore.cases import CASES, Case
from tests.explore.host import Kernel, page_html

LIMITS = {"first": 300.0, "drawn": 10.0, "painted": 50.0, "frames": 30.0, "growth": 10.0}
FED_LIMIT = 75.0

# A move as a hand makes it: the slider's value, the event, then the next frame on the screen.
MOVES = """async ([name, moves]) => {
  const root = document.querySelector('.lstm-lab-explorer');
  const slider = root.querySelector(`input[type=range][data-name=${name}]`);
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
  }));
  const low = Number(slider.min), high = Number(slider.max), drawn = [], shown = [];
  let frames = 0, counting = true;
  (function count() { if (counting) { frames += 1; requestAnimationFrame(count); } })();
  const begin = performance.now();
  for (let k = 0; k < moves; k++) {
    const before = slider.value;
    slider.value = low + (high - low) * (0.5 + 0.45 * Math.sin(k / 7 + 0.1));
    if (slider.value === before) continue;
    slider.value = before;
    await frame();
    const start = performance.now();
    const picture = new Promise((done) => root.addEventListener('ll-drawn', done, { once: true }));
    const fed = window.toKernel && new Promise((done) => { window.heard = done; });
    slider.value = low + (high - low) * (0.5 + 0.45 * Math.sin(k / 7 + 0.1));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await picture;
    await fed;
    drawn.push(performance.now() - start);
    await painted();
    shown.push(performance.now() - start);
  }
  counting = false;
  return { drawn, shown, frames: frames / ((performance.now() - begin) / 1000) };
}"""

CHOICES = """async () => {
  const model = window.models[0], start = model.get('_start');
  for (const [name, spec] of Object.entries(model.get('_specs'))) {
    for (const option of spec.options ?? []) {
      model.set(name, option);
      model.save_changes();
      await new Promise((done) => requestAnimationFrame(done));
    }
    model.set(name, start[name]);
  }
}"""

RANDOM = """async (moves) => {
  const model = window.models[0], specs = Object.entries(model.get('_specs'));
  let a = 7;
  const random = () => ((a = (a * 1103515245 + 12345) % 2147483648) / 2147483648);
  for (let k = 0; k < moves; k++) {
    const [name, spec] = specs[Math.floor(random() * specs.length)];
    let value;
    if (spec.kind === 'number') {
      value = spec.min + random() * (spec.max - spec.min);
      if (spec.whole) value = Math.round(value);
    } else if (spec.kind === 'choice') {
      value = spec.options[Math.floor(random() * spec.options.length)];
    } else if (spec.kind === 'flag') value = random() < 0.5;
    else continue;
    model.set(name, value);
    model.save_changes();
    await Promise.resolve();
    if (k % 10 === 0) await new Promise((done) => requestAnimationFrame(done));
  }
}"""


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def heap(page: Any) -> float:
    """Bytes that the page's script holds after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    size = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return size


def measure(
    browser: Any, case: Case, moves: int, random_moves: int, *, large: bool = False
) -> dict[str, Any]:
    """All figures of one explorable."""
    widget, errors = case.large() if large else case.new(), []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("pageerror", lambda error: errors.append(str(error)))
    if case.kernel:
        Kernel(page, [widget])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page_html([widget], "light"), encoding="utf-8")
        firsts = []
        for _ in range(5):
            page.goto(path.as_uri())
            page.wait_for_function("window.firstPicture !== undefined")
            firsts.append(page.evaluate("window.firstPicture"))
        answer = page.evaluate(MOVES, [case.drag, moves])
        # Every level and every choice once, so that all there is to make is made,
        # and moves enough for the engine to have compiled what it will.
        page.evaluate(CHOICES)
        page.evaluate(RANDOM, max(1000, random_moves // 10))
        before = heap(page)
        page.evaluate(RANDOM, random_moves)
        growth = 100 * (heap(page) / before - 1)
    page.close()
    widget.close()
    return {
        "name": case.kind.__name__ + (" (large)" if large else ""),
        "kernel": case.kernel,
        "first_ms": statistics.median(firsts),
        "drawn_p50_ms": statistics.median(answer["drawn"]),
        "drawn_p95_ms": percentile(answer["drawn"], 0.95),
        "painted_p50_ms": statistics.median(answer["shown"]),
        "painted_p95_ms": percentile(answer["shown"], 0.95),
        "frames_per_s": answer["frames"],
        "random_moves": random_moves,
        "memory_growth_percent": growth,
        "errors": errors,
    }


def run(
    only: str | None = None, moves: int = 200, random_moves: int = 10_000
) -> Iterator[dict[str, Any]]:
    """The figures of every explorable, or of the one named, one after the other."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=[*CHROMIUM_OPTIONS, "--js-flags=--expose-gc"]
        )
        for case in CASES:
            if only in (None, case.kind.__name__):
                yield measure(browser, case, moves, random_moves)
                if case.large:
                    yield measure(browser, case, moves, random_moves // 10, large=True)
        browser.close()


def late(row: dict[str, Any]) -> list[str]:
    """Which limits a row does not keep."""
    drawn = FED_LIMIT if row["kernel"] else LIMITS["drawn"]
    painted = FED_LIMIT if row["kernel"] else LIMITS["painted"]
    return [
        name
        for name, bad in {
            "first": row["first_ms"] > LIMITS["first"],
            "drawn": row["drawn_p95_ms"] > drawn,
            "painted": row["painted_p95_ms"] > painted,
            "frames": row["frames_per_s"] < LIMITS["frames"],
            "growth": row["memory_growth_percent"] > LIMITS["growth"],
            "errors": bool(row["errors"]),
        }.items()
        if bad
    ]


HEAD = (
    f"{'explorable':30s}{'first':>7s}{'drawn p50':>11s}{'p95':>7s}{'painted p50':>13s}"
    f"{'p95':>7s}{'frames/s':>10s}{'memory':>9s}"
)


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    return (
        f"{row['name']:30s}{row['first_ms']:7.0f}{row['drawn_p50_ms']:11.1f}"
        f"{row['drawn_p95_ms']:7.1f}{row['painted_p50_ms']:13.1f}{row['painted_p95_ms']:7.1f}"
        f"{row['frames_per_s']:10.0f}{row['memory_growth_percent']:+8.1f}%"
        f"{'  over: ' + ', '.join(late(row)) if late(row) else ''}"
    )


def main() -> int:
    """Print the table; 1 where a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help="the name of one explorable")
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--random", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    print(HEAD, flush=True)
    rows = []
    for row in run(options.only, options.moves, options.random):
        rows.append(row)
        print(line(row), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(any(map(late, rows)))


if __name__ == "__main__":
    sys.exit(main())
