"""An image that crosses a wall, and what a network predicts."""

from .widget import WallExplorer

__all__ = ["WallExplorer"]
