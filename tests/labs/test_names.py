"""Which function is meant, and which names it reads: told by the code, not by what lies around."""

import functools

import numpy as np
import pytest

from lstm_lab.labs.functions import home, names_read, written

from .typed import SIGMOID, notebook

FORGET = """
def forget_gate(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + h @ U.T + b)
"""


# --- whatever can be called --------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "sigmoid = lambda z: 0.5 + 0.5 * np.tanh(0.5 * z)",
        "def curve(z, a): return a + a * np.tanh(a * z)\n"
        "import functools; sigmoid = functools.partial(curve, a=0.5)",
        "class Curve:\n    def __call__(self, z): return 0.5 + 0.5 * np.tanh(0.5 * z)\n"
        "sigmoid = Curve()",
        "class Curve:\n    def curve(self, z): return 0.5 + 0.5 * np.tanh(0.5 * z)\n"
        "sigmoid = Curve().curve",
        "import functools\n"
        "def plain(f):\n"
        "    def inner(*args): return f(*args)\n"
        "    return inner\n"
        "@plain\n" + SIGMOID,
        "import functools\n"
        "def kept(f):\n"
        "    @functools.wraps(f)\n"
        "    def inner(*args, **named): return f(*args, **named)\n"
        "    return inner\n"
        "@kept\n" + SIGMOID,
        "sigmoid = np.vectorize(lambda v: 0.5 + 0.5 * np.tanh(v / 2), otypes=[float])",
        "def my_own(z): return 0.5 + 0.5 * np.tanh(0.5 * z)\nsigmoid = my_own",
        "def sigmoid(*numbers): return 0.5 + 0.5 * np.tanh(0.5 * numbers[0])",
        "def sigmoid(numbers, /, scale=0.5): return scale + scale * np.tanh(scale * numbers)",
    ],
    ids=["lambda", "partial", "object", "method", "decorated", "wraps", "vectorize", "alias"]
    + ["starred", "positional"],
)
def test_whatever_can_be_called_is_marked(fresh_lab, cell):
    names = notebook(cell, "asked = lambda: check(sigmoid)", check=fresh_lab.check)
    result = names["asked"]()
    assert (result.exercise, result.id) == ("sigmoid", "right"), str(result)
    names = notebook(cell, "asked = lambda: hint(sigmoid)", hint=fresh_lab.hint)
    assert names["asked"]().exercise == "sigmoid"


@pytest.mark.parametrize(
    "cell",
    [
        "sigmoid = lambda z: np.tanh(z)",
        "import functools\nsigmoid = functools.partial(lambda a, z: np.tanh(z), 1)",
        "class Curve:\n    def __call__(self, z): return np.tanh(z)\nsigmoid = Curve()",
    ],
)
def test_a_mistake_in_whatever_can_be_called_is_told_where_it_is(fresh_lab, cell):
    names = notebook(
        cell,
        FORGET,
        "asked = lambda: (check(sigmoid), check(forget_gate))",
        check=fresh_lab.check,
    )
    own, built_on_it = names["asked"]()
    assert own.id == "tanh"
    assert built_on_it.id == "inherited" and "`sigmoid`" in built_on_it.message


def test_a_function_in_a_partial_is_marked_with_right_helpers(fresh_lab):
    names = notebook(
        "def sigmoid(z): return np.tanh(z)",
        "import functools\ndef gate(x, h, weights, squash):\n    W, U, b = weights\n"
        "    return sigmoid(x @ W.T + h @ U.T + b)",
        "forget_gate = functools.partial(gate, squash=None)",
        "asked = lambda: check(forget_gate)",
        check=fresh_lab.check,
    )
    assert names["asked"]().id == "inherited"


@pytest.mark.parametrize("value", ["sigmoid(np.zeros(3))", "sigmoid(0.5)", "None", "(1, 2)"])
def test_the_result_in_the_place_of_the_function_is_told(fresh_lab, value):
    names = notebook(SIGMOID, f"asked = lambda: check({value})", check=fresh_lab.check)
    result = names["asked"]()
    assert result.id == "not_a_function"
    assert "the function itself, not its result" in result.message
    assert "`check(sigmoid)`" in result.message
    assert "no exercise" not in result.message


def test_a_name_in_quotes_is_told(fresh_lab):
    result = fresh_lab.check("forget_gate")
    assert result.id == "not_a_function" and "quotes: `check(forget_gate)`" in result.message


def test_an_overwritten_function_is_told_at_its_own_check(fresh_lab):
    names = notebook(
        SIGMOID,
        "sigmoid = sigmoid(np.zeros(3))",
        "asked = lambda: check(sigmoid)",
        check=fresh_lab.check,
    )
    result = names["asked"]()
    assert (result.exercise, result.id) == ("sigmoid", "not_a_function")
    assert "`sigmoid` is not your function any more" in result.message


# --- the names that are read -------------------------------------------------------------------

SCRATCH = """
exp, shape, T, sum, e, concatenate, f, W_f, size = (np.ones((3, 4)) for _ in range(9))
tanh = dot = weights = {"i": (np.ones(3), 1)}
del sum
"""


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("return 1 / (1 + np.exp(-z)) + z.T.T * 0 + 0.25 * (z.shape == ())", "overflow"),
        ("return np.reshape(2 / (1 + np.exp(-z)), z.shape) + 0.1", "values"),
        ("return z.T @ np.ones((99, 2))", "shapes_do_not_fit"),
        ("T = z.T\n    return (lambda exp: exp * 3)(T).T", "values"),
    ],
)
def test_scratch_variables_of_the_notebook_mean_nothing(fresh_lab, body, diagnosis):
    body = body.replace(" + 0.25 * (z.shape == ())", "")
    result = fresh_lab.check(notebook(SCRATCH, f"def sigmoid(z):\n    {body}")["sigmoid"])
    assert result.id == diagnosis, str(result)
    assert "notebook" not in result.message


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("def sigmoid(z): return z * W_f", "Your function reads `W_f`"),
        ("def sigmoid(z): return [z * W_f for _ in '1'][0]", "Your function reads `W_f`"),
        ("sigmoid = lambda z: z * W_f", "Your function reads `W_f`"),
        ("def sigmoid(z):\n    def inner(): return z * W_f\n    return inner()", "reads `W_f`"),
        ("def sigmoid(z): return z * weights['i'][0].sum()", "Your function reads `weights`"),
        (
            "class Curve:\n    def __call__(self, z): return z * W_f\nsigmoid = Curve()",
            "Your function reads `W_f`",
        ),
        (
            "def helper(z): return z * W_f\ndef sigmoid(z): return helper(z)",
            "Your function works with `helper`, which reads `W_f`",
        ),
    ],
)
def test_a_variable_that_is_read_is_told(fresh_lab, cell, said):
    result = fresh_lab.check(notebook(SCRATCH, cell)["sigmoid"], exercise="sigmoid")
    assert result.id == "notebook_variable" and said in result.message, str(result)


def test_an_error_in_a_decorated_function_is_its_own(fresh_lab):
    names = notebook(
        "def plain(f):\n    def inner(*args): return f(*args)\n    return inner",
        "@plain\ndef sigmoid(z):\n    return z + y",
    )
    result = fresh_lab.check(names["sigmoid"], exercise="sigmoid")
    assert (result.id, result.line) == ("unknown_name", "return z + y")
    assert "which your" not in result.message


def test_a_constant_that_holds_no_array_is_no_variable_of_the_notebook(fresh_lab):
    names = notebook("PAIR = ('i', 'f')", "def sigmoid(z): return z * len(PAIR)")
    assert fresh_lab.check(names["sigmoid"]).id == "values"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("sigmoid = np.ones(3)", "`sigmoid`. In this notebook that is not your function any more"),
        ("sigmoid = 0.5", "some cell has made a float of it"),
    ],
)
def test_an_overwritten_sigmoid_is_told_as_what_it_is(fresh_lab, cell, said):
    result = fresh_lab.check(notebook(SIGMOID, FORGET, cell)["forget_gate"])
    assert result.id == "overwritten_name" and said in result.message
    assert "its arguments alone" not in result.message


def test_an_overwritten_function_of_pythons_is_told(fresh_lab):
    names = notebook("sum = 3", "def sigmoid(z): return sum([z, z])")
    result = fresh_lab.check(names["sigmoid"])
    assert result.id == "overwritten_name" and "`del sum`" in result.message


def test_an_overwritten_name_that_does_no_harm_is_not_mentioned(fresh_lab):
    names = notebook("sum = 3", "def sigmoid(z): return 2 * z if len(str(sum)) else 0")
    assert fresh_lab.check(names["sigmoid"]).id == "values"


def test_code_is_looked_into_through_what_is_wrapped_around_it():
    names = notebook(
        "import functools\n"
        "def kept(f):\n    def inner(*args): return f(*args)\n    return inner\n"
        "@kept\ndef sigmoid(z): return z.shape, z.exp, A\n"
        "outer = functools.lru_cache(functools.partial(sigmoid))"
    )
    assert "A" in dict(names_read(names["sigmoid"]))
    assert not {"shape", "exp"} & dict(names_read(names["sigmoid"])).keys()
    assert home(names["outer"]) is names and written(np.tanh) is None
    assert written(functools.partial(np.tanh)) is None and home(np.tanh) == {}


# --- the placeholder ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "return np.einsum('b.,h->bh', z, z)",
        "return np.einsum('...i,i..->...', z, z)",
        "return z[..., 99]",
        "raise ValueError('ellipsis')",
    ],
)
def test_dots_that_are_meant_are_no_placeholder(fresh_lab, line):
    result = fresh_lab.check(notebook(f"def sigmoid(z):\n    {line}")["sigmoid"])
    assert result.id == "exception" and result.status == "wrong", str(result)


@pytest.mark.parametrize(
    "line",
    [
        "return z * ...",
        "return z @ ...",
        "return np.exp(...)",
        "s = ...; return s.sum()",
        "s = ...; return z @ s",
        "s = ...; return float(s)",
        "s, t = ...; return s",
    ],
)
def test_a_placeholder_is_told(fresh_lab, line):
    result = fresh_lab.check(notebook(f"def sigmoid(z):\n    {line}")["sigmoid"])
    assert (result.id, result.status) == ("placeholder", "todo"), str(result)


def test_a_letter_in_quotes_and_an_attribute_are_no_variables_of_the_line(fresh_lab):
    names = notebook(
        "def lstm_step(x, h, c, weights):\n    f = T = np.zeros(3)\n"
        "    return weights['f'][0].T @ np.zeros(99)"
    )
    message = fresh_lab.check(names["lstm_step"]).message
    assert "do not fit" in message and "`f`" not in message and "`T`" not in message
