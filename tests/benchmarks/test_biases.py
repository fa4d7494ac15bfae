"""The measurement behind chapter 6's map: what its starts differ in, and that its file is whole."""

from __future__ import annotations

import csv
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from benchmarks import biases
from lstm_lab import losses, tasks
from lstm_lab.gradcheck import gradcheck


@pytest.mark.parametrize("written", ["1/28", "28"])
def test_a_cell_that_writes_more_or_less_has_the_right_gradient(written):
    layer, plain = (
        biases.network("5", "-4", factor, 0, dtype="float64").layers["lstm"]
        for factor in (written, "1")
    )
    x = np.random.default_rng(0).normal(size=(4, 2, 8))
    report = gradcheck(layer, x)
    assert report.passed, report
    one, other = (net.forward(x[:1])[1].cell for net in (layer, plain))
    np.testing.assert_allclose(one, other * float(Fraction(written)), rtol=1e-12)


def test_starts_of_one_seed_differ_in_the_first_biases_alone():
    nets = {start: biases.network(*start[:3], 3).params for start in biases.STARTS}
    first = nets["chrono", "-b_f", "1", "1"]
    bias = first["lstm.bias_l0"]
    np.testing.assert_array_equal(bias[8:16], -bias[16:24])
    for (forget, start, *_), net in nets.items():
        for name, array in net.items():
            if name != "lstm.bias_l0":
                np.testing.assert_array_equal(array, first[name])
        b_o, b_i, b_f, b_g = net["lstm.bias_l0"].reshape(4, 8)
        np.testing.assert_array_equal((b_o, b_g), bias.reshape(4, 8)[[0, 3]])
        np.testing.assert_array_equal(b_f, bias[16:24] if forget == "chrono" else float(forget))
        np.testing.assert_array_equal(b_i, -b_f if start == "-b_f" else float(start))


def test_the_file_holds_every_start_twenty_times():
    with biases.FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == biases.COLUMNS
    seeds = Counter((r["forget"], r["input"], r["written"], r["clip"]) for r in rows)
    assert set(seeds) == set(biases.STARTS)
    assert min(seeds.values()) >= 20
    assert not list(biases.missing(20, rows))
    for row in rows:
        assert (float(row["accuracy"]) > 0.95) == (row["solved"] == "1")


def test_a_step_is_the_librarys():
    model = biases.network("5", "-4", "1", 0, dtype="float64")
    x, target, lengths = tasks.temporal_order(6, 0, length=30)
    x = x.astype("float64")
    scores, gradient = biases.step(model, x, target, lengths)
    expected, trace = model.forward(x, lengths=lengths)
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    params = model.backward(losses.cross_entropy(expected, target)[1], trace).params
    assert list(gradient) == list(params)
    for name, array in params.items():
        np.testing.assert_allclose(gradient[name], array, rtol=1e-9, atol=1e-15)


def test_one_short_training(monkeypatch):
    monkeypatch.setattr(biases, "MOST", 3)
    solved, updates, accuracy, arrives, saturated, _ = biases.train("5", "0", "28", "none", 0)
    assert (solved, updates) == (0, 3)
    assert 0 <= accuracy < 0.9
    assert arrives > 0
    assert 0.9 < saturated <= 1
