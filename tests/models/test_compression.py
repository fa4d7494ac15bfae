"""Compressors as language models: what they know of repeats, and of nothing."""

from __future__ import annotations

import bz2
import lzma

import numpy as np
import pytest

from lstm_lab.models import compressed_bits


def test_bits_are_those_of_the_compressed_bytes():
    text = "to be or not to be — that is the question. " * 4
    bits = compressed_bits(text)
    data = text.encode()
    assert bits["bz2"] == 8 * len(bz2.compress(data, 9)) / len(text)
    assert bits["xz"] == 8 * len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)) / len(text)
    noise = "".join(np.random.default_rng(0).choice(list("abcdefgh"), 20_000))
    for cost in compressed_bits(noise).values():
        assert 3 <= cost < 3.8


def test_what_was_read_before_helps_and_costs_nothing():
    """All of it is known but where it stands; gzip has forgotten what is 32 kB away."""
    text = "".join(np.random.default_rng(1).choice(list("abcdefgh"), 50_000))
    again = compressed_bits(text, given=text)
    assert again["xz"] < 0.1 < 3 < again["gzip"]
    near = compressed_bits(text[:9000], given=text[:9000])
    assert near["gzip"] < 0.2
    with pytest.raises(ValueError, match="one character at least"):
        compressed_bits("")
