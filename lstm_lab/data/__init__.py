"""Floor 5: real data sets with their licences, and windows over them that do not leak."""

from .climatology import Climatology
from .series import Series, el_nino, sunspots
from .source_text import ALPHABET, Corpus, python_source
from .tagged import Tagged, addresses
from .windows import Standardizer, split, windows

__all__ = [
    "ALPHABET",
    "Climatology",
    "Corpus",
    "Series",
    "Standardizer",
    "Tagged",
    "addresses",
    "el_nino",
    "python_source",
    "split",
    "sunspots",
    "windows",
]
