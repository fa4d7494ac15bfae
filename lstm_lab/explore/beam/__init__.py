"""Beam search as a tree that grows step by step."""

from .widget import BeamExplorer

__all__ = ["BeamExplorer"]
