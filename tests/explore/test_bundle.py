"""Several modules become one, or it is said why they cannot."""

from __future__ import annotations

import subprocess

import pytest

from lstm_lab.explore import CellExplorer, SequenceExplorer
from lstm_lab.explore.core.bundle import BundleError, bundle


@pytest.fixture
def modules(tmp_path):
    def write(**sources):
        for name, source in sources.items():
            (tmp_path / f"{name}.js").write_text(source)
        return lambda: bundle(tmp_path / "main.js")

    return write


MAIN = "export default {};\n"


def test_imported_modules_come_first_and_once(modules):
    source = modules(
        main='import { a } from "./a.js";\nimport {\n  b,\n} from "./b.js";\n' + MAIN,
        a='import { b } from "./b.js";\nexport const a = b + 1;\n',
        b="export const b = 1;\nexport function unused() {}\n",
    )()
    assert source.count("const b = 1;") == 1
    assert source.index("const b") < source.index("const a") < source.index("export default")
    assert "import" not in source
    assert source.count("export") == 1


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"main": 'import { a } from "./a.js";\n' + MAIN}, "no module a.js .* by main.js"),
        (
            {"main": 'import { b } from "./a.js";\n' + MAIN, "a": "export const a = 1;\n"},
            "main.js imports 'b', which a.js does not export",
        ),
        (
            {"main": 'import { a } from "./a.js";\nconst x = 1;\n' + MAIN,
             "a": "export const a = 1;\nfunction x() {}\n"},
            "'x' is declared in a.js and in main.js",
        ),
        (
            {"main": 'import { a } from "./a.js";\n' + MAIN,
             "a": 'import { b } from "./b.js";\nexport const a = 1;\n',
             "b": 'import { a } from "./a.js";\nexport const b = 1;\n'},
            "import each other: main.js -> a.js -> b.js -> a.js",
        ),
        ({"main": 'import * as a from "./a.js";\n' + MAIN}, "import in an unknown form"),
        ({"main": 'import { a as b } from "./a.js";\n' + MAIN, "a": "export const a = 1;\n"},
         "'a as b'"),
        ({"main": "const { a } = {};\n" + MAIN}, "unpacks at its top level"),
        ({"main": 'import { a } from "./a.js";\n' + MAIN,
          "a": "const a = 1;\nexport { a };\n"}, "export in an unknown form"),
        ({"main": 'import { a } from "./a.js";\n' + MAIN,
          "a": "export const a = 1;\nexport default a;\n"}, "export in an unknown form"),
        ({"main": "export const a = 1;\n"}, "exactly one export default"),
    ],
)  # fmt: skip
def test_what_cannot_be_put_together_is_named(modules, sources, message):
    with pytest.raises(BundleError, match=message):
        modules(**sources)()


def test_a_path_is_read_from_the_file_that_imports(tmp_path):
    files = {
        "picture/main.js": 'import { a } from "../shared/a.js";\nimport { b } from "./b.js";\n'
        + MAIN,
        "picture/b.js": 'import { a } from "../shared/a.js";\nexport const b = 2 * a;\n',
        "shared/a.js": 'import { c } from "./deep/c.js";\nexport const a = c;\n',
        "shared/deep/c.js": "export const c = 3;\n",
    }
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    source = bundle(tmp_path / "picture" / "main.js")
    assert "import" not in source
    assert source.index("const c") < source.index("const a") < source.index("const b")
    assert source.count("const a") == 1
    assert "// ---- ../shared/deep/c.js" in source

    (tmp_path / "shared" / "deep" / "c.js").write_text('import { b } from "../../picture/b.js";\n')
    circle = r"../shared/a.js -> ../shared/deep/c.js -> b.js -> ../shared/a.js"
    with pytest.raises(BundleError, match=circle):
        bundle(tmp_path / "picture" / "main.js")
    (tmp_path / "shared" / "deep" / "c.js").unlink()
    with pytest.raises(BundleError, match=r"no module ../shared/deep/c.js .* by ../shared/a.js"):
        bundle(tmp_path / "picture" / "main.js")


@pytest.mark.parametrize("widget", [CellExplorer, SequenceExplorer])
def test_a_widgets_module_is_one_valid_module(widget, require, tmp_path):
    node = require("node", "your system's package nodejs")
    path = tmp_path / "widget.mjs"
    path.write_text(str(widget._esm))
    check = "import(process.argv[1]).then((m) => console.log(typeof m.default.render))"
    done = subprocess.run(
        [node, "--input-type=module", "-e", check, path.as_uri()], capture_output=True, text=True
    )
    assert done.stdout.strip() == "function", done.stderr
