"""Whole training steps of models of language, and generation, beside torch in one process.

A step is forward, loss, backward and an update by Adam. Generation draws each character from the
softmax of the scores, and gives it to the model as its next input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_lab import LSTM, BiLSTM, Embedding, Linear, Sequential, losses, optim
from lstm_lab.backends import BackendUnavailable

from .recurrent import BACKENDS, Call, measure

RATE = 1e-3


@dataclass(frozen=True)
class Model:
    """Embedding, LSTM and linear layer over ids (T, B), each of which has a class of its own.

    ``ragged`` sequences have lengths uniform in T/6 to T, so that 58 of 100 steps are real.
    """

    name: str
    shape: tuple[int, int]  # T, B
    ids: int
    embedding: int
    hidden: int
    classes: int
    both: bool = False
    ragged: bool = False

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Ids, targets and lengths."""
        rng = np.random.default_rng(0)
        x, y = rng.integers(0, self.ids, self.shape), rng.integers(0, self.classes, self.shape)
        steps, batch = self.shape
        lengths = rng.integers(steps // 6, steps + 1, batch) if self.ragged else None
        if lengths is not None:
            lengths[0] = steps
        return x, y, lengths

    def network(self, backend: str) -> Sequential:
        """Ours."""
        kind = BiLSTM if self.both else LSTM
        options = {"backend": backend, "seed": 0}
        return Sequential(
            embedding=Embedding(self.ids, self.embedding, **options),
            lstm=kind(self.embedding, self.hidden, **options),
            head=Linear(self.hidden * (1 + self.both), self.classes, **options),
        )


CHARACTERS = Model("characters", (64, 32), 96, 32, 128, 96)
MODELS = [
    CHARACTERS,
    Model("words", (35, 20), 2000, 128, 128, 2000),
    Model("tags, ragged", (24, 32), 400, 64, 64, 9, both=True, ragged=True),
    Model("tags, ragged", (100, 32), 400, 64, 64, 9, both=True, ragged=True),
    Model("tags, full", (24, 32), 400, 64, 64, 9, both=True),
]
WRITTEN = 1000
"""Characters that are generated."""


def ours(model: Model, backend: str) -> tuple[Call, Call] | None:
    """A training step, and generation; None where the backend is not available."""
    try:
        network = model.network(backend)
    except BackendUnavailable:
        return None
    x, y, lengths = model.arrays()
    mask = None if lengths is None else np.arange(len(x))[:, None] < lengths
    adam = optim.Adam(RATE)

    def train() -> None:
        logits, trace = network.forward(x, lengths=lengths)
        _, gradient = losses.cross_entropy(logits, y, mask)
        adam.update(network.params, network.backward(gradient, trace).params)

    def generate() -> None:
        embedding, lstm, head = (network.layers[name] for name in ("embedding", "lstm", "head"))
        vectors, rng = embedding.params["weight"], np.random.default_rng(0)
        weight, bias, step = head.params["weight"], head.params["bias"], lstm.stepper()
        k = 0
        for draw in rng.random(WRITTEN):
            scores = weight @ step(vectors[k][None])[0] + bias
            shares = np.exp(scores - scores.max()).cumsum()
            k = min(int(shares.searchsorted(draw * shares[-1])), model.classes - 1)

    return train, generate


def by_torch(model: Model) -> tuple[Call, Call] | None:
    """The same with ``torch.nn``; ragged batches are packed."""
    try:
        import torch
        from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
    except ImportError:
        return None
    arrays = model.arrays()
    x, y, lengths = (None if array is None else torch.tensor(array) for array in arrays)
    embedding = torch.nn.Embedding(model.ids, model.embedding)
    lstm = torch.nn.LSTM(model.embedding, model.hidden, bidirectional=model.both)
    head = torch.nn.Linear(model.hidden * (1 + model.both), model.classes)
    parameters = [p for layer in (embedding, lstm, head) for p in layer.parameters()]
    adam = torch.optim.Adam(parameters, RATE)
    if lengths is not None:
        y[torch.arange(len(x))[:, None] >= lengths] = -100

    def scores() -> Any:
        if lengths is None:
            return head(lstm(embedding(x))[0])
        packed = pack_padded_sequence(embedding(x), lengths, enforce_sorted=False)
        return head(pad_packed_sequence(lstm(packed)[0], total_length=len(x))[0])

    def train() -> None:
        adam.zero_grad()
        rows = scores().reshape(-1, model.classes)
        torch.nn.functional.cross_entropy(rows, y.reshape(-1)).backward()
        adam.step()

    def generate() -> None:
        k, state = torch.zeros(1, 1, dtype=torch.long), None
        with torch.inference_mode():
            for _ in range(WRITTEN):
                hidden, state = lstm(embedding(k), state)
                k = torch.multinomial(torch.softmax(head(hidden[0]), -1), 1)

    return train, generate


def run(rounds: int, only: str = "", seconds_of: Any = None) -> list[dict[str, Any]]:
    """A row for each model's training step, and one for generation: as `recurrent.run`'s."""
    options = {} if seconds_of is None else {"seconds_of": seconds_of}
    rows = []
    for model in MODELS:
        if only not in f"{model.name} {model.shape}":
            continue
        contestants = {name: ours(model, name) for name in BACKENDS}
        contestants["torch"] = by_torch(model)
        for number, passes in enumerate(("training step", f"{WRITTEN} one by one")):
            if number and model is not CHARACTERS:
                continue
            calls = {name: both[number] for name, both in contestants.items() if both}
            row = {"layer": model.name, "shape": model.shape, "passes": passes}
            rows.append(row | measure(calls, rounds, **options))
    return rows
