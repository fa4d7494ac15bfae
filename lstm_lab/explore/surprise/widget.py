"""A text under two models: what each character costs an LSTM, and what it costs counting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from ..._validation import checked_text
from ...data import load
from ...models import LanguageModel, NGram, shipped
from ..core.base import Explorable, control
from ..core.base import text as written
from ..core.bundle import FRONTEND, module, styles
from ..core.char_model import checked_model, packed

HERE = Path(__file__).parent

LONGEST = 160
EVERYTHING = 20
ORDER = 5
MOST_SYMBOLS = 256
MOST_READ = 500_000

TEXT = (
    "If the object is a class instance, its methods are found first. "
    "A giraffe is an object, and its neck is an attribute."
)


class SurpriseExplorer(Explorable):
    """The surprise of every character under an LSTM and under Kneser-Ney, side by side.

    Parameters
    ----------
    model : LanguageModel, optional
        A model of characters of the reader's; without one, the book's own of English prose.
    corpus : str, optional
        What counting has read; without it, what the book's own model has learnt from.
    text : str
        What both read, up to 160 characters; those that the model does not know they never see.
    context : int
        How many characters before each one both may know, 1 to 19; 20 is everything. The LSTM
        begins at zero as many characters before.
    at : int
        The character, counted from 0, that both are asked about: what did they expect? Past the
        end, what comes next.

    Raises
    ------
    traitlets.TraitError
        A value out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a model that cannot be shown, and why.
    """

    title = "Two models read a text"
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(FRONTEND / "text_canvas.css", HERE / "widget.css")

    text = written(TEXT, LONGEST, empty=True)
    context = control(EVERYTHING, 1, EVERYTHING, 1, whole=True)
    at = control(TEXT.index("giraffe") + 2, 0, LONGEST, 1, whole=True, view=True)

    _alphabet = traitlets.Unicode().tag(sync=True)
    _cells = traitlets.Int().tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)
    _read = traitlets.Bytes(b"").tag(sync=True)
    _order = traitlets.Int(ORDER).tag(sync=True)

    def __init__(
        self, model: LanguageModel | None = None, corpus: str | None = None, **settings: Any
    ):
        given = {"model": model, "corpus": corpus}
        self._model = checked_model(shipped("topics") if model is None else model)
        if len(self._model.vocabulary) > MOST_SYMBOLS:
            raise ValueError(
                f"model: expected at most {MOST_SYMBOLS} characters, got {self._model!r}"
            )
        if corpus is None:
            corpus = "".join(load("topics").train)
        ids, _ = self._model.vocabulary.encode(checked_text(corpus, "corpus"))
        if not ORDER < len(ids) <= MOST_READ:
            raise ValueError(
                f"corpus: expected {ORDER + 1} to {MOST_READ:,} characters that the model knows, "
                f"got {len(ids):,}"
            )
        self._counting = NGram(self._model.vocabulary, ORDER).fit(corpus)
        super().__init__(
            _arguments=[name for name, value in given.items() if value is not None],
            _alphabet="".join(self._model.vocabulary.symbols),
            _cells=self._model.lstm.hidden_size,
            _net=packed(self._model),
            _read=ids.astype("uint8").tobytes(),
            **settings,
        )

    def values(self) -> dict[str, Any]:
        """The picture's numbers, by the library's own models, the LSTM in float64.

        Returns
        -------
        dict
            ``lstm`` and ``counting`` (T,), the bits of each character that the models know;
            ``lstm_next`` and ``counting_next`` (V,), the probabilities of what stands at ``at``;
            ``lstm_bits`` and ``counting_bits``, the sums.
        """
        context = None if self.context == EVERYTHING else self.context
        before = "".join(list(self.text)[: self.at])
        ids, _ = self._model.vocabulary.encode(before)
        known = before
        if context is not None:
            known = self._model.vocabulary.decode(ids[max(0, len(ids) - context) :])
        found = {
            "lstm": self._model.surprise(self.text, context),
            "counting": self._counting.surprise(self.text, context),
            "lstm_next": np.exp(self._model.next_after(known)),
            "counting_next": np.exp(self._counting.next_after(known)),
        }
        sums = {f"{name}_bits": float(found[name].sum()) for name in ("lstm", "counting")}
        return found | sums

    def describe(self) -> str:
        """The explorable in words: what a page shows where nothing can be drawn."""
        values = self.values()
        return (
            f"{self.title}. {self.setting}: the text costs the LSTM {values['lstm_bits']:.1f} bits "
            f"and counting {values['counting_bits']:.1f}"
        )
