"""Floor 5: real data sets with their licences, and windows over them that do not leak."""

from .series import Series, el_nino, sunspots
from .windows import Standardizer, split, windows

__all__ = ["Series", "Standardizer", "el_nino", "split", "sunspots", "windows"]
