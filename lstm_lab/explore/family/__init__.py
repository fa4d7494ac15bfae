"""Variants of the LSTM, side by side on the same input."""

from .widget import FamilyExplorer

__all__ = ["FamilyExplorer"]
