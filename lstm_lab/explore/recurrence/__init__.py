"""A plain recurrent unit, unrolled in time."""

from .widget import RecurrenceExplorer

__all__ = ["RecurrenceExplorer"]
