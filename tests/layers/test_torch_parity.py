"""The same numbers as torch: live where torch is, and always against a file that torch made."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab.backends import get_backend

from .. import tolerance
from .golden.make import FILE
from .torch_cases import CASES, run_ours, run_torch


def assert_close(case, ours, theirs, dtype):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].dtype == dtype, name
        if dtype == "float32":
            tolerance.assert_close(ours[name], value, case.roundings, name=name)
        else:
            assert ours[name].shape == value.shape, name
            error = abs(ours[name] - value).max()
            assert error < 1e-10, f"{name}: largest absolute error {error:.1e}"


@pytest.fixture(scope="module")
def golden():
    with np.load(FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_against_the_golden_file(case, golden, backend):
    prefix = case.name + "/"
    theirs = {k.removeprefix(prefix): v for k, v in golden.items() if k.startswith(prefix)}
    for dtype in ("float64", "float32"):
        assert_close(case, run_ours(case, backend, dtype), theirs, dtype)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_bound_of_float32_sees_a_fault_in_one_gate(case, golden):
    """A part in a thousand of one gate's gradient."""
    right = run_ours(case, get_backend("numpy"), "float32")
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[case.kind]
    for name, value in right.items():
        for k in range(gates if name.startswith("grad.") else 0):
            wrong = value.copy()
            wrong.reshape(gates, -1)[k] *= 1.001
            with pytest.raises(AssertionError, match=name):
                assert_close(case, {name: wrong}, {name: golden[f"{case.name}/{name}"]}, "float32")


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_against_torch_itself(case, dtype, backend):
    assert_close(case, run_ours(case, backend, dtype), run_torch(case, dtype), dtype)


@pytest.mark.torch
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_golden_file_is_what_torch_says(case, golden):
    theirs = run_torch(case)
    prefix = case.name + "/"
    assert {k for k in golden if k.startswith(prefix)} == {prefix + name for name in theirs}
    for name, value in theirs.items():
        np.testing.assert_allclose(golden[prefix + name], value, rtol=0, atol=1e-12)
