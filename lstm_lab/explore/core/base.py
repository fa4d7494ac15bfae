"""What explorables share in Python: checked controls, one-line settings, a start to go back to."""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets

from ...notebook.figures import equation_sheet
from .bundle import FRONTEND, styles
from .lstm import BLOCKS
from .setting import present, read_setting, write_setting


class Number(traitlets.TraitType):
    """A finite number within limits, as a float (or an int if ``whole``).

    Parameters
    ----------
    default, low, high : float
    step : float
        What one press of an arrow key moves the slider by.
    whole : bool
        Accept whole numbers only.
    """

    def __init__(
        self, default: float, low: float, high: float, step: float = 0.1, *, whole: bool = False
    ):
        self.low, self.high, self.step, self.whole = low, high, step, whole
        super().__init__(default)

    def validate(self, obj: Any, value: Any) -> float:
        right = isinstance(value, numbers.Real) and not isinstance(value, bool)
        right = right and self.low <= value <= self.high
        if not right or (self.whole and value != int(value)):
            kind = "a whole number" if self.whole else "a finite number"
            raise traitlets.TraitError(
                f"{type(obj).__name__}.{self.name}: expected {kind} from {self.low} to "
                f"{self.high}, got {value!r}"
            )
        return int(value) if self.whole else float(value)

    def spec(self, obj: Any) -> dict[str, Any]:
        """What the browser needs to know of it."""
        limits = {"min": self.low, "max": self.high, "step": self.step, "whole": self.whole}
        return {"kind": "number", **limits}


class Choice(traitlets.TraitType):
    """One of several words. An explorable may narrow them: see `Explorable.options`."""

    def __init__(self, options: Sequence[str], default: str | None = None):
        self.options = tuple(options)
        super().__init__(self.options[0] if default is None else default)

    def validate(self, obj: Any, value: Any) -> str:
        options = obj.options(self.name)
        if not isinstance(value, str) or value not in options:
            raise traitlets.TraitError(
                f"{type(obj).__name__}.{self.name}: expected one of "
                f"{', '.join(map(repr, options))}, got {value!r}"
            )
        return value

    def spec(self, obj: Any) -> dict[str, Any]:
        return {"kind": "choice", "options": list(obj.options(self.name))}


class Flag(traitlets.TraitType):
    """True or False."""

    def validate(self, obj: Any, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise traitlets.TraitError(
                f"{type(obj).__name__}.{self.name}: expected True or False, got {value!r}"
            )
        return bool(value)

    def spec(self, obj: Any) -> dict[str, Any]:
        return {"kind": "flag"}


class Text(traitlets.TraitType):
    """A string of at most ``longest`` characters, and not empty unless ``empty``.

    Parameters
    ----------
    default : str
    longest : int
    empty : bool
        Accept a string without a letter in it.
    pattern : str, optional
        A regular expression, of Python and of JavaScript, that the whole string matches.
    example : str
        What an error message says was expected.
    """

    def __init__(
        self,
        default: str,
        longest: int = 2000,
        *,
        empty: bool = False,
        pattern: str | None = None,
        example: str = "text",
    ):
        self.longest, self.empty, self.pattern, self.example = longest, empty, pattern, example
        super().__init__(default)

    def validate(self, obj: Any, value: Any) -> str:
        right = isinstance(value, str) and len(value) <= self.longest
        right = right and (self.empty or bool(value.strip()))
        if not right or (value and self.pattern and not re.fullmatch(self.pattern, value)):
            raise traitlets.TraitError(
                f"{type(obj).__name__}.{self.name}: expected {self.example} of "
                f"{'at most' if self.empty else '1 to'} {self.longest} characters, got "
                f"{value if not isinstance(value, str) else value[:80]!r}"
            )
        return value

    def spec(self, obj: Any) -> dict[str, Any]:
        return {
            "kind": "text",
            "longest": self.longest,
            "empty": self.empty,
            "pattern": self.pattern,
            "example": self.example,
        }


def tagged(trait: traitlets.TraitType, *, view: bool = False) -> Any:
    """Make a trait a control: synced, and part of the setting.

    ``view=True`` for what moves the eye only, as a cursor: the ghost does not follow it.
    """
    return trait.tag(sync=True, control=True, view=view)


def control(*args: Any, view: bool = False, **kwargs: Any) -> Number:
    """A `Number` that belongs to the setting, shown as a slider."""
    return tagged(Number(*args, **kwargs), view=view)


def choice(*args: Any, view: bool = False, **kwargs: Any) -> Choice:
    """A `Choice` that belongs to the setting, shown as a select."""
    return tagged(Choice(*args, **kwargs), view=view)


def flag(default: bool, *, view: bool = False) -> Flag:
    """A `Flag` that belongs to the setting, shown as a checkbox."""
    return tagged(Flag(default), view=view)


def text(*args: Any, view: bool = False, **kwargs: Any) -> Text:
    """A `Text` that belongs to the setting, shown as a text field."""
    return tagged(Text(*args, **kwargs), view=view)


def floats(array: Any) -> bytes:
    """An array as little-endian float32, row by row, for a synced ``traitlets.Bytes``.

    In the browser, ``floats(model.get(name))`` of dom.js gives a Float32Array.
    """
    return np.ascontiguousarray(array, dtype="<f4").tobytes()


class Explorable(anywidget.AnyWidget):
    """One live picture: state in synced traits, view in an ES module that also computes.

    A subclass sets ``_esm = module(HERE / "widget.js")``, declares its controls (`control`,
    `choice`, `flag`, `text`), its ``title`` and ``levels``, and gives its numbers in `values`.

    Parameters
    ----------
    _defaults : mapping, optional
        Where the controls start that the reader's own network or data decides.
    _arguments : mapping or sequence of str
        The constructor's arguments that were given and that are no setting: ``("layer", "x")``, or
        ``{"layer": None, "unit": 2}``. A setting names them and leaves them as they are.
    **settings
        Any of the controls.
    """

    #: One short noun phrase, in words; the browser shows its own.
    title: ClassVar[str] = "A live picture"
    #: What can be opened: "" is the overview, "cell" lies in it, "cell/f" in that.
    levels: ClassVar[tuple[str, ...]] = ("",)
    #: What settings and arguments were called once: the name that each has now, and what is added
    #: to its value, where it was counted from another base. Old lines are read by it.
    renamed: ClassVar[Mapping[str, tuple[str, int]]] = {}

    _css = styles(FRONTEND / "explore.css") + equation_sheet()
    _kind = traitlets.Unicode().tag(sync=True)
    _specs = traitlets.Dict().tag(sync=True)
    _start = traitlets.Dict().tag(sync=True)
    _defaults = traitlets.Dict().tag(sync=True)
    _arguments = traitlets.Dict().tag(sync=True)
    _renamed = traitlets.Dict().tag(sync=True)
    path = choice(("",), view=True)

    def __init__(
        self,
        *,
        _defaults: Mapping[str, Any] | None = None,
        _arguments: Mapping[str, Any] | Sequence[str] = (),
        **settings: Any,
    ):
        settings = self.current(settings)
        if unknown := sorted(set(settings) - set(self.trait_names(sync=True))):
            raise TypeError(
                f"{type(self).__name__} has no setting {', '.join(unknown)}; "
                f"expected some of {', '.join(self.controls())}"
            )
        decided = dict(_defaults or {})
        super().__init__(**{**decided, **settings})
        traits = self.traits()
        self._kind, self._renamed = type(self).__name__, dict(self.renamed)
        given = _arguments if isinstance(_arguments, Mapping) else dict.fromkeys(_arguments)
        self._arguments = dict(given)
        self._specs = {
            name: {**traits[name].spec(self), "view": traits[name].metadata["view"]}
            for name in self.controls()
        }
        self._defaults = {name: traits[name].default_value for name in self.controls()} | decided
        self._start = self.settings()

    @classmethod
    def controls(cls) -> list[str]:
        """The names of all settings."""
        return cls.class_trait_names(control=True)

    @classmethod
    def current(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The same settings by the names that they have now: see `renamed`.

        Raises
        ------
        TypeError
            If one is given by its old name and by its new one.
        """
        found: dict[str, Any] = {}
        for old, value in settings.items():
            name, value = present(old, value, cls.renamed)
            if name in found:
                raise TypeError(f"{cls.__name__}: {name} is given twice, once as {old}")
            found[name] = value
        return found

    @classmethod
    def argument(cls, settings: dict[str, Any], name: str, value: Any, default: Any) -> Any:
        """A constructor's argument, taken out of the settings if its old name put it there.

        Raises
        ------
        TypeError
            If it is given by its old name and by its new one.
        """
        if name not in settings:
            return value
        if value is not default:
            raise TypeError(f"{cls.__name__}: {name} is given twice, once by its old name")
        return settings.pop(name)

    def options(self, name: str) -> Sequence[str]:
        """What the `Choice` of this name may be, in this explorable."""
        return self.levels if name == "path" else self.traits()[name].options

    def settings(self) -> dict[str, Any]:
        """The present setting of every control: what the constructor takes to come back here."""
        return {name: getattr(self, name) for name in self.controls()}

    @property
    def setting(self) -> str:
        """The present setting as one line, which can be pasted back here or into a cell.

        Assigning such a line sets every control: those that it does not name go to their
        defaults. ``ValueError`` or ``TraitError`` say what is wrong with it, and nothing changes.
        """
        return write_setting(self._kind, self._arguments, self.settings(), self._defaults)

    @setting.setter
    def setting(self, line: str) -> None:
        values = read_setting(line, self._kind, self._arguments, self.renamed)
        if unknown := sorted(set(values) - set(self.controls())):
            raise ValueError(
                f"setting: {self._kind} has no {', '.join(unknown)}; "
                f"expected some of {', '.join(self.controls())}"
            )
        self._assign({**self._defaults, **values})

    def reset(self) -> None:
        """Go back to the setting that the explorable was made with."""
        self._assign(self._start)

    def _assign(self, values: Mapping[str, Any]) -> None:
        """All of these, or none where one of them is refused."""
        traits = self.traits()
        for name, value in values.items():
            traits[name].validate(self, value)
        with self.hold_sync():
            for name, value in values.items():
                setattr(self, name, value)

    def values(self) -> dict[str, Any]:
        """The numbers of the picture at this setting, by the library itself in float64."""
        raise NotImplementedError

    def gate_numbers(self, letter: str) -> np.ndarray:
        """The four numbers (4,) that begin with this letter, in the library's order o, i, f, g."""
        return np.array([getattr(self, f"{letter}_{gate}") for gate in BLOCKS])

    def describe(self) -> str:
        """The explorable in words: what a page shows where nothing can be drawn."""
        single = {name: v for name, v in self.values().items() if np.ndim(v) == 0}
        numbers_ = ", ".join(f"{name} {value:.4g}" for name, value in single.items())
        return f"{self.title}. {self.setting}{f': {numbers_}' if numbers_ else ''}"

    def stop(self) -> None:
        """End what runs in the background; for those who start a thread. `close` calls it."""

    def close(self) -> None:
        """Stop, and take every view of it off the page."""
        self.stop()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        bundle_ = shown[0] if isinstance(shown, tuple) else shown
        bundle_["text/plain"] = self.describe()
        return shown
