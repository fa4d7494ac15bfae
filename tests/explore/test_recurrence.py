"""What is special to RecurrenceExplorer: its words and letters at every length."""

from __future__ import annotations

import pytest

from lstm_lab.explore import RecurrenceExplorer
from tests.explore.page import drawn_words


@pytest.mark.parametrize(("length", "step"), [(2, 1), (19, 1), (20, 2), (40, 3), (100, 6)])
def test_the_impulse_is_the_input_that_is_spoken_of(length, step, node):
    unit = RecurrenceExplorer(u=1.3, length=length)
    (run,) = node("recurrence/widget.js", [["runUnit", [unit.settings()]]])
    (words,) = node("recurrence/widget.js", [["unitSentence", [run]]])
    assert unit.values()["x"][step - 1] == 1
    assert f"A small change of the input at step {step} would" in words


@pytest.mark.parametrize("length", [2, 12, 40, 100])
def test_the_weights_have_their_letters_at_every_length(length, show):
    page = show(RecurrenceExplorer(length=length))
    for width in (400, 1200):
        assert {"u", "w"} <= set(drawn_words(page, width)), width
