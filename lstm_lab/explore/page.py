"""An exported page, as nbconvert makes it: formulas in MathML, folded cells folded, no network.

``jupyter nbconvert --to lstm_lab.explore.page.PageExporter`` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from jinja2 import pass_context
from math_core import LatexError, LatexToMathML
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

_HEX = r"\{#([0-9A-Fa-f]{6})\}"
_CONVERTER = LatexToMathML(fancy_error=False)

# Chromium takes no font for mathematics by itself, and without one it stretches no bracket. It
# draws no box of <menclose> either.
_STYLE = """
math { font-family: "Cambria Math", "STIX Two Math", "Latin Modern Math", "Libertinus Math",
  "Noto Sans Math", "DejaVu Math TeX Gyre", math; }
math[display="block"] { max-width: 100%; overflow: auto hidden; padding: 2px 0; }
menclose[notation="box"] { border: 1px solid; padding: .2em .3em; }
.lstm-lab-fold { flex: 1; min-width: 0; }
.lstm-lab-fold > summary { cursor: pointer; padding: var(--jp-code-padding);
  font-family: var(--jp-code-font-family); color: var(--jp-ui-font-color2); }
"""

_TEMPLATE = """
{%- extends "lab/index.html.j2" -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}<style>@STYLE@</style>{%- endblock -%}
{%- block input -%}
{%- if cell.metadata.get("jupyter", {}).get("source_hidden") -%}
<details class="lstm-lab-fold"><summary>{{ cell.source.partition("\\n")[0] | escape }}</summary>
{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{%- endblock -%}
{%- block outputs -%}
{%- if cell.metadata.get("jupyter", {}).get("outputs_hidden") -%}
<details class="lstm-lab-fold"><summary>Output</summary>{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{%- endblock -%}
{%- block data_latex -%}{{ output.data["text/latex"] | markdown2html }}{%- endblock -%}
""".replace("@STYLE@", _STYLE)


def mathml(formula: str, *, display: bool) -> str:
    """A formula, as MathJax takes it, in MathML.

    Parameters
    ----------
    formula : str
        Without its dollars.
    display : bool
        On a line of its own.

    Raises
    ------
    ValueError
        If there is something in it that is not known here.
    """
    # MathJax takes a colour as #RRGGBB, LaTeX as [HTML]{RRGGBB}; and LaTeX has numbers, \tag, in
    # its environments for equations alone.
    latex = re.sub(rf"\\textcolor{_HEX}\{{", r"{\\color[HTML]{\1} ", formula)
    latex = re.sub(rf"\\color{_HEX}", r"\\color[HTML]{\1}", latex)
    if display and r"\tag" in latex:
        latex = rf"\begin{{equation}}{latex}\end{{equation}}"
    try:
        return _CONVERTER.convert_with_local_state(latex.strip(), displaystyle=display)
    except LatexError as error:
        raise ValueError(f"formula: {formula.strip()} cannot be drawn as MathML: {error}") from None


class _Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return _drawn(body, display=False)

    def block_math(self, body: str) -> str:
        return _drawn(body, display=True)

    def latex_environment(self, name: str, body: str) -> str:
        return _drawn(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)


def _drawn(formula: str, *, display: bool) -> str:
    try:
        return mathml(formula, display=display)
    except ValueError:
        return f"<code>{escape(formula.strip())}</code>"


class PageExporter(HTMLExporter):
    """A notebook as one page that asks for nothing from elsewhere.

    A formula that cannot be drawn as MathML stands there as it was written, as code.
    """

    export_from_notebook = None  # not another entry in JupyterLab's menu

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.raw_template = _TEMPLATE

    @pass_context
    def _markdown(self, context: Any, source: str) -> str:
        cell, resources = context.get("cell", {}), context.get("resources", {})
        renderer = _Renderer(
            escape=False,
            attachments=cell.get("attachments", {}),
            embed_images=True,
            path=resources.get("metadata", {}).get("path", ""),
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return MarkdownWithMath(renderer=renderer).render(source)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        yield from super().default_filters()
        yield "markdown2html", self._markdown
