"""What a student sees: one result, one hint, the progress of a lab.

Each has a plain text, for a terminal, and a rich one, for Jupyter. Colour never carries the
meaning alone: a sign and a word stand beside it. Text takes the page's own colour, so that it is
readable in a light theme and in a dark one. Hints unfold in the page itself, with no kernel.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

RIGHT, WRONG, UNDONE = "right", "wrong", "todo"

_SIGN = {RIGHT: "\N{CHECK MARK}", WRONG: "\N{BALLOT X}", UNDONE: "\N{WHITE CIRCLE}"}
_WORD = {RIGHT: "Right", WRONG: "Not right yet", UNDONE: "Not done yet"}
_COLOUR = {RIGHT: "#00805f", WRONG: "#c04e00", UNDONE: "#6b6b6b", "hint": "#0072b2"}

_STYLE = """<style>
.lstm-check{border-left:5px solid var(--lstm-accent);background:rgba(128,128,128,.1);
color:inherit;padding:.55em 1em;margin:.3em 0;max-width:46em;line-height:1.5}
.lstm-check p{margin:.35em 0}
.lstm-check .lstm-sign{display:inline-block;width:1.5em;line-height:1.5em;text-align:center;
border-radius:50%;background:var(--lstm-accent);color:#fff;font-weight:bold;margin-right:.5em}
.lstm-check code{background:rgba(128,128,128,.18);color:inherit;padding:0 .25em;border-radius:3px}
.lstm-check pre{background:rgba(128,128,128,.14);color:inherit;padding:.4em .7em;margin:.35em 0;
overflow-x:auto}
.lstm-check pre code{background:none;padding:0}
.lstm-check details{margin:.35em 0}
.lstm-check details details{margin-left:1em}
.lstm-check summary{cursor:pointer;font-weight:bold}
.lstm-check ul{list-style:none;padding-left:0;margin:.35em 0}
.lstm-check li{margin:.25em 0}
</style>"""


def _rich(text: str) -> str:
    """Escape, and set `code` and *emphasis*."""

    def mark(match: re.Match) -> str:
        code, emphasis = match.groups()
        return f"<code>{code}</code>" if code else f"<em>{emphasis}</em>"

    return re.sub(r"`([^`]+)`|\*(\w[^*`]*)\*", mark, html.escape(text))


def _box(kind: str, body: str) -> str:
    return (
        f'{_STYLE}<div class="lstm-check lstm-{kind}" role="status" '
        f'style="--lstm-accent:{_COLOUR[kind]}">{body}</div>'
    )


def _heading(status: str, name: str) -> str:
    return (
        f'<span class="lstm-sign" aria-hidden="true">{_SIGN[status]}</span>'
        f"<strong>{_WORD[status]}</strong> · <code>{html.escape(name)}</code>"
    )


def _wrap(text: str, indent: str = "  ") -> str:
    return "\n".join(
        textwrap.fill(line, 76, initial_indent=indent, subsequent_indent=indent)
        for line in text.splitlines()
    )


def _folded(hints: Sequence[str]) -> str:
    """Hints inside one another: each one has to be asked for."""
    folded = ""
    for number in range(len(hints), 0, -1):
        summary = "Need a hint?" if number == 1 else "One more hint?"
        folded = (
            f"<details><summary>{summary}</summary>"
            f"<p>{_rich(hints[number - 1])}</p>{folded}</details>"
        )
    return folded


class _Shown:
    """Rich in Jupyter, plain in a terminal; both from the same object."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class Result(_Shown):
    """The verdict on one exercise; true exactly when the answer is right.

    Attributes
    ----------
    exercise : the name of the function that was marked.
    status : ``"right"``, ``"wrong"`` or ``"todo"``.
    id : which diagnosis was made; stable, for tests and for teachers.
    message : the diagnosis, in the student's terms.
    line : the line of the student's own code that failed, or "".
    printed : what the student's function printed in its first call.
    hints : the exercise's hints, from faint to strong.
    """

    exercise: str
    status: str
    id: str
    message: str
    line: str = ""
    printed: str = ""
    hints: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return self.status == RIGHT

    def __str__(self) -> str:
        parts = [f"{_SIGN[self.status]} {_WORD[self.status]}: {self.exercise}"]
        parts.append(_wrap(self.message))
        if self.line:
            parts.append(f"  In your line:\n      {self.line}")
        if self.printed:
            parts.append("  Your function printed:\n" + textwrap.indent(self.printed, "      "))
        if self.hints and not self:
            parts.append(_wrap(f"hint({self.exercise}) gives a hint."))
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        body = [f"<p>{_heading(self.status, self.exercise)}</p>"]
        body += [f"<p>{_rich(line)}</p>" for line in self.message.splitlines()]
        if self.line:
            body.append(f"<p>In your line:</p><pre><code>{html.escape(self.line)}</code></pre>")
        if self.printed:
            printed = html.escape(self.printed)
            body.append(f"<p>Your function printed:</p><pre><code>{printed}</code></pre>")
        if not self:
            body.append(_folded(self.hints))
        return _box(self.status, "".join(body))


@dataclass(frozen=True, repr=False)
class Hint(_Shown):
    """One hint of an exercise: the ``number``-th of ``total``."""

    exercise: str
    number: int
    total: int
    text: str

    @property
    def _title(self) -> str:
        return f"Hint {self.number} of {self.total}" if self.total else "No hint"

    def __str__(self) -> str:
        return f"{self._title}: {self.exercise}\n{_wrap(self.text)}"

    def _repr_html_(self) -> str:
        return _box(
            "hint",
            f'<p><span class="lstm-sign" aria-hidden="true">?</span><strong>{self._title}</strong>'
            f" · <code>{html.escape(self.exercise)}</code></p><p>{_rich(self.text)}</p>",
        )


@dataclass(frozen=True, repr=False)
class Progress(_Shown):
    """How far a student has come: the last result of every exercise, in order."""

    results: tuple[Result, ...]

    @property
    def done(self) -> int:
        """How many exercises are right."""
        return sum(map(bool, self.results))

    @property
    def total(self) -> int:
        """How many exercises the lab has."""
        return len(self.results)

    @property
    def complete(self) -> bool:
        """Whether every exercise is right."""
        return self.done == self.total

    @property
    def _title(self) -> str:
        if self.complete:
            return f"All done: {self.done} of {self.total}"
        return f"{self.done} of {self.total} done"

    def __str__(self) -> str:
        lines = [
            f"  {_SIGN[r.status]} {r.exercise}: {_WORD[r.status].lower()}" for r in self.results
        ]
        return "\n".join([self._title, *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<li style="--lstm-accent:{_COLOUR[r.status]}">'
            f'<span class="lstm-sign" aria-hidden="true">{_SIGN[r.status]}</span>'
            f"<code>{html.escape(r.exercise)}</code> {_WORD[r.status].lower()}</li>"
            for r in self.results
        )
        status = RIGHT if self.complete else UNDONE
        return _box(status, f"<p><strong>{self._title}</strong></p><ul>{rows}</ul>")
