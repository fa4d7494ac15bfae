"""What each character of a text costs two models, an LSTM and counting, side by side."""

from .widget import SurpriseExplorer

__all__ = ["SurpriseExplorer"]
