"""A character model is its layers, says probabilities, and comes back from its file."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, RNN, Embedding, Linear, Sequential
from lstm_lab.text import CharModel, load, shipped
from lstm_lab.text.model import SHIPPED

ALPHABET = "\nabc "


@pytest.fixture
def model():
    model = CharModel.new(ALPHABET, 7, 4, seed=3, dtype="float64", backend="numpy")
    rng = np.random.default_rng(3)
    for array in model.network.params.values():
        array[...] = rng.normal(0, 1.5, array.shape)
    return model


def one_hot(hidden=6):
    return Sequential(
        lstm=LSTM(len(ALPHABET), hidden, dtype="float64", backend="numpy", seed=1),
        head=Linear(hidden, len(ALPHABET), dtype="float64", backend="numpy", seed=2),
    )


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(tables, ids):
    """Log-probabilities (T + 1, V) by the equations alone."""
    size = tables["u"].shape[1]
    h, c, said = np.zeros(size), np.zeros(size), []
    for step in [None, *ids]:
        if step is not None:
            z = tables["w"][step] + tables["b"] + tables["u"] @ h
            o, i, f, g = z.reshape(4, size)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        scores = tables["out"] @ h + tables["out_bias"]
        said.append(scores - np.log(np.exp(scores).sum()))
    return np.array(said)


@pytest.mark.parametrize("kind", ["embedding", "one-hot"])
def test_reading_follows_the_equations(model, kind):
    model = model if kind == "embedding" else CharModel(one_hot(), ALPHABET)
    text = "abca b\ncab"
    reading = model.read(text)
    expected = by_hand(model.tables(), [ALPHABET.index(character) for character in text])
    np.testing.assert_allclose(reading.log_probabilities, expected, atol=1e-12)
    np.testing.assert_allclose(model.next_after(text), expected[-1], atol=1e-12)
    bits = [-expected[t][ALPHABET.index(c)] / np.log(2) for t, c in enumerate(text)]
    np.testing.assert_allclose(reading.surprise, bits)
    assert reading.trace.cell.shape == (len(text), 1, model.lstm.hidden_size)


def test_what_is_not_in_the_alphabet_is_never_seen(model):
    reading = model.read("aé\tb→c")
    np.testing.assert_array_equal(reading.places, [0, 3, 5])
    np.testing.assert_array_equal(reading.log_probabilities, model.read("abc").log_probabilities)
    with pytest.raises(ValueError, match="none of its characters"):
        model.read("é")


def test_drawn_characters_follow_the_probabilities(model):
    """One character, drawn with every number from 0 to 1: each comes as often as it is likely."""
    shares = np.exp(model.next_after("ab") / 0.7)
    shares /= shares.sum()
    numbers = (np.arange(2000) + 0.5) / 2000
    drawn = [model.generate("ab", [number], 0.7) for number in numbers]
    found = [drawn.count(character) / len(drawn) for character in ALPHABET]
    np.testing.assert_allclose(found, shares, atol=1e-3)


def test_it_goes_on_from_what_it_wrote(model):
    draws = np.random.default_rng(0).random(80)
    whole = model.generate("ab", draws)
    assert len(whole) == 80
    first = model.generate("ab", draws[:5])
    assert whole == first + model.generate("ab" + first, draws[5:])
    assert not np.allclose(model.next_after(""), model.next_after("ab"))
    likeliest = ALPHABET[int(model.next_after("ab").argmax())]
    assert model.generate("ab", draws[:1], 1e-6) == likeliest
    with pytest.raises(ValueError, match="temperature: expected a number above 0, got 0"):
        model.generate("ab", draws, 0)


def test_file(model, tmp_path):
    model.about = {"from": "here"}
    path = model.save(tmp_path / "model.safetensors")
    back = load(path, "numpy")
    assert (back.alphabet, back.about) == (ALPHABET, {"from": "here"})
    np.testing.assert_array_equal(back.next_after("abc"), model.next_after("abc"))
    from lstm_lab.interchange import load as plain
    from lstm_lab.interchange import read_notes, save

    assert isinstance(plain(path), Sequential)
    other = save(one_hot(), tmp_path / "other.safetensors")
    assert read_notes(other) == {}
    with pytest.raises(ValueError, match="holds no model of text"):
        load(other)


def test_wrong_models_are_named():
    good = one_hot()
    for alphabet in ("", "aa", 3):
        with pytest.raises(ValueError, match="alphabet: expected characters"):
            CharModel(good, alphabet)
    with pytest.raises(ValueError, match="has 2 characters, but the network reads 5"):
        CharModel(good, "ab")
    with pytest.raises(TypeError, match="expected a Sequential, got LSTM"):
        CharModel(good.layers["lstm"], ALPHABET)
    with pytest.raises(TypeError, match=r"expected \(Embedding,\) LSTM, Linear, got RNN, Linear"):
        CharModel(Sequential(rnn=RNN(5, 6), head=Linear(6, 5)), ALPHABET)
    wrong = [
        {"num_layers": 2}, {"bidirectional": True}, {"peepholes": True}, {"coupled": True},
        {"forget_gate": False}, {"layer_norm": True},
    ]  # fmt: skip
    for options in wrong:
        network = Sequential(
            e=Embedding(5, 3),
            lstm=LSTM(3, 6, **options),
            head=Linear(12 if "bidirectional" in options else 6, 5),
        )
        with pytest.raises(ValueError, match="one layer and direction"):
            CharModel(network, ALPHABET)


def test_the_shipped_model_is_what_it_says():
    """Small enough to ship, and far better than chance on text that is not in its corpus."""
    assert SHIPPED.stat().st_size < 1_000_000
    model = shipped()
    about = model.about
    assert about["command"].startswith("python -m lstm_lab.text")
    assert about["test_bits"] < min(about["ngram_bits"])
    text = 'def double(numbers):\n    """Twice each."""\n    return [2 * n for n in numbers]\n'
    assert model.read(text).surprise.mean() < 3
    assert model.generate("import nu", np.full(1, 0.5), 0.1) == "m"
