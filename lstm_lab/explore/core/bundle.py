"""One ES module out of several, because anywidget loads a widget's module as a blob.

A blob has no address, so ``import … from "./ui.js"`` cannot be resolved in the browser. The
modules stay separate files, which Node's tests import as they are; the browser gets them in one.
And it gets that one compressed: a notebook that is saved keeps it once for every picture.
"""

import base64
import gzip
import os
import re
from pathlib import Path

#: What the pictures share.
FRONTEND = Path(__file__).parents[1] / "frontend"

_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"(\.\.?/[\w./-]+)";?[ \t]*\n', re.M)
_ANY_IMPORT = re.compile(r"^import\b.*", re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.M)
_ANY_EXPORT = re.compile(r"^export\b.*", re.M)
_DECLARED = re.compile(
    r"^(export )?(?:async )?(?:function\*?|const|let|class) (\w+|[{\[][^=]*)", re.M
)


class BundleError(ValueError):
    """Modules that cannot be put into one file."""


def bundle(entry):
    """Concatenate an ES module and everything it imports, imported modules first.

    Parameters
    ----------
    entry : path-like
        The module that holds ``export default``. Imports are written
        ``import { a, b } from "./name.js";``, the path relative to the module that imports.

    Returns
    -------
    str
        The source of one module without imports, whose only export is the entry's default.

    Raises
    ------
    BundleError
        A missing module or name, an import in a circle or in another form, a name that is
        declared at the top level of two modules, or an entry without ``export default``.
    """
    entry = Path(entry).resolve()
    parts, owner, exported = [], {}, {}

    def name_of(path):
        return Path(os.path.relpath(path, entry.parent)).as_posix()

    def add(path, trail):
        name = name_of(path)
        if path in trail:
            circle = " -> ".join(map(name_of, [*trail, path]))
            raise BundleError(f"modules import each other: {circle}")
        if path in exported:
            return
        try:
            source = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            by = f", imported by {name_of(trail[-1])}" if trail else ""
            raise BundleError(f"there is no module {name} in {entry.parent}{by}") from None
        for written, names in imports(source):
            other = (path.parent / written).resolve()
            add(other, [*trail, path])
            for wanted in names:
                if wanted not in exported[other]:
                    raise BundleError(
                        f"{name} imports {wanted!r}, which {name_of(other)} does not export"
                    )
        source = _IMPORT.sub("", source)
        if strange := _ANY_IMPORT.search(source):
            raise BundleError(
                f"{name} has an import in an unknown form: {strange[0]!r}; "
                'expected import { a, b } from "./name.js";'
            )
        exported[path] = set()
        for export, declared in _DECLARED.findall(source):
            if not declared.isidentifier():
                raise BundleError(f"{name} unpacks at its top level: {declared.strip()!r}")
            if declared in owner:
                raise BundleError(f"{declared!r} is declared in {owner[declared]} and in {name}")
            owner[declared] = name
            if export:
                exported[path].add(declared)
        source = _EXPORT.sub("", source)
        left = _ANY_EXPORT.findall(source)
        if trail and left:
            raise BundleError(f"{name} has an export in an unknown form: {left[0]!r}")
        if not trail and (len(left) != 1 or not left[0].startswith("export default ")):
            raise BundleError(f"{name} needs exactly one export default, found {left}")
        parts.append(f"// ---- {name}\n{source}")

    add(entry, [])
    return "\n".join(parts)


_COMMENT = re.compile(r"^[ ]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ ]*)\n", re.M | re.S)

# Node, in which tests import it, knows no address of a blob; a page may forbid one of data.
_UNPACK = """\
const packed = Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0));
const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const source = await new Response(plain).text(), type = "text/javascript";
const { default: widget } = await import(globalThis.document
  ? URL.createObjectURL(new Blob([source], { type }))
  : `data:${type},${encodeURIComponent(source)}`);
export default widget;
"""


def module(entry):
    """What `bundle` gives, without its comments, in a module that unpacks itself.

    Parameters
    ----------
    entry : path-like

    Returns
    -------
    str
        The source of one module with the same default, of about a third of the length.
    """
    source = _COMMENT.sub("", bundle(entry)).encode()
    return _UNPACK % base64.b64encode(gzip.compress(source, 9, mtime=0)).decode("ascii")


def imports(source):
    """What an ES module imports: the path and the names of each."""
    for names, path in _IMPORT.findall(source):
        yield path, [name.strip() for name in names.split(",") if name.strip()]


def styles(*paths):
    """These style sheets, in one."""
    return "\n".join(Path(path).read_text(encoding="utf-8") for path in paths)
