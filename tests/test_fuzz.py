"""Odd data, lengths and models: a right answer, or a refusal that names the argument.

Hypothesis draws a model, a ragged batch and one argument in an odd form. What it must come to is
computed sequence by sequence, with none of the code that joins, pads, masks or averages. A few
examples run with the tests; ``make fuzz`` runs thousands.
"""

from __future__ import annotations

import array as builtin
import os
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, RNN, BiLSTM, Dropout, Embedding, LastStep, Linear, Reverse
from lstm_lab import Sequential as Chain
from lstm_lab.losses import cross_entropy, ctc, mse
from lstm_lab.optim import SGD
from lstm_lab.training import evaluate, fit, predict

FEATURES, CLASSES = 2, 3

MANY = os.environ.get("LSTM_LAB_FUZZ")
examples = settings(
    max_examples=int(MANY or 30),
    derandomize=not MANY,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


# ---------------------------------------------------------------------------------- odd forms


class Metres(np.ndarray):
    """As a quantity with a unit is."""

    unit = "m"
    value = property(np.asarray)


class Tagged(np.ndarray):
    """A subclass that means nothing more."""


def unaligned(a):
    room = np.zeros(a.nbytes + 1, "u1")
    odd = room[1:].view(a.dtype).reshape(a.shape)
    odd[...] = a
    return odd


def apart(a):
    """Every second entry of an array with rubbish in between."""
    room = np.full(tuple(2 * n for n in a.shape), 77).astype(a.dtype)
    view = room[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


SAME = {
    "plain": lambda a: a,
    "fortran": np.asfortranarray,
    "apart": apart,
    "backwards": lambda a: np.flip(np.flip(a).copy()),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "little-endian": lambda a: a.astype(a.dtype.newbyteorder("<")),
    "read-only": read_only,
    "unaligned": unaligned,
    "subclass": lambda a: a.view(Tagged),
    "masked nowhere": lambda a: np.ma.masked_array(a, mask=np.zeros(a.shape, bool)),
}
"""Other forms of the same numbers, for layers too."""

CAST = {
    "lists": lambda a: a.tolist(),
    "tuples": lambda a: tuple(map(tuple, a)) if a.ndim > 1 else tuple(a.tolist()),
    "list of arrays": list,
    "half": lambda a: a.astype("f2") if a.dtype.kind == "f" else a.astype("i1"),
    "long": lambda a: a.astype(np.longdouble) if a.dtype.kind == "f" else a.astype("u8"),
}
"""Of which `fit` and its like make arrays in the model's precision."""

NONSENSE = {
    "masked": lambda a: np.ma.masked_array(a, mask=np.arange(a.size).reshape(a.shape) == 0),
    "list of masked": lambda a: [np.ma.masked_array(a[0], mask=True), *a[1:]],
    "a unit": lambda a: a.view(Metres),
    "objects": lambda a: a.astype(object),
    "words": lambda a: a.astype(str),
    "dates": lambda a: np.zeros(a.shape, "M8[s]"),
    "spans": lambda a: np.zeros(a.shape, "m8[s]"),
    "complex": lambda a: a.astype(complex),
    "records": lambda a: np.zeros(a.shape, [("a", "f8"), ("b", "f8")]),
    "nothing": lambda a: a[:0],
    "one number": lambda a: a.ravel()[0],
    "an axis less": lambda a: a.reshape(-1)[: len(a) - 1] if a.ndim == 1 else a[0],
    "a word": lambda a: "data",
    "a mapping": lambda a: {"data": a},
    "a generator": lambda a: (row for row in a),
}
LENGTHS = {
    "floats": lambda a: a.astype(float),
    "booleans": lambda a: a > 1,
    "zero": lambda a: a * 0,
    "negative": lambda a: -a,
    "one too long": lambda a: a + np.eye(1, len(a), dtype=int)[0] * 99,
    "one too many": lambda a: np.append(a, 1),
    "a column": lambda a: a[:, None],
    "one for all": lambda a: int(a[0]),
    "unsigned and huge": lambda a: a.astype("u8") + np.uint64(2**63),
}
NOT_FINITE = {
    "nan": lambda a: poisoned(a, np.nan),
    "infinite": lambda a: poisoned(a, -np.inf),
    "beyond the precision": lambda a: poisoned(a.astype("f8"), 1e300),
}


def poisoned(a, value):
    a = a.copy()
    a.reshape(-1)[:1] = value  # of the first step of the first sequence, which always counts
    return a


# ---------------------------------------------------------------------------------- odd models


@dataclass
class Setting:
    """A model, a ragged batch, and what a loss is to say of it."""

    model: object
    loss: object
    x: np.ndarray
    target: object
    lengths: np.ndarray
    each_step: bool


def models(dtype, seed):
    o = {"dtype": dtype, "seed": seed}
    yield LSTM(FEATURES, CLASSES, **o), True
    yield Chain(both=BiLSTM(FEATURES, 2, 2, **o), head=Linear(4, CLASSES, **o)), True
    yield Chain(before=Linear(FEATURES, 2, **o), gru=GRU(2, CLASSES, **o)), True
    yield (
        Chain(
            drop=Dropout(0.5, dtype=dtype),
            back=Reverse(dtype=dtype),
            rnn=RNN(FEATURES, 2, **o),
            last=LastStep(dtype=dtype),
            head=Linear(2, CLASSES, **o),
        ),
        False,
    )
    yield Linear(FEATURES, CLASSES, **o), True
    yield (
        Chain(
            inner=Chain(words=Embedding(5, FEATURES, **o), lstm=LSTM(FEATURES, 2, **o)),
            last=LastStep(dtype=dtype),
            head=Linear(2, CLASSES, **o),
        ),
        False,
    )


@st.composite
def settings_of(draw):
    seed, dtype = draw(st.integers(0, 2**16)), draw(st.sampled_from(["float32", "float64"]))
    model, each_step = draw(st.sampled_from(list(models(dtype, seed))))
    steps, count = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rng = np.random.default_rng(seed)
    # Eighths: the same in every precision.
    x = (rng.integers(-8, 9, (steps, count, FEATURES)) / 8).astype(dtype)
    if "inner" in getattr(model, "layers", {}):
        x = rng.integers(0, 5, (steps, count))
    lengths = rng.integers(1, steps + 1, count)
    leading = (steps, count) if each_step else (count,)
    loss = draw(st.sampled_from([mse, cross_entropy, ctc] if each_step else [mse, cross_entropy]))
    if loss is mse:
        target = (rng.integers(-8, 9, (*leading, CLASSES)) / 8).astype(dtype)
    elif loss is cross_entropy:
        target = rng.integers(0, CLASSES, leading)
    else:
        target = [rng.integers(1, CLASSES, rng.integers(0, 2)).tolist() for _ in range(count)]
    return Setting(model, loss, x, target, lengths, each_step)


def alone(setting, x, n):
    """The output for the n-th sequence, without any padding."""
    length = setting.lengths[n]
    return setting.model.forward(np.ascontiguousarray(x[:length, n : n + 1]), trace=False)[0]


def mean_by_hand(setting, x):
    total = weight = 0.0
    for n, length in enumerate(setting.lengths):
        y = alone(setting, x, n).astype("f8")
        goal = setting.target[n : n + 1]
        if setting.loss is ctc:
            total, weight = total + float(ctc(y, goal)[0]), weight + 1
            continue
        if setting.each_step:
            goal = setting.target[:length, n : n + 1]
        if setting.loss is mse:
            total, weight = total + ((y - goal) ** 2).sum(), weight + y.size
        else:
            scores = np.log(np.exp(y).sum(-1)) - np.take_along_axis(y, goal[..., None], -1)[..., 0]
            total, weight = total + scores.sum(), weight + goal.size
    return total / weight


def padded_with_rubbish(setting, draw):
    """The batch with anything past the ends, a target for every step too."""
    x, target = setting.x.copy(), setting.target
    beyond = np.arange(len(x))[:, None] >= setting.lengths
    x[beyond] = draw(st.sampled_from([0, np.nan, np.inf] if x.dtype.kind == "f" else [0, -1, 99]))
    if setting.each_step and setting.loss is not ctc:
        target = target.copy()
        target[beyond] = np.nan if target.dtype.kind == "f" else -7
    return x, target


def tolerance_of(setting):
    return 1e-4 if setting.model.dtype == np.float32 else 1e-11


@st.composite
def odd_calls(draw):
    """Arguments of `evaluate`, of which one has an odd form, and whether it is to be refused."""
    setting = draw(settings_of())
    x, target = padded_with_rubbish(setting, draw)
    arguments = {"x": x, "target": target, "lengths": setting.lengths}
    chosen = draw(st.sampled_from(["x", "lengths"] + ["target"] * (setting.loss is not ctc)))
    value = arguments[chosen]
    forms = {**SAME, **CAST, **NONSENSE}
    if chosen == "lengths":
        forms |= LENGTHS | {"array": lambda a: builtin.array("b", a.tolist())}
    elif value.dtype.kind == "f":
        forms |= NOT_FINITE
    kind = draw(st.sampled_from(sorted(forms)))
    refused = kind in NONSENSE or kind in LENGTHS or kind in NOT_FINITE
    if kind == "beyond the precision" and setting.model.dtype == np.float64:
        refused = None  # 1e300 fits; whatever comes of it is right
    if chosen == "x" and kind == "tuples":
        refused = True  # a tuple holds the inputs of a model with several
    arguments[chosen] = forms[kind](value)
    size = draw(st.integers(1, 6))
    # As many sequences as steps leave open which axis is which, and that has to be said.
    axis = 1 if setting.each_step and setting.loss is not ctc else 0
    return setting, chosen, kind, refused, arguments | {"target_axis": axis, "batch_size": size}


def says(error, name):
    return re.search(rf"\b{name}\b", str(error)) and len(str(error)) < 900


@examples
@given(odd_calls())
def test_evaluate(call):
    setting, chosen, kind, refused, arguments = call
    try:
        value = evaluate(setting.model, loss=setting.loss, **arguments)
    except (TypeError, ValueError) as error:
        assert says(error, chosen) or refused is None, f"{chosen} as {kind}: {error!r}"
        assert refused is not False, f"{chosen} as {kind} is refused: {error!r}"
        return
    assert not refused, f"{chosen} as {kind} is taken: {value}"
    if refused is False:
        expected = mean_by_hand(setting, setting.x)
        assert value == pytest.approx(expected, rel=tolerance_of(setting)), f"{chosen} as {kind}"


@examples
@given(odd_calls())
def test_predict(call):
    setting, chosen, kind, refused, arguments = call
    if chosen == "target":
        return
    arguments = {name: arguments[name] for name in ("x", "lengths", "batch_size")}
    try:
        y = predict(setting.model, **arguments)
    except (TypeError, ValueError) as error:
        assert says(error, chosen), f"{chosen} as {kind}: {error!r}"
        assert refused is not False, f"{chosen} as {kind} is refused: {error!r}"
        return
    assert not refused, f"{chosen} as {kind} is taken"
    if refused is None:
        return
    for n, length in enumerate(setting.lengths):
        own = y[:length, n : n + 1] if setting.each_step else y[n : n + 1]
        expected = alone(setting, setting.x, n)
        np.testing.assert_allclose(own, expected, rtol=0, atol=tolerance_of(setting))
        if setting.each_step:
            assert not y[length:, n].any()


@examples
@given(odd_calls())
def test_fit(call):
    setting, chosen, kind, refused, arguments = call
    model = setting.model
    before = {name: array.copy() for name, array in model.params.items()}
    common = {"loss": setting.loss, "epochs": 1, "progress": False, "seed": 3}
    try:
        history = fit(model, optimizer=SGD(0.1), **common, **arguments)
    except (TypeError, ValueError) as error:
        assert says(error, chosen) or refused is None, f"{chosen} as {kind}: {error!r}"
        assert refused is not False, f"{chosen} as {kind} is refused: {error!r}"
        for name, array in model.params.items():
            np.testing.assert_array_equal(array, before[name])
        return
    except FloatingPointError:
        assert refused is None
        return
    assert not refused, f"{chosen} as {kind} is taken"
    after = {name: array.copy() for name, array in model.params.items()}
    for name, array in model.params.items():
        array[...] = before[name]
    plain = {"x": setting.x, "target": setting.target, "lengths": setting.lengths}
    expected = fit(model, optimizer=SGD(0.1), **common, **(arguments | plain))
    if refused is None:
        return
    assert history.loss == pytest.approx(expected.loss, rel=tolerance_of(setting))
    for name, array in model.params.items():
        np.testing.assert_allclose(after[name], array, rtol=0, atol=tolerance_of(setting))


@examples
@given(odd_calls())
def test_layers(call):
    """Forward and backward themselves: the array's own precision is not changed there."""
    setting, chosen, kind, refused, arguments = call
    if chosen == "target" or (chosen == "x" and kind in CAST) or kind in NOT_FINITE:
        return
    model, x, lengths = setting.model, arguments["x"], arguments["lengths"]
    kept = np.array(x, copy=True) if isinstance(x, np.ndarray) and x.dtype != object else None
    try:
        y, trace = model.forward(x, lengths=lengths)
    except (TypeError, ValueError) as error:
        assert says(error, chosen), f"{chosen} as {kind}: {error!r}"
        assert refused, f"{chosen} as {kind} is refused: {error!r}"
        return
    assert not refused, f"{chosen} as {kind} is taken"
    expected, plain = model.forward(setting.x, lengths=setting.lengths)
    np.testing.assert_allclose(y, expected, rtol=0, atol=tolerance_of(setting))
    assert type(y) is np.ndarray and y.dtype == model.dtype
    form = SAME.get(kind, np.asarray)
    dy = np.random.default_rng(0).normal(size=y.shape).astype(model.dtype)
    found, wanted = model.backward(form(dy), trace), model.backward(dy, plain)
    for name, array in wanted.params.items():
        np.testing.assert_allclose(found.params[name], array, rtol=0, atol=tolerance_of(setting))
    np.testing.assert_array_equal(np.asarray(x), kept)
