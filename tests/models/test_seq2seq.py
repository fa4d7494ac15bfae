"""The model that translates: texts in, texts out, learnt, kept, and refused by name."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_lab import Sequential
from lstm_lab.interchange import save
from lstm_lab.models import EncoderDecoder, Looked, Seq2Seq
from lstm_lab.training import CheckpointError

ENGLISH = ["red cat", "black cat", "red dog", "two dogs", "black dog: old", "two cats"]
FRENCH = ["chat rouge", "chat noir", "chien rouge", "deux chiens", "chien noir\u202f: vieux"]
FRENCH += ["deux chats"]


def new(**options):
    return Seq2Seq.new(ENGLISH, FRENCH, **{"hidden_size": 16, "embedding_size": 8} | options)


@pytest.fixture(scope="module")
def taught():
    model = new(seed=0)
    model.fit(ENGLISH, FRENCH, epochs=60, learning_rate=0.02, progress=False)
    return model


def test_the_symbols_are_those_of_the_texts():
    model = new()
    words = ["black", "cat", "cats", "dog", "dogs", "old", "red", "two", ":"]
    assert model.source[0] == "<unk>"
    assert sorted(model.source[1:]) == sorted(words)
    assert model.target[:2] == ("<s>", "</s>")
    assert "\u202f:" in model.target
    letters = Seq2Seq.new(["ab"], ["ca"], hidden_size=4, unit="characters")
    assert (letters.source, letters.target) == (("<unk>", "a", "b"), ("<s>", "</s>", "a", "c"))


def test_examples_are_shifted_by_one():
    model = new()
    (source, written), target, (ends, own) = model.examples(ENGLISH, FRENCH)
    assert source.shape == (4, 6)
    assert written.shape == target.shape == (5, 6)
    for n, (english, french) in enumerate(zip(ENGLISH, FRENCH, strict=True)):
        words = [model.target[k] for k in target[: own[n], n]]
        assert words[-1] == "</s>"
        assert model.text(target[: own[n] - 1, n]) == french
        assert [model.target[k] for k in written[: own[n], n]] == ["<s>", *words[:-1]]
        assert [model.source[k] for k in source[: ends[n], n]] == list(_words(english))


def _words(text):
    return text.replace(":", " :").split()


def test_it_learns_and_translates(taught):
    assert taught.translate(ENGLISH) == FRENCH
    assert taught.translate(ENGLISH, width=3, alpha=0.6) == FRENCH
    assert taught.translate("two cats") == "deux chats"
    assert taught.translate(["two cats"]) == ["deux chats"]
    assert taught.translate([("two", "cats")]) == ["deux chats"]
    # A batch is as each by itself.
    assert taught.translate(ENGLISH, width=2, batch_size=4) == [
        taught.translate(text, width=2) for text in ENGLISH
    ]


def test_what_it_does_not_know_says_nothing(taught):
    assert not taught.network.params["source.weight"][0].any()
    assert taught.translate("zzz cats") == taught.translate("yyy cats")


def test_the_search_and_the_model_agree_on_probabilities(taught):
    beams = taught.beams(ENGLISH, width=4, n_best=3)
    for k in range(3):
        texts = [taught.text(beam.best[k].ids) for beam in beams]
        found = [beam.best[k].log_probability for beam in beams]
        # float32, step by step and all steps at once.
        np.testing.assert_allclose(taught.log_probability(ENGLISH, texts), found, atol=1e-4)
    ranked = np.array([[one.log_probability for one in beam.best] for beam in beams])
    assert (np.diff(ranked, axis=1) <= 0).all()


def test_continuations_hold_all_that_a_search_looks_at(taught):
    table = taught.continuations("red cat", width=3)
    assert sum(table[""].values()) <= 1 + 1e-6
    first = max(table[""], key=table[""].get)
    assert first == "chat"
    assert max(table["chat"], key=table["chat"].get) == "rouge"
    for k in (1, 2, 3):
        (beam,) = taught.beams(["red cat"], width=k, n_best=2)
        for one in beam.best:
            words, total = [taught.target[i] for i in one.ids], 0.0
            for t, word in enumerate([*words, "</s>"]):
                total += np.log(table[" ".join(words[:t])][word])
            assert total == pytest.approx(one.log_probability, abs=1e-5)


def test_attention_says_where_it_looked(taught):
    looked = taught.attention("red cat")
    assert isinstance(looked, Looked)
    assert looked.source == ("red", "cat")
    assert looked.target == ("chat", "rouge", "</s>")
    assert looked.weights.shape == (3, 2)
    np.testing.assert_allclose(looked.weights.sum(axis=1), 1, atol=1e-6)
    forced = taught.attention("red cat", "deux chats")
    assert forced.target == ("deux", "chats", "</s>")
    assert forced.weights.shape == (3, 2)
    with pytest.raises(ValueError, match="the model has no attention"):
        new(attention=None).attention("red cat")


@pytest.mark.parametrize(
    "options", [{}, {"attention": None}, {"attention": "additive", "bidirectional": False}]
)
def test_a_file_brings_it_back(tmp_path, options):
    model = new(num_layers=2, **options)
    model.about = {"made": "here"}
    path = model.save(tmp_path / "model.safetensors")
    again = Seq2Seq.load(path)
    assert repr(again) == repr(model)
    assert (again.source, again.target, again.unit) == (model.source, model.target, model.unit)
    assert again.about == {"made": "here"}
    assert again.translate(ENGLISH, max_length=5) == model.translate(ENGLISH, max_length=5)
    for name, array in model.network.params.items():
        np.testing.assert_array_equal(again.network.params[name], array)


def test_other_files_are_refused(tmp_path, taught):
    path = tmp_path / "file"
    save(Sequential(**taught.network.layers), path)
    with pytest.raises(ValueError, match="holds no model that translates: 'seq2seq'"):
        Seq2Seq.load(path)
    save(taught.network.layers["encoder"], path)
    with pytest.raises(ValueError, match="holds no model that translates"):
        Seq2Seq.load(path)
    note = {"source": ["<unk>"], "target": list(taught.target), "unit": "words", "about": {}}
    save(Sequential(**taught.network.layers), path, notes={"seq2seq": note})
    with pytest.raises(ValueError, match="source has 1 symbols, but the network reads 10"):
        Seq2Seq.load(path)
    with pytest.raises(FileNotFoundError):
        Seq2Seq.load(tmp_path / "nothing")


def test_the_seed_decides_and_parts_differ():
    first, again, other = new(seed=1), new(seed=1), new(seed=2)
    for name, array in first.network.params.items():
        np.testing.assert_array_equal(again.network.params[name], array)
        assert (other.network.params[name] != array).any()
    options = {"epochs": 3, "progress": False, "batch_size": 2}
    histories = [
        model.fit(ENGLISH, FRENCH, seed=seed, **options)
        for model, seed in ((first, 0), (again, 0), (new(seed=1), 1))
    ]
    assert histories[0] == histories[1]
    assert histories[0] != histories[2]


def test_training_takes_what_a_training_takes(tmp_path):
    path = tmp_path / "run"
    held_out = ENGLISH[:2], FRENCH[:2]
    options = {"validation": held_out, "progress": False, "batch_size": 2}
    whole, part = new(), new()
    history = whole.fit(ENGLISH, FRENCH, epochs=4, **options)
    assert len(history.validation_loss) == 4
    assert history.learning_rate[0] > history.learning_rate[-1]
    # A cosine's rates follow from the number of epochs.
    with pytest.raises(CheckpointError, match="learning_rate"):
        for epochs in (2, 4):
            part.fit(ENGLISH, FRENCH, epochs=epochs, checkpoint=path, **options)


def test_it_runs_on_another_backend(backend):
    model = new(backend=backend)
    plain = new()
    model.fit(ENGLISH, FRENCH, epochs=2, progress=False)
    plain.fit(ENGLISH, FRENCH, epochs=2, progress=False)
    for name, array in plain.network.params.items():
        there = model.network.backend.to_numpy(model.network.params[name])
        np.testing.assert_allclose(there, array, atol=1e-4, err_msg=name)
    assert len(model.translate(ENGLISH, width=2, max_length=4)) == 6
    assert model.attention("red cat", "chat noir").weights.shape == (3, 2)


WRONG = [
    ("new", {"sources": "a text"}, TypeError, "sources must be a sequence of texts"),
    ("new", {"targets": [3]}, TypeError, r"targets\[0\] must be a text"),
    ("new", {"sources": []}, ValueError, "sources must hold one text at least"),
    ("new", {"hidden_size": 15}, ValueError, "hidden_size must be even"),
    ("new", {"unit": "letters"}, ValueError, "unit must be 'words' or 'characters'"),
    ("new", {"attention": "yes"}, ValueError, "attention must be one of 'dot'"),
    ("new", {"seed": -1}, ValueError, "seed must be"),
    ("fit", {"targets": FRENCH[:5]}, ValueError, "targets must be as many as sources, 6, got 5"),
    ("fit", {"targets": ["loup"] * 6}, ValueError, r"targets\[0\]: the model cannot write 'loup'"),
    ("fit", {"sources": ["cat"] * 5 + [""]}, ValueError, r"sources\[5\] is empty"),
    ("fit", {"learning_rate": 0}, ValueError, "learning_rate must be"),
    ("fit", {"epochs": 0}, ValueError, "epochs must be"),
    ("fit", {"batch_size": 0}, ValueError, "batch_size must be"),
    ("fit", {"validation": 3}, ValueError, r"validation must be \(sources, targets\)"),
    ("fit", {"validation": (ENGLISH, ["loup"] * 6)}, ValueError, "cannot write 'loup'"),
    ("beams", {"width": 0}, ValueError, "width must be"),
    ("beams", {"batch_size": 0}, ValueError, "batch_size must be"),
    ("beams", {"sources": [""]}, ValueError, r"sources\[0\] is empty"),
]


@pytest.mark.parametrize(("method", "changes", "kind", "message"), WRONG)
def test_nonsense_is_refused_by_name(method, changes, kind, message):
    good = {"sources": ENGLISH} if method == "beams" else {"sources": ENGLISH, "targets": FRENCH}
    with pytest.raises(kind, match=message):
        getattr(new(), method)(**good | changes)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"network": 3}, TypeError, "network must be an EncoderDecoder"),
        ({"source": "abc"}, TypeError, "source must be a sequence of symbols"),
        ({"source": ["a", "b"]}, ValueError, "source must begin with <unk>"),
        ({"target": ["<s>"]}, ValueError, "target must begin with <s>, </s>"),
        ({"source": ["<unk>", "a", "a"]}, ValueError, "source must hold every symbol once"),
        ({"source": ["<unk>", "a"]}, ValueError, "source has 2 symbols, but the network reads 10"),
        ({"about": 3}, TypeError, "about must be a mapping"),
    ],
)
def test_symbols_that_do_not_fit_are_refused(changes, kind, message):
    model = new()
    good = {"network": model.network, "source": model.source, "target": model.target}
    with pytest.raises(kind, match=message):
        Seq2Seq(**good | changes)


def test_what_a_file_holds_is_json(taught, tmp_path):
    assert isinstance(taught.network, EncoderDecoder)
    taught.about = {"figures": [1.5, 2]}
    assert json.loads(json.dumps(taught.about)) == taught.about
    assert repr(taught).startswith("<Seq2Seq: 10 to 11 words, with attention")
