"""Nonsense is refused by the name of its argument, for every argument of everything public."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
import pytest

import lstm_lab
from lstm_lab import (
    CRF,
    GRU,
    LSTM,
    RNN,
    Attention,
    BiLSTM,
    Dropout,
    Embedding,
    FeatureEmbedding,
    LastStep,
    Linear,
    Reverse,
    Sequential,
    TimeDelay,
    WordDropout,
    _validation,
    decoding,
    losses,
    metrics,
    models,
    optim,
    tasks,
    training,
)
from lstm_lab import evidence as ev
from lstm_lab import gradcheck as gc
from lstm_lab import interchange as ix
from lstm_lab.data import (
    Climatology,
    Pairs,
    Standardizer,
    Tagged,
    detokenize,
    frames,
    load,
    log_mel,
    mel_bands,
    number_words,
    power_spectrum,
    python_source,
    read_conll,
    read_pairs,
    read_series,
    read_text,
    read_wav,
    split,
    spoken_samples,
    tokenize,
    windows,
)
from lstm_lab.models import Recogniser, Tagger, is_bio, tag_scores, word_features
from lstm_lab.models.connectivity import connectivity, rank_correlation
from lstm_lab.models.probes import properties, score

F32 = np.float32
THING = object()
NONE_OF_THESE = ("a", 1j, [1, 2], THING)
NO_NUMBER = (*NONE_OF_THESE, True, np.bool_(False), np.nan, np.inf)

SIZE = (*NO_NUMBER, 0, -1, 2.0, 2.5, None)
WHOLE = (*NO_NUMBER, -1, 2.0, 2.5, None)
MAYBE_SIZE = (*NO_NUMBER, 0, -1, 2.0)
MAYBE_WHOLE = (*NO_NUMBER, -1, 2.0)
FINITE = (*NO_NUMBER, None, -np.inf, 10**400)
POSITIVE = (*FINITE, 0, -1.0)
AT_LEAST_0 = (*FINITE, -1.0)
MAYBE_POSITIVE = (*NO_NUMBER, 0, -1.0)
RATE = (*FINITE, 1, -0.1)
FRACTION = (*RATE, 0)
FLAG = ("no", 1, 0.0, None, THING, [True], np.array([True]))
MAYBE_FLAG = ("no", 1, 0.0, THING)
WORD = ("nonsense", 7.5, None, THING, True, np.zeros(2))
MAYBE_WORD = ("nonsense", 7.5, THING, True)
SEED = ("a", 1.5, -1, True, THING, np.zeros(2))
RNG = ("a", 0, True, THING, np.random.RandomState(0))
BACKEND = ("torch", 3, THING, ["numpy"])
DTYPE = ("float16", "quick", int, None, THING)


class Metres(np.ndarray):
    """As a quantity with a unit is: an array whose numbers are not all of it."""

    unit = "m"
    value = property(np.asarray)


def masked(values, hidden=-9999):
    return np.ma.masked_equal(values, hidden)


LENGTHS = ("a", 3, [1.5, 2.0], [0, 2], [99, 2], [2], [[2], [1, 2]], THING, masked([2, 2], 2))
ROWS = ("a", 3, None, [], [1.5], [True], [2], [-1], [[0], [1]], THING, masked([1, 1], 1))
# Of arrays: no array, of another rank, of another dtype, with more than its numbers.
ARRAY = ("a", 3, [1.0], None, THING, np.zeros(()), np.zeros((5, 2, 3), complex))
ARRAY += (masked(np.zeros((5, 2, 3), "float32"), 0), np.zeros((5, 2, 3), "float32").view(Metres))
# What NumPy makes an array of is one: text and objects are not numbers.
ROW = ("a", ["a"], None, THING, np.zeros((2, 2)), np.array(["a"]))
LOGS = (*ROW, [0.5], [np.nan], [])
ROW += (masked([1.0, -9999.0]), [masked([-9999.0])], np.ones(3).view(Metres))
MAPPING = (3, "a", None, [1.0], THING)
LAYER = (3, "a", None, THING, LSTM)
TEXT = (3, None, b"a", THING, ["a"])
TEXTS_REFUSED = (3, None, b"a", THING, ["a", 3])
PATH = (3, None, THING, 1.5)
OBJECT = (3, "a", THING)
TEXTS_OF = (3, None, THING, "ab", [], [3], ["a", "b"])
CLASSES = (3, None, THING, "ab", [], [0.5], ["a", "b"])
TAGGED = (3, None, THING, "O", ["O"], [["X"]], [["O"], ["O"]], [["O", "O"]])
OWN = Path(__file__).parent / "data" / "own.tsv"
OWN_SERIES = OWN.with_name("own_series.csv")


@dataclass
class Case:
    """One callable with arguments that it takes, and what each of them must not be."""

    call: Callable[..., Any]
    good: dict[str, Any]
    refused: dict[str, tuple]
    # Where a message speaks of an argument by another name than the signature's.
    spoken: dict[str, str] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self):
        self.name = self.name or self.call.__qualname__


X = np.zeros((5, 2, 3), "float32")
H = np.zeros((1, 2, 4), "float32")
LAYER_OPTIONS = {"backend": BACKEND, "dtype": DTYPE, "seed": SEED}
SIZES = {"input_size": 3, "hidden_size": 4}
RECURRENT = {
    "input_size": SIZE,
    "hidden_size": SIZE,
    "num_layers": SIZE,
    "bidirectional": FLAG,
    "dropout": RATE,
    "recurrent_dropout": RATE,
    "init": WORD,
    **LAYER_OPTIONS,
}
VARIANTS = {
    **dict.fromkeys(("peepholes", "forget_gate", "coupled", "layer_norm", "truncated"), FLAG),
    "forget_bias": FINITE,
    "chrono_length": SIZE,
    "proj_size": WHOLE,
}
STATE = ((X,), (H,), 3, (X, X), H[0])
CALL = {"rng": RNG, "trace": FLAG}

SIZES_REFUSED = (3, "a", None, THING, [], [0, 1, 1], [1, 1], [1.0, 1, 1], ["a", 1, 1])

LAYERS = [
    Case(LSTM, SIZES, RECURRENT | VARIANTS),
    Case(
        lambda input_size, hidden_size, num_layers=1, **options: BiLSTM(
            input_size, hidden_size, num_layers, **options
        ),
        SIZES,
        RECURRENT | VARIANTS,
        name="BiLSTM",
    ),
    Case(GRU, SIZES, RECURRENT | {"reset_after": FLAG}),
    Case(RNN, SIZES, RECURRENT),
    Case(
        Linear,
        {"input_size": 3, "output_size": 2},
        {"input_size": SIZE, "output_size": SIZE, **LAYER_OPTIONS},
    ),
    Case(
        Embedding,
        {"vocabulary_size": 3, "embedding_size": 2},
        {"vocabulary_size": SIZE, "embedding_size": SIZE, **LAYER_OPTIONS},
    ),
    Case(
        CRF,
        {"num_tags": 3},
        {
            "num_tags": SIZE,
            "allowed": ("a", 3, np.ones((3, 3), bool), np.ones((4, 4)), THING),
            "backend": BACKEND,
            "dtype": DTYPE,
        },
    ),
    Case(
        FeatureEmbedding,
        {"vocabulary_sizes": [3, 3, 3], "embedding_sizes": [2, 1, 1]},
        {"vocabulary_sizes": SIZES_REFUSED, "embedding_sizes": SIZES_REFUSED, **LAYER_OPTIONS},
    ),
    Case(
        WordDropout,
        {"rate": 0.5},
        {
            "rate": RATE,
            "unknown": WHOLE,
            "feature": tuple(v for v in WHOLE if v is not None),
            "backend": BACKEND,
            "dtype": DTYPE,
        },
    ),
    Case(
        TimeDelay,
        {"input_size": 3, "output_size": 3},
        {
            "input_size": SIZE,
            "output_size": SIZE,
            "reach": tuple(v for v in WHOLE if v is not None),
            **LAYER_OPTIONS,
        },
    ),
    Case(Dropout, {"rate": 0.5}, {"rate": RATE, "backend": BACKEND, "dtype": DTYPE}),
    Case(LastStep, {}, {"backend": BACKEND, "dtype": DTYPE}),
    Case(Reverse, {}, {"backend": BACKEND, "dtype": DTYPE}),
    Case(
        Attention,
        {"query_size": 3, "memory_size": 3},
        {
            "query_size": SIZE,
            "memory_size": SIZE,
            "score": WORD,
            "hidden_size": (5, "a", THING),
            "scale": POSITIVE,
            **LAYER_OPTIONS,
        },
    ),
    Case(
        Attention,
        {"query_size": 3, "memory_size": 3, "score": "additive", "hidden_size": 2},
        {"hidden_size": SIZE},
        name="Attention-additive",
    ),
    Case(Sequential, {"head": Linear(3, 2)}, {"head": (3, "a", None, THING, Linear)}),
]


def forward(layer, **good):
    """The cases of a layer's two passes."""
    _, trace = layer.forward(**good)
    dy, _ = layer.forward(**good)
    name = type(layer).__name__
    passed = {"rng": RNG, "trace": FLAG, "lengths": LENGTHS}
    if isinstance(layer, (LSTM, GRU, RNN)):
        passed |= {"state": STATE}
    if isinstance(layer, Sequential):
        passed |= {"state": (3, "a", THING, {"head": None}, {"encoder": 3}, {3: None})}
    for array in good:
        wrong = (
            (*ARRAY, X + 0.5)
            if isinstance(layer, (Embedding, FeatureEmbedding))
            else (*ARRAY, X.astype("f8"))
        )
        passed[array] = wrong
    traces = ("a", 3, THING) if isinstance(layer, Dropout) else ("a", 3, None, THING)
    back = {"dy": (*ARRAY, dy.astype("float16")), "trace": traces}
    if isinstance(layer, (LSTM, GRU, RNN)):
        back |= {"dstate": STATE, "keep": FLAG}
    if isinstance(layer, (LSTM, GRU)):
        wrong = {"name": WORD, "layer": (*WORD, 9, -1), "direction": WORD}
        yield Case(layer.gate, {"name": "candidate"}, wrong, name=f"{name}.gate")
    if isinstance(layer, (LSTM, GRU, RNN)) and not layer.bidirectional:
        wrong = {"state": STATE, "batch": MAYBE_SIZE}
        step = layer.stepper(batch=2)
        yield Case(layer.stepper, {}, wrong, name=f"{name}.stepper")
        yield Case(step, {"x": X[0]}, {"x": (*ARRAY, X[0].astype("f8"))}, name="Stepper.step")
        yield Case(step.keep, {"rows": [0, 1]}, {"rows": ROWS}, name="Stepper.keep")
    yield Case(layer.forward, good, passed, name=f"{name}.forward")
    yield Case(layer.backward, {"dy": dy, "trace": trace}, back, name=f"{name}.backward")
    yield Case(layer.to, {"backend": "numpy"}, {"backend": BACKEND}, name=f"{name}.to")


PASSES = [
    case
    for layer, good in (
        (LSTM(3, 4), {"x": X}),
        (BiLSTM(3, 4, 2), {"x": X}),
        (GRU(3, 4), {"x": X}),
        (RNN(3, 4), {"x": X}),
        (Linear(3, 4), {"x": X}),
        (TimeDelay(3, 4), {"x": X}),
        (Embedding(3, 4), {"x": X.astype(int)}),
        (FeatureEmbedding([3, 3, 3], [2, 1, 1]), {"x": X.astype(int)}),
        (CRF(3), {"x": X}),
        (Dropout(0.5), {"x": X}),
        (LastStep(), {"x": X}),
        (Reverse(), {"x": X}),
        (Attention(3, 3), {"query": X, "memory": X}),
        (Sequential(encoder=LSTM(3, 4), head=Linear(4, 2)), {"x": X}),
    )
    for case in forward(layer, **good)
]
HIDES = WordDropout(0.5)
PASSES += [
    Case(
        HIDES.forward,
        {"x": X.astype(int)},
        {"x": (*ARRAY, X + 0.5), "lengths": LENGTHS, "rng": RNG, "trace": FLAG},
        name="WordDropout.forward",
    ),
    Case(
        HIDES.backward,
        {"dy": None, "trace": (5, 2, 3)},
        {"dy": (3, "a", X, THING), "trace": ("a", 3, None, THING)},
        name="WordDropout.backward",
    ),
]
TRACE = LSTM(3, 4).forward(X)[1]
PASSES += [
    Case(Sequential.final_state, {"trace": {"lstm": TRACE}}, {"trace": (3, None, "a", [1], THING)}),
    Case(
        TRACE.layer,
        {"number": 0, "direction": "forward"},
        {"number": (1, -1, 0.5, True, "a", None), "direction": WORD},
        spoken={"number": "layer"},
        name="Trace.layer",
    ),
    Case(TRACE.to, {"backend": "numpy"}, {"backend": BACKEND}, name="Trace.to"),
]

LOGITS, IDS = np.zeros((5, 2, 3), "float32"), np.zeros((5, 2), int)
WEIGHTS = ("a", 3, [1.0], np.ones(7), np.full(5, -1.0), np.full(5, np.nan), np.array(["a"] * 5))
FLOATS = ("a", 3, [1.0], None, THING, IDS, np.zeros((0, 2, 3)), np.zeros((5, 2, 3), complex))
CTC = {"logits": LOGITS, "targets": [[1], [2]]}
CTC_REFUSED = {
    "logits": (*FLOATS, LOGITS[0]),
    "targets": (3, [[1]], [[1], [9]], [[1], [1.5]], [[1], ["a"]], None, THING),
    "lengths": LENGTHS,
    "target_lengths": (3, "a", [1], [1.0, 1.0], [1, 9], [-1, 1], THING),
    "blank": (3, -1, 0.5, "a", None, True, THING),
}
LOSSES = [
    Case(
        losses.mse,
        {"prediction": LOGITS, "target": LOGITS},
        {"prediction": FLOATS, "target": (*ARRAY, LOGITS[0]), "mask": WEIGHTS},
    ),
    Case(
        losses.quantile,
        {"prediction": LOGITS, "target": LOGITS},
        {
            "prediction": FLOATS,
            "target": (*ARRAY, LOGITS[0]),
            "mask": WEIGHTS,
            "level": (0, 1, 1.0, 0.0, -0.5, np.nan, "a", None, THING, [], [0.1, 0.9], [[0.1]], [1]),
        },
    ),
    Case(
        losses.cross_entropy,
        {"logits": LOGITS, "target": IDS},
        {
            "logits": FLOATS,
            "target": (*ARRAY, LOGITS[..., 0], IDS[0], IDS + 3, IDS - 1),
            "mask": WEIGHTS,
            "class_weights": (
                *("a", 3, [1.0, 1.0, 1.0], np.ones(2)),
                *(np.full(3, -1.0), np.full(3, np.nan), np.array(["a"] * 3)),
            ),
        },
    ),
    Case(
        losses.Mean,
        {"value": 0.5, "weight": 3},
        {"value": ("a", None, THING, np.zeros(2)), "weight": AT_LEAST_0},
    ),
    Case(losses.ctc, CTC, CTC_REFUSED | {"impossible": WORD}),
    Case(losses.ctc_lattice, CTC, CTC_REFUSED),
    Case(
        losses.ctc_greedy,
        {"logits": LOGITS},
        {name: CTC_REFUSED[name] for name in ("logits", "lengths", "blank")},
    ),
    Case(
        losses.ctc_collapse,
        {"path": [0, 1]},
        {"path": (3, "ab", [0.5], [[0]], None, THING), "blank": WHOLE},
    ),
]

EDGES = np.zeros((5, 2, 3, 3), "float32")
EDGES_REFUSED = {"scores": (*FLOATS, EDGES[0], EDGES[..., :2]), "lengths": LENGTHS}
MASK = np.ones((4, 4), bool)
MASKS = ("a", 3, None, MASK[:3], MASK[:3, :3], np.ones((4, 4)), THING)
LOSSES += [
    Case(
        losses.crf,
        {"scores": EDGES, "target": IDS},
        EDGES_REFUSED | {"target": (*ARRAY, IDS[0], IDS + 3, IDS - 1, IDS + 0.5)},
    ),
    Case(losses.crf_lattice, {"scores": EDGES}, EDGES_REFUSED),
]
VITERBI = [
    Case(decoding.viterbi, {"scores": EDGES}, EDGES_REFUSED),
    Case(
        decoding.legal_bio,
        {"tags": ["O", "B-a", "I-a"]},
        {"tags": (3, None, THING, [], [3], ["O", "O"], ["B-"], ["name"])},
    ),
    Case(
        decoding.legal_viterbi,
        {"scores": LOGITS, "allowed": MASK},
        {"scores": (*FLOATS, LOGITS[0], EDGES[..., :2]), "allowed": MASKS, "lengths": LENGTHS},
    ),
]

WORDS, TAGS = [["ann", "lee"]], [["B-a", "I-a"]]
TAGGER = Tagger.new(WORDS, TAGS, hidden_size=2)
LINES = (3, None, THING, "a", [], ["a b"], [[]], [[3, 3]], {"a": 1})
PAIRS = {"words": (*LINES, [["ann"]], [["a", "b"], ["c"]]), "tags": (*LINES, [["O"]])}
TAGGERS = [
    Case(
        Tagger,
        {
            "network": TAGGER.network,
            "vocabularies": TAGGER.vocabularies,
            "tags": TAGGER.tags,
        },
        {
            "network": (3, "a", None, THING, Linear(2, 2)),
            "vocabularies": (3, None, THING, TAGGER.vocabularies[:3], [["", "a"]] * 4),
            "tags": (3, None, THING, [], ["O"], ["O", "O"], [3, 3]),
            "legal": FLAG,
        },
    ),
    Case(
        lambda words, tags, **options: Tagger.new(words, tags, **options),
        {"words": WORDS, "tags": TAGS},
        PAIRS
        | {
            "hidden_size": SIZE,
            "bidirectional": FLAG,
            "head": WORD,
            "legal": tuple(v for v in FLAG if v is not None),
            "embedding_sizes": SIZES_REFUSED,
            "word_dropout": RATE,
            "dropout": RATE,
            "least": SIZE,
            "seed": WHOLE,
            "backend": BACKEND,
            "dtype": DTYPE,
        },
        spoken={"word_dropout": "rate", "dropout": "rate"},
        name="Tagger.new",
    ),
    Case(
        TAGGER.fit,
        {"words": WORDS, "tags": TAGS, "epochs": 1, "progress": False},
        PAIRS
        | {
            "epochs": SIZE,
            "learning_rate": POSITIVE,
            "batch_size": SIZE,
            "validation": (3, "a", THING, (WORDS,)),
            "clip_norm": MAYBE_POSITIVE,
            "patience": MAYBE_SIZE,
            "seed": WHOLE,
            "checkpoint": (3, 1.5, THING),
            "progress": FLAG,
        },
        name="Tagger.fit",
    ),
    *(
        Case(getattr(TAGGER, name), {"words": WORDS}, {"words": LINES}, name=f"Tagger.{name}")
        for name in ("encode", "scores", "emissions", "probabilities")
    ),
    Case(
        TAGGER.tag,
        {"words": WORDS},
        {"words": LINES, "legal": tuple(v for v in FLAG if v is not None)},
        name="Tagger.tag",
    ),
    Case(
        TAGGER.score,
        {"words": WORDS, "tags": TAGS},
        PAIRS | {"legal": tuple(v for v in FLAG if v is not None)},
        name="Tagger.score",
    ),
    Case(TAGGER.save, {"path": "tagger.safetensors"}, {"path": PATH}, name="Tagger.save"),
    Case(
        tag_scores,
        {"truth": TAGS, "predicted": TAGS},
        {"truth": (*LINES, [["O"]]), "predicted": (*LINES, [["O"]])},
    ),
    Case(is_bio, {"tags": ["O"]}, {"tags": (3, None, THING, [3])}),
    Case(word_features, {"word": "Ann"}, {"word": TEXT}),
]

HEARD, SAID = [np.eye(3)], ["a b"]
EAR = Recogniser.new(HEARD, SAID, hidden_size=2, stack=1)
HEARD_REFUSED = (3, None, THING, "a", [], [np.eye(3)[0]], [[["a"]]], [np.eye(3) * np.nan], HEARD[0])
HEARINGS = {
    "features": (*HEARD_REFUSED, HEARD * 2),
    "texts": (3, None, THING, "a", [], [3], SAID * 2),
}
READS = {
    "width": MAYBE_SIZE,
    "language": (3, "a", THING),
    "weight": AT_LEAST_0,
    "bonus": FINITE,
}
SOUND = np.sin(np.arange(800.0))
SOUNDS = (*ROW, [], [np.nan])
HOW_HEARD = {"window": POSITIVE, "hop": POSITIVE}
BANDS = {"bands": SIZE, "low": AT_LEAST_0, "high": (*POSITIVE, 40)}
SPEECH = [
    Case(frames, {"samples": SOUND, "rate": 16000}, {"samples": SOUNDS, "rate": SIZE, **HOW_HEARD}),
    Case(
        power_spectrum,
        {"pieces": np.ones((2, 4)), "rate": 8},
        {"pieces": ("a", None, THING, [1.0], np.zeros((0, 3))), "rate": SIZE},
    ),
    Case(mel_bands, {"frequency": np.arange(9000.0)}, {"frequency": (*ROW, []), **BANDS}),
    Case(
        log_mel,
        {"samples": SOUND, "rate": 16000},
        {"samples": (*SOUNDS, [0.0]), "rate": SIZE, **HOW_HEARD, **BANDS},
    ),
    Case(read_wav, {"path": spoken_samples()[0]}, {"path": (3, 1.5, None, THING)}),
    Case(number_words, {"number": 7}, {"number": (*WHOLE, 1000)}),
    Case(
        metrics.edit_distance,
        {"truth": "a", "found": "b"},
        {"truth": (3, None, THING), "found": (3, None, THING)},
    ),
    Case(
        metrics.edit_score,
        {"truth": ["a"], "found": ["b"]},
        {"truth": (3, None, THING, "a", [], [3], [""]), "found": (3, None, THING, "a", [], [3])},
    ),
    Case(
        decoding.prefix_beam_search,
        {"logits": np.zeros((2, 2, 3)), "n_best": 2},
        {
            "logits": ("a", None, THING, np.zeros((2, 3)), np.full((2, 2, 3), np.nan)),
            "lengths": LENGTHS,
            "width": SIZE,
            "blank": (*WHOLE, 3),
            "language": (3, "a", THING, lambda labels: np.zeros(2)),
            "weight": AT_LEAST_0,
            "bonus": FINITE,
            "n_best": SIZE,
        },
    ),
    Case(
        Recogniser,
        {"network": EAR.network, "letters": " ab", "mean": EAR.mean, "scale": EAR.scale},
        {
            "network": (3, "a", None, THING, Linear(2, 2)),
            "letters": (3, None, THING, "", "aab", "a"),
            "mean": (*ROW, [], [np.nan] * 3, [1.0]),
            "scale": (*ROW, [], [0.0] * 3, [1.0]),
            "stack": SIZE,
        },
    ),
    Case(
        lambda features, texts, **options: Recogniser.new(features, texts, **options),
        {"features": HEARD, "texts": SAID},
        HEARINGS
        | {
            "body": WORD,
            "hidden_size": SIZE,
            "stack": SIZE,
            "dropout": RATE,
            "seed": WHOLE,
            "backend": BACKEND,
            "dtype": DTYPE,
        },
        spoken={"dropout": "rate"},
        name="Recogniser.new",
    ),
    Case(
        lambda reach: Recogniser.new(HEARD, SAID, body="window", reach=reach),
        {"reach": 1},
        {"reach": WHOLE},
        name="Recogniser.new-window",
    ),
    Case(
        EAR.fit,
        {"features": HEARD, "texts": SAID, "epochs": 1, "progress": False},
        HEARINGS
        | {
            "epochs": SIZE,
            "learning_rate": POSITIVE,
            "batch_size": SIZE,
            "validation": (3, "a", THING, (HEARD,)),
            "clip_norm": MAYBE_POSITIVE,
            "patience": MAYBE_SIZE,
            "seed": WHOLE,
            "checkpoint": (3, 1.5, THING),
            "progress": FLAG,
        },
        name="Recogniser.fit",
    ),
    *(
        Case(
            getattr(EAR, name),
            {"features": HEARD},
            {"features": HEARD_REFUSED},
            name=f"Recogniser.{name}",
        )
        for name in ("encode", "scores", "posteriors")
    ),
    Case(
        EAR.transcribe,
        {"features": HEARD, "width": 2},
        {"features": HEARD_REFUSED, **READS},
        name="Recogniser.transcribe",
    ),
    Case(EAR.score, {"features": HEARD, "texts": SAID}, HEARINGS, name="Recogniser.score"),
    Case(EAR.save, {"path": "ear.safetensors"}, {"path": PATH}, name="Recogniser.save"),
]

VALUES, GRADS = {"w": np.ones(2)}, {"w": np.ones(2)}
ARRAYS = (*MAPPING, {"w": 3.0}, {"w": [1.0, 1.0]}, {"w": None})
OPTIM = [
    Case(optim.SGD, {"learning_rate": 0.1}, {"learning_rate": POSITIVE, "momentum": RATE}),
    Case(optim.RMSprop, {}, {"learning_rate": POSITIVE, "decay": RATE, "epsilon": POSITIVE}),
    Case(
        optim.Adam,
        {},
        {"learning_rate": POSITIVE, "beta1": RATE, "beta2": RATE, "epsilon": POSITIVE},
    ),
    Case(optim.constant, {"rate": 0.1}, {"rate": POSITIVE}),
    Case(
        optim.step_decay,
        {"rate": 0.1, "every": 2},
        {"rate": POSITIVE, "every": SIZE, "factor": POSITIVE},
    ),
    Case(optim.exponential, {"rate": 0.1, "factor": 0.9}, {"rate": POSITIVE, "factor": POSITIVE}),
    Case(
        optim.cosine,
        {"rate": 0.1, "steps": 9},
        {"rate": POSITIVE, "steps": SIZE, "final": AT_LEAST_0},
    ),
    # A rate that is given to it is `constant`'s.
    Case(
        optim.warm_up,
        {"then": 0.1, "steps": 9},
        {"then": POSITIVE, "steps": SIZE},
        spoken={"then": "rate"},
    ),
    Case(
        optim.clip_by_norm,
        {"grads": GRADS, "max_norm": 1.0},
        {"grads": ARRAYS, "max_norm": tuple(v for v in POSITIVE if v is not np.inf)},
    ),
    Case(optim.clip_by_value, {"grads": GRADS, "limit": 1.0}, {"grads": ARRAYS, "limit": POSITIVE}),
    Case(
        lambda params, grads: optim.Adam().update(params, grads),
        {"params": VALUES, "grads": GRADS},
        {"params": ARRAYS, "grads": ARRAYS},
        name="Optimizer.update",
    ),
    Case(optim.Adam().rate_at, {"step": 0}, {"step": WHOLE}),
    Case(
        optim.Adam().load_state_dict,
        {"state": optim.Adam().state_dict()},
        {"state": (*MAPPING, {}, {"step": -1, "slots": {}}, {"step": "a", "slots": {}})},
    ),
]

FIT = {
    "model": Sequential(last=LastStep(), head=Linear(3, 1)),
    "x": np.zeros((5, 4, 3)),
    "target": np.zeros((4, 1)),
    "loss": losses.mse,
}
DATA = ("a", np.array(["a"]), None, THING, np.zeros(()), np.full((5, 4, 3), np.nan), [[1], [1, 2]])
DATA += (masked(np.zeros((5, 4, 3)), 0), np.zeros((5, 4, 3)).view(Metres))
DATA += (np.zeros((5, 4, 3), "datetime64[s]"), np.zeros((5, 4, 3), object))
DATA_REFUSED = {
    "model": LAYER,
    "x": DATA,
    "target": DATA,
    "loss": OBJECT,
    "lengths": (3, "a", [1.5] * 4, [0] * 4, [9] * 4, [[1], [1, 2]], THING, masked([4] * 4, 4)),
    "mask": (3, "a", np.ones(7), np.full(4, -1.0), np.full(4, np.nan), [[1], [1, 2]], THING)
    + (masked(np.ones(4), 1),),
    "target_axis": (2, -1, "a", 0.5, True, THING),
    "batch_size": SIZE,
}
TRAINING = [
    Case(
        training.fit,
        FIT | {"optimizer": optim.Adam(), "epochs": 1, "progress": False},
        DATA_REFUSED
        | {
            "optimizer": (*OBJECT, optim.Adam, None),
            "epochs": SIZE,
            "validation": (3, "a", (1,), {"x": 1}, THING),
            "clip_norm": MAYBE_POSITIVE,
            "truncate": (*MAYBE_SIZE, 2),
            "patience": MAYBE_SIZE,
            "seed": WHOLE,
            "checkpoint": (3, 1.5, THING),
            "checkpoint_every": MAYBE_SIZE,
            "progress": FLAG,
        },
    ),
    Case(training.evaluate, FIT, DATA_REFUSED | {"truncate": (*MAYBE_SIZE, 2)}),
    Case(
        training.predict,
        {"model": FIT["model"], "x": FIT["x"]},
        {name: DATA_REFUSED[name] for name in ("model", "x", "lengths", "batch_size")},
    ),
]

LINEAR = Linear(3, 2, dtype="float64")
GRADCHECK = [
    Case(
        lambda layer_or_loss, inputs, **options: gc.gradcheck(layer_or_loss, inputs, **options),
        {"layer_or_loss": LINEAR, "inputs": X.astype("f8")},
        {
            "layer_or_loss": OBJECT,
            "inputs": ("a", 3, None, [1.0], THING),
            "tolerance": POSITIVE,
            "seed": SEED,
            "max_entries": (*NO_NUMBER, -1, 2.0),
            "directions": WHOLE,
            "dropout_seed": (*NO_NUMBER, -1, 2.0),
            "step": POSITIVE,
        },
        name="gradcheck",
    ),
]

TORCH = ix.to_torch(LSTM(3, 4))
SPOILT = TORCH | {"weight_ih_l0": "a"}
VALUES_OF = (*MAPPING[:2], MAPPING[3], THING, {}, dict.fromkeys(LSTM(3, 4).params, 3.0))
SOURCE = (3, None, 1.5, THING)
TALL = np.zeros((1, 3, 3), "float32")


def one_node() -> bytes:
    """An RNN node on its inputs alone."""
    helper = onnx.helper
    shapes = {"X": (5, 2, 3), "W": TALL.shape, "R": TALL.shape, "Y": (5, 1, 2, 3)}
    values = [helper.make_tensor_value_info(n, 1, shape) for n, shape in shapes.items()]
    node = helper.make_node("RNN", ["X", "W", "R"], ["Y"], hidden_size=3)
    graph = helper.make_graph([node], "one", values[:3], values[3:])
    opset = [helper.make_opsetid("", 14)]
    return helper.make_model(graph, opset_imports=opset).SerializeToString()


ONE_NODE = one_node()
INTERCHANGE = [
    Case(ix.to_torch, {"layer": LSTM(3, 4)}, {"layer": LAYER, "values": VALUES_OF}),
    Case(
        ix.from_torch,
        {"state_dict": TORCH},
        {"state_dict": (*MAPPING, {}, SPOILT), "backend": BACKEND},
    ),
    Case(ix.to_keras, {"layer": LSTM(3, 4)}, {"layer": LAYER, "values": VALUES_OF}),
    Case(
        ix.from_keras,
        {"weights": ix.to_keras(GRU(3, 4))},
        {
            "weights": (3, "a", None, {}, [], [1.0], ["a", "b"], THING),
            "kind": MAYBE_WORD,
            "backend": BACKEND,
            "reset_after": MAYBE_FLAG,
        },
    ),
    Case(
        ix.to_onnx,
        {"layer": LSTM(3, 4)},
        {
            "layer": LAYER,
            "path": (3, THING),
            "layout": (2, "a", True, None, 0.0),
            "lengths": FLAG,
            "state": FLAG,
        },
    ),
    Case(
        ix.from_onnx,
        {"source": ix.to_onnx(LSTM(3, 4))},
        {"source": SOURCE, "backend": BACKEND},
    ),
    Case(
        ix.run_onnx,
        {"model": ONE_NODE, "inputs": [X, TALL, TALL]},
        {"model": SOURCE, "inputs": (3, "a", None, THING), "backend": BACKEND},
    ),
    Case(
        ix.save,
        {"layer": LSTM(3, 4), "path": "never-written"},
        {"layer": LAYER, "path": PATH, "notes": (3, "a", [1], {"a": THING})},
    ),
    Case(ix.load, {"path": "not-there"}, {"path": PATH}),
    Case(ix.read_notes, {"path": "not-there"}, {"path": PATH}),
]

SERIES = np.arange(9.0)
VALUES_ROW = (*ROW, [1.0, np.nan])
NUMBERS = ("a", None, THING, ["a"])
MODEL = models.LanguageModel.new("ab", 3, 2)
VOCABULARY = (3, None, b"a", THING, "", "aa")
GRAMS = models.NGram("ab", 1).fit("abab")
DATA_AND_TASKS = [
    Case(
        windows,
        {"values": SERIES, "length": 2},
        {"values": VALUES_ROW, "length": SIZE, "horizon": SIZE},
    ),
    Case(
        lambda values, sizes, **options: split(values, sizes, **options),
        {"values": SERIES, "sizes": 2},
        {"values": VALUES_ROW, "sizes": SIZE, "context": WHOLE},
        name="split",
    ),
    Case(Standardizer, {"mean": 0.0, "std": 1.0}, {"mean": FINITE, "std": POSITIVE}),
    Case(Standardizer.fit, {"values": SERIES}, {"values": VALUES_ROW}),
    Case(Standardizer(0.0, 1.0).__call__, {"values": SERIES}, {"values": NUMBERS}),
    Case(Standardizer(0.0, 1.0).undo, {"values": SERIES}, {"values": NUMBERS}),
    Case(Climatology, {"means": SERIES}, {"means": (*VALUES_ROW, [])}),
    Case(Climatology.fit, {"values": SERIES, "period": 2}, {"values": VALUES_ROW, "period": SIZE}),
    Case(Climatology(SERIES).at, {"steps": [0]}, {"steps": ("a", None, [0.5], THING)}),
    Case(Climatology(SERIES).__call__, {"values": SERIES}, {"values": VALUES_ROW, "start": WHOLE}),
    Case(python_source, {"folder": None}, {"folder": (3, 1.5, THING)}),
    Case(load, {"name": "addresses"}, {"name": (*TEXT, "nonsense")}),
    Case(tokenize, {"text": "a: b"}, {"text": TEXT}),
    Case(detokenize, {"tokens": ["a", ":"]}, {"tokens": (3, None, THING, "a:", [3])}),
    Case(Pairs(("a",), ("b",), ("c",), ("k",)).of_kind, {"kind": "k"}, {"kind": WORD}),
    Case(Tagged((("a",),), (("b",),), ("k",)).of_kind, {"kind": "k"}, {"kind": WORD}),
    Case(read_text, {"path": OWN}, {"path": PATH, "encoding": (*TEXT, "utf-9")}),
    Case(
        read_pairs,
        {"path": OWN},
        {
            "path": PATH,
            "delimiter": (3, THING, "", ", "),
            "columns": (3, None, "12", (1,), (1, 2, 3), (0, 1), (1, 2.0)),
            "header": FLAG,
            "encoding": (*TEXT, "utf-9"),
        },
    ),
    Case(
        read_conll,
        {"path": OWN},
        {
            "path": PATH,
            "scheme": WORD,
            "words": (*NO_NUMBER, 0, -2, 2.0, None),
            "tags": (*NO_NUMBER, 0, -2, 2.0, None),
            "encoding": (*TEXT, "utf-9"),
        },
    ),
    Case(
        read_series,
        {"path": OWN_SERIES},
        {
            "path": PATH,
            "column": (*NO_NUMBER[1:], 0, -1, 2.0, "no such name"),
            "time": (*NO_NUMBER[1:], 0, -1, 2.0, "no such name"),
            "delimiter": (3, THING, "", ", "),
            "decimal": (*WORD, ";"),
            "unit": (3, THING, None),
            "encoding": (*TEXT, "utf-9"),
        },
    ),
    Case(
        tasks.adding,
        {"batch": 2, "length": 30, "seed": 0},
        {"batch": SIZE, "length": (*SIZE, 23), "seed": (*SEED, None)},
    ),
    Case(
        tasks.behind_a_wall,
        {"images": np.ones((2, 3, 4), "f4"), "batch": 2, "seed": 0},
        {
            "images": (3, "a", None, THING, [], [[1.0]], np.full((1, 2, 2), np.nan)),
            "batch": SIZE,
            "seed": (*SEED, None),
            "steps": (*SIZE, 5),
            "width": (*SIZE, 12),
            "hidden": (*SIZE, 3),
            "speeds": (3, "a", None, THING, (), (0,), (2.5,)),
        },
    ),
    Case(
        tasks.copying,
        {"batch": 2, "delay": 3, "seed": 0},
        {
            "batch": SIZE,
            "delay": SIZE,
            "seed": (*SEED, None),
            "count": SIZE,
            "symbols": (*SIZE, 1),
        },
    ),
    Case(
        tasks.drawn,
        {"images": np.ones((2, 3, 4), "f4"), "places": [[0, 1]], "width": 9},
        {
            "images": (3, "a", None, THING, [], [[1.0]], np.full((2, 2, 2), np.inf)),
            "places": (3, "a", None, THING, [], [0, 1], [[0.5, 1.0]], [[0, 1, 2]]),
            "width": SIZE,
        },
    ),
    Case(
        tasks.first_symbol,
        {"batch": 2, "length": 5, "seed": 0},
        {
            "batch": SIZE,
            "length": (*SIZE, 1),
            "seed": (*SEED, None),
            "symbols": (*SIZE, 1),
            "noise": SIZE,
        },
    ),
    Case(
        tasks.oscillations,
        {"batch": 2, "length": 5, "seed": 0},
        {
            "batch": SIZE,
            "length": (*SIZE, 1),
            "seed": (*SEED, None),
            "noise": AT_LEAST_0,
            "periods": (3, "ab", None, THING, [], [6], [6, 7, 8], [2, 6], [9, 6], ["a", "b"]),
        },
    ),
    Case(
        tasks.temporal_order,
        {"batch": 2, "seed": 0},
        {"batch": SIZE, "seed": (*SEED, None), "length": (*SIZE, 19), "marks": (*SIZE, 1, 4)},
    ),
    Case(
        tasks.turns,
        {"batch": 2, "seed": 0},
        {
            "batch": SIZE,
            "seed": (*SEED, None),
            "steps": (*SIZE, 4),
            "ring": (*SIZE, 2),
            "most": SIZE,
            "missing": RATE,
        },
    ),
]

NO_SCORES = ("a", None, THING, ["a"], 3.0, [], [np.nan, 0.0], [np.inf, 0.0], [-np.inf])
NO_SHARES = ("a", None, THING, ["a"], 1.0, [], [0.5, 0.4], [1.5, -0.5], [np.nan, 1.0])
NO_UNIFORM = ("a", None, THING, ["a"], [0.5, 0.5], 1.0, -0.1, np.nan)
SETTINGS = {
    "temperature": AT_LEAST_0,
    "top_k": MAYBE_SIZE,
    "top_p": (*MAYBE_POSITIVE, 1.1),
}
EVEN = [0.5, 0.5]
DECODING = [
    Case(decoding.distribution, {"scores": EVEN}, {"scores": NO_SCORES, **SETTINGS}),
    Case(
        decoding.keep_top_k,
        {"probabilities": EVEN, "k": 1},
        {"probabilities": NO_SHARES, "k": SIZE},
    ),
    Case(
        decoding.keep_nucleus,
        {"probabilities": EVEN, "p": 1.0},
        {"probabilities": NO_SHARES, "p": (*POSITIVE, 1.1)},
    ),
    Case(
        decoding.draw,
        {"probabilities": EVEN, "uniform": 0.5},
        {"probabilities": NO_SHARES, "uniform": NO_UNIFORM},
    ),
    Case(
        decoding.sample,
        {"scores": EVEN, "uniform": 0.5},
        {"scores": NO_SCORES, "uniform": NO_UNIFORM, **SETTINGS},
    ),
    Case(
        decoding.generate,
        {"scores": EVEN, "advance": lambda ids: EVEN, "uniform": [0.5]},
        {
            "scores": NO_SCORES,
            "advance": (3, None, "a"),
            "uniform": (*NUMBERS, 0.5, [1.0], [-0.1], [np.nan], [[0.5]]),
            **SETTINGS,
        },
    ),
    Case(decoding.greedy, {"scores": EVEN}, {"scores": NO_SCORES}),
    Case(decoding.entropy, {"probabilities": EVEN}, {"probabilities": NO_SHARES}),
]

TEXTS = [
    Case(
        models.LanguageModel,
        {"network": MODEL.network, "vocabulary": "ab"},
        {
            "network": (*LAYER, LSTM(3, 4)),
            "vocabulary": (*VOCABULARY, "abc"),
            "about": (3, "a", [1], THING),
        },
    ),
    Case(
        models.LanguageModel.new,
        {"vocabulary": "ab", "hidden_size": 3},
        {
            "vocabulary": VOCABULARY,
            "hidden_size": SIZE,
            "embedding_size": MAYBE_SIZE,
            "seed": WHOLE,
        },
    ),
    Case(
        MODEL.fit,
        {"text": "abababab", "epochs": 1, "batch_size": 2, "progress": False},
        {
            "text": (*TEXTS_REFUSED, "a"),
            "epochs": SIZE,
            "steps": SIZE,
            "batch_size": SIZE,
            "carry": FLAG,
            "validation": (3, b"a", THING, ["a", 3], "a"),
            "learning_rate": POSITIVE,
            "optimizer": (*OBJECT, optim.Adam),
            "clip_norm": MAYBE_POSITIVE,
            "patience": MAYBE_SIZE,
            "seed": WHOLE,
            "checkpoint": (3, 1.5, THING),
            "checkpoint_every": MAYBE_SIZE,
            "progress": FLAG,
        },
    ),
    Case(MODEL.read, {"text": "ab"}, {"text": (*TEXT, "", "?")}),
    Case(MODEL.surprise, {"text": "ab"}, {"text": TEXTS_REFUSED, "context": MAYBE_WHOLE}),
    Case(MODEL.bits, {"text": "ab"}, {"text": (*TEXTS_REFUSED, "", "?"), "context": MAYBE_WHOLE}),
    Case(MODEL.perplexity, {"text": "ab"}, {"text": (*TEXTS_REFUSED, "?"), "context": MAYBE_WHOLE}),
    Case(MODEL.next_after, {"text": "ab"}, {"text": TEXT}),
    Case(
        MODEL.generate,
        {"prompt": "ab", "draws": [0.5]},
        {
            "prompt": TEXT,
            "draws": (*NUMBERS, 0.5, [np.nan], [1.0], [[0.5]]),
            **SETTINGS,
        },
    ),
    Case(MODEL.astype, {"dtype": "float64"}, {"dtype": DTYPE}),
    Case(MODEL.save, {"path": "never-written"}, {"path": PATH}),
    Case(models.LanguageModel.load, {"path": "not-there"}, {"path": PATH}),
    Case(models.shipped, {"name": "python_source"}, {"name": (*TEXT, "other")}),
    Case(
        models.Vocabulary,
        {"symbols": "ab"},
        {
            "symbols": (3, None, b"a", THING, "", "aa", ["a", "bc"], ["a", 3]),
            "unit": WORD,
            "unknown": ("c", 3),
        },
    ),
    Case(models.Vocabulary.characters, {"text": "ab"}, {"text": (*TEXTS_REFUSED, "")}),
    Case(
        models.Vocabulary.words,
        {"text": "ab"},
        {"text": TEXTS_REFUSED, "size": (-1, 0, 1, 1.5, "a", THING)},
    ),
    Case(MODEL.vocabulary.encode, {"text": "ab"}, {"text": TEXT}),
    Case(models.NGram, {"vocabulary": "ab"}, {"vocabulary": VOCABULARY, "order": (*WHOLE, 99)}),
    Case(models.NGram("ab", 1).fit, {"text": "abab"}, {"text": (*TEXTS_REFUSED, "a")}),
    Case(GRAMS.surprise, {"text": "ab"}, {"text": TEXTS_REFUSED, "context": MAYBE_WHOLE}),
    Case(GRAMS.next_after, {"text": "ab"}, {"text": TEXT, "context": MAYBE_WHOLE}),
    Case(GRAMS.bits, {"text": "ab"}, {"text": (*TEXTS_REFUSED, ""), "context": MAYBE_WHOLE}),
    Case(GRAMS.perplexity, {"text": "ab"}, {"text": (*TEXTS_REFUSED, "?"), "context": MAYBE_WHOLE}),
    Case(models.compressed_bits, {"text": "ab"}, {"text": (*TEXT, ""), "given": TEXT}),
    Case(
        connectivity,
        {"model": MODEL, "text": "ab"},
        {
            "model": (3, "a", None, MODEL.network),
            "text": (*TEXT, "", "?"),
            "symbol": (3, b"a", THING, "ab", "", "?"),
            "last": MAYBE_SIZE,
        },
    ),
    Case(
        rank_correlation,
        {"a": [1.0, 2.0], "b": [3.0, 4.0]},
        {"a": (*ROW, [1.0, 1.0], [1.0, np.nan]), "b": (*ROW, [1.0, 1.0], [1.0, 2.0, 3.0])},
    ),
    Case(properties, {"source": "x = 1\n"}, {"source": TEXT}),
    Case(
        score,
        {
            "activations": np.arange(4000.0).reshape(2000, 2) % 7,
            "prop": np.arange(2000) % 2,
            "yes_or_no": True,
        },
        {
            "activations": ("a", None, THING, np.zeros(2000), np.zeros((2000, 2), complex)),
            "prop": ("a", None, THING, np.zeros(7), np.zeros((2000, 1))),
            "yes_or_no": FLAG,
        },
    ),
]

ENGLISH, FRENCH = ["a cat", "two cats"], ["un chat", "deux chats"]
TRANSLATOR = models.Seq2Seq.new(ENGLISH, FRENCH, hidden_size=4, embedding_size=3, seed=0)
PAIR = np.ones((3, 2), int), np.ones((4, 2), int)
# Texts: no sequence, or one that holds something else.
PHRASES = (3, "a", None, THING, [3], [None], [], np.zeros(2))
SYMBOLS_OF_A_MODEL = (3, "a", None, THING, ["a"], [])
MODELS = [
    Case(
        models.EncoderDecoder,
        dict(TRANSLATOR.network.layers),
        dict.fromkeys(("source", "encoder", "target", "decoder", "head"), (*LAYER, Dropout(0.5)))
        | dict.fromkeys(("attention", "combine"), (*OBJECT, None, Dropout(0.5))),
    ),
    Case(
        TRANSLATOR.network.forward,
        {"x": PAIR},
        {
            "x": (*OBJECT, None, PAIR[0], (PAIR[0],), (X, X), (PAIR[0], 3)),
            "lengths": (*OBJECT, [1, 2, 3], ([9, 9], None), (None, [1.5, 2.0])),
            "rng": RNG,
            "trace": FLAG,
        },
        name="EncoderDecoder.forward",
    ),
    Case(
        models.Seq2Seq,
        {
            "network": TRANSLATOR.network,
            "source": TRANSLATOR.source,
            "target": TRANSLATOR.target,
        },
        {
            "network": (*LAYER, Linear(3, 2)),
            "source": SYMBOLS_OF_A_MODEL,
            "target": SYMBOLS_OF_A_MODEL,
            "unit": WORD,
            "about": (3, "a", THING),
        },
    ),
    Case(
        models.Seq2Seq.new,
        {"sources": ENGLISH, "targets": FRENCH, "hidden_size": 4},
        {
            "sources": PHRASES,
            "targets": PHRASES,
            "hidden_size": (*SIZE, 5),
            "embedding_size": SIZE,
            "unit": WORD,
            "bidirectional": FLAG,
            "attention": MAYBE_WORD,
            "seed": WHOLE,
        },
    ),
    Case(
        TRANSLATOR.fit,
        {"sources": ENGLISH, "targets": FRENCH, "epochs": 1, "progress": False},
        {
            "sources": PHRASES,
            "targets": (*PHRASES, ["un chat", "un chien"]),
            "epochs": SIZE,
            "batch_size": SIZE,
            "learning_rate": POSITIVE,
            "optimizer": (*OBJECT, optim.Adam),
            "clip_norm": MAYBE_POSITIVE,
            "validation": (*OBJECT, (1,), {"x": 1}),
            "patience": MAYBE_SIZE,
            "seed": WHOLE,
            "checkpoint": (3, 1.5, THING),
            "checkpoint_every": MAYBE_SIZE,
            "progress": FLAG,
        },
    ),
    Case(TRANSLATOR.translate, {"sources": ENGLISH}, {"sources": (3, None, THING, [3], [])}),
    Case(
        TRANSLATOR.beams,
        {"sources": ENGLISH},
        {
            "sources": PHRASES,
            "width": SIZE,
            "alpha": AT_LEAST_0,
            "n_best": SIZE,
            "max_length": SIZE,
            "tree": FLAG,
            "batch_size": SIZE,
        },
    ),
    *(
        Case(
            call, {"sources": ENGLISH, "targets": FRENCH}, {"sources": PHRASES, "targets": PHRASES}
        )
        for call in (TRANSLATOR.examples, TRANSLATOR.log_probability)
    ),
    Case(
        TRANSLATOR.continuations,
        {"source": "a cat"},
        {"source": (3, None, THING), "width": SIZE, "max_length": SIZE},
        {"source": "sources"},
    ),
    Case(
        TRANSLATOR.attention,
        {"source": "a cat"},
        {"source": (3, None, THING), "target": (3, THING, "un chien")},
        {"source": "sources", "target": "targets"},
    ),
    Case(
        decoding.beam_search,
        {"step": TRANSLATOR.network.writer(PAIR[0]), "first": [0, 0], "end": 1, "max_length": 3},
        {
            "step": (*OBJECT, None, len),
            "first": (*ROW, [], [0.5]),
            "end": WHOLE,
            "width": SIZE,
            "max_length": SIZE,
            "alpha": AT_LEAST_0,
            "n_best": SIZE,
            "tree": FLAG,
        },
    ),
    Case(decoding.length_penalty, {"length": 7, "alpha": 1}, {"length": SIZE, "alpha": AT_LEAST_0}),
]

RESULTS = {"A": range(10), "B": range(20, 30)}
COMPARED = ev.Comparison(RESULTS)
INTERVAL = ev.Interval(1.0, 0.0, 2.0, 10, 0.95)
EVIDENCE = [
    Case(
        ev.median_interval,
        {"values": range(10)},
        {"values": (*ROW, [], [1.0], [np.nan] * 9), "coverage": FRACTION},
    ),
    Case(
        ev.proportion_interval,
        {"right": 1, "n": 3},
        {"right": (*WHOLE, 4), "n": (*SIZE,), "coverage": FRACTION},
    ),
    Case(
        ev.difference_interval,
        {"a": np.arange(9.0), "b": np.ones(9), "block": 2},
        {
            "a": (*ROW, [np.inf] * 9, [1.0]),
            "b": (*ROW, [np.inf] * 9, [1.0]),
            "block": (*SIZE, 5),
            "coverage": FRACTION,
            "resamples": SIZE,
            "seed": SEED,
        },
    ),
    Case(
        ev.Comparison,
        {"results": RESULTS},
        {
            "results": (*MAPPING, {}, {"A": range(9)}, RESULTS | {3: range(9)}, {"A": 1, "B": "a"}),
            "better": WORD,
            "verb": TEXT,
            "unit": TEXT,
        },
    ),
    Case(COMPARED.interval, {"name": "A"}, {"name": ("C", 3, None, ["A"])}),
    Case(
        COMPARED.separate,
        {"one": "A", "other": "B"},
        {"one": ("C", 3, None), "other": ("C", 3, None)},
    ),
    Case(COMPARED.pairs, {}, {"among": ("AB", ["C"], 3), "against": ("C", 3, ["A"])}),
    Case(
        lambda claims, **options: COMPARED.state(claims, **options),
        {"claims": "A < B"},
        {"claims": (3, None), "among": ("AB", ["C"], 3), "against": ("C", 3)},
        name="Comparison.state",
    ),
    Case(ev.exact, {"value": 1.5}, {"value": FINITE}),
    Case(
        ev.table,
        {"results": {"A": {"bits": range(10), "s": 3}, "B": {"bits": 1.5, "from": "here"}}},
        {
            "results": (*MAPPING, {}, {"A": 3}, {3: {}}, {"A": {3: 1}}, {"A": {"x": range(5)}}),
            "corner": TEXT,
        },
    ),
    Case(INTERVAL.meets, {"other": INTERVAL}, {"other": (3, None, "a")}),
    Case(INTERVAL.excludes, {"value": 1.0}, {"value": FINITE}),
]

METRICS = [
    Case(metrics.perplexity, {"log_probabilities": [-1.0]}, {"log_probabilities": LOGS}),
    Case(
        metrics.bits_per_character,
        {"log_probabilities": [-1.0]},
        {"log_probabilities": LOGS, "characters": MAYBE_SIZE},
    ),
    Case(
        lambda hypotheses, references: metrics.exact_match(hypotheses, references),
        {"hypotheses": ["a"], "references": ["a"]},
        {"hypotheses": TEXTS_OF, "references": TEXTS_OF},
        name="exact_match",
    ),
    Case(
        lambda hypotheses, references, **options: metrics.bleu(hypotheses, references, **options),
        {"hypotheses": ["a"], "references": ["a"]},
        {
            "hypotheses": TEXTS_OF,
            "references": TEXTS_OF,
            "max_order": SIZE,
            "smoothing": WORD,
            "effective_order": FLAG,
        },
        name="bleu",
    ),
    Case(
        lambda hypotheses, references, **options: metrics.chrf(hypotheses, references, **options),
        {"hypotheses": ["a"], "references": ["a"]},
        {
            "hypotheses": TEXTS_OF,
            "references": TEXTS_OF,
            "char_order": SIZE,
            "word_order": WHOLE,
            "beta": POSITIVE,
        },
        name="chrf",
    ),
    Case(
        metrics.entities,
        {"tags": ["B-x", "O"]},
        {"tags": (3, None, THING, "O", ["X"], [3]), "strict": FLAG},
    ),
    Case(
        metrics.entity_scores,
        {"truth": [["B-x"]], "predicted": [["O"]]},
        {"truth": TAGGED, "predicted": TAGGED, "strict": FLAG},
    ),
    Case(metrics.illegal_transitions, {"sequences": [["O"]]}, {"sequences": TAGGED[:6]}),
    Case(
        metrics.confusion_matrix,
        {"truth": ["a"], "predicted": ["b"]},
        {"truth": CLASSES, "predicted": CLASSES, "labels": (3, THING, "ab", ["a"], ["a", "a"])},
    ),
    Case(metrics.confusion_matrix(["a"], ["a"]).normalized, {"by": "truth"}, {"by": WORD}),
    Case(metrics.confusion_matrix(["a"], ["a"]).most_confused, {"n": 3}, {"n": SIZE}),
]

CASES = [
    *LAYERS,
    *PASSES,
    *LOSSES,
    *VITERBI,
    *TAGGERS,
    *SPEECH,
    *OPTIM,
    *TRAINING,
    *GRADCHECK,
    *INTERCHANGE,
    *DATA_AND_TASKS,
    *DECODING,
    *TEXTS,
    *MODELS,
    *EVIDENCE,
    *METRICS,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_right_is_taken(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if case.good.get("path") == "not-there":
        with pytest.raises(FileNotFoundError, match="not-there"):
            case.call(**case.good)
    else:
        case.call(**case.good)


def pairs():
    for case in CASES:
        for argument, values in case.refused.items():
            yield pytest.param(case, argument, values, id=f"{case.name}-{argument}")


@pytest.mark.parametrize(("case", "argument", "values"), list(pairs()))
def test_nonsense_is_refused_by_name(case, argument, values):
    spoken = case.spoken.get(argument, argument)
    for value in values:
        try:
            case.call(**{**case.good, argument: value})
        except (TypeError, ValueError) as error:
            said = str(error)
            assert re.search(rf"\b{spoken}\b", said), f"{argument}={value!r}: {said}"
            assert len(said) < 600, f"{argument}={value!r}: {said}"
        else:
            pytest.fail(f"{case.name}({argument}={value!r}) is taken")


UNREFUSED = {
    "self": "",
    "options": "",
    "search": "",
    "how": "as `transcribe`'s",
    "layers": "",
    "backend": "of a file that is not there",
}
"""Arguments of signatures that no case needs to refuse, with the reason."""

RESULT_TYPES = {
    # They are returned, not made by a reader.
    *("Gradient", "Trace", "CTCLattice", "Report", "Entry", "History", "Interval"),
    *("Series", "Corpus", "Pairs", "Parts", "Tagged", "ConfusionMatrix", "EntityScores", "Score"),
    *("Reading", "CheckpointError", "Diverged", "ALPHABET"),
    *("CRFLattice", "TagScores", "Spoken", "Digits", "Clips", "EditScore", "Labelling"),
    *("NothingCounts", "Beam", "Branch", "Hypothesis", "Looked"),
    # Bases of what is tried here.
    *("Layer", "Optimizer"),
    # They take nothing.
    *("catalogue", "shipped", "spoken_samples"),
}


@pytest.mark.parametrize(
    "module",
    ["", ".losses", ".optim", ".training", ".gradcheck", ".interchange", ".data", ".tasks"]
    + [".models", ".metrics", ".evidence", ".decoding"],
)
def test_everything_public_is_tried(module):
    tried = {case.name.partition("-")[0].partition(".")[0] for case in CASES}
    public = import_module(f"lstm_lab{module}")
    names = {name for name in public.__all__ if callable(getattr(public, name))}
    names = {name for name in names if not inspect.ismodule(getattr(public, name))}
    assert names - RESULT_TYPES - {"load"} <= tried, names - RESULT_TYPES - tried


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_argument_is_tried(case):
    taken = {
        name
        for name, parameter in inspect.signature(case.call).parameters.items()
        if parameter.kind is not parameter.VAR_POSITIONAL
    }
    stem = case.name.partition("-")[0]
    same = [other.refused for other in CASES if other.name.partition("-")[0] == stem]
    tried = {name for refused in same for name in refused}
    assert taken - set(UNREFUSED) <= tried


def test_layers_of_a_sequential_need_names():
    with pytest.raises(
        TypeError, match=r"Sequential\(lstm=LSTM\(\.\.\.\), head=Linear\(\.\.\.\)\)"
    ):
        Sequential(LSTM(3, 4), Linear(4, 2))


def test_odd_and_valid():
    """NumPy's scalars, arrays without axes, and its booleans are what they hold."""
    layer = LSTM(
        np.int8(3),
        np.array(4),
        num_layers=np.uint16(2),
        bidirectional=np.bool_(True),
        peepholes=np.array(True),
        dropout=F32(0.5),
        recurrent_dropout=np.array(0.25),
        forget_bias=np.int64(2),
        init=np.str_("orthogonal"),
        seed=np.uint8(7),
        dtype=np.float64,
    )
    plain = {type(value) for value in layer.config.values()}
    assert plain == {int, bool, float, str}
    assert layer.config["dropout"] == 0.5
    assert layer.config["recurrent_dropout"] == 0.25
    assert layer.config["forget_bias"] == 2
    same = LSTM(**layer.config, dtype="float64", seed=7)
    for name, array in layer.params.items():
        np.testing.assert_array_equal(array, same.params[name])
    for seed in (np.random.SeedSequence(7), np.random.PCG64(7), np.random.default_rng(7)):
        LSTM(3, 4, seed=seed)
    x = np.zeros((5, 2, 3))
    layer.forward(x, lengths=(np.int8(5), 2), rng=np.random.default_rng(0), trace=np.bool_(False))
    assert optim.Adam(np.float32(0.5)).learning_rate == 0.5
    assert optim.clip_by_norm({"w": np.ones(4)}, np.inf) == 2
    assert Dropout(0).rate == 0
    assert tasks.copying(np.int64(2), 3, np.uint8(0))[0].shape == (23, 2, 10)
    assert ev.proportion_interval(np.int64(2), np.array(4)).middle == 0.5


def test_a_refused_value_is_shown_in_short():
    assert _validation.described(np.zeros((2, 3))) == "ndarray of shape (2, 3)"
    assert _validation.described(2.5) == "2.5"
    assert len(_validation.described("x" * 1000)) < 100


def test_the_library_has_no_checks_of_its_own_for_these():
    """What `_validation` has a check for is not written by hand elsewhere."""
    for path in Path(lstm_lab.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if path.name != "_validation.py" and "explore" not in path.parts:
            assert "isinstance(seed" not in source, path
            assert not re.search(r"isinstance\(\w+, bool\)", source), path
