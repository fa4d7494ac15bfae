"""Floor 4: weights in and out. torch's layout, and files in safetensors."""

from .torch_layout import from_torch, to_torch
from .weights import load, save

__all__ = ["from_torch", "load", "save", "to_torch"]
