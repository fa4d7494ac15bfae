"""Alignments: the CTC lattice, and attention maps."""

from .widget import AlignmentExplorer

__all__ = ["AlignmentExplorer"]
