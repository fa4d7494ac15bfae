"""Lab 01: every right answer passes, every wrong one is caught with words of its own."""

import ast
import inspect
import re
import textwrap
from collections import Counter

import numpy as np
import pytest

from lstm_lab.labs import engine, gates
from lstm_lab.labs.report import RIGHT, UNDONE, WRONG
from lstm_lab.labs.runner import Outcome, equal

from .shipped import ANSWERS, LABS, code_cells

EXERCISES = gates.LAB.exercises
EACH_EXERCISE = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
MISCONCEPTIONS = [(e, m) for e in EXERCISES.values() for m in e.misconceptions]


def _ids(answer) -> str:
    return f"{answer[0]}-{answer[-1].__name__}"


# --- right and wrong answers -------------------------------------------------------------------


@pytest.mark.parametrize("answer", ANSWERS.RIGHT, ids=_ids)
def test_right_answer_passes_every_time(answer):
    exercise, function = answer
    for _ in range(10):
        result = gates.check(function, exercise=exercise)
        assert result.status == RIGHT and result.id == "right", str(result)


@pytest.mark.parametrize("answer", ANSWERS.WRONG, ids=_ids)
def test_wrong_answer_gets_its_own_diagnosis_every_time(answer):
    exercise, diagnosis, function = answer
    told = {gates.check(function, exercise=exercise) for _ in range(5)}
    assert len(told) == 1, "the message changes from one check to the next"
    (result,) = told
    assert not result
    assert result.id == diagnosis, str(result)
    assert result.status == (UNDONE if diagnosis in ("half", "nothing") else WRONG)


@EACH_EXERCISE
def test_enough_answers_are_shipped_and_no_two_share_a_diagnosis(exercise):
    diagnoses = Counter(d for name, d, _ in ANSWERS.WRONG if name == exercise.name)
    assert sum(name == exercise.name for name, _ in ANSWERS.RIGHT) >= 2
    assert len(diagnoses) >= 4
    assert set(diagnoses.values()) == {1}


@EACH_EXERCISE
def test_messages_of_wrong_answers_differ(exercise):
    wrong = [f for name, _, f in ANSWERS.WRONG if name == exercise.name]
    messages = [gates.check(f, exercise=exercise.name).message for f in wrong]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize(
    "exercise, known", MISCONCEPTIONS, ids=[f"{e.name}-{m.id}" for e, m in MISCONCEPTIONS]
)
def test_every_misconception_is_told_from_all_others(exercise, known):
    examined = engine._Examination(exercise, lambda: None, np.random.default_rng())
    examined.outcomes = [_outcome(exercise, known, case) for case in examined.cases]
    verdict = examined._misconception()
    assert verdict is not None
    assert (verdict.id, verdict.message) == (known.id, known.message)


def _outcome(exercise, known, case) -> Outcome:
    """What a student holding the misconception returns, or raises, for a case."""
    try:
        with np.errstate(all="ignore"):
            value = known.answer(case)
    except ValueError as error:
        return Outcome(error=error)
    if known.of and len(exercise.returns) > 1:
        whole = dict(zip((v.name for v in exercise.returns), exercise.truth(case), strict=True))
        value = tuple((whole | {known.of: value}).values())
    return Outcome(value=value)


@EACH_EXERCISE
def test_the_answer_that_stands_in_for_a_student_is_the_librarys(exercise):
    case = exercise.cases(np.random.default_rng(0))[0]
    assert equal(exercise.answer(*exercise.given(case)), exercise.truth(case))
    assert gates.check(exercise.answer, exercise=exercise.name)


# --- one mistake is told once ------------------------------------------------------------------


def _notebook(**replaced: str) -> dict:
    """The solved notebook's functions, some of them replaced by other source."""
    names = {"__name__": "__main__", "np": np}
    for cell in code_cells(LABS / "solved" / "01-gates.ipynb"):
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


# --- nothing is given away ---------------------------------------------------------------------


def _normal(text: str) -> str:
    """Without the accidents of writing: spaces, typographic signs, capitals."""
    for sign, plain in (("⊙", "*"), ("·", "*"), ("×", "*"), ("−", "-"), ("σ", "sigmoid")):
        text = text.replace(sign, plain)
    return re.sub(r"[\s`]", "", text).replace('"', "'").lower()


def _solutions(exercise: str) -> list[ast.FunctionDef]:
    """Every right answer to an exercise, the solved notebook's among them."""
    sources = [inspect.getsource(f) for name, f in ANSWERS.RIGHT if name == exercise]
    sources += [
        cell
        for cell in code_cells(LABS / "solved" / "01-gates.ipynb")
        if cell.startswith(f"def {exercise}(")
    ]
    return [ast.parse(source).body[0] for source in sources]


def _key_expressions(exercise: str) -> set[str]:
    """Every line of the right answers, and every calculation in them."""
    found = set()
    for tree in _solutions(exercise):
        found |= {_normal(ast.unparse(line)) for line in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.BinOp) or (isinstance(node, ast.Call) and node.args):
                found.add(_normal(ast.unparse(node)))
    return {text for text in found if len(text) > 2}


@EACH_EXERCISE
def test_no_message_and_no_hint_contains_a_line_of_the_solution(exercise):
    texts = [*exercise.hints, exercise.insight]
    texts += [known.message for known in exercise.misconceptions]
    texts += [message for _, message in exercise.noisy.values()]
    for name, _, function in ANSWERS.WRONG:
        if name == exercise.name:
            texts.append(gates.check(function, exercise=name).message)
    keys = _key_expressions(exercise.name)
    assert len(keys) > 3
    leaks = [(key, text) for text in texts for key in keys if key in _normal(text)]
    assert not leaks


@EACH_EXERCISE
def test_there_are_three_hints_and_no_two_are_the_same(exercise):
    assert len(exercise.hints) == 3
    assert len(set(exercise.hints)) == 3
