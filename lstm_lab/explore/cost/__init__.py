"""What a sequence costs: memory for the trace, and time, against its length."""

from .widget import CostExplorer

__all__ = ["CostExplorer"]
