"""Floor 5: from what a model says of the next symbol to the symbols that are written.

`sampling` draws them: temperature, top-k, nucleus, greedy.
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

__all__ = [
    "distribution",
    "draw",
    "entropy",
    "generate",
    "greedy",
    "keep_nucleus",
    "keep_top_k",
    "sample",
]
