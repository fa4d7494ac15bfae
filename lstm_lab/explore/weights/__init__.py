"""What one weight does: to the network's memory, to its loss, and what its gradient says of it."""

from .widget import WeightExplorer

__all__ = ["WeightExplorer"]
