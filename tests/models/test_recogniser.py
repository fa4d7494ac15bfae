"""The recogniser: what it learns to hear, how it is read, files, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import Linear, Sequential
from lstm_lab.decoding import prefix_beam_search
from lstm_lab.interchange import save
from lstm_lab.losses import ctc, ctc_greedy
from lstm_lab.metrics import edit_score
from lstm_lab.models import NGram, Recogniser
from lstm_lab.models.recogniser import BODIES

LETTERS = "abc"


def heard(text, rng):
    """Every letter is a sound of some frames, with quiet between and noise over all of it."""
    rows = [3]
    for letter in text:
        rows += rng.integers(2, 5) * [LETTERS.index(letter)] + rng.integers(1, 3) * [3]
    return 5 + 2 * np.eye(4)[rows] + rng.normal(0, 0.2, (len(rows), 4))


def utterances(count=64, seed=0):
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list(LETTERS), rng.integers(1, 5))) for _ in range(count)]
    return [heard(text, rng) for text in texts], texts


@pytest.fixture(scope="module")
def trained():
    model = Recogniser.new(*utterances(), hidden_size=10, stack=1)
    model.fit(*utterances(), epochs=25, learning_rate=0.02, progress=False)
    return model


@pytest.mark.parametrize("body", BODIES)
def test_it_learns_letters_whose_place_nobody_marked(body):
    model = Recogniser.new(*utterances(), body=body, hidden_size=12, reach=2, stack=1, dropout=0.1)
    history = model.fit(
        *utterances(),
        epochs=25,
        batch_size=8,
        validation=utterances(20, 1),
        progress=False,
    )
    assert history.loss[-1] < 0.3 * history.loss[0] and len(history.validation_loss) == 25
    score = model.score(*utterances(40, 2))
    # Whoever hears nothing makes an error for nearly every letter.
    assert score.rate < 0.2 and score.whole > 0.6, score


def test_frames_are_standardised_and_stacked():
    features, texts = utterances(8)
    model = Recogniser.new(features, texts, hidden_size=3, stack=3)
    x, lengths = model.encode(features)
    np.testing.assert_array_equal(lengths, [-(-len(row) // 3) for row in features])
    mean, scale = (f(np.concatenate(features), axis=0) for f in (np.mean, np.std))
    for n, row in enumerate(features):
        whole = (row - mean) / scale
        flat = x[: lengths[n], n].reshape(-1, 4)
        np.testing.assert_allclose(flat[: len(row)], whole, atol=1e-5)
        np.testing.assert_allclose(flat[len(row) :], whole[-1:].repeat(len(flat) - len(row), 0))
        assert (x[lengths[n] :, n] == 0).all()


def test_a_constant_feature_does_no_harm():
    features, texts = utterances(8)
    silent = [np.hstack([row, np.full((len(row), 1), -12.0)]) for row in features]
    model = Recogniser.new(silent, texts, hidden_size=3)
    assert np.isfinite(model.encode(silent)[0]).all()


@pytest.mark.parametrize("body", BODIES)
def test_gradients_of_the_whole(body):
    features, texts = utterances(4)
    model = Recogniser.new(
        features, texts, body=body, hidden_size=3, reach=1, stack=1, dropout=0, dtype="float64"
    )
    x, target, lengths = model._arrays(features, texts)

    def loss():
        scores, trace = model.network.forward(x, lengths=lengths)
        return *ctc(scores, target, lengths), trace

    _, gradient, trace = loss()
    found = model.network.backward(gradient, trace).params
    rng, step = np.random.default_rng(0), 1e-6
    for name, array in model.network.params.items():
        for index in rng.integers(0, array.size, 4):
            values = []
            for sign in (1, -1):
                array.flat[index] += sign * step
                values.append(float(loss()[0]))
                array.flat[index] -= sign * step
            # Central differences: rounding 1e-16 · loss / step, about 1e-9, and step² beside it.
            assert np.isclose((values[0] - values[1]) / (2 * step), found[name].flat[index],
                              rtol=1e-6, atol=1e-7)  # fmt: skip


def test_it_is_read_by_the_parts_it_is_made_of(trained):
    features, _ = utterances(12, 3)
    scores, lengths = trained.scores(features)
    letters = ["".join(trained.letters[k - 1] for k in row) for row in ctc_greedy(scores, lengths)]
    assert trained.transcribe(features) == letters
    searched = prefix_beam_search(scores, lengths, width=4)
    letters = ["".join(trained.letters[k - 1] for k in one[0].labels) for one in searched]
    assert trained.transcribe(features, width=4) == letters
    for one, length, shares in zip(features, lengths, trained.posteriors(features), strict=True):
        assert shares.shape == (length, 4) and length == len(one)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert trained.score(features, letters, width=4) == edit_score(letters, letters)


def test_one_alone_is_as_in_a_batch(trained):
    features, _ = utterances(6, 4)
    together = trained.posteriors(features)
    for one, shares in zip(features, together, strict=True):
        np.testing.assert_allclose(trained.posteriors([one])[0], shares, atol=1e-6)


def test_a_language_model_is_heard(trained):
    """It has only ever seen "ab" again and again, and is made to count for everything."""
    ngram = NGram("\n" + LETTERS, order=2).fit("\n" + "ab\n" * 200)
    features, texts = utterances(12, 5)
    found = trained.transcribe(features, width=8, language=ngram, weight=50)
    assert set(found) == {"ab"} != set(texts)
    same = trained.transcribe(features, width=8, language=ngram, weight=0)
    assert same == trained.transcribe(features, width=8)
    for wrong in (3, NGram(LETTERS, order=1).fit("ab"), NGram("\nab", order=1).fit("ab")):
        with pytest.raises(TypeError, match="next_after.*line break"):
            trained.transcribe(features, width=2, language=wrong)
    with pytest.raises(ValueError, match="needs a width"):
        trained.transcribe(features, language=ngram)


def test_the_same_seed_is_the_same_recogniser():
    def made():
        model = Recogniser.new(*utterances(20), hidden_size=4, seed=3)
        model.fit(*utterances(20), epochs=2, seed=4, progress=False)
        return model.scores(utterances(5, 9)[0])[0]

    np.testing.assert_array_equal(made(), made())


@pytest.mark.parametrize("body", BODIES)
def test_files_keep_it(tmp_path, backend, body):
    features, texts = utterances(20)
    model = Recogniser.new(features, texts, body=body, hidden_size=4)
    again = Recogniser.load(model.save(tmp_path / "one.safetensors"), backend)
    assert repr(again) == repr(model) and again.letters == model.letters
    # Products of another library may differ in the last digit of float32.
    np.testing.assert_allclose(again.scores(features)[0], model.scores(features)[0], atol=1e-5)


def test_files_that_hold_no_recogniser(tmp_path):
    path = save(Sequential(head=Linear(2, 3)), tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"holds no recogniser: .*Recogniser.save writes one"):
        Recogniser.load(path)
    with pytest.raises(FileNotFoundError):
        Recogniser.load(tmp_path / "nothing.safetensors")


def test_what_does_not_fit():
    features, texts = utterances(4)
    model = Recogniser.new(features, texts, hidden_size=2)
    parts = (model.network, model.letters, model.mean, model.scale, model.stack)

    def changed(k, value):
        return Recogniser(*parts[:k], value, *parts[k + 1 :])

    refused = [
        (lambda: model.transcribe(features[0]), TypeError, r"into brackets: \[features\]"),
        (lambda: model.transcribe([]), ValueError, "at least one utterance"),
        (lambda: model.transcribe([features[0][:, 0]]), ValueError, r"shape \(T, D\)"),
        (lambda: model.transcribe([features[0] * np.nan]), ValueError, "not finite"),
        (lambda: model.transcribe([features[0][:, :3]]), ValueError, "the recogniser reads 4"),
        (lambda: model.fit(features, texts[:3]), ValueError, "equally many, got 4 and 3"),
        (lambda: model.fit(features, "abca"), TypeError, "texts must be a list"),
        (lambda: model.fit(features, ["x"] * 4), ValueError, r"texts\[0\] holds 'x'"),
        (lambda: model.fit(features, ["abc" * 9] * 4), ValueError, "needs at least 27 frames"),
        (
            lambda: model.fit(features, texts, validation=3),
            ValueError,
            r"validation must be \(features, texts\)",
        ),
        (lambda: Recogniser.new(features, [""] * 4), ValueError, "no letter"),
        (lambda: Recogniser.new(features, texts, body="GRU"), ValueError, "body must be"),
        (lambda: changed(1, "ab"), ValueError, "Linear of 3 outputs"),
        (lambda: changed(1, "aab"), ValueError, "each once"),
        (lambda: changed(2, model.mean[:3]), ValueError, "equally long"),
        (lambda: changed(3, -model.scale), ValueError, "above 0"),
        (lambda: changed(4, 3), ValueError, "of which 3 frames become one"),
    ]
    for call, error, message in refused:
        with pytest.raises(error, match=message):
            call()
