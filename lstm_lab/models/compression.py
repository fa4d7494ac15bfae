"""Compressors as language models: what a text costs them, in bits a character."""

from __future__ import annotations

import bz2
import gzip
import lzma

from .._validation import checked_text

__all__ = ["compressed_bits"]

COMPRESSORS = {
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
    "bz2": lambda data: bz2.compress(data, 9),
    "xz": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
}


def compressed_bits(text: str, given: str = "") -> dict[str, float]:
    """What the standard library's compressors make of a text, in bits a character.

    A compressor is a language model: what it expects it writes short. It learns while it reads,
    so that ``given``, a text that it has read before, may help. gzip looks back 32 kB, bz2 works
    in blocks of 900 kB that it sorts, xz remembers all of it.

    Parameters
    ----------
    text : str
        Is to be compressed, as UTF-8.
    given : str
        Is compressed with it, in front of it, at no cost: the bits are those that ``text`` adds.

    Returns
    -------
    dict of str to float
        Under "gzip", "bz2" and "xz". Headers are counted: some 20 to 70 bytes.

    Raises
    ------
    ValueError
        If the text is empty.
    """
    if not checked_text(text, "text"):
        raise ValueError("text must hold one character at least")
    before = checked_text(given, "given").encode()
    bits = {}
    for name, compress in COMPRESSORS.items():
        known = len(compress(before)) if before else 0
        bits[name] = 8 * (len(compress(before + text.encode())) - known) / len(text)
    return bits
