"""What a page needs that has no live picture: the look of its figures, and listings of source."""

from .figures import GATE_COLORS, GATE_LINES, line_of, show, use_style
from .source import show_source

__all__ = ["GATE_COLORS", "GATE_LINES", "line_of", "show", "show_source", "use_style"]
