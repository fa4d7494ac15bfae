"""Floor 4: from a model's scores to an answer: the best row of tags."""

from .viterbi import illegal_transitions, legal_bio, legal_viterbi, viterbi

__all__ = ["illegal_transitions", "legal_bio", "legal_viterbi", "viterbi"]
