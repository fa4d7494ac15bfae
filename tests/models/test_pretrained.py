"""The shipped models are what they say; their recipes learn on a small corpus."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lstm_lab.data import ALPHABET, Corpus, python_source
from lstm_lab.models import LanguageModel, shipped
from lstm_lab.models.pretrained import SHIPPED
from lstm_lab.models.pretrained import python_source as recipe


@pytest.fixture
def corpus():
    line = "for each in range(10):\n    print(each)\n"
    parts = [(line * 60,), (line * 20,), (line * 30,)]
    return Corpus.of(parts, name="Lines", source="here", licence="none", description="Two lines.")


def test_it_learns_and_is_measured_beside_counting(corpus):
    model = LanguageModel.new(ALPHABET, 12, 6, backend="numpy")
    before = model.read(corpus.test[0]).surprise.mean()
    learnt = recipe.train(model, corpus, epochs=6, steps=20, batch_size=8, learning_rate=0.02)
    assert learnt["validation_bits"][-1] < learnt["validation_bits"][0]
    found = recipe.measure(model, corpus)
    assert found["test_bits"] < before - 1
    assert found["test_bits"] == pytest.approx(model.read(corpus.test[0]).surprise.mean(), abs=1e-3)
    # After four characters this text has one way on.
    assert found["ngram_bits"][4] < found["ngram_bits"][1]
    assert found["characters"] == {"train": 60 * 39, "test": 30 * 39}


def test_the_command_says_what_it_takes():
    command = [sys.executable, "-m", "lstm_lab.models.pretrained", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    for option in ("--cells", "--epochs", "--seed", "--out", "--checkpoint"):
        assert option in answer.stdout


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_says_what_it_is(name):
    assert SHIPPED[name].stat().st_size < 1_000_000
    model = shipped(name)
    about = model.about
    assert about["command"].startswith(f"python -m lstm_lab.models.pretrained {name} ")
    assert {"name", "corpus", "licence", "python", "test_bits", "ngram_bits"} <= set(about)


def test_the_shipped_model_of_python_source_is_better_than_counting():
    """Far better than chance on text that is not in its corpus."""
    model = shipped()
    assert model.about["test_bits"] < min(model.about["ngram_bits"])
    text = 'def double(numbers):\n    """Twice each."""\n    return [2 * n for n in numbers]\n'
    assert model.bits(text) < 3
    assert model.generate("import nu", np.full(1, 0.5), 0.1) == "m"


def test_python_source_holds_out_whole_files():
    corpus = python_source()
    parts = (corpus.train, corpus.validation, corpus.test)
    assert all(parts)
    assert not set(corpus.train) & {text for text in corpus.test if len(text) > 200}
    assert sum(map(len, corpus.train)) > 10 * sum(map(len, corpus.test))
    for part in parts:
        for text in part:
            assert set(text) <= set(ALPHABET)
    assert "Python Software Foundation" in corpus.licence
    assert "characters to learn" in repr(corpus)


def test_a_folder_of_ones_own(tmp_path):
    with pytest.raises(FileNotFoundError, match="not hold enough Python files"):
        python_source(tmp_path)
    for k in range(60):
        (tmp_path / f"m{k}.py").write_text(f"x = {k}\n")
    (tmp_path / "other.py").write_text("x = 'é'\n", encoding="utf-8")
    corpus = python_source(tmp_path)
    assert sum(map(len, (corpus.train, corpus.validation, corpus.test))) == 60
    (tmp_path / "new.py").write_text("y = 1\n")
    assert set(corpus.test) <= set(python_source(tmp_path).test) | {"y = 1\n"}
