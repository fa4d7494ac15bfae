"""Lab 1's own: a mistake is told once where exercises build on one another; what its page says."""

import re
import textwrap

import numpy as np
import pytest

from lstm_lab.labs import gates
from lstm_lab.labs.report import WRONG

from .shipped import EVERY, code_cells, run_cells

(SHIPPED,) = (each for each in EVERY if each.module is gates)
STUDENT, SOLVED = SHIPPED.source.student, SHIPPED.source.solved
EXERCISES = gates.LAB.exercises


# --- one mistake is told once ------------------------------------------------------------------


def _notebook(**replaced: str) -> dict:
    """The solved notebook's functions, some of them replaced by other source."""
    names = {"__name__": "__main__", "np": np}
    for cell in code_cells(SOLVED):
        if re.match(rf"def ({'|'.join(EXERCISES)})\(", cell):
            exec(cell, names)
    for source in replaced.values():
        exec(textwrap.dedent(source), names)
    return names


def test_a_mistake_in_an_earlier_exercise_is_told_where_it_was_made():
    names = _notebook(sigmoid="def sigmoid(z): return np.tanh(z)")
    assert gates.check(names["sigmoid"]).id == "tanh"
    result = gates.check(names["forget_gate"])
    assert (result.status, result.id) == (WRONG, "inherited")
    assert "`forget_gate` is right in itself" in result.message
    assert "`sigmoid`" in result.message
    step = gates.check(names["lstm_step"])
    assert step.id == "inherited"


def test_only_the_guilty_are_named():
    names = _notebook(
        cell_update="def cell_update(c, f, i, g): return f * g + i * c",
        hidden_state="def hidden_state(x, h, c_new, weights): return ..., ...",
        lstm_step="""
        def lstm_step(x, h, c, weights):
            f = forget_gate(x, h, weights["f"])
            i, g = input_and_candidate(x, h, weights["i"], weights["g"])
            c_new = cell_update(c, f, i, g)
            return forget_gate(x, h, weights["o"]) * np.tanh(c_new), c_new
        """,
    )
    message = gates.check(names["lstm_step"]).message
    assert "`cell_update`" in message and "`hidden_state`" not in message


def test_an_own_mistake_is_told_before_an_inherited_one():
    names = _notebook(
        sigmoid="def sigmoid(z): return 1 / (1 + np.exp(z))",
        forget_gate="""
        def forget_gate(x, h, weights):
            W, U, b = weights
            return sigmoid(x @ W.T + h @ U.T)
        """,
    )
    assert gates.check(names["forget_gate"]).id == "no_bias"


def test_an_untouched_sigmoid_is_no_mistake_of_the_gate():
    names = _notebook(sigmoid="def sigmoid(z): return ...")
    assert gates.check(names["forget_gate"]).id == "inherited"


def test_a_noisy_sigmoid_does_not_spoil_the_gates():
    names = _notebook(sigmoid="def sigmoid(z): return 1 / (1 + np.exp(-z))")
    assert gates.check(names["sigmoid"]).id == "overflow"
    assert gates.check(names["forget_gate"])
    assert gates.check(names["lstm_step"])


def test_the_students_names_are_theirs_again_after_a_check():
    names = _notebook(sigmoid="def sigmoid(z): return np.tanh(z)")
    before = dict(names)
    gates.check(names["lstm_step"])
    assert names == before


# --- the page ----------------------------------------------------------------------------------


def test_the_untouched_copy_has_six_exercises_and_draws_nothing(fresh_lab, no_window, capsys):
    run_cells(code_cells(STUDENT))
    assert fresh_lab.progress().total == 6
    assert capsys.readouterr().out.count("Not done yet") == 2


def test_a_copy_that_was_saved_before_the_labs_moved_is_told_its_new_lines():
    with pytest.raises(ImportError) as told:
        run_cells(["from lstm_lab.checks.lab01 import check, hint, progress"])
    new = re.findall(r"^    (from .+)$", str(told.value), re.MULTILINE)
    assert new and {*new} <= {*code_cells(STUDENT)[0].splitlines()}


def test_the_solution_has_more_than_ten_lines():
    assert len(SHIPPED.solution) > 10


def test_the_solved_copy_compares_and_draws(fresh_lab, no_window, capsys):
    run_cells(code_cells(SOLVED))
    assert fresh_lab.progress().complete
    said = capsys.readouterr().out
    assert "the same function" in said and "Steps until half of it is left" in said
    assert "Not done yet" not in said
