"""Make the spoken numbers: eSpeak NG speaks them, and the features of what it says are kept.

    python -m pip install espeakng-loader==0.2.4
    python -m lstm_lab.data.make_spoken_numbers FOLDER

The folder gets ``spoken_numbers.npz``, and ``spoken_numbers_….wav``, a few utterances of the
validation part to be heard. It is **synthetic speech**, and called so wherever it is used. eSpeak
NG is a program under GPL-3.0-or-later, https://github.com/espeak-ng/espeak-ng; what it says is not
part of it. Nothing of it is needed to read what is made here.
"""

from __future__ import annotations

import ctypes
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .speech import log_mel
from .spoken import FEATURES, SAMPLES, STEP, checksum_of, number_words

PARTS: dict[str, tuple[tuple[str, ...], int]] = {
    "train": (
        (
            "en-gb-scotland+f5", "en-gb-x-rp+m3", "en-us+sandro", "en-gb-x-gbclan+Nguyen",
            "en-gb-x-gbcwmd+Denis", "en-029+pedro", "en+ed", "en-us+m6", "en-gb-scotland+f4",
            "en-gb-x-rp+m4", "en-us+Mario", "en-gb-x-gbclan+miguel", "en-gb-x-gbcwmd+steph",
            "en-029+edward", "en+Alex", "en-us+klatt", "en-gb-scotland+m1", "en-gb-x-rp+rob",
            "en-us+m2", "en-gb-x-gbclan+quincy", "en-gb-x-gbcwmd+Mike", "en-029+Henrique",
            "en+pablo", "en-us+paul",
        ),
        42,
    ),
    "validation": (("en-gb-x-gbcwmd+adam", "en-029+Andrea", "en+ian", "en-us+f2"), 25),
    "test": (
        ("en+Annie", "en-us+michel", "en-gb-scotland+Diogo", "en-gb-x-rp+f1", "en-us+john",
         "en-gb-x-gbclan+m8"),
        50,
    ),
}  # fmt: skip
"""Each part's voices, an accent and a variant, and how many numbers each of them says.

Of eSpeak NG's variants those whose first three formants lie within 80 to 130 % of the standard
voice's; no robots, whispers or parodies, and of several alike (Gene, Gene2) only one. Which of them
came into which part, a random order has said.
"""

HEARD = (0, 30, 80)
"""Which utterances of the validation part are kept as sound, one of each of three voices."""

SYNCHRONOUS, BY_CHARACTER, UTF8 = 2, 1, 1
RATE, VOLUME, PITCH, SPREAD = 1, 2, 3, 4
Say = Callable[[str, str, int, int], np.ndarray]


def plan(seed: int = 0) -> Iterator[tuple[str, str, int, int, int]]:
    """(part, voice, number, words a minute, pitch) of every utterance; no number in two parts."""
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(1000)
    start = {"test": 0, "validation": 300, "train": 400}
    stop = {"test": 300, "validation": 400, "train": 1000}
    for part, (voices, each) in PARTS.items():
        own = numbers[start[part] : stop[part]]
        rows = np.concatenate([rng.permutation(own) for _ in range(2)])
        for n, number in enumerate(rows[: len(voices) * each]):
            pace, pitch = rng.integers(135, 195), rng.integers(35, 66)
            yield part, voices[n // each], int(number), int(pace), int(pitch)


def espeak() -> tuple[Say, int]:  # pragma: no cover - needs the program
    """What speaks, and the rate of its samples."""
    try:
        import espeakng_loader  # type: ignore[import-not-found]
    except ImportError:
        raise ModuleNotFoundError(
            "espeakng-loader is not installed; install it with: "
            "python -m pip install espeakng-loader==0.2.4"
        ) from None
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = str(Path(espeakng_loader.get_data_path()).parent).encode()
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
    if rate <= 0:
        raise RuntimeError("eSpeak NG finds no data of its own")
    heard: list[np.ndarray] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def callback(samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_SetSynthCallback(callback)

    def say(text: str, voice: str, pace: int, pitch: int) -> np.ndarray:
        heard.clear()
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"eSpeak NG has no voice {voice!r}")
        library.espeak_ng_SetRandSeed(1)  # of breath and flutter; else it is the time
        for name, value in ((RATE, pace), (VOLUME, 90), (PITCH, pitch), (SPREAD, 50)):
            library.espeak_SetParameter(name, value, 0)
        spoken = text.encode()
        library.espeak_Synth(spoken, len(spoken) + 1, 0, BY_CHARACTER, 0, UTF8, None, None)
        return np.concatenate(heard)

    say.callback = callback  # type: ignore[attr-defined]  # it must live as long as the library
    return say, rate


def trimmed(samples: np.ndarray, rate: int) -> np.ndarray:
    """A twentieth of a second before and after what is louder than a hundredth of the loudest."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    margin = rate // 20
    return samples[max(0, loud[0] - margin) : loud[-1] + margin]


def make(folder: Path, say: Say, rate: int, rows: Sequence[tuple[str, str, int, int, int]]) -> str:
    """Write the files; the checksum of what they hold."""
    features, sounds = [], []
    for _, voice, number, pace, pitch in rows:
        sound = trimmed(say(number_words(number), voice, pace, pitch), rate)
        sounds.append(sound)
        features.append(np.round(-log_mel(sound, rate) / STEP).astype(np.uint8))
    parts, voices, numbers, *_ = zip(*rows, strict=True)
    arrays: dict[str, Any] = {
        "features": np.concatenate(features),
        "frames": np.array([len(one) for one in features], np.int32),
        "number": np.array(numbers, np.int32),
        "voice": np.array(voices),
        "part": np.array(parts),
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / FEATURES, **arrays)
    held_out = [k for k, part in enumerate(parts) if part == "validation"]
    for file, n in zip(SAMPLES, HEARD, strict=True):
        with wave.open(str(folder / file), "wb") as out:
            out.setparams((1, 2, rate, 0, "NONE", ""))
            out.writeframes(sounds[held_out[n]].astype("<i2").tobytes())
    return checksum_of(arrays)


def main(arguments: Sequence[str]) -> int:
    """Make the files; the exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    there = [name for name in (FEATURES, *SAMPLES) if (folder / name).exists()]
    if there:
        print(f"{folder / there[0]} exists; remove it first", file=sys.stderr)
        return 1
    say, rate = espeak()
    found = make(folder, say, rate, list(plan()))
    print(f"{folder / FEATURES}: SHA-256 of its arrays is {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
