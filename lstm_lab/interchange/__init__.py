"""Floor 4: weights in and out. Torch's layout, Keras', ONNX, and files in safetensors."""

from .keras_layout import from_keras, to_keras
from .onnx_read import from_onnx
from .onnx_run import run_onnx
from .onnx_write import to_onnx
from .torch_layout import from_torch, to_torch
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
