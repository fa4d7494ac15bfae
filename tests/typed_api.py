"""The public API as a type checker sees it from outside. mypy reads this file; nothing runs it.

Each ``type: ignore`` is an error that must be found: where it is not, mypy calls it unused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, assert_type

import numpy as np

import lstm_lab
from lstm_lab import GRU, LSTM, BiLSTM, Gradient, Layer, Linear, Sequential, Trace
from lstm_lab.data import Corpus, Pairs, Parts, Series, Tagged
from lstm_lab.data import load as load_data
from lstm_lab.evidence import Interval, median_interval
from lstm_lab.gradcheck import Report, gradcheck
from lstm_lab.interchange import from_torch, load, save, to_torch
from lstm_lab.losses import Mean, ctc_greedy, mse
from lstm_lab.optim import Adam, cosine
from lstm_lab.training import History, fit

x = np.zeros((5, 2, 3), "float32")

lstm = LSTM(3, 16, num_layers=2, dropout=0.1, seed=0)
y, trace = lstm.forward(x, lengths=[5, 3])
assert_type(trace, Trace)
assert_type(lstm.backward(y, trace), Gradient)
arrays: Mapping[str, Any] = lstm.params
assert_type(lstm.config, dict[str, Any])
assert_type(BiLSTM(3, 16).output_size, int)
GRU(3, 16, reset_after=False, backend="numba")

network = Sequential(encoder=lstm, head=Linear(16, 1))
assert_type(network.layers, Mapping[str, Layer])
Sequential(lstm)  # type: ignore[arg-type]
LSTM("3", 16)  # type: ignore[arg-type]
LSTM(3, 16, init=1)  # type: ignore[arg-type]
LSTM(3, 16, peephole=True)  # type: ignore[call-arg]
lstm.forward(x, rng=0)  # type: ignore[arg-type]

assert_type(mse(y, y), tuple[Mean, Any])
assert_type(ctc_greedy(y), list[list[int]])
assert_type(cosine(0.01, 100), Callable[[int], float])
Adam("fast")  # type: ignore[arg-type]
history = fit(network, x, y, loss=mse, optimizer=Adam(0.01), epochs=1)
assert_type(history, History)
assert_type(history.best_epoch, int | None)
assert_type(gradcheck(lstm, x), Report)
assert_type(median_interval([1.0] * 9), Interval)

assert_type(load_data("emoji"), Parts[Pairs])
assert_type(load_data("contacts").test, Tagged)
assert_type(load_data("topics"), Corpus)
assert_type(load_data("topics").train, tuple[str, ...])
assert_type(load_data("sunspots"), Series)
assert_type(load_data("dates").test[0], tuple[str, str])
assert_type(load_data("dates").test[:3], Pairs)
load_data(3)  # type: ignore[call-overload]
lstm_lab.metrics.bleu(["a"], ["a"], max_order="4")  # type: ignore[arg-type]

assert_type(save(lstm, "lstm.safetensors"), Path)
assert_type(load("lstm.safetensors"), Layer)
assert_type(to_torch(lstm), dict[str, np.ndarray])
from_torch([])  # type: ignore[arg-type]

assert_type(lstm_lab.__version__, str)
lstm_lab.losses.mse(y, y)
lstm_lab.loses.mse  # type: ignore[attr-defined] # noqa: B018
