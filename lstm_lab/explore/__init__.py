"""Live pictures of LSTM cells, and how the book's figures look."""

from .alignment import AlignmentExplorer
from .base import Explorable
from .bidirectional import BidirectionalExplorer
from .bptt import BPTTExplorer
from .cell import CellExplorer
from .cost import CostExplorer
from .family import FamilyExplorer
from .gradient_flow import GradientFlowExplorer
from .quiz import Question, Quiz
from .recurrence import RecurrenceExplorer
from .roofline import RooflineExplorer
from .sequence import SequenceExplorer
from .source import show_source
from .style import GATE_COLORS, GATE_LINES, line_of, show, use_style
from .surgery import GateSurgery
from .text import TextExplorer
from .training import TrainingExplorer
from .weights import WeightExplorer

#: Every live picture of the book. Tests, the gallery and the benchmark go through them.
EXPLORABLES: tuple[type[Explorable], ...] = (
    AlignmentExplorer,
    BPTTExplorer,
    BidirectionalExplorer,
    CellExplorer,
    CostExplorer,
    FamilyExplorer,
    GateSurgery,
    GradientFlowExplorer,
    RecurrenceExplorer,
    RooflineExplorer,
    SequenceExplorer,
    TextExplorer,
    TrainingExplorer,
    WeightExplorer,
)

__all__ = [
    "EXPLORABLES",
    "GATE_COLORS",
    "GATE_LINES",
    "AlignmentExplorer",
    "BPTTExplorer",
    "BidirectionalExplorer",
    "CellExplorer",
    "CostExplorer",
    "Explorable",
    "FamilyExplorer",
    "GateSurgery",
    "GradientFlowExplorer",
    "Question",
    "Quiz",
    "RecurrenceExplorer",
    "RooflineExplorer",
    "SequenceExplorer",
    "TextExplorer",
    "TrainingExplorer",
    "WeightExplorer",
    "line_of",
    "show",
    "show_source",
    "use_style",
]
