"""The same numbers as torch: live where torch is, and always against a file that torch made."""

from __future__ import annotations

import numpy as np
import pytest

from .golden.make import FILE
from .torch_cases import CASES, run_ours, run_torch


def assert_close(ours, theirs, tolerance):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].shape == value.shape, name
        error = abs(ours[name] - value).max()
        assert error < tolerance, f"{name}: largest absolute error {error:.1e}"


@pytest.fixture(scope="module")
def golden():
    with np.load(FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_against_the_golden_file(case, golden, backend):
    prefix = case.name + "/"
    theirs = {k.removeprefix(prefix): v for k, v in golden.items() if k.startswith(prefix)}
    assert_close(run_ours(case, backend), theirs, 1e-10)
    assert_close(run_ours(case, backend, "float32"), theirs, 1e-5)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_against_torch_itself(case, dtype, backend):
    tolerance = 1e-10 if dtype == "float64" else 1e-5
    assert_close(run_ours(case, backend, dtype), run_torch(case, dtype), tolerance)


@pytest.mark.torch
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_golden_file_is_what_torch_says(case, golden):
    theirs = run_torch(case)
    prefix = case.name + "/"
    assert {k for k in golden if k.startswith(prefix)} == {prefix + name for name in theirs}
    for name, value in theirs.items():
        np.testing.assert_allclose(golden[prefix + name], value, rtol=0, atol=1e-12)
