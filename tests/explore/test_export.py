"""An exported page: no kernel, no network, from a file, and still alive."""

from __future__ import annotations

import json
import os
import re

import pytest

from lstm_lab import cli
from lstm_lab.explore import CellExplorer
from lstm_lab.explore import page as exported
from lstm_lab.explore.export import export_html, main
from tests.conftest import ROOT, slow_down
from tests.explore.page import drag, eventually

CELLS = [
    "import numpy as np\nfrom lstm_lab import LSTM\n"
    "from lstm_lab.explore import CellExplorer, SequenceExplorer\n"
    "CellExplorer(b_f=0.5)",
    "x = np.sin(np.arange(40)).reshape(20, 2)\n"
    "SequenceExplorer(LSTM(2, 3, seed=1), x, layer_unit=2, step=9)",
    "import ipywidgets\nipywidgets.IntSlider(description='of others')",
]

# Where nbconvert and the kernel find the library, from any folder.
PATHS = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
# One of them has coloured symbols, numbers of equations the other.
CHAPTERS = ("03-memory-cell.ipynb", "05-backward-pass.ipynb")
# What a reader sees of TeX that was left, of formulas, and of cells that are folded.
SEEN = r"""(() => {
  const text = document.querySelector('main').cloneNode(true);
  const see = (node) => node.checkVisibility();
  text.querySelectorAll('pre, script, style, .lstm-lab-explorer').forEach((node) => node.remove());
  const maths = [...document.querySelectorAll('math')];
  return {
    left: text.textContent.match(/\$|\\[a-zA-Z]+/g) ?? [],
    flat: maths.filter((node) => see(node) && !node.getBoundingClientRect().width).length,
    formulas: maths.length,
    broken: Object.entries({
      munder: 2, mover: 2, munderover: 3, msub: 2, msup: 2, msubsup: 3, mfrac: 2,
    })
      .flatMap(([name, parts]) => [...document.querySelectorAll(name)]
        .filter((node) => node.children.length !== parts)).length,
    colours: [...new Set(maths.flatMap((each) => [...each.querySelectorAll('[style*=color]')])
      .map((node) => getComputedStyle(node).color))].length,
    folded: [...document.querySelectorAll('.lstm-lab-fold .highlight')]
      .filter((node) => !see(node)).length,
    living: document.querySelectorAll('.lstm-lab-explorer [role=img][aria-label]').length,
  };
})()"""

# Once the pictures have come to life, which is after the page is there.
ALIVE = """(async () => {
  while (!document.querySelector('.lstm-lab-explorer [role=img][aria-label]'))
    await new Promise((go) => setTimeout(go, 50));
  return true;
})()"""


def notebook(path, cells):
    content = {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [
            {"cell_type": "code", "id": f"c{k}", "metadata": {}, "source": source,
             "outputs": [], "execution_count": None}
            for k, source in enumerate(cells)
        ],
    }  # fmt: skip
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_an_exported_page_lives_from_a_file(chromium, tmp_path, artifacts, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", PATHS)
    source = notebook(tmp_path / "note.ipynb", CELLS)
    before = source.read_bytes()
    path = export_html(source, tmp_path / "page.html")
    assert source.read_bytes() == before
    page, errors, asked = chromium.new_page(), [], []
    slow_down(page)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.route("http*://**", lambda route: route.abort())
    page.goto(path.as_uri())
    explorers = page.locator(".lstm-lab-explorer")
    explorers.nth(1).wait_for()
    assert explorers.count() == 2
    said = [explorers.nth(k).locator("[data-role=summary]") for k in range(2)]
    f = CellExplorer(b_f=0.5).values()["f"]
    eventually(page, lambda: f"Forget gate {f:.2f} keeps" in said[0].inner_text())
    eventually(page, lambda: "At step 9 the forget gate" in said[1].inner_text())
    words = [each.inner_text() for each in said]
    drag(page, "b_f", -40)
    slider = explorers.nth(1).locator("input[data-name=b_o]")
    slider.press("End")
    for each, before in zip(said, words, strict=True):
        eventually(page, lambda: each.inner_text() != before)  # noqa: B023
    assert "needs the notebook itself" in page.content()
    page.screenshot(path=artifacts / "page.png", full_page=True)
    page.close()
    assert errors == []
    assert not [url for url in asked if url.startswith("http")]


def test_what_cannot_be_exported_is_said(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.ipynb"):
        export_html(tmp_path / "none.ipynb", tmp_path / "page.html")
    broken = notebook(tmp_path / "broken.ipynb", ["1 / 0"])
    monkeypatch.setattr("sys.argv", ["export", str(broken), str(tmp_path / "page.html")])
    with pytest.raises(RuntimeError, match=r"(?s)could not be exported.*ZeroDivisionError"):
        main()
    assert not (tmp_path / "page.html").exists()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Two chapters as exported pages."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", PATHS)
        return [export_html(ROOT / "book" / name, folder / f"{name}.html") for name in CHAPTERS]


def complaints(seen, name):
    """What is wrong with what is seen of a chapter's exported page."""
    cells = json.loads((ROOT / "book" / name).read_text(encoding="utf-8"))["cells"]
    folded = sum(bool(each["metadata"].get("jupyter", {}).get("source_hidden")) for each in cells)
    assert folded
    assert seen["left"] == []
    assert seen["flat"] == 0
    assert seen["broken"] == 0
    assert seen["formulas"] > 50
    assert seen["colours"] == 5
    assert seen["folded"] == folded
    assert seen["living"] > 0


@pytest.mark.parametrize("number", range(len(CHAPTERS)), ids=CHAPTERS)
def test_an_exported_chapter_is_whole_without_a_network(number, pages, chromium, artifacts):
    with chromium.new_context(offline=True) as context:
        page, errors, asked = context.new_page(), [], []
        slow_down(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(pages[number].as_uri())
        page.locator(".lstm-lab-explorer [role=img][aria-label]").first.wait_for()
        seen = page.evaluate(SEEN)
        page.screenshot(path=artifacts / "page.png", full_page=True)
    complaints(seen, CHAPTERS[number])
    assert errors == []
    assert [url for url in asked if url.startswith("http")] == []


@pytest.mark.parametrize("number", range(len(CHAPTERS)), ids=CHAPTERS)
def test_an_exported_chapter_is_whole_in_firefox(number, pages, firefox):
    firefox.goto(pages[number].as_uri())
    assert firefox.evaluate(ALIVE)
    complaints(firefox.evaluate(SEEN), CHAPTERS[number])
    # Said of a formula of which Firefox has read one half when it first draws the page; whether it
    # is whole in the end has been asked above.
    errors = [each for each in firefox.errors if not each.startswith("Invalid markup: Incorrect")]
    assert errors == []
    assert [url for url in firefox.asked if url.startswith("http")] == []


EVERY = [path for room in ("book", "labs", "docs") for path in ROOT.glob(f"{room}/**/*.ipynb")]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_every_formula_can_be_drawn(path, monkeypatch):
    """A page with a formula that cannot shows it as it was written: here it raises."""
    monkeypatch.setattr(exported, "_drawn", exported.mathml)
    exporter = exported.PageExporter()
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        html = exporter._markdown({}, "".join(cell["source"]))
        text = re.sub(r"<(pre|code)\b.*?</\1>|<[^>]*>", "", html, flags=re.S)
        assert re.findall(r"\$|\\[a-zA-Z]+", text) == []


def test_a_formula_that_cannot_be_drawn_stands_there_as_code(tmp_path):
    with pytest.raises(ValueError, match=r"formula: \\foo\{<\} cannot be drawn as MathML"):
        exported.mathml(r"\foo{<}", display=False)
    content = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": r"a $\foo{<}$"}],
    }  # fmt: skip
    path = tmp_path / "note.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    html, _ = exported.PageExporter().from_filename(str(path))
    assert r"a <code>\foo{&lt;}</code>" in html


@pytest.mark.parametrize(
    ("page", "message"), [("none/page.html", "no folder"), (".", "is a folder")], ids=str
)
def test_a_page_that_cannot_be_written_is_said_before_anything_runs(
    page, message, tmp_path, monkeypatch, capsys
):
    def run(*arguments, **options):
        raise AssertionError("it has begun")

    monkeypatch.setattr("lstm_lab.explore.export.subprocess.run", run)
    source = notebook(tmp_path / "note.ipynb", ["1"])
    assert cli.main(["export", str(source), str(tmp_path / page)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("lstm-lab: page: ")
    assert message in said


def test_without_what_draws_formulas_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lstm_lab.explore.export.find_spec", lambda name: None)
    source = notebook(tmp_path / "note.ipynb", ["1"])
    assert cli.main(["export", str(source), str(tmp_path / "page.html")]) == 1
    assert cli.INSTALL_BOOK in capsys.readouterr().err


def test_outputs_keep_their_folds_and_their_formulas(tmp_path):
    """Of a notebook that has been run: formulas that a cell gives, and outputs that are folded."""
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/latex": "$x_1$"}},
        {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": "so $x_2$"}},
    ]
    folds = {"source_hidden": True, "outputs_hidden": True}
    content = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [{"cell_type": "code", "id": "a", "metadata": {"jupyter": folds},
                   "source": "# a < b\n1", "outputs": outputs, "execution_count": 1}],
    }  # fmt: skip
    path = tmp_path / "note.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    html, _ = exported.PageExporter().from_filename(str(path))
    main = html.partition("<main>")[2]
    assert main.count("<math") == 2
    assert "$" not in main
    assert re.findall(r"<details[^>]*><summary>(.*?)</summary>", main) == ["# a &lt; b", "Output"]
