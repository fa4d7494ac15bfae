"""Live pictures of LSTM cells, and how the book's figures look."""

from .base import Explorable
from .cell import CellExplorer
from .quiz import Question, Quiz
from .recurrence import RecurrenceExplorer
from .roofline import RooflineExplorer
from .sequence import SequenceExplorer
from .source import show_source
from .style import GATE_COLORS, GATE_LINES, line_of, show, use_style
from .surgery import GateSurgery
from .training import TrainingExplorer

#: Every live picture of the book. Tests, the gallery and the benchmark go through them.
EXPLORABLES: tuple[type[Explorable], ...] = (
    CellExplorer,
    RecurrenceExplorer,
    RooflineExplorer,
    SequenceExplorer,
    TrainingExplorer,
    GateSurgery,
)

__all__ = [
    "EXPLORABLES",
    "GATE_COLORS",
    "GATE_LINES",
    "CellExplorer",
    "Explorable",
    "GateSurgery",
    "Question",
    "Quiz",
    "RecurrenceExplorer",
    "RooflineExplorer",
    "SequenceExplorer",
    "TrainingExplorer",
    "line_of",
    "show",
    "show_source",
    "use_style",
]
