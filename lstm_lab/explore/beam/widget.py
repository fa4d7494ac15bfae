"""Beam search as a tree that grows step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets

from ..core.base import Explorable, choice, control
from ..core.bundle import module, styles

HERE = Path(__file__).parent

END = "</s>"
WIDEST, LONGEST, SHOWN = 5, 24, 3
MOST_PLACES = 2000

# Chosen by hand: what may follow a beginning, and how probably.
TABLES: dict[str, dict[str, dict[str, float]]] = {
    "the red house": {
        "": {"le": 0.5, "la": 0.4, "une": 0.1},
        "le": {"foyer": 0.4, "rouge": 0.35, "logis": 0.25},
        "la": {"maison": 0.85, "rouge": 0.1, "demeure": 0.05},
        "une": {"maison": 0.9, "rouge": 0.1},
        "le foyer": {"rouge": 0.6, "rougi": 0.25, END: 0.15},
        "le rouge": {"foyer": 0.5, "logis": 0.3, END: 0.2},
        "le logis": {"rouge": 0.7, "rougi": 0.2, END: 0.1},
        "la maison": {"rouge": 0.9, "rousse": 0.05, END: 0.05},
        "la rouge": {"maison": 0.8, END: 0.2},
        "la demeure": {"rouge": 0.8, END: 0.2},
        "une maison": {"rouge": 0.9, END: 0.1},
        "une rouge": {"maison": 0.7, END: 0.3},
        **{
            f"{a} {b}": {END: 1.0}
            for a, b in (
                ("le foyer", "rouge"),
                ("le foyer", "rougi"),
                ("le rouge", "foyer"),
                ("le rouge", "logis"),
                ("le logis", "rouge"),
                ("le logis", "rougi"),
                ("la maison", "rouge"),
                ("la maison", "rousse"),
                ("la rouge", "maison"),
                ("la demeure", "rouge"),
                ("une maison", "rouge"),
                ("une rouge", "maison"),
            )
        },
    },
    "thank you very much": {
        "": {"merci": 0.8, "je": 0.2},
        "merci": {"beaucoup": 0.52, END: 0.4, "bien": 0.08},
        "je": {"vous": 0.9, "te": 0.1},
        "merci beaucoup": {END: 0.72, "!": 0.28},
        "merci bien": {END: 0.9, "!": 0.1},
        "je vous": {"remercie": 1.0},
        "je te": {"remercie": 1.0},
        "merci beaucoup !": {END: 1.0},
        "merci bien !": {END: 1.0},
        "je vous remercie": {"beaucoup": 0.85, END: 0.15},
        "je te remercie": {"beaucoup": 0.7, END: 0.3},
        "je vous remercie beaucoup": {END: 1.0},
        "je te remercie beaucoup": {END: 1.0},
    },
}


class BeamExplorer(Explorable):
    """Beam search as a tree that grows step by step.

    At every step the search looks at the likeliest continuations of all that is alive, and keeps
    as many as the beam is wide. Kept, ended and dropped branches stay in the picture, each with
    the probability of all that is written so far; below it the best that was found.

    Parameters
    ----------
    table : mapping, optional
        A model of the reader's own: for what is written so far, its symbols with blanks between
        them, a mapping of the next symbol to its probability; ``"</s>"`` ends. All that is not
        there has probability 0. `lstm_lab.models.Seq2Seq.continuations` makes one.
    source : str
        What is translated: one of the examples, whose probabilities are chosen by hand, or "own".
    width : int
        Of the beam, 1 to 5. 1 is greedy search.
    alpha : float
        α of the length penalty ((5 + length) / 6) to the power of α; 0 is none.
    steps : int
        How many steps of the search are shown, at most those that it takes.

    Raises
    ------
    traitlets.TraitError
        A value out of its range.
    TypeError, ValueError
        A table that is none, or lacks a place where a search comes by.

    Notes
    -----
    Sutskever, Vinyals & Le 2014, arXiv:1409.3215; the penalty: Wu et al. 2016, arXiv:1609.08144,
    equation (14).
    """

    title: ClassVar[str] = "Beam search"
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    source = choice((*TABLES, "own"))
    width = control(1, 1, WIDEST, 1, whole=True)
    alpha = control(0.0, 0, 1, 0.05)
    steps = control(LONGEST, 0, LONGEST, 1, whole=True, view=True)

    _tables = traitlets.Dict().tag(sync=True)

    def __init__(self, table: Mapping[str, Mapping[str, float]] | None = None, **settings: Any):
        own: dict[str, Any] = {}
        self._own_tables = TABLES
        if table is not None:
            self._own_tables = {"own": _checked(table)}
            own = {"source": "own"}
        for each in self._own_tables.values():
            for width in range(1, WIDEST + 1):
                _search(each, width, 0.0)
        super().__init__(
            _defaults=own,
            _arguments=[] if table is None else ["table"],
            **settings,
            _tables=self._own_tables,
        )

    def options(self, name: str) -> Any:
        """What a choice may be: a table of one's own is the only one."""
        return tuple(self._own_tables) if name == "source" else super().options(name)

    def values(self) -> dict[str, Any]:
        """What the library's own beam search finds.

        Returns
        -------
        dict
            Of every branch, step by step and the likeliest first: ``step`` from 1, ``text``,
            ``probability``, ``fate``. Of the up to three best: ``best_text``,
            ``best_probability``, ``best_score``, ``complete``. ``found``, the probability of the
            first of them; ``likeliest``, that of the best that any width finds.
        """
        table = self._own_tables[self.source]
        beam, symbols = _search(table, self.width, self.alpha)
        branches, alive = [], [()]
        for step, level in enumerate(beam.tree, start=1):
            lives = []
            for branch in level:
                ids = (*alive[branch.parent], branch.symbol)
                share = math.exp(branch.log_probability)
                branches.append((step, _text(ids, symbols), share, branch.fate))
                if branch.fate == "lives":
                    lives.append(ids)
            alive = lives
        columns = zip(
            ("step", "text", "probability", "fate"), zip(*branches, strict=True), strict=True
        )
        widest = [_search(table, width, self.alpha)[0].best[0] for width in range(1, WIDEST + 1)]
        top = max(widest, key=lambda one: (one.complete, one.score))
        return {name: np.array(column) for name, column in columns} | {
            "best_text": np.array([_text(one.ids, symbols) for one in beam.best]),
            "best_probability": np.exp([one.log_probability for one in beam.best]),
            "best_score": np.array([one.score for one in beam.best]),
            "complete": np.array([one.complete for one in beam.best]),
            "found": math.exp(beam.best[0].log_probability),
            "likeliest": math.exp(top.log_probability),
        }


class _Step:
    """The table as a model whose state is what is written."""

    def __init__(self, table: Mapping[str, Mapping[str, float]], symbols: list[str]):
        self._table, self._symbols = table, symbols
        self._ids = {symbol: k for k, symbol in enumerate(symbols)}
        self._longest = max(len(place.split(" ")) if place else 0 for place in table)
        self._places: list[str] | None = None

    def __call__(self, ids: Any) -> np.ndarray:
        if self._places is None:
            self._places = [""]
        else:
            self._places = [
                " ".join(filter(None, (place, self._symbols[k])))
                for place, k in zip(self._places, ids, strict=True)
            ]
        said = np.full((len(self._places), len(self._symbols)), -np.inf)
        for row, place in zip(said, self._places, strict=True):
            if place not in self._table:
                raise ValueError(f"table: lacks what may follow {place!r}, where a search comes by")
            for symbol, probability in self._table[place].items():
                row[self._ids[symbol]] = math.log(probability)
        return said

    def keep(self, rows: Any) -> None:
        """These go on."""
        assert self._places is not None
        self._places = [self._places[row] for row in rows]


def _search(table: Mapping[str, Mapping[str, float]], width: int, alpha: float) -> Any:
    """The beam, and its symbols, the end first."""
    from ...decoding import beam_search

    symbols = list(dict.fromkeys([END, *(word for row in table.values() for word in row)]))
    (beam,) = beam_search(
        _Step(table, symbols),
        [0],
        0,
        width=width,
        alpha=alpha,
        n_best=SHOWN,
        max_length=_longest(table),
        tree=True,
    )
    return beam, symbols


def _longest(table: Mapping[str, Any]) -> int:
    """Steps of the longest search: one behind each place."""
    return 1 + max(len(place.split(" ")) if place else 0 for place in table)


def _text(ids: tuple[int, ...], symbols: list[str]) -> str:
    return " ".join(symbols[k] for k in ids)


def _checked(table: Any) -> dict[str, dict[str, float]]:
    if not isinstance(table, Mapping) or not all(
        isinstance(place, str) and isinstance(row, Mapping) for place, row in table.items()
    ):
        raise TypeError("table: expected a mapping of what is written to mappings of what may come")
    if "" not in table or len(table) > MOST_PLACES:
        raise ValueError(
            f"table: expected up to {MOST_PLACES} places, '' among them, where the search begins"
        )
    if _longest(table) > LONGEST:
        raise ValueError(f"table: expected places of less than {LONGEST} symbols")
    for place, row in table.items():
        for symbol, value in row.items():
            if not isinstance(symbol, str) or not symbol or " " in symbol:
                raise ValueError(
                    f"table[{place!r}]: expected symbols without blanks, got {symbol!r}"
                )
            if not isinstance(value, Real) or not 0 < value <= 1:
                raise ValueError(
                    f"table[{place!r}][{symbol!r}]: expected a probability above 0, got {value!r}"
                )
        if not row or sum(row.values()) > 1 + 1e-4:
            raise ValueError(f"table[{place!r}]: expected probabilities that add up to 1 at most")
    return {place: {s: float(p) for s, p in row.items()} for place, row in table.items()}
