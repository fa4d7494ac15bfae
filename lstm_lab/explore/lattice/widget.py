"""The lattice of a row of tags: the best path, found step by step."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets

from ..core.base import Explorable, choice, control, floats, text
from ..core.bundle import module, styles
from .emissions import shipped

HERE = Path(__file__).parent

MOST_WORDS = 12
KINDS = ("words and learnt edges", "words and rules", "words alone")
TAGS = tuple(shipped().tags)
EDIT = re.compile(r"(\d+)>(\d+):(-?\d+(?:\.\d+)?)")


class LatticeExplorer(Explorable):
    """The lattice of tags over the words of a line: Viterbi's forward maxima and his way back.

    A small tagger that comes with the book scores every tag of every word. Edges between tags
    count for nothing, or forbid what breaks the rules of BIO, or have scores that a CRF learnt.
    The best path into each node is found column by column; at the last one the path is read
    backwards. Dragging an edge's score makes the path flip.

    Parameters
    ----------
    line : str
        What is tagged, words with spaces between; the first 12 are read.
    edges : {"words and learnt edges", "words alone", "words and rules"}
        What is added to the words' own scores.
    step : int
        How many columns have been computed, 1 to 12; at most as many as there are words.
    tag : str
        The node that is read, of the last computed column.
    before : str
        The tag from which the edge comes that can be dragged to ``tag``.
    edits : str
        Edges that were dragged: "from>to:score" with a space between, tags from 0.

    Raises
    ------
    traitlets.TraitError
        A value out of its range, or no such tag.
    """

    title: ClassVar[str] = "The best row of tags"
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    line = text("sociedad civica cultural centroamericana, rosinski, dennis l", 200)
    edges = choice(KINDS)
    step = control(3, 1, MOST_WORDS, 1, whole=True)
    tag = choice(TAGS, "I-company", view=True)
    before = choice(TAGS, "B-company", view=True)
    edits = text(
        "",
        400,
        empty=True,
        pattern=rf"{EDIT.pattern}(?: {EDIT.pattern})*",
        example="from>to:score, with spaces between,",
    )

    _tagger = traitlets.Unicode().tag(sync=True)
    _weights = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, **settings: Any):
        tagger = shipped()
        super().__init__(
            **settings,
            _tagger=json.dumps(
                {
                    "tags": tagger.tags,
                    "vocabularies": tagger.vocabularies,
                    "transition": tagger.transition.ravel().tolist(),
                    "start": tagger.start.tolist(),
                    "end": tagger.end.tolist(),
                },
                ensure_ascii=False,
            ),
            _weights=floats(tagger.weights),
        )

    def words(self) -> list[str]:
        """What is read of the line."""
        return self.line.split()[:MOST_WORDS]

    def chain(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores of edges (K, K), of starts and of ends (K,), as they were dragged."""
        from ...decoding import legal_bio

        tagger = shipped()
        if self.edges == KINDS[0]:
            chain = tagger.transition.copy(), tagger.start.copy(), tagger.end.copy()
        else:
            allowed = legal_bio(TAGS) | (self.edges == KINDS[2])
            rules = np.where(allowed, 0.0, -np.inf)
            chain = rules[:-1, :-1].copy(), rules[-1, :-1].copy(), np.zeros(len(TAGS))
        for j, k, score in EDIT.findall(self.edits):
            if int(j) < len(TAGS) and int(k) < len(TAGS):
                chain[0][int(j), int(k)] = float(score)
        return chain

    def values(self) -> dict[str, Any]:
        """The picture's numbers, by the library's own dynamic program in float64.

        Returns
        -------
        dict
            With T words and K tags: ``emissions`` (T, K); ``edges`` (K, K); ``best`` (T, K), the
            score of the best path into each node; -1e30 stands for -inf in both; ``path`` and
            ``alone`` (T,), the best path and the best tag of each word by itself; ``score``, of
            the path; ``probability``, of the path among all; ``illegal``, how often it breaks the
            rules.
        """
        from ...backends import get_backend
        from ...decoding import viterbi
        from ...layers.crf import edge_scores
        from ...losses import crf_lattice
        from ...losses.crf import NEVER, forward
        from ...metrics import illegal_transitions

        x = shipped().emissions(self.words())
        transition, start, end = self.chain()
        lattice = edge_scores(
            get_backend("numpy"), x[:, None], np.array([len(x)]), transition, start, end
        )
        path, score = viterbi(lattice)
        # Ends count at the end alone, so that what is shown of a column does not know of it.
        best = forward(np, lattice, lambda xp, ways, axis: ways.max(axis=axis))[:, 0]
        best[-1] -= end
        row = [TAGS[k] for k in path[:, 0]]
        return {
            "emissions": x,
            "edges": np.maximum(transition, NEVER),
            "best": np.maximum(best, NEVER),
            "path": path[:, 0],
            "alone": x.argmax(axis=1),
            "score": float(score[0]),
            "probability": float(np.exp(score[0] - crf_lattice(lattice).log_partition[0])),
            "illegal": illegal_transitions([row]),
        }
