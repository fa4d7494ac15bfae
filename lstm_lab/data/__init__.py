"""Floor 5: real data sets with their licences, and windows over them that do not leak.

`load` gives each of them by its name, `catalogue` shows the names; `read_text`, `read_pairs` and
`read_conll` read a reader's own files.
"""

from .catalogue import catalogue, load
from .climatology import Climatology
from .digits import Digits
from .pairs import Pairs
from .parts import Parts
from .readers import read_conll, read_pairs, read_text
from .series import Series
from .source_text import ALPHABET, Corpus, python_source
from .tagged import Tagged
from .tokens import detokenize, tokenize
from .windows import Standardizer, split, windows

__all__ = [
    "ALPHABET",
    "Climatology",
    "Corpus",
    "Digits",
    "Pairs",
    "Parts",
    "Series",
    "Standardizer",
    "Tagged",
    "catalogue",
    "detokenize",
    "load",
    "python_source",
    "read_conll",
    "read_pairs",
    "read_text",
    "split",
    "tokenize",
    "windows",
]
