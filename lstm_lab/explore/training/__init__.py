"""A training in the background, and what becomes of loss, gradient and gates while it runs."""

from .widget import TrainingExplorer

__all__ = ["TrainingExplorer"]
