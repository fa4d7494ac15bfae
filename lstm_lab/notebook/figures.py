"""How the book's still figures look: the same colours and line styles as the live ones."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.figure import Figure

#: Colour of each quantity (Okabe & Ito's palette), on a white ground.
GATE_COLORS = {
    "i": "#009E73",
    "f": "#D55E00",
    "o": "#0072B2",
    "g": "#CC79A7",
    "c": "#000000",
    "h": "#E69F00",
    "x": "#5F6368",
}

#: How much of its colour the text of a quantity has; the rest is the page's ink. With that much
#: it is read on white, on the dark page and on the pictures' grey: 4.5 to 1 at least.
TEXT_SHARES = {"i": 0.72, "f": 0.78, "o": 0.76, "g": 0.68, "h": 0.58}

#: Line style of each quantity, so that none is told by its colour alone.
GATE_LINES: dict[str, dict[str, Any]] = {
    "i": {"linestyle": "-"},
    "f": {"linestyle": (0, (5, 2.5))},
    "o": {"linestyle": (0, (1.2, 1.6))},
    "g": {"linestyle": (0, (5, 2, 1.2, 2))},
    "c": {"linestyle": "-", "linewidth": 3.2},
    "h": {"linestyle": "-"},
    "x": {"linestyle": "-", "linewidth": 1.3},
}

_SHEET = {
    "figure.figsize": (8.4, 3.6),
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "savefig.dpi": 200,
    "font.family": "sans-serif",
    "font.size": 11,
    "mathtext.fontset": "stix",
    "text.color": "#1A1C20",
    "axes.labelcolor": "#1A1C20",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.edgecolor": "#8A8F98",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#E4E6EA",
    "grid.linewidth": 0.8,
    "xtick.color": "#8A8F98",
    "ytick.color": "#8A8F98",
    "xtick.labelcolor": "#3C4047",
    "ytick.labelcolor": "#3C4047",
    "xtick.major.size": 3.5,
    "ytick.major.size": 0,
    "lines.linewidth": 1.9,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "image.cmap": "cividis",
}

# In JupyterLab's dark theme light and dark change places, and hues stay: white becomes its ground.
# Brighter in between, for what is light on white, as orange, would be dark on dark.
_DARK = """[data-jp-theme-light="false"] .ll-figure {
  filter: invert(1) hue-rotate(180deg) brightness(1.25) invert(0.067)
}"""

# Okabe & Ito again, in an order whose neighbours differ in lightness too.
_CYCLE = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000"]


def ink(quantity: str, *, dark: bool = False) -> str:
    """The colour of a quantity in text: of its symbol in the pictures and in equations.

    Parameters
    ----------
    quantity : {"i", "f", "o", "g", "h"}
    dark : bool
        On JupyterLab's dark page, whose ink is white.

    Examples
    --------
    >>> ink("f"), ink("f", dark=True)
    ('#A64900', '#DE8138')
    """
    share, page_ink = TEXT_SHARES[quantity], 255 if dark else 0
    parts = (int(GATE_COLORS[quantity][k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(share * part + (1 - share) * page_ink):02X}" for part in parts)


def equation_sheet() -> str:
    r"""The style sheet that gives the colours of equations their light inks on a dark page.

    An equation names the dark ink, ``\color{#A64900}{f_t}``, which is read on white and on paper.
    No colour is read on white and on black too, so where the theme is dark the sheet changes it.
    """
    rules = []
    for quantity in TEXT_SHARES:
        name = ink(quantity)
        red, green, blue = (int(name[k : k + 2], 16) for k in (1, 3, 5))
        coloured = f'mjx-container [style*="color: rgb({red}, {green}, {blue})"]'
        rules.append(
            f'[data-jp-theme-light="false"] {coloured} {{ '
            f"color: {ink(quantity, dark=True)} !important; }}\n"
        )
    return "".join(rules)


def use_style() -> None:
    """Give every matplotlib figure from here on the book's look."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(_SHEET, **{"axes.prop_cycle": cycler(color=_CYCLE)})


def line_of(quantity: str, **more: Any) -> dict[str, Any]:
    """Arguments for ``ax.plot`` that draw a quantity as it is drawn everywhere.

    Parameters
    ----------
    quantity : {"i", "f", "o", "g", "c", "h", "x"}
    **more
        What ``ax.plot`` is to get beside, or instead.

    Raises
    ------
    KeyError
        If there is no such quantity.

    Examples
    --------
    >>> line_of("f")["color"]
    '#D55E00'
    """
    if quantity not in GATE_COLORS:
        raise KeyError(f"quantity: expected one of {', '.join(GATE_COLORS)}, got {quantity!r}")
    return {"color": GATE_COLORS[quantity], **GATE_LINES[quantity], **more}


def show(fig: Figure, alt: str) -> HTML:
    """A figure as a picture with alternative text; the figure itself is closed.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    alt : str
        What the figure shows, in words, for those who do not see it.

    Returns
    -------
    IPython.display.HTML
        Sharp on screens of double resolution, never wider than the page. In JupyterLab's dark
        theme it is dark too: light and dark change places, hues stay.

    Raises
    ------
    ValueError
        If alt is empty.
    """
    import matplotlib.pyplot as plt
    from IPython.display import HTML

    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt: expected a sentence that says what is seen, got {alt!r}")
    picture = io.BytesIO()
    fig.savefig(picture, format="png", dpi=200)
    plt.close(fig)
    width = round(fig.get_figwidth() * 100)
    data = base64.b64encode(picture.getvalue()).decode("ascii")
    return HTML(
        f"<style>{_DARK}</style>"
        f'<img class="ll-figure" src="data:image/png;base64,{data}" '
        f'alt="{html.escape(alt.strip())}" width="{width}" style="max-width: 100%; height: auto">'
    )
