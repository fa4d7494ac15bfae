"""Floor 5: from what a model says to the symbols or tags that are taken.

`sampling` draws the next symbol: temperature, top-k, nucleus, greedy. `beam_search`
finds the likeliest sequences that a model can write. `prefix_beam_search` finds the likeliest
labelling of a network that was trained with CTC. `viterbi` finds the best row of tags, also
under the rules of BIO.
"""

from .beam import Beam, Branch, Hypothesis, beam_search, length_penalty
from .prefix import Labelling, prefix_beam_search
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
    "Beam",
    "Branch",
    "Hypothesis",
    "Labelling",
    "beam_search",
    "distribution",
    "draw",
    "entropy",
    "generate",
    "greedy",
    "keep_nucleus",
    "keep_top_k",
    "legal_bio",
    "legal_viterbi",
    "length_penalty",
    "prefix_beam_search",
    "sample",
    "viterbi",
]
