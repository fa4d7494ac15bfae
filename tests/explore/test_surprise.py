"""SurpriseExplorer: its numbers are the library's, in the browser too, whatever is written."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, Embedding, Linear, Sequential
from lstm_lab.explore import SurpriseExplorer
from lstm_lab.models import LanguageModel, NGram

from .cases.surprise import CORPUS, js, make, model, same

TEXTS = ("", "a", "The object.\nIts naïve name — a name", "xq zvv \t xq zvv", "e" * 160)


@pytest.mark.parametrize("context", [1, 2, 5, 6, 19, 20])
def test_the_browser_says_what_the_library_says(node, context):
    explorers = [make(text=text, context=context, at=len(text) // 2) for text in TEXTS]
    calls = [js(each) for each in explorers]
    answers = node(calls[0][0], [[name, arguments] for _, name, arguments in calls])
    for answer, explorer in zip(answers, explorers, strict=True):
        same(answer, explorer)


def test_the_numbers_are_the_models():
    explorer = make(at=7)
    values = explorer.values()
    counting = NGram(model().vocabulary, 5).fit(CORPUS)
    np.testing.assert_allclose(values["counting"], counting.surprise(explorer.text))
    np.testing.assert_allclose(values["lstm"], model().surprise(explorer.text), rtol=1e-4)
    known = model().vocabulary.encode(explorer.text)[0][7]
    assert -np.log2(values["lstm_next"][known]) == pytest.approx(values["lstm"][7])
    assert values["lstm_bits"] == pytest.approx(values["lstm"].sum())
    assert f"counting {values['counting_bits']:.1f}" in explorer.describe()


def test_the_books_own_models_read_english():
    explorer = SurpriseExplorer()
    values = explorer.values()
    for name in ("lstm", "counting"):
        assert values[f"{name}_bits"] / len(explorer.text) < 4
    # Less context is dearer, for both.
    explorer.context = 1
    shorter = explorer.values()
    for name in ("lstm_bits", "counting_bits"):
        assert shorter[name] > values[name]


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(TypeError, match="model: expected a LanguageModel, got LSTM"):
        SurpriseExplorer(LSTM(3, 4))
    with pytest.raises(ValueError, match="corpus: expected 6 to 500,000 characters"):
        SurpriseExplorer(model(), "abc")
    symbols = "".join(map(chr, range(32, 332)))
    wide = Sequential(e=Embedding(300, 3), lstm=LSTM(3, 4), head=Linear(4, 300))
    with pytest.raises(ValueError, match="at most 256 characters"):
        SurpriseExplorer(LanguageModel(wide, symbols), symbols)
