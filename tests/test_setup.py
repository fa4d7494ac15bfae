"""The set-up keeps its word: one set of bounds, a complete lock, imports that only point down."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import lstm_lab
from lstm_lab import cli
from tests.conftest import LONG
from tools import kernels

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lstm_lab"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
LOCKS = {name: ROOT / "requirements" / f"{name}.txt" for name in ("book", "test")}

# Where conda-forge's name is another than PyPI's.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
# Where a package is imported by another name than it is installed by.
MODULES = {
    "griffelib": "griffe", "ipython": "IPython", "pyyaml": "yaml", "websocket-client": "websocket"
}  # fmt: skip

FLOORS = {
    "backends": 1,
    "_validation": 1,
    "files": 1,
    "cells": 2,
    "layers": 3,
    "losses": 3,
    "optim": 4,
    "training": 4,
    "gradcheck": 4,
    "interchange": 4,
    "evidence": 5,
    "tasks": 5,
    "data": 5,
    "decoding": 5,
    "metrics": 5,
    "models": 5,
    "text": 5,
    "notebook": 5,
    "explore": 6,
    "labs": 6,
    "checks": 6,
    "update": 6,
    "cli": 7,
    "__main__": 7,
}


# Bounds: pyproject.toml, the locks and environment.yml


def bounds(*groups: list[str]) -> dict[str, SpecifierSet]:
    """Name to version bounds, of requirements as pyproject.toml writes them."""
    parsed = [Requirement(line) for group in groups for line in group]
    return {
        canonicalize_name(each.name): each.specifier for each in parsed if each.name != "lstm_lab"
    }


def declared(lock: str) -> dict[str, SpecifierSet]:
    project = PROJECT["project"]
    groups = [project["dependencies"], EXTRAS["book"], PROJECT["build-system"]["requires"]]
    return bounds(*groups, *([EXTRAS["test"]] if lock == "test" else []))


def locked(lock: str) -> dict[str, list[str]]:
    """Name to the versions locked; markers may choose between several."""
    found: dict[str, list[str]] = {}
    for line in LOCKS[lock].read_text(encoding="utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line)
        if match:
            found.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_every_dependency_within_its_bounds(lock: str):
    versions = locked(lock)
    for name, specifier in declared(lock).items():
        assert name in versions, f"{name} is not in {LOCKS[lock].name}: call `make lock`"
        for each in versions[name]:
            assert each in specifier, f"{name} {each} is not {specifier}: call `make lock`"


def test_every_bound_has_a_floor_and_a_ceiling():
    for extra in EXTRAS.values():
        for name, specifier in bounds(PROJECT["project"]["dependencies"], extra).items():
            operators = {bound.operator for bound in specifier}
            assert ">=" in operators, name
            assert "<" in operators or name == "packaging", name


def test_test_lock_contains_the_book_lock():
    book, test = locked("book"), locked("test")
    assert book.items() <= test.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_index_and_no_torch(lock: str):
    text = LOCKS[lock].read_text(encoding="utf-8")
    options = set(re.findall(r"^\s*(-[^\s=]*)", text, flags=re.M))
    assert options == {"--hash"}
    assert "://" not in text
    assert not re.search(r"^(?!\s*#).* @ ", text, flags=re.M)
    assert not {"torch", "cupy", "cupy-cuda12x", "cupy-cuda13x", "lstm-lab"} & locked(lock).keys()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_hashes_for_every_package(lock: str):
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCKS[lock].read_text(encoding="utf-8"), flags=re.M)
    packages = [entry for entry in entries if "==" in entry]
    assert len(packages) == sum(map(len, locked(lock).values()))
    for entry in packages:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry.splitlines()[0]


def conda_requirements(text: str) -> dict[str, SpecifierSet]:
    """Name to bounds of an environment.yml, by conda or by pip."""
    *lines, pip = yaml.safe_load(text)["dependencies"]
    lines += [line for line in pip["pip"] if not line.startswith("-")]
    return {name: SpecifierSet(bound) for name, _, bound in (each.partition(" ") for each in lines)}


def test_environment_has_the_same_bounds():
    project = PROJECT["project"]
    expected = bounds(project["dependencies"], EXTRAS["book"])
    expected = {CONDA_NAMES.get(name, name): specifier for name, specifier in expected.items()}
    expected |= {"python": SpecifierSet(project["requires-python"]), "pip": SpecifierSet()}
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert conda_requirements(text) == expected

    gpu_line = re.search(r"^( *)# (- cupy .*)$", text, flags=re.M)
    with_gpu = conda_requirements(text.replace(gpu_line[0], gpu_line[1] + gpu_line[2]))
    for extra in ("cuda12", "cuda13"):
        (cupy,) = bounds(EXTRAS[extra]).values()
        assert with_gpu == expected | {"cupy": cupy}


def test_environment_installs_the_project_itself():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert "-e ." in dependencies[-1]["pip"]


def test_citation_has_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == lstm_lab.__version__ == version("lstm_lab")
    assert PROJECT["project"]["dynamic"] == ["version"], "__version__ is the one place for it"


# Imports


def imports(source: str) -> Iterator[str]:
    """The modules that a source imports; relative ones begin with their dots."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dots, stem = "." * node.level, node.module or ""
            yield from (
                f"{dots}{stem}.{alias.name}" if stem else f"{dots}{alias.name}"
                for alias in node.names
            )


def absolute(name: str, path: Path) -> str:
    """`name` as the module at `path` means it, from the root of the package on."""
    dots = len(name) - len(name.lstrip("."))
    if not dots:
        return name
    parents = path.relative_to(ROOT).with_suffix("").parts
    return ".".join((*parents[: len(parents) - dots], name.lstrip(".")))


def rooms(path: Path) -> set[str]:
    """The rooms of the package, or names of its front door, that a module imports from."""
    names = (absolute(name, path) for name in imports(path.read_text(encoding="utf-8")))
    return {name.split(".")[1] for name in names if name.startswith("lstm_lab.")}


def test_imports_only_point_down():
    # What the front door loads only when it is named stands on no floor of its own.
    loaded = rooms(PACKAGE / "__init__.py") - lstm_lab._MODULES
    front_door = max(FLOORS[room] for room in loaded if room in FLOORS)
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if room == "__init__":
            continue
        assert room in FLOORS, f"on which floor does {room} live? Say so in FLOORS"
        for other in rooms(path):
            floor = FLOORS.get(other, front_door)
            assert floor <= FLOORS[room], f"{path.relative_to(ROOT)} imports {other} from above"


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return re.sub(r"^\s*[%!].*$", "", "\n".join(code), flags=re.M)


def third_party(sources: list[str], own: tuple[str, ...] = ("lstm_lab",)) -> set[str]:
    """The modules imported that are neither Python's nor our own."""
    modules = {name.split(".")[0] for source in sources for name in imports(source)} - {""}
    return modules - set(sys.stdlib_module_names) - {*own}


def modules_of(*groups: list[str]) -> set[str]:
    names = bounds(*groups)
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


def test_what_is_imported_is_declared():
    library, book = PROJECT["project"]["dependencies"], EXTRAS["book"]
    code = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    # What the library looks for and does without; and what made the shipped speech.
    optional = {"cupy", "numba", "onnx", "scipy", "torch", "espeakng_loader"}
    assert third_party(code) <= modules_of(library, book) | optional

    notebooks = [path for room in ("book", "labs") for path in ROOT.glob(f"{room}/**/*.ipynb")]
    assert third_party([code_of(path) for path in notebooks]) <= modules_of(library, book)

    peers = {"jax", "keras", "onnxruntime", "sacrebleu", "seqeval"}
    aids = ("benchmarks", "tests", "tools")
    code = [path.read_text("utf-8") for folder in aids for path in ROOT.glob(f"{folder}/**/*.py")]
    known = modules_of(library, book, EXTRAS["test"]) | optional | peers
    assert third_party(code, ("lstm_lab", *aids)) <= known


NUMPY_ALONE = """
import sys

class OnlyNumpy:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("numpy", "lstm_lab"):
            raise ModuleNotFoundError(f"{name} is not NumPy", name=name)

sys.meta_path.insert(0, OnlyNumpy())
import lstm_lab
from lstm_lab import LSTM
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(*sorted(foreign))
"""


def test_import_needs_numpy_alone():
    answer = subprocess.run(
        [sys.executable, "-c", NUMPY_ALONE], capture_output=True, text=True, cwd=ROOT
    )
    assert answer.returncode == 0, answer.stderr
    modules = set(answer.stdout.split())
    assert {"numpy", "lstm_lab"} <= modules
    lazy = "anywidget cupy ipywidgets IPython matplotlib numba onnx pandas safetensors scipy tqdm"
    assert not modules & {*lazy.split(), "torch"}


LAZY = """
import sys
import lstm_lab
before = set(sys.modules)
for name in sorted(lstm_lab._MODULES):
    assert f"lstm_lab.{name}" not in before, f"{name} is loaded at once"
    assert name in dir(lstm_lab), name
    assert getattr(lstm_lab, name) is sys.modules[f"lstm_lab.{name}"]
assert lstm_lab.losses.mse and lstm_lab.optim.Adam and lstm_lab.training.fit
try:
    lstm_lab.loses
except AttributeError as error:
    print(error)
"""


def test_modules_are_loaded_when_they_are_named():
    answer = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "module 'lstm_lab' has no attribute 'loses'"


# Lists of files

NAMED = [
    *LONG, *kernels.NUMERIC, *kernels.NOT_NUMERIC, *kernels.NEITHER, *kernels.NOTEBOOKS
]  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_what_a_list_names_is_there(name: str):
    file, _, test = name.partition("::")
    assert (ROOT / file).exists()
    assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


# The command


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lstm_lab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def test_version():
    assert run("--version").stdout.strip() == f"lstm-lab {version('lstm_lab')}"


def test_without_a_command_says_how_it_is_used():
    answer = run()
    assert answer.returncode == 2
    assert "usage: lstm-lab" in answer.stderr
    assert "COMMAND" in answer.stderr


@pytest.mark.parametrize(
    "arguments", [["books"], ["doctor", "--fix"], ["labs"], ["labs", "build", "--chek"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]):
    answer = run(*arguments)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_labs_are_looked_over_from_any_folder_of_the_book():
    answer = run("labs", "build", "--check", cwd=ROOT / "book")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_doctor_finds_all_that_the_book_needs():
    answer = run("doctor", cwd=ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for word in ("Python", "numpy", "jupyterlab", "BLAS", "GPU", "The book can be opened"):
        assert word in answer.stdout


def test_doctor_knows_a_blas_that_is_slower_than_it_could_be():
    slow = {"internal_api": "openblas", "architecture": "Haswell"}
    assert "OPENBLAS_CORETYPE=SkylakeX" in cli._blas_advice(slow, ["X86_V3", "X86_V4"])
    assert cli._blas_advice(slow, ["X86_V3"]) is None
    assert cli._blas_advice(slow | {"architecture": "SkylakeX"}, ["X86_V4"]) is None
    assert cli._blas_advice({"internal_api": "mkl"}, ["AVX512_ICL"]) is None


def test_doctor_names_what_is_missing(monkeypatch, capsys):
    def version_without_jupyterlab(name: str) -> str:
        if name == "jupyterlab":
            raise cli.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(cli, "version", version_without_jupyterlab)
    assert cli.main(["doctor"]) == 1
    assert f"missing: jupyterlab; install with: {cli.INSTALL_BOOK}" in capsys.readouterr().out


def test_what_to_install_can_be_pasted_into_any_shell():
    """cmd.exe takes an apostrophe for a part of the name: quotes are double."""
    folders = ("benchmarks", "book", "docs", "labs", "lstm_lab", "tests", "tools")
    files = [*ROOT.glob("*"), *(path for each in folders for path in (ROOT / each).rglob("*"))]
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in files
        if path.suffix in {".ipynb", ".md", ".py", ".toml", ".yml"}
        and (found := re.findall(r"'(?:\.|lstm_lab)\[\w+\]'", path.read_text(encoding="utf-8")))
    }
    assert len(files) > 100
    assert wrong == {}


def test_book_is_found_from_a_folder_inside_it():
    assert cli.find_book(ROOT / "labs") == ROOT


def test_book_is_found_beside_the_package(tmp_path: Path):
    assert cli.find_book(tmp_path) == ROOT


def test_book_that_is_nowhere(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "PACKAGE", tmp_path / "site-packages" / "lstm_lab")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["book"]) == 1
    message = capsys.readouterr().err
    assert "book/00-start.ipynb" in message
    assert str(tmp_path) in message


@pytest.mark.parametrize("name", ["jupyterlab", "anywidget"])
def test_book_without_what_it_needs(name: str, monkeypatch, capsys):
    for variable in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setitem(sys.modules, name, None)
    for module in [each for each in sys.modules if each.startswith(f"{name}.")]:
        monkeypatch.delitem(sys.modules, module)
    assert cli.main(["book"]) == 1
    message = capsys.readouterr().err
    assert f"needs {name}" in message
    assert cli.INSTALL_BOOK in message


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([], {"--ServerApp.root_dir", "--LabApp.default_url"}),
        (["--no-browser", "--port", "8890"], {"--ServerApp.root_dir", "--LabApp.default_url"}),
        (["--ServerApp.root_dir=/srv"], {"--LabApp.default_url"}),
        (["--notebook-dir=/srv"], {"--LabApp.default_url"}),
        (["--LabApp.default_url", "/lab"], {"--ServerApp.root_dir"}),
    ],
)
def test_the_readers_own_options_come_first(given: list[str], kept: set[str]):
    ours = {option.partition("=")[0] for option in cli._lab_options(ROOT, given)}
    assert ours - {"--allow-root"} == kept


# make


def make(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "ARGS", "PYTHON"))
    }
    command = ["make", "-f", str(ROOT / "Makefile"), *arguments]
    return subprocess.run(command, cwd=folder, env=inherited, capture_output=True, text=True)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder with a space in its name and what make looks at, but no environment."""
    folder = tmp_path / "the book"
    (folder / "requirements").mkdir(parents=True)
    for name in ("pyproject.toml", "requirements/book.txt", "requirements/test.txt"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def test_make_refuses_a_python_that_is_too_old(scratch: Path):
    old = scratch / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    answer = make("book", "PYTHON=./old-python", folder=scratch)
    assert answer.returncode != 0
    assert "needs Python 3.11 or newer" in answer.stderr
    assert not (scratch / ".venv").exists()


def test_make_says_when_there_is_no_venv(scratch: Path):
    bare = scratch / "bare-python"
    bare.write_text('#!/bin/sh\ncase "$2" in *venv*) exit 1;; esac\n')
    bare.chmod(0o755)
    answer = make("book", "PYTHON=./bare-python", folder=scratch)
    assert answer.returncode != 0
    assert "apt install python3-venv" in answer.stderr
    assert not (scratch / ".venv").exists()


def test_make_leaves_an_environment_that_is_not_its_own(scratch: Path):
    (scratch / ".venv").mkdir()
    (scratch / ".venv" / "precious").touch()
    answer = make("book", folder=scratch)
    assert answer.returncode != 0
    assert "not made by make" in answer.stderr
    make("clean", folder=scratch)
    assert (scratch / ".venv" / "precious").exists()


def test_moved_checkout_is_made_again(scratch: Path):
    stamps = scratch / ".venv" / "lstm-lab"
    (scratch / ".venv" / "bin").mkdir(parents=True)
    (scratch / ".venv" / "bin" / "python").symlink_to(sys.executable)
    stamps.mkdir()
    for name in ("made-by-make", "book", "test"):
        (stamps / name).touch()
    (stamps / "address").write_text(f"{scratch}\n")
    assert "Making .venv" not in make("book", "--dry-run", folder=scratch).stdout
    (stamps / "address").write_text("/where/it/was/before\n")
    assert "Making .venv" in make("book", "--dry-run", folder=scratch).stdout


def test_changed_lock_is_installed_again(scratch: Path):
    stamps = scratch / ".venv" / "lstm-lab"
    (scratch / ".venv" / "bin").mkdir(parents=True)
    (scratch / ".venv" / "bin" / "python").symlink_to(sys.executable)
    stamps.mkdir()
    (stamps / "address").write_text(f"{scratch}\n")
    for name in ("made-by-make", "book", "test"):
        (stamps / name).touch()
    assert "--require-hashes" not in make("book", "--dry-run", folder=scratch).stdout
    (scratch / "requirements" / "book.txt").touch()
    assert "--require-hashes" in make("book", "--dry-run", folder=scratch).stdout
