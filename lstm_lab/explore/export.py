"""A notebook as one HTML page in which the explorables live, with no kernel and no network.

``python -m lstm_lab.explore.export book/03-memory-cell.ipynb page.html``
"""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..files import write_whole
from .core.bundle import FRONTEND


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
        If there is no such notebook.
    RuntimeError
        If nbconvert fails, as where a cell raises, with what it said.
    """
    notebook, page = Path(notebook), Path(page)
    if not notebook.is_file():
        raise FileNotFoundError(f"notebook: there is no file {notebook}")
    script = base64.b64encode((FRONTEND / "embed.js").read_bytes()).decode("ascii")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "nbconvert", "--to", "html", "--execute", str(notebook)),
            *("--output-dir", folder, "--output", "page.html"),
            f"--HTMLExporter.widget_renderer_url=data:text/javascript;base64,{script}",
            # What nbconvert would load for other widgets.
            "--HTMLExporter.require_js_url=",
            "--HTMLExporter.jquery_url=",
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
        if done.returncode:
            raise RuntimeError(f"{notebook} could not be exported:\n{done.stderr[-2000:]}")
        write_whole(page, (Path(folder) / "page.html").read_bytes())
    return page


def main() -> int:
    """Export one notebook."""
    parser = argparse.ArgumentParser(
        prog="python -m lstm_lab.explore.export", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("notebook")
    parser.add_argument("page")
    options = parser.parse_args()
    print(export_html(options.notebook, options.page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
