"""Text to words and marks, and back without a loss."""

from __future__ import annotations

import pytest

from lstm_lab.data import detokenize, load, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("kiss: woman, man", "kiss|:|woman|,|man"),
        ("bisou\u202f: femme et homme", "bisou|\u202f:|femme|et|homme"),
        ("trait d’union-moins", "trait|d’|union-moins"),
        ("jusqu’à l’œil, s’il", "jusqu’|à|l’|œil|,|s’|il"),
        ("Lorsqu'il", "Lorsqu'|il"),
        ("aujourd’hui", "aujourd’hui"),
        ("woman’s hat at one o’clock", "woman’s|hat|at|one|o’clock"),
        ("Japanese “free of charge” button", "Japanese|“|free|of|charge|”|button"),
        ("(tous genres)", "(|tous|genres|)"),
        ("A button (blood type)", "A|button|(|blood|type|)"),
        ("Mrs. Claus", "Mrs|.|Claus"),
        ("UP! button", "UP|!|button"),
        ("1,000.5 at 10:30, http://a.b/c", "1,000.5|at|10:30|,|http://a.b/c"),
        ("«\u202fnon\u202f», dit-il\u202f!", "«\u202f|non|\u202f»|,|dit-il|\u202f!"),
        ("", ""),
        ("#", "#"),
        ("medium-light skin tone", "medium-light|skin|tone"),
    ],
)
def test_words_and_marks(text, tokens):
    found = tokenize(text)
    assert found == tuple(tokens.split("|")) * bool(tokens)
    assert detokenize(found) == text


def test_every_name_of_an_emoji_comes_back():
    emoji = load("emoji")
    texts = [
        text for part in (emoji.train, emoji.validation, emoji.test) for p in part for text in p
    ]
    assert len(texts) == 2 * 3745
    for text in texts:
        tokens = tokenize(text)
        assert detokenize(tokens) == text
        assert all(tokens) and not any(" " in token for token in tokens)


def test_gaps_are_made_even():
    assert detokenize(tokenize("  a \t b\n")) == "a b"


def test_what_is_no_text():
    with pytest.raises(TypeError, match="text must be a string"):
        tokenize(3)
    with pytest.raises(TypeError, match="tokens must be a sequence of words, got the string"):
        detokenize("a b")
    with pytest.raises(TypeError, match="a token must be a string"):
        detokenize(["a", 3])
