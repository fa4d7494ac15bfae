"""The recipe of the shipped model, on a small corpus: it learns, and says how well."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lstm_lab.data import ALPHABET, Corpus, python_source
from lstm_lab.text import CharModel, recipe


@pytest.fixture
def corpus():
    line = "for each in range(10):\n    print(each)\n"
    return Corpus((line * 60,), (line * 20,), (line * 30,), "Lines", "here", "none")


def test_it_learns_and_is_measured_beside_counting(corpus):
    model = CharModel.new(ALPHABET, 12, 6, backend="numpy")
    before = model.read(corpus.test[0]).surprise.mean()
    learnt = recipe.train(model, corpus, epochs=6, steps=20, batch_size=8, learning_rate=0.02)
    assert learnt["validation_bits"][-1] < learnt["validation_bits"][0]
    found = recipe.measure(model, corpus)
    assert found["test_bits"] < before - 1
    assert found["test_bits"] == pytest.approx(model.read(corpus.test[0]).surprise.mean(), abs=1e-3)
    # After four characters this text has one way on.
    assert found["ngram_bits"][4] < found["ngram_bits"][1]
    assert found["characters"] == {"train": 60 * 39, "test": 30 * 39}


def test_windows_follow_each_other(corpus):
    model = CharModel.new(ALPHABET, 4, 4, backend="numpy")
    x, target = recipe.windows(model, corpus.train, 50)
    ids = model.encode(corpus.train[0])[0]
    np.testing.assert_array_equal(x.T.ravel(), ids[: x.size])
    np.testing.assert_array_equal(target.T.ravel(), ids[1 : x.size + 1])
    with pytest.raises(ValueError, match="hold 4 characters; expected more than 50"):
        recipe.windows(model, ["abcd"], 50)


def test_the_command_says_what_it_takes():
    command = [sys.executable, "-m", "lstm_lab.text", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    for option in ("--cells", "--epochs", "--seed", "--out", "--checkpoint"):
        assert option in answer.stdout


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
