"""One ES module out of several, because anywidget loads a widget's module as a blob.

A blob has no address, so ``import … from "./ui.js"`` cannot be resolved in the browser. The
modules stay separate files, which Node's tests import as they are; the browser gets them in one.
"""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"

_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"\./([\w.-]+)";?[ \t]*\n', re.M)
_ANY_IMPORT = re.compile(r"^import\b.*", re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.M)
_ANY_EXPORT = re.compile(r"^export\b.*", re.M)
_DECLARED = re.compile(
    r"^(export )?(?:async )?(?:function\*?|const|let|class) (\w+|[{\[][^=]*)", re.M
)


class BundleError(ValueError):
    """Modules that cannot be put into one file."""


def bundle(entry, folder=STATIC):
    """Concatenate an ES module and everything it imports, imported modules first.

    Parameters
    ----------
    entry : str
        File name of the module that holds ``export default``.
    folder : path-like
        Where the modules lie. Imports are written ``import { a, b } from "./name.js";``.

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
    folder = Path(folder)
    parts, owner, exported = [], {}, {}

    def add(name, trail):
        if name in trail:
            raise BundleError(f"modules import each other: {' -> '.join([*trail, name])}")
        if name in exported:
            return
        try:
            source = (folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            by = f", imported by {trail[-1]}" if trail else ""
            raise BundleError(f"there is no module {name} in {folder}{by}") from None
        for names, other in _IMPORT.findall(source):
            add(other, [*trail, name])
            for wanted in filter(None, (n.strip() for n in names.split(","))):
                if wanted not in exported[other]:
                    raise BundleError(f"{name} imports {wanted!r}, which {other} does not export")
        source = _IMPORT.sub("", source)
        if strange := _ANY_IMPORT.search(source):
            raise BundleError(
                f"{name} has an import in an unknown form: {strange[0]!r}; "
                'expected import { a, b } from "./name.js";'
            )
        exported[name] = set()
        for export, declared in _DECLARED.findall(source):
            if not declared.isidentifier():
                raise BundleError(f"{name} unpacks at its top level: {declared.strip()!r}")
            if declared in owner:
                raise BundleError(f"{declared!r} is declared in {owner[declared]} and in {name}")
            owner[declared] = name
            if export:
                exported[name].add(declared)
        source = _EXPORT.sub("", source)
        left = _ANY_EXPORT.findall(source)
        if trail and left:
            raise BundleError(f"{name} has an export in an unknown form: {left[0]!r}")
        if not trail and (len(left) != 1 or not left[0].startswith("export default ")):
            raise BundleError(f"{name} needs exactly one export default, found {left}")
        parts.append(f"// ---- {name}\n{source}")

    add(entry, [])
    return "\n".join(parts)


def styles(*names):
    """The style sheets of these names, in one."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)
