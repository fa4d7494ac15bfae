"""Which inputs each output of an LSTM has seen, in one direction and in both."""

from .widget import BidirectionalExplorer

__all__ = ["BidirectionalExplorer"]
