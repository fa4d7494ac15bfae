"""Floor 6: what marks an exercise, and says what went wrong.

A lab is one module, ``from lstm_lab.labs.gates import check, hint, progress``, and belongs by its
name to one page, ``labs/source/01-gates.py``: without the number, hyphens being underscores.

- ``check(sigmoid)`` marks a function at once, against the library's own LSTM, on inputs drawn
  afresh. It is true exactly when the answer is right, and it never raises for a mistake of the
  student's.
- ``hint(sigmoid)`` gives one more hint each time.
- ``progress()`` says what is done and what is left.

What the author of a lab declares is in `exercise`, a lab of such exercises in `engine`. How a
verdict is reached is in `examination`; its stages are in `beginning`, `named`, `ordinary` and
`limits`, and what they share, the calls and what came of them, in `trials`. How a student's
function is called is in `runner`, what it may not do to the session in `guard`, what it is made of
and which names it reads in `functions`, how values are compared in `values`, how an exception is
put into the student's terms in `exceptions`, how names and values stand in a sentence in `words`,
how all that looks in `report`. What several labs draw their inputs from is in `cases`.
``tools/labs.py`` finds the labs, and makes their notebooks.
"""

from .engine import Lab
from .exercise import Exercise, Misconception, Probe, Value
from .report import Hint, Progress, Result

__all__ = ["Exercise", "Hint", "Lab", "Misconception", "Probe", "Progress", "Result", "Value"]
