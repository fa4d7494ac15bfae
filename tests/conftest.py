"""What the tests share: what a test needs of the machine, and where it leaves its pictures.

What a reader's machine may lack, a browser or PyTorch, skips a test with a sentence that says
what to install. Where ``CI=true`` its absence is a failure: nothing goes unrun unseen there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from lstm_lab.backends import Backend, BackendUnavailable, get_backend
from lstm_lab.cli import INSTALL_TEST, INSTALL_TORCH, find_browser

from . import strict

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from .firefox import Firefox

strict.register()

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # CI is root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A file is one worker's: what takes longest goes first, lest one worker be left with it at the end.
LONG = [
    "tests/explore/test_frame.py", "tests/explore/test_page.py", "tests/tools/test_mutants.py",
    "tests/test_browser_book.py", "tests/explore/test_controls.py",
    "tests/backends/test_book_on_device.py", "tests/explore/test_sequence.py",
    "tests/explore/test_family.py", "tests/explore/test_training.py",
    "tests/explore/test_surroundings.py", "book/13-translation.ipynb",
    "book/11-language-modelling.ipynb", "book/14-named-entities.ipynb", "book/06-training.ipynb",
    "book/07-family.ipynb", "book/10-forecasting.ipynb", "book/08-bidirectional.ipynb",
    "tests/layers/test_step_options.py", "tests/backends/test_persistent.py",
]  # fmt: skip


def _lacking(sentence: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{sentence} (with CI=true this is a failure)", pytrace=False)
    pytest.skip(sentence)


def _require(name: str, how_to_install: str) -> ModuleType | str:
    """The module `name` imported, or the path of the program `name`.

    Where it is neither, the test is skipped with a sentence that says how to install it, and
    fails where CI=true.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        program = shutil.which(name)
    if program is None:
        _lacking(f"this test needs {name}; install it with: {how_to_install}")
    return program


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], None]:
    """``lacking(sentence)``: skip the test with that sentence; fail it where CI=true."""
    return _lacking


@pytest.fixture(scope="session")
def require() -> Callable[[str, str], ModuleType | str]:
    """``require("node", "your system's package nodejs")``: the program's path, or a module."""
    return _require


@pytest.fixture(params=["numpy", "strict", "numba", pytest.param("cupy", marks=pytest.mark.gpu)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Every backend that this machine has, and the stand-in for a device."""
    if request.param == "numba":
        _require("numba", INSTALL_TEST)
    return get_backend(request.param)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    api = _require("playwright.sync_api", INSTALL_TEST)
    program = find_browser()
    if program is None:
        _lacking(
            "this test needs a browser; install Chromium or Chrome, "
            "on Debian with: sudo apt install chromium-headless-shell"
        )
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def firefox() -> Iterator[Firefox]:
    """A tab of a headless Firefox."""
    _require("websocket", INSTALL_TEST)
    from .firefox import firefox_of

    program = shutil.which("firefox") or shutil.which("firefox-esr")
    if program is None:
        _lacking(
            "this test needs Firefox; install it from mozilla.org, "
            "or on Debian with: sudo apt install firefox-esr"
        )
    with firefox_of(program) as tab:
        yield tab


def slow_down(page: Page) -> None:
    """LSTM_LAB_SLOW_BROWSER=6 makes every page six times slower: does a test wait, or guess?"""
    rate = float(os.environ.get("LSTM_LAB_SLOW_BROWSER", "1"))
    if rate > 1:
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": rate})


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """The folder for what this test leaves to be looked at; git does not see it."""
    folder = ROOT / "test-artifacts" / re.sub(r"\W+", "-", request.node.name).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"chromium", "firefox"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker("browser")
    order = {ROOT / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(LONG)))


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: a browser's test waits for frames most of its time."""
    affinity = getattr(os, "sched_getaffinity", None)
    return (len(affinity(0)) if affinity else os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    # xdist would hand out the files with the most tests first, whatever those take.
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("torch"):
        _require("torch", INSTALL_TORCH)
    if item.get_closest_marker("gpu"):
        try:
            get_backend("cupy")
        except BackendUnavailable as error:
            pytest.skip(f"this test needs a GPU: {error}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", ())
    unrun = sum("gpu" in report.keywords for report in skipped)
    if unrun:
        terminalreporter.section("GPU")
        terminalreporter.line(
            f"{unrun} GPU tests did not run: this machine has no GPU that CuPy can use."
        )
