"""Floor 4: weights in and out. Torch's layout, Keras', ONNX, and files in safetensors."""

from .keras import from_keras, to_keras
from .onnx.read import from_onnx
from .onnx.run import run_onnx
from .onnx.write import to_onnx
from .torch import from_torch, to_torch
from .weights import load, read_notes, save

__all__ = [
    "from_keras",
    "from_onnx",
    "from_torch",
    "load",
    "read_notes",
    "run_onnx",
    "save",
    "to_keras",
    "to_onnx",
    "to_torch",
]
