"""Floor 4: weights in and out. Torch's layout, Keras', and files in safetensors."""

from .keras_layout import from_keras, to_keras
from .torch_layout import from_torch, to_torch
from .weights import load, save

__all__ = ["from_keras", "from_torch", "load", "save", "to_keras", "to_torch"]
