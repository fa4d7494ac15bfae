"""From a wave to log-mel features, by hand: frames, power spectrum, mel bands, logarithm.

Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420, up to the cosine transform, which is left
out: it undoes what neighbouring bands share, and a network can do that by itself.

Dimension letters: N samples, T frames, F frequencies, D bands.
"""

from __future__ import annotations

import wave
from typing import Any

import numpy as np

from .._validation import checked_number, checked_path, checked_size, plain_array

__all__ = ["RANGE", "frames", "log_mel", "mel_bands", "power_spectrum", "read_wav"]

WINDOW, HOP, BANDS, LOW, HIGH, RANGE = 0.032, 0.016, 24, 80.0, 8000.0, 12.0
"""Seconds, seconds, their number, Hz, Hz, and nats below the loudest value of an utterance."""

LONGEST = 600
"""Seconds that are read at most."""

_WRAPPED = {b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3": "MP3", b"\xff\xfb": "MP3", b"RIFX": "RIFX"}


def read_wav(path: Any) -> tuple[np.ndarray, int]:
    """A WAV file's samples; several channels become their mean.

    Parameters
    ----------
    path : path of the file
        Of uncompressed samples, 8, 16, 24 or 32 bits each: what every recorder writes.

    Returns
    -------
    samples : numpy.ndarray (N,), float64
        From -1 to 1.
    rate : int
        Samples in a second.

    Raises
    ------
    OSError
        If the file is not there or cannot be read.
    ValueError
        If it is no such file, holds no sample, or more than ten minutes.
    """
    path = checked_path(path, "path")
    with path.open("rb") as opened:
        head = opened.read(4)
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            count = file.getnframes()
            if rate and count / rate > LONGEST:
                raise ValueError(
                    f"{path} lasts {count / rate:,.0f} s; at most {LONGEST} s are read: cut it"
                )
            raw = file.readframes(count)
    except (wave.Error, EOFError) as error:
        kind = next((k for mark, k in _WRAPPED.items() if head.startswith(mark)), "")
        what = f"is {kind}" if kind else f"cannot be read as a WAV file ({error})"
        raise ValueError(
            f"{path} {what}; save it as WAV with uncompressed samples (PCM), mono, 16 bit"
        ) from None
    if width not in (1, 2, 3, 4) or not channels or not rate:
        raise ValueError(f"{path} has samples of {8 * width} bits; save it with 16 bit")
    whole = len(raw) // (width * channels) * channels
    if not whole:
        raise ValueError(f"{path} holds no samples")
    raw = raw[: whole * width]
    if width == 1:  # only these are unsigned
        samples = np.frombuffer(raw, np.uint8) / 128 - 1
    else:
        # The bytes of a sample go to the upper end of 32 bits; so the sign is right by itself.
        wide = np.zeros((whole, 4), np.uint8)
        wide[:, 4 - width :] = np.frombuffer(raw, np.uint8).reshape(whole, width)
        samples = wide.view("<i4")[:, 0] / 2.0**31
    return samples.reshape(-1, channels).mean(axis=1), rate


def frames(samples: Any, rate: int, window: float = WINDOW, hop: float = HOP) -> np.ndarray:
    """Short pieces of a wave, each faded in and out.

    Frame t holds the samples from t · hop on, times a Hann window, sin²(π (n + ½) / size). The last
    one is filled up with silence.

    Parameters
    ----------
    samples : array_like (N,)
    rate : int
        Samples in a second.
    window, hop : float
        Length of a frame, and from the start of one to the start of the next, in seconds.

    Returns
    -------
    numpy.ndarray (T, size)
        T = 1 + ⌈(N − size) / step⌉, at least 1, where size and step are window and hop in samples.
    """
    samples = _samples(samples)
    rate = checked_size(rate, "rate")
    window = checked_number(window, "window", low=0, above=True)
    hop = checked_number(hop, "hop", low=0, above=True)
    size, step = round(window * rate), round(hop * rate)
    if not size or not step:
        raise ValueError(f"window and hop must be one sample at least, 1/{rate} s")
    count = 1 + max(0, -(-(len(samples) - size) // step))
    padded = np.zeros((count - 1) * step + size)
    padded[: len(samples)] = samples[: len(padded)]
    cut = np.lib.stride_tricks.sliding_window_view(padded, size)[::step]
    return cut * np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2


def power_spectrum(pieces: Any, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """How much of every frequency is in each frame: |Σ_n x_n e^(−2πi f n / rate)|².

    The frames are filled up with zeros to a power of two, which reads the same spectrum at more
    frequencies, and faster.

    Parameters
    ----------
    pieces : array_like (T, size)
    rate : int

    Returns
    -------
    power : numpy.ndarray (T, F)
    frequency : numpy.ndarray (F,)
        In Hz, from 0 to half the rate.
    """
    pieces = plain_array(pieces, "pieces", "float64")
    if pieces.ndim != 2 or not pieces.size:
        raise ValueError(f"pieces must be frames (T, size), got shape {pieces.shape}")
    rate = checked_size(rate, "rate")
    points = 1 << (pieces.shape[1] - 1).bit_length()
    power = np.abs(np.fft.rfft(pieces, points, axis=1)) ** 2
    return power, np.fft.rfftfreq(points, 1 / rate)


def mel(frequency: Any) -> Any:
    """Pitch in mel of a frequency in Hz: 2595 log10(1 + f / 700)."""
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def mel_bands(
    frequency: Any, bands: int = BANDS, low: float = LOW, high: float = HIGH
) -> np.ndarray:
    """Triangles over the frequencies, equally wide in mel; each ends where the next but one begins.

    Parameters
    ----------
    frequency : array_like (F,)
        In Hz, rising.
    bands : int
        D.
    low, high : float
        In Hz, where the first begins and the last ends.

    Returns
    -------
    numpy.ndarray (D, F)
        Weights from 0 to 1. A band between two of the frequencies takes the nearest one.
    """
    frequency = plain_array(frequency, "frequency", "float64")
    bands = checked_size(bands, "bands")
    low = checked_number(low, "low", low=0)
    high = checked_number(high, "high", low=low, above=True)
    if frequency.ndim != 1 or not len(frequency) or high > frequency[-1] * (1 + 1e-9):
        raise ValueError(
            f"frequency must be a row that reaches high, {high:g} Hz; sound with so high "
            f"frequencies needs a rate of at least {2 * high:,.0f} samples in a second"
        )
    edges = np.linspace(mel(low), mel(high), bands + 2)
    at, (left, middle, right) = mel(frequency), (edges[k : k + bands, None] for k in range(3))
    weight = np.minimum((at - left) / (middle - left), (right - at) / (right - middle))
    weight = np.maximum(weight, 0)
    empty = np.flatnonzero(weight.max(axis=1) == 0)
    weight[empty, np.abs(at - middle[empty]).argmin(axis=1)] = 1
    return weight


def log_mel(
    samples: Any,
    rate: int,
    *,
    window: float = WINDOW,
    hop: float = HOP,
    bands: int = BANDS,
    low: float = LOW,
    high: float = HIGH,
) -> np.ndarray:
    """Log-mel features: for every frame, the logarithm of the power in each mel band.

    They are counted from the largest, which becomes 0, and what is more than `RANGE` = 12 nats
    (52 dB) below it becomes −12. So neither the microphone's gain nor its faint noise matters.

    Parameters
    ----------
    samples : array_like (N,)
        Of any scale.
    rate : int
        Samples in a second, at least 2 · ``high``.
    window, hop : float
        In seconds.
    bands : int
        D.
    low, high : float
        In Hz.

    Returns
    -------
    numpy.ndarray (T, D), float32
        From −12 to 0, in nats.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; the samples are silent, or hold NaN.

    Examples
    --------
    >>> rate = 16000
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)  # one second of 1,000 Hz
    >>> features = log_mel(tone, rate)
    >>> features.shape, int(features[30].argmax())
    ((62, 24), 7)
    """
    samples = _samples(samples)
    largest = np.abs(samples).max()
    if not largest:
        raise ValueError("samples are all 0: there is nothing to be heard")
    power, frequency = power_spectrum(frames(samples / largest, rate, window, hop), rate)
    energy = power @ mel_bands(frequency, bands, low, high).T
    logs = np.log(np.maximum(energy, energy.max() * np.exp(-RANGE)))
    return np.maximum(logs - logs.max(), -RANGE).astype("float32")


def _samples(samples: Any) -> np.ndarray:
    samples = plain_array(samples, "samples", "float64")
    if samples.ndim != 1 or not len(samples):
        raise ValueError(
            f"samples must be one row of numbers, got shape {samples.shape}; of several channels "
            "take one, or their mean"
        )
    if not np.isfinite(samples).all():
        raise ValueError("samples must be finite")
    return samples
