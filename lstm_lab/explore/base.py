"""What explorables share in Python: numbers that are checked, a start to go back to."""

from __future__ import annotations

import numbers
from typing import Any

import anywidget
import numpy as np
import traitlets

from .bundle import STATIC


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


def control(*args: Any, **kwargs: Any) -> Number:
    """A `Number` that the browser shows as a slider and that belongs to the setting."""
    return Number(*args, **kwargs).tag(sync=True, control=True)


class Explorable(anywidget.AnyWidget):
    """One live picture: state in synced traits, view in an ES module that also computes.

    A subclass declares its controls as synced traits tagged ``control``, and sets ``_esm``.
    """

    _css = (STATIC / "explore.css").read_text(encoding="utf-8")
    _limits = traitlets.Dict().tag(sync=True)
    _start = traitlets.Dict().tag(sync=True)

    def __init__(self, **settings: Any):
        if unknown := sorted(set(settings) - set(self.trait_names(sync=True))):
            raise TypeError(
                f"{type(self).__name__} has no setting {', '.join(unknown)}; "
                f"expected some of {', '.join(self.controls())}"
            )
        super().__init__(**settings)
        self._limits = {
            name: {"min": trait.low, "max": trait.high, "step": trait.step, "whole": trait.whole}
            for name, trait in self.traits().items()
            if isinstance(trait, Number)
        }
        self._start = self.settings()

    @classmethod
    def controls(cls) -> list[str]:
        """The names of all settings."""
        return cls.class_trait_names(control=True)

    def settings(self) -> dict[str, Any]:
        """The present setting of every control: what the constructor takes to come back here."""
        return {name: getattr(self, name) for name in self.controls()}

    def gate_numbers(self, letter: str) -> np.ndarray:
        """The four numbers (4,) that begin with this letter, in the library's order o, i, f, g."""
        return np.array([getattr(self, f"{letter}_{gate}") for gate in "oifg"])

    def reset(self) -> None:
        """Go back to the setting that the explorable was made with."""
        with self.hold_sync():
            for name, value in self._start.items():
                setattr(self, name, value)
