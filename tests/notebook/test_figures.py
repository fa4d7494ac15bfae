"""Source that is shown is source that runs; figures have alternative text."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest

from lstm_lab import LSTM, cells
from lstm_lab.explore.core.bundle import FRONTEND
from lstm_lab.notebook import GATE_COLORS, line_of, show, show_source, use_style
from lstm_lab.notebook.figures import _CYCLE, TEXT_SHARES
from tests.colours import contrast


def code(markdown):
    return re.search(r"```python\n(.*?)\n```", markdown.data, re.S)[1]


def test_source_is_the_librarys_own():
    shown = show_source(cells.lstm_forward, docstring=True)
    assert code(shown) in (FRONTEND.parents[1] / "cells" / "lstm.py").read_text(encoding="utf-8")
    assert shown.data.startswith("`lstm_lab/cells/lstm.py`, lines ")


def test_source_without_docstrings_is_the_same_code():
    shown = code(show_source(LSTM))
    assert '"""' not in shown
    assert shown.startswith("class LSTM")
    compile(shown, "shown", "exec")
    assert code(show_source(LSTM, docstring=True)).count("def ") == shown.count("def ")


def test_source_of_a_method_stands_at_the_margin():
    assert code(show_source(LSTM.forward)).startswith("def forward(")


def test_source_keeps_comments_and_decorators():
    from tests.notebook import sample

    shown = code(show_source(sample))
    assert "# Why it is so." in shown
    assert "@property" in shown
    assert "does" not in shown


def test_what_has_no_source_is_refused():
    for thing in (3, len):
        with pytest.raises(TypeError, match="obj: expected something written in Python"):
            show_source(thing)


def test_a_figure_is_shown_with_its_words():
    import matplotlib
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        matplotlib.use("agg")
        use_style()
        fig, ax = plt.subplots()
        ax.plot([0, 1], **line_of("f"))
        shown = show(fig, alt='A "gate" < 1')
        assert not plt.fignum_exists(fig.number)
    assert '<img class="ll-figure" src="data:image/png;base64,iVBOR' in shown.data
    assert 'alt="A &quot;gate&quot; &lt; 1"' in shown.data


@pytest.mark.parametrize(("light", "ground"), [("true", 255), ("false", 17)])
def test_a_figure_has_the_ground_of_the_theme(light, ground, chromium):
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        use_style()
        fig = Figure(figsize=(1, 1))
    page = chromium.new_page()
    page.set_content(f'<body data-jp-theme-light="{light}">{show(fig, alt="Nothing.").data}')
    picture = page.locator("img").screenshot()
    page.close()
    pixel = matplotlib.image.imread(io.BytesIO(picture), format="png")[50, 50, :3] * 255
    assert abs(pixel - ground).max() <= 1


def test_a_figures_lines_are_seen_in_the_dark(chromium):
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        use_style()
        colours = sorted({*GATE_COLORS.values(), *_CYCLE})
        fig = Figure(figsize=(len(colours), 1))
    for k, colour in enumerate(colours):
        fig.add_artist(matplotlib.patches.Rectangle((k / len(colours), 0), 1, 1, color=colour))
    page = chromium.new_page()
    page.set_content(f'<body data-jp-theme-light="false">{show(fig, alt="Colours.").data}')
    picture = page.locator("img").screenshot()
    page.close()
    pixels = matplotlib.image.imread(io.BytesIO(picture), format="png")
    width = pixels.shape[1] / len(colours)
    for k, colour in enumerate(colours):
        now = pixels[pixels.shape[0] // 2, int((k + 0.5) * width), :3]
        assert contrast(matplotlib.colors.to_hex(now), "#111111") >= 4.5, colour
        if colour not in ("#000000", "#5F6368"):
            hues = [
                matplotlib.colors.rgb_to_hsv(each)[0]
                for each in (now, matplotlib.colors.to_rgb(colour))
            ]
            assert abs(hues[0] - hues[1]) < 15 / 360, colour


def test_a_figure_needs_words():
    with pytest.raises(ValueError, match="alt: expected a sentence"):
        show(None, alt=" ")


def test_colours_are_those_of_the_explorables():
    css = (FRONTEND / "explore.css").read_text(encoding="utf-8")
    lines = re.findall(r'\[data-q="(\w)"\] \{ --ll-q: (#\w+); --ll-q-share: (\d+)%; \}', css)
    assert {quantity: int(share) / 100 for quantity, _, share in lines} == TEXT_SHARES
    for quantity, colour, _ in lines:
        assert GATE_COLORS[quantity].lower() == colour
    assert line_of("c", linewidth=1) == {"color": "#000000", "linestyle": "-", "linewidth": 1}
    with pytest.raises(KeyError, match="quantity: expected one of"):
        line_of("q")


def test_a_page_without_pictures_loads_no_widget():
    program = """
import sys
from lstm_lab.notebook import GATE_COLORS, GATE_LINES, line_of, show, show_source, use_style
print(*{name.partition(".")[0] for name in sys.modules})
"""
    command, root = [sys.executable, "-c", program], FRONTEND.parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    loaded = set(done.stdout.split())
    assert "lstm_lab" in loaded, done.stderr
    assert not loaded & {"anywidget", "ipywidgets", "traitlets", "IPython", "matplotlib"}
