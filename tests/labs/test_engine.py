"""What holds for every lab: results, hints, progress, and a student's own errors."""

import functools
from dataclasses import dataclass, replace
from xml.etree import ElementTree

import numpy as np
import pytest

from lstm_lab.labs import Exercise, Lab, Value
from lstm_lab.labs.report import RIGHT, UNDONE, WRONG, Progress, Result

from .typed import notebook


def student(source: str, name: str = "sigmoid"):
    """A function typed into a cell."""
    return notebook(source)[name]


# --- results -----------------------------------------------------------------------------------


def test_a_result_is_true_only_when_right():
    assert Result("sigmoid", RIGHT, "right", "")
    assert not Result("sigmoid", WRONG, "tanh", "")
    assert not Result("sigmoid", UNDONE, "untouched", "")


@pytest.mark.parametrize(
    "status, sign, word",
    [(RIGHT, "✓", "Right"), (WRONG, "✗", "Not right yet"), (UNDONE, "○", "Not done yet")],
)
def test_sign_and_word_stand_in_the_plain_and_in_the_rich_text(status, sign, word):
    result = Result("sigmoid", status, "id", "A message.", hints=("First.", "Second."))
    assert str(result).startswith(f"{sign} {word}: sigmoid\n  A message.")
    assert repr(result) == str(result)
    for text in (sign, word, "sigmoid", "A message."):
        assert text in result._repr_html_()


def test_rich_text_is_well_formed_and_escapes_what_the_student_wrote():
    result = Result(
        "sigmoid",
        WRONG,
        "id",
        "Use `a < b` and *not* `*=`.\nPython says: <script>alert(1)</script>",
        line='return "<b>" & z',
        printed="<img src=x>",
        hints=("One < two.", "Two."),
    )
    rich = result._repr_html_()
    ElementTree.fromstring(f"<body>{rich}</body>")
    assert "<script>" not in rich and "<img" not in rich and "<b>" not in rich
    assert "<code>a &lt; b</code> and <em>not</em> <code>*=</code>" in rich


def test_hints_unfold_one_inside_the_other_and_only_until_it_is_right():
    hints = ("First.", "Second.", "Third.")
    body = ElementTree.fromstring(
        f"<body>{Result('sigmoid', WRONG, 'id', 'No.', hints=hints)._repr_html_()}</body>"
    )
    opened = body.find(".//details")
    for hint in hints:
        assert opened.find("p").text == hint
        opened = opened.find("details")
    assert opened is None
    assert "details>" not in Result("s", RIGHT, "right", "Yes.", hints=hints)._repr_html_()


# --- hints and progress ------------------------------------------------------------------------


def test_one_more_hint_each_time_then_the_way_to_the_solution(fresh_lab):
    def sigmoid(z):
        return ...

    given = [fresh_lab.hint(sigmoid) for _ in range(4)]
    assert [hint.number for hint in given] == [1, 2, 3, 3]
    assert [hint.text for hint in given[:3]] == list(fresh_lab.SIGMOID.hints)
    assert "labs/solved/01-gates.ipynb" in given[3].text
    assert fresh_lab.hint("forget_gate").number == 1
    assert "Hint 1 of 3: sigmoid" in str(given[0])
    ElementTree.fromstring(f"<body>{given[0]._repr_html_()}</body>")


def test_progress_keeps_the_last_result_of_each(fresh_lab):
    assert str(fresh_lab.progress()).splitlines()[0] == "0 of 6 done"
    assert [r.id for r in fresh_lab.progress().results] == ["unchecked"] * 6

    def sigmoid(z):
        return 0.5 + 0.5 * np.tanh(0.5 * z)

    fresh_lab.check(sigmoid)
    progress = fresh_lab.progress()
    assert (progress.done, progress.total, progress.complete) == (1, 6, False)
    assert "✓ sigmoid: right" in str(progress)
    assert "○ forget_gate: not done yet" in str(progress)

    fresh_lab.check(np.tanh, exercise="sigmoid")
    assert fresh_lab.progress().done == 0
    assert "✗ sigmoid: not right yet" in str(fresh_lab.progress())


def test_progress_is_complete_when_all_are_right():
    progress = Progress((Result("a", RIGHT, "right", ""), Result("b", RIGHT, "right", "")))
    assert progress.complete
    assert str(progress).startswith("All done: 2 of 2")
    ElementTree.fromstring(f"<body>{progress._repr_html_()}</body>")


def test_an_unknown_exercise_is_told_with_the_known_ones(fresh_lab):
    for asked in (fresh_lab.check(np.exp), fresh_lab.check(np.tanh, exercise="sigmoyd")):
        assert asked.id == "unknown" and "`forget_gate`" in asked.message
    assert "no exercise `exp`" in fresh_lab.hint(np.exp).text
    assert fresh_lab.progress().done == 0


# --- a student's own errors --------------------------------------------------------------------


def test_nothing_but_a_function_can_be_checked(fresh_lab):
    result = fresh_lab.check(np.zeros(3), exercise="sigmoid")
    assert result.id == "not_a_function"
    assert "the type ndarray" in result.message


@pytest.mark.parametrize(
    "line, diagnosis, said",
    [
        ("return 1 / (1 + ep)", "unknown_name", "`ep`"),
        ("s = s + z; return s", "unset_name", "`s`"),
        ("return z @ np.ones((99, 2))", "shapes_do_not_fit", "`z` (3, 4)"),
        ("return z + np.ones(99)", "shapes_do_not_fit", "`z` (3, 4)"),
        ("return {'a': 1}['b']", "unknown_key", "'b'"),
        ("return sigmoid(z)", "endless", "`sigmoid` calls itself"),
        ("exit()", "exit", "`exit`"),
        ("raise SystemExit", "exit", "`exit`"),
        ("return z.sigmoid()", "exception", "AttributeError"),
        ("assert False, 'no'", "exception", "AssertionError: no"),
        ("return ... * z", "placeholder", "`...`"),
        ("return (v for v in z.ravel())", "type", "a generator"),
        ("return 'soft'", "type", "a str"),
        ("return z * np.nan", "not_finite", "NaN"),
    ],
)
def test_an_error_of_the_students_is_explained_with_their_own_line(
    fresh_lab, line, diagnosis, said
):
    result = fresh_lab.check(student(f"def sigmoid(z):\n    {line}\n"))
    assert result.id == diagnosis, str(result)
    assert said in result.message
    if diagnosis not in ("type", "not_finite"):
        assert result.line == line


def test_the_line_is_the_students_even_deep_in_a_helper(fresh_lab):
    source = "def helper(v):\n    return np.linalg.inv(v)\ndef sigmoid(z):\n    return helper(z)\n"
    result = fresh_lab.check(student(source))
    assert result.line == "return np.linalg.inv(v)"
    assert "in `helper`, which your `sigmoid` calls" in result.message


def test_where_a_function_fails_only_for_some_sizes_they_are_named(fresh_lab):
    result = fresh_lab.check(student("def sigmoid(z):\n    return z if len(z) else z\n"))
    assert result.message.startswith("It fails for z of the shape ().")


def test_what_the_function_prints_is_shown_once_and_cut(fresh_lab, capsys):
    source = "def sigmoid(z):\n    for k in range(20): print('line', k)\n    return z\n"
    result = fresh_lab.check(student(source))
    assert capsys.readouterr().out == ""
    assert result.printed.splitlines() == [f"line {k}" for k in range(8)] + ["..."]
    assert "line 7" in str(result)


def test_warnings_of_the_students_do_not_reach_the_page(fresh_lab, recwarn):
    fresh_lab.check(student("def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n"))
    fresh_lab.check(student("def sigmoid(z):\n    return np.log(-z) / 0\n"))
    assert not recwarn.list


@pytest.mark.parametrize(
    "line",
    [
        "weights.clear()",
        "weights['f'] = None",
        "weights['f'] = (1, 2, 3, 4, 5)",
        "weights['new'] = np.zeros(3)",
        "x.resize((1, 1), refcheck=False)",
        "raise UnboundLocalError",
        "raise NameError",
        "raise KeyError",
        "return np.array([..., None])",
        "return 10**400, 'x'",
        "return np.array(['a']), np.array([object()])",
        "return np.matrix([[1]]), np.zeros(0)",
        "return ..., 1",
        "return {}, set()",
        "return (), []",
    ],
)
def test_whatever_a_student_does_there_is_a_result(fresh_lab, line):
    source = f"def lstm_step(x, h, c, weights):\n    {line}\n    return h, c\n"
    assert not fresh_lab.check(student(source, "lstm_step"))


def test_a_callable_without_a_name_can_be_checked(fresh_lab):
    result = fresh_lab.check(functools.partial(np.linalg.inv), exercise="sigmoid")
    assert result.id == "exception"


# --- what an exercise declares -----------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """Arguments of every kind: an array with NaN in it, a tuple, a list, a dict, numbers."""

    x: np.ndarray
    weights: tuple[np.ndarray, ...]
    layers: list[np.ndarray]
    options: dict[str, float]
    label = "3 numbers"


def _mixes(rng: np.random.Generator) -> list[_Case]:
    def arrays(count: int) -> list[np.ndarray]:
        return list(rng.normal(size=(count, 3)))

    return [
        _Case(np.append(rng.normal(size=3), np.nan), (*arrays(4),), arrays(2), _options(rng))
        for _ in range(5)
    ]


def _options(rng: np.random.Generator) -> dict[str, float]:
    return {"rate": rng.uniform(1, 2), "power": 1}


def mix(x, weights, layers, options):
    return (x[:3] + sum(weights) + sum(layers)) * options["rate"] ** options["power"]


MIX = Exercise(
    name="mix",
    arguments=("x", "weights", "layers", "options"),
    parts={"weights": ("W", "U", "b", "p")},
    returns=(Value("y", "(3,)"),),
    cases=_mixes,
    extremes=lambda rng: {},
    given=lambda case: (case.x, case.weights, case.layers, case.options),
    truth=lambda case: (mix(case.x, case.weights, case.layers, case.options),),
    answer=mix,
    misconceptions=(),
    probes=(),
    hints=(),
    insight="",
)


def _mixed(line: str, exercise: Exercise = MIX) -> Result:
    source = (
        f"def mix(x, weights, layers, options):\n    y = (x[:3] + sum(weights) + sum(layers))"
        f" * options['rate'] ** options['power']\n    {line}\n    return y\n"
    )
    return Lab(exercise, solved="").check(student(source, "mix"))


def test_arguments_of_every_kind_can_be_given():
    assert _mixed("pass")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("weights[0][0] = 0", "`W` of `weights`"),
        ("weights[3][0] = 0", "`p` of `weights`"),
        ("layers[1] *= 2", "`layers[1]`"),
        ("layers.append(x)", "`layers`"),
        ("layers[:] = [None, layers[1]]", "`layers[0]`"),
        ("options['rate'] = 0", '`options["rate"]`'),
        ("options['new'] = options", "`options`"),
        ("x[3] = 0", "`x`"),
    ],
)
def test_whatever_part_of_an_argument_is_changed_is_named(line, named):
    result = _mixed(line)
    assert result.id == "changed_argument"
    assert f"changes {named}," in result.message


def test_a_part_that_no_exercise_declares_has_its_number():
    assert "changes `weights[3]`," in _mixed("weights[3][0] = 0", replace(MIX, parts={})).message


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("y = y - weights[3] * options['rate']", "`p` of `weights`"),
        ("y = y - layers[0] * options['rate']", "`layers[0]`"),
        ("y = y / options['rate']", '`options["rate"]`'),
    ],
)
def test_whatever_part_of_an_argument_makes_no_difference_is_named(line, named):
    result = _mixed(line)
    assert result.id == "ignored_argument"
    assert f"does not depend on {named} at all" in result.message


def test_the_keys_of_every_dict_come_in_any_order():
    result = _mixed("y = y * (1 + [*options.values()][1])")
    assert result.id == "order_of_keys" and "keys of `options`" in result.message


def test_what_is_the_same_in_all_cases_cannot_make_a_difference():
    assert _mixed("y = 2 * y").id == "values"


def test_whole_numbers_are_whole_where_the_answer_is():
    largest = replace(
        MIX,
        name="largest",
        truth=lambda case: (np.argsort(case.weights[0]),),
        answer=lambda x, weights, layers, options: np.argsort(weights[0]),
    )
    assert Lab(largest, solved="").check(largest.answer, exercise="largest")
