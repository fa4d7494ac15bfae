"""One LSTM unit over a whole sequence, and how long it remembers."""

from .widget import SequenceExplorer

__all__ = ["SequenceExplorer"]
