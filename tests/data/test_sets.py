"""One door to every set; and what each set promises: its size, its parts, its questions."""

from __future__ import annotations

import re
import sys
import types
from collections import Counter
from datetime import date

import numpy as np
import pytest

from lstm_lab import data
from lstm_lab.data import Corpus, Digits, Pairs, Parts, Series, Tagged, catalogue, load, tokenize
from lstm_lab.data.catalogue import _SETS

NAMES = list(_SETS)
PARTS = ("train", "validation", "test")
# SHA-256 of what does not change with the version of a package.
CHECKSUMS = {
    "addresses": "b97ef1f7",
    "contacts": "86ccf1af",
    "digits": "5842ae84",
    "el_nino": "b59b41ae",
    "emoji": "a7bbceaa",
    "names": "54a97aa4",
    "spoken_numbers": "a35fc322",
    "sunspots": "7cad9594",
}


def examples(part):
    """What two parts may not share; an image by its bytes, an utterance by what is said."""
    if isinstance(part, Digits):
        return (image.tobytes() for image in part.images)
    return getattr(part, "texts", part)


@pytest.fixture(scope="module")
def sets():
    return {name: load(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_set_says_what_it_is(sets, name):
    found = sets[name]
    assert isinstance(found, (Parts, Series))
    for field in ("name", "description", "source", "licence"):
        assert isinstance(getattr(found, field), str) and getattr(found, field)
    assert re.fullmatch("[0-9a-f]{64}", found.checksum)
    assert found.checksum.startswith(CHECKSUMS.get(name, ""))
    assert found.name in repr(found) and found.licence in repr(found)
    assert found.description.endswith(".")


@pytest.mark.parametrize("name", ["emoji", "contacts", "dates", "topics"])
def test_a_set_is_the_same_each_time(sets, name):
    assert load(name) == sets[name]


def test_the_catalogue_and_the_docstring_name_them_all(sets):
    table = catalogue()
    assert table._repr_markdown_() == table and repr(table) == table
    lines = table.splitlines()
    assert len({len(line) for line in lines}) == 1 and len(lines) == len(NAMES) + 2
    for line, name in zip(lines[2:], NAMES, strict=True):
        cells = [cell.strip() for cell in line.split("|")]
        assert cells[1] == f"`{name}`"
        documented = rf"^ *{name} +{re.escape(cells[2])} +{re.escape(cells[4])}$"
        assert re.search(documented, load.__doc__, flags=re.M), name
        if name in CHECKSUMS and not isinstance(sets[name], Series):
            sizes = " / ".join(f"{len(getattr(sets[name], part)):,}" for part in PARTS)
            assert cells[3].startswith(sizes)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("emojis", "emoji"), ("EMOJI", "emoji"), ("el nino", "el_nino")]
)
def test_an_unknown_name_gets_the_known_ones_and_the_nearest(wrong, meant):
    with pytest.raises(
        ValueError, match=f"name must be one of addresses, .*did you mean '{meant}'"
    ):
        load(wrong)
    with pytest.raises(ValueError, match="got 'penn treebank'$"):
        load("penn treebank")


@pytest.mark.parametrize(
    ("name", "package", "advice"),
    [
        ("sunspots", "statsmodels", r'pip install -e "\.\[book\]"'),
        ("dates", "babel", r'pip install -e "\.\[book\]"'),
        ("topics", "pydoc_data.topics", "standard library"),
    ],
)
def test_a_package_that_is_missing(name, package, advice, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=advice):
        load(name)


# "topics_repeated" is there to show what happens if they do.
@pytest.mark.parametrize("name", sorted({*NAMES} - {"el_nino", "sunspots", "topics_repeated"}))
def test_no_example_stands_in_two_parts(sets, name):
    parts = [set(examples(getattr(sets[name], part))) for part in PARTS]
    if isinstance(sets[name].train, Tagged):
        parts = [{words for words, _ in part} for part in parts]
    assert all(parts)
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


# Emoji


def test_counts_of_emoji(sets):
    emoji = sets["emoji"]
    assert [len(getattr(emoji, part)) for part in PARTS] == [3111, 216, 418]
    kinds = {"combination": 172, "all words seen": 92, "an unseen word": 154}
    assert Counter(emoji.test.kinds) == kinds
    assert Counter(emoji.validation.kinds) == {
        "combination": 93, "all words seen": 43, "an unseen word": 80
    }  # fmt: skip
    assert set(emoji.train.kinds) <= {""}
    for kind, count in kinds.items():
        assert len(emoji.test.of_kind(kind)) == count


def test_the_kinds_of_emoji_are_what_they_say(sets):
    emoji = sets["emoji"]
    seen = [{word for row in emoji.train for word in tokenize(row[side])} for side in (0, 1)]
    tone = re.compile("[\U0001f3fb-\U0001f3ff]")
    plain = {tone.sub("", key) for key in emoji.train.keys if tone.sub("", key)}
    for part in (emoji.validation, emoji.test):
        for pair, key, kind in zip(part, part.keys, part.kinds, strict=True):
            known = all(
                set(tokenize(text)) <= words for text, words in zip(pair, seen, strict=True)
            )
            assert known == (kind != "an unseen word"), pair
            assert (kind == "combination") == bool(len(key) > 1 and tone.search(key)), pair
        # The name itself was seen, with another tone or without.
        for key in part.of_kind("combination").keys:
            pairs_of_people = "🫱" in key or "🧑" in key or "👩" in key or "👨" in key
            assert tone.sub("", key) in plain or pairs_of_people, key
        # Of a name that is new, no toned form was seen either.
        for kind in ("all words seen", "an unseen word"):
            assert (
                not {tone.sub("", key) for key in part.of_kind(kind).keys if len(key) > 1} & plain
            )


def test_emoji_as_they_read(sets):
    emoji = sets["emoji"]
    rows = dict(zip(emoji.train.keys, emoji.train, strict=True)) | dict(
        zip(emoji.test.keys, emoji.test, strict=True)
    )
    assert rows["🚆"] == ("train", "train")
    assert ("kiss: woman, man", "bisou\u202f: femme et homme") in rows.values()
    assert not any("flag: " in english for english, _ in rows.values())
    assert not any(" :" in french for _, french in rows.values())


# Dates


def test_dates(sets):
    full, medium = sets["dates"], sets["dates_medium"]
    assert [len(getattr(full, part)) for part in PARTS] == [2500, 250, 500]
    for part in PARTS:
        assert getattr(full, part).keys == getattr(medium, part).keys
        assert getattr(full, part).targets == getattr(medium, part).targets
    days = [date.fromisoformat(key) for part in PARTS for key in getattr(full, part).keys]
    assert len(set(days)) == 3250
    assert date(1900, 1, 1) <= min(days) <= date(1901, 1, 1)
    assert date(2099, 1, 1) <= max(days) <= date(2099, 12, 31)


def test_dates_are_translations(sets):
    """Written again here, from the date alone."""
    english = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
    french = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
    months = (
        "January février March avril May juin July août September octobre November décembre"
    ).split()
    for (source, target), key in zip(sets["dates"].test, sets["dates"].test.keys, strict=True):
        day = date.fromisoformat(key)
        assert source.startswith(f"{english[day.weekday()]}, ")
        assert source.endswith(f" {day.day}, {day.year}")
        assert re.fullmatch(rf"{french[day.weekday()]} {day.day} \S+ {day.year}", target)
        assert months[day.month - 1] in (source if day.month % 2 else target)
    assert all(
        re.fullmatch(r"[A-Z][a-z]+ \d+, \d{4}", s) for s in sets["dates_medium"].test.sources
    )
    assert data.load("dates").test[:2].sources == sets["dates"].test.sources[:2]


def test_a_form_of_dates_that_there_is_not():
    from lstm_lab.data.pairs import dates

    with pytest.raises(ValueError, match="form must be 'full' or 'medium'"):
        dates("long")


# Tagged strings


def test_addresses(sets):
    found = sets["addresses"]
    assert [len(getattr(found, part)) for part in PARTS] == [892, 298, 298]
    whole = Counter(tag for part in PARTS for _, tags in getattr(found, part) for tag in tags)
    assert len(whole) == 29
    words, tags = found.test[1]
    assert words == ("6002", "El", "Tordo", "Rancho", "Santa", "Fe", "CA", "92067")
    assert tags[:2] == ("AddressNumber", "StreetName") and len(tags) == len(words)


def test_names(sets):
    found = sets["names"]
    kinds = Counter(kind for part in PARTS for kind in getattr(found, part).kinds)
    assert kinds == {"person": 2252, "company": 766}
    for kind, count in (("person", 12), ("company", 11)):
        tags = {
            tag for part in PARTS for row in getattr(found, part).of_kind(kind).tags for tag in row
        }
        assert len(tags) == count
    # However it is spelt and labelled, a name is in one part.
    lower = [{" ".join(words).lower() for words, _ in getattr(found, part)} for part in PARTS]
    assert not (lower[0] & lower[1] or lower[0] & lower[2] or lower[1] & lower[2])


def test_contact_lines(sets):
    found = sets["contacts"]
    assert [len(getattr(found, part)) for part in PARTS] == [3000, 400, 800]
    strings, gaps, marks = [], 0, 0
    for part in PARTS:
        here = set()
        for words, tags in getattr(found, part):
            assert all(word == word.lower() and word for word in words)
            begins = [k for k, tag in enumerate(tags) if tag[0] == "B"]
            assert 1 <= len(begins) <= 4 and tags[0][0] == "B" and tags[-1] != "O"
            for k in begins:
                stop = next((j for j in range(k + 1, len(tags)) if tags[j][0] != "I"), len(tags))
                assert set(tags[k + 1 : stop]) <= {f"I-{tags[k][2:]}"}
                here.add((tags[k][2:], " ".join(words[k:stop]).rstrip(",")))
                gaps += k > 0
                marks += k > 0 and (tags[k - 1] == "O" or words[k - 1].endswith(","))
        strings.append(here)
    assert not (strings[0] & strings[1] or strings[0] & strings[2] or strings[1] & strings[2])
    # Some addresses end in a comma of their own before nothing.
    assert 2 / 3 - 0.02 < marks / gaps < 2 / 3 + 0.05
    assert {tag for _, tags in found.test for tag in tags} == {
        "O", *(f"{b}-{kind}" for b in "BI" for kind in ("person", "company", "address"))
    }  # fmt: skip
    known = {word for words, _ in found.train for word in words}
    words = [word for words, _ in found.test for word in words]
    assert 0.25 < sum(word not in known for word in words) / len(words) < 0.4


def test_parts_of_a_part():
    pairs = Pairs(("a", "b", "c"), ("x", "y", "z"), ("1", "2", "3"), ("k", "l", "k"))
    assert len(pairs) == 3 and pairs[1] == ("b", "y") and list(pairs)[2] == ("c", "z")
    assert pairs[1:] == Pairs(("b", "c"), ("y", "z"), ("2", "3"), ("l", "k"))
    assert pairs.of_kind("k") == Pairs(("a", "c"), ("x", "z"), ("1", "3"), ("k", "k"))
    assert repr(pairs) == "<Pairs: 3, 2 of them k, 1 of them l>"
    tagged = Tagged((("a", "b"), ("c",)), (("S", "T"), ("S",)), ("k", "l"))
    assert tagged[0] == (("a", "b"), ("S", "T")) and len(tagged[1:]) == 1
    assert tagged.of_kind("l") == tagged[1:]
    assert repr(tagged) == "<Tagged: 2 sequences, 3 words, 2 tags>"
    for part in (pairs, tagged):
        with pytest.raises(ValueError, match="kind must be 'k' or 'l'"):
            part.of_kind("m")


# Prose


def test_topics(sets):
    found = sets["topics"]
    assert isinstance(found, Corpus)
    assert set("".join(found.train + found.validation + found.test)) <= set(data.ALPHABET)
    sizes = {part: sum(map(len, getattr(found, part))) for part in PARTS}
    assert sizes["train"] > 200_000 and sizes["validation"] > 10_000 and sizes["test"] > 15_000
    assert f"{sizes['test']:,}" in repr(found)
    paragraphs = [
        " ".join(each.split())
        for part in PARTS
        for text in getattr(found, part)
        for each in text.split("\n\n")
    ]
    assert len(paragraphs) == len(set(paragraphs)) and all(paragraphs)


def shared(corpus: Corpus, n: int = 50) -> float:
    """The share of the test's n-grams that stand in the training texts."""
    train, test = "\n".join(corpus.train), "\n".join(corpus.test)
    known = {train[k : k + n] for k in range(len(train) - n)}
    return sum(test[k : k + n] in known for k in range(0, len(test) - n, 7)) * 7 / len(test)


def test_half_of_the_repeated_topics_is_known(sets):
    assert shared(sets["topics_repeated"]) > 0.3
    assert shared(sets["topics"]) < 0.05


def test_topics_of_another_python(monkeypatch):
    """Other topics, other marks: a topic's part depends on its name alone."""
    filler = "Some text of its own: {}, “quoted”, and it’s long…"
    names = [f"topic {k}" for k in range(100)]
    table = {name: f"{filler.format(name)}\n\nThe same in all.\n\nß {name}" for name in names}

    def parts_of(table):
        fake = types.SimpleNamespace(topics=table)
        monkeypatch.setitem(sys.modules, "pydoc_data.topics", fake)
        found = load("topics")
        return {re.search(r"topic \d+", t)[0]: p for p in PARTS for t in getattr(found, p)}, found

    first, found = parts_of(table)
    assert set(first.values()) == set(PARTS) and len(first) == 100
    text = "".join(found.train + found.validation + found.test)
    assert text.count("The same in all.") == 1 and "ß" not in text
    assert '"quoted", and it\'s long...' in text
    second, _ = parts_of({name: text + " More." for name, text in table.items() if name[-1] != "3"})
    assert second == {name: part for name, part in first.items() if name[-1] != "3"}


def test_too_few_topics(monkeypatch):
    fake = types.SimpleNamespace(topics={"one": "Alone."})
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", fake)
    with pytest.raises(ValueError, match="does not hold enough topics.*found 1"):
        load("topics")


def test_digits_are_images_that_lie_in_one_part(sets):
    found = sets["digits"]
    seen = []
    for part, size in zip(PARTS, (1197, 200, 400), strict=True):
        digits = getattr(found, part)
        assert digits.images.shape == (size, 8, 8) and digits.images.dtype == "float32"
        assert digits.images.min() == 0 and digits.images.max() == 1
        assert len(digits) == len(digits.labels) == size and str(size) in repr(digits)
        assert set(digits.labels) == set(range(10))
        seen += [image.tobytes() for image in digits.images]
    assert len(set(seen)) == len(seen) == 1797
    # The file's first image, a 0, begins with this row.
    images = np.concatenate([getattr(found, part).images for part in PARTS])
    labels = np.concatenate([getattr(found, part).labels for part in PARTS])
    first = (16 * images[:, 0] == [0, 0, 5, 13, 9, 1, 0, 0]).all(axis=1)
    assert 0 in labels[first]
