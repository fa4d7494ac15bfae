"""An exported page: no kernel, no network, from a file, and still alive."""

from __future__ import annotations

import json

import pytest

from lstm_lab.explore import CellExplorer
from lstm_lab.explore.export import export_html, main
from tests.explore.page import drag, eventually

CELLS = [
    "import numpy as np\nfrom lstm_lab import LSTM\n"
    "from lstm_lab.explore import CellExplorer, SequenceExplorer\n"
    "CellExplorer(b_f=0.5)",
    "x = np.sin(np.arange(40)).reshape(20, 2)\n"
    "SequenceExplorer(LSTM(2, 3, seed=1), x, layer_unit=2, step=9)",
    "import ipywidgets\nipywidgets.IntSlider(description='of others')",
]


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
    from tests.conftest import ROOT, slow_down

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
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
    assert not [url for url in asked if url.startswith("http") and "mathjax" not in url.lower()]


def test_what_cannot_be_exported_is_said(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.ipynb"):
        export_html(tmp_path / "none.ipynb", tmp_path / "page.html")
    broken = notebook(tmp_path / "broken.ipynb", ["1 / 0"])
    monkeypatch.setattr("sys.argv", ["export", str(broken), str(tmp_path / "page.html")])
    with pytest.raises(RuntimeError, match=r"(?s)could not be exported.*ZeroDivisionError"):
        main()
    assert not (tmp_path / "page.html").exists()
