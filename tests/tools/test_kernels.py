"""The runs under other kernels: none counts that did not use them."""

import pytest

from tools import kernels


def test_kernels_that_are_not_in_use_are_noticed(monkeypatch):
    """A run whose kernels are not those that were asked for compares nothing."""
    assert kernels.differences({}) == []
    for wrong in ({"core": "katmai"}, {"threads": 63}, {"off": ["SSE2", "NEON"]}):
        assert kernels.differences(wrong), wrong
    monkeypatch.setenv(kernels.ASKED, '{"core": "katmai"}')
    with pytest.raises(pytest.UsageError, match="other kernels are in use than asked for"):
        kernels.pytest_configure(None)


def test_kernels_of_another_processor_are_not_run(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "has", lambda instructions: False)
    assert {each.lacking != "" for each in kernels.every()} == {True}
    assert kernels.main([]) == 1
    said = capsys.readouterr().out
    assert "this processor has no AVX512F" in said and "Nothing was run" in said
