"""From probabilities to text: temperature, top-k, nucleus, and what a prediction depends on."""

from .widget import SamplingExplorer

__all__ = ["SamplingExplorer"]
