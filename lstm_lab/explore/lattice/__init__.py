"""The lattice of a row of tags: Viterbi, step by step, on a line of one's own."""

from .widget import LatticeExplorer

__all__ = ["LatticeExplorer"]
