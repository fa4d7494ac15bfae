"""The tagger: features, what it learns, unknown words, rules, files, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import Linear, Sequential
from lstm_lab.decoding import legal_bio, viterbi
from lstm_lab.interchange import save
from lstm_lab.metrics import illegal_transitions
from lstm_lab.models import Tagger, is_bio, tag_scores, word_features

NAMES = ["ann", "bob", "cleo", "dan", "eve", "fay"]
STREETS = ["oak", "elm", "main", "lake", "hill"]


def lines(count=60, seed=0):
    """A name or an address, or both: what a word is depends on what is beside it."""
    rng, words, tags = np.random.default_rng(seed), [], []
    for _ in range(count):
        line, its = [], []
        for kind in rng.permutation(["per", "adr"])[: rng.integers(1, 3)]:
            if kind == "per":
                own = [str(rng.choice(NAMES)), str(rng.choice(STREETS))]  # Ann Oak lives there too
            else:
                own = [str(rng.integers(1, 99)), str(rng.choice(STREETS)), "St."]
            line += own
            its += [f"B-{kind}", *[f"I-{kind}"] * (len(own) - 1)]
        words.append(line)
        tags.append(its)
    return words, tags


@pytest.mark.parametrize(
    ("word", "features"),
    [
        ("McAdams,", ("mcadams", "mca", "ams", "XxXx,")),
        ("30309-1234", ("00000-0000", "000", "000", "0-0")),
        ("Ste.", ("ste", "ste", "ste", "Xx.")),
        ("-", ("-", "-", "-", "-")),
        ("...", ("...", "...", "...", ".")),
        ("№12ß", ("№00ß", "№00", "00ß", "№0x")),
        ("", ("", "", "", "")),
    ],
)
def test_features(word, features):
    assert word_features(word) == features


@pytest.mark.parametrize("head", ["crf", "softmax"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_learns_what_neighbours_say(head, bidirectional):
    tagger = Tagger.new(*lines(), hidden_size=12, head=head, bidirectional=bidirectional)
    history = tagger.fit(
        *lines(), epochs=12, learning_rate=0.02, validation=lines(20, 1), progress=False
    )
    assert history.loss[-1] < 0.5 * history.loss[0] and len(history.validation_loss) == 12
    score = tagger.score(*lines(40, 2))
    assert score.entities.f1 > 0.9 and score.accuracy > 0.9 and 0 < score.whole <= 1


def test_unknown_words_are_read_by_how_they_look():
    words, tags = lines()
    tagger = Tagger.new(words, tags, hidden_size=12, seed=1)
    tagger.fit(words, tags, epochs=15, learning_rate=0.02, progress=False)
    ids, _ = tagger.encode([["Xaver", "birch"]])
    assert (ids[:, 0, 0] == 0).all()
    (row,) = tagger.tag([["31", "birch", "St."]])
    assert row == ("B-adr", "I-adr", "I-adr")


def test_only_what_is_there_often_enough_is_known():
    words, tags = [["a", "b", "a"], ["a", "c"]], [["O"] * 3, ["O"] * 2]
    assert Tagger.new(words, tags).vocabularies[0] == ["", "a", "b", "c"]
    assert Tagger.new(words, tags, least=2).vocabularies[0] == ["", "a"]
    assert Tagger.new(words, tags, least=2).vocabularies[1] == ["", "a", "b", "c"]


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_rules_are_kept_where_they_are_asked_for(head):
    words, tags = lines()
    legal = Tagger.new(words, tags, head=head, hidden_size=4)
    assert legal.legal  # all tags are BIO
    free = Tagger.new(words, tags, head=head, hidden_size=4, legal=False)
    broken = illegal_transitions(free.tag(words))
    assert broken > 0
    assert illegal_transitions(legal.tag(words)) == 0
    assert illegal_transitions(free.tag(words, legal=True)) == 0
    if head == "softmax":
        assert illegal_transitions(legal.tag(words, legal=False)) > 0


def test_what_it_says_is_what_its_parts_say():
    words, tags = lines(12)
    tagger = Tagger.new(words, tags, hidden_size=4, seed=2)
    tagger.fit(words, tags, epochs=1, progress=False)
    emissions, lengths = tagger.emissions(words)
    edges, _ = tagger.crf.forward(emissions, lengths=lengths)
    scores, same = tagger.scores(words)
    np.testing.assert_allclose(scores, edges, rtol=1e-6)
    np.testing.assert_array_equal(lengths, same)
    path, _ = viterbi(scores, lengths)
    for n, row in enumerate(tagger.tag(words)):
        assert row == tuple(tagger.tags[k] for k in path[: len(words[n]), n])
    for line, shares in zip(words, tagger.probabilities(words), strict=True):
        assert shares.shape == (len(line), len(tagger.tags))
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        begins = legal_bio(tagger.tags)[-1, :-1]
        assert (shares[0, ~begins] == 0).all()
    softmax = Tagger.new(words, tags, head="softmax", hidden_size=4)
    np.testing.assert_allclose(softmax.probabilities(words)[0].sum(axis=1), 1, rtol=1e-6)


def test_the_same_seed_is_the_same_tagger():
    def trained():
        tagger = Tagger.new(*lines(20), hidden_size=4, seed=3)
        tagger.fit(*lines(20), epochs=2, seed=4, progress=False)
        return tagger.scores(lines(5, 9)[0])[0]

    np.testing.assert_array_equal(trained(), trained())


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_files_keep_it(tmp_path, backend, head):
    words, tags = lines(20)
    tagger = Tagger.new(words, tags, hidden_size=4, head=head)
    path = tagger.save(tmp_path / "tagger.safetensors")
    again = Tagger.load(path, backend)
    assert repr(again) == repr(tagger) and again.legal is tagger.legal
    assert again.vocabularies == tagger.vocabularies
    assert again.tag(words) == tagger.tag(words)


def test_files_that_hold_no_tagger(tmp_path):
    path = save(Sequential(head=Linear(2, 3)), tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"holds no tagger: .*Tagger.save writes one"):
        Tagger.load(path)
    with pytest.raises(FileNotFoundError):
        Tagger.load(tmp_path / "nothing.safetensors")


def test_lines_that_do_not_fit():
    words, tags = lines(4)
    tagger = Tagger.new(words, tags, hidden_size=2)
    with pytest.raises(ValueError, match=r"words\[1\] has . words, but tags\[1\] has 1 tags"):
        tagger.fit(words, [tags[0], ["O"], *tags[2:]])
    with pytest.raises(ValueError, match=r"tags\[0\] holds 'X', which the tagger does not know"):
        tagger.fit([["a"]], [["X"]])
    with pytest.raises(TypeError, match=r"words\[0\] must be a list of strings.*\.split\(\)"):
        tagger.tag(["ann oak"])
    with pytest.raises(ValueError, match=r"words\[0\] is empty"):
        tagger.tag([[]])
    with pytest.raises(ValueError, match="tags\\[0\\] must be 'O'"):
        Tagger.new([["a"]], [["Name"]], legal=True)
    with pytest.raises(ValueError, match="vocabularies must be 4, of the sizes"):
        Tagger(tagger.network, tagger.vocabularies[:3], tagger.tags)
    with pytest.raises(ValueError, match="tags must be"):
        Tagger(tagger.network, tagger.vocabularies, tagger.tags[:-1])


def test_scores():
    truth = [["B-a", "I-a", "O"], ["O", "B-b"]]
    score = tag_scores(truth, [["B-a", "I-a", "O"], ["B-b", "B-b"]])
    assert (score.words, score.words_right, score.lines, score.lines_right) == (5, 4, 2, 1)
    assert score.entities.f1 == pytest.approx(0.8)
    plain = tag_scores([["Name"]], [["Street"]])
    assert plain.entities is None and plain.accuracy == plain.whole == 0
    assert is_bio(["O", "B-x", "I-x"]) and not is_bio(["O", "Name"])
