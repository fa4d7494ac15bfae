"""When a check says "right", it is: subtle mistakes that no misconception foresees are refused.

Each is right on most inputs, or looks so: on one sign, on ordinary numbers, on one order of keys,
on the first call, on new arrays, to seven digits.
"""

import numpy as np
import pytest

from lstm_lab.labs import gates

from .shipped import EVERY
from .typed import SIGMOID, notebook

(SHIPPED,) = (each for each in EVERY if each.module is gates)

SUBTLE = {
    "sigmoid": {
        "one branch for the whole array": (
            "limits",
            """
            if np.all(z >= 0):
                return 1 / (1 + np.exp(-z))
            e = np.exp(z)
            return e / (1 + e)
            """,
        ),
        "one branch for the whole array, values right": (
            "one_formula_for_all",
            """
            if np.all(z >= 0):
                return 1 / (1 + np.exp(-z))
            return 1 - 1 / (1 + np.exp(z))
            """,
        ),
        "one branch by the mean": (
            "limits",
            """
            e = np.exp(-abs(z))
            return 1 / (1 + e) if z.mean() > 900 else np.exp(z) / (1 + np.exp(z))
            """,
        ),
        "huge values clipped in place": (
            "changed_argument",
            """
            if np.ndim(z): np.clip(z, -500, 500, out=z)
            return 1 / (1 + np.exp(-np.clip(z, -500, 500)))
            """,
        ),
        "huge values set in place": (
            "changed_argument",
            """
            if np.ndim(z): z[z < -700] = -700
            return 1 / (1 + np.exp(-np.maximum(z, -700)))
            """,
        ),
        "zero forgotten": (
            "limits",
            """
            e = np.exp(-abs(z))
            return np.where(z > 0, 1 / (1 + e), np.where(z < 0, e / (1 + e), 0))
            """,
        ),
        "by the sign": (
            "limits",
            "return 0.5 + np.sign(z) * (1 / (1 + np.exp(-abs(z))) - 0.5) + 0.5 * (z == 0)",
        ),
        "clipped too early": ("limits", "return 1 / (1 + np.exp(-np.clip(z, -15, 15)))"),
        "exponent capped on one side": ("limits", "return 1 / (1 + np.exp(-np.maximum(z, -12)))"),
        "rounded to five digits": ("close", "return np.round(0.5 + 0.5 * np.tanh(0.5 * z), 5)"),
        "rounded to ten digits": ("close", "return np.round(0.5 + 0.5 * np.tanh(0.5 * z), 10)"),
        "float32 on the way": (
            "close",
            "return 0.5 + 0.5 * np.tanh(0.5 * z.astype(np.float32)).astype(np.float64)",
        ),
        "float16 comes out": (
            "precision",
            "return (0.5 + 0.5 * np.tanh(0.5 * z)).astype(np.float16)",
        ),
        "a small constant for safety": ("close", "return 1e-6 + 0.5 + 0.5 * np.tanh(0.5 * z)"),
        "kept between calls": (
            "not_repeatable",
            """
            global calls
            calls = globals().get("calls", 0) + 1
            return 0.5 + 0.5 * np.tanh(0.5 * z) + 1e-3 * (calls > 12)
            """,
        ),
        "one array for all calls": (
            "reused_array",
            """
            buffer = globals().setdefault("buffers", {}).setdefault(z.shape, np.empty(z.shape))
            buffer[...] = 0.5 + 0.5 * np.tanh(0.5 * z)
            return buffer
            """,
        ),
        "earlier results overwritten": (
            "reused_array",
            """
            s = np.array(0.5 + 0.5 * np.tanh(0.5 * z))
            for old in globals().setdefault("kept", []): old[...] = 0
            kept.append(s)
            return s
            """,
        ),
        "remembered by shape": (
            "constant",
            """
            known = globals().setdefault("known", {})
            if z.shape not in known:
                known[z.shape] = 0.5 + 0.5 * np.tanh(0.5 * z)
            return known[z.shape] + 0
            """,
        ),
        "a flat copy is filled": (
            "memory_layout",
            """
            s = np.empty_like(z)
            s.reshape(-1)[:] = (0.5 + 0.5 * np.tanh(0.5 * z)).reshape(-1)
            return s
            """,
        ),
        "noise": (
            "not_repeatable",
            "return 0.5 + 0.5 * np.tanh(0.5 * z) + 1e-6 * np.random.normal(size=z.shape)",
        ),
        "a matrix": (
            "type",
            "return (np.asmatrix if z.ndim == 2 else np.array)(0.5 + 0.5 * np.tanh(0.5 * z))",
        ),
        "a masked array": ("type", "return np.ma.array(0.5 + 0.5 * np.tanh(0.5 * z))"),
        "complex": ("type", "return 0.5 + 0.5 * np.tanh(0.5 * z) + 0j"),
        "objects": ("type", "return (0.5 + 0.5 * np.tanh(0.5 * z) + np.zeros(1)).astype(object)"),
        "absolute value": ("values", "return 1 / (1 + np.exp(-abs(z)))"),
        "another shape": ("shape", "return 0.5 + 0.5 * np.tanh(0.5 * np.atleast_1d(z))"),
    },
    "forget_gate": {
        "batch of one squeezed": (
            "some_sizes",
            """
            W, U, b = weights
            f = sigmoid(x @ W.T + h @ U.T + b)
            return f if len(x) > 1 else f.mean(axis=1, keepdims=True) + 0 * f
            """,
        ),
        "mean over the batch": (
            "batch",
            """
            W, U, b = weights
            return sigmoid(x @ W.T + (h @ U.T).mean(axis=0) + b)
            """,
        ),
        "normalised over the batch": (
            "values",
            """
            W, U, b = weights
            z = x @ W.T + h @ U.T + b
            return sigmoid(z - 0.5 * z.mean(axis=0))
            """,
        ),
        "turned round where it fits": (
            "some_sizes",
            """
            W, U, b = weights
            return sigmoid((x @ W if x.shape[1] == len(W) else x @ W.T) + h @ U.T + b)
            """,
        ),
        "bias along the batch where it fits": (
            "some_sizes",
            """
            W, U, b = weights
            z = x @ W.T + h @ U.T
            return sigmoid(z + (b[:, None] if len(b) == len(x) else b))
            """,
        ),
        "bias broadcast from one cell": (
            "some_sizes",
            """
            W, U, b = weights
            return sigmoid(x @ W.T + h @ U.T + (b if len(b) > 1 else 0))
            """,
        ),
        "sums clipped": (
            "limits",
            """
            W, U, b = weights
            return sigmoid(np.clip(x @ W.T + h @ U.T + b, -10, 10))
            """,
        ),
        "zeros are filled in place": (
            "changed_argument",
            """
            W, U, b = weights
            h[h == 0] = 1e-12
            return sigmoid(x @ W.T + h @ U.T + b)
            """,
        ),
        "the bias is left in h": (
            "changed_argument",
            """
            W, U, b = weights
            f = sigmoid(x @ W.T + h @ U.T + b)
            h *= 1.0000001
            return f
            """,
        ),
        "the state of zeros is special": (
            "limits",
            """
            W, U, b = weights
            return sigmoid(x @ W.T + h @ U.T + (b if h.any() else 0 * b))
            """,
        ),
        "single weights": (
            "close",
            """
            W, U, b = (w.astype(np.float32) for w in weights)
            return sigmoid(x @ W.T + h @ U.T + b)
            """,
        ),
        "half a unit of dropout": (
            "not_repeatable",
            """
            W, U, b = weights
            return sigmoid((x * (np.random.rand(*x.shape) > 0.1)) @ W.T + h @ U.T + b)
            """,
        ),
    },
    "input_and_candidate": {
        "the gate is one array for all calls": (
            "reused_array",
            """
            (W, U, b), (V, R, a) = weights_i, weights_g
            i = sigmoid(x @ W.T + h @ U.T + b)
            same = globals().setdefault("held", {}).setdefault(i.shape, i)
            same[...] = i
            return same, np.tanh(x @ V.T + h @ R.T + a)
            """,
        ),
        "candidate clipped": (
            "values",
            """
            (W, U, b), (V, R, a) = weights_i, weights_g
            g = np.tanh(x @ V.T + h @ R.T + a)
            return sigmoid(x @ W.T + h @ U.T + b), np.clip(g, -0.8, 0.8)
            """,
        ),
        "candidate by hand": (
            "limits",
            """
            (W, U, b), (V, R, a) = weights_i, weights_g
            e = np.exp(x @ V.T + h @ R.T + a)
            return sigmoid(x @ W.T + h @ U.T + b), (e - 1 / e) / (e + 1 / e)
            """,
        ),
        "a dictionary of both": (
            "count",
            """
            (W, U, b), (V, R, a) = weights_i, weights_g
            return {"i": sigmoid(x @ W.T + h @ U.T + b), "g": np.tanh(x @ V.T + h @ R.T + a)}
            """,
        ),
    },
    "cell_update": {
        "an empty memory is skipped": (
            "limits",
            "return np.where(c != 0, f * c + i * g, 0)",
        ),
        "the memory is bounded": ("limits", "return np.clip(f * c + i * g, -50, 50)"),
        "the largest is bounded in place": (
            "changed_argument",
            """
            new = f * c + i * g
            c[abs(c) > 1e8] = 0
            c[abs(c) > 900] *= 1 + 1e-9
            return new
            """,
        ),
        "the memory's size": ("values", "return f * abs(c) + i * g"),
        "the first sequence's gate": ("batch", "return f[:1] * c + i * g"),
        "the last cell is not written": (
            "some_sizes",
            "return f * c + i * g * (np.arange(c.shape[1]) < 3)",
        ),
        "written into the candidate": (
            "changed_argument",
            """
            g *= i
            return f * c + g
            """,
        ),
        "the old memory, remembered": (
            "not_repeatable",
            """
            old = globals().get("old_" + str(c.shape), c)
            globals()["old_" + str(c.shape)] = c
            return f * old + i * g
            """,
        ),
    },
    "hidden_state": {
        "gate and state share an array": (
            "values",
            """
            W, U, b = weights
            o = sigmoid(x @ W.T + h @ U.T + b)
            h_new = o
            h_new *= np.tanh(c_new)
            return o, h_new
            """,
        ),
        "a straight line for tanh where it is near": (
            "close",
            """
            W, U, b = weights
            o = sigmoid(x @ W.T + h @ U.T + b)
            return o, o * np.where(abs(c_new) < 0.1, c_new, np.tanh(c_new))
            """,
        ),
        "in a list of lists": (
            "type",
            """
            W, U, b = weights
            o = sigmoid(x @ W.T + h @ U.T + b)
            return o, (o * np.tanh(c_new)).tolist()
            """,
        ),
        "the memory is squashed in place": (
            "changed_argument",
            """
            W, U, b = weights
            o = sigmoid(x @ W.T + h @ U.T + b)
            return o, o * np.tanh(c_new, out=c_new)
            """,
        ),
    },
    "lstm_step": {
        "the dictionary by position": (
            "order_of_keys",
            """
            i, f, o, g = (x @ W.T + h @ U.T + b for W, U, b in weights.values())
            c_new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            return sigmoid(o) * np.tanh(c_new), c_new
            """,
        ),
        "the dictionary by another position": (
            "order_of_keys",
            """
            f, i, g, o = (x @ W.T + h @ U.T + b for W, U, b in weights.values())
            c_new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            return sigmoid(o) * np.tanh(c_new), c_new
            """,
        ),
        "the last of the dictionary": (
            "order_of_keys",
            """
            z = {k: x @ W.T + h @ U.T + b for k, (W, U, b) in weights.items()}
            c_new = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["g"])
            return sigmoid([*z.values()][2]) * np.tanh(c_new), c_new
            """,
        ),
        "a key is taken out": (
            "changed_argument",
            """
            z = {k: x @ W.T + h @ U.T + b for k, (W, U, b) in weights.items()}
            weights.pop("o")
            c_new = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["g"])
            return sigmoid(z["o"]) * np.tanh(c_new), c_new
            """,
        ),
        "the state is carried in a global": (
            "not_repeatable",
            """
            z = {k: x @ W.T + h @ U.T + b for k, (W, U, b) in weights.items()}
            last = globals().get("last", c)
            c_old = last if last.shape == c.shape else c
            c_new = sigmoid(z["f"]) * c_old + sigmoid(z["i"]) * np.tanh(z["g"])
            globals()["last"] = c_new
            return sigmoid(z["o"]) * np.tanh(c_new), c_new
            """,
        ),
        "the first step is special": (
            "limits",
            """
            z = {k: x @ W.T + h @ U.T + b for k, (W, U, b) in weights.items()}
            c_new = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["g"])
            if not c.any(): c_new = np.tanh(z["g"])
            return sigmoid(z["o"]) * np.tanh(c_new), c_new
            """,
        ),
        "the new memory is written over the old": (
            "changed_argument",
            """
            z = {k: x @ W.T + h @ U.T + b for k, (W, U, b) in weights.items()}
            c[:] = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["g"])
            h[:] = sigmoid(z["o"]) * np.tanh(c)
            return h, c
            """,
        ),
    },
}

EACH = [
    pytest.param(exercise, *subtle, id=f"{exercise}-{name}")
    for exercise, all_of_it in SUBTLE.items()
    for name, subtle in all_of_it.items()
]


def student(exercise: str, body: str):
    """The function of an exercise with this body, in a notebook with a right sigmoid."""
    arguments = ", ".join(gates.LAB.exercises[exercise].arguments)
    body = "\n".join("    " + line for line in body.replace(" " * 12, "").strip().splitlines())
    return notebook(SIGMOID, f"def {exercise}({arguments}):\n{body}")[exercise]


@pytest.mark.parametrize(("exercise", "diagnosis", "body"), EACH)
def test_what_is_nearly_right_is_refused(fresh_lab, exercise, diagnosis, body):
    result = fresh_lab.check(student(exercise, body))
    assert not result
    assert result.id == diagnosis, str(result)
    assert not [line for line in SHIPPED.solution if line in result.message]


def test_an_overflow_is_seen_where_no_line_can_be_shown(fresh_lab):
    names = {"np": np}
    exec("def sigmoid(z): return 1 / (1 + np.exp(-z))", names)
    assert fresh_lab.check(names["sigmoid"]).id == "overflow"
