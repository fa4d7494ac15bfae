"""From probabilities to text: temperature, top-k, nucleus, and what a prediction depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from ... import decoding
from ...models import LanguageModel, shipped
from ...models.connectivity import connectivity
from ..core.base import Explorable, choice, control, floats
from ..core.base import text as written
from ..core.bundle import FRONTEND, module, styles
from ..core.char_model import checked_model, packed
from ..core.signals import uniform

HERE = Path(__file__).parent

LONGEST = 240
MOST_WRITTEN = 120
MOST_SYMBOLS = 256
# How far back a prediction is asked what it depends on; sampling/connect.js has the same.
LAST = 40

TEXT = '''\
def read(path, mode):
    """Read a file, and re'''

BESIDE: dict[str, dict[str, Any]] = {
    "the model as it is": {},
    "greedy": {"temperature": 0},
    "temperature 0.5": {"temperature": 0.5},
    "top-k 10": {"top_k": 10},
    "nucleus 0.9": {"top_p": 0.9},
}


class SamplingExplorer(Explorable):
    """The distribution of the next character of a text, what is cut of it, and what is drawn.

    Parameters
    ----------
    model : LanguageModel, optional
        A model of characters of the reader's; without one, the book's own of Python source.
    text : str
        What has been read, up to 240 characters; those that the model does not know it never sees.
    temperature : float
        0 to 2; at 0 the likeliest character is always taken.
    top_k : int
        So many of the likeliest may be drawn, from 1; as many as there are, or more: all.
    top_p : float
        The nucleus: of these the fewest likeliest that have this probability together, 0.05 to 1.
    beside : {"the model as it is", "greedy", "temperature 0.5", "top-k 10", "nucleus 0.9"}
        A second setting, drawn with the same numbers.
    length : int
        Characters that are drawn, 1 to 120.
    seed : int
        Of the numbers, 0 to 9999.
    at : int
        Inside: the prediction of the character after so many; past the end, of the next one.
    measure : {"replaced", "blanked", "product", "norm"}
        Inside: how an earlier character's weight is measured, as `lstm_lab.models.connectivity`
        has it.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a model that cannot be shown, and why.
    """

    title = "The next character"
    levels = ("", "connectivity")
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(FRONTEND / "text_canvas.css", HERE / "widget.css")

    text = written(TEXT, LONGEST, empty=True)
    temperature = control(0.8, 0, 2, 0.05)
    top_k = control(MOST_SYMBOLS, 1, MOST_SYMBOLS, 1, whole=True)
    top_p = control(0.9, 0.05, 1, 0.01)
    beside = choice(tuple(BESIDE))
    length = control(40, 1, MOST_WRITTEN, 1, whole=True)
    seed = control(1, 0, 9999, 1, whole=True)
    at = control(LONGEST, 0, LONGEST, 1, whole=True, view=True)
    measure = choice(("replaced", "blanked", "product", "norm"))

    _alphabet = traitlets.Unicode().tag(sync=True)
    _cells = traitlets.Int().tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)
    # W (4H, D), which turns a gradient of the pre-activations into one of the vector read.
    _weight_x = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, model: LanguageModel | None = None, **settings: Any):
        arguments = () if model is None else ("model",)
        self._model = checked_model(shipped() if model is None else model)
        if not 2 <= (size := len(self._model.vocabulary)) <= MOST_SYMBOLS:
            raise ValueError(f"model: expected 2 to {MOST_SYMBOLS} characters, got {size}")
        self._cells = self._model.lstm.hidden_size
        super().__init__(
            _arguments=arguments,
            _alphabet="".join(self._model.vocabulary.symbols),
            _net=packed(self._model),
            _weight_x=floats(self._model.lstm.params["weight_x_l0"]),
            **settings,
        )

    def values(self) -> dict[str, Any]:
        """The picture's numbers, computed by the library's own layers in float64.

        Returns
        -------
        dict
            ``p`` (V,), what the next character is drawn from, and ``heated`` (V,), the same before
            anything is cut; ``cut``, the probability that is cut; ``choices``, the effective number
            of choices, exp of the entropy of ``p``; ``written``, the text that is drawn, and
            ``beside``, the one that the second setting draws with the same numbers; ``asked``, the
            character whose prediction is looked at inside, and ``replaced``, ``blanked``,
            ``product`` and ``norm``, (n,), for the last 40 known characters before it.
        """
        model, own = self._model, self._own()
        said = model.next_after(self.text)
        p = decoding.distribution(said, **own)
        heated = decoding.distribution(said, temperature=self.temperature)
        draws = uniform(self.seed, self.length)
        return {
            "p": p,
            "heated": heated,
            "cut": float(heated[p == 0].sum()),
            "choices": float(np.exp(decoding.entropy(p))),
            "written": model.generate(self.text, draws, **own),
            "beside": model.generate(self.text, draws, **BESIDE[self.beside]),
            **self._connected(),
        }

    def _own(self) -> dict[str, Any]:
        return {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}

    def _connected(self) -> dict[str, Any]:
        names = ("replaced", "blanked", "product", "norm")
        symbols = self._model.vocabulary.symbols
        before, after = self.text[: self.at], self.text[self.at :]
        known = [character for character in after if character in symbols]
        asked = known[0] if known else symbols[int(self._model.next_after(before).argmax())]
        if not self._model.vocabulary.encode(before)[0].size:
            return {"asked": asked, **{name: np.zeros(0) for name in names}}
        found = connectivity(self._model, before, asked, last=LAST)
        return {"asked": asked, **{name: getattr(found, name) for name in names}}

    def describe(self) -> str:
        """The explorable in words: what a page shows where nothing can be drawn."""
        said = self._model.next_after(self.text)
        choices = np.exp(decoding.entropy(decoding.distribution(said, **self._own())))
        likeliest = self._model.vocabulary.symbols[int(said.argmax())]
        return (
            f"{self.title}. {self.setting}: {choices:.1f} effective choices, the likeliest next "
            f"character is {likeliest!r}"
        )
