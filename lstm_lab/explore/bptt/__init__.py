"""A time machine: a short LSTM, forward through time and back again."""

from .widget import BPTTExplorer

__all__ = ["BPTTExplorer"]
