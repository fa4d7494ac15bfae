"""Questions that answer on click, and explain each wrong choice."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..core.bundle import FRONTEND, module, styles

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Question:
    """One question with one right choice.

    In each text, ``$x_{t-1}$`` is a formula: single letters, ``_{...}`` and ``^{...}``.

    Parameters
    ----------
    text : str
    right : dict of str to str
        The right choice, and why it is right.
    wrong : dict of str to str
        The other choices, one or more, each with what is wrong about it.

    Raises
    ------
    ValueError
        If there is not exactly one right and at least one wrong choice, a choice stands twice,
        or a text is empty.
    """

    text: str
    right: dict[str, str]
    wrong: dict[str, str]

    def __post_init__(self) -> None:
        if len(self.right) != 1:
            raise ValueError(f"right: expected one choice, got {len(self.right)}")
        if not self.wrong or set(self.wrong) & set(self.right):
            given = ", ".join(self.wrong) or "none"
            raise ValueError(f"wrong: expected choices other than the right one, got {given}")
        for part in (self.text, *self.right.items(), *self.wrong.items()):
            if not all(map(str.strip, [part] if isinstance(part, str) else part)):
                raise ValueError(f"text: a question, choice or explanation is empty in {part!r}")

    def choices(self) -> list[dict[str, Any]]:
        """The choices in an order that does not give the right one away, always the same."""
        marked = [(True, *item) for item in self.right.items()]
        marked += [(False, *item) for item in self.wrong.items()]
        marked.sort(key=lambda choice: sha256((self.text + choice[1]).encode()).digest())
        return [{"right": right, "text": text, "why": why} for right, text, why in marked]


class Quiz(anywidget.AnyWidget):
    """Self-test questions. A click on a choice says at once whether it is right, and why.

    Lives without a kernel too, as in an exported page.

    Parameters
    ----------
    *questions : Question

    Raises
    ------
    TypeError
        If anything else is given, or nothing at all.
    """

    _esm = module(HERE / "widget.js")
    _css = styles(FRONTEND / "explore.css", HERE / "widget.css")

    _questions = traitlets.List().tag(sync=True)
    tries = traitlets.List(
        help="For each question, the numbers of the choices clicked so far, in order."
    ).tag(sync=True)

    def __init__(self, *questions: Question):
        strange = [type(q).__name__ for q in questions if not isinstance(q, Question)]
        if strange or not questions:
            raise TypeError(f"questions: expected Questions, got {', '.join(strange) or 'none'}")
        super().__init__(
            _questions=[{"text": q.text, "choices": q.choices()} for q in questions],
            tries=[[] for _ in questions],
        )

    @traitlets.validate("tries")
    def _choices_there_are(self, proposal: Any) -> list[list[int]]:
        counts = [len(question["choices"]) for question in self._questions]
        tries = proposal.value
        if len(tries) != len(counts) or not all(
            isinstance(tried, list) and set(tried) <= set(range(count))
            for tried, count in zip(tries, counts, strict=True)
        ):
            raise traitlets.TraitError(
                f"Quiz.tries: expected numbers of choices below {counts}, got {tries!r}"
            )
        return tries

    @property
    def score(self) -> int:
        """How many questions were answered right at the first try."""
        return sum(
            bool(tried) and question["choices"][tried[0]]["right"]
            for question, tried in zip(self._questions, self.tries, strict=True)
        )
