"""The training steps that are measured run, ours and torch's, and generation with them."""

from __future__ import annotations

import pytest

from benchmarks import steps


@pytest.mark.torch
def test_every_kind_of_row(monkeypatch):
    tiny = [
        steps.Model("characters", (3, 2), 5, 2, 3, 5),
        steps.Model("tags, ragged", (6, 3), 5, 2, 3, 4, both=True, ragged=True),
    ]
    monkeypatch.setattr(steps, "MODELS", tiny)
    monkeypatch.setattr(steps, "CHARACTERS", tiny[0])
    monkeypatch.setattr(steps, "WRITTEN", 3)
    monkeypatch.setattr(steps, "BACKENDS", ("numpy",))
    rows = steps.run(1)
    assert [row["passes"] for row in rows] == ["training step", "3 one by one", "training step"]
    assert all({"numpy_ms", "torch_ms", "numpy_ratio"} <= row.keys() for row in rows)
    assert len(steps.run(1, "ragged")) == 1
