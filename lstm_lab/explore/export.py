"""A notebook as one HTML page in which the explorables live, with no kernel and no network.

``lstm-lab export book/03-memory-cell.ipynb page.html``
"""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ..files import write_whole
from .core.bundle import FRONTEND

EXPORTER = f"{__package__}.page.PageExporter"
PACKAGES = {"nbconvert": "nbconvert", "math_core": "math-core"}


def export_html(notebook: str | Path, page: str | Path) -> Path:
    """Run a notebook, and write it with its outputs as one HTML page.

    What the browser computes by itself stays alive in it; what the kernel feeds shows what it
    showed last. The notebook's file is not touched.

    Parameters
    ----------
    notebook : path-like
    page : path-like
        The HTML file; one that is there is replaced.

    Raises
    ------
    FileNotFoundError
        If there is no such notebook, or no folder for the page. Nothing is run then.
    IsADirectoryError
        If the page is a folder.
    RuntimeError
        If nbconvert fails, as where a cell raises, with what it said; if it or what draws the
        formulas is not installed.
    """
    notebook, page = Path(notebook), Path(page)
    if not notebook.is_file():
        raise FileNotFoundError(f"notebook: there is no file {notebook}")
    if page.is_dir():
        raise IsADirectoryError(f"page: {page} is a folder, expected the name of an HTML file")
    if not page.parent.is_dir():
        raise FileNotFoundError(f"page: there is no folder {page.parent} for {page.name}")
    for name, package in PACKAGES.items():
        if find_spec(name) is None:
            raise RuntimeError(
                f"an exported page needs {package}, which is not installed in {sys.prefix}.\n"
                'Install what the book needs with: python -m pip install -e ".[book]"'
            )
    script = base64.b64encode((FRONTEND / "embed.js").read_bytes()).decode("ascii")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "nbconvert", "--to", EXPORTER, "--execute", str(notebook)),
            *("--output-dir", folder, "--output", "page.html"),
            f"--PageExporter.widget_renderer_url=data:text/javascript;base64,{script}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
        if done.returncode:
            raise RuntimeError(f"{notebook} could not be exported:\n{done.stderr[-2000:]}")
        write_whole(page, (Path(folder) / "page.html").read_bytes())
    return page


def main(argv: Sequence[str] | None = None, prog: str = f"python -m {__package__}.export") -> int:
    """Export one notebook.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process where it is None.
    prog : str
        What the command is called.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Runs a notebook, and writes it as one HTML page in which the pictures live, "
        "with no kernel and no network.",
    )
    parser.add_argument("notebook")
    parser.add_argument("page", help="the HTML file; one that is there is replaced")
    options = parser.parse_args(argv)
    print(export_html(options.notebook, options.page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
