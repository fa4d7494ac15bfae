"""Gradients of an RNN and of LSTMs side by side, on their way back through time."""

from .widget import GradientFlowExplorer

__all__ = ["GradientFlowExplorer"]
