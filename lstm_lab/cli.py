"""Floor 7: the command ``lstm-lab``.

``book`` opens the book in JupyterLab, ``export`` makes a page of one of its notebooks,
``update`` takes over what has been published since, ``doctor`` says what this machine has and
lacks, and ``labs build`` makes the labs' notebooks from their sources. What a subcommand needs is
imported inside it, so that ``doctor`` answers where half of it is missing.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
START_PAGE = Path("book", "00-start.ipynb")
# A workspace of its own: the tabs of the reader's other projects stay where they are.
WORKSPACE = "lstm-lab"
INSTALL_BOOK = 'python -m pip install -e ".[book]"'
INSTALL_FAST = 'python -m pip install -e ".[fast]"'
INSTALL_ONNX = 'python -m pip install -e ".[onnx]"'
INSTALL_TEST = 'python -m pip install -e ".[test]"'
INSTALL_TORCH = "python -m pip install torch==2.13.0"
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


class CommandError(Exception):
    """What the reader has to put right; its text is the whole message."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process where it is None.

    Returns
    -------
    int
        The exit status: 0 when all is well, 1 when something is missing. Wrong usage exits
        with 2, as argparse does.
    """
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.run not in PASS_ON:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return arguments.run(arguments, rest)
    except CommandError as error:
        print(f"lstm-lab: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lstm-lab",
        description="An interactive textbook and lab about LSTM networks.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lstm-lab {version('lstm_lab')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    book = commands.add_parser(
        "book",
        help="open the book in JupyterLab",
        description="Opens the book in JupyterLab. Every other argument goes to `jupyter lab`, "
        "for example: lstm-lab book --no-browser --port 8890",
        allow_abbrev=False,
    )
    book.set_defaults(run=_book)

    export = commands.add_parser("export", help="write a notebook as an HTML page", add_help=False)
    export.set_defaults(run=_export)

    update = commands.add_parser(
        "update",
        help="take over what has been published since",
        description="Like git pull, with notebooks that have been run and saved. One in which you "
        "have written is kept beside the new one, as NAME.mine-1.ipynb.",
    )
    update.set_defaults(run=_update)

    doctor = commands.add_parser("doctor", help="what this machine has, and what it lacks")
    doctor.set_defaults(run=_doctor)

    labs = commands.add_parser("labs", help="work on the labs' notebooks")
    actions = labs.add_subparsers(metavar="ACTION", required=True)
    build = actions.add_parser("build", help="make them from labs/source", add_help=False)
    build.set_defaults(run=_build_labs)
    return parser


def find_book(start: Path) -> Path:
    """The folder that holds the book: `start`, one above it, or where the package lies.

    Parameters
    ----------
    start : Path
        The folder to look in first.

    Raises
    ------
    CommandError
        If the book is in none of them.
    """
    start = start.resolve()
    for folder in (start, *start.parents, PACKAGE.parent):
        if (folder / START_PAGE).is_file():
            return folder
    raise CommandError(
        f"the book is not here: there is no {START_PAGE.as_posix()} in {start}, in a folder "
        f"above it or beside the package in {PACKAGE.parent}.\n"
        "Change into the folder that you cloned the book into, and call `lstm-lab book` there."
    )


def _book(arguments: argparse.Namespace, rest: list[str]) -> int:
    root = find_book(Path.cwd())
    _prepend("JUPYTER_CONFIG_PATH", PACKAGE / "jupyter_config")
    # The start page runs its first cell by itself, in this JupyterLab alone.
    _prepend("JUPYTER_PATH", PACKAGE / "jupyter_data")
    # The kernel "python3" must be this very Python, whatever kernels the reader has registered.
    _prepend("JUPYTER_PATH", Path(sys.prefix, "share", "jupyter"))
    try:
        from jupyterlab.labapp import LabApp

        for name in ("ipykernel", "ipywidgets", "anywidget", "matplotlib"):
            import_module(name)
    except ImportError as error:
        raise CommandError(_lacking(error)) from error
    LabApp.launch_instance([*_lab_options(root, rest), *rest])
    return 0


def _lab_options(root: Path, given: Sequence[str]) -> Iterator[str]:
    """Our options for JupyterLab, less those that the reader gives: it takes none twice."""
    options = {
        "--ServerApp.root_dir": str(root),
        "--LabApp.default_url": f"/lab/workspaces/{WORKSPACE}/tree/{START_PAGE.as_posix()}",
    }
    taken = {argument.partition("=")[0] for argument in given}
    if "--notebook-dir" in taken:
        taken.add("--ServerApp.root_dir")
    for name, value in options.items():
        if name not in taken:
            yield f"{name}={value}"
    # In a container everybody is root, and Jupyter would refuse to start.
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in taken:
        yield "--allow-root"


def _lacking(error: ImportError) -> str:
    return (
        f"the book needs {error.name}, which is not installed in {sys.prefix}.\n"
        f"Install what the book needs with: {INSTALL_BOOK}"
    )


def _prepend(variable: str, folder: Path) -> None:
    others = os.environ.get(variable)
    os.environ[variable] = os.pathsep.join([str(folder), *([others] if others else [])])


def _build_labs(arguments: argparse.Namespace, rest: list[str]) -> int:
    # The builder comes with the book, and not with the library.
    return subprocess.call([sys.executable, "-m", "tools.labs", *rest], cwd=find_book(Path.cwd()))


def _export(arguments: argparse.Namespace, rest: list[str]) -> int:
    try:
        from .explore import export
    except ImportError as error:
        raise CommandError(_lacking(error)) from error
    try:
        return export.main(rest, prog="lstm-lab export")
    except (OSError, RuntimeError) as error:
        raise CommandError(str(error)) from error


def _update(arguments: argparse.Namespace, rest: list[str]) -> int:
    from .update import UpdateError, update

    try:
        kept = update(find_book(Path.cwd()))
    except UpdateError as error:
        raise CommandError(str(error)) from error
    for path in kept:
        print(f"your version is now {path}")
    print("The book is up to date. `make book` installs what it may need anew.")
    return 0


# Subcommands that hand what they do not know to a parser of its own.
PASS_ON = (_book, _build_labs, _export)


def find_browser() -> str | None:
    """The Chromium or Chrome of this machine, or None; what has no windows is faster in tests."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _doctor(arguments: argparse.Namespace, rest: list[str]) -> int:
    print(f"Python      {platform.python_version()} in {sys.prefix}")
    print(f"Machine     {platform.platform()}, {os.cpu_count()} processors")
    print(f"lstm_lab    {version('lstm_lab')} in {PACKAGE}")
    library = ("numpy", "safetensors", "threadpoolctl", "tqdm")
    complete = _report_packages("Library", library, INSTALL_BOOK)
    complete &= _report_packages(
        "Book",
        ("jupyterlab", "ipykernel", "ipywidgets", "anywidget", "matplotlib", "statsmodels"),
        INSTALL_BOOK,
    )
    try:
        print(f"            the book is in {find_book(Path.cwd())}")
    except CommandError as error:
        print(f"            {error}")
        complete = False
    print(f"BLAS        {_blas()}")
    print(f"GPU         {_gpu()}")
    _report_packages("Faster", ("numba",), INSTALL_FAST)
    _report_packages("Interchange", ("onnx",), INSTALL_ONNX)
    _report_packages("Tests", ("pytest", "nbval", "hypothesis", "playwright"), INSTALL_TEST)
    _report_packages("", ("torch",), INSTALL_TORCH)
    print(f"            browser: {find_browser() or 'none; install Chromium or Chrome'}")
    print("\nThe book can be opened." if complete else "\nThe book lacks what is said above.")
    return 0 if complete else 1


def _report_packages(title: str, names: Sequence[str], install: str) -> bool:
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if found:
        print(f"{title:<11} {', '.join(found)}")
        title = ""
    if missing:
        print(f"{title:<11} missing: {', '.join(missing)}; install with: {install}")
    return not missing


def _blas() -> str:
    import numpy as np

    from lstm_lab.backends import blas

    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        build = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{build['name']} {build['version']} (threadpoolctl would name the core)"
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    lines = [
        f"{pool['internal_api']} {pool['version']}, core {pool.get('architecture', 'unknown')}, "
        f"{pool['num_threads']} threads"
        for pool in pools
    ]
    lines.append(
        f"a time loop whose steps take fewer than {blas.ONE_THREAD_BELOW:.0e} operations keeps "
        f"to one thread; small products {'in' if blas.has_small_products() else 'not in'} blocks"
    )
    lines += [advice for pool in pools if (advice := _blas_advice(pool, found))]
    return "\n            ".join(dict.fromkeys(lines))


def _blas_advice(pool: dict[str, object], simd: Sequence[str]) -> str | None:
    """What would make matrix products faster here, if anything is known to.

    Parameters
    ----------
    pool : dict
        One library, as threadpoolctl describes it.
    simd : sequence of str
        The instruction sets that NumPy found on the processor.
    """
    wide = any(name == "X86_V4" or name.startswith("AVX512") for name in simd)
    narrow = pool.get("architecture") in ("Haswell", "Zen", "Sandybridge")
    if pool["internal_api"] == "openblas" and wide and narrow:
        return (
            "faster: this processor has AVX-512, and OpenBLAS does not use it; "
            "set OPENBLAS_CORETYPE=SkylakeX before Python starts"
        )
    return None


def _gpu() -> str:
    from lstm_lab.backends import BackendUnavailable, get_backend

    try:
        xp = get_backend("cupy").xp
    except BackendUnavailable as error:
        return f"not used: {error}"
    runtime = xp.cuda.runtime
    name = runtime.getDeviceProperties(runtime.getDevice())["name"].decode()
    return f"{name}, CuPy {xp.__version__}, CUDA {runtime.runtimeGetVersion()}"
