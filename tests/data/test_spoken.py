"""The spoken numbers: parts that share nothing, the file's checksum, and how it is made."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from lstm_lab.data import (
    load,
    log_mel,
    make_spoken_numbers,
    number_words,
    read_wav,
    spoken,
    spoken_samples,
)
from lstm_lab.data.spoken import FEATURES, SAMPLES, STEP, checksum_of

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def numbers():
    return load("spoken_numbers")


def test_words():
    assert [number_words(n) for n in (0, 7, 13, 20, 99, 100, 215, 340, 999)] == [
        "zero",
        "seven",
        "thirteen",
        "twenty",
        "ninety nine",
        "one hundred",
        "two hundred fifteen",
        "three hundred forty",
        "nine hundred ninety nine",
    ]
    assert len({number_words(n) for n in range(1000)}) == 1000
    with pytest.raises(ValueError, match="below 1,000"):
        number_words(1000)


def test_no_voice_and_no_number_is_in_two_parts(numbers):
    for field in ("voices", "texts"):
        train, validation, test = (set(getattr(getattr(numbers, p), field)) for p in PARTS)
        assert not train & validation and not train & test and not validation & test
    assert set("".join(numbers.test.texts)) <= set("".join(numbers.train.texts))


def test_features_are_what_log_mel_makes_of_the_sound(numbers):
    part = numbers.validation
    for path, n in zip(spoken_samples(), make_spoken_numbers.HEARD, strict=True):
        found = log_mel(*read_wav(path))
        # Rounded to a step.
        np.testing.assert_allclose(part.features[n], found, atol=STEP / 2 + 1e-5)
    for part in (numbers.train, numbers.validation, numbers.test):
        for one in part.features:
            assert one.shape[1] == 24 and one.max() == 0 and one.min() >= -12.01
    assert "ynthetic speech" in numbers.description and "ynthetic" in numbers.source


def test_a_part_is_a_row_of_pairs(numbers):
    part = numbers.test
    features, text = part[3]
    assert features is part.features[3] and text == part.texts[3]
    assert len(part[:5]) == 5 and list(part[:5])[3][1] == text
    assert repr(part) == "<Spoken: 300 utterances of 6 voices>"


def test_all_that_is_shipped_is_small():
    folder = spoken_samples()[0].parent
    assert sum((folder / name).stat().st_size for name in (FEATURES, *SAMPLES)) < 3_000_000


def test_it_can_be_made_again(tmp_path, monkeypatch, capsys):
    rate = 22050
    said = []

    def say(text, voice, pace, pitch):
        said.append((text, voice))
        rng = np.random.default_rng(len(said))
        return (3000 * rng.normal(size=rate // 4)).astype(np.int16)

    assert make_spoken_numbers.main([]) == 2
    monkeypatch.setattr(make_spoken_numbers, "espeak", lambda: (say, rate))
    assert make_spoken_numbers.main([str(tmp_path)]) == 0
    arrays = dict(np.load(tmp_path / FEATURES))
    assert checksum_of(arrays) in capsys.readouterr().out
    plan = list(make_spoken_numbers.plan())
    pairs = zip(arrays["number"], arrays["voice"], strict=True)
    assert [(number_words(int(n)), v) for n, v in pairs] == said
    assert [row[1] for row in plan] == arrays["voice"].tolist()
    with wave.open(str(tmp_path / SAMPLES[0])) as file:
        assert file.getframerate() == rate and file.getnframes()
    assert make_spoken_numbers.main([str(tmp_path)]) == 1
    assert "exists" in capsys.readouterr().err

    monkeypatch.setattr(spoken.resources, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match="another version of lstm_lab; get it back"):
        load("spoken_numbers")
    monkeypatch.setattr(spoken, "CHECKSUM", checksum_of(arrays))
    assert load("spoken_numbers").test.texts == load("spoken_numbers").test.texts
    (tmp_path / FEATURES).write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ValueError, match="is damaged"):
        load("spoken_numbers")
    (tmp_path / FEATURES).unlink()
    with pytest.raises(FileNotFoundError, match="is missing; get it back"):
        load("spoken_numbers")
    (tmp_path / SAMPLES[1]).unlink()
    with pytest.raises(FileNotFoundError, match="2.wav is missing"):
        spoken_samples()
