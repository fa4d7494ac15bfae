"""Floor 5: real data sets with their licences, and windows over them that do not leak.

`load` gives each of them by its name, `catalogue` shows the names; `read_text`, `read_pairs`,
`read_conll`, `read_series` and `read_wav` read a reader's own files. `log_mel` makes features of
sound.
"""

from .catalogue import catalogue, load
from .climatology import Climatology
from .digits import Digits
from .pairs import Pairs
from .parts import Parts
from .readers import read_conll, read_pairs, read_series, read_text
from .series import Series
from .source_text import ALPHABET, Corpus, python_source
from .speech import frames, log_mel, mel_bands, power_spectrum, read_wav
from .spoken import Spoken, number_words, spoken_samples
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
    "Spoken",
    "Standardizer",
    "Tagged",
    "catalogue",
    "detokenize",
    "frames",
    "load",
    "log_mel",
    "mel_bands",
    "number_words",
    "power_spectrum",
    "python_source",
    "read_conll",
    "read_pairs",
    "read_series",
    "read_text",
    "read_wav",
    "split",
    "spoken_samples",
    "tokenize",
    "windows",
]
