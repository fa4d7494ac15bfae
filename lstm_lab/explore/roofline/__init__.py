"""What a machine allows to one step of an LSTM: arithmetic, memory, and the call itself."""

from .widget import RooflineExplorer

__all__ = ["RooflineExplorer"]
