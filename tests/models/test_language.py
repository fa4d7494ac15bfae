"""A language model is its layers, says probabilities, and comes back from its file."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, RNN, Dropout, Embedding, Linear, Sequential, decoding
from lstm_lab.models import LanguageModel, Vocabulary
from lstm_lab.optim import SGD

ALPHABET = "\nabc "
TEXT = "abca b\ncab" * 30


@pytest.fixture
def model():
    return wild(LanguageModel.new(ALPHABET, 7, 4, seed=3, dtype="float64", backend="numpy"))


def wild(model):
    """Weights that are no small numbers."""
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
    model = model if kind == "embedding" else LanguageModel(one_hot(), ALPHABET)
    text = "abca b\ncab"
    reading = model.read(text)
    expected = by_hand(model.tables(), [ALPHABET.index(character) for character in text])
    np.testing.assert_allclose(reading.log_probabilities, expected, atol=1e-12)
    np.testing.assert_allclose(model.next_after(text), expected[-1], atol=1e-12)
    bits = [-expected[t][ALPHABET.index(c)] / np.log(2) for t, c in enumerate(text)]
    np.testing.assert_allclose(reading.surprise, bits)
    np.testing.assert_allclose(model.surprise(text), bits)
    assert model.bits(text) == pytest.approx(np.mean(bits))
    # The definition: one over the probability of all of it, per character.
    probability = np.prod([2.0**-each for each in bits])
    assert model.perplexity(text) == pytest.approx(probability ** (-1 / len(text)))
    assert reading.trace.cell.shape == (len(text), 1, model.lstm.hidden_size)


def test_a_long_text_is_read_in_pieces_as_if_in_one(model, monkeypatch):
    whole = model.surprise(TEXT)
    monkeypatch.setattr("lstm_lab.models.language.AT_ONCE", 7 * len(ALPHABET))
    calls = []
    forward = model.lstm.forward

    def counted(x, *arguments, **options):
        calls.append(len(x))
        return forward(x, *arguments, **options)

    monkeypatch.setattr(model.lstm, "forward", counted)
    np.testing.assert_allclose(model.surprise([TEXT[:100], TEXT[100:]]), whole, rtol=1e-12)
    assert max(calls) == 7
    assert sum(calls) == len(TEXT)


@pytest.mark.parametrize("context", [0, 1, 4, 500])
def test_a_context_is_what_it_begins_anew_with(model, context, monkeypatch):
    monkeypatch.setattr("lstm_lab.models.language.AT_ONCE", 300)
    text = TEXT[:40]
    alone = [
        -model.next_after(text[max(0, t - context) : t])[ALPHABET.index(c)] / np.log(2)
        for t, c in enumerate(text)
    ]
    np.testing.assert_allclose(model.surprise(text, context), alone, rtol=1e-10)


def test_what_is_not_in_the_alphabet_is_never_seen(model):
    reading = model.read("aé\tb→c")
    np.testing.assert_array_equal(reading.places, [0, 3, 5])
    np.testing.assert_array_equal(reading.log_probabilities, model.read("abc").log_probabilities)
    for read in (model.read, model.bits):
        with pytest.raises(ValueError, match="none of its symbols"):
            read("é")


def test_drawn_characters_follow_the_probabilities(model):
    """One character, drawn with every number from 0 to 1: each comes as often as it is likely."""
    shares = np.exp(model.next_after("ab") / 0.7)
    shares /= shares.sum()
    numbers = (np.arange(500) + 0.5) / 500
    drawn = [model.generate("ab", [number], 0.7) for number in numbers]
    found = [drawn.count(character) / len(drawn) for character in ALPHABET]
    np.testing.assert_allclose(found, shares, atol=4e-3)


def test_it_goes_on_from_what_it_wrote(model):
    draws = np.random.default_rng(0).random(80)
    whole = model.generate("ab", draws)
    assert len(whole) == 80
    first = model.generate("ab", draws[:5])
    assert whole == first + model.generate("ab" + first, draws[5:])
    assert not np.allclose(model.next_after(""), model.next_after("ab"))
    likeliest = ALPHABET[int(model.next_after("ab").argmax())]
    assert model.generate("ab", draws[:1], 1e-6) == likeliest
    assert model.generate("ab", draws[:1], 0) == likeliest


@pytest.mark.parametrize(
    "setting", [{}, {"temperature": 0}, {"temperature": 0.7, "top_k": 4, "top_p": 0.8}]
)
def test_it_draws_as_decoding_does(model, setting):
    draws = np.random.default_rng(1).random(30)
    text = "ab"
    for number in draws:
        said = model.next_after(text)
        text += ALPHABET[int(decoding.sample(said, number, **setting))]
    assert model.generate("ab", draws, **setting) == text[2:]


# ------------------------------------------------------------------------------------ learning


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["embedding", "one-hot", "deep"])
def test_training_is_truncated_backpropagation_as_torch_writes_it(kind):
    """Streams side by side, the state carried and detached, clipped steps downhill."""
    import torch

    options = {"num_layers": 2} if kind == "deep" else {}
    size = None if kind == "one-hot" else 4
    model = LanguageModel.new(ALPHABET, 7, size, seed=3, dtype="float64", **options)
    batch, steps, rate = 3, 8, 0.5
    ids = torch.tensor([ALPHABET.index(c) for c in TEXT])
    length = (len(ids) - 1) // batch

    from lstm_lab.interchange import to_torch

    reads = len(ALPHABET) if size is None else size
    lstm = torch.nn.LSTM(reads, 7, model.lstm.num_layers, dtype=torch.float64)
    lstm.load_state_dict({k: torch.tensor(v) for k, v in to_torch(model.lstm).items()})
    table = torch.eye(len(ALPHABET), dtype=torch.float64)
    if size is not None:
        table = torch.tensor(model.embedding.params["weight"], requires_grad=True)
    weight = torch.tensor(model.head.params["weight"], requires_grad=True)
    bias = torch.tensor(model.head.params["bias"], requires_grad=True)
    weights = [p for p in [*lstm.parameters(), table, weight, bias] if p.requires_grad]
    # Two biases of torch are one here: a step on both would be twice as long.
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_hh"):
            parameter.requires_grad = False
            weights = [w for w in weights if w is not parameter]
    losses = []
    for _ in range(2):
        state = None
        for start in range(0, length, steps):
            stop = min(start + steps, length)
            x = torch.stack([ids[b * length + start : b * length + stop] for b in range(batch)], 1)
            y = torch.stack(
                [ids[b * length + start + 1 : b * length + stop + 1] for b in range(batch)], 1
            )
            out, state = lstm(table[x], state)
            state = tuple(part.detach() for part in state)
            loss = torch.nn.functional.cross_entropy(
                (out @ weight.T + bias).flatten(0, 1), y.flatten()
            )
            for parameter in weights:
                parameter.grad = None
            loss.backward()
            norm = torch.cat([parameter.grad.flatten() for parameter in weights]).norm()
            with torch.no_grad():
                for parameter in weights:
                    parameter -= rate * min(1, 0.2 / norm) * parameter.grad
            losses.append(loss.item())
    # The order of the streams within the batch makes no difference to a mean.
    history = model.fit(
        TEXT, epochs=2, steps=steps, batch_size=batch, optimizer=SGD(rate), clip_norm=0.2,
        progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(history.step_loss, losses, rtol=1e-9)
    np.testing.assert_allclose(model.head.params["weight"], weight.detach(), rtol=1e-9)
    layer = to_torch(model.lstm)["weight_hh_l0"]
    np.testing.assert_allclose(layer, lstm.weight_hh_l0.detach(), rtol=1e-9)


def test_streams_and_windows_follow_each_other(model):
    ids = np.array([ALPHABET.index(c) for c in TEXT])
    for cut in (model._streams, model._windows):
        x, target = cut(TEXT, 7)
        np.testing.assert_array_equal(x.T.ravel(), ids[: x.size])
        np.testing.assert_array_equal(target.T.ravel(), ids[1 : x.size + 1])
    assert model._streams(TEXT, 7)[0].shape == ((len(TEXT) - 1) // 7, 7)
    assert model._windows(TEXT, 7)[0].shape == (7, (len(TEXT) - 1) // 7)
    with pytest.raises(ValueError, match="text holds 4 symbols; expected more than 32"):
        model.fit("abca", epochs=1)
    with pytest.raises(ValueError, match="validation holds 4 symbols; expected more than 64"):
        model.fit(TEXT, epochs=1, carry=False, validation="abca")


@pytest.mark.parametrize("carry", [True, False])
def test_it_learns_and_its_validation_loss_is_that_of_its_parts(carry):
    model = LanguageModel.new(ALPHABET, 10, seed=0)
    history = model.fit(
        TEXT, epochs=8, steps=20, batch_size=4, carry=carry, validation=TEXT[:150],
        learning_rate=0.02, progress=False,
    )  # fmt: skip
    assert model.bits(TEXT) < 1.2 < 1.5 < history.loss[0] / np.log(2)
    assert len(history.validation_loss) == 8
    parts = [TEXT[k * 37 : k * 37 + 38] for k in range(4)]
    if not carry:
        parts = [TEXT[k * 20 : k * 20 + 21] for k in range(7)]
    each = np.concatenate([model.read(part).surprise[1:] for part in parts])
    assert history.validation_loss[-1] / np.log(2) == pytest.approx(each.mean(), rel=1e-5)


def test_only_carried_state_can_know_what_stood_before_the_piece():
    """-a-a-a-b-b-b: a piece begins with the dash, and the letter that follows stood before it."""
    rng = np.random.default_rng(0)
    text = "".join(f"-{letter}" * 8 for letter in rng.choice(list("abcdefgh"), 200))
    loss = {}
    for carry in (True, False):
        model = LanguageModel.new("-abcdefgh", 16, 8, seed=1)
        history = model.fit(
            text, epochs=3, steps=2, batch_size=16, carry=carry, learning_rate=0.03, progress=False
        )
        loss[carry] = history.loss[-1]
    # Without it each second letter is a guess among eight.
    assert loss[True] + 0.25 < 0.9 * np.log(8) / 2 < loss[False]


# --------------------------------------------------------------------------------- words, files


def test_words():
    text = "the cat's hat, the cat's mat.\nthe end"
    words = Vocabulary.words(text, size=5)
    assert words.symbols == ("<unk>", "the", "cat's", "\n", ",")
    ids, places = words.encode("the dog's hat,\n")
    assert ids.tolist() == [1, 0, 0, 4, 3]
    assert places.tolist() == [0, 4, 10, 13, 14]
    assert words.decode([1, 2, 3, 1]) == "the cat's\nthe"
    assert len(Vocabulary.words(text)) == 9
    model = LanguageModel.new(words, 12, 8, seed=0)
    model.fit(text * 30, epochs=10, steps=10, batch_size=4, learning_rate=0.02, progress=False)
    assert words.symbols[int(model.next_after("the").argmax())] in ("cat's", "<unk>")
    assert model.bits(text) < 1.5
    assert len(model.generate("the", np.full(4, 0.5)).split()) <= 4


def test_vocabularies_are_checked():
    assert Vocabulary.characters(["ba", "ca"]).symbols == ("a", "b", "c")
    for symbols in ("", "aa", ["a", "bc"]):
        with pytest.raises(ValueError, match="symbols: "):
            Vocabulary(symbols)
    with pytest.raises(ValueError, match="unknown must be one of the symbols"):
        Vocabulary("ab", unknown="c")
    assert Vocabulary(["a", "<unk>"], unknown="<unk>").encode("ab")[0].tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["characters", "words", "deep"])
def test_file(model, tmp_path, kind):
    if kind == "words":
        model = LanguageModel.new(Vocabulary.words("a b\nc"), 5, seed=0)
    if kind == "deep":
        network = Sequential(
            e=Embedding(5, 3), drop=Dropout(0.5), lstm=LSTM(3, 6, 2, peepholes=True, dropout=0.1),
            out=Dropout(0.2), head=Linear(6, 5),
        )  # fmt: skip
        model = LanguageModel(network, ALPHABET)
    model.about = {"from": "here"}
    path = model.save(tmp_path / "model.safetensors")
    back = LanguageModel.load(path, "numpy")
    assert (back.vocabulary, back.about) == (model.vocabulary, {"from": "here"})
    np.testing.assert_array_equal(back.next_after("a b c"), model.next_after("a b c"))
    from lstm_lab.interchange import load as plain
    from lstm_lab.interchange import read_notes, save

    assert isinstance(plain(path), Sequential)
    other = save(one_hot(), tmp_path / "other.safetensors")
    assert read_notes(other) == {}
    with pytest.raises(ValueError, match="holds no language model"):
        LanguageModel.load(other)


def test_files_of_the_first_version_are_read(tmp_path):
    from lstm_lab.interchange import save

    network = one_hot()
    notes = {"lstm_lab_text": {"alphabet": ALPHABET, "about": {"epochs": 1}}}
    path = save(network, tmp_path / "first.safetensors", notes=notes)
    model = LanguageModel.load(path)
    assert model.vocabulary == Vocabulary(ALPHABET)
    assert model.about == {"epochs": 1}
    with pytest.raises(ImportError, match=r"has moved to lstm_lab\.models"):
        import lstm_lab.text  # noqa: F401


def test_wrong_models_are_named():
    good = one_hot()
    with pytest.raises(ValueError, match="has 2 symbols, but the network reads 5"):
        LanguageModel(good, "ab")
    with pytest.raises(TypeError, match="network must be a Sequential, got a LSTM"):
        LanguageModel(good.layers["lstm"], ALPHABET)
    with pytest.raises(TypeError, match=r"expected \(Embedding,\) LSTM, Linear, got RNN, Linear"):
        LanguageModel(Sequential(rnn=RNN(5, 6), head=Linear(6, 5)), ALPHABET)
    both = Sequential(lstm=LSTM(5, 6, bidirectional=True), head=Linear(12, 5))
    with pytest.raises(ValueError, match="would read what it is to predict"):
        LanguageModel(both, ALPHABET)
    for options in (
        {"num_layers": 2},
        {"peepholes": True},
        {"coupled": True},
        {"forget_gate": False},
        {"layer_norm": True},
        {"proj_size": 3},
    ):
        model = LanguageModel.new(ALPHABET, 6, 3, **options)
        assert model.bits("abc") > 0
        with pytest.raises(ValueError, match="LSTM of one layer"):
            model.tables()
