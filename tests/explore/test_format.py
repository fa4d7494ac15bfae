"""How numbers are printed: never rounded to what they are not."""

from __future__ import annotations

import math

import pytest


@pytest.mark.parametrize(
    ("share", "log", "text"),
    [
        (0.5, None, "50 %"),
        (0.123, None, "12 %"),
        (0.034, None, "3.4 %"),
        (0.0034, None, "0.34 %"),
        (1e-5, None, "0.0010 %"),
        (1.234e-9, None, "1.2·10⁻⁷ %"),
        (0.0, -1000.0, "5.1·10⁻⁴³³ %"),
        (0.0, -math.log(10) * 400, "1.0·10⁻³⁹⁸ %"),
        (0.0, None, "0 %"),
        (1.0, None, "100.0 %"),
        (0.9999, None, "over 99.9 %"),
    ],
)
def test_per_cent(share, log, text, node):
    [got] = node("frontend/format.js", [["percent", [share] if log is None else [share, log]]])
    assert got == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1, "1.00"), (-12.34, "−12.3"), (99999, "99999"), (0.00123, "0.00123"),
        (1e-5, "1.0·10⁻⁵"), (-9.96e-7, "−1.0·10⁻⁶"), (2.5e12, "2.5·10¹²"),
    ],
)  # fmt: skip
def test_numbers_of_any_size(value, text, node):
    assert node("frontend/format.js", [["scientific", [value]]]) == [text]


def test_gates_are_never_shut_nor_fully_open(node):
    values = [0.5, 0.996, 0.9996, 0.0004, 0.004, -0.001]
    got = node("frontend/format.js", [["share", [value]] for value in values])
    assert got[:5] == ["0.50", "0.9960", "0.99960", "0.00040", "0.0040"]
    assert node("frontend/format.js", [["fmt", [-0.001]], ["fmt", [-1.5]]]) == ["0.00", "−1.50"]
