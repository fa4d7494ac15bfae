"""Numbers spoken by a program: features of synthetic speech, and the letters to be found in it."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, overload

import numpy as np

from .._validation import checked_size
from .extracts import AGAIN
from .parts import Parts

__all__ = ["Spoken", "number_words", "spoken_numbers", "spoken_samples"]

FEATURES = "spoken_numbers.npz"
SAMPLES = tuple(f"spoken_numbers_{k}.wav" for k in (1, 2, 3))
CHECKSUM = "a35fc322b2feec408079a173623fc27cbcc145ffe8166ec6d71f54963b83d47b"
"""SHA-256 of the file's arrays."""

STEP = 0.2
"""Nats between two values of a feature in the file."""

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


@dataclass(frozen=True, repr=False)
class Spoken:
    """Utterances and what is said in them. Iterating gives (features, text), one after another.

    Attributes
    ----------
    features : tuple of numpy.ndarray (T, D), float32
        Log-mel features of each utterance, see `log_mel`; each as long as it is.
    texts : tuple of str
        What is said, in small letters.
    voices : tuple of str
        Who says it.
    """

    features: tuple[np.ndarray, ...]
    texts: tuple[str, ...]
    voices: tuple[str, ...]
    unit: ClassVar[str] = "utterances"

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[np.ndarray, str]]:
        return zip(self.features, self.texts, strict=True)

    @overload
    def __getitem__(self, index: int) -> tuple[np.ndarray, str]: ...
    @overload
    def __getitem__(self, index: slice) -> Spoken: ...
    def __getitem__(self, index: int | slice) -> tuple[np.ndarray, str] | Spoken:
        if isinstance(index, slice):
            return Spoken(self.features[index], self.texts[index], self.voices[index])
        return self.features[index], self.texts[index]

    def __repr__(self) -> str:
        return f"<Spoken: {len(self)} utterances of {len(set(self.voices))} voices>"


def number_words(number: int) -> str:
    """A whole number below 1,000 in English words.

    >>> number_words(342)
    'three hundred forty two'
    """
    number = checked_size(number, "number", least=0)
    if number > 999:
        raise ValueError(f"number must be below 1,000, got {number}")
    hundreds, rest = divmod(number, 100)
    words = [ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(TENS[rest // 10 - 2])
        rest %= 10
        if rest:
            words.append(ONES[rest])
    elif rest or not hundreds:
        words.append(ONES[rest])
    return " ".join(words)


def spoken_numbers() -> Parts[Spoken]:
    """Whole numbers from 0 to 999, said by voices of the speech synthesiser eSpeak NG.

    **Synthetic speech**: it is much more regular than that of people, and what is learnt from it
    does not carry over to them. Voices and numbers of a part are in no other. 24 log-mel features
    (`log_mel`: windows of 32 ms every 16 ms, 80 to 8,000 Hz), rounded to 0.2 nats.
    ``python -m lstm_lab.data.make_spoken_numbers`` makes the file.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    ValueError
        If it is not the one that belongs to this version of lstm_lab.
    """
    arrays = _arrays()
    ends = np.cumsum(arrays["frames"])[:-1]
    features = np.split(-np.float32(STEP) * arrays["features"].astype("float32"), ends)
    texts = [number_words(int(number)) for number in arrays["number"]]
    voices, part = arrays["voice"].tolist(), arrays["part"]

    def of(name: str) -> Spoken:
        rows = np.flatnonzero(part == name)
        return Spoken(
            tuple(features[k] for k in rows),
            tuple(texts[k] for k in rows),
            tuple(voices[k] for k in rows),
        )

    return Parts(
        of("train"),
        of("validation"),
        of("test"),
        name="Spoken numbers",
        source="synthetic speech of eSpeak NG 1.52, in the wheel espeakng-loader 0.2.4",
        licence="output of a program under GPL-3.0-or-later, itself free",
        description=(
            "Synthetic speech: numbers from 0 to 999 in English, log-mel features and letters. "
            "Voices and numbers of a part are in no other."
        ),
        checksum=CHECKSUM,
    )


def spoken_samples() -> tuple[Path, ...]:
    """WAV files of three utterances of the validation part, to be heard: synthetic speech too."""
    folder = resources.files(__package__)
    paths = tuple(Path(str(folder.joinpath(file))) for file in SAMPLES)
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"lstm_lab/data/{path.name} is missing; {AGAIN}")
    return paths


def checksum_of(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of all arrays by name: that of the packed file depends on zlib's version."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"{name} {array.shape} ".encode())
        if array.dtype.kind == "U":
            found.update("\n".join(array.tolist()).encode("utf-8"))
        else:
            found.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return found.hexdigest()


def _arrays() -> dict[str, np.ndarray]:
    arrays: dict[str, Any] = {}
    try:
        with (
            resources.files(__package__).joinpath(FEATURES).open("rb") as file,
            np.load(file, allow_pickle=False) as packed,
        ):
            arrays = dict(packed)
    except FileNotFoundError:
        raise FileNotFoundError(f"lstm_lab/data/{FEATURES} is missing; {AGAIN}") from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
        pass
    if checksum_of(arrays) != CHECKSUM:
        raise ValueError(
            f"lstm_lab/data/{FEATURES} is damaged, or of another version of lstm_lab; {AGAIN}"
        )
    return arrays
