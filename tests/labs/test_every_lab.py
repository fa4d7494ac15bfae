"""Every lab: its right answers pass, and its wrong ones are caught with words of their own."""

import ast
import inspect
import pkgutil
import re
from collections import Counter
from functools import cache
from importlib import import_module

import numpy as np
import pytest

from lstm_lab import labs
from lstm_lab.labs.named import misconception
from lstm_lab.labs.report import RIGHT, UNDONE, WRONG, Result
from lstm_lab.labs.runner import Outcome
from lstm_lab.labs.trials import Examined, Trial
from lstm_lab.labs.values import equal

from .shipped import EACH_LAB, EVERY, code_cells, each_exercise

EACH_EXERCISE = each_exercise()
RIGHT_ONES = [(s, *answer) for s in EVERY for answer in s.answers.RIGHT]
WRONG_ONES = [(s, *answer) for s in EVERY for answer in s.answers.WRONG]
MISCONCEPTIONS = [
    (exercise, known)
    for shipped in EVERY
    for exercise in shipped.lab.exercises.values()
    for known in exercise.misconceptions
]


def _ids(answers: list[tuple]) -> list[str]:
    return [f"{each[0].name}-{each[1]}-{each[-1].__name__}" for each in answers]


def test_every_module_of_a_lab_has_its_page():
    modules = [f"lstm_lab.labs.{found.name}" for found in pkgutil.iter_modules(labs.__path__)]
    of_labs = {name for name in modules if hasattr(import_module(name), "LAB")}
    assert of_labs == {shipped.source.module for shipped in EVERY}


@EACH_LAB
def test_a_lab_knows_its_solved_notebook(shipped):
    assert shipped.lab.solved == f"labs/solved/{shipped.name}.ipynb"


# --- right and wrong answers -------------------------------------------------------------------


@pytest.mark.parametrize(("shipped", "exercise", "function"), RIGHT_ONES, ids=_ids(RIGHT_ONES))
def test_right_answer_passes_every_time(shipped, exercise, function):
    for _ in range(2):
        result = shipped.module.check(function, exercise=exercise)
        assert result.status == RIGHT and result.id == "right", str(result)


@cache
def _told(shipped, exercise: str, function) -> frozenset[Result]:
    """Whatever a wrong answer is told, in two checks that several tests look at."""
    return frozenset(shipped.module.check(function, exercise=exercise) for _ in range(2))


@pytest.mark.parametrize(
    ("shipped", "exercise", "diagnosis", "function"), WRONG_ONES, ids=_ids(WRONG_ONES)
)
def test_wrong_answer_gets_its_own_diagnosis_every_time(shipped, exercise, diagnosis, function):
    told = _told(shipped, exercise, function)
    assert len(told) == 1, "the message changes from one check to the next"
    (result,) = told
    assert not result
    assert result.id == diagnosis, str(result)
    assert result.status == (UNDONE if diagnosis in ("half", "nothing") else WRONG)


@EACH_EXERCISE
def test_enough_answers_are_shipped_and_no_two_share_a_diagnosis(shipped, exercise):
    diagnoses = Counter(d for name, d, _ in shipped.answers.WRONG if name == exercise.name)
    assert sum(name == exercise.name for name, _ in shipped.answers.RIGHT) >= 2
    assert len(diagnoses) >= 6
    assert set(diagnoses.values()) == {1}


def _message(shipped, exercise: str, function) -> str:
    return min(result.message for result in _told(shipped, exercise, function))


@EACH_EXERCISE
def test_messages_of_wrong_answers_differ(shipped, exercise):
    wrong = [f for name, _, f in shipped.answers.WRONG if name == exercise.name]
    messages = [_message(shipped, exercise.name, f) for f in wrong]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize(
    ("exercise", "known"), MISCONCEPTIONS, ids=[f"{e.name}-{m.id}" for e, m in MISCONCEPTIONS]
)
def test_every_misconception_is_told_from_all_others(exercise, known):
    examined = Examined(exercise, lambda: None, np.random.default_rng())
    examined.trials = [
        Trial(size, case, (), exercise, _outcome(exercise, known, case))
        for size, case in enumerate(exercise.cases(examined.rng))
    ]
    verdict = misconception(examined)
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
def test_the_answer_that_stands_in_for_a_student_is_the_librarys(shipped, exercise):
    case = exercise.cases(np.random.default_rng(0))[0]
    assert equal(exercise.answer(*exercise.given(case)), exercise.truth(case))
    assert shipped.module.check(exercise.answer, exercise=exercise.name)


# --- nothing is given away ---------------------------------------------------------------------


def _normal(text: str) -> str:
    """Without the accidents of writing: spaces, typographic signs, capitals."""
    for sign, plain in (("⊙", "*"), ("·", "*"), ("×", "*"), ("−", "-"), ("σ", "sigmoid")):
        text = text.replace(sign, plain)
    return re.sub(r"[\s`]", "", text).replace('"', "'").lower()


def _solutions(shipped, exercise: str) -> list[ast.FunctionDef]:
    """Every right answer to an exercise, the solved notebook's among them."""
    sources = [inspect.getsource(f) for name, f in shipped.answers.RIGHT if name == exercise]
    sources += [
        cell for cell in code_cells(shipped.source.solved) if cell.startswith(f"def {exercise}(")
    ]
    return [ast.parse(source).body[0] for source in sources]


def _key_expressions(shipped, exercise: str) -> set[str]:
    """Every line of the right answers, and every calculation in them."""
    found = set()
    for tree in _solutions(shipped, exercise):
        found |= {_normal(ast.unparse(line)) for line in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.BinOp) or (isinstance(node, ast.Call) and node.args):
                found.add(_normal(ast.unparse(node)))
    return {text for text in found if len(text) > 2}


@EACH_EXERCISE
def test_no_message_and_no_hint_contains_a_line_of_the_solution(shipped, exercise):
    texts = [*exercise.hints, exercise.insight]
    texts += [known.message for known in exercise.misconceptions]
    texts += [message for _, message in exercise.overflows.values()]
    for name, _, function in shipped.answers.WRONG:
        if name == exercise.name:
            texts.append(_message(shipped, name, function))
    keys = _key_expressions(shipped, exercise.name)
    assert len(keys) > 3
    leaks = [(key, text) for text in texts for key in keys if key in _normal(text)]
    assert not leaks


@EACH_EXERCISE
def test_there_are_three_hints_and_no_two_are_the_same(shipped, exercise):
    assert len(exercise.hints) == 3
    assert len(set(exercise.hints)) == 3
