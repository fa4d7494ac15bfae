"""The sealed envelope: draw a forecast of your own, then see what came."""

from .widget import EnvelopeExplorer

__all__ = ["EnvelopeExplorer"]
