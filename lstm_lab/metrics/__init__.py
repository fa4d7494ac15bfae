"""Floor 5: scores of what a model said, equal to those that papers report.

`bleu` and `chrf` are sacrebleu's values, `entity_scores` seqeval's, to the last digit. How sure a
score is, and when two differ, is `lstm_lab.evidence`'s affair.
"""

from .classification import ConfusionMatrix, confusion_matrix
from .edits import EditScore, edit_distance, edit_score
from .entities import EntityScores, Score, entities, entity_scores, illegal_transitions
from .language import bits_per_character, perplexity
from .translation import bleu, chrf, exact_match

__all__ = [
    "ConfusionMatrix",
    "EditScore",
    "EntityScores",
    "Score",
    "bits_per_character",
    "bleu",
    "chrf",
    "confusion_matrix",
    "edit_distance",
    "edit_score",
    "entities",
    "entity_scores",
    "exact_match",
    "illegal_transitions",
    "perplexity",
]
