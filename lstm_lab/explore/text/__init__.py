"""A character model at work: what its cells follow, what it predicts, how it goes on."""

from .widget import TextExplorer

__all__ = ["TextExplorer"]
