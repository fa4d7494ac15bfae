"""The same wrong answer gets the same diagnosis every time, whatever numbers are drawn.

A mistake that depends on the numbers passes some small cases by luck. That is no evidence of a
mistake in the shapes.
"""

import pytest

from lstm_lab.labs import gates

from .typed import SIGMOID, notebook

TIMES = 30

DEPENDS_ON_THE_NUMBERS = {
    # the values, wrong for one sign or beyond a bound
    "abs": ("sigmoid", "values", "return 1 / (1 + np.exp(-abs(z)))"),
    "minus abs": ("sigmoid", "values", "return 1 / (1 + np.exp(abs(z)))"),
    "relu": ("sigmoid", "values", "return 1 / (1 + np.exp(-np.maximum(z, 0)))"),
    "hard": ("sigmoid", "values", "return np.clip(z / 4 + 0.5, 0, 1)"),
    "bounded by 1": ("sigmoid", "values", "return 1 / (1 + np.exp(-np.clip(z, -1, 1)))"),
    "bounded by 3": ("sigmoid", "values", "return 1 / (1 + np.exp(-np.clip(z, -3, 3)))"),
    "bounded by 5": ("sigmoid", "close", "return 1 / (1 + np.exp(-np.clip(z, -5, 5)))"),
    "bounded by 10": ("sigmoid", "limits", "return 1 / (1 + np.exp(-np.clip(z, -10, 10)))"),
    "switched far out": (
        "sigmoid",
        "values",
        "return np.where(abs(z) > 3, z > 0, 1 / (1 + np.exp(-z)))",
    ),
    "a step far out": ("sigmoid", "values", "return (z > 6) * 1.0"),
    "a gate that opens far out": (
        "forget_gate",
        "values",
        "W, U, b = weights\n    return (x @ W.T + h @ U.T + b > 9) * 0.5",
    ),
    # exceptions, NaN and shapes that come with the numbers
    "only for positive numbers": (
        "sigmoid",
        "exception",
        "if np.any(z < 0): raise ValueError('negative')\n    return 1 / (1 + np.exp(-z))",
    ),
    "a logarithm": ("sigmoid", "not_finite", "return np.exp(-np.log1p(np.exp(-z))) + 0 * z**0.5"),
    "picked": ("sigmoid", "shape_varies", "s = 1 / (1 + np.exp(-z))\n    return s[s > 0.5]"),
    "a list of those above 0": ("sigmoid", "type", "return [v for v in np.ravel(z) if v > 0]"),
    "bounded in place": (
        "sigmoid",
        "changed_argument",
        "if z.ndim: np.clip(z, -5, 5, out=z)\n    return 0.5 + 0.5 * np.tanh(0.5 * z)",
    ),
    "memory without its sign": ("cell_update", "values", "return f * abs(c) + i * g"),
    "relu of the sum": (
        "forget_gate",
        "values",
        "W, U, b = weights\n    return sigmoid(np.maximum(x @ W.T + h @ U.T + b, 0))",
    ),
    "by position": (
        "lstm_step",
        "order_of_keys",
        "i, f, o, g = (sigmoid(x @ W.T + h @ U.T + b) for W, U, b in weights.values())\n"
        "    c = f * c + i * (2 * g - 1)\n    return o * np.tanh(c), c",
    ),
}


@pytest.mark.parametrize(
    ("exercise", "diagnosis", "body"),
    DEPENDS_ON_THE_NUMBERS.values(),
    ids=DEPENDS_ON_THE_NUMBERS.keys(),
)
def test_one_mistake_is_told_in_one_way(fresh_lab, exercise, diagnosis, body):
    arguments = ", ".join(gates.LAB.exercises[exercise].arguments)
    function = notebook(SIGMOID, f"def {exercise}({arguments}):\n    {body}")[exercise]
    told = {fresh_lab.check(function) for _ in range(TIMES)}
    assert len(told) == 1, "\n".join(sorted(map(str, told)))
    (result,) = told
    assert result.id == diagnosis, str(result)
    assert "some sizes" not in str(result)


def test_a_mistake_of_one_sign_is_told_by_the_sign(fresh_lab):
    function = notebook("def sigmoid(z): return 1 / (1 + np.exp(-abs(z)))")["sigmoid"]
    message = fresh_lab.check(function).message
    assert "Right when z is 0; when z is positive." in message
    assert "Wrong when z is negative." in message
