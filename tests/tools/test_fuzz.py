"""The long run of the fuzz: as many examples as asked for."""

import subprocess

import pytest

from tools import fuzz


def test_the_number_of_examples_is_passed_on(monkeypatch):
    seen = {}

    def run(command, *, check, env):
        seen.update(command=command, examples=env["LSTM_LAB_FUZZ"])
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", run)
    assert fuzz.main(["--examples", "77"]) == 3
    assert seen["examples"] == "77" and "tests/test_fuzz.py" in seen["command"]


def test_none_is_no_run(capsys):
    with pytest.raises(SystemExit):
        fuzz.main(["--examples", "0"])
    assert "at least 1" in capsys.readouterr().err
