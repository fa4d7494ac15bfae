"""Floor 5: from what a model says to the symbols or tags that are taken.

`sampling` draws the next symbol: temperature, top-k, nucleus, greedy. `viterbi` finds the best row
of tags, also under the rules of BIO.
"""

from .sampling import (
    distribution,
    draw,
    entropy,
    generate,
    greedy,
    keep_nucleus,
    keep_top_k,
    sample,
)
from .viterbi import legal_bio, legal_viterbi, viterbi

__all__ = [
    "distribution",
    "draw",
    "entropy",
    "generate",
    "greedy",
    "keep_nucleus",
    "keep_top_k",
    "legal_bio",
    "legal_viterbi",
    "sample",
    "viterbi",
]
