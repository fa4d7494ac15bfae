"""A character model at work: what its cells follow, what it predicts, how it goes on."""

from __future__ import annotations

import tokenize
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets

from ...models import LanguageModel, shipped
from ...models.probes import PROPERTIES, properties
from ..core.base import Explorable, choice, control
from ..core.base import text as written
from ..core.bundle import FRONTEND, module, styles
from ..core.char_model import MOST_CELLS, checked_model, packed
from ..core.lstm import QUANTITIES
from ..core.signals import uniform

HERE = Path(__file__).parent

SHOWN = ("c", "h", "i", "f", "o", "g", "surprise")
LONGEST = 2000
MOST_WRITTEN = 200

TEXT = '''\
class Shelf:
    """What is in stock, and how much of it."""

    def __init__(self, name, items=None):
        self.name = name
        self.items = dict(items or {})

    def take(self, key, count=1):
        # Never below zero: a shelf cannot owe us anything.
        if count > self.items.get(key, 0):
            raise ValueError("not enough of %r" % (key,))
        self.items[key] -= count
        return count
'''


class TextExplorer(Explorable):
    """A text in the colours of one cell of the network that reads it, and what it predicts.

    Parameters
    ----------
    model : LanguageModel, optional
        A model of the reader's; without one, the book's own of Python source.
    text : str
        What is read, up to 2000 characters; those that the model does not know it never sees.
    shown : {"c", "h", "i", "f", "o", "g", "surprise"}
        What colours the text: tanh of the cell state, hidden state, a gate or the candidate of the
        chosen cell, or the bits that each character cost.
    unit : int
        The unit whose cell is chosen, from 1; past the last one, the last.
    follows : {"column", "indentation", "brackets", "string", "triple", "comment"}
        The property that is drawn under the text and that cells are ranked by.
    at : int
        How many characters have been read where the model is asked what comes next; past the end,
        all of them.
    temperature : float
        Of the characters that are drawn, 0.05 to 2.
    length : int
        How many are drawn, 0 to 200.
    seed : int
        Of the draws, 0 to 9999.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a model that cannot be shown, and why.

    Notes
    -----
    After Karpathy, Johnson & Fei-Fei 2015 (arXiv:1506.02078), section 4.2. There most cells follow
    nothing that has a name; so it is here.
    """

    title = "A network reads a text"
    renamed: ClassVar = {"cell": ("unit", 1)}
    levels = ("", "char", "char/cell", *(f"char/cell/{q}" for q in "ifogch"))
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(FRONTEND / "text_canvas.css", HERE / "widget.css")

    text = written(TEXT, LONGEST, empty=True)
    shown = choice(SHOWN)
    follows = choice(tuple(PROPERTIES), "brackets")
    unit = control(1, 1, MOST_CELLS, 1, whole=True)
    at = control(TEXT.index("not enough"), 0, LONGEST, 1, whole=True, view=True)
    temperature = control(0.5, 0.05, 2, 0.05)
    length = control(60, 0, MOST_WRITTEN, 1, whole=True)
    seed = control(1, 0, 9999, 1, whole=True)

    _alphabet = traitlets.Unicode().tag(sync=True)
    _cells = traitlets.Int().tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)
    _about = traitlets.Dict().tag(sync=True)

    def __init__(self, model: LanguageModel | None = None, **settings: Any):
        own, arguments = {}, ()
        if model is None:
            model = shipped()
        else:
            arguments = ("model",)
        self._model = checked_model(model)
        ranking = model.about.get("probes", {}).get("properties", {})
        # The same for every setting: a line that leaves the unit out means this one.
        if (first := type(self).follows.default_value) in ranking:
            own["unit"] = 1 + int(np.argmax(ranking[first]["cells"]))
        self._cells = model.lstm.hidden_size
        super().__init__(
            _defaults=own,
            _arguments=arguments,
            _alphabet="".join(model.vocabulary.symbols),
            _net=packed(self._model),
            _about={k: v for k, v in model.about.items() if k != "training"},
            **settings,
        )

    def values(self) -> dict[str, Any]:
        """The picture's numbers, computed by the library's own layers in float64.

        Returns
        -------
        dict
            ``colour`` (T,), what colours each character that the model knows; ``bits``, the
            mean that a character cost, and ``r``, the correlation of the colour with the
            property, both 0 where there is nothing to measure, and ``r`` where the text is no
            valid Python; ``next`` (V,), the probabilities at the temperature of what comes after
            ``at``; ``written``, the text that is drawn.
        """
        model = self._model
        before = "".join(list(self.text)[: self.at])
        written = model.generate(before, uniform(self.seed, self.length), self.temperature)
        said = model.next_after(before)
        heated = np.exp((said - said.max()) / self.temperature)
        found = {"next": heated / heated.sum(), "written": written, "bits": 0.0, "r": 0.0}
        if not model.vocabulary.encode(self.text)[0].size:
            return {"colour": np.zeros(0), **found}
        reading = model.read(self.text)
        if self.shown == "surprise":
            colour = reading.surprise
        else:
            colour = cell_of(reading.trace, self.shown)[:, 0, min(self.unit, self._cells) - 1]
        with suppress(SyntaxError, tokenize.TokenError):
            prop = properties(self.text)[self.follows][reading.places]
            if np.ptp(prop) > 0 and np.ptp(colour) > 0:
                found["r"] = float(np.corrcoef(colour, prop)[0, 1])
        return {"colour": colour, **found, "bits": float(reading.surprise.mean())}

    def describe(self) -> str:
        """The explorable in words: what a page shows where nothing can be drawn."""
        values = self.values()
        return (
            f"{self.title}. {self.setting}: the text costs {values['bits']:.2f} bits a character; "
            f"its colour and {self.follows} correlate by {values['r']:.2f}"
        )


def cell_of(trace: Any, letter: str) -> np.ndarray:
    """The quantity of a trace (T, 1, H) that a letter stands for; the cell state as its tanh."""
    values = getattr(trace, QUANTITIES[letter])
    return np.tanh(values) if letter == "c" else values
