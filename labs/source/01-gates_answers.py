"""Answers to lab 01, right and wrong, as students write them.

Every right one must pass; every wrong one must get the diagnosis that stands beside it. The names
of the functions say what each is; `check` is told which exercise it answers.
"""

import math

import numpy as np

RIGHT: list[tuple[str, object]] = []
"""(exercise, function)."""

WRONG: list[tuple[str, str, object]] = []
"""(exercise, id of the diagnosis, function)."""

GIVEN = ("W, U, b = weights",)
"""Lines of the solution that the page itself gives elsewhere."""


def right(exercise):
    """Register a right answer."""
    return lambda function: RIGHT.append((exercise, function)) or function


def wrong(exercise, diagnosis):
    """Register a wrong answer, and the diagnosis that it must get."""
    return lambda function: WRONG.append((exercise, diagnosis, function)) or function


# --- sigmoid -----------------------------------------------------------------------------------


@right("sigmoid")
def sigmoid(z):
    return 0.5 + 0.5 * np.tanh(0.5 * z)


@right("sigmoid")
def sigmoid_of_minus_abs(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


@right("sigmoid")
def sigmoid_by_mask(z):
    s = np.empty_like(z)
    positive = z >= 0
    s[positive] = 1 / (1 + np.exp(-z[positive]))
    e = np.exp(z[~positive])
    s[~positive] = e / (1 + e)
    return s


@right("sigmoid")
def sigmoid_clipped(z):
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


@right("sigmoid")
def sigmoid_by_logaddexp(z):
    return np.exp(-np.logaddexp(0, -z))


@wrong("sigmoid", "overflow")
def sigmoid_plain_formula(z):
    return 1 / (1 + np.exp(-z))


@wrong("sigmoid", "both_branches")
def sigmoid_where_on_both(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))


@wrong("sigmoid", "limits")
def sigmoid_nan_for_large(z):
    return np.exp(z) / (1 + np.exp(z))


@wrong("sigmoid", "mirrored")
def sigmoid_sign_forgotten(z):
    return 1 / (1 + np.exp(z))


@wrong("sigmoid", "tanh")
def sigmoid_is_tanh(z):
    return np.tanh(z)


@wrong("sigmoid", "too_steep")
def sigmoid_tanh_not_halved(z):
    return (np.tanh(z) + 1) / 2


@wrong("sigmoid", "threshold")
def sigmoid_as_switch(z):
    return (z > 0).astype(float)


@wrong("sigmoid", "softmax")
def sigmoid_as_softmax(z):
    return np.exp(z) / np.sum(np.exp(z))


@wrong("sigmoid", "brackets")
def sigmoid_without_brackets(z):
    return 1 / 1 + np.exp(-z)


@wrong("sigmoid", "no_exponential")
def sigmoid_without_exponential(z):
    return 1 / (1 + -z)


@wrong("sigmoid", "derivative")
def sigmoid_slope(z):
    s = 1 / (1 + np.exp(-z))
    return s * (1 - s)


@wrong("sigmoid", "scalar_function")
def sigmoid_of_math(z):
    return 1 / (1 + math.exp(-z))


@wrong("sigmoid", "array_truth")
def sigmoid_with_if(z):
    if z >= 0:
        return 1 / (1 + np.exp(-z))
    return np.exp(z) / (1 + np.exp(z))


@wrong("sigmoid", "type")
def sigmoid_as_list(z):
    return [1 / (1 + math.exp(-v)) for v in z.ravel()]


@wrong("sigmoid", "precision")
def sigmoid_in_float32(z):
    return 0.5 + 0.5 * np.tanh(0.5 * z.astype(np.float32))


# --- forget gate -------------------------------------------------------------------------------


@right("forget_gate")
def forget_by_products(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + h @ U.T + b)


@right("forget_gate")
def forget_by_columns(x, h, weights):
    W, U, b = weights
    return sigmoid((W @ x.T + U @ h.T).T + b)


@right("forget_gate")
def forget_by_one_product(x, h, weights):
    W, U, b = weights
    both = np.concatenate([x, h], axis=1)
    return sigmoid(both @ np.concatenate([W, U], axis=1).T + b)


@right("forget_gate")
def forget_by_loops(x, h, weights):
    W, U, b = weights
    f = np.zeros((len(x), len(b)))
    for row in range(len(x)):
        for cell in range(len(b)):
            z = np.dot(W[cell], x[row]) + np.dot(U[cell], h[row]) + b[cell]
            f[row, cell] = sigmoid(z)
    return f


@right("forget_gate")
def forget_by_einsum(x, h, weights):
    W, U, b = weights
    return sigmoid(np.einsum("bd,hd->bh", x, W) + np.einsum("bk,hk->bh", h, U) + b)


@wrong("forget_gate", "no_bias")
def forget_no_bias(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + h @ U.T)


@wrong("forget_gate", "no_recurrence")
def forget_no_recurrence(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + b)


@wrong("forget_gate", "no_input")
def forget_no_input(x, h, weights):
    W, U, b = weights
    return sigmoid(h @ U.T + b)


@wrong("forget_gate", "tanh")
def forget_tanh(x, h, weights):
    W, U, b = weights
    return np.tanh(x @ W.T + h @ U.T + b)


@wrong("forget_gate", "binary")
def forget_binary(x, h, weights):
    W, U, b = weights
    return np.round(sigmoid(x @ W.T + h @ U.T + b))


@wrong("forget_gate", "swapped_matrices")
def forget_swapped_matrices(x, h, weights):
    U, W, b = weights
    return sigmoid(x @ W.T + h @ U.T + b)


@wrong("forget_gate", "transposed")
def forget_transposed(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W + h @ U + b)


@wrong("forget_gate", "transposed_recurrence")
def forget_transposed_recurrence(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + h @ U + b)


@wrong("forget_gate", "transposed_input")
def forget_transposed_input(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W + h @ U.T + b)


@wrong("forget_gate", "not_squashed")
def forget_not_squashed(x, h, weights):
    W, U, b = weights
    return x @ W.T + h @ U.T + b


@wrong("forget_gate", "bias_outside")
def forget_bias_outside(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + h @ U.T) + b


@wrong("forget_gate", "squashed_apart")
def forget_squashed_apart(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T) + sigmoid(h @ U.T + b)


@wrong("forget_gate", "upside_down")
def forget_upside_down(x, h, weights):
    W, U, b = weights
    return 1 - sigmoid(x @ W.T + h @ U.T + b)


@wrong("forget_gate", "softmax")
def forget_softmax(x, h, weights):
    W, U, b = weights
    e = np.exp(x @ W.T + h @ U.T + b)
    return e / e.sum(axis=1, keepdims=True)


@wrong("forget_gate", "shape")
def forget_summed_over_cells(x, h, weights):
    W, U, b = weights
    return sigmoid((x @ W.T + h @ U.T + b).sum(axis=1))


@wrong("forget_gate", "shapes_do_not_fit")
def forget_product_does_not_fit(x, h, weights):
    W, U, b = weights
    return sigmoid(W @ x + U @ h + b)


@wrong("forget_gate", "ignored_argument")
def forget_two_mistakes_at_once(x, h, weights):
    W, U, b = weights
    return np.tanh(x @ W.T + b)


@wrong("forget_gate", "some_sizes")
def forget_four_features_at_most(x, h, weights):
    W, U, b = weights
    return sigmoid(x[:, :4] @ W[:, :4].T + h @ U.T + b)


@wrong("forget_gate", "unset_name")
def forget_name_before_its_value(x, h, weights):
    W, U, b = weights
    f = sigmoid(x @ W.T + z)
    z = h @ U.T + b
    return f


@wrong("forget_gate", "unknown_name")
def forget_slip_of_the_pen(x, h, weights):
    W, U, b = weights
    return sigmoid(X @ W.T + h @ U.T + b)  # noqa: F821


@wrong("forget_gate", "batch")
def forget_first_sequence_for_all(x, h, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + h[0] @ U.T + b)


@wrong("forget_gate", "values")
def forget_product_of_the_two(x, h, weights):
    W, U, b = weights
    return sigmoid((x @ W.T) * (h @ U.T) + b)


@wrong("forget_gate", "constant")
def forget_always_half(x, h, weights):
    return np.full(h.shape, 0.5)


@wrong("forget_gate", "changed_argument")
def forget_in_place(x, h, weights):
    W, U, b = weights
    b += 1
    return sigmoid(x @ W.T + h @ U.T + b - 1)


@wrong("forget_gate", "not_repeatable")
def forget_with_dropout(x, h, weights):
    W, U, b = weights
    noise = np.random.default_rng().normal(size=h.shape)
    return sigmoid(x @ W.T + h @ U.T + b + 0.01 * noise)


@wrong("forget_gate", "signature")
def forget_without_h(x, weights):
    W, U, b = weights
    return sigmoid(x @ W.T + b)


W_f, U_f, b_f = np.ones((5, 4)), np.ones((5, 5)), np.zeros(5)


@wrong("forget_gate", "notebook_variable")
def forget_with_the_notebooks_weights(x, h, weights):
    return sigmoid(x @ W_f.T + h @ U_f.T + b_f)


# --- input gate and candidate ------------------------------------------------------------------


@right("input_and_candidate")
def both_line_by_line(x, h, weights_i, weights_g):
    W_i, U_i, b_i = weights_i
    W_g, U_g, b_g = weights_g
    i = sigmoid(x @ W_i.T + h @ U_i.T + b_i)
    g = np.tanh(x @ W_g.T + h @ U_g.T + b_g)
    return i, g


@right("input_and_candidate")
def both_by_a_helper(x, h, weights_i, weights_g):
    def total(W, U, b):
        return np.dot(x, W.T) + np.dot(h, U.T) + b

    return sigmoid(total(*weights_i)), np.tanh(total(*weights_g))


@right("input_and_candidate")
def both_by_the_forget_gate(x, h, weights_i, weights_g):
    doubled = [2 * w for w in weights_g]
    return forget_by_products(x, h, weights_i), 2 * forget_by_products(x, h, doubled) - 1


def _gate(x, h, weights, squash):
    W, U, b = weights
    return squash(x @ W.T + h @ U.T + b)


@wrong("input_and_candidate", "swapped_return")
def both_returned_the_other_way(x, h, weights_i, weights_g):
    return _gate(x, h, weights_g, np.tanh), _gate(x, h, weights_i, sigmoid)


@wrong("input_and_candidate", "swapped_weights")
def both_with_swapped_weights(x, h, weights_i, weights_g):
    return _gate(x, h, weights_g, sigmoid), _gate(x, h, weights_i, np.tanh)


@wrong("input_and_candidate", "both_sigmoid")
def both_through_sigmoid(x, h, weights_i, weights_g):
    return _gate(x, h, weights_i, sigmoid), _gate(x, h, weights_g, sigmoid)


@wrong("input_and_candidate", "i_tanh")
def both_through_tanh(x, h, weights_i, weights_g):
    return _gate(x, h, weights_i, np.tanh), _gate(x, h, weights_g, np.tanh)


@wrong("input_and_candidate", "candidate_with_gate_weights")
def both_with_the_gates_weights(x, h, weights_i, weights_g):
    return _gate(x, h, weights_i, sigmoid), _gate(x, h, weights_i, np.tanh)


@wrong("input_and_candidate", "gate_with_candidate_weights")
def both_with_the_candidates_weights(x, h, weights_i, weights_g):
    return _gate(x, h, weights_g, sigmoid), _gate(x, h, weights_g, np.tanh)


@wrong("input_and_candidate", "already_gated")
def both_multiplied_already(x, h, weights_i, weights_g):
    i = _gate(x, h, weights_i, sigmoid)
    return i, i * _gate(x, h, weights_g, np.tanh)


@wrong("input_and_candidate", "relu")
def both_with_relu(x, h, weights_i, weights_g):
    return _gate(x, h, weights_i, sigmoid), np.maximum(_gate(x, h, weights_g, np.asarray), 0)


@wrong("input_and_candidate", "g_no_recurrence")
def both_candidate_of_input_alone(x, h, weights_i, weights_g):
    W, U, b = weights_g
    return _gate(x, h, weights_i, sigmoid), np.tanh(x @ W.T + b)


@wrong("input_and_candidate", "i_no_bias")
def both_gate_without_bias(x, h, weights_i, weights_g):
    W, U, b = weights_i
    return sigmoid(x @ W.T + h @ U.T), _gate(x, h, weights_g, np.tanh)


@wrong("input_and_candidate", "i_binary")
def both_gate_as_switch(x, h, weights_i, weights_g):
    i = _gate(x, h, weights_i, np.asarray) > 0
    return i.astype(float), _gate(x, h, weights_g, np.tanh)


@wrong("input_and_candidate", "count")
def both_as_a_product(x, h, weights_i, weights_g):
    return _gate(x, h, weights_i, sigmoid) * _gate(x, h, weights_g, np.tanh)


@wrong("input_and_candidate", "half")
def both_half_done(x, h, weights_i, weights_g):
    g = ...
    return _gate(x, h, weights_i, sigmoid), g


# --- cell update -------------------------------------------------------------------------------


@right("cell_update")
def cell_in_one_line(c, f, i, g):
    return f * c + i * g


@right("cell_update")
def cell_by_names(c, f, i, g):
    kept = np.multiply(c, f)
    written = np.multiply(g, i)
    return np.add(kept, written)


@right("cell_update")
def cell_in_a_copy(c, f, i, g):
    c = c.copy()
    c *= f
    c += i * g
    return c


@wrong("cell_update", "gates_swapped")
def cell_gates_swapped(c, f, i, g):
    return f * g + i * c


@wrong("cell_update", "no_input_gate")
def cell_no_input_gate(c, f, i, g):
    return f * c + g


@wrong("cell_update", "no_forget_gate")
def cell_of_1997(c, f, i, g):
    return c + i * g


@wrong("cell_update", "no_gates")
def cell_no_gates(c, f, i, g):
    return c + g


@wrong("cell_update", "product")
def cell_product(c, f, i, g):
    return (f * c) * (i * g)


@wrong("cell_update", "coupled")
def cell_coupled(c, f, i, g):
    return f * c + (1 - f) * g


@wrong("cell_update", "forget_upside_down")
def cell_forget_upside_down(c, f, i, g):
    return (1 - f) * c + i * g


@wrong("cell_update", "gate_added")
def cell_gate_added(c, f, i, g):
    return f * c + i + g


@wrong("cell_update", "forgets_the_new")
def cell_forgets_the_new(c, f, i, g):
    return f * (c + i * g)


@wrong("cell_update", "squashed_memory")
def cell_squashed_memory(c, f, i, g):
    return f * np.tanh(c) + i * g


@wrong("cell_update", "squashed_result")
def cell_squashed_result(c, f, i, g):
    return np.tanh(f * c + i * g)


@wrong("cell_update", "old_memory")
def cell_old_memory(c, f, i, g):
    f * c + i * g
    return c


@wrong("cell_update", "changed_argument")
def cell_in_place(c, f, i, g):
    c *= f
    c += i * g
    return c


@wrong("cell_update", "matrix_product")
def cell_matrix_product(c, f, i, g):
    return f @ c + i @ g


@wrong("cell_update", "shape")
def cell_matrix_product_turned(c, f, i, g):
    return f @ c.T + i @ g.T


@wrong("cell_update", "nothing")
def cell_return_forgotten(c, f, i, g):
    c_new = f * c + i * g  # noqa: F841


@wrong("cell_update", "type")
def cell_comma_too_many(c, f, i, g):
    return (f * c + i * g,)


# --- output gate and hidden state --------------------------------------------------------------


@right("hidden_state")
def hidden_line_by_line(x, h, c_new, weights):
    W, U, b = weights
    o = sigmoid(x @ W.T + h @ U.T + b)
    return o, o * np.tanh(c_new)


@right("hidden_state")
def hidden_by_the_forget_gate(x, h, c_new, weights):
    o = forget_by_products(x, h, weights)
    squashed = 2 * sigmoid(2 * c_new) - 1
    return o, np.multiply(squashed, o)


@wrong("hidden_state", "swapped_return")
def hidden_returned_the_other_way(x, h, c_new, weights):
    o = _gate(x, h, weights, sigmoid)
    return o * np.tanh(c_new), o


@wrong("hidden_state", "no_tanh")
def hidden_no_tanh(x, h, c_new, weights):
    o = _gate(x, h, weights, sigmoid)
    return o, o * c_new


@wrong("hidden_state", "tanh_outside")
def hidden_tanh_outside(x, h, c_new, weights):
    o = _gate(x, h, weights, sigmoid)
    return o, np.tanh(o * c_new)


@wrong("hidden_state", "sigmoid_of_memory")
def hidden_sigmoid_of_memory(x, h, c_new, weights):
    o = _gate(x, h, weights, sigmoid)
    return o, o * sigmoid(c_new)


@wrong("hidden_state", "no_gate")
def hidden_no_gate(x, h, c_new, weights):
    return _gate(x, h, weights, sigmoid), np.tanh(c_new)


@wrong("hidden_state", "old_hidden")
def hidden_scales_the_old(x, h, c_new, weights):
    o = _gate(x, h, weights, sigmoid)
    return o, o * np.tanh(h)


@wrong("hidden_state", "gate_added")
def hidden_gate_added(x, h, c_new, weights):
    o = _gate(x, h, weights, sigmoid)
    return o, o + np.tanh(c_new)


@wrong("hidden_state", "gate_alone")
def hidden_gate_alone(x, h, c_new, weights):
    o = _gate(x, h, weights, sigmoid)
    return o, o


@wrong("hidden_state", "gate_from_memory")
def hidden_gate_from_memory(x, h, c_new, weights):
    o = _gate(x, c_new, weights, sigmoid)
    return o, o * np.tanh(c_new)


@wrong("hidden_state", "o_no_bias")
def hidden_gate_without_bias(x, h, c_new, weights):
    W, U, b = weights
    o = sigmoid(x @ W.T + h @ U.T)
    return o, o * np.tanh(c_new)


@wrong("hidden_state", "o_tanh")
def hidden_gate_of_tanh(x, h, c_new, weights):
    o = _gate(x, h, weights, np.tanh)
    return o, o * np.tanh(c_new)


@wrong("hidden_state", "count")
def hidden_alone(x, h, c_new, weights):
    return _gate(x, h, weights, sigmoid) * np.tanh(c_new)


# --- a whole step ------------------------------------------------------------------------------


@right("lstm_step")
def step_from_parts(x, h, c, weights):
    f = forget_by_products(x, h, weights["f"])
    i, g = both_line_by_line(x, h, weights["i"], weights["g"])
    c_new = cell_in_one_line(c, f, i, g)
    o, h_new = hidden_line_by_line(x, h, c_new, weights["o"])
    return h_new, c_new


@right("lstm_step")
def step_in_one_product(x, h, c, weights):
    W, U, b = (np.concatenate([weights[k][part] for k in "ifog"]) for part in range(3))
    z = x @ W.T + h @ U.T + b
    H = h.shape[1]
    i, f, o = np.split(sigmoid(z[:, : 3 * H]), 3, axis=1)
    g = np.tanh(z[:, 3 * H :])
    c = f * c + i * g
    return o * np.tanh(c), c


def _gates(x, h, weights, letters="ifog"):
    squash = (sigmoid, sigmoid, sigmoid, np.tanh)
    pairs = zip(letters, squash, strict=True)
    return [_gate(x, h, weights[letter], s) for letter, s in pairs]


@wrong("lstm_step", "swapped_return")
def step_returned_the_other_way(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    c_new = f * c + i * g
    return c_new, o * np.tanh(c_new)


@wrong("lstm_step", "old_memory_read")
def step_old_memory_for_h(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    return o * np.tanh(c), f * c + i * g


@wrong("lstm_step", "old_memory")
def step_old_memory_returned(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    c_new = f * c + i * g
    return o * np.tanh(c_new), c


@wrong("lstm_step", "hidden_first")
def step_hidden_first(x, h, c, weights):
    o, h = hidden_line_by_line(x, h, c, weights["o"])
    f = forget_by_products(x, h, weights["f"])
    i, g = both_line_by_line(x, h, weights["i"], weights["g"])
    return h, cell_in_one_line(c, f, i, g)


@wrong("lstm_step", "gates_from_memory")
def step_gates_from_memory(x, h, c, weights):
    i, f, o, g = _gates(x, c, weights)
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new


@wrong("lstm_step", "output_from_memory")
def step_output_gate_from_new_memory(x, h, c, weights):
    i, f, _, g = _gates(x, h, weights)
    c_new = f * c + i * g
    o, h_new = hidden_line_by_line(x, c_new, c_new, weights["o"])
    return h_new, c_new


@wrong("lstm_step", "input_and_forget_swapped")
def step_forget_and_input_mixed(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights, "fiog")
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new


@wrong("lstm_step", "mixed_gates")
def step_one_letter_wrong(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights, "ifig")
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new


@wrong("lstm_step", "no_forget_gate")
def step_of_1997(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    c_new = c + i * g
    return o * np.tanh(c_new), c_new


@wrong("lstm_step", "no_tanh")
def step_no_tanh(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    c_new = f * c + i * g
    return o * c_new, c_new


@wrong("lstm_step", "gate_alone")
def step_wrong_one_of_two(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    c_new = f * c + i * g
    h_new, o = hidden_line_by_line(x, h, c_new, weights["o"])
    return h_new, c_new


@wrong("lstm_step", "type")
def step_two_in_one_name(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    c_new = f * c + i * g
    h_new = hidden_line_by_line(x, h, c_new, weights["o"])
    return h_new, c_new


@wrong("lstm_step", "changed_argument")
def step_in_place(x, h, c, weights):
    i, f, o, g = _gates(x, h, weights)
    c *= f
    c += i * g
    return o * np.tanh(c), c


@wrong("lstm_step", "unknown_key")
def step_unknown_key(x, h, c, weights):
    f = forget_by_products(x, h, weights["forget"])
    return f, c
