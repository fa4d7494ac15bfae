"""Floor 5: from a model's scores to an answer.

`beam_search` finds the likeliest sequences that a model can write, symbol by symbol.
"""

from .beam import Beam, Branch, Hypothesis, beam_search, length_penalty

__all__ = ["Beam", "Branch", "Hypothesis", "beam_search", "length_penalty"]
