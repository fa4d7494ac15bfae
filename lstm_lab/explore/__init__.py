"""Live pictures of LSTM cells, and how the book's figures look."""

from .cell import CellExplorer
from .sequence import SequenceExplorer
from .source import show_source
from .style import GATE_COLORS, GATE_LINES, line_of, show, use_style

__all__ = [
    "GATE_COLORS",
    "GATE_LINES",
    "CellExplorer",
    "SequenceExplorer",
    "line_of",
    "show",
    "show_source",
    "use_style",
]
