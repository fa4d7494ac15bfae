"""Floor 4: from a model's scores to an answer: the best row of tags."""

from .viterbi import legal_bio, legal_viterbi, viterbi

__all__ = ["legal_bio", "legal_viterbi", "viterbi"]
