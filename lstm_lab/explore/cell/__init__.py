"""One step of one LSTM unit, with every number to hand."""

from .widget import CellExplorer

__all__ = ["CellExplorer"]
