"""How a function is marked: fresh random cases, then a search for the mistake.

A *case* is whatever an exercise draws its inputs from. The student's function is called on several
rounds of cases; the verdict is the first of these that applies:

1. it must not be run at all, or nothing is written yet;
2. it does not answer the question: two answers to one question, another answer when the keys of a
   dict come in another order;
3. on **every** case the answer equals that of a named misconception, a wrong function: the
   message is that misconception's own;
4. something general: a name that the notebook has overwritten, an exception, a wrong type, a wrong
   shape, NaN, an argument changed, lost precision, an argument that makes no difference, an answer
   right for some sizes only;
5. plainly wrong values: probes say where they are right and where they are not;
6. right for ordinary numbers, wrong in the limits, or overflowing on the way;
7. right for these arrays, wrong for the same numbers laid out otherwise;
8. right.

The same function gets the same verdict every time. So nothing is concluded from one draw: a
function is called right for some sizes and wrong for others where it was so in each of `EVIDENCE`
rounds.
"""

from __future__ import annotations

from . import beginning, limits, named, ordinary
from .report import RIGHT
from .trials import Examined, Found, Verdict

STAGES = (
    beginning.signature,
    beginning.untouched,
    beginning.placeholder,
    beginning.not_repeatable,
    beginning.reused_array,
    beginning.order_of_keys,
    named.overwritten_name,
    named.misconception,
    named.notebook_variable,
    ordinary.exception,
    ordinary.form,
    ordinary.not_finite,
    ordinary.changed_argument,
    ordinary.precision,
    ordinary.values,
    limits.extremes,
    limits.memory_layout,
)
"""Each makes its diagnosis, or none."""


def verdict_on(examined: Examined) -> Verdict:
    """Return the first diagnosis that applies."""
    try:
        for stage in STAGES:
            found = stage(examined)
            if found:
                return found
    except Found as found:
        return found.verdict
    return Verdict(RIGHT, "right", examined.exercise.insight)
