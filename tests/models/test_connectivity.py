"""Connectivity against finite differences, and against reading texts that were changed."""

import numpy as np
import pytest

from lstm_lab.models import LanguageModel
from lstm_lab.models.connectivity import connectivity, rank_correlation

TEXT = "abba (c#a) ab"


def model_of(form, seed=0):
    """A random network, strong enough to have opinions."""
    rng = np.random.default_rng(seed)
    size = {"embedding_size": None} if form == "one-hot" else {"embedding_size": 5}
    layers = {"num_layers": 2} if form == "two layers" else {}
    model = LanguageModel.new("abc ()#", 6, seed=seed, backend="numpy", **size, **layers)
    for array in model.network.params.values():
        array[...] = rng.normal(0, 0.9, array.shape)
    return model


def said(model, vectors, symbol):
    """log p(symbol) after the LSTM has read vectors (n, D), by its layers one by one."""
    y, _ = model.lstm.forward(vectors[:, None])
    scores = model.head.forward(y[-1])[0][0]
    return scores[symbol] - np.log(np.exp(scores).sum())


def vectors_of(model, ids):
    if model.embedding is None:
        return np.eye(len(model.vocabulary))[ids]
    return model.embedding.params["weight"][ids].copy()


@pytest.mark.parametrize("form", ["embedding", "one-hot", "two layers"])
def test_the_gradient_is_that_of_finite_differences(form):
    model = model_of(form)
    found, exact = connectivity(model, TEXT, "#"), model.astype("float64")
    assert found.symbol == 6
    assert found.log_probability == pytest.approx(model.next_after(TEXT)[6], abs=1e-5)
    x, step = vectors_of(exact, found.ids), 1e-5
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        high, low = x.copy(), x.copy()
        high[place] += step
        low[place] -= step
        gradient[place] = (said(exact, high, 6) - said(exact, low, 6)) / (2 * step)
    np.testing.assert_allclose(found.norm, np.linalg.norm(gradient, axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.product, (gradient * x).sum(axis=1), atol=1e-9)


@pytest.mark.parametrize("form", ["embedding", "one-hot", "two layers"])
def test_blanking_is_reading_zeros(form):
    model = model_of(form)
    found, exact = connectivity(model, TEXT, "b"), model.astype("float64")
    x = vectors_of(exact, found.ids)
    for s in range(len(x)):
        blank = x.copy()
        blank[s] = 0
        lost = said(exact, x, 1) - said(exact, blank, 1)
        assert found.blanked[s] == pytest.approx(lost, abs=1e-12)


@pytest.mark.parametrize("own", [False, True], ids=["any text", "the model's own likeliest"])
def test_replacing_is_reading_another_text(own):
    model = model_of("embedding")
    text = "a" + model.generate("a", np.zeros(9), 0) if own else TEXT
    found, exact = connectivity(model, text, "b"), model.astype("float64")
    symbols = exact.vocabulary.symbols
    for s in range(len(text)):
        ranking = np.argsort(-exact.next_after(text[:s]))
        other = next(k for k in ranking if symbols[k] != text[s])
        assert found.others[s] == other
        changed = text[:s] + symbols[other] + text[s + 1 :]
        lost = exact.next_after(text)[1] - exact.next_after(changed)[1]
        assert found.replaced[s] == pytest.approx(lost, abs=1e-12)


@pytest.mark.parametrize("form", ["embedding", "two layers"])
@pytest.mark.parametrize("last", [1, 4, len(TEXT), 99])
def test_the_last_ones_alone_are_the_last_of_all(form, last):
    model = model_of(form)
    whole, part = connectivity(model, TEXT, "b"), connectivity(model, TEXT, "b", last=last)
    for name in ("ids", "places", "norm", "product", "blanked", "replaced", "others"):
        np.testing.assert_allclose(
            getattr(part, name), getattr(whole, name)[-last:], atol=1e-12, err_msg=name
        )
    assert part.log_probability == pytest.approx(whole.log_probability)


def test_small_vectors_are_blanked_as_the_gradient_says():
    """To first order the two agree: with vectors a thousandth as long, to a thousandth."""
    model = model_of("embedding")
    model.embedding.params["weight"] *= 1e-3
    found = connectivity(model, TEXT, "b")
    np.testing.assert_allclose(found.product, found.blanked, rtol=0.05, atol=1e-8)


def test_what_the_model_does_not_know_it_does_not_depend_on():
    model = model_of("embedding")
    plain, more = connectivity(model, "ab (c)", "a"), connectivity(model, "aéb (→c)", "a")
    assert more.places.tolist() == [0, 2, 3, 4, 6, 7]
    for name in ("ids", "norm", "product", "blanked", "replaced", "others"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(more, name))


def test_limits():
    model = model_of("embedding")
    same = connectivity(model, "aaaa")
    assert same.symbol == model.next_after("aaaa").argmax()
    assert same.norm.all()
    assert connectivity(model, "a").norm.shape == (1,)


@pytest.mark.parametrize("symbol", ["é", "ab", ""])
def test_one_known_symbol_is_asked_about(symbol):
    with pytest.raises(ValueError, match="symbol must be one symbol that the model knows"):
        connectivity(model_of("embedding"), "ab", symbol)


def test_rank_correlation():
    assert rank_correlation([1, 2, 9], [0.1, 5, 6]) == pytest.approx(1)
    assert rank_correlation([1, 2, 9], [3, 2, 1]) == pytest.approx(-1)
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: by Pearson's formula.
    assert rank_correlation([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    rng = np.random.default_rng(0)
    a, b = rng.permutation(30), rng.permutation(30)
    d = (a - b).astype(float)
    assert rank_correlation(a, b) == pytest.approx(1 - 6 * (d**2).sum() / (30 * (30**2 - 1)))
