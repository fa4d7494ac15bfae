"""Make torch's ONNX golden file again: ``python -m tests.interchange.golden.make_onnx``.

torch's exporter needs the package onnxscript, which is no dependency: any environment with NumPy,
torch, onnx and onnxscript will do.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("torch_onnx.npz")
STEPS, BATCH, INPUT, HIDDEN = 5, 3, 2, 4

CASES = {
    f"{kind}-{layers}layers-{'both' if both else 'forward'}-{'open' if open_ else 'fixed'}": (
        kind, layers, both, open_,
    )
    for kind, layers, both, open_ in itertools.product(
        ("LSTM", "GRU"), (1, 2), (False, True), (False, True)
    )
}  # fmt: skip
"""The networks: batch first wherever the sizes of time and batch are left open."""


def run(name: str) -> dict[str, np.ndarray]:
    """The exported file, an input and what torch makes of it, (T, B, ·) each."""
    import onnx
    import torch

    kind, layers, both, open_ = CASES[name]
    torch.manual_seed(0)
    options = {"num_layers": layers, "bidirectional": both, "batch_first": open_}
    module = getattr(torch.nn, kind)(INPUT, HIDDEN, **options).eval()
    x = torch.randn((BATCH, STEPS, INPUT) if open_ else (STEPS, BATCH, INPUT))
    sizes = {k: torch.export.Dim(f"size{k}", min=2) for k in range(2)} if open_ else None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        torch.onnx.export(
            module, (x,), file, dynamo=True, external_data=False,
            dynamic_shapes=(sizes,) if open_ else None,
        )  # fmt: skip
        model = onnx.load(file)
    for part in (model, model.graph, *model.graph.node, *model.graph.initializer):
        del part.metadata_props[:]  # where on the maker's machine torch's lines lie
    del model.graph.value_info[:]
    x, y = (array.detach().numpy() for array in (x, module(x)[0]))
    if open_:
        x, y = x.swapaxes(0, 1), y.swapaxes(0, 1)
    return {"model": np.frombuffer(model.SerializeToString(), "uint8"), "x": x, "y": y}


if __name__ == "__main__":
    import torch

    arrays = {f"{name}/{key}": value for name in CASES for key, value in run(name).items()}
    np.savez_compressed(FILE, **arrays, made_with=f"torch {torch.__version__}")
    print(f"{FILE}: {len(CASES)} networks, {FILE.stat().st_size / 1024:.0f} KiB")
