"""A trained network whose gates are held open or shut, and what becomes of its memory."""

from .widget import GateSurgery

__all__ = ["GateSurgery"]
