"""Log-mel features: each step against its sum written out; WAV files of every kind."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from lstm_lab.cli import INSTALL_TEST
from lstm_lab.data import frames, log_mel, mel_bands, power_spectrum, read_wav
from lstm_lab.data.speech import RANGE

RATE = 16000


def tone(frequency, seconds=0.3, rate=RATE):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def test_frames_begin_a_hop_apart_and_fade():
    x = np.arange(1.0, 24)
    cut = frames(x, 1000, window=0.008, hop=0.004)
    fade = np.sin(np.pi * (np.arange(8) + 0.5) / 8) ** 2
    assert cut.shape == (5, 8)
    for t, piece in enumerate(cut):
        whole = np.pad(x, (0, 8))[4 * t : 4 * t + 8]
        np.testing.assert_allclose(piece, whole * fade)
    assert frames([1.0], 1000).shape == (1, 32)


def test_the_power_is_that_of_the_direct_sum():
    rng, rate = np.random.default_rng(0), 1000
    pieces = rng.normal(size=(3, 12))
    power, frequency = power_spectrum(pieces, rate)
    assert power.shape == (3, 9) and frequency[-1] == rate / 2
    n = np.arange(12)
    for f, column in zip(frequency, power.T, strict=True):
        direct = abs((pieces * np.exp(-2j * np.pi * f * n / rate)).sum(axis=1)) ** 2
        # Twelve terms of size one: the error is some units of 1e-16, relative to their sum.
        np.testing.assert_allclose(column, direct, rtol=1e-11, atol=1e-12)


def test_the_power_is_scipys(require):
    signal = require("scipy.signal", INSTALL_TEST)
    x = np.random.default_rng(1).normal(size=RATE // 2)
    fade = np.sin(np.pi * (np.arange(512) + 0.5) / 512) ** 2
    frequency, _, found = signal.stft(
        x, RATE, window=fade, nperseg=512, noverlap=256, boundary=None, padded=False
    )
    power, own = power_spectrum(frames(x, RATE, 0.032, 0.016), RATE)
    np.testing.assert_allclose(own, frequency)
    theirs = (abs(found) * fade.sum()).T ** 2
    np.testing.assert_allclose(power[: len(theirs)], theirs, rtol=1e-8, atol=1e-9)


def test_bands_are_triangles_equally_wide_in_mel():
    frequency = np.linspace(0, 8000, 4001)
    weight = mel_bands(frequency, 10, 100, 7000)
    assert weight.shape == (10, 4001) and weight.min() == 0 and weight.max() <= 1
    peak = 2595 * np.log10(1 + frequency[weight.argmax(axis=1)] / 700)
    # The grid has steps of 2 Hz, at 100 Hz about 3 mel.
    np.testing.assert_allclose(np.diff(peak), np.diff(peak).mean(), atol=6)
    inside = (frequency > frequency[weight[0].argmax()]) & (
        frequency < frequency[weight[9].argmax()]
    )
    np.testing.assert_allclose(weight.sum(axis=0)[inside], 1, atol=1e-9)
    assert (weight[:, frequency < 100] == 0).all() and (weight[:, frequency > 7000] == 0).all()


def test_a_band_between_two_frequencies_takes_the_nearest():
    weight = mel_bands(np.linspace(0, 8000, 17), 40)
    assert (weight.max(axis=1) > 0).all()


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_a_tone_is_loudest_in_its_band(rate):
    edges = np.linspace(*(2595 * np.log10(1 + np.array([80, 8000]) / 700)), 26)
    for band in (0, 5, 23):
        frequency = 700 * (10 ** (edges[band + 1] / 2595) - 1)
        features = log_mel(tone(frequency, rate=rate), rate)
        assert features.shape[1] == 24 and features.dtype == np.float32
        assert (features[:-2].argmax(axis=1) == band).all()


def test_neither_gain_nor_faint_noise_matters():
    rng = np.random.default_rng(2)
    x = tone(500) + 0.3 * tone(2000)
    found = log_mel(x, RATE)
    assert found.max() == 0 and found.min() == -RANGE
    np.testing.assert_allclose(log_mel(3e-4 * x, RATE), found, atol=1e-5)
    np.testing.assert_array_equal(log_mel(x * 1e300, RATE), log_mel(x * 1e-300 / 1e-300, RATE))
    noisy = log_mel(x + 1e-6 * rng.normal(size=len(x)), RATE)
    np.testing.assert_allclose(noisy, found, atol=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: log_mel(np.zeros(99), RATE), "all 0"),
        (lambda: log_mel([1.0, np.nan], RATE), "finite"),
        (lambda: log_mel(np.ones((9, 2)), RATE), "one row of numbers"),
        (lambda: log_mel([], RATE), "one row of numbers"),
        (lambda: log_mel(tone(100, rate=8000), 8000), "rate of at least 16,000"),
        (lambda: log_mel(tone(100), RATE, hop=1e-9), "one sample at least"),
        (lambda: log_mel(tone(100), RATE, high=10), "high must be"),
        (lambda: power_spectrum([1.0], RATE), r"frames \(T, size\)"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def write(path, raw, width, channels=1, rate=8000):
    with wave.open(str(path), "wb") as out:
        out.setparams((channels, width, rate, 0, "NONE", ""))
        out.writeframes(raw)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_samples_of_every_width(tmp_path, width):
    values = np.array([-1.0, -0.5, 0.0, 0.25, 0.9])
    whole = np.round(values * 2 ** (8 * width - 1)).astype("int64")
    if width == 1:
        raw = (whole + 128).astype(np.uint8).tobytes()
    else:
        raw = b"".join(int(v).to_bytes(width, "little", signed=True) for v in whole)
    samples, rate = read_wav(write(tmp_path / "a.wav", raw, width))
    assert rate == 8000
    np.testing.assert_allclose(samples, values, atol=2.0 ** (1 - 8 * width))


def test_channels_become_their_mean(tmp_path):
    raw = np.array([[100, 300], [-200, 0]], "<i2").tobytes()
    samples, _ = read_wav(write(tmp_path / "a.wav", raw, 2, channels=2))
    np.testing.assert_allclose(samples * 2**15, [200, -100])


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_wav(tmp_path / "nothing.wav")
    other = tmp_path / "other.wav"
    for head, said in ((b"ID3\x03", "is MP3"), (b"OggS", "is Ogg"), (b"hello", "cannot be read")):
        other.write_bytes(head + b"x" * 60)
        with pytest.raises(ValueError, match=rf"{said}.*save it as WAV"):
            read_wav(other)
    other.write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be read"):
        read_wav(other)
    with pytest.raises(ValueError, match="holds no samples"):
        read_wav(write(tmp_path / "empty.wav", b"", 2))
    with pytest.raises(ValueError, match="at most 600 s"):
        read_wav(write(tmp_path / "long.wav", bytes(1202), 2, rate=1))
    with pytest.raises(TypeError, match="path of a file"):
        read_wav(3)
